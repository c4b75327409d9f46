"""Intervals and tests of rates, by numbers that others have published or that follow by hand."""

import pytest

from trmsolve.stats import mcnemar_p


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),  # every split is at least as unequal
        (0, 5, 2 / 2**5),
        (10, 2, 2 * (1 + 12 + 66) / 2**12),
        (6, 16, 2 * 110056 / 2**22),
        (59, 121, 4.434e-6),  # the exact test of a table with 121 and 59 aside of the diagonal
    ],
)
def test_mcnemar_p(only_first: int, only_second: int, p: float) -> None:
    assert mcnemar_p(only_first, only_second) == pytest.approx(p, rel=1e-3)
    assert mcnemar_p(only_second, only_first) == mcnemar_p(only_first, only_second)


def test_mcnemar_p_of_many_cases_neither_overflows_nor_takes_long() -> None:
    assert mcnemar_p(50_000, 50_100) == pytest.approx(0.754, abs=2e-3)
    assert mcnemar_p(0, 100_000) == 0.0
