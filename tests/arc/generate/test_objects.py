"""Rules that choose objects or draw at them."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import objects

CASES = [
    case(objects.crop_to_content, "... .12 .3. ...", "12 3."),
    case(objects.crop_to_content, "... ...", None),
    case(objects.crop_to_object, "11... 1..22 ...22", "22 22", which="largest"),
    case(objects.crop_to_object, "11... 1..22 ...22", "11 1.", which="smallest"),
    case(objects.crop_to_object, "11..22", None, which="largest"),
    case(objects.crop_to_object, "11....", None, which="largest"),
    case(objects.crop_to_unique_colour, "1..2. 1..22 ..... 11...", "2. 22"),
    case(objects.crop_to_unique_colour, "1..2. ..... 2..1.", None),
    case(objects.crop_to_odd_shape, "11..2 ....2 3.... 3..44", None),
    case(objects.crop_to_odd_shape, "11.. 1... ..33 .... 22..", "11 1."),
    case(objects.crop_to_symmetric, "1.... 11..2 ...22 ..... .333.", "333"),
    case(objects.crop_to_symmetric, "1.... 11..2 ....2 ..... .333.", None),
    case(objects.crop_to_marked, "3.... 15551 15.53 15251 15551", ". 2", marker=5),
    case(objects.crop_to_marked, "5.15 1.21 5335", ".2", marker=5),
    case(objects.crop_to_marked, "1.1 1.1", None, marker=5),
    case(objects.keep_object, "11..2 1...2", "11... 1....", which="largest"),
    case(objects.keep_object, "11..2 1...2", "....2 ....2", which="smallest"),
    case(objects.remove_object, "11..2 1...2", "....2 ....2", which="largest"),
    case(objects.remove_object, "11..2 1...2", "11... 1....", which="smallest"),
    case(objects.remove_single_cells, "11.2 ..3. 4.4. .4..", "11.. .... 4.4. .4.."),
    case(objects.outline, "..... ..1.. .....", ".555. .515. .555.", colour=5),
    case(objects.outline, "11.. ....", "115. 555.", colour=5),
    case(objects.paint_interior, "1111. 1111. 1111.", "1111. 1551. 1111.", colour=5),
    case(objects.paint_interior, "1111. 1111. 1111.", "1111. 1..1. 1111.", colour=0),
    case(objects.paint_interior, "111 121 111", "111 121 111", colour=5),
    case(objects.paint_rim, "1111. 1111. 1111.", "5555. 5115. 5555.", colour=5),
    case(objects.paint_corners, "111. 111. 111. ...2", "515. 111. 515. ...5", colour=5),
    case(objects.fill_boxes, "1.. 11. ... .22", "15. 11. ... .22", colour=5),
    case(objects.complete_boxes, "1..2. 11.22 1...2", "11.22 11.22 11.22"),
    case(objects.complete_boxes, "1... 1.2. 1... 1111", None),
    case(
        objects.drop_shadow, ".... .11. .... ....", ".... .11. ..55 ....", down=1, right=1, colour=5
    ),
    case(
        objects.drop_shadow,
        ".... .11. .... ....",
        "55.. .11. .... ....",
        down=-1,
        right=-1,
        colour=5,
    ),
    case(objects.shrink_to_centres, "111.2 111.. 111..", "....2 .1... ....."),
    case(objects.shrink_to_centres, "11.. 11..", None),
    case(objects.stamp, "..... ..1.. .....", "..5.. .515. ..5..", pattern="plus", colour=5),
    case(objects.stamp, "..... ..1.. .....", ".5.5. ..1.. .5.5.", pattern="cross", colour=5),
    case(objects.stamp, "..... ..1.. .....", ".555. .515. .555.", pattern="ring", colour=5),
    case(objects.stamp, "..... ..1.. .....", "..... .515. .....", pattern="bar", colour=5),
    case(objects.stamp, "..... ..1.. .....", "..5.. ..1.. ..5..", pattern="post", colour=5),
    case(
        objects.stamp_by_colour,
        "...... .1..2. ......",
        ".1.2.2 111.2. .1.2.2",
        patterns={1: "plus", 2: "cross"},
    ),
    case(
        objects.copy_to_markers,
        "1.2... 111... 3..... ...... ....5. ......",
        "1.2... 111... 3..... ...1.2 ...111 ...3..",
        marker=5,
    ),
    case(objects.copy_to_markers, "11...5 11....", None, marker=5),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
