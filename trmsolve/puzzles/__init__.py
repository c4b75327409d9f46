"""The puzzles, one room each. ``get_task`` finds a room by name; nothing here imports torch."""

from trmsolve.errors import UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.maze.task import Maze, MazeFlow
from trmsolve.puzzles.sudoku.task import Sudoku, SudokuLattice

FORMS: tuple[Task, ...] = (Sudoku(), SudokuLattice(), Maze(), MazeFlow())
"""The tasks in every way they can be written as tokens; of each the first is the usual one."""


def get_task(name: str, vocab_size: int | None = None) -> Task:
    """The task of that name, written as networks with so many tokens read it, else as usual.

    Raises UsageError if there is no such task.
    """
    forms = [form for form in FORMS if form.name == name]
    if name == "arc":
        raise UsageError(
            "ARC tasks have commands of their own: arc, and train and eval with --task arc; load_arc here"
        )
    if not forms:
        raise UsageError(
            f"no task is called {name!r}: there is {', '.join({form.name: 0 for form in FORMS})}"
        )
    return next((form for form in forms if form.vocab_size == vocab_size), forms[0])
