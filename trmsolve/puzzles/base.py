"""What a puzzle has to offer: ``Task``, an abstract class of which most methods have a default.

A new kind of puzzle is one file with one subclass; see docs/adding_a_puzzle.md. Knows numpy and the
values that pass between the parts: no torch, no terminal, no command line.
"""

import hashlib
import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.paint import cell_styles, paint_grid
from trmsolve.puzzles.values import (
    Answer,
    Cycle,
    Grid,
    Line,
    Puzzle,
    Symmetry,
    Trajectory,
    Verdict,
    identity,
)
from trmsolve.puzzles.words import Words

TRAINING_PUZZLES = 10_000
"""How many puzzles training makes for a task that does not say."""


@dataclass(frozen=True)
class Diagnosis:
    """How many solutions a puzzle has, as far as a short exact search can tell.

    It never helps to find an answer.
    """

    solutions: int | None = None
    """0, 1, or 2 for several; None if it is not known."""

    @property
    def remark(self) -> str:
        """One sentence for the person, "" if there is nothing to say."""
        if self.solutions is None or self.solutions == 1:
            return ""
        if self.solutions:
            return "the puzzle has more than one solution"
        return "the puzzle has no solution"


class Task(Words, ABC):
    """One kind of puzzle.

    A subclass sets ``name``, ``difficulties``, ``vocab_size`` and ``seq_len``. It writes ``read``,
    ``line``, ``encode``, ``decode``, ``verify`` and ``generate``; ``symmetries`` where the puzzle
    has any. All else has a default. ``Words`` has the attributes that the commands speak of.

    S is the number of tokens of a puzzle, V the number of different tokens.
    """

    # To be set.
    vocab_size: int
    """V. Token 0 is padding by convention."""
    seq_len: int
    """S, on the board that networks are trained on."""

    # Tokens and data.
    candidates: int = 1
    """Tokens of a cell; more than 1 where each token is a candidate, possible or ruled out."""
    symmetry_draws: int = 0
    """Uniform random numbers that decide a symmetry; 0 where there is none but the identity."""
    derives: bool = False
    """Whether ``derive`` makes other puzzles from a puzzle and its answer."""
    has_canonical_label: bool = False
    """Whether a rule of the data chooses among right answers.

    Then ``relabel_after_augmentation`` applies it again.
    """
    training_bands: ClassVar[dict[str, float]] = {}
    """The share of each band of rating in training; all puzzles count alike where it is empty."""
    paper_latent_steps: ClassVar[int | None] = None
    """Latent steps of the paper's network for these tokens; None if the paper has none."""

    # Solving.
    batch_share: float = 1.0
    """The usual batch size as a fraction of that for small boards."""

    # Looks.
    symbols: str = ".123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    """The characters of the cells' values in the plain drawing."""
    styles: ClassVar[Mapping[str, str]] = {}
    """Rich styles of the names that ``paint`` uses beside the common ones of ``show.console``."""

    @property
    def training_kinds(self) -> Mapping[str, int]:
        """How many puzzles of each difficulty training makes when it is given none."""
        return {self.difficulties[0]: TRAINING_PUZZLES}

    @property
    def smoke_puzzles(self) -> tuple[str, tuple[int, int] | None]:
        """Difficulty and size of easy puzzles, for a quick look whether weights are alive."""
        return self.difficulties[0], None

    # Reading and writing.

    @abstractmethod
    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every puzzle of a file in order.

        An item that cannot be read is yielded as its error, and the others follow.
        """

    def is_puzzle(self, text: str) -> bool:  # noqa: ARG002
        """Whether an argument of the command that names no file is a puzzle itself."""
        return False

    def puzzle_of(self, cells: NDArray[np.int64]) -> Puzzle:
        """The puzzle of an array (rows, columns) of whole numbers, as ``Puzzle.grid`` has them.

        By default every value needs a symbol, and the grid is judged by the reader. Raises
        PuzzleError if it is no puzzle.
        """
        check_values(cells, len(self.symbols) - 1)
        return self.judged_by_reader(cells)

    def judged_by_reader(self, cells: NDArray[np.int64]) -> Puzzle:
        """The puzzle of an array whose values are known. Raises the reader's PuzzleError."""
        line = self.line(cells.astype(np.int8))
        for item in self.read(io.BytesIO(line.encode()), "array"):
            if isinstance(item, PuzzleError):
                raise PuzzleError(item.problem, "array")
            return replace(item, source="array", form=None)
        raise PuzzleError("there is no puzzle in it", "array")

    def read_answer(self, text: str, puzzle: Puzzle) -> Grid:
        """The grid that a text gives as the answer to the puzzle, right or wrong.

        Raises PuzzleError if it is no grid of the puzzle's size.
        """
        rows, columns = puzzle.grid.shape
        cells = [self.symbols.find(character) for character in "".join(text.split())]
        if len(cells) != rows * columns:
            raise PuzzleError(
                f"the answer has {len(cells)} cells, the puzzle {rows} x {columns}", "answer"
            )
        if min(cells) < 0:
            raise PuzzleError(f"the cells of an answer are characters of {self.symbols}", "answer")
        return np.array(cells, np.int8).reshape(rows, columns)

    @abstractmethod
    def line(self, grid: Grid) -> str:
        """A grid as the one line that a CSV and ``--format line`` use."""

    def line_puzzle(self, puzzle: Puzzle) -> str:
        """A question as one line of a CSV. A task with clues that are no cells adds them here."""
        return self.line(puzzle.grid)

    def text(self, grid: Grid) -> str:
        """A grid as the string that JSON uses."""
        return self.line(grid)

    def text_puzzle(self, puzzle: Puzzle) -> str:
        """A question as the string that JSON uses."""
        if puzzle.extra is None:
            return self.text(puzzle.grid)
        return self.line_puzzle(puzzle)

    def write(self, grid: Grid, form: Any) -> str:  # noqa: ARG002 (for tasks with several forms)
        """A grid as its puzzle was written, newline included; in ASCII for the form None."""
        return self.line(grid) + "\n"

    def write_puzzle(self, puzzle: Puzzle, form: Any) -> str:
        """A question as it was read, as ``write`` writes an answer."""
        if puzzle.extra is None:
            return self.write(puzzle.grid, form)
        return self.line_puzzle(puzzle) + "\n"

    def can_write(self, form: Any, encoding: str) -> bool:  # noqa: ARG002
        """Whether a stream of that encoding can show the cells of a grid written in that form."""
        return True

    def generate_sized(
        self,
        difficulty: str,
        seed: int,
        size: tuple[int, int] | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Iterator[Puzzle]:
        """As ``generate``, of that size and with a rating within those bounds.

        Raises UsageError where the puzzles have one size.
        """
        if size or least is not None or most is not None:
            raise UsageError(
                f"a {self.title} has a fixed size and no path: omit --size and --path-length"
            )
        return self.generate(difficulty, seed)

    @abstractmethod
    def generate(self, difficulty: str, seed: int) -> Iterator[Puzzle]:
        """New puzzles without end, each with its answer.

        Raises UsageError for what cannot be made.
        """

    # Tokens.

    @abstractmethod
    def encode(
        self, grid: NDArray[np.int8], extra: NDArray[np.int8] | None = None
    ) -> NDArray[np.int64]:
        """Grids (..., rows, columns) -> tokens (..., S), or a board of them (..., rows, columns).

        ``extra`` are the clues that are no cells, with the same leading axes. Questions and answers
        are encoded alike.
        """

    @abstractmethod
    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...]) -> Grid:
        """Tokens (S,) -> grid of that shape.

        It never fails: tokens without a meaning become blanks.
        """

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """The values (S,) of tokens, or (C,) of cells, as a grid of that shape: the first ones."""
        rows, columns = shape
        return values.reshape(-1)[: rows * columns].reshape(shape)

    def pad_to_board(self, grid: Grid) -> Grid:
        """A grid on the board that networks are trained on. Raises PuzzleError if it is larger."""
        return grid

    def on_board(self, rows: int, columns: int) -> "Task":
        """The task whose networks are trained on boards of this size.

        Raises UsageError where they are trained on one size alone.
        """
        raise UsageError(
            f"a network for {self.plural} is not trained on {rows} x {columns} cells: omit --size"
        )

    def unsupported(self, puzzle: Puzzle) -> str:  # noqa: ARG002
        """Why a network of the task cannot take this puzzle, such as its size; "" if it can."""
        return ""

    # Symmetries.

    def symmetries(self, draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Symmetries of tokens from uniform numbers (n, ``symmetry_draws``), one from each row.

        Returns (n, S) where each token comes from, and (n, V) what each token becomes.
        """
        number = len(draws)
        cells = np.broadcast_to(np.arange(self.seq_len), (number, self.seq_len))
        values = np.broadcast_to(np.arange(self.vocab_size), (number, self.vocab_size))
        return cells, values

    def views(self, puzzle: Puzzle, rng: np.random.Generator) -> Iterator[Symmetry]:
        """Symmetries of the puzzle's tokens: the identity first, then random ones without end."""
        shape = self.encode(puzzle.grid, puzzle.extra).shape
        yield identity(shape, self.vocab_size)
        while True:
            cells, values = self.symmetries(rng.random((1, self.symmetry_draws)))
            yield Symmetry(cells[0].reshape(shape), values[0])

    def decode_view(
        self, tokens: NDArray[Any], view: Symmetry, shape: tuple[int, ...]
    ) -> NDArray[np.int8]:
        """Tokens (S,) of an answer under a symmetry -> grid in the puzzle's own frame."""
        return self.decode(view.undo(tokens), shape)

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """(N, rows, columns) -> (N,): equal for answers that are one under symmetries.

        It is seldom equal for others.
        """
        hashes = [
            int.from_bytes(hashlib.sha256(self.canonical(answer)).digest()[:8])
            for answer in answers
        ]
        return np.array(hashes, np.uint64)

    def canonical(self, answer: Grid) -> bytes:
        """The same bytes for exactly those answers that are one under symmetries.

        Held-out puzzles are kept apart from training by them. The default knows no symmetry: only
        equal answers are one.
        """
        return str(answer.shape).encode() + answer.tobytes()

    # Training.

    def recipes(self) -> Mapping[str, Any]:
        """Recipes of the task by their names, each a ``train.recipes.Recipe``.

        That module imports torch: import it here and not above. A task that brings no recipe called
        "laptop" has a plain one.
        """
        return {}

    def derive(
        self,
        question: Grid,
        answer: Grid,  # noqa: ARG002
        attempts: int,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Other puzzles with the same only answer, made from these by the rules alone.

        Returns up to ``attempts`` different ones (n, rows, columns) and their ratings (n,).
        """
        return question[:0].reshape(0, *question.shape), np.zeros(0, np.int64)

    def relabel_after_augmentation(
        self,
        tokens: NDArray[np.int64],  # noqa: ARG002
        labels: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """The answers (n, S) to questions (n, S) under a symmetry, from the turned answers.

        They are those themselves, unless a rule of the data would choose others: see
        ``has_canonical_label``.
        """
        return labels

    def trajectory(self, tokens: NDArray[np.int64]) -> Trajectory | None:  # noqa: ARG002
        """How the answers to questions (n, S) come about, if networks rewrite their question."""
        return None

    # Rules.

    @abstractmethod
    def verify(self, puzzle: Puzzle, answer: Grid) -> Verdict:
        """The judgement by the rules alone: every clue is kept, and no rule is broken.

        It uses neither ``encode`` nor ``decode``, so that a mistake there cannot verify itself.
        """

    def accepting_any_valid(self) -> "Task":
        """The task content with every valid answer, where there are better and worse ones."""
        return self

    def more_cycles(self, puzzle: Puzzle) -> int:  # noqa: ARG002 (for tasks with large boards)
        """How many cycles a view may take beyond the usual ones while its answer still changes."""
        return 0

    def steps_to_answer(self, puzzle: Puzzle) -> int | None:  # noqa: ARG002 (for tasks that know)
        """How many steps of a search from cell to cell lead to the answer; None if not known."""
        return None

    def marked(self, start: str | None, goal: str | None, signs: str | None) -> "Task":  # noqa: ARG002
        """The task that reads files with these ends and signs, where ``has_marks`` is set.

        Raises UsageError if they cannot be.
        """
        return self

    def reason_unsolvable(self, puzzle: Puzzle) -> str:  # noqa: ARG002
        """Why no answer can be right, if that is seen cheaply before anything is tried; else ""."""
        return ""

    def diagnose(self, puzzle: Puzzle) -> Diagnosis:  # noqa: ARG002
        """Facts on the puzzle that are cheaply found, asked for after its first view if at all."""
        return Diagnosis()

    def faults(self, puzzle: Puzzle, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """The cells that break a rule, and how many rules are broken.

        They are for the eye, and to choose among unverified answers; ``verify`` decides. By default
        these are the changed clues, and one more if the answer is not verified.
        """
        changed = (puzzle.grid != 0) & (puzzle.grid != answer)
        broken = int(changed.sum())
        if not self.verify(puzzle, answer).verified:
            broken += 1
        return changed, broken

    # Drawing.

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The cycle's grid as lines of styled text.

        ``plain`` asks for ASCII that reads without colour.
        """
        return paint_grid(cycle, self.symbols, plain)

    def paint_large(self, cycle: Cycle) -> list[Line] | None:  # noqa: ARG002
        """The same in large, for a terminal that has the room; None if there is no such drawing."""
        return None

    def paint_small(self, cycle: Cycle) -> list[Line] | None:  # noqa: ARG002
        """The same in small, where the usual drawing does not fit; None as above."""
        return None

    def key(self, plain: bool) -> list[Line]:  # noqa: ARG002 (for tasks with marks)
        """What the marks in the drawing mean, an entry for each; ``plain`` is as in ``paint``."""
        return []

    def cell_styles(self, cycle: Cycle) -> list[list[str]]:
        """One style for each cell, for drawings that are no text. It says the same as ``paint``."""
        return cell_styles(cycle)

    def arrows(
        self,
        tokens: NDArray[np.int64],  # noqa: ARG002
        shape: tuple[int, ...],  # noqa: ARG002
    ) -> NDArray[np.int8] | None:
        """Directions that the tokens (S,) of an answer hold beside it, for ``Cycle``.

        The tokens are in the puzzle's own frame.
        """
        return None


def parse_size(text: str) -> tuple[int, int]:
    """Read the rows and columns of an option, as in ``20x30``. Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,4})[xX]([0-9]{1,4})", text)
    if match is None:
        raise UsageError(f"--size {text}: give rows and columns, such as 20x30")
    return int(match[1]), int(match[2])


def check_values(cells: NDArray[np.int64], highest: int) -> None:
    """Raise PuzzleError at the first cell that is not from 0 to ``highest``."""
    wrong = (cells < 0) | (cells > highest)
    if not wrong.any():
        return
    row, column = np.unravel_index(int(wrong.argmax()), cells.shape)
    place = f"row {row + 1}, column {column + 1}"
    raise PuzzleError(f"{cells[row, column]} at {place}: cells are from 0 to {highest}", "array")


def give_up(task: Task, puzzle: Puzzle) -> Answer | None:
    """The answer to a puzzle that has none, before anything is tried; None if it may have one."""
    reason = task.reason_unsolvable(puzzle)
    if not reason:
        return None
    return Answer(
        puzzle,
        puzzle.grid,
        False,
        reason,
        0,
        0,
        halt=0.0,
        seconds=0.0,
        valid=False,
        optimal=False,
        solutions=0,
        task=task.name,
    )
