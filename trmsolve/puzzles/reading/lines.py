"""Reads the lines of a text as a stream: UTF-8 or UTF-16, plain or gzipped, with any line ends.

The stream may be a file or a pipe. A line is handed on before the next one is awaited, and no more
than one line and one read are held at a time. A stream that is not text is refused as a whole. A
byte that is not UTF-8 spoils its own line only, see ``undecoded``.

This module knows bytes and characters. It does not know what the lines say: every puzzle that is
kept as text is read from these lines.
"""

import codecs
import gzip
import html
import io
import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import TYPE_CHECKING, BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.files import GZIP

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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

_HEAD = 4  # bytes that tell what a file is
_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or a spreadsheet",
}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAVE = "save the puzzles as UTF-8 text"
_BINARY = f"not text: a binary file, or UTF-16 without a byte order mark; {_SAVE}"
_DOCUMENTS = {
    "version https://git-lfs": "a Git LFS pointer, not the file itself: run git lfs pull",
    "{\\rtf": "a document in RTF, not text: save it as plain text",
}
_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_OPENING = re.compile(r"<(pre|textarea|code)\b[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:pre|textarea|code)\s*>", re.IGNORECASE)
_NO_TEXT = "a web page (HTML) without a <pre>: save the puzzles themselves as text"


class Source(io.RawIOBase):
    """The bytes of a stream, as soon as they are there, and the first of them to look at."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile) -> None:
        # read1 takes what a pipe has now, while read would wait for as much as was asked for.
        self._read = getattr(stream, "read1", stream.read)
        self._rest = self._read(LIMIT)
        while 0 < len(self._rest) < _HEAD:
            more = self._read(LIMIT)
            if not more:
                break
            self._rest += more
        self.head = self._rest[:_HEAD]
        """The first four bytes, or all if there are fewer."""

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Put into the buffer what there is, but no more than fits."""
        target = memoryview(buffer)
        self._rest = self._rest or self._read(len(target))
        piece = self._rest[: len(target)]
        self._rest = self._rest[len(target) :]
        target[: len(piece)] = piece
        return len(piece)


class TextLines:
    """The numbered lines of a stream without their ends, which can be read once.

    Lines count from 1. A line that is longer than its limit is cut, but stays longer than it. Lines
    that begin with a bracket have a limit of their own. Reading raises PuzzleError if the stream,
    which errors call ``name``, is not text.
    """

    def __init__(
        self, source: Source, name: str, limit: int = LIMIT, list_limit: int = LIMIT
    ) -> None:
        self.source = source
        self.name = name
        self.limit = limit
        self.list_limit = max(limit, list_limit)
        self._text: io.TextIOWrapper | None = None

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

    def limit_of(self, text: str) -> int:
        """Return the limit of a line: another one if it begins with a bracket, as lists do."""
        return self.list_limit if text.lstrip()[:1] in ("[", "{") else self.limit

    @property
    def end(self) -> str:
        r"""The end of the lines read so far: ``\r\n`` if all end like this, else ``\n``."""
        return "\r\n" if self._text and self._text.newlines == "\r\n" else "\n"

    def _text_lines(self) -> Iterator[tuple[int, str]]:
        """Generate the lines of a text. Raises PuzzleError if it is none."""
        try:
            self._text = _open_text(self.source, self.name)
            for number in count(1):
                line = self._read_line(self._text)
                if not line:
                    return
                if "\0" in line:
                    raise PuzzleError(_BINARY, self.name, number)
                yield number, line.removesuffix("\n")
                self._skip_rest(self._text, line)
        except EOFError:
            problem = "the gzip data ends too early; create or download the file again"
            raise PuzzleError(problem, self.name) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            problem = "damaged gzip data; create or download the file again"
            raise PuzzleError(problem, self.name) from error

    def _read_line(self, text: io.TextIOWrapper) -> str:
        """Read a line with its end, or the beginning of one that is too long."""
        line = text.readline(self.limit + 1)
        if len(line) <= self.limit or line.endswith("\n"):
            return line
        more = self.limit_of(line) - self.limit
        return line + text.readline(more)

    def _skip_rest(self, text: io.TextIOWrapper, line: str) -> None:
        """Drop the rest of a line that is too long."""
        rest = line
        dropped = 0
        while rest and not rest.endswith("\n"):
            rest = text.readline(LIMIT)
            dropped += len(rest)
            if dropped > GIVE_UP:
                problem = f"a line of more than {GIVE_UP >> 20} MiB; reading stopped"
                raise PuzzleError(problem, self.name)


def _open_text(source: Source, name: str) -> io.TextIOWrapper:
    r"""Open a text, plain or packed, with ``\n`` as line ends.

    A byte that is not UTF-8 becomes a surrogate, so that it spoils its own line only.
    """
    kind = _MAGIC.get(source.head)
    if kind:
        raise PuzzleError(f"not text: this is {kind}; {_SAVE}", name)
    if source.head.startswith(GZIP):
        source = Source(gzip.GzipFile(fileobj=source))
    head = source.head
    codec, errors = "utf-8-sig", "surrogateescape"
    if head.startswith(_WIDE):
        codec, errors = "utf-16", "replace"
    elif len(head) > 3 and head[::2].isascii() and head[::2].strip(b"\0") and not any(head[1::2]):
        codec, errors = "utf-16-le", "replace"  # without a byte order mark
    return io.TextIOWrapper(io.BufferedReader(source, LIMIT), codec, errors)


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
