"""Which ARC tasks are the same by content: exactly, or up to symmetry and colouring.

Public sets hold tasks of one another, some under other ids, some with other pairs beside the shared
ones. A network that is evaluated on a set must not have been trained on any of them. Two tasks
count as copies if they share one pair, input and output, after one of the 8 symmetries and a
renaming of colours, the same for both grids. Single grids would not tell, since solid blocks and
nested squares are in every set.

Knows tasks as values; nothing of files and networks.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from trmsolve.arc.content import content_hash
from trmsolve.arc.symmetry import SYMMETRIES, dihedral
from trmsolve.arc.task import COLOURS, ArcTask, Pair
from trmsolve.puzzles.values import Grid


def exclude_contaminated(
    tasks: Sequence[ArcTask], measured: Sequence[ArcTask]
) -> tuple[list[ArcTask], dict[str, str]]:
    """The tasks that share no pair with a measured one, and what the other tasks share.

    The second value has for each other task, by its name, how many pairs it shares, and with which
    measured task: the one that shares most of them, and the first of these. Tests count as
    demonstrations do; a test without its output says too little and is passed over.
    """
    holders = _holders(measured)
    kept: list[ArcTask] = []
    copies: dict[str, str] = {}
    for task in tasks:
        keys = _canonical_pairs(task)
        shared: Counter[ArcTask] = Counter()
        for key in keys:
            shared.update(holders.get(key, ()))
        if shared:
            ((other, number),) = shared.most_common(1)
            copies[task.name] = f"shares {number} of its {len(keys)} pairs with {_called(other)}"
        else:
            kept.append(task)
    return kept, copies


def demonstrations_hash(task: ArcTask) -> str:
    """A digest of the demonstrations exactly as they are, in any order.

    Tests and name do not matter.
    """
    digests = sorted(content_hash(pair.input, _output(pair)) for pair in task.demonstrations)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def canonical_pair(pair: Pair) -> str:
    """A digest that a pair shares with its turned, mirrored and recoloured copies, and no others.

    It is the least of the 8 symmetries' digests, colours numbered in the order in which they first
    come.
    """
    output = _output(pair)
    digests = []
    for symmetry in range(len(SYMMETRIES)):
        turned = (dihedral(pair.input, symmetry), dihedral(output, symmetry))
        digests.append(content_hash(*_renumbered(turned)))
    return min(digests)


def _holders(tasks: Sequence[ArcTask]) -> dict[str, list[ArcTask]]:
    """For each canonical pair the tasks that have it."""
    holders: dict[str, list[ArcTask]] = {}
    for task in tasks:
        for key in _canonical_pairs(task):
            holders.setdefault(key, []).append(task)
    return holders


def _canonical_pairs(task: ArcTask) -> list[str]:
    """The task's canonical pairs, each once, in the task's order.

    A set would have another order in each process, and the report would differ.
    """
    pairs = (*task.demonstrations, *task.tests)
    return list(dict.fromkeys(canonical_pair(pair) for pair in pairs if pair.output is not None))


def _output(pair: Pair) -> Grid:
    if pair.output is None:
        raise ValueError("a pair without its output is not comparable")
    return pair.output


def _renumbered(grids: Sequence[Grid]) -> list[Grid]:
    """Colours numbered from 0 as they first come, through all grids in order."""
    cells = np.concatenate([grid.ravel() for grid in grids])
    found = cells == np.arange(COLOURS)[:, None]
    first_place = np.where(found.any(1), found.argmax(1), cells.size)
    order = np.argsort(first_place, kind="stable")
    number_of_colour = np.argsort(order)
    numbers = number_of_colour[cells]
    renumbered = []
    start = 0
    for grid in grids:
        part = numbers[start : start + grid.size]
        renumbered.append(part.reshape(grid.shape))
        start += grid.size
    return renumbered


def _called(task: ArcTask) -> str:
    return f"{task.name} ({task.source})" if task.source else task.name
