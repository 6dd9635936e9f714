"""Golden values of io.fragua.nn: Flax and PyTorch layers, jax.nn functions and Optax losses, with gradients.

    python golden_nn.py > ../resources/golden/nn.json

Made with flax 0.12.8 (linen), optax 0.2.8, jax 0.10.2 and torch 2.13.0 (CPU). The names of the cases are those of
LayerCases. Outputs and gradients are those of sum(output * weights).
"""

import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

rng = np.random.default_rng(1)


def array(*shape):
    return jnp.asarray(rng.normal(size=shape).astype(np.float32))


def flat(a):
    return np.asarray(a).reshape(-1).tolist()


def tree(t, path=""):
    out = {}
    for name, v in t.items():
        if isinstance(v, dict):
            out.update(tree(v, path + name + "."))
        else:
            out[path + name] = flat(v)
    return out


def layer(module, x, **call):
    """Applies a module with random parameters: output, new state, gradients."""
    variables = module.init(jax.random.key(0), x, **call)
    params = jax.tree.map(lambda p: array(*p.shape), variables.get("params", {}))
    state = jax.tree.map(lambda p: jnp.abs(array(*p.shape)) + 0.5, variables.get("batch_stats", {}))
    mutable = ["batch_stats"] if state and not call.get("use_running_average", True) else False

    def f(params, x):
        out = module.apply({"params": params, "batch_stats": state}, x, mutable=mutable, **call)
        return out if mutable else (out, {})

    y, new_state = f(params, x)
    weights = array(*y.shape)
    loss = lambda p, x: (f(p, x)[0] * weights).sum()
    case = {
        "x": flat(x),
        "params": tree(params),
        "state": tree(state),
        "output": flat(y),
        "new_state": tree(new_state.get("batch_stats", {})),
        "weights": flat(weights),
    }
    if jnp.issubdtype(x.dtype, jnp.floating):
        gp, gx = jax.grad(loss, (0, 1))(params, x)
        case["grad_x"] = flat(gx)
    else:
        gp = jax.grad(loss)(params, x)
    case["grad_params"] = tree(gp)
    return case


mask = jnp.asarray([1, 1, 0, 1, 0], jnp.float32)
x5 = array(5, 3) * 2 + 1
layers = {
    "dense": layer(nn.Dense(4), array(5, 3)),
    "dense without bias": layer(nn.Dense(4, use_bias=False), array(5, 3)),
    "dense on [B, T, D]": layer(nn.Dense(2), array(2, 3, 4)),
    "embedding": layer(nn.Embed(6, 3), jnp.asarray([[5, 0], [2, 2]], jnp.int32)),
    "layer norm": layer(nn.LayerNorm(), array(4, 6)),
    "batch norm": layer(nn.BatchNorm(momentum=0.9), x5, use_running_average=False),
    "batch norm on [B, T, C]": layer(nn.BatchNorm(momentum=0.7), array(3, 4, 2), use_running_average=False),
    "batch norm inference": layer(nn.BatchNorm(), x5, use_running_average=True),
    "batch norm masked": layer(
        nn.BatchNorm(momentum=0.9), x5, use_running_average=False, mask=(mask > 0)[:, None]
    ),
}
layers["batch norm masked"]["mask"] = flat(mask)
layers["batch norm masked on [B, T, C]"] = layer(
    nn.BatchNorm(momentum=0.9), array(5, 2, 3), use_running_average=False, mask=(mask > 0)[:, None, None]
)
layers["batch norm masked on [B, T, C]"]["mask"] = flat(mask)



def padding(x):
    """The second row is padded after two positions."""
    return jnp.asarray([[1, 1, 1], [1, 1, 0]], bool)[:, None, None, :]


layers["rms norm"] = layer(nn.RMSNorm(), array(4, 6))
layers["group norm"] = layer(nn.GroupNorm(num_groups=2), array(3, 4, 6))
layers["group norm on [B, C]"] = layer(nn.GroupNorm(num_groups=3, epsilon=1e-3), array(3, 6))
layers["instance norm"] = layer(nn.InstanceNorm(), array(2, 5, 3))


def unwrapped(case):
    """The case of a module that only calls one named inner, under that one's names."""
    for part in ("params", "grad_params"):
        case[part] = {n.removeprefix("inner."): v for n, v in case[part].items()}
    return case


