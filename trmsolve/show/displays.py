"""Displays of solving: the grid cycle by cycle, the outcome of a puzzle, the progress of many.

A command chooses one display, tells it of every cycle, answer and unreadable item, and closes it.
All of it goes to standard error, since standard output belongs to the answers. The displays decide
what is redrawn and what stays on the screen. ``frame`` draws a single cycle. Nothing here knows a
puzzle or torch.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console, Group
from rich.text import Text

from trmsolve.puzzles.values import Answer, Cycle, Line
from trmsolve.puzzles.written import why_ended
from trmsolve.show.console import ECHO, REDRAW_SECONDS, ROWS_BELOW, Screen, Watcher
from trmsolve.show.explained import explanation, key_facts
from trmsolve.show.frame import (
    ONE_SIZE,
    Layout,
    OtherSizes,
    PaintGrid,
    columns,
    draw,
    flow,
    has_room,
    headline,
    is_plain,
    large_drawing,
    readable,
    stack,
    with_bar,
)
from trmsolve.show.progress import ProgressLine
from trmsolve.wording import count, duration, seconds

FIGURES = ("confidence", "halt")
"""The figures of a frame that its key says more about."""


class BarLine(Screen):
    """A line with a bar, what is done, and the time that is left; it vanishes at the end.

    It moves with the work and not with a timer. It draws nothing in a file, or if not ``shown``.
    """

    def __init__(
        self,
        console: Console,
        shown: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(console)
        self.shown = shown and console.is_interactive
        self.clock = clock
        self.begun = clock()
        self._drawn = float("-inf")  # when the line was drawn last

    def share(self, done: float, text: str) -> None:
        """Redraw the line for work of which this share from 0 to 1 is done."""
        now = self.clock()
        if not self.shown or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        facts = [Text(text)]
        if 0 < done < 1:
            facts.append(Text(f"{duration((now - self.begun) * (1 / done - 1))} left"))
        line = flow(facts, self.console.width - ECHO)[0]
        self._move(with_bar(self.console, done, line, ECHO))

    def clear(self) -> None:
        """Remove the line before others write there; the next share draws it again."""
        super().clear()
        self._drawn = float("-inf")


class Display(Watcher):
    """The base of the displays of puzzles: it shows only what could not be read."""

    def status(self, text: str) -> None:
        """Show what is waited for, until the next event."""

    def cycle(self, cycle: Cycle) -> None:
        """Show that the model improved a puzzle once more."""

    def answer(self, answer: Answer) -> None:
        """Show that a puzzle is done."""

    def note(self, text: str) -> None:
        """Show a note on how the input was read."""

    def has_shown_grid(self) -> bool:
        """Whether the grid of the last cycle that stays on the screen fitted its width."""
        return True


class QuietDisplay(Display):
    """The display for ``--quiet``: errors only."""


class StepsDisplay(Display):
    """The display for ``--show-steps``: every cycle with its figures, one below the other.

    A file gets the same without escapes. ``headings`` shows the source of each puzzle, for when
    there are several.
    """

    def __init__(
        self,
        console: Console,
        paint: PaintGrid,
        headings: bool = False,
        others: OtherSizes = ONE_SIZE,
    ) -> None:
        super().__init__(console)
        self.paint = paint
        self.headings = headings
        self.others = others
        self._fitted = True
        self._last: dict[int, Cycle] = {}  # the last cycle of each puzzle, by its id

    @property
    def wants_cycles(self) -> bool:
        """Always: every cycle is shown."""
        return True

    @property
    def shows_grids(self) -> bool:
        """Whether cycles are shown, and grids with them."""
        return self.wants_cycles

    def cycle(self, cycle: Cycle) -> None:
        """Print the frame of the cycle."""
        self._last[id(cycle.puzzle)] = cycle
        self._show(cycle, Layout(self._heading(cycle), beside=False, others=self.others))
        self.console.line()

    def answer(self, answer: Answer) -> None:
        """Print the outcome."""
        if answer.cycles == 0:
            self._fitted = True  # nothing was tried, so that no grid is missing
        heading = self._heading(answer)
        last = self._last.pop(id(answer.puzzle), None)
        self._print(outcome(self.console, answer, heading, last))

    def note(self, text: str) -> None:
        """Print the note."""
        self._tell(text, "note")

    def has_shown_grid(self) -> bool:
        """Whether the last frame that stays shows its grid, and not only a line of figures."""
        return self._fitted

    def _show(self, cycle: Cycle, layout: Layout) -> None:
        """Print a frame that stays."""
        self._fitted = has_room(self.console, cycle, self.paint)
        self._print(draw(self.console, cycle, self.paint, layout))

    def _heading(self, of: Cycle | Answer) -> str:
        """The source of the puzzle, if it is to be shown."""
        return of.puzzle.source if self.headings else ""


class LiveDisplay(StepsDisplay):
    """The display for a few puzzles: the grid is redrawn at every cycle, and its last frame stays.

    A line with the outcome follows. Where nothing can be redrawn (a pipe, a dumb terminal), that
    line is all. Cycles of several puzzles may come mixed: one puzzle at a time is followed.
    """

    def __init__(
        self,
        console: Console,
        paint: PaintGrid,
        headings: bool = False,
        others: OtherSizes = ONE_SIZE,
        marks: Sequence[Line] | None = None,
    ) -> None:
        super().__init__(console, paint, headings, others)
        self.marks = marks
        """What the marks of the drawing mean, for a key under it; None for no key."""
        self.has_keys = False
        """Whether ``?`` can be pressed."""
        # The last cycle of each view, by the id of the puzzle and then by the number of the view.
        self._seen: dict[int, dict[int, Cycle]] = {}
        self._followed: int | None = None
        self._waits = False

    @property
    def wants_cycles(self) -> bool:
        """Whether the terminal can be redrawn."""
        return self.console.is_interactive

    def status(self, text: str) -> None:
        """Draw the line where the grid will be."""
        if self.console.is_interactive:
            self._waits = True
            self._move(readable(self.console, text, "note"))

    def cycle(self, cycle: Cycle) -> None:
        """Redraw the grid, if this puzzle is the one that is followed."""
        if not self.console.is_interactive:
            return
        self._waits = False
        key = id(cycle.puzzle)
        self._seen.setdefault(key, {})[cycle.view] = cycle
        self._followed = self._followed or key
        if self._followed == key:
            self._move(draw(self.console, cycle, self.paint, self._moving_layout(cycle)))

    def pause(self) -> None:
        """Draw the last frame again, with a line that says how to go on."""
        cycles = self._seen.get(self._followed or 0)
        if not self.console.is_interactive or not cycles:
            return
        cycle = cycles[max(cycles)]
        # The line takes the place of the key.
        layout = self._moving_layout(cycle)._replace(key=())
        frame = draw(self.console, cycle, self.paint, layout)
        step = "right arrow" if self.console.options.ascii_only else "→"
        hint = f"paused: space goes on, {step} steps, q ends"
        self._move(Group(frame, headline(self.console, hint)))

    def explain(self) -> None:
        """Draw in place of the frame what the figures mean."""
        self._move(explanation(self.console, self.marks or (), self.console.height - ROWS_BELOW))

    def go_back(self) -> None:
        """Draw the last frame again."""
        cycles = self._seen.get(self._followed or 0)
        if cycles:
            self.cycle(cycles[max(cycles)])

    def answer(self, answer: Answer) -> None:
        """Print the frame that the answer came from, and the outcome."""
        self.clear()
        key = id(answer.puzzle)
        if self._followed == key:
            self._followed = None
        cycles = list(self._seen.pop(key, {}).values())
        if not cycles:
            super().answer(answer)
            return
        frame = cycle_of(answer, cycles)
        # The frame stays, and no key explains it any more.
        layout = self._moving_layout(frame)._replace(key=())
        if large_drawing(self.console, frame, layout) is None:
            layout = Layout(self._heading(frame), others=self.others)
        self._show(frame, layout)
        self._print(outcome(self.console, answer, last=cycles[-1]))

    def close(self) -> None:
        """Leave the frame where the model was, also after an interrupt."""
        if not self._waits:
            self._keep()
        super().close()

    def _moving_layout(self, cycle: Cycle) -> Layout:
        layout = moving_layout(self.console, self._heading(cycle), others=self.others)
        if self.marks is None:
            return layout
        return layout._replace(key=key_facts(self.marks, FIGURES, self.has_keys))


def moving_layout(
    console: Console,
    heading: str = "",
    below: int = ROWS_BELOW,
    others: OtherSizes = ONE_SIZE,
) -> Layout:
    """How the live view lays a frame out, with so many rows free ``below`` it."""
    return Layout(heading, console.height - below, others=others)


def cycle_of(answer: Answer, cycles: Sequence[Cycle]) -> Cycle:
    """The last cycle that gave this answer, whichever view was drawn last."""
    for cycle in reversed(cycles):
        if (cycle.grid == answer.grid).all():
            return cycle
    return cycles[-1]


class ProgressDisplay(ProgressLine, Display):
    """The display for many puzzles: a line of counts, problems above it, and a summary at the end.

    ``total`` is None when puzzles stream in.
    """

    def __init__(
        self, console: Console, total: int | None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(console, clock)
        self.total = total
        self.remarks: Counter[str] = Counter()

    def cycle(self, cycle: Cycle) -> None:  # noqa: ARG002 (every display is told of cycles)
        """Redraw the line."""
        self._advance()

    def answer(self, answer: Answer) -> None:
        """Count the answer."""
        self.counts.update(("done", "solved" if answer.verified else "unverified"))
        self.counts["views"] += answer.views
        if answer.remark:
            self.remarks[answer.remark] += 1
        self._advance()

    def note(self, text: str) -> None:
        """Print the note."""
        self._tell(text, "note")

    def _line(self) -> Text:
        """The line. Its last figures give way in a narrow terminal; a bar takes what is left."""
        plain = is_plain(self.console)
        read = self.counts["done"] + self.counts["unreadable"]
        if self.total is None:
            marks = "|/-\\" if plain else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
            mark = marks[self._turns % len(marks)]
            facts = [Text(mark, "bar"), Text(count(read, "puzzle"))]
        else:
            facts = [Text(f"{read}/{self.total}")]
        line = flow([*facts, *self._tally(), self._rate()], self.console.width)[0]
        return with_bar(self.console, read / self.total, line) if self.total else line

    def _tally(self) -> list[Text]:
        """The counts of outcomes; of unreadable items only if there are any."""
        texts = []
        for name in ("solved", "unverified", "unreadable"):
            number = self.counts[name]
            if number or name != "unreadable":
                texts.append(Text(f"{number} {name}", name if number else ""))
        return texts

    def _rate(self) -> Text:
        """The puzzles per second."""
        elapsed = self.clock() - self.begun
        rate = self.counts["done"] / elapsed if elapsed else 0
        return Text(f"{rate:.1f} puzzles/s")

    def _summary(self) -> list[Text]:
        """All counts, averages and times."""
        done = self.counts["done"]
        facts = [Text(count(done, "puzzle")), *self._tally()]
        for remark, number in sorted(self.remarks.items()):
            facts.append(Text(f"{number} where {remark}"))
        if done:
            facts.append(Text(f"{self.counts['views'] / done:.1f} views on average"))
        facts.append(Text(seconds(self.clock() - self.begun)))
        facts.append(self._rate())
        return facts


def outcome(console: Console, answer: Answer, source: str = "", last: Cycle | None = None) -> Text:
    """The outcome: ``solved  6 cycles  1 view  0.41 s``, or ``unverified`` with the failed rule.

    If the ``last`` cycle is known, it also says why no other followed.
    """
    verdict = "solved" if answer.verified else "unverified"
    facts = [Text(verdict, verdict)]
    if answer.views:  # without any, the model was not asked
        facts += [
            Text(count(answer.cycles, "cycle")),
            Text(count(answer.views, "view")),
            Text(seconds(answer.seconds)),
        ]
    if last is not None:
        facts.append(Text(why_ended(answer, last), "note"))
    facts.append(readable(console, answer.reason))
    facts.append(readable(console, answer.remark))
    return stack(flow([readable(console, source, "heading"), *facts], columns(console)))
