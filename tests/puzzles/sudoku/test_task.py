"""Sudoku's rules, tokens and symmetries, its search and its generator."""

import json
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.goldens import FOLDER
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.board import USUAL
from trmsolve.puzzles.sudoku.search import Exhausted, count_solutions, solutions
from trmsolve.puzzles.sudoku.symmetry import identity_of, random_view
from trmsolve.puzzles.values import Grid, Puzzle, Symmetry

SUDOKU = get_task("sudoku")


def grid(cells: str) -> Grid:
    return np.array([int(c) if c in "123456789" else 0 for c in cells], np.int8).reshape(9, 9)


QUESTION = grid("53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79")
ANSWER = grid("534678912672195348198342567859761423426853791713924856961537284287419635345286179")
SEEDS = st.integers(0, 2**32 - 1)


def test_augmentation_draws_as_the_public_code() -> None:
    case = json.loads((FOLDER / "data_golden.json").read_text())["sudoku_aug"]
    puzzle, solution = (
        np.array(case[key], np.int8).reshape(9, 9) for key in ("puzzle", "solution")
    )
    assert len(case["legacy_np_random_seeded"]) == 4
    for expected in case["legacy_np_random_seeded"]:
        view = random_view(np.random.RandomState(expected["np_seed"]))
        assert view.apply(puzzle).ravel().tolist() == expected["puzzle"]
        assert view.apply(solution).ravel().tolist() == expected["solution"]


@given(SEEDS, st.lists(st.integers(0, 9), min_size=81, max_size=81))
def test_a_symmetry_and_its_inverse_are_the_identity(seed: int, cells: list[int]) -> None:
    any_grid = np.array(cells, np.int8).reshape(9, 9)
    view = random_view(np.random.default_rng(seed))
    back = view.undo(view.apply(any_grid).ravel())
    assert back.dtype == np.int8 and np.array_equal(back, any_grid.ravel())
    inside = Symmetry(view.cells, identity_of(USUAL).values)
    assert np.array_equal(view.undo_cells(inside.apply(any_grid).ravel()), any_grid.ravel())
    assert np.array_equal(identity_of(USUAL).apply(any_grid), any_grid)


@given(SEEDS)
@settings(max_examples=20)
def test_the_views_draw_as_the_public_code_and_act_on_tokens(seed: int) -> None:
    for task in (SUDOKU, get_task("sudoku", 2)):
        rng = np.random.default_rng(seed)
        for view in list(islice(task.views(Puzzle(QUESTION), np.random.default_rng(seed)), 4))[1:]:
            on_grids = random_view(rng)
            seen = view.apply(task.encode(QUESTION))
            assert np.array_equal(seen, task.encode(on_grids.apply(QUESTION)))
            assert np.array_equal(task.decode_view(seen, view, (9, 9)), QUESTION)
            cells = view.undo_cells(on_grids.cells.ravel())  # a number for each cell
            assert np.array_equal(cells, np.arange(81))


@given(SEEDS)
def test_a_symmetry_keeps_a_solution_a_solution(seed: int) -> None:
    view = random_view(np.random.default_rng(seed))
    assert SUDOKU.verify(Puzzle(view.apply(QUESTION)), view.apply(ANSWER)).verified


def test_views_begin_with_the_puzzle_as_given_and_differ() -> None:
    views = list(islice(SUDOKU.views(Puzzle(QUESTION), np.random.default_rng(0)), 20))
    tokens = SUDOKU.encode(QUESTION)
    assert np.array_equal(views[0].apply(tokens), tokens)
    assert len({view.apply(tokens).tobytes() for view in views}) == 20


@given(st.lists(st.integers(0, 9), min_size=81, max_size=81))
def test_decode_undoes_encode(cells: list[int]) -> None:
    any_grid = np.array(cells, np.int8).reshape(9, 9)
    tokens = SUDOKU.encode(any_grid)
    assert tokens.min() >= 1 and tokens.max() <= 10
    assert np.array_equal(SUDOKU.decode(tokens, (9, 9)), any_grid)


def test_padding_decodes_to_blanks() -> None:
    assert not SUDOKU.decode(np.zeros(81, np.int64), (9, 9)).any()


def test_the_answer_is_verified() -> None:
    assert SUDOKU.verify(Puzzle(QUESTION), ANSWER).verified
    assert (
        SUDOKU.faults(Puzzle(QUESTION), ANSWER)[1] == 0
        and not SUDOKU.faults(Puzzle(QUESTION), ANSWER)[0].any()
    )


