"""What a person watches while a network trains: the figures of the run beside a chart of how it got there.

The training command chooses one view, tells it of every ``Progress`` and every message, and closes
it; all of it goes to standard error. On a terminal one panel is redrawn in place at every report
and not by a timer; anywhere else a report is one line. A message may come from another thread than
the reports. Knows Rich and ``Progress``, and which of its values are charted; how points become a
picture is ``chart``'s. Knows no torch, no puzzle, and nothing of how a network is trained.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from trmsolve.show.chart import Axes, Series, chart, time_axis
from trmsolve.show.console import REDRAW_SECONDS, ROWS_BELOW, Screen
from trmsolve.show.frame import Fact, fits, flow, is_plain, side_by_side, stack
from trmsolve.train.plan import Progress
from trmsolve.wording import duration

SIZES = ((9, 1, 5), (7, 0, 3), (5, 0, 3), (7, 0, 0), (5, 0, 0))
"""Rows of the chart of accuracy, between, and of loss, best first; odd ones, so that half has a row of its own."""

COUNT_SECONDS = 5.0  # between the lines that count what is judged, where nothing can be redrawn
WIDEST, NARROWEST = 100, 24  # columns of a chart
ECHO = len(
    "^C"
)  # kept free at the right: a terminal writes this there, and a wrapped line would be drawn twice
VALUES = len("10 h 05 min")  # room for the longest figure, so that the chart keeps its width


def make_training_view(
    console: Console, quiet: bool = False, past: Iterable[Progress] = ()
) -> "TrainingView":
    """The view that suits: quiet, a live panel, or lines where nothing can be redrawn.

    ``past`` is what the run reported before it was resumed, so that the chart begins where the run
    did.
    """
    if quiet:
        return TrainingView(console)
    return PanelView(console, past) if console.is_interactive else LinesView(console)


class TrainingView(Screen):
    """Shows nothing but problems: the quiet view, and what the others have in common."""

    def progress(self, progress: Progress) -> None:
        """The run reports where it stands."""

    def judging(self, judged: int, of: int) -> None:
        """So many of the held-out puzzles are judged; the report with the figure follows, if it comes to its end."""

    def note(self, text: str, problem: bool = False) -> None:
        """A message of one line, such as that a checkpoint is written."""
        if problem:
            self._tell(text, "problem")


class LinesView(TrainingView):
    """A line a report, a line a message: for pipes and dumb terminals."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self.clock = clock
        self._shown: float | None = (
            None  # when the count of the judging under way was shown, or that began
        )

    def progress(self, progress: Progress) -> None:
        self._shown = None
        self._tell(report(progress), "")

    def judging(self, judged: int, of: int) -> None:
        """A line from time to time, and none for what is over soon."""
        now = self.clock()
        if self._shown is None:
            self._shown = now
        elif now - self._shown >= COUNT_SECONDS:
            self._shown = now
            self._tell(count(judged, of), "note")

    def note(self, text: str, problem: bool = False) -> None:
        self._tell(text, "problem" if problem else "note")


