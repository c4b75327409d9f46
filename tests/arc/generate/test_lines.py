"""Rules that draw lines."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import lines

CASES = [
    case(lines.extend, "1.. ..2 3..", "1.. 1.2 3.2", direction="down"),
    case(lines.extend, "1..2. .3...", "11122 .3333", direction="right"),
    case(lines.extend, "1..2.", "1222.", direction="left"),
    case(lines.extend, "... 1.. ..2", "1.2 1.2 ..2", direction="up"),
    case(lines.extend_to_wall, "1..5.2 .3....", "1115.2 .33333", direction="right", wall=5),
    case(lines.extend_to_wall, "1. .5 5. ..", "1. 15 5. ..", direction="down", wall=5),
    case(lines.draw_lines, ".1. ... ..2", "111 ... 222", lines="rows"),
    case(lines.draw_lines, ".1. ... ..2", ".12 .12 .12", lines="columns"),
    case(lines.draw_lines, "1.2", None, lines="rows"),
    case(lines.draw_crosses, "1... .... ..2. ....", "1111 1.2. 2222 1.2."),
    case(lines.draw_diagonals, ".... .1.. .... ....", "1.1. .1.. 1.1. ...1"),
    case(lines.draw_diagonals, "1..2", None),
    case(lines.draw_diagonal, "... .1. ...", "1.. .1. ..1", diagonal="falling"),
    case(lines.draw_diagonal, "... .1. ...", "..1 .1. 1..", diagonal="rising"),
    case(
        lines.draw_star, "..... ..... ..1.. ..... .....", "5.5.5 .555. 55155 .555. 5.5.5", colour=5
    ),
    case(lines.draw_from_corners, ".... .11. .11. ....", "1..1 .11. .11. 1..1"),
    case(lines.connect_equal, "1..1. ....2 ..... ....2", "1111. ....2 ....2 ....2", colour=0),
    case(lines.connect_equal, "1..1. ....2 ..... ....2", "1551. ....2 ....5 ....2", colour=5),
    case(lines.connect_equal, ".2. 1.1 ... .2.", ".2. 121 .2. .2.", colour=0),
    case(lines.bounce, "... ... ... .1.", "..1 .1. 1.. .1.", side="left"),
    case(lines.bounce, "... ... ... .1.", "1.. .1. ..1 .1.", side="right"),
    case(lines.bounce, "... .1. ...", None, side="left"),
    case(
        lines.draw_grid_lines,
        "..... .1... ..... .....",
        ".5.5. 51555 .5.5. 55555",
        spacing=2,
        colour=5,
    ),
    case(lines.draw_checkerboard, "1... ....", "1.5. .5.5", colour=5),
    case(lines.mark_crossings, ".2.2 1111 .2.2", ".2.2 1515 .2.2", colour=5),
    case(lines.project_to_edge, "1.. ..2 ... ...", "1.. ..2 ... 5.5", direction="down", colour=5),
    case(lines.project_to_edge, "... .1. ...", "... 51. ...", direction="left", colour=5),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
