"""Making mazes: each kind's promises, every option and error, the same mazes for a seed."""

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mazes import by_the_rule, neighbours, place_of, steps_from
from trmsolve.puzzles.maze import generate as maze_generate
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.puzzles.maze.generate import (
    DIFFICULTIES,
    default_least,
    generate_mazes,
    longest_possible,
)
from trmsolve.puzzles.values import Grid, Puzzle

SHAPES = [(3, 3), (3, 4), (4, 4), (5, 3), (6, 9), (3, 40), (21, 14), (30, 30)]


@cache
def made(kind: str, number: int = 300, seed: int = 7) -> list[Puzzle]:
    """Some of the kind, 30x30."""
    return list(islice(generate_mazes(kind, seed), number))


def density(question: Grid) -> float:
    return float((question == WALL).mean())


def check(puzzle: Puzzle) -> None:
    """Check a question and its answer.

    There is one start, one goal and the rule's path between them, whose length is the rating.
    """
    question, answer = puzzle.grid, puzzle.answer
    assert answer is not None and question.dtype == answer.dtype == np.int8
    assert question.flags.c_contiguous and question.base is None
    assert (question == START).sum() == (question == GOAL).sum() == 1 and question.max() == GOAL
    steps = steps_from(question, place_of(question, START))
    assert puzzle.rating == steps[place_of(question, GOAL)] == (answer == PATH).sum() + 1
    assert np.array_equal(answer, by_the_rule(question))


def floor_of(question: Grid) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in np.argwhere(question != WALL)]


def is_perfect(question: Grid) -> bool:
    """A tree: all cells connected, and ways from cell to cell one fewer than cells."""
    floor = floor_of(question)
    ways = sum(len(neighbours(question, place)) for place in floor) // 2
    return ways == len(floor) - 1 and len(steps_from(question, floor[0])) == len(floor)


def has_outer_wall(question: Grid) -> bool:
    return bool((question[[0, -1]] == WALL).all() and (question[:, [0, -1]] == WALL).all())


@pytest.mark.parametrize("kind", DIFFICULTIES)
@pytest.mark.parametrize("size", SHAPES)
def test_each_has_two_ends_one_answer_and_its_rating(kind: str, size: tuple[int, int]) -> None:
    for puzzle in islice(generate_mazes(kind, 1, size), 12):
        check(puzzle)
        if kind != "mixed":
            assert puzzle.grid.shape == size


