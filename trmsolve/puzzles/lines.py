"""The lines of a text file as a stream: UTF-8 or UTF-16, plain or gzipped, from a file or a pipe, with any line ends.

A line is handed on before the next is awaited, and no more than one line and one read are held at a time. What is
not text is refused as a whole; a byte that is not UTF-8 hurts its own line only, see ``undecoded``.

Knows bytes and characters. Does not know what the lines say: every puzzle that people keep as text is read from these.
"""

import codecs
import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, takewhile
from typing import BinaryIO

from trmsolve.errors import PuzzleError

LIMIT = 1 << 16  # characters of one line, bytes of one read; no puzzle comes near it
GIVE_UP = 1 << 26  # characters without a puzzle, after which a file is read no further

_MAGIC = {b"\x89PNG": "a PNG image", b"%PDF": "a PDF document", b"PK\x03\x04": "a zip archive or a spreadsheet"}
_SAVE = "save the puzzles as UTF-8 text"


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Every line with its number, from 1, and without its end; ``name`` is what errors call the stream.

    A line longer than ``LIMIT`` comes cut, but still longer than that. What is not text ends in a ``PuzzleError``.
    """
    for number, text in enumerate(_lines(_decoded(stream, name), name), 1):
        if "\0" in text:
            raise PuzzleError(f"not text: a binary file, or UTF-16 without its mark; {_SAVE}", name, number)
        yield number, text


def undecoded(char: str) -> str:
    """What is wrong if the character stands for a byte that is not UTF-8, else nothing."""
    if "\udc80" <= char <= "\udcff":
        return f"not text: byte 0x{ord(char) - 0xDC00:02X} is not UTF-8; {_SAVE}"
    return ""


def _lines(texts: Iterable[str], name: str) -> Iterator[str]:
    """Line by line without line ends. One over the limit comes cut, as soon as it is over, and its rest is dropped."""
    rest, cut, dropped = "", False, 0
    for text in texts:
        dropped = dropped + len(text) if cut else 0
        if dropped > GIVE_UP:
            raise PuzzleError(f"a line of more than {GIVE_UP >> 20} MiB: given up", name)
        *whole, rest = (rest + text).split("\n")
        yield from whole[1:] if cut else whole
        cut = cut and not whole
        if len(rest) > LIMIT:
            yield from [] if cut else [rest]
            rest, cut = "", True
    if rest and not cut:
        yield rest


def _decoded(stream: BinaryIO, name: str) -> Iterator[str]:
    """Text with ``\\n`` line ends. A byte that is not UTF-8 passes as a surrogate: it hurts its own line only."""
    read = getattr(stream, "read1", stream.read)  # read1 takes what a pipe has now, read would wait for a full chunk
    head, chunks = _peek(takewhile(bool, iter(lambda: read(LIMIT), None)))
    if what := _MAGIC.get(head[:4]):
        raise PuzzleError(f"not text: this is {what}; {_SAVE}", name)
    if head.startswith(b"\x1f\x8b"):
        head, chunks = _peek(_unzipped(chunks, name))
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    codec, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(errors), translate=True)
    yield from map(decoder.decode, chunks)
    yield decoder.decode(b"", final=True)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """At least four bytes, if there are so many, and all chunks including them."""
    head = b""
    while len(head) < 4 and (chunk := next(chunks, None)) is not None:
        head += chunk
    return head, chain([head], chunks)


def _unzipped(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Gzip members one after the other, never more than ``LIMIT`` bytes at once however well they were packed."""
    member = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            while chunk and not (member.eof and not chunk.strip(b"\0")):  # members may be padded with zeros
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
                yield member.decompress(chunk, LIMIT)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise PuzzleError("damaged gzip data; make or fetch the file again", name) from error
    if not member.eof:
        raise PuzzleError("the gzip data ends too early; make or fetch the file again", name)
