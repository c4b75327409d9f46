"""The header of a safetensors file, read more strictly than safetensors does: nothing in it is ambiguous or unbounded.

safetensors refuses overlaps, gaps, offsets outside of the file, and shapes that do not fit the
bytes. It lets through names that stand twice (the last counts), unknown fields, files without
tensors and headers of 100 MB, and its errors repeat names as they are, line breaks and all. Knows
the format; nothing of what the tensors are for.
"""

import json
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from safetensors import SafetensorError, safe_open

from trmsolve.errors import WeightsError
from trmsolve.weights.kind import LONGEST_HEADER, check_safetensors

LONGEST_NAME = 256
MOST_DIMENSIONS = 8
HIGHEST = 2**63
"""Above all numbers of a header: bytes of the largest file there can be."""


@dataclass(frozen=True)
class Header:
    """What stands before the tensors: ``metadata``, and ``begin``, the bytes before the first of them."""

    metadata: dict[str, str]
    begin: int


def read_header(path: Path) -> Header:
    """The header of a file that is whole as its layout goes.

    Raises WeightsError naming the file and what is wrong.
    """
    check_safetensors(path)
    try:
        with path.open("rb") as file:
            size, begin = os.fstat(file.fileno()).st_size, file.read(8)
            length = _length(begin, size)
            header, end = _parsed(file.read(length), 8 + length)
        if size < end:
            raise ValueError(f"it is cut off: {size} bytes are left of {end}")
        if size > end:
            raise ValueError(f"{size - end} bytes follow its last tensor")
        with safe_open(path, framework="pt"):  # looks at the layout
            return header
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or in_a_line(error)}") from None
    except (ValueError, RecursionError, SafetensorError) as error:
        raise WeightsError(f"{path} is not usable as weights: {in_a_line(error)}") from None


def strict_json(text: str) -> Any:
    """The value.

    Raises ValueError for no JSON, for a key that stands twice, and for numbers that are not finite.
    """
    return json.loads(
        text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_finite
    )


def in_a_line(error: BaseException) -> str:
    """What an error says, which may repeat a file's content: a line of bounded length."""
    line = " ".join(str(error).split())
    return line if len(line) <= 200 else f"{line[:200]}..."


def _length(begin: bytes, size: int) -> int:
    if len(begin) < 8:
        raise ValueError(f"it has {size} bytes, fewer than any such file")
    (length,) = struct.unpack("<Q", begin)
    if length > LONGEST_HEADER:
        raise ValueError(
            f"its header claims {length} bytes, more than the {LONGEST_HEADER} allowed"
        )
    if 8 + length > size:
        raise ValueError(
            f"it is cut off: its header claims {length} bytes, and the file has {size}"
        )
    return int(length)


def _parsed(text: bytes, begin: int) -> tuple[Header, int]:
    """The header, and where the file must end. Raises ValueError."""
    if not text.startswith(b"{"):
        raise ValueError("its header is no JSON object")
    fields = strict_json(text.decode("utf-8"))
    metadata = fields.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise ValueError("its metadata are not texts by name")
    for name in (*metadata, *fields):
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise ValueError(f"{name[:20]!r} is no name")
    if not fields:
        raise ValueError("it holds no tensors")
    for name, field in fields.items():
        _check_tensor(name, field)
    end = begin + max(field["data_offsets"][1] for field in fields.values())
    return Header(metadata, begin), end


def _check_tensor(name: str, field: Any) -> None:
    if not isinstance(field, dict) or set(field) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"its entry for {name} is not a dtype, a shape and offsets")
    dtype, shape, offsets = field["dtype"], field["shape"], field["data_offsets"]
    if not isinstance(dtype, str) or not dtype.isprintable():
        raise ValueError(f"{name} has no dtype")
    if not _are_sizes(shape) or len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"{name} has no shape")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{name} has no offsets")


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < HIGHEST for one in value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:LONGEST_NAME]!r} stands twice in it")
        found[name] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number that may stand in it")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number
