"""What a cycle concludes on a lattice of candidates: what is ruled out, and what is guessed.

The question of a lattice network is the set of candidates still possible in every cell. After each
cycle the network's own conclusions become part of the next question ("Lattice Deduction
Transformers", arXiv 2605.08605). The network rules out, guesses, and says whether the lattice has
lost its solution; this file only carries that out. It knows arrays of torch or numpy, but no puzzle
and no rule.
Shape letters:

    B batch, C cells, K candidates of a cell, S = C * K tokens
"""

from dataclasses import dataclass

import numpy as np

from trmsolve.model.arrays import Array, floats, log_softmax, marked, namespace, sigmoid, whole

CERTAIN = 0.01
"""A candidate less probable than this is ruled out, unless the caller sets another threshold."""


@dataclass(frozen=True)
class Guessing:
    """How a lattice goes on in a cycle."""

    rows: Array
    """(B,) bool: which rows guess where nothing is certain."""

    noise: Array | float
    """(B, S), added to the log-probabilities before the best guess is taken."""

    certain: Array | float = CERTAIN
    """The probability below which a candidate is ruled out; as a tensor (B, 1, 1)."""


def keep_logits(logits: Array, candidates: int) -> Array:
    """(B, S, 2) -> (B, C, K): how much each candidate is to be kept rather than ruled out."""
    wide = floats(logits)
    keep = wide[..., 1] - wide[..., 0]
    return keep.reshape(len(logits), -1, candidates)


def possible(tokens: Array, candidates: int) -> Array:
    """(B, S) -> (B, C, K) bool: the candidates that are not ruled out."""
    return tokens.reshape(len(tokens), -1, candidates) == 1


def choices(keep: Array, open_: Array) -> Array:
    """Log-probabilities (B, C, K) of a cell's candidates, minus infinity where ruled out."""
    return log_softmax(namespace(keep).where(open_, keep, -np.inf))


def lost(tokens: Array, labels: Array, candidates: int) -> Array:
    """(B,) bool: whether ``tokens`` (B, S) have ruled out their solution ``labels`` (B, S).

    Nothing true can be concluded from such a lattice.
    """
    right_ones = possible(tokens, candidates) & possible(labels, candidates)
    cell_is_right = right_ones.any(-1)
    return ~cell_is_right.all(-1)


def read_out(logits: Array, tokens: Array, candidates: int) -> tuple[Array, Array]:
    """The best candidate of each cell alone, as tokens (B, S), and its probability (B, C)."""
    log_p = choices(keep_logits(logits, candidates), possible(tokens, candidates))
    xp = namespace(log_p)
    probabilities = xp.exp(log_p)
    answer = whole(marked(probabilities.argmax(-1), candidates))
    return answer.reshape(tokens.shape), xp.amax(probabilities, -1)


def gumbel(uniform: Array) -> Array:
    """Gumbel noise from uniform numbers in [0, 1). The maximum of logits plus this is a sample."""
    xp = namespace(uniform)
    inside = xp.clip(uniform, 1e-7, 1 - 1e-7)
    return -xp.log(-xp.log(inside))


def deduce(
    logits: Array, tokens: Array, candidates: int, guessing: Guessing
) -> tuple[Array, Array]:
    """The next question (B, S), and which token was guessed (B,), -1 where none was.

    Candidates that are certainly wrong are ruled out. In a row without any, if it may guess, the
    (cell, candidate) with the highest log-probability plus noise among the undecided cells is
    taken as true; if it may not, the row stays as it is. The best candidate of a cell is never
    ruled out, so no cell runs empty.
    """
    xp = namespace(logits)
    open_ = possible(tokens, candidates)
    keep = keep_logits(logits, candidates)
    undecided = open_.sum(-1)[..., None] > 1
    log_p = choices(keep, open_)
    best = marked(log_p.argmax(-1), candidates)
    wrong = open_ & undecided & ~best & (sigmoid(keep) < guessing.certain)
    stuck = guessing.rows & ~wrong.reshape(len(wrong), -1).any(1)

    merit = xp.where(undecided, log_p, -np.inf).reshape(tokens.shape) + guessing.noise
    # A row without an undecided cell stays as it is.
    guess = marked(merit.argmax(-1), merit.shape[-1]).reshape(open_.shape) & undecided
    guessed_cell = guess.any(-1)[..., None] & stuck[:, None, None]
    has_guessed = guessed_cell.reshape(len(wrong), -1).any(1)
    which = xp.where(has_guessed, merit.argmax(1), -1)
    left = open_ & ~wrong & (guess | ~guessed_cell)
    return whole(left.reshape(tokens.shape)), which
