"""Golden values of io.fragua.nn's losses: Optax's and PyTorch's, with gradients, in f64.

    python golden_losses.py > ../resources/golden/losses.json

Made with optax 0.2.8 on jax 0.10.2, torch 2.13.0 and keras (CPU); neither has the quantile loss, whose values are
checked against scikit-learn's here. The names of the cases are those of LossCases. Gradients are those of the sum of the rows with respect to the first operand.
"""

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
import torch.nn.functional as F
from sklearn.metrics import mean_pinball_loss

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(2)

z = np.array([-1e4, -30, -1.5, 0.25, 0.5, 2, 1e4, -1e4])
y = np.array([0, 1, 0, 1, 0, 1, 1, 1], float)
t = np.array([1e4, -30.25, -1, 3, 0.75, -2, 1e4, -1e4 - 3])
sign = y * 2 - 1
logits = np.array([[0, 0, 0], [1e4, 0, -1e4], [-1, 2, 0.5], [1e4, 9999.5, 0], [0.1, 0.3, -0.2]])
labels = np.array([2, 1, 0, 1, 1], np.int32)
shares = np.array([[0, 0, 1], [0.5, 0.25, 0.25], [0.2, 0.3, 0.5], [0, 1, 0], [0.1, 0.8, 0.1]])
a, b, c = (rng.normal(size=(5, 4)).astype(np.float32).astype(float) for _ in range(3))
a[1] = 0
b[2] = a[2]
c[3] *= 1e4
pm = np.array([1, 1, -1, -1, -1], float)
log_probabilities = np.asarray(jax.nn.log_softmax(logits, axis=-1))
rates = np.array([-30, -2, 0, 0.5, 3, 10])
counts = np.array([0, 1, 2, 0, 25, 20000], float)
variances = np.array([0.5, 1e-3, 2, 1e4, 1, 3])


def jaxs(f, *args):
    args = [jnp.asarray(v) for v in args]
    return args, f(*args), jax.grad(lambda x: f(x, *args[1:]).sum())(args[0])


def torchs(f, *args):
    args = [torch.tensor(v, dtype=torch.int64 if v.dtype == np.int32 else torch.float64) for v in args]
    args[0].requires_grad_()
    out = f(*args)
    return args, out, torch.autograd.grad(out.sum(), args[0])[0]


p01 = np.asarray(jax.nn.softmax(rng.normal(size=(5, 3)), axis=-1))


def dice(p, q):
    """As Keras, whose numerator has no 1e-7; compared with it below."""
    return 1 - (2 * (p * q).sum(1) + 1e-7) / (p.sum(1) + q.sum(1) + 1e-7)


def tversky(p, q, alpha, beta):
    """As Keras; compared with it below."""
    both = (p * q).sum(1)
    return 1 - (both + 1e-6) / (both + alpha * (p * (1 - q)).sum(1) + beta * ((1 - p) * q).sum(1) + 1e-6)


ROOT = [0, 2]  # where 1 - p is not 0, at which the plain formula has no slope


def softmax_focal(x, n, gamma):
    lp = jnp.take_along_axis(jax.nn.log_softmax(x), n[:, None].astype(int), 1)[:, 0]
    return -((1 - jnp.exp(lp)) ** gamma) * lp


def contrastive(p, q, n):
    d = jnp.sqrt(((p - q) ** 2).sum(1) + 1e-6)
    return n * d**2 + (1 - n) * jnp.maximum(3.5 - d, 0) ** 2


