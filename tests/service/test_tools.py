"""The tools without the protocol: bounds, cancelling, and what they say of a solving."""

import subprocess
import sys
from typing import Any

import pytest

from tests.support.paths import ROOT
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.registry import get_task
from trmsolve.service import bounds, tools
from trmsolve.service.bounds import Bounds, TimeUp, Watch
from trmsolve.service.tools import Tools, Wanted, read_one

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
EMPTY = "." * 81
SHUT = "#####\n#S#G#\n#####"


def silent(steps: int, message: str) -> None:
    """Takes no note."""


@pytest.fixture(scope="module")
def worked() -> Tools:
    return Tools(Bounds(threads=1))


def test_a_watch_tells_now_and_then_and_ends_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(bounds.time, "monotonic", lambda: now[0])
    told: list[int] = []
    watch = Watch(1.0, lambda steps, _: told.append(steps))
    for _ in range(16):
        watch.step()
        now[0] += 0.0625
    assert told == [1, 3, 5, 7, 9, 11, 13, 15]
    now[0] = 2.0
    with pytest.raises(TimeUp, match="stopped after 1 s and 17 steps"):
        watch.step()


def test_solving_ends_at_its_time_and_can_be_cancelled(worked: Tools) -> None:
    hurried = Tools(Bounds(seconds=0.0), worked.solvers)
    hurried.bounds = Bounds(seconds=1e-9, threads=1)
    with pytest.raises(TimeUp):
        hurried.solve("sudoku", EASY, 1, silent)

    class Cancelled(Exception):
        pass

    def cancel(steps: int, message: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        worked.solve("sudoku", EASY, 1, cancel)
    assert worked.solve("sudoku", EASY, 1, silent).verified  # it is as good as new


def test_making_puzzles_ends_at_its_time() -> None:
    with pytest.raises(TimeUp):
        Tools(Bounds(seconds=1e-9)).generate(Wanted("sudoku", 2, "easy", 0, None, None), silent)


def test_the_network_is_loaded_once_and_the_views_are_those_of_the_call(worked: Tools) -> None:
    first = worked._solver("sudoku", 1)
    second = worked._solver("sudoku", 32)
    assert first.model is second.model
    assert (first.effort.views, second.effort.views) == (1, 32)


def test_the_last_cycles_are_told(worked: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "MOST_CYCLES_TOLD", 3)
    told = worked.explain_cycles("sudoku", EMPTY, 8, silent)
    cycles = list(worked._solver("sudoku", 8).refine(EMPTY))
    assert not told.verified and len(cycles) > 3
    assert told.left_out == len(cycles) - 3
    places = [(cycle.view, cycle.number) for cycle in cycles]
    assert [(cycle.view, cycle.cycle) for cycle in told.cycles] == places[-3:]
    assert told.cycles[-1].grid == get_task("sudoku").text(cycles[-1].grid)
    assert told.stopped.endswith("in the last view, and the rules refuse the answer")
    assert told.remark == "the puzzle has more than one solution"


def test_a_maze_without_a_way_is_not_tried(worked: Tools) -> None:
    told = worked.explain_cycles("maze", SHUT, 1, silent)
    assert (told.cycles, told.left_out, told.verified) == ([], 0, False)
    assert told.stopped == "nothing was tried: unsolvable: walls keep the start from the goal"


WRONG: list[tuple[type[Exception], str, Any]] = [
    (PuzzleError, "two 5s in row 1", lambda: read_one(get_task("sudoku"), "55" + "." * 79)),
    (PuzzleError, "several", lambda: read_one(get_task("sudoku"), f"{EASY}\n{EASY}")),
    (UsageError, "at most 65536", lambda: read_one(get_task("sudoku"), "." * 65_537)),
    (UsageError, "views must be from 1 to 32", lambda: Tools(Bounds())._solver("sudoku", 33)),
    (
        UsageError,
        "rows must be from 1 to 128",
        lambda: Tools(Bounds()).generate(Wanted("maze", 1, None, 0, 129, 9), silent),
    ),
]


@pytest.mark.parametrize(("kind", "problem", "call"), WRONG)
def test_what_is_out_of_bounds_is_refused(kind: type[Exception], problem: str, call: Any) -> None:
    with pytest.raises(kind, match=problem):
        call()


LIMITED = """
from trmsolve.service.bounds import limit_memory
limit_memory(512)
try:
    block = bytearray(1 << 30)
except MemoryError:
    print("refused")
small = bytearray(1 << 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count other memory")
def test_memory_beyond_the_bound_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("refused\n", 0), done.stderr
