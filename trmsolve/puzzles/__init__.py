"""The puzzles, one room each. ``get_task`` finds a room by name; nothing here imports torch."""

from trmsolve.errors import UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.sudoku import Sudoku

TASKS: dict[str, Task] = {task.name: task for task in (Sudoku(),)}


def get_task(name: str) -> Task:
    """The task of that name. Raises UsageError if there is none."""
    if name not in TASKS:
        raise UsageError(f"no task is called {name!r}: there is {', '.join(TASKS)}")
    return TASKS[name]
