"""Grids, pairs and attempts as lines of text: what cells show, and how pictures wrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from trmsolve.arc.paint import (
    Cells,
    Picture,
    beside,
    flowed,
    in_one_row,
    paint_attempts,
    paint_cycle,
    paint_demonstrations,
    paint_grid,
    paint_pair,
    paint_steps,
    size,
    width,
    wrapped,
)
from trmsolve.arc.task import ArcAnswer, ArcCycle, ArcTask, Candidate, Pair
from trmsolve.puzzles.values import Grid
from trmsolve.show.console import COLOURED, make_console

EMPTY = np.zeros((0, 0), np.int8)
GRIDS = arrays(
    np.int8,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30),
    elements=st.integers(0, 9),
)


def grid(*rows: str) -> Grid:
    """``grid("102", "000")``"""
    return np.array([[int(digit) for digit in row] for row in rows], np.int8)


def square(side: int, colour: int = 4) -> Grid:
    return np.full((side, side), colour, np.int8)


def shown(drawing: Picture) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in drawing]


DEMONSTRATION = Pair(grid("10", "02"), grid("100", "020", "003"))
TASK = ArcTask("corner", (DEMONSTRATION, DEMONSTRATION), (Pair(grid("30", "00")),), "corner.json")


def answer(*candidates: Candidate, output: Grid | None = None) -> ArcAnswer:
    task = ArcTask("corner", TASK.demonstrations, (Pair(grid("30", "00"), output),))
    return ArcAnswer(task, (candidates,), None, 16, 8, 1.0)


def cycle(number: int, answer: Grid, sure: float = 0.9) -> ArcCycle:
    return ArcCycle(
        TASK, 0, number, 16, 2, 8, answer, np.full(answer.shape, sure, np.float32), 0.25
    )


def test_every_cell_is_its_digit_on_its_colour() -> None:
    assert paint_grid(grid("1102", "0000"), plain=False) == [
        [("1 1 ", "colour 1"), (". ", "colour 0"), ("2 ", "colour 2")],
        [(". . . . ", "colour 0")],
    ]
    assert paint_grid(grid("1102"), False, "narrow") == [
        [("11", "colour 1"), (".", "colour 0"), ("2", "colour 2")]
    ]


def test_half_blocks_are_two_rows_and_end_on_bare_ground() -> None:
    assert paint_grid(grid("11", "12", "90"), False, "half") == [
        [("▀", "colour 1 on colour 1"), ("▀", "colour 1 on colour 2")],
        [("▀", "colour 9 on floor"), ("▀", "colour 0 on floor")],
    ]
    assert shown(paint_grid(grid("11", "12"), True, "half")) == ["11", "12"]  # ASCII has none


def test_what_the_network_is_not_sure_of_is_marked_where_there_is_room() -> None:
    unsure = np.array([[True, False]])
    assert shown(paint_grid(grid("10"), True, "wide", unsure)) == ["1?."]
    assert shown(paint_grid(grid("10"), True, "narrow", unsure)) == ["1."]


@pytest.mark.parametrize("cells", ["wide", "narrow", "half"])
def test_no_cells_are_said_to_be_none(cells: Cells) -> None:
    assert shown(paint_grid(EMPTY, False, cells)) == ["(empty)"]
    assert size(EMPTY) == "empty" and size(grid("123")) == "1x3"


@given(GRIDS, st.sampled_from(["wide", "narrow"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_drawing_can_be_read_back(cells: Grid, form: Cells, plain: bool) -> None:
    lines = paint_grid(cells, plain, form)
    read = [
        [0 if face == "." else int(face) for text, _ in line for face in text.replace(" ", "")]
        for line in lines
    ]
    assert np.array_equal(read, cells)
    assert {sum(len(text) for text, _ in line) for line in lines} == {
        cells.shape[1] * (2 if form == "wide" else 1)
    }
    assert {style for line in lines for _, style in line} == {
        f"colour {value}" for value in np.unique(cells)
    }


@given(GRIDS)
@settings(max_examples=60, deadline=None)
def test_half_blocks_can_be_read_back(cells: Grid) -> None:
    rows = []
    for line in paint_grid(cells, False, "half"):
        names = [style.split(" on ") for text, style in line for _ in text]
        rows += [[ink for ink, _ in names], [paper for _, paper in names]]
    read = [[int(name.split()[1]) for name in row] for row in rows if row[0] != "floor"]
    assert np.array_equal(read, cells)
    assert all(style in COLOURED for line in paint_grid(cells, False, "half") for _, style in line)


def test_a_pair_has_an_arrow_between_level_middles() -> None:
    assert shown(paint_pair(DEMONSTRATION, "1", 80, True, "wide")) == [
        "1  2x2 -> 3x3",
        "1 .     1 . .",
        ". 2  -> . 2 .",
        "        . . 3",
    ]
    assert "1  2x2 → 3x3" in shown(paint_pair(DEMONSTRATION, "1", 80, False, "wide"))


def test_a_pair_that_is_too_wide_stands_upright() -> None:
    pair = Pair(square(30), square(30, 5))
    lying, upright = (paint_pair(pair, "1", columns, True, "narrow") for columns in (64, 63))
    assert len(lying) == 31 and width(lying) == 64
    assert shown(upright)[1:] == ["4" * 30] * 30 + [" v"] + ["5" * 30] * 30


def test_demonstrations_are_numbered() -> None:
    captions = [shown(picture)[0] for picture in paint_demonstrations(TASK, 80, True, "narrow")]
    assert captions == ["1  2x2 -> 3x3", "2  2x2 -> 3x3"]


def test_the_answer_so_far_stands_beside_the_test() -> None:
    drawing = beside(paint_cycle(cycle(3, grid("12"), sure=0.3), True, "wide"))
    assert shown(drawing) == ["test   answer so far", "2x2    1x2", "3 .    1?2?", ". ."]


def test_a_step_has_its_figures_above_it() -> None:
    first, second = paint_steps([cycle(1, EMPTY), cycle(2, grid("12"))], True, "wide")
    assert shown(first) == ["cycle 1/16", "sure -", "halt 25%", "(empty)"]
    assert shown(second) == ["cycle 2/16", "sure 90%", "halt 25%", "1 2"]


def test_attempts_have_their_votes() -> None:
    found = answer(
        Candidate(grid("12"), 11, 0.9), Candidate(grid("21"), 3, 0.5), Candidate(grid("3"), 2, 0.5)
    )
    assert shown(beside(paint_attempts(found, 0, True, "wide"))) == [
        "test   attempt 1             attempt 2",
        "2x2    1x2  11 of 16 votes   1x2  3 of 16 votes",
        "3 .    1 2                   2 1",
        ". .",
    ]


def test_one_candidate_is_both_attempts() -> None:
    pictures = paint_attempts(answer(Candidate(grid("12"), 16, 0.9)), 0, True, "wide")
    assert [shown(picture)[0] for picture in pictures] == ["test", "both attempts"]


def test_known_answers_judge_the_attempts() -> None:
    candidates = Candidate(grid("12"), 11, 0.9), Candidate(grid("21"), 5, 0.5)
    pictures = paint_attempts(answer(*candidates, output=grid("21")), 0, True, "wide")
    assert [shown(picture)[0] for picture in pictures] == [
        "test",
        "attempt 1 wrong",
        "attempt 2 right",
    ]
    pictures = paint_attempts(answer(*candidates, output=grid("77")), 0, True, "wide")
    assert [shown(picture)[0] for picture in pictures] == [
        "test",
        "attempt 1 wrong",
        "attempt 2 wrong",
        "right answer",
    ]
    assert shown(pictures[3])[1:] == ["1x2", "7 7"]
    styles = {style for line in pictures[1] for _, style in line}
    assert "unverified" in styles and "solved" not in styles


def test_tests_are_numbered_where_there_are_several() -> None:
    task = ArcTask("two", TASK.demonstrations, (Pair(grid("1")), Pair(grid("2"))))
    both = ArcAnswer(task, ((Candidate(grid("1"), 1, 1.0),),) * 2, None, 1, 1, 1.0)
    assert [shown(paint_attempts(both, test, True, "wide")[0])[0] for test in (0, 1)] == [
        "test 1",
        "test 2",
    ]


@pytest.mark.parametrize(
    ("side", "columns", "broad", "rows"), [(12, 80, 24, 12), (15, 80, 15, 15), (30, 96, 30, 30)]
)
def test_one_row_takes_the_largest_cells_that_fit(
    side: int, columns: int, broad: int, rows: int
) -> None:
    drawing = in_one_row(lambda cells: [paint_grid(square(side), True, cells)] * 3, columns)
    assert (width(drawing), len(drawing)) == (3 * broad + 6, rows)


def test_three_of_the_largest_grids_on_eighty_columns() -> None:
    drawing = in_one_row(lambda cells: [paint_grid(square(30), True, cells)] * 3, 80)
    assert len(drawing) == 61 and width(drawing) == 63 and shown(drawing)[30] == ""


def test_wrapped_takes_the_largest_cells_in_which_each_picture_is_whole() -> None:
    assert width(wrapped(lambda cells: [paint_grid(square(30), True, cells)] * 3, 80)) == 60
    assert width(wrapped(lambda cells: [paint_grid(square(30), True, cells)] * 3, 59)) == 30


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), min_size=1, max_size=8),
    st.integers(1, 100),
)
@settings(max_examples=60, deadline=None)
def test_pictures_flow_without_loss(sizes: list[tuple[int, int]], columns: int) -> None:
    pictures: list[Picture] = [
        [[("x" * across, "")] for _ in range(down)] for across, down in sizes
    ]
    drawing = flowed(pictures, columns)
    assert width(drawing) <= max(columns, max(across for across, _ in sizes))
    assert sum(line.count("x") for line in shown(drawing)) == sum(
        across * down for across, down in sizes
    )


@pytest.mark.parametrize("system", ["256", "standard"])
def test_ten_colours_are_ten_on_any_terminal_and_their_digits_are_readable(system: str) -> None:
    console = make_console(color_system=system, force_terminal=True)
    grounds = set()
    for value in range(10):
        style: Style = console.get_style(f"colour {value}")
        assert style.color and style.bgcolor and console._color_system
        ground = style.bgcolor.downgrade(console._color_system)
        grounds.add(ground.number)
        assert contrast(style) > (
            2.5 if value == 0 else 4.5
        )  # a dot of the background may be faint
    assert len(grounds) == 10


def contrast(style: Style) -> float:
    """Of the digit and its ground, as the web's guidelines measure it: 1 to 21."""

    def light(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    def luminance(colour: tuple[int, ...]) -> float:
        return sum(
            share * light(c / 255)
            for share, c in zip((0.2126, 0.7152, 0.0722), colour, strict=True)
        )

    assert style.color and style.bgcolor
    one, other = sorted(
        luminance(c.get_truecolor(DEFAULT_TERMINAL_THEME)) for c in (style.color, style.bgcolor)
    )
    return (other + 0.05) / (one + 0.05)
