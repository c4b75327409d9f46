"""The themed console, its styles, and one drawing that moves at the bottom of a terminal."""

import atexit
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Self, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.theme import Theme

from trmsolve.errors import PuzzleError
from trmsolve.puzzles import task_forms
from trmsolve.show.frame import readable
from trmsolve.show.signals import signals_held
from trmsolve.wording import printable

# Named colours only, and no near-white or near-black: they follow the terminal's own palette, dark
# or light.
STYLES = {
    "given": "bold",
    "answer": "cyan",
    "unsure": "dim cyan",
    "open": "cyan",
    "changed": "bold magenta",
    "conflict": "reverse red",
    "overwritten": "bold underline reverse red",
    "blank": "dim",
    "frame": "dim",
    "label": "dim",
    "heading": "bold",
    "bar": "cyan",
    "exact": "bold green",
    "cells": "cyan",
    "loss": "magenta",
    "note": "dim",
    "problem": "red",
    "solved": "bold green",
    "unverified": "bold red",
    "unreadable": "red",
}


# Two cells in one character are two colours, each filling half of it: so also one that is too pale
# for text on light ground. A wall is the terminal's own ink, not dimmed, as many terminals mix that
# with the paper; bare floor is its own ground. What must be seen has one of the six plain hues: in
# some palettes the bright ones are greys.
FILLS = {
    "floor": "default",
    "wall": "default",
    "wave": "blue",
    "front": "bright_blue",
    "unsure": "cyan",
    "likely": "green",
    "path": "yellow",
    "start": "green",
    "goal": "yellow",
    "changed": "magenta",
    "conflict": "red",
    "overwritten": "bright_red",
}


PAIRS = {f"{ink} on {paper}": f"{FILLS[ink]} on {FILLS[paper]}" for ink in FILLS for paper in FILLS}


# The colours of ARC are a code that everyone writes and speaks of, and orange, maroon and light
# blue are in no palette: so these are fixed, each with the digit on it, and still ten different
# ones where there are but sixteen.
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


COLOURED = {f"colour {value}": style for value, style in enumerate(COLOURS)}


GROUNDS = {f"colour {value}": style.split(" on ")[1] for value, style in enumerate(COLOURS)} | {
    "floor": "default"
}


COLOURED |= {
    f"{ink} on {paper}": f"{GROUNDS[ink]} on {GROUNDS[paper]}"
    for ink in COLOURED
    for paper in GROUNDS
}


REDRAW_SECONDS = 0.1  # a progress line need not move faster than an eye


ROWS_BELOW = 2  # kept free under a moving frame, for its outcome and the cursor: then the terminal never scrolls


class _Console(Console):
    """Falls silent when its reader has gone: the answers, on another stream, go on."""

    def on_broken_pipe(self) -> None:
        self.file = open(os.devnull, "w")  # noqa: PTH123, SIM115 (as long-lived as the stream it stands for)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As Rich does, but no text holds a character that a terminal would obey: only Rich's own control codes are."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def _styles() -> dict[str, str]:
    """All styles by name: those that views share, and those that puzzles bring."""
    styles = STYLES | PAIRS | COLOURED
    for task in task_forms():
        styles = {**task.styles, **styles}
    return styles


def make_console(stream: TextIO | None = None, **pinned: Any) -> Console:
    """The themed console, on standard error unless told otherwise; ``pinned`` goes to Rich as it is."""
    stream = stream or sys.stderr
    if not stream.isatty():
        pinned.setdefault(
            "force_interactive", False
        )  # FORCE_COLOR asks a pipe for colours, never for animation
    return _Console(file=stream, theme=Theme(_styles()), highlight=False, **pinned)


class Screen(AbstractContextManager["Screen"]):
    """One drawing that moves at the bottom of a terminal, and what stays above it.

    Left as it was found when closed.
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
        """Take the moving part off the screen before others write there; the next event draws it again."""
        with signals_held():
            live, self._live = self._live, None
            if live:
                live.stop()

    def close(self) -> None:
        """Leave the terminal as it was found, also after an interrupt."""
        self.clear()

    def _keep(self) -> None:
        """What moves is to stay where it is when the screen is closed."""
        if self._live:
            self._live.transient = False

    def _move(self, drawing: RenderableType) -> None:
        """Draw in place of what moved before."""
        with signals_held():
            if self._live is None:
                self._live = Live(
                    console=self.console, auto_refresh=False, transient=True, redirect_stdout=False
                )
                self._live.start()
            self._live.update(drawing, refresh=True)

    def _print(self, drawing: RenderableType) -> None:
        """What stays. It was fitted to a terminal; a file gets its lines unbroken."""
        with signals_held():
            self.console.print(drawing, soft_wrap=not self.console.is_terminal)

    def _tell(self, text: str, style: str) -> None:
        """A message. Never wrapped, so that its ``file:line:column`` can be copied or clicked."""
        with signals_held():
            self.console.print(readable(self.console, text, style), soft_wrap=True)


class Watcher(Screen):
    """What all views have in common, whatever it is that they are told of: they say what could not be read."""

    @property
    def wants_cycles(self) -> bool:
        """Whether there is a use in telling it of every cycle."""
        return False

    @property
    def shows_grids(self) -> bool:
        """Whether the person sees the answers themselves here."""
        return False

    def problem(self, error: PuzzleError) -> None:
        """An item could not be read."""
        self._tell(str(error), "unreadable")
