"""``trmsolve train`` as a person meets it: killed, interrupted, misspelt, resumed."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import RLock
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.support.terminal import Terminal
from tests.support.training import EASY, TINY, WHERE, data, files, fresh, heed_interrupts, train
from trmsolve.cli import app
from trmsolve.cli.process import SAVED, SAVING, TERMINATED, Stop
from trmsolve.errors import INTERRUPTED
from trmsolve.puzzles.registry import get_task
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.data import Examples
from trmsolve.train.metrics_file import read_metrics
from trmsolve.weights.file import read_info

__all__ = ["data"]  # a fixture
pytestmark = pytest.mark.usefixtures("process_as_it_was")

OFTEN = ["--save-minutes", "0"]
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm"}


def solved_with(weights: Path) -> Result:
    return CliRunner().invoke(
        app, ["sudoku", "-", "--weights", str(weights), "--views", "1"], input=EASY
    )


def test_pairs_without_a_header_are_learned_from_as_a_csv(data: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(data.read_text().splitlines()))
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("".join(f"{row['question']} {row['answer']}\n" for row in rows))
    result = fresh(pairs, tmp_path / "run", "--steps", 1)
    assert result.exit_code == 0, result.stderr
    with data.open("rb") as table, pairs.open("rb") as lines:
        expected = Examples.collect(get_task("sudoku"), get_task("sudoku").read(table, "table"))
        learned = Examples.collect(get_task("sudoku"), get_task("sudoku").read(lines, "lines"))
    assert (learned.questions == expected.questions).all() and (
        learned.answers == expected.answers
    ).all()


def started(*arguments: object, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "trmsolve", "train", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=ENV,
        preexec_fn=heed_interrupts,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def wait_for_step(out: Path, step: int) -> None:
    wait_for(lambda: any(line.step >= step for line in read_metrics(out)))


def curve(out: Path) -> list[tuple[int, float, float | None]]:
    return [(line.step, line.loss, line.held_out_exact) for line in read_metrics(out)]


def test_killed_interrupted_terminated_and_damaged_it_gives_the_same_bits(
    data: Path, tmp_path: Path
) -> None:
    """Each time in a new process, which is told nothing but the folder."""
    steps, whole, parts = 60, tmp_path / "whole", tmp_path / "parts"
    assert fresh(data, whole, "--steps", steps, "-q").exit_code == 0

    process = started("--data", data, "--out", parts, *TINY, *WHERE, *OFTEN, "--steps", steps)
    wait_for_step(parts, 6)
    process.kill()
    process.communicate()

    terminal, screen = Terminal(), ""
    process = started("--resume", parts, stderr=terminal.slave)
    wait_for_step(parts, 15)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[0] == "" and process.returncode == INTERRUPTED
    screen = terminal.text()
    assert "─" in screen and "learning rate" in screen, "a terminal has the panel"
    assert "stopping: " in screen and "; press Ctrl-C again to exit at once" in screen
    assert f"continue with trmsolve train --resume {parts}" in screen and "Traceback" not in screen

    process = started("--resume", parts)
    wait_for_step(parts, 25)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
    assert process.returncode == TERMINATED
    step = load_checkpoint(parts).step
    assert f"stopped after step {step}: continue with trmsolve train --resume {parts}" in told
    assert sorted(parts.glob("step-*"))[1:] == [parts / f"step-{step:08d}"], (
        "the newest two are kept"
    )

    newest = parts / f"step-{step:08d}" / "state.safetensors"
    newest.write_bytes(newest.read_bytes()[:-9])
    result = train("--resume", parts)
    assert result.exit_code == 0
    assert (
        f"step-{step:08d} is damaged" in result.stderr
        and f"continuing from step-{step - 1:08d}" in result.stderr
    )

    last = f"step-{steps:08d}/state.safetensors"
    assert (parts / last).read_bytes() == (whole / last).read_bytes()
    assert [line[0] for line in curve(parts)] == list(range(1, steps + 1))
    (line,) = read_metrics(whole)  # too short for another
    assert line.loss == pytest.approx(sum(loss for _, loss, _ in curve(parts)) / steps)
    assert line.held_out_exact == curve(parts)[-1][2]


def test_an_interrupt_while_puzzles_are_made_leaves_at_once(tmp_path: Path) -> None:
    process = started("--out", tmp_path / "run", *TINY, *WHERE, "--steps", 9)
    assert process.stderr is not None and process.stderr.readline().startswith("generating ")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == INTERRUPTED and told.splitlines()[-1] == "trmsolve: interrupted"
    assert "Traceback" not in told and not list(tmp_path.glob("run/s*"))


def test_the_first_signal_asks_and_the_second_leaves() -> None:
    before = signal.getsignal(signal.SIGINT)
    for number, leaves, code in (
        (signal.SIGINT, KeyboardInterrupt, INTERRUPTED),
        (signal.SIGTERM, SystemExit, TERMINATED),
    ):
        notes: SimpleQueue[str] = SimpleQueue()
        with Stop(notes.put) as stop:
            stop()  # before the first step nothing is to be saved
            with pytest.raises(leaves):
                signal.raise_signal(number)
            assert not stop() and notes.empty()
            signal.raise_signal(number)
            assert notes.get(timeout=60) == SAVING, "at once, before the run asks"
            assert stop() and stop.code == code
            with pytest.raises(leaves):
                signal.raise_signal(number)
        assert notes.empty()
    assert signal.getsignal(signal.SIGINT) == before


def test_a_signal_amid_drawing_is_acknowledged_below_it() -> None:
    """The handler writes nothing itself: it would write into what is just being drawn."""
    drawing, lines = RLock(), SimpleQueue[str]()

    def note(text: str) -> None:
        with drawing:
            lines.put(text)

    with Stop(note) as stop:
        stop(), stop()
        stop.saved = True
        with drawing:
            signal.raise_signal(signal.SIGINT)
            assert stop.code == INTERRUPTED and lines.empty()
            lines.put("the drawing")
    assert [lines.get_nowait(), lines.get_nowait()] == ["the drawing", SAVED] and lines.empty()


def test_no_room_for_the_checkpoint_leaves_the_one_before(data: Path, tmp_path: Path) -> None:
    assert fresh(data, tmp_path, "--steps", 2, *OFTEN).exit_code == 0
    before = files(tmp_path / "step-00000002")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (len(before[tmp_path / "step-00000002/state.safetensors"]) - 1, hard)
    )
    try:
        result = train("--resume", tmp_path, "--steps", 4, "-q")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (
        result.exit_code == 5
        and result.stderr == f"trmsolve: {tmp_path}/step-00000003: File too large\n"
    )
    assert files(tmp_path / "step-00000002") == before and not list(tmp_path.glob(".*"))
    assert train("--resume", tmp_path, "--steps", 4).exit_code == 0
    assert [step for step, _, _ in curve(tmp_path)] == [1, 2, 3, 4]


def test_a_run_that_diverges_names_the_last_good_checkpoint(data: Path, tmp_path: Path) -> None:
    wild = [
        "--set",
        "clip=null",
        "--set",
        "lr=1e30",
        "--set",
        "head_lr=1e30",
        "--set",
        "warmup=0.2",
    ]
    result = fresh(data, tmp_path, "--steps", 20, *OFTEN, *wild)
    assert result.exit_code == 1
    step = load_checkpoint(tmp_path).step
    told = (
        f"no longer finite: stopped after step {step}; "
        f"the last good checkpoint is {tmp_path}/step-{step:08d}\n"
    )
    assert result.stderr.endswith(told)
    assert "nan" not in (tmp_path / "metrics.jsonl").read_text().lower()
    assert solved_with(tmp_path).exit_code in (0, 1)


def test_what_it_leaves_is_solved_with(data: Path, tmp_path: Path) -> None:
    out, export = tmp_path / "run", tmp_path / "mine.safetensors"
    result = fresh(data, out, "--steps", 2, *OFTEN, "--export", export)
    assert result.exit_code == 0 and result.stdout == ""
    said = result.stderr.splitlines()
    assert said[0].startswith("12 puzzles, recipe paper, on cpu (as requested, 1 threads), fp32")
    assert [line.split("  ")[0] for line in said[1:]] == [
        "step 1",
        "step 2",
        f"weights in {out}/sudoku.safetensors",
    ]
    info = read_info(export)
    assert (
        info.task == "sudoku"
        and info.training["steps"] == 2
        and info.training["settings"]["batch_size"] == 6
    )
    assert (
        export.read_bytes() == (out / "sudoku.safetensors").read_bytes()
        and b'"BF16"' in export.read_bytes()
    )
    for weights in (export, out):
        solved = solved_with(weights)
        assert solved.exit_code in (0, 1) and len(solved.stdout.strip()) == 81, solved.stderr
    nothing = solved_with(tmp_path)
    assert (
        nothing.exit_code == 3
        and f"the folder {tmp_path} contains no sudoku.safetensors" in nothing.stderr
    )


def test_training_may_begin_with_weights_by_their_name(data: Path, tmp_path: Path) -> None:
    begun = train(
        "--data",
        data,
        "--out",
        tmp_path,
        "--start-from",
        "sudoku",
        "--steps",
        1,
        "--batch-size",
        2,
        "--held-out",
        1,
        *WHERE,
        "-q",
    )
    assert begun.exit_code == 0, begun.stderr
    assert read_info(tmp_path / "sudoku.safetensors").training["start_from"] == "sudoku"
    unknown = train(
        "--data", data, "--out", tmp_path / "other", "--start-from", "sudku", "--steps", 1, *WHERE
    )
    assert unknown.exit_code == 3 and "a name from 'trmsolve weights list'" in unknown.stderr


def test_few_base_puzzles_are_the_same_few_when_a_run_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    draw = Examples.draw

    def watched(self: Examples, *arguments: Any) -> Examples:
        few = draw(self, *arguments)
        drawn.append(few.content_hash())
        return few

    monkeypatch.setattr(Examples, "draw", watched)
    result = fresh(data, tmp_path, "--base-puzzles", 3, "--seed", 4, "--steps", 1)
    assert result.exit_code == 0 and "3 base puzzles of " in result.stderr
    assert train("--resume", tmp_path, "--steps", 2, "-q").exit_code == 0
    assert len(drawn) == 2 and drawn[0] == drawn[1]
    assert read_info(tmp_path / "sudoku.safetensors").training["base_puzzles"] == 3


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    assert fresh(data, out, "--steps", 1, "-q").exit_code == 0
    return out


def test_a_finished_run_says_so(finished: Path) -> None:
    before = files(finished)
    result = train("--resume", finished)
    assert (
        result.exit_code == 0
        and "this run already ended after step 1: to continue it, increase --minutes or --steps"
        in result.stderr
    )
    assert files(finished) == before
    assert train("--resume", finished, "-q").stderr == ""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that commands are run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--seed", "3"], "--seed cannot be changed with --resume"),
        (["--set", "lr=1"], "--set cannot be changed"),
        (["--batch-size", "3"], "--batch-size cannot be changed"),
        (["--bands", "0=1"], "--bands cannot be changed"),
        (["--base-puzzles", "2"], "--base-puzzles cannot be changed"),
        (["--out", "elsewhere"], "--out cannot be changed"),
        (["--start-from", "x"], "--start-from cannot be changed"),
        (["--recipe", "laptop"], "--recipe cannot be changed"),
        (["--data", "other.csv"], "other.csv differ from that: resume it with the same data"),
        (["--data", "absent.csv"], "absent.csv: no such file"),
        (["--minutes", "inf"], "--minutes must be a positive number, not inf"),
    ],
)
def test_what_resume_refuses(
    options: list[str],
    problem: str,
    data: Path,
    finished: Path,
    here: Path,
) -> None:
    Path("other.csv").write_text("".join(data.read_text().splitlines(keepends=True)[:-1]))
    before = files(finished)
    result = train("--resume", finished, *options)
    assert result.exit_code == 2 and problem in result.stderr.splitlines()[-1]
    assert files(finished) == before


def test_resume_needs_a_run(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        result = train("--resume", folder)
        assert (
            result.exit_code == 3
            and str(folder) in result.stderr
            and len(result.stderr.splitlines()) == 1
        )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "the length of the run is missing: give --minutes M or --steps N"),
        (
            ["--steps", "1", "--set", "batchsize=3"],
            "no field 'batchsize': did you mean batch_size?",
        ),
        (["--steps", "1", "--set", "hidden_size=0"], "hidden_size must be a whole number from 1"),
        (["--steps", "1", "--set", "lr=NaN"], "lr must be a number of at least 0, not nan"),
        (["--steps", "1", "--set", "lr"], "lr must be a number"),
        (
            ["--steps", "1", "--set", "vocab_size=12"],
            "12 tokens, 81 positions and 1 candidates per cell, but sudoku needs 11",
        ),
        (["--steps", "1", "--bands", "0=1,x"], "--bands: 'x' must have the form BAND=NUMBER"),
        (["--steps", "1", "--bands", "5=1"], "--bands: '5=1' must be one of 0, "),
        (["--steps", "1", "--bands", "0=inf"], "with a share of at least 0"),
        (["--steps", "1", "--bands", "0=0"], "at least one band must have a share above 0"),
        (["--steps", "1", "--bands", "512+=1"], "no puzzle of the data has a rating in 512+"),
        (
            ["--steps", "1", "--base-puzzles", "500"],
            "cannot draw 500 puzzles: the data has only ",
        ),
        (["--steps", "1", "--base-puzzles", "0"], "--base-puzzles: "),
        (["--steps", "1", "--recipe", "swift"], "--recipe swift is not known: use paper, "),
        (["--steps", "1", "--task", "chess"], "--task chess is not known"),
        (["--steps", "1", "--compile", "maybe"], "--compile maybe is not known"),
        (["--steps", "1", "--device", "tpu"], "--device tpu is not known"),
        (
            ["--steps", "1", "--export", "/absent/file"],
            "--export /absent/file: the path must be a file in an existing folder",
        ),
        (["--steps", "1", "--data", "absent.csv"], "absent.csv: no such file"),
        (
            ["--steps", "1", "--data", "lines.txt"],
            "lines.txt:1: training needs puzzles with answers",
        ),
        (["--steps", "1", "--out", "lines.txt"], "lines.txt: File exists"),
        (
            ["--steps", "1", "--out", "{finished}"],
            "{finished} already contains a run: continue it with --resume {finished}",
        ),
        (
            ["--steps", "1", "--out", "other"],
            "other already contains weights: choose another folder",
        ),
        (["--steps", "0"], "--steps: "),
        (["--steps", "1", "--batch-size", "0"], "--batch-size: "),
    ],
)
def test_what_is_refused(
    options: list[str],
    problem: str,
    data: Path,
    finished: Path,
    here: Path,
) -> None:
    Path("lines.txt").write_text(f"{EASY}\n{EASY}\n")
    Path("other").mkdir()
    Path("other/sudoku.safetensors").touch()
    before = files(here)
    options = [option.format(finished=finished) for option in options]
    from_data = [] if "--data" in options else ["--data", data]
    result = train(*from_data, "--out", "run", *TINY, *WHERE, *options)
    assert result.exit_code == 2 and problem.format(finished=finished) in result.stderr.replace(
        "\n", " "
    )
    assert "Traceback" not in result.stderr and (
        result.exception is None or isinstance(result.exception, SystemExit)
    )
    assert files(here) == before


def test_the_recipe_is_shown_as_it_would_be_run() -> None:
    result = train(
        "--print-recipe",
        "--set",
        "lr=0.5",
        "--set",
        "mixer=attention",
        "--recipe",
        "paper",
        "--batch-size",
        "7",
    )
    shown = json.loads(result.stdout)
    assert (result.exit_code, shown["lr"], shown["batch_size"], shown["config"]["mixer"]) == (
        0,
        0.5,
        7,
        "attention",
    )
