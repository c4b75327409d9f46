"""Learning a task from its demonstrations: within the budget, and from nothing else.

The networks here are tiny and know nothing, so that all that is measured is what the adapter does
with them.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from trmsolve.arc.planes.adapt import Adapted, Adapter
from trmsolve.arc.planes.batches import Episode
from trmsolve.arc.planes.canvas import Canvas, canvas_of, place_on_canvas
from trmsolve.arc.planes.learner import Learner
from trmsolve.arc.planes.predict import Question, ViewPrediction, predict
from trmsolve.arc.symmetry import SYMMETRIES, dihedral
from trmsolve.arc.task import AdaptationProgress, ArcTask, Pair
from trmsolve.errors import TrainingError
from trmsolve.model.build import new_puzzles
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.values import Grid
from trmsolve.train.loss import Loss
from trmsolve.train.recipes import ARC_ADAPTATION

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = replace(PLANES, latent_steps=1)
HASTY = {**ARC_ADAPTATION, "lr": 0.02, "head_lr": 0.02}
"""Rates for networks that know nothing."""


@pytest.fixture(scope="module")
def model() -> TinyRecursiveModel:
    return network(SMALL)


def adapter(
    model: TinyRecursiveModel, *tasks: ArcTask, steps: int | None = 12, **how: Any
) -> Adapter:
    """Gives up where it goes on without a step."""
    asked_at, idle = [-1], [0]
    stop = how.pop("stop", lambda: False)

    def guarded() -> bool:
        idle[0] = idle[0] + 1 if asked_at[0] == made.clock.steps else 0
        asked_at[0] = made.clock.steps
        assert idle[0] < 50, "it neither learns nor ends"
        return bool(stop())

    made = Adapter(
        model,
        tasks or (drawn_task(),),
        Budget(how.pop("seconds", 300.0), steps),
        cycles=how.pop("cycles", 2),
        stop=guarded,
        **how,
    )
    return made


def tensors(adapted: Adapted) -> list[dict[str, torch.Tensor]]:
    return [model.state_dict() for model in adapted.models]


def equal(one: list[dict[str, torch.Tensor]], other: list[dict[str, torch.Tensor]]) -> bool:
    return len(one) == len(other) and all(
        torch.equal(tensor, b[name])
        for a, b in zip(one, other, strict=True)
        for name, tensor in a.items()
    )


@dataclass
class Watch:
    """Every copy that learned, with the episodes it had."""

    copies: list[tuple[Learner, list[Episode]]] = field(default_factory=list)

    def seen(self, copy: int) -> set[tuple[int, bytes, bytes, int]]:
        """Of a copy's episodes: puzzle, question, answer, symmetry."""
        return {
            (
                int(puzzle),
                tokens.numpy().tobytes(),
                palette[labels].numpy().tobytes(),
                int(symmetry),
            )
            for episode in self.copies[copy][1]
            for tokens, palette, symmetry, puzzle, labels in zip(
                *episode.batch, episode.labels, strict=True
            )
        }


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    found = Watch()

    class Watched(Learner):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            found.copies.append((self, []))

        def begin(self, episode: Episode) -> None:
            found.copies[-1][1].append(episode)
            super().begin(episode)

    monkeypatch.setattr(adapt, "Learner", Watched)
    return found


def views(number: int, pair: Pair, side: int) -> set[tuple[int, bytes, bytes, int]]:
    """How a pair of a task stands in episodes."""
    return {
        (
            number,
            *(
                place_on_canvas(dihedral(grid, turn), side).tobytes()
                for grid in (pair.input, pair.output)
            ),
            turn,
        )  # type: ignore[misc, arg-type]
        for turn in range(len(SYMMETRIES))
    }


