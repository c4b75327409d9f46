"""What all groups of copies have reported of one task, taken together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trmsolve.arc.answers import WeightedGrid, combined
from trmsolve.arc.content import content_hash
from trmsolve.arc.ensemble.confidence import SURE, chance, chance_of_any
from trmsolve.arc.ensemble.plan import LEAST_STEPS
from trmsolve.arc.ensemble.rounds import FROM_NOTHING, TRAINED, Order, Report, Tally
from trmsolve.arc.task import AdaptationProgress, ArcCycle, Candidate

AGREEING = 0.75
"""Learning ends early if this share of the copies from nothing favours the same answers."""

LEAST_COPIES = 4
"""Agreement of fewer copies means little."""

MOMENTS = 16
"""The number of moments of the learning that are kept for the steps of an answer."""


@dataclass
class Gathered:
    """The reports of the groups that follow an order.

    Attributes:
        order: What the groups do.
        groups: How many they are.
        keep_steps: Whether reports of all times are kept, and not only the latest.
        latest: The last report of each group.
    """

    order: Order
    groups: int
    keep_steps: bool = False
    latest: dict[int, Report] = field(default_factory=dict)
    # Each group's reports, thinned out to some of all times.
    kept: dict[int, list[Report]] = field(default_factory=dict)
    # The answers since the last report: both the display and the end of learning ask for them.
    _found: tuple[tuple[Candidate, ...], ...] | None = None

    def add(self, report: Report) -> None:
        """Take the report of a group."""
        self.latest[report.group] = report
        self._found = None
        if self.keep_steps:
            kept = self.kept.setdefault(report.group, [])
            kept.append(report)
            if len(kept) > 2 * MOMENTS:
                del kept[1:-1:2]

    def agree(self) -> bool:
        """Whether so many copies agree on all tests that more steps are not worth their time."""
        tally = self._tally(FROM_NOTHING)
        if self.order.budget.steps is not None or tally is None:
            return False
        if all((found[0].chance or 0.0) >= SURE for found in self.candidates()):
            return True
        if tally.copies < LEAST_COPIES or not self._have_learned(tally.copies):
            return False
        enough = AGREEING * tally.copies
        return all(answers[0].copies >= enough for answers in tally.best)

    def _have_learned(self, copies: int) -> bool:
        """Whether every group has copies from nothing that have learned for some time."""
        if len(self.latest) < self.groups:
            return False
        if copies > self.groups * self.order.together:
            return True  # a round is over
        for report in self.latest.values():
            if report.kind != FROM_NOTHING or report.status.step < LEAST_STEPS:
                return False
        return True

    @property
    def copies(self) -> int:
        """How many copies vote: those of all rounds and kinds."""
        found = 0
        for report in self.latest.values():
            for tally in report.tallies.values():
                found += tally.copies
        return found

    def candidates(self) -> tuple[tuple[Candidate, ...], ...]:
        """For each test the answers of all copies, those that are most likely right first."""
        if self._found is None:
            tests = range(len(self.order.task.tests))
            self._found = tuple(self._candidates(test) for test in tests)
        return self._found

    def _candidates(self, test: int) -> tuple[Candidate, ...]:
        answers: list[WeightedGrid] = []
        chances: dict[str, list[float]] = {}
        for kind in (FROM_NOTHING, TRAINED):
            tally = self._tally(kind)
            if tally is None:
                continue
            for answer in tally.best[test]:
                answers.append(answer)
                of_grid = chances.setdefault(content_hash(answer.grid), [])
                of_grid.append(chance(kind, answer, tally.copies))
        together = combined(answers)
        likely = {key: chance_of_any(found) for key, found in chances.items()}
        # Stable: answers that are equally likely stay in the order of their votes.
        together.sort(key=lambda answer: -likely[content_hash(answer.grid)])
        return candidates_of(together, likely)

    def _tally(self, kind: str) -> Tally | None:
        """The answers of one kind of copies in all groups; None before there are any."""
        found: Tally | None = None
        for report in self.latest.values():
            tally = report.tallies.get(kind)
            if tally is not None:
                found = tally if found is None else found.plus(tally)
        return found

    def progress(self, seconds: float, ended: str = "") -> AdaptationProgress:
        """How far the copies are, taken together."""
        reports = list(self.latest.values())
        statuses = [report.status for report in reports]
        speeds = []
        for report in reports:
            together = self.order.together if report.kind == FROM_NOTHING else 1
            speeds.append(together * report.status.steps_per_second)
        bits = [status.bits for status in statuses if not math.isnan(status.bits)]
        return AdaptationProgress(
            task=self.order.task,
            step=round(np.mean([report.steps for report in reports])),
            seconds=seconds,
            budget=self.order.budget.seconds,
            loss=float(np.mean([status.loss for status in statuses])),
            ended=ended,
            bits=float(np.mean(bits)) if bits else None,
            steps_per_second=sum(speeds),
            candidates=self.candidates(),
            moments=tuple(self.cycles(reports[0])),
        )

    def cycles(self, report: Report) -> list[ArcCycle]:
        """What the first copy of a group answered at the moment of its report, for each test."""
        limit = self.order.budget.steps or report.steps
        cycles = []
        for test, guess in enumerate(report.guesses):
            cycles.append(
                ArcCycle(
                    task=self.order.task,
                    test=test,
                    number=report.steps,
                    limit=limit,
                    view=report.group * self.order.together + 1,
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
            for tally in report.tallies.values():
                for answer in tally.best[test]:
                    if content_hash(answer.grid) == key and answer.votes > most_votes:
                        best = group
                        most_votes = answer.votes
        return best


def candidates_of(
    answers: list[WeightedGrid], likely: Mapping[str, float]
) -> tuple[Candidate, ...]:
    """The answers as candidates, in their order.

    The share of all votes that an answer has is its halt probability. ``likely`` says how likely a
    grid is right, by its digest.
    """
    total = sum(answer.votes for answer in answers)
    found = []
    for answer in answers:
        right = likely[content_hash(answer.grid)]
        found.append(Candidate(answer.grid, answer.copies, answer.votes / total, right))
    return tuple(found)
