"""The peers of `bin/fragua bench engine`: answers questions, a JSON object a line.

    python engine.py --threads 2

  {"ask": "prepare", "peer": "jax", "function": "gelu", "settings": {}, "inputs": FILE, "outputs": FILE}
      reads the operands, computes, writes the results -> {"name": "JAX 0.10.2"} or {"missing": WHY}
  {"ask": "time", "peer": "jax", "seconds": 0.2} -> {"seconds": [of one run, ...]}
  {"ask": "figure", "peer": "jax"} -> {"figure": what a run gave, of a row that measures itself}
  {"ask": "drop", "peer": "jax"} -> {}

Files are safetensors. A peer is a module engine_X.py with NAMES, its peers and what they are called, and PREPARE, its functions
by name: each takes the peer, the settings and the operands by name, and gives the results by name and a function that runs once,
or measures once and gives the figure.
"""

import argparse
import importlib
import json
import os
import sys
import time
from itertools import repeat

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--threads", type=int, default=os.cpu_count())
args = parser.parse_args()

# XLA has as many threads as the process has cores, so those are limited before anything starts threads.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
os.environ["OMP_NUM_THREADS"] = str(args.threads)
os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # PyTorch's profiler tells when it starts

# What libraries print must not get between the answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

MODULES = {
    "torch": "engine_torch",
    "torch_compiled": "engine_torch",
    "torch_bf16": "engine_torch",
    "jax": "engine_jax",
    "onnxruntime": "engine_onnx",
}
BATCH_SECONDS = 0.005
DTYPES = {"F32": "float32", "F64": "float64", "I32": "int32", "I64": "int64", "BOOL": "bool", "U8": "uint8"}

prepared = {}


def read(file):
    import numpy as np

    data = np.fromfile(file, np.uint8)
    begin = 8 + int(data[:8].view(np.uint64)[0])
    tensors = {}
    for name, entry in json.loads(data[8:begin].tobytes()).items():
        if name != "__metadata__":
            a, b = entry["data_offsets"]
            bytes_ = data[begin + a : begin + b].copy()  # aligned
            tensors[name] = bytes_.view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def write(file, tensors):
    import numpy as np

    header, at, names = {}, 0, {v: k for k, v in DTYPES.items()}
    arrays = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    for name, a in arrays.items():
        header[name] = {"dtype": names[a.dtype.name], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for a in arrays.values():
            f.write(a.tobytes())


def prepare(q):
    try:
        module = importlib.import_module(MODULES[q["peer"]])
    except ImportError as missing:
        return {"missing": f"{sys.executable} has no module {missing.name}"}
    module.threads(args.threads)
    name = module.NAMES[q["peer"]]
    if isinstance(name, Exception):
        return {"missing": str(name)}
    results, run = module.PREPARE[q["function"]](q["peer"], q["settings"], read(q["inputs"]))
    write(q["outputs"], results)
    prepared[q["peer"]] = run
    return {"name": name}


def measure(q):
    run, runs, times = prepared[q["peer"]], 1, []
    end = time.perf_counter() + q["seconds"]
    while True:
        t = time.perf_counter()
        for _ in repeat(None, runs):
            run()
        took = time.perf_counter() - t
        if took < BATCH_SECONDS and runs < 1 << 24:
            runs *= 2  # a clock is not read for less
        else:
            times.append(took / runs)
        if time.perf_counter() >= end and times:
            return {"seconds": times}


def figure(q):
    return {"figure": prepared[q["peer"]]()}


def drop(q):
    prepared.pop(q["peer"], None)
    return {}


ANSWERS = {"prepare": prepare, "time": measure, "figure": figure, "drop": drop}

for line in sys.stdin:
    question = json.loads(line)
    answers.write(json.dumps(ANSWERS[question["ask"]](question)) + "\n")
    answers.flush()
