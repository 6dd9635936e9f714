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


def linear(t):
    """Kernels as a Linear stores them: [out, in]."""
    return {k: v.T.contiguous() if v.ndim == 2 and k != "x" else v for k, v in t.items()}


def parameters(t):
    return {k: v.clone().requires_grad_() for k, v in linear(t).items() if k not in ("x", "y")}


def training(settings, names, optimizer, loss):
    """Steps on one batch; parameters by name."""

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimizer.step()
        return value

    losses = torch.stack([step().detach() for _ in range(settings["steps"])])
    results = {k: p.detach().clone().numpy() for k, p in names.items()}
    results = {k: v.T if v.ndim == 2 else v for k, v in results.items()}
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
    p = linear(tensors(inputs))
    x = p.pop("x")
    f = functools.partial(encode, p, settings, x)
    if peer == "torch_compiled":
        f = torch.compile(lambda: encode(p, settings, x))
    if peer == "torch_bf16":
        plain = f

        def f():
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return plain()

    return once(without_gradient(f))


@workload
def encoder_training(peer, settings, inputs):
    t = tensors(inputs)
    p = parameters(t)
    optimizer = torch.optim.AdamW(list(p.values()), lr=1e-4, weight_decay=0.01, fused=True)

    def loss():
        if peer == "torch_bf16":
            with torch.autocast("cpu", dtype=torch.bfloat16):
                y = encode(p, settings, t["x"])
            return F.mse_loss(y.float(), t["y"])
        return F.mse_loss(encode(p, settings, t["x"]), t["y"])

    return training(settings, p, optimizer, loss)
