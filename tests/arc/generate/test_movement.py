"""Rules that move cells or objects."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import movement

CASES = [
    case(movement.cells_fall, "1.2 .3. 4..", "... 1.. 432", direction="down"),
    case(movement.cells_fall, "1.2 .3. 4..", "132 4.. ...", direction="up"),
    case(movement.cells_fall, "1.2 .3. 4..", "12. 3.. 4..", direction="left"),
    case(movement.cells_fall, "1.2 .3. 4..", ".12 ..3 ..4", direction="right"),
    case(movement.objects_fall, "11. .1. ... 2.. ...", "... ... ... 11. 21.", direction="down"),
    case(movement.objects_fall, ".1 22 ..", ".. .1 22", direction="down"),
    case(movement.objects_fall, "..1 2.1 2..", ".1. 21. 2..", direction="left"),
    case(movement.slide_to_wall, "1.2 ... 5.. .3.", "... 1.. 5.. .32", direction="down", wall=5),
    case(movement.slide_to_wall, "1.5.2", ".15.2", direction="right", wall=5),
    case(movement.shift, "12 34 56", ".. 12 34", direction="down", distance=1),
    case(movement.shift, "1234", "34..", direction="left", distance=2),
    case(movement.shift_around, "12 34 56", "56 12 34", direction="down", distance=1),
    case(movement.shift_around, "1234", "3412", direction="right", distance=2),
    case(movement.shift_around, "1234", "2341", direction="left", distance=1),
    case(movement.shear_around, "123 456 789", "186 429 753", direction="down"),
    case(movement.shear_around, "12. 12. 12.", "2.1 .12 12.", direction="right"),
    case(movement.sort_lines, ".1. 21. 213", "..1 .21 321", lines="columns", order="growing"),
    case(movement.sort_lines, ".1. 21. 213", "1.. 12. 123", lines="columns", order="shrinking"),
    case(movement.sort_lines, "1.. 222 33.", "1.. 33. 222", lines="rows", order="growing"),
    case(movement.sort_lines, "1.. 22. 33.", "22. 33. 1..", lines="rows", order="shrinking"),
    case(
        movement.mirror_objects,
        "1.... 11..2 ....2 ..3.2",
        ".1... 11..2 ....2 ..3.2",
        axis="columns",
    ),
    case(movement.mirror_objects, "1... 11.. ...2", "11.. 1... ...2", axis="rows"),
    case(movement.mirror_objects, "1... 11.. ...2", "11.. .1.. ...2", axis="both"),
    case(movement.mirror_objects, "1... 1... 111.", "..1. ..1. 111.", axis="columns"),
    case(movement.mirror_objects, "1... 1.2. 1... 1111", None, axis="rows"),
    case(movement.move_colour, "1.. .2. ..1", "... 12. ...", direction="down", colour=1),
    case(movement.move_colour, "12. .1.", ".1. ..1", direction="right", colour=1),
    case(movement.move_colour, "1.. .1. ..1", None, direction="down", colour=1),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
