"""Mazes as a task: tokens, and what is learned.

Rules, symmetries, reading, drawing and making are in the files beside this one.

Knows numpy, grids of walls and floor, and nothing of torch, terminals or commands.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Task, check_values
from trmsolve.puzzles.maze.answer import read_answer
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS, WALL
from trmsolve.puzzles.maze.form import NO_MARKS, Marks, MazeForm, line_maze, parse_marks, write_maze
from trmsolve.puzzles.maze.generate import generate_mazes
from trmsolve.puzzles.maze.paint import (
    KEY,
    KEY_PLAIN,
    cell_kinds,
    paint_maze,
    paint_maze_large,
    paint_maze_small,
)
from trmsolve.puzzles.maze.rules import check, distance, find_faults
from trmsolve.puzzles.maze.symmetry import SWAPPED, TURNED, grid_symmetry, on_board, turn
from trmsolve.puzzles.maze.words import MazeWords
from trmsolve.puzzles.values import NEVER, Cycle, Grid, Line, Puzzle, Symmetry, Trajectory, Verdict
from trmsolve.wording import can_encode

MAZE_STYLES = {
    "floor": "none",
    "wall": "dim",
    "wave": "bright_blue",
    "path": "bold cyan",
    "start": "bold green",
    "goal": "bold",
}
"""Styles of a maze's cells; half blocks have pairs of colours of ``show.console``."""

BOARD = (30, 30)
"""The board of training, and the only one for a network with a place for every cell."""

LARGEST = (257, 257)
"""The largest maze for a network that knows no places: a bound on time and memory.

It has 128 x 128 cells with walls between them. Its answer takes about a minute on one core, and
1.4 GB.
"""