row = dict(reduction="none")
cases = {
    "label smoothing": torchs(
        lambda x, n: F.cross_entropy(x, n, label_smoothing=0.1, **row), logits, labels
    ),
    "cross entropy of weights": torchs(
        lambda x, n: F.cross_entropy(x, n, weight=torch.tensor([0.5, 2, 1.25]).double(), **row), logits, labels
    ),
    "cross entropy of some": torchs(
        lambda x, n: F.cross_entropy(
            x, n, weight=torch.tensor([0.5, 2, 1.25]).double(), label_smoothing=0.1, ignore_index=-100, **row
        ),
        logits,
        np.array([2, -100, 0, 1, -100], np.int32),
    ),
    "binary cross entropy of weights": torchs(
        lambda x, n: F.binary_cross_entropy_with_logits(x, n, pos_weight=torch.tensor(2.5).double(), **row), z, y
    ),
    "smooth labels": jaxs(lambda x, n: optax.softmax_cross_entropy(x, optax.smooth_labels(n, 0.2)), logits, shares),
    "soft cross entropy": jaxs(optax.softmax_cross_entropy, logits, shares),
    "kl divergence": jaxs(optax.kl_divergence, log_probabilities, shares),
    "focal": jaxs(optax.sigmoid_focal_loss, z, y),
    "focal alpha": jaxs(lambda x, n: optax.sigmoid_focal_loss(x, n, alpha=0.25, gamma=0.5), z[1:6], y[1:6]),
    "softmax focal": jaxs(lambda x, n: softmax_focal(x, n, 2.0), logits, labels),
    "softmax focal of a root": jaxs(lambda x, n: softmax_focal(x, n, 0.5), logits[ROOT], labels[ROOT]),
    "nll": torchs(lambda x, n: F.nll_loss(x, n, **row), log_probabilities, labels),
    "nll of some": torchs(
        lambda x, n: F.nll_loss(
            x, n, weight=torch.tensor([0.5, 2, 1.25]).double(), ignore_index=-100, **row
        ),
        log_probabilities,
        np.array([2, -100, 0, 1, -100], np.int32),
    ),
    "poly": jaxs(lambda x, n: optax.losses.poly_loss_cross_entropy(x, n, epsilon=1.5), logits, shares),
    "dice": jaxs(dice, p01, shares),
    "tversky": jaxs(lambda p, q: tversky(p, q, 0.3, 0.7), p01, shares),
    "iou": jaxs(lambda p, q: tversky(p, q, 1, 1), p01, shares),
    "contrastive": jaxs(contrastive, b, c / 3, (pm > 0).astype(float)),
    "listwise softmax": jaxs(
        lambda x, n: optax.losses.ranking_softmax_loss(x, n, reduce_fn=None), logits, shares * 3
    ),
    "info nce": torchs(lambda p, q: F.cross_entropy(p @ q.T / 0.5, torch.arange(5), **row), b, a),
    "hinge": jaxs(optax.hinge_loss, z, sign),
    "squared hinge": jaxs(lambda x, n: optax.hinge_loss(x, n) ** 2, z, sign),
    "multiclass hinge": jaxs(
        jax.vmap(optax.losses.multiclass_hinge_loss), logits + np.array([0.125, 0, -0.125]), labels
    ),
    "absolute error": torchs(lambda x, n: F.l1_loss(x, n, **row), z, t),
    "huber": jaxs(lambda x, n: optax.huber_loss(x, n, delta=1.5), z, t),
    "smooth l1": torchs(lambda x, n: F.smooth_l1_loss(x, n, beta=0.4, **row), z, t),
    "log cosh": jaxs(optax.log_cosh, z, t),
    "quantile": jaxs(lambda x, n: jnp.maximum(0.9 * (n - x), -0.1 * (n - x)), z[:6], t[:6]),
    "poisson nll": torchs(lambda x, n: F.poisson_nll_loss(x, n, **row), rates, counts),
    "gaussian nll": torchs(lambda x, n, v: F.gaussian_nll_loss(x, n, v, **row), rates, counts, variances),
    "cosine similarity": torchs(lambda p, q: F.cosine_similarity(p, q), a, b),
    "cosine distance": torchs(lambda p, q: 1 - F.cosine_similarity(p, q), b, c),
    "cosine embedding": torchs(
        lambda p, q, n: F.cosine_embedding_loss(p, q, n, margin=-0.3, **row), b, c, pm
    ),
    "triplet margin": jaxs(optax.losses.triplet_margin_loss, a, b, c),
    "margin ranking": torchs(lambda p, q, n: F.margin_ranking_loss(p, q, n, margin=0.375, **row), z, t, sign),
}

keras.config.set_floatx("float64")
np.testing.assert_allclose(dice(p01, shares), keras.losses.dice(shares, p01, axis=(1,)), rtol=1e-6)
for al, be in ((0.3, 0.7), (1, 1)):
    theirs = keras.losses.tversky(shares, p01, al, be, axis=(1,))
    np.testing.assert_allclose(tversky(p01, shares, al, be), theirs, rtol=1e-5)

pinball = [mean_pinball_loss([n], [x], alpha=0.9) for x, n in zip(z[:6], t[:6])]
np.testing.assert_allclose(cases["quantile"][1], pinball, rtol=1e-14)


def data(v):
    v = np.asarray(v.detach() if isinstance(v, torch.Tensor) else v)
    return {"shape": list(v.shape), "whole": v.dtype.kind == "i", "values": v.reshape(-1).tolist()}


print(
    json.dumps(
        {
            n: {"operands": [data(v) for v in args], "value": data(out), "grad": data(g)}
            for n, (args, out, g) in cases.items()
        },
        indent=1,
    )
)
