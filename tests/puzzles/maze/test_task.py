"""The maze task: rules against brute force, tokens, symmetries, and how answers come about."""

import io
from collections.abc import Iterator
from dataclasses import astuple
from itertools import islice, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.mazes import (
    FLOW,
    MAZE,
    VIEWS,
    Place,
    View,
    all_clothes,
    as_keys,
    at,
    by_the_rule,
    grid,
    made,
    neighbours,
    place_of,
    questions,
    steps_from,
)
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.maze.cells import DOWN, FLOOR, GOAL, LEFT, PATH, RIGHT, START, STEPS, UP, WALL
from trmsolve.puzzles.maze.generate import DIFFICULTIES, generate_mazes
from trmsolve.puzzles.maze.labels import label, point, spread
from trmsolve.puzzles.maze.rules import distance
from trmsolve.puzzles.maze.symmetry import grid_symmetry, turn
from trmsolve.puzzles.maze.task import BOARD, Maze, MazeFlow
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import NEVER, Grid, Puzzle

BOTH = pytest.mark.parametrize("task", [MAZE, FLOW], ids=["padded", "flow"])
SEEDS = st.integers(0, 2**32 - 1)
FLOW_TOKENS = "_# SGo" + "vlr^" + "VLRA" + "1234"
"""A character for each token of ``MazeFlow``.

Arrows are small letters on floor, capitals on the path, and numbers on the start.
"""


@st.composite
def grids(draw: st.DrawFn, most: int = 30, contents: int = 5) -> Grid:
    """Any contents in any cells: what a network may say."""
    shape = draw(st.integers(1, most)), draw(st.integers(1, most))
    return np.random.default_rng(draw(SEEDS)).integers(0, contents, shape).astype(np.int8)


def marked(question: Grid, path: tuple[Place, ...]) -> Grid:
    answer = question.copy()
    for place in path:
        answer[place] = PATH
    return answer


def all_paths(question: Grid) -> Iterator[tuple[Place, ...]]:
    """Every way from start to goal that never comes beside itself: the cells between the ends."""

    def go_on(way: tuple[Place, ...]) -> Iterator[tuple[Place, ...]]:
        if way[-1] == goal:
            yield way[1:-1]
            return
        for there in neighbours(question, way[-1]):
            if (
                there not in way
                and sum(beside in way for beside in neighbours(question, there)) == 1
            ):
                yield from go_on((*way, there))

    goal = place_of(question, GOAL)
    yield from go_on((place_of(question, START),))


# The rules.


@st.composite
def small_questions(draw: st.DrawFn) -> Grid:
    """At most 12 cells, so that every marking of their floor can be tried."""
    rows, columns = draw(
        st.sampled_from([(1, 2), (1, 6), (2, 2), (2, 5), (3, 3), (3, 4), (4, 3), (6, 2)])
    )
    rng = np.random.default_rng(draw(SEEDS))
    question = np.where(
        rng.random((rows, columns)) < draw(st.sampled_from([0, 0.15, 0.3])), WALL, FLOOR
    )
    question.flat[rng.permutation(rows * columns)[:2]] = START, GOAL
    return question.astype(np.int8)


@settings(deadline=None, max_examples=15)
@given(small_questions())
def test_of_all_markings_the_paths_are_valid_and_the_shortest_of_them_verified(
    question: Grid,
) -> None:
    paths = {frozenset(path) for path in all_paths(question)}
    least = min(map(len, paths), default=0)
    floor = [(int(row), int(column)) for row, column in np.argwhere(question == FLOOR)]
    for chosen in product((False, True), repeat=len(floor)):
        path = tuple(place for place, taken in zip(floor, chosen, strict=True) if taken)
        answer = marked(question, path)
        verdict, relaxed = (
            MAZE.verify(Puzzle(question), answer),
            MAZE.accepting_any_valid().verify(Puzzle(question), answer),
        )
        assert verdict.valid == (frozenset(path) in paths)
        assert verdict.verified == verdict.optimal == (verdict.valid and len(path) == least)
        assert (verdict.reason == "") == verdict.verified
        assert (relaxed.verified, relaxed.valid, relaxed.optimal) == (
            verdict.valid,
            verdict.valid,
            verdict.optimal,
        )
        for task, said in ((MAZE, verdict), (MAZE.accepting_any_valid(), relaxed)):
            faulty, number = task.faults(Puzzle(question), answer)
            assert (number == 0) == said.verified and faulty.sum() <= max(number, 0)


