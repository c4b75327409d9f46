"""How directions mix: one matrix for each pair of directions, equal where turning makes them equal.

Directions are numbered counter-clockwise in steps of 45 degrees. Direction 0 goes down the rows and
direction 2 along the columns. A turned or mirrored task must be learned in the same way, so that
pairs of directions that a symmetry of the tensor's axes carries into each other share a matrix.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from trmsolve.arc.compression.ranks import DIRECTIONS

Symmetry = Callable[[int], int]

NEARNESS = (1.0, 0.2, 0.4, 0.2, 1.0, 0.2, 0.4, 0.2)
"""Weight of a direction's message by the eighths of a turn between the two (arXiv 2512.06104)."""


def _mirror_rows(direction: int) -> int:
    return (4 - direction) % DIRECTIONS


def _mirror_columns(direction: int) -> int:
    return -direction % DIRECTIONS


def _transpose(direction: int) -> int:
    return (2 - direction) % DIRECTIONS


@cache
def tied_pairs(rank: str) -> tuple[Tensor, int]:
    """For each (to, from) the number of its matrix (8, 8), and how many matrices there are.

    With rows but without columns, only mirroring keeps the rank as it is.
    """
    symmetries: list[Symmetry] = [_mirror_rows, _mirror_columns]
    if ("x" in rank) == ("y" in rank):
        symmetries.append(_transpose)
    number: dict[tuple[int, int], int] = {}
    matrices = 0
    for to in range(DIRECTIONS):
        for source in range(DIRECTIONS):
            if (to, source) in number:
                continue
            for pair in _reached((to, source), symmetries):
                number[pair] = matrices
            matrices += 1
    table = torch.empty(DIRECTIONS, DIRECTIONS, dtype=torch.long)
    for pair, matrix in number.items():
        table[pair] = matrix
    return table, matrices


def _reached(pair: tuple[int, int], symmetries: list[Symmetry]) -> set[tuple[int, int]]:
    """All pairs that the symmetries make of one."""
    found = {pair}
    waiting = [pair]
    while waiting:
        to, source = waiting.pop()
        for symmetry in symmetries:
            image = (symmetry(to), symmetry(source))
            if image not in found:
                found.add(image)
                waiting.append(image)
    return found


@cache
def _nearness() -> Tensor:
    rows = []
    for to in range(DIRECTIONS):
        rows.append([NEARNESS[(source - to) % DIRECTIONS] for source in range(DIRECTIONS)])
    return torch.tensor(rows)


def direction_matrices(matrices: Tensor, rank: str, weights_of: str) -> Tensor:
    """(copies, layers, 8 channels, 8 channels): the map of all channels in all directions.

    ``matrices`` is (copies, layers, matrices, channels, channels), made for the rank
    ``weights_of``. A rank with columns alone uses those of the rank with rows, with the two
    exchanged.
    """
    table, _ = tied_pairs(weights_of)
    if rank != weights_of:
        exchanged = torch.tensor([_transpose(direction) for direction in range(DIRECTIONS)])
        table = table[exchanged][:, exchanged]
    copies, layers, _, width, _ = matrices.shape
    every = matrices.index_select(2, table.flatten())
    every = every.view(copies, layers, DIRECTIONS, DIRECTIONS, width, width)
    every = every * _nearness()[:, :, None, None]
    # From (..., to, from, out, in) to (..., out, to, in, from), as tensors lie in memory.
    every = every.permute(0, 1, 4, 2, 5, 3)
    return every.reshape(copies, layers, width * DIRECTIONS, width * DIRECTIONS)