@given(SEEDS, st.integers(0, 80), st.integers(0, 9))
@settings(max_examples=200)
def test_a_verified_answer_with_any_one_cell_changed_is_not(
    seed: int, cell: int, digit: int
) -> None:
    view = random_view(np.random.default_rng(seed))
    question, answer = view.apply(QUESTION), view.apply(ANSWER)
    if answer.flat[cell] == digit:
        return
    answer.flat[cell] = digit
    verdict = SUDOKU.verify(Puzzle(question), answer)
    assert not verdict.verified and verdict.reason
    assert SUDOKU.faults(Puzzle(question), answer)[1] > 0


def test_another_valid_grid_that_changes_a_clue_is_not_verified() -> None:
    swapped = ANSWER.copy()
    swapped[ANSWER == 1], swapped[ANSWER == 2] = 2, 1
    assert SUDOKU.verify(Puzzle(np.zeros((9, 9), np.int8)), swapped).verified
    assert SUDOKU.verify(Puzzle(QUESTION), swapped).reason == "clue 1 at r2c4 became 2"


@pytest.mark.parametrize(
    ("cell", "digit", "reason"),
    [
        ((0, 2), 0, "r1c3 is blank"),
        ((0, 2), 5, "row 1 has two 5s and no 4"),
        ((0, 0), 0, "clue 5 at r1c1 became blank"),
    ],
)
def test_the_reason_names_the_first_rule_that_fails(
    cell: tuple[int, int], digit: int, reason: str
) -> None:
    answer = ANSWER.copy()
    answer[cell] = digit
    assert SUDOKU.verify(Puzzle(QUESTION), answer).reason == reason


def test_columns_and_boxes_are_checked_where_rows_are_right() -> None:
    rows_only = np.tile(np.arange(1, 10, dtype=np.int8), (9, 1))
    assert (
        SUDOKU.verify(Puzzle(np.zeros((9, 9), np.int8)), rows_only).reason
        == "column 1 has two 1s and no 2"
    )
    latin = np.array([[(r + c) % 9 + 1 for c in range(9)] for r in range(9)], np.int8)
    assert SUDOKU.verify(Puzzle(np.zeros((9, 9), np.int8)), latin).reason.startswith(
        "box 1 has two"
    )


def test_faults_mark_the_cells_that_clash_and_changed_clues() -> None:
    answer = ANSWER.copy()
    answer[0, 2] = 5  # clashes with r1c1 in row and box, with r9c3's column neighbour r9c3 = 5
    faulty, broken = SUDOKU.faults(Puzzle(QUESTION), answer)
    assert faulty[0, 2] and faulty[0, 0] and not faulty[4, 4]
    assert broken == 3  # row 1, column 3, box 1
    answer = ANSWER.copy()
    answer[0, 0] = 0
    faulty, broken = SUDOKU.faults(Puzzle(QUESTION), answer)
    assert faulty[0, 0] and broken == 4  # three houses lack a digit, one clue is gone


def test_the_search_finds_the_solution_and_counts() -> None:
    assert np.array_equal(next(solutions(QUESTION)), ANSWER)
    assert count_solutions(QUESTION) == 1
    assert count_solutions(np.zeros((9, 9), np.int8), limit=5) == 5
    impossible = QUESTION.copy()
    impossible[0, 2] = 2  # no clash with a clue, and no solution
    assert count_solutions(impossible) == 0


def test_the_search_keeps_its_budget() -> None:
    hard = grid("8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..")
    assert count_solutions(hard) == 1
    assert count_solutions(hard, budget=1) is None
    with pytest.raises(Exhausted):
        list(solutions(hard, budget=1))
    assert np.array_equal(next(solutions(QUESTION, budget=0)), ANSWER)


def test_remarks_on_puzzles_without_one_solution() -> None:
    impossible = QUESTION.copy()
    impossible[0, 2] = 2
    assert SUDOKU.diagnose(Puzzle(impossible)).remark == "the puzzle has no solution"
    assert (
        SUDOKU.diagnose(Puzzle(np.zeros((9, 9), np.int8))).remark
        == "the puzzle has more than one solution"
    )
    assert SUDOKU.diagnose(Puzzle(QUESTION)).remark == ""


def test_a_puzzle_that_is_hard_to_refute_is_told_to_have_no_solution() -> None:
    """Guessing by cells alone takes hundreds of thousands of guesses here."""
    text = ".....5.8....6.1.43..........1.5........1.6...3.......553.....61........4........."
    cells = [0 if character == "." else int(character) for character in text]
    grid = np.array(cells, np.int8).reshape(9, 9)
    assert SUDOKU.diagnose(Puzzle(grid)).solutions == 0
