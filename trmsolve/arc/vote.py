"""Many predictions become few answers: equal grids count together, the most frequent come first.

Views that agree on a grid seldom agree by chance. Knows grids; nothing of networks or files.
"""

import math
from collections.abc import Iterable

from trmsolve.arc.content import content_hash
from trmsolve.arc.task import Candidate
from trmsolve.puzzles.values import Grid


def vote(predictions: Iterable[tuple[Grid, float]]) -> list[Candidate]:
    """The different grids among the predictions, best first.

    Each prediction is a grid with its halt probability. Best is the grid with most votes. Among
    equals it is the one whose predictions were surest on average, and then the one that came first.
    Grids without cells are no answers: they count only where there is nothing else. The list is
    empty only if there is no prediction.
    """
    grids: dict[str, Grid] = {}
    halts: dict[str, list[float]] = {}
    for grid, halt in predictions:
        key = content_hash(grid)
        grids.setdefault(key, grid)
        halts.setdefault(key, []).append(halt)
    candidates = []
    for key, grid in grids.items():
        votes = len(halts[key])
        candidates.append(Candidate(grid, votes, math.fsum(halts[key]) / votes))
    candidates.sort(key=_rank, reverse=True)  # stable also in reverse
    return [candidate for candidate in candidates if candidate.grid.size] or candidates


def _rank(candidate: Candidate) -> tuple[int, float]:
    return candidate.votes, candidate.halt
