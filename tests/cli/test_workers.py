"""Commands with several processes: the same output, exit codes and interrupts as with one."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import COMMAND_ENV, EASY, RUN, SOLUTION, run
from tests.support.graphs import needs_runtime
from tests.support.processes import group_ends
from trmsolve.solve.workers import Crew

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
pytestmark = pytest.mark.usefixtures("process_as_it_was")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", pytest.param("onnx", marks=needs_runtime)])
def test_output_and_exit_code_are_those_of_one_process(
    backend: str, data: Path, tmp_path: Path
) -> None:
    lines = [row.split(",")[1] for row in data.read_text().splitlines()[1:]]
    assert len(lines[0]) == 81
    file = tmp_path / "some.sdm"
    file.write_text("\n".join([*lines, "12345", *lines[::-1]]) + "\n")
    outputs = []
    for workers in ("1", "2"):
        options = ["--json", "--backend", backend, "--workers", workers]
        result = run("sudoku", str(file), *options)
        assert result.exit_code == 2
        objects = [json.loads(line) for line in result.stdout.splitlines()]
        outputs.append([{**one, "seconds": 0} for one in objects])
    assert outputs[0] == outputs[1]
    assert [one["index"] for one in outputs[0]] == list(range(25))


@pytest.mark.slow
def test_ctrl_c_ends_all_processes(tmp_path: Path) -> None:
    many = tmp_path / "many.sdm"
    many.write_text((EASY + "\n") * 5_000)
    process = subprocess.Popen(
        [*RUN, "sudoku", str(many), "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=COMMAND_ENV,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == SOLUTION + "\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest.replace(SOLUTION + "\n", "") == ""
    assert errors.endswith("trmsolve: interrupted\n") and "Traceback" not in errors
    assert group_ends(process.pid)


def figures(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output)
    assert found.pop("puzzles_per_second") > 0
    return found


def test_processes_under_torchrun_measure_what_one_does(data: Path) -> None:
    arguments = ["eval", "--data", str(data), "--json", "--views", "2", "--cycles", "1"]
    alone = run(*arguments)
    done = subprocess.run(
        [*TORCHRUN, "-m", "trmsolve", *arguments],
        capture_output=True,
        text=True,
        env=COMMAND_ENV,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout) == figures(alone.stdout) | {"workers": 2}
    assert done.stderr.count("6 puzzles  ") == 1, "the first process alone speaks, of its share"


def test_a_bad_row_is_told_once_under_torchrun(data: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("question,answer\n" + f"{EASY},{SOLUTION}\n" * 3 + f"{EASY},{EASY}\n")
    done = subprocess.run(
        [*TORCHRUN, "-m", "trmsolve", "eval", "--data", str(bad), "--cycles", "1"],
        capture_output=True,
        text=True,
        env=COMMAND_ENV,
        check=False,
    )
    assert done.returncode != 0 and done.stdout == ""
    assert done.stderr.count("trmsolve: ") == 1 and "bad.csv:5" in done.stderr


@pytest.mark.parametrize(
    ("lines", "arguments", "crew"),
    [
        (9, [], Crew(puzzles=9)),
        (9, ["--workers", "3"], Crew(3, puzzles=9)),
        (9, ["--threads", "1"], Crew(threads=1, puzzles=9)),
        (9, ["--batch-size", "2"], Crew(puzzles=9)),
        (9, ["--show-steps", "--workers", "3"], Crew(1, puzzles=9)),
        (1, ["--workers", "3"], Crew(3, puzzles=1)),
    ],
)
def test_the_options_say_how_many(
    lines: int, arguments: list[str], crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "trmsolve.solve.workers.share_out", lambda solver, crew, _: asked.append(crew) or solver
    )
    file = tmp_path / "some.sdm"
    file.write_text(f"{EASY}\n" * lines)
    assert run("sudoku", str(file), *arguments).exit_code == 0
    assert asked == [crew]


def test_a_stream_of_few_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "trmsolve.solve.workers.share_out", lambda solver, crew, _: asked.append(crew) or solver
    )
    monkeypatch.setattr("trmsolve.cli.solving.PATIENCE_SECONDS", -1)
    monkeypatch.setattr("trmsolve.cli.solving.open_items", waiting(2))
    monkeypatch.setattr("trmsolve.cli.solving.count_items", lambda *_: None)
    assert run("sudoku", "-", text="").exit_code == 0
    monkeypatch.setattr("trmsolve.cli.solving.open_items", waiting(9))
    assert run("sudoku", "-", text="").exit_code == 0
    assert asked == [Crew(1), Crew()]


def waiting(number: int) -> Any:
    """Makes a stream of so many puzzles, and then of nothing for a moment."""

    def items(task: Any, _: Any) -> Any:
        import io

        yield from task.read(io.BytesIO(f"{EASY}\n".encode() * number), "stdin")
        yield None

    return items


def test_arc_has_its_own_processes(data: Path) -> None:
    result = run("eval", "--task", "arc", "--data", str(data), "--workers", "2")
    assert result.exit_code == 2 and "--workers does not apply to ARC tasks" in result.stderr


def test_threads_of_the_program_sleep_while_they_wait() -> None:
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"},
        check=True,
    )
    assert said.stdout.split()[-2:] == ["None", "PASSIVE"]


PROGRAM = """
import os, sys, contextlib
import trmsolve
before = os.environ.get("OMP_WAIT_POLICY")
from trmsolve.__main__ import main
sys.argv = ["trmsolve", "--version"]
with contextlib.suppress(SystemExit):
    main()
print(before, os.environ.get("OMP_WAIT_POLICY"))
"""
