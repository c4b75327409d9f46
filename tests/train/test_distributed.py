"""Several processes train what one would: the command under torchrun, and the parts one by one."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.support.processes import group_ends
from tests.support.training import TINY, WHERE, data, set_options
from trmsolve.cli import app
from trmsolve.distributed import ProcessGroup, join_process_group, start_process_group
from trmsolve.errors import UsageError, WorkerError
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.metrics_file import read_metrics

TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
    "-m",
    "trmsolve",
]
__all__ = ["data"]  # a fixture
pytestmark = pytest.mark.usefixtures("process_as_it_was")

# The paper has a table whose gradient is sparse. At a constant rate a run that is made longer is
# the same run.
OPTIONS = [
    *TINY,
    "--batch-size",
    "8",
    *set_options(
        {
            "exploration": 0,
            "clip": 1.0,
            "lr": 0.001,
            "table_lr": 0.001,
            "warmup": 0,
            "reveal_prob": 0.5,
        }
    ),
    "--compile",
    "off",
    "--save-minutes",
    "0",
    *WHERE,
]


def torchrun(*arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*TORCHRUN, "train", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def test_two_processes_train_what_one_does_and_go_on_after_a_stop(
    data: Path, tmp_path: Path
) -> None:
    alone, two = tmp_path / "alone", tmp_path / "two"
    process = torchrun("--data", data, "--out", two, *OPTIONS, "--steps", 10000)
    end = time.monotonic() + 120
    while not any(line.step >= 4 for line in read_metrics(two)):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, first = process.communicate()
    stopped = load_checkpoint(two).step
    assert (
        first.count(f"stopped after step {stopped}: continue with") == 1
        and first.count("12 puzzles") == 1
    )

    steps = stopped + 4
    process = torchrun("--resume", two, "--steps", steps)
    _, second = process.communicate()
    assert process.returncode == 0, second
    told = [
        line.split("  ")[0] for line in (first + second).splitlines() if line.startswith("step ")
    ]
    assert told == [f"step {step}" for step in range(1, steps + 1)], (
        "the first process alone speaks, once a step"
    )
    assert "Warning" not in second and second.count("weights in") == 1

    result = CliRunner().invoke(
        app, ["train", "--data", str(data), "--out", str(alone), *OPTIONS, f"--steps={steps}"]
    )
    assert result.exit_code == 0
    expected, lines = read_metrics(alone), read_metrics(two)
    assert [line.step for line in lines] == list(range(1, steps + 1))
    for line, one in zip(lines, expected, strict=True):
        # Sums in another order differ in the last digit, and the recursion makes more of it with
        # every step.
        assert line.loss == pytest.approx(one.loss, rel=5e-4)
        assert (line.token_accuracy, line.mean_cycles) == pytest.approx(
            (one.token_accuracy, one.mean_cycles), abs=5e-3
        )
    wanted, got = load_checkpoint(alone).tensors, load_checkpoint(two).tensors
    for name, tensor in wanted.items():
        if name.startswith("model."):
            torch.testing.assert_close(got[name], tensor, rtol=0, atol=5e-4, msg=name)
    assert torch.equal(got["visits"], wanted["visits"]) and torch.equal(
        got["pool.tokens"], wanted["pool.tokens"]
    )
    assert got["model.puzzle_emb.weights"].any() and {
        "chance.0.rng.cpu",
        "chance.1.rng.cpu",
    } <= set(got)
    # One process takes over what two have begun.
    result = CliRunner().invoke(app, ["train", "--resume", str(two), f"--steps={steps + 1}"])
    assert result.exit_code == 0 and read_metrics(two)[-1].step == steps + 1


def with_workers(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "trmsolve", "train", *map(str, arguments), "--workers", "2"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def test_workers_train_what_one_does_and_ctrl_c_stops_them_all(data: Path, tmp_path: Path) -> None:
    alone, two = tmp_path / "alone", tmp_path / "two"
    process = with_workers("--data", data, "--out", two, *OPTIONS, "--steps", 10000)
    end = time.monotonic() + 120
    while not any(line.step >= 4 for line in read_metrics(two)):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in told, told
    stopped = load_checkpoint(two).step
    assert told.count(f"stopped after step {stopped}: continue with") == 1
    assert group_ends(process.pid)

    steps = stopped + 2
    process = with_workers("--resume", two, "--steps", steps)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0 and told.count("weights in") == 1, told
    result = CliRunner().invoke(
        app, ["train", "--data", str(data), "--out", str(alone), *OPTIONS, f"--steps={steps}"]
    )
    assert result.exit_code == 0
    expected, lines = read_metrics(alone), read_metrics(two)
    assert [line.step for line in lines] == list(range(1, steps + 1))
    for line, one in zip(lines, expected, strict=True):
        assert line.loss == pytest.approx(one.loss, rel=5e-4)


def test_workers_tell_what_is_wrong_once(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = [*OPTIONS, "--steps", 1, "--batch-size", 7]
    process = with_workers("--data", data, "--out", out, *options)
    _, told = process.communicate(timeout=120)
    message = "trmsolve: a batch of 7 does not divide among 2 processes: choose --batch-size\n"
    assert (process.returncode, told) == (2, message)
    wrong = CliRunner().invoke(app, ["train", "--workers", "2", "--device", "cuda", "--steps=1"])
    assert wrong.exit_code == 2 and "--workers 2 needs a CPU" in wrong.stderr


@pytest.mark.slow
def test_a_group_that_loses_a_process_is_told() -> None:
    with (
        pytest.raises(WorkerError, match="worker 1 was ended"),
        start_process_group(2, os._exit, 9),
    ):
        for process in multiprocessing.active_children():
            process.join()
        raise RuntimeError("connection closed by peer")
    assert "WORLD_SIZE" not in os.environ and not multiprocessing.active_children()


def test_a_batch_that_does_not_divide_is_told_once(data: Path, tmp_path: Path) -> None:
    process = torchrun(
        "--data", data, "--out", tmp_path / "run", *OPTIONS, "--steps", 1, "--batch-size", 7
    )
    _, told = process.communicate()
    assert (
        process.returncode != 0 and told.count("exitcode  : 2") and not (tmp_path / "run").exists()
    )
    assert (
        told.count(
            "trmsolve: a batch of 7 does not divide among 2 processes: choose --batch-size\n"
        )
        == 1
    )


def test_alone_everything_is_as_it_was() -> None:
    group, rows = ProcessGroup(), torch.arange(6)
    assert (
        group.share(7) == 7
        and group.highest([1.0, 2.0]) == [1.0, 2.0]
        and group.device("mps") == "mps"
    )
    assert (
        group.gather(rows) is rows
        and group.mean(rows) is rows
        and torch.equal(group.part(rows), rows)
    )
    model = torch.nn.Linear(2, 2)
    assert group.wrap(model, torch.device("cpu"), []) is model
    with join_process_group("cpu") as joined:
        assert joined == group and joined.first


def test_shares_and_devices_of_several() -> None:
    second = ProcessGroup(rank=1, size=2, local_rank=1)
    assert (
        second.share(8) == 4
        and second.part(torch.arange(8)).tolist() == [4, 5, 6, 7]
        and not second.first
    )
    with pytest.raises(UsageError, match="a batch of 7 does not divide among 2"):
        second.share(7)
    assert (
        second.device("auto") == "cpu"
        and ProcessGroup(1, 2, 1, on_gpu=True).device("auto") == "cuda:1"
    )


def test_what_all_meet_is_told_by_the_first_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trmsolve.distributed.SPOKEN", 0)
    with pytest.raises(UsageError), join_process_group("cpu"):
        raise UsageError("no")
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(SystemExit) as left, join_process_group("cpu"):
        raise UsageError("no")
    assert left.value.code == 2
