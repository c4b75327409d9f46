"""Sudoku as a task: rules, tokens and symmetries.

Reading, drawing and making puzzles are in the files beside this one.

Knows numpy, the nine-by-nine board and nothing of torch, terminals or commands. ``verify`` is
written without the use of ``encode`` and ``decode``, so that a mistake in those cannot verify
itself.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Diagnosis, Task, check_values
from trmsolve.puzzles.sudoku.cells import is_line, look
from trmsolve.puzzles.sudoku.derive import derive_sudokus
from trmsolve.puzzles.sudoku.form import TextForm, write_sudoku
from trmsolve.puzzles.sudoku.generate import DIFFICULTIES, generate_sudokus
from trmsolve.puzzles.sudoku.paint import (
    KEY,
    KEY_PLAIN,
    cell_styles,
    paint_sudoku,
    paint_sudoku_large,
)
from trmsolve.puzzles.sudoku.search import count_solutions
from trmsolve.puzzles.sudoku.symmetry import IDENTITY, random_view, symmetries
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Cycle, Grid, Line, Puzzle, Symmetry, Verdict
from trmsolve.wording import can_encode

Houses = dict[str, list[tuple[int, int]]]

CELLS = [divmod(cell, 9) for cell in range(81)]


def _houses() -> Houses:
    """The cells of each row, then of each column, then of each box, by the house's name."""
    rows: Houses = {f"row {k}": [] for k in range(1, 10)}
    columns: Houses = {f"column {k}": [] for k in range(1, 10)}
    boxes: Houses = {f"box {k}": [] for k in range(1, 10)}
    for row, column in CELLS:
        box = row // 3 * 3 + column // 3
        rows[f"row {row + 1}"].append((row, column))
        columns[f"column {column + 1}"].append((row, column))
        boxes[f"box {box + 1}"].append((row, column))
    return rows | columns | boxes


HOUSES = _houses()
HOUSE_CELLS = np.array(list(HOUSES.values())) @ (9, 1)
"""(27, 9): the cells of the houses, 0 to 80."""

DIAGNOSIS_BUDGET = 3000
"""Guesses that the search of ``diagnose`` may make: milliseconds."""

NO_CELLS = re.compile(r"[^0-9.]")
"""What stands between the cells of a drawing."""

Lifted = tuple[NDArray[np.int64], NDArray[np.int64]]


