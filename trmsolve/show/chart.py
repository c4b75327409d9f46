"""Draws points over time as lines of text, in braille or in ASCII that reads without colour.

Every point is drawn where it was measured, and none is averaged. A series may be joined by straight
lines. What the values mean, and their units, is known to the caller alone, who brings the labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from rich.text import Text

BRAILLE = 0x2800
"""The code of a braille character without dots."""

DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of its dots, by column and then by row."""


class Series(NamedTuple):
    """Values in order of time; values that are not finite are not drawn."""

    name: str
    points: Sequence[tuple[float, float]]  # time, value
    style: str
    mark: str  # in ASCII
    holds: bool = False  # whether a value is drawn until the next comes, as a staircase
    joins: bool = False  # whether straight lines lead from point to point


class Axes(NamedTuple):
    """What charts one below the other share."""

    begin: float  # time of the first column
    end: float  # time of the last column
    width: int  # columns, with labels
    gutter: int  # columns of the labels
    plain: bool  # whether to draw in ASCII

    @property
    def inner(self) -> int:
        """Columns of the chart itself, without the labels and the axis."""
        return self.width - self.gutter - 1

    def x(self, time: float, dots: int) -> int:
        """The number of the dot for a time, among ``dots`` from left to right."""
        span = max(self.end - self.begin, 1e-9)
        return round((time - self.begin) / span * (dots - 1))


def chart(
    axes: Axes, rows: int, series: Sequence[Series], ticks: Mapping[float, str]
) -> list[Text]:
    """Draw a legend and, below it, ``rows`` lines from the highest tick to 0.

    Where two series meet in one character, the later one is seen.
    """
    top = max(ticks)
    labels = {place(value, top, rows): label for value, label in ticks.items()}
    seen: dict[tuple[int, int], tuple[str, str]] = {}
    for one in series:
        for where, face in faces(axes, rows, one, top).items():
            seen[where] = (face, one.style)
    lines = [Text.assemble(" " * (axes.gutter + 1), legend(axes, series))]
    for row in range(rows):
        line = [seen.get((row, column), (" ", "")) for column in range(axes.inner)]
        lines.append(Text.assemble(rule(axes, labels.get(row, "")), *merged(line)))
    return lines


def merged(line: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """The characters of a line, each with its style, as pieces that have one style."""
    for style, characters in groupby(line, key=lambda character: character[1]):
        yield "".join(text for text, _ in characters), style


def faces(axes: Axes, rows: int, series: Series, top: float) -> dict[tuple[int, int], str]:
    """Draw the characters of one series, by row and column."""
    across, down = (1, 1) if axes.plain else (2, 4)
    bits: dict[tuple[int, int], int] = {}
    found = joined_dots if series.joins else dots
    for x, y in found(axes, series, top, axes.inner * across, rows * down):
        row, y_inside = divmod(y, down)
        column, x_inside = divmod(x, across)
        bit = DOTS[x_inside][y_inside]
        bits[row, column] = bits.get((row, column), 0) | bit
    if axes.plain:
        return dict.fromkeys(bits, series.mark)
    return {where: chr(BRAILLE + code) for where, code in bits.items()}


def dots(
    axes: Axes, series: Series, top: float, width: int, height: int
) -> Iterable[tuple[int, int]]:
    """Find the points of a series among ``width`` x ``height`` dots, each as (x, y)."""
    finite = []
    for time, value in series.points:
        if 0 <= value <= top:
            finite.append((axes.x(time, width), value))
    finite.append((width, 0.0))
    for (x, value), (following, _) in pairwise(finite):
        end = x + 1
        if series.holds:
            end = max(following, end)
        for column in range(x, end):
            yield column, place(value, top, height)


def joined_dots(
    axes: Axes, series: Series, top: float, width: int, height: int
) -> Iterable[tuple[int, int]]:
    """As ``dots``, with those of the straight lines between neighbouring points."""
    corners = []
    for time, value in series.points:
        if 0 <= value <= top:
            corners.append((axes.x(time, width), place(value, top, height)))
    yield from corners
    for (x, y), (next_x, next_y) in pairwise(corners):
        steps = max(abs(next_x - x), abs(next_y - y), 1)
        for step in range(1, steps):
            share = step / steps
            yield round(x + share * (next_x - x)), round(y + share * (next_y - y))


def place(value: float, top: float, height: int) -> int:
    """The row of a value: 0 for ``top``, the last row for 0."""
    return round((1 - value / top) * (height - 1))


def legend(axes: Axes, series: Iterable[Series]) -> Text:
    """Name each series after a sample of it."""
    parts = []
    for one in series:
        sample = "⠒⠒" if one.holds else "⠢⠔"
        drawn = one.mark if axes.plain else sample
        parts.append(Text.assemble((drawn, one.style), (f" {one.name}", "label")))
    return Text("  ").join(parts)


def rule(axes: Axes, label: str) -> Text:
    """The left edge of a line, with its label if there is a tick."""
    tick, bare = "+|" if axes.plain else "┤│"
    stroke = tick if label else bare
    return Text.assemble((label.rjust(axes.gutter), "label"), (stroke, "border"))


def time_axis(axes: Axes, begin: str, end: str) -> list[Text]:
    """The lower edge, and under it the times of its ends."""
    corner, dash = "+-" if axes.plain else "╰─"
    pad = " " * axes.gutter
    edge = Text.assemble(pad, (corner + dash * axes.inner, "border"))
    gap = axes.inner - len(begin) - len(end)
    times = f"{begin}{' ' * gap}{end}" if gap > 0 else end
    return [edge, Text(f"{pad} {times}", "label")]


def x_axis(axes: Axes, ticks: Mapping[float, str], title: str) -> list[Text]:
    """The lower edge, and under it the labels of some x, and what x is.

    A label that would touch the one before is left out; the last one is always there.
    """
    edge, _ = time_axis(axes, "", "")
    line = [" "] * axes.inner
    last = max(ticks)
    for x in sorted(ticks, key=lambda x: (x != last, x)):
        label = ticks[x]
        begin = min(max(axes.x(x, axes.inner) - len(label) // 2, 0), axes.inner - len(label))
        around = line[max(begin - 1, 0) : begin + len(label) + 1]
        if begin >= 0 and not "".join(around).strip():
            line[begin : begin + len(label)] = label
    pad = " " * (axes.gutter + 1)
    return [edge, Text(pad + "".join(line), "label"), Text(title.rjust(axes.width), "label")]
