"""How likely an answer is right, judged by how far the copies that gave it agree.

No rule can check an ARC answer, but copies that agree are right more often. How much more often was
measured on training tasks that no network had learned from (``docs/experiments/arc.md``).
"""

import math
from collections.abc import Iterable

import numpy as np

from trmsolve.arc.answers import WeightedGrid
from trmsolve.arc.ensemble.rounds import FROM_NOTHING, TRAINED

Curve = tuple[tuple[float, float], ...]
"""Points of agreement and the share of answers that are right; lines lead from one to the next."""

RIGHT: dict[str, Curve] = {
    FROM_NOTHING: ((0.0, 0.0), (0.1, 0.05), (0.4, 0.1), (0.65, 0.35), (0.85, 0.7), (1.0, 0.8)),
    TRAINED: ((0.0, 0.0), (0.3, 0.05), (0.5, 0.4), (0.65, 0.6), (0.8, 0.85), (1.0, 0.95)),
}
"""For each kind of copies, how often answers were right."""

SURE = 0.96
"""Learning ends early where first attempts are as likely right: one kind alone never is so sure."""


def agreement(kind: str, answer: WeightedGrid, copies: int) -> float:
    """How far the copies of one kind agree on an answer, from 0 to 1.

    A trained copy answers several times in all views, so that its votes tell. A copy from nothing
    favours one answer in the end, and a few such copies tell little.
    """
    if kind == TRAINED:
        return answer.votes / copies
    return answer.copies / (copies + 1)


def chance(kind: str, answer: WeightedGrid, copies: int) -> float:
    """The probability that an answer of one kind of copies is right."""
    if not answer.grid.size:
        return 0.0
    points, shares = zip(*RIGHT[kind], strict=True)
    return float(np.interp(agreement(kind, answer, copies), points, shares))


def chance_of_any(chances: Iterable[float]) -> float:
    """The probability that a grid is right which several kinds of copies gave independently."""
    return 1 - math.prod(1 - one for one in chances)
