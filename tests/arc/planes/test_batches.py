"""Learning from batches: labels are planes, and an episode is learned cycle after cycle."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.planes import PLANES, network
from trmsolve.arc.planes.batches import Episode, Row, episode_of, planes_batch_of
from trmsolve.arc.planes.canvas import Canvas, place_on_canvas, show
from trmsolve.arc.planes.learner import Learner, compile_blocks
from trmsolve.arc.task import Pair
from trmsolve.errors import TrainingError
from trmsolve.model.planes import PlanesModel, mlp_residual
from trmsolve.puzzles.values import Grid
from trmsolve.train.recipes import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
RECIPE = Recipe(
    PLANES, batch_size=1, lr=0.01, head_lr=0.01, table_lr=0.02, ema=0.9, weight_decay=0.05
)


def grid_of(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


QUESTION, ANSWER = grid_of([1, 2, 2], [3, 1, 1]), grid_of([3, 3], [1, 2])
PALETTE = (0, 2, 3, 4)  # outside, and colours 1 to 3


def row(
    palette: tuple[int, ...] = PALETTE,
    symmetry: int = 0,
    puzzle: int = 0,
    answer: Grid | None = ANSWER,
) -> Row:
    (shown,) = show(Pair(QUESTION, answer), Canvas(4, palette), [symmetry])
    return Row(shown, palette, puzzle)


def episode(*puzzles: int) -> Episode:
    return episode_of(
        [row(symmetry=number, puzzle=puzzle) for number, puzzle in enumerate(puzzles)], CPU
    )


def test_a_scene_has_the_grids_their_planes_symmetries_and_puzzles() -> None:
    batch = planes_batch_of([row(), row((0, 4, 2, 3), 1, 2, None)], CPU)
    assert batch.tokens.tolist() == [
        place_on_canvas(QUESTION, 4).tolist(),
        place_on_canvas(np.rot90(QUESTION), 4).tolist(),
    ]
    assert batch.palette.tolist() == [[0, 2, 3, 4], [0, 4, 2, 3]]
    assert batch.symmetries.tolist() == [0, 1] and batch.puzzle_ids.tolist() == [0, 2]
    assert {part.dtype for part in batch} == {torch.int64}


def test_labels_are_the_planes_of_the_answers_symbols() -> None:
    taught = episode_of([row(palette) for palette in (PALETTE, (0, 4, 3, 2), (4, 3, 2, 0))], CPU)
    assert taught.labels.shape == (3, 16) and taught.labels.dtype == torch.int64
    for labels, palette in zip(taught.labels, taught.batch.palette, strict=True):
        assert palette[labels].view(4, 4).tolist() == place_on_canvas(ANSWER, 4).tolist()
    assert taught.labels[0].view(4, 4).tolist() == [
        [3, 3, 0, 0],
        [1, 2, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_the_loss_falls_on_one_lesson_until_it_is_known() -> None:
    torch.manual_seed(0)
    learner, taught = (
        Learner(PlanesModel(PLANES), replace(RECIPE, lr=0.03, head_lr=0.03)),
        episode(0, 0, 0, 0),
    )
    losses = []
    for _ in range(30):
        learner.begin(taught)
        losses += [learner.step() for _ in range(2)]
    first, last = losses[0], losses[-1]
    assert first.labelled.tolist() == [16] * 4 and not first.right.any()
    assert last.tokens.item() < 0.05 * first.tokens.item()
    assert last.right.all() and last.right_tokens.tolist() == [16] * 4


def test_a_lesson_goes_on_from_cycle_to_cycle_and_begins_anew() -> None:
    learner = Learner(network().requires_grad_(), RECIPE)
    learner.begin(episode(0, 1))
    assert learner.state is not None
    start = [part.clone() for part in learner.state]
    assert start[0].shape == (2, 4, 4, 4, 16)
    learner.step(factor=0.0)
    once = [part.clone() for part in learner.state]
    learner.step(factor=0.0)
    assert not any(torch.equal(*both) for both in zip(once, learner.state, strict=True))
    assert not any(part.requires_grad for part in learner.state)
    learner.begin(episode(0, 1))
    assert all(torch.equal(*both) for both in zip(start, learner.state, strict=True))
    learner.step(factor=0.0)
    assert all(torch.equal(*both) for both in zip(once, learner.state, strict=True))


def test_a_rate_of_nothing_moves_nothing_and_half_of_it_half() -> None:
    moved = []
    for factor in (0.0, 0.5, 1.0):
        learner = Learner(
            network().requires_grad_(),
            replace(RECIPE, head_weight_decay=0.0, table_weight_decay=0.0),
        )
        before = {name: p.detach().clone() for name, p in learner.model.named_parameters()}
        learner.begin(episode(0))
        learner.step(factor)
        moved.append(
            {
                name: (p.detach() - before[name]).abs().sum()
                for name, p in learner.model.named_parameters()
            }
        )
    assert not any(moved[0].values()) and all(moved[2].values())
    for name in ("lm_head.weight", "puzzle_emb.weights", "embed_planes.kinds"):
        assert float(moved[1][name] / moved[2][name]) == pytest.approx(0.5, rel=1e-2)


def test_only_the_touched_rows_of_the_table_move() -> None:
    learner = Learner(PlanesModel(replace(PLANES, num_puzzles=5)), RECIPE)
    for _ in range(2):
        learner.begin(episode(3, 1, 3))
        learner.step()
    table = learner.model.get_parameter("puzzle_emb.weights").detach()
    assert table.any(1).tolist() == [False, True, False, True, False]
    # Of a row, the slots of the puzzle and of the symbols that have planes.
    assert (
        table[1].view(12, 16).any(1).tolist() == [True, True, False, True, True, True] + [False] * 6
    )
    assert table[3].abs().max() <= 2 * RECIPE.table_lr


def test_the_average_follows_the_weights() -> None:
    learner = Learner(PlanesModel(PLANES), RECIPE)
    before = learner.ema.shadow["lm_head.weight"].clone()
    learner.begin(episode(0))
    learner.step()
    raw, average = learner.model.lm_head.weight.detach(), learner.ema.shadow["lm_head.weight"]
    decay = min(RECIPE.ema, 2 / 11)
    torch.testing.assert_close(average, decay * before + (1 - decay) * raw)


def test_a_loss_that_is_not_finite_is_not_learned_from() -> None:
    model = PlanesModel(PLANES)
    model.lm_head.weight.data[0, 0] = math.inf
    learner = Learner(model, RECIPE)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learner.begin(episode(0))
    with pytest.raises(TrainingError, match="the loss is no longer finite"):
        learner.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_gradient_is_bounded() -> None:
    """With plain steps along the gradient a bound of next to nothing moves next to nothing."""
    model = PlanesModel(PLANES)
    learner = Learner(model, replace(RECIPE, clip=1e-6))
    learner.optimizers = [torch.optim.SGD(learner.dense, lr=1.0)]
    learner.optimizers[0].param_groups[0]["base_lr"] = 1.0
    before = [p.detach().clone() for p in learner.dense]
    learner.begin(episode(0))
    learner.step()
    moved = math.sqrt(
        sum(
            float((p.detach() - b).square().sum())
            for p, b in zip(learner.dense, before, strict=True)
        )
    )
    assert 0 < moved < 2e-6


def test_what_is_compiled_is_all_of_a_block_but_its_mixing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(h: Tensor, *rest: Any) -> Tensor:
        asked.append(h.shape)
        return mlp_residual(h, *rest)

    monkeypatch.setattr("trmsolve.model.planes.compiled_mlp_residual", lambda: counted)
    plain, compiled = (
        Learner(network(replace(PLANES, layers=2)).requires_grad_(), RECIPE) for _ in range(2)
    )
    compile_blocks(compiled.model)
    losses = []
    for learner in (plain, compiled):
        learner.begin(episode(0))
        losses.append(learner.step().total)
        assert len(asked) == (
            0 if learner is plain else 2 * 3
        )  # both layers, two steps of thought and one to answer
    assert set(asked) == {(4 * 4 * 4, 16)} and torch.equal(*losses)
