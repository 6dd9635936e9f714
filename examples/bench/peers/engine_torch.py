"""Workloads of `bin/fragua bench engine` in PyTorch; see engine.py."""

import functools
import shutil

import torch
import torch.nn.functional as F

_COMPILER = shutil.which("g++") or shutil.which("clang++")
NAMES = {
    "torch": f"PyTorch {torch.__version__}",
    "torch_compiled": f"PyTorch {torch.__version__} compiled"
    if _COMPILER
    else FileNotFoundError("torch.compile needs a C++ compiler on PATH, g++ or clang++"),
    "torch_bf16": f"PyTorch {torch.__version__} autocast bf16",
}
PREPARE = {}


def threads(n):
    torch.set_num_threads(n)


def workload(f):
    PREPARE[f.__name__] = f
    return f


def tensors(arrays):
    return {k: torch.from_numpy(a) for k, a in arrays.items()}


def without_gradient(f):
    def run():
        with torch.inference_mode():
            return f()

    return run


def autocast(peer, f):
    """In bf16 where the peer is that."""
    if peer != "torch_bf16":
        return f

    def run():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return f()

    return run


def once(run):
    return {"y": run().float().numpy()}, run


@workload
def add(peer, settings, inputs):
    t = tensors(inputs)
    return once(functools.partial(torch.add, t["a"], t["b"]))


@workload
def gelu(peer, settings, inputs):
    x = tensors(inputs)["x"]
    return once(functools.partial(F.gelu, x, approximate="tanh"))


@workload
def softmax(peer, settings, inputs):
    return once(functools.partial(torch.softmax, tensors(inputs)["x"], -1))


@workload
def layer_norm(peer, settings, inputs):
    t = tensors(inputs)
    return once(functools.partial(F.layer_norm, t["x"], t["scale"].shape, t["scale"], t["bias"], 1e-6))


@workload
def adam(peer, settings, inputs):
    t = tensors(inputs)
    w = t["w"].clone().requires_grad_()
    w.grad = t["g"]
    optimizer = torch.optim.Adam([w], lr=1e-3, fused=True)
    for _ in range(settings["steps"]):
        optimizer.step()
    return {"w": w.detach().clone().numpy()}, optimizer.step


def kernels(t):
    """As PyTorch stores them: [out, in], and [out, in, height, width] with channels last in memory."""

    def stored(v):
        if v.ndim == 4:
            return v.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        return v.T.contiguous() if v.ndim == 2 else v

    return {k: v if k in ("x", "y") else stored(v) for k, v in t.items()}


def kernel_of(v):
    """Back again."""
    return v.permute(2, 3, 1, 0) if v.ndim == 4 else v.T if v.ndim == 2 else v


def parameters(t):
    return {k: v.clone().requires_grad_() for k, v in kernels(t).items() if k not in ("x", "y")}


def training(settings, names, optimizer, loss):
    """Steps on one batch; parameters by name."""

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimizer.step()
        return value

    losses = torch.stack([step().detach() for _ in range(settings["steps"])])
    results = {k: kernel_of(p.detach().clone()).numpy() for k, p in names.items()}
    results["losses"] = losses.numpy()
    return results, lambda: step().item()


@workload
def mlp_training(peer, settings, inputs):
    t = tensors(inputs)
    p = parameters(t)

    def loss():
        h = t["x"]
        for i in range(3):
            h = F.linear(h, p[f"dense_{i}.kernel"], p[f"dense_{i}.bias"])
            h = F.relu(h) if i < 2 else h
        return F.binary_cross_entropy_with_logits(h.squeeze(-1), t["y"])

    return training(settings, p, torch.optim.Adam(list(p.values()), lr=1e-3, fused=True), loss)


def encode(p, settings, x):
    b, n, d = x.shape
    for i in range(settings["layers"]):
        at = f"layer_{i}."
        dense = lambda name, h: F.linear(h, p[at + name + ".kernel"], p[at + name + ".bias"])
        norm = lambda name, h: F.layer_norm(h, (d,), p[at + name + ".scale"], p[at + name + ".bias"], 1e-6)
        split = lambda h: h.view(b, n, settings["heads"], -1).transpose(1, 2)
        q, k, v = (split(dense("attention." + name, x)) for name in ("query", "key", "value"))
        heard = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d)
        x = norm("layer_norm_0", x + dense("attention.out", heard))
        h = F.gelu(dense("dense_0", x), approximate="tanh")
        x = norm("layer_norm_1", x + dense("dense_1", h))
    return x


