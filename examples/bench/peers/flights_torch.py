"""The network of the flight-delays example in PyTorch, on the same rows: the peer of `bin/fragua bench spark`.

    python flights_torch.py --data flights.parquet --threads 2

Reads the whole file into memory, trains, tests, then measures scoring from Parquet to Parquet, and prints one JSON object.
Ends with status 3 and a sentence if a module is missing.
"""

import argparse
import json
import os
import sys
import tempfile
import time

try:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import torch
    from sklearn.metrics import log_loss, roc_auc_score
    from torch import nn
except ImportError as missing:
    print(f"{sys.executable} has no module {missing.name}; it needs torch, numpy, pandas, pyarrow and scikit-learn")
    sys.exit(3)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=1024)
parser.add_argument("--learning-rate", type=float, default=4e-3)
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--runs", type=int, default=3)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)


def rotate(x, r):
    return (x << np.uint64(r)) | (x >> np.uint64(64 - r))


def xxhash64(*columns):
    """Spark's xxhash64 of columns of 64-bit integers without nulls: each hash is the next one's seed."""
    p1, p2, p3, p4, p5 = (
        np.uint64(p)
        for p in (
            0x9E3779B185EBCA87,
            0xC2B2AE3D27D4EB4F,
            0x165667B19E3779F9,
            0x85EBCA77C2B2AE63,
            0x27D4EB2F165667C5,
        )
    )
    h = np.uint64(42)
    with np.errstate(over="ignore"):
        for column in columns:
            h = h + p5 + np.uint64(8)
            h = h ^ (rotate(np.asarray(column, "i8").view("u8") * p2, 31) * p1)
            h = rotate(h, 27) * p1 + p4
            h = (h ^ (h >> np.uint64(33))) * p2
            h = (h ^ (h >> np.uint64(29))) * p3
            h = h ^ (h >> np.uint64(32))
    return h.view("i8")


def features(t, names):
    minute = (t.date.dt.hour * 60 + t.date.dt.minute).to_numpy()
    day = t.date.dt.dayofyear.to_numpy()
    angle = 2 * np.pi * minute / 1440
    numbers = np.stack(
        [np.sin(angle), np.cos(angle), minute / 1440, t.distance.to_numpy() / 1000, day / 180], 1
    ).astype("f4")
    categories = np.stack(
        [
            pd.Categorical(t.origin, names[0]).codes + 1,
            pd.Categorical(t.destination, names[1]).codes + 1,
            t.date.dt.dayofweek.to_numpy(),
            t.date.dt.hour.to_numpy(),
            day,
        ],
        1,
    ).astype("i8")
    return torch.from_numpy(numbers), torch.from_numpy(categories)


class Net(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(n, 16) for n in sizes])
        width = 16 * len(sizes) + 5
        self.layers = nn.Sequential(
            nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 1)
        )

    def forward(self, numbers, categories):
        vectors = [e(categories[:, i]) for i, e in enumerate(self.embeddings)]
        return self.layers(torch.cat([numbers] + vectors, 1)).squeeze(1)


def probabilities(net, numbers, categories):
    with torch.inference_mode():
        parts = zip(numbers.split(65536), categories.split(65536))
        return torch.cat([torch.sigmoid(net(n, c)) for n, c in parts]).numpy()


def score(net, names, target):
    """Parquet in, Parquet out, the columns that Fragua's job writes."""
    began = time.perf_counter()
    t = pq.read_table(args.data, columns=["date", "distance", "origin", "destination"])
    p = probabilities(net, *features(t.to_pandas(), names))
    scored = t.select(["date", "origin", "destination"]).append_column("late_probability", pa.array(p))
    pq.write_table(scored, target, compression="snappy")
    return time.perf_counter() - began


flights = pq.read_table(args.data).to_pandas()
late = (flights.delay > 15).to_numpy("f4")
seed = np.full(1, args.seed, "i8")
micros = flights.date.astype("datetime64[us]").astype("i8").to_numpy()
test = xxhash64(micros, flights.delay.to_numpy(), flights.distance.to_numpy(), seed) % 10 >= 8

names = [sorted(flights.origin.unique()), sorted(flights.destination.unique())]
numbers, categories = features(flights, names)
labels = torch.from_numpy(late)
net = Net([len(names[0]) + 1, len(names[1]) + 1, 7, 24, 367])
adam = torch.optim.Adam(net.parameters(), args.learning_rate)
loss = nn.BCEWithLogitsLoss()
rows = torch.from_numpy(np.flatnonzero(~test))
steps = args.epochs * -(-len(rows) // args.batch_size)
cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
began = time.perf_counter()
for epoch in range(args.epochs):
    order = rows[torch.randperm(len(rows))]
    for i in range(0, len(order), args.batch_size):
        j = order[i : i + args.batch_size]
        adam.zero_grad()
        loss(net(numbers[j], categories[j]), labels[j]).backward()
        adam.step()
        cosine.step()
training = time.perf_counter() - began

held = torch.from_numpy(np.flatnonzero(test))
p = probabilities(net, numbers[held], categories[held])
with tempfile.TemporaryDirectory() as folder:
    seconds = [score(net, names, os.path.join(folder, "scored.parquet")) for _ in range(args.runs + 1)]
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__}, one process, {args.threads} threads",
            "testRows": int(test.sum()),
            "auc": float(roc_auc_score(late[test], p)),
            "logLoss": float(log_loss(late[test], p)),
            "trainRowsPerSecond": len(rows) * args.epochs / training,
            "scoreRowsPerSecond": len(flights) / float(np.median(seconds[1:])),
        }
    )
)
