"""Several copies of the network learn a task at once, one on each core.

The first copy learns in this process, the others in processes of their own. Copies differ by their
seed alone, and often find different answers. Every one reports now and then.
"""

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression.learning import CompressionLearner, Status
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.votes import Guess, WeightedGrid
from trmsolve.arc.task import ArcTask

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

REPORT_SECONDS = 0.5
"""Time between two reports of a copy."""

GRACE_SECONDS = 60.0
"""How long a copy may take for the step during which its time ended."""


@dataclass(frozen=True, eq=False)
class Report:
    """What a copy has found so far.

    Attributes:
        copy: Its number, from 0.
        status: How far it is.
        best: For each test its answers with most weight, best first.
        guesses: For each test what it answers at the moment.
        is_last: Whether it is done.
    """

    copy: int
    status: Status
    best: list[list[WeightedGrid]]
    guesses: list[Guess]
    is_last: bool


def learn_copies(
    task: ArcTask,
    budget: Budget,
    copies: int,
    seed: int,
    stop: Callable[[], bool],
) -> Iterator[Report]:
    """Let copies learn a task within the budget, and give their reports as they come.

    The last report of every copy comes at the end, whatever ended it: the budget, its steps, or
    ``stop``. A copy whose process was ended by others is left out.
    """
    deadline = time.monotonic() + budget.seconds
    order = _Order(task, budget, seed)
    helpers: list[_Helper] = []
    try:
        for copy in range(1, copies):
            helpers.append(_Helper(order, copy, deadline))
        yield from _learn_here(order, deadline, helpers, stop)
        for helper in helpers:
            yield from helper.remaining_reports(stop)
    finally:
        for helper in helpers:
            helper.end()


@dataclass(frozen=True)
class _Order:
    """What all copies are to do."""

    task: ArcTask
    budget: Budget
    seed: int

    def learner(self, copy: int) -> CompressionLearner:
        return CompressionLearner(CompressionPuzzle(self.task), seed=copy_seed(self.seed, copy))

    def is_over(self, status: Status, deadline: float) -> bool:
        if self.budget.steps is not None:
            return status.step >= self.budget.steps
        return time.monotonic() >= deadline


def copy_seed(seed: int, copy: int) -> int:
    """The seed of a copy: different ones for different copies and seeds."""
    return 1000 * seed + copy


def _learn_here(
    order: _Order, deadline: float, helpers: Sequence["_Helper"], stop: Callable[[], bool]
) -> Iterator[Report]:
    """Learn the first copy, and pass on what the others report."""
    learner = order.learner(0)
    told = time.monotonic()
    is_over = False
    while not is_over:
        learner.step()
        stopped = stop()
        is_over = stopped or order.is_over(learner.status, deadline)
        if stopped:
            for helper in helpers:
                helper.ask_to_stop()
        now = time.monotonic()
        if is_over or now - told >= REPORT_SECONDS:
            told = now
            yield _report(learner, 0, is_over)
            for helper in helpers:
                yield from helper.waiting_reports()


def _report(learner: CompressionLearner, copy: int, is_last: bool) -> Report:
    return Report(copy, learner.status, learner.best(), learner.guesses(), is_last)


class _Helper:
    """A copy in a process of its own, seen from this one."""

    def __init__(self, order: _Order, copy: int, deadline: float) -> None:
        context = multiprocessing.get_context("spawn")
        self.deadline = deadline
        self.stopped: Event = context.Event()
        self.connection, theirs = context.Pipe(duplex=False)
        self.process: BaseProcess = context.Process(
            target=_learn_there,
            args=(order, copy, deadline, theirs, self.stopped),
            name=f"copy {copy}",
            daemon=True,
        )
        with _ctrl_c_held_back(), _main_module_hidden():
            self.process.start()
        theirs.close()
        self.is_done = False

    def ask_to_stop(self) -> None:
        """Have the copy end after its step."""
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
    order: _Order, copy: int, deadline: float, connection: Connection, stopped: Event
) -> None:
    """Learn a copy in a process of its own; ends quietly when nobody listens any more.

    All processes of a machine read the same monotonic clock, so that its start is not added to the
    budget.
    """
    torch.set_num_threads(1)
    learner = order.learner(copy)
    told = time.monotonic()
    is_over = False
    while not is_over:
        learner.step()
        is_over = stopped.is_set() or order.is_over(learner.status, deadline)
        now = time.monotonic()
        if is_over or now - told >= REPORT_SECONDS:
            told = now
            try:
                connection.send(_report(learner, copy, is_over))
            except OSError:
                return


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C: the terminal sends it to all, and this one decides.

    Here it is only held back until the process is started.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Start processes that do not import the program's main module again.

    They need nothing of it, and a program without a guard against that would run once more.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
