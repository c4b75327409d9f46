"""Groups of copies of the network learn a task at once, a group on each core.

The first group learns in this process, the others in processes of their own. Copies differ by their
seed alone, and often find different answers. Every group reports now and then.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression.learning import CompressionLearner, Status
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.ranks import DIRECTIONS
from trmsolve.arc.compression.votes import Guess, WeightedGrid
from trmsolve.arc.task import ArcTask
from trmsolve.processes import context, start_process

REPORT_SECONDS = 0.5
"""Time between two reports of a group."""

GRACE_SECONDS = 60.0
"""How long a group may take for the step during which its time ended."""

MOST_TOGETHER = 8
"""Copies in a group, at most."""

ENOUGH_STEPS = 1000
"""Steps after which a copy seldom finds another answer: another copy is worth more then."""

STEP_SECONDS = 0.05
"""Seconds of a step that do not depend on the size of the task."""

CELL_SECONDS = 4.5e-6
"""Seconds of a step for each number of cells, colours, examples and directions, in each copy.

Both are those of a core with AVX-512. Another core has another speed, and copies make more or fewer
steps.
"""

GROUP_BYTES = 400e6
"""Memory of a process with torch."""

CELL_BYTES = 5000.0
"""Memory of a step for each of the same numbers, in each copy."""


def copies_together(task: ArcTask, budget: Budget) -> int:
    """How many copies share a core, so that each makes about ``ENOUGH_STEPS`` in the budget.

    It is one if the steps are given, so that a run does not depend on anything else.
    """
    if budget.steps is not None:
        return 1
    left_for_copies = budget.seconds / ENOUGH_STEPS - STEP_SECONDS
    affordable = int(left_for_copies / (CELL_SECONDS * _size(task)))
    return min(max(affordable, 1), MOST_TOGETHER)


def groups_that_fit(task: ArcTask, budget: Budget, wanted: int, memory: float) -> int:
    """How many groups may learn at once, so that they take up to half of the memory; at least 1.

    ``memory`` is what the machine has, in bytes.
    """
    of_copies = CELL_BYTES * _size(task) * copies_together(task, budget)
    affordable = memory / 2 / (GROUP_BYTES + of_copies)
    return int(min(max(affordable, 1.0), wanted))


def machine_memory() -> float:
    """The memory of this machine in bytes; infinite where it does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _size(task: ArcTask) -> int:
    """How many cells the largest tensor has: all cells, colours, examples and directions."""
    puzzle = CompressionPuzzle(task)
    return puzzle.cells.numel() * puzzle.colours * DIRECTIONS


@dataclass(frozen=True, eq=False)
class Report:
    """The findings of a group of copies so far.

    Attributes:
        group: Its number, from 0.
        status: How far it is.
        best: For each test its answers with most weight, best first.
        guesses: For each test what its first copy answers at the moment.
        is_last: Whether it is done.
    """

    group: int
    status: Status
    best: list[list[WeightedGrid]]
    guesses: list[Guess]
    is_last: bool


def learn_copies(
    task: ArcTask,
    budget: Budget,
    groups: int,
    seed: int,
    stop: Callable[[], bool],
) -> Iterator[Report]:
    """Let groups of copies learn a task within the budget, and give their reports as they come.

    The last report of every group comes at the end, whatever ended it: the budget, its steps, or
    ``stop``. A group whose process was ended by others is left out.
    """
    deadline = time.monotonic() + budget.seconds
    order = _Order(task, budget, seed, copies_together(task, budget))
    helpers: list[_Helper] = []
    try:
        for group in range(1, groups):
            helpers.append(_Helper(order, group, deadline))
        yield from _learn_here(order, deadline, helpers, stop)
        for helper in helpers:
            yield from helper.remaining_reports(stop)
    finally:
        for helper in helpers:
            helper.end()


@dataclass(frozen=True)
class _Order:
    """The task of all groups, and how long they may learn it."""

    task: ArcTask
    budget: Budget
    seed: int
    # Copies in each group.
    together: int

    def learner(self, group: int) -> CompressionLearner:
        first = group * self.together
        seeds = [copy_seed(self.seed, first + number) for number in range(self.together)]
        return CompressionLearner(CompressionPuzzle(self.task), seeds)

    def is_over(self, status: Status, deadline: float) -> bool:
        if self.budget.steps is not None:
            return status.step >= self.budget.steps
        return time.monotonic() >= deadline


def copy_seed(seed: int, copy: int) -> int:
    """The seed of a copy: different ones for different copies and seeds."""
    return (1000 * seed + copy) % 2**63


def _learn_here(
    order: _Order, deadline: float, helpers: Sequence["_Helper"], stop: Callable[[], bool]
) -> Iterator[Report]:
    """Learn the first group, and pass on what the others report."""

    def stop_all() -> bool:
        stopped = stop()
        if stopped:
            for helper in helpers:
                helper.ask_to_stop()
        return stopped

    for report in _reports(order, 0, deadline, stop_all):
        yield report
        for helper in helpers:
            yield from helper.waiting_reports()


def _reports(
    order: _Order, group: int, deadline: float, stop: Callable[[], bool]
) -> Iterator[Report]:
    """Learn a group for at least one step, and report now and then and at the end."""
    learner = order.learner(group)
    told = time.monotonic()
    is_over = False
    while not is_over:
        learner.step()
        is_over = stop() or order.is_over(learner.status, deadline)
        now = time.monotonic()
        if is_over or now - told >= REPORT_SECONDS:
            told = now
            yield Report(group, learner.status, learner.best(), learner.guesses(), is_over)


class _Helper:
    """A group in a process of its own, seen from this one."""

    def __init__(self, order: _Order, group: int, deadline: float) -> None:
        self.deadline = deadline
        self.stopped: Event = context().Event()
        self.connection, theirs = context().Pipe(duplex=False)
        arguments = (order, group, deadline, theirs, self.stopped)
        self.process = start_process(_learn_there, arguments, f"group {group}")
        theirs.close()
        self.is_done = False

    def ask_to_stop(self) -> None:
        """Have the group end after its step."""
        self.stopped.set()

    def waiting_reports(self) -> Iterator[Report]:
        """Reports that have come, without waiting for more."""
        while not self.is_done and self.connection.poll(0):
            yield from self._next()

    def remaining_reports(self, stop: Callable[[], bool]) -> Iterator[Report]:
        """All reports up to the last."""
        latest = max(self.deadline, time.monotonic()) + GRACE_SECONDS
        while not self.is_done and time.monotonic() < latest:
            if stop():
                self.ask_to_stop()
            if self.connection.poll(REPORT_SECONDS):
                yield from self._next()

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.terminate()
        self.process.join()
        self.connection.close()

    def _next(self) -> Iterator[Report]:
        try:
            report: Report = self.connection.recv()
        except (EOFError, OSError):  # the process was ended by somebody else
            self.is_done = True
            return
        self.is_done = report.is_last
        yield report


def _learn_there(
    order: _Order, group: int, deadline: float, connection: Connection, stopped: Event
) -> None:
    """Learn a group in a process of its own; ends quietly when nobody listens any more.

    All processes of a machine read the same monotonic clock, so that its start is not added to the
    budget.
    """
    torch.set_num_threads(1)
    for report in _reports(order, group, deadline, stopped.is_set):
        try:
            connection.send(report)
        except OSError:
            return