def hurry(
    monkeypatch: pytest.MonkeyPatch, right: Callable[[int], bool] = lambda place: True
) -> list[int]:
    """A few steps are worth holding a demonstration out; whether it is found right is decided here.

    What is asked.
    """
    asked = list[int]()

    def reproduces(self: Adapter, model: TinyRecursiveModel, number: int, place: int) -> bool:
        assert not model.training and place < len(self.tasks[number].demonstrations)
        asked.append(place)
        return right(place)

    monkeypatch.setattr(adapt, "FIRST_CHECK", 2)
    monkeypatch.setattr(adapt, "LEAST_STEPS", 4)
    monkeypatch.setattr(Adapter, "_reproduces", reproduces)
    return asked


def wrong(place: int) -> bool:
    return False


# --- what it begins with


def test_new_puzzles_are_the_mean_of_the_known_and_all_else_stays(
    model: TinyRecursiveModel,
) -> None:
    fresh = new_puzzles(model, 4)
    assert fresh.config == replace(model.config, num_puzzles=4)
    mean = model.get_parameter("puzzle_emb.weights").mean(0)
    table = fresh.get_parameter("puzzle_emb.weights")
    assert table.shape == (4, SMALL.puzzle_emb_dim) and all(torch.equal(row, mean) for row in table)
    rest = {
        name: tensor
        for name, tensor in fresh.state_dict().items()
        if not name.startswith("puzzle_emb.")
    }
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in rest.items())
    assert all(
        parameter.requires_grad and parameter.dtype == torch.float32
        for parameter in fresh.parameters()
    )


def test_a_network_without_a_table_and_one_in_bf16_can_be_begun_with() -> None:
    bare = network(replace(SMALL, puzzle_emb_dim=0))
    assert new_puzzles(bare, 2).puzzle_emb is None
    narrow = network(SMALL)
    narrow.dtype = torch.bfloat16
    for parameter in narrow.parameters():
        parameter.data = parameter.data.bfloat16()
    fresh = new_puzzles(narrow, 1)
    assert fresh.dtype == torch.bfloat16 and fresh.lm_head.weight.dtype == torch.float32


def test_the_given_network_is_not_changed(model: TinyRecursiveModel) -> None:
    before = copy.deepcopy(model.state_dict())
    adapted = adapter(model, steps=12).adapt()
    assert equal([model.state_dict()], [before])
    assert all(
        not parameter.requires_grad and parameter.grad is None for parameter in model.parameters()
    )
    last = adapted.models[-1].state_dict()
    assert not any(
        torch.equal(last[name], before[name]) for name in ("lm_head.weight", "embed_planes.kinds")
    )
    shared = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert not shared & {tensor.data_ptr() for one in tensors(adapted) for tensor in one.values()}


def test_noise_is_for_learning_alone(model: TinyRecursiveModel) -> None:
    """It is drawn anew in every cycle of learning, and in no answer."""
    fresh = new_puzzles(model, 1, update_noise=0.5)
    assert fresh.config.update_noise == 0.5 and fresh.training
    for learning in (True, False):
        frames = [
            predict(
                fresh.train(learning),
                Question(Pair(np.zeros((2, 2), np.int8)), Canvas(3, (0, 1))),
                cycles=1,
            )
            for _ in "12"
        ]
        assert (frames[0][0].halt != frames[1][0].halt) is learning
    adapted = adapter(model, steps=4).adapt()
    first, second = (_answers(adapted.models[-1], adapted) for _ in "12")
    assert [frame.halt for frame in first] == [frame.halt for frame in second]


# --- the same again


