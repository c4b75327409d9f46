"""Mazes by command: solved, made, measured and trained on, by a network with scripted answers.

Run as a program, this file is ``trmsolve`` with that network, for the tests that need a terminal or
a pipe.
"""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

from tests.support.events import saying_it_sets_an_event
from tests.support.paths import ROOT
from tests.support.terminal import RunningIn
from trmsolve.cli import app
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.puzzles.maze import generate
from trmsolve.puzzles.maze.cells import FLOOR, PATH, START
from trmsolve.puzzles.maze.labels import follow, point, spread
from trmsolve.puzzles.maze.task import ARROW, AT_START, CONTENTS, ON_PATH, Maze
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Grid, Puzzle
from trmsolve.solve import torch_network
from trmsolve.train.recipes import find_recipe
from trmsolve.train.run import ignore_count
from trmsolve.train.sources import load_examples
from trmsolve.weights import file as weights
from trmsolve.weights.info import WeightsInfo

pytestmark = pytest.mark.usefixtures("process_as_it_was")

EXAMPLES = ROOT / "examples" / "maze"
ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TERM": "xterm"}
CONFIG = replace(find_recipe("maze", "laptop").config, hidden_size=16)
PAPER = TRMConfig(vocab_size=6, seq_len=900, hidden_size=16, num_heads=2, inner_multiple=16)
REACH = 12

SMALL = "#####\n#S#.#\n#.#.#\n#...#\n#.#G#\n#####\n"
SOLVED = "#####\n#S#.#\n#o#.#\n#ooo#\n#.#G#\n#####\n"
WIDE = "S  #   \n ##  # \n    #E \n"
WIDE_SOLVED = "S  #ooo\no##oo#o\noooo#Eo\n"
WALLED = "S#.\n.#.\n.#G\n"
ENDLESS = "###\n#S#\n#.#\n###\n"
NO_GOAL = "no goal: mark it with G or E"
UNSOLVABLE = "unsolvable: walls keep the start from the goal"


class Scripted(TinyRecursiveModel):
    """Finds the way as the rule does, ``REACH`` cells further each cycle; or gives ``answer``."""

    answer: Grid | None = None

    def initial_state(
        self,
        batch: int,
        spatial_shape: tuple[int, ...] | None = None,
    ) -> State:
        nothing = torch.zeros(batch, *(spatial_shape or self.config.spatial_shape), 1)
        return State(nothing, nothing.clone())

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        cycles = (state.y.flatten(1)[:, 0] + 1).int().tolist()
        said = np.stack(
            [self.say(row, cycle) for row, cycle in zip(tokens.numpy(), cycles, strict=True)]
        )
        logits = torch.zeros(len(tokens), said[0].size, self.config.vocab_size)
        logits.scatter_(2, torch.from_numpy(said).flatten(1)[..., None], 8.0)
        return State(state.y + 1, state.z), Prediction(logits, torch.full((len(tokens), 2), -3.0))

    def say(self, tokens: Any, cycle: int) -> Any:
        """Tokens (rows, columns) -> tokens."""
        if self.answer is not None:
            return self.answer.astype(np.int64) + 1
        grid = CONTENTS[tokens]
        question = np.where(grid == PATH, FLOOR, grid).astype(np.int8)[None]
        arrows, steps = point(question), spread(question)
        reached = (arrows > 0) & (steps <= REACH * cycle)
        said = question + np.int64(1)
        said[reached] = (np.where(question == START, AT_START, ARROW) + arrows)[reached]
        if reached[question == START].any():
            path = follow(question, arrows) == PATH
            said[path] = ON_PATH + arrows[path]
        return said[0]


def scripted(path: Path, *how: Any, **more: Any) -> TinyRecursiveModel:
    """In place of ``load_model``: what is wrong with the file is said as usual."""
    return Scripted(weights.load_model(path, *how, **more).config)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_network, "load_model", scripted)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "maze.safetensors", CONFIG)


def saved(path: Path, config: TRMConfig) -> Path:
    weights.save_weights(path, TinyRecursiveModel(config).state_dict(), WeightsInfo(config, "maze"))
    return path


def run(*arguments: object, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], input=text)


def rows(text: str) -> str:
    """As JSON has it: lines without the last end, floor as spaces, the goal as G."""
    return text.rstrip("\n").translate(str.maketrans(".E", " G"))


# Solving


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.name)
def test_examples_are_answered_with_their_own_characters(path: Path, model: Path) -> None:
    question = path.read_text(encoding="utf-8")
    result = run("maze", path, "--weights", model)
    assert result.exit_code == 0, result.stderr
    assert [line.split("  ")[-4] for line in result.stderr.splitlines()] == ["solved"] * (
        question.count("\n\n") + 1
    )
    assert len(result.stdout) == len(question)
    pairs = {
        (asked, said) for asked, said in zip(question, result.stdout, strict=True) if asked != said
    }
    assert (
        pairs
        and {asked for asked, _ in pairs} <= {" ", "."}
        and {said for _, said in pairs} == {"o"}
    )


