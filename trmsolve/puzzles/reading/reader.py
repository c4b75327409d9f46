"""What the readers of text files share: lists, tables, lines that are too long, and the end.

This module knows which lines are a list or records of a CSV. It does not know what a puzzle is: the
reader of each puzzle says what begins a list or a CSV, reads both, and reads all other lines.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Generic

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import Patience, Skipped, TextLines
from trmsolve.puzzles.reading.literals import Balance
from trmsolve.puzzles.reading.places import AnyLine, Item, Joined
from trmsolve.puzzles.reading.table import Table
from trmsolve.puzzles.values import Puzzle


class Reader(ABC, Generic[AnyLine]):
    """Reads the puzzles of a text, each as soon as its last line is there.

    What cannot be read becomes a ``PuzzleError`` in its place, and the rest follows.
    """

    noun: ClassVar[str]
    """What errors call a puzzle."""

    shape: ClassVar[str]
    """What errors say that a puzzle looks like."""

    def __init__(self, lines: TextLines) -> None:
        self.lines = lines
        self.name = lines.name
        self.skipped = Skipped(lines.name)
        self.table: Table[AnyLine, Any] | None = None
        self.found = False  # whether there was any puzzle or error
        self._list: list[AnyLine] = []
        self._open_brackets = Balance()

    def read(self) -> Iterator[Item]:
        """Generate every puzzle in order, and the errors, which name the file."""
        try:
            for item in self._items():
                self.found = True
                if isinstance(item, Puzzle):
                    yield item
                else:
                    yield PuzzleError(item.problem, self.name, item.line, item.column)
        except PuzzleError as error:  # not text: nothing after it can be trusted
            yield error
        else:
            if not self.found:
                yield PuzzleError(f"empty: no {self.noun} in it; {self.shape}", self.name)

    @abstractmethod
    def look(self, number: int, text: str) -> AnyLine:
        """Make a line of its text, without what no eye sees."""

    @abstractmethod
    def opens_list(self, line: AnyLine) -> bool:
        """Tell whether a list begins with a line, as programs write them."""

    @abstractmethod
    def read_list(self, joined: Joined[AnyLine]) -> Iterator[Item]:
        """Generate the puzzles of a list. There are none if it is no list of puzzles."""

    @abstractmethod
    def find_table(self, line: AnyLine) -> Table[AnyLine, Any] | None:
        """Make a table if the last line was the header of a CSV and this is its first record."""

    @abstractmethod
    def take_drawn(self, line: AnyLine) -> Iterator[Item]:
        """Take a line that belongs to no list and no CSV. Generates what it ends."""

    @abstractmethod
    def end_drawn(self) -> Iterator[Item]:
        """Generate what the lines that belong to no list and no CSV still hold."""

    @abstractmethod
    def close(self) -> Iterator[Item]:
        """Tell what stood beside puzzles. Generates an error if it says why there is none."""

    def _items(self) -> Iterator[Item]:
        """Generate every item of the lines, in order."""
        patience = Patience(self.name, self.noun)
        for number, text in self.lines:
            patience.count(number, text)
            for item in self._take_text(number, text):
                patience.renew()
                yield item
        yield from self._end()
        yield from self.close()

    def _take_text(self, number: int, text: str) -> Iterator[Item]:
        """Take the text of a line, if it is not too long."""
        most = self.lines.limit_of(text)
        if len(text) > most:
            yield from self._end()
            yield PuzzleError(f"a line longer than {most} characters; {self.shape}", "", number)
        else:
            yield from self._take(self.look(number, text))

    def _take(self, line: AnyLine, may_open: bool = True) -> Iterator[Item]:
        """Take a line of a list, of a CSV, or of a drawing."""
        if self._list or (may_open and not self.table and self.opens_list(line)):
            yield from self._take_listed(line)
            return
        self.table = self.table or self.find_table(line)
        if self.table:
            yield from self.table.take(line)
        else:
            yield from self.take_drawn(line)

    def _take_listed(self, line: AnyLine) -> Iterator[Item]:
        """Add a line to a list, and read the list if it ends here."""
        if not self._list:
            yield from self.end_drawn()
        self._list.append(line)
        if self._open_brackets.add(line.text):
            yield from self._end_list()

    def _end_list(self) -> Iterator[Item]:
        """Read the puzzles of a list. The lines of a list that has none are read one by one."""
        lines = self._list
        self._list = []
        self._open_brackets = Balance()
        is_list = False
        for item in self.read_list(Joined(lines)):
            is_list = True
            yield item
        if not is_list:
            for line in lines:
                yield from self._take(line, may_open=False)

    def _end(self) -> Iterator[Item]:
        """Read what the lines so far still hold."""
        if self._list:
            yield from self._end_list()
        if self.table:
            yield from self.table.end()
        yield from self.end_drawn()
