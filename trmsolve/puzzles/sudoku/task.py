"""Sudoku as a task: rules, tokens and symmetries.

Reading, drawing and making puzzles are in the files beside this one.

Knows numpy and the boards, and nothing of torch, terminals or commands. ``verify`` is
written without the use of ``encode`` and ``decode``, so that a mistake in those cannot verify
itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Diagnosis, Task, check_values
from trmsolve.puzzles.sudoku.board import SIDES, SYMBOLS, USUAL, Board, board_of
from trmsolve.puzzles.sudoku.derive import derive_sudokus
from trmsolve.puzzles.sudoku.form import TextForm, write_sudoku
from trmsolve.puzzles.sudoku.generate import generate_on
from trmsolve.puzzles.sudoku.paint import (
    KEY,
    KEY_PLAIN,
    MOST_PENCILLED,
    cell_styles,
    paint_sudoku,
    paint_sudoku_large,
)
from trmsolve.puzzles.sudoku.search import count_solutions
from trmsolve.puzzles.sudoku.symmetry import draws_of, identity_of, random_view, symmetries
from trmsolve.puzzles.sudoku.words import SudokuWords
from trmsolve.puzzles.values import Cycle, Grid, Line, Puzzle, Symmetry, Verdict
from trmsolve.wording import can_encode

DIAGNOSIS_BUDGET = 3000
"""Guesses that the search of ``diagnose`` may make on 81 cells: milliseconds.

A guess takes longer on a larger board, which gets fewer of them.
"""

NO_CELLS = re.compile(r"[^0-9A-Ga-g.]")
"""What stands between the cells of a drawing."""

SIZES = ", ".join(f"{side} x {side}" for side in SIDES)

USUAL_KINDS = {"mixed": 15_000, "hard": 15_000, "extreme": 600}
"""How many puzzles of each difficulty training makes: half a minute's work.

