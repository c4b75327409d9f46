"""The loss against sums over all colours, places and sizes that are written out plainly."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.arc_tasks import free_sizes, same_outputs, same_sizes, task_of
from tests.support.compression import nothing_said, random_prediction, say_all, say_grid
from trmsolve.arc.compression.loss import (
    FIRST_SHARPNESS,
    FIRST_SIZE_WEIGHT,
    SIZE_STEPS,
    reconstruction_loss,
    span_scores,
)
from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import INPUT, OUTPUT, CompressionPuzzle
from trmsolve.arc.task import ArcTask

LATE = SIZE_STEPS
"""A step at which sizes count fully."""

TASKS = [same_sizes(), same_outputs(), free_sizes()]
KINDS = ["same sizes", "same outputs", "free sizes"]

Span = tuple[int, int]


def plain_span_score(scores: list[float], span: Span) -> float:
    """The scores inside less those outside."""
    total = 0.0
    for place, score in enumerate(scores):
        total += score if span[0] <= place < span[1] else -score
    return total


def spans_of(room: int) -> list[Span]:
    return list(itertools.combinations(range(room + 1), 2))


def log_sum(values: list[float]) -> float:
    return float(np.logaddexp.reduce(values))


def plain_log_places(
    scores: list[float], length: int, size_known: bool, weight: float
) -> list[float]:
    """The log-probability of each place of a stretch, among all places, or all spans."""
    scores = [weight * score for score in scores]
    places = [plain_span_score(scores, (at, at + length)) for at in range(len(scores) - length + 1)]
    possible = places
    if not size_known:
        possible = [plain_span_score(scores, span) for span in spans_of(len(scores))]
    return [place - log_sum(possible) for place in places]


def plain_loss(puzzle: CompressionPuzzle, prediction: Prediction, step: int) -> float:
    """That of the first copy."""
    total = 0.0
    for number, example in enumerate(puzzle.examples):
        for side in (INPUT, OUTPUT):
            grid = example.grids[side]
            if grid is None:
                continue
            rows, columns = example.room
            size_known = puzzle.size_known[side]
            still = 0.0 if size_known else max(0.0, 1 - step / SIZE_STEPS)
            places = []
            for scores, length in (
                (prediction.rows[0, number, :rows, side], grid.shape[0]),
                (prediction.columns[0, number, :columns, side], grid.shape[1]),
            ):
                weight = FIRST_SIZE_WEIGHT**still
                places.append(plain_log_places(scores.tolist(), length, size_known, weight))
            colours = prediction.colours[0, number, :, :, :, side]
            sharpness = FIRST_SHARPNESS**still
            joint = []
            for top, row in enumerate(places[0]):
                for left, column in enumerate(places[1]):
                    fit = plain_fit(colours, grid.tolist(), top, left)
                    joint.append(sharpness * (row + column + fit))
            total -= log_sum(joint) / sharpness
    return total


def plain_fit(colours: Tensor, grid: list[list[int]], top: int, left: int) -> float:
    """The log-probability of a grid's colours if it begins at this row and column."""
    total = 0.0
    for row, numbers in enumerate(grid):
        for column, number in enumerate(numbers):
            logits = [0.0, *colours[:, top + row, left + column].tolist()]
            total += logits[number] - log_sum(logits)
    return total


@pytest.mark.parametrize("step", [0, 30, LATE, 5 * LATE])
@pytest.mark.parametrize("task", TASKS, ids=KINDS)
def test_the_loss_is_the_plain_sum_over_places_and_sizes(task: ArcTask, step: int) -> None:
    puzzle = CompressionPuzzle(task)
    prediction = random_prediction(puzzle, 0)
    found = reconstruction_loss(puzzle, prediction, step)
    assert found.item() == pytest.approx(plain_loss(puzzle, prediction, step), rel=1e-4)


@pytest.mark.parametrize("step", [0, LATE])
@pytest.mark.parametrize("task", TASKS, ids=KINDS)
def test_copies_have_the_losses_that_each_has_alone(task: ArcTask, step: int) -> None:
    puzzle = CompressionPuzzle(task)
    found = reconstruction_loss(puzzle, random_prediction(puzzle, 0, 1, 2), step)
    alone = []
    for seed in range(3):
        alone.append(reconstruction_loss(puzzle, random_prediction(puzzle, seed), step))
    torch.testing.assert_close(found, torch.cat(alone), rtol=1e-5, atol=1e-5)
    assert found.unique().numel() == 3


