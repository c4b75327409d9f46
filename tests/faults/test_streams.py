"""Streams that are closed, full, slow, of another encoding, narrow or dumb."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.cli.test_hostile_text import OWN
from tests.faults.support.program import ENV, PROGRAM, finish
from tests.faults.support.readers import MAZE, QUESTION, SOLUTION
from tests.faults.support.scale import trials
from tests.support.terminal import RunningIn
from tests.support.training import TINY
from tests.support.training import WHERE as AT

Measured = Callable[[int, str], None]
WHERE = ["--workers", "1", "--threads", "1"]


def redirected(how: str) -> list[str]:
    """A shell that starts a command with its streams redirected so."""
    return ["sh", "-c", f'exec "$@" {how}', "sh"]


@pytest.fixture
def puzzle(tmp_path: Path) -> Path:
    path = tmp_path / "puzzle.txt"
    path.write_text(QUESTION + "\n")
    return path


@pytest.mark.promise("A stream that is closed or full gives its exit code and no traceback")
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("<&-", 0),
        (">&-", 0),
        ("2>&-", 0),
        ("<&- >&- 2>&-", 0),
        (">/dev/full", 5),
        ("2>/dev/full", 5),
        (">/dev/full 2>/dev/full", 5),
    ],
)
def test_closed_and_full(how: str, code: int, puzzle: Path, measured: Measured) -> None:
    done = finish("sudoku", puzzle, through=redirected(how))
    assert "Traceback" not in done.err
    assert done.code == code, done
    if how in ("<&-", "2>&-", "2>/dev/full"):
        assert done.out == SOLUTION.encode() + b"\n"
    measured(1, "")


FULL: dict[str, tuple[list[object], int, int]] = {
    "a summary": (["sudoku", "many.txt", *WHERE], 5, 10),
    "steps": (["sudoku", "many.txt", "--show-steps", "--cycles", "4", *WHERE], 5, 10),
    "nothing": (["sudoku", "many.txt", "--quiet", *WHERE], 0, 10),
    "an unreadable puzzle": (["sudoku", "bad.txt", "--json", *WHERE], 2, 3),
    "a note": (["sudoku", "many.txt", "--json", "--verbose", *WHERE], 5, 10),
    "a missing file": (["sudoku", "absent.txt"], 2, 0),
    "a wrong option": (["sudoku", "many.txt", "--cycles", "many"], 2, 0),
    "missing weights": (["sudoku", "many.txt", "--weights", "absent.safetensors"], 3, 0),
    "progress": (
        ["train", "--data", "given.csv", "--out", "run", "--steps", "3", *TINY, *AT],
        5,
        0,
    ),
    "an evaluation": (["eval", "--data", "given.csv", "--cycles", "2", "--json", *WHERE], 5, 1),
}
"""Messages on standard error: a command that writes them, its exit code, and its answers."""


@pytest.mark.promise(
    "A full standard error costs no answer, and a success that could not be told ends with 5"
)
@pytest.mark.parametrize("what", FULL)
def test_full_standard_error(what: str, tmp_path: Path, data: Path, measured: Measured) -> None:
    shutil.copy(data, tmp_path / "given.csv")
    (tmp_path / "many.txt").write_text((QUESTION + "\n") * 10)
    (tmp_path / "bad.txt").write_text(f"{QUESTION}\n{QUESTION[:-3]}\n{QUESTION}\n")
    arguments, code, answers = FULL[what]
    done = finish(*arguments, cwd=tmp_path, through=redirected("2>/dev/full"))
    assert (done.code, done.out.count(b"\n")) == (code, answers), done
    assert (tmp_path / "run" / "sudoku.safetensors").exists() == (what == "progress")
    measured(1, "")


@pytest.mark.promise(
    "A full standard error costs no answer, and a success that could not be told ends with 5"
)
def test_full_standard_error_without_a_buffer(puzzle: Path, measured: Measured) -> None:
    env = ENV | {"PYTHONUNBUFFERED": "1"}
    done = finish("sudoku", puzzle, "--show-steps", env=env, through=redirected("2>/dev/full"))
    assert (done.code, done.out) == (5, SOLUTION.encode() + b"\n")
    measured(1, "")


@pytest.mark.promise("When the reader of standard error leaves, every answer comes, and the code 0")
def test_reader_of_messages_leaves(tmp_path: Path, measured: Measured) -> None:
    puzzles = tmp_path / "many.txt"
    puzzles.write_text((QUESTION + "\n") * 10)
    reading, writing = os.pipe()
    os.close(reading)
    done = finish("sudoku", puzzles, "--show-steps", "--verbose", *WHERE, stderr=writing)
    os.close(writing)
    assert (done.code, done.out) == (0, (SOLUTION + "\n").encode() * 10)
    measured(1, "")


@pytest.mark.promise("Without standard input, a command that needs it says so and leaves with 2")
def test_no_input(measured: Measured) -> None:
    done = finish("sudoku", "-", through=redirected("<&-"))
    assert (done.code, done.out) == (2, b"")
    assert done.err == "trmsolve: standard input is closed: give a file\n"
    measured(1, "")


@pytest.mark.promise("A stream of any encoding gets answers that it can show")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16", "cp437", "koi8-r"])
def test_encodings(encoding: str, tmp_path: Path, measured: Measured) -> None:
    path = tmp_path / "maze.txt"
    path.write_text("\n".join(MAZE).replace("#", "█") + "\n", encoding="utf-8")
    done = finish("maze", path, "--show-steps", env=ENV | {"PYTHONIOENCODING": encoding})
    assert done.code == 0 and "Traceback" not in done.err, done
    answer = done.out.decode(encoding)
    assert answer.count("o") > 0
    assert answer[0] in "#█"
    measured(1, "")


def shows_solution(text: str) -> bool:
    """Whether each row of the solution stands in the text, with whatever drawing between."""
    rows = [SOLUTION[begin : begin + 9] for begin in range(0, 81, 9)]
    return all(re.search(r"\D+".join(row), text) or row in text for row in rows)


class Trmsolve(RunningIn):
    module: ClassVar[str] = "trmsolve"
    env: ClassVar[dict[str, str]] = ENV | {"TERM": "xterm"}


@pytest.mark.promise("A narrow, low, huge or dumb terminal gets the answer")
@pytest.mark.parametrize(
    ("columns", "lines", "term"),
    [
        (1, 1, "xterm"),
        (10, 5, "xterm"),
        (30, 8, "xterm"),
        (500, 200, "xterm"),
        (0, 0, "xterm"),
        (80, 24, "dumb"),
    ],
)
def test_terminals(columns: int, lines: int, term: str, puzzle: Path, measured: Measured) -> None:
    terminal = Trmsolve(columns, lines, "sudoku", puzzle, TERM=term)
    assert terminal.process.wait(terminal.patience) == 0
    shown = terminal.rest()
    assert shows_solution(OWN.sub("", shown)) and "Traceback" not in shown
    if term == "dumb":
        assert "\x1b" not in shown
    measured(1, "")


@pytest.mark.promise("A slow reader gets every line")
def test_slow_reader(puzzle: Path, measured: Measured) -> None:
    number = 20
    puzzle.write_text((QUESTION + "\n") * number)
    command = [*PROGRAM, "sudoku", str(puzzle), "--json", *WHERE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line)["index"])
        time.sleep(0.01)
    process.communicate()
    assert process.returncode == 0
    assert lines == list(range(number))
    measured(number, "")


@pytest.mark.promise("A reader that leaves ends the command with 141")
def test_reader_leaves(puzzle: Path, measured: Measured) -> None:
    puzzle.write_text((QUESTION + "\n") * 30)
    command = [*PROGRAM, "sudoku", str(puzzle), *WHERE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    assert process.wait() == 141 and b"Traceback" not in told
    measured(1, "")


@pytest.mark.promise("SIGKILL at a random moment leaves whole lines")
def test_killed(puzzle: Path, tmp_path: Path, measured: Measured) -> None:
    puzzle.write_text((QUESTION + "\n") * 120)
    out = tmp_path / "out"
    draw = random.Random(0)
    number = trials(50)
    seen = set()
    for _ in range(number):
        seen.add(kill_after(draw.randrange(80), puzzle, out, draw.random() / 50))
        lines = out.read_text().splitlines(keepends=True)
        assert set(lines) <= {SOLUTION + "\n"}
    measured(number, f"with {min(seen)} to {max(seen)} lines written")


def kill_after(lines: int, puzzle: Path, out: Path, seconds: float) -> int:
    """Kill a command that has written so many lines, a moment later; return how many it wrote."""
    with out.open("wb") as output:
        command = [*PROGRAM, "sudoku", str(puzzle), *WHERE, "--batch-size", "4"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env=ENV)
    while process.poll() is None and out.stat().st_size < lines * 82:
        time.sleep(0.001)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return out.read_bytes().count(b"\n")


@pytest.mark.promise("One bad puzzle among many is named, and the others are answered")
def test_one_bad_item(puzzle: Path, measured: Measured) -> None:
    number = trials(1000, least=50)
    bad = number * 2 // 3
    lines = [QUESTION] * number
    lines[bad] = QUESTION[:-3]
    puzzle.write_text("\n".join(lines) + "\n")
    done = finish("sudoku", puzzle, "--json", *WHERE)
    items = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 2 and f"{puzzle}:{bad + 1}" in done.err
    assert [item["index"] for item in items] == list(range(number))
    assert [item["index"] for item in items if "error" in item] == [bad]
    answers = {item["answer"] for item in items if "error" not in item}
    assert answers == {SOLUTION}
    measured(number, "")
