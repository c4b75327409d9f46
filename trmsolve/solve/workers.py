"""Several processes solve puzzles together, each with one thread.

The products of a small network are too thin to be shared by threads: two processes with a core each
solve almost twice as much as one, two threads of one process hardly more. This process reads the
puzzles, deals them out, puts the answers in order, and solves a share itself from the first moment
on, so that nothing waits for the others to start. The answers are those of one process, because all
that is random about a puzzle follows from its place. Knows the solver and processes; no puzzle.

The processes are spawned, see ``trmsolve.processes``. ``torch_network`` puts the weights into
shared memory once; ``onnx_network`` sends each process the graph, so that it needs no torch.
"""

import os
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError, TrmsolveError, UsageError, WorkerError
from trmsolve.memory import keep_memory
from trmsolve.processes import context, start_process
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.solve.effort import Effort
from trmsolve.solve.network import Network, Place, Shared, is_cpu
from trmsolve.solve.onnx_network import OnnxNetwork, share_graph
from trmsolve.solve.solver import Solver
from trmsolve.solve.stream import (
    EVERY_PLACE,
    LOOK_AHEAD,
    InOrder,
    Item,
    Numbered,
    Outcome,
    Places,
    Run,
    answers_in_order,
)
from trmsolve.wording import count

SERVE_SECONDS = 0.05
"""Time between two looks at the other processes while this one has a batch under way."""

WAIT_SECONDS = 0.02
"""How long this process listens to the others before it looks for more puzzles."""

Dealt = list[tuple[int, Puzzle]]
"""A message to a worker: puzzles and their places."""
Solved = list[tuple[int, Outcome]]
"""A message of a worker. The first one is empty: it is ready."""
Failed = TrmsolveError | str
"""A worker's last message: an error for the user, or the traceback of another one."""

NO_PUZZLE = Puzzle(np.empty((0, 0), np.int8))
"""Stands for the puzzle of an answer on its way, which the receiver knows."""


