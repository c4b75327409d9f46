"""Compiles functions with numba and keeps the result on disk, wherever any folder can be written.

Importing this module imports numba, so modules import it only where they need it. Numba decides by
the date of a function's own file whether the result it kept is still good. A kernel therefore
belongs into the file of the kernels that it calls, unless that file never changes.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
from numba.core import event as events

P = ParamSpec("P")
T = TypeVar("T")


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function so that it is compiled at its first call."""
    return _compiled(function)


def float_kernel(function: Callable[P, T]) -> Callable[P, T]:
    """As ``kernel``, for loops over floating-point numbers.

    Sums may be reordered and divisions are not checked, so that loops use vector instructions.
    """
    return _compiled(function, fastmath=True, error_model="numpy")


def is_compiling() -> bool:
    """Whether a function is compiled at this moment, and not loaded from the disk."""
    return _compilations.under_way > 0


class _Compilations(events.Listener):
    """Counts the functions that numba is compiling."""

    def __init__(self) -> None:
        self.under_way = 0

    def on_start(self, event: Any) -> None:  # noqa: ARG002 (as its base)
        """Count one more."""
        self.under_way += 1

    def on_end(self, event: Any) -> None:  # noqa: ARG002 (as its base)
        """Count one less."""
        self.under_way -= 1


_compilations = _Compilations()
events.register("numba:compile", _compilations)  # type: ignore[no-untyped-call]


def _compiled(function: Callable[P, T], **options: Any) -> Callable[P, T]:
    try:
        compiled: Any = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither this folder nor the user's can keep the result
        compiled = numba.njit(**options)(function)
    return compiled  # type: ignore[no-any-return]
