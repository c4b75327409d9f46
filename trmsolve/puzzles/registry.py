"""The registry of puzzles, by which all else finds them. Nothing here imports torch.

``register`` adds a task. Other packages do so by an entry point of the group ``trmsolve.puzzles``,
which names a ``Task`` class, an instance, or a list of these.
"""

import re
import sys
from importlib.metadata import entry_points
from typing import Any

from trmsolve.errors import UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.known import GROUP
from trmsolve.puzzles.maze.task import Maze, MazeFlow
from trmsolve.puzzles.sudoku.task import Sudoku, SudokuLattice
from trmsolve.wording import printable_line

ATTRIBUTES = ("name", "vocab_size", "seq_len", "difficulties")
RESERVED = (
    "arc",
    "bench",
    "cache",
    "compare",
    "eval",
    "export",
    "generate",
    "mcp",
    "model",
    "plot",
    "replay",
    "solve",
    "train",
    "version",
    "weights",
)
"""Names of commands and files that no task may have."""

FORMS: tuple[Task, ...] = (Sudoku(), SudokuLattice(), Maze(), MazeFlow())
"""The tasks of this package in each way to write them as tokens; the first is the usual one."""

_registered: list[Task] = []
_plugins_loaded = False


def register(task: Task) -> None:
    """Add a task, or another way to write its puzzles as tokens, with another ``vocab_size``.

    Raises ValueError if an attribute is missing, or the name is none or taken.
    """
    for attribute in ATTRIBUTES:
        if not hasattr(task, attribute):
            raise ValueError(f"{type(task).__name__} has no attribute {attribute!r}")
    if not re.fullmatch("[a-z][a-z0-9-]*", task.name) or task.name in RESERVED:
        raise ValueError(f"{task.name!r} cannot be the name of a task")
    for other in _registered:
        if (other.name, other.vocab_size) == (task.name, task.vocab_size):
            raise ValueError(
                f"a task {task.name!r} with {task.vocab_size} tokens is already registered"
            )
    _registered.append(task)


def unregister(name: str) -> None:
    """Take a task away again, in all its forms; for tests and notebooks."""
    _registered[:] = [task for task in _registered if task.name != name]


def task_forms() -> tuple[Task, ...]:
    """All tasks in each way to write them as tokens; the first of a name is the usual one."""
    _load_plugins()
    return tuple(_registered)


def task_names() -> tuple[str, ...]:
    """The names of all tasks but ARC, which has commands of its own."""
    return tuple(dict.fromkeys(form.name for form in task_forms()))


def get_task(name: str, vocab_size: int | None = None) -> Task:
    """The task of that name, written as networks with so many tokens read it, else as usual.

    Raises UsageError if there is no such task.
    """
    forms = [form for form in task_forms() if form.name == name]
    if name == "arc":
        raise UsageError(
            "ARC tasks have their own commands: use trmsolve arc, or train and eval "
            "with --task arc; in Python use load_arc"
        )
    if not forms:
        raise UsageError(f"unknown task {name!r}: use {', '.join(task_names())}")
    return next((form for form in forms if form.vocab_size == vocab_size), forms[0])


def _load_plugins() -> None:
    """Register the tasks of other packages, once; a broken one is told in a line and left out."""
    global _plugins_loaded
    if _plugins_loaded:
        return
    _plugins_loaded = True
    for entry in entry_points(group=GROUP):
        try:
            for task in _tasks_of(entry.load()):
                register(task)
        except Exception as error:  # another's code may fail in any way
            told = printable_line(
                f"trmsolve: the puzzle {entry.name} cannot be loaded and is skipped: {error!r}"
            )
            print(told, file=sys.stderr)


def _tasks_of(loaded: Any) -> list[Task]:
    """The tasks that an entry point names. Raises TypeError if these are none."""
    tasks = loaded if isinstance(loaded, list | tuple) else [loaded]
    made = [task() if isinstance(task, type) else task for task in tasks]
    for task in made:
        if not isinstance(task, Task):
            raise TypeError(f"{task!r} is not a Task")
    return made


for _form in FORMS:
    register(_form)
