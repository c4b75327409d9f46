"""The fields of a protobuf message, read without its schema and without copying its bytes.

Only what ONNX files need: the four wire types that protobuf still has. Knows no message.
"""

from collections.abc import Iterator

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

LONGEST_VARINT = 10
"""A number of 64 bits has at most so many bytes."""

FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The number and the value of each field in its order.

    The value is a whole number, or the bytes of a text, of a message or of a fixed-size number.
    Raises ValueError for bytes that are no message.
    """
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == VARINT:
            number, position = _varint(message, position)
            yield key >> 3, number
            continue
        if kind == BYTES:
            size, position = _varint(message, position)
        elif kind in FIXED_SIZES:
            size = FIXED_SIZES[kind]
        else:
            raise ValueError(f"a field has the unknown type {kind}")
        end = position + size
        if end > len(message):
            raise ValueError("it is truncated")
        yield key >> 3, message[position:end]
        position = end


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """The number at ``position``, and the position behind it."""
    number = 0
    for offset in range(LONGEST_VARINT):
        if position + offset >= len(message):
            raise ValueError("it is truncated")
        byte = message[position + offset]
        number |= (byte & 0x7F) << (7 * offset)
        if byte < 0x80:
            return number, position + offset + 1
    raise ValueError("a number in it is too long")
