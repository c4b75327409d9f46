"""The puzzles that there are, by their words: what lists of commands and help texts need.

The puzzles themselves are in ``registry``. They are imported here only if another package may have
brought some.
"""

from functools import cache
from importlib.metadata import entry_points

from trmsolve.puzzles.maze.words import MazeWords
from trmsolve.puzzles.sudoku.words import SudokuWords
from trmsolve.puzzles.words import Words

GROUP = "trmsolve.puzzles"
"""The entry point group of packages that bring puzzles."""

OWN: tuple[Words, ...] = (SudokuWords(), MazeWords())
"""The words of the puzzles of this package, in the order of the registry."""


def known_puzzles() -> tuple[Words, ...]:
    """The words of all puzzles but ARC, each once."""
    if not _has_plugins():
        return OWN
    from trmsolve.puzzles.registry import get_task, task_names

    return tuple(get_task(name) for name in task_names())


def known_names() -> tuple[str, ...]:
    """The names of all puzzles but ARC, which has commands of its own."""
    return tuple(words.name for words in known_puzzles())


def words_of(name: str) -> Words:
    """The words of the puzzle of that name. Raises KeyError if there is none."""
    return {words.name: words for words in known_puzzles()}[name]


@cache
def _has_plugins() -> bool:
    return bool(entry_points(group=GROUP))
