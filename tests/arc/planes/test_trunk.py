"""A copy of a trained network that learns one task."""

import math

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task, same_sizes
from tests.support.planes import PLANES, network
from trmsolve.arc.planes import trunk
from trmsolve.arc.planes.trunk import MOMENTS, TrunkLearner
from trmsolve.arc.task import ArcTask

pytestmark = pytest.mark.usefixtures("one_thread")


class Clock:
    """Goes on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trunk, "time", Clock())


def learned(task: ArcTask, steps: int, seconds: float = 20.0, seed: int = 0) -> TrunkLearner:
    learner = TrunkLearner(network(), task, seconds, seed)
    for _ in range(steps):
        learner.step()
    return learner


def found(learner: TrunkLearner) -> list[tuple[list[list[int]], float, int]]:
    return [(one.grid.tolist(), one.votes, one.copies) for one in learner.best()[0]]


def test_the_first_step_gives_an_answer_to_every_test() -> None:
    task = drawn_task(tests=2)
    learner = learned(task, 1)
    assert learner.status.step == 1 and learner.status.seconds == 1.0
    assert math.isnan(learner.status.bits) and learner.status.loss > 0
    assert len(learner.best()) == len(learner.guesses()) == 2
    for best, guess in zip(learner.best(), learner.guesses(), strict=True):
        assert sum(one.votes for one in best) == pytest.approx(1)
        assert guess.grid.shape == guess.confidence.shape


def test_a_copy_shares_one_vote_and_has_one_favourite() -> None:
    for steps in (1, 12, 20):
        for best in learned(same_sizes(), steps).best():
            votes = [one.votes for one in best]
            assert votes == sorted(votes, reverse=True) and sum(votes) == pytest.approx(1)
            assert [one.copies for one in best] == [1] + [0] * (len(best) - 1)


def test_it_answers_at_its_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(TrunkLearner, "_answer", lambda _, moment: asked.append(moment.part))
    learner = learned(same_sizes(), 0)
    for expected in (0, 10, 15, 19):
        while learner.status.step <= expected:
            before = len(asked)
            learner.step()
        assert len(asked) == before + 1, f"at step {expected} of 20"
    assert asked == [moment.part for moment in MOMENTS]
    assert learned(same_sizes(), 30).status.step == 30, "it may go on"


def test_the_first_answer_counts_next_to_nothing() -> None:
    learner = learned(same_sizes(), 1)
    first = {one.grid.tobytes() for one in learner.best()[0]}
    for _ in range(20):
        learner.step()
    (best, *_others) = learner.best()[0]
    assert best.votes > 0.01
    only_first = [one for one in learner.best()[0] if one.grid.tobytes() in first]
    assert sum(one.votes for one in only_first if one is not best) <= 1.0


def test_the_loss_falls() -> None:
    learner = TrunkLearner(network(), same_sizes(), 60.0, 0)
    losses = []
    for _ in range(60):
        learner.step()
        losses.append(learner.status.loss)
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_the_seed_decides_everything_but_the_clock() -> None:
    first, again, other = (learned(same_sizes(), 12, seed=seed) for seed in (1, 1, 2))
    assert found(first) == found(again)
    assert first.status.loss == again.status.loss != other.status.loss


def test_the_network_is_not_changed() -> None:
    model = network()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learner = TrunkLearner(model, same_sizes(), 5.0, 0)
    for _ in range(4):
        learner.step()
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert model.config == PLANES


def test_answers_of_tests_are_never_seen() -> None:
    from dataclasses import replace

    from trmsolve.arc.task import Pair

    task = same_sizes()
    (test,) = task.tests
    losses = set()
    for output in (test.output, None):
        changed = replace(task, tests=(Pair(test.input, output),))
        losses.add(learned(changed, 4).status.loss)
    assert len(losses) == 1
