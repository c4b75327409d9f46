"""What the grids of one made task have in common: their sizes and their colours.

The background is colour 0 here. Whoever puts a task together may exchange colours afterwards.

Knows random numbers; nothing of scenes and rules.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from trmsolve.arc.task import COLOURS

USUAL_SIDES = (5, 14)
"""Most tasks have sides in this range, as far as their rule and the largest side allow it."""

USUAL_SHARE = 0.75
"""The share of tasks with usual sides."""

SQUARE_SHARE = 0.4
"""The share of tasks whose grids are square, or nearly."""

PALETTES = (2, 5)
"""The smallest and the largest number of colours that scenes of a task are drawn in."""


class Unfit(Exception):
    """A grid to which a rule has no clear answer, or a scene that finds no room."""


@dataclass(frozen=True)
class Setting:
    """The choices that hold for all grids of a task, and the source of all that is drawn anew."""

    rng: np.random.Generator

    rows: tuple[int, int]
    """The fewest and the most rows of an input."""

    columns: tuple[int, int]
    """The fewest and the most columns of an input."""

    palette: tuple[int, ...]
    """The colours of what is drawn in a scene."""

    marker: int
    """The colour of walls, holes and separating lines; not in the palette."""

    style: float
    """Decides, from 0 to 1, what is not to change from grid to grid, such as the kind of scene."""

    paints: tuple[int, int, int]
    """Colours that a rule may add; neither in the palette nor the marker."""

    @classmethod
    def draw(cls, rng: np.random.Generator, smallest: int, largest: int) -> Self:
        """Draw the sizes, with sides from ``smallest`` to ``largest``, and the colours."""
        order = (1 + rng.permutation(COLOURS - 1)).tolist()
        number = int(rng.integers(PALETTES[0], PALETTES[1] + 1))
        low, high = smallest, largest
        if rng.random() < USUAL_SHARE and USUAL_SIDES[0] <= largest and smallest <= USUAL_SIDES[1]:
            low, high = max(low, USUAL_SIDES[0]), min(high, USUAL_SIDES[1])
        rows = int(rng.integers(low, high + 1))
        columns = rows if rng.random() < SQUARE_SHARE else int(rng.integers(low, high + 1))
        spread = int(rng.choice((0, 0, 2, 4)))
        return cls(
            rng,
            (max(rows - spread, smallest), min(rows + spread, largest)),
            (max(columns - spread, smallest), min(columns + spread, largest)),
            tuple(order[4 : 4 + number]),
            order[0],
            float(rng.random()),
            (order[1], order[2], order[3]),
        )

    def size(self) -> tuple[int, int]:
        """Draw the rows and columns of an input."""
        return self.between(*self.rows), self.between(*self.columns)

    def between(self, low: int, high: int) -> int:
        """Draw a whole number from ``low`` to ``high``, both included; ``low`` if there is none."""
        return int(self.rng.integers(low, high + 1)) if high > low else low

    def colour(self) -> int:
        """Draw a colour of the palette."""
        return self.palette[self.between(0, len(self.palette) - 1)]

    def chance(self, probability: float) -> bool:
        """Draw whether something happens that has this probability."""
        return bool(self.rng.random() < probability)
