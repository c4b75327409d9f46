"""What a person watches while ARC tasks are learned and answered: the demonstrations, the grids, then the attempts.

A command chooses one view, tells it of every step of adapting, every cycle, answer and unreadable
item, and closes it; all of it goes to standard error. Knows Rich and ARC's values, and what moves
and what stays; how that is laid out is ``arc_frame``'s. Knows no torch, and works out no answer or
vote itself.
"""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Self

from rich.console import Console
from rich.text import Text

from trmsolve.arc.paint import (
    Drawing,
    Paint,
    in_one_row,
    paint_attempts,
    paint_cycle,
    paint_demonstrations,
    paint_steps,
    wrapped,
)
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask
from trmsolve.errors import PuzzleError
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
from trmsolve.show.console import REDRAW_SECONDS, ROWS_BELOW, Watcher
from trmsolve.show.frame import BAR_WIDTH, Fact, bar, columns, flow, is_plain, readable, stack
from trmsolve.show.training import ECHO
from trmsolve.wording import count, duration


def make_arc_view(
    console: Console,
    number: int,
    show_steps: bool = False,
    quiet: bool = False,
    pace: float = 0.0,
    steps: int | None = None,
    few: int = 8,
) -> "ArcView":
    """The view that suits ``number`` tasks: quiet, every step, a live panel, lines, or from ``few`` on a progress line.

    ``pace`` is how many seconds every frame of a cycle is held, ``steps`` how many there will be if
    no clock ends them.
    """
    if quiet:
        return ArcView(console)
    if show_steps:
        return StepsArcView(console, pace, steps)
    if number > few:
        return ProgressArcView(console, number, steps)
    return LiveArcView(console, pace, steps) if console.is_interactive else LinesArcView(console)


class ArcView(Watcher):
    """Shows nothing but what could not be read: the quiet view, and what the others have in common."""

    def adapting(self, adapting: AdaptationProgress) -> None:
        """The network learned a task a step more, or is done with that."""

    def cycle(self, cycle: ArcCycle) -> None:
        """The network improved an answer once more."""

    def answer(self, answer: ArcAnswer) -> None:
        """A task is done."""

    def note(self, text: str) -> None:
        """A message of one line."""


class LinesArcView(ArcView):
    """A line a task: for pipes and dumb terminals."""

    def answer(self, answer: ArcAnswer) -> None:
        self._print(outcome(self.console, answer, answer.task.name))

    def note(self, text: str) -> None:
        self._tell(text, "note")