@dataclass(frozen=True)
class Crew:
    """How many processes may solve, and what is known of the work."""

    asked: int | None = None
    """The number of processes that is asked for; None for the usual one."""
    threads: int | None = None
    """The number of threads that each may use; None for the usual one."""
    puzzles: int | None = None
    """How many puzzles there are; None if it is not known, which means many."""
    keep_batch_size: bool = False
    """Whether the size of a batch was asked for."""

    def size(self, solver: Solver) -> int:
        """How many processes solve. Raises UsageError if several are asked for beside a GPU.

        It is one for each core that may be used, if there is more than a batch for each. Where
        only the number of threads is asked for, it bounds the cores, and one process has them all.
        """
        on_cpu = is_cpu(solver.placement.device)
        if self.asked is not None:
            if self.asked > 1 and not on_cpu:
                raise UsageError(
                    f"--workers {self.asked} needs a CPU, but {solver.placement.device} is used: "
                    "omit it, or add --device cpu"
                )
            return self.asked if self.puzzles is None else max(1, min(self.asked, self.puzzles))
        if not on_cpu or self.threads is not None:
            return 1
        cores = solver.placement.threads
        if self.puzzles is None:
            return cores
        return max(1, min(cores, -(-self.puzzles // solver.effort.batch_size)))


def share_out(solver: Solver, crew: Crew) -> Solver:
    """The solver as so many processes, or the solver itself where one is best.

    The network then has one thread in this process too, unless the crew says otherwise. Raises
    UsageError for a crew that is impossible here.
    """
    workers = crew.size(solver)
    if workers == 1:
        return solver
    shared = _shared(solver.model, crew.threads or 1)
    if shared is None:
        return solver
    effort = solver.effort
    if crew.puzzles is not None and not crew.keep_batch_size:
        each = max(1, -(-crew.puzzles // workers))
        effort = replace(effort, batch_size=min(effort.batch_size, each))
    job = Job(solver.task, solver.placement, effort, shared, solver.weights)
    return SharedSolver(job.solver(), workers, shared)


def _shared(network: Network, threads: int) -> Shared | None:
    """The network for several processes; None if they cannot share it here."""
    if isinstance(network, OnnxNetwork):
        return share_graph(network, threads)
    from trmsolve.solve.torch_network import share_model  # imports torch

    return share_model(network, threads)


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


class SharedSolver(Solver):
    """A solver whose puzzles are solved by several processes. ``share_out`` makes one."""

    def __init__(self, solver: Solver, workers: int, shared: Shared) -> None:
        super().__init__(solver.task, solver.model, solver.placement, solver.effort, solver.weights)
        self.workers = workers
        self.shared = shared

    @property
    def threads(self) -> int:
        """CPU threads that each process uses."""
        return self.shared.threads

    @property
    def where(self) -> str:
        """A line on where it runs, and why; ``Placement`` was made before the work was shared."""
        threads = count(self.threads, "thread")
        return f"{self.placement.reason}, {self.workers} workers of {threads}"

    def with_effort(self, effort: Effort) -> "SharedSolver":
        """The same processes, trying as hard as ``effort`` says."""
        return SharedSolver(super().with_effort(effort), self.workers, self.shared)

    def solve_all(
        self,
        items: Iterable[Item | None],
        on_cycle: Callable[[Cycle], None] | None = None,
        on_answer: Callable[[Answer], None] | None = None,
        on_step: Callable[[], None] | None = None,
        places: Places = EVERY_PLACE,
    ) -> Iterator[Answer | PuzzleError]:
        """As ``Solver.solve_all``; ``on_cycle`` and ``on_step`` see what this process does."""
        order = InOrder(items, LOOK_AHEAD * self.effort.batch_size, on_answer, places)
        with _started(self) as helpers:
            dealer = _Dealer(order, helpers, self.effort.batch_size)
            run = Run(self, dealer.own_items(), dealer.put, on_cycle is not None, on_step)
            yield from answers_in_order(dealer.serving(run.cycles()), order, on_cycle)


class _Dealer:
    """Deals puzzles out to the helpers and to this process, and collects the outcomes.

    A few are read ahead. Each helper has a batch under way and some waiting, so that it can go on
    while nobody looks. As the end comes near it has fewer waiting, and all end at about one time.
    """

    def __init__(self, order: InOrder, helpers: list["_Helper"], batch_size: int) -> None:
        self.order = order
        self.unread = order.items()
        self.helpers = helpers
        self.batch_size = batch_size
        self.ahead: deque[tuple[int, Puzzle]] = deque()
        """Puzzles that were read and not dealt yet."""
        self.ended = False
        self.here = 0
        """How many puzzles are under way in this process."""
        self.served = 0.0

    def own_items(self) -> Iterator[Numbered | None]:
        """What this process solves; None while all is dealt that could be read."""
        while True:
            if not self.ahead:
                self._serve()
            if self.ahead:
                self.here += 1
                yield self.ahead.popleft()
                continue
            busy = [helper.connection for helper in self.helpers if helper.under_way]
            if self.ended and not busy:
                return
            if busy and not self.here:
                wait(busy, WAIT_SECONDS)
            yield None

    def put(self, place: int, outcome: Outcome) -> None:
        """Take an outcome of this process."""
        self.here -= 1
        self.order.put(place, outcome)

    def serving(self, cycles: Iterable[Cycle | None]) -> Iterator[Cycle | None]:
        """The cycles, with the helpers served now and then before one."""
        for cycle in cycles:
            if time.monotonic() - self.served >= SERVE_SECONDS:
                self._serve()
            yield cycle

    def _serve(self) -> None:
        """Collect the helpers' outcomes, read ahead, and deal."""
        for helper in self.helpers:
            for place, outcome in helper.outcomes():
                self.order.put(place, outcome)
        self._read_ahead()
        share = len(self.ahead) // (len(self.helpers) + 1)
        enough = self.batch_size + min(self.batch_size, share)
        for helper in self.helpers:
            helper.deal(self.ahead, enough)
        self.served = time.monotonic()

    def _read_ahead(self) -> None:
        """Read a batch for each process, or as much as there is at the moment."""
        most = self.batch_size * (len(self.helpers) + 1)
        while not self.ended and len(self.ahead) < most:
            try:
                numbered = next(self.unread)
            except StopIteration:
                self.ended = True
                return
            if numbered is None:
                return
            place, item = numbered
            if isinstance(item, PuzzleError):
                self.order.put(place, item)
            else:
                self.ahead.append((place, item))


@contextmanager
def _started(solver: SharedSolver) -> Iterator[list["_Helper"]]:
    """The processes beside this one, which end with the block."""
    helpers: list[_Helper] = []
    try:
        for number in range(1, solver.workers):
            helpers.append(_Helper(solver, number))
        yield helpers
    finally:
        for helper in helpers:
            helper.end()


class _Helper:
    """A process that solves, seen from the one that deals."""

    def __init__(self, solver: SharedSolver, number: int) -> None:
        self.under_way: dict[int, Puzzle] = {}
        """The puzzles that it has, by their places."""
        self.is_ready = False
        self.connection, theirs = context().Pipe()
        job = Job(solver.task, solver.placement, solver.effort, solver.shared)
        self.process = start_process(_solve_there, (theirs, job), f"worker {number}")
        theirs.close()

    def deal(self, puzzles: deque[tuple[int, Puzzle]], enough: int) -> None:
        """Send it the next puzzles, until it has enough. It gets none before it is ready."""
        if not self.is_ready:
            return
        dealt: Dealt = []
        while puzzles and len(self.under_way) < enough:
            place, puzzle = puzzles.popleft()
            self.under_way[place] = puzzle
            dealt.append((place, puzzle))
        if not dealt:
            return
        try:
            self.connection.send(dealt)
        except OSError:
            raise self._lost() from None

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """What it has found since the last call, without waiting for more.

        Raises WorkerError if the process is gone.
        """
        try:
            while self.connection.poll(0):
                yield from self._received(self.connection.recv())
        except (EOFError, OSError):
            raise self._lost() from None

    def _received(self, message: Solved | Failed) -> Iterator[tuple[int, Outcome]]:
        if isinstance(message, TrmsolveError):
            raise message
        if isinstance(message, str):
            raise RuntimeError(f"an error in {self.process.name}:\n{message}")
        self.is_ready = True
        for place, outcome in message:
            puzzle = self.under_way.pop(place)
            if isinstance(outcome, Answer):
                outcome = replace(outcome, puzzle=puzzle)
            yield place, outcome

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


def _solve_there(connection: Connection, job: Job) -> None:
    """Solve what comes, in a process of its own; ends when nobody listens any more."""
    keep_memory()
    inbox = _Inbox(connection)
    try:
        solver = job.solver()
        connection.send([])
        run = Run(solver, inbox.items(), inbox.put, frames=False)
        for _ in run.cycles():
            inbox.send_solved()
    except OSError:
        return
    except TrmsolveError as error:
        connection.send(error)
    except Exception:
        connection.send(traceback.format_exc())


class _Inbox:
    """The puzzles that come to a worker, and the outcomes that go back.

    A thread reads what comes, so that the sender never waits for a cycle to end.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arrived: queue.SimpleQueue[Dealt] = queue.SimpleQueue()
        self.solved: Solved = []
        self.under_way = 0
        threading.Thread(target=self._read, daemon=True).start()

    def items(self) -> Iterator[Numbered | None]:
        """The puzzles, without an end; None while some are under way and no other has come."""
        while True:
            if self.under_way and self.arrived.empty():
                yield None
                continue
            self.send_solved()
            for place, puzzle in self.arrived.get():
                self.under_way += 1
                yield place, puzzle

    def put(self, place: int, outcome: Outcome) -> None:
        """Take an outcome."""
        self.under_way -= 1
        if isinstance(outcome, Answer):
            outcome = replace(outcome, puzzle=NO_PUZZLE)
        self.solved.append((place, outcome))

    def send_solved(self) -> None:
        """Send the outcomes that are there. Raises OSError if nobody listens."""
        if self.solved:
            self.connection.send(self.solved)
            self.solved = []

    def _read(self) -> None:
        try:
            while True:
                self.arrived.put(self.connection.recv())
        except (EOFError, OSError):
            os._exit(0)  # nobody waits for the work that is under way