def attention(heads, x, keys=lambda x: x, mask=lambda x: None):
    class SelfAttention(nn.Module):
        @nn.compact
        def __call__(self, x):
            inner = nn.MultiHeadDotProductAttention(num_heads=heads, name="inner")
            return inner(x, keys(x), mask=mask(x))

    return unwrapped(layer(SelfAttention(), x))


layers["attention"] = attention(2, array(2, 3, 4))
layers["attention causal"] = attention(
    1, array(2, 4, 3), mask=lambda x: nn.make_causal_mask(x[..., 0])
)
layers["attention padded"] = attention(2, array(2, 3, 4), mask=padding)
layers["attention to others"] = attention(2, array(2, 3, 4) / 2, keys=lambda x: x[:, 1:])


def encoder(x, activation, norm_first, epsilon=1e-6):
    """PyTorch's layer, its parameters under our names."""
    d = x.shape[-1]
    module = torch.nn.TransformerEncoderLayer(
        d, 2, 5, 0.0, activation, layer_norm_eps=epsilon, batch_first=True, norm_first=norm_first
    )
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(np.asarray(array(*p.shape))))

    def ours(of):
        a = module.self_attn
        out = {"attention.out.kernel": of(a.out_proj.weight).T, "attention.out.bias": of(a.out_proj.bias)}
        for i, name in enumerate(("query", "key", "value")):
            out[f"attention.{name}.kernel"] = of(a.in_proj_weight)[i * d : (i + 1) * d].T
            out[f"attention.{name}.bias"] = of(a.in_proj_bias)[i * d : (i + 1) * d]
        for i, (norm, dense) in enumerate(
            ((module.norm1, module.linear1), (module.norm2, module.linear2))
        ):
            out[f"layer_norm_{i}.scale"] = of(norm.weight)
            out[f"layer_norm_{i}.bias"] = of(norm.bias)
            out[f"dense_{i}.kernel"] = of(dense.weight).T
            out[f"dense_{i}.bias"] = of(dense.bias)
        return {n: flat(v) for n, v in out.items()}

    tx = torch.tensor(np.asarray(x), requires_grad=True)
    y = module(tx)
    weights = array(*y.shape)
    (y * torch.tensor(np.asarray(weights))).sum().backward()
    return {
        "x": flat(x),
        "params": ours(lambda p: p.detach().numpy()),
        "state": {},
        "output": flat(y.detach()),
        "new_state": {},
        "weights": flat(weights),
        "grad_x": flat(tx.grad),
        "grad_params": ours(lambda p: p.grad.numpy()),
    }


layers["transformer encoder"] = encoder(array(2, 3, 4), "relu", False)
layers["transformer encoder, norm first"] = encoder(
    array(2, 3, 4), lambda t: torch.nn.functional.gelu(t, approximate="tanh"), True
)


def decoder(x, memory, norm_first, epsilon=1e-6):
    """PyTorch's layer, its parameters under our names; in f64, as some of its sums cancel."""
    d = x.shape[-1]
    module = torch.nn.TransformerDecoderLayer(
        d, 2, 5, 0.0, "relu", layer_norm_eps=epsilon, batch_first=True, norm_first=norm_first
    ).double()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(np.asarray(array(*p.shape) / 2)))

    def ours(of):
        out = {}
        for prefix, a in (("attention", module.self_attn), ("cross_attention", module.multihead_attn)):
            out[f"{prefix}.out.kernel"] = of(a.out_proj.weight).T
            out[f"{prefix}.out.bias"] = of(a.out_proj.bias)
            for i, name in enumerate(("query", "key", "value")):
                out[f"{prefix}.{name}.kernel"] = of(a.in_proj_weight)[i * d : (i + 1) * d].T
                out[f"{prefix}.{name}.bias"] = of(a.in_proj_bias)[i * d : (i + 1) * d]
        for i, norm in enumerate((module.norm1, module.norm2, module.norm3)):
            out[f"layer_norm_{i}.scale"] = of(norm.weight)
            out[f"layer_norm_{i}.bias"] = of(norm.bias)
        for i, dense in enumerate((module.linear1, module.linear2)):
            out[f"dense_{i}.kernel"] = of(dense.weight).T
            out[f"dense_{i}.bias"] = of(dense.bias)
        return {n: flat(v) for n, v in out.items()}

    tx = torch.tensor(np.asarray(x), dtype=torch.float64, requires_grad=True)
    t = x.shape[1]
    future = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
    y = module(tx, memory(tx), tgt_mask=future)
    weights = array(*y.shape)
    (y * torch.tensor(np.asarray(weights))).sum().backward()
    return {
        "x": flat(x),
        "params": ours(lambda p: p.detach().numpy()),
        "state": {},
        "output": flat(y.detach()),
        "new_state": {},
        "weights": flat(weights),
        "grad_x": flat(tx.grad),
        "grad_params": ours(lambda p: p.grad.numpy()),
    }


