"""Answers that are kept in a file, and a measurement that goes on after them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.arc_tasks import drawn_task
from trmsolve.arc.kept import KeptAnswers
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcTask, Candidate
from trmsolve.errors import UsageError

SETTINGS: dict[str, Any] = {"data": "set.json", "budget": 300.0, "sample": None}
A, B = drawn_task("a"), drawn_task("b", tests=2)
TASKS = [A, B]


def answer(task: ArcTask, chance: float | None = 0.25, ended: str = "budget") -> ArcAnswer:
    tests = []
    for test in task.tests:
        other = np.array([[3]], np.int8)
        found = (Candidate(test.input, 3, 0.5, chance), Candidate(other, 1, 0.25, chance))
        tests.append((*found, Candidate(np.array([[4]], np.int8), 1, 0.25, chance)))
    adapting = None
    if ended:
        adapting = AdaptationProgress(task, 120, 41.5, 300.0, 0.5, ended)
    return ArcAnswer(task, tuple(tests), adapting, 120, 5, 42.5)


@pytest.mark.parametrize("given", [{}, {"chance": None}, {"ended": ""}])
def test_a_kept_answer_comes_back(tmp_path: Path, given: dict[str, Any]) -> None:
    path = tmp_path / "kept.json"
    kept = KeptAnswers.open(path, SETTINGS, TASKS)
    assert kept.answers == {}
    kept.add(answer(A), 10.0)
    given_answer = answer(B, **given)
    kept.add(given_answer, 30.5)
    again = KeptAnswers.open(path, SETTINGS, TASKS)
    assert list(again.answers) == ["a", "b"]
    assert again.seconds == 40.5
    found = again.answers["b"]
    assert found.task is B
    assert (found.cycles, found.views, found.seconds) == (120, 5, 42.5)
    assert found.confidence(0) == given_answer.confidence(0)
    for ours, theirs in zip(found.candidates, given_answer.candidates, strict=True):
        assert len(ours) == 2, "only attempts are kept"
        for one, before in zip(ours, theirs, strict=False):
            assert np.array_equal(one.grid, before.grid)
            assert (one.votes, one.halt, one.chance) == (before.votes, before.halt, before.chance)
    if given_answer.adapting is None:
        assert found.adapting is None
    else:
        assert found.adapting is not None
        assert (found.adapting.step, found.adapting.seconds) == (120, 41.5)
        assert found.adapting.ended == "budget"


def test_an_answer_without_cells_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    nothing = ArcAnswer(A, ((Candidate(np.zeros((0, 0), np.int8), 8, 0.1),),), None, 1, 1, 1.0)
    KeptAnswers.open(path, SETTINGS, TASKS).add(nothing, 1.0)
    found = KeptAnswers.open(path, SETTINGS, TASKS).answers["a"]
    assert found.candidates[0][0].grid.shape == (0, 0)


def test_another_measurement_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    KeptAnswers.open(path, SETTINGS, TASKS).add(answer(A), 1.0)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"was begun with budget 300\.0, not 60\.0"):
        KeptAnswers.open(path, {**SETTINGS, "budget": 60.0}, TASKS)
    with pytest.raises(UsageError, match="does not hold the answers of a measurement"):
        KeptAnswers.open(path, SETTINGS, [B])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"settings": SETTINGS}),
        json.dumps({"settings": {}, "seconds": 1, "answers": {}}),
        json.dumps({"settings": SETTINGS, "seconds": "x", "answers": {}}),
        json.dumps({"settings": SETTINGS, "seconds": 1, "answers": {"a": {}}}),
        json.dumps({"settings": SETTINGS, "seconds": 1, "answers": {"a": {"tests": []}}}),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="does not hold the answers of a measurement"):
        KeptAnswers.open(path, SETTINGS, TASKS)
    assert path.read_text() == content


@pytest.mark.parametrize("rows", [[[]], [[10]], [[0.5]], [[1], [1, 2]], "1"])
def test_grids_that_are_none_are_refused(tmp_path: Path, rows: object) -> None:
    path = tmp_path / "kept.json"
    KeptAnswers.open(path, SETTINGS, TASKS).add(answer(A), 1.0)
    content = json.loads(path.read_text())
    content["answers"]["a"]["tests"][0][0][0] = rows
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="does not hold the answers of a measurement"):
        KeptAnswers.open(path, SETTINGS, TASKS)


def test_a_folder_is_not_such_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        KeptAnswers.open(tmp_path, SETTINGS, TASKS)
