"""A small exact search for Sudoku in plain Python: it counts solutions for messages about a puzzle.

No answer comes from here, and the solver does not import this module. The puzzles are made and
rated by a compiled search of their own, in ``compiled``.

The candidates of a cell are the bits of an integer: bit k is set while the digit k + 1 may stand
there.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from trmsolve.puzzles.values import Grid

ALL = 0b111111111
"""All nine candidates."""

DIGITS = [1 << k for k in range(9)]
"""The bits of the digits 1 to 9."""

Candidates = list[int]
"""The candidates of the 81 cells, row by row."""

Choice = tuple[int, int]
"""A cell, and the bit of a digit to place in it."""


def _list_houses() -> list[list[int]]:
    """List the cells of every row, column and box."""
    cells = np.arange(81).reshape(9, 9)
    boxes = cells.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    houses: list[list[int]] = np.concatenate([cells, cells.T, boxes]).tolist()
    return houses


def _list_peers(cell: int) -> list[int]:
    """List the other cells of the cell's row, column and box."""
    houses = [house for house in HOUSES if cell in house]
    return sorted(set().union(*houses) - {cell})


HOUSES = _list_houses()
PEERS = [_list_peers(cell) for cell in range(81)]


class Exhausted(Exception):
    """The search used up its budget of guesses."""


def count_solutions(puzzle: Grid, limit: int = 2, budget: int | None = None) -> int | None:
    """Count the solutions of a puzzle (9, 9), up to ``limit``.

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


def solutions(puzzle: Grid, budget: int | None = None) -> Iterator[Grid]:
    """Generate every solution of a puzzle (9, 9). Raises Exhausted after ``budget`` guesses."""
    candidates = [ALL] * 81
    if not _place_clues(candidates, puzzle):
        return
    guesses = 0
    stack = [candidates]
    while stack:
        candidates = stack.pop()
        if not _place_hidden_singles(candidates):
            continue
        open_cells = [cell for cell in range(81) if _is_open(candidates[cell])]
        if not open_cells:
            yield _read_off(candidates)
            continue
        guesses += 1
        if budget is not None and guesses > budget:
            raise Exhausted
        stack += _branch(candidates, open_cells)


def _branch(candidates: Candidates, open_cells: Sequence[int]) -> Iterator[Candidates]:
    """Try the fewest choices: the digits of a cell, or the places of a digit in a house.

    Some puzzles without a solution are seen to have none only through the places of a digit.
    """
    cell = min(open_cells, key=lambda cell: candidates[cell].bit_count())
    choices = [(cell, digit) for digit in DIGITS if candidates[cell] & digit]
    if len(choices) > 2:
        choices = _fewest_places(candidates, choices)
    for place, digit in choices:
        branch = candidates.copy()
        if _place(branch, place, digit):
            yield branch


def _fewest_places(candidates: Candidates, choices: list[Choice]) -> list[Choice]:
    """The places of the digit with the fewest in a house, if they are fewer than ``choices``."""
    for house in HOUSES:
        for digit in DIGITS:
            places = [cell for cell in house if candidates[cell] & digit]
            if 1 < len(places) < len(choices):
                choices = [(cell, digit) for cell in places]
    return choices


def _is_open(bits: int) -> bool:
    """Tell whether a cell has several candidates left."""
    return bits & (bits - 1) != 0


def _read_off(candidates: Candidates) -> Grid:
    """Read the grid (9, 9) off cells that have one candidate each."""
    digits = [bits.bit_length() for bits in candidates]
    return np.array(digits, dtype=np.int8).reshape(9, 9)


def _place_clues(candidates: Candidates, puzzle: Grid) -> bool:
    """Place all clues. Returns False on a contradiction."""
    for cell, digit in enumerate(puzzle.ravel().tolist()):
        if digit and not _place(candidates, cell, 1 << digit - 1):
            return False
    return True


def _place(candidates: Candidates, cell: int, digit: int) -> bool:
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
        for peer in PEERS[cell]:
            if not candidates[peer] & digit:
                continue
            candidates[peer] &= ~digit
            if not candidates[peer]:
                return False
            if not _is_open(candidates[peer]):
                waiting.append(peer)
    return True


def _place_hidden_singles(candidates: Candidates) -> bool:
    """Place digits that have one place left in a house, until there is no such digit.

    Returns False on a contradiction.
    """
    found = True
    while found:
        found = False
        for house in HOUSES:
            hidden = _find_hidden(candidates, house)
            if hidden is None:
                return False
            for cell in house:
                digit = candidates[cell] & hidden
                if not digit or candidates[cell] == digit:
                    continue
                if _is_open(digit) or not _place(candidates, cell, digit):
                    return False
                found = True
    return True


def _find_hidden(candidates: Candidates, house: Sequence[int]) -> int | None:
    """Find the digits with one place in a house, as bits. Returns None if a digit has no place."""
    once = 0
    twice = 0
    for cell in house:
        twice |= once & candidates[cell]
        once |= candidates[cell]
    return once & ~twice if once == ALL else None
