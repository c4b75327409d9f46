"""Groups of copies of the network learn a task at once, a group on each core.

The first group learns in this process, the others in processes of their own. Copies differ by their
seed, and often find different answers. Every group reports now and then.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

import torch

from trmsolve.arc.ensemble.rounds import REPORT_SECONDS, Order, Report, reports
from trmsolve.processes import context, start_process

GRACE_SECONDS = 60.0
"""How long a group may take for the step during which its time ended."""


def learn_copies(order: Order, groups: int, stop: Callable[[], bool]) -> Iterator[Report]:
    """Let groups of copies learn a task within the budget, and give their reports as they come.

    The last report of every group comes at the end, whatever ended it: the budget, its steps, or
    ``stop``. A group whose process was ended by others is left out.
    """
    deadline = time.monotonic() + order.budget.seconds
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


def _learn_here(
    order: Order, deadline: float, helpers: Sequence["_Helper"], stop: Callable[[], bool]
) -> Iterator[Report]:
    """Learn the first group, and pass on what the others report."""

    def stop_all() -> bool:
        stopped = stop()
        if stopped:
            for helper in helpers:
                helper.ask_to_stop()
        return stopped

    for report in reports(order, 0, deadline, stop_all):
        yield report
        for helper in helpers:
            yield from helper.waiting_reports()


class _Helper:
    """A group in a process of its own, seen from this one."""

    def __init__(self, order: Order, group: int, deadline: float) -> None:
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
    order: Order, group: int, deadline: float, connection: Connection, stopped: Event
) -> None:
    """Learn a group in a process of its own; ends quietly when nobody listens any more.

    All processes of a machine read the same monotonic clock, so that its start is not added to the
    budget.
    """
    torch.set_num_threads(1)
    for report in reports(order, group, deadline, stopped.is_set):
        try:
            connection.send(report)
        except OSError:
            return
