"""What a prediction is worth: cross-entropy of the tokens and of the decision to halt.

Numerics follow the paper's public code: sums over the batch, each row divided by its number of labels.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trmsolve.model import Prediction

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
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORE, label_smoothing=smoothing, reduction="none"
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
    prediction: Prediction, labels: Tensor, kind: str = "stablemax", smoothing: float = 0.0, halt_weight: float = 0.5
) -> Loss:
    """The loss of one improvement cycle. ``kind`` is "stablemax" or "softmax"."""
    valid = labels != IGNORE
    labelled = valid.sum(-1)
    if kind == "stablemax":
        losses = stablemax_cross_entropy(prediction.logits, labels)
    else:
        losses = softmax_cross_entropy(prediction.logits, labels, smoothing)
    tokens = (losses / labelled.clamp(min=1)[:, None]).sum()
    right_tokens = (valid & (prediction.logits.argmax(-1) == labels)).sum(-1)
    right = right_tokens == labelled
    halt = F.binary_cross_entropy_with_logits(prediction.halt[:, 0], right.float(), reduction="sum")
    return Loss(tokens, halt, tokens + halt_weight * halt, right, right_tokens, labelled)
