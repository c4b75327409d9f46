"""How likely answers are right, by the agreement of copies."""

import numpy as np
import pytest

from trmsolve.arc.answers import WeightedGrid
from trmsolve.arc.ensemble.confidence import RIGHT, SURE, agreement, chance, chance_of_any
from trmsolve.arc.ensemble.rounds import FROM_NOTHING, TRAINED

ONE = np.array([[1]], np.int8)
KINDS = (FROM_NOTHING, TRAINED)


@pytest.mark.parametrize("kind", KINDS)
def test_more_agreement_is_never_less_likely_right(kind: str) -> None:
    points = [point for point, _ in RIGHT[kind]]
    shares = [share for _, share in RIGHT[kind]]
    assert points == sorted(points)
    assert (points[0], points[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert shares[-1] < 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone_is_never_sure(kind: str) -> None:
    assert chance(kind, WeightedGrid(ONE, 100.0, 100), 100) < SURE


def test_the_agreement_of_trained_copies_is_that_of_their_votes() -> None:
    assert agreement(TRAINED, WeightedGrid(ONE, 1.5, 1), 2) == 0.75


def test_a_few_copies_from_nothing_agree_on_little() -> None:
    found = [agreement(FROM_NOTHING, WeightedGrid(ONE, 0.1, n), n) for n in (1, 3, 9)]
    assert found == pytest.approx([1 / 2, 3 / 4, 9 / 10])


@pytest.mark.parametrize("kind", KINDS)
def test_a_grid_without_cells_is_no_answer(kind: str) -> None:
    assert chance(kind, WeightedGrid(np.zeros((0, 0), np.int8), 5.0, 5), 5) == 0.0


def test_several_kinds_are_wrong_only_if_all_are() -> None:
    assert chance_of_any([]) == 0.0
    assert chance_of_any([0.5]) == 0.5
    assert chance_of_any([0.5, 0.5]) == 0.75
