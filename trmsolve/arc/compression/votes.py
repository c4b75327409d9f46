"""What copies of the network answered while they learned, and how sure they were.

Every few steps the network's last sample is an answer, and so is the running average of samples.
An answer counts the more, the less doubt there is in its cells; equal answers add up.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.arc.compression.loss import span_scores
from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import OUTPUT, CompressionPuzzle
from trmsolve.arc.content import content_hash
from trmsolve.puzzles.values import Grid

AVERAGE = 0.97
"""Decay of the running average of samples."""

DOUBT = 10.0
"""An answer's weight falls by a factor e for each tenth of a nat of mean doubt."""

EARLY_STEPS = 150
"""Answers before this step count e^-10 times as much as later ones."""

EARLY = 10.0
OF_AVERAGE = 4.0
"""Logarithms by which early answers, and those of the running average, count less."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """What copies say of the outputs of the tests.

    Attributes:
        colours: Logits (copies, tests, colours, rows, columns) against black.
        rows: Scores (copies, tests, rows).
        columns: Scores (copies, tests, columns).
    """

    colours: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, prediction: Prediction, tests: int) -> "Outputs":
        """The outputs of the last ``tests`` examples."""
        return cls(
            prediction.colours[:, -tests:, ..., OUTPUT].detach(),
            prediction.rows[:, -tests:, :, OUTPUT].detach(),
            prediction.columns[:, -tests:, :, OUTPUT].detach(),
        )


@dataclass(frozen=True, eq=False)
class Guess:
    """An answer to one test.

    Attributes:
        grid: The answer.
        confidence: Probability of each cell's colour.
        doubt: Mean over the cells of log(sum of the colours' odds against the best), in nats.
    """

    grid: Grid
    confidence: NDArray[np.float32]
    doubt: float


@dataclass(frozen=True, eq=False)
class WeightedGrid:
    """A grid, the logarithm of the weight of all answers equal to it, and how many these were."""

    grid: Grid
    weight: float
    count: int


class Votes:
    """The answers of copies that learn together, to all tests of a task."""

    def __init__(self, puzzle: CompressionPuzzle) -> None:
        self.puzzle = puzzle
        self.tests = len(puzzle.task.tests)
        self.average: Outputs | None = None
        self._answers: list[dict[str, WeightedGrid]] = [{} for _ in range(self.tests)]

    def add(self, prediction: Prediction, step: int) -> None:
        """Count the answers of a step: those of this sample, and those of the average."""
        now = Outputs.of(prediction, self.tests)
        self._average_in(now)
        early = EARLY if step < EARLY_STEPS else 0.0
        assert self.average is not None
        for copy in range(len(now.colours)):
            for test in range(self.tests):
                self._count(test, self.guess(now, copy, test), early)
                self._count(test, self.guess(self.average, copy, test), early + OF_AVERAGE)

    def guess(self, outputs: Outputs, copy: int, test: int) -> Guess:
        """The answer that the outputs of a copy mean for one test."""
        example = self.puzzle.examples[len(self.puzzle.examples) - self.tests + test]
        rows, columns = example.room
        height, width = example.shapes[OUTPUT]
        known = self.puzzle.size_known[OUTPUT]
        top, bottom = best_span(outputs.rows[copy, test, :rows], height if known else None)
        left, right = best_span(outputs.columns[copy, test, :columns], width if known else None)
        colours = outputs.colours[copy, test, :, top:bottom, left:right]
        logits = torch.cat([torch.zeros_like(colours[:1]), colours])
        best, numbers = logits.max(dim=0)
        doubt = logits.logsumexp(dim=0) - best
        return Guess(
            self.puzzle.coloured(numbers.numpy()),
            torch.exp(-doubt).numpy(),
            float(doubt.mean()),
        )

    def best(self, test: int, number: int = 8) -> list[WeightedGrid]:
        """The answers with most weight, best first."""
        answers = self._answers[test].values()
        return sorted(answers, key=lambda answer: -answer.weight)[:number]

    def _average_in(self, now: Outputs) -> None:
        if self.average is None:
            zeros = (torch.zeros_like(part) for part in (now.colours, now.rows, now.columns))
            self.average = Outputs(*zeros)
        pairs = (
            (self.average.colours, now.colours),
            (self.average.rows, now.rows),
            (self.average.columns, now.columns),
        )
        for average, value in pairs:
            average.lerp_(value, 1 - AVERAGE)

    def _count(self, test: int, guess: Guess, less: float) -> None:
        key = content_hash(guess.grid)
        weight = -DOUBT * guess.doubt - less
        count = 1
        before = self._answers[test].get(key)
        if before is not None:
            weight = float(np.logaddexp(before.weight, weight))
            count += before.count
        self._answers[test][key] = WeightedGrid(guess.grid, weight, count)


def best_span(scores: Tensor, length: int | None) -> tuple[int, int]:
    """The span that fits the scores best, of a given length or of any: its begin and its end.

    ``scores`` is (room,).
    """
    spans = span_scores(scores[None])[0]
    if length is not None:
        begin = int(spans.diagonal(length).argmax())
        return begin, begin + length
    return divmod(int(spans.argmax()), spans.shape[1])
