"""The contents of a maze's cells, and the four directions out of a cell.

This module knows numpy and no search.
"""

import numpy as np
from numpy.typing import NDArray

WALL, FLOOR, START, GOAL, PATH = range(5)
"""The contents of a cell of a ``Grid``.

A question has no ``PATH``. An answer marks the cells between start and goal with it.
"""

SYMBOLS = "# SGo"
"""The character of each content, as the public data set writes it. It is the default everywhere."""

DOWN, LEFT, RIGHT, UP = range(1, 5)
"""The directions, in the order in which the public data set's search tries them; 0 is none."""

STEPS = ((0, 0), (1, 0), (0, -1), (0, 1), (-1, 0))
"""For each direction the change of row (downwards) and of column (to the right)."""


def overwritten(question: NDArray[np.int8], answer: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Mark the cells (rows, columns) that an answer changed and must not.

    Floor may become path. No other change is allowed.
    """
    allowed = (question == FLOOR) & (answer == PATH)
    changed: NDArray[np.bool_] = (question != answer) & ~allowed
    return changed


def path_length(answer: NDArray[np.int8]) -> int:
    """Count the steps from start to goal of a valid answer (rows, columns)."""
    return int((answer == PATH).sum()) + 1


def count_beside(marked: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Count for each cell (rows, columns) how many of its four neighbours are marked."""
    wide = np.pad(marked.astype(np.int_), 1)
    above = wide[:-2, 1:-1]
    below = wide[2:, 1:-1]
    left = wide[1:-1, :-2]
    right = wide[1:-1, 2:]
    count: NDArray[np.int_] = above + below + left + right
    return count
