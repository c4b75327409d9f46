"""How answers are read off a prediction, and how they add up."""

import math

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task, free_sizes, same_outputs, same_sizes
from tests.support.compression import nothing_said, random_prediction, say_grid, together
from trmsolve.arc.answers import combined
from trmsolve.arc.compression.loss import span_scores
from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.votes import (
    AVERAGE,
    EARLY,
    EARLY_STEPS,
    OF_AVERAGE,
    Outputs,
    Votes,
    best_span,
)
from trmsolve.arc.content import content_hash
from trmsolve.arc.task import ArcTask
from trmsolve.puzzles.values import Grid

LATE = EARLY_STEPS


def saying(puzzle: CompressionPuzzle, grid: Grid) -> Prediction:
    """A prediction without doubt for the last test."""
    prediction = nothing_said(puzzle)
    say_grid(prediction, puzzle, len(puzzle.examples) - 1, grid)
    return prediction


def wide(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


ONE = wide([1, 2])
OTHER = wide([2, 1])


def found(votes: Votes) -> list[tuple[list[list[int]], int]]:
    return [(answer.grid.tolist(), answer.copies) for answer in votes.best(0)]


def weight_of(votes: Votes, grid: Grid) -> float:
    """The logarithm of the weight that the first copy has given to an answer to the first test."""
    return votes._weights[0][0][content_hash(grid)]


def test_equal_answers_add_up() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 1)
    for times in (1, 2, 3):
        votes.add(saying(puzzle, ONE), LATE)
        assert found(votes) == [(ONE.tolist(), 1)]
        # Each vote counts this sample's answer and that of the average, which is less sure.
        assert math.log(times) < weight_of(votes, ONE) < math.log(2 * times)


def test_early_answers_and_those_of_the_average_count_less() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    weights = []
    for step in (0, LATE - 1, LATE):
        votes = Votes(puzzle, 1)
        for _ in range(400):  # the average becomes as sure as the samples
            votes._average_in(Outputs.of(saying(puzzle, ONE), 1))
        votes.add(saying(puzzle, ONE), step)
        weights.append(weight_of(votes, ONE))
    both = float(np.logaddexp(0.0, -OF_AVERAGE))
    assert weights == pytest.approx([both - EARLY, both - EARLY, both], abs=1e-4)


def test_a_late_answer_outweighs_many_early_ones() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 1)
    for _ in range(50):
        votes.add(saying(puzzle, ONE), 0)
    votes.add(saying(puzzle, OTHER), LATE)
    assert found(votes) == [(OTHER.tolist(), 1), (ONE.tolist(), 0)]


def test_a_doubtful_answer_counts_less() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 1)
    votes.add(saying(puzzle, ONE), LATE)
    doubtful = saying(puzzle, OTHER)
    doubtful.colours.mul_(1 / 50)
    votes.add(doubtful, LATE)
    guess = votes.guess(Outputs.of(doubtful, 1), 0, 0)
    # The odds of the other colour and of black against the best one.
    assert guess.doubt == pytest.approx(math.log(1 + math.exp(-2) + math.exp(-1)), rel=1e-4)
    assert votes.best(0)[0].grid.tolist() == ONE.tolist()
    assert weight_of(votes, OTHER) == pytest.approx(-10 * guess.doubt, abs=1e-4)


def test_the_average_follows_slowly() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 1)
    for seed in range(3):
        votes.add(random_prediction(puzzle, seed), LATE)
    expected = torch.zeros(())
    for seed in range(3):
        now = random_prediction(puzzle, seed).colours[:, -1:, ..., 1].detach()
        expected = AVERAGE * expected + (1 - AVERAGE) * now
    assert votes.average is not None
    torch.testing.assert_close(votes.average.colours, expected)


def test_a_known_size_is_kept_whatever_the_scores_say() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 1)
    for grid in (wide([1], [2]), wide([1, 1], [2, 2]), wide([2])):
        guess = votes.guess(Outputs.of(saying(puzzle, grid), 1), 0, 0)
        assert guess.grid.shape == (1, 2)


