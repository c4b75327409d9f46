"""From tasks to answers: which copies learn, and when they end."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.arc_tasks import drawn_task, same_outputs, same_sizes, task_of
from tests.support.planes import PLANES, network
from trmsolve.arc import solver as arc_solver
from trmsolve.arc.ensemble import solver as ensemble_solver
from trmsolve.arc.ensemble.plan import MOST_GROUPS
from trmsolve.arc.ensemble.rounds import Order, Report
from trmsolve.arc.ensemble.solver import LEARNED_FROM_NOTHING, EnsembleSolver
from trmsolve.arc.planes.solver import PlanesSolver
from trmsolve.arc.solver import BUDGET_CPU, load_arc
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, Item
from trmsolve.device import choose_placement
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.weights.catalog import bundled_weights
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo

pytestmark = pytest.mark.usefixtures("one_thread")

BAD = PuzzleError("no task", "bad.json")
TASK = same_outputs()
TWO_TESTS = task_of([([[1]], [[2]]), ([[2]], [[1]])], [([[1]], None), ([[2]], [[1]])])


def solver(**how: Any) -> EnsembleSolver:
    loaded = load_arc(**{"steps": 1, **how})
    assert isinstance(loaded, EnsembleSolver)
    return loaded


def answered(solver: EnsembleSolver, *items: Item, **how: Any) -> list[ArcAnswer]:
    outcomes = list(solver.solve_all(items, **how))
    answers = [outcome for outcome in outcomes if isinstance(outcome, ArcAnswer)]
    assert len(answers) == len(outcomes)
    return answers


def candidates(answer: ArcAnswer) -> list[list[tuple[list[list[int]], int, float]]]:
    return [
        [(one.grid.tolist(), one.votes, one.halt) for one in found] for found in answer.candidates
    ]


# Which solver it is


def test_without_named_weights_copies_of_both_kinds_learn() -> None:
    loaded = solver(steps=None, threads=2)
    assert loaded.trunk == bundled_weights("arc")
    assert loaded.weights.startswith("arc.safetensors@")
    assert loaded.weights.endswith(" and copies that learn from nothing")
    assert loaded.budget == BUDGET_CPU
    assert loaded.placement.device.type == "cpu"
    assert loaded.groups == 2
    assert solver(steps=None, budget=7.5).budget == 7.5


@pytest.mark.parametrize(
    "how", [{"weights": "none", "steps": None}, {"budget": 10.0}, {"steps": 5}]
)
def test_tasks_are_learned_from_nothing_alone(how: dict[str, Any]) -> None:
    loaded = solver(**{"steps": None, **how})
    assert loaded.trunk is None and loaded.weights == LEARNED_FROM_NOTHING


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_the_precision_is_that_of_the_trained_copies(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = solver(steps=None, dtype=dtype)
    assert loaded.placement.dtype_name == dtype
    assert f"{dtype} for copies of the weights, fp32 for the others" in loaded.placement.reason
    orders: list[Order] = []

    def learn_copies(order: Order, *_: object) -> Iterator[Report]:
        orders.append(order)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(ensemble_solver, "learn_copies", learn_copies)
    with pytest.raises(KeyboardInterrupt):
        list(loaded.solve_all([TWO_TESTS]))
    assert orders[0].dtype == loaded.placement.dtype
    assert solver(steps=None, dtype=dtype, weights="none").placement.dtype_name == "fp32"


def test_no_weights_have_no_views() -> None:
    with pytest.raises(UsageError, match="--views needs weights, and --weights none uses none"):
        load_arc(weights="none", views=2)


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
    assert note.startswith(f"{shown} is for weights alone: the bundled ones are adapted")
    assert isinstance(load_arc(**options), PlanesSolver), "without anybody to tell"


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_other_options_change_no_kind_of_solver(device: str, tmp_path: Path) -> None:
    notes: list[str] = []
    how = {"device": device, "seed": 3, "keep_steps": True, "budget": 200.0, "steps": None}
    assert solver(**how, note=notes.append).weights != LEARNED_FROM_NOTHING
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
    assert (adapting.step, adapting.ended) == (5, "steps")
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


def test_a_kept_moment_is_what_the_network_answered() -> None:
    (answer,) = answered(solver(steps=5, keep_steps=True), TASK)
    (moment,) = answer.steps[-1:]
    assert (moment.number, moment.limit, moment.view, moment.views) == (5, 5, 1, 1)
    assert moment.grid.shape == moment.confidence.shape == (1, 2)


def test_copies_of_both_kinds_answer(small_weights: Path) -> None:
    how = {"steps": None, "budget": 1.0, "threads": 1}
    loaded = solver(**how)
    loaded.trunk = small_weights
    told: list[AdaptationProgress] = []
    (answer,) = answered(loaded, TWO_TESTS, on_adapting=told.append)
    assert answer.adapting is not None and answer.adapting.ended == "budget"
    assert answer.views >= 1 and all(answer.candidates)
