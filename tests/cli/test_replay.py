"""``trmsolve replay``, in a terminal and without one."""

import os
import signal
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner, Result

from tests.support.screen import screen
from tests.support.terminal import RunningIn
from tests.support.traces import answer_to, maze_cycles, recorded, sudoku_cycles
from trmsolve.cli import app


class Terminal(RunningIn):
    """``trmsolve`` in a terminal of its own."""

    module: ClassVar = "trmsolve"
    env: ClassVar = {**os.environ, "TERM": "xterm-256color"}


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    first = maze_cycles(side=5, cycles=3, seed=1)
    second = maze_cycles(side=6, cycles=2, seed=2)
    outcomes = [answer_to(first[-1]), answer_to(second[-1])]
    recorded(path, "maze", [*first, *second], [*outcomes])
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def test_without_a_terminal_every_frame_is_printed_to_standard_output(trace: Path) -> None:
    result = run(trace)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("broken rules") == 5
    assert result.stdout.count("mazes.txt:1  solved  7 cycles  2 views") == 2
    assert "\x1b" not in result.stdout


def test_a_damaged_trace_is_one_line_and_exit_code_2(trace: Path) -> None:
    text = trace.read_text().replace('"halt":', '"stop":', 1)
    trace.write_text(text)
    result = run(trace)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f'trmsolve: {trace}:3: this line of the trace is damaged: "halt" is missing\n'
    )


def test_a_run_that_was_killed_is_replayed_as_far_as_it_came(trace: Path) -> None:
    trace.write_bytes(trace.read_bytes()[:-10])
    result = run(trace)
    assert result.exit_code == 0
    assert result.stderr == f"{trace}:10: the trace ends here; its run was ended early\n"
    assert result.stdout.count("solved") == 1


def test_text_of_strangers_is_escaped(tmp_path: Path) -> None:
    cycles = sudoku_cycles(1)
    object.__setattr__(cycles[0].puzzle, "source", "\x1b]0;title\x07\u202e")
    other = maze_cycles(side=5)[-1]
    outcomes = [answer_to(cycles[0]), answer_to(other)]
    recorded(tmp_path / "run.jsonl", "maze", [*cycles], [*outcomes])
    result = run(tmp_path / "run.jsonl")
    assert result.exit_code == 0 and "\\x1b]0;title\\x07\\u202e" in result.stdout
    assert "\x1b" not in result.stdout


def test_keys_in_a_terminal(trace: Path) -> None:
    terminal = Terminal(80, 24, "replay", trace, "--pace", 8)
    terminal.wait_for("frame 1/4")
    os.write(terminal.master, b"\x1b[C")
    terminal.wait_for("frame 2/4  puzzle 1/2")
    os.write(terminal.master, b"n")
    terminal.wait_for("frame 1/3  puzzle 2/2")
    os.write(terminal.master, b"\x1b[F")
    terminal.wait_for("frame 3/3")
    os.write(terminal.master, b"q")
    code, lines = terminal.end()
    assert code == 0 and lines[-2].startswith("solved  7 cycles") and "quit" not in lines[-1]
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


def test_it_plays_by_itself(trace: Path) -> None:
    terminal = Terminal(80, 24, "replay", trace, "--pace", 0.02)
    terminal.wait_for("frame 3/3  puzzle 2/2")
    terminal.process.send_signal(signal.SIGINT)
    code, lines = terminal.end()
    assert code == 130 and "trmsolve: interrupted" in lines[-2]


def test_steps_are_printed_in_a_terminal_if_wanted(trace: Path) -> None:
    code, lines = Terminal(80, 24, "replay", trace, "--show-steps").end()
    assert code == 0 and sum("broken rules" in line for line in lines) == 5
    assert screen("") == [""]
