"""The themed console, its styles, and a drawing that is redrawn at the bottom of a terminal."""

import atexit
import os
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Self, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.theme import Theme

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.registry import task_forms
from trmsolve.show.frame import readable
from trmsolve.signals import signals_held
from trmsolve.wording import count, printable

# Only named colours are used, and none near white or black: they follow the palette of the
# terminal, dark or light.
STYLES = {
    "given": "bold",
    "answer": "cyan",
    "unsure": "dim cyan",
    "open": "cyan",
    "changed": "bold magenta",
    "conflict": "reverse red",
    "overwritten": "bold underline reverse red",
    "blank": "dim",
    "border": "dim",
    "label": "dim",
    "heading": "bold",
    "bar": "cyan",
    "exact": "bold green",
    "cells": "cyan",
    "loss": "magenta",
    "curve 1": "cyan",
    "curve 2": "magenta",
    "curve 3": "green",
    "curve 4": "red",
    "curve 5": "blue",
    "curve 6": "bright_green",
    "note": "dim",
    "problem": "red",
    "solved": "bold green",
    "unverified": "bold red",
    "unreadable": "red",
}

# Where a character shows two cells, each colour fills half of it, so a colour may be too pale for
# text on a light background. A wall has the foreground colour of the terminal, not dimmed, since
# many terminals mix a dimmed colour with the background. Floor has the background colour. What must
# be seen has one of the six plain hues: in some palettes the bright ones are greys.
FILLS = {
    "floor": "default",
    "wall": "default",
    "wave": "blue",
    "front": "bright_blue",
    "unsure": "cyan",
    "likely": "green",
    "path": "yellow",
    "start": "green",
    "goal": "red",
    "changed": "magenta",
    "conflict": "red",
    "overwritten": "bright_red",
}


def _pairs(inks: dict[str, str], papers: dict[str, str]) -> dict[str, str]:
    """A style for each ink on each paper, under a name such as ``wall on floor``."""
    pairs = {}
    for ink, ink_colour in inks.items():
        for paper, paper_colour in papers.items():
            pairs[f"{ink} on {paper}"] = f"{ink_colour} on {paper_colour}"
    return pairs


PAIRS = _pairs(FILLS, FILLS)

# The colours of ARC are fixed: everyone refers to them by name, and orange, maroon and light blue
# are in no palette. Each carries its digit. A terminal with sixteen colours still shows ten
# different ones.
COLOURS = (
    "grey50 on grey15",
    "grey100 on dodger_blue3",
    "grey100 on red3",
    "grey0 on color(34)",
    "grey0 on gold1",
    "grey0 on grey66",
    "grey0 on magenta1",
    "grey0 on dark_orange",
    "grey0 on sky_blue1",
    "grey100 on color(89)",
)

DIGITS = {f"colour {value}": style for value, style in enumerate(COLOURS)}
GROUNDS = {name: style.split(" on ")[1] for name, style in DIGITS.items()}
COLOURED = DIGITS | _pairs(GROUNDS, GROUNDS | {"floor": "default"})

REDRAW_SECONDS = 0.1
"""Seconds between drawings of a progress line: an eye follows no more."""

MOST_PROBLEMS = 5
"""Errors of one source that are shown; the others are counted."""

ECHO = len("^C")
"""Columns kept free at the right: a terminal echoes Ctrl-C there, and a line must not wrap."""

ROWS_BELOW = 2
"""Rows kept free under a redrawn frame, for its outcome and the cursor, so that nothing scrolls."""


class _Console(Console):
    """A console that falls silent when its reader has gone; answers go on, on another stream."""

    def on_broken_pipe(self) -> None:
        """Write to nowhere from now on."""
        self.file = open(os.devnull, "w")  # noqa: PTH123, SIM115 (as long-lived as the stream it stands for)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render as Rich does, with all control characters escaped but Rich's own."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def _styles() -> dict[str, str]:
    """All styles by name: those that displays share, and those that puzzles bring."""
    styles = STYLES | PAIRS | COLOURED
    for task in task_forms():
        styles = {**task.styles, **styles}
    return styles


def theme() -> Theme:
    """All styles by name, for consoles that have none of them."""
    return Theme(_styles())


def make_console(stream: TextIO | None = None, **pinned: Any) -> Console:
    """Make the themed console, on standard error by default; ``pinned`` is passed on to Rich."""
    stream = stream or sys.stderr
    if not stream.isatty():
        # FORCE_COLOR asks for colours in a pipe, never for animation.
        pinned.setdefault("force_interactive", False)
    return _Console(file=stream, theme=theme(), highlight=False, **pinned)


class Screen(AbstractContextManager["Screen"]):
    """A drawing that is redrawn at the bottom of a terminal, and lines that stay above it.

    Closing it leaves the terminal as it was found.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live: Live | None = None

    def __enter__(self) -> Self:
        atexit.register(self.close)  # for an interrupt that comes on the way to ``__exit__``
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        atexit.unregister(self.close)

    def clear(self) -> None:
        """Remove the drawing before others write there; the next event draws it again."""
        with signals_held():
            live = self._live
            self._live = None
            if live:
                live.stop()

    def close(self) -> None:
        """Leave the terminal as it was found, also after an interrupt."""
        self.clear()

    def _keep(self) -> None:
        """Let the drawing stay when the screen is closed."""
        if self._live:
            self._live.transient = False

    def _move(self, drawing: RenderableType) -> None:
        """Draw in place of the previous drawing."""
        with signals_held():
            if self._live is None:
                self._live = Live(
                    console=self.console, auto_refresh=False, transient=True, redirect_stdout=False
                )
                self._live.start()
            self._live.update(drawing, refresh=True)

    def _print(self, drawing: RenderableType) -> None:
        """Print lines that stay. They were fitted to a terminal; a file gets them unbroken."""
        with signals_held():
            self.console.print(drawing, soft_wrap=not self.console.is_terminal)

    def _tell(self, text: str, style: str) -> None:
        """Print a message unwrapped, so that its ``file:line:column`` can be copied or clicked."""
        with signals_held():
            self.console.print(readable(self.console, text, style), soft_wrap=True)


class Watcher(Screen):
    """The base of all displays of puzzles and tasks: it reports what could not be read.

    Of each source the first few errors are shown, and at the end how many more there were.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._problems: Counter[str] = Counter()

    @property
    def wants_cycles(self) -> bool:
        """Whether it shows single cycles, so that it should be told of each."""
        return False

    @property
    def shows_grids(self) -> bool:
        """Whether it shows the answers themselves."""
        return False

    def problem(self, error: PuzzleError) -> None:
        """Report an item that could not be read, if not too many of its source were before."""
        self._problems[error.source] += 1
        if self._problems[error.source] <= MOST_PROBLEMS:
            self._tell(str(error), "unreadable")

    def close(self) -> None:
        """Leave the terminal as it was found, and count the errors that were not shown."""
        super().close()
        for source, number in self._problems.items():
            if number > MOST_PROBLEMS:
                more = count(number - MOST_PROBLEMS, "more error")
                self._tell(f"{source}: {more}" if source else more, "unreadable")
        self._problems.clear()