@workload
def encoder(peer, settings, inputs):
    p = kernels(tensors(inputs))
    x = p.pop("x")
    f = functools.partial(encode, p, settings, x)
    if peer == "torch_compiled":
        f = torch.compile(lambda: encode(p, settings, x))
    return once(without_gradient(autocast(peer, f)))


@workload
def encoder_training(peer, settings, inputs):
    t = tensors(inputs)
    p = parameters(t)
    optimizer = torch.optim.AdamW(list(p.values()), lr=1e-4, weight_decay=0.01, fused=True)

    f = autocast(peer, lambda: encode(p, settings, t["x"]))
    return training(settings, p, optimizer, lambda: F.mse_loss(f().float(), t["y"]))


def images(t):
    """[N, channels, height, width] in the same memory."""
    return t["x"].permute(0, 3, 1, 2)


def resnet50(p, x, training):
    """As torchvision's resnet50; statistics are only read if there are some."""

    def conv(name, x, stride):
        k = p[name + ".kernel"]
        x = F.conv2d(x, k, stride=stride, padding=k.shape[-1] // 2)
        scale, bias, mean, var = (p.get(f"{name}.norm.{part}") for part in ("scale", "bias", "mean", "var"))
        return F.batch_norm(x, mean, var, scale, bias, training, 0.1, 1e-5)

    x = F.max_pool2d(F.relu(conv("stem", x, 2)), 3, 2, 1)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for b in range(blocks):
            at, stride = f"stage_{stage}_block_{b}.", 2 if stage and not b else 1
            h = F.relu(conv(at + "reduce", x, 1))
            h = F.relu(conv(at + "wide", h, stride))
            h = conv(at + "expand", h, 1)
            x = F.relu(h + (x if b else conv(at + "project", x, stride)))
    return F.linear(x.mean((2, 3)), p["head.kernel"], p["head.bias"])


@workload
def resnet(peer, settings, inputs):
    p = kernels(tensors(inputs))
    x = images(p)
    return once(without_gradient(autocast(peer, lambda: resnet50(p, x, False))))


@workload
def resnet_memory(peer, settings, inputs):
    """The most memory that PyTorch's allocator had given out in a step, beside what was there before: parameters, momentum
    and batch. oneDNN takes its memory from that allocator too. The profiler hears of everything that is taken and given back."""
    t = tensors(inputs)
    p = parameters(t)
    x, y = images(t), t["y"].long()
    optimizer = torch.optim.SGD(list(p.values()), lr=0.01, momentum=0.9)
    results, step = training(settings, p, optimizer, lambda: F.cross_entropy(resnet50(p, x, True), y))

    def figure():
        optimizer.zero_grad(set_to_none=True)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            step()
        now = most = 0
        for event in profile.profiler.kineto_results.events():
            if event.name() == "[memory]":
                now += event.nbytes()
                most = max(most, now)
        return float(most)

    return results, figure


@workload
def cnn_training(peer, settings, inputs):
    t = tensors(inputs)
    p = parameters(t)
    x, y = images(t), t["y"].long()

    def loss():
        h = x
        for i in range(2):
            h = F.relu(F.conv2d(h, p[f"conv_{i}.kernel"], p[f"conv_{i}.bias"]))
        h = F.max_pool2d(h, 2).permute(0, 2, 3, 1).flatten(1)
        h = F.relu(F.linear(h, p["dense_0.kernel"], p["dense_0.bias"]))
        return F.cross_entropy(F.linear(h, p["dense_1.kernel"], p["dense_1.bias"]), y)

    return training(settings, p, torch.optim.Adam(list(p.values()), lr=1e-3, fused=True), loss)


@workload
def lstm_training(peer, settings, inputs):
    t = tensors(inputs)
    x, y = t["x"], t["y"]
    m = torch.nn.LSTM(x.shape[-1], y.shape[-1], 2, batch_first=True)
    p = {}
    with torch.no_grad():
        for layer, weights in enumerate(m.all_weights):
            for name, w in zip(("kernel", "recurrent_kernel", "bias"), weights):
                name = f"recurrent_{layer}.{name}"
                w.copy_(kernel_of(t[name]))
                p[name] = w
            weights[3].zero_().requires_grad_(False)  # a second bias, that Fragua does not have
    optimizer = torch.optim.Adam(list(p.values()), lr=1e-3, fused=True)
    return training(settings, p, optimizer, lambda: F.mse_loss(m(x)[0], y))