# The other sequence is made of x itself, so that a case has one input.
layers["transformer decoder"] = decoder(array(2, 3, 4), lambda x: x[:, 1:] * 2 - 1, False)
layers["transformer decoder, norm first"] = decoder(array(2, 3, 4), lambda x: x[:, 1:] * 2 - 1, True)
layers["prelu"] = layer(nn.PReLU(), array(3, 5))


class Gated(nn.Module):
    @nn.compact
    def __call__(self, x):
        gate = nn.silu(nn.Dense(4, use_bias=False, name="gate")(x))
        return gate * nn.Dense(4, use_bias=False, name="value")(x)


layers["gated dense"] = layer(Gated(), array(3, 5))


def waves(length, d):
    """Sinusoidal positions as the paper writes them."""
    p = np.arange(length)[:, None] / 10000 ** (np.arange(0, d, 2) / d)
    return np.stack([np.sin(p), np.cos(p)], -1).reshape(length, d)


class Sinusoidal(nn.Module):
    def __call__(self, x):
        return x + waves(x.shape[-2], x.shape[-1]).astype(np.float32)


class Learned(nn.Module):
    @nn.compact
    def __call__(self, x):
        return x + self.param("embedding", nn.initializers.normal(0.02), (5, x.shape[-1]))[: x.shape[-2]]


layers["sinusoidal positions"] = layer(Sinusoidal(), array(2, 3, 6))
layers["learned positions"] = layer(Learned(), array(2, 3, 4))


