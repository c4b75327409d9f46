"""Arrays as short text for JSON, and back.

Knows numpy. Everything that is read is checked: a text of the wrong length or with other characters
raises ValueError.
"""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
"""The characters of the values 0 to 63."""

LONGEST_SIDE = 1024
"""Most rows and most columns of an array that is read."""

_CODES = np.frombuffer(ALPHABET.encode(), np.uint8)
_VALUES = np.full(256, -1, np.int16)
_VALUES[_CODES] = np.arange(len(ALPHABET))

_STEPS = 4000
_LEVELS = (np.arange(_STEPS + 1) / _STEPS).astype(np.float32)
"""Probabilities that are written: multiples of 1/4000, in the precision of the network's."""


def rows_of(grid: NDArray[np.int8]) -> list[str] | list[list[int]]:
    """A grid (rows, columns) as a text for each row, a character for each cell.

    A grid with values outside of 0 to 63 becomes lists of numbers.
    """
    if not grid.size or grid.min() < 0 or grid.max() >= len(ALPHABET):
        numbers: list[list[int]] = grid.tolist()
        return numbers
    return _texts(_CODES[grid])


def grid_of(rows: Any) -> NDArray[np.int8]:
    """The grid (rows, columns) that ``rows_of`` has written. Raises ValueError."""
    if not isinstance(rows, list) or len(rows) > LONGEST_SIDE:
        raise ValueError(f"a grid is a list of at most {LONGEST_SIDE} rows")
    if all(isinstance(row, str) for row in rows):
        values: list[list[int]] = [_values_of(row).tolist() for row in rows]
    else:
        values = [_numbers_of(row) for row in rows]
    lengths = {len(row) for row in values}
    if len(lengths) > 1 or max(lengths, default=0) > LONGEST_SIDE:
        raise ValueError(f"the rows of a grid have one length, at most {LONGEST_SIDE}")
    return np.array(values, np.int8).reshape(len(rows), -1 if rows and values[0] else 0)


def shares_of(probabilities: NDArray[np.float32]) -> list[str]:
    """Probabilities (rows, columns) as a text for each row, two characters for each cell.

    They are rounded down to multiples of 1/4000. A comparison with such a multiple, as in "less
    than 0.7", gives the same before and after.
    """
    levels = np.searchsorted(_LEVELS, probabilities, side="right") - 1
    levels = np.clip(levels, 0, _STEPS)
    pairs = np.stack(np.divmod(levels, len(ALPHABET)), -1)
    return _texts(_CODES[pairs].reshape(len(levels), -1))


def probabilities_of(rows: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The probabilities that ``shares_of`` has written. Raises ValueError for another shape."""
    columns = shape[1]
    if not _are_texts(rows, shape[0], 2 * columns):
        raise ValueError("a row of confidence has two characters for each cell")
    found = np.empty(shape, np.float32)
    for row, text in enumerate(rows):
        high, low = _values_of(text).reshape(columns, 2).T
        levels = high.astype(np.int64) * len(ALPHABET) + low
        if (levels > _STEPS).any():
            raise ValueError("confidence is at most 1")
        found[row] = _LEVELS[levels]
    return found


def bits_of(flags: NDArray[np.bool_]) -> str:
    """Flags of any shape as base64 of their bits, "" if none is set."""
    if not flags.any():
        return ""
    return base64.b64encode(np.packbits(flags.reshape(-1)).tobytes()).decode()


def flags_of(text: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The flags that ``bits_of`` has written. Raises ValueError for another number of them."""
    if text == "":
        return np.zeros(shape, np.bool_)
    number = int(np.prod(shape))
    packed = np.frombuffer(_bytes_of(text), np.uint8)
    if len(packed) != -(-number // 8):
        raise ValueError(f"flags for {number} places have {-(-number // 8)} bytes")
    return np.unpackbits(packed, count=number).astype(np.bool_).reshape(shape)


def floats_of(values: NDArray[np.float32]) -> str:
    """Numbers of any shape, exact, as base64 of their bytes (float32, little endian)."""
    return base64.b64encode(values.astype("<f4").tobytes()).decode()


def probabilities_exactly(text: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The probabilities that ``floats_of`` has written. Raises ValueError."""
    number = int(np.prod(shape))
    packed = _bytes_of(text)
    if len(packed) != 4 * number:
        raise ValueError(f"{number} numbers have {4 * number} bytes")
    values = np.frombuffer(packed, "<f4").astype(np.float32).reshape(shape)
    if not ((values >= 0) & (values <= 1.001)).all():  # sums of a softmax are a little off
        raise ValueError("confidence is between 0 and 1")
    return values


def _texts(codes: NDArray[np.uint8]) -> list[str]:
    return [row.tobytes().decode() for row in codes]


def _are_texts(rows: Any, number: int, length: int) -> bool:
    if not isinstance(rows, list) or len(rows) != number:
        return False
    return all(isinstance(row, str) and len(row) == length for row in rows)


def _values_of(text: str) -> NDArray[np.int16]:
    if not text.isascii():
        raise ValueError("a row has characters that stand for no value")
    values: NDArray[np.int16] = _VALUES[np.frombuffer(text.encode(), np.uint8)]
    if (values < 0).any():
        raise ValueError("a row has characters that stand for no value")
    return values


def _numbers_of(row: Any) -> list[int]:
    if not isinstance(row, list):
        raise ValueError("a row is a text, or a list of numbers")
    for value in row:
        if not isinstance(value, int) or not -128 <= value <= 127:
            raise ValueError("a value of a grid is a whole number from -128 to 127")
    return row


def _bytes_of(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("base64 is a text")
    return base64.b64decode(text, validate=True)  # its binascii.Error is a ValueError
