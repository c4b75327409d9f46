"""Votes: which candidate wins, what ties do, and that the paper's public code votes the same."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.goldens import FOLDER
from trmsolve.arc.paper.variants import BLANK, FIRST_COLOUR, encode, parse_name
from trmsolve.arc.symmetry import crop
from trmsolve.arc.vote import vote
from trmsolve.puzzles.values import Grid


def grid_of(rows: list[list[int]]) -> Grid:
    return np.array(rows, np.int8)


A, B, C = grid_of([[1, 2]]), grid_of([[1], [2]]), grid_of([[3]])
NOTHING = np.zeros((0, 0), np.int8)


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_most_votes_win_then_the_surest_then_the_first() -> None:
    found = vote([(C, 0.2), (A, 0.1), (B, 0.99), (A, 0.1), (grid_of([[4]]), 0.2)])
    assert [(one.votes, one.halt) for one in found] == [(2, 0.1), (1, 0.99), (1, 0.2), (1, 0.2)]
    assert found[0].grid.tolist() == [[1, 2]] and found[1].grid.tolist() == [
        [1],
        [2],
    ]  # equal cells, another shape
    assert found[2].grid.tolist() == [[3]] and found[3].grid.tolist() == [[4]]
    surer = vote([(A, 0.5), (B, 0.2), (B, 0.7), (A, 0.3)])
    assert [one.grid.shape for one in surer] == [(2, 1), (1, 2)] and surer[0].halt == pytest.approx(
        0.45
    )


def test_nothing_is_an_answer_only_where_there_is_nothing_else() -> None:
    assert [one.grid.tolist() for one in vote([(NOTHING, 0.9), (C, 0.1), (NOTHING, 0.9)])] == [
        [[3]]
    ]
    (only,) = vote([(NOTHING, 0.9), (NOTHING, 0.7)])
    assert only.grid.shape == (0, 0) and only.votes == 2 and only.halt == pytest.approx(0.8)
    assert vote([]) == []


small = st.lists(
    st.tuples(st.sampled_from([A, B, C, NOTHING]), st.floats(0, 1, width=16)),
    min_size=1,
    max_size=12,
)


@given(small, st.randoms(use_true_random=False))
def test_votes_are_counted_whatever_their_order(
    predictions: list[tuple[Grid, float]], random: Any
) -> None:
    found = vote(predictions)
    answers = sum(bool(grid.size) for grid, _ in predictions)
    assert found and sum(one.votes for one in found) == (answers or len(predictions))
    scores = [(one.votes, one.halt) for one in found]
    assert scores == sorted(scores, reverse=True)
    random.shuffle(predictions)
    assert sorted(scores) == sorted((one.votes, one.halt) for one in vote(predictions))


def test_the_public_code_votes_the_same() -> None:
    golden = json.loads((FOLDER / "data_golden.json").read_text())["vote"]
    predictions = []
    for identifier, rows, logit in golden["rows_identifier_predInOriginalFrame_qlogit"]:
        name = golden["identifiers"][identifier]
        if name == BLANK:
            continue
        view = parse_name(name)[1]
        # All the way that a prediction goes: what the variant shows, as tokens, and cropped.
        said = crop(encode(view.apply(grid_of(rows))), FIRST_COLOUR)
        predictions.append((view.undo(said), sigmoid(logit)))
    found = [candidate.grid.tolist() for candidate in vote(predictions)]
    (attempts,) = golden["submission"]["p"]
    assert attempts == {"attempt_1": found[0], "attempt_2": found[1]}
    for k in (1, 2, 5):
        assert golden["result"][f"ARC/pass@{k}"] == float(golden["test_output"] in found[:k])