@pytest.mark.parametrize("task", TASKS, ids=KINDS)
def test_the_gradient_is_the_slope_of_the_loss(task: ArcTask) -> None:
    puzzle = CompressionPuzzle(task)
    prediction = random_prediction(puzzle, 0)
    parts = (prediction.colours, prediction.rows, prediction.columns)
    for step in (0, LATE):
        loss = reconstruction_loss(puzzle, prediction, step)
        # Scores have no gradient where all grids fill their room.
        gradients = torch.autograd.grad(loss, parts, allow_unused=True, materialize_grads=True)
        for part, gradient in zip(parts, gradients, strict=True):
            direction = torch.randn(part.shape, generator=torch.Generator().manual_seed(1))
            slope = float((gradient * direction).sum())
            values = []
            for distance in (1e-2, -1e-2):
                with torch.no_grad():
                    part.add_(distance * direction)
                    values.append(reconstruction_loss(puzzle, prediction, step).item())
                    part.sub_(distance * direction)
            assert (values[0] - values[1]) / 2e-2 == pytest.approx(slope, rel=0.02, abs=0.02)


@pytest.mark.parametrize("task", TASKS, ids=KINDS)
def test_a_perfect_prediction_costs_nothing(task: ArcTask) -> None:
    puzzle = CompressionPuzzle(task)
    prediction = nothing_said(puzzle)
    say_all(prediction, puzzle)
    assert reconstruction_loss(puzzle, prediction, LATE).item() == pytest.approx(0, abs=1e-3)


def test_where_nothing_is_said_every_cell_costs_its_colours() -> None:
    puzzle = CompressionPuzzle(same_sizes())
    cells = 2 * 6 + 2 * 6 + 9
    loss = reconstruction_loss(puzzle, nothing_said(puzzle), LATE)
    assert loss.item() == pytest.approx(cells * math.log(3), rel=1e-5)


def test_a_grid_may_lie_anywhere_in_its_room() -> None:
    # The only input is larger than the output, whose size is known.
    puzzle = CompressionPuzzle(task_of([([[0, 0, 0]], [[1, 2]])], [([[0, 0, 0]], None)]))
    assert puzzle.size_known == (True, True)
    prediction = nothing_said(puzzle)
    say_all(prediction, puzzle)
    first = reconstruction_loss(puzzle, prediction, 0)
    for part in (prediction.colours, prediction.columns):
        part[:, 0, ..., OUTPUT] = part[:, 0, ..., OUTPUT].roll(1, dims=-1)
    second = reconstruction_loss(puzzle, prediction, 0)
    assert first.item() == pytest.approx(second.item(), abs=1e-4)
    assert first.item() == pytest.approx(0, abs=1e-3)


def test_sizes_come_to_count_step_by_step() -> None:
    puzzle = CompressionPuzzle(free_sizes())
    prediction = nothing_said(puzzle)
    say_all(prediction, puzzle)
    wrong = -prediction.rows
    mistaken = Prediction(prediction.colours, wrong, prediction.columns, prediction.cost)
    losses = [reconstruction_loss(puzzle, mistaken, step).item() for step in (0, 50, LATE)]
    assert losses == sorted(losses) and losses[2] > 10 * losses[0]


@pytest.mark.parametrize("room", [1, 2, 5])
def test_every_span_has_the_scores_inside_less_those_outside(room: int) -> None:
    scores = torch.randn(2, room, generator=torch.Generator().manual_seed(room))
    found = span_scores(scores)
    assert found.shape == (2, room + 1, room + 1)
    possible = spans_of(room)
    for copy, begin, end in itertools.product(range(2), range(room + 1), range(room + 1)):
        score = found[copy, begin, end].item()
        if (begin, end) in possible:
            expected = plain_span_score(scores[copy].tolist(), (begin, end))
            assert score == pytest.approx(expected, abs=1e-5)
        else:
            assert score == -math.inf


@pytest.mark.parametrize("task", TASKS, ids=KINDS)
def test_what_is_said_of_tests_outputs_does_not_matter(task: ArcTask) -> None:
    puzzle = CompressionPuzzle(task)
    prediction = random_prediction(puzzle, 0)
    loss = reconstruction_loss(puzzle, prediction, LATE)
    loss.backward()
    assert prediction.colours.grad is not None
    assert not prediction.colours.grad[:, -1, ..., OUTPUT].any()
    assert prediction.colours.grad[:, -1, ..., INPUT].any()
    with torch.no_grad():
        say_grid(prediction, puzzle, len(puzzle.examples) - 1, task.tests[0].input)
    assert reconstruction_loss(puzzle, prediction, LATE).item() == loss.item()
