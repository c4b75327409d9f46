"""trmsolve: watch a Tiny Recursive Model solve your own puzzle, cycle by cycle.

from trmsolve import load
solver = load("sudoku")
answer = solver.solve(text)

``load_arc`` makes a solver that learns ARC tasks before it answers them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from trmsolve.arc.solver import load_arc
    from trmsolve.solve.solver import Solver, load

__all__ = ["Solver", "__version__", "load", "load_arc"]


def __getattr__(name: str) -> Any:
    """These come when asked for: they need torch, and ``trmsolve --help`` must not wait for it."""
    if name == "__version__":
        from trmsolve.wording import package_version

        return package_version()
    if name in ("load", "Solver"):
        from trmsolve.solve import solver

        return getattr(solver, name)
    if name == "load_arc":
        from trmsolve.arc.solver import load_arc

        return load_arc
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
