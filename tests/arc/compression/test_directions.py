"""Pairs of directions share a matrix exactly where a symmetry carries one into the other."""

import pytest
import torch

from trmsolve.arc.compression.directions import NEARNESS, direction_matrices, tied_pairs
from trmsolve.arc.compression.kernels import STEPS
from trmsolve.arc.compression.ranks import DIRECTIONS, RANKS, tied

Matrix = tuple[tuple[int, int], tuple[int, int]]

VECTORS = [(int(down), int(right)) for down, right in STEPS]

KEEPING_AXES: tuple[Matrix, ...] = (
    ((1, 0), (0, 1)),
    ((-1, 0), (0, 1)),
    ((1, 0), (0, -1)),
    ((-1, 0), (0, -1)),
)
EXCHANGING_AXES: tuple[Matrix, ...] = (
    ((0, 1), (1, 0)),
    ((0, -1), (1, 0)),
    ((0, 1), (-1, 0)),
    ((0, -1), (-1, 0)),
)

WITH_DIRECTIONS = [rank for rank in RANKS if "d" in rank]


def moved(direction: int, symmetry: Matrix) -> int:
    """The direction that a symmetry, a matrix for (rows, columns), makes of another one."""
    down, right = VECTORS[direction]
    (a, b), (c, d) = symmetry
    return VECTORS.index((a * down + b * right, c * down + d * right))


def symmetries(rank: str) -> tuple[Matrix, ...]:
    if ("x" in rank) == ("y" in rank):
        return KEEPING_AXES + EXCHANGING_AXES
    return KEEPING_AXES


def test_directions_are_an_eighth_of_a_turn_apart() -> None:
    for direction, (down, right) in enumerate(VECTORS):
        next_down, next_right = VECTORS[(direction + 1) % DIRECTIONS]
        assert down * next_right - right * next_down > 0
        assert VECTORS[(direction + 4) % DIRECTIONS] == (-down, -right)


@pytest.mark.parametrize("rank", WITH_DIRECTIONS)
def test_pairs_are_tied_exactly_where_a_symmetry_says_so(rank: str) -> None:
    table, matrices = tied_pairs(rank)
    pairs = [(to, source) for to in range(DIRECTIONS) for source in range(DIRECTIONS)]
    for to, source in pairs:
        images = {(moved(to, one), moved(source, one)) for one in symmetries(rank)}
        shared = {pair for pair in pairs if table[pair] == table[to, source]}
        assert shared == images
    assert sorted(set(table.flatten().tolist())) == list(range(matrices))
    assert matrices == (10 if ("x" in rank) == ("y" in rank) else 18)


def test_messages_count_by_the_angle_between_two_directions() -> None:
    for turn in range(DIRECTIONS):
        assert NEARNESS[turn] == NEARNESS[-turn % DIRECTIONS]


def maps(rank: str, seed: int = 0, width: int = 2) -> torch.Tensor:
    """(8 to, 8 from, out, in): the map of one layer of random matrices."""
    own = tied(rank)
    _, number = tied_pairs(own)
    generator = torch.Generator().manual_seed(seed)
    matrices = torch.randn(1, 1, number, width, width, generator=generator)
    whole = direction_matrices(matrices, rank, own)
    assert whole.shape == (1, 1, width * DIRECTIONS, width * DIRECTIONS)
    # Rows are (out, to) and columns are (in, from), as channels come before directions in memory.
    return whole.view(width, DIRECTIONS, width, DIRECTIONS).permute(1, 3, 0, 2)


@pytest.mark.parametrize("rank", WITH_DIRECTIONS)
def test_every_pair_has_its_matrix_times_its_nearness(rank: str) -> None:
    own = tied(rank)
    table, number = tied_pairs(own)
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(1, number, 2, 2, generator=generator)
    found = maps(rank)
    for to in range(DIRECTIONS):
        for source in range(DIRECTIONS):
            pair = (to, source)
            if rank != own:
                pair = (moved(to, EXCHANGING_AXES[0]), moved(source, EXCHANGING_AXES[0]))
            expected = matrices[0, table[pair]] * NEARNESS[(source - to) % DIRECTIONS]
            assert torch.equal(found[to, source], expected)


@pytest.mark.parametrize("rank", WITH_DIRECTIONS)
def test_symmetries_carry_maps_into_each_other(rank: str) -> None:
    found = maps(rank)
    for symmetry in symmetries(rank):
        order = [moved(direction, symmetry) for direction in range(DIRECTIONS)]
        assert torch.equal(found[order][:, order], found)


def test_every_copy_and_every_layer_has_its_own_maps() -> None:
    _, number = tied_pairs("dxye")
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(2, 3, number, 2, 2, generator=generator)
    found = direction_matrices(matrices, "dxye", "dxye")
    for copy in range(2):
        for layer in range(3):
            alone = matrices[copy, layer][None, None]
            expected = direction_matrices(alone, "dxye", "dxye")[0, 0]
            assert torch.equal(found[copy, layer], expected)


@pytest.mark.parametrize("rank", ["dye", "dyec"])
def test_columns_alone_mirror_rows_alone(rank: str) -> None:
    order = [moved(direction, EXCHANGING_AXES[0]) for direction in range(DIRECTIONS)]
    rows = maps(rank.replace("y", "x"))
    columns = maps(rank)
    assert torch.equal(columns, rows[order][:, order])
    assert not torch.equal(columns, rows)
