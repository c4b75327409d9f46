"""The values of a file's tensors: their dtypes, whether all are finite, and a checksum over them.

Tensors may be on the disk and larger than the memory, so that they are read piece by piece. The
module does not know what tensors are for.
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
"""How many numbers are checked at a time, so that a large table needs no mask of its own size."""


def is_finite(tensor: Tensor) -> bool:
    """Whether the tensor is of a dtype that weights may have, and all its values are finite."""
    if tensor.dtype not in DTYPES:
        return False
    rows = tensor if tensor.ndim else tensor.reshape(1)
    numbers_in_row = rows[:1].numel()
    rows_at_a_time = max(1, CHUNK // max(1, numbers_in_row))
    return all(bool(torch.isfinite(part).all()) for part in rows.split(rows_at_a_time))


def check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsError for a tensor that is not of finite floating numbers."""
    for name, tensor in tensors.items():
        if not is_finite(tensor):
            raise WeightsError(f"{path}: {name} has values that are not finite numbers")


def checksum(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """The SHA-256, in hexadecimal, of everything in a file but the checksum itself.

    Hashed are first compact JSON with sorted keys, [metadata, [[name, dtype, shape], ...]], and
    then the bytes of the tensors, both in the order of the names. ``metadata`` has no checksum.
    """
    names = {dtype: name for name, dtype in STORED.items()}
    ordered = sorted(tensors.items())
    listed = [[name, names[tensor.dtype], list(tensor.shape)] for name, tensor in ordered]
    described = json.dumps([dict(metadata), listed], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(described.encode())
    for _, tensor in ordered:
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