@pytest.mark.parametrize("kind", DIFFICULTIES)
@pytest.mark.parametrize("size", [(3, 3), (9, 14)])
def test_a_right_answer_with_any_one_cell_changed_is_refused(
    kind: str, size: tuple[int, int]
) -> None:
    """Also another shortest path differs in two cells or more."""
    for puzzle in made(kind, 2, size):
        question, answer = puzzle.grid, puzzle.answer
        assert answer is not None and MAZE.verify(Puzzle(question), answer).verified
        for (row, column), content in np.ndenumerate(answer):
            for other in {WALL, FLOOR, START, GOAL, PATH} - {content}:
                wrong = answer.copy()
                wrong[row, column] = other
                for task in (MAZE, MAZE.accepting_any_valid()):
                    verdict = task.verify(Puzzle(question), wrong)
                    assert (verdict.verified, verdict.valid, verdict.optimal) == (
                        False,
                        False,
                        False,
                    )
                assert verdict.reason and MAZE.faults(Puzzle(question), wrong)[1] > 0
                if question[row, column] != FLOOR or other != PATH:
                    assert verdict.reason.startswith("the ") or content == PATH
                    assert MAZE.faults(Puzzle(question), wrong)[0].any()


def connected(question: Grid, answer: Grid) -> bool:
    """The definition in other words: the marks form one line from the start to the goal."""
    if ((question != answer) & ~((question == FLOOR) & (answer == PATH))).any():
        return False
    cells = {(int(r), int(c)) for r, c in np.argwhere(np.isin(answer, (START, GOAL, PATH)))}
    beside = {
        cell: [other for other in neighbours(answer, cell) if other in cells] for cell in cells
    }
    seen, edge = set[Place](), [place_of(answer, START)]
    while edge:
        cell = edge.pop()
        seen.add(cell)
        edge += [other for other in beside[cell] if other not in seen]
    ends = {place_of(answer, START), place_of(answer, GOAL)}
    return seen == cells and all(
        len(around) == 2 - (cell in ends) for cell, around in beside.items()
    )


@settings(deadline=None, max_examples=150)
@given(questions(), SEEDS, st.integers(0, 4), st.integers(0, 4))
def test_random_answers_are_judged_as_by_the_definition(
    question: Grid, seed: int, marks: int, changes: int
) -> None:
    rng, answer = np.random.default_rng(seed), by_the_rule(question)
    for content, number in ((PATH, marks), (None, changes)):
        for place in rng.integers(0, question.size, number):
            answer.flat[place] = rng.integers(0, 5) if content is None else content
    verdict = MAZE.verify(Puzzle(question), answer)
    assert verdict.valid == connected(question, answer)
    least = steps_from(question, place_of(question, START)).get(place_of(question, GOAL))
    assert (
        verdict.optimal
        == verdict.verified
        == (verdict.valid and (answer == PATH).sum() + 1 == least)
    )
    assert (MAZE.faults(Puzzle(question), answer)[1] == 0) == verdict.verified


OPEN = grid("S  #", "    ", "   G")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (("S  #", "    ", "   G"), "no path leaves the start"),
        (("S  #", "    ", "  oG"), "no path leaves the start"),
        (("So #", "    ", "   G"), "the path ends at row 1, column 2"),
        (("So #", " oo ", "   G"), "the path ends at row 2, column 3"),
        (("S  #", "o   ", "o oG"), "the path ends at row 3, column 1"),  # a gap
        (("So #", "o   ", "oooG"), "the path branches at row 1, column 1"),
        (
            ("S  #", "oo  ", "oooG"),
            "the path branches at row 2, column 1",
        ),  # it comes beside itself
        (("Soo#", "  oo", "  oG"), "the path branches at row 2, column 3"),
        (("S o#", "o   ", "oooG"), "row 1, column 3 is marked and not on the path"),
        (("S oo", "o   ", "oooG"), "the wall at row 1, column 4 became path"),
        (("Soo ", "  oo", "   G"), "the wall at row 1, column 4 became floor"),
        (("Soo#", " #oo", "   G"), "the floor at row 2, column 2 became wall"),
        ((" Soo", "  oo", "   G"), "the start at row 1, column 1 became floor"),
        (("oSo#", "  oo", "   G"), "the start at row 1, column 1 became path"),
        (("SSo#", "  oo", "   G"), "the floor at row 1, column 2 became start"),
        (("Soo#", "  o ", "  oo"), "the goal at row 3, column 4 became path"),
        (("Soo#", "  oG", "   G"), "the floor at row 2, column 4 became goal"),
        (("Goo#", "  oo", "   S"), "the start at row 1, column 1 became goal"),
        (("Soo#", "  oo", "   #"), "the goal at row 3, column 4 became wall"),
    ],
)
def test_the_reason_names_the_first_rule_that_fails_and_where(
    answer: tuple[str, ...], reason: str
) -> None:
    for task in (MAZE, FLOW, MAZE.accepting_any_valid()):
        verdict = task.verify(Puzzle(OPEN), grid(*answer))
        assert (verdict.verified, verdict.reason, verdict.valid, verdict.optimal) == (
            False,
            reason,
            False,
            False,
        )


def test_every_shortest_path_is_accepted_and_not_only_the_rule_s() -> None:
    paths = [path for path in all_paths(OPEN) if len(path) == 4]
    assert (
        len(paths) == 9
    )  # of the ten ways through an open board one takes the corner that is wall
    for path in paths:
        assert MAZE.verify(Puzzle(OPEN), marked(OPEN, path)).verified
    assert sum(np.array_equal(marked(OPEN, path), label(OPEN[None])[0]) for path in paths) == 1


