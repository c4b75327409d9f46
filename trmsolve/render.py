"""What a person watches on the terminal: the grid cycle by cycle, the outcome of a puzzle, the progress of many.

A command chooses one view, tells it of every cycle, answer and unreadable item, and closes it; all of it goes to
standard error, since standard output belongs to the answers. Knows Rich and the values that pass between rooms, and
what moves and what stays on the screen. Knows no puzzle and no torch; how one cycle is drawn is ``frame``'s.
"""

import atexit
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Self, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.text import Text
from rich.theme import Theme

from trmsolve.errors import PuzzleError
from trmsolve.frame import BAR_WIDTH, Paint, bar, columns, draw, flow, is_plain, readable, stack
from trmsolve.puzzles.base import Answer, Cycle
from trmsolve.signals import signals_held
from trmsolve.wording import printable

# Named colours only, and no near-white or near-black: they follow the terminal's own palette, dark or light.
STYLES = {
    "given": "bold",
    "answer": "cyan",
    "unsure": "dim cyan",
    "open": "cyan",
    "changed": "bold magenta",
    "conflict": "reverse red",
    "overwritten": "bold underline reverse red",
    "floor": "none",
    "wall": "dim",
    "wave": "bright_blue",
    "path": "bold cyan",
    "start": "bold green",
    "goal": "bold",
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
# Two cells in one character are two colours, each filling half of it: so also one that is too pale for text on light
# ground. A wall is the terminal's own ink, not dimmed, as many terminals mix that with the paper; bare floor is its own
# ground. What must be seen has one of the six plain hues: in some palettes the bright ones are greys.
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
# The colours of ARC are a code that everyone writes and speaks of, and orange, maroon and light blue are in no
# palette: so these are fixed, each with the digit on it, and still ten different ones where there are but sixteen.
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
GROUNDS = {f"colour {value}": style.split(" on ")[1] for value, style in enumerate(COLOURS)} | {"floor": "default"}
COLOURED |= {f"{ink} on {paper}": f"{GROUNDS[ink]} on {GROUNDS[paper]}" for ink in COLOURED for paper in GROUNDS}
REDRAW_SECONDS = 0.1  # a progress line need not move faster than an eye
ROWS_BELOW = 2  # kept free under a moving frame, for its outcome and the cursor: then the terminal never scrolls


class _Console(Console):
    """Falls silent when its reader has gone: the answers, on another stream, go on."""

    def on_broken_pipe(self) -> None:
        self.file = open(os.devnull, "w")  # noqa: PTH123, SIM115 (as long-lived as the stream it stands for)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich does, but no text holds a character that a terminal would obey: only Rich's own control codes are."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def make_console(stream: TextIO | None = None, **pinned: Any) -> Console:
    """The themed console, on standard error unless told otherwise; ``pinned`` goes to Rich as it is."""
    stream = stream or sys.stderr
    if not stream.isatty():
        pinned.setdefault("force_interactive", False)  # FORCE_COLOR asks a pipe for colours, never for animation
    return _Console(file=stream, theme=Theme(STYLES | PAIRS | COLOURED), highlight=False, **pinned)


class Screen(AbstractContextManager["Screen"]):
    """One drawing that moves at the bottom of a terminal, and what stays above it. Left as it was found when closed."""

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
                self._live = Live(console=self.console, auto_refresh=False, transient=True, redirect_stdout=False)
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


class StatusLine(Screen):
    """One line that says how far some work has come; it is gone when the work is done, and silent in a file."""

    def status(self, text: str) -> None:
        """Replace the line."""
        if self.console.is_interactive:
            self._move(readable(self.console, text, "note"))


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


class View(Watcher):
    """Shows nothing but what could not be read: the quiet view, and what the others have in common."""

    def cycle(self, cycle: Cycle) -> None:
        """The model improved a puzzle once more."""

    def answer(self, answer: Answer) -> None:
        """A puzzle is done."""

    def note(self, text: str) -> None:
        """There is something to know of how the input was read."""


class QuietView(View):
    """``--quiet``: errors only."""


class StepsView(View):
    """``--show-steps``: every cycle one below the other, each with its figures; a file gets the same without escapes.

    ``headings`` names the source of each puzzle, for when there are several.
    """

    def __init__(self, console: Console, paint: Paint, headings: bool = False) -> None:
        super().__init__(console)
        self.paint, self.headings = paint, headings

    @property
    def wants_cycles(self) -> bool:
        return True

    @property
    def shows_grids(self) -> bool:
        return self.wants_cycles

    def cycle(self, cycle: Cycle) -> None:
        self._print(draw(self.console, cycle, self.paint, self._heading(cycle), beside=False))
        self.console.line()

    def answer(self, answer: Answer) -> None:
        self._print(outcome(self.console, answer, self._heading(answer)))

    def note(self, text: str) -> None:
        self._tell(text, "note")

    def _heading(self, of: Cycle | Answer) -> str:
        return of.puzzle.source if self.headings else ""


class LiveView(StepsView):
    """For a few puzzles: the grid redrawn in place at every cycle, then its last frame and one line that stay.

    Where nothing can be redrawn (a pipe, a dumb terminal) that line is all. Cycles of several puzzles may come mixed:
    one puzzle at a time is followed.
    """

    def __init__(self, console: Console, paint: Paint, headings: bool = False) -> None:
        super().__init__(console, paint, headings)
        self._seen: dict[int, dict[int, Cycle]] = {}  # by puzzle, by view: the last cycle of each
        self._followed: int | None = None

    @property
    def wants_cycles(self) -> bool:
        return self.console.is_interactive

    def cycle(self, cycle: Cycle) -> None:
        if not self.console.is_interactive:
            return
        key = id(cycle.puzzle)
        self._seen.setdefault(key, {})[cycle.view] = cycle
        self._followed = self._followed or key
        if self._followed == key:
            self._move(draw(self.console, cycle, self.paint, self._heading(cycle), self.console.height - ROWS_BELOW))

    def answer(self, answer: Answer) -> None:
        self.clear()
        key = id(answer.puzzle)
        self._followed = None if self._followed == key else self._followed
        cycles = list(self._seen.pop(key, {}).values())
        if cycles:
            # The frame that stays is the one the answer came from, whichever view was drawn last.
            last = next((c for c in reversed(cycles) if (c.grid == answer.grid).all()), cycles[-1])
            self._print(draw(self.console, last, self.paint, self._heading(last)))
        self._print(outcome(self.console, answer, "" if cycles else self._heading(answer)))

    def close(self) -> None:
        self._keep()  # an interrupt leaves the frame where the model was
        super().close()


class ProgressView(View):
    """For many puzzles: one moving line of counts, problems above it at once, and a summary at the end.

    ``total`` is None when puzzles stream in. The line moves with the model's cycles and not with a timer: it stands
    still only when the work does.
    """

    def __init__(self, console: Console, total: int | None, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(console)
        self.total, self.clock, self.begun = total, clock, clock()
        self.counts: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self._drawn, self._turns, self._closed = float("-inf"), 0, False

    @property
    def wants_cycles(self) -> bool:
        return self.console.is_interactive

    def cycle(self, cycle: Cycle) -> None:
        self._advance()

    def answer(self, answer: Answer) -> None:
        self.counts.update(("done", "solved" if answer.verified else "unverified"))
        self.counts["views"] += answer.views
        if answer.remark:
            self.remarks[answer.remark] += 1
        self._advance()

    def note(self, text: str) -> None:
        self._tell(text, "note")

    def problem(self, error: PuzzleError) -> None:
        super().problem(error)
        self.counts["unreadable"] += 1
        self._advance()

    def clear(self) -> None:
        super().clear()
        self._drawn = float("-inf")

    def close(self) -> None:
        super().close()
        if not self._closed:
            self._print(stack(flow(self._summary(), columns(self.console))))
        self._closed = True

    def _advance(self) -> None:
        if self.console.is_interactive and self.clock() - self._drawn >= REDRAW_SECONDS:
            self._turns += 1
            self._move(self._line())
            self._drawn = self.clock()

    def _line(self) -> Text:
        """One line, whatever the width: the last figures give way first, the bar takes what is left."""
        read, plain = self.counts["done"] + self.counts["unreadable"], is_plain(self.console)
        facts = [Text(count(read, "puzzle") if self.total is None else f"{read}/{self.total}"), *self._tally()]
        if self.total is None:
            marks = "|/-\\" if plain else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
            facts.insert(0, Text(marks[self._turns % len(marks)], "bar"))
        line = flow([*facts, self._rate()], self.console.width)[0]
        room = min(self.console.width - line.cell_len - 2, 30)
        if self.total and room >= BAR_WIDTH:
            return Text.assemble(bar(min(read / self.total, 1), room, plain), "  ", line)
        return line

    def _tally(self) -> list[Text]:
        names = [name for name in ("solved", "unverified", "unreadable") if self.counts[name] or name != "unreadable"]
        return [Text(f"{self.counts[name]} {name}", name if self.counts[name] else "") for name in names]

    def _rate(self) -> Text:
        elapsed = self.clock() - self.begun
        return Text(f"{self.counts['done'] / elapsed if elapsed else 0:.1f} puzzles/s")

    def _summary(self) -> list[Text]:
        done = self.counts["done"]
        views = [Text(f"{self.counts['views'] / done:.1f} views on average")] if done else []
        took = Text(seconds(self.clock() - self.begun))
        remarks = [Text(f"{number} where {remark}") for remark, number in sorted(self.remarks.items())]
        return [Text(count(done, "puzzle")), *self._tally(), *remarks, *views, took, self._rate()]


def outcome(console: Console, answer: Answer, source: str = "") -> Text:
    """``solved  6 cycles  1 view  0.41 s``, or ``unverified ...`` with the rule that failed."""
    verdict = "solved" if answer.verified else "unverified"
    facts = [Text(verdict, verdict)]
    if answer.views:  # else it was never tried
        facts += [Text(count(answer.cycles, "cycle")), Text(count(answer.views, "view")), Text(seconds(answer.seconds))]
    facts.append(readable(console, answer.reason))
    facts.append(readable(console, answer.remark))
    return stack(flow([readable(console, source, "heading"), *facts], columns(console)))


def count(number: int, noun: str) -> str:
    """``1 cycle``, ``2 cycles``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def seconds(value: float) -> str:
    """Two decimals while they mean something."""
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
