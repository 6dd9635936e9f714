"""PyTorch's time for what RecurrentBench times.

    python bench_recurrent.py lstm 1 40
"""

import sys
import time

import torch

cell, threads, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
m = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](256, 256, 2, batch_first=True)
x = torch.rand(64, 64, 256) * 2 - 1
times = []
for _ in range(rounds):
    t = time.perf_counter()
    m.zero_grad()
    loss = m(x)[0].square().mean()
    loss.backward()
    times.append((time.perf_counter() - t) * 1e3)
late = sorted(times[rounds // 2:])
print(f"{cell}, {threads} threads: median {late[len(late) // 2]:.1f} ms, best {late[0]:.1f} ms")
