"""Reads the lines of a text as a stream: UTF-8 or UTF-16, plain or gzipped, with any line ends.

The stream may be a file or a pipe. A line is handed on before the next one is awaited, and no more
than one line and one read are held at a time. A stream that is not text is refused as a whole. A
byte that is not UTF-8 spoils its own line only, see ``undecoded``.

This module knows bytes and characters. It does not know what the lines say: every puzzle that is
kept as text is read from these lines.
"""

import codecs
import html
import io
import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, takewhile
from typing import BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.files import GZIP

LIMIT = 1 << 16
"""The most characters of one line, and the most bytes of one read; no puzzle comes near it."""

GIVE_UP = 1 << 26
"""How many characters without a puzzle are read before a file is given up."""

LEAST_LINE = 1024
"""How many characters a line counts for at least: reading it costs as much as they do."""

READING = "trmsolve.reading"
"""The name of the logger that is told what was passed over."""

_LOG = logging.getLogger(READING)
_QUOTED = 40  # characters of a line that is passed over

_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE = "save the puzzles as UTF-8 text"
_DOCUMENTS = {
    "version https://git-lfs": "a Git LFS pointer, not the file itself: run git lfs pull",
    "{\\rtf": "a document in RTF, not text: save it as plain text",
}
_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_OPENING = re.compile(r"<(pre|textarea|code)\b[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:pre|textarea|code)\s*>", re.IGNORECASE)
_NO_TEXT = "a web page (HTML) without a <pre>: save the puzzles themselves as text"


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Generate every line without its end, with its number, which counts from 1.

    A line longer than ``LIMIT`` is cut, but stays longer than ``LIMIT``. Raises PuzzleError if the
    stream, which errors call ``name``, is not text.
    """
    yield from TextLines(read_chunks(stream)[1], name)


def read_chunks(stream: BinaryIO) -> tuple[bytes, Iterator[bytes]]:
    """Read a stream in pieces.

    Returns its first four bytes or more, if it has so many, and all pieces, which include them.
    """
    # read1 takes what a pipe has now, while read would wait for a full chunk.
    read = getattr(stream, "read1", stream.read)
    chunks = iter(lambda: read(LIMIT), None)
    return _peek(takewhile(bool, chunks))


class TextLines:
    """The numbered lines of ``chunks``, as ``read_lines`` gives them, with a limit of their length.

    They can be read once. A line that begins with a bracket has a limit of its own.
    """

    def __init__(
        self, chunks: Iterator[bytes], name: str, limit: int = LIMIT, list_limit: int = LIMIT
    ) -> None:
        self.chunks = chunks
        self.name = name
        self.limit = limit
        self.list_limit = max(limit, list_limit)
        self._decoder: io.IncrementalNewlineDecoder | None = None

    def __iter__(self) -> Iterator[tuple[int, str]]:
        lines = self._text_lines()
        for number, text in lines:
            for head, kind in _DOCUMENTS.items():
                if number == 1 and text.startswith(head):
                    raise PuzzleError(kind, self.name)
            if number == 1 and _PAGE.match(text):
                yield from _read_page(chain([(number, text)], lines), self.name)
                return
            yield number, text

    def _text_lines(self) -> Iterator[tuple[int, str]]:
        """Generate the lines of a text. Raises PuzzleError if it is none."""
        limits = (self.limit, self.list_limit)
        for number, text in enumerate(_split(self._decode(), self.name, limits), 1):
            if "\0" in text:
                problem = f"not text: a binary file, or UTF-16 without a byte order mark; {_SAVE}"
                raise PuzzleError(problem, self.name, number)
            yield number, text

    def limit_of(self, text: str) -> int:
        """Return the limit of a line."""
        return _limit_of(text, (self.limit, self.list_limit))

    @property
    def end(self) -> str:
        r"""The end of the lines read so far: ``\r\n`` if all end like this, else ``\n``."""
        return "\r\n" if self._decoder and self._decoder.newlines == "\r\n" else "\n"

    def _decode(self) -> Iterator[str]:
        r"""Generate the text with ``\n`` as line ends.

        A byte that is not UTF-8 becomes a surrogate, so that it spoils its own line only.
        """
        head, chunks = _peek(self.chunks)
        kind = _MAGIC.get(head[:4])
        if kind:
            raise PuzzleError(f"not text: this is {kind}; {_SAVE}", self.name)
        if head.startswith(GZIP):
            head, chunks = _peek(_unzip(chunks, self.name))
        codec, errors = "utf-8-sig", "surrogateescape"
        if head.startswith(_WIDE):
            codec, errors = "utf-16", "replace"
        elif (
            len(head) > 3
            and head[:4:2].isascii()
            and head[:4:2].strip(b"\0")
            and not any(head[1:4:2])
        ):
            codec, errors = "utf-16-le", "replace"  # without a byte order mark
        decoder = codecs.getincrementaldecoder(codec)(errors)
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        yield from map(self._decoder.decode, chunks)
        yield self._decoder.decode(b"", final=True)


class Patience:
    """Counts what is read without a puzzle. A file is given up when that is too much.

    A packed file of a few kilobytes may hold more empty lines than can be read in an hour.
    """

    def __init__(self, name: str, noun: str) -> None:
        self.name = name
        self.noun = noun
        self.characters = 0

    def count(self, number: int, text: str) -> None:
        """Count a line. Raises PuzzleError that names the file and the line if it is too much."""
        self.characters += max(len(text), LEAST_LINE)
        if self.characters > GIVE_UP:
            problem = f"no {self.noun} in this line and many lines before it; reading stopped"
            raise PuzzleError(problem, self.name, number)

    def renew(self) -> None:
        """Begin to count anew: something was found."""
        self.characters = 0


class Skipped:
    """Counts the lines of a file that stand beside puzzles, and logs that they were passed over."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.first: tuple[int, str] | None = None

    def count(self, number: int, text: str) -> None:
        """Count a line."""
        self.number += 1
        self.first = self.first or (number, text.strip()[:_QUOTED])

    def tell(self) -> None:
        """Log where the first line is, and how many there were, if there were any."""
        if not self.first:
            return
        number, text = self.first
        more = f" and {self.number - 1} more" if self.number > 1 else ""
        _LOG.info("%s:%d: passed over %r%s", self.name, number, text, more)


