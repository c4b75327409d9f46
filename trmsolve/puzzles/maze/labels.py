"""The public data set's rule for the one right path among many shortest ones, and the arrows that lead along it.

The rule: a breadth-first search from the start tries the neighbours of a cell in the order down,
left, right, up, and who discovers a cell first is its parent. Its path to the goal is the
lexicographically least of the shortest ones in that order of moves. So it can be told from the
goal's side, and cell by cell: from every cell the first direction that leads nearer to the goal.
Compiled by numba; used to make and label mazes, never to verify an answer.

Shapes: grids (N, rows, columns) int8 with the contents of ``maze_cells``. A cell's place is ``row *
columns + column``.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import kernel
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, STEPS, WALL

Grids = NDArray[np.int8]
_STEPS = np.array(STEPS)


@kernel
def distances(grid: Grids, place: int, found: NDArray[np.int32], queue: NDArray[np.int32]) -> int:
    """Fill ``found`` (cells,) with the steps from ``place`` to every cell, -1 where there is no way; how many it found.

    ``queue`` (cells,) then holds the found cells in order of their distance.
    """
    rows, columns = grid.shape
    found[:] = -1
    found[place] = 0
    queue[0] = place
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        row, column = here // columns, here % columns
        for direction in range(1, 5):
            r, c = row + _STEPS[direction, 0], column + _STEPS[direction, 1]
            if (
                0 <= r < rows
                and 0 <= c < columns
                and grid[r, c] != WALL
                and found[r * columns + c] < 0
            ):
                found[r * columns + c] = found[here] + 1
                queue[tail] = r * columns + c
                tail += 1
    return tail


@kernel
def _find(grid: Grids, content: int) -> int:
    rows, columns = grid.shape
    for place in range(rows * columns):
        if grid[place // columns, place % columns] == content:
            return place
    return -1


@kernel
def spread(questions: Grids) -> NDArray[np.int32]:
    """(N, rows, columns): the steps from every cell to the goal, -1 where there is no way, or no goal."""
    number, rows, columns = questions.shape
    steps = np.full((number, rows, columns), -1, np.int32)
    found, queue = np.empty(rows * columns, np.int32), np.empty(rows * columns, np.int32)
    for n in range(number):
        goal = _find(questions[n], GOAL)
        if goal >= 0:
            distances(questions[n], goal, found, queue)
            steps[n] = found.reshape(rows, columns)
    return steps


@kernel
def downhill(steps: NDArray[np.int32]) -> Grids:
    """(N, rows, columns): of every cell that can reach the goal the first direction that leads nearer to it, else 0."""
    number, rows, columns = steps.shape
    arrows = np.zeros((number, rows, columns), np.int8)
    for n in range(number):
        for row in range(rows):
            for column in range(columns):
                if steps[n, row, column] <= 0:
                    continue
                for direction in range(1, 5):
                    r, c = row + _STEPS[direction, 0], column + _STEPS[direction, 1]
                    if (
                        0 <= r < rows
                        and 0 <= c < columns
                        and steps[n, r, c] == steps[n, row, column] - 1
                    ):
                        arrows[n, row, column] = direction
                        break
    return arrows


def point(questions: Grids) -> Grids:
    """``downhill`` of questions (N, rows, columns); one without a goal has no arrows."""
    return downhill(spread(questions))


@kernel
def follow(questions: Grids, arrows: Grids) -> Grids:
    """The answers: from the start along the arrows to the goal.

    A question whose start has no arrow stays as it is.
    """
    answers = questions.copy()
    for n in range(len(questions)):
        columns = questions.shape[2]
        here = _find(questions[n], START)
        if here < 0:
            continue
        row, column = here // columns, here % columns
        while arrows[n, row, column] > 0:
            direction = arrows[n, row, column]
            row, column = row + _STEPS[direction, 0], column + _STEPS[direction, 1]
            if answers[n, row, column] == FLOOR:
                answers[n, row, column] = PATH
    return answers


def label(questions: Grids) -> Grids:
    """The rule's own answers to questions (N, rows, columns)."""
    return follow(questions, point(questions))
