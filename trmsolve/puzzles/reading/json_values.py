"""The JSON values of a file: UTF-8 or UTF-16, plain or gzipped, one value or one after another.

Nothing is lost silently: a key that stands twice is remembered; what is no JSON is refused with its
line and column.

Knows JSON. Does not know what the values mean: callers say what ``shape`` should be there, for
errors.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import TextLines, read_chunks, undecoded

FILE_LIMIT = 1 << 26  # characters of a file; the largest public set of tasks has four million

_BLANK = re.compile(r"[ \t\n\r]*")
_UNDECODED = re.compile("[\udc80-\udcff]")


class JsonObject(dict[str, Any]):
    """An object of a JSON file that remembers all its keys: JSON allows one twice, a dict keeps the last."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    @property
    def twice(self) -> str | None:
        """A key that stands more than once."""
        if len(self) == len(self.pairs):
            return None
        counts = Counter(key for key, _ in self.pairs)
        return counts.most_common(1)[0][0]


def read_documents(stream: BinaryIO, name: str, shape: str) -> Iterator[Any]:
    """Every JSON value of the file, at least one, each as it is parsed.

    Raises PuzzleError; ``name`` is the file's.
    """
    text = _text(stream, name)
    decoder = json.JSONDecoder(object_pairs_hook=JsonObject)
    at = _after_blanks(text, 0)
    if at == len(text):
        raise PuzzleError(f"empty: no JSON in it; {shape}", name)
    if text[at] not in "{[":
        raise PuzzleError(f"not JSON: {shape}", name)
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            what = error.msg[:1].lower() + error.msg[1:]
            raise PuzzleError(f"not valid JSON: {what}", name, error.lineno, error.colno) from None
        except RecursionError:
            raise PuzzleError(f"lists nested too deeply: {shape}", name) from None
        except ValueError:
            raise PuzzleError(
                "a number of thousands of digits, where colours are due", name
            ) from None
        yield document
        at = _after_blanks(text, at)


def load_object(path: str, shape: str) -> JsonObject:
    """The one JSON object in a file, plain or gzipped.

    Raises PuzzleError; ``shape`` says what should be there.
    """
    try:
        with Path(path).open("rb") as stream:
            documents = list(read_documents(stream, path, shape))
    except OSError as error:
        raise unopened(error, path) from None
    if len(documents) > 1 or not isinstance(documents[0], JsonObject):
        raise PuzzleError(f"not one JSON object: {shape}", path)
    if documents[0].twice is not None:
        raise PuzzleError(
            f"task {shown(documents[0].twice)} stands twice in the file: which is meant?", path
        )
    return documents[0]


def object_of(value: object, shape: str, place: str = "") -> dict[str, Any]:
    """The value, if it is an object whose keys stand once each.

    Raises PuzzleError, whose source is ``place``.
    """
    if not isinstance(value, dict):
        raise PuzzleError(f"{shown(value)}, but {shape}", place)
    if isinstance(value, JsonObject) and value.twice is not None:
        raise PuzzleError(f"{shown(value.twice)} stands twice in it: which is meant?", place)
    return value


def unopened(error: OSError, path: str) -> PuzzleError:
    """Why the file at ``path`` could not be opened or read."""
    if isinstance(error, FileNotFoundError):
        return PuzzleError("no such file", path)
    if isinstance(error, IsADirectoryError):
        return PuzzleError("this is a folder: name a file in it", path)
    return PuzzleError(f"cannot be read: {error.strerror or error}", path)


def shown(value: object) -> str:
    """A JSON value in an error, short."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value)
    return text if len(text) <= 30 else f"{text[:30]}..."


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _text(stream: BinaryIO, name: str) -> str:
    """All of it. Raises PuzzleError for what is not text and for more than ``FILE_LIMIT``."""
    lines, held = list[str](), 0
    for number, line in TextLines(read_chunks(stream)[1], name, FILE_LIMIT):
        held += len(line) + 1
        if held > FILE_LIMIT:
            raise PuzzleError(f"more than {FILE_LIMIT >> 20} MiB: split the file", name)
        if found := _UNDECODED.search(line):
            raise PuzzleError(undecoded(found[0]), name, number, found.start() + 1)
        lines.append(line)
    return "\n".join(lines)
