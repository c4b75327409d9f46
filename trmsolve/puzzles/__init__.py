"""The puzzles: what packages that bring more of them import. Nothing here imports torch.

``registry`` has all puzzles, and ``known`` has what the commands say of them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trmsolve.puzzles.base import Task
    from trmsolve.puzzles.registry import (
        get_task,
        register,
        task_forms,
        task_names,
        unregister,
    )
    from trmsolve.puzzles.values import Puzzle, Symmetry, Verdict

__all__ = [
    "Puzzle",
    "Symmetry",
    "Task",
    "Verdict",
    "get_task",
    "register",
    "task_forms",
    "task_names",
    "unregister",
]

_HOMES = {
    "Puzzle": "trmsolve.puzzles.values",
    "Symmetry": "trmsolve.puzzles.values",
    "Task": "trmsolve.puzzles.base",
    "Verdict": "trmsolve.puzzles.values",
}
"""The module of each name; those of the registry are not listed."""


def __getattr__(name: str) -> Any:
    """Import what is asked for only now: the help of a command must not wait for the puzzles."""
    from importlib import import_module

    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "trmsolve.puzzles.registry")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names that there are, also those that nobody has asked for yet."""
    return sorted({*globals(), *__all__})
