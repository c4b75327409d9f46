"""The lines of a text file as a stream: UTF-8 or UTF-16, plain or gzipped, from a file or a pipe, with any line ends.

A line is handed on before the next is awaited, and no more than one line and one read are held at a
time. What is not text is refused as a whole; a byte that is not UTF-8 hurts its own line only, see
``undecoded``.

Knows bytes and characters. Does not know what the lines say: every puzzle that people keep as text
is read from these.
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

_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
}
_SAVE = "save the puzzles as UTF-8 text"


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Every line with its number, from 1, and without its end; ``name`` is what errors call the stream.

    A line longer than ``LIMIT`` comes cut, but still longer than that. What is not text ends in a
    ``PuzzleError``.
    """
    yield from TextLines(read_chunks(stream)[1], name)


def read_chunks(stream: BinaryIO) -> tuple[bytes, Iterator[bytes]]:
    """A stream's beginning, four bytes or more if it has them, and the whole of it in pieces, beginning included."""
    read = getattr(
        stream, "read1", stream.read
    )  # read1 takes what a pipe has now, read would wait for a full chunk
    return _peek(takewhile(bool, iter(lambda: read(LIMIT), None)))


class TextLines:
    """The lines of ``chunks`` as ``read_lines`` gives them, with a ``limit`` of one's own; they are read once."""

    def __init__(self, chunks: Iterator[bytes], name: str, limit: int = LIMIT) -> None:
        self.chunks, self.name, self.limit = chunks, name, limit
        self._decoder: io.IncrementalNewlineDecoder | None = None

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for number, text in enumerate(_lines(self._decoded(), self.name, self.limit), 1):
            if "\0" in text:
                raise PuzzleError(
                    f"not text: a binary file, or UTF-16 without its mark; {_SAVE}",
                    self.name,
                    number,
                )
            yield number, text

    @property
    def end(self) -> str:
        """What the lines read so far end with: ``\\r\\n`` if all do, else ``\\n``."""
        return "\r\n" if self._decoder and self._decoder.newlines == "\r\n" else "\n"

    def _decoded(self) -> Iterator[str]:
        """Text with ``\\n`` line ends.

        A byte that is not UTF-8 passes as a surrogate: it hurts its own line only.
        """
        head, chunks = _peek(self.chunks)
        if what := _MAGIC.get(head[:4]):
            raise PuzzleError(f"not text: this is {what}; {_SAVE}", self.name)
        if head.startswith(b"\x1f\x8b"):
            head, chunks = _peek(_unzipped(chunks, self.name))
        wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        codec, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
        self._decoder = io.IncrementalNewlineDecoder(
            codecs.getincrementaldecoder(codec)(errors), translate=True
        )
        yield from map(self._decoder.decode, chunks)
        yield self._decoder.decode(b"", final=True)


def undecoded(char: str) -> str:
    """What is wrong if the character stands for a byte that is not UTF-8, else nothing."""
    if "\udc80" <= char <= "\udcff":
        return f"not text: byte 0x{ord(char) - 0xDC00:02X} is not UTF-8; {_SAVE}"
    return ""


def _lines(texts: Iterable[str], name: str, limit: int) -> Iterator[str]:
    """Line by line without line ends.

    One over the limit comes cut, as soon as it is over, and its rest is dropped.
    """
    rest: list[str] = []
    held, cut, dropped = 0, False, 0
    for text in texts:
        dropped = dropped + len(text) if cut else 0
        if dropped > GIVE_UP:
            raise PuzzleError(f"a line of more than {GIVE_UP >> 20} MiB: given up", name)
        first, *whole = text.split("\n")
        rest += [first] if first else []
        held += len(first)
        if whole:
            whole.insert(0, "".join(rest))
            rest = [whole.pop()]
            held = len(rest[0])
            yield from whole[1:] if cut else whole
            cut = False
        if held > limit:
            yield from [] if cut else ["".join(rest)]
            rest, held, cut = [], 0, True
    if held and not cut:
        yield "".join(rest)


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
            while chunk and not (
                member.eof and not chunk.strip(b"\0")
            ):  # members may be padded with zeros
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
                yield member.decompress(chunk, LIMIT)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise PuzzleError("damaged gzip data; make or fetch the file again", name) from error
    if not member.eof:
        raise PuzzleError("the gzip data ends too early; make or fetch the file again", name)