@pytest.mark.usefixtures("told")
def test_few_are_told_in_their_order_whatever_their_sizes(model: Path) -> None:
    files = [EXAMPLES / name for name in ("hard.txt", "small.txt", "several.txt", "open.txt")]
    result = run("maze", *files, "--weights", model)
    assert result.exit_code == 0
    places = [
        line.split("  ")[0].removeprefix(f"{EXAMPLES}/") for line in result.stderr.splitlines()
    ]
    assert places == [
        "hard.txt:1",
        "small.txt:1",
        *(f"several.txt:{line}" for line in (1, 11, 20)),
        "open.txt:1",
    ]
    assert result.stdout.count("\n\n") == 5 and not result.stdout.endswith("\n\n")


@pytest.mark.usefixtures("told")
def test_standard_input_named_or_not(model: Path) -> None:
    for arguments in (["-"], []):
        result = run("maze", *arguments, "--weights", model, text=f"{SMALL}\n{WIDE}")
        assert (result.exit_code, result.stdout) == (0, f"{SOLVED}\n{WIDE_SOLVED}")
        assert result.stderr.startswith("stdin:1  solved  1 cycle  1 view  ")
    assert run("maze", "-", "-q", "--weights", model, text=SMALL).stderr == ""


AMBIGUOUS = "S01\n001\n1G0\n"
TAKEN = "reading 1 as wall and 0 as floor; if it is the other way round, write walls as '#'"


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("mazes", [1, 3, 40])
@pytest.mark.parametrize("options", [[], ["--json"], ["--show-steps"]], ids=str)
def test_what_was_taken_for_the_wall_is_said_once_a_file(
    options: list[str], mazes: int, model: Path, tmp_path: Path
) -> None:
    names = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for name in names:
        name.write_text("\n".join([SMALL] + mazes * [AMBIGUOUS]))
    result = run("maze", *names, "--weights", model, *options)
    assert result.exit_code == 0
    notes = [line for line in result.stderr.splitlines() if "reading 1" in line]
    assert notes == [f"{name}: {TAKEN}" for name in names]
    assert "reading 1" not in result.stdout
    assert "reading 1" not in run("maze", *names, "--weights", model, "-q").stderr


def test_what_was_taken_for_the_wall_is_said_of_unsolvable_mazes() -> None:
    result = run("maze", "-", text="S10\n100\n00G\n")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == f"stdin: {TAKEN}"


