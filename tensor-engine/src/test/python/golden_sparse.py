"""Golden values of io.fragua.optim.SparseUpdates: a table after each of some steps of PyTorch.

    python golden_sparse.py > ../resources/golden/sparse.json

Made with torch 2.13 (CPU). Each step looks up `ids` of a table of 7 rows of 3 and has the loss
sum(rows * slopes), so that `slopes` are the gradients of the rows, some of them of one row.
"""

import json

import torch

STEPS = 5
torch.manual_seed(0)
start = torch.randn(7, 3)
ids = [[1, 5, 1, 6], [0, 0, 0, 0], [5, 6, 1, 1], [2, 5, 6, 0], [1, 5, 5, 5]]
slopes = torch.randn(STEPS, 4, 3)

cases = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "adam": lambda p: torch.optim.SparseAdam(p, lr=0.1),
    "adam settings": lambda p: torch.optim.SparseAdam(p, lr=0.05, betas=(0.8, 0.95)),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.1, eps=0),
}


def run(make):
    table = torch.nn.Embedding(7, 3, sparse=True, _weight=start.clone())
    optimizer = make(table.parameters())
    after = []
    for i in range(STEPS):
        optimizer.zero_grad()
        (table(torch.tensor(ids[i])) * slopes[i]).sum().backward()
        optimizer.step()
        after.append(table.weight.detach().flatten().tolist())
    return after


print(
    json.dumps(
        {
            "start": start.flatten().tolist(),
            "ids": ids,
            "slopes": slopes.flatten(1).tolist(),
            "cases": {name: run(make) for name, make in cases.items()},
        }
    )
)