RING = grid("S      ", "       ", "       ", "G      ")


@pytest.mark.parametrize(
    ("answer", "reason", "faults"),
    [
        (
            ("S   ooo", "o   o o", "o   ooo", "G      "),
            "row 1, column 5 is marked and not on the path",
            1,
        ),
        (
            ("S      ", "o    o ", "o      ", "G      "),
            "row 2, column 6 is marked and not on the path",
            1,
        ),
        (("Sooo   ", " o o   ", " ooo   ", "G      "), "the path branches at row 1, column 2", 2),
        (
            ("S oooo ", "o o  o ", "o oooo ", "Go     "),
            "row 1, column 3 is marked and not on the path",
            2,
        ),
    ],
)
def test_a_ring_is_no_part_of_a_path(answer: tuple[str, ...], reason: str, faults: int) -> None:
    verdict = MAZE.verify(Puzzle(RING), grid(*answer))
    assert (verdict.verified, verdict.valid, verdict.reason) == (False, False, reason)
    assert MAZE.faults(Puzzle(RING), grid(*answer))[1] == faults
    assert not MAZE.accepting_any_valid().verify(Puzzle(RING), grid(*answer)).verified


def test_a_detour_is_valid_and_verified_only_where_detours_are_accepted() -> None:
    detour = grid("Soo#", "  o ", "  oG")
    longer = grid("S  ooo ", "o  o o ", "oooo o ", "G    o ")
    assert MAZE.verify(Puzzle(OPEN), detour).verified
    way = grid("Sooo   ", "   o   ", "   o   ", "Gooo   ")
    for task, verified in (
        (MAZE, False),
        (FLOW, False),
        (MAZE.accepting_any_valid(), True),
        (FLOW.accepting_any_valid(), True),
    ):
        verdict = task.verify(Puzzle(RING), way)
        assert astuple(verdict) == (verified, "the path takes 9 steps, 3 are enough", True, False)
        faulty, number = task.faults(Puzzle(RING), way)
        assert not faulty.any() and number == (not verified)  # nothing is wrong with any cell
        assert not task.verify(Puzzle(RING), longer).verified
        shortest = grid("S      ", "o      ", "o      ", "G      ")
        assert astuple(task.verify(Puzzle(RING), shortest)) == (True, "", True, True)
    assert (
        type(FLOW.accepting_any_valid()) is MazeFlow
        and FLOW.accepting_any_valid().accept_detours
        and not FLOW.accept_detours
    )


def test_a_start_beside_the_goal_needs_no_mark_and_bears_none() -> None:
    question = grid("#   ", " SG ", "    ")
    assert distance(question) == 1
    assert astuple(MAZE.verify(Puzzle(question), question)) == (True, "", True, True)
    assert MAZE.faults(Puzzle(question), question)[1] == 0
    for path, reason in [
        (((1, 0),), "the path branches at row 2, column 2"),
        (((1, 3),), "row 2, column 4 is marked and not on the path"),
        (
            ((0, 1), (0, 2)),
            "the path branches at row 2, column 2",
        ),  # a way around is none: the ends are side by side
        (((2, 0),), "row 3, column 1 is marked and not on the path"),
    ]:
        for task in (MAZE, MAZE.accepting_any_valid()):
            verdict = task.verify(Puzzle(question), marked(question, path))
            assert (verdict.verified, verdict.valid, verdict.reason) == (False, False, reason)


def test_faults_mark_what_was_changed_loose_ends_and_branches() -> None:
    def faulty(*answer: str) -> list[list[int]]:
        cells, number = MAZE.faults(Puzzle(OPEN), grid(*answer))
        assert number == cells.sum()
        return (np.argwhere(cells) + 1).tolist()

    assert faulty("S  #", "    ", "   G") == [
        [1, 1],
        [3, 4],
    ]  # nothing leads from the start, nor to the goal
    assert faulty("So #", "    ", "   G") == [[1, 2], [3, 4]]
    assert faulty("Soo#", " ooo", "   G") == [
        [1, 2],
        [2, 3],
    ]  # both ends of where it touches itself
    assert faulty("Soo ", "  oo", "   G") == [[1, 4]]
    assert faulty(" So#", "  oo", "   G") == [[1, 1], [1, 2]]


@settings(deadline=None, max_examples=100)
@given(questions())
def test_distances_and_unsolvable_mazes_are_as_by_a_plain_search(question: Grid) -> None:
    least = steps_from(question, place_of(question, START)).get(place_of(question, GOAL))
    assert distance(question) == least
    said = "" if least is not None else "unsolvable: walls keep the start from the goal"
    assert (
        MAZE.reason_unsolvable(Puzzle(question)) == FLOW.reason_unsolvable(Puzzle(question)) == said
    )


def test_a_large_maze_is_measured_fast_enough_to_be_verified_each_cycle() -> None:
    empty = np.full((128, 128), FLOOR, np.int8)
    empty[0, 0], empty[-1, -1] = START, GOAL
    assert distance(empty) == 254
    assert MAZE.verify(Puzzle(empty), label(empty[None])[0]).verified


