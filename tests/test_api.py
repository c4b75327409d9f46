"""What ``import trmsolve`` offers: lazily, documented with examples that run, and tested here."""

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trmsolve
from tests.support.paths import ROOT
from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.solver import Solver

LIST = ROOT / "examples" / "sudoku" / "list.sdm"
MAZES = ROOT / "examples" / "maze" / "maze.csv"
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")

IMPORTED = """
import sys
before = set(sys.modules)
import trmsolve
dir(trmsolve)
print(sorted(set(sys.modules) - before - {"trmsolve"}))
trmsolve.PuzzleError, trmsolve.Answer, trmsolve.Puzzle, trmsolve.Cycle
list(trmsolve.read(sys.argv[1], task="sudoku"))
print(sorted({"torch", "numba", "rich", "onnxruntime", "huggingface_hub"} & set(sys.modules)))
"""


def test_importing_the_package_imports_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, str(LIST)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    nothing, light = done.stdout.splitlines()
    assert (nothing, light) == ("[]", "[]")


def test_every_name_is_there_and_documented() -> None:
    assert set(trmsolve.__all__) <= set(dir(trmsolve))
    for name in trmsolve.__all__:
        value = getattr(trmsolve, name)
        assert name.startswith("__") or value.__doc__
        assert name.startswith("__") or re.search(rf"\b{name}\b", PYTHON), name
    with pytest.raises(AttributeError, match="no attribute 'solve_it'"):
        trmsolve.solve_it  # type: ignore[attr-defined]


DOCUMENTED: dict[str, Any] = {
    "read": trmsolve.read,
    "generate": trmsolve.generate,
    "evaluate": trmsolve.evaluate,
    "load": trmsolve.load,
    "Solver.solve": Solver.solve,
    "Solver.solve_all": Solver.solve_all,
    "Solver.refine": Solver.refine,
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_examples_of_the_documentation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (example,) = doctest.DocTestFinder().find(DOCUMENTED[name], name, globs={})
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_a_file_is_read_until_its_first_error_or_with_its_errors(tmp_path: Path) -> None:
    lines = LIST.read_text().splitlines()
    file = tmp_path / "some.txt"
    file.write_text("\n".join([lines[0], "5" * 81, lines[1]]) + "\n")
    items = trmsolve.read(file, task="sudoku")
    assert isinstance(next(items), Puzzle)
    with pytest.raises(PuzzleError, match="two 5s"):
        next(items)
    kept = [type(item) for item in trmsolve.read(file, task="sudoku", keep_errors=True)]
    assert kept == [Puzzle, PuzzleError, Puzzle]
    with pytest.raises(UsageError, match="unknown task 'chess'"):
        trmsolve.read(file, task="chess")


def test_arc_tasks_are_read_and_made_too() -> None:
    (task,) = trmsolve.read(ROOT / "examples" / "arc" / "cross.json", task="arc")
    assert isinstance(task, ArcTask)
    first, second = trmsolve.generate("arc", n=2, difficulty="easy", seed=5)
    assert isinstance(first, ArcTask) and first is not second
    with pytest.raises(UsageError, match="for mazes"):
        trmsolve.generate("arc", size=(9, 9))


def test_puzzles_are_made_as_the_command_makes_them() -> None:
    puzzles = trmsolve.generate("maze", n=2, difficulty="perfect", size=(9, 13), seed=4)
    again = trmsolve.generate("maze", n=2, difficulty="perfect", size=(9, 13), seed=4)
    for puzzle, same in zip(puzzles, again, strict=True):
        assert isinstance(puzzle, Puzzle) and isinstance(same, Puzzle)
        assert puzzle.grid.shape == (9, 13) and puzzle.answer is not None
        assert np.array_equal(puzzle.grid, same.grid)
    (short,) = trmsolve.generate("maze", n=1, difficulty="sparse", path_length=(5, 9))
    assert isinstance(short, Puzzle) and short.rating is not None and 5 <= short.rating <= 9


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"task": "sudoku", "n": 0}, "n must be at least 1"),
        ({"task": "sudoku", "seed": -1}, "seed must be at least 0"),
        ({"task": "sudoku", "difficulty": "odd"}, "'odd' is not known: use easy"),
        ({"task": "sudoku", "size": (5, 5)}, "no Sudoku of 5 x 5"),
        ({"task": "chess"}, "unknown task 'chess'"),
    ],
)
def test_what_cannot_be_made_is_said(how: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        trmsolve.generate(**how)


def test_figures_are_those_of_the_command(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from trmsolve.cli import app

    told: list[Any] = []
    figures = trmsolve.evaluate(MAZES, task="maze", limit=2, threads=1, on_answer=told.append)
    assert len(told) == figures.n == 2
    assert figures.exact_ci95[0] <= figures.exact <= figures.exact_ci95[1]
    command = ["eval", "--task", "maze", "--data", str(MAZES), "--limit", "2", "--json"]
    done = CliRunner().invoke(app, [*command, "--threads", "1"])
    assert done.exit_code == 0, done.stderr
    import json

    expected = json.loads(done.stdout)
    found = json.loads(json.dumps(figures.record()))
    assert found.keys() == expected.keys()
    for name in ("puzzles_per_second",):
        assert found.pop(name) > 0 < expected.pop(name)
    assert found == expected


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(PuzzleError, match="no such file"):
        trmsolve.evaluate(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="limit must be at least 1"):
        trmsolve.evaluate(MAZES, task="maze", limit=0)
    with pytest.raises(UsageError, match="load_arc"):
        trmsolve.evaluate(MAZES, task="arc")
    with pytest.raises(PuzzleError, match="evaluation needs puzzles with answers"):
        trmsolve.evaluate(LIST)


def test_the_package_for_programs_has_no_module_of_a_function_s_name() -> None:
    """A module ``trmsolve.read`` would take the function's place once it is imported."""
    for name in ("read", "generate", "evaluate", "load"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(f"trmsolve.{name}")