def undecoded(char: str) -> str:
    """Describe the problem if the character stands for a byte that is not UTF-8, else return ""."""
    if "\udc80" <= char <= "\udcff":
        byte = ord(char) - 0xDC00
        return f"not text: byte 0x{byte:02X} is not UTF-8; {_SAVE}"
    return ""


def _split(texts: Iterable[str], name: str, limits: tuple[int, int]) -> Iterator[str]:
    """Split the pieces of a text into lines without line ends.

    A line over its limit comes cut as soon as it is over the limit. Its rest is dropped.
    """
    rest: list[str] = []  # the pieces of the line that has not ended yet
    held = 0  # characters of these pieces
    cut = False  # whether the line was handed on already
    dropped = 0
    for text in texts:
        dropped = dropped + len(text) if cut else 0
        if dropped > GIVE_UP:
            raise PuzzleError(f"a line of more than {GIVE_UP >> 20} MiB; reading stopped", name)
        first, *others = text.split("\n")
        if first:
            rest.append(first)
        held += len(first)
        if others:
            last = others.pop()
            if not cut:
                yield "".join(rest)
            yield from others
            rest = [last]
            held = len(last)
            cut = False
        if held > limits[0] and (cut or held > _limit_of(rest[0], limits)):
            if not cut:
                yield "".join(rest)
            rest = []
            held = 0
            cut = True
    if held and not cut:
        yield "".join(rest)


def _limit_of(text: str, limits: tuple[int, int]) -> int:
    """Return the limit of a line: the second one if it begins with a bracket, as lists do."""
    return limits[text.lstrip()[:1] in ("[", "{")]


def _read_page(lines: Iterable[tuple[int, str]], name: str) -> Iterator[tuple[int, str]]:
    """Generate the lines of a web page, empty outside of its elements of plain text.

    Raises PuzzleError at the end of a page that has none.
    """
    inside = False
    found = False
    for number, text in lines:
        shown = text
        opening = None if inside else _OPENING.search(text)
        if opening:
            inside = True
            found = True
            shown = text[opening.end() :]
        closing = _CLOSING.search(shown) if inside else None
        if closing:
            shown = shown[: closing.start()]
        yield number, html.unescape(shown) if inside else ""
        if closing:
            inside = False
    if not found:
        raise PuzzleError(_NO_TEXT, name)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return at least four bytes, if there are so many, and all chunks, which include them."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 4:
            break
    return head, chain([head], chunks)


def _unzip(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Unpack gzip members one after the other.

    No more than ``LIMIT`` bytes come at once, however well they were packed.
    """
    member = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if member.eof:
                    if not rest.strip(b"\0"):  # members may be padded with zeros
                        break
                    member = zlib.decompressobj(wbits=31)
                yield member.decompress(rest, LIMIT)
                rest = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise PuzzleError("damaged gzip data; create or download the file again", name) from error
    if not member.eof:
        raise PuzzleError("the gzip data ends too early; create or download the file again", name)
