"""Rules that fill areas."""

import pytest

from tests.arc.generate.checks import check
from tests.support.grids import Case, case
from trmsolve.arc.generate import filling

CASES = [
    case(
        filling.fill_enclosed,
        "111.2 1.1.. 111.. ..... .3.3. .333.",
        "111.2 151.. 111.. ..... .3.3. .333.",
        colour=5,
    ),
    case(filling.fill_enclosed, "1111. 1..1. 1.11. 11...", "1111. 1551. 1511. 11...", colour=5),
    case(filling.fill_enclosed, ".11 1.1 111", ".11 151 111", colour=5),
    case(
        filling.fill_enclosed_by_size,
        "1111111 1.1...1 111...1 ..1...1 ..11111",
        "1111111 1516661 1116661 ..16661 ..11111",
        small=5,
        large=6,
    ),
    case(filling.fill_enclosed_by_size, "1111111 1.....1 1111111", None, small=5, large=6),
    case(filling.fill_outside, "111.2 1.1.. 111..", "11152 1.155 11155", colour=5),
    case(
        filling.fill_room,
        ".5... .5... 55555 .5...",
        ".5666 .5666 55555 .5...",
        which="largest",
        colour=6,
    ),
    case(
        filling.fill_room,
        ".5... .5... 55555 .5...",
        ".5... .5... 55555 65...",
        which="smallest",
        colour=6,
    ),
    case(filling.fill_room, ".5.", None, which="smallest", colour=6),
    case(filling.flood, ".5..2 .5... 55555 1....", ".5222 .5222 55555 11111", wall=5),
    case(filling.flood, "1.2 555", None, wall=5),
    case(filling.fill_nearest, "1....", None),
    case(filling.fill_nearest, "1...2", "11.22"),
    case(filling.fill_nearest, "1.. ... ..2", "11. 1.2 .22"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rules_make_what_was_worked_out_by_hand(case: Case) -> None:
    check(case)