@dataclass(frozen=True)
class Maze(MazeWords, Task):
    """A maze as a task.

    Token 0 is padding, then wall, floor, start, goal and path, as in the public code.

    For networks with a place for every cell: smaller mazes stand in the upper left corner of the
    board, walls around. ``accept_detours`` has ``verify`` content with a path that is not a
    shortest one.
    """

    accept_detours: bool = False
    marks: Marks = NO_MARKS
    """What the user says of the signs and ends in files."""

    vocab_size = 6
    seq_len = BOARD[0] * BOARD[1]
    largest = BOARD
    symmetry_draws = 2
    paper_latent_steps: ClassVar[int | None] = 4
    has_canonical_label = True
    training_kinds: ClassVar[dict[str, int]] = {"hard": 10_000, "mixed": 30_000, "perfect": 5_000}
    training_bands: ClassVar[dict[str, float]] = {}
    smoke_puzzles = ("perfect", (10, 10))
    styles: ClassVar[dict[str, str]] = MAZE_STYLES

    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every maze of a file in whatever form it has; see ``text``."""
        from trmsolve.puzzles.maze.text import read_mazes  # no help needs a reader

        return read_mazes(stream, name, self.marks)

    def marked(self, start: str | None, goal: str | None, signs: str | None) -> "Maze":
        """Files are read with these ends, R,C from 1, and these signs, ``%=#,P=S``."""
        try:
            return replace(self, marks=parse_marks(start, goal, signs))
        except ValueError as error:
            raise UsageError(str(error)) from None

    def puzzle_of(self, cells: NDArray[np.int64]) -> Puzzle:
        """The maze of an array of wall 0, floor 1, start 2, goal 3 and path 4, which is floor.

        Raises PuzzleError for any other.
        """
        check_values(cells, PATH)
        for content, name in ((START, "start"), (GOAL, "goal")):
            number = int((cells == content).sum())
            if number != 1:  # a reader of drawings would guess which is meant
                raise PuzzleError(f"{number} cells are {content}: a maze has one {name}", "array")
        return self.judged_by_reader(cells)

    def read_answer(self, text: str, puzzle: Puzzle) -> Grid:
        """The rows of an answer in ``# SGo`` or in the characters of the maze.

        Raises PuzzleError if these are other characters or another size.
        """
        return read_answer(text, puzzle)

    def write(self, grid: Grid, form: Any) -> str:
        """A maze with the characters it was read in; with ``# SGo`` for the form None."""
        return write_maze(grid, form)

    def can_write(self, form: Any, encoding: str) -> bool:
        """Whether the encoding has all characters of the drawing, and those that an answer adds."""
        if form is None:
            return True
        characters = "".join(form.rows) + "".join(form.marks)
        return can_encode(characters, encoding)

    def line(self, grid: Grid) -> str:
        """``# SGo``, row after row; a ``/`` parts rows that could not be told apart otherwise."""
        return line_maze(grid)

    def text(self, grid: Grid) -> str:
        """``# SGo``, rows joined by line ends."""
        rows = ["".join(SYMBOLS[content] for content in row) for row in grid.tolist()]
        return "\n".join(rows)

    def pad_to_board(self, grid: Grid) -> Grid:
        """On the board that networks are trained on, walls around.

        Raises PuzzleError if it is larger.
        """
        if problem := too_large(grid, BOARD):
            raise PuzzleError(f"{problem}; training uses boards of {BOARD[0]} x {BOARD[1]}")
        return _laid(grid)

    def encode(
        self,
        grid: NDArray[np.int8],
        extra: NDArray[np.int8] | None = None,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """Grids (..., rows, columns) of up to 30x30 -> tokens (..., 900)."""
        boards = _laid(grid)
        cells = boards.reshape(*grid.shape[:-2], self.seq_len)
        return cells.astype(np.int64) + 1

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...]) -> Grid:
        """Tokens (900,) -> grid; padding, which means nothing here, becomes floor."""
        grid = self.cells(tokens, shape) - 1
        return np.where(grid < 0, FLOOR, grid).astype(np.int8)

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """(900,) -> (rows, columns)."""
        rows, columns = shape
        board = values.reshape(BOARD)
        return board[:rows, :columns]

    def relabel_after_augmentation(
        self,
        tokens: NDArray[np.int64],
        labels: NDArray[np.int64],  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """The rule's own answers to turned questions (n, 900).

        A turned answer is a shortest path, but not always the one that the rule chooses.
        """
        from trmsolve.puzzles.maze.labels import label  # numba: not before it is needed

        return self.encode(label(_boards(tokens)))

    def accepting_any_valid(self) -> "Maze":
        """Detours are accepted."""
        return replace(self, accept_detours=True)

    def unsupported(self, puzzle: Puzzle) -> str:
        """Why the network cannot take a maze, or ""."""
        problem = too_large(puzzle.grid, self.largest)
        if not problem:
            return ""
        rows, columns = self.largest
        if isinstance(puzzle.form, MazeForm) and puzzle.form.lines:
            problem += ", thin walls included"
        return f"{problem}; these weights support mazes up to {rows} x {columns}: give a part of it"

    def reason_unsolvable(self, puzzle: Puzzle) -> str:
        """That no way leads from start to goal, or ""."""
        if distance(puzzle.grid) is not None:
            return ""
        return "unsolvable: walls keep the start from the goal"

    def more_cycles(self, puzzle: Puzzle) -> int:
        """As many as the longest path needs: it winds through half of all cells.

        A cycle brings the network on by 24 cells, and it goes there and back.
        """
        longest = puzzle.grid.size // 2
        return max(longest // 12 - self.default_cycles, 0)

    def steps_to_answer(self, puzzle: Puzzle) -> int | None:
        """The way from the goal to the start, and back as the path; None if there is none.

        It bounds the time and is shown to people. The network does not hear of it.
        """
        steps = distance(puzzle.grid)
        return None if steps is None else 2 * steps

    def verify(self, puzzle: Puzzle, answer: Grid) -> Verdict:
        """One path from start to goal, without branches, and no other is shorter; see ``rules``."""
        return check(puzzle.grid, answer, self.accept_detours)

    def faults(self, puzzle: Puzzle, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """Changed walls and ends, loose ends and branches of the path, and their number.

        A ring of its own, or a detour, counts as one.
        """
        faulty = find_faults(puzzle.grid, answer)
        number = int(faulty.sum())
        if not number and not self.verify(puzzle, answer).verified:
            number = 1
        return faulty, number

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The maze as lines of styled text; see ``paint``."""
        return paint_maze(cycle, plain)

    def paint_large(self, cycle: Cycle) -> list[Line]:
        """The maze with two columns and a line for each cell; see ``paint``."""
        return paint_maze_large(cycle)

    def paint_small(self, cycle: Cycle) -> list[Line]:
        """The maze with eight cells in each character; see ``paint``."""
        return paint_maze_small(cycle)

    def key(self, plain: bool) -> list[Line]:
        """The ends and the path."""
        return KEY_PLAIN if plain else KEY

    def cell_styles(self, cycle: Cycle) -> list[list[str]]:
        """One kind for each cell; see ``paint``."""
        return cell_kinds(cycle)

    def generate(self, difficulty: str, seed: int) -> Iterator[Puzzle]:
        """New mazes of the usual size; see ``generate``."""
        return self.generate_sized(difficulty, seed)

    def generate_sized(
        self,
        difficulty: str,
        seed: int,
        size: tuple[int, int] | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Iterator[Puzzle]:
        """New mazes with so many rows and columns, and paths of ``least`` to ``most`` steps.

        Raises UsageError for a size or lengths that cannot be.
        """
        try:
            yield from generate_mazes(difficulty, seed, size, least, most)
        except ValueError as error:
            raise UsageError(str(error)) from None

    def symmetries(self, draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Symmetries of boards from uniform numbers (n, 2).

        The first decides on one of 8 turns and mirrorings, the second on swapping the ends.
        """
        places = np.arange(self.seq_len).reshape(BOARD)
        turns = np.stack([turn(places, symmetry).ravel() for symmetry in range(8)])
        names = np.stack([self.token_values(0, False), self.token_values(0, True)])
        which = (draws * (8, 2)).astype(np.int64)
        cells = turns[which[:, 0]]
        values = names[which[:, 1]]
        return cells, values

    def token_values(self, symmetry: int, swapped: bool) -> NDArray[np.int64]:  # noqa: ARG002
        """(V,): what each token becomes under one of the 8 symmetries, the ends swapped or not."""
        values = np.arange(self.vocab_size)
        if swapped:
            values[[1 + START, 1 + GOAL]] = 1 + GOAL, 1 + START
        return values

    def views(self, puzzle: Puzzle, rng: np.random.Generator) -> Iterator[Symmetry]:
        """The maze as given, then the other 15 symmetries in random order, and again."""
        shape = puzzle.grid.shape
        yield self.view(shape, 0, False)
        while True:
            for number in rng.permutation(15).tolist():
                swapped, symmetry = divmod(1 + number, 8)
                yield self.view(shape, symmetry, bool(swapped))

    def view(self, shape: tuple[int, ...], symmetry: int, swapped: bool) -> Symmetry:
        """One of the 16 symmetries of the tokens of mazes of that shape."""
        places = grid_symmetry(shape, symmetry).cells
        return Symmetry(self.token_places(places, shape), self.token_values(symmetry, swapped))

    def token_places(self, places: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[np.intp]:
        """The places of a turned grid (rows, columns) as those of its tokens."""
        return on_board(places, shape, BOARD)

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """(N, rows, columns) -> (N,): a digest of the form that symmetries leave as it is."""
        heads = [int.from_bytes(self.canonical(answer)[:8], "big") for answer in answers]
        return np.array(heads, np.uint64)

    def canonical(self, answer: Grid) -> bytes:
        """The same 32 bytes for exactly the mazes that are one under symmetries, paths aside."""
        maze = np.where(answer == PATH, FLOOR, answer).astype(np.int8)
        forms = [turn(maze, symmetry) for symmetry in range(8)]
        forms += [SWAPPED[form] for form in forms]
        keys = [(str(form.shape), form.tobytes()) for form in forms]
        shape, cells = min(keys)
        content = shape.encode() + cells
        return hashlib.sha256(content).digest()


ARROW, ON_PATH, AT_START = 5, 9, 13
"""Tokens before those of the four directions: on other floor, on the path, at the start."""


@dataclass(frozen=True)
class MazeFlow(Maze):
    """The same maze for networks that know no places and write down how far they have come.

    Besides the tokens of ``Maze`` there are, for each direction, a floor cell from where one would
    go that way (6 to 9), a cell of the path that goes on that way (10 to 13), and a start that does
    (14 to 17). An answer thus says at every stage how far it has come, and the next cycle can take
    it up. Tokens are laid out as the maze is, whatever its size.
    """

    vocab_size = 18
    largest = LARGEST
    batch_share = 0.25  # boards are large, and a full batch comes sooner
    paper_latent_steps = None

    def encode(
        self,
        grid: NDArray[np.int8],
        extra: NDArray[np.int8] | None = None,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """Grids (..., rows, columns) -> tokens of the same shape."""
        return grid.astype(np.int64) + 1

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...]) -> Grid:
        """Tokens (S,) -> grid; arrows off the path are floor."""
        grid: Grid = CONTENTS[tokens].reshape(shape)
        return grid

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """(S,) -> (rows, columns)."""
        return values.reshape(shape)

    def relabel_after_augmentation(
        self,
        tokens: NDArray[np.int64],
        labels: NDArray[np.int64],  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """The rule's path, and its arrows everywhere: the end of ``trajectory``."""
        return self.trajectory(tokens).end()

    def trajectory(self, tokens: NDArray[np.int64]) -> Trajectory:
        """The search from the goal, which marks the way back once it has found the start.

        It gives each cell that it discovers an arrow.

        Stages are the question, the arrow, and the path; a step goes one cell on.
        """
        from trmsolve.puzzles.maze.labels import downhill, follow, spread  # numba: when needed

        boards = _boards(tokens)
        away = spread(boards)
        pointed = downhill(away)
        path = (follow(boards, pointed) == PATH).reshape(tokens.shape)
        steps = away.reshape(tokens.shape)
        arrows = pointed.reshape(tokens.shape)
        start = tokens == 1 + START
        least = (steps * start).sum(1, keepdims=True)
        pointing = np.where(arrows > 0, np.where(start, AT_START, ARROW) + arrows, tokens)
        available_from = (
            np.zeros_like(steps),
            np.where(arrows > 0, steps, NEVER),
            np.where(path, 2 * least - steps, NEVER),
        )
        return Trajectory(
            np.stack((tokens, pointing, ON_PATH + arrows), 1),
            np.stack(available_from, 1).astype(np.int32),
        )

    def token_values(self, symmetry: int, swapped: bool) -> NDArray[np.int64]:
        """As for ``Maze``; arrows are turned too."""
        values = super().token_values(symmetry, swapped)
        for base in (ARROW, ON_PATH, AT_START):
            values[base + 1 : base + 5] = base + TURNED[symmetry, 1:]
        return values

    def token_places(
        self,
        places: NDArray[np.intp],
        shape: tuple[int, ...],  # noqa: ARG002
    ) -> NDArray[np.intp]:
        """They are those of the grid itself."""
        return places

    def decode_view(self, tokens: NDArray[Any], view: Symmetry, shape: tuple[int, ...]) -> Grid:
        """Tokens (S,) of an answer under a symmetry -> grid in the puzzle's own frame.

        The arrows go first: no token is a goal with an arrow, which a start becomes where the ends
        are swapped.
        """
        contents = 1 + CONTENTS[tokens].astype(np.int64)
        return self.decode(view.undo(contents), shape)

    def arrows(self, tokens: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int8]:
        """The directions that the model says (rows, columns); 0 where it says none.

        Where the ends are swapped they lead to the start.
        """
        number = (tokens - ARROW - 1) % 4
        directions = np.where(tokens > ARROW, number + 1, 0)
        return directions.astype(np.int8).reshape(shape)


CONTENTS = np.array(
    [FLOOR, WALL, FLOOR, START, GOAL, PATH] + 4 * [FLOOR] + 4 * [PATH] + 4 * [START], np.int8
)
"""What the tokens of ``MazeFlow`` stand for."""


def too_large(grid: Grid, largest: tuple[int, int]) -> str:
    """That a maze has more rows or columns than that, or ""."""
    rows, columns = grid.shape
    if rows <= largest[0] and columns <= largest[1]:
        return ""
    return f"too large: {rows} rows and {columns} columns"


def _laid(grids: NDArray[np.int8]) -> NDArray[np.int8]:
    """Grids (..., rows, columns) in the upper left corners of boards, walls around."""
    rows, columns = grids.shape[-2:]
    boards = np.full((*grids.shape[:-2], *BOARD), WALL, np.int8)
    boards[..., :rows, :columns] = grids
    return boards


def _boards(tokens: NDArray[np.int64]) -> NDArray[np.int8]:
    """Question tokens (n, 900) as grids."""
    boards = tokens.reshape(-1, *BOARD)
    return (boards - 1).astype(np.int8)
