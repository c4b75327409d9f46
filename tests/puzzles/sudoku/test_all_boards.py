"""Sudokus of all sizes: rules, tokens, symmetries, the search, the generator, the drawings."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.model.config import boxes_of
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.board import SIDES, USUAL, board_of
from trmsolve.puzzles.sudoku.generate import DIFFICULTIES_OF_ANY_SIZE, EASY_SHARE, generate_on
from trmsolve.puzzles.sudoku.paint import dots
from trmsolve.puzzles.sudoku.search import count_solutions, singles_suffice, solutions
from trmsolve.puzzles.sudoku.symmetry import draws_of, random_view, symmetries
from trmsolve.puzzles.sudoku.task import SudokuLattice
from trmsolve.puzzles.values import Cycle, Grid, Puzzle

LATTICE = get_task("sudoku", 2)
SEEDS = st.integers(0, 2**32 - 1)
SMALL = "3..2..34.3....2."


def puzzle_of(side: int, difficulty: str = "easy", seed: int = 0) -> Puzzle:
    return next(generate_on(board_of(side), difficulty, seed))


def answer_of(puzzle: Puzzle) -> Grid:
    assert puzzle.answer is not None
    return puzzle.answer


@pytest.mark.parametrize("side", SIDES)
def test_the_network_and_the_rules_mean_the_same_boxes(side: int) -> None:
    board = board_of(side)
    assert boxes_of(side) == (board.box_rows, board.box_columns)


@pytest.mark.parametrize("side", SIDES)
def test_a_made_answer_is_verified_and_no_other(side: int) -> None:
    puzzle = puzzle_of(side)
    answer = answer_of(puzzle)
    assert LATTICE.verify(puzzle, answer).verified
    assert LATTICE.faults(puzzle, answer)[1] == 0
    rng = np.random.default_rng(side)
    for cell in rng.permutation(answer.size)[:20]:
        wrong = answer.copy()
        wrong.flat[cell] = wrong.flat[cell] % side + 1
        verdict = LATTICE.verify(puzzle, wrong)
        assert not verdict.verified and verdict.reason
        faulty, broken = LATTICE.faults(puzzle, wrong)
        assert broken and faulty.flat[cell]


def test_reasons_name_houses_of_the_board() -> None:
    puzzle = Puzzle(np.zeros((6, 6), np.int8))
    answer = answer_of(puzzle_of(6)).copy()
    answer[0, 0] = answer[0, 1]
    assert LATTICE.verify(puzzle, answer).reason.startswith(f"row 1 has two {answer[0, 1]}s and no")
    answer[0, 0] = 0
    assert LATTICE.verify(puzzle, answer).reason == "r1c1 is blank"


@pytest.mark.parametrize("side", SIDES)
@given(seed=SEEDS)
@settings(max_examples=10, deadline=None)
def test_symmetries_keep_answers_right(side: int, seed: int) -> None:
    puzzle = puzzle_of(side)
    view = random_view(np.random.default_rng(seed), board_of(side))
    turned = Puzzle(view.apply(puzzle.grid))
    assert LATTICE.verify(turned, view.apply(answer_of(puzzle))).verified


@pytest.mark.parametrize("side", SIDES)
def test_symmetries_from_numbers_keep_answers_right(side: int) -> None:
    board = board_of(side)
    draws = np.random.default_rng(1).random((50, sum(draws_of(board))))
    puzzle = puzzle_of(side)
    for cells, digits in zip(*symmetries(draws, board), strict=True):
        turned = digits[puzzle.grid.ravel()[cells]].reshape(side, side).astype(np.int8)
        answer = digits[answer_of(puzzle).ravel()[cells]].reshape(side, side).astype(np.int8)
        assert LATTICE.verify(Puzzle(turned), answer).verified


@pytest.mark.parametrize("side", SIDES)
def test_tokens_come_back_from_every_view(side: int) -> None:
    puzzle = puzzle_of(side)
    shape = puzzle.grid.shape
    tokens = LATTICE.encode(puzzle.grid)
    assert tokens.shape == (side**3,)
    assert np.array_equal(LATTICE.decode(tokens, shape), puzzle.grid)
    views = LATTICE.views(puzzle, np.random.default_rng(0))
    assert np.array_equal(next(views).apply(tokens), tokens)
    for view in islice(views, 5):
        seen = view.apply(tokens)
        assert np.array_equal(LATTICE.decode_view(seen, view, shape), puzzle.grid)
        turned = LATTICE.decode(seen, shape)
        assert count_solutions(turned, budget=100) == 1


@pytest.mark.parametrize("side", SIDES)
def test_lines_and_answers_use_the_same_characters(side: int) -> None:
    puzzle = puzzle_of(side)
    answer = answer_of(puzzle)
    line = LATTICE.line(answer)
    assert len(line) == side**2 and set(line) == set(board_of(side).digits)
    assert np.array_equal(LATTICE.read_answer(line, puzzle), answer)
    spread = " | ".join(line.lower())
    assert np.array_equal(LATTICE.read_answer(spread, puzzle), answer)


@pytest.mark.parametrize("difficulty", DIFFICULTIES_OF_ANY_SIZE)
@pytest.mark.parametrize("side", [4, 6, 8, 10])
def test_made_puzzles_have_one_solution_and_their_difficulty(side: int, difficulty: str) -> None:
    for puzzle in islice(generate_on(board_of(side), difficulty, 3), 3):
        assert list(map(np.ndarray.tolist, solutions(puzzle.grid))) == [answer_of(puzzle).tolist()]
        assert difficulty == "hard" or singles_suffice(puzzle.grid)
        if difficulty == "easy":
            clues = np.count_nonzero(puzzle.grid) / puzzle.grid.size
            least, most = EASY_SHARE
            assert clues >= least - 1 / puzzle.grid.size
            assert side < 6 or clues <= most + 1 / puzzle.grid.size
        else:
            without = puzzle.grid.copy()
            cell = np.flatnonzero(without)[0]
            without.flat[cell] = 0
            is_clear = singles_suffice if difficulty == "medium" else _has_one_solution
            assert not is_clear(without)


def _has_one_solution(grid: Grid) -> bool:
    return count_solutions(grid) == 1


def test_the_same_seed_makes_the_same_puzzles_and_grids_differ() -> None:
    one = [answer_of(puzzle).tolist() for puzzle in islice(generate_on(board_of(6), "easy", 1), 20)]
    two = [answer_of(puzzle).tolist() for puzzle in islice(generate_on(board_of(6), "easy", 1), 20)]
    assert one == two
    assert len({str(grid) for grid in one}) == 20


def test_nine_by_nine_comes_from_the_compiled_search() -> None:
    assert puzzle_of(9).rating == 0


@pytest.mark.parametrize("difficulty", ["extreme", "mixed"])
def test_other_sizes_are_not_rated(difficulty: str) -> None:
    with pytest.raises(UsageError, match="Sudokus of 6 x 6 are easy, medium, hard"):
        generate_on(board_of(6), difficulty, 0)


@pytest.mark.parametrize("size", [(7, 7), (6, 4), (25, 25)])
def test_other_boards_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="there is no Sudoku"):
        SudokuLattice().on_board(*size)
    with pytest.raises(UsageError, match="there is no Sudoku"):
        LATTICE.generate_sized("easy", 0, size)


def test_a_task_learns_boards_of_its_size_alone() -> None:
    task = SudokuLattice().on_board(4, 4)
    grid = puzzle_of(4).grid
    assert task.pad_to_board(grid) is grid
    with pytest.raises(PuzzleError, match="a Sudoku of 4 x 4, where networks learn 9 x 9"):
        LATTICE.pad_to_board(grid)


def test_the_paper_s_tokens_are_of_nine_by_nine() -> None:
    paper = get_task("sudoku", 11)
    assert not paper.unsupported(puzzle_of(9))
    assert "6 x 6" in paper.unsupported(puzzle_of(6))
    assert not LATTICE.unsupported(puzzle_of(6))
    for shape in ((7, 7), (4, 6)):
        assert "a Sudoku has 4 x 4" in LATTICE.unsupported(Puzzle(np.zeros(shape, np.int8)))


@pytest.mark.parametrize("side", SIDES)
def test_hopeless_and_ambiguous_puzzles_are_diagnosed(side: int) -> None:
    puzzle = puzzle_of(side)
    assert LATTICE.diagnose(puzzle).solutions == 1
    wrong = answer_of(puzzle).copy()
    wrong[0, 0] = 0
    wrong[0, 1] = 0
    wrong[0, 0] = answer_of(puzzle)[0, 1]
    assert LATTICE.diagnose(Puzzle(wrong)).solutions == 0
    assert LATTICE.diagnose(Puzzle(np.zeros((side, side), np.int8))).solutions in (2, None)


def cycle_of(puzzle: Puzzle, candidates: bool) -> Cycle:
    shape = puzzle.grid.shape
    side = len(puzzle.grid)
    possible = LATTICE.encode(puzzle.grid).reshape(side, side, side) == 1
    return Cycle(
        puzzle=puzzle,
        number=1,
        limit=16,
        view=1,
        views=1,
        grid=puzzle.grid,
        confidence=np.ones(shape, np.float32),
        changed=np.zeros(shape, np.bool_),
        faulty=np.zeros(shape, np.bool_),
        violations=1,
        halt=0.5,
        candidates=possible if candidates else None,
    )


@pytest.mark.parametrize("candidates", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_drawings_frame_the_boxes(side: int, candidates: bool) -> None:
    board = board_of(side)
    cycle = cycle_of(puzzle_of(side), candidates)
    for plain in (False, True):
        lines = LATTICE.paint(cycle, plain)
        widths = {len("".join(piece for piece, _ in line)) for line in lines}
        assert widths == {2 * side + 2 * board.box_rows + 1}
        assert len(lines) == side + board.box_columns + 1
    large = LATTICE.paint_large(cycle)
    assert (large is None) is (side > USUAL.side)
    if large is not None:
        assert {len("".join(piece for piece, _ in line)) for line in large} == {8 * side + 1}
        assert len(large) == 4 * side + 1


def test_a_small_board_as_it_is_drawn() -> None:
    grid = np.array([int(cell) if cell != "." else 0 for cell in SMALL], np.int8).reshape(4, 4)
    drawn = [
        "".join(piece for piece, _ in line)
        for line in LATTICE.paint(cycle_of(Puzzle(grid), candidates=False), plain=True)
    ]
    assert drawn == [
        "+-----+-----+",
        "| 3 . | . 2 |",
        "| . . | 3 4 |",
        "+-----+-----+",
        "| . 3 | . . |",
        "| . . | 2 . |",
        "+-----+-----+",
    ]


def test_sixteen_candidates_are_sixteen_dots() -> None:
    assert dots([True] * 16) == "⣿⣿"
    only_last = [False] * 15 + [True]
    assert dots(only_last) == " ⢀"
    only_fifth = [number == 4 for number in range(16)]
    assert dots(only_fifth) == "⠂ "


def test_arrays_of_all_sizes_are_puzzles_and_others_are_not() -> None:
    with pytest.raises(PuzzleError, match="7 x 7 cells; a Sudoku has 4 x 4, 6 x 6"):
        LATTICE.puzzle_of(np.zeros((7, 7), np.int64))
    with pytest.raises(PuzzleError, match="cells are from 0 to 4"):
        LATTICE.puzzle_of(np.full((4, 4), 5))
