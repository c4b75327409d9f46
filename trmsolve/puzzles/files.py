"""Puzzles from files by name, and the notes on how they were read."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from trmsolve.puzzles.base import Task
from trmsolve.puzzles.reading.places import Item as Item
from trmsolve.puzzles.reading.places import open_error
from trmsolve.puzzles.values import Puzzle

AnyItem = TypeVar("AnyItem", bound=Item | None)


def read_file(task: Task, name: str) -> Iterator[Item]:
    """Every puzzle of one file; a file that cannot be opened is one error."""
    try:
        with Path(name).open("rb") as stream:
            yield from task.read(stream, name)
    except OSError as error:
        yield open_error(error, name)


class Notes:
    """Tells how puzzles were read: each note once, however many puzzles have it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.told: set[str] = set()

    def look(self, item: Item | None) -> None:
        """Tell the note of a puzzle, if it has one that is new."""
        if isinstance(item, Puzzle) and item.note and item.note not in self.told:
            self.told.add(item.note)
            self.tell(item.note)

    def follow(self, items: Iterable[AnyItem]) -> Iterator[AnyItem]:
        """The items as they come, each looked at before it is handed on."""
        for item in items:
            self.look(item)
            yield item
