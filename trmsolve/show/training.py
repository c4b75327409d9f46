"""Displays of training: the figures of a run beside a chart of their course.

The training command chooses one display, tells it of every ``Progress`` and every message, and
closes it. All of it goes to standard error. On a terminal a panel is redrawn in place at every
report and not by a timer; anywhere else a report is one line. A message may come from another
thread than the reports. ``chart`` turns points into a picture. Nothing here knows torch, a puzzle,
or how a network is trained.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from trmsolve.show.chart import Axes, Series, chart, time_axis
from trmsolve.show.console import ECHO, REDRAW_SECONDS, ROWS_BELOW, Screen
from trmsolve.show.frame import Fact, fits, flow, headline, is_plain, side_by_side, stack
from trmsolve.train.schedule import Progress
from trmsolve.wording import duration

SIZES = ((9, 1, 5), (7, 0, 3), (5, 0, 3), (7, 0, 0), (5, 0, 0))
"""Rows of the chart of accuracy, of the space below it, and of the chart of loss; best first.

The numbers are odd, so that one half has a row of its own.
"""

COUNT_SECONDS = 5.0
"""Seconds between the lines that count something, where nothing can be redrawn."""

WIDEST = 100  # columns of a chart
NARROWEST = 24  # columns of a chart

VALUES = len("10 h 05 min")
"""Columns of the longest figure, kept free so that the chart keeps its width."""


def make_training_display(
    console: Console, quiet: bool = False, past: Iterable[Progress] = ()
) -> "TrainingDisplay":
    """Make the display that suits: quiet, a live panel, or lines where nothing can be redrawn.

    ``past`` is what a resumed run has reported before, so that the chart begins where the run did.
    """
    if quiet:
        return TrainingDisplay(console)
    return (
        PanelTrainingDisplay(console, past)
        if console.is_interactive
        else LinesTrainingDisplay(console)
    )


class TrainingDisplay(Screen):
    """The base of the displays of training; by itself it shows problems only, for ``--quiet``."""

    def progress(self, progress: Progress) -> None:
        """Show where the run stands."""

    def making(self, made: int, of: int) -> None:
        """Show how many puzzles are made, before the first step."""
        self._count(made, of, f"generated {made}/{of} puzzles")

    def judging(self, judged: int, of: int) -> None:
        """Show how many held-out puzzles are judged; a report follows if judging is completed."""
        self._count(judged, of, f"evaluating {judged}/{of} held-out puzzles")

    def _count(self, done: int, of: int, text: str) -> None:
        """Show the count of something that takes long."""

    def note(self, text: str, problem: bool = False) -> None:
        """Show a message of one line, such as that a checkpoint is written."""
        if problem:
            self._tell(text, "problem")


class LinesTrainingDisplay(TrainingDisplay):
    """One line for every report and message: for pipes and dumb terminals."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self.clock = clock
        # When the present count was shown last, or when it began.
        self._shown: float | None = None

    def progress(self, progress: Progress) -> None:
        """Print the report as a line."""
        self._shown = None
        self._tell(report(progress), "")

    def _count(self, done: int, of: int, text: str) -> None:
        """Print the count from time to time, and not at all where it is over soon."""
        now = self.clock()
        if self._shown is None:
            self._shown = now
        elif now - self._shown >= COUNT_SECONDS:
            self._shown = now
            self._tell(text, "note")
        if done == of:
            self._shown = None

    def note(self, text: str, problem: bool = False) -> None:
        """Print the message."""
        self._tell(text, "problem" if problem else "note")