Extreme puzzles are costly, and drawn far more often than there are of them.
"""

SMALL_KINDS = {"easy": 2_000, "hard": 4_000}
LARGE_KINDS = {"easy": 1_000, "medium": 500}
"""The same on boards below and above 9 x 9. Those of 16 x 16 take some minutes."""

USUAL_SHAPE = (USUAL.side, USUAL.side)

Lifted = tuple[NDArray[np.int64], NDArray[np.int64]]


class Sudoku(SudokuWords, Task):
    """The Sudoku as a task.

    Boards of all sizes are read, made and judged. The tokens here, those of the public code, are of
    9 x 9 cells: 0 is padding, 1 the blank, 2 to 10 the digits.
    """

    vocab_size = 11
    seq_len = 81
    symmetry_draws = sum(draws_of(USUAL))
    derives = True
    paper_latent_steps: ClassVar[int | None] = 6
    training_bands: ClassVar[dict[str, float]] = {"0": 1, "1-7": 3, "8-31": 2, "32-127": 3}
    board = USUAL
    """The board that networks are trained on."""

    @property
    def training_kinds(self) -> Mapping[str, int]:
        """How many puzzles of each difficulty training makes for its board."""
        if self.board == USUAL:
            return USUAL_KINDS
        return SMALL_KINDS if self.board.side < USUAL.side else LARGE_KINDS

    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every Sudoku of a text file in whatever form it has; see ``text``."""
        from trmsolve.puzzles.sudoku.text import read_sudokus  # no help needs a reader

        return read_sudokus(stream, name)

    def puzzle_of(self, cells: NDArray[np.int64]) -> Puzzle:
        """The Sudoku of an array (n, n) of 0 to n. Raises PuzzleError for any other."""
        rows, columns = cells.shape
        if rows != columns or rows not in SIDES:
            raise PuzzleError(f"{rows} x {columns} cells; a Sudoku has {SIZES}", "array")
        check_values(cells, rows)
        return self.judged_by_reader(cells)

    def read_answer(self, text: str, puzzle: Puzzle) -> Grid:
        """The cells of an answer in any drawing: digits, and 0 or a dot for a blank."""
        cells = NO_CELLS.sub("", text).replace("0", ".").upper()
        return super().read_answer(cells, puzzle)

    def is_puzzle(self, text: str) -> bool:
        """Whether a text is the cells of a board and nothing else."""
        from trmsolve.puzzles.sudoku.cells import is_line
        from trmsolve.puzzles.sudoku.signs import look
        from trmsolve.puzzles.sudoku.sizes import line_cells

        folded = look(text).folded
        return is_line(folded) or bool(line_cells(folded))

    def write(self, grid: Grid, form: Any) -> str:
        """A grid in the form its puzzle was read in; on one line for the form None."""
        return write_sudoku(grid, form or TextForm())

    def can_write(self, form: Any, encoding: str) -> bool:
        """Whether the encoding has the sign for a blank.

        Digits are in every encoding, and frames have substitutes.
        """
        return form is None or can_encode(form.blank, encoding)

    def line(self, grid: Grid) -> str:
        """One character a cell: ``.`` for a blank, and letters for the digits above 9."""
        return "".join(SYMBOLS[digit] for digit in grid.reshape(-1).tolist())

    def encode(
        self,
        grid: NDArray[np.int8],
        extra: NDArray[np.int8] | None = None,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """Grids (..., 9, 9) -> tokens (..., 81), row after row."""
        cells = grid.reshape(*grid.shape[:-2], 81)
        return cells.astype(np.int64) + 1

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...] = (9, 9)) -> Grid:
        """Tokens (81,) -> grid; padding, which means nothing on this board, becomes a blank."""
        digits = tokens.reshape(shape).astype(np.int8) - 1
        return np.maximum(digits, 0).astype(np.int8)

    def unsupported(self, puzzle: Puzzle) -> str:
        """These tokens are of 9 x 9 cells alone."""
        if puzzle.grid.shape == USUAL_SHAPE:
            return ""
        rows, columns = puzzle.grid.shape
        return f"{rows} x {columns} cells; a network of these tokens solves {USUAL.size}"

    def verify(self, puzzle: Puzzle, answer: Grid) -> Verdict:
        """Each row, column and box holds every digit once, and every clue is kept.

        The reason names the first rule that fails.
        """
        board = board_of(len(puzzle.grid))
        reason = _changed_clue(board, puzzle.grid, answer) or _broken_house(board, answer)
        return Verdict(not reason, reason)

    def diagnose(self, puzzle: Puzzle) -> Diagnosis:
        """Whether the puzzle has no solution or several, if a short search can tell.

        It is never used for an answer.
        """
        larger = max(puzzle.grid.size / USUAL.side**2, 1)
        budget = int(DIAGNOSIS_BUDGET / larger**2)
        return Diagnosis(count_solutions(puzzle.grid, limit=2, budget=budget))

    def faults(self, puzzle: Puzzle, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """Cells that clash or are changed clues, and how many houses and clues are broken."""
        houses = board_of(len(answer)).houses
        digits = answer.reshape(-1)[houses]  # (3n, n)
        equal = (digits[:, :, None] == digits[:, None, :]).sum(-1)
        clashing = (equal > 1) & (digits > 0)
        overwritten = (puzzle.grid > 0) & (puzzle.grid != answer)
        faulty = overwritten.reshape(-1).copy()
        faulty[houses[clashing]] = True
        broken_houses = (clashing | (digits == 0)).any(-1).sum()
        return faulty.reshape(answer.shape), int(broken_houses + overwritten.sum())

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The grid with its boxes framed, and candidates as dots; see ``paint``."""
        return paint_sudoku(cycle, plain)

    def paint_large(self, cycle: Cycle) -> list[Line] | None:
        """The grid with candidates as pencil marks, up to 9 x 9; see ``paint``."""
        return paint_sudoku_large(cycle) if len(cycle.grid) <= MOST_PENCILLED else None

    def key(self, plain: bool) -> list[Line]:
        """The kinds of digits, or their marks in ASCII."""
        return KEY_PLAIN if plain else KEY

    def cell_styles(self, cycle: Cycle) -> list[list[str]]:
        """One style for each cell; see ``paint``."""
        return cell_styles(cycle)

    def generate(self, difficulty: str, seed: int) -> Iterator[Puzzle]:
        """New puzzles of the board with exactly one solution; see ``generate``."""
        return generate_on(self.board, difficulty, seed)

    def generate_sized(
        self,
        difficulty: str,
        seed: int,
        size: tuple[int, int] | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Iterator[Puzzle]:
        """As ``generate``, of that size. Raises UsageError if there is no such board."""
        if least is not None or most is not None:
            raise UsageError("a Sudoku has no path: omit --path-length")
        if size is None:
            return self.generate(difficulty, seed)
        return generate_on(_board_of_size(*size), difficulty, seed)

    def derive(
        self, question: Grid, answer: Grid, attempts: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Minimal puzzles with the same solution, many of them as hard; see ``derive``."""
        return derive_sudokus(question, answer, attempts, rng)

    def symmetries(self, draws: NDArray[np.float64]) -> Lifted:
        """Symmetries of tokens from uniform numbers (n, ``symmetry_draws``)."""
        return self.lift(*symmetries(draws, self.board))

    def lift(self, cells: NDArray[np.int64], digits: NDArray[np.int64]) -> Lifted:
        """Symmetries of grids, (n, 81) and (n, 10), as symmetries of tokens, (n, S) and (n, V)."""
        padding = np.zeros((len(digits), 1), np.int64)
        return cells, np.concatenate((padding, digits + 1), axis=1)

    def views(self, puzzle: Puzzle, rng: np.random.Generator) -> Iterator[Symmetry]:
        """The puzzle as given first, then random symmetries without end."""
        board = board_of(len(puzzle.grid))
        view = identity_of(board)
        while True:
            origins = view.cells.reshape(1, -1)
            digits = view.values[None].astype(np.int64)
            cells, values = self.lift(origins, digits)
            yield Symmetry(cells[0], values[0])
            view = random_view(rng, board)

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """Full grids (N, 9, 9) -> (N,): equal for those that are one under a symmetry."""
        if answers.shape[1:] != USUAL_SHAPE:
            return super().invariant(answers)
        from trmsolve.puzzles.sudoku.canonical import invariants  # numba: not before it is needed

        return invariants(answers)

    def canonical(self, answer: Grid) -> bytes:
        """The same bytes for exactly the full grids that are one under symmetries.

        Of other sizes than 9 x 9 only equal grids are one.
        """
        if answer.shape != USUAL_SHAPE:
            return super().canonical(answer)
        from trmsolve.puzzles.sudoku.canonical import canonical_form

        return canonical_form(answer)


class SudokuLattice(Sudoku):
    """The same Sudoku as candidates: n digits a cell, each possible (1) or ruled out (0).

    A network answers boards of all sizes, on whichever ``board`` it is trained.
    """

    vocab_size = 2
    paper_latent_steps = None

    def __init__(self, board: Board = USUAL) -> None:
        self.board = board
        self.seq_len = board.side**3
        self.candidates = board.side
        self.symmetry_draws = sum(draws_of(board))
        self.derives = board == USUAL

    def on_board(self, rows: int, columns: int) -> "SudokuLattice":
        """The task on another board. Raises UsageError if there is no such board."""
        return SudokuLattice(_board_of_size(rows, columns))

    def pad_to_board(self, grid: Grid) -> Grid:
        """The grid itself. Raises PuzzleError if it has another size than the board."""
        if len(grid) != self.board.side:
            size = board_of(len(grid)).size
            raise PuzzleError(f"a Sudoku of {size}, where networks learn {self.board.size}")
        return grid

    def unsupported(self, puzzle: Puzzle) -> str:
        """Every board of a Sudoku has such tokens."""
        rows, columns = puzzle.grid.shape
        if rows == columns and rows in SIDES:
            return ""
        return f"{rows} x {columns} cells; a Sudoku has {SIZES}"

    def encode(
        self,
        grid: NDArray[np.int8],
        extra: NDArray[np.int8] | None = None,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """Grids (..., n, n) -> tokens (..., n * n * n): a clue is one candidate, a blank is all."""
        side = grid.shape[-1]
        cells = grid.reshape(*grid.shape[:-2], side * side, 1)
        possible = (cells == np.arange(1, side + 1)) | (cells == 0)
        tokens: NDArray[np.int64] = possible.astype(np.int64)
        return tokens.reshape(*grid.shape[:-2], side**3)

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...] = USUAL_SHAPE) -> Grid:
        """Tokens (n * n * n,) -> grid; a cell with no candidate or with several is a blank."""
        possible = tokens.reshape(*shape, shape[0]) == 1
        decided = possible.sum(-1) == 1
        grid: Grid = np.where(decided, possible.argmax(-1) + 1, 0).astype(np.int8)
        return grid

    def lift(self, cells: NDArray[np.int64], digits: NDArray[np.int64]) -> Lifted:
        """As for ``Sudoku``. A digit's new name is another place; the tokens keep their meaning."""
        origin = digits[:, 1:].argsort(-1)  # the old digit whose candidate each new one is
        side = origin.shape[1]
        places = side * cells[:, :, None] + origin[:, None, :]
        tokens = np.broadcast_to(np.arange(2), (len(digits), 2))
        return places.reshape(-1, side**3), tokens


def _board_of_size(rows: int, columns: int) -> Board:
    """The board of that size. Raises UsageError if there is none."""
    if rows != columns or rows not in SIDES:
        raise UsageError(f"there is no Sudoku of {rows} x {columns} cells: sizes are {SIZES}")
    return board_of(rows)


def _changed_clue(board: Board, question: Grid, answer: Grid) -> str:
    """The first clue that the answer changed, or ""."""
    changed = (question > 0) & (question != answer)
    if not changed.any():
        return ""
    cell = int(changed.argmax())
    found = int(answer.flat[cell]) or "blank"
    return f"clue {question.flat[cell]} at {board.name_cell(cell)} became {found}"


def _broken_house(board: Board, answer: Grid) -> str:
    """The first house that does not hold every digit once, and why, or ""."""
    cells = answer.reshape(-1)
    for number, house in enumerate(board.houses):
        digits = cells[house].tolist()
        if 0 in digits:
            return f"{board.name_cell(house[digits.index(0)])} is blank"
        missing = sorted(set(range(1, board.side + 1)) - set(digits))
        if missing:
            twice = next(digit for digit in digits if digits.count(digit) > 1)
            return f"{board.name_house(number)} has two {twice}s and no {missing[0]}"
    return ""
