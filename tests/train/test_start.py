"""Training from Python: ``trmsolve.train`` does what the command does, and prints nothing."""

import doctest
import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import trmsolve
from tests.support.training import SMALL, data, fresh
from trmsolve.arc.paper.known import PUZZLES
from trmsolve.arc.table import IDENTIFIERS
from trmsolve.errors import CheckpointError, PuzzleError, UsageError
from trmsolve.train import folder, start
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.metrics_file import read_metrics
from trmsolve.train.options import TrainOptions
from trmsolve.train.schedule import Progress

__all__ = ["data"]  # a fixture
pytestmark = pytest.mark.usefixtures("process_as_it_was")

# The same run as ``TINY``.
OPTIONS: dict[str, Any] = {"recipe": "paper", "batch_size": 6, "changes": SMALL, "held_out": 2}
CPU = {"device": "cpu", "dtype": "fp32", "threads": 1}


def test_the_example_of_the_documentation(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(data, tmp_path / "puzzles.csv")
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder().find(start.train, "train", globs={})
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_it_trains_what_the_command_trains_and_prints_nothing(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fresh(data, tmp_path / "command", "--steps", 3, "--save-minutes", 0).exit_code == 0
    capfd.readouterr()
    lines: list[Progress] = []
    notes: list[str] = []
    result = trmsolve.train(
        "sudoku",
        data=data,
        out=tmp_path / "python",
        steps=3,
        save_minutes=0,
        report=lines.append,
        note=notes.append,
        export=str(tmp_path / "mine.safetensors"),
        **OPTIONS,
        **CPU,
    )
    assert capfd.readouterr() == ("", "")
    assert [line.step for line in lines] == [1, 2, 3]
    assert notes[0].startswith("12 puzzles, recipe paper, on cpu (as requested, 1 threads), fp32")
    assert result.path == tmp_path / "python" / "sudoku.safetensors"
    assert (result.steps, result.held_out) == (3, lines[-1].held_out_exact)
    assert result.held_out is not None
    assert (tmp_path / "mine.safetensors").read_bytes() == result.path.read_bytes()

    command = load_checkpoint(tmp_path / "command")
    python = load_checkpoint(tmp_path / "python")
    assert command.tensors.keys() == python.tensors.keys()
    for name, tensor in command.tensors.items():
        assert torch.equal(python.tensors[name], tensor), name
    for state in (command.state, python.state):
        state.pop("seconds")
    assert command.state == python.state


def test_a_stopped_run_is_not_judged_and_goes_on(data: Path, tmp_path: Path) -> None:
    asked = iter(range(100))
    stopped = trmsolve.train(
        data=data, out=tmp_path, steps=5, stop=lambda: next(asked) >= 2, **OPTIONS, **CPU
    )
    assert (stopped.steps, stopped.held_out) == (2, None)
    result = trmsolve.train(resume=tmp_path, steps=3)
    assert (result.steps, result.path) == (3, stopped.path)
    assert result.held_out == read_metrics(tmp_path)[-1].held_out_exact is not None


def test_a_judging_can_be_stopped(data: Path, tmp_path: Path) -> None:
    stopping: list[bool] = []

    def report_saved(progress: Progress) -> None:
        stopping.append(progress.step == 1)

    result = trmsolve.train(
        data=data,
        out=tmp_path,
        steps=5,
        save_minutes=0,
        report=report_saved,
        stop=lambda: load_checkpoint(tmp_path).step == 1 if any(tmp_path.glob("s*")) else False,
        **OPTIONS,
        **CPU,
    )
    assert (result.steps, result.held_out, stopping) == (1, None, [True])


def test_errors_are_raised(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(UsageError, match="the length of the run is missing"):
        trmsolve.train(out=out)
    with pytest.raises(UsageError, match="--steps must be at least 1, not 0"):
        trmsolve.train(out=out, steps=0)
    with pytest.raises(UsageError, match="--held-out must be at least 1"):
        trmsolve.train(out=out, steps=1, held_out=0)
    with pytest.raises(UsageError, match="'5=1' must be one of 0, "):
        trmsolve.train(out=out, steps=1, bands={"5": 1})
    with pytest.raises(UsageError, match="--data was given 2 times"):
        trmsolve.train(out=out, steps=1, data=[data, data])
    with pytest.raises(PuzzleError, match="no such file"):
        trmsolve.train(out=out, steps=1, data="absent.csv")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        trmsolve.train(resume=tmp_path)
    with pytest.raises(UsageError, match="seed cannot be changed when a run is resumed"):
        trmsolve.train(resume=tmp_path, seed=3)
    with pytest.raises(TypeError, match="stepz"):
        trmsolve.train(stepz=3)
    assert not out.exists()


def test_changes_are_texts_or_values() -> None:
    expected = TrainOptions(changes=["lr=0.5", "mixer=attention"], recipe="paper").chosen_recipe()
    by_value = TrainOptions(changes={"lr": 0.5, "mixer": "attention"}, recipe="paper")
    assert by_value.chosen_recipe() == expected
    assert TrainOptions(changes="lr=0.5").chosen_recipe().lr == 0.5


def test_the_package_is_the_function_and_its_modules_can_be_imported() -> None:
    from trmsolve import train

    assert importlib.import_module("trmsolve.train.run").Run is trmsolve.train.run.Run  # type: ignore[attr-defined]
    assert callable(train)
    assert callable(trmsolve.train)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, trmsolve; trmsolve.train; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_folder_knows_the_files_beside_weights_of_the_paper_s_network() -> None:
    assert folder.BESIDE_WEIGHTS == (IDENTIFIERS, PUZZLES)


@pytest.fixture
def few_small_puzzles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Training makes few puzzles on small boards, and keeps them apart."""
    monkeypatch.setattr("trmsolve.puzzles.sudoku.task.SMALL_KINDS", {"easy": 20, "hard": 20})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("few_small_puzzles")
def test_a_run_learns_boards_of_a_size_and_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "small"
    first = trmsolve.train(
        "sudoku",
        size="4x4",
        start_from="sudoku",
        out=out,
        steps=2,
        batch_size=4,
        held_out=4,
        **CPU,
    )
    assert first.held_out is not None
    state = load_checkpoint(out).state
    assert state["recipe"]["config"]["board"] == [4, 4, 2, 2]
    assert state["recipe"]["config"]["seq_len"] == 64
    assert trmsolve.train(resume=out, steps=3, **CPU).steps == 3
    solver = trmsolve.load("sudoku", weights=out, threads=1)
    for size in ((9, 9), (4, 4)):
        (puzzle,) = trmsolve.generate("sudoku", seed=1, n=1, size=size)
        assert solver.solve(puzzle).verified


@pytest.mark.usefixtures("few_small_puzzles")
def test_puzzles_of_one_size_are_not_kept_for_another(tmp_path: Path) -> None:
    for size, tokens in (("4x4", 64), ("6x6", 216)):
        out = tmp_path / size
        trmsolve.train("sudoku", size=size, out=out, steps=1, batch_size=2, held_out=2, **CPU)
        assert load_checkpoint(out).state["recipe"]["config"]["seq_len"] == tokens


@pytest.mark.usefixtures("few_small_puzzles")
def test_sizes_that_cannot_be_learned_are_refused(data: Path, tmp_path: Path) -> None:
    def train(**settings: Any) -> None:
        trmsolve.train(out=tmp_path / "none", steps=1, **CPU, **settings)

    with pytest.raises(UsageError, match="there is no Sudoku of 7 x 7 cells"):
        train(task="sudoku", size="7x7")
    with pytest.raises(UsageError, match="--size 9: give rows and columns"):
        train(task="sudoku", size="9")
    with pytest.raises(UsageError, match="this recipe for sudoku has one size"):
        train(task="sudoku", size="4x4", recipe="paper")
    with pytest.raises(UsageError, match="this recipe for maze has one size"):
        train(task="maze", size="4x4")
    with pytest.raises(PuzzleError, match="a Sudoku of 9 x 9, where networks learn 4 x 4"):
        train(task="sudoku", size="4x4", data=data)
