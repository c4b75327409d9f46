"""One cycle as a person sees it: the grid with its figures, in whatever form the terminal holds whole.

Knows Rich and the width there is, and makes the pieces of text that the views share. Knows no
puzzle and no torch: ``paint`` brings the drawing, its pieces bring the names of their styles, and
the figures beside it are read from the cycle, never worked out here. Does not know what moves and
what stays on the screen: that is ``render``.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from trmsolve.puzzles.values import Cycle, Line
from trmsolve.wording import encodable, printable_line

Paint = Callable[[Cycle, bool], list[Line]]
"""Draws the grid of a cycle; asked for ``plain``, in ASCII that reads without colour. "frame" marks what may go."""

BAR_WIDTH = 8
UNLIMITED = 10_000


class Fact(NamedTuple):
    """A figure beside the grid; ``share`` of 1 where a bar says more than a number."""

    label: str
    value: Text
    share: float | None = None


def cycle_facts(cycle: Cycle, lines: list[Line], plain: bool) -> list[Fact]:
    """What a cycle has to say; each count has the style or the mark of its cells, and so explains the drawing."""
    drawn = [(text.rstrip(), style) for line in lines for text, style in line]
    marks = {style: f" {text[-1]}" for text, style in drawn if plain and text}
    kinds = [
        kind for _, style in drawn for kind in style.split(" on ")
    ]  # a piece with two cells names both
    overwritten = kinds.count("overwritten")

    def counted(label: str, number: int, style: str) -> Fact:
        look = (
            style if number and not plain else ""
        )  # a piece, not the whole text: a table fills its cell with that
        return Fact(label, Text.assemble((f"{number}{marks.get(style, '')}", look)))

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
    return facts + ([counted("clues changed", overwritten, "overwritten")] if overwritten else [])


def _candidates(cycle: Cycle, plain: bool) -> list[Fact]:
    """How many are open in cells that still have several: none, when every cell is decided."""
    if cycle.candidates is None:
        return []
    left = cycle.candidates.sum(-1)
    number = int(left[left > 1].sum())
    return [
        Fact("candidates", Text.assemble((str(number), "open" if number and not plain else "")))
    ]


def _flood(cycle: Cycle, marks: dict[str, str] | None) -> list[Fact]:
    """How many cells the model knows a way from, and how many it marked; beside each a cell as it is drawn."""
    if cycle.arrows is None:
        return []

    def keyed(label: str, cells: NDArray[np.bool_], kind: str) -> Fact:
        key = [(" ", ""), ("▄", f"{kind} on floor")] if marks is None else [marks.get(kind, "")]
        return Fact(label, Text.assemble(str(int(cells.sum())), *key))

    return [
        keyed("reached", cycle.arrows > 0, "wave"),
        keyed("marked", cycle.grid != cycle.puzzle.grid, "path"),
    ]


def draw(
    console: Console,
    cycle: Cycle,
    paint: Paint,
    heading: str = "",
    height: int | None = None,
    beside: bool = True,
) -> RenderableType:
    """A frame that the terminal holds whole: figures beside the grid or under it, or no frames, or figures alone."""
    plain = is_plain(console)
    lines = paint(cycle, plain)
    facts = cycle_facts(cycle, lines, plain)
    title = [readable(console, heading, "heading")] if heading else []
    above = sum(
        -(-text.cell_len // columns(console)) for text in title
    )  # a long name takes several lines
    room = None if height is None else height - above
    values = max(
        5, len(f"{cycle.grid.size} ▄")
    )  # any count of cells with its key: then nothing jumps
    under = flow(
        [Text.assemble((f"{fact.label} ", "label"), fact.value) for fact in facts], columns(console)
    )
    for grid in (lines, _unframed(lines)):
        rows = [Text.assemble(*line) for line in grid]
        width = max((row.cell_len for row in rows), default=0)
        if width > columns(console) or (height is not None and len(rows) > height):
            continue  # too large whatever stands beside it: not worth laying out
        picture = stack(rows)
        for body in [side_by_side(picture, facts, plain, values)] * beside + [
            Group(picture, *under)
        ]:
            if fits(console, body, room):
                return Group(*title, body)
    return Group(*title, under[0])


def side_by_side(
    picture: Text, facts: Iterable[Fact], plain: bool, values: int = 5
) -> RenderableType:
    """A picture and its figures to the right, each share with its bar; ``values`` is the room kept for a value."""
    figures = Table.grid(padding=(0, 2, 0, 0))
    figures.add_column(
        min_width=13
    )  # room for the longest label and figure, so that nothing jumps when they come
    figures.add_column(min_width=values)
    for label, value, share in facts:
        figures.add_row(
            Text(label, "label"), value, "" if share is None else bar(share, BAR_WIDTH, plain)
        )
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column()
    table.add_column(vertical="middle")
    table.add_row(picture, figures)
    return table


def fits(console: Console, frame: RenderableType, height: int | None) -> bool:
    """Whether the terminal holds it whole, in so many lines if they are limited."""
    lines = console.render_lines(frame, console.options.update_width(UNLIMITED), pad=False)
    width = max(map(Segment.get_line_length, lines))
    return width <= columns(console) and (height is None or len(lines) <= height)


def _unframed(lines: list[Line]) -> list[Line]:
    """The drawing without its frames, for a terminal too small for them."""
    bare = [[piece for piece in line if piece[1] != "frame"] for line in lines]
    return [line for line in bare if line]


def is_plain(console: Console) -> bool:
    """Whether drawings must be ASCII that reads without colour: no UTF-8, no colours, or NO_COLOR."""
    return console.options.ascii_only or console.no_color or console.color_system is None


def columns(console: Console) -> int:
    """The columns there are: a file has no edge."""
    return console.width if console.is_terminal else UNLIMITED


def flow(facts: Iterable[Text], width: int) -> list[Text]:
    """Facts two columns apart, on to the next line where the width ends; none is broken, empty ones are skipped."""
    lines: list[Text] = []
    for fact in filter(None, facts):
        if lines and lines[-1].cell_len + 2 + fact.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], "  ", fact)
        else:
            lines.append(fact)
    return lines


def stack(lines: Iterable[Text]) -> Text:
    """One below the other."""
    return Text("\n").join(lines)


def bar(share: float, width: int, plain: bool) -> Text:
    """A rule of which a share is filled."""
    full, rest = "#-" if plain else "━─"
    filled = round(share * width)
    return Text.assemble((full * filled, "bar"), (rest * (width - filled), "frame"))


def readable(console: Console, text: str, style: str = "") -> Text:
    """A name or a message, which may come from a stranger's file, as text that the console can show."""
    shown = printable_line(text)
    return Text(encodable(shown, "ascii") if console.options.ascii_only else shown, style)
