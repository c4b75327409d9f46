"""From ARC tasks to two attempts each: learn each task from nothing, and let all copies vote."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch

from trmsolve.arc.compression.copies import (
    LEAST_STEPS,
    MOST_GROUPS,
    Report,
    copies_together,
    groups_that_fit,
    learn_copies,
    machine_memory,
)
from trmsolve.arc.compression.votes import WeightedGrid, combined
from trmsolve.arc.content import content_hash
from trmsolve.arc.options import ArcOptions
from trmsolve.arc.task import (
    AdaptationProgress,
    ArcAnswer,
    ArcCycle,
    ArcTask,
    Candidate,
    Item,
    ignore,
    never,
)
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError

AGREEING = 0.75
"""Learning ends early if this share of the copies favours the same answers."""

LEAST_COPIES = 4
"""Agreement of fewer copies means little."""

MOMENTS = 16
"""The number of moments of the learning that are kept for ``keep_steps``."""

LEARNED_FROM_NOTHING = "none: every task is learned from nothing"
"""The text that stands in place of the name of weights."""


class CompressionSolver:
    """Learns each task from nothing before it answers. ``load_arc`` makes one."""

    def __init__(self, placement: Placement, options: ArcOptions) -> None:
        self.placement = placement
        self.options = options
        self.weights = LEARNED_FROM_NOTHING
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
        together = copies_together(task, self.options.budget)
        groups = groups_that_fit(task, self.options.budget, self.groups, machine_memory())
        gathered = Gathered(task, groups, together, self.options)
        ended = ""

        def is_over() -> bool:
            nonlocal ended
            if not ended and stop():
                ended = "interrupted"
            return ended != ""

        reports = learn_copies(task, self.options.budget, groups, self.options.seed, is_over)
        with _one_thread():
            for report in reports:
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


@dataclass
class Gathered:
    """What the groups of copies have reported of one task."""

    task: ArcTask
    groups: int
    # Copies that learn together in each group.
    together: int
    options: ArcOptions
    latest: dict[int, Report] = field(default_factory=dict)
    # Each group's reports, thinned out to some of all times.
    kept: dict[int, list[Report]] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Take the report of a group."""
        self.latest[report.group] = report
        if self.options.keep_steps:
            kept = self.kept.setdefault(report.group, [])
            kept.append(report)
            if len(kept) > 2 * MOMENTS:
                del kept[1:-1:2]

    def agree(self) -> bool:
        """Whether so many copies agree on all tests that more steps are not worth their time."""
        if self.options.budget.steps is not None or self.copies < LEAST_COPIES:
            return False
        if len(self.latest) < self.groups:
            return False
        steps = min(report.status.step for report in self.latest.values())
        if steps < LEAST_STEPS and self.copies == self.groups * self.together:
            return False
        enough = AGREEING * self.copies
        return all(found[0].votes >= enough for found in self.candidates())

    @property
    def copies(self) -> int:
        """How many copies vote: those of all rounds."""
        return sum(report.copies for report in self.latest.values())

    def candidates(self) -> tuple[tuple[Candidate, ...], ...]:
        """For each test the answers of all copies, best first."""
        tests = range(len(self.task.tests))
        return tuple(self._candidates(test) for test in tests)

    def progress(self, seconds: float, ended: str = "") -> AdaptationProgress:
        """How far the copies are, taken together."""
        reports = list(self.latest.values())
        statuses = [report.status for report in reports]
        steps = [status.step for status in statuses]
        speeds = [self.together * status.steps_per_second for status in statuses]
        return AdaptationProgress(
            task=self.task,
            step=round(np.mean(steps)),
            seconds=seconds,
            budget=self.options.budget.seconds,
            loss=float(np.mean([status.loss for status in statuses])),
            ended=ended,
            bits=float(np.mean([status.bits for status in statuses])),
            steps_per_second=sum(speeds),
            candidates=self.candidates(),
            moments=tuple(self.cycles(reports[0])),
        )

    def cycles(self, report: Report) -> list[ArcCycle]:
        """What the first copy of a group answered at the moment of its report, for each test."""
        limit = self.options.budget.steps or report.status.step
        cycles = []
        for test, guess in enumerate(report.guesses):
            cycles.append(
                ArcCycle(
                    task=self.task,
                    test=test,
                    number=report.status.step,
                    limit=limit,
                    view=report.group * self.together + 1,
                    views=self.copies,
                    grid=guess.grid,
                    confidence=guess.confidence,
                    halt=math.exp(-guess.doubt),
                )
            )
        return cycles

    def kept_steps(self) -> tuple[ArcCycle, ...]:
        """For each test the moments of the group that found its first attempt."""
        if not self.kept:
            return ()
        steps: list[ArcCycle] = []
        for test, candidates in enumerate(self.candidates()):
            reports = self.kept[self._finder(test, candidates[0])]
            last = reports[-1]
            earlier = reports[:-1]
            chosen = earlier[:: max(len(earlier) // (MOMENTS - 1), 1)][: MOMENTS - 1]
            for report in [*chosen, last]:
                steps.append(self.cycles(report)[test])
        return tuple(steps)

    def _finder(self, test: int, candidate: Candidate) -> int:
        """The group that gave most votes to an answer."""
        key = content_hash(candidate.grid)
        best = max(self.latest)
        most_votes = -math.inf
        for group, report in self.latest.items():
            for answer in report.best[test]:
                if content_hash(answer.grid) == key and answer.votes > most_votes:
                    best = group
                    most_votes = answer.votes
        return best

    def _candidates(self, test: int) -> tuple[Candidate, ...]:
        answers: list[WeightedGrid] = []
        for report in self.latest.values():
            answers += report.best[test]
        return candidates_of(answers)


def candidates_of(answers: Iterable[WeightedGrid]) -> tuple[Candidate, ...]:
    """Equal answers of all copies together, those with most votes first.

    The share of all votes that an answer has is its halt probability.
    """
    ordered = combined(answers)
    total = sum(answer.votes for answer in ordered)
    found = []
    for answer in ordered:
        found.append(Candidate(answer.grid, answer.copies, answer.votes / total))
    return tuple(found)
