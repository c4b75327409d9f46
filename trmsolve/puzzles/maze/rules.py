"""The rules of a maze: what a valid answer is, and whether a maze has one.

The rules are written in plain Python and numpy. They use neither tokens nor the compiled search
that makes and labels mazes, so that a mistake in those cannot confirm itself. This module knows
grids and no networks.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import (
    GOAL,
    PATH,
    START,
    WALL,
    count_beside,
    overwritten,
    path_length,
)
from trmsolve.puzzles.values import Grid, Verdict

NAMES = ("wall", "floor", "start", "goal", "path")

Cell = tuple[int, int]
"""The row and the column."""

Contents = list[list[int]]
"""The contents of all cells, row by row."""


def check(puzzle: Grid, answer: Grid, accept_detours: bool = False) -> Verdict:
    """Check that the marked cells are a shortest path from start to goal.

    An answer is ``valid`` if its marked cells are one path through floor, without branches, and
    if walls and ends are unchanged. It is ``optimal`` if no path is shorter. Only an optimal
    answer is verified, with ``accept_detours`` any valid one.
    """
    problem = _find_change(puzzle, answer) or _find_break(answer)
    if problem:
        return Verdict(False, problem, valid=False, optimal=False)
    steps = path_length(answer)
    least = distance(puzzle)
    if steps == least:
        return Verdict(True, valid=True, optimal=True)
    reason = f"the path takes {steps} steps, {least} are enough"
    return Verdict(accept_detours, reason, valid=True, optimal=False)


def find_faults(puzzle: Grid, answer: Grid) -> NDArray[np.bool_]:
    """Mark the cells (rows, columns) that break a rule, for display.

    These are changed walls and ends, and loose ends and branches of the path.
    """
    marked = np.isin(answer, (START, PATH, GOAL))
    neighbours = count_beside(marked)
    loose_ends = np.isin(answer, (START, GOAL)) & (neighbours != 1)
    loose_path = (answer == PATH) & (neighbours != 2)
    found: NDArray[np.bool_] = overwritten(puzzle, answer) | loose_ends | loose_path
    return found


def distance(grid: Grid) -> int | None:
    """Count the least steps from start to goal, or return None if walls are between them."""
    found = nearest_goal(grid)
    return found[1] if found else None


def nearest_goal(grid: Grid) -> tuple[Cell, int] | None:
    """Find the goal with the fewest steps from the start, and their number, if one is reached."""
    cells: Contents = grid.tolist()
    start = _find(cells, START)
    steps = {start: 0}
    queue = deque([start])  # breadth first
    while queue:
        here = queue.popleft()
        row, column = here
        if cells[row][column] == GOAL:
            return here, steps[here]
        for cell in _open_neighbours(here, cells):
            if cell not in steps:
                steps[cell] = steps[here] + 1
                queue.append(cell)
    return None


def _find(cells: Contents, content: int) -> Cell:
    """Find the first cell with a content. Raises ValueError if there is none."""
    for row, contents in enumerate(cells):
        if content in contents:
            return row, contents.index(content)
    raise ValueError(f"the maze has no {NAMES[content]}")


def _open_neighbours(cell: Cell, cells: Contents) -> list[Cell]:
    """List the cells beside this one that are no walls."""
    row, column = cell
    around = ((row + 1, column), (row, column - 1), (row, column + 1), (row - 1, column))
    return [neighbour for neighbour in around if _is_open(neighbour, cells)]


def _is_open(cell: Cell, cells: Contents) -> bool:
    """Tell whether the cell is on the board and no wall."""
    row, column = cell
    if not 0 <= row < len(cells):
        return False
    if not 0 <= column < len(cells[0]):
        return False
    return cells[row][column] != WALL


def _find_change(puzzle: Grid, answer: Grid) -> str:
    """Describe the first cell that the answer changed and must not, or return ""."""
    changed = np.argwhere(overwritten(puzzle, answer))
    if not len(changed):
        return ""
    row, column = changed[0].tolist()
    was = NAMES[puzzle[row, column]]
    now = NAMES[answer[row, column]]
    return f"the {was} at row {row + 1}, column {column + 1} became {now}"


def _find_break(answer: Grid) -> str:
    """Say why the marked cells are no path from start to goal, or return ""."""
    cells: Contents = answer.tolist()
    places = np.argwhere(np.isin(answer, (START, GOAL, PATH)))
    marked = {(row, column) for row, column in places.tolist()}
    here = _find(cells, START)
    walked = {here}
    while cells[here[0]][here[1]] != GOAL:
        marked_beside = marked.intersection(_open_neighbours(here, cells))
        further = list(marked_beside - walked)
        place = f"row {here[0] + 1}, column {here[1] + 1}"
        if not further:
            return f"the path ends at {place}" if len(walked) > 1 else "no path leaves the start"
        if len(further) > 1:
            return f"the path branches at {place}"
        here = further[0]
        walked.add(here)
    if len(walked) < len(marked):
        row, column = min(marked - walked)
        return f"row {row + 1}, column {column + 1} is marked and not on the path"
    return ""
