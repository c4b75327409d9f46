"""Grids for tests, written as text, and rules with the outputs that were worked out by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trmsolve.puzzles.values import Grid


def grid(text: str) -> Grid:
    """Rows of digits, separated by spaces or line ends; a point is 0."""
    rows = [list(row) for row in text.replace(".", "0").split()]
    return np.array(rows, np.int8)


@dataclass(frozen=True)
class Case:
    """A rule, an input, and what it makes of it; None if it has no answer."""

    rule: Callable[..., Grid]
    given: str
    made: str | None
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule.__name__}{list(self.parameters.values())}"


def case(rule: Callable[..., Grid], given: str, made: str | None, **parameters: Any) -> Case:
    return Case(rule, given, made, parameters)
