"""Compiles functions with numba and keeps the result on disk, wherever any folder can be written.

Importing this module imports numba, so modules import it only where they need it. Numba decides by
the date of a function's own file whether the result it kept is still good. A kernel therefore
belongs into the file of the kernels that it calls, unless that file never changes.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

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


def _compiled(function: Callable[P, T], **options: Any) -> Callable[P, T]:
    try:
        compiled: Any = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither this folder nor the user's can keep the result
        compiled = numba.njit(**options)(function)
    return compiled  # type: ignore[no-any-return]
