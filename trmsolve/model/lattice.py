"""What a cycle concludes on a lattice of candidates: what is ruled out, and what is guessed.

The question of a lattice network is the set of candidates still possible in every cell. After each
cycle the network's own conclusions become part of the next question ("Lattice Deduction
Transformers", arXiv 2605.08605). The network rules out, guesses, and says whether the lattice has
lost its solution; this file only carries that out. It knows tensors, but no puzzle and no rule.
Shape letters:

    B batch, C cells, K candidates of a cell, S = C * K tokens
"""

from dataclasses import dataclass

import torch
from torch import Tensor

CERTAIN = 0.01
"""A candidate less probable than this is ruled out, unless the caller sets another threshold."""


@dataclass(frozen=True)
class Guessing:
    """How a lattice goes on in a cycle."""

    rows: Tensor
    """(B,) bool: which rows guess where nothing is certain."""

    noise: Tensor | float
    """(B, S), added to the log-probabilities before the best guess is taken."""

    certain: Tensor | float = CERTAIN
    """The probability below which a candidate is ruled out; as a tensor (B, 1, 1)."""


def keep_logits(logits: Tensor, candidates: int) -> Tensor:
    """(B, S, 2) -> (B, C, K): how much each candidate is to be kept rather than ruled out."""
    wide = logits.float()
    keep = wide[..., 1] - wide[..., 0]
    return keep.view(len(logits), -1, candidates)


def possible(tokens: Tensor, candidates: int) -> Tensor:
    """(B, S) -> (B, C, K) bool: the candidates that are not ruled out."""
    return tokens.view(len(tokens), -1, candidates) == 1


def choices(keep: Tensor, open_: Tensor) -> Tensor:
    """Log-probabilities (B, C, K) of a cell's candidates, minus infinity where ruled out."""
    return keep.masked_fill(~open_, -torch.inf).log_softmax(-1)


def lost(tokens: Tensor, labels: Tensor, candidates: int) -> Tensor:
    """(B,) bool: whether ``tokens`` (B, S) have ruled out their solution ``labels`` (B, S).

    Nothing true can be concluded from such a lattice.
    """
    right_ones = possible(tokens, candidates) & possible(labels, candidates)
    cell_is_right = right_ones.any(-1)
    return ~cell_is_right.all(-1)


def read_out(logits: Tensor, tokens: Tensor, candidates: int) -> tuple[Tensor, Tensor]:
    """The best candidate of each cell alone, as tokens (B, S), and its probability (B, C)."""
    log_p = choices(keep_logits(logits, candidates), possible(tokens, candidates))
    confidence, best = log_p.exp().max(-1)
    empty = torch.zeros_like(tokens).unflatten(1, (-1, candidates))
    answer = empty.scatter(-1, best[..., None], 1)
    return answer.flatten(1), confidence


def gumbel(uniform: Tensor) -> Tensor:
    """Gumbel noise from uniform numbers in [0, 1). The maximum of logits plus this is a sample."""
    inside = uniform.clamp(1e-7, 1 - 1e-7)
    return -torch.log(-torch.log(inside))


def deduce(
    logits: Tensor, tokens: Tensor, candidates: int, guessing: Guessing
) -> tuple[Tensor, Tensor]:
    """The next question (B, S), and which token was guessed (B,), -1 where none was.

    Candidates that are certainly wrong are ruled out. In a row without any, if it may guess, the
    (cell, candidate) with the highest log-probability plus noise among the undecided cells is
    taken as true; if it may not, the row stays as it is. The best candidate of a cell is never
    ruled out, so no cell runs empty.
    """
    open_ = possible(tokens, candidates)
    keep = keep_logits(logits, candidates)
    undecided = open_.sum(-1, keepdim=True) > 1
    log_p = choices(keep, open_)
    best = _mark(log_p)
    wrong = open_ & undecided & ~best & (torch.sigmoid(keep) < guessing.certain)
    stuck = guessing.rows & ~wrong.flatten(1).any(1)

    merit = log_p.masked_fill(~undecided, -torch.inf).flatten(1) + guessing.noise
    # A row without an undecided cell stays as it is.
    guess = _mark(merit).unflatten(1, (-1, candidates)) & undecided
    guessed_cell = guess.any(-1, keepdim=True) & stuck[:, None, None]
    has_guessed = guessed_cell.flatten(1).any(1)
    which = torch.where(has_guessed, merit.argmax(1), -1)
    left = open_ & ~wrong & (guess | ~guessed_cell)
    return left.flatten(1).long(), which


def _mark(values: Tensor) -> Tensor:
    """True where the last dimension has its maximum, the first of them."""
    nowhere = torch.zeros_like(values, dtype=torch.bool)
    return nowhere.scatter(-1, values.argmax(-1, keepdim=True), True)
