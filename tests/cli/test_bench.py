"""``trmsolve bench``: what it writes, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from tests.support.bench import LATTICE, LINEAR, agrees, make_small
from tests.support.powercap import fake_zone
from trmsolve.arc.compression import sizes
from trmsolve.arc.compression.sizes import TaskSize
from trmsolve.bench import counters
from trmsolve.bench.against_paper import example_puzzles
from trmsolve.bench.gpu import Setting
from trmsolve.cli import app
from trmsolve.cli.bench import measure
from trmsolve.model.network import TinyRecursiveModel

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
    "network_matmul_shape",
    "network_matmul_flop_per_second",
}


@pytest.fixture(autouse=True)
def small_things(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)
    monkeypatch.setattr(measure, "example_puzzles", lambda task: example_puzzles(task)[:2])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", "--seconds", "0.1", "--dtype", "fp32", *arguments])


def plain(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", *arguments])


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
    assert [line.split()[1] for line in lines if line.startswith("batch")] == ["1", "2", "2"]
    assert lines[1].split() == ["matrix", "products", *lines[1].split()[2:4], "100.0%"]
    compared = [line.split("  ")[0] for line in lines[2:8:2]]
    assert compared == ["solving, batch 1", "solving, batch 2", "training, batch 2"]
    text = "\n".join(lines)
    for part in (
        "cycles/s",
        "finished/s",
        "ms each",
        "FLOP/step",
        "of matrix products",
        "norms and elementwise",
        "its largest product",
        "training sudoku, recipe laptop",
    ):
        assert part in text
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe", "nonsense"], "--recipe nonsense is not known: use "),
        (["--train", "--recipe", "nonsense"], "--recipe nonsense is not known: use "),
        (["--task", "chess"], "--task chess is not known"),
        (["--task", "chess", "--train"], "--task chess is not known"),
        (["--compile", "maybe"], "--compile maybe is not known"),
        (["--train", "--weights", "some.safetensors"], "--weights cannot be combined with"),
        (["--device", "abacus"], "--device abacus is not known"),
        (["--task", "arc", "--train"], "bench --task arc measures how tasks are learned"),
        (["--task", "arc", "--recipe", "tiny"], "omit --weights, --train and --recipe"),
        (["--task", "arc", "--weights", "some.safetensors"], "omit --weights, --train and"),
        (["--task", "arc", "--batch-size", "3"], "one core in fp32: omit --batch-size"),
        (["--task", "arc", "--dtype", "bf16"], "one core in fp32: omit --dtype"),
        (["--task", "arc", "--threads", "2"], "one core in fp32: omit --threads"),
        (["--task", "arc", "--compile", "on"], "one core in fp32: omit --compile"),
        (["--task", "arc", "--device", "cuda"], "one core in fp32: omit --device"),
        (["--task", "arc", "--profile"], "--profile is not for arc"),
        (["--task", "arc", "--energy"], "--energy is not for arc"),
        (["--profile", "--energy"], "--profile cannot be combined with --energy"),
        (["--against-paper"], "--seconds cannot be combined with --against-paper"),
        (["--gpu"], "--dtype cannot be combined with --gpu"),
        (["--profile", "--train", "--weights", "some"], "--weights cannot be combined with"),
        (["--energy", "--train"], "--train cannot be combined with --energy"),
        (["--energy", "--recipe", "tiny"], "--recipe cannot be combined with --energy"),
        (["--energy", "--compile", "on"], "--compile cannot be combined with --energy"),
        (["--energy", "--task", "chess"], "--task chess is not known"),
    ],
)
def test_what_cannot_be_understood_is_said_in_one_line(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against-paper", "--batch-size", "2"], "--batch-size cannot be combined with"),
        (["--against-paper", "--weights", "some"], "--weights cannot be combined with"),
        (["--against-paper", "--recipe", "paper"], "--recipe cannot be combined with"),
        (["--against-paper", "--train"], "--train cannot be combined with"),
        (["--against-paper", "--compile", "on"], "--compile cannot be combined with"),
        (["--against-paper", "--gpu"], "--against-paper cannot be combined with --gpu"),
        (["--against-paper", "--task", "chess"], "--task chess is not known"),
        (["--gpu", "--batch-size", "2"], "--batch-size cannot be combined with --gpu"),
        (["--gpu", "--threads", "2"], "--threads cannot be combined with --gpu"),
        (["--gpu", "--train"], "--train cannot be combined with --gpu"),
        (["--gpu", "--compile", "on"], "--compile cannot be combined with --gpu"),
        (["--gpu", "--device", "cpu"], "--gpu measures a CUDA device, not --device cpu"),
    ],
)
def test_modes_refuse_what_they_decide_themselves(arguments: list[str], said: str) -> None:
    result = plain(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_gpu_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = plain("--gpu")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "trmsolve: --gpu needs a CUDA device, and there is none here\n"


def test_settings_of_a_gpu_are_shown_one_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(measure, "choose_gpu", lambda asked: cpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "an abacus")
    monkeypatch.setattr(
        measure, "SETTINGS", (Setting("eager", "fp32", 2), Setting("graph", "fp32", 2))
    )
    result = plain("--gpu", "--recipe", "tiny", "--seconds", "0.1")
    assert result.exit_code == 0, result.output
    heading, eager, graph = result.stdout.splitlines()
    assert heading.endswith("sudoku, recipe tiny, an abacus")
    assert eager.startswith("eager  fp32  batch 2 ") and eager.endswith(" cycles/s")
    assert graph.startswith("graph  fp32  batch 2 ") and "cycles/s" not in graph
    figures = json.loads(plain("--gpu", "--recipe", "tiny", "--seconds", "0.1", "--json").stdout)
    assert figures["settings"][0]["cycles_per_second"] > 0


def test_a_profile_names_operations_of_solving_and_training() -> None:
    figures = json.loads(run("--profile", "--batch-size", "2", "--json").stdout)
    assert (figures["task"], figures["recipe"]) == ("sudoku", None)
    for part, mode in (("solving", "solve"), ("training", "train")):
        profiled = figures[part]
        assert (profiled["mode"], profiled["batch_size"]) == (mode, 2)
        assert 5 < len(profiled["operations"]) <= 15
        assert "aten::mm" in [row["name"] for row in profiled["operations"]]
    text = run("--profile", "--batch-size", "2").stdout
    assert text.count("self CPU") == 2 and text.count("outside of operations") == 2
    assert text.startswith("solving sudoku, sudoku.safetensors@")
    assert "\ntraining sudoku, recipe laptop, " in text


def test_a_profile_can_be_of_training_or_of_solving_alone() -> None:
    figures = json.loads(run("--profile", "--train", "--batch-size", "2", "--json").stdout)
    assert figures["solving"] is None and figures["recipe"] == "laptop"
    figures = json.loads(run("--profile", "--recipe", "tiny", "--batch-size", "2", "--json").stdout)
    assert figures["training"] is None and figures["recipe"] == "tiny"


def test_the_papers_network_and_the_bundled_one_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "paper_config", lambda task: LINEAR)
    arguments = ("--against-paper", "--task", "sudoku", "--dtype", "fp32")
    result = plain(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("\n") == 1 and "about a minute" in result.stderr
    assert "random" in result.stdout
    row = result.stdout.splitlines()[-1]
    assert row.startswith("sudoku  fp32") and row.endswith("2 of 2 verified")
    figures = json.loads(plain(*arguments, "--json").stdout)
    assert figures["paper_weights"] == "random"
    assert [row["dtype"] for row in figures["comparisons"]] == ["fp32"]


def test_a_machine_without_counters_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(counters, "POWERCAP", tmp_path)
    result = run("--energy")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("trmsolve: this machine does not tell its energy: ")
    assert result.stderr.count("\n") == 1


def test_energy_is_shown_for_each_verified_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_zone(tmp_path, "intel-rapl:0", "package-0")
    monkeypatch.setattr(counters, "POWERCAP", tmp_path)
    result = run("--energy")
    assert result.exit_code == 0, result.output
    heading, answers, power, each = result.stdout.splitlines()
    assert heading.endswith("by package-0") and " verified in " in answers
    assert power.startswith("power     0 W") and each.startswith("energy    0 J a verified answer")
    figures = json.loads(run("--energy", "--json").stdout)
    assert figures["counters"] == ["package-0"] and figures["verified"] >= 2


def test_missing_weights_leave_with_their_own_code() -> None:
    assert run("--weights", "none.safetensors").exit_code == 3


# Learning ARC tasks from nothing


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch, process_as_it_was: None) -> None:
    """Two sizes that are learned in no time."""
    monkeypatch.setattr(measure, "SIZES", (TaskSize(2, 2, 2), TaskSize(3, 3, 3, tests=2)))


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
        assert list(row) == [
            "steps",
            "seconds_per_step",
            "steps_per_second",
            "flop_per_step",
            "flop_per_second",
            "matmul_flop_per_second",
            "fraction",
        ]
        assert row["flop_per_step"] > 0
        fraction = row["flop_per_second"] / row["matmul_flop_per_second"]
        assert row["fraction"] == pytest.approx(fraction)
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
    assert small.startswith("2x2 ") and "/s  2 demonstrations, 2 colours, " in small
    assert large.startswith("3x3 ") and "/s  3 demonstrations, 3 colours, " in large
    assert small.endswith("% of matrix products")


@pytest.mark.usefixtures("small_tasks")
def test_each_line_is_printed_when_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    measure_size = measure.bench_arc

    def note_size(*arguments: Any) -> Any:
        happened.append("measured")
        return measure_size(*arguments)

    monkeypatch.setattr(measure, "bench_arc", note_size)
    monkeypatch.setattr(measure, "put_text", lambda text: happened.append(text.split()[0]))
    assert run("--task", "arc").exit_code == 0
    assert happened == ["learning", "measured", "2x2", "measured", "3x3"]


@pytest.mark.parametrize("size", sizes.SIZES)
def test_a_timed_task_has_the_size_that_is_told(size: TaskSize) -> None:
    task = sizes.random_task(size)
    assert len(task.demonstrations) == size.demonstrations and len(task.tests) == size.tests
    grids = []
    for pair in (*task.demonstrations, *task.tests):
        assert pair.output is not None
        grids += [pair.input, pair.output]
    assert {grid.shape for grid in grids} == {(size.side, size.side)}
    assert np.unique(grids).tolist() == list(range(size.colours))
