"""Submissions: written in Kaggle's form, checked when read, and scored the official way."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trmsolve.arc.submission import (
    ArcScore,
    Submission,
    TaskScore,
    read_submission,
    score_answers,
    score_submission,
    submission_of,
    write_submission,
)
from trmsolve.arc.task import ArcAnswer, ArcTask, Candidate, Pair
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Grid
from trmsolve.stats import wilson_interval

Rows = list[list[int]]


def grid(rows: Rows) -> Grid:
    return np.array(rows, np.int8)


def task(name: str, *outputs: Rows | None) -> ArcTask:
    """With a test for each output."""
    asked = grid([[1, 2]])
    tests = tuple(Pair(asked, None if output is None else grid(output)) for output in outputs)
    return ArcTask(name, (Pair(asked, asked),), tests, "file.json")


def answer(of: ArcTask, *found: Sequence[Rows]) -> ArcAnswer:
    """Of each test the grids found, best first."""
    candidates = tuple(tuple(Candidate(grid(rows), 1, 0.5) for rows in grids) for grids in found)
    return ArcAnswer(of, candidates, None, 16, 8, 0.1)


ONE, TWO, THREE = [[1]], [[2, 2]], [[3], [0]]


def test_both_attempts_are_always_there() -> None:
    answers = [
        answer(task("b", None, None), [ONE, TWO, THREE], [THREE]),
        answer(task("a", ONE), [[[]]]),
    ]
    assert submission_of(answers) == {
        "b": [{"attempt_1": ONE, "attempt_2": TWO}, {"attempt_1": THREE, "attempt_2": THREE}],
        "a": [{"attempt_1": [[0]], "attempt_2": [[0]]}],  # an answer without cells is no grid
    }


def test_unanswered_tasks_are_there_when_asked_for() -> None:
    answers = [answer(task("b", None), [ONE])]
    assert submission_of(answers, {"b": 7, "x": 2}) == {
        "b": [{"attempt_1": ONE, "attempt_2": ONE}],
        "x": [{"attempt_1": [[0]], "attempt_2": [[0]]}] * 2,
    }


def test_an_id_is_answered_once() -> None:
    with pytest.raises(PuzzleError, match=r"^file.json: task b: is answered twice"):
        submission_of([answer(task("b", None), [ONE]), answer(task("b", None), [TWO])])


def test_a_file_has_a_line_for_each_task_and_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "submission.json"
    write_submission(path, [answer(task("b", None, None), [ONE], [TWO])], {"ä": 1})
    lines = path.read_text(encoding="ascii").splitlines()
    assert lines == [
        '{"b": [{"attempt_1":[[1]],"attempt_2":[[1]]},{"attempt_1":[[2,2]],"attempt_2":[[2,2]]}],',
        ' "\\u00e4": [{"attempt_1":[[0]],"attempt_2":[[0]]}]}',
    ]
    with pytest.raises(PuzzleError):
        write_submission(path, [answer(task("b", None), [ONE])] * 2)
    assert path.read_text(encoding="ascii").splitlines() == lines
    assert [one.name for one in tmp_path.iterdir()] == ["submission.json"]
    write_submission(path, [])
    assert json.loads(path.read_text()) == {} == read_submission(str(path))
    with pytest.raises(OSError, match="none"):
        write_submission(tmp_path / "none" / "x.json", [])


GRIDS = st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=4)


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.text(min_size=1),
        st.lists(st.lists(GRIDS, min_size=1, max_size=3), min_size=1, max_size=3),
    )
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "submission.json"
    answers = [answer(task(name, *[None] * len(tests)), *tests) for name, tests in found.items()]
    write_submission(path, answers)
    back = read_submission(str(path))
    assert list(back) == list(found)
    for one in answers:
        for test, attempts in enumerate(back[one.task.name]):
            assert [rows.tolist() for rows in attempts] == [
                rows.tolist() for rows in one.attempts(test)
            ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 3}', "task a: 3 where a list of tests is expected"),
        ('{"a": [[[1]]]}', "task a, test 1: a list, but a submission is an object of task ids"),
        ('{"a": [{"attempt_1": [[1]]}]}', 'task a, test 1: "attempt_2" is missing'),
        (
            '{"a": [{"attempt_1": [[1]], "attempt_3": 1}]}',
            'task a, test 1: "attempt_3" is not an attempt: use',
        ),
        (
            '{"a": [{"attempt_1": 1, "attempt_1": 2}]}',
            'task a, test 1: "attempt_1" appears twice in it',
        ),
        (
            '{"a": [{"attempt_1": [[1]], "attempt_2": [[1], [10]]}]}',
            "task a, test 1, attempt_2: row 2, column 1 is 10: "
            "colours are the whole numbers 0 to 9",
        ),
        (
            '{"a": [{"attempt_1": [], "attempt_2": [[1]]}]}',
            "task a, test 1, attempt_1: a grid without rows",
        ),
        ('{"a": [], "a": []}', 'task "a" appears twice in the file'),
        ('{"\\u001b": 3}', 'task "\\u001b": 3 where'),
        ("[]", "not one JSON object: a submission is an object"),
        ("", "empty: no JSON in it; a submission is an object"),
    ],
)
def test_a_bad_submission_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(PuzzleError, match="^" + re.escape(f"{path}: {problem}")):
        read_submission(str(path))


def test_a_missing_submission_is_told(tmp_path: Path) -> None:
    with pytest.raises(PuzzleError, match="no such file"):
        read_submission(str(tmp_path / "s.json"))


def test_a_task_counts_by_the_share_of_its_tests() -> None:
    score = score_answers(
        [
            answer(task("first", ONE), [ONE, TWO]),
            answer(task("second", ONE), [TWO, ONE]),
            answer(task("third", ONE), [TWO, THREE, ONE]),  # two attempts are allowed, not three
            answer(task("half", ONE, TWO, THREE, [[3, 0]]), [ONE], [ONE, TWO], [TWO], [[[3], [0]]]),
        ]
    )
    assert [one.tests for one in score.tasks] == [(1,), (2,), (0,), (1, 2, 0, 0)]
    assert score.score() == (1 + 1 + 0 + 0.5) / 4 and score.score(1) == (1 + 0 + 0 + 0.25) / 4
    assert score.test_rate() == 4 / 7 and score.test_rate(1) == 2 / 7
    record = score.to_dict()
    assert json.loads(json.dumps(record)) == record
    assert record == {
        "n": 4,
        "tests": 7,
        "pass@1": 0.3125,
        "pass@2": 0.625,
        "pass@2_ci95": [round(bound, 4) for bound in wilson_interval(2.5, 4)],
        "test_pass@1": 0.2857,
        "test_pass@2": 0.5714,
        "solved": 2,
        "missing": [],
        "unknown": [],
        "tasks": {
            "first": {"pass@1": 1.0, "pass@2": 1.0, "tests": [1]},
            "second": {"pass@1": 0.0, "pass@2": 1.0, "tests": [2]},
            "third": {"pass@1": 0.0, "pass@2": 0.0, "tests": [0]},
            "half": {"pass@1": 0.25, "pass@2": 0.5, "tests": [1, 2, 0, 0]},
        },
    }


def test_a_submission_scores_as_its_answers_do(tmp_path: Path) -> None:
    answers = [
        answer(task("a", ONE, TWO), [TWO, ONE], [TWO]),
        answer(task("b", THREE), [ONE, TWO, THREE]),
        answer(task("c", THREE), [THREE]),
    ]
    write_submission(tmp_path / "s.json", answers)
    submission = read_submission(str(tmp_path / "s.json"))
    assert score_submission([one.task for one in answers], submission) == score_answers(answers)


def test_missing_tasks_count_as_wrong_and_are_told() -> None:
    submission: Submission = {"a": [(grid(ONE), grid(TWO))], "z": [(grid(ONE),)]}
    score = score_submission([task("a", TWO), task("b", ONE, TWO)], submission)
    assert score == ArcScore((TaskScore("a", (2,)), TaskScore("b", (0, 0))), ("b",), ("z",))
    assert (
        score.score() == 0.5
        and score.to_dict()["missing"] == ["b"]
        and score.to_dict()["unknown"] == ["z"]
    )


def test_a_third_attempt_is_not_looked_at() -> None:
    score = score_submission([task("a", THREE)], {"a": [(grid(ONE), grid(TWO), grid(THREE))]})
    assert score.tasks == (TaskScore("a", (0,)),) and score.to_dict()["solved"] == 0


def test_what_cannot_be_scored_is_told() -> None:
    with pytest.raises(PuzzleError, match=r"^file.json: task a, test 2: its output is unknown"):
        score_answers([answer(task("a", ONE, None), [ONE], [ONE])])
    with pytest.raises(
        PuzzleError, match=r"^file.json: task a: 1 answers in the submission, but 2 tests"
    ):
        score_submission([task("a", ONE, TWO)], {"a": [(grid(ONE),)]})


def test_no_tasks_have_no_score() -> None:
    record = score_answers([]).to_dict()
    assert record["n"] == 0 and record["pass@2"] == 0 and record["pass@2_ci95"] == [0.0, 1.0]
