"""From tasks to answers without any weights: what the copies found, taken together."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task, same_outputs, same_sizes, task_of
from tests.support.planes import PLANES, network
from trmsolve.arc import solver as arc_solver
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression import solver as compression_solver
from trmsolve.arc.compression.copies import Report
from trmsolve.arc.compression.learning import Status
from trmsolve.arc.compression.solver import (
    LEARNED_FROM_NOTHING,
    MOMENTS,
    MOST_COPIES,
    CompressionSolver,
    merged,
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
    assert loaded.copies == 2
    assert solver(steps=None, budget=7.5).budget == 7.5


@pytest.mark.parametrize(("threads", "copies"), [(1, 1), (3, 3), (64, MOST_COPIES)])
def test_every_thread_has_a_copy(threads: int, copies: int) -> None:
    assert solver(steps=None, threads=threads).copies == copies
    assert solver(steps=5, threads=threads).copies == 1


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
    ("option", "value"),
    [
        ("views", 2),
        ("batch", 2),
        ("cycles", 3),
        ("device", "cuda"),
        ("save_adapted", Path("adapted.safetensors")),
    ],
)
def test_options_of_networks_with_weights_take_the_bundled_ones(
    option: str, value: object, small_weights: Path
) -> None:
    notes: list[str] = []
    options: dict[str, Any] = {option: value}
    loaded = load_arc(**options, note=notes.append)
    assert isinstance(loaded, PlanesSolver)
    assert loaded.weights.startswith("small.safetensors@")
    (note,) = notes
    assert note.startswith(f"{option} ") and "bundled weights" in note
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
        (answer,) = answered(solver(steps=5, threads=threads, seed=4), TASK)
        assert torch.get_num_threads() == threads, "threads are as they were"
        assert answer.adapting is not None
        found.append((candidates(answer), answer.adapting.loss, answer.adapting.bits))
    assert found[0] == found[1] == found[2]
    torch.set_num_threads(before)


def test_an_answer_tells_how_it_was_learned() -> None:
    told: list[AdaptationProgress] = []
    shown: list[ArcCycle] = []
    (answer,) = answered(solver(steps=5), TWO_TESTS, on_adapting=told.append, on_cycle=shown.append)
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
        assert len(answer.attempts(test)) == 2
    assert [(cycle.test, cycle.number, cycle.limit) for cycle in shown[-2:]] == [
        (0, 5, 5),
        (1, 5, 5),
    ]
    assert all(0 < cycle.halt <= 1 for cycle in shown)


def test_a_budget_ends_the_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    (answer,) = answered(solver(steps=None, budget=1e-3, threads=1), TASK)
    assert answer.adapting is not None
    assert (answer.adapting.step, answer.adapting.ended) == (1, "budget")
    assert answer.adapting.budget == 1e-3


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


# What several copies report


def grid(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


ONE, OTHER, THIRD = grid([1]), grid([2]), grid([1, 2])


def guess(of: Grid) -> Guess:
    return Guess(of, np.full(of.shape, 0.5, np.float32), math.log(2))


def report(
    copy: int, step: int, *best: WeightedGrid, is_last: bool = False, now: Grid = ONE
) -> Report:
    """The same for both tests of ``TWO_TESTS``."""
    status = Status(step=step, seconds=2.0, loss=float(copy), bits=10.0 * copy)
    return Report(copy, status, [list(best)] * 2, [guess(now)] * 2, is_last)


Reported = Callable[[list[Report]], None]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Reported:
    """Has the copies report this, and nothing learned."""

    def set_reports(reports: list[Report]) -> None:
        def learn_copies(*_: object) -> Iterator[Report]:
            yield from reports

        monkeypatch.setattr(compression_solver, "learn_copies", learn_copies)

    return set_reports


def two_copies(keep_steps: bool = False) -> CompressionSolver:
    return solver(steps=None, threads=2, keep_steps=keep_steps)


def test_copies_get_what_they_are_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []

    def learn_copies(
        task: ArcTask, budget: Budget, copies: int, seed: int, _: object
    ) -> Iterator[Report]:
        orders.append((task, budget, copies, seed))
        yield report(0, 1, WeightedGrid(ONE, 0.0, 1), is_last=True)

    monkeypatch.setattr(compression_solver, "learn_copies", learn_copies)
    answered(solver(steps=None, threads=2, budget=9.0, seed=7), TWO_TESTS)
    answered(solver(steps=3, threads=2), TWO_TESTS)
    assert orders == [
        (TWO_TESTS, Budget(9.0), 2, 7),
        (TWO_TESTS, Budget(BUDGET_CPU, 3), 1, 0),
    ]


def test_the_latest_reports_of_all_copies_vote(reported: Reported) -> None:
    early = WeightedGrid(THIRD, 50.0, 1)
    reported(
        [
            report(0, 3, early),
            report(1, 4, WeightedGrid(OTHER, 2.0, 4)),
            report(0, 7, WeightedGrid(ONE, 1.0, 2), WeightedGrid(OTHER, 0.0, 1)),
        ]
    )
    told: list[AdaptationProgress] = []
    (answer,) = answered(two_copies(), TWO_TESTS, on_adapting=told.append)
    for found in answer.candidates:
        assert [(one.grid.tolist(), one.votes) for one in found] == [([[2]], 5), ([[1]], 2)]
    assert answer.views == 2 and answer.cycles == 11
    assert [progress.step for progress in told] == [3, 7, 11, 11]
    last = told[-1]
    assert (last.loss, last.bits, last.steps_per_second) == (0.5, 5.0, 5.5)
    assert last.ended == "budget" and last.candidates[0][0].grid.tolist() == [[2]]


def test_a_copy_without_a_report_is_left_out(reported: Reported) -> None:
    reported([report(0, 3, WeightedGrid(ONE, 0.0, 1), is_last=True)])
    (answer,) = answered(two_copies(), TWO_TESTS)
    assert answer.cycles == 3 and answer.candidates[0][0].grid.tolist() == [[1]]


def test_the_first_copy_alone_is_shown_while_it_learns(reported: Reported) -> None:
    best = WeightedGrid(ONE, 0.0, 1)
    reported([report(0, 3, best), report(1, 4, best), report(0, 7, best)])
    shown: list[ArcCycle] = []
    answered(two_copies(), TWO_TESTS, on_cycle=shown.append)
    assert [(cycle.view, cycle.test, cycle.number) for cycle in shown] == [
        (1, 0, 3),
        (1, 1, 3),
        (1, 0, 7),
        (1, 1, 7),
    ]
    assert shown[0].halt == pytest.approx(0.5) and shown[0].views == 2


@pytest.mark.parametrize("number", [1, 2, 15, 16, 17, 33, 200])
def test_moments_of_the_copy_that_found_the_answer_are_kept(
    number: int, reported: Reported
) -> None:
    reports = []
    for step in range(1, number + 1):
        is_last = step == number
        reports.append(report(0, step, WeightedGrid(ONE, 1.0, 2), is_last=is_last))
        reports.append(report(1, step, WeightedGrid(OTHER, 2.0, 1), is_last=is_last, now=OTHER))
    reported(reports)
    (answer,) = answered(two_copies(keep_steps=True), TWO_TESTS)
    for test in range(2):
        steps = [cycle for cycle in answer.steps if cycle.test == test]
        assert {cycle.view for cycle in steps} == {2}, "the second copy found it"
        numbers = [cycle.number for cycle in steps]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == 1 and numbers[-1] == number
        assert min(number, MOMENTS // 2) <= len(numbers) <= MOMENTS
    assert [cycle.test for cycle in answer.steps] == sorted(cycle.test for cycle in answer.steps)
    (other,) = answered(two_copies(), TWO_TESTS)
    assert other.steps == ()


def test_a_kept_moment_is_what_the_network_answered(reported: Reported) -> None:
    (answer,) = answered(solver(steps=5, keep_steps=True), TASK)
    (moment,) = answer.steps[-1:]
    assert (moment.number, moment.limit, moment.view, moment.views) == (5, 5, 1, 1)
    assert moment.grid.shape == moment.confidence.shape == (1, 2)


# Votes of all copies


def test_equal_answers_are_one_whose_weights_add_up() -> None:
    found = merged(
        [
            WeightedGrid(ONE, math.log(2), 3),
            WeightedGrid(OTHER, math.log(3), 1),
            WeightedGrid(ONE.astype(np.int64), math.log(2), 4),
            WeightedGrid(THIRD, math.log(1), 9),
        ]
    )
    assert [(one.grid.tolist(), one.votes) for one in found] == [
        ([[1]], 7),
        ([[2]], 1),
        ([[1, 2]], 9),
    ]
    assert [one.halt for one in found] == pytest.approx([4 / 8, 3 / 8, 1 / 8])


def test_grids_of_different_shape_are_different_answers() -> None:
    found = merged([WeightedGrid(grid([1, 1]), 0.0, 1), WeightedGrid(grid([1], [1]), 0.0, 1)])
    assert [one.halt for one in found] == [0.5, 0.5]


def test_tiny_weights_still_have_shares() -> None:
    found = merged([WeightedGrid(ONE, -5000.0, 1), WeightedGrid(OTHER, -5001.0, 1)])
    assert [one.halt for one in found] == pytest.approx([0.7311, 0.2689], abs=1e-3)
