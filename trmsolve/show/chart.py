"""Points over time as lines of text: dots of braille, or ASCII that reads without colour.

Every point is drawn where it was measured: none is averaged away, none is made up between two.
Knows Rich's texts and names of styles. Knows no terminal, nothing of what the values mean, and no
unit: the labels come with them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.text import Text

# The dots of a braille character, by column and then by row.
BRAILLE, DOTS = 0x2800, ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class Series(NamedTuple):
    """Values in order of time; where they are not finite there is nothing to draw."""

    name: str
    points: Sequence[tuple[float, float]]  # time, value
    style: str
    mark: str  # in ASCII
    holds: bool = (
        False  # whether a value is drawn until the next comes: a staircase of what was last known
    )


class Axes(NamedTuple):
    """What charts one below the other share: their time, their width and the room for labels in it."""

    begin: float
    end: float
    width: int
    gutter: int  # columns of the labels
    plain: bool

    @property
    def inner(self) -> int:
        """Columns of the chart itself, without labels and rule."""
        return self.width - self.gutter - 1

    def x(self, time: float, dots: int) -> int:
        """Which of so many dots stands for a time."""
        return round((time - self.begin) / max(self.end - self.begin, 1e-9) * (dots - 1))


def chart(
    axes: Axes, rows: int, series: Sequence[Series], ticks: Mapping[float, str]
) -> list[Text]:
    """A legend, then ``rows`` lines from the highest tick to 0.

    Of two series in one character the later is seen.
    """
    top = max(ticks)
    labels = {place(value, top, rows): label for value, label in ticks.items()}
    seen: dict[tuple[int, int], tuple[str, str]] = {}
    for one in series:
        seen |= {where: (face, one.style) for where, face in faces(axes, rows, one, top).items()}
    lines = [Text.assemble(" " * (axes.gutter + 1), legend(axes, series))]
    for row in range(rows):
        line = [seen.get((row, column), (" ", "")) for column in range(axes.inner)]
        lines.append(Text.assemble(rule(axes, labels.get(row, "")), *line))
    return lines


def faces(axes: Axes, rows: int, series: Series, top: float) -> dict[tuple[int, int], str]:
    """The characters of one series, by row and column."""
    across, down = (1, 1) if axes.plain else (2, 4)
    bits: dict[tuple[int, int], int] = {}
    for x, y in dots(axes, series, top, axes.inner * across, rows * down):
        where = y // down, x // across
        bits[where] = bits.get(where, 0) | DOTS[x % across][y % down]
    return {
        where: series.mark if axes.plain else chr(BRAILLE + code) for where, code in bits.items()
    }


def dots(
    axes: Axes, series: Series, top: float, width: int, height: int
) -> Iterable[tuple[int, int]]:
    """Where the points of a series are among ``width`` x ``height`` dots."""
    finite = [(axes.x(time, width), value) for time, value in series.points if 0 <= value <= top]
    for (x, value), (following, _) in pairwise([*finite, (width, 0.0)]):
        for column in range(x, max(following, x + 1) if series.holds else x + 1):
            yield column, place(value, top, height)


def place(value: float, top: float, height: int) -> int:
    """The row of a value, from 0 for ``top`` to the last for 0."""
    return round((1 - value / top) * (height - 1))


def legend(axes: Axes, series: Iterable[Series]) -> Text:
    """The name of each series behind what it is drawn with."""
    sample = {True: "⠒⠒", False: "⠢⠔"}
    parts = [
        Text.assemble((s.mark if axes.plain else sample[s.holds], s.style), (f" {s.name}", "label"))
        for s in series
    ]
    return Text("  ").join(parts)


def rule(axes: Axes, label: str) -> Text:
    """The left edge of a line, with its label if a tick is here."""
    stroke = ("+" if label else "|") if axes.plain else ("┤" if label else "│")
    return Text.assemble((label.rjust(axes.gutter), "label"), (stroke, "frame"))


def time_axis(axes: Axes, begin: str, end: str) -> list[Text]:
    """The lower edge, and when it begins and ends."""
    corner, dash = "+-" if axes.plain else "╰─"
    pad, gap = " " * axes.gutter, axes.inner - len(begin) - len(end)
    edge = Text.assemble(pad, (corner + dash * axes.inner, "frame"))
    return [edge, Text(f"{pad} {begin}{' ' * gap}{end}" if gap > 0 else f"{pad} {end}", "label")]