@pytest.mark.usefixtures("told")
def test_what_was_taken_for_the_wall_is_said_of_data(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "digits.csv"
    data.write_text("question,answer\n" + 3 * "S0100100G,S01*01**G\n")
    result = run("eval", "--task", "maze", "--data", data, "--json", "--weights", model)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["exact"] == 1.0
    assert result.stderr.splitlines()[0] == f"{data}: {TAKEN}"
    assert result.stderr.count("reading 1") == 1
    said: list[str] = []
    task = get_task("maze", find_recipe("maze", "laptop").config.vocab_size)
    load_examples(task, [str(data)], 0, said.append, ignore_count)
    assert said == [f"{data}: {TAKEN}"]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("wall", ["0", "o"])
def test_walls_of_zeros_and_of_letters_are_gone_around(wall: str, model: Path) -> None:
    question = "#####\n#S#G#\n# # #\n#   #\n#####\n".replace("#", wall)
    result = run("maze", "-", "--weights", model, text=question)
    assert result.exit_code == 0
    assert result.stdout == "#####\n#S#G#\n#*#*#\n#***#\n#####\n".replace("#", wall)
    result = run("maze", "-", "--weights", model, text=question.replace(2 * wall, wall + " ", 1))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "stdin:1:1: no wall was recognised" in result.stderr


FIELDS = [
    "index",
    "source",
    "task",
    "puzzle",
    "answer",
    "verified",
    "valid",
    "optimal",
    "reason",
    "remark",
    "solutions",
    "cycles",
    "views",
    "halt",
    "seconds",
    "weights",
]


@pytest.mark.usefixtures("told")
def test_json_has_the_agreed_fields_in_input_order(model: Path, tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text(f"{SMALL}\n{ENDLESS}\n{WALLED}\n{WIDE}")
    result = run(
        "maze", tmp_path / "some.txt", tmp_path / "absent.txt", "--json", "--weights", model
    )
    assert result.exit_code == 2
    good, bad, walled, wide, absent = (json.loads(line) for line in result.stdout.splitlines())
    assert list(good) == list(walled) == list(wide) == FIELDS
    assert list(bad) == list(absent) == ["index", "source", "task", "error"]
    assert [item["index"] for item in (good, bad, walled, wide, absent)] == [0, 1, 2, 3, 4]
    place = tmp_path / "some.txt"
    assert [item["source"] for item in (good, bad, walled, wide)] == [
        f"{place}:{line}" for line in (1, 8, 13, 17)
    ]
    assert (good["task"], good["puzzle"], good["answer"]) == ("maze", rows(SMALL), rows(SOLVED))
    assert (wide["puzzle"], wide["answer"]) == (rows(WIDE), rows(WIDE_SOLVED))
    assert (good["verified"], good["valid"], good["optimal"], good["reason"]) == (
        True,
        True,
        True,
        "",
    )
    assert (good["cycles"], good["views"]) == (1, 1) and 0 < good["halt"] < 0.5
    assert good["weights"].startswith("maze.safetensors@")
    assert (walled["verified"], walled["valid"], walled["optimal"]) == (False, False, False)
    assert walled["reason"] == UNSOLVABLE and walled["answer"] == walled["puzzle"] == rows(WALLED)
    assert NO_GOAL in bad["error"] and absent["error"] == f"{tmp_path}/absent.txt: no such file"


@pytest.mark.usefixtures("told")
def test_one_line_an_answer_which_is_read_back(model: Path) -> None:
    result = run(
        "maze",
        "-",
        "--format",
        "line",
        "--weights",
        model,
        text=f"{SMALL}\n{WIDE}\n{'S..' * 2}..G\n",
    )
    lines = result.stdout.splitlines()
    assert lines[:2] == [rows(SOLVED).replace("\n", "/"), rows(WIDE_SOLVED).replace("\n", "/")], (
        "not square"
    )
    assert result.exit_code == 2 and len(lines) == 2, "two starts"
    square = "S..\n##.\nG..\n"
    once = run("maze", "-", "--format", "line", "--weights", model, text=square).stdout
    assert once == "Soo##oGoo\n"
    assert run("maze", "-", "--weights", model, text=once).stdout == once, (
        "a path that is drawn already is wiped out"
    )


@pytest.mark.usefixtures("told")
def test_a_csv_and_bad_records_in_it(model: Path, tmp_path: Path) -> None:
    table = tmp_path / "mazes.csv"
    table.write_text("maze,rating\nS  ##G   ,4\nS  ##G  x,4\nS   / #  /G###,2\n")
    result = run("maze", table, "--weights", model)
    assert (result.exit_code, result.stdout) == (2, "Soo##G   \nS   /o#  /G###\n")
    assert result.stderr.splitlines()[1].startswith(f"{table}:3:9: question: wrong character 'x'")


def picture(text: str) -> bytes:
    """The maze as a PNG, five pixels a cell."""
    image = pytest.importorskip("PIL.Image")
    colours = {"#": (0, 0, 0), ".": (255, 255, 255), "S": (0, 200, 0), "G": (220, 0, 0)}
    cells = np.array([[colours[char] for char in line] for line in text.split()], np.uint8)
    stream = io.BytesIO()
    image.fromarray(cells.repeat(5, 0).repeat(5, 1)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.usefixtures("told")
def test_an_image_is_answered_in_text(model: Path, tmp_path: Path) -> None:
    (tmp_path / "small.png").write_bytes(picture(SMALL))
    result = run("maze", tmp_path / "small.png", "--weights", model)
    assert (result.exit_code, result.stdout) == (0, SOLVED.replace(".", " "))
    result = run("maze", "--json", "--weights", model, text=picture(SMALL))
    assert json.loads(result.stdout)["source"] == "stdin" and result.exit_code == 0


@pytest.mark.usefixtures("told")
def test_bad_files_between_good_ones_stop_nothing(model: Path, tmp_path: Path) -> None:
    contents = {
        "a": SMALL,
        "b": ENDLESS,
        "c": WIDE,
        "d": "hello\n",
        "e": "###\n#SG\n#?#\n",
        "f": SMALL,
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    result = run("maze", *(tmp_path / name for name in "abcdef"), tmp_path, "--weights", model)
    assert result.exit_code == 2 and result.stdout == f"{SOLVED}\n{WIDE_SOLVED}\n{SOLVED}"
    said = result.stderr.replace(f"{tmp_path}/", "").splitlines()
    assert [line.split(" ")[0] for line in said] == [
        "a:1",
        "b:1:",
        "c:1",
        "d:",
        "e:3:2:",
        "f:1",
        f"{tmp_path}:",
    ]
    assert "this is a folder" in said[-1] and "empty: no maze in it" in said[3] and "'?'" in said[4]


@pytest.mark.usefixtures("told")
def test_many_mazes_of_all_sizes_are_counted(model: Path, tmp_path: Path) -> None:
    task = get_task("maze")
    made = list(islice(task.generate_sized("mixed", 5, (14, 19)), 30))
    assert len({puzzle.grid.shape for puzzle in made}) > 10
    (tmp_path / "many.txt").write_text("".join(f"{task.line(puzzle.grid)}\n" for puzzle in made))
    result = run("maze", tmp_path / "many.txt", "--format", "line", "--weights", model)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        task.line(puzzle.answer) for puzzle in made if puzzle.answer is not None
    ]
    assert result.stderr.startswith("30 puzzles  30 solved  0 unverified  1.0 views on average  ")


# Exit codes


def test_what_has_no_way_is_told_without_the_model(tmp_path: Path) -> None:
    (tmp_path / "walled.txt").write_text(WALLED)
    absent = ["--weights", tmp_path / "absent.safetensors"]
    result = run("maze", tmp_path / "walled.txt", *absent)
    assert (result.exit_code, result.stdout) == (1, WALLED)
    assert result.stderr.startswith("unverified  ") and result.stderr.endswith(f"  {UNSOLVABLE}\n")
    said = json.loads(run("maze", tmp_path / "walled.txt", "--json", *absent).stdout)
    assert (said["verified"], said["reason"], said["cycles"], said["weights"]) == (
        False,
        UNSOLVABLE,
        0,
        "",
    )
    result = run("maze", "-", *absent, text=f"{WALLED}\n{ENDLESS}\n{WALLED}")
    assert result.exit_code == 2 and result.stdout == f"{WALLED}\n{WALLED}"
    assert [line.split(" ")[0] for line in result.stderr.splitlines()] == [
        "stdin:1",
        "stdin:5:",
        "stdin:10",
    ]
    result = run("maze", "-", *absent, text=f"{WALLED}\n{SMALL}")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == f"trmsolve: no weights at {tmp_path}/absent.safetensors\n"


@pytest.mark.usefixtures("told")
def test_what_has_no_way_among_others(model: Path) -> None:
    result = run("maze", "-", "--weights", model, text=f"{WALLED}\n{SMALL}")
    assert (result.exit_code, result.stdout) == (1, f"{WALLED}\n{SOLVED}")
    assert (
        UNSOLVABLE in result.stderr.splitlines()[0]
        and "  solved  " in result.stderr.splitlines()[1]
    )


@pytest.mark.usefixtures("told")
def test_an_answer_that_is_not_one_is_shown_and_said(model: Path) -> None:
    result = run("maze", EXAMPLES / "hard.txt", "--cycles", "2", "--views", "1", "--weights", model)
    assert (result.exit_code, result.stdout) == (1, (EXAMPLES / "hard.txt").read_text())
    assert re.fullmatch(
        r"unverified  2 cycles  1 view  [0-9.]+ s  no path leaves the start\n", result.stderr
    )


@pytest.mark.usefixtures("told")
def test_what_is_too_large_for_the_weights_is_told_with_its_place(
    model: Path, tmp_path: Path
) -> None:
    tall = "S..\n" + 256 * "...\n" + "..G\n"
    (tmp_path / "tall.txt").write_text(f"{SMALL}\n{tall}\n{SMALL}")
    result = run("maze", tmp_path / "tall.txt", "--weights", model)
    assert (result.exit_code, result.stdout) == (2, f"{SOLVED}\n{SOLVED}")
    problem = "too large: 258 rows and 3 columns; these weights support mazes up to 257 x 257"
    problem += ": give a part of it"
    assert result.stderr.splitlines()[1] == f"{tmp_path}/tall.txt:8: {problem}"
    paper = saved(tmp_path / "paper.safetensors", PAPER)
    result = run("maze", "-", "--weights", paper, text=f"S{30 * '.'}\n{31 * '.'}\n{30 * '.'}G\n")
    assert (result.exit_code, result.stdout) == (2, "")
    problem = "too large: 3 rows and 31 columns; these weights support mazes up to 30 x 30"
    problem += ": give a part of it"
    assert result.stderr == f"stdin:1: {problem}\n"


def test_weights_that_are_missing_damaged_or_of_another_task(model: Path, tmp_path: Path) -> None:
    (tmp_path / "pickled.safetensors").write_bytes(b"PK\x03\x04")
    sudoku = weights.bundled_weights("sudoku")
    (tmp_path / "easy.txt").write_text(
        "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
    )
    for command, given, said in (
        ("maze", sudoku, "was trained for sudoku, not for maze"),
        ("sudoku", model, "was trained for maze, not for sudoku"),
        ("sudoku", model.parent, f"the folder {model.parent} contains no sudoku.safetensors"),
        ("maze", tmp_path, f"the folder {tmp_path} contains no maze.safetensors"),
        ("maze", tmp_path / "absent", "no weights at"),
        ("maze", tmp_path / "pickled.safetensors", "is a pickled checkpoint"),
    ):
        puzzle = EXAMPLES / "small.txt" if command == "maze" else tmp_path / "easy.txt"
        result = run(command, puzzle, "--weights", given)
        assert (result.exit_code, result.stdout) == (3, "") and said in result.stderr
        assert result.stderr.startswith("trmsolve: ") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "options", [["--format", "xml"], ["--views", "0"], ["--cycles", "none"], ["--accept-detour"]]
)
def test_misspelt_options(options: list[str]) -> None:
    result = run("maze", EXAMPLES / "small.txt", *options)
    assert (result.exit_code, result.stdout) == (2, "") and "Traceback" not in result.stderr


def test_detours_are_accepted_where_asked_for(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question, detour = "S...\n....\nG...\n", "Soo.\n..o.\nGoo.\n"
    answer = np.array([["#.SGo".index(char) for char in line] for line in detour.split()], np.int8)
    monkeypatch.setattr(Scripted, "answer", answer)
    monkeypatch.setattr(torch_network, "load_model", scripted)
    call = ["maze", "-", "--views", "1", "--cycles", "3", "--weights", model]
    result = run(*call, text=question)
    reason = "the path takes 6 steps, 2 are enough"
    assert (result.exit_code, result.stdout) == (1, question) and result.stderr.endswith(
        f"  {reason}\n"
    )
    result = run(*call, "--accept-detours", text=question)
    assert (result.exit_code, result.stdout) == (0, detour) and result.stderr.startswith(
        "solved  1 cycle  "
    )
    said = json.loads(run(*call, "--accept-detours", "--json", text=question).stdout)
    assert [said[key] for key in ("verified", "valid", "optimal", "reason")] == [
        True,
        True,
        False,
        reason,
    ]


# What is shown


@pytest.mark.usefixtures("told")
def test_every_step_is_shown(model: Path) -> None:
    result = run(
        "maze", "-", "--show-steps", "--weights", model, text="S....\n####.\n.....\n.####\n....G\n"
    )
    assert result.exit_code == 0 and "\x1b" not in result.stderr
    *frames, outcome = result.stderr.split("\n\n")
    first, second = (text.splitlines() for text in frames)
    assert first[0] == first[6] == second[0] == "+-----+"
    assert first[1:6] == ["|S   .|", "|####.|", "|.....|", "|.####|", "|....G|"]
    assert first[7].startswith(
        "cycle 1/64  view 1/32  reached 12 .  marked 0  changed 0  broken rules 2"
    )
    assert second[1:6] == ["|S****|", "|####*|", "|*****|", "|*####|", "|****G|"]
    assert second[7].startswith(
        "cycle 2/64  view 1/32  reached 16  marked 15  changed 15 *  broken rules 0"
    )
    assert outcome.startswith("solved  2 cycles  1 view  ")


@pytest.mark.usefixtures("told")
def test_what_runs_where_is_said_if_asked(model: Path) -> None:
    where = ["--device", "cpu", "--dtype", "fp32", "--threads", "1"]
    result = run("maze", "-", "-v", "-q", *where, "--weights", model, text=SMALL)
    said = (
        r"weights maze\.safetensors@[0-9a-f]{12}, "
        r"running on cpu \(as requested, 1 threads\), fp32 \(as requested\)\n"
    )
    assert result.exit_code == 0 and re.fullmatch(said, result.stderr)


@pytest.mark.usefixtures("told")
def test_frames_are_held_for_the_eye_and_for_nobody_else(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    monkeypatch.setattr(import_module("trmsolve.cli.solving").time, "sleep", held.append)
    call = ["maze", EXAMPLES / "open.txt", "--pace", "0.25", "--weights", model]
    cycles = json.loads(run(*call, "--json").stdout)["cycles"]
    assert cycles > 1 and not held
    run(*call, "--show-steps")
    assert held == [0.25] * cycles


class Terminal(RunningIn):
    """``trmsolve`` with the scripted network in a terminal of its own."""

    module, env = "tests.cli.test_maze", ENV


def test_a_terminal_shows_the_answer_once_in_colour(model: Path) -> None:
    terminal = Terminal(
        80, 24, "maze", EXAMPLES / "hard.txt", EXAMPLES / "small.txt", "--weights", model
    )
    code, lines = terminal.end()
    assert code == 0 and max(map(len, lines)) < 80
    heads = [number for number, line in enumerate(lines) if line.startswith(str(EXAMPLES))]
    ends = [number for number, line in enumerate(lines) if line.startswith("solved  ")]
    assert len(heads) == len(ends) == 2 and heads[0] == 0 and heads[1] == ends[0] + 1
    assert (
        lines[1] == "╭────────S─────────────────────╮"
        and lines[ends[0] - 1] == "╰─────G────────────────────────╯"
    )
    assert ends[0] - heads[0] == 18, (
        "two rows a line in a frame, and nothing below it but the outcome"
    )
    assert not any("ooo" in line for line in lines), "the answer stands there already"
    assert "\x1b[33" in terminal.raw and "\x1b[?25l" in terminal.raw
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), "the cursor is back"
    assert terminal.raw.count("cycle") > 4, "every cycle was drawn"


def test_a_narrow_terminal_without_colours_and_answers_that_it_cannot_hold(
    model: Path, tmp_path: Path
) -> None:
    wide = f"S{43 * '.'}\n{44 * '.'}\n{43 * '.'}G\n"
    (tmp_path / "wide.txt").write_text(f"{SMALL}\n{wide}\n{WALLED}")
    terminal = Terminal(
        40, 20, "maze", "wide.txt", "--weights", model, folder=tmp_path, NO_COLOR="1"
    )
    code, lines = terminal.end()
    assert code == 1 and not re.search(r"\x1b\[[0-9;]*3[0-7]m", terminal.raw)
    assert lines[:8] == [
        "wide.txt:1",
        "+-----+   cycle          1/64   --------",
        "|#####|   view           1/32",
        "|#S#.#|   reached        8 .",
        "|#*#.#|   marked         4",
        "|#***#|   changed        4 *",
        "|#.#G#|   broken rules   0",
        "|#####|   confidence     99%    ########",
    ]
    assert [line.split("  ")[:3] for line in lines if "solved" in line][1] == [
        "solved",
        "4 cycles",
        "1 view",
    ]
    at = lines.index(f"S{43 * '.'}")
    assert lines[at + 1 : at + 3] == [f"o{43 * '.'}", f"{43 * 'o'}G"], (
        "what the screen could not show is written"
    )
    assert (
        lines[at + 3].startswith("wide.txt:12  unverified")
        and "unsolvable: walls keep the start from" in lines
    )
    assert WALLED.split()[1] not in lines


def test_an_interrupt_leaves_the_frame_and_the_terminal_as_it_was(model: Path) -> None:
    terminal = Terminal(80, 24, "maze", EXAMPLES / "hard.txt", "--pace", "60", "--weights", model)
    terminal.wait_for("halt")
    terminal.process.send_signal(signal.SIGINT)
    code, lines = terminal.end()
    assert code == 130 and lines[0].startswith("╭") and "trmsolve: interrupted" in lines[17:19]
    assert "Traceback" not in terminal.raw
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


def test_a_pipe_gets_each_answer_as_soon_as_its_maze_is_whole(model: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.cli.test_maze",
            "maze",
            "--format",
            "line",
            "--weights",
            str(model),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENV,
        cwd=ROOT,
    )
    assert process.stdin and process.stdout and process.stderr
    for text, answer in ((SMALL, SOLVED), (WIDE, WIDE_SOLVED), (SMALL, SOLVED)):
        for line in text.splitlines():
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == rows(answer).replace("\n", "/") + "\n"
    process.stdin.write(WALLED)
    rest, said = process.communicate(timeout=120)
    assert (process.returncode, rest) == (1, "\n")
    assert said.startswith("4 puzzles  3 solved  1 unverified  ")


# Making mazes


def made(*arguments: object) -> list[dict[str, str]]:
    result = run("generate", "--task", "maze", *arguments)
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize("kind", ["hard", "sparse", "perfect", "mixed"])
def test_what_is_made_is_read_back_and_right(kind: str, tmp_path: Path) -> None:
    call = [
        "generate",
        "--task",
        "maze",
        "-n",
        5,
        "--difficulty",
        kind,
        "--size",
        "9x13",
        "--seed",
        4,
    ]
    result = run(*call, "--out", tmp_path / "made.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    text = (tmp_path / "made.csv").read_text()
    assert text == run(*call).stdout != run(*call[:-1], 5).stdout
    assert (
        text.startswith("question,answer,source,rating\n")
        and text.count(f",generated_{kind},") == 5
    )
    task = get_task("maze")
    puzzles = list(task.read(io.BytesIO(text.encode()), "made.csv"))
    assert len(puzzles) == 5
    for puzzle in puzzles:
        assert isinstance(puzzle, Puzzle) and puzzle.answer is not None
        assert puzzle.grid.shape == (9, 13) or kind == "mixed"
        assert task.verify(puzzle, puzzle.answer).verified
        assert puzzle.rating == (puzzle.answer == PATH).sum() + 1


def test_paths_are_as_long_as_asked_for() -> None:
    exact = made("-n", 4, "--difficulty", "perfect", "--size", "15x15", "--path-length", "20-20")
    assert [row["rating"] for row in exact] == ["20"] * 4 and all(
        "/" not in row["question"] for row in exact
    )
    some = made("-n", 20, "--difficulty", "sparse", "--size", "8X20", "--path-length", "6-9")
    assert {6, 9} <= {int(row["rating"]) for row in some} <= {6, 7, 8, 9}
    assert all(
        int(row["rating"]) >= 25 for row in made("-n", 4, "--size", "10x10", "--path-length", "25")
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--task maze --size 20", "--size 20: give rows and columns, such as 20x30"),
        ("--task maze --size 2x9", "the size of a maze must be from 3 x 3 to 200 x 200, not 2 x 9"),
        (
            "--task maze --size 201x9",
            "the size of a maze must be from 3 x 3 to 200 x 200, not 201 x 9",
        ),
        (
            "--task maze --path-length long",
            "--path-length long: give a minimum, such as 20, or a range",
        ),
        ("--task maze --path-length 0", "must be 1 step or more, not 0"),
        ("--task maze --path-length 30-20", "least must not be more than most: 30 and 20 steps"),
        (
            "--task maze --size 9x9 --path-length 80",
            "no 9 x 9 maze of this kind has a shortest path of 80 steps",
        ),
        (
            "--task maze --difficulty extreme",
            "--difficulty extreme is not known: use hard, sparse, perfect, mixed",
        ),
        ("--task maze --seed 1 --size 3x3 --path-length 7-7", "none of "),
        ("--size 7x7", "there is no Sudoku of 7 x 7 cells: sizes are 4 x 4, 6 x 6, 8 x 8, 9 x 9"),
        ("--size 6x4", "there is no Sudoku of 6 x 4 cells"),
        ("--size 6x6 --difficulty extreme", "Sudokus of 6 x 6 are easy, medium, hard, not extreme"),
        ("--path-length 9", "a Sudoku has no path: omit --path-length"),
        (
            "--difficulty perfect",
            "--difficulty perfect is not known: use easy, medium, hard, extreme, mixed",
        ),
        ("--task chess --size 9x9", "--task chess is not known"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_touches_no_file(
    options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "LAYOUTS", 10_000)
    monkeypatch.setattr(import_module("trmsolve.cli.generating"), "PATIENCE", 600)
    result = run("generate", *options.split(), "--out", tmp_path / "made.csv")
    assert (result.exit_code, result.stdout) == (2, "") and said in result.stderr
    assert result.stderr.startswith("trmsolve: ") and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_found_once_and_not_again_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "LAYOUTS", 40)
    monkeypatch.setattr(import_module("trmsolve.cli.generating"), "PATIENCE", 600)
    call = [
        "generate",
        "--task",
        "maze",
        "--difficulty",
        "sparse",
        "--size",
        "9x9",
        "--path-length",
        18,
        "-n",
        99,
    ]
    result = run(*call, "--out", tmp_path / "made.csv")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    match = re.match(
        r"trmsolve: only ([0-9]+) of 99 puzzles were written: none of 40 sparse layouts of ",
        result.stderr,
    )
    rows = (tmp_path / "made.csv").read_text().splitlines()
    assert match and 0 < int(match[1]) == len(rows) - 1
    assert all(int(row.split(",")[-1]) >= 18 for row in rows[1:])


def test_a_word_on_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Maze.generate

    def slow(*arguments: Any) -> Iterator[Puzzle]:
        assert told.wait(120)
        told.clear()
        yield from usual(*arguments)

    command = import_module("trmsolve.cli.generating")
    told = saying_it_sets_an_event(command, monkeypatch)
    call = ["generate", "--task", "maze", "-n", 2, "--size", "5x5"]
    monkeypatch.setattr(command, "PATIENCE", 600)
    assert run(*call).stderr == ""
    monkeypatch.setattr(command, "PATIENCE", 0)
    monkeypatch.setattr(Maze, "generate", slow)
    assert run(*call).stderr == "making the first puzzle\n"
    result = run(*call, "--path-length", "5")
    assert result.stderr == "searching for a path of this length\n"
    monkeypatch.setattr("trmsolve.puzzles.compiling.is_compiling", lambda: True)
    assert run(*call).stderr == "compiling the search, only needed once\n"
    assert result.stdout.count("\n") == 3


# Measuring and training


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("size", ["12x12", "7x18"])
def test_what_is_made_is_measured(size: str, model: Path, tmp_path: Path) -> None:
    data = tmp_path / "made.csv"
    made("-n", 8, "--difficulty", "perfect", "--size", size, "--seed", 3, "--out", data)
    call = ["eval", "--task", "maze", "--data", data, "--weights", model]
    result = run(*call, "--json")
    figures = json.loads(result.stdout)
    assert result.exit_code == 0 and list(figures)[:9] == [
        "task",
        "data",
        "n",
        "exact",
        "exact_ci95",
        "cell",
        "valid",
        "optimal",
        "verified",
    ]
    assert (figures["task"], figures["data"], figures["n"]) == ("maze", "made.csv", 8)
    assert [figures[key] for key in ("exact", "cell", "valid", "optimal", "verified")] == [1.0] * 5
    assert figures["exact_ci95"] == [0.6756, 1.0]
    assert (figures["cycles"], figures["mean_cycles"]) == (64, 64.0), (
        "as many as the solving command takes"
    )
    assert sum(band["n"] for band in figures["bands"].values()) == 8
    assert all("optimal" in band for band in figures["bands"].values())
    short = json.loads(run(*call, "--json", "--cycles", "1").stdout)
    assert (
        0 < short["exact"] == short["valid"] == short["optimal"] == short["verified"] < 1
        and short["cell"] > 0.5
    )
    table = run(*call, "--views", "4", "--limit", "1").stdout.splitlines()
    assert (
        table[0].startswith("1 puzzle of made.csv, maze.safetensors@")
        and ", 64 cycles, 4 views, cpu " in table[0]
    )
    assert [line.split()[0] for line in table[1:7]] == [
        "exact",
        "cells",
        "valid",
        "optimal",
        "verified",
        "speed",
    ]
    assert [line[10:16] for line in table[1:6]] == ["100.0%"] * 5


def test_paths_beside_the_data_s_are_optimal_and_not_exact(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open.csv").write_text("question,answer\nS       G,S  o  ooG\n")
    answer = np.array([[2, 4, 4], [1, 1, 4], [1, 1, 3]], np.int8)
    monkeypatch.setattr(Scripted, "answer", answer)
    monkeypatch.setattr(torch_network, "load_model", scripted)
    call = ["eval", "--task", "maze", "--data", tmp_path / "open.csv", "--weights", model, "--json"]
    figures = json.loads(run(*call).stdout)
    assert [figures[key] for key in ("exact", "valid", "optimal", "verified")] == [
        0.0,
        1.0,
        1.0,
        1.0,
    ]
    assert figures["cell"] == round(3 / 9, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL, "data:1: evaluation needs puzzles with answers"),
        (
            "question,answer\nS  ##G   ,S  ##Gooo\n",
            "data:2: the answer in the data is wrong: no path leaves the start",
        ),
        ("question,answer\nS  ##G  ,S  ##Gooo\n", "data:2"),
    ],
)
@pytest.mark.usefixtures("told")
def test_what_cannot_be_measured(text: str, said: str, model: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text(text)
    result = run("eval", "--task", "maze", "--data", tmp_path / "data", "--weights", model)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr.splitlines()[-1] and result.stderr.splitlines()[-1].startswith(
        "trmsolve: "
    )


def test_what_is_trained_solves_by_command(tmp_path: Path) -> None:
    made("-n", 12, "--difficulty", "perfect", "--size", "9x12", "--out", tmp_path / "made.csv")
    out, where = tmp_path / "run", ["--device", "cpu", "--dtype", "fp32", "--threads", "1"]
    result = run(
        "train",
        "--task",
        "maze",
        "--steps",
        2,
        "--set",
        "hidden_size=16",
        "--batch-size",
        2,
        "--held-out",
        2,
        "--compile",
        "off",
        "--data",
        tmp_path / "made.csv",
        "--out",
        out,
        *where,
    )
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == f"weights in {out}/maze.safetensors"
    info = weights.read_info(out / "maze.safetensors")
    assert (info.task, info.config.hidden_size, info.training["steps"]) == ("maze", 16, 2)
    for given in (out, out / "maze.safetensors"):
        result = run(
            "maze",
            EXAMPLES / "wide.txt",
            "--weights",
            given,
            "--views",
            1,
            "--cycles",
            2,
            "--json",
            *where,
        )
        said = json.loads(result.stdout)
        assert result.exit_code == (0 if said["verified"] else 1)
        assert len(said["answer"]) == len(said["puzzle"]) and said["cycles"] <= 2
    result = run(
        "eval",
        "--task",
        "maze",
        "--data",
        tmp_path / "made.csv",
        "--weights",
        out,
        "--cycles",
        2,
        "--json",
    )
    assert result.exit_code == 0 and json.loads(result.stdout)["n"] == 12


if __name__ == "__main__":
    from trmsolve.__main__ import main

    vars(torch_network)["load_model"] = scripted
    sys.argv[0] = "trmsolve"
    main()
