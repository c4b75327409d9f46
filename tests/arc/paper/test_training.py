"""The paper's joint training on ARC: what is learned from, what is drawn, and that it learns."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trmsolve.arc.paper.answering import VariantVote
from trmsolve.arc.paper.examples import PaperExamples, PaperSampler, choose_measured
from trmsolve.arc.paper.known import Known
from trmsolve.arc.paper.training import evaluate_held_out
from trmsolve.arc.paper.variants import FIRST_COLOUR, PLAIN, Augmentation, encode, parse_name
from trmsolve.arc.symmetry import crop
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.errors import UsageError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.values import Grid
from trmsolve.train.loss import IGNORE
from trmsolve.train.recipes import RECIPES, Recipe
from trmsolve.train.trainer import Trainer
from trmsolve.weights.file import load_model, save_weights
from trmsolve.weights.info import WeightsInfo

CPU = torch.device("cpu")
RECIPE = RECIPES["arc", "paper"]


def grid_of(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


def drawn_task(name: str, seed: int, tests: int = 1) -> ArcTask:
    """A task of no rule: grids of random sizes and colours."""
    rng = np.random.default_rng(seed)
    pairs = [
        Pair(*(rng.integers(0, 10, rng.integers(1, 6, 2)).astype(np.int8) for _ in range(2)))
        for _ in range(2 + tests)
    ]
    return ArcTask(name, tuple(pairs[:2]), tuple(pairs[2:]))


def small(recipe: Recipe = RECIPE, **changes: object) -> Recipe:
    """The recipe with a network for two cores and a second."""
    config = replace(
        recipe.config,
        hidden_size=32,
        layers=1,
        recursions=1,
        latent_steps=1,
        num_heads=2,
        inner_multiple=32,
        expansion=0.1,
        puzzle_emb_dim=32,
        prefix_len=1,
    )
    return replace(recipe, config=config, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def examples() -> PaperExamples:
    return PaperExamples.build(
        [drawn_task(name, n, tests=n) for n, name in enumerate("abc", 1)], ["b"], 5
    )


def test_the_recipe_is_the_papers() -> None:
    config = RECIPE.config
    assert (config.vocab_size, config.seq_len, config.hidden_size, config.layers) == (
        12,
        900,
        512,
        2,
    )
    assert (config.recursions, config.latent_steps, config.mixer, config.positions) == (
        3,
        4,
        "attention",
        "rope",
    )
    assert (config.puzzle_emb_dim, config.prefix_len) == (512, 16)
    assert (RECIPE.optimizer, RECIPE.lr, RECIPE.weight_decay, RECIPE.batch_size) == (
        "adam_atan2",
        1e-4,
        0.1,
        768,
    )
    assert (RECIPE.table_lr, RECIPE.table_weight_decay, RECIPE.ema, RECIPE.final_lr) == (
        1e-2,
        0.1,
        0.999,
        1.0,
    )
    assert (RECIPE.loss, RECIPE.halt_weight, RECIPE.clip, RECIPE.exploration) == (
        "stablemax",
        0.5,
        None,
        0.1,
    )
    assert TinyRecursiveModel(config).parameter_count() == 6_829_058


def test_tests_are_learned_from_unless_they_are_measured(examples: PaperExamples) -> None:
    a, b, c = examples.tasks
    learned = [
        pair
        for task in (a, b, c)
        for pair in (*task.demonstrations, *(task.tests if task is not b else ()))
    ]
    assert [one.input.tolist() for one in examples.learned] == [
        pair.input.tolist() for pair in learned
    ]
    assert [one.output.tolist() for one in examples.held_out] == [
        pair.output.tolist() for pair in b.tests
    ]  # type: ignore[union-attr]
    assert [one.task for one in examples.learned] == [0, 0, 0, 1, 1, 2, 2, 2, 2, 2]
    assert [one.task for one in examples.held_out] == [1, 1]
    assert len(examples) == 10 * 6


def test_what_is_held_out_is_learned_from_under_no_name_and_in_no_clothes() -> None:
    a, b, clean = drawn_task("a", 1), drawn_task("b", 2), drawn_task("clean", 3)
    view = Augmentation(6, (0, 3, 2, 1, 5, 4, 9, 8, 7, 6))
    worn = [
        Pair(*(view.apply(grid) for grid in (pair.input, pair.output) if grid is not None))
        for pair in a.tests
    ]
    copies = [
        ArcTask("demonstrates", (*b.demonstrations, *worn), b.tests),
        ArcTask("asks", clean.demonstrations, (*clean.tests, *a.tests)),
        ArcTask("open", clean.demonstrations, (Pair(grid_of([1])),)),
    ]
    examples = PaperExamples.build([a, *copies], ["a"], 0)
    assert [one.task for one in examples.learned] == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    # What a task itself demonstrates is given when it is asked, and stays.
    own = ArcTask("own", (*a.demonstrations, *worn), a.tests)
    assert len(PaperExamples.build([own], ["own"], 0).learned) == 3


def test_rows_and_names_belong_together(examples: PaperExamples) -> None:
    names = examples.identifiers()
    assert (
        names[0] == "<blank>" and len(names) == len(set(names)) == examples.num_puzzles == 1 + 3 * 6
    )
    assert [names[row] for row in examples.first[:-1]] == ["a", "b", "c"]
    for row, name in enumerate(names[1:], 1):
        task, view = parse_name(name)
        assert view == examples.variant(row)
        k = "abc".index(task)
        assert examples.first[k] <= row < examples.first[k + 1]
    recipe = examples.sized(RECIPE)
    assert recipe.config.num_puzzles == 19 and replace(recipe, config=RECIPE.config) == RECIPE


def test_variants_follow_from_the_task_and_the_seed_alone(examples: PaperExamples) -> None:
    again = PaperExamples.build(examples.tasks[::-1], ["b"], 5)
    assert sorted(again.identifiers()) == sorted(examples.identifiers())
    views = [
        [examples.variant(row) for row in range(first, first + 6)] for first in examples.first[:-1]
    ]
    assert views[0] != views[1] != views[2] != views[0]
    assert PaperExamples.build(examples.tasks, ["b"], 5).content_hash() == examples.content_hash()
    others = [
        again,
        PaperExamples.build(examples.tasks, ["b"], 5, seed=1),
        PaperExamples.build(examples.tasks, ["b"], 4),
        PaperExamples.build(examples.tasks, ["a", "b"], 5),
    ]
    assert len({one.content_hash() for one in (examples, *others)}) == 5


def test_what_is_drawn_is_a_variant_of_a_pair_at_one_place_of_both_canvases(
    examples: PaperExamples,
) -> None:
    sampler = PaperSampler(examples, CPU, rows=300, seed=2)
    batch = sampler(torch.arange(300))
    assert batch.tokens.shape == batch.labels.shape == (300, 900) and batch.puzzle_ids.shape == (
        300,
    )
    assert {part.dtype for part in (batch.tokens, batch.labels, batch.puzzle_ids)} == {torch.int64}
    seen, cornered = set(), 0
    for tokens, labels, row in zip(
        batch.tokens.numpy(), batch.labels.numpy(), batch.puzzle_ids.tolist(), strict=True
    ):
        assert not (labels == 0).any()
        question, answer = (
            canvas.reshape(30, 30) for canvas in (tokens, np.where(labels == IGNORE, 0, labels))
        )
        down, across = (int(places.min()) for places in (question > 1).nonzero())
        cornered += (down, across) == (0, 0)
        grids = [crop(canvas[down:, across:], FIRST_COLOUR) for canvas in (question, answer)]
        for canvas, grid in zip((question, answer), grids, strict=True):
            assert np.array_equal(canvas, encode(grid, down, across))
        k = int(np.searchsorted(examples.first, row, side="right")) - 1
        undone = [examples.variant(row).undo(grid).tolist() for grid in grids]
        (which,) = (
            n
            for n, one in enumerate(examples.learned)
            if one.task == k and [one.input.tolist(), one.output.tolist()] == undone
        )
        seen.add(which)
    assert seen == set(range(10)) and set(batch.puzzle_ids.tolist()) == set(range(1, 19))
    assert 60 < cornered < 150  # one in three, two or five, and few by chance


def test_a_row_s_examples_depend_on_no_other_row_and_go_on_after_a_stop(
    examples: PaperExamples,
) -> None:
    whole = PaperSampler(examples, CPU, rows=8, seed=3)
    parts = [PaperSampler(examples, CPU, rows=4, first_row=first, seed=3) for first in (0, 4)]
    for rows in (range(8), (1, 2, 6), (2, 7)):
        together = whole(torch.tensor(rows)).tokens
        apart = [
            part(torch.tensor([row - 4 * k for row in rows if row // 4 == k]))
            for k, part in enumerate(parts)
        ]
        assert torch.equal(together, torch.cat([part.tokens for part in apart]))
    resumed = PaperSampler(examples, CPU, rows=8, seed=3)
    resumed.visits[:] = whole.visits
    for one, other in zip(
        vars(resumed(torch.arange(8))).values(), vars(whole(torch.arange(8))).values(), strict=True
    ):
        assert one is other or torch.equal(one, other)


def test_two_tasks_that_only_their_rows_tell_apart_are_learned_by_heart(tmp_path: Path) -> None:
    """The same input has another output in each: nothing but the table can say which is due."""
    asked = grid_of([1, 2])
    tasks = [
        ArcTask(name, (Pair(asked, said),), (Pair(asked, said),))
        for name, said in (("row", grid_of([3, 3])), ("column", grid_of([4], [5])))
    ]
    examples = PaperExamples.build(tasks, ["row", "column"], 0)
    torch.manual_seed(0)
    recipe = examples.sized(small(batch_size=4, lr=3e-3, ema=0.7, max_cycles=1))
    recipe = replace(recipe, config=replace(recipe.config, mixer="mlp", positions="none"))
    trainer, sampler = Trainer(recipe, CPU, torch.float32), PaperSampler(examples, CPU, rows=4)
    assert evaluate_held_out(trainer.model, examples, cycles=1) == 0
    right_in_a_row = 0
    for _ in range(400):
        loss = trainer.step(sampler)
        right_in_a_row = right_in_a_row + 1 if bool(loss.right.all()) else 0
        if right_in_a_row == 10:
            break
    state = trainer.ema.state_dict(trainer.model)
    trainer.model.load_state_dict(state)
    heard: list[tuple[int, int]] = []
    assert (
        evaluate_held_out(trainer.model, examples, cycles=1, told=lambda *word: heard.append(word))
        == 1.0
    )
    total = len(examples.held_out)
    assert heard == [(0, total), (total, total)]
    table = state["puzzle_emb.weights"]
    assert not table[0].any() and table[1:].any(1).all()  # the blank row is never drawn
    # And so does what is read back of it, one row at a time.
    save_weights(
        tmp_path / "arc.safetensors", state, WeightsInfo(recipe.config, "arc"), torch.float32
    )
    examples.write_identifiers(tmp_path)
    known = Known.beside(tmp_path / "arc.safetensors")
    assert known is not None
    for task in tasks:
        found = known.find(task)
        assert found is not None and found.variants == (PLAIN,) and found.by_content
        model = load_model(tmp_path / "arc.safetensors", "arc", torch.float32, CPU, found.rows)
        assert VariantVote(model, task, found.variants, cycles=1).answer().right(0, attempts=1)


def test_the_papers_network_takes_a_step_and_its_table_moves_where_it_was_touched(
    examples: PaperExamples,
) -> None:
    torch.manual_seed(0)
    recipe = examples.sized(small(batch_size=3))
    trainer, sampler = Trainer(recipe, CPU, torch.float32), PaperSampler(examples, CPU, rows=3)
    before = {
        name: parameter.detach().clone() for name, parameter in trainer.model.named_parameters()
    }
    loss = trainer.step(sampler)
    assert torch.isfinite(loss.total) and (loss.labelled > 1).all()
    touched = set(trainer.pool.batch.puzzle_ids.tolist())
    table = trainer.model.get_parameter("puzzle_emb.weights").detach()
    assert set(table.any(1).nonzero()[:, 0].tolist()) == touched
    assert table[sorted(touched)].abs().unique().tolist() == pytest.approx(
        [1e-2]
    )  # the sign, at its own rate
    assert all(
        not torch.equal(before[name], p)
        for name, p in trainer.model.named_parameters()
        if "q_head" not in name
    )


def test_what_is_written_beside_the_weights_tells_the_tasks(
    examples: PaperExamples, tmp_path: Path
) -> None:
    examples.write_identifiers(tmp_path)
    assert json.loads((tmp_path / "identifiers.json").read_text()) == examples.identifiers()
    known = Known.beside(tmp_path)
    assert known is not None
    for k, task in enumerate(examples.tasks):
        found = known.find(replace(task, name="renamed"))
        assert found is not None and found.name == task.name
        assert found.rows == tuple(range(examples.first[k], examples.first[k + 1]))
        assert found.variants == tuple(examples.variant(row) for row in found.rows)
    assert known.find(drawn_task("a", 9)) is None  # the name of one, the content of none


def test_measured_tasks_are_spread_and_have_answers() -> None:
    tasks = [drawn_task(str(n), n) for n in range(10)]
    tasks[0] = replace(tasks[0], tests=(Pair(grid_of([1])),))
    assert choose_measured(tasks, 3) == {"1", "5", "9"}
    assert len(choose_measured(tasks, 100)) == 5 and choose_measured(tasks[:1], 3) == frozenset()


def test_what_cannot_be_learned_or_judged_is_told() -> None:
    a, b = drawn_task("a", 1), drawn_task("b", 2)
    for tasks, measured, told in (
        ([a, b], [], "nothing to evaluate on"),
        ([a, b], ["c"], "evaluation task c is not among"),
        ([a, b, a], ["a"], "task a appears twice"),
        ([a, replace(b, name="b|||t1")], ["a"], "rename it"),
        ([a, replace(b, name="<blank>")], ["a"], "rename it"),
        ([replace(a, demonstrations=())], ["a"], "no pair is left for training"),
    ):
        with pytest.raises(UsageError, match=told):
            PaperExamples.build(tasks, measured, 1)
