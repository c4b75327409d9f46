"""The rules of a maze: what an answer must be, and whether there is one.

Written in plain Python and numpy, without the use of tokens and of the compiled search that makes
and labels mazes, so that a mistake in those cannot verify itself. Knows grids; nothing of networks.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import GOAL, PATH, START, WALL, overwritten
from trmsolve.puzzles.values import Grid, Verdict

Cell = tuple[int, int]
NAMES = ("wall", "floor", "start", "goal", "path")


def check(puzzle: Grid, answer: Grid, accept_detours: bool = False) -> Verdict:
    """The marked cells are one path from start to goal through floor, without branches, and no path is shorter.

    Walls and ends must be as they were. ``valid`` is all that but the last, which is ``optimal``.
    """
    if problem := _changed(puzzle, answer) or _no_path(answer):
        return Verdict(False, problem, valid=False, optimal=False)
    steps, least = int((answer == PATH).sum()) + 1, distance(puzzle)
    if steps == least:
        return Verdict(True, valid=True, optimal=True)
    return Verdict(
        accept_detours,
        f"the path takes {steps} steps, {least} are enough",
        valid=True,
        optimal=False,
    )


def find_faults(puzzle: Grid, answer: Grid) -> NDArray[np.bool_]:
    """(rows, columns): changed walls and ends, and loose ends and branches of the path.

    For the eye only.
    """
    marked = _neighbours(np.isin(answer, (START, PATH, GOAL)))
    ends, path = np.isin(answer, (START, GOAL)), answer == PATH
    found: NDArray[np.bool_] = (
        overwritten(puzzle, answer) | (ends & (marked != 1)) | (path & (marked != 2))
    )
    return found


def distance(grid: Grid) -> int | None:
    """The least steps from start to goal, by breadth-first search; None where walls are between."""
    cells: list[list[int]] = grid.tolist()
    start = next(
        (r, c) for r, row in enumerate(cells) for c, content in enumerate(row) if content == START
    )
    steps, reached, edge = 0, {start}, [start]
    while edge:
        beyond: list[Cell] = []
        for cell in edge:
            if cells[cell[0]][cell[1]] == GOAL:
                return steps
            beyond += [next_ for next_ in _beside(cell, cells) if next_ not in reached]
            reached.update(beyond)
        steps, edge = steps + 1, list(dict.fromkeys(beyond))
    return None


def _beside(cell: Cell, cells: list[list[int]]) -> list[Cell]:
    """The cells beside it that are no wall."""
    (row, column), rows, columns = cell, len(cells), len(cells[0])
    around = ((row + 1, column), (row, column - 1), (row, column + 1), (row - 1, column))
    return [(r, c) for r, c in around if 0 <= r < rows and 0 <= c < columns and cells[r][c] != WALL]


def _changed(puzzle: Grid, answer: Grid) -> str:
    """The first cell that an answer changed and must not, and how, or ""."""
    changed = np.argwhere(overwritten(puzzle, answer))
    if not len(changed):
        return ""
    row, column = changed[0].tolist()
    was, now = NAMES[puzzle[row, column]], NAMES[answer[row, column]]
    return f"the {was} at row {row + 1}, column {column + 1} became {now}"


def _no_path(answer: Grid) -> str:
    """Why the marked cells are no path from start to goal, or ""."""
    cells: list[list[int]] = answer.tolist()
    marked = {
        (r, c)
        for r, row in enumerate(cells)
        for c, content in enumerate(row)
        if content in (START, GOAL, PATH)
    }
    here = next(cell for cell in marked if cells[cell[0]][cell[1]] == START)
    walked = {here}
    while cells[here[0]][here[1]] != GOAL:
        further = [cell for cell in _beside(here, cells) if cell in marked and cell not in walked]
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


def _neighbours(marked: NDArray[np.bool_]) -> NDArray[np.int_]:
    """(rows, columns): of each cell how many of the four beside it are marked."""
    wide = np.pad(marked.astype(np.int_), 1)
    around: NDArray[np.int_] = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    return around