@settings(deadline=None)
@given(questions())
def test_the_wave_s_steps_are_as_by_a_plain_search(question: Grid) -> None:
    steps, known = spread(question[None])[0], steps_from(question, place_of(question, GOAL))
    assert steps.dtype == np.int32 and steps.shape == question.shape
    assert all(n == known.get(place, -1) for place, n in np.ndenumerate(steps))


def test_waves_go_through_many_mazes_at_once_and_from_no_goal_nowhere() -> None:
    several = np.stack([puzzle.grid for puzzle in made("sparse", 5, (7, 9))])
    assert np.array_equal(spread(several), np.concatenate([spread(one[None]) for one in several]))
    assert (spread(grid("S  ", " # ")[None]) == -1).all()


# Sizes and tokens.


@pytest.mark.parametrize(
    ("task", "fits", "too_large"),
    [
        (MAZE, [(1, 2), (30, 30), (3, 30), (30, 1)], [(31, 30), (30, 31), (31, 31), (3, 200)]),
        (FLOW, [(1, 2), (30, 30), (257, 257), (1, 257)], [(258, 257), (257, 258), (3, 1000)]),
    ],
    ids=["padded", "flow"],
)
def test_what_is_too_large_for_a_network_is_told_with_both_sizes(
    task: Maze, fits: list[tuple[int, int]], too_large: list[tuple[int, int]]
) -> None:
    largest = "30 x 30" if task is MAZE else "257 x 257"
    for shape in fits:
        assert task.unsupported(Puzzle(np.full(shape, FLOOR, np.int8))) == ""
    for rows, columns in too_large:
        size = f"{rows} rows and {columns} columns"
        said = f"too large: {size}; these weights support mazes up to {largest}: give a part of it"
        assert task.unsupported(Puzzle(np.full((rows, columns), FLOOR, np.int8))) == said
        assert (
            task.accepting_any_valid().unsupported(Puzzle(np.full((rows, columns), FLOOR, np.int8)))
            == said
        )


@BOTH
@pytest.mark.parametrize("shape", [(3, 3), (1, 30), (30, 7), (30, 30)])
def test_mazes_are_laid_in_the_corner_of_the_board_walls_around(
    task: Maze, shape: tuple[int, int]
) -> None:
    small = np.random.default_rng(0).integers(0, 5, shape).astype(np.int8)
    before, board = small.copy(), task.pad_to_board(small)
    assert board.shape == BOARD and board.dtype == np.int8
    assert np.array_equal(board[: shape[0], : shape[1]], small) and np.array_equal(small, before)
    board[: shape[0], : shape[1]] = WALL
    assert (board == WALL).all()


@BOTH
def test_what_is_larger_than_the_board_of_training_is_not_laid(task: Maze) -> None:
    with pytest.raises(
        PuzzleError, match=r"^too large: 31 rows and 8 columns; training uses boards of 30 x 30$"
    ):
        task.pad_to_board(np.full((31, 8), FLOOR, np.int8))


@settings(deadline=None)
@given(grids())
def test_padded_tokens_come_back_and_are_the_public_code_s(any_grid: Grid) -> None:
    rows, columns = any_grid.shape
    tokens = MAZE.encode(any_grid)
    assert tokens.shape == (900,) and tokens.dtype == np.int64
    assert np.array_equal(
        tokens.reshape(BOARD)[:rows, :columns], any_grid + 1
    )  # 0 is padding, then "# SGo"
    assert (tokens == 1).sum() == 900 - any_grid.size + (any_grid == WALL).sum()
    back = MAZE.decode(tokens, any_grid.shape)
    assert back.dtype == np.int8 and np.array_equal(back, any_grid)
    assert np.array_equal(
        MAZE.decode(MAZE.encode(MAZE.pad_to_board(any_grid)), any_grid.shape), any_grid
    )


@settings(deadline=None)
@given(grids(most=40))
def test_flow_tokens_lie_as_the_maze_does_and_come_back(any_grid: Grid) -> None:
    tokens = FLOW.encode(any_grid)
    assert (
        tokens.shape == any_grid.shape
        and tokens.dtype == np.int64
        and np.array_equal(tokens, any_grid + 1)
    )
    back = FLOW.decode(tokens.ravel(), any_grid.shape)  # an answer comes as a line
    assert back.dtype == np.int8 and np.array_equal(back, any_grid)


@BOTH
def test_many_are_encoded_at_once(task: Maze) -> None:
    several = np.random.default_rng(0).integers(0, 5, (2, 3, 8, 5)).astype(np.int8)
    tokens = task.encode(several)
    assert tokens.shape[:2] == (2, 3)
    for batch in range(2):
        for number in range(3):
            assert np.array_equal(tokens[batch, number], task.encode(several[batch, number]))


