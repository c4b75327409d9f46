"""The speed measurement: what it counts, that its figures agree, and how they are shown."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from trmsolve import bench
from trmsolve.arc.compression import speed
from trmsolve.arc.compression.speed import TaskSize
from trmsolve.bench import (
    Figures,
    Setup,
    Work,
    bench_solving,
    bench_training,
    break_down,
    count_cycle,
    make_examples,
    time_steps,
)
from trmsolve.cli import app
from trmsolve.device import Placement
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles import task_forms
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.recipes import RECIPES, Recipe

CPU = Placement(torch.device("cpu"), torch.float32, "")
SETUP = Setup(CPU, compiled=False, seconds=0.1)
LINEAR = TRMConfig(
    vocab_size=11,
    seq_len=81,
    hidden_size=32,
    layers=2,
    recursions=2,
    latent_steps=3,
    mixer="mlp",
    positions="none",
    inner_multiple=16,
    expansion=1.5,
)
LATTICE = TRMConfig(
    vocab_size=2,
    seq_len=729,
    hidden_size=16,
    layers=1,
    recursions=1,
    latent_steps=1,
    mixer="lattice",
    positions="none",
    board=(9, 9, 3, 3),
    candidates=9,
    inner_multiple=16,
    normed_swiglu=True,
    halt_from="mean",
)
KEYS = {
    "task",
    "recipe",
    "weights",
    "mode",
    "device",
    "dtype",
    "threads",
    "compiled",
    "parameters",
    "batch_size",
    "warm_up_seconds",
    "seconds",
    "steps",
    "steps_per_second",
    "examples_per_second",
    "puzzles_per_second",
    "flop_per_step",
    "flop_per_second",
    "matmul_flop_per_second",
    "fraction",
    "breakdown",
}


@pytest.fixture(autouse=True)
def small_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.SIDES, "cpu", 128)
    monkeypatch.setattr(bench, "WARM_UP", 1)
    monkeypatch.setattr(bench, "PROFILED", 1)
    monkeypatch.setattr(bench, "EXAMPLES", 16)
    monkeypatch.setitem(RECIPES, ("sudoku", "tiny"), Recipe(LATTICE, batch_size=4))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", "--seconds", "0.1", "--dtype", "fp32", *arguments])


def level(config: TRMConfig) -> int:
    """Operations of the linear network's blocks for one puzzle, by hand; inner sizes: 96, 32."""
    over_tokens = 2 * config.hidden_size * (81 * 2 * 96 + 96 * 81)
    within_tokens = 2 * 81 * (32 * 2 * 32 + 32 * 32)
    return config.layers * (over_tokens + within_tokens)


HEADS = 2 * 81 * 32 * 11 + 2 * 32 * 2


def agrees(figures: Figures) -> None:
    close = pytest.approx
    assert figures["steps_per_second"] == close(figures["steps"] / figures["seconds"])
    assert figures["examples_per_second"] == close(
        figures["steps_per_second"] * figures["batch_size"]
    )
    assert figures["flop_per_second"] == close(
        figures["steps_per_second"] * figures["flop_per_step"]
    )
    assert figures["fraction"] == close(
        figures["flop_per_second"] / figures["matmul_flop_per_second"]
    )
    if figures.get("breakdown"):
        assert sum(figures["breakdown"].values()) == close(1, abs=0.002)
        assert list(figures["breakdown"].values()) == sorted(
            figures["breakdown"].values(), reverse=True
        )


def test_a_cycle_of_linear_maps_counts_as_by_hand() -> None:
    assert count_cycle(LINEAR) == 2 * 4 * level(LINEAR) + HEADS


