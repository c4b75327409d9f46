"""Rules whose output is counted."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import counting

CASES = [
    case(counting.count_objects, "11..1 ..... 1...1", "5555", form="row", colour=5),
    case(counting.count_objects, "11..1", "5 5", form="column", colour=5),
    case(counting.count_objects, "11..1 ..... 1....", "5.. .5. ..5", form="diagonal", colour=5),
    case(counting.count_objects, "...", None, form="row", colour=5),
    case(counting.show_colour, "112 3.. 3..", None, rank="rarest"),
    case(counting.show_colour, "112 3.. 3..", None, rank="commonest"),
    case(counting.show_colour, "112 ... 1..", "1", rank="commonest"),
    case(counting.show_colour, "112 ... 1..", "2", rank="rarest"),
    case(counting.fill_with_commonest, "112 ...", "111 111"),
    case(counting.list_colours, "112 333 3..", "3 1 2"),
    case(counting.list_colours, "12", None),
    case(counting.draw_histogram, "112 333 3..", "3333 11.. 2..."),
    case(counting.show_largest_colour, "11.2 ..2. ....", None),
    case(counting.show_largest_colour, "11.2 ...2 ...2", "2"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