@pytest.mark.parametrize("size", SHAPES)
def test_perfect_ones_are_trees_at_any_size(size: tuple[int, int]) -> None:
    for puzzle in islice(generate_mazes("perfect", 2, size), 30):
        assert is_perfect(puzzle.grid)
        rows, columns = size
        walled = has_outer_wall(puzzle.grid)
        cells = ((rows + 1) // 2 - walled) * ((columns + 1) // 2 - walled)
        assert (
            len(floor_of(puzzle.grid)) == 2 * cells - 1
        )  # every second cell of every second row, and ways between


def test_perfect_ones_have_an_outer_wall_or_not_and_corridors_long_or_short() -> None:
    walled = np.array([has_outer_wall(puzzle.grid) for puzzle in made("perfect")])
    assert 0.4 < walled.mean() < 0.6
    dead_ends = [
        np.mean([len(neighbours(puzzle.grid, place)) == 1 for place in floor_of(puzzle.grid)])
        for puzzle in made("perfect")[:100]
    ]
    assert min(dead_ends) < 0.07 and max(dead_ends) > 0.14
    large = next(generate_mazes("perfect", 3, (31, 30)))
    assert (large.grid[:, 0] == WALL).all() or (
        large.grid[:, -1] == WALL
    ).all()  # the line that is left over


def test_hard_ones_are_as_the_public_data() -> None:
    densities = np.array([density(puzzle.grid) for puzzle in made("hard")])
    steps = np.array([puzzle.rating for puzzle in made("hard")])
    assert abs(densities.mean() - 0.371) < 0.006 and 0.021 < densities.std() < 0.031
    assert densities.min() > 0.26 and densities.max() < 0.5
    assert steps.min() == 109 and steps.max() < 170 and 111 <= np.median(steps) <= 113
    questions = np.stack([puzzle.grid for puzzle in made("hard")])
    assert len({(question == WALL).tobytes() for question in questions}) == 300
    walls = (questions == WALL).mean(
        axis=0
    )  # of each cell over all mazes: no outer wall, and none is favoured
    assert 0.3 < np.concatenate([walls[0], walls[-1], walls[:, 0], walls[:, -1]]).mean() < 0.42
    assert walls.min() > 0.2 and walls.max() < 0.55
    for end in (START, GOAL):  # everywhere, and more at the edges, where the longest ways end
        quarters = (questions == end).sum(axis=0).reshape(2, 15, 2, 15).sum(axis=(1, 3)).ravel()
        assert (
            quarters.min() > 50
            and len(np.unique((questions == end).reshape(300, 900).argmax(axis=1))) > 200
        )


def test_twenty_hard_ones_have_the_answers_that_a_plain_search_finds() -> None:
    for puzzle in made("hard")[:20]:
        check(puzzle)
        assert puzzle.grid.shape == (30, 30) and puzzle.rating is not None and puzzle.rating >= 109


def test_hard_ones_come_as_from_blind_draws() -> None:
    rng, blind = np.random.default_rng(0), []
    while len(blind) < 500:
        question = np.where(rng.random((4, 5)) < rng.uniform(0.25, 0.5), WALL, FLOOR).astype(
            np.int8
        )
        start, goal = (tuple(place) for place in rng.integers((4, 5), size=(2, 2)).tolist())
        if (
            question[start] == FLOOR
            and question[goal] == FLOOR
            and steps_from(question, start).get(goal, 0) >= 6
        ):
            blind.append((density(question), steps_from(question, start)[goal], start[0] in (0, 3)))
    chained = [
        (density(puzzle.grid), puzzle.rating or 0, place_of(puzzle.grid, START)[0] in (0, 3))
        for puzzle in islice(generate_mazes("hard", 8, (4, 5), least=6), 2000)
    ]
    expected, found, spread = (
        np.mean(blind, axis=0),
        np.mean(chained, axis=0),
        np.std(blind, axis=0),
    )
    assert np.all(np.abs(expected - found) < 3.5 * spread / np.sqrt(400))


def test_sparse_ones_have_few_walls() -> None:
    densities = np.array([density(puzzle.grid) for puzzle in made("sparse")])
    assert (
        densities.min() > 0.02 and densities.max() < 0.31 and abs(densities.mean() - 0.15) < 0.015
    )
    assert min(puzzle.rating or 0 for puzzle in made("sparse")) < 5
    assert len({place_of(puzzle.grid, START) for puzzle in made("sparse")}) > 200


def test_mixed_ones_are_of_many_sizes_and_styles() -> None:
    shapes = [puzzle.grid.shape for puzzle in made("mixed")]
    assert 0.25 < np.mean([shape == (30, 30) for shape in shapes]) < 0.42
    assert {rows for rows, _ in shapes} == {columns for _, columns in shapes} == set(range(3, 31))
    large = [puzzle for puzzle in made("mixed") if puzzle.grid.size >= 200]
    trees = np.array([is_perfect(puzzle.grid) for puzzle in large])
    walled = np.array([has_outer_wall(puzzle.grid) for puzzle in large])
    densities = np.array([density(puzzle.grid) for puzzle in large])
    assert 0.15 < trees.mean() < 0.35 and 0.2 < walled.mean() < 0.6
    assert all(
        (low < densities[~trees]).any() and (densities[~trees] < low + 0.1).any()
        for low in (0, 0.1, 0.2, 0.4)
    )
    longer = [(puzzle.rating or 0) > sum(puzzle.grid.shape) for puzzle in large]
    assert 0.2 < np.mean(longer) < 0.7  # longer than any straight way in an open field


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(DIFFICULTIES), st.integers(3, 20), st.integers(3, 20), st.integers(0, 2**70))
def test_any_size_and_seed(kind: str, rows: int, columns: int, seed: int) -> None:
    for puzzle in islice(generate_mazes(kind, seed, (rows, columns)), 3):
        check(puzzle)
        assert puzzle.grid.shape == (rows, columns) or kind == "mixed"
        assert 3 <= puzzle.grid.shape[0] <= rows and 3 <= puzzle.grid.shape[1] <= columns
        assert (puzzle.rating or 0) <= longest_possible(kind, rows, columns)
        assert kind != "hard" or (puzzle.rating or 0) >= default_least(rows, columns)


@pytest.mark.parametrize("kind", DIFFICULTIES)
@pytest.mark.parametrize(("least", "most"), [(1, 1), (None, 8), (12, None), (10, 12), (17, 17)])
def test_lengths_can_be_bounded(kind: str, least: int | None, most: int | None) -> None:
    if kind == "hard" and least is None:
        least = 2
    for puzzle in islice(generate_mazes(kind, 6, (12, 11), least, most), 25):
        check(puzzle)
        assert puzzle.rating is not None and (least or 1) <= puzzle.rating <= (most or 1 << 30)


def test_hard_ones_may_be_asked_to_be_easier_or_harder() -> None:
    easier = [puzzle.rating or 0 for puzzle in islice(generate_mazes("hard", 1, least=30), 50)]
    harder = [puzzle.rating or 0 for puzzle in islice(generate_mazes("hard", 1, least=125), 20)]
    assert 30 <= min(easier) < 40 and max(easier) < 109 and min(harder) >= 125


