"""The reports of several groups of copies, taken together."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.support.arc_tasks import task_of
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.answers import Guess, Status, WeightedGrid
from trmsolve.arc.content import content_hash
from trmsolve.arc.ensemble import solver as ensemble_solver
from trmsolve.arc.ensemble.gathered import MOMENTS, Gathered, candidates_of
from trmsolve.arc.ensemble.rounds import FROM_NOTHING, TRAINED, Order, Report, Tally
from trmsolve.arc.ensemble.solver import EnsembleSolver
from trmsolve.arc.options import ArcOptions
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle
from trmsolve.device import choose_placement
from trmsolve.puzzles.values import Grid

TWO_TESTS = task_of([([[1]], [[2]]), ([[2]], [[1]])], [([[1]], None), ([[2]], [[1]])])


def grid(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


ONE, OTHER, THIRD = grid([1]), grid([2]), grid([1, 2])


def guess(of: Grid) -> Guess:
    return Guess(of, np.full(of.shape, 0.5, np.float32), math.log(2))


def tally(copies: int, *best: WeightedGrid) -> Tally:
    """The same for both tests of ``TWO_TESTS``."""
    return Tally(copies, [list(best)] * 2)


def report(
    group: int,
    step: int,
    *best: WeightedGrid,
    copies: int = 3,
    is_last: bool = False,
    now: Grid = ONE,
) -> Report:
    """A report of copies from nothing in their first round."""
    status = Status(step=step, seconds=2.0, loss=float(group), bits=10.0 * group)
    tallies = {FROM_NOTHING: tally(copies, *best)}
    return Report(group, step, status, FROM_NOTHING, tallies, [guess(now)] * 2, is_last)


def with_trained(one: Report, *best: WeightedGrid) -> Report:
    """The report after a round of a trained copy."""
    return replace(one, tallies={**one.tallies, TRAINED: tally(1, *best)})


def gathered_of(
    *reports: Report, groups: int = 1, steps: int | None = None, keep_steps: bool = False
) -> Gathered:
    order = Order(TWO_TESTS, Budget(300.0, steps), seed=0, together=3)
    found = Gathered(order, groups, keep_steps)
    for one in reports:
        found.add(one)
    return found


def shown(gathered: Gathered) -> list[tuple[list[list[int]], int]]:
    """The candidates of the first test."""
    return [(one.grid.tolist(), one.votes) for one in gathered.candidates()[0]]


Reported = Callable[[list[Report]], None]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Reported:
    """Has the groups report this, and nothing learned; each would have three copies."""

    def set_reports(reports: list[Report]) -> None:
        def learn_copies(*_: object) -> Iterator[Report]:
            yield from reports

        monkeypatch.setattr(ensemble_solver, "learn_copies", learn_copies)
        monkeypatch.setattr(ensemble_solver, "copies_together", lambda *_: 3)

    return set_reports


def two_groups(keep_steps: bool = False) -> EnsembleSolver:
    options = ArcOptions(Budget(300.0), keep_steps=keep_steps)
    return EnsembleSolver(choose_placement("cpu", "fp32", 2), options)


def answer_of(solver: EnsembleSolver, **how: Any) -> ArcAnswer:
    (answer,) = solver.solve_all([TWO_TESTS], **how)
    assert isinstance(answer, ArcAnswer)
    return answer


def test_groups_get_what_they_are_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []

    def learn_copies(order: Order, groups: int, _: object) -> Iterator[Report]:
        orders.append((order, groups))
        yield report(0, 1, WeightedGrid(ONE, 1.0, 1), is_last=True)

    monkeypatch.setattr(ensemble_solver, "learn_copies", learn_copies)
    two = choose_placement("cpu", "fp32", 2)
    trunk = Path("trunk.safetensors")
    answer_of(EnsembleSolver(two, ArcOptions(Budget(9.0), seed=7), trunk))
    answer_of(EnsembleSolver(two, ArcOptions(Budget(300.0, 3))))
    assert orders == [
        (Order(TWO_TESTS, Budget(9.0), 7, together=1, trunk=trunk), 2),
        (Order(TWO_TESTS, Budget(300.0, 3), 0, together=1), 1),
    ]


def test_the_latest_reports_of_all_groups_vote(reported: Reported) -> None:
    early = WeightedGrid(THIRD, 50.0, 3)
    reported(
        [
            report(0, 3, early),
            report(1, 4, WeightedGrid(OTHER, 2.0, 3)),
            report(0, 7, WeightedGrid(ONE, 1.0, 2), WeightedGrid(OTHER, 0.5, 1)),
        ]
    )
    told: list[AdaptationProgress] = []
    answer = answer_of(two_groups(), on_adapting=told.append)
    for found in answer.candidates:
        assert [(one.grid.tolist(), one.votes) for one in found] == [([[2]], 4), ([[1]], 2)]
    assert answer.views == 6, "two groups of three copies"
    # The mean over those that have reported: 3, (3 + 4) / 2 to the even number, (7 + 4) / 2.
    assert [progress.step for progress in told] == [3, 4, 6, 6] and answer.cycles == 6
    last = told[-1]
    # All copies together: three times 7 steps and three times 4 in 2 seconds.
    assert (last.loss, last.bits, last.steps_per_second) == (0.5, 5.0, 16.5)
    assert last.ended == "budget" and last.candidates[0][0].grid.tolist() == [[2]]


def test_a_group_without_a_report_is_left_out(reported: Reported) -> None:
    reported([report(0, 3, WeightedGrid(ONE, 1.0, 1), is_last=True)])
    answer = answer_of(two_groups())
    assert answer.cycles == 3 and answer.candidates[0][0].grid.tolist() == [[1]]


def test_the_first_copy_of_a_group_is_shown_while_it_learns(reported: Reported) -> None:
    best = WeightedGrid(ONE, 1.0, 1)
    reported([report(0, 3, best), report(1, 4, best), report(0, 7, best)])
    told: list[AdaptationProgress] = []
    shown: list[ArcCycle] = []
    answer_of(two_groups(), on_adapting=told.append, on_cycle=shown.append)
    assert not shown, "there are no cycles after the learning"
    for progress, step in zip(told, (3, 3, 7, 7), strict=True):
        moments = progress.moments
        assert [(moment.view, moment.number) for moment in moments] == [(1, step)] * 2
        assert [moment.test for moment in moments] == [0, 1]
        assert moments[0].halt == pytest.approx(0.5)
    views = [progress.moments[0].views for progress in told]
    assert views == [3, 6, 6, 6], "the copies of the groups that have reported"


def test_a_group_that_alone_has_reported_is_shown(reported: Reported) -> None:
    reported([report(1, 4, WeightedGrid(ONE, 1.0, 1), is_last=True)])
    told: list[AdaptationProgress] = []
    answer_of(two_groups(), on_adapting=told.append)
    assert {moment.view for moment in told[0].moments} == {4}, "the first of its three copies"


@pytest.mark.parametrize("number", [1, 2, 15, 16, 17, 33, 200])
def test_moments_of_the_group_that_found_the_answer_are_kept(
    number: int, reported: Reported
) -> None:
    reports = []
    for step in range(1, number + 1):
        is_last = step == number
        reports.append(report(0, step, WeightedGrid(ONE, 1.0, 2), is_last=is_last))
        reports.append(report(1, step, WeightedGrid(OTHER, 2.0, 3), is_last=is_last, now=OTHER))
    reported(reports)
    answer = answer_of(two_groups(keep_steps=True))
    for test in range(2):
        steps = [cycle for cycle in answer.steps if cycle.test == test]
        assert {cycle.view for cycle in steps} == {4}, "the second group found it"
        numbers = [cycle.number for cycle in steps]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 1 and numbers[-1] == number
        assert min(number, MOMENTS // 2) <= len(numbers) <= MOMENTS
    assert [cycle.test for cycle in answer.steps] == sorted(cycle.test for cycle in answer.steps)
    other = answer_of(two_groups())
    assert other.steps == ()


# Votes of all copies


def test_shares_of_votes_are_halt_probabilities() -> None:
    likely = {content_hash(ONE): 0.5, content_hash(OTHER): 0.25}
    found = candidates_of([WeightedGrid(ONE, 4.0, 7), WeightedGrid(OTHER, 1.0, 1)], likely)
    assert [(one.grid.tolist(), one.votes) for one in found] == [([[1]], 7), ([[2]], 1)]
    assert [one.halt for one in found] == pytest.approx([4 / 5, 1 / 5])
    assert [one.chance for one in found] == [0.5, 0.25]


def test_answers_on_which_copies_agree_most_come_first() -> None:
    from_nothing = report(0, 500, WeightedGrid(ONE, 2.0, 2), WeightedGrid(OTHER, 1.0, 1))
    unsure = gathered_of(with_trained(from_nothing, WeightedGrid(THIRD, 0.1, 1)))
    assert shown(unsure) == [([[1]], 2), ([[2]], 1), ([[1, 2]], 1)]
    sure = gathered_of(with_trained(from_nothing, WeightedGrid(THIRD, 0.9, 1)))
    assert shown(sure) == [([[1, 2]], 1), ([[1]], 2), ([[2]], 1)]
    assert sure.copies == 4


def test_what_both_kinds_gave_is_more_likely_than_by_either() -> None:
    one = report(0, 500, WeightedGrid(ONE, 2.0, 2), WeightedGrid(OTHER, 2.0, 2), copies=4)
    both = gathered_of(with_trained(one, WeightedGrid(OTHER, 0.6, 1), WeightedGrid(ONE, 0.4, 0)))
    first, second = both.candidates()[0]
    assert first.grid.tolist() == OTHER.tolist()
    alone = gathered_of(one).candidates()[0][0]
    assert first.chance is not None and second.chance is not None and alone.chance is not None
    assert first.chance > second.chance > alone.chance


def test_equally_likely_answers_are_in_the_order_of_their_votes() -> None:
    one = report(0, 5, WeightedGrid(ONE, 0.3, 0), WeightedGrid(THIRD, 0.6, 0))
    assert shown(gathered_of(one)) == [([[1, 2]], 0), ([[1]], 0)]


def test_learning_ends_where_both_kinds_are_sure() -> None:
    one = report(0, 200, WeightedGrid(ONE, 3.0, 3))
    assert not gathered_of(one).agree()
    assert gathered_of(with_trained(one, WeightedGrid(ONE, 1.0, 1))).agree()
    assert not gathered_of(with_trained(one, WeightedGrid(OTHER, 1.0, 1))).agree()


def test_trained_copies_alone_are_in_the_order_of_their_votes() -> None:
    one = report(0, 5)
    best = [WeightedGrid(ONE, 0.7, 1), WeightedGrid(OTHER, 0.3, 0)]
    found = gathered_of(replace(one, tallies={TRAINED: tally(1, *best)}, kind=TRAINED))
    assert shown(found) == [([[1]], 1), ([[2]], 0)]
    assert not found.agree()


def test_trained_copies_pay_no_bits() -> None:
    trained = replace(report(1, 5, WeightedGrid(ONE, 1.0, 1)), kind=TRAINED)
    trained = replace(trained, status=replace(trained.status, bits=math.nan))
    both = gathered_of(trained, report(0, 7, WeightedGrid(ONE, 1.0, 1)), groups=2)
    progress = both.progress(1.0)
    assert progress.bits == 0.0, "those of the other group"
    # One copy with 5 steps, and three with 7, in 2 seconds.
    assert progress.steps_per_second == (5 + 3 * 7) / 2
    assert gathered_of(trained).progress(1.0).bits is None


@pytest.mark.parametrize(
    ("steps", "favoured", "ended"),
    [
        ((300, 300), (3, 2), "agreed"),
        ((300, 299), (3, 3), "budget"),  # one group has made too few steps
        ((900, 900), (2, 2), "budget"),  # four of six copies are not enough
    ],
)
def test_learning_ends_where_the_copies_agree(
    monkeypatch: pytest.MonkeyPatch, steps: tuple[int, int], favoured: tuple[int, int], ended: str
) -> None:
    stopped = []

    def learn_copies(*arguments: object) -> Iterator[Report]:
        stop = cast("Callable[[], bool]", arguments[-1])
        for group in range(2):
            answers = [WeightedGrid(ONE, 1.0, favoured[group])]
            answers.append(WeightedGrid(OTHER, 0.5, 3 - favoured[group]))
            yield report(group, steps[group], *answers)
        stopped.append(stop())

    monkeypatch.setattr(ensemble_solver, "learn_copies", learn_copies)
    monkeypatch.setattr(ensemble_solver, "copies_together", lambda *_: 3)
    answer = answer_of(two_groups())
    assert answer.adapting is not None
    assert answer.adapting.ended == ended
    assert stopped == [ended == "agreed"]


def test_a_given_number_of_steps_is_made_whether_copies_agree_or_not() -> None:
    agreeing = report(0, 500, WeightedGrid(ONE, 4.0, 4), copies=4)
    assert gathered_of(agreeing).agree()
    assert not gathered_of(agreeing, steps=900).agree()


def test_few_copies_do_not_end_the_learning() -> None:
    assert not gathered_of(report(0, 500, WeightedGrid(ONE, 3.0, 3))).agree()


def test_the_learning_goes_on_until_every_group_has_reported() -> None:
    agreeing = report(0, 500, WeightedGrid(ONE, 6.0, 6), copies=6)
    assert not gathered_of(agreeing, groups=2).agree()


def test_copies_of_an_earlier_round_have_made_enough_steps() -> None:
    agreeing = report(0, 10, WeightedGrid(ONE, 6.0, 6), copies=6)
    assert gathered_of(agreeing).agree()
    assert not gathered_of(agreeing, replace(agreeing, group=1), groups=3).agree()


def test_trained_copies_do_not_count_as_agreeing() -> None:
    one = report(0, 500, WeightedGrid(ONE, 3.0, 3), copies=4)
    assert gathered_of(one).agree()
    one = report(0, 500, WeightedGrid(ONE, 2.0, 2), WeightedGrid(OTHER, 2.0, 2), copies=4)
    assert not gathered_of(with_trained(one, WeightedGrid(ONE, 0.6, 1))).agree()


def test_nobody_agrees_while_a_trained_copy_learns() -> None:
    one = with_trained(report(0, 500, WeightedGrid(ONE, 4.0, 4), copies=4))
    assert not gathered_of(replace(one, kind=TRAINED), groups=2).agree()