@settings(deadline=None)
@given(SEEDS, st.integers(1, 30), st.integers(1, 30))
def test_whatever_a_network_says_is_a_maze(seed: int, rows: int, columns: int) -> None:
    """Padding, which should not occur, is floor."""
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 6, 900)
    told = MAZE.decode(said, (rows, columns))
    assert told.dtype == np.int8 and MAZE.line(told) == MAZE.line(
        by_characters(said.reshape(30, 30)[:rows, :columns])
    )
    flow = rng.integers(0, 18, rows * columns)
    told = FLOW.decode(flow, (rows, columns))
    assert told.dtype == np.int8 and np.array_equal(
        told, by_characters(flow.reshape(rows, columns))
    )


def by_characters(tokens: NDArray[np.int64]) -> Grid:
    """Arrows on floor are floor, those of path and start are path and start."""
    return grid(*("".join(" # SGo    ooooSSSS"[token] for token in row) for row in tokens.tolist()))


def test_sizes_of_both_vocabularies() -> None:
    assert (MAZE.vocab_size, FLOW.vocab_size, len(FLOW_TOKENS)) == (6, 18, 18)
    assert MAZE.seq_len == FLOW.seq_len == 900 and MAZE.candidates == FLOW.candidates == 1
    assert (
        type(get_task("maze")) is type(get_task("maze", 6)) is Maze
        and type(get_task("maze", 18)) is MazeFlow
    )
    assert set(MAZE.training_kinds) <= set(MAZE.difficulties) == set(DIFFICULTIES)


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30))
def test_what_belongs_to_tokens_is_told_by_cell(rows: int, columns: int) -> None:
    places = np.arange(900)
    assert np.array_equal(
        MAZE.cells(places, (rows, columns)), np.arange(900).reshape(30, 30)[:rows, :columns]
    )
    values = np.arange(rows * columns) / 7
    assert np.array_equal(FLOW.cells(values, (rows, columns)), values.reshape(rows, columns))


@BOTH
def test_text_line_and_the_way_through_a_file(task: Maze) -> None:
    answer = grid("S #", "o #", "ooG")
    assert task.text(answer) == "S #\no #\nooG" and task.line(grid(*["S  ", "  G"])) == "S  /  G"
    (puzzle,) = task.read(io.BytesIO(b"S.#\n..#\n..G\n"), "f")
    assert isinstance(puzzle, Puzzle) and np.array_equal(puzzle.grid, grid("S #", "  #", "  G"))
    assert task.write(answer, puzzle.form) == "S.#\no.#\nooG\n"
    assert task.diagnose(puzzle).remark == ""


# Views.


@settings(deadline=None)
@given(questions())
def test_the_views_are_the_symmetries_of_the_rectangle_with_ends_as_they_are_or_swapped(
    question: Grid,
) -> None:
    assert as_keys([view.apply(question) for view in VIEWS]) == as_keys(all_clothes(question))


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_sixteen_different_views_come_first_the_maze_as_given_before_all(seed: int) -> None:
    views = numbered(MAZE, seed)
    assert views[0] == View() and set(views[:16]) == set(VIEWS)
    assert set(views[16:31]) == set(VIEWS[1:])  # and once more
    assert views == numbered(FLOW, seed)
    assert views[1:16] != views[16:31] or seed == 0


def numbered(task: Maze, seed: int) -> list[View]:
    """The first 40 views of a maze of four rows and five columns."""
    empty = Puzzle(np.full((4, 5), FLOOR, np.int8))
    known = {}
    for view in VIEWS:
        symmetry = task.view((4, 5), view.symmetry, view.swapped)
        known[symmetry.cells.tobytes(), symmetry.values.tobytes()] = view
    assert len(known) == 16
    found = islice(task.views(empty, np.random.default_rng(seed)), 40)
    return [known[one.cells.tobytes(), one.values.tobytes()] for one in found]


@BOTH
@settings(deadline=None)
@given(grids(most=9), st.sampled_from(VIEWS))
def test_views_of_tokens_are_those_of_the_maze(task: Maze, any_grid: Grid, view: View) -> None:
    symmetry = task.view(any_grid.shape, view.symmetry, view.swapped)
    seen = symmetry.apply(task.encode(any_grid))
    assert np.array_equal(seen, task.encode(view.apply(any_grid)))
    assert np.array_equal(task.decode_view(seen.ravel(), symmetry, any_grid.shape), any_grid)
    said = np.random.default_rng(any_grid.size).integers(0, task.vocab_size, seen.size)
    turned = task.decode(said, view.apply(any_grid).shape)
    back = task.decode_view(said, symmetry, any_grid.shape)
    assert np.array_equal(back, view.undo(turned))


@settings(deadline=None)
@given(grids(most=9), st.sampled_from(VIEWS))
def test_a_view_and_its_inverse_are_the_identity(any_grid: Grid, view: View) -> None:
    seen = view.apply(any_grid)
    assert seen.dtype == np.int8 and sorted(seen.shape) == sorted(any_grid.shape)
    back = view.undo(seen)
    assert back.dtype == np.int8 and np.array_equal(back, any_grid)
    places = places_of(any_grid)
    seen_places = turn(places, view.symmetry)  # where each cell of the view comes from
    belonging = np.random.default_rng(0).random(any_grid.shape, np.float32)
    symmetry = grid_symmetry(any_grid.shape, view.symmetry, view.swapped)
    turned = belonging.ravel()[seen_places].ravel()
    assert np.array_equal(symmetry.undo_cells(turned), belonging.ravel())
    contents = any_grid.ravel()[seen_places]
    assert np.array_equal(contents, seen) or view.swapped
    swaps = {START: GOAL, GOAL: START}
    assert seen.tolist() == [
        [swaps.get(c, c) if view.swapped else c for c in row] for row in contents.tolist()
    ]


