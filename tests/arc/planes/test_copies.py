"""Copies of a network that learn tasks: from all demonstrations, and from nothing else."""

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task
from tests.support.planes import PLANES, network
from trmsolve.arc.planes import copies
from trmsolve.arc.planes.batches import Episode
from trmsolve.arc.planes.canvas import Canvas, canvas_of, place_on_canvas
from trmsolve.arc.planes.copies import SHORTEST, LearningCopy, copy_seconds
from trmsolve.arc.planes.learner import Learner
from trmsolve.arc.planes.predict import Question, predict
from trmsolve.arc.symmetry import SYMMETRIES, dihedral
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.errors import TrainingError
from trmsolve.model.build import new_puzzles
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.loss import Loss
from trmsolve.train.recipes import ARC_ADAPTATION

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = replace(PLANES, latent_steps=1)
HASTY = {**ARC_ADAPTATION, "lr": 0.02, "head_lr": 0.02}
"""Rates for networks that know nothing."""


@pytest.fixture(scope="module")
def model() -> TinyRecursiveModel:
    return network(SMALL)


def learned(
    model: TinyRecursiveModel, *tasks: ArcTask, steps: int = 12, seed: int = 0, **how: Any
) -> LearningCopy:
    """A copy that has learned for so many steps."""
    made = LearningCopy(model, tasks or (drawn_task(),), seed, **how)
    for step in range(steps):
        made.step(step / steps)
    return made


def equal(one: TinyRecursiveModel, other: TinyRecursiveModel) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


# How long


@pytest.mark.parametrize(("seconds", "copies_made"), [(1.0, 1), (60.0, 2), (100.0, 3), (300.0, 10)])
def test_small_tasks_have_several_copies(seconds: float, copies_made: int) -> None:
    found = copy_seconds([drawn_task()], seconds)
    assert len(found) == copies_made
    assert sum(found) == pytest.approx(seconds)
    assert set(found) == {found[0]}


def test_the_more_there_is_to_learn_the_longer_a_copy_learns() -> None:
    small = drawn_task()
    large = drawn_task(side=30, demonstrations=4, colours=tuple(range(10)))
    assert copy_seconds([small], 120.0)[0] == pytest.approx(SHORTEST)
    assert copy_seconds([large], 120.0) == [120.0]
    assert len(copy_seconds([large], 1800.0)) < len(copy_seconds([small], 1800.0))
    assert len(copy_seconds([small] * 60, 1800.0)) < len(copy_seconds([small], 1800.0))


# The beginning of a copy


def test_new_puzzles_are_the_mean_of_the_known_and_all_else_stays(
    model: TinyRecursiveModel,
) -> None:
    fresh = new_puzzles(model, 4)
    assert fresh.config == replace(model.config, num_puzzles=4)
    mean = model.get_parameter("puzzle_emb.weights").mean(0)
    table = fresh.get_parameter("puzzle_emb.weights")
    assert table.shape == (4, SMALL.puzzle_emb_dim)
    assert all(torch.equal(row, mean) for row in table)
    for name, tensor in fresh.state_dict().items():
        if not name.startswith("puzzle_emb."):
            assert torch.equal(tensor, model.state_dict()[name])
    for parameter in fresh.parameters():
        assert parameter.requires_grad
        assert parameter.dtype == torch.float32


def test_a_network_without_a_table_and_one_in_bf16_can_be_begun_with() -> None:
    bare = network(replace(SMALL, puzzle_emb_dim=0))
    assert new_puzzles(bare, 2).puzzle_emb is None
    narrow = network(SMALL)
    narrow.dtype = torch.bfloat16
    for parameter in narrow.parameters():
        parameter.data = parameter.data.bfloat16()
    fresh = new_puzzles(narrow, 1)
    assert fresh.dtype == torch.bfloat16
    assert fresh.lm_head.weight.dtype == torch.float32


def test_the_given_network_is_not_changed(model: TinyRecursiveModel) -> None:
    before = copy.deepcopy(model.state_dict())
    last = learned(model).averaged().state_dict()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(not parameter.requires_grad for parameter in model.parameters())
    for name in ("lm_head.weight", "embed_planes.kinds"):
        assert not torch.equal(last[name], before[name])
    shared = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert not shared & {tensor.data_ptr() for tensor in last.values()}


def test_noise_is_for_learning_alone(model: TinyRecursiveModel) -> None:
    """It is drawn anew in every cycle of learning, and in no answer."""
    fresh = new_puzzles(model, 1, update_noise=0.5)
    assert fresh.config.update_noise == 0.5
    question = Question(Pair(np.zeros((2, 2), np.int8)), Canvas(3, (0, 1)))
    for learning in (True, False):
        fresh.train(learning)
        halts = [predict(fresh, question, cycles=1)[0].halt for _ in range(2)]
        assert (halts[0] != halts[1]) is learning
    averaged = learned(model, steps=4).averaged()
    assert not averaged.training
    assert not any(parameter.requires_grad for parameter in averaged.parameters())


# The same again


def test_the_seed_decides_everything(model: TinyRecursiveModel) -> None:
    found = []
    for seed, chance in ((3, 0), (3, 1), (4, 0)):
        torch.manual_seed(chance)  # is nobody's business
        found.append(learned(model, seed=seed))
    first, again, other = found
    assert equal(first.averaged(), again.averaged())
    assert first.loss == again.loss
    assert not equal(first.averaged(), other.averaged())


# The lessons