def test_the_same_seed_and_steps_learn_the_same_to_the_bit_and_another_seed_does_not(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    learned = []
    for seed, chance in ((3, 0), (3, 1), (4, 0)):
        torch.manual_seed(chance)  # is nobody's business
        adapted = adapter(model, steps=30, seed=seed).adapt()
        grids = [frame.grid.tolist() for one in adapted.models for frame in _answers(one, adapted)]
        learned.append(
            (tensors(adapted), grids, [replace(one, seconds=0.0) for one in adapted.ended])
        )
    first, again, other = learned
    assert len(first[0]) == 3 and equal(first[0], again[0])
    assert first[1] == again[1] and [one.loss for one in first[2]] == [one.loss for one in again[2]]
    assert not any(equal([one], [another]) for one, another in zip(first[0], other[0], strict=True))


def _answers(model: TinyRecursiveModel, adapted: Adapted) -> list[Any]:
    return predict(model, Question(drawn_task().tests[0], adapted.canvases[0]), cycles=2)


# --- what it is taught


def test_what_is_held_out_is_in_no_lesson_of_its_copy_and_the_last_copy_learns_all(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    tasks = drawn_task("a", 3, seed=1), drawn_task("b", 2, seed=2, side=4, colours=(3, 4))
    adapted = adapter(model, *tasks, steps=100).adapt()
    assert len(watch.copies) == len(adapted.models) == 4
    pairs = [
        [views(number, pair, 4) for pair in task.demonstrations]
        for number, task in enumerate(tasks)
    ]
    for trial in range(3):
        taught = watch.seen(trial)
        held = [numbers[trial] for numbers in pairs if trial < len(numbers)]
        assert held and all(not taught & grids for grids in held)
        others = [
            grids for numbers in pairs for place, grids in enumerate(numbers) if place != trial
        ]
        assert taught == set().union(*others)
    everything = set().union(*(grids for numbers in pairs for grids in numbers))
    assert watch.seen(3) == everything
    tests = set().union(
        *(views(number, test, 4) for number, task in enumerate(tasks) for test in task.tests)
    )
    assert not tests & everything


def test_tests_are_never_looked_at(model: TinyRecursiveModel) -> None:
    known = drawn_task()
    unknown = replace(known, tests=tuple(replace(test, output=None) for test in known.tests))
    lying = replace(
        known,
        tests=tuple(replace(test, output=np.full((9, 9), 7, np.int8)) for test in known.tests),
    )
    learned = [tensors(adapter(model, task, steps=6).adapt()) for task in (known, unknown, lying)]
    assert equal(learned[0], learned[1]) and equal(learned[0], learned[2])


def test_all_are_shown_on_a_canvas_that_holds_them_and_each_is_answered_on_its_own(
    model: TinyRecursiveModel, watch: Watch
) -> None:
    tasks = drawn_task("a", 2, seed=1), drawn_task("b", 3, seed=2, side=5, colours=(3, 4, 5, 6))
    adapted = adapter(model, *tasks, steps=10).adapt()
    assert adapted.canvases == [canvas_of(task) for task in tasks]
    for _, episodes in watch.copies:
        for episode in episodes:
            assert episode.batch.tokens.shape[1:] == (5, 5) and episode.batch.palette.shape[1] == 5
            assert all(len(set(palette)) == 5 for palette in episode.batch.palette.tolist())


def test_a_batch_has_no_more_cells_than_allowed_but_one_grid_at_least(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = drawn_task(demonstrations=1)  # eight grids
    each = canvas_of(task).cells
    for cells, rows in ((1, [1] * 6), (3 * each + each // 2, [3, 3, 2]), (10**6, [8])):
        monkeypatch.setattr(adapt, "CELLS_CPU", cells)
        adapter(model, task, steps=24).adapt()
        sizes = [len(episode.labels) for episode in watch.copies[-1][1]]
        assert sizes[: len(rows)] == rows[: len(sizes)] and len(sizes) > 2


# --- how long


@pytest.mark.parametrize(
    ("steps", "demonstrations"), [(1, 1), (1, 3), (2, 2), (3, 4), (7, 1), (7, 2), (20, 3), (120, 2)]
)
def test_a_budget_in_steps_is_kept_exactly(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch, steps: int, demonstrations: int
) -> None:
    monkeypatch.setattr(Adapter, "_reproduces", lambda *_: False)
    reported = list[AdaptationProgress]()
    made = adapter(
        model, drawn_task(demonstrations=demonstrations), steps=steps, report=reported.append
    )
    adapted = made.adapt()
    assert made.clock.steps == adapted.ended[0].step == steps
    assert [one.step for one in reported] == [*range(1, steps + 1), steps]
    assert adapted.ended[0].ended == "steps"
    assert adapted.ended[0].solved == (0 if steps == 120 else None)  # in less, none is held out


def test_no_more_steps_are_made_than_what_is_proven_needs(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    made = adapter(model, steps=100)
    assert made.adapt().ended[0].ended == "solved" and len(watch.copies) == 3
    cycles = [learner.ema.updates for learner, _ in watch.copies]
    assert sum(cycles) == made.clock.steps < 100
    assert cycles[-1] == math.ceil(adapt.LAST_FACTOR * max(cycles[:-1]))


def test_what_is_proven_late_leaves_the_last_copy_what_is_left(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[int]()
    asked = hurry(monkeypatch, lambda place: len(asked) > 2)
    made = adapter(model, steps=40)
    adapted = made.adapt()
    assert made.clock.steps <= 40 and adapted.ended[0].ended in ("solved", "steps")
    assert watch.copies[-1][0].ema.updates > 0


def test_the_last_copy_learns_even_in_the_smallest_budget(model: TinyRecursiveModel) -> None:
    for steps in (1, 2, 5):
        last = adapter(model, steps=steps).adapt().models[-1].state_dict()
        assert not torch.equal(last["embed_planes.kinds"], model.state_dict()["embed_planes.kinds"])


def ticking(made: Adapter, monkeypatch: pytest.MonkeyPatch, seconds: float) -> Adapter:
    """Its clock begins at 0 and goes on by so much whenever it is looked at."""
    ticks = count(1)
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: next(ticks) * seconds))
    made.clock.begun = 0.0
    return made


def test_a_budget_in_seconds_is_shared_by_the_trials_and_the_last_copy(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, wrong)
    adapted = ticking(adapter(model, steps=None, seconds=2.0), monkeypatch, 0.02).adapt()
    (ended,) = adapted.ended
    assert ended.ended == "budget" and ended.budget == 2.0
    assert 2.0 <= ended.seconds < 2.5
    assert (
        len(watch.copies) == 2 and len(adapted.models) == 1
    )  # a trial that proved nothing, and the last copy
    episodes = [len(episodes) for _, episodes in watch.copies]
    assert episodes[0] < episodes[1]


def test_seconds_are_for_each_task(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, wrong)
    made = adapter(model, drawn_task("a"), drawn_task("b", seed=1), steps=None, seconds=1.0)
    adapted = ticking(made, monkeypatch, 0.02).adapt()
    assert all(1.0 <= ended.seconds < 1.4 and ended.budget == 1.0 for ended in adapted.ended)
    assert made.clock.seconds >= 2.0


@pytest.mark.parametrize("demonstrations", [1, 3])
def test_a_budget_of_less_than_one_step_still_ends(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch, demonstrations: int
) -> None:
    made = adapter(model, drawn_task(demonstrations=demonstrations), steps=None, seconds=0.1)
    adapted = ticking(made, monkeypatch, 5.0).adapt()
    assert adapted.ended[0].ended == "budget" and made.clock.steps <= 8
    assert (
        len(
            predict(
                adapted.models[-1], Question(drawn_task().tests[0], adapted.canvases[0]), cycles=1
            )
        )
        == 8
    )


@pytest.mark.parametrize("demonstrations", [1, 3])
@pytest.mark.parametrize("at", [0, 1, 9])
def test_a_stop_ends_it_at_once_with_a_network_to_answer_with(
    model: TinyRecursiveModel, demonstrations: int, at: int
) -> None:
    reported = list[AdaptationProgress]()
    made = adapter(
        model,
        drawn_task(demonstrations=demonstrations),
        steps=None,
        report=reported.append,
        stop=lambda: len(reported) >= at,
    )
    adapted = made.adapt()
    assert [one.ended for one in adapted.ended] == ["interrupted"] == [reported[-1].ended]
    assert at <= made.clock.steps <= at + 8  # an episode is ended
    assert (
        len(
            predict(
                adapted.models[-1], Question(drawn_task().tests[0], adapted.canvases[0]), cycles=1
            )
        )
        == 8
    )


def test_what_was_learned_until_a_stop_is_what_is_answered_with(model: TinyRecursiveModel) -> None:
    """Also while no copy has proved itself: nothing learned is thrown away."""
    reported = list[AdaptationProgress]()
    made = adapter(model, steps=None, report=reported.append, stop=lambda: len(reported) >= 5)
    last = made.adapt().models[-1].state_dict()
    assert not torch.equal(last["embed_planes.kinds"], model.state_dict()["embed_planes.kinds"])


def test_a_trial_that_used_up_all_the_time_answers(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One episode may last longer than all of a small budget."""
    adapted = ticking(adapter(model, steps=None, seconds=0.1), monkeypatch, 5.0).adapt()
    assert watch.copies[0][0].ema.updates > 1
    assert not torch.equal(adapted.models[-1].lm_head.weight, model.lm_head.weight)


def test_a_stop_just_after_the_last_copy_began_does_not_make_it_the_answer(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, wrong)
    adapted = adapter(model, steps=60, stop=lambda: len(watch.copies) == 2).adapt()
    trial, last = (learner for learner, _ in watch.copies)
    assert trial.ema.updates > 10 and last.ema.updates == 0
    assert torch.equal(adapted.models[-1].lm_head.weight, trial.ema.shadow["lm_head.weight"])


# --- what comes of it


def test_what_is_easily_learned_is_solved_before_the_budget_ends(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is that nothing changes.

    Every copy proves itself, and the last one knows what was not shown.
    """
    reported = list[AdaptationProgress]()
    task = drawn_task(demonstrations=2, tests=2)
    made = adapter(
        model, task, steps=1500, settings=HASTY, update_noise=0.0, report=reported.append
    )
    adapted = made.adapt()
    (ended,) = adapted.ended
    assert (ended.ended, ended.solved) == ("solved", 2) and ended.step < 1500
    assert len(adapted.models) == 3
    for test in task.tests:
        frames = predict(adapted.models[-1], Question(test, adapted.canvases[0]), cycles=2)
        assert sum(np.array_equal(frame.grid, test.input) for frame in frames) > 4
    assert [one.solved for one in reported] == sorted(one.solved or 0 for one in reported)
    first = next(one for one in reported if one.solved == 1)
    assert (
        all(one.solved == 0 for one in reported[: first.step - 1])
        and reported[-2].loss < reported[0].loss / 2
    )


def test_proven_copies_vote_beside_the_last_one_and_unproven_do_not(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = drawn_task(demonstrations=3)
    asked = hurry(monkeypatch, lambda place: place == 0)
    adapted = adapter(model, task, steps=50).adapt()
    assert set(asked) == {0, 1}  # the second stays wrong, and the third is not tried
    assert len(adapted.models) == 2 and len(watch.copies) == 3
    assert adapted.ended[0].solved == 1 and adapted.ended[0].ended == "steps"
    for one in adapted.models:
        assert not one.training and not any(
            parameter.requires_grad for parameter in one.parameters()
        )
    last, _ = watch.copies[-1]
    assert torch.equal(adapted.models[-1].lm_head.weight, last.ema.shadow["lm_head.weight"])
    assert not torch.equal(adapted.models[-1].lm_head.weight, last.model.lm_head.weight)


def test_it_is_right_where_most_views_are(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = drawn_task()
    made = adapter(model, drawn_task("other", 3, seed=1), task)
    output = task.demonstrations[1].output
    assert output is not None
    wrong = [np.full((1, 1), k, np.int8) for k in range(8)]
    answers, asked = list[Grid](), set[tuple[bool, int, int]]()

    def predicted(
        model: TinyRecursiveModel, question: Question, **how: Any
    ) -> list[ViewPrediction]:
        asked.add((question.pair is task.demonstrations[1], question.puzzle, how["cycles"]))
        return [ViewPrediction(grid, np.ones(grid.shape, np.float32), 0.5) for grid in answers]

    monkeypatch.setattr(adapt, "predict", predicted)
    for right, said in (
        (True, [output] * 8),
        (True, [*wrong[:6], output, output]),  # the others agree on nothing
        (False, [wrong[0]] * 5 + [output] * 3),
        (False, wrong),
    ):
        answers[:] = said
        assert made._reproduces(model, 1, 1) is right
    assert asked == {(True, 1, 2)}


def test_a_single_demonstration_is_never_held_out(model: TinyRecursiveModel, watch: Watch) -> None:
    reported = list[AdaptationProgress]()
    adapted = adapter(model, drawn_task(demonstrations=1), steps=6, report=reported.append).adapt()
    assert len(adapted.models) == len(watch.copies) == 1
    assert {one.solved for one in reported} == {None} and adapted.ended[0].ended == "steps"


def test_tasks_are_learned_together_each_with_an_embedding_of_its_own(
    model: TinyRecursiveModel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr(adapt, "CELLS_CPU", 10**6)
    reported = list[AdaptationProgress]()
    tasks = (
        drawn_task("a", 3, seed=1),
        drawn_task("b", 1, seed=2, side=5, colours=(3, 4)),
        drawn_task("c", 2, seed=3),
    )
    adapted = adapter(model, *tasks, steps=60, report=reported.append).adapt()
    assert [one.task for one in adapted.ended] == list(tasks) and len(adapted.canvases) == 3
    assert [one.solved for one in adapted.ended] == [3, None, 2]
    assert [one.task.name for one in reported[:6]] == ["a", "b", "c"] * 2 and reported[
        -3:
    ] == adapted.ended
    assert {int(n) for episode in watch.copies[-1][1] for n in episode.batch.puzzle_ids} == {
        0,
        1,
        2,
    }
    table = adapted.models[-1].get_parameter("puzzle_emb.weights")
    assert len(table) == 3 and not any(
        torch.equal(table[a], table[b]) for a, b in ((0, 1), (0, 2), (1, 2))
    )
    for number, task in enumerate(tasks):
        frames = predict(
            adapted.models[-1], Question(task.tests[0], adapted.canvases[number], number), cycles=1
        )
        assert len(frames) == 8


def test_what_is_reported_makes_sense(model: TinyRecursiveModel) -> None:
    reported = list[AdaptationProgress]()
    task = drawn_task()
    adapted = adapter(model, task, steps=12, seconds=77.0, report=reported.append).adapt()
    assert all(
        one.task is task and one.budget == 77.0 and math.isfinite(one.loss) for one in reported
    )
    assert [one.step for one in reported] == [*range(1, 13), 12]
    seconds = [one.seconds for one in reported]
    assert seconds == sorted(seconds) and seconds[0] > 0
    assert [one.ended for one in reported] == [""] * 12 + ["steps"] and reported[
        -1
    ] == adapted.ended[0]
    assert {one.solved for one in reported} == {None}  # there is no time to hold one out


def test_a_loss_that_is_not_finite_is_told(
    model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Learner, factor: float = 1.0) -> Loss:
        raise TrainingError("the loss is no longer finite")

    monkeypatch.setattr(Learner, "step", broken)
    with pytest.raises(TrainingError, match="no longer finite"):
        adapter(model).adapt()


def test_rates_rise_and_fall(model: TinyRecursiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    factors, step = list[float](), Learner.step

    def noted(self: Learner, factor: float = 1.0) -> Loss:
        factors.append(factor)
        return step(self, factor)

    monkeypatch.setattr(Learner, "step", noted)
    adapter(model, drawn_task(demonstrations=1), steps=80).adapt()
    assert factors[0] == 1 / adapt.WARMUP and 0.9 < max(factors) <= 1
    peak = factors.index(max(factors))
    assert peak < 25 and factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True) and factors[-1] < 0.05
