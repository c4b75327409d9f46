"""The time that a long wait is told to take."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.support.mazes import CONV, FLOW
from trmsolve.cli.forecast import Forecast, expected_cycles, forecast_for
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.effort import Effort

CONFIG = replace(CONV, layers=2, recursions=6)


def solver(batch_size: int = 1, cycles: int = 64, workers: int = 1) -> Any:
    effort = Effort(cycles=cycles, batch_size=batch_size)
    model = SimpleNamespace(config=CONFIG)
    return SimpleNamespace(task=FLOW, model=model, effort=effort, workers=workers)


def ticking(seconds: float) -> Callable[[], float]:
    """A clock on which so much passes between two looks."""
    times = iter(seconds * number for number in range(10))
    return lambda: next(times)


def corridor(length: int, rows: int = 64) -> Puzzle:
    """A maze that is walls but for its first row: so many steps from its start to its goal."""
    grid = np.zeros((rows, length + 1), np.int8)
    grid[0] = [2] + (length - 1) * [1] + [3]
    return Puzzle(grid)


def told(puzzles: list[Puzzle], seconds: float, **how: int) -> list[str]:
    notes: list[str] = []
    forecast = Forecast(solver(**how), puzzles, notes.append, ticking(seconds))
    forecast.step()
    forecast.step()
    return notes


def test_cycles_follow_from_the_way_there_and_back() -> None:
    assert expected_cycles(FLOW, CONFIG, corridor(48)) == 5


def test_a_long_wait_is_told_once() -> None:
    (note,) = told([corridor(240)], seconds=2.0)  # 21 cycles
    assert note == "this takes about 50 seconds if one view is enough"


def test_minutes_are_told_as_minutes() -> None:
    assert "about 7 minutes" in told([corridor(240)], seconds=20.0)[0]


def test_later_cycles_of_a_large_board_are_expected_to_be_cheaper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (whole,) = told([corridor(4800)], seconds=2.0)
    monkeypatch.setattr("trmsolve.cli.forecast.sparing", lambda network: None)
    (spared,) = told([corridor(4800)], seconds=2.0)
    assert ("about 3 minutes" in whole, "about 60 seconds" in spared) == (True, True)


def test_a_short_wait_is_not_told() -> None:
    assert told([corridor(240)], seconds=0.4) == []


def test_a_small_maze_is_never_said_to_take_long() -> None:
    assert told([corridor(240, rows=1)], seconds=9.0) == []


def test_no_more_cycles_are_expected_than_are_allowed() -> None:
    assert told([corridor(240)], seconds=2.0, cycles=4) == []


def test_several_puzzles_are_told_together() -> None:
    assert "about 90 seconds" in told([corridor(240)] * 2, seconds=2.0)[0]
    assert "about 50 seconds" in told([corridor(240)] * 2, seconds=2.0, batch_size=2)[0]
    assert "about 50 seconds" in told([corridor(240)] * 2, seconds=2.0, workers=2)[0]


def test_what_is_no_puzzle_takes_no_time() -> None:
    notes: list[str] = []
    forecast_for(solver(), [None, PuzzleError("unreadable", "x")], notes.append).step()
    assert notes == []
