"""``--trace`` in the commands that solve."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.support.arc_tasks import drawn_task
from tests.support.paths import ROOT
from trmsolve import load
from trmsolve.arc.write import to_json
from trmsolve.cli import app
from trmsolve.trace.read import read_trace

EASY = ROOT / "examples" / "sudoku" / "easy.txt"
SUDOKUS = ROOT / "examples" / "sudoku" / "list.sdm"
MAZE = ROOT / "examples" / "maze" / "small.txt"
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize(("command", "file"), [("sudoku", EASY), ("maze", MAZE), ("solve", EASY)])
def test_every_cycle_is_recorded_and_the_answer_stays_the_same(
    command: str, file: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "run.jsonl"
    plain = run(command, file, "--threads", 1)
    traced = run(command, file, "--threads", 1, "--trace", trace)
    assert (traced.exit_code, traced.stdout) == (
        plain.exit_code,
        plain.stdout,
    ) and not plain.exit_code
    recording = read_trace(str(trace))
    solver = load(recording.task, threads=1)
    [played] = recording.played
    expected = list(solver.refine(file.read_text()))
    assert [frame.number for frame in played.frames] == [cycle.number for cycle in expected]  # type: ignore[union-attr]
    for frame, cycle in zip(played.frames, expected, strict=True):
        np.testing.assert_array_equal(frame.grid, cycle.grid)  # type: ignore[union-attr]
    assert played.answer is not None and played.answer.verified  # type: ignore[union-attr]
    assert recording.weights.startswith(f"{recording.task}.")


def test_many_puzzles_at_once_and_unreadable_ones_are_recorded(tmp_path: Path) -> None:
    file = tmp_path / "many.txt"
    file.write_text(SUDOKUS.read_text() * 3 + "12345\n")
    trace = tmp_path / "run.jsonl.gz"
    result = run("sudoku", file, "--format", "line", "--batch-size", 4, "--trace", trace)
    assert result.exit_code == 2
    recording = read_trace(str(trace))
    answers = sorted(result.stdout.split())
    recorded = ["".join(map(str, one.answer.grid.ravel())) for one in recording.played]  # type: ignore[union-attr]
    assert len(answers) > 8 and sorted(recorded) == answers
    for played in recording.played:
        assert played.answer is not None and len(played.frames) == played.answer.cycles
    assert len(recording.problems) == 1


def test_a_puzzle_that_is_given_up_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "walled.txt").write_text("S#G\n.#.\n.#.\n")
    result = run("maze", tmp_path / "walled.txt", "--trace", tmp_path / "run.jsonl")
    [played] = read_trace(str(tmp_path / "run.jsonl")).played
    assert result.exit_code == 1 and played.frames == []
    assert played.answer is not None and not played.answer.verified  # type: ignore[union-attr]


def test_a_trace_never_replaces_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "puzzle.txt"
    file.write_text(EASY.read_text())
    (tmp_path / "link").symlink_to(file)
    for name in ("puzzle.txt", "link"):
        result = run("sudoku", file, "--trace", tmp_path / name)
        assert result.exit_code == 2
        assert result.stderr.endswith(" would replace a file that is read\n")
    assert file.read_text() == EASY.read_text()


def test_a_trace_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    nowhere = run("sudoku", EASY, "--trace", tmp_path / "no" / "run.jsonl")
    assert (nowhere.exit_code, nowhere.stdout) == (2, "") and "run.jsonl" in nowhere.stderr
    full = run("sudoku", EASY, "--trace", "/dev/full")
    assert (full.exit_code, full.stdout) == (5, "")
    assert full.stderr == "trmsolve: /dev/full: No space left on device\n"


def test_a_killed_run_leaves_whole_lines(tmp_path: Path) -> None:
    trace = tmp_path / "run.jsonl"
    command = [sys.executable, "-m", "trmsolve", "sudoku", str(EASY), "--trace", str(trace)]
    process = subprocess.Popen(
        [*command, "--show-steps", "--pace", "600"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=ENV | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    process.stderr.read(1)  # the first cycle is shown
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert trace.read_bytes().endswith(b"}\n")
    [played] = read_trace(str(trace)).played
    assert len(played.frames) == 1 and played.answer is None


@pytest.mark.slow
def test_learning_a_task_is_recorded(tmp_path: Path) -> None:
    task = drawn_task("ab12")
    (tmp_path / "ab12.json").write_text(json.dumps(to_json(task)))
    trace = tmp_path / "run.jsonl"
    steps = ("--steps", 5, "--weights", "none", "--threads", 1)
    result = run("arc", tmp_path / "ab12.json", *steps, "--trace", trace)
    assert result.exit_code == 0
    recording = read_trace(str(trace))
    assert (recording.task, recording.steps) == ("arc", 5)
    [played] = recording.played
    assert played.answer is not None and played.answer.adapting.step == 5  # type: ignore[union-attr]
    assert played.frames[-1].ended == "steps"  # type: ignore[union-attr]
