"""The tensors of the network: which axes each of them has, and which of them are neighbours.

A task is described by tensors of several ranks at once (the multitensor of arXiv 2512.06104).
What is true of the whole task is in a tensor without examples and cells, what is true of a row in
one that has rows, and so on. A rank is written as the letters of its axes:

    d  one of the eight directions, the steps of a king in chess
    x  row
    y  column
    e  example: a demonstration or a test, with its input and its output
    c  colour, black left out

The letters are always in this order, which is that of the axes in memory. Channels come before all
of them.
"""

from collections.abc import Iterable
from itertools import combinations

ORDER = "dxyec"
"""The axes in the order of memory."""

DIRECTIONS = 8

GROWTH = "exycd"
"""The order in which axes are added when tensors exchange what they hold.

From every rank that is contained in another one, this order leads there through ranks that exist.
"""


def rank_of(axes: Iterable[str]) -> str:
    """The rank with these axes."""
    return "".join(sorted(axes, key=ORDER.index))


def _exists(axes: set[str]) -> bool:
    """Whether there is a tensor with these axes.

    Rows and columns are those of one example. A number for an example alone would say nothing.
    """
    has_cells = "x" in axes or "y" in axes
    if has_cells and "e" not in axes:
        return False
    return axes != {"e"}


def _all_ranks() -> tuple[str, ...]:
    ranks = []
    for size in range(1, len(ORDER) + 1):
        for axes in combinations(ORDER, size):
            if _exists(set(axes)):
                ranks.append(rank_of(axes))
    return tuple(ranks)


RANKS = _all_ranks()
"""All 18 ranks."""


def _all_steps() -> tuple[tuple[str, str, str], ...]:
    steps = []
    for axis in GROWTH:
        for low in RANKS:
            high = rank_of({*low, axis})
            if axis not in low and high in RANKS:
                steps.append((low, high, axis))
    return tuple(steps)


STEPS = _all_steps()
"""(rank, rank with one axis more, that axis), in an order in which sums reach every higher rank."""


def tied(rank: str) -> str:
    """The rank whose weights this one uses: what is true of columns is true of rows."""
    if "y" in rank and "x" not in rank:
        return rank.replace("y", "x")
    return rank


TIED_RANKS = tuple(rank for rank in RANKS if tied(rank) == rank)
"""The ranks that have weights of their own."""

SCANNED = ("dxyec", "dxye")
"""The ranks in which cells look along their lines."""


def channels(rank: str) -> int:
    """Channels of the tensor; those with directions are large and get fewer."""
    return 8 if "d" in rank else 16


def dimension(rank: str, axis: str) -> int:
    """The dimension of an axis in a tensor (channels, axes...)."""
    return rank.index(axis) + 1
