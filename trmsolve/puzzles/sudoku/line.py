"""A line of a Sudoku file, and where its cells are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trmsolve.puzzles.reading.places import Joined, Line
from trmsolve.puzzles.sudoku.form import CELL
from trmsolve.puzzles.sudoku.kinds import Kind, kind_of
from trmsolve.puzzles.sudoku.signs import Spans, look

DRAWN: tuple[Kind, ...] = ("row", "wide", "rule")
"""The kinds of lines that may be part of a drawing."""


@dataclass(frozen=True)
class SudokuLine(Line):
    """A line whose ``text`` is folded, see ``signs.look``: the cells are looked for there."""

    shown: str
    """As many characters, as the file has them."""

    kind: Kind = "row"

    at: Spans = ()
    """Where its cells are in the text."""

    @property
    def drawn(self) -> bool:
        """Whether the line may be part of a drawing."""
        return self.kind in DRAWN

    @property
    def words(self) -> list[str]:
        """The text of each cell."""
        return [self.text[start:stop] for start, stop in self.at]

    @property
    def template(self) -> str:
        """The text, with every cell replaced by ``CELL``."""
        pieces: list[str] = []
        end = 0
        for start, stop in self.at:
            pieces += self.shown[end:start], CELL
            end = stop
        return "".join([*pieces, self.shown[end:]])

    def of_its_kind(self) -> "SudokuLine":
        """The line with its kind, as it is if the line is no puzzle by itself."""
        return replace(self, kind=kind_of(self.text))

    def padded(self, end: str) -> "SudokuLine":
        """The line with blanks restored at its end."""
        return replace(self, text=self.text + end, shown=self.shown + end)


def make_line(number: int, text: str) -> SudokuLine:
    """Make a line of the text of a file."""
    looked = look(text)
    return SudokuLine(number, looked.folded, looked.columns, looked.shown)


def place(joined: Joined[SudokuLine], at: Spans, whole: bool = False) -> list[SudokuLine]:
    """The lines from that of the first cell to that of the last, each with its own cells.

    ``whole`` says that all lines are wanted.
    """
    own: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for start, stop in at:
        nth, begin = joined.find(start)
        own[nth].append((begin, begin + stop - start))
    numbers = range(len(joined.lines)) if whole else range(min(own), max(own) + 1)
    lines: list[SudokuLine] = []
    for nth in numbers:
        kind: Kind = "row" if nth in own else "title"
        lines.append(replace(joined.lines[nth], at=own.get(nth, ()), kind=kind))
    return lines


def cells_of(lines: Sequence[SudokuLine]) -> list[tuple[SudokuLine, int, int]]:
    """The line of every cell, and where the cell begins and ends in it."""
    return [(line, start, stop) for line in lines for start, stop in line.at]
