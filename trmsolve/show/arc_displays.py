"""What a person watches while ARC tasks are learned and answered.

A command chooses one display, tells it of every step of adapting, every cycle, answer and
unreadable item, and closes it; all of it goes to standard error. Knows Rich and ARC's values, and
what moves and what stays on the screen. The layout is the work of ``arc_frame``. Knows no torch,
and computes no answer or vote itself.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.text import Text

from trmsolve.arc.paint import (
    Cells,
    PaintPictures,
    Picture,
    in_one_row,
    paint_attempts,
    paint_cycle,
    paint_demonstrations,
    paint_learning,
    paint_steps,
    wrapped,
)
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask
from trmsolve.show.arc_frame import (
    adapting_facts,
    as_text,
    cycle_facts,
    ended,
    left,
    outcome,
    panel,
    spent,
)
from trmsolve.show.console import ECHO, REDRAW_SECONDS, ROWS_BELOW, Watcher
from trmsolve.show.explained import key_of
from trmsolve.show.frame import Fact, flow, is_plain, readable, with_bar, with_key
from trmsolve.show.progress import ProgressLine
from trmsolve.wording import count, duration


def make_arc_display(  # noqa: PLR0913
    console: Console,
    number: int,
    show_steps: bool = False,
    quiet: bool = False,
    pace: float = 0.0,
    steps: int | None = None,
    few: int = 8,
) -> "ArcDisplay":
    """The display that suits ``number`` tasks.

    It shows nothing, every step, a live panel, a line a task, or above ``few`` tasks a progress
    line. ``pace`` is how many seconds every frame of a cycle is held, ``steps`` how many steps of
    learning there will be if no clock ends them.
    """
    if quiet:
        return ArcDisplay(console)
    if show_steps:
        return StepsArcDisplay(console, pace, steps)
    if number > few:
        return ProgressArcDisplay(console, number, steps)
    return (
        LiveArcDisplay(console, pace, steps) if console.is_interactive else LinesArcDisplay(console)
    )


class ArcDisplay(Watcher):
    """Shows only what could not be read: the quiet display, and the base of the others."""

    def adapting(self, adapting: AdaptationProgress) -> None:
        """The network learned a task for a step more, or is done with learning."""

    def cycle(self, cycle: ArcCycle) -> None:
        """The network improved an answer once more."""

    def answer(self, answer: ArcAnswer) -> None:
        """A task is done."""

    def note(self, text: str) -> None:
        """A message of one line."""


class LinesArcDisplay(ArcDisplay):
    """A line a task: for pipes and dumb terminals."""

    def answer(self, answer: ArcAnswer) -> None:
        """Print the outcome."""
        self._print(outcome(self.console, answer, answer.task.name))

    def note(self, text: str) -> None:
        """Print the message."""
        self._tell(text, "note")


class LiveArcDisplay(LinesArcDisplay):
    """For a few tasks: one panel redrawn in place, first of the learning, then of the answering.

    The attempts stay. Events of several tasks or views may come mixed: one at a time is followed.
    """

    def __init__(
        self,
        console: Console,
        pace: float = 0.0,
        steps: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(console)
        self.pace = pace
        self.steps = steps
        self.clock = clock
        self._drawn = float("-inf")  # when a panel was drawn last
        self._took = 0.0  # seconds that drawing it took
        self._task: ArcTask | None = None  # the task that is followed
        self._cycle: ArcCycle | None = None  # its last cycle

    @property
    def wants_cycles(self) -> bool:
        """Whether the panel can be redrawn."""
        return self.console.is_interactive

    @property
    def shows_grids(self) -> bool:
        """Whether the panel can be redrawn."""
        return self.console.is_interactive

    def adapting(self, adapting: AdaptationProgress) -> None:
        """Draw the demonstrations and how far the learning is, if it is time to draw again."""
        # The learning waits while grids are drawn: they may take a tenth of the time.
        pause = max(REDRAW_SECONDS, 9 * self._took)
        due = self.clock() - self._drawn >= pause or adapting.ended
        if not self._follows(adapting.task) or not due:
            return
        self._show(learning_panel, adapting, self.steps)

    def cycle(self, cycle: ArcCycle) -> None:
        """Draw the answer so far."""
        if self._follows(cycle.task) and _goes_on(self._cycle, cycle):
            self._cycle = cycle
            self._show(cycle_panel, cycle)
            time.sleep(self.pace)

    def answer(self, answer: ArcAnswer) -> None:
        """Leave the attempts and the outcome on the screen."""
        self.clear()
        if answer.task is self._task:
            self._task = None
            self._cycle = None
            self._drawn = float("-inf")
        self._tell(answer.task.name, "heading")
        self._pictures(answer)
        self._print(outcome(self.console, answer))

    def close(self) -> None:
        """Leave the terminal as it was found; after an interrupt the last panel stays."""
        self._keep()
        super().close()

    def _follows(self, task: ArcTask) -> bool:
        if self._task is None:
            self._task = task
        return self._task is task and self.console.is_interactive

    def _show(self, draw: Callable[..., RenderableType], *what: object) -> None:
        """Draw a panel of the console and ``what``, and note how long that took."""
        begun = self.clock()
        self._move(draw(self.console, *what))
        self._drawn = self.clock()
        self._took = self._drawn - begun

    def _pictures(self, answer: ArcAnswer) -> None:
        plain, broad = is_plain(self.console), self.console.width
        for test in range(len(answer.task.tests)):
            self._draw(in_one_row(partial(paint_attempts, answer, test, plain), broad))

    def _draw(self, drawing: Picture) -> None:
        self._print(as_text(drawing, is_plain(self.console)))
        self.console.line()


class StepsArcDisplay(LiveArcDisplay):
    """``--show-steps``: demonstrations, and all cycles of the view that found the first attempt.

    They follow when the task is done; a file gets the same without escapes.
    """

    @property
    def shows_grids(self) -> bool:
        """Always, also in a file."""
        return True

    def _pictures(self, answer: ArcAnswer) -> None:
        plain, broad = is_plain(self.console), self.console.width
        self._tell("demonstrations", "heading")
        self._draw(wrapped(partial(paint_demonstrations, answer.task, broad, plain), broad))
        for test in range(len(answer.task.tests)):
            steps = [step for step in answer.steps if step.test == test]
            if steps:
                last = steps[-1]
                self._tell(f"test {test + 1}, view {last.view} of {last.views}", "heading")
                self._draw(wrapped(partial(paint_steps, steps, plain), broad))
        super()._pictures(answer)


class ProgressArcDisplay(ProgressLine, LinesArcDisplay):
    """For many tasks: one moving line of counts, and a summary at the end.

    Where nothing can move, each task gets a line.
    """

    def __init__(
        self,
        console: Console,
        total: int,
        steps: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(console, clock)
        self.total = total
        self.steps = steps
        self._now: AdaptationProgress | None = None  # of the task that is being learned
        self._answered = self.begun  # when the last task was done

    def __enter__(self) -> Self:
        self.begun = self.clock()  # now everything is loaded
        return super().__enter__()

    def adapting(self, adapting: AdaptationProgress) -> None:
        """Move the line."""
        self._now = adapting
        self._advance()

    def cycle(self, cycle: ArcCycle) -> None:  # noqa: ARG002
        """Move the line."""
        self._advance()

    def answer(self, answer: ArcAnswer) -> None:
        """Count the answer."""
        known = answer.known_results()
        self.counts.update({"done": 1, "known": len(known), "right": sum(known)})
        self._now = None
        self._answered = self.clock()
        if not self.console.is_interactive:
            super().answer(answer)
        self._advance()

    def _summary(self) -> list[Text]:
        """Return the number of tasks, the other counts and the time."""
        tasks = Text(count(self.counts["done"], "task"))
        elapsed = Text(duration(self.clock() - self.begun))
        return [tasks, *self._tally(), elapsed]

    def _line(self) -> Text:
        """One line, whatever the width: the last figures are left out first.

        The bar takes the columns that are left.
        """
        whole = self.console.width - ECHO
        read = self.counts["done"] + self.counts["unreadable"]
        facts = [Text(f"{read}/{self.total} tasks"), *self._tally()]
        done = float(read)
        if self._now is not None:
            now_left = left(self._now, self.steps)
            facts.append(Text(f"step {self._now.step}, {now_left} left"))
            done += spent(self._now, self.steps)
        return with_bar(self.console, done / self.total, flow(facts, whole)[0], ECHO)

    def _tally(self) -> list[Text]:
        """The counts so far; those that say nothing yet are left out."""
        facts = []
        if self.counts["known"]:
            right = self.counts["right"]
            style = "solved" if right else ""
            facts.append(Text(f"{right} of {self.counts['known']} tests right", style))
        if self.counts["unreadable"]:
            facts.append(Text(f"{self.counts['unreadable']} unreadable", "unreadable"))
        if self.counts["done"]:
            each = (self._answered - self.begun) / self.counts["done"]
            facts.append(Text(f"{duration(each)} a task"))
        return facts


def learning_panel(
    console: Console, adapting: AdaptationProgress, steps: int | None = None
) -> RenderableType:
    """How far the learning is, with the answers so far and the demonstrations."""
    number = count(len(adapting.task.demonstrations), "demonstration")
    title = f"learning from {number}"
    if adapting.ended:
        title = f"learned from {number}: {ended(adapting)}"
    paint = partial(paint_learning, adapting, console.width - ECHO, is_plain(console))
    return _panel(console, adapting.task, title, adapting_facts(adapting, steps), paint)


def cycle_panel(console: Console, cycle: ArcCycle) -> RenderableType:
    """The answer so far, beside its input."""
    paint = partial(paint_cycle, cycle, is_plain(console))
    return _panel(console, cycle.task, "answering", cycle_facts(cycle), paint)


def answer_panel(console: Console, answer: ArcAnswer) -> RenderableType:
    """The attempts at all tests, as far as they fit the terminal, and the outcome."""
    plain = is_plain(console)

    def paint(cells: Cells) -> list[Picture]:
        tests = range(len(answer.task.tests))
        return list(
            chain.from_iterable(paint_attempts(answer, test, plain, cells) for test in tests)
        )

    heading = readable(console, answer.task.name, "heading")
    result = outcome(console, answer)
    rows = console.height - ROWS_BELOW - result.plain.count("\n") - 1
    return Group(panel(console, heading, [], paint, rows), result)


def _panel(
    console: Console, task: ArcTask, title: str, facts: list[Fact], paint: PaintPictures
) -> RenderableType:
    heading = Text.assemble(readable(console, task.name, "heading"), f"  {title}")
    rows = console.height - ROWS_BELOW
    return with_key(console, panel(console, heading, facts, paint, rows), key_of(facts), rows)


def _goes_on(last: ArcCycle | None, cycle: ArcCycle) -> bool:
    """Whether to draw the cycle: of views that run beside each other one is followed to its end."""
    if last is None or (cycle.test, cycle.view) == (last.test, last.view):
        return True
    return cycle.number < last.number or cycle.number > last.number + 1
