"""The header of a safetensors file, read more strictly than safetensors reads it.

safetensors refuses overlaps, gaps, offsets outside of the file, and shapes that do not fit the
bytes. It accepts names that occur twice (the last one counts), unknown fields, files without
tensors and headers of 100 MB, and its error messages repeat names unchanged, with line breaks. This
module refuses all of these. Whoever loads the tensors does so by safetensors, which checks the file
once more. The module knows the format. It does not know what the tensors are for. It imports
neither safetensors nor numpy, which safetensors needs even for a look, so that lists are quick.
"""

import json
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from trmsolve.errors import WeightsError
from trmsolve.weights.kind import LONGEST_HEADER, check_safetensors

LENGTH_BYTES = 8
"""A file begins with the length of its header, a little-endian number of so many bytes."""

LONGEST_NAME = 256
LONGEST_ERROR = 200
MOST_DIMENSIONS = 8
SIZES = {
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64"), 8),
}
"""The bytes of a value, for each dtype. Others are refused, which no network of this kind has."""

HIGHEST = 2**63
"""Above all numbers of a header, which are at most the bytes of the largest possible file."""


@dataclass(frozen=True)
class Header:
    """The beginning of a file, before the tensors."""

    metadata: dict[str, str]
    begin: int
    """The position of the first tensor in the file, in bytes."""
    shapes: dict[str, tuple[int, ...]]
    """The shape of each tensor."""


def read_header(path: Path) -> Header:
    """The header of a file whose layout is complete and sound.

    Raises WeightsError naming the file and what is wrong.
    """
    check_safetensors(path)
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or in_a_line(error)}") from None
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not usable as weights: {in_a_line(error)}") from None


def strict_json(text: str) -> Any:
    """Parse JSON.

    Raises ValueError for text that is not JSON, for a key that occurs twice in an object, and for
    numbers that are not finite.
    """
    return json.loads(
        text,
        object_pairs_hook=_object_without_repeats,
        parse_constant=_refuse_constant,
        parse_float=_finite_float,
    )


def in_a_line(error: BaseException) -> str:
    """The text of an error, which may repeat a file's content, as one line of limited length."""
    line = " ".join(str(error).split())
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}..."


def _read(file: BinaryIO) -> Header:
    """The header of an open file. Raises ValueError if the file has not the length that it says."""
    size = os.fstat(file.fileno()).st_size
    length = _header_length(file.read(LENGTH_BYTES), size)
    metadata, tensors = _parse(file.read(length))
    begin = LENGTH_BYTES + length
    end = begin + max(tensor["data_offsets"][1] for tensor in tensors.values())
    if size < end:
        raise ValueError(f"it is truncated: it has {size} of {end} bytes")
    if size > end:
        raise ValueError(f"{size - end} bytes follow its last tensor")
    _check_layout(tensors)
    shapes = {name: tuple(tensor["shape"]) for name, tensor in tensors.items()}
    return Header(metadata, begin, shapes)


def _header_length(first_bytes: bytes, size: int) -> int:
    """The length of the header in a file of ``size`` bytes. Raises ValueError."""
    if len(first_bytes) < LENGTH_BYTES:
        raise ValueError(f"it has {size} bytes, too few for a safetensors file")
    (length,) = struct.unpack("<Q", first_bytes)
    if length > LONGEST_HEADER:
        raise ValueError(
            f"its header claims {length} bytes, more than the {LONGEST_HEADER} allowed"
        )
    if LENGTH_BYTES + length > size:
        raise ValueError(
            f"it is truncated: its header claims {length} bytes, but the file has {size}"
        )
    return int(length)


def _parse(text: bytes) -> tuple[dict[str, str], dict[str, Any]]:
    """The metadata, and the entries of the tensors by their names. Raises ValueError."""
    if not text.startswith(b"{"):
        raise ValueError("its header is not a JSON object")
    tensors = strict_json(text.decode("utf-8"))
    metadata = tensors.pop("__metadata__", {})
    if not _are_texts_by_name(metadata):
        raise ValueError("its metadata is not a map of names to strings")
    for name in (*metadata, *tensors):
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise ValueError(f"{name[:20]!r} is not a valid name")
    if not tensors:
        raise ValueError("it contains no tensors")
    for name, tensor in tensors.items():
        _check_tensor(name, tensor)
    return metadata, tensors


def _are_texts_by_name(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return all(isinstance(text, str) for text in value.values())


def _check_tensor(name: str, tensor: Any) -> None:
    """Raise ValueError for an entry of a tensor that is not as the format says."""
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"its entry for {name} is not a dtype, a shape and offsets")
    dtype = tensor["dtype"]
    if not isinstance(dtype, str) or not dtype.isprintable():
        raise ValueError(f"{name} has no dtype")
    if dtype not in SIZES:
        raise ValueError(f"{name} has the unknown dtype {dtype}")
    shape = tensor["shape"]
    if not _are_sizes(shape) or len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"{name} has no shape")
    offsets = tensor["data_offsets"]
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{name} has no offsets")


def _check_layout(tensors: dict[str, Any]) -> None:
    """Raise ValueError unless the tensors lie one after another, each as long as its shape says."""
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = tensor["data_offsets"]
        if first != end:
            raise ValueError(f"{name} does not begin where the tensor before it ends")
        if last - first != math.prod(tensor["shape"]) * SIZES[tensor["dtype"]]:
            raise ValueError(f"the shape of {name} does not fit its bytes")
        end = last


def _are_sizes(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(_is_size(number) for number in value)


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < HIGHEST


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:LONGEST_NAME]!r} appears twice in it")
        found[name] = value
    return found


def _refuse_constant(text: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python accepts in JSON."""
    raise ValueError(f"{text} is not an allowed number")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number
