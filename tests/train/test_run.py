"""A run that stops, crashes or breaks, against the same run undisturbed."""

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.runs import (
    HALF,
    KINDS,
    PAPER,
    PLAIN,
    PLAN,
    STEPS,
    after,
    curve,
    examples,
    going_on,
    kept,
    made,
    run,
)
from trmsolve.errors import CheckpointError, PuzzleError, TrainingError, UsageError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.data import Examples
from trmsolve.train.loss import Loss
from trmsolve.train.metrics_file import read_metrics
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Progress, Schedule
from trmsolve.train.trainer import Trainer
from trmsolve.weights.file import read_info

__all__ = ["examples"]  # a fixture
pytestmark = pytest.mark.usefixtures("one_thread")


def halting(recipe: Recipe) -> TinyRecursiveModel:
    """A network that halts at once unless exploration keeps a row: the pool is soon mixed."""
    torch.manual_seed(1)
    model = TinyRecursiveModel(recipe.config)
    model.q_head.bias.data[0] = 1.0  # type: ignore[index]
    return model


@pytest.fixture(scope="module")
def undisturbed(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    out = run(tmp_path_factory.mktemp("undisturbed"), examples).out
    torch.set_num_threads(before)
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_goes_on_to_the_same_bits(
    kind: str, examples: Examples, tmp_path: Path
) -> None:
    """Tensors: weights, average, optimizers, pool, place in the data, and random numbers."""
    recipe = KINDS[kind]
    begin = {"start_from": halting(recipe)}
    whole = run(tmp_path / "whole", examples, recipe, **begin)
    parts = run(tmp_path / "parts", examples, recipe, stop=after(HALF), **begin)
    assert parts.metrics.step == HALF and kept(parts.out, HALF) != kept(whole.out)
    # Saving after every step too: writing and judging take nothing from chance.
    parts = going_on(tmp_path / "parts", examples, recipe, replace(PLAN, save_seconds=0.0))
    assert kept(parts.out) == kept(whole.out)
    tensors = load_checkpoint(whole.out).tensors
    assert {name.split(".")[0] for name in tensors} == {
        "model",
        "ema",
        "optimizer",
        "pool",
        "visits",
        "chance",
    }
    assert len(set(tensors["pool.cycles"].tolist())) > 1 and tensors["visits"].max() > 2
    assert curve(read_metrics(parts.out)) == curve(read_metrics(whole.out))


def test_a_crash_between_checkpoints_leaves_neither_gap_nor_double_line(
    examples: Examples, undisturbed: Path, tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def killed_at_six(progress: Progress) -> None:
        if progress.step == 6:
            raise Killed

    run(tmp_path, examples, stop=after(HALF))
    with pytest.raises(Killed):
        going_on(tmp_path, examples, report=killed_at_six)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7, "seco')  # and half a line
    assert [line.step for line in read_metrics(tmp_path)] == [1, 2, 3, 4, 5, 6]
    again = going_on(tmp_path, examples)
    lines = read_metrics(again.out)
    assert [line.step for line in lines] == list(range(1, STEPS + 1))
    assert curve(lines) == curve(read_metrics(undisturbed)) and kept(again.out) == kept(undisturbed)
    seconds = [line.seconds for line in lines]
    assert seconds == sorted(seconds)


def test_from_the_one_before_a_damaged_checkpoint(
    examples: Examples, undisturbed: Path, tmp_path: Path
) -> None:
    run(tmp_path, examples, schedule=replace(PLAN, save_seconds=0.0), stop=after(HALF))
    assert sorted(path.name for path in tmp_path.glob("step-*")) == [
        "step-00000003",
        "step-00000004",
    ]
    damaged = tmp_path / "step-00000004" / "state.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert "continuing from step-00000003 instead" in load_checkpoint(tmp_path).warning
    assert kept(going_on(tmp_path, examples).out) == kept(undisturbed)
    assert curve(read_metrics(tmp_path)) == curve(read_metrics(undisturbed))


def test_a_run_that_is_over_changes_nothing_until_it_is_made_longer(
    examples: Examples, tmp_path: Path
) -> None:
    short = replace(PLAN, steps=2)
    run(tmp_path, examples, schedule=short)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    going_on(tmp_path, examples, schedule=short)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    going_on(tmp_path, examples, schedule=replace(PLAN, steps=3))
    assert [line.step for line in read_metrics(tmp_path)] == [1, 2, 3]


def test_a_stop_is_saved_even_if_a_line_was_just_written(
    examples: Examples, tmp_path: Path
) -> None:
    """``PLAN`` writes a line after every step."""
    assert run(tmp_path, examples, stop=after(1)).saved == tmp_path / "step-00000001"
    assert [line.step for line in read_metrics(tmp_path)] == [1]
    assert not list(
        (run(tmp_path / "none", examples, stop=after(0)).out).glob("s*")
    )  # no step, no files


def test_lines_are_means_over_the_steps_since_the_last(
    examples: Examples, undisturbed: Path, tmp_path: Path
) -> None:
    seldom = run(tmp_path, examples, schedule=replace(PLAN, log_seconds=1e9))
    each = read_metrics(undisturbed)
    (line,) = read_metrics(seldom.out)
    assert line.loss == pytest.approx(np.mean([one.loss for one in each]))
    assert line.held_out_exact is not None and line.done == 1.0


def nan_loss(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """The loss is not a number once so many steps are done."""
    true, asked = Trainer.loss, iter(range(1000))

    def loss(self: Trainer, *said: Any) -> Loss:
        made = true(self, *said)
        return replace(made, total=made.total * float("nan")) if next(asked) >= steps else made

    monkeypatch.setattr(Trainer, "loss", loss)


def nan_weights(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """The step after so many ends with a weight that is not a number, from a loss that is one."""
    true, asked = Trainer._learn, iter(range(1000))

    def learn(self: Trainer, factor: float) -> None:
        true(self, factor)
        if next(asked) == steps:
            self.model.lm_head.weight.data[3, 3] = float("nan")

    monkeypatch.setattr(Trainer, "_learn", learn)


@pytest.mark.parametrize("breaks", [nan_loss, nan_weights])
def test_what_is_not_finite_ends_the_run_and_is_never_written(
    breaks: Any, examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = replace(PLAN, save_seconds=0.0)
    run(tmp_path, examples, schedule=schedule, stop=after(3))
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    breaks(monkeypatch, 0)
    with pytest.raises(
        TrainingError, match=r"no longer finite.*the last good checkpoint is .*step-00000003$"
    ):
        going_on(tmp_path, examples, schedule=schedule)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    with pytest.raises(TrainingError, match="no checkpoint was saved before"):
        breaks(monkeypatch, 0)
        run(tmp_path / "fresh", examples, schedule=schedule)
    assert not list((tmp_path / "fresh").glob("s*"))


@pytest.mark.parametrize(
    "full", ["trmsolve.train.checkpoint.write_synced", "trmsolve.weights.file.save_file"]
)
def test_a_full_disk_leaves_the_checkpoint_before(
    full: str,
    examples: Examples,
    undisturbed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it writes the checkpoint, and while it writes the weights."""

    def write(*given: Any) -> None:
        next(one for one in given if isinstance(one, Path)).write_bytes(bytes(100))
        raise OSError(errno.ENOSPC, "No space left on device")

    run(tmp_path, examples, stop=after(HALF))
    before = kept(tmp_path, HALF)
    going = made(tmp_path, examples, checkpoint=load_checkpoint(tmp_path))
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left") as raised:
        patch.setattr(full, write)
        going.train()
    assert Path(raised.value.filename).parent == tmp_path and not list(tmp_path.glob(".*"))
    state, _, record = kept(tmp_path, HALF)
    assert (state, record) == (before[0], before[2])
    assert kept(going_on(tmp_path, examples).out) == kept(undisturbed)
    assert curve(read_metrics(tmp_path)) == curve(read_metrics(undisturbed))


def test_an_earlier_version_s_checkpoint_is_refused(examples: Examples, tmp_path: Path) -> None:
    run(tmp_path, examples, schedule=replace(PLAN, steps=1))
    found = load_checkpoint(tmp_path)
    old = replace(
        found, state={name: value for name, value in found.state.items() if name != "trainer"}
    )
    with pytest.raises(
        CheckpointError, match="step-00000001 was written by an earlier version of trmsolve"
    ):
        run(tmp_path, examples, checkpoint=old)


def test_a_metrics_log_that_cannot_be_written_is_named(examples: Examples, tmp_path: Path) -> None:
    going = made(tmp_path, examples)
    going.metrics.path.unlink()
    going.metrics.path.mkdir()
    with pytest.raises(OSError, match="directory") as raised:
        going.train()
    assert raised.value.filename == str(tmp_path / "metrics.jsonl")


def test_runs_that_cannot_be_are_told_before_the_first_step(
    examples: Examples, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="length of the run"):
        Schedule()
    with pytest.raises(UsageError, match="must be a positive number, not nan"):
        Schedule(minutes=float("nan"))
    with pytest.raises(UsageError, match="sudoku needs 11, 81 and 1"):
        run(tmp_path, examples, replace(PLAIN, config=replace(PAPER, vocab_size=9)))
    wrong = replace(examples, answers=examples.answers[:, ::-1])
    with pytest.raises(PuzzleError, match=r"the answer in the data to [0-9]{81} is wrong"):
        run(tmp_path, wrong)
    alike = examples.pick(np.zeros(4, np.intp))
    with pytest.raises(PuzzleError, match="every puzzle of the data is"):
        run(tmp_path, alike)
    assert not list(tmp_path.iterdir())


def test_the_weights_name_the_data_and_not_the_folders_it_was_in(
    examples: Examples, tmp_path: Path
) -> None:
    trained = run(
        tmp_path,
        examples,
        schedule=replace(PLAN, steps=1),
        described={"data": "/home/someone/easy.csv"},
    )
    assert read_info(trained.path).training["data"] == "easy.csv"
    assert (
        load_checkpoint(tmp_path).state["described"]["data"] == "/home/someone/easy.csv"
    )  # to go on with
