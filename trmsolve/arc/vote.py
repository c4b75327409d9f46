"""Many predictions become few answers: equal grids count together, and the most frequent come first.

Where views agree on a grid they seldom agree by chance. Also counts as the paper does, by the names
of variants, over whole data sets.

Knows grids and names; nothing of networks, views under way or files.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from trmsolve.arc.paper.variants import BLANK, parse_name
from trmsolve.arc.symmetry import grid_hash
from trmsolve.arc.task import ATTEMPTS, ArcTask, Candidate
from trmsolve.puzzles.values import Grid

PASS_AT = (1, 2, 5, 10, 100, 1000)
"""The numbers of attempts for which the paper gives rates."""


def vote(predictions: Iterable[tuple[Grid, float]]) -> list[Candidate]:
    """The different grids among the predictions, each a grid with its halt probability, best first.

    The one of most votes, of those the one whose predictions were surest on average, of those the
    one that came first. Grids without cells are no answers and count only where there is nothing
    else. Empty only if there is no prediction.
    """
    groups: dict[tuple[tuple[int, ...], bytes], list[tuple[Grid, float]]] = {}
    for grid, halt in predictions:
        groups.setdefault((grid.shape, grid.astype(np.int8).tobytes()), []).append((grid, halt))
    candidates = [
        Candidate(group[0][0], len(group), math.fsum(halt for _, halt in group) / len(group))
        for group in groups.values()
    ]
    candidates.sort(
        key=lambda candidate: (candidate.votes, candidate.halt), reverse=True
    )  # stable also in reverse
    return [candidate for candidate in candidates if candidate.grid.size] or candidates


class Ballot(NamedTuple):
    """A prediction for one variant of one test: the variant's name, its input, its output, the halt probability."""

    name: str
    input: Grid  # as the variant shows it
    output: Grid  # as the variant shows it
    halt: float


Tally = dict[tuple[str, str], list[Candidate]]
"""For each task's name and hash of a test input, undone: the candidates, best first."""


def tally(ballots: Iterable[Ballot]) -> Tally:
    """The votes of many variants of many tests; those of the blank row do not count.

    ValueError for an odd name.
    """
    cast: dict[tuple[str, str], list[tuple[Grid, float]]] = {}
    for name, question, output, halt in ballots:
        if name != BLANK:
            task, view = parse_name(name)
            cast.setdefault((task, grid_hash(view.undo(question))), []).append(
                (view.undo(output), halt)
            )
    return {key: vote(predictions) for key, predictions in cast.items()}


def pass_rates(
    tasks: Sequence[ArcTask], counted: Tally, attempts: Sequence[int] = PASS_AT
) -> dict[int, float]:
    """For each number of attempts the mean over tasks of the fraction of their tests that are right within them.

    Raises ValueError for a task that has a test without its output: a measurement leaves nothing
    out.
    """
    first_right = [
        [_first_right(task, test, counted) for test in range(len(task.tests))] for task in tasks
    ]
    return {
        k: float(np.mean([np.mean([place < k for place in places]) for places in first_right]))
        for k in attempts
    }


def submission(
    tasks: Sequence[ArcTask], counted: Tally
) -> dict[str, list[dict[str, list[list[int]]]]]:
    """Two attempts at every test of every task, the first again where there is no second.

    Raises ValueError for a test without a vote.
    """
    answers: dict[str, list[dict[str, list[list[int]]]]] = {}
    for task in tasks:
        answers[task.name] = []
        for number, test in enumerate(task.tests, 1):
            if not (found := counted.get((task.name, grid_hash(test.input)))):
                raise ValueError(f"no prediction for test {number} of {task.name}")
            best = (found[:ATTEMPTS] + found[:1] * ATTEMPTS)[:ATTEMPTS]
            answers[task.name].append(
                {f"attempt_{k}": one.grid.tolist() for k, one in enumerate(best, 1)}
            )
    return answers


def _first_right(task: ArcTask, test: int, counted: Tally) -> float:
    """The place from 0 of the right candidate; infinity where it is not among them."""
    pair = task.tests[test]
    if pair.output is None:
        raise ValueError(f"test {test + 1} of {task.name} has no known output")
    found = counted.get((task.name, grid_hash(pair.input)), [])
    return next(
        (n for n, one in enumerate(found) if np.array_equal(one.grid, pair.output)), math.inf
    )
