"""Mazes as a task: tokens, and what is learned.

Rules, views, text, drawing, making stand in the ``maze_*`` files.

Knows numpy, grids of walls and floor, and nothing of torch, terminals or commands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Diagnosis
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS, WALL
from trmsolve.puzzles.maze.generate import DIFFICULTIES, generate_mazes
from trmsolve.puzzles.maze.paint import paint_maze
from trmsolve.puzzles.maze.rules import check, distance, find_faults
from trmsolve.puzzles.maze.symmetry import SWAPPED, MazeView, turn
from trmsolve.puzzles.maze.text import line_maze, read_mazes, write_maze
from trmsolve.puzzles.values import NEVER, Course, Cycle, Grid, Line, Puzzle, Verdict, View
from trmsolve.wording import can_encode

BOARD = (30, 30)
"""What networks are trained on, and all that one with a place for every cell knows."""

LARGEST = (128, 128)
"""The largest maze for a network that knows no places.

A bound on time and memory; none is built in.
"""


@dataclass(frozen=True)
class Maze:
    """A maze as a task.

    Token 0 is padding, then wall, floor, start, goal and path, as in the public code.

    For networks with a place for every cell: smaller mazes stand in the upper left corner of the
    board, walls around. ``accept_detours`` has ``verify`` content with a path that is not a
    shortest one.
    """

    accept_detours: bool = False

    name = "maze"
    vocab_size = 6
    seq_len = BOARD[0] * BOARD[1]
    candidates = 1
    largest = BOARD
    symmetry_draws = 2
    ruled = True
    training_kinds: ClassVar[dict[str, int]] = {"hard": 10_000, "mixed": 30_000, "perfect": 5_000}
    training_bands: ClassVar[dict[str, float]] = {}
    difficulties = tuple(DIFFICULTIES)

    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every maze of a file in whatever form it has; see ``maze_text``."""
        return read_mazes(stream, name)

    def write(self, grid: Grid, form: Any) -> str:
        """A maze with the characters it was read in; with ``# SGo`` for the form None."""
        return write_maze(grid, form)

    def can_write(self, form: Any, encoding: str) -> bool:
        """Whether the encoding has all characters of the drawing and those that an answer adds to it."""
        if form is None:
            return True
        characters = "".join(form.rows) + "".join(form.marks)
        return can_encode(characters, encoding)

    def line(self, grid: Grid) -> str:
        """``# SGo``, row after row; rows are set apart by ``/`` where they could not be told otherwise."""
        return line_maze(grid)

    def text(self, grid: Grid) -> str:
        """``# SGo``, rows joined by line ends."""
        return "\n".join("".join(SYMBOLS[content] for content in row) for row in grid.tolist())

    def lay(self, grid: Grid) -> Grid:
        """On the board that networks are trained on, walls around.

        Raises PuzzleError if it is larger.
        """
        if problem := too_large(grid, BOARD):
            raise PuzzleError(f"{problem}; training is on boards of {BOARD[0]} x {BOARD[1]}")
        return _laid(grid)

    def encode(self, grid: NDArray[np.int8]) -> NDArray[np.int64]:
        """Grids (..., rows, columns) of up to 30x30 -> tokens (..., 900)."""
        return _laid(grid).reshape(*grid.shape[:-2], self.seq_len).astype(np.int64) + 1

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...]) -> Grid:
        """Tokens (900,) -> grid; padding, which means nothing here, becomes floor."""
        grid = self.cells(tokens, shape) - 1
        return np.where(grid < 0, FLOOR, grid).astype(np.int8)

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """(900,) -> (rows, columns)."""
        return values.reshape(BOARD)[: shape[0], : shape[1]]

    def relabel(self, tokens: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rule's own answers to turned questions (n, 900): a turned answer is a shortest path, but not its one."""
        from trmsolve.puzzles.maze.labels import label  # numba: not before it is needed

        return self.encode(label(_boards(tokens)))

    def course(self, tokens: NDArray[np.int64]) -> Course | None:
        """Unsaid: these tokens have no way to write down how far a search has come."""
        return None

    def relaxed(self) -> "Maze":
        """Detours are accepted."""
        return replace(self, accept_detours=True)

    def arrows(
        self, tokens: NDArray[np.int64], shape: tuple[int, ...], view: View
    ) -> NDArray[np.int8] | None:
        """These tokens say nothing of directions."""
        return None

    def misfit(self, grid: Grid) -> str:
        """Why the network cannot take a maze, or ""."""
        problem = too_large(grid, self.largest)
        return (
            problem
            and f"{problem}; these weights know mazes of up to {self.largest[0]} x {self.largest[1]}"
        )

    def unsolvable(self, grid: Grid) -> str:
        """That no way leads from start to goal, or ""."""
        return (
            "" if distance(grid) is not None else "unsolvable: walls keep the start from the goal"
        )

    def verify(self, puzzle: Grid, answer: Grid) -> Verdict:
        """One path from start to goal, without branches, and no other is shorter; see ``maze_check``."""
        return check(puzzle, answer, self.accept_detours)

    def diagnose(self, puzzle: Grid) -> Diagnosis:
        """Nothing: what has no solution never gets to the model, and several paths are common."""
        return Diagnosis()

    def faults(self, puzzle: Grid, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """Changed walls and ends, loose ends and branches of the path, and their number; 1 more for a detour."""
        faulty = find_faults(puzzle, answer)
        number = int(faulty.sum())
        if (
            not number and not self.verify(puzzle, answer).verified
        ):  # a ring of its own, or a detour
            number = 1
        return faulty, number

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The maze as lines of styled text; see ``maze_paint``."""
        return paint_maze(cycle, plain)

    def generate(
        self,
        difficulty: str,
        seed: int,
        size: tuple[int, int] | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Iterator[Puzzle]:
        """New mazes; see ``maze_generate``.

        Raises UsageError for a size or lengths that cannot be.
        """
        try:
            yield from generate_mazes(difficulty, seed, size, least, most)
        except ValueError as error:
            raise UsageError(str(error)) from None

    def symmetries(self, draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Symmetries of boards: (n, 900) where each token comes from, (n, V) what it becomes: ends may be swapped."""
        places = np.arange(self.seq_len).reshape(BOARD)
        turns = np.stack([turn(places, symmetry).ravel() for symmetry in range(8)])
        names = np.stack([np.arange(self.vocab_size)] * 2)
        names[1, [1 + START, 1 + GOAL]] = 1 + GOAL, 1 + START
        which = (draws * (8, 2)).astype(np.int64)
        return turns[which[:, 0]], names[which[:, 1]]

    def views(self, rng: np.random.Generator) -> Iterator[MazeView]:
        """The maze as given, then the other 15 in random order, and again."""
        others = [
            MazeView(symmetry, swapped) for swapped in (False, True) for symmetry in range(8)
        ][1:]
        return chain(
            [MazeView()],
            chain.from_iterable(([others[i] for i in rng.permutation(15)]) for _ in repeat(0)),
        )

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """(N, rows, columns) -> (N,): a digest of the form that symmetries leave as it is."""
        return np.array(
            [int.from_bytes(self.canonical(answer)[:8], "big") for answer in answers], np.uint64
        )

    def canonical(self, answer: Grid) -> bytes:
        """The same 32 bytes for exactly the mazes that the symmetries turn into each other, whatever the path."""
        import hashlib

        maze = np.where(answer == PATH, FLOOR, answer).astype(np.int8)
        forms = [
            turn(clothes, symmetry) for clothes in (maze, SWAPPED[maze]) for symmetry in range(8)
        ]
        shape, cells = min((str(form.shape), form.tobytes()) for form in forms)
        return hashlib.sha256(shape.encode() + cells).digest()


ARROW, ON_PATH, AT_START = 5, 9, 13
"""To be added to a direction, these give the tokens of floor off the path, of a cell on the path, and of the start."""


@dataclass(frozen=True)
class MazeFlow(Maze):
    """The same maze for networks that know no places, and that write down from which cells they see the goal, and how.

    Besides the tokens of ``Maze`` there are, for each direction, a floor cell from where one would
    go that way (6 to 9), a cell of the path that goes on that way (10 to 13), and a start that does
    (14 to 17). So an answer says at every stage how far it has come, and the next cycle can take it
    up. Tokens are laid out as the maze is, whatever its size.
    """

    vocab_size = 18
    largest = LARGEST

    def encode(self, grid: NDArray[np.int8]) -> NDArray[np.int64]:
        """Grids (..., rows, columns) -> tokens of the same shape."""
        return grid.astype(np.int64) + 1

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...]) -> Grid:
        """Tokens (S,) -> grid; arrows off the path are floor."""
        grid: Grid = CONTENTS[tokens].reshape(shape)
        return grid

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """(S,) -> (rows, columns)."""
        return values.reshape(shape)

    def relabel(self, tokens: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rule's path, and its arrows everywhere: the end of ``course``."""
        return self.course(tokens).end()

    def course(self, tokens: NDArray[np.int64]) -> Course:
        """The search from the goal gives each cell it discovers its arrow; once at the start, the way back is marked.

        Stages are the question, the arrow, and the path; a step goes one cell on.
        """
        from trmsolve.puzzles.maze.labels import (
            downhill,
            follow,
            spread,
        )  # numba: not before it is needed

        boards = _boards(tokens)
        away = spread(boards)
        pointed = downhill(away)
        path = (follow(boards, pointed) == PATH).reshape(tokens.shape)
        steps, arrows = away.reshape(tokens.shape), pointed.reshape(tokens.shape)
        start = tokens == 1 + START
        least = (steps * start).sum(1, keepdims=True)
        pointing = np.where(arrows > 0, np.where(start, AT_START, ARROW) + arrows, tokens)
        since = (
            np.zeros_like(steps),
            np.where(arrows > 0, steps, NEVER),
            np.where(path, 2 * least - steps, NEVER),
        )
        return Course(
            np.stack((tokens, pointing, ON_PATH + arrows), 1), np.stack(since, 1).astype(np.int32)
        )

    def arrows(
        self, tokens: NDArray[np.int64], shape: tuple[int, ...], view: View
    ) -> NDArray[np.int8]:
        """The directions the model says (rows, columns), in the puzzle's own frame; 0 where it says none."""
        assert isinstance(view, MazeView)
        directions = np.where(tokens > ARROW, (tokens - ARROW - 1) % 4 + 1, 0).astype(np.int8)
        return view.undo_arrows(directions.reshape(shape))


CONTENTS = np.array(
    [FLOOR, WALL, FLOOR, START, GOAL, PATH] + 4 * [FLOOR] + 4 * [PATH] + 4 * [START], np.int8
)
"""What the tokens of ``MazeFlow`` stand for."""


def too_large(grid: Grid, largest: tuple[int, int]) -> str:
    """That a maze has more rows or columns than that, or ""."""
    rows, columns = grid.shape
    return (
        ""
        if rows <= largest[0] and columns <= largest[1]
        else f"too large: {rows} rows and {columns} columns"
    )


def _laid(grids: NDArray[np.int8]) -> NDArray[np.int8]:
    """Grids (..., rows, columns) in the upper left corners of boards, walls around."""
    rows, columns = grids.shape[-2:]
    boards = np.full((*grids.shape[:-2], *BOARD), WALL, np.int8)
    boards[..., :rows, :columns] = grids
    return boards


def _boards(tokens: NDArray[np.int64]) -> NDArray[np.int8]:
    """Question tokens (n, 900) as grids."""
    return (tokens.reshape(-1, *BOARD) - 1).astype(np.int8)
