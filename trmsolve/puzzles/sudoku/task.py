"""Sudoku: rules, tokens and symmetries.

Reading, drawing and making puzzles stand in the ``sudoku_*`` files beside it.

Knows numpy, the nine-by-nine board and nothing of torch, terminals or commands. ``verify`` is
written without the use of ``encode`` and ``decode``, so that a mistake in those cannot verify
itself.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Diagnosis, Task
from trmsolve.puzzles.sudoku.generate import DIFFICULTIES, generate_sudokus
from trmsolve.puzzles.sudoku.paint import paint_sudoku
from trmsolve.puzzles.sudoku.search import count_solutions
from trmsolve.puzzles.sudoku.symmetry import IDENTITY, SudokuView, random_view, symmetries
from trmsolve.puzzles.sudoku.text import TextForm, read_sudokus, write_sudoku
from trmsolve.puzzles.values import Course, Cycle, Grid, Line, Puzzle, Verdict, View
from trmsolve.wording import can_encode

CELLS = [(row, column) for row in range(9) for column in range(9)]
HOUSES: dict[str, list[tuple[int, int]]] = {
    **{f"row {k + 1}": [cell for cell in CELLS if cell[0] == k] for k in range(9)},
    **{f"column {k + 1}": [cell for cell in CELLS if cell[1] == k] for k in range(9)},
    **{
        f"box {k + 1}": [cell for cell in CELLS if cell[0] // 3 * 3 + cell[1] // 3 == k]
        for k in range(9)
    },
}
HOUSE_CELLS = np.array(
    [[9 * row + column for row, column in cells] for cells in HOUSES.values()]
)  # (27, 9)

DIAGNOSIS_BUDGET = 300
"""Guesses that the search of ``diagnose`` may make: milliseconds."""


class Sudoku:
    """The nine-by-nine Sudoku as a task.

    Token 0 is padding, 1 the blank, 2 to 10 the digits, as in the public code.
    """

    name = "sudoku"
    vocab_size = 11
    seq_len = 81
    candidates = 1
    symmetry_draws = 34
    ruled = False
    # Half a minute's work. Extreme ones are dear, and drawn far more often than there are of them.
    training_kinds: ClassVar[dict[str, int]] = {"mixed": 15_000, "hard": 15_000, "extreme": 600}
    training_bands: ClassVar[dict[str, float]] = {"0": 1, "1-7": 3, "8-31": 2, "32-127": 3}
    difficulties: tuple[str, ...] = DIFFICULTIES

    def read(self, stream: BinaryIO, name: str) -> Iterator[Puzzle | PuzzleError]:
        """Every Sudoku of a text file in whatever form it has; see ``sudoku_text``."""
        return read_sudokus(stream, name)

    def write(self, grid: Grid, form: Any) -> str:
        """A grid in the form its puzzle was read in; on one line for the form None."""
        return write_sudoku(grid, form or TextForm())

    def can_write(self, form: Any, encoding: str) -> bool:
        """Whether the encoding has the sign for a blank; digits are in every encoding, and frames have substitutes."""
        return form is None or can_encode(form.blank, encoding)

    def line(self, grid: Grid) -> str:
        """81 characters, ``.`` for a blank."""
        return "".join(str(digit) if digit else "." for digit in grid.reshape(-1).tolist())

    def text(self, grid: Grid) -> str:
        """As ``line``."""
        return self.line(grid)

    def lay(self, grid: Grid) -> Grid:
        """As it is: there is one board."""
        return grid

    def misfit(self, grid: Grid) -> str:
        """Nothing: there is one board."""
        return ""

    def unsolvable(self, grid: Grid) -> str:
        """Nothing: that takes a search, which ``diagnose`` makes after the first view."""
        return ""

    def encode(self, grid: NDArray[np.int8]) -> NDArray[np.int64]:
        """Grids (..., 9, 9) -> tokens (..., 81), row after row."""
        return grid.reshape(*grid.shape[:-2], 81).astype(np.int64) + 1

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...] = (9, 9)) -> Grid:
        """Tokens (81,) -> grid; padding, which means nothing on this board, becomes a blank."""
        return np.maximum(tokens.reshape(shape).astype(np.int8) - 1, 0).astype(np.int8)

    def cells(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """(81,) -> (9, 9)."""
        return values.reshape(shape)

    def course(self, tokens: NDArray[np.int64]) -> Course | None:
        """Unsaid: a Sudoku's answer does not spread from one place."""
        return None

    def relaxed(self) -> Task:
        """As it is: a valid answer is the right one."""
        return self

    def relabel(self, tokens: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The turned answers: a Sudoku has only one."""
        return labels

    def arrows(
        self, tokens: NDArray[np.int64], shape: tuple[int, ...], view: View
    ) -> NDArray[np.int8] | None:
        """A Sudoku has no directions."""
        return None

    def verify(self, puzzle: Grid, answer: Grid) -> Verdict:
        """27 houses hold 1 to 9 once each and every clue is kept; the reason names the first rule that fails."""
        for row, column in CELLS:
            clue, digit = int(puzzle[row, column]), int(answer[row, column])
            if clue and digit != clue:
                return Verdict(
                    False, f"clue {clue} at r{row + 1}c{column + 1} became {digit or 'blank'}"
                )
        for house, cells in HOUSES.items():
            digits = [int(answer[cell]) for cell in cells]
            if 0 in digits:
                row, column = cells[digits.index(0)]
                return Verdict(False, f"r{row + 1}c{column + 1} is blank")
            if missing := sorted(set(range(1, 10)) - set(digits)):
                twice = next(digit for digit in digits if digits.count(digit) > 1)
                return Verdict(False, f"{house} has two {twice}s and no {missing[0]}")
        return Verdict(True)

    def diagnose(self, puzzle: Grid) -> Diagnosis:
        """Whether the puzzle has no solution or several, if a short search can tell.

        Never used for an answer.
        """
        return Diagnosis(count_solutions(puzzle, limit=2, budget=DIAGNOSIS_BUDGET))

    def faults(self, puzzle: Grid, answer: Grid) -> tuple[NDArray[np.bool_], int]:
        """Cells that clash or are changed clues, and how many houses and clues are broken.

        For the eye only.
        """
        digits = answer.reshape(-1)[HOUSE_CELLS]  # (27, 9)
        equal = (digits[:, :, None] == digits[:, None, :]).sum(-1)
        clashing = (equal > 1) & (digits > 0)
        overwritten = (puzzle > 0) & (puzzle != answer)
        faulty = overwritten.reshape(-1).copy()
        faulty[HOUSE_CELLS[clashing]] = True
        broken_houses = (clashing | (digits == 0)).any(-1).sum()
        return faulty.reshape(9, 9), int(broken_houses + overwritten.sum())

    def paint(self, cycle: Cycle, plain: bool) -> list[Line]:
        """The grid as lines of styled text; see ``sudoku_paint``."""
        return paint_sudoku(cycle, plain)

    def generate(
        self,
        difficulty: str,
        seed: int,
        size: tuple[int, int] | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> Iterator[Puzzle]:
        """New puzzles with exactly one solution; see ``sudoku_generate``.

        Raises UsageError if a size is asked for.
        """
        if size or least is not None or most is not None:
            raise UsageError(
                "a Sudoku has one size and no path: leave out --size and --path-length"
            )
        return generate_sudokus(difficulty, seed)

    def symmetries(self, draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Symmetries of encoded grids: (n, 81) where each token comes from, (n, 11) what it becomes."""
        cells, digits = symmetries(draws)
        return cells, np.concatenate((np.zeros((len(draws), 1), np.int64), digits + 1), axis=1)

    def views(self, rng: np.random.Generator) -> Iterator[SudokuView]:
        """The puzzle as given first, then random symmetries without end."""
        return chain([IDENTITY], iter(lambda: random_view(rng), None))

    def invariant(self, answers: NDArray[np.int8]) -> NDArray[np.uint64]:
        """Full grids (N, 9, 9) -> (N,): equal if one is the other under a symmetry; see ``sudoku_canonical``."""
        from trmsolve.puzzles.sudoku.canonical import invariants  # numba: not before it is needed

        return invariants(answers)

    def canonical(self, answer: Grid) -> bytes:
        """The same 81 bytes for exactly the full grids that the symmetries turn into each other."""
        from trmsolve.puzzles.sudoku.canonical import canonical_form

        return canonical_form(answer)


class SudokuLattice(Sudoku):
    """The same Sudoku written as candidates: of each cell the nine digits, each possible (1) or ruled out (0)."""

    vocab_size = 2
    seq_len = 729
    candidates = 9

    def encode(self, grid: NDArray[np.int8]) -> NDArray[np.int64]:
        """Grids (..., 9, 9) -> tokens (..., 729): of a clue its digit alone, of a blank every digit."""
        cells = grid.reshape(*grid.shape[:-2], 81, 1)
        tokens: NDArray[np.int64] = ((cells == np.arange(1, 10)) | (cells == 0)).astype(np.int64)
        return tokens.reshape(*grid.shape[:-2], 729)

    def decode(self, tokens: NDArray[Any], shape: tuple[int, ...] = (9, 9)) -> Grid:
        """Tokens (729,) -> grid; a cell with no candidate or with several is a blank."""
        kept = tokens.reshape(9, 9, 9) == 1
        grid: Grid = np.where(kept.sum(-1) == 1, kept.argmax(-1) + 1, 0).astype(np.int8)
        return grid.reshape(shape)

    def symmetries(self, draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Symmetries of encoded grids.

        A digit's new name is another place; the tokens keep their meaning.
        """
        cells, digits = symmetries(draws)
        origin = digits[:, 1:].argsort(-1)  # of the new digit's candidate: the old one's
        places = (9 * cells[:, :, None] + origin[:, None, :]).reshape(-1, 729)
        return places, np.broadcast_to(np.arange(2), (len(draws), 2))
