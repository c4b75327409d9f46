"""The canvas of an ARC task is as small as can be known, without a look at the answers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trmsolve.arc.planes.canvas import (
    FIRST_COLOUR,
    OUTSIDE,
    SYMBOLS,
    Canvas,
    canvas_of,
    filled,
    place_on_canvas,
    show,
)
from trmsolve.arc.symmetry import SYMMETRIES, crop, undo_dihedral
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.puzzles.values import Grid

Shape = tuple[int, int]
grids = arrays(
    np.int8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 9)
)


def blank(shape: Shape, colour: int = 0) -> Grid:
    return np.full(shape, colour, np.int8)


def task_of(shapes: list[tuple[Shape, Shape]], *asked: Shape) -> ArcTask:
    demonstrations = tuple(Pair(blank(before), blank(after)) for before, after in shapes)
    return ArcTask("t", demonstrations, tuple(Pair(blank(shape)) for shape in asked))


@pytest.mark.parametrize(
    ("shapes", "asked", "side"),
    [
        ([((3, 3), (3, 3))], (3, 3), 3),  # as large as what is shown
        ([((3, 4), (3, 4))], (2, 7), 7),  # the question is the largest
        ([((3, 3), (6, 6)), ((4, 4), (8, 8))], (5, 5), 10),  # twice as large, so twice the question
        (
            [((3, 3), (9, 9))],
            (4, 4),
            12,
        ),  # of one demonstration the factor, and not the difference: that is more
        ([((2, 3), (2, 6)), ((4, 4), (4, 8))], (3, 9), 18),  # along columns alone
        ([((3, 2), (6, 2)), ((4, 4), (8, 4))], (9, 3), 18),  # along rows alone
        ([((3, 3), (5, 5)), ((4, 4), (6, 6))], (7, 7), 9),  # always two more
        ([((3, 3), (5, 3)), ((4, 4), (6, 4))], (7, 2), 9),  # always two more rows
        ([((6, 6), (3, 3)), ((8, 8), (4, 4))], (9, 9), 9),  # half, which fits anyway
        ([((3, 3), (7, 7)), ((5, 5), (7, 7))], (4, 4), 7),  # always as large: the largest
        ([((3, 3), (1, 1)), ((5, 5), (11, 2))], (4, 4), 11),  # of no rule: the largest
        ([((10, 10), (30, 30))], (20, 20), 30),  # no canvas is larger than a grid may be
        ([((2, 2), (3, 3)), ((4, 4), (6, 6))], (5, 5), 7),  # one and a half times, rounded down
        ([((1, 1), (1, 1))], (1, 1), 1),
    ],
)
def test_the_side_is_what_the_demonstrations_let_expect(
    shapes: list[tuple[Shape, Shape]], asked: Shape, side: int
) -> None:
    assert canvas_of(task_of(shapes, asked)).side == side


def test_the_largest_of_many_tests_counts() -> None:
    shapes: list[tuple[Shape, Shape]] = [((3, 3), (6, 6))]
    assert canvas_of(task_of(shapes, (2, 2), (5, 3), (4, 4))).side == 10


def test_the_palette_is_what_occurs_and_begins_with_outside() -> None:
    task = ArcTask(
        "t",
        (Pair(blank((2, 2), 7), blank((2, 2), 3)),),
        (Pair(blank((2, 2), 9)), Pair(blank((1, 1), 0))),
    )
    assert canvas_of(task).palette == (OUTSIDE, 1, 4, 8, 10)
    assert all(type(symbol) is int for symbol in canvas_of(task).palette)
    everything = Pair(np.arange(10, dtype=np.int8)[None], blank((1, 1)))
    assert canvas_of(ArcTask("t", (everything,), (Pair(blank((1, 1))),))).palette == tuple(
        range(SYMBOLS)
    )


def test_cells_are_those_of_all_planes() -> None:
    assert Canvas(5, (0, 1, 2)).cells == 75


@settings(deadline=None, max_examples=40)
@given(grids, grids, grids, grids)
def test_the_outputs_that_are_asked_for_are_not_looked_at(
    before: Grid, after: Grid, asked: Grid, secret: Grid
) -> None:
    unknown = ArcTask("t", (Pair(before, after),), (Pair(asked),))
    known = replace(unknown, tests=(Pair(asked, secret),))
    assert canvas_of(known) == canvas_of(unknown) == canvas_of(unknown, answers=True)
    with_answers = canvas_of(known, answers=True)
    assert with_answers.side == max(canvas_of(unknown).side, *secret.shape)
    colours = {int(colour) for grid in (before, after, asked, secret) for colour in np.unique(grid)}
    assert with_answers.palette == (OUTSIDE, *sorted(FIRST_COLOUR + colour for colour in colours))


def test_only_some_outputs_need_be_known() -> None:
    task = ArcTask(
        "t",
        (Pair(blank((1, 1)), blank((1, 1))),),
        (Pair(blank((1, 1))), Pair(blank((1, 1)), blank((4, 2)))),
    )
    assert (canvas_of(task).side, canvas_of(task, answers=True).side) == (1, 4)


def test_a_palette_is_filled_with_symbols_that_it_lacks() -> None:
    assert filled((0, 2, 5), 3) == (0, 2, 5)
    assert filled((0, 2, 5), 6) == (0, 2, 5, 1, 3, 4)
    assert sorted(filled((0, 10), SYMBOLS)) == list(range(SYMBOLS))


@settings(deadline=None, max_examples=40)
@given(grids, st.integers(12, 14))
def test_a_grid_lies_in_the_upper_left_corner(grid: Grid, side: int) -> None:
    laid = place_on_canvas(grid, side)
    rows, columns = grid.shape
    assert laid.shape == (side, side) and laid.dtype == np.int64
    assert np.array_equal(laid[:rows, :columns], grid + FIRST_COLOUR)
    assert (laid != OUTSIDE).sum() == grid.size
    assert np.array_equal(crop(laid, FIRST_COLOUR), grid)


@pytest.mark.parametrize("shape", [(4, 1), (1, 4), (4, 4), (3, 5)])
def test_what_does_not_fit_is_refused(shape: Shape) -> None:
    with pytest.raises(ValueError):
        place_on_canvas(blank(shape), 3)


@settings(deadline=None, max_examples=40)
@given(grids, grids)
def test_what_is_shown_is_turned_back(question: Grid, answer: Grid) -> None:
    canvas = Canvas(12, (OUTSIDE, 1))
    views = list(show(Pair(question, answer), canvas))
    assert [view.symmetry for view in views] == list(range(len(SYMMETRIES)))
    for view in views:
        assert view.answer is not None
        for laid, grid in ((view.question, question), (view.answer, answer)):
            assert np.array_equal(undo_dihedral(crop(laid, FIRST_COLOUR), view.symmetry), grid)


def test_each_view_is_another() -> None:
    grid = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    views = {view.question.tobytes() for view in show(Pair(grid), Canvas(3, (0,)))}
    assert len(views) == len(SYMMETRIES)


def test_only_the_symmetries_asked_for_are_shown_in_their_order() -> None:
    views = list(show(Pair(blank((2, 3))), Canvas(3, (0, 1)), [6, 0]))
    assert [(view.symmetry, view.answer) for view in views] == [(6, None), (0, None)]
    assert [(view.question[:, 0] > 0).sum() for view in views] == [3, 2]
