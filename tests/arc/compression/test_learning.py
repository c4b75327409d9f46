"""Copies of the network learn one task, always in the same way."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.arc_tasks import drawn_task, free_sizes, same_outputs, same_sizes, task_of
from trmsolve.arc.answers import Status
from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.votes import Votes
from trmsolve.arc.compression.weights import new_weights
from trmsolve.arc.task import ArcTask, Pair

pytestmark = pytest.mark.usefixtures("one_thread")


def learned(task: ArcTask, steps: int, *seeds: int) -> CompressionLearner:
    learner = CompressionLearner(CompressionPuzzle(task), seeds or [0])
    for _ in range(steps):
        learner.step()
    return learner


def values(learner: CompressionLearner) -> Tensor:
    return learner.network.parameters.values.detach()


def answers(learner: CompressionLearner) -> list[tuple[list[list[int]], float, int]]:
    return [(one.grid.tolist(), one.votes, one.copies) for one in learner.best()[0]]


@pytest.mark.parametrize("task", [same_sizes(), free_sizes()], ids=["known", "unknown"])
def test_the_same_seed_learns_the_same_to_the_bit(task: ArcTask) -> None:
    one, again = learned(task, 2, 0, 1), learned(task, 2, 0, 1)
    assert torch.equal(values(one), values(again))
    assert one.status.loss == again.status.loss and one.status.bits == again.status.bits
    assert answers(one) == answers(again)


def test_the_seed_decides_weights_latents_and_noise() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    one, other = (CompressionLearner(puzzle, [seed]) for seed in (0, 1))
    for name in ("colours", "means", "hidden in xyec"):
        views = [learner.network.parameters.views[name] for learner in (one, other)]
        assert not torch.equal(*views)
    with torch.no_grad():
        other.network.parameters.values.copy_(one.network.parameters.values)
    for learner in (one, other):
        learner.step()
    assert one.status.bits == other.status.bits, "they cost what is said before the noise"
    assert one.status.loss != other.status.loss


def test_outputs_of_tests_never_matter() -> None:
    task = same_sizes()
    (test,) = task.tests
    assert test.output is not None
    learners = []
    for output in (test.output, np.full((1, 2), 9, np.int8), None):
        changed = replace(task, tests=(Pair(test.input, output),))
        learners.append(learned(changed, 2))
    for learner in learners[1:]:
        assert torch.equal(values(learner), values(learners[0]))
        assert learner.status.loss == learners[0].status.loss
        assert answers(learner) == answers(learners[0])


def test_the_loss_falls_and_the_task_is_answered() -> None:
    learner = CompressionLearner(CompressionPuzzle(same_sizes()), [0])
    losses = []
    for _ in range(40):
        learner.step()
        losses.append(learner.status.loss)
    assert losses[0] > math.log(3), "nothing is known at first"
    assert np.mean(losses[-5:]) < 0.1 * losses[0]
    (guess,) = learner.guesses()
    assert guess.grid.shape == (3, 3)
    assert guess.confidence.shape == (3, 3)
    assert len(learner.best()) == 1 and learner.best()[0]


def test_the_status_tells_how_far_it_is() -> None:
    assert Status().steps_per_second == 0 and math.isnan(Status().loss)
    learner = learned(same_outputs(), 3)
    status = learner.status
    assert status.step == 3 and status.seconds > 0
    assert status.steps_per_second == 3 / status.seconds
    assert status.bits > 0


def test_one_step_gives_an_answer() -> None:
    learner = CompressionLearner(CompressionPuzzle(same_outputs()), [0])
    learner.step()
    assert learner.status.step == 1 and learner.best()[0]


def test_every_fourth_step_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    voted: list[int] = []
    monkeypatch.setattr(Votes, "add", lambda _votes, _prediction, step: voted.append(step))
    learned(same_outputs(), 6)
    assert voted == [0, 4]


def test_every_copy_begins_with_the_weights_of_its_seed() -> None:
    learner = CompressionLearner(CompressionPuzzle(same_outputs()), [5, 6])
    for copy, seed in enumerate((5, 6)):
        for name, expected in new_weights(seed).items():
            assert torch.equal(learner.network.parameters.views[name][copy], expected)


@pytest.mark.parametrize("task", [same_sizes(), free_sizes()], ids=["known", "unknown"])
def test_copies_learn_as_each_does_alone(task: ArcTask) -> None:
    both = learned(task, 1, 3, 4)
    alone = [learned(task, 1, seed) for seed in (3, 4)]
    for name in ("loss", "bits"):
        expected = np.mean([getattr(one.status, name) for one in alone])
        assert getattr(both.status, name) == pytest.approx(expected, rel=1e-5)
    assert both.votes.average is not None
    for copy, one in enumerate(alone):
        assert one.votes.average is not None
        for part in ("colours", "rows", "columns"):
            found = getattr(both.votes.average, part)[copy]
            expected = getattr(one.votes.average, part)[0]
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    first, of_first = both.guesses()[0], alone[0].guesses()[0]
    assert first.grid.tolist() == of_first.grid.tolist(), "the first copy is shown"


def test_a_copy_learns_on_whatever_the_others_do() -> None:
    """Copies with the same seed beside different ones learn the same; rounding grows with steps."""
    one, other = learned(same_sizes(), 2, 3, 4), learned(same_sizes(), 2, 3, 5)
    for name in ("colours", "hidden in xyec"):
        views = [learner.network.parameters.views[name] for learner in (one, other)]
        torch.testing.assert_close(views[0][0], views[1][0], rtol=1e-3, atol=1e-3)
        assert not torch.allclose(views[0][1], views[1][1], rtol=1e-3, atol=1e-3)


def test_no_more_copies_favour_an_answer_than_there_are() -> None:
    learner = learned(same_outputs(), 1, 0, 1, 2)
    copies = [count for _, _, count in answers(learner)]
    assert 0 < sum(copies) <= 3 and min(copies) >= 0


EXTREMES = {
    "one cell": task_of([([[1]], [[2]])], [([[1]], None)]),
    "all black": task_of([([[0, 0]], [[0]]), ([[0]], [[0, 0]])], [([[0], [0]], None)]),
    "all colours": drawn_task(colours=tuple(range(10)), side=4),
    "one row": task_of([([[1, 2, 3, 1]], [[1]])], [([[2, 2, 3]], None)]),
    "many tests": drawn_task(demonstrations=1, tests=3, side=2),
}


@pytest.mark.parametrize("name", EXTREMES)
def test_extreme_tasks_stay_finite_and_are_answered(name: str) -> None:
    task = EXTREMES[name]
    learner = learned(task, 2)
    assert values(learner).isfinite().all()
    assert math.isfinite(learner.status.loss) and math.isfinite(learner.status.bits)
    assert len(learner.best()) == len(learner.guesses()) == len(task.tests)
    for found, guess in zip(learner.best(), learner.guesses(), strict=True):
        assert guess.grid.size > 0 and np.isfinite(guess.confidence).all()
        for answer in found:
            assert answer.grid.size > 0 and 0 <= answer.votes <= 2
            assert answer.grid.dtype == np.int8
