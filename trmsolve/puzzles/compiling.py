"""Compiled functions: numba's, kept on disk where any folder can be written.

Importing this file imports numba, so what needs it is imported where it is needed. Numba judges
what it has kept by the date of the function's own file: a kernel belongs into the file of the
kernels that it calls, or that file must be old.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

P = ParamSpec("P")
T = TypeVar("T")


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """The function, compiled when first called."""
    try:
        compiled: Any = numba.njit(cache=True)(function)
    except RuntimeError:  # no folder to keep it in: neither this one nor the user's
        compiled = numba.njit(function)
    return compiled  # type: ignore[no-any-return]
