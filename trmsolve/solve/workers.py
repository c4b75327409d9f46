"""Several processes solve puzzles together, each with one thread.

The products of a small network are too thin to be shared by threads: two processes with a core each
solve almost twice as much as one, two threads of one process hardly more. This process reads the
puzzles, deals them out, puts the answers in order, and solves a share itself from the first moment
on, so that nothing waits for the others to start. The answers are those of one process, because all
that is random about a puzzle follows from its place. Knows the solver and processes; no puzzle.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.files import Item
from trmsolve.puzzles.given import Given, every_item
from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.solve.any_size import AnySizeNetwork, SharedAnySize
from trmsolve.solve.attempt import Paused
from trmsolve.solve.backend import (
    TORCH_MODULE,
    chooses_onnx,
    has_nvidia_driver,
    probable_batch_size,
    usable_cores,
)
from trmsolve.solve.effort import Effort
from trmsolve.solve.network import LoadOptions, Network, Shared, is_cpu
from trmsolve.solve.onnx_network import OnnxNetwork, share_graph
from trmsolve.solve.solver import Solver
from trmsolve.solve.stream import (
    EVERY_PLACE,
    LOOK_AHEAD,
    InOrder,
    Outcome,
    Places,
    Run,
    answers_in_order,
)
from trmsolve.solve.team import Helper, Job, Team, Work
from trmsolve.wording import count

SERVE_SECONDS = 0.05
"""Time between two looks at the other processes while this one has a batch under way."""

WAIT_SECONDS = 0.02
"""How long this process listens to the others before it looks for more puzzles."""

READ_AHEAD = 2
"""Batches for each process that are read before they are dealt.

The end of the input is then known before the last full batches are dealt.
"""

FINEST = 8
"""The smallest share of a process is a batch divided by this number.

