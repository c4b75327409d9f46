"""The answers of copies of the network while they learn, and how sure they are.

Every few steps the network's last sample is an answer, and so is the running average of samples.
An answer counts the more, the less doubt there is in its cells; equal answers add up. Each copy
shares one vote among its answers, so that a copy that is sure of something wrong counts no more
than any other.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from trmsolve.arc.answers import Guess, WeightedGrid
from trmsolve.arc.compression.loss import span_scores, with_black
from trmsolve.arc.compression.network import Prediction
from trmsolve.arc.compression.puzzle import OUTPUT, CompressionPuzzle
from trmsolve.arc.content import content_hash

if TYPE_CHECKING:
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
    """The predictions of copies for the outputs of the tests.

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


class Votes:
    """The answers of copies that learn together, to all tests of a task."""

    def __init__(self, puzzle: CompressionPuzzle, copies: int) -> None:
        self.puzzle = puzzle
        self.tests = len(puzzle.task.tests)
        self.copies = copies
        self.average: Outputs | None = None
        # For each copy and test, the logarithm of the weight of each answer.
        self._weights = [[dict[str, float]() for _ in range(self.tests)] for _ in range(copies)]
        self._grids: dict[str, Grid] = {}

    def add(self, prediction: Prediction, step: int) -> None:
        """Count the answers of a step: those of this sample, and those of the average."""
        now = Outputs.of(prediction, self.tests)
        self._average_in(now)
        early = EARLY if step < EARLY_STEPS else 0.0
        assert self.average is not None
        for copy in range(len(now.colours)):
            for test in range(self.tests):
                weights = self._weights[copy][test]
                self._count(weights, self.guess(now, copy, test), early)
                of_average = self.guess(self.average, copy, test)
                self._count(weights, of_average, early + OF_AVERAGE)

    def guess(self, outputs: Outputs, copy: int, test: int) -> Guess:
        """The answer that the outputs of a copy mean for one test."""
        example = self.puzzle.examples[len(self.puzzle.examples) - self.tests + test]
        rows, columns = example.room
        height, width = example.shapes[OUTPUT]
        known = self.puzzle.size_known[OUTPUT]
        top, bottom = best_span(outputs.rows[copy, test, :rows], height if known else None)
        left, right = best_span(outputs.columns[copy, test, :columns], width if known else None)
        colours = outputs.colours[copy, test, :, top:bottom, left:right]
        logits = with_black(colours, dim=0)
        best, numbers = logits.max(dim=0)
        doubt = logits.logsumexp(dim=0) - best
        return Guess(
            self.puzzle.coloured(numbers.numpy()),
            torch.exp(-doubt).numpy(),
            float(doubt.mean()),
        )

    def best(self, test: int, number: int = 8) -> list[WeightedGrid]:
        """The answers with most votes of all copies, best first."""
        votes: dict[str, float] = {}
        favourites = Counter[str]()
        for of_tests in self._weights:
            weights = of_tests[test]
            total = np.logaddexp.reduce(list(weights.values()))
            for key, weight in weights.items():
                votes[key] = votes.get(key, 0.0) + math.exp(weight - total)
            favourites[max(weights, key=weights.__getitem__)] += 1
        keys = sorted(votes, key=votes.__getitem__, reverse=True)
        return [
            WeightedGrid(self._grids[key], votes[key], favourites[key]) for key in keys[:number]
        ]

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

    def _count(self, weights: dict[str, float], guess: Guess, less: float) -> None:
        key = content_hash(guess.grid)
        self._grids.setdefault(key, guess.grid)
        weight = -DOUBT * guess.doubt - less
        weights[key] = float(np.logaddexp(weights.get(key, -math.inf), weight))


def best_span(scores: Tensor, length: int | None) -> tuple[int, int]:
    """The span that fits the scores best, of a given length or of any: its begin and its end.

    ``scores`` is (room,).
    """
    spans = span_scores(scores[None])[0]
    if length is not None:
        begin = int(spans.diagonal(length).argmax())
        return begin, begin + length
    return divmod(int(spans.argmax()), spans.shape[1])
