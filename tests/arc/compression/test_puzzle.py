"""A task as numbers of a palette, and what is known of its sizes."""

import numpy as np
import pytest

from tests.support.arc_tasks import drawn_task, free_sizes, same_outputs, same_sizes, task_of
from trmsolve.arc.compression.puzzle import OUTPUT, CompressionPuzzle
from trmsolve.arc.task import ArcTask


def test_outputs_as_large_as_inputs_have_known_sizes() -> None:
    puzzle = CompressionPuzzle(same_sizes())
    assert puzzle.size_known == (True, True)
    assert [example.shapes for example in puzzle.examples] == [
        ((2, 3), (2, 3)),
        ((3, 2), (3, 2)),
        ((3, 3), (3, 3)),
    ]


def test_a_small_test_has_a_small_output_where_sizes_stay() -> None:
    shown = [([[1, 0]], [[0, 1]]), ([[1], [0]], [[0], [1]])]
    puzzle = CompressionPuzzle(task_of(shown, [([[1]], None)]))
    assert puzzle.examples[-1].shapes == ((1, 1), (1, 1))


def test_outputs_that_are_alike_have_known_sizes() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    assert puzzle.size_known == (False, True)
    assert [example.shapes[OUTPUT] for example in puzzle.examples] == [(1, 2)] * 3
    assert [example.room for example in puzzle.examples] == [(1, 3), (3, 2), (2, 2)]


def test_other_sizes_are_unknown_and_a_test_may_take_the_largest() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    assert puzzle.size_known == (False, False)
    assert puzzle.examples[-1].shapes == ((2, 3), (2, 3))


def test_inputs_that_are_alike_have_known_sizes() -> None:
    shown = [([[1, 0]], [[1]]), ([[0, 1]], [[1], [1]])]
    alike = task_of(shown, [([[1, 1]], None)])
    assert CompressionPuzzle(alike).size_known == (True, False)
    larger = task_of(shown, [([[1, 1, 1]], None)])
    assert CompressionPuzzle(larger).size_known == (False, False)


def test_examples_are_the_demonstrations_and_then_the_tests() -> None:
    task = drawn_task(demonstrations=2, tests=2)
    puzzle = CompressionPuzzle(task)
    pairs = (*task.demonstrations, *task.tests)
    for example, pair in zip(puzzle.examples, pairs, strict=True):
        question, _ = example.grids
        assert np.array_equal(puzzle.coloured(question), pair.input)
    outputs = [example.grids[OUTPUT] for example in puzzle.examples]
    assert outputs[2:] == [None, None], "the outputs of tests are not looked at"
    for numbers, pair in zip(outputs[:2], task.demonstrations, strict=True):
        assert numbers is not None and pair.output is not None
        assert np.array_equal(puzzle.coloured(numbers), pair.output)
        assert puzzle.coloured(numbers).dtype == np.int8


@pytest.mark.parametrize(
    ("colours", "palette"),
    [
        ((0, 3, 7), [0, 3, 7]),
        ((3, 7), [0, 3, 7]),
        ((5,), [0, 5]),
        ((0,), [0, 1]),
        ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_the_palette_has_black_and_at_least_one_colour(
    colours: tuple[int, ...], palette: list[int]
) -> None:
    rows = [list(colours)]
    puzzle = CompressionPuzzle(task_of([(rows, rows)], [(rows, None)]))
    assert puzzle.palette.tolist() == palette
    assert puzzle.colours == len(palette) - 1
    for example in puzzle.examples:
        question, _ = example.grids
        assert puzzle.coloured(question).tolist() == rows


def test_the_palette_has_colours_of_tests_inputs_but_not_of_their_outputs() -> None:
    task = task_of([([[1]], [[2]])], [([[3]], [[4]])])
    assert CompressionPuzzle(task).palette.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("task", [same_sizes(), same_outputs(), free_sizes()])
def test_cells_are_those_of_inputs_or_outputs(task: ArcTask) -> None:
    puzzle = CompressionPuzzle(task)
    cells = puzzle.cells
    rows, columns, examples = cells.shape
    assert examples == len(puzzle.examples)
    for number, example in enumerate(puzzle.examples):
        assert example.room[0] <= rows and example.room[1] <= columns
        for row in range(rows):
            for column in range(columns):
                inside = [row < height and column < width for height, width in example.shapes]
                assert cells[row, column, number] == float(any(inside))


def test_a_grid_beside_a_wider_one_leaves_an_angle_free() -> None:
    puzzle = CompressionPuzzle(same_outputs())
    assert puzzle.cells[..., 0].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert puzzle.cells[..., 1].tolist() == [[1, 1, 0], [1, 1, 0], [1, 1, 0]]
