"""From ARC tasks to two attempts each: copies of two kinds of networks learn a task, and vote."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from trmsolve.arc.ensemble.gathered import Gathered
from trmsolve.arc.ensemble.plan import (
    MOST_GROUPS,
    copies_together,
    groups_that_fit,
    machine_memory,
)
from trmsolve.arc.ensemble.processes import learn_copies
from trmsolve.arc.ensemble.rounds import Order
from trmsolve.arc.options import ArcOptions
from trmsolve.arc.task import (
    AdaptationProgress,
    ArcAnswer,
    ArcCycle,
    ArcTask,
    Item,
    ignore,
    never,
)
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError

LEARNED_FROM_NOTHING = "none: every task is learned from nothing"
"""The text that stands in place of the name of weights."""


class EnsembleSolver:
    """Learns each task before it answers. ``load_arc`` makes one.

    Args:
        placement: How many threads there are; a group of copies learns on each. Its dtype is that
            of the trained network; copies from nothing always compute in fp32.
        options: How long tasks are learned.
        trunk: The weights of a trained network, with which some copies begin; None if all copies
            learn from nothing.
        weights: The name of these weights.
    """

    def __init__(
        self,
        placement: Placement,
        options: ArcOptions,
        trunk: Path | None = None,
        weights: str = LEARNED_FROM_NOTHING,
    ) -> None:
        self.placement = placement
        self.options = options
        self.trunk = trunk
        self.weights = weights
        # A run of exactly so many steps must not depend on the machine.
        self.groups = 1
        if options.budget.steps is None:
            self.groups = min(placement.threads, MOST_GROUPS)

    @property
    def budget(self) -> float:
        """Seconds a task."""
        return self.options.budget.seconds

    def solve_all(
        self,
        items: Iterable[Item],
        on_adapting: Callable[[AdaptationProgress], None] | None = None,
        on_cycle: Callable[[ArcCycle], None] | None = None,  # noqa: ARG002 (as the other solvers)
        stop: Callable[[], bool] = never,
    ) -> Iterator[ArcAnswer | PuzzleError]:
        """An answer for each task, in order; items that could not be read pass through.

        ``on_adapting`` is told of the learning and of the answers so far; there are no cycles after
        it. Once ``stop`` is true, the task under way is answered with what is learned, and no
        other is begun.
        """
        for item in items:
            if stop():
                return
            if isinstance(item, PuzzleError):
                yield item
            else:
                yield self._answer(item, on_adapting or ignore, stop)

    def _answer(
        self,
        task: ArcTask,
        on_adapting: Callable[[AdaptationProgress], None],
        stop: Callable[[], bool],
    ) -> ArcAnswer:
        begun = time.monotonic()
        budget = self.options.budget
        together = copies_together(task, budget)
        groups = groups_that_fit(task, together, self.groups, machine_memory())
        order = Order(task, budget, self.options.seed, together, self.trunk, self.placement.dtype)
        gathered = Gathered(order, groups, self.options.keep_steps)
        ended = ""

        def is_over() -> bool:
            nonlocal ended
            if not ended and stop():
                ended = "interrupted"
            return ended != ""

        with _one_thread():
            for report in learn_copies(order, groups, is_over):
                gathered.add(report)
                on_adapting(gathered.progress(time.monotonic() - begun))
                if not ended and gathered.agree():
                    ended = "agreed"
        ended = ended or self._natural_end()
        seconds = time.monotonic() - begun
        progress = gathered.progress(seconds, ended)
        on_adapting(progress)
        return ArcAnswer(
            task=task,
            candidates=gathered.candidates(),
            adapting=progress,
            cycles=progress.step,
            views=gathered.copies,
            seconds=seconds,
            steps=gathered.kept_steps(),
        )

    def _natural_end(self) -> str:
        return "budget" if self.options.budget.steps is None else "steps"


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: other cores have copies of their own, and sums keep their order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
