"""Settles where a maze starts and ends if its own signs do not say so.

The user may name the ends. Else they are the openings of a closed outer wall, and the nearest of
several goals is the goal. This module knows cells. It does not know drawings or images.
"""

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.maze.form import Marks
from trmsolve.puzzles.maze.meanings import ENDS
from trmsolve.puzzles.maze.rules import nearest_goal
from trmsolve.puzzles.values import Grid


def settle_ends(cells: Grid, marks: Marks) -> tuple[Grid, str]:
    """Set the ends that the user names or no sign marks, and leave one goal of several.

    Returns the cells and what is to be told of them. Raises PuzzleError if a named end is no floor.
    """
    cells = cells.copy()
    told = []
    for content, place in ((START, marks.start), (GOAL, marks.goal)):
        if place is not None:
            _set_end(cells, content, place)
    missing = [content for content in (START, GOAL) if not (cells == content).any()]
    openings = find_openings(cells) if missing else []
    if missing and len(openings) == len(missing):
        for content, place in zip(missing, openings, strict=True):
            cells[place] = content
            where = f"row {place[0] + 1}, column {place[1] + 1}"
            told.append(f"the {ENDS[content][0]} is the opening at {where}")
    goals = int((cells == GOAL).sum())
    if goals > 1 and (cells == START).sum() == 1:
        nearest = nearest_goal(cells)
        if nearest:
            cells[cells == GOAL] = FLOOR
            cells[nearest[0]] = GOAL
            told.append(f"the nearest of {goals} goals is taken")
    if told:
        told.append("--start and --goal choose others")
    return cells, "; ".join(told)


def _set_end(cells: Grid, content: int, place: tuple[int, int]) -> None:
    """Put an end where the user wants it. Raises PuzzleError if that is no floor."""
    rows, columns = cells.shape
    if place[0] >= rows or place[1] >= columns or cells[place] == WALL:
        where = f"row {place[0] + 1}, column {place[1] + 1}"
        name = ENDS[content][0]
        raise PuzzleError(f"--{name}: no floor at {where} of {rows} x {columns} cells")
    cells[cells == content] = FLOOR
    cells[place] = content


def find_openings(cells: Grid) -> list[tuple[int, int]]:
    """List the floor in the outer wall from top to bottom, if all else around is wall."""
    ring = np.ones(cells.shape, bool)
    ring[1:-1, 1:-1] = False
    contents = set(cells[ring].tolist())
    if not contents <= {WALL, FLOOR, START, GOAL}:
        return []
    places = np.argwhere(ring & (cells == FLOOR)).tolist()
    return [(row, column) for row, column in places] if len(places) <= 2 else []
