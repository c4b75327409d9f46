"""The page as a file: what it holds, that nothing of it can run, and how large it is."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.arc_tasks import drawn_task
from tests.support.traces import (
    answer_to,
    arc_answer,
    arc_cycle,
    learning,
    maze_cycles,
    recorded,
    sudoku_cycles,
)
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer
from trmsolve.show.page.document import document_of, safe_json
from trmsolve.show.save import as_page
from trmsolve.trace.arrays import flags_of, grid_of, probabilities_of
from trmsolve.trace.recording import Recording

HOSTILE = "</script><script>alert(1)</script><!--<script>&amp;\u2028\u2029'\"\x1b[31m$script"


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


def test_a_puzzle_has_its_views_and_the_frame_of_its_answer(tmp_path: Path) -> None:
    cycles = sudoku_cycles()
    recording = recorded(tmp_path / "r", "sudoku", [*cycles], [answer_to(cycles[-1])])
    data = data_of(as_page(recording, 0.5))
    (puzzle,) = data["puzzles"]
    assert (data["kind"], data["seconds"], puzzle["name"]) == ("sudoku", 0.5, "list.sdm:7")
    assert [stage["name"] for stage in puzzle["stages"]] == ["view 1", "view 2", "answer"]
    assert puzzle["stages"][-1]["frames"] == [puzzle["stages"][1]["frames"][-1]]
    assert puzzle["outcome"]["style"] == "solved" and "7 cycles" in puzzle["outcome"]["parts"]
    assert "the rules accept" in puzzle["outcome"]["parts"]
    ((picture,),) = puzzle["stages"][0]["frames"][0]["rows"]
    assert (grid_of(picture["grid"]) == cycles[0].grid).all()
    assert (flags_of(picture["changed"], (9, 9)) == cycles[0].changed).all()
    assert cycles[0].candidates is not None
    assert (flags_of(picture["candidates"], (9, 9, 9)) == cycles[0].candidates).all()
    assert abs(probabilities_of(picture["confidence"], (9, 9)) - cycles[0].confidence).max() < 0.001


@pytest.mark.parametrize("kind", ["sudoku", "maze"])
def test_cells_have_the_styles_of_the_terminal(kind: str, tmp_path: Path) -> None:
    cycle = (sudoku_cycles(1) if kind == "sudoku" else maze_cycles(9, 1))[0]
    data = data_of(as_page(recorded(tmp_path / "r", kind, [cycle], [])))
    ((picture,),) = data["puzzles"][0]["stages"][0]["frames"][0]["rows"]
    numbers = grid_of(picture["styles"]).tolist()
    shown = [[data["styles"][number] for number in row] for row in numbers]
    assert shown == get_task(kind).cell_styles(cycle)
    facts = dict(fact[:2] for fact in data["puzzles"][0]["stages"][0]["frames"][0]["facts"])
    assert facts["changed"] == str(cycle.changed.sum())
    assert not [value for value in facts.values() if "▄" in value]
    assert "outcome" not in data["puzzles"][0]


def test_the_outcome_says_why_the_run_ended_by_the_last_cycle_of_the_last_view(
    tmp_path: Path,
) -> None:
    first, *_, last = sudoku_cycles()
    answer = replace(answer_to(first), verified=False, reason="two 5s in row 3")
    for limit, ended in ((last.limit, "the network halted"), (last.number, "out of cycles")):
        frame = replace(last, halt=0.9, limit=limit)
        data = data_of(as_page(recorded(tmp_path / "r", "sudoku", [first, frame], [answer])))
        parts = data["puzzles"][0]["outcome"]["parts"]
        assert parts[0] == "unverified" and parts[4:6] == [ended, "two 5s in row 3"]


def test_a_puzzle_without_a_cycle_shows_its_answer(tmp_path: Path) -> None:
    puzzle = maze_cycles(5, 1)[0].puzzle
    answer = Answer(puzzle, puzzle.grid, False, "the goal cannot be reached", 0, 0, 0.0, 0.0)
    data = data_of(as_page(recorded(tmp_path / "r", "maze", [], [answer])))
    (stage,) = data["puzzles"][0]["stages"]
    ((picture,),) = stage["frames"][0]["rows"]
    assert (grid_of(picture["grid"]) == puzzle.grid).all() and "confidence" not in picture
    assert data["puzzles"][0]["outcome"]["style"] == "unverified"


def test_a_task_has_demonstrations_learning_views_attempts_and_votes(tmp_path: Path) -> None:
    task = drawn_task(tests=2)
    frames = [learning(task, 1), learning(task, 9), arc_cycle(task, 1, 1), arc_cycle(task, 1, 2)]
    data = data_of(as_page(recorded(tmp_path / "r", "arc", frames, [arc_answer(task, None)])))
    (puzzle,) = data["puzzles"]
    stages = {stage["name"]: stage["frames"] for stage in puzzle["stages"]}
    assert [*stages] == ["learning", "test 2, view 1", "answer"]
    assert [pair[0]["title"] for pair in puzzle["demonstrations"]] == ["input 1", "input 2"]
    for pair, shown in zip(task.demonstrations, puzzle["demonstrations"], strict=True):
        assert (grid_of(shown[0]["grid"]) == pair.input).all()
    titles = [[picture["title"] for picture in row] for row in stages["answer"][0]["rows"]]
    assert titles[0][:3] == ["test 1", "attempt 1: wrong", "attempt 2: wrong"]
    assert titles[1][-1] == "right answer"
    assert stages["answer"][0]["rows"][0][1]["note"] == "3x4, 3 of 6 votes"
    first, second = (frame["rows"][0][1] for frame in stages["test 2, view 1"])
    assert "changed" not in first
    expected = grid_of(first["grid"]) != grid_of(second["grid"])
    assert (flags_of(second["changed"], (3, 4)) == expected).all()


def test_no_text_of_a_stranger_is_markup(tmp_path: Path) -> None:
    cycles = maze_cycles(5, 1)
    object.__setattr__(cycles[0].puzzle, "source", HOSTILE)
    problem = PuzzleError(HOSTILE, HOSTILE, 1)
    recording = recorded(tmp_path / "r", "maze", [*cycles], [answer_to(cycles[0]), problem])
    page = as_page(recording)
    assert page.count("<script") == 2 and page.count("</script") == 2 and "<!--" not in page
    assert not set(page) & {"\x1b", "\u2028", "\u2029"}
    assert data_of(page)["puzzles"][0]["name"].startswith("</script><script>alert(1)")
    assert len(data_of(page)["problems"]) == 1


def test_json_keeps_what_it_escapes() -> None:
    text = safe_json([HOSTILE])
    assert json.loads(text) == [HOSTILE] and text.isascii() and not set(text) & set("<>&'")


def test_the_page_names_no_other_file_and_only_its_own_script(tmp_path: Path) -> None:
    page = document_of(recorded(tmp_path / "r", "maze", [*maze_cycles(5, 1)], []), "t", 0.25)
    assert not re.search(r"://|\bsrc=|href|url\(|@import|\son\w+=", page)
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None and policy[1].startswith("default-src 'none'; style-src 'sha256-")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_twenty_cycles_of_a_large_maze_stay_small(tmp_path: Path) -> None:
    """Random mazes: nothing repeats that could be packed away."""
    cycles = maze_cycles(side=30, cycles=20)
    recording = recorded(tmp_path / "r", "maze", [*cycles], [answer_to(cycles[-1])])
    assert len(as_page(recording).encode()) < 200_000


def test_a_page_of_nothing_is_a_page() -> None:
    assert data_of(as_page(Recording()))["puzzles"] == []