class PanelTrainingDisplay(LinesTrainingDisplay):
    """A panel that is redrawn at every report; messages stay above it, and it stays at the end."""

    def __init__(
        self,
        console: Console,
        past: Iterable[Progress] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(console, clock)
        self.history = list(past)

    def progress(self, progress: Progress) -> None:
        """Redraw the panel with the report."""
        if self.history and self.history[-1].step == progress.step:
            self.history.pop()  # the same step, now with its held-out figure
        self.history.append(progress)
        self._shown = None
        self._draw("")

    def _count(self, done: int, of: int, text: str) -> None:
        """Redraw the panel with the count, if it was not drawn just now."""
        now = self.clock()
        if self._shown is None or done == of or now - self._shown >= REDRAW_SECONDS:
            self._shown = now
            self._draw(text)

    def _draw(self, counted: str) -> None:
        """Redraw the panel; before the first report there is only the line with the count."""
        if self.history:
            height = self.console.height - ROWS_BELOW
            self._move(panel(self.console, self.history, height, counted))
        else:
            self._move(headline(self.console, counted, ECHO))

    def close(self) -> None:
        """Leave the panel as it is, also after an interrupt."""
        self._keep()
        super().close()


def report(progress: Progress) -> str:
    """A report as a line, with the held-out rate if it was measured at this step.

    For example: ``step 1200  12.3 min  loss 0.412  cells 87.3%  512 puzzle cycles/s``.
    """
    line = (
        f"step {progress.step}  {progress.seconds / 60:.1f} min  loss {progress.loss:.3f}  "
        f"cells {progress.token_accuracy:.1%}  {progress.examples_per_second:.0f} puzzle cycles/s"
    )
    if progress.held_out_exact is not None:
        line += f"  held-out exact {progress.held_out_exact:.1%}"
    return line


def panel(
    console: Console, history: Sequence[Progress], height: int, counted: str = ""
) -> RenderableType:
    """Draw the richest form that fits: charts with figures beside or under them, or figures alone.

    ``counted`` is a line above it, such as how many puzzles are judged.
    """
    if counted and height > 1:
        return Group(headline(console, counted, ECHO), panel(console, history, height - 1))
    plain = is_plain(console)
    whole = console.width - ECHO
    groups = run_facts(history, plain)
    close = _joined(groups)
    spaced = _joined(groups, Fact("", Text()))
    texts = [Text.assemble((f"{fact.label} ", "label"), fact.value) for fact in close]
    under = flow([text for text in texts if text.cell_len <= whole], whole)
    figures = console.measure(side_by_side(Text(), close, plain, VALUES)).maximum
    width = min(whole - figures, WIDEST)
    for rows in SIZES:
        if width >= NARROWEST:
            picture = charts(history, width, rows, plain)
            for facts in (spaced, close):
                frame = side_by_side(picture, facts, plain, VALUES)
                if fits(console, frame, height):
                    return frame
        if whole >= NARROWEST:
            stacked = Group(charts(history, min(whole, WIDEST), rows, plain), *under)
            if fits(console, stacked, height):
                return stacked
    return Group(*under[: max(height, 1)])


def _joined(groups: list[list[Fact]], *between: Fact) -> list[Fact]:
    """The facts of all groups in one list, with others between two groups."""
    facts = list(groups[0])
    for group in groups[1:]:
        facts += [*between, *group]
    return facts


def charts(
    history: Sequence[Progress], width: int, rows: tuple[int, int, int], plain: bool
) -> Text:
    """Draw accuracy over time and below it the loss; ``rows`` is an entry of ``SIZES``."""
    accuracy_rows, space, loss_rows = rows
    cells = Series("cells", [(p.seconds, p.token_accuracy) for p in history], "cells", ".")
    measured = [(p.seconds, p.held_out_exact) for p in history if p.held_out_exact is not None]
    exact = Series("held-out exact", measured, "exact", "=", holds=True)
    loss = Series("loss", [(p.seconds, p.loss) for p in history], "loss", ".")
    top = max((p.loss for p in history if math.isfinite(p.loss)), default=0) or 1
    highest = f"{top:.2f}" if top < 100 else f"{top:.1e}"
    begin = history[0].seconds
    end = history[-1].seconds
    axes = Axes(begin, end, width, max(len("100%"), len(highest)), plain)
    lines = chart(axes, accuracy_rows, [cells, exact], {1: "100%", 0.5: "50%", 0: "0%"})
    lines += [Text()] * space
    if loss_rows:
        lines += chart(axes, loss_rows, [loss], {top: highest, 0: "0"})
    lines += time_axis(axes, duration(begin), duration(end))
    return stack(lines)


def run_facts(history: Sequence[Progress], plain: bool) -> list[list[Fact]]:
    """List the figures of a run in four groups: its course, its quality, its training, its speed.

    A figure that is charted has the colour of its chart.
    """
    now = history[-1]
    halted = now.mean_cycles > 0
    course = [
        Fact("done", Text(f"{now.done:.0%}"), now.done),
        Fact("step", Text(str(now.step))),
        Fact("spent", Text(duration(now.seconds))),
        Fact("left", Text(time_left(now))),
    ]
    training = [
        Fact("train exact", Text(f"{now.solved:.1%}" if halted else "-")),
        Fact("mean cycles", Text(f"{now.mean_cycles:.1f}" if halted else "-")),
        Fact("learning rate", Text(f"{now.lr:.1e}")),
    ]
    speed = [
        Fact("puzzles", Text(rate_per_second(now.puzzles_per_second))),
        Fact("puzzle cycles", Text(rate_per_second(now.examples_per_second))),
    ]
    return [course, _quality(history, plain), training, speed]


def _quality(history: Sequence[Progress], plain: bool) -> list[Fact]:
    """The held-out rate that was measured last, and the accuracy and loss of now."""

    def charted(label: str, text: str, style: str, share: float | None = None) -> Fact:
        look = "" if plain else style
        value = Text.assemble((text, look))
        return Fact(label, value, share)

    facts = [Fact("held-out exact", Text("not yet"))]
    for past in reversed(history):
        rate = past.held_out_exact
        if rate is not None:
            facts = [charted("held-out exact", f"{rate:.1%}", "exact", rate)]
            facts.append(Fact("measured at", Text(duration(past.seconds))))
            break
    now = history[-1]
    facts.append(charted("cells", f"{now.token_accuracy:.1%}", "cells", now.token_accuracy))
    facts.append(charted("loss", f"{now.loss:.3f}", "loss"))
    return facts


def time_left(now: Progress) -> str:
    """Estimate the remaining time from the speed so far; ``-`` before anything is done."""
    if now.done <= 0:
        return "-"
    return duration(now.seconds * (1 / now.done - 1))


def rate_per_second(rate: float) -> str:
    """A rate with one decimal below 100, else with none."""
    decimals = 1 if rate < 100 else 0
    return f"{rate:.{decimals}f}/s"
