"""The rounds of a group, and which of its answers count."""

import math
import time
from pathlib import Path

import pytest
import torch

from tests.support.arc_tasks import same_outputs
from tests.support.copies import answers, best_of
from tests.support.planes import PLANES, network
from tests.support.terminal import PATIENCE
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.answers import combined
from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.ensemble import rounds
from trmsolve.arc.ensemble.plan import MOST_GROUPS
from trmsolve.arc.ensemble.rounds import (
    FROM_NOTHING,
    TRAINED,
    Order,
    Report,
    copy_seed,
    reports,
)
from trmsolve.arc.task import never
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo

pytestmark = pytest.mark.usefixtures("one_thread")

TASK = same_outputs()


def learned_here(steps: int, copy: int) -> CompressionLearner:
    learner = CompressionLearner(CompressionPuzzle(TASK), [copy_seed(3, copy)])
    for _ in range(steps):
        learner.step()
    return learner


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of two steps, of which the first counts."""
    monkeypatch.setattr(rounds, "ENOUGH_STEPS", 2)
    monkeypatch.setattr(rounds, "LEAST_STEPS", 1)
    monkeypatch.setattr(rounds, "REPORT_SECONDS", 0.0)


def rounds_of_one_copy(steps: int, trunk: Path | None = None) -> list[Report]:
    """The reports of all steps of a group that is stopped after so many."""
    made = []

    def stop() -> bool:
        made.append(True)
        return len(made) == steps

    order = Order(TASK, Budget(PATIENCE), seed=3, together=1, trunk=trunk)
    return list(reports(order, 0, time.monotonic() + PATIENCE, stop))


@pytest.mark.usefixtures("short_rounds")
def test_new_copies_learn_when_the_others_have_learned_enough() -> None:
    found = rounds_of_one_copy(5)
    assert [report.status.step for report in found] == [1, 2, 1, 2, 1]
    assert [report.steps for report in found] == [1, 2, 3, 4, 5]
    assert [report.tallies[FROM_NOTHING].copies for report in found] == [1, 1, 2, 2, 3]
    assert [report.is_last for report in found] == [False] * 4 + [True]
    alone = [learned_here(2, 0), learned_here(2, MOST_GROUPS), learned_here(1, 2 * MOST_GROUPS)]
    answers_of_all = [answer for learner in alone for answer in learner.best()[0]]
    expected = combined(answers_of_all)
    assert answers(best_of(found[-1])) == answers([expected])
    assert found[-1].guesses[0].grid.tolist() == alone[-1].guesses()[0].grid.tolist()


@pytest.mark.usefixtures("short_rounds")
def test_a_new_copy_votes_when_it_has_learned_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LEAST_STEPS", 2)
    found = rounds_of_one_copy(4)
    assert [report.tallies[FROM_NOTHING].copies for report in found] == [1, 1, 1, 2]
    assert answers(best_of(found[2])) == answers(best_of(found[1]))
    assert answers(best_of(found[3])) != answers(best_of(found[2]))


@pytest.mark.usefixtures("short_rounds")
def test_no_round_is_begun_that_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LEAST_STEPS", 10**9)
    found = rounds_of_one_copy(4)
    assert [report.status.step for report in found] == [1, 2, 3, 4]


@pytest.mark.usefixtures("short_rounds")
def test_a_given_number_of_steps_is_made_by_one_copy() -> None:
    order = Order(TASK, Budget(PATIENCE, 5), seed=3, together=1)
    found = list(reports(order, 0, math.inf, never))
    assert [report.status.step for report in found] == [1, 2, 3, 4, 5]
    assert answers(best_of(found[-1])) == answers(learned_here(5, 0).best())


@pytest.fixture
def trunk(tmp_path: Path) -> Path:
    """The smallest network."""
    path = tmp_path / "trunk.safetensors"
    state = network(PLANES).state_dict()
    save_weights(path, state, WeightsInfo(PLANES, "arc"), torch.float32)
    return path


@pytest.mark.usefixtures("short_rounds")
def test_trained_copies_come_first(trunk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "trunk_copies", lambda *_: [1e-6, 1e-6])
    monkeypatch.setattr(rounds, "FIRST_VOTES", 2)
    found = rounds_of_one_copy(5, trunk)
    kinds = [report.kind for report in found]
    assert kinds == [TRAINED, TRAINED, FROM_NOTHING, FROM_NOTHING, FROM_NOTHING]
    assert [report.tallies[TRAINED].copies for report in found] == [1, 2, 2, 2, 2]
    # A copy from nothing votes at its second step, and another at the first step of its round.
    assert FROM_NOTHING not in found[2].tallies
    assert [report.tallies[FROM_NOTHING].copies for report in found[3:]] == [1, 2]
    assert math.isnan(found[0].status.bits) and found[2].status.bits > 0
    for report in found:
        assert len(report.guesses) == len(TASK.tests)
        assert all(report.tallies[TRAINED].best), "there is always an answer"
