"""Rules that complete patterns."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import patterns

CASES = [
    case(patterns.complete_symmetry, "1251 3443", "1221 3443", symmetry="columns", hole=5),
    case(patterns.complete_symmetry, "12 34 54 12", "12 34 34 12", symmetry="rows", hole=5),
    case(
        patterns.complete_symmetry,
        "5521 3443 3443 1221",
        "1221 3443 3443 1221",
        symmetry="both",
        hole=5,
    ),
    case(patterns.complete_symmetry, "155 246 361", "123 246 361", symmetry="diagonal", hole=5),
    case(patterns.complete_symmetry, "1551", None, symmetry="columns", hole=5),
    case(patterns.complete_symmetry, "123 456", None, symmetry="diagonal", hole=5),
    case(patterns.patch_of_symmetry, "1255 3455", "21 43", symmetry="columns", hole=5),
    case(patterns.reflect, "1... .2..", "1..1 .22.", axis="columns"),
    case(patterns.reflect, "12 .3 .. ..", "12 .3 .3 12", axis="rows"),
    case(
        patterns.complete_tiling,
        "121212 343434 155212 355434",
        "121212 343434 121212 343434",
        hole=5,
    ),
    case(patterns.complete_tiling, "1231..", "123123", hole=0),
    case(patterns.complete_tiling, "1234..", None, hole=0),
    case(patterns.complete_tiling, "112112..", "11211211", hole=0),
    case(patterns.patch_of_tiling, "121212 343434 155212 355434", "21 43", hole=5),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
