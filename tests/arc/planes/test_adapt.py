"""Copies that learn within a budget, and what is kept of them."""

import math
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task
from tests.support.planes import PLANES, network
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.planes import adapt, clock
from trmsolve.arc.planes.adapt import MOMENTS, Adapted, Adapter
from trmsolve.arc.planes.canvas import canvas_of
from trmsolve.arc.planes.copies import COPY_SEEDS, LearningCopy
from trmsolve.arc.planes.predict import Question, predict
from trmsolve.arc.task import AdaptationProgress, ArcTask
from trmsolve.model.network import TinyRecursiveModel

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = replace(PLANES, latent_steps=1)


@pytest.fixture(scope="module")
def model() -> TinyRecursiveModel:
    return network(SMALL)


def adapter(
    model: TinyRecursiveModel, *tasks: ArcTask, steps: int | None = 12, **how: Any
) -> Adapter:
    budget = Budget(how.pop("seconds", 300.0), steps)
    return Adapter(model, tasks or (drawn_task(),), budget, **how)


def ticking(made: Adapter, monkeypatch: pytest.MonkeyPatch, seconds: float) -> Adapter:
    """The adapter with a clock that goes on by so much whenever it is asked."""
    ticks = count(1)
    now = SimpleNamespace(monotonic=lambda: next(ticks) * seconds)
    monkeypatch.setattr(clock, "time", now)
    made.clock.begun = 0.0
    return made


def equal(one: Adapted, other: Adapted) -> bool:
    if len(one.models) != len(other.models):
        return False
    for ours, theirs in zip(one.models, other.models, strict=True):
        tensors = theirs.state_dict()
        if not all(
            torch.equal(tensor, tensors[name]) for name, tensor in ours.state_dict().items()
        ):
            return False
    return True


def answers(model: TinyRecursiveModel, adapted: Adapted) -> list[Any]:
    return predict(model, Question(drawn_task().tests[0], adapted.canvases[0]), cycles=2)


# How long


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20, 60])
def test_a_budget_in_steps_is_kept_exactly(model: TinyRecursiveModel, steps: int) -> None:
    made = adapter(model, steps=steps)
    adapted = made.adapt()
    assert made.clock.steps == adapted.ended[0].step == steps
    assert adapted.ended[0].ended == "steps"
    assert 1 <= len(adapted.models) <= len(MOMENTS)


def test_steps_are_those_of_one_copy_that_learns_as_it_would_alone(
    model: TinyRecursiveModel,
) -> None:
    adapted = adapter(model, steps=8, seed=3).adapt()
    alone = LearningCopy(model, [drawn_task()], 3 * COPY_SEEDS)
    kept = []
    for step in range(8):
        alone.step(step / 8)
        if (step + 1) / 8 in MOMENTS:
            kept.append(alone.averaged())
    assert equal(adapted, Adapted(kept, [], []))


