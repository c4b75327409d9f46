"""One network's predictions under every symmetry: read off, turned back, over when all halt."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from tests.support.planes import PLANES, network
from trmsolve.arc.planes.canvas import Canvas, canvas_of
from trmsolve.arc.planes.predict import Question, ViewPrediction, predict
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.model.network import Prediction, State
from trmsolve.model.planes import PlanesBatch, PlanesModel
from trmsolve.puzzles.values import Grid

pytestmark = pytest.mark.usefixtures("one_thread")

grids = arrays(np.int8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 9))
ALL = Canvas(7, tuple(range(11)))


class Stub(PlanesModel):
    """Predicts, ten to one, what ``rule`` makes of the symbols (rows, columns) it is shown."""

    def __init__(
        self,
        rule: Callable[[Tensor], Tensor],
        halts: Callable[[int, int], float] = lambda n, view: 0,
    ) -> None:
        super().__init__(PLANES)
        self.rule, self.halts, self.cycles, self.seen = rule, halts, 0, list[PlanesBatch]()

    def cycle(self, state: State, batch: PlanesBatch) -> tuple[State, Prediction]:
        self.cycles += 1
        self.seen.append(batch)
        answers = torch.stack([self.rule(tokens) for tokens in batch.tokens])
        logits = 10.0 * (answers.flatten(1)[:, :, None] == batch.palette[:, None])
        halt = torch.tensor([[self.halts(self.cycles, view), 0.0] for view in range(len(answers))])
        return state, Prediction(logits, halt)


def recoloured(tokens: Tensor) -> Tensor:
    return torch.where(tokens > 0, tokens % 10 + 1, 0)


@settings(deadline=None, max_examples=25)
@given(grids)
def test_every_view_of_a_network_that_copies_is_the_input(grid: Grid) -> None:
    frames = predict(Stub(lambda tokens: tokens), Question(Pair(grid), ALL), cycles=1)
    assert len(frames) == 8
    for frame in frames:
        assert frame.grid.dtype == np.int8 and np.array_equal(frame.grid, grid)
        assert frame.confidence.shape == grid.shape and frame.confidence.dtype == np.float32
        assert frame.confidence == pytest.approx(np.e**10 / (np.e**10 + 10))
        assert frame.halt == 0.5


@settings(deadline=None, max_examples=25)
@given(grids)
def test_palette_and_symbols_may_differ_in_number_and_order(grid: Grid) -> None:
    palette = (*reversed(canvas_of(ArcTask("t", (Pair(grid, grid),), (Pair(grid),))).palette),)
    for frame in predict(
        Stub(lambda tokens: tokens), Question(Pair(grid), Canvas(6, palette)), cycles=1
    ):
        assert np.array_equal(frame.grid, grid)


def test_a_rule_that_turns_is_seen_turned_otherwise_in_every_view() -> None:
    """A network that mirrors every canvas left to right mirrors turned views top down."""
    grid = np.arange(9, dtype=np.int8).reshape(3, 3)
    frames = predict(Stub(torch.fliplr), Question(Pair(grid), Canvas(3, ALL.palette)), cycles=1)
    upright, sideways = np.fliplr(grid), np.flipud(grid)
    expected = [upright, sideways, upright, sideways, upright, upright, sideways, sideways]
    assert all(
        np.array_equal(frame.grid, wanted) for frame, wanted in zip(frames, expected, strict=True)
    )


def test_confidence_is_turned_back_with_its_cells() -> None:
    class Sure(Stub):
        """The surer, the higher the colour."""

        def cycle(self, state: State, batch: PlanesBatch) -> tuple[State, Prediction]:
            state, prediction = super().cycle(state, batch)
            return state, prediction._replace(
                logits=prediction.logits * (1 + batch.tokens.flatten(1)[..., None]) / 10
            )

    grid = np.array([[0, 3, 9], [5, 2, 7]], np.int8)
    frames = predict(Sure(lambda tokens: tokens), Question(Pair(grid), ALL), cycles=1)
    for frame in frames:
        assert np.array_equal(frame.grid, grid)
        assert frame.confidence.ravel().argsort().tolist() == grid.ravel().argsort().tolist()
        np.testing.assert_array_equal(frame.confidence, frames[0].confidence)


def test_the_output_may_be_of_another_size_and_may_be_nothing() -> None:
    def first_column(tokens: Tensor) -> Tensor:
        return tokens * (torch.arange(tokens.shape[1]) == 0)

    grid = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    frames = predict(Stub(first_column), Question(Pair(grid), ALL), cycles=1, symmetries=[0])
    assert frames[0].grid.tolist() == [[1], [4]] and frames[0].confidence.shape == (2, 1)
    frames = predict(Stub(torch.zeros_like), Question(Pair(grid), ALL), cycles=1)
    assert all(frame.grid.shape == frame.confidence.shape == (0, 0) for frame in frames)


def test_symmetries_palette_and_puzzle_reach_the_network() -> None:
    model, grid = Stub(lambda tokens: tokens), np.array([[1, 2]], np.int8)
    frames = predict(
        model, Question(Pair(grid), Canvas(3, (0, 2, 3)), 2), cycles=1, symmetries=[1, 4]
    )
    (batch,) = model.seen
    assert (
        len(frames) == 2
        and batch.symmetries.tolist() == [1, 4]
        and batch.puzzle_ids.tolist() == [2, 2]
    )
    assert batch.palette.tolist() == [[0, 2, 3]] * 2
    assert batch.tokens.tolist() == [
        [[3, 0, 0], [2, 0, 0], [0, 0, 0]],
        [[3, 2, 0], [0, 0, 0], [0, 0, 0]],
    ]


@pytest.mark.parametrize(
    ("halts", "cycles", "spent"),
    [
        (lambda number, view: -1.0, 5, 5),  # none would halt
        (lambda number, view: 1.0, 5, 1),
        (lambda number, view: 1.0 if number >= 3 else -1.0, 5, 3),
        (
            lambda number, view: 1.0 if number >= 2 + view else -1.0,
            20,
            9,
        ),  # the last of eight views
        (lambda number, view: 0.0, 4, 4),  # as likely as not is not enough
        (lambda number, view: 1.0, 1, 1),
    ],
)
def test_it_is_over_when_every_view_would_halt(halts: Any, cycles: int, spent: int) -> None:
    seen: list[tuple[int, list[ViewPrediction]]] = []
    model = Stub(recoloured, halts)
    frames = predict(
        model,
        Question(Pair(np.array([[1, 2]], np.int8)), ALL),
        cycles=cycles,
        on_cycle=lambda *one: seen.append(one),
    )
    assert model.cycles == spent and [number for number, _ in seen] == list(range(1, spent + 1))
    assert all(len(now) == 8 for _, now in seen) and frames is seen[-1][1]
    assert [frame.halt for frame in frames] == pytest.approx(
        [1 / (1 + np.exp(-halts(spent, v))) for v in range(8)]
    )
    silent = predict(
        Stub(recoloured, halts), Question(Pair(np.array([[1, 2]], np.int8)), ALL), cycles=cycles
    )
    assert (
        [frame.grid.tolist() for frame in silent]
        == [frame.grid.tolist() for frame in frames]
        == [[[2, 3]]] * 8
    )


def test_each_cycle_goes_on_from_the_one_before() -> None:
    """A real network: one cycle more is another state, and watching changes nothing."""
    model, pair = network(), Pair(np.array([[1, 2, 0], [0, 3, 3]], np.int8))
    seen = list[list[ViewPrediction]]()
    watched = predict(
        model, Question(pair, ALL), cycles=3, on_cycle=lambda _, now: seen.append(now)
    )
    for cycles in (1, 2, 3):
        alone = predict(model, Question(pair, ALL), cycles=cycles)
        for one, other in zip(alone, seen[cycles - 1], strict=True):
            assert np.array_equal(one.grid, other.grid) and one.halt == other.halt
    assert len({frame.halt for now in seen for frame in now[:1]}) == len(seen)
    assert watched is seen[-1]


def test_the_output_is_not_looked_at() -> None:
    class Sealed(Pair):
        @property
        def output(self) -> Grid:
            raise AssertionError("the output was looked at")

        @output.setter
        def output(self, _: Grid | None) -> None:
            pass

    pair = Sealed.__new__(Sealed)
    object.__setattr__(pair, "input", np.array([[1, 2]], np.int8))
    with pytest.raises(AssertionError):
        _ = pair.output
    assert len(predict(network(), Question(pair, ALL), cycles=2)) == 8


def test_nothing_is_kept_for_a_gradient() -> None:
    model = PlanesModel(PLANES)  # its weights would be learned
    predict(model, Question(Pair(np.array([[1]], np.int8)), ALL), cycles=1)
    assert all(parameter.grad is None for parameter in model.parameters())