class Sudoku(Task):
    """The nine-by-nine Sudoku as a task.

    Token 0 is padding, 1 the blank, 2 to 10 the digits, as in the public code.
    """

    name = "sudoku"
    vocab_size = 11
    seq_len = 81
    symmetry_draws = 34
    derives = True
    paper_latent_steps: ClassVar[int | None] = 6
    # Half a minute's work. Extreme puzzles are costly, and drawn far more often than there are of
    # them.
    training_kinds: ClassVar[dict[str, int]] = {"mixed": 15_000, "hard": 15_000, "extreme": 600}
    training_bands: ClassVar[dict[str, float]] = {"0": 1, "1-7": 3, "8-31": 2, "32-127": 3}
    difficulties: tuple[str, ...] = DIFFICULTIES
    title = "Sudoku"
    plural = "Sudokus"
    files_help = (
        "Files with Sudokus in any text format, or the 81 cells of one. - reads standard input."
    )
    generate_help = """Every Sudoku has exactly one solution. Its rating is the number of guesses
    that a complete search needs."""

    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every Sudoku of a text file in whatever form it has; see ``text``."""
        return read_sudokus(stream, name)

    def puzzle_of(self, cells: NDArray[np.int64]) -> Puzzle:
        """The Sudoku of an array (9, 9) of 0 to 9. Raises PuzzleError for any other."""
        if cells.shape != (9, 9):
            rows, columns = cells.shape
            raise PuzzleError(f"{rows} x {columns} cells; a Sudoku has 9 x 9", "array")
        check_values(cells, 9)
        return self.judged_by_reader(cells)

    def read_answer(self, text: str, puzzle: Puzzle) -> Grid:
        """The 81 cells of an answer in any drawing: digits, and 0 or a dot for a blank."""
        return super().read_answer(NO_CELLS.sub("", text).replace("0", "."), puzzle)

    def is_puzzle(self, text: str) -> bool:
        """Whether a text is 81 cells and nothing else."""
        return is_line(look(text).folded)

    def write(self, grid: Grid, form: Any) -> str:
        """A grid in the form its puzzle was read in; on one line for the form None."""
        return write_sudoku(grid, form or TextForm())

    def can_write(self, form: Any, encoding: str) -> bool:
        """Whether the encoding has the sign for a blank.

        Digits are in every encoding, and frames have substitutes.
        """
        return form is None or can_encode(form.blank, encoding)

    def line(self, grid: Grid) -> str:
        """81 characters, ``.`` for a blank."""
        digits = "".join(map(str, grid.reshape(-1).tolist()))
        return digits.replace("0", ".")

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

    def verify(self, puzzle: Puzzle, answer: Grid) -> Verdict:
        """27 houses hold 1 to 9 once each, and every clue is kept.

        The reason names the first rule that fails.
        """
        reason = _changed_clue(puzzle.grid, answer) or _broken_house(answer)
        return Verdict(not reason, reason)

    def diagnose(self, puzzle: Puzzle) -> Diagnosis:
        """Whether the puzzle has no solution or several, if a short search can tell.

        It is never used for an answer.
        """
        return Diagnosis(count_solutions(puzzle.grid, limit=2, budget=DIAGNOSIS_BUDGET))

    def faults(self, puzzle: Puzzle, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """Cells that clash or are changed clues, and how many houses and clues are broken."""
        digits = answer.reshape(-1)[HOUSE_CELLS]  # (27, 9)
        equal = (digits[:, :, None] == digits[:, None, :]).sum(-1)
        clashing = (equal > 1) & (digits > 0)
        overwritten = (puzzle.grid > 0) & (puzzle.grid != answer)
        faulty = overwritten.reshape(-1).copy()
        faulty[HOUSE_CELLS[clashing]] = True
        broken_houses = (clashing | (digits == 0)).any(-1).sum()
        return faulty.reshape(9, 9), int(broken_houses + overwritten.sum())

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The grid with its boxes framed, and candidates as dots; see ``paint``."""
        return paint_sudoku(cycle, plain)

    def paint_large(self, cycle: Cycle) -> list[Line]:
        """The grid with candidates as pencil marks; see ``paint``."""
        return paint_sudoku_large(cycle)

    def key(self, plain: bool) -> list[Line]:
        """The kinds of digits, or their marks in ASCII."""
        return KEY_PLAIN if plain else KEY

    def cell_styles(self, cycle: Cycle) -> list[list[str]]:
        """One style for each cell; see ``paint``."""
        return cell_styles(cycle)

    def generate(self, difficulty: str, seed: int) -> Iterator[Puzzle]:
        """New puzzles with exactly one solution; see ``generate``."""
        return generate_sudokus(difficulty, seed)

    def derive(
        self, question: Grid, answer: Grid, attempts: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Minimal puzzles with the same solution, many of them as hard; see ``derive``."""
        return derive_sudokus(question, answer, attempts, rng)

    def symmetries(self, draws: NDArray[np.float64]) -> Lifted:
        """Symmetries of tokens from uniform numbers (n, 34)."""
        return self.lift(*symmetries(draws))

    def lift(self, cells: NDArray[np.int64], digits: NDArray[np.int64]) -> Lifted:
        """Symmetries of grids, (n, 81) and (n, 10), as symmetries of tokens, (n, S) and (n, V)."""
        padding = np.zeros((len(digits), 1), np.int64)
        return cells, np.concatenate((padding, digits + 1), axis=1)

    def views(self, puzzle: Puzzle, rng: np.random.Generator) -> Iterator[Symmetry]:  # noqa: ARG002
        """The puzzle as given first, then random symmetries without end."""
        for view in chain([IDENTITY], iter(lambda: random_view(rng), None)):
            origins = view.cells.reshape(1, 81)
            digits = view.values[None].astype(np.int64)
            cells, values = self.lift(origins, digits)
            yield Symmetry(cells[0], values[0])

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """Full grids (N, 9, 9) -> (N,): equal for those that are one under a symmetry."""
        from trmsolve.puzzles.sudoku.canonical import invariants  # numba: not before it is needed

        return invariants(answers)

    def canonical(self, answer: Grid) -> bytes:
        """The same 81 bytes for exactly the full grids that are one under symmetries."""
        from trmsolve.puzzles.sudoku.canonical import canonical_form

        return canonical_form(answer)


class SudokuLattice(Sudoku):
    """The same Sudoku as candidates: nine digits a cell, each possible (1) or ruled out (0)."""

    vocab_size = 2
    seq_len = 729
    candidates = 9
    paper_latent_steps = None

    def encode(
        self,
        grid: NDArray[np.int8],
        extra: NDArray[np.int8] | None = None,  # noqa: ARG002
    ) -> NDArray[np.int64]:
        """Grids (..., 9, 9) -> tokens (..., 729): a clue is one candidate, a blank is all nine."""
        cells = grid.reshape(*grid.shape[:-2], 81, 1)
        possible = (cells == np.arange(1, 10)) | (cells == 0)
        tokens: NDArray[np.int64] = possible.astype(np.int64)
        return tokens.reshape(*grid.shape[:-2], 729)

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...] = (9, 9)) -> Grid:
        """Tokens (729,) -> grid; a cell with no candidate or with several is a blank."""
        possible = tokens.reshape(9, 9, 9) == 1
        decided = possible.sum(-1) == 1
        grid: Grid = np.where(decided, possible.argmax(-1) + 1, 0).astype(np.int8)
        return grid.reshape(shape)

    def lift(self, cells: NDArray[np.int64], digits: NDArray[np.int64]) -> Lifted:
        """As for ``Sudoku``. A digit's new name is another place; the tokens keep their meaning."""
        origin = digits[:, 1:].argsort(-1)  # the old digit whose candidate each new one is
        places = 9 * cells[:, :, None] + origin[:, None, :]
        tokens = np.broadcast_to(np.arange(2), (len(digits), 2))
        return places.reshape(-1, 729), tokens


def _changed_clue(question: Grid, answer: Grid) -> str:
    """The first clue that the answer changed, or ""."""
    for row, column in CELLS:
        clue = int(question[row, column])
        digit = int(answer[row, column])
        if clue and digit != clue:
            return f"clue {clue} at r{row + 1}c{column + 1} became {digit or 'blank'}"
    return ""


def _broken_house(answer: Grid) -> str:
    """The first house that does not hold 1 to 9 once each, and why, or ""."""
    for house, cells in HOUSES.items():
        digits = [int(answer[cell]) for cell in cells]
        if 0 in digits:
            row, column = cells[digits.index(0)]
            return f"r{row + 1}c{column + 1} is blank"
        missing = sorted(set(range(1, 10)) - set(digits))
        if missing:
            twice = next(digit for digit in digits if digits.count(digit) > 1)
            return f"{house} has two {twice}s and no {missing[0]}"
    return ""
