"""The values of a file's tensors: which kinds there may be, whether all are finite, and a checksum over them.

Tensors may be on the disk and larger than memory: they are gone through piece by piece. Knows no
names, no shapes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from trmsolve.errors import WeightsError

STORED = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
"""The dtypes that weights may have, by their names in files."""

DTYPES = tuple(STORED.values())

CHUNK = 1 << 22
"""Numbers that are looked at at a time, so that a large table needs no mask of its own size."""


def is_finite(tensor: Tensor) -> bool:
    """Whether it is of floating numbers, all finite."""
    if tensor.dtype not in DTYPES:
        return False
    rows = tensor if tensor.ndim else tensor.reshape(1)
    at_a_time = max(1, CHUNK // max(1, rows[:1].numel()))
    return all(bool(torch.isfinite(part).all()) for part in rows.split(at_a_time))


def check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsError for a tensor that is not of finite floating numbers."""
    for name, tensor in tensors.items():
        if not is_finite(tensor):
            raise WeightsError(f"{path}: {name} has values that are not finite numbers")


def checksum(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256, in hexadecimal, over all that a file says and holds; ``metadata`` are those without the checksum.

    Of compact JSON with sorted keys, [metadata, [[name, dtype, shape], ...]], and then of the
    tensors' bytes; both are in the order of the names.
    """
    names = {dtype: name for name, dtype in STORED.items()}
    listed = [
        [name, names[tensor.dtype], list(tensor.shape)] for name, tensor in sorted(tensors.items())
    ]
    said = json.dumps([dict(metadata), listed], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(said.encode())
    for _, tensor in sorted(tensors.items()):
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
