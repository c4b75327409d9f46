"""trmsolve: watch a Tiny Recursive Model solve your own puzzle, cycle by cycle.

    from trmsolve import load

    solver = load("sudoku")
    answer = solver.solve(text)

``load_arc`` makes a solver that learns ARC tasks before it answers them. ``train`` trains a network
and returns where its weights are; ``trmsolve.train.start.train`` documents it.
"""

# Nothing is imported at first: until ``__main__`` handles Ctrl-C, the key shows a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    __version__: str
    from trmsolve.arc.solver import load_arc
    from trmsolve.solve.solver import Solver, load
    from trmsolve.train.start import train

__all__ = ["Solver", "__version__", "load", "load_arc", "train"]

_HOMES = {
    "Solver": "trmsolve.solve.solver",
    "load": "trmsolve.solve.solver",
    "load_arc": "trmsolve.arc.solver",
}


def __getattr__(name: str) -> "Any":
    """Import what is asked for only now: ``trmsolve --help`` must not wait for torch."""
    from importlib import import_module

    if name == "__version__":
        return import_module("trmsolve.wording").package_version()
    if name == "train":
        return import_module("trmsolve.train")  # the package, which can be called
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
