"""Rules for panels: parts of equal size that lines of one colour separate."""

from collections import Counter
from itertools import pairwise

import numpy as np

from trmsolve.arc.generate.setting import Unfit
from trmsolve.puzzles.values import Grid


def split(grid: Grid, line: int) -> list[Grid]:
    """The panels between full rows, or else full columns, of the line's colour, in order.

    Raises:
        Unfit: If there are none, or they differ in size.
    """
    full = (grid == line).all(1)
    if not full.any():
        if not (grid == line).all(0).any():
            raise Unfit
        return [panel.T for panel in split(grid.T, line)]
    places = [-1, *np.flatnonzero(full).tolist(), len(grid)]
    ends = pairwise(places)
    panels = [grid[start + 1 : end] for start, end in ends]
    if len({panel.shape for panel in panels}) != 1 or not panels[0].size:
        raise Unfit
    return panels


def combine(grid: Grid, operation: str, line: int, colour: int) -> Grid:
    """Paint the cells of which an operation on the two panels is true.

    It is "and", "or", "xor", "neither" or "only-first", of cells being coloured.
    """
    first, second = (panel != 0 for panel in _two(grid, line))
    results = {
        "and": first & second,
        "or": first | second,
        "xor": first ^ second,
        "neither": ~(first | second),
        "only-first": first & ~second,
    }
    return np.where(results[operation], colour, 0).astype(np.int8)


def overlay(grid: Grid, on_top: str, line: int) -> Grid:
    """Lay one of two panels, the "first" or the "second", over the other."""
    first, second = _two(grid, line)
    above, below = (first, second) if on_top == "first" else (second, first)
    return np.where(above != 0, above, below).astype(np.int8)


def _two(grid: Grid, line: int) -> tuple[Grid, Grid]:
    panels = split(grid, line)
    if len(panels) != 2:
        raise Unfit
    return panels[0], panels[1]


def odd_panel(grid: Grid, line: int) -> Grid:
    """Show the panel that differs from all others, which are equal."""
    panels = split(grid, line)
    counts = Counter(panel.tobytes() for panel in panels)
    single = [panel for panel in panels if counts[panel.tobytes()] == 1]
    if len(panels) < 3 or len(single) != 1 or len(counts) != 2:
        raise Unfit
    return single[0]


def fullest_panel(grid: Grid, which: str, line: int) -> Grid:
    """Show the panel with the most ("fullest") or the fewest ("emptiest") coloured cells."""
    panels = split(grid, line)
    counts = [int(np.count_nonzero(panel)) for panel in panels]
    chosen = max(counts) if which == "fullest" else min(counts)
    if counts.count(chosen) != 1:
        raise Unfit
    return panels[counts.index(chosen)]


def remove_lines(grid: Grid, line: int) -> Grid:
    """Put the panels together without the lines between them."""
    kept_rows = ~(grid == line).all(1)
    kept_columns = ~(grid == line).all(0)
    if kept_rows.all() and kept_columns.all():
        raise Unfit
    without: Grid = grid[kept_rows][:, kept_columns]
    return without
