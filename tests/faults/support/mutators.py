"""Damaged copies of good files. The same seed gives the same copies."""

import gzip
import random
from collections.abc import Callable, Iterator, Sequence

Mutate = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
"""From chance, a file and all files to a damaged file."""

PIECES = [
    b"\0",
    b"\xff",
    b"\x1b[2J",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\r",
    b"\n\n",
    b",",
    b'"',
    b"|",
    b"{",
    b"[",
    b"null",
    b"NaN",
    b"-1",
    b"1e999",
    b"9" * 5000,
    "\u202e".encode(),
    "\U0001f600".encode(),
    b"\t",
    b" " * 300,
    b"quiz,solution\n",
    b"question,answer\n",
    b"#",
    b"S",
    b"G",
    b"0",
    b".",
]
"""Bytes that mean something to a reader, or ought to mean nothing."""


def _span(draw: random.Random, length: int, longest: int = 64) -> slice:
    begin = draw.randrange(length + 1)
    return slice(begin, min(length, begin + draw.randint(1, longest)))


def flip_bits(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        if changed:
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def set_bytes(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        if changed:
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def delete(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    span = _span(draw, len(data))
    return data[: span.start] + data[span.stop :]


def repeat(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    span = _span(draw, len(data))
    times = draw.choice([2, 3, 50])
    return data[: span.start] + data[span] * times + data[span.stop :]


def insert(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.choice(PIECES) + data[at:]


def cut(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def splice(draw: random.Random, data: bytes, files: Sequence[bytes]) -> bytes:
    other = draw.choice(files)
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


def move_lines(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    one = draw.randrange(len(lines)) if lines else 0
    other = draw.randrange(len(lines)) if lines else 0
    if lines:
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def recode(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    codec = draw.choice(["utf-16", "utf-32", "utf-8-sig", "cp500"])
    return data.decode("latin1").encode(codec, "replace")


def pack(draw: random.Random, data: bytes, files: Sequence[bytes]) -> bytes:
    packed = gzip.compress(data, 1, mtime=0)
    return draw.choice([packed, flip_bits(draw, packed, files), cut(draw, packed, files)])


MUTATORS: list[Mutate] = [
    flip_bits,
    set_bytes,
    delete,
    repeat,
    insert,
    cut,
    splice,
    move_lines,
    recode,
    pack,
]


def damaged(files: Sequence[bytes], seed: int = 0) -> Iterator[bytes]:
    """Damaged copies of the files without end, each by one to four mutations."""
    draw = random.Random(seed)
    while True:
        data = draw.choice(files)
        for _ in range(draw.choice([1, 1, 2, 4])):
            data = draw.choice(MUTATORS)(draw, data, files)
        yield data