def test_a_known_size_may_lie_anywhere_in_the_room() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    prediction = saying(puzzle, ONE)
    for part in (prediction.colours, prediction.rows):
        side = part[:, -1:, ..., 1]
        # The room of the test has two rows, the canvas three.
        moved = side[..., [1, 0, 2], :] if part is prediction.colours else side[..., [1, 0, 2]]
        part[:, -1:, ..., 1] = moved
    guess = Votes(puzzle, 1).guess(Outputs.of(prediction, 1), 0, 0)
    assert guess.grid.tolist() == ONE.tolist()


@pytest.mark.parametrize("grid", [wide([3]), wide([3, 0], [0, 3]), wide([0, 3, 3])])
def test_an_unknown_size_is_that_of_the_best_scores(grid: Grid) -> None:
    puzzle = CompressionPuzzle(free_sizes())
    guess = Votes(puzzle, 1).guess(Outputs.of(saying(puzzle, grid), 1), 0, 0)
    assert guess.grid.tolist() == grid.tolist()


def test_an_answer_lies_in_its_room() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    prediction = saying(puzzle, wide([3, 3, 3], [3, 3, 3]))
    prediction.rows[:, -1] = 50.0
    prediction.columns[:, -1] = 50.0
    assert Votes(puzzle, 1).guess(Outputs.of(prediction, 1), 0, 0).grid.shape == (2, 3)


@pytest.mark.parametrize("task", [same_sizes(), same_outputs(), free_sizes()])
def test_confidence_is_a_probability_of_each_cell(task: ArcTask) -> None:
    puzzle = CompressionPuzzle(task)
    for seed in range(5):
        guess = Votes(puzzle, 1).guess(Outputs.of(random_prediction(puzzle, seed), 1), 0, 0)
        assert guess.confidence.shape == guess.grid.shape
        assert guess.confidence.dtype == np.float32
        assert (guess.confidence > 0).all() and (guess.confidence <= 1).all()
        assert guess.doubt == pytest.approx(-np.log(guess.confidence).mean(), rel=1e-4)


def test_confidence_without_a_doubt_is_one() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    guess = Votes(puzzle, 1).guess(Outputs.of(saying(puzzle, ONE), 1), 0, 0)
    assert guess.confidence.tolist() == [[1.0, 1.0]] and guess.doubt == 0


def test_where_nothing_is_said_the_answer_is_black_and_as_small_as_can_be() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    guess = Votes(puzzle, 1).guess(Outputs.of(nothing_said(puzzle), 1), 0, 0)
    assert guess.grid.tolist() == [[0]]
    assert guess.confidence.tolist() == [[0.5]]


def test_of_answers_with_equal_votes_the_first_is_first() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    for first, second in ((ONE, OTHER), (OTHER, ONE)):
        votes = Votes(puzzle, 1)
        for grid in (first, second):
            outputs = Outputs.of(saying(puzzle, grid), 1)
            votes._count(votes._weights[0][0], votes.guess(outputs, 0, 0), 0.0)
        assert found(votes) == [(first.tolist(), 1), (second.tolist(), 0)]


def test_the_best_are_few_and_in_order() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    votes = Votes(puzzle, 1)
    for seed in range(12):
        votes.add(random_prediction(puzzle, seed), LATE)
    shares = [answer.votes for answer in votes.best(0)]
    assert shares == sorted(shares, reverse=True) and len(shares) == 8
    assert sum(answer.votes for answer in votes.best(0, 100)) == pytest.approx(1)
    assert len(votes.best(0, 3)) == 3
    grids = {answer.grid.tobytes() + bytes(answer.grid.shape) for answer in votes.best(0)}
    assert len(grids) == 8, "equal answers are one"


@pytest.mark.parametrize("room", [1, 2, 4])
def test_the_best_span_has_the_highest_score(room: int) -> None:
    for seed in range(5):
        scores = torch.randn(room, generator=torch.Generator().manual_seed(seed))
        (spans,) = span_scores(scores[None])
        assert spans[best_span(scores, None)] == spans.max()
        for length in range(1, room + 1):
            begin, end = best_span(scores, length)
            assert end - begin == length
            assert spans[begin, end] == spans.diagonal(length).max()


