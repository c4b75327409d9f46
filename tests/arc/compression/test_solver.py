"""From tasks to answers without any weights: what the copies found, taken together."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task, same_outputs, same_sizes, task_of
from tests.support.planes import PLANES, network
from trmsolve.arc import solver as arc_solver
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression import solver as compression_solver
from trmsolve.arc.compression.copies import Report
from trmsolve.arc.compression.learning import CompressionLearner, Status
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.solver import (
    LEARNED_FROM_NOTHING,
    MOMENTS,
    MOST_GROUPS,
    CompressionSolver,
    Gathered,
    candidates_of,
)
from trmsolve.arc.compression.votes import Guess, WeightedGrid
from trmsolve.arc.planes.solver import PlanesSolver
from trmsolve.arc.solver import BUDGET_CPU, load_arc
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask, Item
from trmsolve.device import choose_placement
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.values import Grid
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo

pytestmark = pytest.mark.usefixtures("one_thread")

BAD = PuzzleError("no task", "bad.json")
TASK = same_outputs()
TWO_TESTS = task_of([([[1]], [[2]]), ([[2]], [[1]])], [([[1]], None), ([[2]], [[1]])])


def solver(**how: Any) -> CompressionSolver:
    loaded = load_arc(**{"steps": 1, **how})
    assert isinstance(loaded, CompressionSolver)
    return loaded


def answered(solver: CompressionSolver, *items: Item, **how: Any) -> list[ArcAnswer]:
    outcomes = list(solver.solve_all(items, **how))
    answers = [outcome for outcome in outcomes if isinstance(outcome, ArcAnswer)]
    assert len(answers) == len(outcomes)
    return answers


def candidates(answer: ArcAnswer) -> list[list[tuple[list[list[int]], int, float]]]:
    return [
        [(one.grid.tolist(), one.votes, one.halt) for one in found] for found in answer.candidates
    ]


# Which solver it is


def test_without_weights_tasks_are_learned_from_nothing() -> None:
    loaded = solver(steps=None, threads=2)
    assert loaded.weights == LEARNED_FROM_NOTHING
    assert loaded.budget == BUDGET_CPU
    assert loaded.placement.device.type == "cpu"
    assert loaded.groups == 2
    assert solver(steps=None, budget=7.5).budget == 7.5


@pytest.mark.parametrize(("threads", "groups"), [(1, 1), (3, 3), (64, MOST_GROUPS)])
def test_every_thread_has_a_group(threads: int, groups: int) -> None:
    assert solver(steps=None, threads=threads).groups == groups
    assert solver(steps=5, threads=threads).groups == 1


@pytest.fixture
def small_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The smallest network, as if it were the bundled one."""
    path = tmp_path / "small.safetensors"
    state = network(PLANES).state_dict()
    save_weights(path, state, WeightsInfo(PLANES, "arc"), torch.float32)

    def resolve(weights: object, task: str, **_: object) -> Path:
        assert (weights, task) == (None, "arc")
        return path

    monkeypatch.setattr(arc_solver, "resolve", resolve)
    # Whatever device is asked for, this machine has a CPU.
    monkeypatch.setattr(
        arc_solver, "choose_placement", lambda *_: choose_placement("cpu", "fp32", 1)
    )
    return path


@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        ("views", 2, "--views"),
        ("batch", 2, "--batch-size"),
        ("cycles", 3, "--cycles"),
        ("device", "cuda", "--device cuda"),
        ("save_adapted", Path("adapted.safetensors"), "--save-adapted"),
    ],
)
def test_options_of_networks_with_weights_take_the_bundled_ones(
    option: str, value: object, shown: str, small_weights: Path
) -> None:
    notes: list[str] = []
    options: dict[str, Any] = {option: value}
    loaded = load_arc(**options, note=notes.append)
    assert isinstance(loaded, PlanesSolver)
    assert loaded.weights.startswith("small.safetensors@")
    (note,) = notes
    assert note.startswith(f"{shown} needs weights: the bundled ones are adapted")
    assert isinstance(load_arc(**options), PlanesSolver), "without anybody to tell"


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_other_options_take_no_weights(device: str, tmp_path: Path) -> None:
    notes: list[str] = []
    how = {"device": device, "seed": 3, "keep_steps": True, "budget": 2.0, "offline": True}
    assert solver(**how, note=notes.append).weights == LEARNED_FROM_NOTHING
    assert not notes