def places_of(any_grid: Grid) -> NDArray[np.int64]:
    """A number for each cell."""
    return np.arange(any_grid.size).reshape(any_grid.shape)


def leads_to(arrows: NDArray[np.int8], places: NDArray[np.int64]) -> dict[int, int]:
    """Maps each place with an arrow to the place it leads to, by the layout ``places``."""
    found = {}
    for row, column in np.argwhere(arrows).tolist():
        down, right = STEPS[arrows[row, column]]
        assert row + down >= 0 and column + right >= 0
        found[int(places[row, column])] = int(places[row + down, column + right])
    return found


@settings(deadline=None)
@given(questions(), st.sampled_from(VIEWS))
def test_arrows_turned_back_lead_the_same_ways(question: Grid, view: View) -> None:
    """To the goal, or in a swapped view, where the model went to the start, to the start."""
    seen = view.apply(question)
    arrows = point(seen[None])[0]
    back = view.undo_arrows(arrows)
    assert back.dtype == np.int8 and back.shape == question.shape
    places = places_of(question)
    assert leads_to(back, places) == leads_to(arrows, turn(places, view.symmetry))
    steps = steps_from(question, place_of(question, START if view.swapped else GOAL))
    assert {place for place, arrow in np.ndenumerate(back) if arrow} == {
        place for place, n in steps.items() if n
    }
    for (row, column), arrow in np.ndenumerate(back):
        if arrow:
            assert steps[row + STEPS[arrow][0], column + STEPS[arrow][1]] == steps[row, column] - 1


def test_each_direction_turns_as_the_eye_says() -> None:
    arrows = np.array([[DOWN, LEFT, RIGHT, UP, 0]], np.int8)
    quarter = View(1)  # counter-clockwise
    assert quarter.apply(np.array([[1, 2, 3]], np.int8)).tolist() == [[3], [2], [1]]
    seen = np.rot90(np.array([[RIGHT, DOWN, UP, LEFT, 0]], np.int8))  # what was down is right
    assert quarter.undo_arrows(seen).tolist() == arrows.tolist()
    assert View().undo_arrows(arrows).tolist() == arrows.tolist()
    assert View(2).undo_arrows(arrows[:, ::-1]).tolist() == [[UP, RIGHT, LEFT, DOWN, 0]]
    assert View(4).undo_arrows(arrows.T).tolist() == [[RIGHT, UP, DOWN, LEFT, 0]]  # transposed


@settings(deadline=None)
@given(grids(most=8), st.sampled_from(VIEWS))
def test_a_network_s_arrows_are_told_in_the_puzzle_s_own_frame(any_grid: Grid, view: View) -> None:
    """Wherever it says one: on floor, on the path, at a start."""
    shape = view.apply(any_grid).shape
    said = np.random.default_rng(any_grid.size).integers(0, 18, any_grid.size)
    directions = np.array([0] * 6 + [DOWN, LEFT, RIGHT, UP] * 3, np.int8)[said].reshape(shape)
    symmetry = FLOW.view(any_grid.shape, view.symmetry, view.swapped)
    told = FLOW.arrows(symmetry.undo(said), any_grid.shape)
    assert told is not None and told.shape == any_grid.shape
    assert np.array_equal(told, view.undo_arrows(directions))
    assert MAZE.arrows(said, shape) is None


# Symmetries of the board, for training.


def every_symmetry(task: Maze) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    draws = np.array(
        [(symmetry / 8 + 0.01, swapped / 2) for swapped in (0, 1) for symmetry in range(8)]
    )
    assert task.symmetry_draws == draws.shape[1]
    return task.symmetries(draws)


@BOTH
def test_symmetries_of_the_board_are_the_views(task: Maze) -> None:
    (puzzle,) = made("hard", 1, BOARD)
    tokens = task.encode(puzzle.grid).ravel()
    places, names = every_symmetry(task)
    assert places.shape == (16, 900) and names.shape == (16, task.vocab_size)
    turned = np.take_along_axis(names, np.take_along_axis(np.tile(tokens, (16, 1)), places, 1), 1)
    for view, seen in zip(VIEWS, turned, strict=True):
        assert np.array_equal(seen, task.encode(view.apply(puzzle.grid)).ravel())
    highest = task.symmetries(np.full((1, 2), np.nextafter(1, 0)))
    assert np.array_equal(highest[0][0], places[15]) and np.array_equal(highest[1][0], names[15])