def test_a_budget_in_seconds_is_shared_by_copies(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []
    begin = LearningCopy.__init__

    def noted(self: LearningCopy, *given: Any, **how: Any) -> None:
        seeds.append(given[2])
        begin(self, *given, **how)

    monkeypatch.setattr(LearningCopy, "__init__", noted)
    monkeypatch.setattr(adapt, "copy_seconds", lambda *_: [1.0, 1.0, 1.0])
    made = ticking(adapter(model, steps=None, seconds=3.0, seed=2), monkeypatch, 0.05)
    adapted = made.adapt()
    (ended,) = adapted.ended
    assert (ended.ended, ended.budget) == ("budget", 3.0)
    assert 3.0 <= ended.seconds < 3.5
    assert seeds == [2 * COPY_SEEDS, 2 * COPY_SEEDS + 1, 2 * COPY_SEEDS + 2]
    assert len(adapted.models) == 3 * len(MOMENTS)


def test_seconds_are_for_each_task(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = adapter(model, drawn_task("a"), drawn_task("b", seed=1), steps=None, seconds=1.0)
    adapted = ticking(made, monkeypatch, 0.02).adapt()
    for ended in adapted.ended:
        assert 1.0 <= ended.seconds < 1.4
        assert ended.budget == 1.0
    assert made.clock.seconds >= 2.0


def test_a_budget_of_less_than_one_step_still_ends(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ticking(adapter(model, steps=None, seconds=0.1), monkeypatch, 5.0)
    adapted = made.adapt()
    assert adapted.ended[0].ended == "budget"
    assert made.clock.steps == 1
    assert len(answers(adapted.models[-1], adapted)) == 8


# Being stopped


@pytest.mark.parametrize("at", [1, 5, 9])
def test_a_stop_ends_it_at_once_with_a_network_to_answer_with(
    model: TinyRecursiveModel, at: int
) -> None:
    reported: list[AdaptationProgress] = []
    made = adapter(model, steps=None, report=reported.append, stop=lambda: len(reported) >= at)
    adapted = made.adapt()
    assert [one.ended for one in adapted.ended] == ["interrupted"] == [reported[-1].ended]
    assert made.clock.steps == at
    (kept,) = adapted.models
    kinds = kept.state_dict()["embed_planes.kinds"]
    assert not torch.equal(kinds, model.state_dict()["embed_planes.kinds"])
    assert len(answers(kept, adapted)) == 8


def test_a_copy_that_has_hardly_begun_does_not_vote_after_a_stop(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt, "copy_seconds", lambda *_: [1.0, 1.0])
    made = ticking(adapter(model, steps=None, seconds=2.0), monkeypatch, 0.05)
    made.stop = lambda: made.clock.steps > 0 and made.clock.seconds > 1.3
    adapted = made.adapt()
    assert adapted.ended[0].ended == "interrupted"
    assert len(adapted.models) == len(MOMENTS)


# The result


def test_the_same_seed_and_steps_learn_the_same_to_the_bit_and_another_seed_does_not(
    model: TinyRecursiveModel,
) -> None:
    first, again, other = (adapter(model, seed=seed).adapt() for seed in (3, 3, 4))
    assert equal(first, again)
    assert not equal(first, other)
    for ours, theirs in zip(first.models, again.models, strict=True):
        grids = [one.grid.tolist() for one in answers(ours, first)]
        assert grids == [one.grid.tolist() for one in answers(theirs, again)]


def test_the_largest_seeds_are_seeds(model: TinyRecursiveModel) -> None:
    adapted = adapter(model, steps=1, seed=2**63 - 1).adapt()
    assert np.isfinite(adapted.ended[0].loss)


def test_tasks_are_learned_together(model: TinyRecursiveModel) -> None:
    reported: list[AdaptationProgress] = []
    tasks = (
        drawn_task("a", 3, seed=1),
        drawn_task("b", 1, seed=2, side=5, colours=(3, 4)),
        drawn_task("c", 2, seed=3),
    )
    adapted = adapter(model, *tasks, steps=20, report=reported.append).adapt()
    assert [one.task for one in adapted.ended] == list(tasks)
    assert adapted.canvases == [canvas_of(task) for task in tasks]
    assert [one.task.name for one in reported[:6]] == ["a", "b", "c"] * 2
    assert reported[-3:] == adapted.ended
    for number, task in enumerate(tasks):
        question = Question(task.tests[0], adapted.canvases[number], number)
        assert len(predict(adapted.models[-1], question, cycles=1)) == 8


def test_what_is_reported_makes_sense(model: TinyRecursiveModel) -> None:
    reported: list[AdaptationProgress] = []
    task = drawn_task()
    adapted = adapter(model, task, seconds=77.0, report=reported.append).adapt()
    for one in reported:
        assert one.task is task
        assert one.budget == 77.0
        assert math.isfinite(one.loss)
    assert [one.step for one in reported] == [*range(1, 13), 12]
    seconds = [one.seconds for one in reported]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    assert [one.ended for one in reported] == [""] * 12 + ["steps"]
    assert reported[-1] == adapted.ended[0]
