"""A small exact search for Sudoku in plain Python: counts solutions, for messages about a puzzle.

No answer ever comes from here: the solver does not know this file. What makes and rates puzzles by
the thousand has a compiled one of its own in ``sudoku_core``. Knows bit sets and the board.
"""

from collections.abc import Iterator

import numpy as np

from trmsolve.puzzles.values import Grid

ALL = 0b111111111
PEERS = [
    [
        other
        for other in range(81)
        if other != cell
        and (
            other // 9 == cell // 9
            or other % 9 == cell % 9
            or (other // 27 == cell // 27 and other % 9 // 3 == cell % 9 // 3)
        )
    ]
    for cell in range(81)
]
HOUSES = (
    [[9 * k + i for i in range(9)] for k in range(9)]
    + [[9 * i + k for i in range(9)] for k in range(9)]
    + [[27 * (k // 3) + 3 * (k % 3) + 9 * (i // 3) + i % 3 for i in range(9)] for k in range(9)]
)


class Exhausted(Exception):
    """The search used up its budget of guesses."""


def count_solutions(puzzle: Grid, limit: int = 2, budget: int | None = None) -> int | None:
    """How many solutions there are, counting up to ``limit``; None if ``budget`` guesses were not enough to tell."""
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
    """Every solution. Raises Exhausted after ``budget`` guesses."""
    candidates = [ALL] * 81
    if not _place_clues(candidates, puzzle):
        return
    guesses = 0
    stack = [candidates]
    while stack:
        candidates = stack.pop()
        if not _singles(candidates):
            continue
        open_cells = [cell for cell in range(81) if candidates[cell] & (candidates[cell] - 1)]
        if not open_cells:
            yield np.array([c.bit_length() for c in candidates], dtype=np.int8).reshape(9, 9)
            continue
        guesses += 1
        if budget is not None and guesses > budget:
            raise Exhausted
        cell = min(open_cells, key=lambda c: candidates[c].bit_count())
        for k in range(9):
            branch = candidates.copy()
            if candidates[cell] >> k & 1 and _place(branch, cell, 1 << k):
                stack.append(branch)


def _place_clues(candidates: list[int], puzzle: Grid) -> bool:
    return all(
        _place(candidates, cell, 1 << digit - 1)
        for cell, digit in enumerate(puzzle.ravel().tolist())
        if digit
    )


def _place(candidates: list[int], cell: int, digit: int) -> bool:
    """Put a digit, and what follows when a peer has one candidate left.

    False if a cell has none.
    """
    if not candidates[cell] & digit:
        return False
    candidates[cell] = digit
    waiting = [cell]
    while waiting:
        cell = waiting.pop()
        digit = candidates[cell]
        for peer in PEERS[cell]:
            if candidates[peer] & digit:
                candidates[peer] &= ~digit
                if not candidates[peer]:
                    return False
                if candidates[peer] & (candidates[peer] - 1) == 0:
                    waiting.append(peer)
    return True


def _singles(candidates: list[int]) -> bool:
    """Place digits that have one place left in a house until none is found.

    False on a contradiction.
    """
    found = True
    while found:
        found = False
        for house in HOUSES:
            once = twice = 0
            for cell in house:
                twice |= once & candidates[cell]
                once |= candidates[cell]
            if once != ALL:
                return False
            hidden = once & ~twice
            for cell in house:
                digit = candidates[cell] & hidden
                if digit and candidates[cell] != digit:
                    if digit & (digit - 1) or not _place(candidates, cell, digit):
                        return False
                    found = True
    return True
