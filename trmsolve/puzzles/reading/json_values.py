"""Reads the JSON values of a file: UTF-8 or UTF-16, plain or gzipped, one value or several.

Nothing is lost silently. A key that stands twice in an object is remembered. Text that is no JSON
is refused with its line and column.

This module knows JSON. It does not know what the values mean: for its errors, callers say with
``shape`` what should be in the file.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import Source, TextLines, undecoded
from trmsolve.puzzles.reading.places import open_error

FILE_LIMIT = 1 << 26
"""The most characters of a file; the largest public set of tasks has four million."""

SHOWN = 30
"""The most characters of a value in an error."""

_BLANK = re.compile(r"[ \t\n\r]*")
_UNDECODED = re.compile("[\udc80-\udcff]")


class JsonObject(dict[str, Any]):
    """An object of a JSON file that remembers every key of the file.

    JSON allows a key to stand twice; a dict keeps the last value only.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def find_repeated_key(self) -> str | None:
        """A key that stands more than once, if there is one."""
        if len(self) == len(self.pairs):
            return None
        counts = Counter(key for key, _ in self.pairs)
        return counts.most_common(1)[0][0]


def read_documents(stream: BinaryIO, name: str, shape: str) -> Iterator[Any]:
    """Generate every JSON value of a file, at least one, each as soon as it is parsed.

    Args:
        stream: the file.
        name: what errors call the file.
        shape: what errors say that the file should hold.

    Raises:
        PuzzleError: if the file is not text, holds no JSON or invalid JSON.
    """
    text = _read_text(stream, name)
    at = _skip_blanks(text, 0)
    if at == len(text):
        raise PuzzleError(f"empty: no JSON in it; {shape}", name)
    if text[at] not in "{[":
        raise PuzzleError(f"not JSON: {shape}", name)
    while at < len(text):
        document, at = _parse(text, at, name, shape)
        yield document
        at = _skip_blanks(text, at)


def load_object(path: str, shape: str) -> JsonObject:
    """Load the one JSON object of a file, plain or gzipped.

    Raises PuzzleError, in which ``shape`` says what the file should hold.
    """
    try:
        with Path(path).open("rb") as stream:
            documents = list(read_documents(stream, path, shape))
    except OSError as error:
        raise open_error(error, path) from None
    document = documents[0]
    if len(documents) > 1 or not isinstance(document, JsonObject):
        raise PuzzleError(f"not one JSON object: {shape}", path)
    repeated = document.find_repeated_key()
    if repeated is not None:
        task = describe(repeated)
        raise PuzzleError(f"task {task} appears twice in the file: remove one of them", path)
    return document


def require_object(value: object, shape: str, place: str = "") -> dict[str, Any]:
    """Return the value if it is an object in which every key stands once.

    Raises PuzzleError, whose source is ``place``.
    """
    if not isinstance(value, dict):
        raise PuzzleError(f"{describe(value)}, but {shape}", place)
    repeated = value.find_repeated_key() if isinstance(value, JsonObject) else None
    if repeated is not None:
        raise PuzzleError(f"{describe(repeated)} appears twice in it: remove one of them", place)
    return value


def describe(value: object) -> str:
    """Describe a JSON value in an error: the kind of a list or an object, else the short text."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _parse(text: str, at: int, name: str, shape: str) -> tuple[Any, int]:
    """Parse the value that begins at an index. Returns it and the index behind it."""
    decoder = json.JSONDecoder(object_pairs_hook=JsonObject)
    try:
        return decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        raise PuzzleError(f"not valid JSON: {problem}", name, error.lineno, error.colno) from None
    except RecursionError:
        raise PuzzleError(f"lists nested too deeply: {shape}", name) from None
    except ValueError:  # Python refuses to convert such a number
        problem = "a number of thousands of digits where a colour is expected"
        raise PuzzleError(problem, name) from None


def _skip_blanks(text: str, at: int) -> int:
    """Return the index of the next character that is not blank."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _read_text(stream: BinaryIO, name: str) -> str:
    """Read the whole text. Raises PuzzleError if it is not text or longer than ``FILE_LIMIT``."""
    lines: list[str] = []
    held = 0
    for number, line in TextLines(Source(stream), name, FILE_LIMIT):
        held += len(line) + 1
        if held > FILE_LIMIT:
            raise PuzzleError(f"more than {FILE_LIMIT >> 20} MiB: split the file", name)
        found = _UNDECODED.search(line)
        if found:
            raise PuzzleError(undecoded(found[0]), name, number, found.start() + 1)
        lines.append(line)
    return "\n".join(lines)
