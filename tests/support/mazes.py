"""Mazes for tests, and a plain search over them in Python."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from trmsolve.model.config import TRMConfig
from trmsolve.puzzles.maze.cells import (
    FLOOR,
    GOAL,
    PATH,
    START,
    SYMBOLS,
    WALL,
)
from trmsolve.puzzles.maze.generate import generate_mazes
from trmsolve.puzzles.maze.symmetry import grid_symmetry
from trmsolve.puzzles.maze.task import Maze, MazeFlow
from trmsolve.puzzles.values import Grid, Puzzle, Trajectory

Place = tuple[int, int]

CONV = TRMConfig(
    vocab_size=18,
    seq_len=900,
    hidden_size=16,
    layers=1,
    recursions=1,
    latent_steps=1,
    mixer="conv",
    positions="none",
    board=(30, 30, 1, 1),
    expansion=2.0,
    inner_multiple=16,
    normed_swiglu=True,
    halt_from="min",
    feeds_back_answer=True,
)
"""A small network of the kind that solves mazes of any size."""


def grid(*rows: str) -> Grid:
    return np.array([[SYMBOLS.index(char) for char in row] for row in rows], np.int8)


def place_of(question: Grid, content: int) -> Place:
    row, column = np.argwhere(question == content)[0].tolist()
    return row, column


def neighbours(question: Grid, place: Place) -> list[Place]:
    """Down, left, right, up, where there is no wall."""
    row, column = place
    around = [(row + 1, column), (row, column - 1), (row, column + 1), (row - 1, column)]
    rows, columns = question.shape
    return [
        (r, c) for r, c in around if 0 <= r < rows and 0 <= c < columns and question[r, c] != WALL
    ]


def parents_from(question: Grid, root: Place) -> dict[Place, Place]:
    """A breadth-first search in the rule's own words: who discovers a cell first is its parent."""
    parents, queue = {root: root}, deque([root])
    while queue:
        here = queue.popleft()
        for there in neighbours(question, here):
            if there not in parents:
                parents[there] = here
                queue.append(there)
    return parents


def by_the_rule(question: Grid) -> Grid:
    """The path from the goal back to the start, parent by parent; no mark where there is no way."""
    start, goal, answer = place_of(question, START), place_of(question, GOAL), question.copy()
    parents = parents_from(question, start)
    here = parents.get(goal, start)
    while here != start:
        answer[here] = PATH
        here = parents[here]
    return answer


def steps_from(question: Grid, root: Place) -> dict[Place, int]:
    """Of each cell that ``root`` reaches."""
    steps: dict[Place, int] = {}
    for place, parent in parents_from(question, root).items():  # in the order of their discovery
        steps[place] = steps[parent] + 1 if place != root else 0
    return steps


@st.composite
def questions(draw: st.DrawFn) -> Grid:
    """Any shape, walls of any density, ends anywhere: often there is no way between them."""
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    question = np.where(rng.random((rows, columns)) < draw(st.floats(0, 0.6)), WALL, FLOOR).astype(
        np.int8
    )
    question.flat[rng.permutation(rows * columns)[:2]] = START, GOAL
    return question


MAZE, FLOW = Maze(), MazeFlow()


@dataclass(frozen=True)
class View:
    """One of the 16 symmetries of mazes, for grids of any shape."""

    symmetry: int = 0
    swapped: bool = False

    def own_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the maze that looks like that."""
        return shape[::-1] if (self.symmetry >= 4) != (self.symmetry % 2 == 1) else shape

    def apply(self, maze: Grid) -> Grid:
        return grid_symmetry(maze.shape, self.symmetry, self.swapped).apply(maze)

    def undo(self, seen: Grid) -> Grid:
        shape = self.own_shape(seen.shape)
        return grid_symmetry(shape, self.symmetry, self.swapped).undo(seen.ravel()).reshape(shape)

    def undo_arrows(self, arrows: NDArray[np.int8]) -> NDArray[np.int8]:
        shape = self.own_shape(arrows.shape)
        tokens = np.where(arrows > 0, 5 + arrows, 1).ravel()
        return FLOW.arrows(FLOW.view(shape, self.symmetry, self.swapped).undo(tokens), shape)


VIEWS = [View(symmetry, swapped) for swapped in (False, True) for symmetry in range(8)]


def made(kind: str, number: int, size: tuple[int, int], seed: int = 1) -> list[Puzzle]:
    return list(islice(generate_mazes(kind, seed, size), number))


def turnings(question: Grid) -> Iterator[Grid]:
    """The eight symmetries by lists of rows."""
    rows: list[list[int]] = question.tolist()
    for transposed in (rows, [list(column) for column in zip(*rows, strict=True)]):
        for upside_down in (transposed, transposed[::-1]):
            for mirrored in (upside_down, [row[::-1] for row in upside_down]):
                yield np.array(mirrored, np.int8)


def all_clothes(question: Grid) -> list[Grid]:
    swapped = question.copy()
    swapped[question == START], swapped[question == GOAL] = GOAL, START
    return [*turnings(question), *turnings(swapped)]


def as_keys(several: list[Grid]) -> set[tuple[Any, ...]]:
    return {(one.shape, one.tobytes()) for one in several}


def at(trajectory: Trajectory, steps: int) -> NDArray[np.int64]:
    """(n, S): the stage of every token after so many steps."""
    stage = (trajectory.available_from <= steps).sum(1, keepdims=True) - 1
    return np.take_along_axis(trajectory.stages, stage, 1)[:, 0]