@pytest.mark.parametrize(
    "how",
    [
        {"steps": 0},
        {"budget": -1.0},
        {"budget": math.nan},
        {"cycles": 0},
        {"seed": -1},
        {"threads": 0},
        {"save_adapted": Path("x"), "batch": 2},
    ],
)
def test_impossible_options_are_told(how: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        load_arc(**how)


# Learning for exactly so many steps


def test_unreadable_items_pass_through_in_order() -> None:
    outcomes = list(solver().solve_all([BAD, TASK, BAD, same_sizes()]))
    assert outcomes[0] is outcomes[2] is BAD
    tasks = [outcome.task for outcome in outcomes if isinstance(outcome, ArcAnswer)]
    assert [len(task.demonstrations) for task in tasks] == [2, 2]


def test_steps_give_the_same_answers_whatever_the_threads() -> None:
    before = torch.get_num_threads()
    found = []
    for threads in (1, 2, 2):
        (answer,) = answered(solver(steps=3, threads=threads, seed=4), TASK)
        assert torch.get_num_threads() == threads, "threads are as they were"
        assert answer.adapting is not None
        found.append((candidates(answer), answer.adapting.loss, answer.adapting.bits))
    assert found[0] == found[1] == found[2]
    torch.set_num_threads(before)


def test_an_answer_tells_how_it_was_learned() -> None:
    told: list[AdaptationProgress] = []
    (answer,) = answered(solver(steps=5), TWO_TESTS, on_adapting=told.append)
    adapting = answer.adapting
    assert adapting is told[-1] and adapting is not None
    assert (adapting.step, adapting.ended, adapting.solved) == (5, "steps", None)
    assert (answer.cycles, answer.views, answer.steps) == (5, 1, ())
    assert adapting.bits is not None and adapting.bits > 0
    assert adapting.steps_per_second is not None and adapting.steps_per_second > 0
    assert 0 < adapting.seconds <= answer.seconds
    assert len(answer.candidates) == 2
    for test, found in enumerate(answer.candidates):
        assert sum(one.halt for one in found) == pytest.approx(1)
        assert sum(one.votes for one in found) == 1, "the only copy favours one grid"
        assert len(answer.attempts(test)) == 2
    moments = adapting.moments
    assert [(moment.test, moment.number, moment.limit) for moment in moments] == [
        (0, 5, 5),
        (1, 5, 5),
    ]
    assert all(0 < moment.halt <= 1 for moment in moments)


def test_a_budget_ends_the_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,) = answered(solver(steps=None, budget=1e-3, threads=1), TASK)
    assert answer.adapting is not None
    assert (answer.adapting.step, answer.adapting.ended) == (1, "budget")
    assert answer.adapting.budget == 1e-3
    assert answer.views == 1, "there is no time for more copies"


def test_stop_answers_the_task_under_way_and_begins_no_other() -> None:
    asked = iter(range(100))
    # Asked before the task and after each step.
    outcomes = list(solver(steps=50).solve_all([TASK, TASK, TASK], stop=lambda: next(asked) >= 3))
    (answer,) = outcomes
    assert isinstance(answer, ArcAnswer) and answer.adapting is not None
    assert (answer.adapting.step, answer.adapting.ended) == (3, "interrupted")
    assert answer.candidates[0]


def test_nothing_is_begun_once_it_is_stopped() -> None:
    assert list(solver().solve_all([TASK, BAD], stop=lambda: True)) == []