def test_attention_counts_where_it_is_fused() -> None:
    attention = replace(LINEAR, mixer="attention", positions="rope", num_heads=4)
    block = 4 * 2 * 81 * 32 * 32 + 2 * 2 * 81 * 81 * 32 + 2 * 81 * (32 * 2 * 32 + 32 * 32)
    assert count_cycle(attention) == 2 * 4 * 2 * block + HEADS


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_training_step_counts_both_ways_and_the_optimizer(optimizer: str) -> None:
    recipe = Recipe(LINEAR, batch_size=5, optimizer=optimizer)
    # The first recursion is not learned from; of the second and the heads each product has two in
    # its backward.
    network = 4 * level(LINEAR) + 3 * (4 * level(LINEAR) + HEADS)
    shapes = (
        [(81, 192), (81, 96), (32, 64), (32, 32)] * LINEAR.layers if optimizer == "muon" else []
    )
    newton_schulz = sum(5 * (2 * 2 * short * short * long + 2 * short**3) for short, long in shapes)
    figures = bench_training("sudoku", recipe, SETUP)
    assert figures["flop_per_step"] == 5 * network + newton_schulz
    agrees(figures)


def test_training_is_measured_at_the_depth_it_is_done_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "break_down", lambda *_: {})

    def flop_per_step(recipe: Recipe) -> int:
        return bench_training("sudoku", recipe, SETUP)["flop_per_step"]

    deep = replace(LINEAR, recursions=3)
    once_of_three = flop_per_step(Recipe(deep, 2, curriculum=((1.0, 1, 0),)))
    once = flop_per_step(Recipe(replace(LINEAR, recursions=1), 2))
    three = flop_per_step(Recipe(deep, 2))
    assert once_of_three == once < three


def test_the_phases_of_training_are_told_apart() -> None:
    figures = bench_training("sudoku", Recipe(LATTICE, batch_size=4), SETUP)
    agrees(figures)
    assert {"matrix products", "norms and elementwise", "copies and casts", "other"} <= set(
        figures["breakdown"]
    )
    assert {"optimizer", "loss", "pool refill"} <= set(figures["breakdown"])
    assert figures["puzzles_per_second"] >= 0


def test_steps_are_counted_from_the_end_of_the_warm_up() -> None:
    taken: list[str] = []
    work = Work(lambda: taken.append("step"), 7, 1000, lambda: taken.append("begin"))
    figures = time_steps(work, CPU, 0.01)
    assert figures["steps"] == len(taken) - taken.index("begin") - 1 > 0
    assert (figures["batch_size"], figures["flop_per_step"]) == (7, 1000)
    assert figures["seconds"] >= 0.01
    agrees(figures)


def test_one_step_longer_than_asked_for_is_enough() -> None:
    figures = time_steps(Work(lambda: torch.randn(1_000_000), 1, 1), CPU, 1e-6)
    assert figures["steps"] == 1


def test_solving_is_timed_alone_and_in_a_batch() -> None:
    model = TinyRecursiveModel(LATTICE).eval()
    figures = bench_solving("sudoku", model, SETUP, 3)
    for part, rows in ((figures, 3), (figures["single"], 1)):
        agrees(part)
        assert part["batch_size"] == rows
        assert part["flop_per_step"] == rows * count_cycle(LATTICE)
        assert part["puzzles_per_second"] == pytest.approx(part["examples_per_second"] / MAX_CYCLES)
        assert "rules" in part["breakdown"]


@pytest.mark.parametrize("task", task_forms(), ids=lambda task: f"{task.name}-{task.candidates}")
def test_the_puzzles_are_right_and_differ(task: Task) -> None:
    examples = make_examples(task)
    assert len(np.unique(examples.questions, axis=0)) == len(examples)
    for question, answer in zip(examples.questions, examples.answers, strict=True):
        assert 0 < (question == 0).sum() < question.size
        assert task.verify(Puzzle(question), answer).verified


def test_a_device_that_cannot_be_looked_into_has_no_breakdown() -> None:
    assert break_down(lambda: None, torch.device("mps")) == {}