@BOTH
def test_draws_of_symmetries_are_even(task: Maze) -> None:
    draws = np.random.default_rng(0).random((1600, 2))
    places, names = task.symmetries(draws)
    drawn = np.unique(np.concatenate((places[:, :31], names), 1), axis=0, return_counts=True)[1]
    assert len(drawn) == 16 and drawn.min() > 60


@BOTH
def test_a_turned_question_gets_the_rule_s_own_answer_to_it(task: Maze) -> None:
    """It often differs from the turned answer: the rule prefers down, left, right, then up."""
    others, right = 0, 0
    for puzzle in [*made("sparse", 2, BOARD), *made("hard", 2, BOARD)]:
        question, answer = puzzle.grid, puzzle.answer
        assert answer is not None
        places, names = every_symmetry(task)
        tokens, labels = (
            np.take_along_axis(
                names, np.take_along_axis(np.tile(task.encode(part).ravel(), (16, 1)), places, 1), 1
            )
            for part in (question, answer)
        )
        relabelled = task.relabel_after_augmentation(tokens, labels)
        assert relabelled.shape == (16, 900) and relabelled.dtype == np.int64
        for view, own, turned in zip(VIEWS, relabelled, labels, strict=True):
            seen = view.apply(question)
            told = task.decode(own, BOARD)
            assert np.array_equal(told, label(seen[None])[0])
            right += MAZE.verify(Puzzle(question), view.undo(told)).verified
            others += not np.array_equal(told, task.decode(turned, BOARD))
    assert right == 64 and 30 < others < 64


@settings(deadline=None)
@given(questions(), st.sampled_from(VIEWS))
def test_symmetric_mazes_have_one_form_whatever_their_path(question: Grid, view: View) -> None:
    answer = by_the_rule(question)
    form = MAZE.canonical(question)
    assert isinstance(form, bytes) and len(form) == 32
    assert (
        form
        == MAZE.canonical(answer)
        == MAZE.canonical(view.apply(question))
        == FLOW.canonical(view.apply(answer))
    )
    assert (
        len(
            {
                *MAZE.invariant(np.stack([question, answer])).tolist(),
                *MAZE.invariant(view.apply(answer)[None]),
            }
        )
        == 1
    )


TINY = st.tuples(st.sampled_from([(1, 4), (2, 2), (2, 3), (1, 6), (3, 2)]), SEEDS)


@settings(deadline=None, max_examples=150)
@given(TINY, TINY)
def test_other_mazes_have_other_forms(
    one: tuple[tuple[int, int], int], other: tuple[tuple[int, int], int]
) -> None:
    """Exactly the sixteen symmetries are left out of account: compared by brute force."""
    mazes = []
    for shape, seed in (one, other):
        rng = np.random.default_rng(seed)
        cells = np.full(shape, FLOOR, np.int8)
        cells.flat[rng.permutation(cells.size)[:3]] = START, GOAL, WALL
        mazes.append(cells)
    alike = bool(as_keys(all_clothes(mazes[0])) & as_keys(all_clothes(mazes[1])))
    assert (MAZE.canonical(mazes[0]) == MAZE.canonical(mazes[1])) == alike
    assert (MAZE.invariant(mazes[0][None]) == MAZE.invariant(mazes[1][None])).all() == alike


def test_the_same_cells_in_rows_of_another_length_are_another_maze() -> None:
    line, block = grid("S  #G "), grid("S  ", "#G ")
    assert line.tobytes() == block.tobytes() and MAZE.canonical(line) != MAZE.canonical(block)


# How answers come about.


def searches(question: Grid) -> Iterator[NDArray[np.int64]]:
    """The tokens after 0, 1, 2... steps.

    First a wave goes from the goal, a cell a step, and then the path, a cell a step.

    A cell that the wave reaches points at the first of down, left, right, up that it had reached
    before.
    """
    tokens, goal, start = (
        question.astype(np.int64) + 1,
        place_of(question, GOAL),
        place_of(question, START),
    )
    arrows: dict[Place, int] = {}
    reached, here, end = {goal}, start, start not in steps_from(question, goal)
    yield tokens.copy()
    while True:
        fresh = {}
        for cell in {
            beside for place in reached for beside in neighbours(question, place)
        } - reached:
            row, column = cell
            fresh[cell] = next(
                d for d in range(1, 5) if (row + STEPS[d][0], column + STEPS[d][1]) in reached
            )
        walks = here in arrows and not end
        for (row, column), arrow in fresh.items():
            tokens[row, column] = (
                (FLOW_TOKENS.index("1") if (row, column) == start else FLOW_TOKENS.index("v"))
                + arrow
                - 1
            )
        if walks:
            here = here[0] + STEPS[arrows[here]][0], here[1] + STEPS[arrows[here]][1]
            end = here == goal
            if not end:
                tokens[here] = FLOW_TOKENS.index("V") + arrows[here] - 1
        arrows |= fresh
        reached |= fresh.keys()
        if not fresh and (end or not walks):
            return
        yield tokens.copy()


