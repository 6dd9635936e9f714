"""The network of the DLRM rows in PyTorch, on the same file: a peer of `bin/fragua bench spark`.

    python clicks_torch.py --data clicks --sizes 250000,...,100 --threads 2

Reads the folder of Parquet files into memory, trains one epoch with sparse gradients of the table, tests, and prints one
JSON object. Ends with status 3 and a sentence if a module is missing.
"""

import argparse
import json
import os
import sys
import time

try:
    import numpy as np
    import pyarrow.parquet as pq
    import torch
    from sklearn.metrics import roc_auc_score
    from torch import nn
except ImportError as missing:
    print(f"{sys.executable} has no module {missing.name}; it needs torch, numpy, pyarrow and scikit-learn")
    sys.exit(3)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True)
parser.add_argument("--sizes", required=True)
parser.add_argument("--batch-size", type=int, default=1024)
parser.add_argument("--learning-rate", type=float, default=1e-3)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--threads", type=int, default=os.cpu_count())
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)

sizes = [int(n) for n in args.sizes.split(",")]
offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
table = pq.read_table(args.data)
held = table["held"].to_numpy()
labels = torch.from_numpy(table["late"].to_numpy().astype("f4"))
numbers = torch.from_numpy(np.stack([table[f"n{i}"].to_numpy() for i in range(13)], 1))
ids = np.stack([table[f"c{i}"].to_numpy() for i in range(len(sizes))], 1) + offsets
ids = torch.from_numpy(ids.astype("i8"))
del table


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(sum(sizes), 16, sparse=True)  # one table: one lookup for all columns
        width = 16 * len(sizes) + 13
        self.layers = nn.Sequential(
            nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 1)
        )

    def forward(self, numbers, ids):
        return self.layers(torch.cat([self.embedding(ids).flatten(1), numbers], 1)).squeeze(1)


net = Net()
sparse = torch.optim.SparseAdam(net.embedding.parameters(), args.learning_rate)
dense = torch.optim.Adam(net.layers.parameters(), args.learning_rate, fused=True)
loss = nn.BCEWithLogitsLoss()
rows = torch.from_numpy(np.flatnonzero(~held))
began = time.perf_counter()
order = rows[torch.randperm(len(rows))]
for i in range(0, len(order), args.batch_size):
    j = order[i : i + args.batch_size]
    sparse.zero_grad()
    dense.zero_grad()
    loss(net(numbers[j], ids[j]), labels[j]).backward()
    sparse.step()
    dense.step()
training = time.perf_counter() - began

test = torch.from_numpy(np.flatnonzero(held))
with torch.inference_mode():
    p = torch.cat([torch.sigmoid(net(numbers[j], ids[j])) for j in test.split(65536)]).numpy()
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__}, one process, {args.threads} threads, sparse gradients",
            "auc": float(roc_auc_score(labels[test].numpy(), p)),
            "trainRowsPerSecond": len(rows) / training,
        }
    )
)
