"""Rules for whole grids."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import wholes

CASES = [
    case(wholes.mirror, "12. 345", ".21 543", axis="columns"),
    case(wholes.mirror, "12. 345", "345 12.", axis="rows"),
    case(wholes.turn, "123 456", "36 25 14", angle="quarter"),
    case(wholes.turn, "123 456", "654 321", angle="half"),
    case(wholes.turn, "123 456", "41 52 63", angle="three-quarters"),
    case(wholes.transpose, "123 456", "14 25 36", diagonal="main"),
    case(wholes.transpose, "123 456", "63 52 41", diagonal="other"),
    case(wholes.tile, "12 3.", "121212 3.3.3. 121212 3.3.3.", down=2, across=3),
    case(wholes.add_mirror_image, "12 34", "1221 3443", side="right"),
    case(wholes.add_mirror_image, "12 34", "2112 4334", side="left"),
    case(wholes.add_mirror_image, "12 34", "34 12 12 34", side="up"),
    case(wholes.add_mirror_image, "12 34", "12 34 34 12", side="down"),
    case(wholes.mirror_to_four, "12 34", "1221 3443 3443 1221"),
    case(wholes.turn_to_four, "12 34", "1231 3442 2443 1321"),
    case(wholes.turn_to_four, "123 456", None),
    case(wholes.scale_up, "12 .3", "1122 1122 ..33 ..33", factor=2),
    case(wholes.scale_down, "1122 1122 ..33 ..33", "12 .3", factor=2),
    case(wholes.scale_down, "1122 1122 ..33 ..34", None, factor=2),
    case(wholes.scale_by_colours, "1. .2", "11.. 11.. ..22 ..22"),
    case(wholes.stretch, "12 3.", "12 12 3. 3.", axis="rows", factor=2),
    case(wholes.stretch, "12 3.", "1122 33..", axis="columns", factor=2),
    case(wholes.tile_by_itself, "1. 23", "1... 23.. 1.1. 2323"),
    case(wholes.keep_half, "123 456 789", "123 456", side="up"),
    case(wholes.keep_half, "123 456 789", "456 789", side="down"),
    case(wholes.keep_half, "1234", "12", side="left"),
    case(wholes.keep_half, "1234", "34", side="right"),
    case(wholes.frame, "12", "5555 5125 5555", colour=5),
    case(wholes.paint_edge, "1234 5678 1234", "9999 9679 9999", colour=9),
    case(wholes.peel, "1234 5678 1234", "67"),
    case(wholes.peel, "12 34", None),
    case(wholes.merge_equal_lines, "1122 1122 3344 1122", "12 34 12"),
    case(wholes.space_out, "12 34", "152 555 354", colour=5),
    case(wholes.reverse_every_second_row, "123 123 123 123", "123 321 123 321"),
    case(wholes.reverse_rings, "1111 1221 1221 1111", "2222 2112 2112 2222"),
    case(wholes.reverse_rings, "11111 12221 12321 12221 11111", "33333 32223 32123 32223 33333"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