def check_course(question: Grid) -> int:
    board = FLOW.pad_to_board(question)
    tokens = FLOW.encode(board).reshape(1, 900)
    trajectory = FLOW.trajectory(tokens)
    assert trajectory.stages.shape == trajectory.available_from.shape == (1, 3, 900)
    assert trajectory.stages.dtype == np.int64 and trajectory.available_from.dtype == np.int32
    assert (
        (np.diff(trajectory.available_from, axis=1) >= 0).all()
        and (trajectory.available_from[:, 0] == 0).all()
        and trajectory.available_from.max() <= NEVER
    )
    steps = 0
    for steps, said in enumerate(searches(board)):
        assert np.array_equal(at(trajectory, steps)[0].reshape(BOARD), said), steps
    last = at(trajectory, NEVER - 1)
    assert np.array_equal(last, said.reshape(1, 900)) and np.array_equal(
        last, FLOW.relabel_after_augmentation(tokens, tokens)
    )
    assert np.array_equal(FLOW.decode(last[0], BOARD), by_the_rule(board))
    return steps


@settings(deadline=None, max_examples=40)
@given(questions())
def test_answers_come_about_as_the_wave_spreads_and_the_path_grows(question: Grid) -> None:
    check_course(question)


@pytest.mark.parametrize("kind", DIFFICULTIES)
def test_answers_to_large_mazes_come_about_so_too(kind: str) -> None:
    for puzzle in made(kind, 2, BOARD):
        assert puzzle.rating is not None
        assert check_course(puzzle.grid) >= 2 * puzzle.rating - 1  # there and back again


def test_a_small_maze_step_by_step() -> None:
    question = grid("S #", "   ", "##G")
    trajectory = FLOW.trajectory(FLOW.encode(FLOW.pad_to_board(question)).reshape(1, 900))
    said = [
        [
            "".join(FLOW_TOKENS[token] for token in row[:3])
            for row in at(trajectory, steps)[0].reshape(BOARD)[:3].tolist()
        ]
        for steps in range(8)
    ]
    assert said == [
        ["S #", "   ", "##G"],
        ["S #", "  v", "##G"],
        ["S #", " rv", "##G"],
        ["Sv#", "rrv", "##G"],
        ["1v#", "rrv", "##G"],
        ["1v#", "Rrv", "##G"],
        ["1v#", "RRv", "##G"],
        ["1v#", "RRV", "##G"],
    ]
    assert np.array_equal(at(trajectory, 7), at(trajectory, NEVER - 1))


def test_what_has_no_way_is_never_marked() -> None:
    question = grid("S# ", " #G", " # ")
    tokens = FLOW.encode(FLOW.pad_to_board(question)).reshape(1, 900)
    last = at(FLOW.trajectory(tokens), NEVER - 1)[0].reshape(BOARD)
    assert "".join(FLOW_TOKENS[token] for token in last[:3, :3].ravel()) == "S#v #G #^"


def test_courses_of_many_are_those_of_each() -> None:
    boards = FLOW.encode(
        np.stack([puzzle.grid for puzzle in made("mixed", 6, BOARD) if puzzle.grid.shape == BOARD])
    )
    tokens = boards.reshape(-1, 900)
    assert len(tokens) > 1
    together, alone = FLOW.trajectory(tokens), [FLOW.trajectory(one[None]) for one in tokens]
    assert np.array_equal(together.stages, np.concatenate([one.stages for one in alone]))
    assert np.array_equal(
        together.available_from, np.concatenate([one.available_from for one in alone])
    )


def test_padded_tokens_cannot_tell_of_a_search() -> None:
    assert MAZE.trajectory(MAZE.encode(OPEN)[None]) is None


# Making.


@BOTH
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("labyrinth", 0),
            "difficulty must be one of hard, sparse, perfect, mixed, not 'labyrinth'",
        ),
        (("hard", -1), "seed must not be negative: -1"),
        (("hard", 0, (2, 9)), "the size of a maze must be from 3 x 3 to 200 x 200, not 2 x 9"),
        (("sparse", 0, (5, 5), 9, 3), "least must not be more than most: 9 and 3 steps"),
        (("sparse", 0, (5, 5), 400), "no 5 x 5 maze of this kind has a shortest path of 400 steps"),
    ],
)
def test_what_cannot_be_made_is_a_usage_error(
    task: Maze, arguments: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        next(task.generate_sized(*arguments))


def test_what_is_not_found_is_a_usage_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trmsolve.puzzles.maze.generate.LAYOUTS", 50)
    with pytest.raises(
        UsageError, match="none of 50 sparse layouts of 9 x 9 gave a maze of 40 to 40 steps"
    ):
        next(MAZE.generate_sized("sparse", 0, (9, 9), 40, 40))


@BOTH
def test_made_mazes_are_those_of_the_generator_with_answers_the_rules_accept(task: Maze) -> None:
    for ours, puzzle in zip(
        islice(task.generate_sized("mixed", 3, (9, 7), 2, 30), 10),
        generate_mazes("mixed", 3, (9, 7), 2, 30),
        strict=False,
    ):
        assert np.array_equal(ours.grid, puzzle.grid) and ours.rating == puzzle.rating
        assert ours.answer is not None and task.verify(ours, ours.answer).verified
