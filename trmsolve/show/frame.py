"""Draws one cycle: the grid with its figures, in a form that fits the terminal.

It also makes the pieces of text that the displays share. Nothing here knows a puzzle or torch:
``paint`` brings the drawing, whose pieces name their styles, and the figures beside it are read
from the cycle. What is redrawn and what stays on the screen is decided by ``displays``.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from trmsolve.puzzles.values import Cycle, Line
from trmsolve.wording import encodable, printable_line

PaintGrid = Callable[[Cycle, bool], list[Line]]
"""Draws the grid of a cycle; if ``plain`` is true, in ASCII that reads without colour.

Pieces in the style "border" may be left out where space is short.
"""

PaintOther = Callable[[Cycle], list[Line] | None]
"""Draws the grid of a cycle in another size; None if there is no such drawing."""


class OtherSizes(NamedTuple):
    """Drawings for terminals with more room than the usual one needs, and with less."""

    larger: PaintOther | None = None
    smaller: PaintOther | None = None


ONE_SIZE = OtherSizes()
"""There is only the usual drawing."""

BAR_WIDTH = 8  # columns
WIDEST_BAR = 30  # columns of a bar before a line
UNLIMITED = 10_000  # columns of a file, which has no edge
LONGEST_LABEL = 13  # columns; kept free for it, so that nothing jumps when it comes


class Layout(NamedTuple):
    """How a frame is to be drawn."""

    heading: str = ""  # above the grid
    height: int | None = None  # rows that there are; None: as many as needed
    beside: bool = True  # whether figures may stand beside the grid and not only under it
    others: OtherSizes = ONE_SIZE  # larger and smaller drawings, taken where they fit
    key: tuple[Text, ...] = ()  # what the drawing means, in one line under it where there is room


DEFAULT = Layout()


class Fact(NamedTuple):
    """A figure beside the grid."""

    label: str
    value: Text
    share: float | None = None  # from 0 to 1, where a bar says more than a number


def cycle_facts(cycle: Cycle, lines: list[Line], plain: bool) -> list[Fact]:
    """List the figures of a cycle; a count has the style or the mark of its cells in ``lines``."""
    drawn = [(text.rstrip(), style) for text, style in chain.from_iterable(lines)]
    marks: dict[str, str] = {}
    if plain:
        marks = {style: f" {text[-1]}" for text, style in drawn if text}
    overwritten = 0
    for _, style in drawn:
        overwritten += style.split(" on ").count("overwritten")  # a piece with two cells names both

    def counted(label: str, number: int, style: str) -> Fact:
        # The style is that of a piece: one of the whole text would fill its cell of the table.
        look = style if number and not plain else ""
        mark = marks.get(style, "")
        return Fact(label, Text.assemble((f"{number}{mark}", look)))

    facts = [
        Fact("cycle", Text(f"{cycle.number}/{cycle.limit}"), cycle.number / cycle.limit),
        Fact("view", Text(f"{cycle.view}/{cycle.views}")),
        *_candidates(cycle, plain),
        *_flood(cycle, marks if plain else None),
        counted("changed", int(cycle.changed.sum()), "changed"),
        counted("broken rules", cycle.violations, "conflict"),
        Fact("confidence", Text(f"{cycle.mean_confidence:.0%}"), cycle.mean_confidence),
        Fact("halt", Text(f"{cycle.halt:.0%}"), cycle.halt),
    ]
    if overwritten:
        facts.append(counted("clues changed", overwritten, "overwritten"))
    return facts


def _candidates(cycle: Cycle, plain: bool) -> list[Fact]:
    """The number of candidates in cells that have several: 0 when every cell is decided."""
    if cycle.candidates is None:
        return []
    left = cycle.candidates.sum(-1)
    number = int(left[left > 1].sum())
    style = "open" if number and not plain else ""
    return [Fact("candidates", Text.assemble((str(number), style)))]


def _flood(cycle: Cycle, marks: dict[str, str] | None) -> list[Fact]:
    """The number of cells that the model knows a way from, and of those that it marked.

    Each has a cell beside it as it is drawn, or its mark in ASCII.
    """
    if cycle.arrows is None:
        return []

    def keyed(label: str, cells: NDArray[np.bool_], kind: str) -> Fact:
        number = str(int(cells.sum()))
        if marks is None:
            return Fact(label, Text.assemble(number, (" ", ""), ("▄", f"{kind} on floor")))
        return Fact(label, Text.assemble(number, marks.get(kind, "")))

    return [
        keyed("reached", cycle.arrows > 0, "wave"),
        keyed("marked", cycle.grid != cycle.puzzle.grid, "path"),
    ]


def draw(
    console: Console, cycle: Cycle, paint: PaintGrid, layout: Layout = DEFAULT
) -> RenderableType:
    """Draw a frame that fits the terminal.

    The first of these that fits, each with figures beside it or else under it: the grid in large,
    the grid, the grid without its border, the grid in small. Else it is a line of figures alone.
    """
    plain = is_plain(console)
    width = columns(console)
    lines = paint(cycle, plain)
    facts = cycle_facts(cycle, lines, plain)
    title = [readable(console, layout.heading, "heading")] if layout.heading else []
    rows_left = layout.height
    if rows_left is not None:
        rows_left -= sum(-(-text.cell_len // width) for text in title)  # a long name wraps
    # Any count of cells with its key fits in these columns, so that nothing jumps.
    values = max(5, len(f"{cycle.grid.size} ▄"))
    under = flow([Text.assemble((f"{fact.label} ", "label"), fact.value) for fact in facts], width)
    grids = [lines, _without_border(lines)]
    large = large_drawing(console, cycle, layout)
    if large is not None:
        grids.insert(0, large)
    if layout.others.smaller is not None and not plain:
        grids.append(layout.others.smaller(cycle) or lines)
    for grid in grids:
        rows = [Text.assemble(*line) for line in grid]
        too_wide = max((row.cell_len for row in rows), default=0) > width
        too_high = layout.height is not None and len(rows) > layout.height
        if too_wide or too_high:
            continue  # whatever stands beside it: not worth laying out
        picture = stack(rows)
        bodies: list[RenderableType] = [Group(picture, *under)]
        if layout.beside:
            bodies.insert(0, side_by_side(picture, facts, plain, values))
        for body in bodies:
            if fits(console, body, rows_left):
                return Group(*title, with_key(console, body, layout.key, rows_left))
    return Group(*title, under[0])


def with_key(
    console: Console, frame: RenderableType, key: tuple[Text, ...], height: int | None
) -> RenderableType:
    """The frame with as much of the key as one line under it holds; none where there is no room."""
    whole = Group(frame, *flow(key, columns(console))[:1])
    return whole if fits(console, whole, height) else frame


def side_by_side(
    picture: Text, facts: Iterable[Fact], plain: bool, values: int = 5
) -> RenderableType:
    """Put figures to the right of a picture; ``values`` is the columns kept for a value."""
    figures = Table.grid(padding=(0, 2, 0, 0))
    figures.add_column(min_width=LONGEST_LABEL)
    figures.add_column(min_width=values)
    for label, value, share in facts:
        drawn = "" if share is None else bar(share, BAR_WIDTH, plain)
        figures.add_row(Text(label, "label"), value, drawn)
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column()
    table.add_column(vertical="middle")
    table.add_row(picture, figures)
    return table


def fits(console: Console, frame: RenderableType, height: int | None) -> bool:
    """Whether a frame fits the width of the terminal, and ``height`` rows unless that is None."""
    unlimited = console.options.update_width(UNLIMITED)
    lines = console.render_lines(frame, unlimited, pad=False)
    width = max(Segment.get_line_length(line) for line in lines)
    if width > columns(console):
        return False
    return height is None or len(lines) <= height


def has_room(console: Console, cycle: Cycle, paint: PaintGrid) -> bool:
    """Whether the terminal is wide enough for the narrowest drawing of the grid."""
    lines = _without_border(paint(cycle, is_plain(console)))
    widths = [Text.assemble(*line).cell_len for line in lines]
    return max(widths, default=0) <= columns(console)


def large_drawing(console: Console, cycle: Cycle, layout: Layout) -> list[Line] | None:
    """The grid in large; None if there is no such drawing, or no room for it."""
    larger = layout.others.larger
    if larger is None or layout.height is None or is_plain(console):
        return None
    lines = larger(cycle)
    if lines is None or len(lines) > layout.height:
        return None
    width = max(Text.assemble(*line).cell_len for line in lines)
    return lines if width <= columns(console) else None


def _without_border(lines: list[Line]) -> list[Line]:
    """The drawing without its border, for a small terminal."""
    bare = [[piece for piece in line if piece[1] != "border"] for line in lines]
    return [line for line in bare if line]


def is_plain(console: Console) -> bool:
    """Whether drawings must be in ASCII that reads without colour: no UTF-8, or no colours."""
    return console.options.ascii_only or console.no_color or console.color_system is None


def columns(console: Console) -> int:
    """The columns of the console; a file has no edge."""
    return console.width if console.is_terminal else UNLIMITED


def flow(facts: Iterable[Text], width: int) -> list[Text]:
    """Set facts two columns apart in lines of a width, without breaking one; skip empty ones."""
    lines: list[Text] = []
    for fact in filter(None, facts):
        if lines and lines[-1].cell_len + 2 + fact.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], "  ", fact)
        else:
            lines.append(fact)
    return lines


def stack(lines: Iterable[Text]) -> Text:
    """Put texts one below the other."""
    return Text("\n").join(lines)


def bar(share: float, width: int, plain: bool) -> Text:
    """A bar of so many columns, filled to a share from 0 to 1."""
    full, empty = "#-" if plain else "━─"
    filled = round(share * width)
    return Text.assemble((full * filled, "bar"), (empty * (width - filled), "border"))


def with_bar(console: Console, share: float, line: Text, spare: int = 0) -> Text:
    """A line behind a bar that takes the columns that are left, but for so many spare ones.

    Where they are too few there is no bar.
    """
    width = min(console.width - spare - line.cell_len - 2, WIDEST_BAR)
    if width < BAR_WIDTH:
        return line
    return Text.assemble(bar(min(share, 1.0), width, is_plain(console)), "  ", line)


def headline(console: Console, text: str, spare: int = 0) -> Text:
    """A single line, cut so many columns before the terminal ends."""
    line = Text(text, "note")
    line.truncate(console.width - spare)
    return line


def readable(console: Console, text: str, style: str = "") -> Text:
    """Make text of a stranger, such as a file name, safe to show on the console."""
    shown = printable_line(text)
    return Text(encodable(shown, "ascii") if console.options.ascii_only else shown, style)
