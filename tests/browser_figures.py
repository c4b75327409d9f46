"""Measures the page of examples/browser beside the Python engine, for the figures in its README.

Usage: python -m tests.browser_figures > examples/browser/measured.json

It takes about three minutes of one core, needs what tests/test_browser.py needs, and Linux.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.browser import chromium, served, step_through
from tests.support.paths import ROOT
from trmsolve import load
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.solver import Solver

SETS = (
    ("sudoku", "easy", None, 77, 60),
    ("sudoku", "hard", None, 77, 60),
    ("sudoku", "extreme", None, 77, 60),
    ("sudoku", "extreme", None, 7, 60),
    ("maze", "hard", (30, 30), 77, 15),
    ("maze", "perfect", (20, 40), 77, 15),
    ("maze", "mixed", (12, 12), 77, 15),
)
"""The task, the kind, the size, the seed and the number of puzzles."""

LONG = {
    "sudoku": ".7.8.6....1.......53...97.....5.74......8..9..67.2..3...64...19.4.......1..2.....",
    "maze": (ROOT / "examples" / "maze" / "hard.txt").read_text(encoding="utf-8"),
}
"""Puzzles of many cycles, 16 and 10, whose time is measured."""

REPEATS = 5
EVERY_CYCLE = 64


def main() -> None:
    """Print all figures as JSON."""
    tasks = ("sudoku", "maze")
    solvers = {task: load(task, backend="onnx", views=1, threads=1) for task in tasks}
    with served() as address, chromium() as driver:
        driver.get(address)
        time.sleep(1)
        figures = {
            "chromium": driver.capabilities["browserVersion"],
            "times": {task: times(driver, solvers[task]) for task in tasks},
            "agreement": [agreement(driver, solvers[name], name, *rest) for name, *rest in SETS],
        }
    json.dump(figures, sys.stdout, indent=1)
    print()


def times(driver: Any, solver: Solver) -> dict[str, float]:
    """Milliseconds of a cycle, reading and drawing included, of both in turns.

    The page's processor time is that of all processes of the browser. ``wall`` is the median of the
    page's own clock around the network alone.
    """
    text = LONG[solver.task.name]
    step_through(driver, solver.task.name, text, EVERY_CYCLE)
    cycles = 0
    python = 0.0
    page = 0.0
    walls = []
    for _ in range(REPEATS):
        began = time.process_time()
        cycles += len(list(solver.refine(text)))
        python += time.process_time() - began
        began = processor_time(driver.service.process.pid)
        frames = step_through(driver, solver.task.name, text, EVERY_CYCLE)
        page += processor_time(driver.service.process.pid) - began
        walls += [int(frame["facts"]["time"].removesuffix(" ms")) for frame in frames]
    return {
        "cycles": cycles,
        "page": round(1000 * page / len(walls), 1),
        "python": round(1000 * python / cycles, 1),
        "wall": median(walls),
    }


def processor_time(root: int) -> float:
    """The seconds of processor time that the descendants of a process have taken."""
    children: dict[int, list[tuple[int, float]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        children.setdefault(int(fields[1]), []).append((int(path.parent.name), seconds))
    total = 0.0
    waiting = [root]
    while waiting:
        for process, seconds in children.get(waiting.pop(), []):
            total += seconds
            waiting.append(process)
    return total


def agreement(  # noqa: PLR0913 (a row of SETS)
    driver: Any,
    solver: Solver,
    name: str,
    kind: str,
    size: tuple[int, int] | None,
    seed: int,
    number: int,
) -> dict[str, Any]:
    """How many puzzles go through the same grids in both, and where the others part."""
    task = get_task(name)
    parted = []
    solved = {"page": 0, "python": 0}
    for puzzle in islice(made(task, kind, size, seed), number):
        text = task.text(puzzle.grid)
        cycles = list(solver.refine(text))
        frames = step_through(driver, name, text, EVERY_CYCLE)
        expected = [flat(task.text(cycle.grid)) for cycle in cycles]
        shown = [flat(frame["answer"]) for frame in frames]
        solved["python"] += cycles[-1].violations == 0
        solved["page"] += frames[-1]["status"].endswith("solved.")
        if shown != expected:
            pairs = zip(shown, expected, strict=False)
            same = [one == other for one, other in pairs]
            parted.append((*same, False).index(False) + 1)
    row = {"task": name, "kind": kind, "size": size, "seed": seed, "puzzles": number}
    return {**row, "first_different_cycles": sorted(parted), "solved": solved}


def made(task: Any, kind: str, size: tuple[int, int] | None, seed: int) -> Iterator[Puzzle]:
    """Puzzles without end."""
    puzzles: Iterator[Puzzle] = task.generate_sized(kind, seed, size)
    return puzzles


def flat(text: str) -> str:
    """A grid on one line, floor as the page writes it."""
    return text.replace("\n", "").replace(" ", ".")


if __name__ == "__main__":
    main()
