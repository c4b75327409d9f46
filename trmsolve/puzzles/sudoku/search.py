"""A small exact search for Sudoku in plain Python, for boards of all sizes.

It counts solutions for messages about a puzzle, and helps to make puzzles of other sizes than
9 x 9. Those of 9 x 9 are made and rated by a compiled search, in ``compiled``. No answer comes from
here, and the solver does not import this module.

The candidates of a cell are the bits of an integer: bit k is set while the digit k + 1 may stand
there.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from trmsolve.puzzles.sudoku.board import Board, board_of
from trmsolve.puzzles.values import Grid

Candidates = list[int]
"""The candidates of all cells, row by row."""

Choice = tuple[int, int]
"""A cell, and the bit of a digit to place in it."""


class Exhausted(Exception):
    """The search used up its budget of guesses."""


def count_solutions(puzzle: Grid, limit: int = 2, budget: int | None = None) -> int | None:
    """Count the solutions of a puzzle (n, n), up to ``limit``.

    Returns None if ``budget`` guesses are not enough to tell.
    """
    found = 0
    try:
        for _ in solutions(puzzle, budget=budget):
            found += 1
            if found == limit:
                break
    except Exhausted:
        return None
    return found


def solutions(
    puzzle: Grid, budget: int | None = None, rng: np.random.Generator | None = None
) -> Iterator[Grid]:
    """Generate every solution of a puzzle (n, n): in random order with ``rng``.

    Raises Exhausted after ``budget`` guesses.
    """
    search = _search_of(len(puzzle))
    candidates = search.start(puzzle)
    if candidates is None:
        return
    guesses = 0
    stack = [candidates]
    while stack:
        candidates = stack.pop()
        if not search.place_hidden_singles(candidates):
            continue
        open_cells = [cell for cell, bits in enumerate(candidates) if _is_open(bits)]
        if not open_cells:
            yield _read_off(candidates, puzzle.shape)
            continue
        guesses += 1
        if budget is not None and guesses > budget:
            raise Exhausted
        branches = list(search.branch(candidates, open_cells))
        if rng is not None:
            rng.shuffle(branches)
        stack += branches


def singles_suffice(puzzle: Grid) -> bool:
    """Tell whether naked and hidden singles alone solve a puzzle (n, n)."""
    search = _search_of(len(puzzle))
    candidates = search.start(puzzle)
    if candidates is None or not search.place_hidden_singles(candidates):
        return False
    return not any(map(_is_open, candidates))


class _Search:
    """The steps of a search on one board."""

    def __init__(self, board: Board) -> None:
        self.cells = board.side**2
        self.digits = [1 << digit for digit in range(board.side)]
        self.all = (1 << board.side) - 1
        self.houses: list[list[int]] = board.houses.tolist()
        self.peers = [self._list_peers(cell) for cell in range(self.cells)]

    def _list_peers(self, cell: int) -> list[int]:
        """List the other cells of the cell's row, column and box."""
        houses = [house for house in self.houses if cell in house]
        return sorted(set().union(*houses) - {cell})

    def start(self, puzzle: Grid) -> Candidates | None:
        """The candidates that the clues leave. Returns None on a contradiction."""
        candidates = [self.all] * self.cells
        for cell, digit in enumerate(puzzle.ravel().tolist()):
            if digit and not self.place(candidates, cell, 1 << digit - 1):
                return None
        return candidates

    def branch(self, candidates: Candidates, open_cells: Sequence[int]) -> Iterator[Candidates]:
        """Try the fewest choices: the digits of a cell, or the places of a digit in a house.

        Some puzzles without a solution are seen to have none only through the places of a digit.
        """
        cell = min(open_cells, key=lambda cell: candidates[cell].bit_count())
        choices = [(cell, digit) for digit in self.digits if candidates[cell] & digit]
        if len(choices) > 2:
            choices = self._fewest_places(candidates, choices)
        for place, digit in choices:
            branch = candidates.copy()
            if self.place(branch, place, digit):
                yield branch

    def _fewest_places(self, candidates: Candidates, choices: list[Choice]) -> list[Choice]:
        """The places of the digit with the fewest in a house, if fewer than ``choices``."""
        for house in self.houses:
            for digit in self.digits:
                places = [cell for cell in house if candidates[cell] & digit]
                if 1 < len(places) < len(choices):
                    choices = [(cell, digit) for cell in places]
        return choices

    def place(self, candidates: Candidates, cell: int, digit: int) -> bool:
        """Place a digit (one bit), and the digits of peers that then have one candidate left.

        Returns False if a cell has no candidate left.
        """
        if not candidates[cell] & digit:
            return False
        candidates[cell] = digit
        waiting = [cell]
        while waiting:
            cell = waiting.pop()
            digit = candidates[cell]
            for peer in self.peers[cell]:
                if not candidates[peer] & digit:
                    continue
                candidates[peer] &= ~digit
                if not candidates[peer]:
                    return False
                if not _is_open(candidates[peer]):
                    waiting.append(peer)
        return True

    def place_hidden_singles(self, candidates: Candidates) -> bool:
        """Place digits that have one place left in a house, until there is no such digit.

        Returns False on a contradiction.
        """
        found = True
        while found:
            found = False
            for house in self.houses:
                hidden = self._find_hidden(candidates, house)
                if hidden is None:
                    return False
                for cell in house:
                    digit = candidates[cell] & hidden
                    if not digit or candidates[cell] == digit:
                        continue
                    if _is_open(digit) or not self.place(candidates, cell, digit):
                        return False
                    found = True
        return True

    def _find_hidden(self, candidates: Candidates, house: Sequence[int]) -> int | None:
        """Find the digits with one place in a house, as bits.

        Returns None if a digit has no place.
        """
        once = 0
        twice = 0
        for cell in house:
            twice |= once & candidates[cell]
            once |= candidates[cell]
        return once & ~twice if once == self.all else None


@lru_cache
def _search_of(side: int) -> _Search:
    """The search on the board of this side."""
    return _Search(board_of(side))


def _is_open(bits: int) -> bool:
    """Tell whether a cell has several candidates left."""
    return bits & (bits - 1) != 0


def _read_off(candidates: Candidates, shape: tuple[int, ...]) -> Grid:
    """Read the grid (n, n) off cells that have one candidate each."""
    digits = [bits.bit_length() for bits in candidates]
    return np.array(digits, dtype=np.int8).reshape(shape)
