"""A stream of puzzles: which comes next, under which view, and in which order answers leave.

``InOrder`` numbers the items and puts their outcomes back in order. ``Run`` turns numbered puzzles
into questions for the refine loop, and its steps into outcomes, in any order. Opens no file.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Diagnosis, Task, give_up
from trmsolve.puzzles.files import Item
from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.solve.attempt import (
    Attempt,
    Paused,
    Trial,
    accept,
    answer_of,
    begin,
    cycle_of,
    is_worth_trying,
    pause,
    question_of,
    resume,
    take_result,
)
from trmsolve.solve.effort import Effort
from trmsolve.solve.network import Network, sparing
from trmsolve.solve.refine import Question, Step, refine

LOOK_AHEAD = 128
"""Batches of later puzzles that may be answered while an earlier one is still tried.

It bounds the memory.
"""

VIEWS_BEGUN = 4
"""A puzzle with n failed views may have begun up to so many times n views."""

LARGEST_BESIDE = 81
"""Cells of the largest puzzle whose views are tried side by side.

A batch of larger ones takes as long as one after the other, so that nothing is won.
"""

Numbered = tuple[int, Item]
"""An item with its place among all, from 0."""
Outcome = Answer | PuzzleError


@dataclass(frozen=True)
class Places:
    """The places of some items among all: every item by default, or each n-th from one on."""

    first: int = 0
    step: int = 1


EVERY_PLACE = Places()


class InOrder:
    """Items get places as they are read, and outcomes leave in the order of the places.

    Not more than ``ahead`` items are read before the first that is open. ``on_answer`` is told
    every answer at once. ``places`` are those of the items.
    """

    def __init__(
        self,
        items: Iterable[Item | None],
        ahead: int,
        on_answer: Callable[[Answer], None] | None = None,
        places: Places = EVERY_PLACE,
    ) -> None:
        self.places = places
        self.unread = iter(items)
        self.ahead = ahead
        self.on_answer = on_answer
        self.read = 0
        self.emitted = 0
        self.waiting: dict[int, Outcome] = {}

    def items(self) -> Iterator[Numbered | None]:
        """The items; None while nothing waits, or while too many are open."""
        while True:
            if self.read - self.emitted >= self.ahead:
                yield None
                continue
            try:
                item = next(self.unread)
            except StopIteration:
                return
            if item is None:
                yield None
                continue
            place = self._place(self.read)
            self.read += 1
            yield place, item

    def put(self, place: int, outcome: Outcome) -> None:
        """Take the outcome of an item."""
        if self.on_answer is not None and isinstance(outcome, Answer):
            self.on_answer(outcome)
        self.waiting[place] = outcome

    def ready(self) -> Iterator[Outcome]:
        """Every outcome whose predecessors have all been given."""
        while (place := self._place(self.emitted)) in self.waiting:
            self.emitted += 1
            yield self.waiting.pop(place)

    def _place(self, number: int) -> int:
        return self.places.first + number * self.places.step


def answers_in_order(
    cycles: Iterable[Cycle | None], order: InOrder, on_cycle: Callable[[Cycle], None] | None
) -> Iterator[Outcome]:
    """The outcomes of a run as their turn comes; ``on_cycle`` is shown its cycles."""
    for cycle in cycles:
        if cycle is not None and on_cycle is not None:
            on_cycle(cycle)
        # Also while nothing is under way: errors wait for no puzzle.
        yield from order.ready()
    yield from order.ready()


class Solving(Protocol):
    """What a run needs to know of its solver."""

    task: Task
    model: Network
    effort: Effort


@dataclass
class Run:
    """One pass over numbered puzzles: questions for ``refine``, and its steps as outcomes.

    While there is room for more rows and no puzzle waits, several views of a puzzle whose first
    view has failed are tried side by side. The outcome is the same as one after the other.
    """

    solver: Solving
    items: Iterator[tuple[int, Item | Paused] | None]
    """None says that nothing waits right now."""
    put: Callable[[int, Outcome], None]
    """Told every outcome, with its place, as soon as it is known."""
    frames: bool = True
    """Whether cycles are made for a viewer."""
    on_step: Callable[[], None] | None = None
    hand_back: Callable[[int, Paused], None] | None = None
    """Takes a puzzle whose view has failed, with its place; None if this run tries the next view.

    The puzzle comes back by ``items``, here or in another process.
    """
    again: deque[Attempt] = field(default_factory=deque)
    """Attempts to be tried under their next view."""
    under_way: dict[int, Attempt] = field(default_factory=dict)
    """By the places of their puzzles."""

    def cycles(self) -> Iterator[Cycle | None]:
        """Cycles as they happen, if there are frames; None after each cycle and while idle.

        Those of one puzzle come view after view.
        """
        task = self.solver.task
        effort = self.solver.effort
        steps = refine(
            sparing(self.solver.model),
            self.questions(),
            lambda trial, tokens: accept(task, effort, trial, tokens),
            batch_size=effort.batch_size,
            max_cycles=effort.cycles,
            stop_early=effort.stop_early,
        )
        for step in steps:
            if step is not None:
                trial: Trial = step.key
                trial.attempt.seconds += step.seconds
                if not trial.is_needless:
                    self._take(trial, step)
                    yield from self._conclude(trial.attempt)
                if self.on_step is not None:
                    self.on_step()
            yield None

    def questions(self) -> Iterator[Question | None]:
        """The rows to refine; None while only rows under way can bring more."""
        task = self.solver.task
        effort = self.solver.effort
        ended = False
        while self.again or self.under_way or not ended:
            if self.again:
                yield question_of(task, effort, self.again.popleft().next_view())
                continue
            numbered = None
            if not ended:
                try:
                    numbered = next(self.items)
                except StopIteration:
                    ended = True
                    continue
            if numbered is None:
                yield self._view_beside_others()
                continue
            attempt = self._begin(*numbered)
            if attempt is not None:
                self.under_way[attempt.order] = attempt
                yield question_of(task, effort, attempt.next_view())

    def _begin(self, place: int, item: Item | Paused) -> Attempt | None:
        """An attempt at the item; None if its outcome is known without the model, and told."""
        task = self.solver.task
        seed = self.solver.effort.seed
        if isinstance(item, Paused):
            return resume(task, seed, place, item)
        if isinstance(item, PuzzleError):
            self.put(place, item)
            return None
        answer = give_up(task, item)
        if answer is not None:
            self.put(place, answer)
            return None
        problem = task.unsupported(item)
        if problem:
            self.put(place, PuzzleError(problem, item.source))
            return None
        return begin(task, seed, place, item)

    def _view_beside_others(self) -> Question | None:
        """One more view of a puzzle under way, to be tried beside those before it."""
        task = self.solver.task
        effort = self.solver.effort
        for attempt in self.under_way.values():
            number = attempt.begun + 1
            is_soon = number <= VIEWS_BEGUN * attempt.tried and attempt.last_needed is None
            is_small = attempt.puzzle.grid.size <= LARGEST_BESIDE
            if is_soon and is_small and is_worth_trying(task, effort, attempt, number):
                return question_of(task, effort, attempt.next_view())
        return None

    def _take(self, trial: Trial, step: Step) -> None:
        """Note a cycle of a view."""
        if self.frames:
            trial.not_shown.append(cycle_of(self.solver.task, self.solver.effort, step))
        trial.before = trial.grid
        if step.last:
            trial.end = step

    def _conclude(self, attempt: Attempt) -> Iterator[Cycle]:
        """Show the first view under way, and take its result if it has ended; so with the next.

        A result is the answer if it is verified or no further view is worth trying.
        """
        task = self.solver.task
        effort = self.solver.effort
        while attempt.trials:
            first = attempt.trials[0]
            yield from first.not_shown
            first.not_shown.clear()
            if first.end is None:
                return
            attempt.trials.popleft()
            best = take_result(task, first)
            is_last = not is_worth_trying(task, effort, attempt, attempt.tried + 1)
            if first.verdict.verified or is_last:
                attempt.last_needed = attempt.tried
                attempt.trials.clear()
                del self.under_way[attempt.order]
                diagnosis = attempt.diagnosed(task) if effort.remarks else Diagnosis()
                self.put(attempt.order, answer_of(task, attempt, best, diagnosis))
                return
        self._go_on(attempt)

    def _go_on(self, attempt: Attempt) -> None:
        """Have the next view tried, here or where the attempt is handed back to."""
        if self.hand_back is not None:
            del self.under_way[attempt.order]
            self.hand_back(attempt.order, pause(attempt))
            return
        self.again.append(attempt)
