"""What a maze is made of: the contents of a cell, and the four ways out of one.

Knows numpy and nothing of search.
"""

import numpy as np
from numpy.typing import NDArray

WALL, FLOOR, START, GOAL, PATH = range(5)
"""What a cell of a ``Grid`` is.

A question has no ``PATH``; an answer marks with it what lies between the ends.
"""

SYMBOLS = "# SGo"
"""How they are written, by their numbers, in the public data set and wherever nothing else is said."""

DOWN, LEFT, RIGHT, UP = range(1, 5)
"""Directions, in the order in which the public data set's search tries them; 0 is none."""

STEPS = ((0, 0), (1, 0), (0, -1), (0, 1), (-1, 0))
"""By direction: rows down and columns to the right."""


def overwritten(question: NDArray[np.int8], answer: NDArray[np.int8]) -> NDArray[np.bool_]:
    """(rows, columns): what an answer changed that it must not.

    Floor may become path, and nothing else anything.
    """
    changed: NDArray[np.bool_] = (question != answer) & ~((question == FLOOR) & (answer == PATH))
    return changed


def path_length(answer: NDArray[np.int8]) -> int:
    """The steps from start to goal of a valid answer (rows, columns)."""
    return int((answer == PATH).sum()) + 1
