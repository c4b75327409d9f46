"""Processes that solve beside this one: started, sent their work, asked for outcomes, and ended.

A process can be started before it is known what it shall solve with, so that it imports what it
needs while this one loads the network. Knows puzzles as values; not who gets which.

The processes are spawned, see ``trmsolve.processes``. Each is sent the weights, or the graph with
onnxruntime, so that it needs no torch then.
"""

import importlib
import os
import queue
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from multiprocessing.connection import Connection
from types import TracebackType
from typing import NamedTuple

import numpy as np

from trmsolve.errors import TrmsolveError, WorkerError
from trmsolve.memory import keep_memory
from trmsolve.processes import context, start_process
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Answer, Puzzle
from trmsolve.solve.attempt import Paused
from trmsolve.solve.effort import Effort
from trmsolve.solve.network import Place, Shared
from trmsolve.solve.solver import Solver
from trmsolve.solve.stream import Outcome, Run

Work = tuple[int, Puzzle | Paused]
"""A puzzle to be solved, or to be tried on, and its place."""
Found = tuple[int, Outcome | Paused]
"""What a process has found out about a puzzle, and the puzzle's place."""


class Greeting(Enum):
    """What a process says before its first outcome."""

    AWAKE = "it has imported what it needs, and waits for its job"
    READY = "it has the network, and waits for puzzles"


Failed = TrmsolveError | str
"""A process's last message: an error for the user, or the traceback of another one."""

NO_PUZZLE = Puzzle(np.empty((0, 0), np.int8))
"""Stands for the puzzle of a message on its way back, which the receiver knows."""


class Job(NamedTuple):
    """What a process is sent to become a solver."""

    task: Task
    placement: Place
    effort: Effort
    shared: Shared
    weights: str = ""

    def solver(self) -> Solver:
        """The solver, with the network of the process that asks for it."""
        return Solver(self.task, self.shared.network(), self.placement, self.effort, self.weights)


class Team:
    """Processes that were started early and wait for a job. Those never used end with the block."""

    def __init__(self, number: int = 0, preload: str = "") -> None:
        """Start so many processes, which first import the module ``preload``."""
        self.waiting: deque[Helper] = deque()
        try:
            for place in range(1, number + 1):
                self.waiting.append(Helper(place, preload))
        except BaseException:
            self.end()
            raise

    def take(self, place: int) -> "Helper":
        """A process that waits, or a fresh one, which gets this number."""
        return self.waiting.popleft() if self.waiting else Helper(place)

    def end(self) -> None:
        """End the processes that nobody took."""
        while self.waiting:
            self.waiting.popleft().end()

    def __enter__(self) -> "Team":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


class Helper:
    """A process that solves, seen from the one that deals."""

    def __init__(self, number: int, preload: str = "") -> None:
        self.under_way: dict[int, Puzzle] = {}
        """The puzzles that it has, by their places."""
        self.is_ready = False
        self.job: Job | None = None
        self.connection, theirs = context().Pipe()
        self.process = start_process(_solve_there, (theirs, preload), f"worker {number}")
        theirs.close()

    def employ(self, job: Job) -> None:
        """Give it the job, which it is sent when it is awake: sending would wait until then."""
        self.job = job

    def deal(self, work: deque[Work], enough: int) -> None:
        """Send it the next of the work, until it has enough. It gets none before it is ready."""
        if not self.is_ready:
            return
        dealt: list[Work] = []
        while work and len(self.under_way) < enough:
            place, item = work.popleft()
            self.under_way[place] = item.puzzle if isinstance(item, Paused) else item
            dealt.append((place, item))
        if dealt:
            self._send(dealt)

    def outcomes(self) -> Iterator[Found]:
        """What it has found since the last call, without waiting for more.

        Raises WorkerError if the process is gone.
        """
        try:
            while self.connection.poll(0):
                yield from self._received(self.connection.recv())
        except (EOFError, OSError):
            raise self._lost() from None

    def _received(self, message: Greeting | list[Found] | Failed) -> Iterator[Found]:
        if isinstance(message, TrmsolveError):
            raise message
        if isinstance(message, str):
            raise RuntimeError(f"an error in {self.process.name}:\n{message}")
        if message is Greeting.AWAKE:
            self._send(self.job)
            return
        if message is Greeting.READY:
            self.is_ready = True
            return
        assert isinstance(message, list)
        for place, found in message:
            yield place, with_puzzle(found, self.under_way.pop(place))

    def _send(self, message: Job | list[Work] | None) -> None:
        try:
            self.connection.send(message)
        except OSError:
            raise self._lost() from None

    def _lost(self) -> WorkerError:
        self.process.join(1)
        return WorkerError(
            f"{self.process.name} was ended from outside (exit code {self.process.exitcode}), "
            "perhaps for lack of memory: try again with fewer --workers"
        )

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.terminate()
        self.process.join()
        self.connection.close()


def with_puzzle(found: Outcome | Paused, puzzle: Puzzle) -> Outcome | Paused:
    """The same finding, about this puzzle."""
    if isinstance(found, Answer | Paused):
        return replace(found, puzzle=puzzle)
    return found


def _solve_there(connection: Connection, preload: str) -> None:
    """Solve what comes, in a process of its own; ends when nobody listens any more."""
    keep_memory()
    try:
        if preload:
            importlib.import_module(preload)
        connection.send(Greeting.AWAKE)
        job: Job = connection.recv()
        solver = job.solver()
        inbox = _Inbox(connection)
        connection.send(Greeting.READY)
        run = Run(solver, inbox.items(), inbox.put, frames=False, hand_back=inbox.put)
        for _ in run.cycles():
            inbox.send_found()
    except (EOFError, OSError):
        return
    except TrmsolveError as error:
        connection.send(error)
    except Exception:
        connection.send(traceback.format_exc())


class _Inbox:
    """The puzzles that come to a process, and what goes back.

    A thread reads what comes, so that the sender never waits for a cycle to end.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arrived: queue.SimpleQueue[list[Work]] = queue.SimpleQueue()
        self.found: list[Found] = []
        self.under_way = 0
        threading.Thread(target=self._read, daemon=True).start()

    def items(self) -> Iterator[Work | None]:
        """The puzzles, without an end; None while some are under way and no other has come."""
        while True:
            if self.under_way and self.arrived.empty():
                yield None
                continue
            self.send_found()
            for place, item in self.arrived.get():
                self.under_way += 1
                yield place, item

    def put(self, place: int, found: Outcome | Paused) -> None:
        """Take what was found about a puzzle."""
        self.under_way -= 1
        self.found.append((place, with_puzzle(found, NO_PUZZLE)))

    def send_found(self) -> None:
        """Send what was found. Raises OSError if nobody listens."""
        if self.found:
            self.connection.send(self.found)
            self.found = []

    def _read(self) -> None:
        try:
            while True:
                self.arrived.put(self.connection.recv())
        except (EOFError, OSError):
            os._exit(0)  # nobody waits for the work that is under way
