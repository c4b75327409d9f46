"""Charts of curves, one below another with one axis: in the terminal, or as a picture.

What the values mean is known to the caller, who brings the labels. A picture shows the same drawing
as the terminal.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.text import Text

from trmsolve.files import write_atomically
from trmsolve.show.chart import Axes, Series, chart, x_axis
from trmsolve.show.frame import flow, is_plain, readable, stack
from trmsolve.show.pictures import picture_console
from trmsolve.show.raster import rasterise
from trmsolve.show.svg import svg_of

Points = Sequence[tuple[float, float]]
"""x and y of each point, x ascending."""

STYLES = tuple(f"curve {number}" for number in range(1, 7))
MARKS = "o+x*#@"
"""How curves differ with colours and without; further ones begin again with the first."""

WIDEST = 100
"""Columns of a figure, where there is room."""

NARROWEST = 30
"""Columns of a figure, where there is none: lines break then."""

TALLEST = 11
SMALLEST = 3
"""Rows of a chart. The numbers are odd, so that one half has a row of its own."""


@dataclass(frozen=True)
class Panel:
    """One chart of a figure."""

    title: str
    curves: Sequence[Points]
    """The points of each of the figure's names, none where there is nothing to draw."""
    label: Callable[[float], str]
    """Writes a value at the edge."""
    top: float | None = None
    """The value at the upper edge; None for the highest value."""

    def highest(self) -> float:
        """The value at the upper edge."""
        if self.top is not None:
            return self.top
        values = [y for _, y in chain.from_iterable(self.curves)]
        return max(filter(math.isfinite, values), default=0) or 1.0

    def ticks(self) -> dict[float, str]:
        """The labels of the upper edge, the middle and the lower edge."""
        top = self.highest()
        return {value: self.label(value) for value in (top, top / 2, 0)}


@dataclass(frozen=True)
class Figure:
    """Charts with the same curves, by one x."""

    title: str
    """A sentence on what is seen, for those who do not see it."""
    names: Sequence[str]
    """The names of the curves."""
    panels: Sequence[Panel]
    ticks: Mapping[float, str]
    """Labels of some x; the least and the greatest are the ends of the axis."""
    x_title: str


def draw(figure: Figure, console: Console, height: int | None = None) -> Text:
    """The figure as wide as the console, and about ``height`` lines high."""
    width = max(min(console.width, WIDEST), NARROWEST)
    plain = is_plain(console)
    labels: list[str] = []
    for panel in figure.panels:
        labels += panel.ticks().values()
    gutter = max(map(len, labels))
    axes = Axes(min(figure.ticks), max(figure.ticks), width, gutter, plain)
    lines = flow(_legend(figure.names, console), width)
    around = len(lines) + 3  # the axis with its labels
    rows = _rows(height, around, len(figure.panels))
    for panel in figure.panels:
        lines += _chart(panel, axes, rows)
    lines += x_axis(axes, figure.ticks, figure.x_title)
    return stack(lines)


def _rows(height: int | None, around: int, panels: int) -> int:
    """The rows of each chart."""
    if height is None:
        return TALLEST
    rows = (height - around) // panels - 1  # its title
    return max(SMALLEST, min(TALLEST, rows - (rows + 1) % 2))


def _legend(names: Sequence[str], console: Console) -> list[Text]:
    """A sample of each curve with its name, if there are several."""
    if len(names) == 1:
        return [readable(console, names[0], "label")]
    samples = []
    for number, name in enumerate(names):
        style, mark = _look(number)
        sample = Text(mark if is_plain(console) else "⠒⠒", style)
        samples.append(Text.assemble(sample, " ", readable(console, name, "label")))
    return samples


def _chart(panel: Panel, axes: Axes, rows: int) -> list[Text]:
    """The title of a chart and the chart below it."""
    series = []
    for number, points in enumerate(panel.curves):
        style, mark = _look(number)
        series.append(Series("", points, style, mark, joins=True))
    title = Text(" " * (axes.gutter + 1) + panel.title, "heading")
    return [title, *chart(axes, rows, series, panel.ticks())[1:]]


def _look(number: int) -> tuple[str, str]:
    """The style and the mark of a curve."""
    return STYLES[number % len(STYLES)], MARKS[number % len(MARKS)]


# Pictures


def save(figure: Figure, path: Path) -> None:
    """Write the figure to a file, by the ending of its name. Raises OSError naming it."""
    made = FORMATS[path.suffix.lower()](figure)
    write_atomically(path, made.encode() if isinstance(made, str) else made)


def as_svg(figure: Figure) -> str:
    """The figure as an SVG picture."""
    console = picture_console()
    return svg_of(console, draw(figure, console), figure.title)


def as_png(figure: Figure) -> bytes:
    """The figure as pixels."""
    from trmsolve.show.bitmap import png_of

    console = picture_console()
    return png_of(rasterise(console, draw(figure, console)))


def as_html(figure: Figure) -> str:
    """The figure on a page that loads nothing and runs no script."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>{escape(figure.title)}</title>\n{as_svg(figure)}</html>\n"
    )


FORMATS: Mapping[str, Callable[[Figure], str | bytes]] = {
    ".svg": as_svg,
    ".png": as_png,
    ".html": as_html,
}
"""What makes the content of a file, by the ending of its name."""
