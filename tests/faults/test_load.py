"""Many puzzles through one process, many processes at once, and the largest inputs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.support.forked import ended, start
from tests.faults.support.program import ENV, PROGRAM, finish
from tests.faults.support.readers import QUESTION, SOLUTION, contents
from tests.faults.support.scale import trials

Measured = Callable[[int, str], None]
EFFORT = ["--workers", "1", "--threads", "1", "--views", "1", "--cycles", "1"]
PARTS = 10
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def lines_of_sudokus(number: int) -> str:
    return (QUESTION + "\n") * number


def mazes_of_all_sizes(number: int) -> str:
    """Open mazes from 5 x 5 to 14 x 14 in turn."""
    drawn = []
    for place in range(number):
        side = 5 + place % 10
        floor = "#" + " " * (side - 2) + "#\n"
        first, last = "#S" + floor[2:], floor[: side - 2] + "G#\n"
        wall = "#" * side + "\n"
        drawn.append(wall + first + floor * (side - 4) + last + wall)
    return "\n".join(drawn)


@on_linux
@pytest.mark.promise(
    "Memory stays within 5 % from the second tenth of many puzzles to the last, and the processor "
    "time of the last tenth within 10 % of the second"
)
@pytest.mark.parametrize(
    ("task", "make", "full"),
    [("sudoku", lines_of_sudokus, 100_000), ("maze", mazes_of_all_sizes, 10_000)],
)
def test_many(
    task: str, make: Callable[[int], str], full: int, tmp_path: Path, measured: Measured
) -> None:
    number = trials(full, least=500)
    given = tmp_path / "given.txt"
    given.write_text(make(number))
    command = [*PROGRAM, task, str(given), "--format", "line", *EFFORT]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENV)
    assert process.stdout is not None
    memory, seconds, answers = [0.0], [0.0], 0
    for line in process.stdout:
        answers += line != b""
        if answers >= len(memory) * number * 0.99 / PARTS:
            memory.append(resident(process.pid))
            seconds.append(processor_time(process.pid))
    process.wait()
    assert answers == number
    grown = memory[-1] / memory[2] - 1
    slower = (seconds[-1] - seconds[-2]) / (seconds[2] - seconds[1]) - 1
    # A short run is too short to tell: the first tenths are still those of a process that grows.
    is_short = number < full / 10
    assert grown < (0.20 if is_short else 0.05), memory
    assert slower < 0.10 or is_short, seconds
    rate = number / seconds[-1]
    measured(number, f"{task}: memory {grown:+.1%}, time {slower:+.1%}, {rate:.0f} a second")


def resident(process: int) -> float:
    """Megabytes in use."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_time(process: int) -> float:
    """Seconds that a running process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.promise("Eight processes at once answer as one does")
def test_at_once(tmp_path: Path, measured: Measured) -> None:
    given = tmp_path / "given.txt"
    given.write_text(lines_of_sudokus(8))
    outs = [tmp_path / f"out-{n}" for n in range(8)]
    running = [start(out, "sudoku", given, "--quiet", "--workers", "1") for out in outs]
    assert [ended(process) for process in running] == [0] * 8
    assert {out.read_text() for out in outs} == {(SOLUTION + "\n") * 8}
    measured(8, "")


@pytest.mark.promise("A folder of 400 ARC tasks is read in less than 5 s, and one of them answered")
def test_folder(tmp_path: Path, measured: Measured) -> None:
    tasks = contents("arc/*.json")
    for number in range(400):
        (tmp_path / f"task{number:03}.json").write_bytes(tasks[number % len(tasks)])
    chosen = ["--id", "task217", "--steps", "1", "--weights", "none", "--threads", "1"]
    done = finish("arc", tmp_path, *chosen, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["source"].endswith("task217.json")
    begun = time.process_time()
    from trmsolve.arc.read import read_path

    assert len(list(read_path(str(tmp_path)))) == 400
    seconds = time.process_time() - begun
    assert seconds < 5
    measured(400, f"read in {seconds:.1f} s")


@pytest.mark.promise("A maze of 128 x 128 is answered in less than 1 GB")
def test_large_maze(tmp_path: Path, measured: Measured) -> None:
    given = tmp_path / "given.txt"
    floor = "#" + " " * 126 + "#\n"
    rows = ["#" * 128 + "\n", "#S" + floor[2:], *[floor] * 124, floor[:126] + "G#\n"]
    given.write_text("".join([*rows, rows[0]]))
    done = finish("maze", given, "--views", "1", "--cycles", "4", "--quiet")
    assert done.code in (0, 1) and "Traceback" not in done.err, done.err
    assert done.out.count(b"\n") == 128
    assert done.megabytes < 1000
    measured(1, f"{done.seconds:.1f} s and {done.megabytes:.0f} MB")
