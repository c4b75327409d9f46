"""Figures of curves: lines between points, several curves, and pictures of them."""

import io
import re

import pytest
from rich.console import Console

from trmsolve.show.chart import Axes, Series, joined_dots, x_axis
from trmsolve.show.console import make_console
from trmsolve.show.curves import Figure, Panel, as_svg, draw

AXES = Axes(begin=0, end=10, width=26, gutter=4, plain=True)


def console(width: int = 60, **pinned: object) -> Console:
    return make_console(
        io.StringIO(), force_terminal=True, width=width, height=24, _environ={}, **pinned
    )


def text_of(figure: Figure, height: int | None = None, width: int = 60) -> list[str]:
    return draw(figure, console(width, color_system=None), height).plain.split("\n")


def figure(*curves: list[tuple[float, float]], panels: int = 1) -> Figure:
    names = [f"run {number}" for number in range(len(curves))]
    panel = Panel("rate", curves, "{:.0%}".format, top=1.0)
    return Figure("rates", names, [panel] * panels, {0: "0", 5: "5", 10: "10"}, "cycles")


def test_lines_lead_from_point_to_point() -> None:
    series = Series("", [(0, 0.0), (10, 1.0)], "", "o", joins=True)
    assert set(joined_dots(AXES, series, 1.0, 11, 11)) == {(at, 10 - at) for at in range(11)}
    steep = Series("", [(0, 0.0), (0, 1.0)], "", "o", joins=True)
    assert set(joined_dots(AXES, steep, 1.0, 11, 5)) == {(0, y) for y in range(5)}
    outside = Series("", [(0, 0.0), (5, float("nan")), (10, 2.0)], "", "o", joins=True)
    assert list(joined_dots(AXES, outside, 1.0, 11, 5)) == [(0, 4)]


def test_a_curve_has_its_mark_where_its_values_are() -> None:
    lines = text_of(figure([(0, 0.0), (10, 1.0)], [(0, 1.0), (10, 1.0)]))
    assert lines[0].split() == ["o", "run", "0", "+", "run", "1"]
    assert lines[1].strip() == "rate"
    assert lines[2].startswith("100%+") and set(lines[2][5:]) == {"+"}
    assert lines[12].startswith("  0%+o") and "o" not in lines[2]
    assert lines[-1].endswith("cycles") and lines[-2].split() == ["0", "5", "10"]


@pytest.mark.parametrize("height", [24, 40, 60])
def test_it_fits_the_height_where_that_is_possible(height: int) -> None:
    lines = text_of(figure([(0, 0.0), (10, 1.0)], panels=4), height)
    assert len(lines) <= height and all(len(line) <= 60 for line in lines)


def test_labels_that_would_touch_are_left_out() -> None:
    ticks = {0: "first", 1: "second", 5: "mid", 10: "last"}
    assert x_axis(AXES, ticks, "x")[1].plain.split() == ["first", "mid", "last"]


def test_a_picture_has_dots_and_no_braille_letters() -> None:
    picture = as_svg(figure([(0, 0.25), (10, 0.25)]))
    assert not re.search("[\u2800-\u28ff]", picture)
    heights = {float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h0", picture)}
    assert len(heights) == 1
