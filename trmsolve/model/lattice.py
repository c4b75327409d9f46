"""What a cycle concludes on a lattice of candidates: what is ruled out, and what is tried where nothing is certain.

The question of a lattice network is the set of candidates still possible in every cell. After each
cycle its own conclusions become part of the next question ("Lattice Deduction Transformers", arXiv
2605.08605). The network rules out, guesses and says whether the lattice has lost its solution; this
file only carries that out. Knows tensors; no puzzle, no rule. Shape letters: B batch, C cells, K
candidates of a cell, S = C x K tokens.
"""

import torch
from torch import Tensor

CERTAIN = 0.01
"""A candidate whose probability falls below this is ruled out, unless the caller asks for more or less certainty."""


def keep_logits(logits: Tensor, candidates: int) -> Tensor:
    """(B, S, 2) -> (B, C, K): how much each candidate is to be kept rather than ruled out."""
    wide = logits.float()
    return (wide[..., 1] - wide[..., 0]).view(len(logits), -1, candidates)


def possible(tokens: Tensor, candidates: int) -> Tensor:
    """(B, S) -> (B, C, K) bool: the candidates that are not ruled out."""
    return tokens.view(len(tokens), -1, candidates) == 1


def choices(keep: Tensor, open_: Tensor) -> Tensor:
    """(B, C, K): log-probabilities of the candidates of each cell, minus infinity where ruled out."""
    return keep.masked_fill(~open_, -torch.inf).log_softmax(-1)


def read_out(logits: Tensor, tokens: Tensor, candidates: int) -> tuple[Tensor, Tensor]:
    """The answer as it stands: tokens (B, S) with the best candidate of each cell alone, and its probability (B, C)."""
    confidence, best = (
        choices(keep_logits(logits, candidates), possible(tokens, candidates)).exp().max(-1)
    )
    return torch.zeros_like(tokens).unflatten(1, (-1, candidates)).scatter(
        -1, best[..., None], 1
    ).flatten(1), confidence


def gumbel(uniform: Tensor) -> Tensor:
    """Gumbel noise from uniform numbers in [0, 1): added to logits, the maximum is a sample."""
    return -torch.log(-torch.log(uniform.clamp(1e-7, 1 - 1e-7)))


def deduce(
    logits: Tensor,
    tokens: Tensor,
    candidates: int,
    guesses: Tensor,
    noise: Tensor | float,
    certain: Tensor | float = CERTAIN,
) -> tuple[Tensor, Tensor]:
    """The next question (B, S): without the candidates that are certainly wrong or, if none is, perhaps with a guess.

    Of the rows where nothing is certain those in ``guesses`` (B,) bool make one, the others think
    on. A guess is the (cell, candidate) whose log-probability plus ``noise`` (B, S) is highest
    among the cells that are not decided. The best candidate of a cell is never ruled out, so no
    cell runs empty. The second tensor is which token was guessed (B,), -1 where none was.
    """
    open_, keep = possible(tokens, candidates), keep_logits(logits, candidates)
    undecided = open_.sum(-1, keepdim=True) > 1
    log_p = choices(keep, open_)
    best = torch.zeros_like(open_).scatter(-1, log_p.argmax(-1, keepdim=True), True)
    wrong = open_ & undecided & ~best & (torch.sigmoid(keep) < certain)
    stuck = guesses & ~wrong.flatten(1).any(1)
    # One cell of each stuck row keeps its guess alone; a row without an undecided cell stays as it
    # is.
    merit = log_p.masked_fill(~undecided, -torch.inf).flatten(1) + noise
    guess = torch.zeros_like(merit, dtype=torch.bool).scatter(
        1, merit.argmax(1, keepdim=True), True
    )
    guess = guess.unflatten(1, (-1, candidates)) & undecided
    guessed = guess.any(-1, keepdim=True) & stuck[:, None, None]
    which = torch.where(guessed.flatten(1).any(1), merit.argmax(1), -1)
    return (open_ & ~wrong & (guess | ~guessed)).flatten(1).long(), which