def test_json_is_one_object_with_the_agreed_keys() -> None:
    result = run("--train", "--recipe", "tiny", "--compile", "off", "--batch-size", "2", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(figures) == KEYS
    assert (figures["task"], figures["recipe"], figures["weights"]) == ("sudoku", "tiny", None)
    assert (figures["mode"], figures["batch_size"], figures["compiled"]) == ("train", 2, False)
    assert figures["parameters"] == TinyRecursiveModel(LATTICE).parameter_count()
    agrees(figures)


def test_a_recipe_is_timed_before_it_is_trained() -> None:
    figures = json.loads(run("--recipe", "tiny", "--batch-size", "2", "--json").stdout)
    assert set(figures) == KEYS | {"single"}
    assert (figures["recipe"], figures["weights"], figures["mode"]) == ("tiny", None, "solve")
    agrees(figures)


def test_the_table_says_what_was_measured_and_how_much_of_the_machine_that_is() -> None:
    result = run("--batch-size", "2")
    assert result.exit_code == 0, result.output
    heading, *lines = result.stdout.splitlines()
    assert heading.startswith("solving sudoku, sudoku.safetensors@") and "cpu fp32" in heading
    assert [line.split()[1] for line in lines if line.startswith("batch")] == ["1", "2"]
    text = "\n".join(lines)
    for part in (
        "cycles/s",
        "finished/s",
        "ms each",
        "FLOP/step",
        "of matrix products",
        "norms and elementwise",
    ):
        assert part in text
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe", "nonsense"], "--recipe nonsense is not known: use "),
        (["--train", "--recipe", "nonsense"], "--recipe nonsense is not known: use "),
        (["--task", "chess"], "unknown task 'chess'"),
        (["--task", "chess", "--train"], "unknown task 'chess'"),
        (["--compile", "maybe"], "--compile maybe is not known"),
        (["--train", "--weights", "some.safetensors"], "--weights cannot be combined with"),
        (["--device", "abacus"], "--device abacus is not known"),
        (["--task", "arc", "--train"], "bench --task arc measures how tasks are learned"),
        (["--task", "arc", "--recipe", "tiny"], "omit --weights, --train and --recipe"),
        (["--task", "arc", "--weights", "some.safetensors"], "omit --weights, --train and"),
    ],
)
def test_what_cannot_be_understood_is_said_in_one_line(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_missing_weights_leave_with_their_own_code() -> None:
    assert run("--weights", "none.safetensors").exit_code == 3


# Learning ARC tasks from nothing


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch, process_as_it_was: None) -> None:
    """Two sizes that are learned in no time."""
    monkeypatch.setattr(speed, "SIZES", (TaskSize(2, 2, 2), TaskSize(3, 3, 3, tests=2)))


@pytest.mark.usefixtures("small_tasks")
def test_learning_from_nothing_is_timed_for_each_size() -> None:
    result = CliRunner().invoke(app, ["bench", "--task", "arc", "--seconds", "0.3", "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    figures = json.loads(result.stdout)
    assert list(figures) == ["task", "threads", "sizes"]
    assert (figures["task"], figures["threads"]) == ("arc", 1)
    sizes = []
    for row in figures["sizes"]:
        sizes.append([row.pop(name) for name in ("side", "colours", "demonstrations", "tests")])
        assert list(row) == ["steps", "seconds_per_step", "steps_per_second"]
        assert row["steps"] >= 1 and row["seconds_per_step"] > 0
        per_second = 1 / row["seconds_per_step"]
        assert row["steps_per_second"] == pytest.approx(per_second, rel=0.1), "seconds are rounded"
    assert sizes == [[2, 2, 2, 1], [3, 3, 3, 2]]


@pytest.mark.usefixtures("small_tasks")
def test_the_table_of_learning_from_nothing_has_a_line_for_each_size() -> None:
    result = run("--task", "arc")
    assert (result.exit_code, result.stderr) == (0, "")
    heading, small, large = result.stdout.splitlines()
    assert "learning an ARC task from nothing" in heading and "steps a second" in heading
    assert small.startswith("2x2 ") and small.endswith("/s  2 demonstrations, 2 colours")
    assert large.startswith("3x3 ") and large.endswith("/s  3 demonstrations, 3 colours")


@pytest.mark.parametrize("size", speed.SIZES)
def test_a_timed_task_has_the_size_that_is_told(size: TaskSize) -> None:
    task = speed.random_task(size)
    assert len(task.demonstrations) == size.demonstrations and len(task.tests) == size.tests
    grids = []
    for pair in (*task.demonstrations, *task.tests):
        assert pair.output is not None
        grids += [pair.input, pair.output]
    assert {grid.shape for grid in grids} == {(size.side, size.side)}
    assert np.unique(grids).tolist() == list(range(size.colours))
