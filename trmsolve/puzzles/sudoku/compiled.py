"""The compiled search for Sudoku: candidates as bits, singles, locked candidates, counted guesses.

It serves the making and rating of puzzles only, and no answer of a network ever comes from here.
Importing this module imports numba, so modules import it where they need it. A kernel is compiled
at its first call and kept on disk. Numba looks at this file's date alone, which is why every kernel
that another one calls stands here.

A state is 31 integers:

- ``state[3 * d + b]``, for digit d (0 to 8) and band b (three rows), has a bit for each of the 27
  cells of the band, which is set while the digit may stand there
- ``state[DONE + b]`` has the cells whose digit has been taken from their peers
- ``state[DIRTY]`` has the digits to be looked at again

A search keeps a state for each guess that it is in, with the cell of the guess and the digits yet
to be tried. This module knows bits, and neither files nor difficulties.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import kernel

Ints = NDArray[np.int64]

DONE = 27
DIRTY = 30
CELL = 31
"""The place, in a state of a search, of the cell to guess."""

LEFT = 32
"""The place, in a state of a search, of the digits yet to be tried there."""

STACK = (82, 33)
"""The shape of the states of a search, int64: at most 81 guesses are open at once."""

SOLUTIONS = 100
"""How many solutions a climb looks at after it has removed a clue."""

DESCENT = 0.8
"""The share of its rating that a climb has to keep in a step."""

REVEALS_MORE = 0.55
"""The probability that a step of ``derive`` reveals one blank more, after each."""

MOST_REVEALED = 8
"""The most blanks that a step of ``derive`` reveals."""

STAYS_HARD = 0.7
"""The share of its rating that the walk of ``derive`` has to keep in a step."""

HARD_ENOUGH = 250
"""The walk of ``derive`` does not keep to ratings above this one: they are too rare."""

FULL = (1 << 27) - 1
"""All cells of a band."""

ROWS = 1 | 1 << 9 | 1 << 18
"""Times the nine bits of a row, this has them in each row of a band."""


def _table(value: Callable[[int], int]) -> Ints:
    """Tabulate a function of nine bits."""
    return np.array([value(bits) for bits in range(512)], np.int64)


def _locked(bits: int) -> int:
    """Keep of a 3 x 3 pattern what lies on a way to choose one per line and column.

    Nothing else may hold the digit.
    """
    kept = 0
    for way in (0o421, 0o412, 0o241, 0o214, 0o142, 0o124):
        if way & bits == way:
            kept |= way
    return kept


def _lone(bits: int) -> int:
    """Keep a bit that is the only one."""
    return bits if bits.bit_count() == 1 else 0


def _lone_of_3(bits: int) -> int:
    """Keep of each group of three bits the one that is the only one."""
    return sum(_lone(bits & 7 << i) for i in (0, 3, 6))


def _any_of_3(bits: int) -> int:
    """Set all bits of each group of three that has any."""
    return sum(7 << i for i in (0, 3, 6) if bits >> i & 7)


def _has_3(bits: int) -> int:
    """Set one bit, of three, for each group of three bits that has any."""
    return sum(1 << i // 3 for i in (0, 3, 6) if bits >> i & 7)


def _spread(bits: int) -> int:
    """Make three bits of each one."""
    return sum(7 << 3 * i for i in range(9) if bits >> i & 1)


def _bit_numbers() -> Ints:
    """Tabulate the number of a lone bit by bit % 37, which is another one for each of 27 bits."""
    numbers = np.zeros(37, np.int64)
    for number in range(27):
        numbers[(1 << number) % 37] = number
    return numbers


def _keep() -> Ints:
    """List for each cell (81, 3) the cells of each band that may hold its digit beside it."""
    cells = np.arange(81)
    row, column = np.divmod(cells, 9)
    box = row // 3 * 3 + column // 3
    same_row = row[:, None] == row
    same_column = column[:, None] == column
    same_box = box[:, None] == box
    peers = same_row | same_column | same_box
    free = (~peers | np.eye(81, dtype=bool)).reshape(81, 3, 27)
    masks: Ints = (free.astype(np.int64) << np.arange(27)).sum(-1)
    return masks


KEEP = _keep()
LOCKED = _table(_locked)
LONE = _table(_lone)
LONE_OF_3 = _table(_lone_of_3)
ANY_OF_3 = _table(_any_of_3)
HAS_3 = _table(_has_3)
SPREAD = _table(_spread)
BIT = _bit_numbers()
"""The number of a lone bit, at bit % 37."""


@kernel
def set_up(state: Ints, clues: Ints) -> None:
    """Write the clues (81,), 0 where blank, into a state.

    Clues that clash leave a cell without a candidate.
    """
    state[:DONE] = FULL
    state[DONE:DIRTY] = 0
    state[DIRTY] = 511
    for cell in range(81):
        if clues[cell]:
            settle(state, cell, clues[cell] - 1)


@kernel
def settle(state: Ints, cell: int, digit: int) -> None:
    """Put a digit (0 to 8) into a cell and take it from the cell's peers."""
    assume(state, cell, digit)
    for band in range(3):
        state[3 * digit + band] &= KEEP[cell, band]
    state[DONE + cell // 27] |= 1 << cell % 27


@kernel
def assume(state: Ints, cell: int, digit: int) -> None:
    """Take every other digit from a cell."""
    band, bit = cell // 27, 1 << cell % 27
    for other in range(9):
        if other != digit and state[3 * other + band] & bit:
            state[3 * other + band] ^= bit
            state[DIRTY] |= 1 << other


@kernel
def exclude(state: Ints, cell: int, digit: int) -> None:
    """Take a digit from a cell."""
    state[3 * digit + cell // 27] &= ~(1 << cell % 27)
    state[DIRTY] |= 1 << digit


@kernel
def propagate(state: Ints, locked: bool) -> int:
    """Draw conclusions from naked and hidden singles, and if asked from locked candidates.

    It stops when nothing more follows. Returns -1 if the state contradicts itself, 1 if every cell
    has its digit, else 0.
    """
    while True:
        if not _naked(state):
            return -1
        if not state[DIRTY]:
            break
        for digit in range(9):
            if state[DIRTY] >> digit & 1:
                state[DIRTY] ^= 1 << digit
                if not _look_at(state, digit, locked):
                    return -1
    return 1 if state[DONE] == FULL and state[DONE + 1] == FULL and state[DONE + 2] == FULL else 0


@kernel
def _naked(state: Ints) -> bool:
    """Take the digit of cells with one candidate from their peers. False if a cell has none."""
    for band in range(3):
        one = two = 0
        for digit in range(9):
            cells = state[3 * digit + band]
            two |= one & cells
            one |= cells
        if one != FULL:
            return False
        new = one & ~two & ~state[DONE + band]
        if not new:
            continue
        state[DONE + band] |= new
        for digit in range(9):
            cells = state[3 * digit + band] & new
            if cells:
                state[DIRTY] |= 1 << digit
            while cells:
                bit = cells & -cells
                cells ^= bit
                cell = 27 * band + BIT[bit % 37]
                for other in range(3):
                    state[3 * digit + other] &= KEEP[cell, other]
    return True


@kernel
def _look_at(state: Ints, digit: int, locked: bool) -> bool:
    """Find locked candidates and hidden singles of one digit.

    Returns False if a house has no place for the digit.
    """
    if locked and not _lock(state, digit):
        return False
    seen = double = 0  # columns
    for band in range(3):
        cells = state[3 * digit + band]
        above = cells & 511
        middle = cells >> 9 & 511
        below = cells >> 18
        once = above | middle | below
        if not (above and middle and below and HAS_3[once] == 7):
            return False
        twice = above & middle | above & below | middle & below
        double |= twice | seen & once
        seen |= once
        single = LONE[above] | LONE[middle] << 9 | LONE[below] << 18
        _hidden(state, digit, band, single | cells & (LONE_OF_3[once] & ~ANY_OF_3[twice]) * ROWS)
    for band in range(3):
        _hidden(state, digit, band, state[3 * digit + band] & (seen & ~double) * ROWS)
    return seen == 511


@kernel
def _hidden(state: Ints, digit: int, band: int, cells: int) -> None:
    """Take every other digit from cells that are the only place of this digit in a house."""
    cells &= ~state[DONE + band]
    if not cells:
        return
    for other in range(9):
        if other != digit and state[3 * other + band] & cells:
            state[3 * other + band] &= ~cells
            state[DIRTY] |= 1 << other


@kernel
def _lock(state: Ints, digit: int) -> bool:
    """Lock a digit where a box and a line meet, in every direction, until nothing more follows.

    Returns False if no place is left for it.
    """
    at = 3 * digit
    first, second, third = state[at], state[at + 1], state[at + 2]
    while True:
        columns_1 = (first | first >> 9 | first >> 18) & 511
        columns_2 = (second | second >> 9 | second >> 18) & 511
        columns_3 = (third | third >> 9 | third >> 18) & 511
        left = LOCKED[columns_1 & 7 | (columns_2 & 7) << 3 | (columns_3 & 7) << 6]
        centre = LOCKED[columns_1 >> 3 & 7 | columns_2 & 56 | (columns_3 & 56) << 3]
        right = LOCKED[columns_1 >> 6 | columns_2 >> 6 << 3 | columns_3 & 448]
        new_1 = first & _rows(first) & (left & 7 | (centre & 7) << 3 | (right & 7) << 6) * ROWS
        new_2 = second & _rows(second) & (left >> 3 & 7 | centre & 56 | (right & 56) << 3) * ROWS
        new_3 = third & _rows(third) & (left >> 6 | centre >> 6 << 3 | right & 448) * ROWS
        if not (new_1 and new_2 and new_3):
            return False
        if new_1 == first and new_2 == second and new_3 == third:
            state[at], state[at + 1], state[at + 2] = first, second, third
            return True
        first, second, third = new_1, new_2, new_3


@kernel
def _rows(cells: int) -> int:
    """Find the cells of a band that rows and boxes, locked against each other, leave to a digit."""
    pattern = HAS_3[cells & 511] | HAS_3[cells >> 9 & 511] << 3 | HAS_3[cells >> 18] << 6
    return SPREAD[LOCKED[pattern]]  # type: ignore[no-any-return]


@kernel
def fewest(state: Ints) -> int:
    """Find the first cell, row by row, of those with the fewest candidates above one."""
    best = 10
    at = 0
    for band in range(3):
        # The number of candidates of each cell, as the digits of a binary number.
        ones = twos = fours = eights = 0
        for digit in range(9):
            carry = state[3 * digit + band]
            ones, carry = ones ^ carry, ones & carry
            twos, carry = twos ^ carry, twos & carry
            fours, carry = fours ^ carry, fours & carry
            eights |= carry
        for number in range(2, best):
            cells = (ones if number & 1 else ~ones) & (twos if number & 2 else ~twos)
            cells &= (fours if number & 4 else ~fours) & (eights if number & 8 else ~eights) & FULL
            if cells:
                best = number
                at = 27 * band + BIT[(cells & -cells) % 37]
                break
    return at


@kernel
def read_off(state: Ints, answer: Ints) -> None:
    """Write the digits, 1 to 9, of a state in which every cell has one into ``answer`` (81,)."""
    for cell in range(81):
        for digit in range(9):
            if state[3 * digit + cell // 27] >> cell % 27 & 1:
                answer[cell] = digit + 1


@kernel
def search(stack: Ints, limit: int, turns: Ints, answer: Ints, tally: Ints) -> tuple[int, int]:
    """Count the solutions of the state in ``stack[0]``, up to ``limit``, and the guesses made.

    A guess tries every candidate of a cell, and the cell with the fewest comes first. ``turns``
    (81,) says with which digit (0 to 8) to begin. ``answer`` (81,) becomes the last solution found.
    ``tally`` (81, 10) counts for every cell in how many solutions it has which digit.
    """
    found = guesses = depth = 0
    while depth >= 0:
        end = propagate(stack[depth], True)
        if end == 1:
            read_off(stack[depth], answer)
            for cell in range(81):
                tally[cell, answer[cell]] += 1
            found += 1
            if found == limit:
                break
        if end:
            depth -= 1
        else:
            guesses += 1
            _open(stack[depth])
        while depth >= 0 and not stack[depth, LEFT]:
            depth -= 1
        if depth >= 0:
            _guess(stack, depth, turns)
            depth += 1
    return found, guesses


@kernel
def _open(state: Ints) -> None:
    """Note the cell to guess and its candidates."""
    state[CELL] = cell = fewest(state)
    state[LEFT] = 0
    for digit in range(9):
        state[LEFT] |= (state[3 * digit + cell // 27] >> cell % 27 & 1) << digit


@kernel
def _guess(stack: Ints, depth: int, turns: Ints) -> None:
    """Write the next guess at this depth into the state below it."""
    cell = stack[depth, CELL]
    left = stack[depth, LEFT]
    later = left >> turns[cell] << turns[cell]
    bit = (later or left) & -(later or left)
    stack[depth, LEFT] ^= bit
    stack[depth + 1, :CELL] = stack[depth, :CELL]
    assume(stack[depth + 1], cell, BIT[bit % 37])


@kernel
def dig(  # noqa: PLR0913  (numba takes no dataclass)
    stack: Ints, clues: Ints, order: Ints, fewest_clues: int, by_singles: bool, turns: Ints
) -> None:
    """Remove clues (81,), in this order of the cells, while the puzzle keeps its one solution.

    A clue goes if it is not needed when its turn comes. At least ``fewest_clues`` stay. With
    ``by_singles`` the puzzle also stays one that singles solve. Many clues are tried at once at
    first: if all of them can go together, each can go in its turn.
    """
    clues_left = int(np.count_nonzero(clues))
    at = 0
    step = 32
    taken = np.empty_like(clues)
    while at < len(order) and clues_left > fewest_clues:
        now = order[at : at + min(step, clues_left - fewest_clues)]
        taken[:] = clues
        clues[now] = 0
        if _stays(stack, clues, taken, now, by_singles, turns):
            clues_left = int(np.count_nonzero(clues))
            at += len(now)
        else:
            clues[:] = taken
            at += step == 1
        step = max(step // 2, 1)


@kernel
def _stays(  # noqa: PLR0913  (numba takes no dataclass)
    stack: Ints, clues: Ints, before: Ints, taken: Ints, by_singles: bool, turns: Ints
) -> bool:
    """Tell whether the clues still mean the same without those at the cells ``taken``."""
    set_up(stack[0], clues)
    if by_singles:
        return propagate(stack[0], False) == 1
    limit = 2
    if len(taken) == 1:
        if not before[taken[0]]:
            return True
        exclude(stack[0], taken[0], before[taken[0]] - 1)  # any solution now is another one
        limit = 1
    found, _ = search(stack, limit, turns, np.empty(81, np.int64), np.empty((81, 10), np.int64))
    return found < limit


@kernel
def climb(  # noqa: PLR0913  (numba takes no dataclass)
    stack: Ints, clues: Ints, answer: Ints, goal: int, draws: NDArray[np.float64], turns: Ints
) -> int:
    """Exchange single clues until the rating is at least ``goal``. Returns the rating.

    It gives up when the draws are used up. ``clues`` and ``answer`` (81,) are changed in place, and
    are always a puzzle and its one solution.

    A step (a row of ``draws``, each in [0, 1)) removes a clue and finds the solutions that there
    are then. It tries some of the cells and digits that only one of these solutions has: each as a
    clue makes a puzzle with one solution, often another one. The hardest of these puzzles is kept
    unless it is much easier than the puzzle before.
    """
    tally = np.empty((81, 10), np.int64)
    swaps = np.empty(729, np.int64)
    found = np.empty(81, np.int64)
    trial = answer.copy()
    rating = rate(stack, clues, turns, found, tally)
    for draw in draws:
        if rating >= goal:
            break
        cells = np.flatnonzero(clues)
        gone = cells[int(draw[0] * len(cells))]
        digit = clues[gone]
        clues[gone] = 0
        number = _swaps(stack, clues, answer, gone, turns, found, tally, swaps)
        best = -1
        swap = 0
        for t in range(min(number, len(draw) - 1)):
            other = t + int(draw[t + 1] * (number - t))
            swaps[t], swaps[other] = swaps[other], swaps[t]
            cell = swaps[t] // 10
            clues[cell] = swaps[t] % 10
            new = rate(stack, clues, turns, found, tally)
            clues[cell] = 0
            if new > best:
                best = new
                swap = swaps[t]
                trial[:] = found
        if best >= 0 and best >= DESCENT * rating:
            clues[swap // 10] = swap % 10
            answer[:] = trial
            rating = best
        else:
            clues[gone] = digit
    return rating


@kernel
def derive(  # noqa: PLR0913  (numba takes no dataclass)
    stack: Ints,
    clues: Ints,
    answer: Ints,
    fresh: int,
    draws: NDArray[np.float64],
    turns: Ints,
    derived: NDArray[np.int8],
    ratings: Ints,
) -> None:
    """Walk from a puzzle (81,) to others with the same solution ``answer`` (81,).

    A step (a row (82,) of ``draws``, each in [0, 1)) reveals up to ``MOST_REVEALED`` blanks of the
    puzzle where the walk stands, all of them in the first ``fresh`` steps. Then it removes clues in
    random order until no other can go without a second solution; those just revealed come last. The
    puzzle and its rating are written to the step's place in ``derived`` (steps, 81) and ``ratings``
    (steps,). The walk goes there unless it is much easier, so that it climbs to hard puzzles and
    stays among them. ``clues`` are changed in place.
    """
    tally = np.empty((81, 10), np.int64)
    solution = np.empty(81, np.int64)
    rating = rate(stack, clues, turns, solution, tally)
    for step, draw in enumerate(draws):
        number = 1 + int(np.log(1 - draw[0]) / np.log(REVEALS_MORE))
        number = 81 if step < fresh else min(number, MOST_REVEALED)
        trial = clues.copy()
        order = _reveal(trial, answer, np.argsort(draw[1:]), number)
        dig(stack, trial, order, 0, False, turns)
        ratings[step] = rate(stack, trial, turns, solution, tally)
        derived[step] = trial
        if ratings[step] >= STAYS_HARD * min(rating, HARD_ENOUGH):
            clues[:] = trial
            rating = ratings[step]


@kernel
def _reveal(clues: Ints, answer: Ints, order: Ints, number: int) -> Ints:
    """Reveal so many blanks, the first ones in this order of the cells.

    Returns the cells that have clues now, in the same order, those that were revealed last.
    """
    blank = clues[order] == 0
    kept = order[~blank]
    revealed = order[blank][:number]
    for cell in revealed:
        clues[cell] = answer[cell]
    return np.concatenate((kept, revealed))


@kernel
def rate(stack: Ints, clues: Ints, turns: Ints, answer: Ints, tally: Ints) -> int:
    """Rate clues (81,) and write their solution into ``answer`` (81,).

    Returns -1 unless there is exactly one solution.
    """
    set_up(stack[0], clues)
    found, guesses = search(stack, 2, turns, answer, tally)
    return guesses if found == 1 else -1


@kernel
def _swaps(  # noqa: PLR0913  (numba takes no dataclass)
    stack: Ints,
    clues: Ints,
    answer: Ints,
    gone: int,
    turns: Ints,
    found: Ints,
    tally: Ints,
    swaps: Ints,
) -> int:
    """Find the clues that could replace the one at ``gone``. Returns how many there are.

    They are written into ``swaps`` as 10 * cell + digit. There are none if there are too many
    solutions to look at. A clue that is not needed may be exchanged for any other of the same
    solution: puzzles of this kind are not minimal, and climb the better for it.
    """
    set_up(stack[0], clues)
    exclude(stack[0], gone, answer[gone] - 1)
    tally[:] = 0
    if search(stack, SOLUTIONS, turns, found, tally)[0] == SOLUTIONS:
        return 0
    number = 0
    for cell in range(81):
        tally[cell, answer[cell]] += 1
        for digit in range(1, 10):
            removed = cell == gone and digit == answer[gone]
            if tally[cell, digit] == 1 and not clues[cell] and not removed:
                swaps[number] = 10 * cell + digit
                number += 1
    return number
