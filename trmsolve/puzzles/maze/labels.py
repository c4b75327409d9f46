"""The public data set's rule for the one right path among many shortest ones.

The rule: a breadth-first search from the start tries the neighbours of a cell in the order down,
left, right, up, and the cell that discovers a neighbour first becomes its parent. The path of this
search to the goal is the lexicographically least of the shortest paths, in that order of moves.

The same path can be found from the goal's side, cell by cell: an arrow leads from every cell in the
first direction that comes nearer to the goal. The functions are compiled by numba. They make and
label mazes, and never verify an answer.

Grids have the shape (N, rows, columns), int8, with the contents of ``cells``. The place of a cell
is ``row * columns + column``.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import kernel
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, STEPS, WALL

Grids = NDArray[np.int8]
_STEPS = np.array(STEPS)


@kernel
def distances(grid: Grids, place: int, found: NDArray[np.int32], queue: NDArray[np.int32]) -> int:
    """Fill ``found`` (cells,) with the steps from ``place`` to every cell, -1 where no way leads.

    Returns how many cells it found. ``queue`` (cells,) then has their places, nearest first.
    """
    rows, columns = grid.shape
    found[:] = -1
    found[place] = 0
    queue[0] = place
    head = 0
    tail = 1
    while head < tail:
        here = queue[head]
        head += 1
        row = here // columns
        column = here % columns
        for direction in range(1, 5):
            r = row + _STEPS[direction, 0]
            c = column + _STEPS[direction, 1]
            inside = 0 <= r < rows and 0 <= c < columns
            if inside and grid[r, c] != WALL and found[r * columns + c] < 0:
                found[r * columns + c] = found[here] + 1
                queue[tail] = r * columns + c
                tail += 1
    return tail


@kernel
def _find(grid: Grids, content: int) -> int:
    """Find the first place with a content, or return -1."""
    rows, columns = grid.shape
    for place in range(rows * columns):
        if grid[place // columns, place % columns] == content:
            return place
    return -1


@kernel
def spread(questions: Grids) -> NDArray[np.int32]:
    """Count the steps (N, rows, columns) from every cell to the goal.

    They are -1 where no way leads to the goal, and everywhere if there is no goal.
    """
    number, rows, columns = questions.shape
    steps = np.full((number, rows, columns), -1, np.int32)
    found = np.empty(rows * columns, np.int32)
    queue = np.empty(rows * columns, np.int32)
    for n in range(number):
        goal = _find(questions[n], GOAL)
        if goal >= 0:
            distances(questions[n], goal, found, queue)
            steps[n] = found.reshape(rows, columns)
    return steps


@kernel
def _first_nearer(steps: NDArray[np.int32], row: int, column: int) -> int:
    """Find the first direction that comes nearer to the goal, given all ``steps`` of a maze."""
    rows, columns = steps.shape
    nearer = steps[row, column] - 1
    for direction in range(1, 5):
        r = row + _STEPS[direction, 0]
        c = column + _STEPS[direction, 1]
        if 0 <= r < rows and 0 <= c < columns and steps[r, c] == nearer:
            return direction
    return 0


@kernel
def downhill(steps: NDArray[np.int32]) -> Grids:
    """Find the arrow (N, rows, columns) of every cell that can reach the goal; others have 0."""
    number, rows, columns = steps.shape
    arrows = np.zeros((number, rows, columns), np.int8)
    for n in range(number):
        maze = steps[n]
        for row in range(rows):
            for column in range(columns):
                if maze[row, column] > 0:
                    arrows[n, row, column] = _first_nearer(maze, row, column)
    return arrows


def point(questions: Grids) -> Grids:
    """Find the arrows of questions (N, rows, columns). A question without a goal has none."""
    return downhill(spread(questions))


@kernel
def follow(questions: Grids, arrows: Grids) -> Grids:
    """Mark the answers, which follow the arrows from the start to the goal.

    A question whose start has no arrow stays as it is.
    """
    answers = questions.copy()
    for n in range(len(questions)):
        columns = questions.shape[2]
        here = _find(questions[n], START)
        if here < 0:
            continue
        row = here // columns
        column = here % columns
        while arrows[n, row, column] > 0:
            direction = arrows[n, row, column]
            row += _STEPS[direction, 0]
            column += _STEPS[direction, 1]
            if answers[n, row, column] == FLOOR:
                answers[n, row, column] = PATH
    return answers


def label(questions: Grids) -> Grids:
    """Return the rule's own answers to questions (N, rows, columns)."""
    return follow(questions, point(questions))