# Copies


def all_saying(puzzle: CompressionPuzzle, *grids: Grid) -> Prediction:
    """A copy for each grid, which says it for the last test."""
    return together([saying(puzzle, grid) for grid in grids])


def test_a_copy_favours_one_answer() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 3)
    votes.add(all_saying(puzzle, ONE, OTHER, ONE), LATE)
    assert found(votes) == [(ONE.tolist(), 2), (OTHER.tolist(), 1)]
    for _ in range(2):
        votes.add(all_saying(puzzle, OTHER, OTHER, ONE), LATE)
    # The first copy has given more weight to the other grid meanwhile.
    assert found(votes) == [(OTHER.tolist(), 2), (ONE.tolist(), 1)]


def test_a_copy_in_doubt_has_as_much_of_a_vote_as_a_sure_one() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 3)
    prediction = all_saying(puzzle, ONE, OTHER, OTHER)
    prediction.colours[1:].mul_(1 / 50)  # two copies are in doubt
    votes.add(prediction, LATE)
    assert found(votes) == [(OTHER.tolist(), 2), (ONE.tolist(), 1)]
    assert [answer.votes for answer in votes.best(0)] == pytest.approx([2, 1])


def test_votes_order_answers_rather_than_the_number_of_copies() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    votes = Votes(puzzle, 2)
    third = wide([2, 2])
    votes._grids = {content_hash(one): one for one in (ONE, OTHER, third)}
    votes._weights[0][0] = _log_weights((0.55, ONE), (0.45, third))
    votes._weights[1][0] = _log_weights((0.55, OTHER), (0.45, third))
    assert [answer.votes for answer in votes.best(0)] == pytest.approx([0.9, 0.55, 0.55])
    assert found(votes) == [(third.tolist(), 0), (ONE.tolist(), 1), (OTHER.tolist(), 1)]


def _log_weights(*shares: tuple[float, Grid]) -> dict[str, float]:
    """However large they are: only their ratios matter."""
    return {content_hash(grid): math.log(share) - 5000.0 for share, grid in shares}


def test_copies_count_once_however_many_answers_they_gave() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    votes = Votes(puzzle, 2)
    for seed in range(12):
        votes.add(random_prediction(puzzle, seed, 100 + seed), LATE)
    assert sum(answer.copies for answer in votes.best(0, 100)) == 2
    assert len(votes.best(0, 100)) > 8


def test_copies_add_up_as_if_each_had_its_own_votes() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    both = Votes(puzzle, 2)
    alone = [Votes(puzzle, 1), Votes(puzzle, 1)]
    for step in range(5):
        both.add(random_prediction(puzzle, step, 100 + step), LATE)
        for first, votes in zip((0, 100), alone, strict=True):
            votes.add(random_prediction(puzzle, first + step), LATE)
    expected = combined([*alone[0].best(0, 100), *alone[1].best(0, 100)])
    results = both.best(0, 100)
    assert [one.grid.tolist() for one in results] == [one.grid.tolist() for one in expected]
    assert [one.votes for one in results] == pytest.approx([one.votes for one in expected])


def test_the_guess_of_each_copy_is_its_own() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    outputs = Outputs.of(all_saying(puzzle, ONE, OTHER), 1)
    guesses = [Votes(puzzle, 2).guess(outputs, copy, 0) for copy in range(2)]
    assert [guess.grid.tolist() for guess in guesses] == [ONE.tolist(), OTHER.tolist()]


def test_every_test_has_votes_of_its_own() -> None:
    task = drawn_task(demonstrations=2, tests=2, side=2)
    puzzle = CompressionPuzzle(task)
    votes = Votes(puzzle, 1)
    prediction = nothing_said(puzzle)
    grids = []
    for number, test in enumerate(task.tests):
        example = 2 + number
        grids.append(np.full_like(test.input, number + 1))
        say_grid(prediction, puzzle, example, grids[-1])
    votes.add(prediction, LATE)
    for number, grid in enumerate(grids):
        (first, *_) = votes.best(number)
        assert first.grid.tolist() == grid.tolist() and first.copies == 1