def test_what_hard_ones_have_at_least_scales_with_the_size() -> None:
    sizes = [(3, 3), (5, 5), (10, 10), (15, 15), (20, 20), (30, 30), (40, 40), (20, 45)]
    assert [default_least(*size) for size in sizes] == [6, 14, 31, 50, 69, 109, 151, 109]
    for size in sizes:
        shortest = min(puzzle.rating or 0 for puzzle in islice(generate_mazes("hard", 2, size), 40))
        assert default_least(*size) <= shortest <= default_least(*size) + 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("easy", 0), "difficulty must be one of hard, sparse, perfect, mixed, not 'easy'"),
        (("hard", -1), "seed must not be negative: -1"),
        (("hard", 0, (2, 9)), "size of a maze must be from 3 x 3 to 200 x 200, not 2 x 9"),
        (("mixed", 0, (9, 2)), "not 9 x 2"),
        (("sparse", 0, (30, 201)), "not 30 x 201"),
        (("sparse", 0, None, 0), "least must be 1 step or more, not 0"),
        (("sparse", 0, None, None, -3), "most must be 1 step or more, not -3"),
        (("mixed", 0, None, 9, 8), "least must not be more than most: 9 and 8 steps"),
        (
            ("mixed", 0, (9, 9), 65),
            "no 9 x 9 maze of this kind has a shortest path of 65 steps: the maximum is 64",
        ),
        (("perfect", 0, (9, 9), 49), "has a shortest path of 49 steps: the maximum is 48"),
        (
            ("hard", 0, None, None, 100),
            "hard 30 x 30 mazes have at least 109 steps: for at most 100, give a minimum too",
        ),
    ],
)
def test_what_cannot_be_is_said_at_once(arguments: tuple[object, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        generate_mazes(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", DIFFICULTIES)
def test_what_hardly_ever_is_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maze_generate, "LAYOUTS", 2500)
    least = 126 if kind == "perfect" else 160
    reason = (
        rf"none of 2,500 {kind} layouts of 16 x 16 gave a maze of {least} to \d+ steps: "
        r".* had 1 to \d+ steps"
    )
    with pytest.raises(ValueError, match=reason):
        next(generate_mazes(kind, 0, (16, 16), least))


def test_a_large_layout_is_tried_less_often_but_often_enough() -> None:
    tried = [next(generate_mazes(kind, 0, (120, 200))) for kind in DIFFICULTIES]
    assert [puzzle.grid.shape for puzzle in tried[:3]] == [(120, 200)] * 3
    large = maze_generate._Request("hard", 200, 200, 1, 1)
    usual = maze_generate._Request("hard", 30, 30, 1, 1)
    assert large.layouts == 25_000
    assert list(maze_generate._Maker(large, 0).rounds()) == [25] * 1000
    assert sum(maze_generate._Maker(usual, 0).rounds()) == 1_000_000


def cells(puzzles: Iterator[Puzzle], number: int = 20) -> list[bytes]:
    return [bytes(puzzle.grid.shape) + puzzle.grid.tobytes() for puzzle in islice(puzzles, number)]


@pytest.mark.parametrize("kind", DIFFICULTIES)
def test_the_arguments_and_nothing_else_decide(kind: str) -> None:
    first, second = generate_mazes(kind, 1, (9, 12)), generate_mazes(kind, 2, (9, 12))
    taken_in_turn = [cells(stream, 1)[0] for _ in range(20) for stream in (first, second)]
    assert taken_in_turn[::2] == cells(generate_mazes(kind, 1, (9, 12)))
    assert taken_in_turn[1::2] == cells(generate_mazes(kind, 2, (9, 12)))
    assert (
        not set(taken_in_turn[::2]) & set(taken_in_turn[1::2]) or kind == "mixed"
    )  # which has very small ones
    least, most = default_least(9, 12) if kind == "hard" else 1, 1000
    assert cells(generate_mazes(kind, 1, (9, 12), least, most)) == taken_in_turn[::2]
    assert cells(generate_mazes(kind, 1, (9, 12), least + 1)) != taken_in_turn[::2]
    assert cells(generate_mazes(kind, 1)) == cells(generate_mazes(kind, 1, (30, 30)))


@pytest.mark.parametrize(
    ("kind", "size", "digest"),
    [
        ("hard", None, "20047c8865e8c4c3"),
        ("hard", (8, 13), "2585b0530e2fbdb6"),
        ("sparse", (12, 12), "960a3c29f56772c1"),
        ("perfect", (12, 15), "97adc206fa45cb3e"),
        ("mixed", None, "6d789ba8090fd69d"),
    ],
)
def test_what_a_seed_gives_does_not_change(
    kind: str, size: tuple[int, int] | None, digest: str
) -> None:
    assert sha256(b"".join(cells(generate_mazes(kind, 2025, size)))).hexdigest()[:16] == digest


def test_the_compiler_is_not_imported_before_the_first_maze() -> None:
    code = (
        "import sys, trmsolve.puzzles.maze.generate as m; "
        "m.generate_mazes('hard', 0); print('numba' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        == "False\n"
    )
