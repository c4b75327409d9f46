"""Answers and cycles that draw themselves: on any console of Rich, and in a notebook.

The drawings are those of the live view. Nothing here knows a puzzle or torch.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.text import Text

from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.puzzles.written import last_cycle, paint
from trmsolve.show.console import make_console, theme
from trmsolve.show.displays import cycle_of, outcome
from trmsolve.show.frame import draw, is_plain, stack
from trmsolve.show.svg import svg_of

COLUMNS, LINES = 160, 100
"""The terminal that a picture shows: large enough for the largest maze in most detail."""

Drawn = Answer | Cycle


@dataclass(frozen=True)
class Picture:
    """The drawing of a value in the styles of this program, whatever theme the console has."""

    drawn: Drawn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """The segments of the drawing, made at once: the theme holds only while they are made."""
        with console.use_theme(theme()):
            return list(console.render(drawing(console, self.drawn), options))


def picture(drawn: Drawn) -> Picture:
    """The value as something that Rich can print."""
    return Picture(drawn)


def html_of(drawn: Drawn) -> str:
    """The drawing as an SVG picture inside HTML, without scripts, fonts or files of its own."""
    console = picture_console()
    return svg_of(console, drawing(console, drawn), repr(drawn))


def drawing(console: Console, drawn: Drawn) -> RenderableType:
    """The frame of a cycle with its figures, or the grid of an answer with its outcome."""
    if isinstance(drawn, Cycle):
        return draw(console, drawn, paint)
    if not drawn.history:
        return Group(_grid(console, last_cycle(drawn)), outcome(console, drawn))
    frame = draw(console, cycle_of(drawn, drawn.history), paint)
    return Group(frame, outcome(console, drawn, last=drawn.history[-1]))


def _grid(console: Console, cycle: Cycle) -> Text:
    """The grid of a cycle without its figures."""
    return stack(Text.assemble(*line) for line in paint(cycle, is_plain(console)))


def picture_console() -> Console:
    """A console of its own for pictures, with all colours, whatever the terminal is."""
    return make_console(
        io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        width=COLUMNS,
        height=LINES,
        legacy_windows=False,
        _environ={},
    )
