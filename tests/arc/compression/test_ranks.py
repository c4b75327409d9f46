"""Which tensors there are, and that sums along the steps reach every one exactly once."""

from collections import Counter

import pytest

from trmsolve.arc.compression.ranks import (
    DIRECTIONS,
    ORDER,
    RANKS,
    STEPS,
    TIED_RANKS,
    channels,
    dimension,
    rank_of,
    tied,
)


def contained(rank: str) -> list[str]:
    return [low for low in RANKS if set(low) <= set(rank)]


def test_cells_belong_to_examples_and_an_example_alone_says_nothing() -> None:
    assert len(RANKS) == len(set(RANKS)) == 18
    for rank in RANKS:
        assert rank and rank != "e"
        assert "e" in rank or not set("xy") & set(rank)


def test_axes_are_in_the_order_of_memory() -> None:
    assert rank_of("cdx") == "dxc"
    assert all(rank_of(reversed(rank)) == rank for rank in RANKS)
    assert [dimension(ORDER, axis) for axis in ORDER] == [1, 2, 3, 4, 5]
    assert dimension("ec", "c") == 2


def test_a_step_adds_one_axis() -> None:
    for low, high, axis in STEPS:
        assert low in RANKS and high in RANKS
        assert axis not in low and rank_of({*low, axis}) == high


def test_sums_upwards_have_every_contained_rank_once() -> None:
    sums = {rank: Counter({rank: 1}) for rank in RANKS}
    for low, high, _ in STEPS:
        sums[high] += sums[low]
    for rank in RANKS:
        assert sums[rank] == Counter(contained(rank))


def test_sums_downwards_have_every_containing_rank_once() -> None:
    sums = {rank: Counter({rank: 1}) for rank in RANKS}
    for low, high, _ in reversed(STEPS):
        sums[low] += sums[high]
    for rank in RANKS:
        assert sums[rank] == Counter(high for high in RANKS if rank in contained(high))


@pytest.mark.parametrize("rank", RANKS)
def test_columns_alone_use_the_weights_of_rows_alone(rank: str) -> None:
    own = tied(rank)
    assert own in TIED_RANKS and tied(own) == own
    if "y" in rank and "x" not in rank:
        assert own == rank_of(rank.replace("y", "x"))
    else:
        assert own == rank
    assert channels(own) == channels(rank)


def test_large_tensors_have_fewer_channels() -> None:
    assert DIRECTIONS == 8
    assert {channels(rank) for rank in RANKS if "d" in rank} == {8}
    assert {channels(rank) for rank in RANKS if "d" not in rank} == {16}
