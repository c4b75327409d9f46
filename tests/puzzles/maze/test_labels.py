"""The rule for the one right path against a plain search, on random, made and public mazes."""

import csv
import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.mazes import (
    by_the_rule,
    grid,
    place_of,
    questions,
    steps_from,
)
from trmsolve.puzzles.maze.cells import (
    DOWN,
    FLOOR,
    GOAL,
    LEFT,
    PATH,
    RIGHT,
    START,
    STEPS,
    SYMBOLS,
    UP,
    path_length,
)
from trmsolve.puzzles.maze.generate import DIFFICULTIES, generate_mazes
from trmsolve.puzzles.maze.labels import distances, follow, label, point
from trmsolve.puzzles.values import Grid

PUBLIC = os.environ.get("TRMSOLVE_MAZE_DATA")
"""The public training split: a CSV of ``source,question,answer,rating``, 900 cells each."""


@settings(deadline=None)  # the first call compiles
@given(questions())
def test_labels_are_the_rule_s(question: Grid) -> None:
    answer = label(question[None])[0]
    assert answer.dtype == np.int8 and np.array_equal(answer, by_the_rule(question))


@settings(deadline=None)  # the first call compiles
@given(questions())
def test_arrows_lead_nearer_and_are_the_first_that_do(question: Grid) -> None:
    arrows, steps = point(question[None])[0], steps_from(question, place_of(question, GOAL))
    for place, arrow in np.ndenumerate(arrows):
        row, column = place
        nearer = [
            direction
            for direction in (DOWN, LEFT, RIGHT, UP)
            if steps.get((row + STEPS[direction][0], column + STEPS[direction][1]), 1 << 30)
            == steps.get(place, 0) - 1
        ]
        assert arrow == (nearer[0] if nearer else 0)


@settings(deadline=None)  # the first call compiles
@given(questions())
def test_distances_are_shortest_and_the_queue_is_in_their_order(question: Grid) -> None:
    row, column = place_of(question, START)
    found, queue = np.zeros((2, question.size), np.int32)
    number = distances(question, row * question.shape[1] + column, found, queue)
    steps = steps_from(question, (row, column))
    assert number == len(steps)
    assert {
        place: int(n) for place, n in np.ndenumerate(found.reshape(question.shape)) if n >= 0
    } == steps
    assert sorted(queue[:number].tolist()) == np.flatnonzero(found >= 0).tolist()
    assert np.all(np.diff(found[queue[:number]]) >= 0)


@pytest.mark.parametrize("kind", DIFFICULTIES)
@pytest.mark.parametrize("size", [(3, 3), (5, 17), (12, 12), (30, 30)])
def test_made_mazes_have_the_rule_s_answer(kind: str, size: tuple[int, int]) -> None:
    for puzzle in islice(generate_mazes(kind, 4, size), 20):
        assert puzzle.answer is not None and np.array_equal(puzzle.answer, by_the_rule(puzzle.grid))


def test_many_are_labelled_at_once_and_the_questions_stay_as_they_are() -> None:
    several = np.stack([puzzle.grid for puzzle in islice(generate_mazes("hard", 5, (15, 15)), 8)])
    given_ = several.copy()
    assert np.array_equal(label(several), np.stack([by_the_rule(question) for question in several]))
    assert np.array_equal(several, given_)


@pytest.mark.parametrize(
    ("first", "middle", "last"),
    [("S  ", "o  ", "ooG"), ("G  ", "o  ", "ooS"), ("  S", "  o", "Goo"), ("  G", "  o", "Soo")],
)
def test_down_comes_first_then_left_then_right_then_up(first: str, middle: str, last: str) -> None:
    answer = grid(first, middle, last)
    question = np.where(answer == PATH, FLOOR, answer)
    assert np.array_equal(label(question[None])[0], answer) and path_length(answer) == 4


def test_what_has_no_way_or_no_ends_has_no_path() -> None:
    for question in (grid("S#G"), grid("S  "), grid("  G"), grid("   ")):
        arrows = point(question[None])
        assert np.array_equal(follow(question[None], arrows)[0], question)
    assert not point(grid("S  ")[None]).any()
    assert point(grid("S#G ")[None])[0].tolist() == [
        [0, 0, 0, LEFT]
    ]  # what cannot reach the goal has no arrow


@pytest.mark.skipif(
    PUBLIC is None, reason="TRMSOLVE_MAZE_DATA does not name the public Maze-Hard training split"
)
def test_all_labels_of_the_public_training_split_are_the_rule_s() -> None:
    with Path(PUBLIC or "").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked, answered = (
        np.array([[SYMBOLS.index(char) for char in row[column]] for row in rows], np.int8).reshape(
            -1, 30, 30
        )
        for column in ("question", "answer")
    )
    assert len(rows) == 1000
    assert np.array_equal(label(asked), answered)
