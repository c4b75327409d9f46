"""What a prediction is worth: cross-entropy of the tokens and of the decision to halt.

Numerics follow the paper's public code: sums over the batch, each row divided by its number of
labels. A lattice of candidates has a loss of its own, after arXiv 2605.08605. Shape letters as in
``model.network`` and ``model.lattice``.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from trmsolve.model.lattice import choices, keep_logits, lost, possible
from trmsolve.model.network import Prediction

IGNORE = -100
"""The label of a token that is not learned from."""


def log_stablemax(logits: Tensor) -> Tensor:
    """Log-probabilities, with s(x) in place of exp(x) (arXiv 2501.04697).

    s(x) is x + 1 from zero on and 1 / (1 - x) below.
    """
    wide = logits.double()
    s = torch.where(wide < 0, 1 / (1 - wide + 1e-30), wide + 1)
    return torch.log(s / s.sum(-1, keepdim=True))


def stablemax_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(B, S, V) and (B, S) -> (B, S) in float64, zero where the label is ignored."""
    valid = labels != IGNORE
    index = labels.where(valid, 0).long()[..., None]
    picked = log_stablemax(logits).gather(-1, index)[..., 0]
    return -picked.where(valid, 0.0)


def softmax_cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """(B, S, V) and (B, S) -> (B, S) in float32, zero where the label is ignored."""
    flat = functional.cross_entropy(
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

    tokens: Tensor
    """Scalar."""

    halt: Tensor
    """Scalar."""

    total: Tensor
    """Scalar, to be divided by the size of the global batch."""

    right: Tensor
    """(B,) bool: every labelled token is right; a row without labels counts as right."""

    right_tokens: Tensor
    """(B,), how many labelled tokens are right."""

    labelled: Tensor
    """(B,), how many tokens have a label."""


@dataclass(frozen=True)
class LossSettings:
    """How errors are weighed; the recipe has the same fields. Defaults are the paper's."""

    kind: str = "stablemax"
    """Of the cross-entropy: stablemax or softmax. Not for a lattice."""

    smoothing: float = 0.0
    """Of the labels, for softmax."""

    halt_weight: float = 0.5
    """Of the decision to halt."""

    conflict_weight: float = 0.1
    """Of knowing that a lattice has lost its solution."""


PAPER = LossSettings()


def trm_loss(
    prediction: Prediction,
    labels: Tensor,
    settings: LossSettings = PAPER,
    answers: Tensor | None = None,
) -> Loss:
    """The loss of one improvement cycle.

    ``answers`` (B, S) are right and worth halting for, where they are not the ``labels`` (B, S).
    """
    valid = labels != IGNORE
    labelled = valid.sum(-1)
    if settings.kind == "stablemax":
        losses = stablemax_cross_entropy(prediction.logits, labels)
    else:
        losses = softmax_cross_entropy(prediction.logits, labels, settings.smoothing)
    tokens = (losses / labelled.clamp(min=1)[:, None]).sum()
    best = prediction.logits.argmax(-1)
    right_tokens = (valid & (best == labels)).sum(-1)
    if answers is None:
        right = right_tokens == labelled
    else:
        right = ((best == answers) | (answers == IGNORE)).all(-1)
    halt = _decision(prediction.halt[:, 0], right)
    total = tokens + settings.halt_weight * halt
    return Loss(tokens, halt, total, right, right_tokens, labelled)


def _decision(logit: Tensor, truth: Tensor) -> Tensor:
    """The summed cross-entropy of a yes or no, (B,) each."""
    return functional.binary_cross_entropy_with_logits(logit, truth.float(), reduction="sum")


KEEP_WEIGHT = 4.0
DROP_WEIGHT = 0.5
"""Weights of a lattice's candidates: ruling out the truth is far worse than keeping a wrong one."""


def lattice_loss(
    prediction: Prediction, tokens: Tensor, labels: Tensor, candidates: int, settings: LossSettings
) -> Loss:
    """The loss of one cycle on the lattice ``tokens`` (B, S) whose solution is ``labels`` (B, S).

    Undecided cells count, in two ways: each candidate is to be kept or ruled out, and one of them
    is to be chosen. Rows that have lost their solution teach only that they have.
    """
    open_ = possible(tokens, candidates)
    truth = possible(labels, candidates)
    keep = keep_logits(prediction.logits, candidates)
    gone = lost(tokens, labels, candidates)
    undecided = (open_.sum(-1) > 1) & ~gone[:, None]  # (B, C)
    asked = open_ & undecided[..., None]

    weight = torch.where(truth, KEEP_WEIGHT, DROP_WEIGHT) * asked
    each_kept = functional.binary_cross_entropy_with_logits(
        keep, truth.float(), weight, reduction="none"
    )
    kept = each_kept.sum((1, 2))
    log_p = choices(keep, open_)
    # Where the truth is ruled out its log-probability is minus infinity: not to be touched, not
    # even times zero.
    chosen = -(log_p.masked_fill(~(truth & asked), 0.0)).sum((1, 2))
    row = kept / asked.sum((1, 2)).clamp(min=1) + chosen / undecided.sum(1).clamp(min=1)

    right_cells = truth.gather(-1, log_p.argmax(-1, keepdim=True))[..., 0].sum(-1)
    right = right_cells == truth.shape[1]
    halt = _decision(prediction.halt[:, 0], right)
    conflict = _decision(prediction.halt[:, 1], gone)
    total = row.sum() + settings.halt_weight * halt + settings.conflict_weight * conflict
    cells = torch.full_like(right_cells, truth.shape[1])
    return Loss(row.sum(), halt, total, right, right_cells, cells)
