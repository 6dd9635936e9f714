"""Golden values of recurrent layers and of the loss of alignments: PyTorch's and Optax's, with gradients.

    python golden_recurrent.py > ../resources/golden/recurrent.json

Made with torch 2.13.0, optax 0.2.8 and jax 0.10.2 (CPU). The names of the cases are those of RecurrentLayerCases.
Outputs and gradients are those of sum(output * weights).
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

rng = np.random.default_rng(11)


def array(*shape):
    return rng.normal(size=shape).astype(np.float32)


def flat(a):
    return np.asarray(a).reshape(-1).tolist()


def ours(module, names, of):
    """Parameters under our names: one bias where PyTorch has two, except where they differ in effect."""
    out = {}
    gru = isinstance(module, torch.nn.GRU)
    for prefix, suffix in names:
        w = {k: of(getattr(module, k + suffix)) for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        out[prefix + "kernel"] = w["weight_ih"].T
        out[prefix + "recurrent_kernel"] = w["weight_hh"].T
        out[prefix + "bias"] = w["bias_ih"]
        if gru:
            out[prefix + "recurrent_bias"] = w["bias_hh"][-module.hidden_size:]
    return {n: flat(v) for n, v in out.items()}


def layer(module, x, names=(("", "_l0"),), reverse=False, lengths=None, start=None):
    h = module.hidden_size
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(torch.tensor(array(*p.shape)))
            if name.startswith("bias_hh"):
                p[: 2 * h if isinstance(module, torch.nn.GRU) else None] = 0
    tx = torch.tensor(x, requires_grad=True)
    y = torch.flip(module(torch.flip(tx, [1]))[0], [1]) if reverse else None
    if lengths is not None:
        n = [i for i, l in enumerate(lengths) if l > 0]  # PyTorch packs no empty sequence
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            tx[n], [lengths[i] for i in n], batch_first=True, enforce_sorted=False)
        some, _ = torch.nn.utils.rnn.pad_packed_sequence(
            module(packed)[0], batch_first=True, total_length=x.shape[1])
        y = torch.zeros(x.shape[0], *some.shape[1:]).index_copy(0, torch.tensor(n), some)
    if y is None:
        y, _ = module(tx, start and start(tx))
    weights = array(*y.shape)
    (y * torch.tensor(weights)).sum().backward()
    return {"x": flat(x), "params": ours(module, names, lambda p: p.detach().numpy()), "state": {},
            "output": flat(y.detach()), "new_state": {}, "weights": flat(weights),
            "grad_x": flat(tx.grad), "grad_params": ours(module, names, lambda p: p.grad.numpy())}


BOTH = (("forward.", "_l0"), ("backward.", "_l0_reverse"))
layers = {
    "rnn": layer(torch.nn.RNN(2, 3, batch_first=True), array(3, 4, 2)),
    "lstm": layer(torch.nn.LSTM(2, 3, batch_first=True), array(3, 4, 2)),
    "gru": layer(torch.nn.GRU(2, 3, batch_first=True), array(3, 4, 2)),
    "lstm reversed": layer(torch.nn.LSTM(2, 3, batch_first=True), array(3, 4, 2), reverse=True),
    "lstm both ways": layer(torch.nn.LSTM(2, 3, batch_first=True, bidirectional=True), array(3, 4, 2), BOTH),
    "gru both ways": layer(torch.nn.GRU(2, 3, batch_first=True, bidirectional=True), array(3, 4, 2), BOTH),
    "gru both ways of lengths": layer(
        torch.nn.GRU(2, 3, batch_first=True, bidirectional=True), array(3, 4, 2), BOTH, lengths=[4, 2, 0]),
    "two lstm layers": layer(
        torch.nn.LSTM(3, 3, 2, batch_first=True), array(3, 4, 3),
        (("recurrent_0.", "_l0"), ("recurrent_1.", "_l1"))),
}


def ctc(logits, logit_lengths, labels, label_lengths):
    frames = (np.arange(logits.shape[1])[None] >= np.array(logit_lengths)[:, None]).astype(np.float32)
    marks = (np.arange(labels.shape[1])[None] >= np.array(label_lengths)[:, None]).astype(np.float32)
    f = lambda l: optax.ctc_loss(l, frames, labels, marks)
    y = f(jnp.asarray(logits))
    g = jax.grad(lambda l: f(l).sum())(jnp.asarray(logits))
    return {"shape": list(logits.shape), "logits": flat(logits), "logit_lengths": list(logit_lengths),
            "labels": [[int(v) for v in row] for row in labels], "label_lengths": list(label_lengths),
            "loss": flat(y), "grad": flat(g)}


losses = [
    ctc(array(3, 6, 5), (6, 5, 6), np.array([[1, 2, 2], [4, 4, 0], [3, 1, 4]]), (3, 2, 3)),
    ctc(array(2, 4, 3) * 4, (4, 1), np.array([[1, 0], [2, 0]]), (1, 0)),
    ctc(array(1, 8, 4), (8,), np.array([[1, 1, 1, 1]]), (4,)),
    ctc(array(2, 20, 6), (20, 13), np.array([[1, 2, 3, 4, 5, 5], [5, 4, 3, 2, 1, 1]]), (6, 4)),
]
# The states at the start are made of x itself, so that a case has one input.
layers["lstm from states"] = layer(
    torch.nn.LSTM(3, 3, batch_first=True), array(3, 4, 3), start=lambda x: (x[:, 0][None], x[:, 1][None] * 2))
layers["gru both ways from states"] = layer(
    torch.nn.GRU(3, 3, batch_first=True, bidirectional=True), array(3, 4, 3), BOTH,
    start=lambda x: torch.stack([x[:, 0], x[:, 1] * 2]))


def ctc_of_blank(blank):
    """PyTorch's, of the whole of each row."""
    own = np.random.default_rng(blank)
    x = torch.tensor(own.normal(size=(3, 7, 5)) * 2).requires_grad_()
    labels = own.permuted(np.array([[k for k in range(5) if k != blank][:3]] * 3), axis=1)
    lengths = (3, 2, 3)
    loss = torch.nn.functional.ctc_loss(
        x.log_softmax(2).transpose(0, 1), torch.tensor(labels), (7, 7, 7), lengths, blank, reduction="none"
    )
    loss.sum().backward()
    return {"shape": [3, 7, 5], "blank": blank, "logits": flat(x.detach().numpy()),
            "labels": np.asarray(labels).reshape(-1).tolist(), "label_lengths": list(lengths),
            "loss": flat(loss.detach().numpy()), "grad": flat(x.grad.numpy())}


ctcs_of_blanks = [ctc_of_blank(b) for b in (1, 4)]

print(json.dumps({"layers": layers, "ctc": losses, "ctc of blanks": ctcs_of_blanks}, indent=1))
