"""Holding pairs out of ARC tasks, so that nothing equal to them is learned from.

A network is judged by pairs that it has not seen. The same pair may stand in several tasks, as a
demonstration or as a test, also turned, mirrored or recoloured. Whatever equals a held-out pair
under one of the 8 symmetries and a renaming of colours is left out of the other tasks too.

Knows tasks as values; nothing of networks, files or which pairs are worth holding out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from trmsolve.arc.overlap import canonical_pair
from trmsolve.arc.task import ArcTask, Pair


class Place(NamedTuple):
    """Where a pair stands: the number of its task in the list, and its number in the task.

    The tests of a task are numbered after its demonstrations.
    """

    task: int
    pair: int


class HeldOut(NamedTuple):
    """A pair with its output that is not learned from, and the number of its task in the list."""

    task: int
    pair: Pair


@dataclass(frozen=True, eq=False)
class Split:
    """Tasks to learn from, and pairs to judge by."""

    learned: tuple[ArcTask, ...]
    """All tasks in their order, without what is held out.

    Some may have no demonstration or no test left. Tests without an output are kept.
    """

    held_out: tuple[HeldOut, ...]
    """The pairs that are held out, in the order in which they were asked for."""


def hold_out(tasks: Sequence[ArcTask], places: Iterable[Place]) -> Split:
    """Hold the pairs at these places out of the tasks, and equal pairs out of the other tasks.

    A pair of the same task that equals a held-out one stays: a demonstration is given whenever the
    task is asked.

    Raises:
        ValueError: If the output of a pair to hold out is not known.
    """
    hidden = set[Place]()
    held_out: list[HeldOut] = []
    for place in places:
        hidden.add(place)
        held_out.append(HeldOut(place.task, _pairs(tasks[place.task])[place.pair]))
    owners: dict[str, set[int]] = {}
    for number, pair in held_out:
        owners.setdefault(canonical_pair(pair), set()).add(number)
    learned = [_remaining(task, number, hidden, owners) for number, task in enumerate(tasks)]
    return Split(tuple(learned), tuple(held_out))


def known_pairs(task: ArcTask) -> list[Pair]:
    """The demonstrations and tests whose outputs are known."""
    return [pair for pair in _pairs(task) if pair.output is not None]


def _pairs(task: ArcTask) -> tuple[Pair, ...]:
    return (*task.demonstrations, *task.tests)


def _remaining(
    task: ArcTask, number: int, hidden: set[Place], owners: dict[str, set[int]]
) -> ArcTask:
    """The task without the pairs at hidden places and those that equal a pair of another owner."""

    def stays(place: int, pair: Pair) -> bool:
        if Place(number, place) in hidden:
            return False
        if pair.output is None:
            return True
        return owners.get(canonical_pair(pair), {number}) == {number}

    first_test = len(task.demonstrations)
    demonstrations = [pair for place, pair in enumerate(task.demonstrations) if stays(place, pair)]
    tests = [pair for place, pair in enumerate(task.tests, first_test) if stays(place, pair)]
    return replace(task, demonstrations=tuple(demonstrations), tests=tuple(tests))


def evenly_spaced(total: int, number: int) -> list[int]:
    """Up to ``number`` indices of ``total`` things, ascending, the first and the last too."""
    chosen: list[int] = np.linspace(0, total - 1, min(number, total), dtype=np.intp).tolist()
    return chosen