def turned(x, base=10000.0):
    """Rotary positions: halves of the last axis as one complex number, turned."""
    t, d = x.shape[-2:]
    angle = np.arange(t)[:, None] * base ** (-np.arange(0, d, 2) / d)
    z = (x[..., : d // 2] + 1j * x[..., d // 2 :]) * jnp.exp(1j * angle)
    return jnp.concatenate([z.real, z.imag], -1).astype(x.dtype)


class RotaryAttention(nn.Module):
    @nn.compact
    def __call__(self, x):
        part = lambda n: nn.DenseGeneral((2, 4), name=n)(x).transpose(0, 2, 1, 3)
        q, k, v = (part(n) for n in ("query", "key", "value"))
        q, k, v = (y.transpose(0, 2, 1, 3) for y in (turned(q), turned(k), v))
        heard = nn.dot_product_attention(q, k, v, mask=nn.make_causal_mask(x[..., 0]))
        return nn.DenseGeneral(x.shape[-1], axis=(-2, -1), name="out")(heard)


layers["attention rotary"] = layer(RotaryAttention(), array(2, 3, 8))


class Residual(nn.Module):
    @nn.compact
    def __call__(self, x):
        return x + nn.Dense(3, name="inner")(x)


layers["residual"] = unwrapped(layer(Residual(), array(2, 3)))



class Call(nn.Module):
    """A function as a module."""

    function: callable

    @nn.compact
    def __call__(self, x):
        return self.function(x)


# A generator of their own, so that the rows above keep their numbers.
rng = np.random.default_rng(2)
layers["conv"] = layer(nn.Conv(4, (3, 3)), array(2, 5, 4, 3))
layers["conv 1d"] = layer(nn.Conv(2, (3,), strides=2, padding="VALID"), array(2, 8, 3))
layers["conv 3d"] = layer(nn.Conv(2, (2, 1, 2), strides=(1, 2, 2)), array(1, 3, 4, 5, 2))
layers["conv in groups"] = layer(
    nn.Conv(4, (3, 2), feature_group_count=2, kernel_dilation=(2, 1), use_bias=False), array(2, 6, 4, 6)
)
layers["conv padded"] = layer(nn.Conv(3, (3, 3), padding=((1, 1), (2, 2))), array(1, 4, 4, 2))
layers["conv transpose"] = layer(nn.ConvTranspose(3, (3, 3), strides=(2, 2)), array(2, 3, 4, 2))
layers["conv transpose valid"] = layer(
    nn.ConvTranspose(2, (3, 2), strides=(2, 3), padding="VALID"), array(1, 3, 2, 2)
)
layers["conv transpose 1d"] = layer(
    nn.ConvTranspose(2, (4,), strides=(2,), kernel_dilation=(2,), use_bias=False), array(2, 5, 3)
)
layers["conv transpose padded"] = layer(
    nn.ConvTranspose(2, (3, 3), strides=(2, 1), padding=((2, 2), (1, 1))), array(1, 3, 4, 2)
)
layers["max pool"] = layer(Call(lambda x: nn.max_pool(x, (2, 2), (2, 2))), array(2, 5, 4, 3))
layers["max pool same"] = layer(
    Call(lambda x: nn.max_pool(x, (3, 3), (2, 2), padding="SAME")), array(2, 5, 4, 3)
)
layers["avg pool"] = layer(
    Call(lambda x: nn.avg_pool(x, (3, 2), (2, 1), padding="SAME")), array(2, 5, 4, 3)
)
layers["avg pool of elements"] = layer(
    Call(lambda x: nn.avg_pool(x, (3, 3), (2, 2), padding=((1, 1), (1, 1)), count_include_pad=False)),
    array(2, 5, 4, 3),
)
layers["batch norm on images"] = layer(
    nn.BatchNorm(momentum=0.9), array(2, 3, 4, 5), use_running_average=False
)



def conv_transpose(x, module):
    """PyTorch's layer; Flax's kernel, and ours, is its turned round."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(np.asarray(array(*p.shape))))

    def ours(of):
        turned = np.flip(of(module.weight), range(2, module.weight.dim()))
        return {"kernel": flat(np.moveaxis(turned, (0, 1), (-2, -1))), "bias": flat(of(module.bias))}

    return images(x, module, ours)


def images(x, module, ours=lambda of: {}):
    """PyTorch's layer over images, whose channels come first there."""
    tx = torch.tensor(np.asarray(x), requires_grad=True)
    y = module(tx.movedim(-1, 1)).movedim(1, -1)
    weights = array(*y.shape)
    (y * torch.tensor(np.asarray(weights))).sum().backward()
    return {
        "x": flat(x),
        "params": ours(lambda p: p.detach().numpy()),
        "state": {},
        "output": flat(y.detach()),
        "new_state": {},
        "weights": flat(weights),
        "grad_x": flat(tx.grad),
        "grad_params": ours(lambda p: p.grad.numpy()),
    }


# Again one of their own, and the one before for the rows below.
before, rng = rng, np.random.default_rng(3)
plain = dict(use_scale=False, use_bias=False)
layers["layer norm without affine"] = layer(nn.LayerNorm(**plain), array(4, 6))
layers["rms norm without affine"] = layer(nn.RMSNorm(use_scale=False), array(4, 6))
layers["group norm without affine"] = layer(nn.GroupNorm(num_groups=2, **plain), array(3, 4, 6))
layers["instance norm without affine"] = layer(nn.InstanceNorm(**plain), array(2, 5, 3))
layers["batch norm without affine"] = layer(
    nn.BatchNorm(momentum=0.9, **plain), array(5, 3), use_running_average=False
)
layers["transformer encoder, epsilon"] = encoder(array(2, 3, 4), "relu", False, 0.1)
layers["transformer decoder, epsilon"] = decoder(array(2, 3, 4), lambda x: x[:, 1:] * 2 - 1, True, 0.1)
layers["conv transpose in groups"] = conv_transpose(
    array(2, 3, 4, 4), torch.nn.ConvTranspose2d(4, 6, (3, 2), (2, 1), (1, 0), groups=2)
)
layers["conv transpose longer"] = conv_transpose(
    array(1, 3, 4, 2), torch.nn.ConvTranspose2d(2, 3, 3, (2, 3), (1, 0), output_padding=(1, 2))
)
layers["pixel shuffle"] = images(array(2, 3, 4, 12), torch.nn.PixelShuffle(2))
rng = before

# Functions are computed in f64: what f32 should come close to, where JAX's own f32 loses digits.
jax.config.update("jax_enable_x64", True)
f64 = jnp.float64
points = jnp.asarray([-1e4, -40, -3, -1, -0.1, -0.0, 0.0, 0.1, 1, 3, 40, 1e4], f64)
functions = {
    "identity": lambda x: x,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
    "logistic": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "gelu_exact": lambda x: jax.nn.gelu(x, approximate=False),
    "relu6": jax.nn.relu6,
    "selu": jax.nn.selu,
    "mish": jax.nn.mish,
    "log_sigmoid": jax.nn.log_sigmoid,
    "soft_sign": jax.nn.soft_sign,
    # as jax.nn writes it, but for what is rounded away far below 0
    "squareplus": lambda x: jnp.where(x > 0, jax.nn.squareplus(x), 2 / (jnp.sqrt(x * x + 4) - x)),
    "hard_tanh": jax.nn.hard_tanh,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_silu": jax.nn.hard_silu,
}
activations = {
    n: {"value": flat(f(points)), "grad": flat(jax.vmap(jax.grad(f))(points))}
    for n, f in functions.items()
}


def torchs(f):
    x = torch.tensor(np.asarray(points)).requires_grad_()
    y = f(x)
    y.sum().backward()
    return {"value": flat(y.detach().numpy()), "grad": flat(x.grad.numpy())}


F = torch.nn.functional
activations |= {
    "celu": torchs(F.celu),
    "hard_shrink": torchs(F.hardshrink),
    "soft_shrink": torchs(F.softshrink),
    "tanh_shrink": torchs(F.tanhshrink),
}
jaxs = lambda f: {"value": flat(f(points)), "grad": flat(jax.vmap(jax.grad(f))(points))}
with_settings = {
    # JAX's slope at 0, PyTorch's is that below
    "leaky_relu(0.2)": jaxs(lambda x: jax.nn.leaky_relu(x, 0.2)),
    "elu(1.5)": torchs(lambda x: F.elu(x, 1.5)),
    "celu(0.5)": torchs(lambda x: F.celu(x, 0.5)),
    "softplus(2.0)": torchs(lambda x: F.softplus(x, 2.0, threshold=1e3)),
    "hard_shrink(0.1)": torchs(lambda x: F.hardshrink(x, 0.1)),
    "soft_shrink(1.0)": torchs(lambda x: F.softshrink(x, 1.0)),
    "hard_shrink(0.0)": torchs(lambda x: F.hardshrink(x, 0.0)),
}

halves = jnp.asarray(rng.normal(size=(3, 8)) * 3, f64)
a, b = halves[:, :4], halves[:, 4:]
gates = {"glu": jax.nn.glu(halves), "geglu": a * jax.nn.gelu(b), "swiglu": a * jax.nn.silu(b)}

z = jnp.asarray([-1e4, -30, -1, 0, 0.5, 2, 1e4, -1e4], f64)
y = jnp.asarray([0, 1, 0, 1, 0.25, 1, 1, 1], f64)
logits = jnp.asarray([[0, 0, 0], [1e4, 0, -1e4], [-1, 2, 0.5], [1e4, 9999.5, 0]], f64)
labels = jnp.asarray([2, 1, 0, 1], jnp.int32)
losses = {
    "binary_cross_entropy": (optax.sigmoid_binary_cross_entropy, z, y),
    "cross_entropy": (optax.softmax_cross_entropy_with_integer_labels, logits, labels),
    "squared_error": (optax.squared_error, z, y),
}

print(
    json.dumps(
        {
            "layers": layers,
            "points": flat(points),
            "activations": activations,
            "activations with settings": with_settings,
            "halves": flat(halves),
            "gates": {n: flat(v) for n, v in gates.items()},
            "losses": {
                n: {
                    "x": flat(a),
                    "y": flat(b),
                    "value": flat(f(a, b)),
                    "grad": flat(jax.grad(lambda a: f(a, b).sum())(a)),
                }
                for n, (f, a, b) in losses.items()
            },
        },
        indent=1,
    )
)