@dataclass
class Watch:
    """The episodes of every copy."""

    copies: list[list[Episode]] = field(default_factory=list)

    def seen(self, number: int) -> set[tuple[int, bytes, bytes, int]]:
        """Puzzle, question, answer and symmetry of each row in a copy's episodes."""
        found = set()
        for episode in self.copies[number]:
            rows = zip(*episode.batch, episode.labels, strict=True)
            for tokens, palette, symmetry, puzzle, labels in rows:
                answer = palette[labels].numpy().tobytes()
                found.add((int(puzzle), tokens.numpy().tobytes(), answer, int(symmetry)))
        return found


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch()

    class Watched(Learner):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            found.copies.append([])

        def begin(self, episode: Episode) -> None:
            found.copies[-1].append(episode)
            super().begin(episode)

    monkeypatch.setattr(copies, "Learner", Watched)
    return found


def views(number: int, pair: Pair, side: int) -> set[tuple[int, bytes, bytes, int]]:
    """How a pair of a task stands in episodes."""
    found = set()
    for turn in range(len(SYMMETRIES)):
        assert pair.output is not None
        question = place_on_canvas(dihedral(pair.input, turn), side).tobytes()
        answer = place_on_canvas(dihedral(pair.output, turn), side).tobytes()
        found.add((number, question, answer, turn))
    return found


def test_every_copy_learns_all_demonstrations_in_all_symmetries_and_no_test(
    model: TinyRecursiveModel, watch: Watch
) -> None:
    tasks = drawn_task("a", 3, seed=1), drawn_task("b", 2, seed=2, side=4, colours=(3, 4))
    learned(model, *tasks, steps=60)
    everything = set()
    tests = set()
    for number, task in enumerate(tasks):
        for pair in task.demonstrations:
            everything |= views(number, pair, 4)
        for test in task.tests:
            tests |= views(number, test, 4)
    assert watch.seen(0) == everything
    assert not tests & everything


def test_tests_are_never_looked_at(model: TinyRecursiveModel) -> None:
    known = drawn_task()
    unknown = replace(known, tests=tuple(replace(test, output=None) for test in known.tests))
    wrong = np.full((9, 9), 7, np.int8)
    lying = replace(known, tests=tuple(replace(test, output=wrong) for test in known.tests))
    found = [learned(model, task, steps=6).averaged() for task in (known, unknown, lying)]
    assert equal(found[0], found[1])
    assert equal(found[0], found[2])


def test_all_are_shown_on_a_canvas_that_holds_them(model: TinyRecursiveModel, watch: Watch) -> None:
    tasks = drawn_task("a", 2, seed=1), drawn_task("b", 3, seed=2, side=5, colours=(3, 4, 5, 6))
    made = learned(model, *tasks, steps=10)
    assert made.canvases == [canvas_of(task) for task in tasks]
    for episode in watch.copies[0]:
        assert episode.batch.tokens.shape[1:] == (5, 5)
        assert episode.batch.palette.shape[1] == 5
        assert all(len(set(palette)) == 5 for palette in episode.batch.palette.tolist())


def test_a_batch_has_no_more_cells_than_allowed_but_one_grid_at_least(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = drawn_task(demonstrations=1)  # eight grids
    each = canvas_of(task).cells
    for cells, rows in ((1, [1] * 6), (3 * each + each // 2, [3, 3, 2]), (10**6, [8])):
        monkeypatch.setattr(copies, "CELLS_CPU", cells)
        learned(model, task, steps=24)
        sizes = [len(episode.labels) for episode in watch.copies[-1]]
        assert sizes[: len(rows)] == rows[: len(sizes)]
        assert len(sizes) > 2


# The result


def test_what_is_easily_learned_is_learned(model: TinyRecursiveModel) -> None:
    """The rule is that nothing changes."""
    task = drawn_task(demonstrations=2, tests=2)
    made = learned(model, task, steps=250, settings=HASTY, update_noise=0.0)
    for test in task.tests:
        question = Question(test, made.canvases[0])
        answers = [one.grid for one in predict(made.averaged(), question, cycles=2)]
        assert sum(np.array_equal(grid, test.input) for grid in answers) > 4


def test_tasks_have_embeddings_of_their_own(model: TinyRecursiveModel) -> None:
    tasks = [drawn_task(name, 2, seed=seed) for seed, name in enumerate("abc")]
    table = learned(model, *tasks, steps=40).averaged().get_parameter("puzzle_emb.weights")
    assert len(table) == 3
    assert not any(torch.equal(table[a], table[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_learning_goes_on_after_the_averages_are_taken(model: TinyRecursiveModel) -> None:
    asked = LearningCopy(model, [drawn_task()], 0)
    for step in range(8):
        asked.step(step / 8)
        asked.averaged()
    assert asked.steps == 8
    assert equal(asked.averaged(), learned(model, steps=8).averaged())


def test_rates_rise_and_fall(model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    factors: list[float] = []
    step = Learner.step

    def noted(self: Learner, factor: float = 1.0) -> Loss:
        factors.append(factor)
        return step(self, factor)

    monkeypatch.setattr(Learner, "step", noted)
    learned(model, steps=80)
    assert factors[0] == 1 / copies.WARMUP
    assert 0.9 < max(factors) <= 1
    peak = factors.index(max(factors))
    assert peak < 25
    assert factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert copies.LAST_RATE <= factors[-1] < copies.LAST_RATE + 0.01


def test_a_loss_that_is_not_finite_is_told(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Loss:
        raise TrainingError("the loss is no longer finite")

    monkeypatch.setattr(Learner, "step", broken)
    with pytest.raises(TrainingError, match="no longer finite"):
        learned(model)
