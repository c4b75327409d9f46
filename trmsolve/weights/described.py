"""What a weights file says about itself. It imports no torch and no numpy: lists are quick."""

import math
from pathlib import Path

from trmsolve.errors import WeightsError
from trmsolve.weights.bundled import bundled_file
from trmsolve.weights.header import Header, in_a_line, read_header
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.names import TABLE, strip_prefixes


def bundled_weights(name: str) -> Path:
    """The weights of that name in the package, such as a task's. Raises WeightsError if none."""
    path = bundled_file(f"{name}.safetensors")
    if path is not None:
        return path
    raise WeightsError(f"this installation has no weights for {name}: give a file with --weights")


def read_info(path: Path) -> WeightsInfo:
    """Read what the file says about itself, without its tensors. Raises WeightsError.

    The checksum is therefore not compared: ``info.checksum`` tells whether there is one, and
    ``check_whole`` compares it.
    """
    return read_described(path)[1]


def read_described(path: Path) -> tuple[Header, WeightsInfo]:
    """The header of a file, and what the file says about itself. Raises WeightsError."""
    header = read_header(path)
    try:
        return header, WeightsInfo.from_metadata(header.metadata)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not usable as weights: {in_a_line(error)}") from None


def stored_parameters(path: Path) -> int:
    """How many numbers of a file were learned, without the table of puzzles.

    Raises WeightsError for a file that cannot be read.
    """
    total = 0
    for name, shape in read_header(path).shapes.items():
        official = strip_prefixes(name)
        if official != TABLE and not official.endswith("_init"):
            total += math.prod(shape)
    return total
