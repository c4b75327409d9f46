"""Lines with the places of their characters in the file, alone or joined to one text.

Readers leave out characters, cut lines, and join them where a list or a record of a CSV goes over
several. An error names the place in the file all the same.

This module knows lines and places. It does not know what the lines say.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Puzzle

Item = Puzzle | PuzzleError


@dataclass(frozen=True)
class Line:
    """A line of a file, or a part of one."""

    number: int
    """The line of the file, from 1."""

    text: str

    columns: Sequence[int]
    """The index in the file's line of each character, and of the end."""

    def column(self, index: int) -> int:
        """The index in the file's line of a character. Those beyond the end are counted on."""
        last = len(self.columns) - 1
        return self.columns[min(index, last)] + max(index - last, 0)

    def error(self, problem: str, index: int | None = None) -> PuzzleError:
        """Make the error of this line, or of one character of it."""
        column = None if index is None else self.column(index) + 1
        return PuzzleError(problem, "", self.number, column)

    def cut(self, start: int, stop: int) -> "Line":
        """The part of the line between two places."""
        return Line(self.number, self.text[start:stop], self.columns[start : stop + 1])


AnyLine = TypeVar("AnyLine", bound=Line)


class Joined(Generic[AnyLine]):
    r"""Lines as one text with ``\n`` between them."""

    def __init__(self, lines: Sequence[AnyLine]) -> None:
        self.lines = lines
        self.text = "\n".join([line.text for line in lines])
        sizes = [len(line.text) + 1 for line in lines[:-1]]
        self._begins = list(accumulate(sizes, initial=0))

    def find(self, index: int) -> tuple[int, int]:
        """Find which of the lines has a character of the text, and at which index."""
        nth = bisect_right(self._begins, index) - 1
        return nth, index - self._begins[nth]

    def error(self, problem: str, index: int) -> PuzzleError:
        """Make the error of a character of the text."""
        nth, place = self.find(index)
        return self.lines[nth].error(problem, place)


def attempt(make: Callable[..., Puzzle], *args: object) -> Item:
    """Return the puzzle that a function makes, or its error."""
    try:
        return make(*args)
    except PuzzleError as error:
        return error


def open_error(error: OSError, path: str) -> PuzzleError:
    """Say why the file at ``path`` could not be opened or read."""
    if isinstance(error, FileNotFoundError):
        return PuzzleError("no such file", path)
    if isinstance(error, IsADirectoryError):
        return PuzzleError("this is a folder: give the files in it", path)
    return PuzzleError(f"cannot be read: {error.strerror or error}", path)
