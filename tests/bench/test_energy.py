"""Joules for each verified answer."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.bench import CPU
from tests.support.powercap import fake_zone
from trmsolve.bench import energy
from trmsolve.bench.energy import measure_energy
from trmsolve.errors import UsageError
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Puzzle

GRID = np.zeros((9, 9), np.int8)


class FakeSolver:
    """Answers every second puzzle, and each costs a joule."""

    task = get_task("sudoku")
    weights = "fake"
    placement = CPU
    threads = 1

    def __init__(self, counter: Path, right: bool = True) -> None:
        self.counter = counter
        self.right = right

    def solve_all(self, puzzles: Iterable[Puzzle | None]) -> Iterator[Answer]:
        for number, puzzle in enumerate(puzzles):
            assert puzzle is not None
            used = (int(self.counter.read_text()) + 1_000_000) % 10_000_000
            self.counter.write_text(str(used))
            verified = self.right and number % 2 == 0
            yield Answer(puzzle, GRID, verified, "", 1, 1, 0.0, 0.0)


def measure(tmp_path: Path, right: bool = True) -> dict[str, Any]:
    counter = fake_zone(tmp_path, "intel-rapl:0", "package-0", largest=9_999_999)
    puzzles = [Puzzle(GRID)] * 40
    solver: Any = FakeSolver(counter, right)
    return measure_energy(solver, puzzles, 0.01, tmp_path)


def test_all_energy_is_divided_by_the_verified_answers(tmp_path: Path) -> None:
    figures = measure(tmp_path)
    assert figures["answers"] >= 40 and figures["counters"] == ["package-0"]
    assert figures["joules"] == pytest.approx(figures["answers"]), "the counter wraps around"
    each = figures["joules"] / figures["verified"]
    assert figures["joules_per_verified"] == pytest.approx(each)
    assert figures["watts"] == pytest.approx(figures["joules"] / figures["seconds"])
    assert figures["idle_watts"] == 0
    assert figures["joules_per_verified_above_idle"] == pytest.approx(each)


def test_without_a_verified_answer_there_is_no_figure(tmp_path: Path) -> None:
    figures = measure(tmp_path, right=False)
    assert figures["verified"] == 0 and figures["joules"] > 0
    assert figures["joules_per_verified"] is None


class SlowSolver(FakeSolver):
    """Takes a second for each puzzle of a batch, and reads a whole batch before it answers."""

    batch = 16

    def __init__(self, counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(counter)
        self.now = 0.0
        monkeypatch.setattr(energy.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(energy.time, "sleep", self.wait)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def solve_all(self, puzzles: Iterable[Puzzle | None]) -> Iterator[Answer]:
        waiting = iter(puzzles)
        while batch := [one for one in islice(waiting, self.batch) if one is not None]:
            self.wait(len(batch))
            yield from super().solve_all(batch)


@pytest.mark.parametrize(("seconds", "batch"), [(20, 16), (20, 1), (100, 16), (1000, 64)])
def test_it_takes_about_as_long_as_it_may(
    seconds: float, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = fake_zone(tmp_path, "intel-rapl:0", "package-0", largest=9_999_999)
    solver: Any = SlowSolver(counter, monkeypatch)
    solver.batch = batch
    figures = measure_energy(solver, [Puzzle(GRID)] * 4, seconds, tmp_path)
    assert 0.9 * seconds - 1 <= solver.now <= seconds
    assert figures["seconds"] == figures["answers"]
    assert figures["joules"] == pytest.approx(figures["answers"])


def test_every_puzzle_is_solved_once_where_the_time_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = fake_zone(tmp_path, "intel-rapl:0", "package-0", largest=9_999_999)
    solver: Any = SlowSolver(counter, monkeypatch)
    figures = measure_energy(solver, [Puzzle(GRID)] * 4, 0.1, tmp_path)
    assert figures["answers"] == 4 and solver.now == pytest.approx(5.01)


def test_a_machine_that_does_not_tell_is_refused(tmp_path: Path) -> None:
    solver: Any = FakeSolver(tmp_path)
    with pytest.raises(UsageError, match="does not tell its energy: there is no counter"):
        measure_energy(solver, [Puzzle(GRID)], 0.01, tmp_path)
