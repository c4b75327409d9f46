"""A new puzzle is one new file: those of docs/adding_a_puzzle.md, from generation to a package."""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from trmsolve import load
from trmsolve.cli import app
from trmsolve.errors import UsageError
from trmsolve.puzzles import Puzzle, Task, get_task, register, task_names, unregister
from trmsolve.puzzles.values import Cycle
from trmsolve.weights.card import package
from trmsolve.weights.file import read_info

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adding_a_puzzle.md").read_text()
FILES = dict(re.findall(r"`(\w+)\.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL))
CLASSES = {"mini_sudoku": "MiniSudoku", "futoshiki": "Futoshiki"}
TINY = ["--set", "hidden_size=16", "--set", "num_heads=2", "--batch-size", "8", "--steps", "2"]
WHERE = ["--device", "cpu", "--dtype", "fp32", "--threads", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, beside each other, with the entry points of installed packages."""
    folder = tmp_path_factory.mktemp("new")
    entries = ["[trmsolve.puzzles]"]
    for module, text in FILES.items():
        (folder / f"{module}.py").write_text(text)
        entries.append(f"{module} = {module}:{CLASSES[module]}")
    entries.append("broken = no_such_module:Nothing")
    about = folder / "puzzles-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: puzzles\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("\n".join(entries) + "\n")
    return folder


@pytest.fixture(params=FILES)
def task(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Task]:
    """Each puzzle of the page, registered."""
    task_names()  # looks for installed puzzles, of which the page's are none here
    monkeypatch.syspath_prepend(folder)
    task = getattr(importlib.import_module(request.param), CLASSES[request.param])()
    register(task)
    yield task
    unregister(task.name)


def cli(*arguments: object) -> Any:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code in (0, 1), done.stderr
    return done


def trmsolve(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where the packages of the page are installed."""
    paths = os.pathsep.join([str(folder), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"}
    command = [sys.executable, "-m", "trmsolve", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_page_holds_both_puzzles_and_the_first_is_short() -> None:
    assert FILES.keys() == CLASSES.keys()
    code = [line for line in FILES["mini_sudoku"].splitlines() if line.strip()]
    assert len(code) <= 60


def test_answers_are_verified_and_wrong_ones_are_not(task: Task) -> None:
    for puzzle in islice(task.generate(task.difficulties[0], 1), 10):
        assert puzzle.answer is not None
        assert task.verify(puzzle, puzzle.answer).verified
        assert task.faults(puzzle, puzzle.answer)[1] == 0
        for cell in range(16):
            wrong = puzzle.answer.copy()
            wrong.flat[cell] = wrong.flat[cell] % 4 + 1
            verdict = task.verify(puzzle, wrong)
            assert not verdict.verified and verdict.reason
            assert task.faults(puzzle, wrong)[1] > 0


def test_tokens_come_back_from_every_view(task: Task) -> None:
    (puzzle,) = islice(task.generate(task.difficulties[0], 2), 1)
    assert puzzle.answer is not None
    tokens = task.encode(puzzle.answer, puzzle.extra)
    assert tokens.shape == (task.seq_len,) and tokens.max() < task.vocab_size
    seen = set()
    for view in islice(task.views(puzzle, np.random.default_rng(0)), 50):
        turned = view.apply(tokens)
        seen.add(turned.tobytes())
        assert np.array_equal(task.decode_view(turned, view, (4, 4)), puzzle.answer)
        # A turned question with its turned answer is a right pair too.
        question = view.apply(task.encode(puzzle.grid, puzzle.extra))
        extra = None if puzzle.extra is None else (question[16:] - 6).astype(np.int8)
        other = Puzzle(task.decode(question, (4, 4)), extra=extra)
        assert task.verify(other, task.decode(turned, (4, 4))).verified
    assert len(seen) > 4


def test_any_cycle_can_be_drawn(task: Task) -> None:
    (puzzle,) = islice(task.generate(task.difficulties[0], 3), 1)
    nothing, ones = np.zeros((4, 4), bool), np.ones((4, 4), np.float32)
    cycle = Cycle(puzzle, 1, 16, 1, 1, puzzle.grid, ones, nothing, nothing, 0, 0.5)
    for plain in (False, True):
        drawn = task.paint(cycle, plain)
        text = ["".join(piece for piece, _ in line).replace(" ", "") for line in drawn]
        assert "".join(text) == task.line(puzzle.grid)


@pytest.mark.usefixtures("process_as_it_was")
def test_it_is_made_trained_solved_measured_and_packed(task: Task, tmp_path: Path) -> None:
    data, run = tmp_path / "puzzles.csv", tmp_path / "run"
    cli("generate", "--task", task.name, "-n", 40, "--out", data)
    again = [item for item in task.read(data.open("rb"), "again") if isinstance(item, Puzzle)]
    made = list(islice(task.generate(task.difficulties[0], 0), 40))
    assert [task.line_puzzle(one) for one in again] == [task.line_puzzle(one) for one in made]
    held = ["--held-out", 4, "--compile", "off"]
    cli("train", "--task", task.name, "--data", data, "--out", run, *TINY, *held, *WHERE)
    weights = run / f"{task.name}.safetensors"
    assert read_info(weights).task == task.name
    solver = load(task.name, weights=run, views=2, device="cpu", threads=1)
    answers = list(solver.solve_all(made[:3]))
    assert [answer.grid.shape for answer in answers] == [(4, 4)] * 3
    assert all(answer.verified == (not answer.reason) for answer in answers)
    limited = ["--limit", 5, "--json", "--weights", weights]
    figures = json.loads(cli("eval", "--task", task.name, "--data", data, *limited, *WHERE).stdout)
    assert figures["task"] == task.name and figures["n"] == 5
    cli("weights", "verify", weights, "--puzzles", 2, "--device", "cpu")
    files = package(weights, "someone/puzzle")
    assert f"trmsolve {task.name} puzzle.txt --weights" in files["README.md"].decode()


def test_a_name_is_registered_once(task: Task) -> None:
    assert get_task(task.name) is task and task_names()[-1] == task.name
    with pytest.raises(ValueError, match="is already registered"):
        register(type(task)())
    unregister(task.name)
    with pytest.raises(UsageError, match="unknown task"):
        get_task(task.name)


@pytest.mark.parametrize("attribute", ["name", "vocab_size", "seq_len", "difficulties"])
def test_a_missing_attribute_is_named(attribute: str) -> None:
    class Empty(type(get_task("sudoku"))):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            if name == attribute:
                raise AttributeError(name)
            return super().__getattribute__(name)

    with pytest.raises(ValueError, match=f"no attribute '{attribute}'"):
        register(Empty())


@pytest.mark.parametrize("name", ["arc", "train", "Sudoku 2", ""])
def test_names_that_cannot_be_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sudoku = type(get_task("sudoku"))()
    monkeypatch.setattr(sudoku, "name", name, raising=False)
    with pytest.raises(ValueError, match="cannot be the name"):
        register(sudoku)


def test_installed_puzzles_have_a_command_and_are_in_the_help(folder: Path) -> None:
    done = trmsolve(folder, "--help")
    assert done.returncode == 0
    assert done.stderr.startswith(
        "trmsolve: the puzzle broken cannot be loaded and is skipped: ModuleNotFoundError"
    )
    assert done.stderr.count("\n") == 1
    assert "mini-sudoku" in done.stdout and "Solve futoshiki puzzles" in done.stdout
    done = trmsolve(folder, "generate", "--help")
    assert "sudoku|maze|mini-sudoku|futoshiki|arc" in done.stdout
    done = trmsolve(folder, "futoshiki", "--help")
    assert done.returncode == 0 and "--accept-detours" not in done.stdout


def test_help_does_not_import_torch(folder: Path) -> None:
    script = (
        "import sys; from trmsolve.cli import app; from typer.testing import CliRunner\n"
        "for words in (['--help'], ['generate', '--help'], ['mini-sudoku', '--help']):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0\n"
        "sys.exit('torch' in sys.modules or 'numba' in sys.modules)\n"
    )
    paths = os.pathsep.join([str(folder), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths}
    assert subprocess.run([sys.executable, "-c", script], env=environment).returncode == 0


def test_a_puzzle_may_bring_recipes(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from trmsolve.train.recipes import find_recipe, plain_recipe

    plain = plain_recipe(task)
    assert find_recipe(task.name, "laptop") == plain
    assert (plain.config.vocab_size, plain.config.seq_len) == (task.vocab_size, task.seq_len)
    wide = replace(plain, batch_size=7)
    monkeypatch.setattr(type(task), "recipes", lambda self: {"wide": wide})
    assert find_recipe(task.name, "wide") == wide and find_recipe(task.name, "laptop") == plain
    with pytest.raises(UsageError, match="use laptop, wide"):
        find_recipe(task.name, "narrow")


def test_a_puzzle_brings_the_styles_of_its_drawing(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trmsolve.show.console import make_console

    monkeypatch.setattr(type(task), "styles", {"sign": "green", "answer": "red"})
    console = make_console()
    assert str(console.get_style("sign")) == "green"
    assert str(console.get_style("answer")) == "cyan"  # the common ones are the same for all
