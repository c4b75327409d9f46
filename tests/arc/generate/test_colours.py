"""Rules that give cells or objects other colours."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import colours

CASES = [
    case(colours.recolour, "12. 31.", "23. 32.", colours={1: 2, 2: 3}),
    case(colours.swap_colours, "12. 31.", "21. 32.", one=1, other=2),
    case(colours.invert, "1.. .1.", ".11 1.1"),
    case(colours.invert, "1.. .2.", None),
    case(colours.recolour_extreme, "11.1 ....", "55.1 ....", which="largest", colour=5),
    case(colours.recolour_extreme, "11.1 ....", "11.5 ....", which="smallest", colour=5),
    case(colours.recolour_extreme, "11.11", None, which="smallest", colour=5),
    case(colours.recolour_by_rank, "11.1 .... 111.", "66.7 .... 555.", colours=(5, 6, 7)),
    case(colours.recolour_by_rank, "11.1 .... 1...", None, colours=(5, 6, 7)),
    case(colours.recolour_by_size, "11.1 .... 111.", "66.5 .... 777.", colours=(5, 6, 7, 8)),
    case(colours.recolour_by_size, "11111", None, colours=(5, 6, 7, 8)),
    case(
        colours.recolour_by_holes, "111.11 1.1.11 111.11", "666.55 6.6.55 666.55", colours=(5, 6, 7)
    ),
    case(colours.recolour_by_holes, "11111 1.1.1 11111", "77777 7.7.7 77777", colours=(5, 6, 7)),
    case(colours.recolour_by_holes, "1.1 1.1 111", "5.5 5.5 555", colours=(5, 6, 7)),
    case(colours.recolour_at_edge, "1.... ..1.. ..... ...11", "5.... ..1.. ..... ...55", colour=5),
    case(colours.recolour_at_edge, "1... .... ...1", None, colour=5),
    case(colours.recolour_by_side, "1..1 .... 11..", "5..6 .... 55..", first=5, second=6),
    case(colours.recolour_by_side, "1... .11.", None, first=5, second=6),
    case(colours.recolour_by_form, "1.11 1...", "5.66 5...", tall=5, wide=6),
    case(colours.recolour_by_form, "11. 11.", None, tall=5, wide=6),
    case(colours.recolour_shared_shapes, "11..1 1.... ..... 11..1 1....", None, colour=5),
    case(
        colours.recolour_shared_shapes,
        "11..1 1.... ..... 11... 1....",
        "55..1 5.... ..... 55... 5....",
        colour=5,
    ),
    case(colours.keep_colour, "1112 2333 3...", ".... .333 3...", rank="commonest"),
    case(colours.keep_colour, "1112 2333 3...", "...2 2... ....", rank="rarest"),
    case(colours.keep_colour, "12", None, rank="rarest"),
    case(colours.recolour_rank, "1112 2333 3...", "1112 2555 5...", rank="commonest", colour=5),
    case(colours.recolour_rank, "1112 2333 3...", "1115 5333 3...", rank="rarest", colour=5),
    case(colours.remove_colour, "121 .2.", "1.1 ...", colour=2),
    case(colours.unite_colours, "112. 111. .... 3332", "111. 111. .... 3333"),
    case(colours.unite_colours, "12..", None),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
