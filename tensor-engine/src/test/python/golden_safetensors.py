"""Golden file of io.fragua.io: what the reference implementation writes.

    python golden_safetensors.py ../resources/golden/all_dtypes.safetensors

Made with safetensors 0.8.0 and torch 2.13.0. One metadata entry, because the reference
implementation does not order several.
"""

import sys

import torch
from safetensors.torch import save_file

values = torch.tensor([[0, 1, -2], [3, 100, -7]])
tensors = {f"x.{str(t)[6:]}": values.to(t) for t in [
    torch.float32, torch.float64, torch.float16, torch.bfloat16,
    torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool,
]}
tensors["scalar"] = torch.tensor(1.5)
tensors["empty"] = torch.zeros(0, 3)
tensors["b.second"] = torch.tensor([1.0])
tensors["a.first"] = torch.tensor([2.0])
tensors["ñandú \"x\"\\"] = torch.tensor([3], dtype=torch.int32)
save_file(tensors, sys.argv[1], metadata={"made by": "fragua/golden"})
