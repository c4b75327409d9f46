"""Making ARC tasks on the command line: every command that takes tasks reads what is written."""

import json
import os
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner, Result

from tests.support.terminal import RunningIn
from trmsolve.arc.sources import read_source
from trmsolve.cli import app
from trmsolve.cli.arc.source import read_items
from trmsolve.train.sources import Sources


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["generate", "--task", "arc", *map(str, arguments)])


def test_the_same_tasks_in_a_file_and_on_standard_output(tmp_path: Path) -> None:
    data = tmp_path / "tasks.json"
    done = run("-n", 7, "--seed", 1, "--out", data)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert run("-n", 7, "--seed", 1).stdout == data.read_text()
    assert run("-n", 7, "--seed", 2).stdout != data.read_text()
    assert len(json.loads(data.read_text())) == 7


def test_tasks_have_as_many_demonstrations_as_are_asked_for(tmp_path: Path) -> None:
    data = tmp_path / "tasks.json"
    assert run("-n", 3, "--demonstrations", 12, "--out", data).exit_code == 0
    assert [len(task["train"]) for task in json.loads(data.read_text()).values()] == [12] * 3
    sudokus = CliRunner().invoke(app, ["generate", "--demonstrations", "3"])
    assert sudokus.exit_code == 2 and "--demonstrations is for ARC tasks" in sudokus.stderr


class Terminal(RunningIn):
    module = "trmsolve"
    env: ClassVar[dict[str, str]] = {**os.environ, "TERM": "xterm"}


def test_a_bar_counts_what_is_made_for_a_file(tmp_path: Path) -> None:
    made = tmp_path / "made.csv"
    _, lines = Terminal(80, 24, "generate", "-n", 3, "--out", made).end()
    assert not any("of 3" in line for line in lines), "the bar is gone"
    assert made.read_text().count("\n") == 4


def test_puzzles_on_the_terminal_are_not_covered_by_a_bar() -> None:
    terminal = Terminal(80, 24, "generate", "-n", 3)
    _, lines = terminal.end()
    assert "made" not in terminal.raw and len(lines) >= 4


def test_a_longer_file_begins_with_the_shorter_one() -> None:
    short, long = (json.loads(run("-n", number).stdout) for number in (3, 6))
    assert list(long.items())[:3] == list(short.items())


@pytest.mark.parametrize("difficulty", ["easy", "medium", "hard", "mixed"])
def test_every_command_reads_what_is_made(difficulty: str, tmp_path: Path) -> None:
    data = tmp_path / "tasks.json"
    assert run("-n", 20, "--difficulty", difficulty, "--out", data).exit_code == 0
    tasks = json.loads(data.read_text())
    assert list(tasks) == [task.name for task in read_items([str(data)])]  # type: ignore[union-attr]
    source = read_source(Sources(data=(str(data),)), print)
    assert [task.name for task in source.tasks] == list(tasks)

    submission = tmp_path / "submission.json"
    attempts = {}
    for name, task in tasks.items():
        outputs = [pair["output"] for pair in task["test"]]
        attempts[name] = [{"attempt_1": grid, "attempt_2": grid} for grid in outputs]
    submission.write_text(json.dumps(attempts))
    call = ["eval", "--task", "arc", "--data", data, "--submission", submission, "--json"]
    done = CliRunner().invoke(app, list(map(str, call)))
    assert done.exit_code == 0, done.stderr
    score = json.loads(done.stdout)
    assert (score["n"], score["pass@1"]) == (20, 1.0)


def test_files_of_several_seeds_are_learned_from_together(tmp_path: Path) -> None:
    names = []
    for seed in (1, 2):
        data = tmp_path / f"{seed}.json"
        run("-n", 30, "--seed", seed, "--out", data)
        names.append(str(data))
    source = read_source(Sources(data=tuple(names)), print)
    assert len(source.tasks) == 60


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--size", "5x5"], "--size and --path-length are for mazes: omit them for ARC tasks"),
        (["--path-length", "9"], "--size and --path-length are for mazes: omit them for ARC tasks"),
        (["--difficulty", "extreme"], "not known: use easy, medium, hard, mixed"),
        (["--out", "absent/tasks.json"], "absent/tasks.json cannot be written"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], problem: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2 and done.stdout == ""
    assert problem in done.stderr and "Traceback" not in done.stderr