def test_extreme_tasks_are_answered() -> None:
    one_cell = task_of([([[1]], [[1]])], [([[0]], None)])
    colours = drawn_task(colours=tuple(range(10)), tests=2)
    for answer in answered(solver(), one_cell, colours):
        assert len(answer.candidates) == len(answer.task.tests)


# The reports of several groups of copies


def grid(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


ONE, OTHER, THIRD = grid([1]), grid([2]), grid([1, 2])


def guess(of: Grid) -> Guess:
    return Guess(of, np.full(of.shape, 0.5, np.float32), math.log(2))


def report(
    group: int, step: int, *best: WeightedGrid, is_last: bool = False, now: Grid = ONE
) -> Report:
    """The same for both tests of ``TWO_TESTS``."""
    status = Status(step=step, seconds=2.0, loss=float(group), bits=10.0 * group)
    return Report(group, status, 3, [list(best)] * 2, [guess(now)] * 2, is_last)


Reported = Callable[[list[Report]], None]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Reported:
    """Has the groups report this, and nothing learned; each would have three copies."""

    def set_reports(reports: list[Report]) -> None:
        def learn_copies(*_: object) -> Iterator[Report]:
            yield from reports

        monkeypatch.setattr(compression_solver, "learn_copies", learn_copies)
        monkeypatch.setattr(compression_solver, "copies_together", lambda *_: 3)

    return set_reports


def two_groups(keep_steps: bool = False) -> CompressionSolver:
    return solver(steps=None, threads=2, keep_steps=keep_steps)


def test_groups_get_what_they_are_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []

    def learn_copies(
        task: ArcTask, budget: Budget, groups: int, seed: int, _: object
    ) -> Iterator[Report]:
        orders.append((task, budget, groups, seed))
        yield report(0, 1, WeightedGrid(ONE, 1.0, 1), is_last=True)

    monkeypatch.setattr(compression_solver, "learn_copies", learn_copies)
    answered(solver(steps=None, threads=2, budget=9.0, seed=7), TWO_TESTS)
    answered(solver(steps=3, threads=2), TWO_TESTS)
    assert orders == [
        (TWO_TESTS, Budget(9.0), 2, 7),
        (TWO_TESTS, Budget(BUDGET_CPU, 3), 1, 0),
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
    (answer,) = answered(two_groups(), TWO_TESTS, on_adapting=told.append)
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
    (answer,) = answered(two_groups(), TWO_TESTS)
    assert answer.cycles == 3 and answer.candidates[0][0].grid.tolist() == [[1]]


def test_the_first_copy_of_a_group_is_shown_while_it_learns(reported: Reported) -> None:
    best = WeightedGrid(ONE, 1.0, 1)
    reported([report(0, 3, best), report(1, 4, best), report(0, 7, best)])
    told: list[AdaptationProgress] = []
    shown: list[ArcCycle] = []
    answered(two_groups(), TWO_TESTS, on_adapting=told.append, on_cycle=shown.append)
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
    answered(two_groups(), TWO_TESTS, on_adapting=told.append)
    assert {moment.view for moment in told[0].moments} == {4}, "the first of its three copies"


@pytest.mark.parametrize("number", [1, 2, 15, 16, 17, 33, 200])
def test_moments_of_the_group_that_found_the_answer_are_kept(
    number: int, reported: Reported
) -> None:
    reports = []
    for step in range(1, number + 1):
        is_last = step == number
        reports.append(report(0, step, WeightedGrid(ONE, 1.0, 2), is_last=is_last))
        reports.append(report(1, step, WeightedGrid(OTHER, 2.0, 1), is_last=is_last, now=OTHER))
    reported(reports)
    (answer,) = answered(two_groups(keep_steps=True), TWO_TESTS)
    for test in range(2):
        steps = [cycle for cycle in answer.steps if cycle.test == test]
        assert {cycle.view for cycle in steps} == {4}, "the second group found it"
        numbers = [cycle.number for cycle in steps]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 1 and numbers[-1] == number
        assert min(number, MOMENTS // 2) <= len(numbers) <= MOMENTS
    assert [cycle.test for cycle in answer.steps] == sorted(cycle.test for cycle in answer.steps)
    (other,) = answered(two_groups(), TWO_TESTS)
    assert other.steps == ()


def test_a_kept_moment_is_what_the_network_answered(reported: Reported) -> None:
    (answer,) = answered(solver(steps=5, keep_steps=True), TASK)
    (moment,) = answer.steps[-1:]
    assert (moment.number, moment.limit, moment.view, moment.views) == (5, 5, 1, 1)
    assert moment.grid.shape == moment.confidence.shape == (1, 2)


# Votes of all copies


def test_equal_answers_are_one_whose_weights_add_up() -> None:
    found = candidates_of(
        [
            WeightedGrid(ONE, 2.0, 3),
            WeightedGrid(OTHER, 3.0, 1),
            WeightedGrid(ONE.astype(np.int64), 2.0, 4),
            WeightedGrid(THIRD, 1.0, 0),
        ]
    )
    assert [(one.grid.tolist(), one.votes) for one in found] == [
        ([[1]], 7),
        ([[2]], 1),
        ([[1, 2]], 0),
    ]
    assert [one.halt for one in found] == pytest.approx([4 / 8, 3 / 8, 1 / 8])


def test_groups_of_copies_learn_and_agree() -> None:
    gathered = Gathered(TASK, groups=2, together=2, options=solver().options)
    for group in range(2):
        learner = CompressionLearner(CompressionPuzzle(TASK), [10 * group, 10 * group + 1])
        learner.step()
        gathered.add(Report(group, learner.status, 2, learner.best(), learner.guesses(), True))
    (found,) = gathered.candidates()
    assert sum(one.votes for one in found) <= gathered.copies
    assert found[0].votes > 0 and sum(one.halt for one in found) == pytest.approx(1)
    assert gathered.progress(1.0).step == 1


def test_grids_of_different_shape_are_different_answers() -> None:
    found = candidates_of(
        [WeightedGrid(grid([1, 1]), 1.0, 1), WeightedGrid(grid([1], [1]), 1.0, 1)]
    )
    assert [one.halt for one in found] == [0.5, 0.5]


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

    monkeypatch.setattr(compression_solver, "learn_copies", learn_copies)
    monkeypatch.setattr(compression_solver, "copies_together", lambda *_: 3)
    (answer,) = answered(two_groups(), TWO_TESTS)
    assert answer.adapting is not None
    assert answer.adapting.ended == ended
    assert stopped == [ended == "agreed"]


def gathered_of(*reports: Report, groups: int = 1, steps: int | None = None) -> Gathered:
    found = Gathered(TASK, groups, together=3, options=solver(steps=steps).options)
    for one in reports:
        found.add(one)
    return found


def test_a_given_number_of_steps_is_made_whether_copies_agree_or_not() -> None:
    agreeing = replace(report(0, 500, WeightedGrid(ONE, 4.0, 4)), copies=4)
    assert gathered_of(agreeing).agree()
    assert not gathered_of(agreeing, steps=900).agree()


def test_few_copies_do_not_end_the_learning() -> None:
    assert not gathered_of(report(0, 500, WeightedGrid(ONE, 3.0, 3))).agree()


def test_the_learning_goes_on_until_every_group_has_reported() -> None:
    agreeing = replace(report(0, 500, WeightedGrid(ONE, 6.0, 6)), copies=6)
    assert not gathered_of(agreeing, groups=2).agree()


def test_copies_of_an_earlier_round_have_made_enough_steps() -> None:
    agreeing = replace(report(0, 10, WeightedGrid(ONE, 6.0, 6)), copies=6)
    assert gathered_of(agreeing).agree()
    assert not gathered_of(agreeing, replace(agreeing, group=1), groups=3).agree()
