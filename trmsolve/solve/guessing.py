"""Search on lattices of candidates: guesses where the network is certain of nothing, taken back when they were wrong.

What is ruled out, what is guessed and what was wrong is the network's word; of the caller comes
only whether a grid that the network calls done is accepted. Knows tensors and the lattice; no rule
of any puzzle. Shape letters as in ``lattice`` and ``model``.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.model.lattice import CERTAIN, deduce, gumbel
from trmsolve.model.network import State

GUESS = 0.5
"""How often a row that may guess does so in a cycle that is certain of nothing."""

LOOSEST, STRICTNESS = 0.1, 1.5
"""Bounds of certainty of searches that guess lie as many decades below the loosest: a wrong conclusion of one search is
not that of all. They may be looser than without guesses, where nothing is ever taken back.
"""


@dataclass(frozen=True)
class _Guess:
    """Where a lattice stood before a guess: its tokens (S,), the state (L, D) each, and the token that was guessed."""

    tokens: Tensor
    y: Tensor
    z: Tensor
    token: int


class Search:
    """One row's search.

    Without ``noise`` it only deduces; with it, it guesses, at that temperature.
    """

    def __init__(self, noise: float, generator: torch.Generator) -> None:
        self.noise, self.generator = noise, generator
        self.guesses: list[_Guess] = []
        self.certain = CERTAIN
        if noise:
            self.certain = LOOSEST * 10 ** -(STRICTNESS * float(torch.rand(1, generator=generator)))

    def draw(self, tokens: int) -> Tensor:
        """(1 + S,) uniform numbers of its own: whether to guess, and what."""
        return torch.rand(1 + tokens, generator=self.generator)


def advance(
    rows: list[Search],
    tokens: Tensor,
    before: State,
    after: State,
    logits: Tensor,
    candidates: int,
    wrong: NDArray[np.bool_],
    lost: NDArray[np.bool_],
) -> tuple[Tensor, list[bool]]:
    """After a cycle that asked about ``tokens`` (B, S) in state ``before``: the next tokens, and which rows are over.

    ``lost`` (B,) are the rows whose lattice has no solution left, by the network's word; ``wrong``
    those it calls done that are not. Either takes back the last guess and rules it out; then that
    row of ``after`` is set back too. A lost row without a guess is over, a wrong one only if it
    never guesses: it would say the same again.
    """
    draws = torch.stack([row.draw(tokens.shape[1]) for row in rows])
    noise, certain = torch.tensor([[row.noise, row.certain] for row in rows])[:, :, None].unbind(1)
    may, chance = (noise[:, 0] > 0) & (draws[:, 0] < GUESS), noise * gumbel(draws[:, 1:])
    device = tokens.device
    left, guessed = deduce(
        logits, tokens, candidates, may.to(device), chance.to(device), certain[..., None].to(device)
    )
    over = [False] * len(rows)
    for number, (row, token) in enumerate(zip(rows, guessed.tolist(), strict=True)):
        if (lost[number] or wrong[number]) and row.guesses:
            last = row.guesses.pop()
            left[number] = last.tokens
            left[number, last.token] = 0
            after.y[number], after.z[number] = last.y, last.z
        elif lost[number] or (wrong[number] and not row.noise):
            over[number], left[number] = True, tokens[number]
        elif token >= 0:
            row.guesses.append(
                _Guess(tokens[number].clone(), before.y[number], before.z[number], token)
            )
    return left, over
