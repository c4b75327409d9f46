"""Search on lattices of candidates: guess where the network is certain of nothing, and backtrack.

The network says what is ruled out, what is guessed and what was wrong. The caller says only whether
a grid that the network calls done is accepted. Knows arrays and the lattice; no rule of any
puzzle. Shape letters as in ``model.lattice`` and ``model.network``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trmsolve.model.arrays import Array, copied, like
from trmsolve.model.lattice import CERTAIN, Guessing, deduce, gumbel
from trmsolve.model.state import State
from trmsolve.solve.chance import Chance

GUESS = 0.5
"""The probability that a row that may guess does so in a cycle that is certain of nothing."""

FIRST_CYCLE = 0.1
"""The threshold of certainty of a search's first cycle, as a fraction of that of all later ones.

The network has thought least by then: of the solutions that 512 searches with one threshold lost,
all were lost in their first cycle.
"""

LOOSEST = 0.1
STRICTNESS = 1.5
"""Thresholds of certainty of searches that guess: up to so many decades below the loosest.

They may be looser than without guesses, where nothing is ever taken back: a wrong conclusion of one
search is not that of all.
"""


@dataclass(frozen=True)
class _Guess:
    """Where a lattice stood before a guess."""

    tokens: Array  # (S,)
    y: Array  # (L, D)
    z: Array  # (L, D)
    token: int  # that was guessed


class Search:
    """One row's randomness, and its guesses that were not taken back.

    ``noise`` is the temperature of its guesses; with 0 it only deduces. Networks without a lattice
    use ``noise`` and ``chance`` alone.
    """

    def __init__(self, noise: float, chance: Chance) -> None:
        self.noise = noise
        self.chance = chance
        self.guesses: list[_Guess] = []
        self.cycles = 0  # that are over
        self.certain = CERTAIN
        if noise:
            decades = STRICTNESS * float(chance.uniform(1)[0])
            self.certain = LOOSEST * 10**-decades

    def next_threshold(self) -> float:
        """The probability below which the next cycle rules a candidate out."""
        self.cycles += 1
        return self.certain * FIRST_CYCLE if self.cycles == 1 else self.certain

    def draw(self, tokens: int) -> NDArray[np.float32]:
        """(1 + S,) uniform numbers: the first for whether to guess, the others for what."""
        return self.chance.uniform(1 + tokens)


@dataclass(frozen=True)
class Deduction:
    """A cycle on lattices."""

    tokens: Array
    """(B, S), what was asked about."""

    before: State
    """The state that was asked in."""

    after: State
    """The state that the cycle ended with."""

    logits: Array
    """(B, S, 2), what the network said."""

    candidates: int
    """K, of each cell."""

    lost: NDArray[np.bool_]
    """(B,), whose lattice has no solution left, by the network's word."""

    wrong: NDArray[np.bool_]
    """(B,), which rows the network calls done that are not."""


class Continuation(NamedTuple):
    """How the rows of a batch go on."""

    tokens: Array
    """(B, S), or a board of them: the next question."""

    state: State
    """The state to ask it in."""

    over: list[bool]
    """Which rows have come to their end."""


def advance(rows: Sequence[Search], cycle: Deduction) -> Continuation:
    """Rule out, guess, or take the last guess back.

    A row that is lost or wrong returns to where it stood before its last guess, and rules that
    guess out. If it has made no guess, a lost row is over. A wrong one is over only if it never
    guesses, because it would say the same again.
    """
    tokens, guessed = _deduce(rows, cycle)
    taken_back: dict[int, _Guess] = {}
    over = [False] * len(rows)
    for number, (row, token) in enumerate(zip(rows, guessed, strict=True)):
        is_lost = bool(cycle.lost[number])
        is_wrong = bool(cycle.wrong[number])
        if (is_lost or is_wrong) and row.guesses:
            guess = row.guesses.pop()
            tokens[number] = guess.tokens
            tokens[number, guess.token] = 0
            taken_back[number] = guess
        elif is_lost or (is_wrong and not row.noise):
            over[number] = True
            tokens[number] = cycle.tokens[number]
        elif token >= 0:
            row.guesses.append(_before(cycle, number, token))
    return Continuation(tokens, _set_back(cycle.after, taken_back), over)


def _deduce(rows: Sequence[Search], cycle: Deduction) -> tuple[Array, list[int]]:
    """What is left of each lattice (B, S), and the token that each row guessed, -1 for none."""
    drawn = np.stack([row.draw(cycle.tokens.shape[1]) for row in rows])
    draws = like(cycle.tokens, drawn)
    noise = like(cycle.tokens, np.array([[row.noise] for row in rows], np.float32))
    thresholds = [[[row.next_threshold()]] for row in rows]
    certain = like(cycle.tokens, np.array(thresholds, np.float32))
    guesses = (noise[:, 0] > 0) & (draws[:, 0] < GUESS)
    guessing = Guessing(guesses, noise * gumbel(draws[:, 1:]), certain)
    left, guessed = deduce(cycle.logits, cycle.tokens, cycle.candidates, guessing)
    return left, guessed.tolist()


def _before(cycle: Deduction, number: int, token: int) -> _Guess:
    return _Guess(
        copied(cycle.tokens[number]), cycle.before.y[number], cycle.before.z[number], token
    )


def _set_back(state: State, guesses: dict[int, _Guess]) -> State:
    """The state with some rows as they were before their guess."""
    if not guesses:
        return state
    y = copied(state.y)
    z = copied(state.z)
    for number, guess in guesses.items():
        y[number] = guess.y
        z[number] = guess.z
    return State(y, z)