Each row of a smaller batch takes longer.
"""


@dataclass(frozen=True)
class Crew:
    """How many processes may solve, and what is known of the work."""

    asked: int | None = None
    """The number of processes that is asked for; None for the usual one."""
    threads: int | None = None
    """The number of threads that each may use; None for the usual one."""
    puzzles: int | None = None
    """How many puzzles there are; None if it is not known, which means many."""

    def size(self, solver: Solver) -> int:
        """How many processes solve. Raises UsageError if several are asked for beside a GPU."""
        device = solver.placement.device
        if is_cpu(device):
            return self.size_on_cpu(solver.placement.threads, solver.effort.batch_size)
        if self.asked is not None and self.asked > 1:
            raise UsageError(
                f"--workers {self.asked} needs a CPU, but {device} is used: "
                "omit it, or add --device cpu"
            )
        return 1

    def size_on_cpu(self, cores: int, batch_size: int) -> int:
        """How many processes solve on so many cores of a CPU.

        It is one for each core that may be used, if there is more than a batch for each. Where
        only the number of threads is asked for, it bounds the cores, and one process has them all.
        """
        if self.asked is not None:
            return self.asked if self.puzzles is None else max(1, min(self.asked, self.puzzles))
        if self.threads is not None:
            return 1
        if self.puzzles is None:
            return cores
        return max(1, min(cores, -(-self.puzzles // batch_size)))


def start_early(name: str, crew: Crew, options: LoadOptions) -> Team:
    """The processes that the task's solver will probably need beside this one.

    They import what they need while this one loads the network, which takes as long. Whether they
    are needed is certain only then: ``share_out`` takes as many as it needs, and the end of the
    team's block ends the others. Raises UsageError for an impossible backend.
    """
    onnx = chooses_onnx(name, options)
    if not (onnx or _will_be_on_cpu(options.device)):
        return Team()
    batch_size = options.batch_size or probable_batch_size(name)
    workers = crew.size_on_cpu(usable_cores(), batch_size)
    return Team(workers - 1, "onnxruntime" if onnx else TORCH_MODULE)


def _will_be_on_cpu(device: str) -> bool:
    """Whether torch will probably run on the CPU, as far as can be known without it."""
    if device != "auto":
        return is_cpu(device)
    return not has_nvidia_driver() and sys.platform != "darwin"


def share_out(solver: Solver, crew: Crew, team: Team | None = None) -> Solver:
    """The solver as so many processes, or the solver itself where one is best.

    The network then has one thread in this process too, unless the crew says otherwise. Processes
    of the ``team`` are used first. Raises UsageError for a crew that is impossible here.
    """
    workers = crew.size(solver)
    if workers == 1:
        return solver
    shared = _shared(solver.model, crew.threads or 1)
    job = Job(solver.task, solver.placement, solver.effort, shared, solver.weights)
    return SharedSolver(job.solver(), workers, shared, team)


def _shared(network: Network, threads: int) -> Shared:
    """The network for several processes."""
    if isinstance(network, OnnxNetwork):
        return share_graph(network, threads)
    if isinstance(network, AnySizeNetwork):
        own = _shared(network.own, threads)
        return SharedAnySize(own, network.task, network.takes_any_size)
    from trmsolve.solve.torch_network import share_model  # imports torch

    return share_model(network, threads)


class SharedSolver(Solver):
    """A solver whose puzzles are solved by several processes. ``share_out`` makes one."""

    def __init__(
        self, solver: Solver, workers: int, shared: Shared, team: Team | None = None
    ) -> None:
        super().__init__(solver.task, solver.model, solver.placement, solver.effort, solver.weights)
        self.workers = workers
        self.shared = shared
        self.team = team or Team()

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
        return SharedSolver(super().with_effort(effort), self.workers, self.shared, self.team)

    def solve_all(
        self,
        items: Given | Iterable[Given | Item | None],
        on_cycle: Callable[[Cycle], None] | None = None,
        on_answer: Callable[[Answer], None] | None = None,
        on_step: Callable[[], None] | None = None,
        places: Places = EVERY_PLACE,
    ) -> Iterator[Answer | PuzzleError]:
        """As ``Solver.solve_all``; ``on_cycle`` and ``on_step`` see what this process does."""
        ahead = LOOK_AHEAD * self.effort.batch_size * self.workers
        order = InOrder(every_item(self.task, items), ahead, on_answer, places)
        with _started(self) as helpers:
            dealer = _Dealer(order, helpers, self.effort.batch_size)
            own = dealer.own_items()
            watched = on_cycle is not None
            run = Run(self, own, dealer.put, watched, on_step, dealer.take_back)
            yield from answers_in_order(dealer.serving(run.cycles()), order, on_cycle)


class _Dealer:
    """Deals puzzles out to the helpers and to this process, and collects the outcomes.

    Some are read ahead. Each helper has a batch under way and some waiting, so that it can go on
    while nobody looks. Puzzles whose view has failed come back, and are dealt before all others,
    since they may take many more views. When all are read, the rest is dealt in ever smaller
    shares. So all processes end at about one time, though some puzzles take a hundred times as long
    as others.
    """

    def __init__(self, order: InOrder, helpers: list[Helper], batch_size: int) -> None:
        self.order = order
        self.unread = order.items()
        self.helpers = helpers
        self.batch_size = batch_size
        self.ahead: deque[Work] = deque()
        """Puzzles that were read or came back, and are not dealt yet."""
        self.ended = False
        """Whether all puzzles are read."""
        self.here = 0
        """How many puzzles are under way in this process."""
        self.served = 0.0

    def own_items(self) -> Iterator[Work | None]:
        """What this process solves; None while it has its share, and while nothing is there."""
        while True:
            if not self.ahead:
                self._serve()
            if self.ahead and self.here < self._share():
                self.here += 1
                yield self.ahead.popleft()
                continue
            busy = [helper.connection for helper in self.helpers if helper.under_way]
            if self.ended and not (self.ahead or busy or self.here):
                return
            if busy and not self.here:
                wait(busy, WAIT_SECONDS)
            yield None

    def put(self, place: int, outcome: Outcome) -> None:
        """Take an outcome of this process."""
        self.here -= 1
        self.order.put(place, outcome)

    def take_back(self, place: int, paused: Paused) -> None:
        """Take a puzzle of this process whose view has failed."""
        self.here -= 1
        self.ahead.appendleft((place, paused))

    def serving(self, cycles: Iterable[Cycle | None]) -> Iterator[Cycle | None]:
        """The cycles, with the helpers served now and then before one."""
        for cycle in cycles:
            if time.monotonic() - self.served >= SERVE_SECONDS:
                self._serve()
            yield cycle

    def _serve(self) -> None:
        """Collect what the helpers have found, read ahead, and deal."""
        for helper in self.helpers:
            for place, found in helper.outcomes():
                if isinstance(found, Paused):
                    self.ahead.appendleft((place, found))
                else:
                    self.order.put(place, found)
        self._read_ahead()
        for helper in self.helpers:
            helper.deal(self.ahead, self._enough())
        self.served = time.monotonic()

    def _enough(self) -> int:
        """How many puzzles a helper may have, under way and waiting."""
        if self.ended:
            return self._share()
        waiting = len(self.ahead) // (len(self.helpers) + 1)
        return self.batch_size + min(self.batch_size, waiting)

    def _share(self) -> int:
        """How many puzzles a process may have under way: a batch, and less near both ends.

        At first it is few, since a helper that becomes ready waits for the end of a cycle of this
        process. In the end it is the process's part of what is not dealt, so that what is left
        becomes smaller with each dealing, but not more than its part of all that is open.
        """
        smallest = -(-self.batch_size // FINEST)
        if not all(helper.is_ready for helper in self.helpers):
            return smallest
        if not self.ended:
            return self.batch_size
        processes = len(self.helpers) + 1
        not_dealt = len(self.ahead)
        dealt = self.here + sum(len(helper.under_way) for helper in self.helpers)
        part = -(-not_dealt // processes)
        part_of_open = -(-(not_dealt + dealt) // processes)
        return min(self.batch_size, max(part, smallest), part_of_open)

    def _read_ahead(self) -> None:
        """Read some batches for each process, or as much as there is at the moment."""
        most = READ_AHEAD * self.batch_size * (len(self.helpers) + 1)
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
def _started(solver: SharedSolver) -> Iterator[list[Helper]]:
    """The processes beside this one, which end with the block."""
    helpers: list[Helper] = []
    job = Job(solver.task, solver.placement, solver.effort, solver.shared)
    try:
        for number in range(1, solver.workers):
            helper = solver.team.take(number)
            helpers.append(helper)
            helper.employ(job)
        yield helpers
    finally:
        for helper in helpers:
            helper.end()
