"""Deriving Sudokus from others: the same one solution, nothing needless, as many hard ones."""

from itertools import islice

import numpy as np
import pytest

from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.derive import derive_sudokus
from trmsolve.puzzles.sudoku.generate import EXTREME, generate_sudokus, rate_sudoku
from trmsolve.puzzles.sudoku.search import count_solutions, solutions
from trmsolve.puzzles.values import Puzzle
from trmsolve.train.data import Examples

SUDOKU = get_task("sudoku")


@pytest.fixture(scope="module")
def hard() -> Puzzle:
    return next(generate_sudokus("extreme", seed=3))


def test_each_has_the_same_only_solution_and_its_rating(hard: Puzzle) -> None:
    assert hard.answer is not None
    derived, ratings = derive_sudokus(hard.grid, hard.answer, 60, np.random.default_rng(1))
    assert derived.dtype == np.int8 and len(derived) == len(ratings) > 20
    for question, rating in zip(derived, ratings, strict=True):
        only = list(solutions(question, budget=100_000))
        assert len(only) == 1 and (only[0] == hard.answer).all()
        assert rating == rate_sudoku(question)


def test_each_is_another_one_without_a_needless_clue(hard: Puzzle) -> None:
    assert hard.answer is not None
    derived, _ = derive_sudokus(hard.grid, hard.answer, 30, np.random.default_rng(1))
    assert len({question.tobytes() for question in (hard.grid, *derived)}) == 1 + len(derived)
    for question in derived[::6]:
        for cell in np.flatnonzero(question):
            fewer = question.copy()
            fewer.flat[cell] = 0
            assert count_solutions(fewer) == 2


def test_the_walk_stays_among_hard_puzzles(hard: Puzzle) -> None:
    assert hard.answer is not None
    _, ratings = derive_sudokus(hard.grid, hard.answer, 200, np.random.default_rng(1))
    assert (ratings >= EXTREME).sum() > 20
    assert (ratings == 0).any()  # the attempts from the full grid


def test_the_same_draws_give_the_same_puzzles(hard: Puzzle) -> None:
    assert hard.answer is not None
    first, again, other = (
        derive_sudokus(hard.grid, hard.answer, 20, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert (first[0] == again[0]).all() and (first[1] == again[1]).all()
    assert first[0].tobytes() != other[0].tobytes()


def test_nothing_comes_of_a_puzzle_with_several_solutions_or_a_wrong_answer(hard: Puzzle) -> None:
    assert hard.answer is not None
    other_answer = next(generate_sudokus("easy", seed=1)).answer
    assert other_answer is not None
    blank = np.zeros((9, 9), np.int8)
    for question, answer in ((hard.grid, other_answer), (blank, hard.answer)):
        derived, ratings = derive_sudokus(question, answer, 8, np.random.default_rng(1))
        for grid, rating in zip(derived, ratings, strict=True):
            assert rating >= 0 and count_solutions(grid) == 1


def test_examples_keep_their_own_puzzles_first(hard: Puzzle) -> None:
    easy = list(islice(generate_sudokus("easy", seed=1), 2))
    examples = Examples.collect(SUDOKU, [*easy, hard])
    more = examples.with_derived(SUDOKU, 10, seed=4)
    assert more.pick(np.arange(3)).content_hash() == examples.content_hash()
    assert 20 < len(more) <= 33
    own_answers = {answer.tobytes() for answer in examples.answers}
    assert {answer.tobytes() for answer in more.answers} == own_answers
    again = examples.with_derived(SUDOKU, 10, seed=4)
    assert again.content_hash() == more.content_hash()
    assert examples.with_derived(SUDOKU, 10, seed=5).content_hash() != more.content_hash()
