"""trmsolve: watch a Tiny Recursive Model solve your own puzzle, cycle by cycle.

    from trmsolve import load

    solver = load("sudoku")
    answer = solver.solve(text)

``load_arc`` makes a solver that learns ARC tasks before it answers them. ``read``, ``generate`` and
``evaluate`` do what the commands do. ``train`` trains a network and returns where its weights are;
``trmsolve.train.start.train`` documents it. docs/python.md shows all of it.
"""

# Nothing is imported at first: until ``__main__`` handles Ctrl-C, the key shows a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    __version__: str
    from trmsolve.api import evaluate, generate, read
    from trmsolve.arc.solver import load_arc
    from trmsolve.errors import (
        CheckpointError,
        NetworkError,
        PuzzleError,
        TrainingError,
        TrmsolveError,
        UsageError,
        WeightsError,
        WorkerError,
    )
    from trmsolve.puzzles.values import Answer, Cycle, Puzzle
    from trmsolve.solve.figures import Figures
    from trmsolve.solve.solver import Solver, load
    from trmsolve.train.start import train

__all__ = [
    "Answer",
    "CheckpointError",
    "Cycle",
    "Figures",
    "NetworkError",
    "Puzzle",
    "PuzzleError",
    "Solver",
    "TrainingError",
    "TrmsolveError",
    "UsageError",
    "WeightsError",
    "WorkerError",
    "__version__",
    "evaluate",
    "generate",
    "load",
    "load_arc",
    "read",
    "train",
]

_HOMES = {
    "Answer": "trmsolve.puzzles.values",
    "Cycle": "trmsolve.puzzles.values",
    "Figures": "trmsolve.solve.figures",
    "Puzzle": "trmsolve.puzzles.values",
    "Solver": "trmsolve.solve.solver",
    "evaluate": "trmsolve.api",
    "generate": "trmsolve.api",
    "load": "trmsolve.solve.solver",
    "load_arc": "trmsolve.arc.solver",
    "read": "trmsolve.api",
}
"""The module of each name; errors are not listed."""


def __getattr__(name: str) -> "Any":
    """Import what is asked for only now: ``trmsolve --help`` must not wait for torch."""
    from importlib import import_module

    if name == "__version__":
        return import_module("trmsolve.wording").package_version()
    if name == "train":
        return import_module("trmsolve.train")  # the package, which can be called
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "trmsolve.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names that there are, also those that nobody has asked for yet."""
    return sorted({*globals(), *__all__})
