"""The fields of one line of a trace, each checked as it is taken.

Everything here raises ValueError that names the field. Nothing of a stranger's file reaches a
drawing with a number that is out of its range.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.trace.arrays import grid_of

MOST = 1 << 40
"""The largest count that is read."""

LONGEST_TEXT = 1 << 16
"""Most characters of a text that is read."""


class Fields:
    """The fields of a JSON object, by their names."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise ValueError("this is no JSON object")
        self.values = values

    def value(self, name: str) -> Any:
        """Whatever is there."""
        if name not in self.values:
            raise ValueError(f'"{name}" is missing')
        return self.values[name]

    def text(self, name: str) -> str:
        """A text."""
        value = self.value(name)
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise ValueError(f'"{name}" must be a text')
        return value

    def count(self, name: str, least: int = 0, most: int = MOST) -> int:
        """A whole number within bounds."""
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f'"{name}" must be a whole number from {least} to {most}')
        return value

    def number(self, name: str, most: float = float(MOST)) -> float:
        """A number from 0 on."""
        value = self.value(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= most:
            raise ValueError(f'"{name}" must be a number from 0 to {most:g}')
        return float(value)

    def optional_number(self, name: str, most: float = float(MOST)) -> float | None:
        """A number from 0 on; None for null."""
        return None if self.value(name) is None else self.number(name, most)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            raise ValueError(f'"{name}" must be true or false')
        return value

    def optional_flag(self, name: str) -> bool | None:
        """True or false; None for null."""
        return None if self.value(name) is None else self.flag(name)

    def grid(self, name: str, shape: tuple[int, ...] | None = None) -> NDArray[np.int8]:
        """A grid, of that shape if one is given."""
        grid = grid_of(self.value(name))
        if shape is not None and grid.shape != shape:
            raise ValueError(f'"{name}" must have {shape[0]} rows and {shape[1]} columns')
        return grid

    def objects(self, name: str, most: int = 1000) -> list["Fields"]:
        """A list of objects."""
        values = self.value(name)
        if not isinstance(values, list) or len(values) > most:
            raise ValueError(f'"{name}" must be a list of at most {most} objects')
        return [Fields(value) for value in values]


def finite(value: float | None) -> float | None:
    """The number for JSON, which has no infinity: null in place of one."""
    return value if value is not None and math.isfinite(value) else None