class PanelView(LinesView):
    """The panel, redrawn at every report; messages stay above it, and its last state stays at the end."""

    def __init__(
        self,
        console: Console,
        past: Iterable[Progress] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(console, clock)
        self.history = list(past)

    def progress(self, progress: Progress) -> None:
        if (
            self.history and self.history[-1].step == progress.step
        ):  # what was past has its figure now
            self.history.pop()
        self.history.append(progress)
        self._shown = None
        self._draw("")

    def judging(self, judged: int, of: int) -> None:
        now = self.clock()
        if self._shown is None or now - self._shown >= REDRAW_SECONDS:
            self._shown = now
            self._draw(count(judged, of))

    def _draw(self, judging: str) -> None:
        if self.history:
            self._move(panel(self.console, self.history, self.console.height - ROWS_BELOW, judging))
        else:  # the first report comes after the first judging
            self._move(headline(self.console, judging))

    def close(self) -> None:
        self._keep()  # an interrupt too leaves what was reached
        super().close()


def count(judged: int, of: int) -> str:
    """``judging 64/128 held-out puzzles``."""
    return f"judging {judged}/{of} held-out puzzles"


def report(progress: Progress) -> str:
    """``step 1200  12.3 min  loss 0.412  cells 87.3%  512 puzzle cycles/s``, and the held-out rate if measured now."""
    exact = (
        "" if progress.held_out_exact is None else f"  held-out exact {progress.held_out_exact:.1%}"
    )
    return (
        f"step {progress.step}  {progress.seconds / 60:.1f} min  loss {progress.loss:.3f}  cells "
        f"{progress.token_accuracy:.1%}  {progress.examples_per_second:.0f} puzzle cycles/s{exact}"
    )


def panel(
    console: Console, history: Sequence[Progress], height: int, judging: str = ""
) -> RenderableType:
    """The richest form that the terminal holds whole: charts with figures beside or under them, or figures alone.

    ``judging`` is a line on top, while what was saved last is judged.
    """
    if judging and height > 1:
        return Group(headline(console, judging), panel(console, history, height - 1))
    plain, whole = is_plain(console), console.width - ECHO
    groups = run_facts(history, plain)
    facts = [fact for group in groups for fact in group]
    texts = [Text.assemble((f"{fact.label} ", "label"), fact.value) for fact in facts]
    under = flow([text for text in texts if text.cell_len <= whole], whole)
    spaced = [fact for group in groups for fact in (*group, Fact("", Text()))][:-1]
    figures = console.measure(side_by_side(Text(), facts, plain, VALUES)).maximum
    for rows in SIZES:
        if (width := min(whole - figures, WIDEST)) >= NARROWEST:
            for some in (spaced, facts):
                frame = side_by_side(charts(history, width, rows, plain), some, plain, VALUES)
                if fits(console, frame, height):
                    return frame
        stacked = Group(charts(history, min(whole, WIDEST), rows, plain), *under)
        if whole >= NARROWEST and fits(console, stacked, height):
            return stacked
    return Group(*under[: max(height, 1)])


def headline(console: Console, text: str) -> Text:
    """One line, whatever the width."""
    line = Text(text, "note")
    line.truncate(console.width - ECHO)
    return line


def charts(
    history: Sequence[Progress], width: int, rows: tuple[int, int, int], plain: bool
) -> Text:
    """Accuracy over time and, if it has rows, the loss below it."""
    cells = Series("cells", [(p.seconds, p.token_accuracy) for p in history], "cells", ".")
    measured = [(p.seconds, p.held_out_exact) for p in history if p.held_out_exact is not None]
    exact = Series("held-out exact", measured, "exact", "=", holds=True)
    loss = Series("loss", [(p.seconds, p.loss) for p in history], "loss", ".")
    top = max((p.loss for p in history if math.isfinite(p.loss)), default=0) or 1
    highest = f"{top:.2f}" if top < 100 else f"{top:.1e}"
    begin, end = history[0].seconds, history[-1].seconds
    axes = Axes(begin, end, width, max(len("100%"), len(highest)), plain)
    lines = chart(axes, rows[0], [cells, exact], {1: "100%", 0.5: "50%", 0: "0%"})
    lines += [Text()] * rows[1]
    lines += chart(axes, rows[2], [loss], {top: highest, 0: "0"}) if rows[2] else []
    return stack([*lines, *time_axis(axes, duration(begin), duration(end))])


def run_facts(history: Sequence[Progress], plain: bool) -> list[list[Fact]]:
    """Where the run stands, how good it is, how it trains, how fast; what a chart shows has the colour it has there."""
    now, halted = history[-1], history[-1].mean_cycles > 0
    measured = next((p for p in reversed(history) if p.held_out_exact is not None), None)

    def charted(label: str, text: str, style: str, share: float | None = None) -> Fact:
        return Fact(label, Text.assemble((text, "" if plain else style)), share)

    held_out = [Fact("held-out exact", Text("not yet"))]
    if measured is not None and (rate := measured.held_out_exact) is not None:
        held_out = [charted("held-out exact", f"{rate:.1%}", "exact", rate)]
        held_out += [Fact("measured at", Text(duration(measured.seconds)))]
    return [
        [
            Fact("done", Text(f"{now.done:.0%}"), now.done),
            Fact("step", Text(str(now.step))),
            Fact("spent", Text(duration(now.seconds))),
            Fact("left", Text(time_left(now))),
        ],
        [
            *held_out,
            charted("cells", f"{now.token_accuracy:.1%}", "cells", now.token_accuracy),
            charted("loss", f"{now.loss:.3f}", "loss"),
        ],
        [
            Fact("train exact", Text(f"{now.solved:.1%}" if halted else "-")),
            Fact("mean cycles", Text(f"{now.mean_cycles:.1f}" if halted else "-")),
            Fact("learning rate", Text(f"{now.lr:.1e}")),
        ],
        [
            Fact("puzzles", Text(rate_per_second(now.puzzles_per_second))),
            Fact("puzzle cycles", Text(rate_per_second(now.examples_per_second))),
        ],
    ]


def time_left(now: Progress) -> str:
    """As fast as until now; unknown before anything is done."""
    return duration(now.seconds * (1 / now.done - 1)) if now.done > 0 else "-"


def rate_per_second(rate: float) -> str:
    """A decimal while it means something."""
    return f"{rate:.1f}/s" if rate < 100 else f"{rate:.0f}/s"
