"""Rules for panels."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import panels

LYING = "11.. 5555 2.2."
STANDING = "1.52. 1.5.. .15.2"

CASES = [
    case(panels.combine, LYING, "6...", operation="and", line=5, colour=6),
    case(panels.combine, LYING, "666.", operation="or", line=5, colour=6),
    case(panels.combine, LYING, ".66.", operation="xor", line=5, colour=6),
    case(panels.combine, LYING, "...6", operation="neither", line=5, colour=6),
    case(panels.combine, LYING, ".6..", operation="only-first", line=5, colour=6),
    case(panels.combine, STANDING, "6. .. .6", operation="and", line=5, colour=6),
    case(panels.combine, "11.. 2.2.", None, operation="and", line=5, colour=6),
    case(panels.combine, "11 55 22 55 11", None, operation="and", line=5, colour=6),
    case(panels.overlay, STANDING, "1. 1. .1", on_top="first", line=5),
    case(panels.overlay, STANDING, "2. 1. .2", on_top="second", line=5),
    case(panels.odd_panel, "12 55 11 55 12", "11", line=5),
    case(panels.odd_panel, "12 55 11 55 22", None, line=5),
    case(panels.fullest_panel, STANDING, "1. 1. .1", which="fullest", line=5),
    case(panels.fullest_panel, STANDING, "2. .. .2", which="emptiest", line=5),
    case(panels.fullest_panel, "11 55 22", None, which="emptiest", line=5),
    case(panels.remove_lines, STANDING, "1.2. 1... .1.2", line=5),
    case(panels.remove_lines, "11 55 22 55 .1", "11 22 .1", line=5),
    case(panels.remove_lines, "11", None, line=5),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
