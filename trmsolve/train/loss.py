"""What a prediction is worth: cross-entropy of the tokens and of the decision to halt.

Numerics follow the paper's public code: sums over the batch, each row divided by its number of
labels. A lattice of candidates has a loss of its own, after arXiv 2605.08605.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trmsolve.model.lattice import choices, keep_logits, possible
from trmsolve.model.network import Prediction

IGNORE = -100
"""The label of a token that is not learned from."""


def log_stablemax(logits: Tensor) -> Tensor:
    """Log-probabilities from s(x) = x + 1 above zero, 1 / (1 - x) below, in place of exp (arXiv 2501.04697)."""
    wide = logits.double()
    s = torch.where(wide < 0, 1 / (1 - wide + 1e-30), wide + 1)
    return torch.log(s / s.sum(-1, keepdim=True))


def stablemax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(B, S, V) and (B, S) -> (B, S) in float64, zero where the label is ignored."""
    valid = labels != IGNORE
    picked = log_stablemax(logits).gather(-1, labels.where(valid, 0).long()[..., None])[..., 0]
    return -picked.where(valid, 0.0)


def softmax_cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """(B, S, V) and (B, S) -> (B, S) in float32, zero where the label is ignored."""
    flat = F.cross_entropy(
        logits.float().flatten(0, 1),
        labels.flatten(),
        ignore_index=IGNORE,
        label_smoothing=smoothing,
        reduction="none",
    )
    return flat.view(labels.shape)


@dataclass(frozen=True)
class Loss:
    """Sums over the batch of one cycle, and which rows were right."""

    tokens: Tensor  # scalar
    halt: Tensor  # scalar
    total: Tensor  # scalar, to be divided by the global batch size
    right: Tensor  # (B,) bool: every labelled token is right; a row without labels counts as right
    right_tokens: Tensor  # (B,) how many labelled tokens are right
    labelled: Tensor  # (B,) how many tokens have a label


def trm_loss(
    prediction: Prediction,
    labels: Tensor,
    kind: str = "stablemax",
    smoothing: float = 0.0,
    halt_weight: float = 0.5,
    answers: Tensor | None = None,
) -> Loss:
    """The loss of one improvement cycle. ``kind`` is "stablemax" or "softmax".

    ``answers`` (B, S) are right and worth halting for, where they are not the ``labels``.
    """
    valid = labels != IGNORE
    labelled = valid.sum(-1)
    if kind == "stablemax":
        losses = stablemax_cross_entropy(prediction.logits, labels)
    else:
        losses = softmax_cross_entropy(prediction.logits, labels, smoothing)
    tokens = (losses / labelled.clamp(min=1)[:, None]).sum()
    best = prediction.logits.argmax(-1)
    right_tokens = (valid & (best == labels)).sum(-1)
    right = (
        right_tokens == labelled
        if answers is None
        else ((best == answers) | (answers == IGNORE)).all(-1)
    )
    halt = F.binary_cross_entropy_with_logits(prediction.halt[:, 0], right.float(), reduction="sum")
    return Loss(tokens, halt, tokens + halt_weight * halt, right, right_tokens, labelled)


KEEP_WEIGHT, DROP_WEIGHT = 4.0, 0.5
"""Of the lattice's losses: to rule out the truth is far worse than to leave a wrong candidate standing."""


def lost(tokens: Tensor, labels: Tensor, candidates: int) -> Tensor:
    """(B,) bool: whether a lattice (B, S) has ruled out its solution, so that nothing true can be concluded from it."""
    return ~(possible(tokens, candidates) & possible(labels, candidates)).any(-1).all(-1)


def lattice_loss(
    prediction: Prediction,
    tokens: Tensor,
    labels: Tensor,
    candidates: int,
    halt_weight: float,
    conflict_weight: float,
) -> Loss:
    """The loss of one cycle on the lattice ``tokens`` (B, S) whose solution is ``labels`` (B, S).

    Of the cells that are not decided: keep or rule out for every candidate, and which candidate it
    is. Rows that have lost their solution teach only that they have.
    """
    open_, truth, keep = (
        possible(tokens, candidates),
        possible(labels, candidates),
        keep_logits(prediction.logits, candidates),
    )
    gone = lost(tokens, labels, candidates)
    undecided = (open_.sum(-1) > 1) & ~gone[:, None]  # (B, C)
    asked = open_ & undecided[..., None]
    weight = torch.where(truth, KEEP_WEIGHT, DROP_WEIGHT) * asked
    kept = F.binary_cross_entropy_with_logits(keep, truth.float(), weight, reduction="none").sum(
        (1, 2)
    )
    log_p = choices(keep, open_)
    # Where the truth is ruled out its log-probability is minus infinity: not to be touched, not
    # even times zero.
    chosen = -(log_p.masked_fill(~(truth & asked), 0.0)).sum((1, 2))
    row = kept / asked.sum((1, 2)).clamp(min=1) + chosen / undecided.sum(1).clamp(min=1)
    right_cells = truth.gather(-1, log_p.argmax(-1, keepdim=True))[..., 0].sum(-1)
    right = right_cells == truth.shape[1]
    halt = F.binary_cross_entropy_with_logits(prediction.halt[:, 0], right.float(), reduction="sum")
    conflict = F.binary_cross_entropy_with_logits(
        prediction.halt[:, 1], gone.float(), reduction="sum"
    )
    total = row.sum() + halt_weight * halt + conflict_weight * conflict
    return Loss(
        row.sum(), halt, total, right, right_cells, torch.full_like(right_cells, truth.shape[1])
    )