class LiveArcView(LinesArcView):
    """For a few tasks: one panel redrawn in place, first of the learning, then of the answering; attempts stay.

    Several tasks or views may be told of mixed: one at a time is followed.
    """

    def __init__(
        self,
        console: Console,
        pace: float = 0.0,
        steps: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(console)
        self.pace, self.steps, self.clock = pace, steps, clock
        self._drawn, self._took = (
            float("-inf"),
            0.0,
        )  # when a panel was drawn last, and how long that took
        self._task: ArcTask | None = None
        self._cycle: ArcCycle | None = None

    @property
    def wants_cycles(self) -> bool:
        return self.console.is_interactive

    @property
    def shows_grids(self) -> bool:
        return self.console.is_interactive

    def adapting(self, adapting: AdaptationProgress) -> None:
        # Many grids take a while to draw, and the learning waits for that: a tenth of the time at
        # most.
        due = self.clock() - self._drawn >= max(REDRAW_SECONDS, 9 * self._took) or adapting.ended
        if not (self._follows(adapting.task) and due):
            return
        task, broad = adapting.task, self.console.width - ECHO
        number = count(len(task.demonstrations), "demonstration")
        title = (
            f"learned from {number}: {ended(adapting)}"
            if adapting.ended
            else f"learning from {number}"
        )
        paint = partial(paint_demonstrations, task, broad, is_plain(self.console))
        self._show(task, title, adapting_facts(adapting, self.steps), paint)

    def cycle(self, cycle: ArcCycle) -> None:
        if self._follows(cycle.task) and _goes_on(self._cycle, cycle):
            self._cycle = cycle
            paint = partial(paint_cycle, cycle, is_plain(self.console))
            self._show(cycle.task, "answering", cycle_facts(cycle), paint)
            time.sleep(self.pace)

    def answer(self, answer: ArcAnswer) -> None:
        self.clear()
        if answer.task is self._task:
            self._task, self._cycle, self._drawn = None, None, float("-inf")
        self._tell(answer.task.name, "heading")
        self._pictures(answer)
        self._print(outcome(self.console, answer))

    def close(self) -> None:
        self._keep()  # an interrupt leaves the panel where the network was
        super().close()

    def _follows(self, task: ArcTask) -> bool:
        if self._task is None:
            self._task = task
        return self._task is task and self.console.is_interactive

    def _show(self, task: ArcTask, title: str, facts: list[Fact], paint: Paint) -> None:
        begun, heading = (
            self.clock(),
            Text.assemble(readable(self.console, task.name, "heading"), f"  {title}"),
        )
        self._move(panel(self.console, heading, facts, paint, self.console.height - ROWS_BELOW))
        self._drawn = self.clock()
        self._took = self._drawn - begun

    def _pictures(self, answer: ArcAnswer) -> None:
        plain, broad = is_plain(self.console), self.console.width
        for test in range(len(answer.task.tests)):
            self._draw(in_one_row(partial(paint_attempts, answer, test, plain), broad))

    def _draw(self, drawing: Drawing) -> None:
        self._print(as_text(drawing, is_plain(self.console)))
        self.console.line()


class StepsArcView(LiveArcView):
    """``--show-steps``: a task's demonstrations, and every cycle of the view that found its first attempt.

    They follow when the task is done; a file gets the same without escapes.
    """

    @property
    def shows_grids(self) -> bool:
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


class ProgressArcView(LinesArcView):
    """For many tasks: one moving line of counts and a summary at the end; where nothing can move, a line a task."""

    def __init__(
        self,
        console: Console,
        total: int,
        steps: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(console)
        self.total, self.steps, self.clock, self.begun = total, steps, clock, clock()
        self.counts: Counter[str] = Counter()
        self._now: AdaptationProgress | None = None
        self._answered, self._drawn, self._closed = self.begun, float("-inf"), False

    def __enter__(self) -> Self:
        self.begun = self.clock()  # when all is loaded
        return super().__enter__()

    @property
    def wants_cycles(self) -> bool:
        return self.console.is_interactive

    def adapting(self, adapting: AdaptationProgress) -> None:
        self._now = adapting
        self._advance()

    def cycle(self, cycle: ArcCycle) -> None:
        self._advance()

    def answer(self, answer: ArcAnswer) -> None:
        known = [
            right
            for test in range(len(answer.task.tests))
            if (right := answer.right(test)) is not None
        ]
        self.counts.update({"done": 1, "known": len(known), "right": sum(known)})
        self._now, self._answered = None, self.clock()
        if not self.console.is_interactive:
            super().answer(answer)
        self._advance()

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
            facts = [
                Text(count(self.counts["done"], "task")),
                *self._tally(),
                Text(duration(self.clock() - self.begun)),
            ]
            self._print(stack(flow(facts, columns(self.console))))
        self._closed = True

    def _advance(self) -> None:
        if self.console.is_interactive and self.clock() - self._drawn >= REDRAW_SECONDS:
            self._move(self._line())
            self._drawn = self.clock()

    def _line(self) -> Text:
        """One line, whatever the width: the last figures give way first, the bar takes what is left."""
        read, now, whole = (
            self.counts["done"] + self.counts["unreadable"],
            self._now,
            self.console.width - ECHO,
        )
        facts = [Text(f"{read}/{self.total} tasks"), *self._tally()]
        if now is not None:
            facts.append(Text(f"step {now.step}, {left(now, self.steps)} left"))
        line = flow(facts, whole)[0]
        room = min(whole - line.cell_len - 2, 30)
        share = min((read + (spent(now, self.steps) if now else 0)) / self.total, 1)
        return (
            Text.assemble(bar(share, room, is_plain(self.console)), "  ", line)
            if room >= BAR_WIDTH
            else line
        )

    def _tally(self) -> list[Text]:
        done, known, right, bad = (
            self.counts[name] for name in ("done", "known", "right", "unreadable")
        )
        return [
            Text(f"{right} of {known} tests right" if known else "", "solved" if right else ""),
            Text(f"{bad} unreadable" if bad else "", "unreadable"),
            Text(f"{duration((self._answered - self.begun) / done)} a task" if done else ""),
        ]


def _goes_on(last: ArcCycle | None, cycle: ArcCycle) -> bool:
    """Whether to draw it: views run beside each other, and the eye follows one of them until it is over."""
    if last is None or (cycle.test, cycle.view) == (last.test, last.view):
        return True
    return cycle.number < last.number or cycle.number > last.number + 1
