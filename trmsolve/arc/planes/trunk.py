"""One copy of a trained network learns one task for some seconds, and answers at a few moments."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trmsolve.arc.answers import Guess, Status, WeightedGrid, combined
from trmsolve.arc.planes.copies import LearningCopy
from trmsolve.arc.planes.predict import Question, ViewPrediction, predict
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import ArcTask
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.file import load_model


@dataclass(frozen=True)
class Moment:
    """When a copy answers, and how."""

    # The part of its time that is over.
    part: float
    # What its answers count, beside those of other moments.
    weight: float
    views: int
    cycles: int


MOMENTS = (
    # Whoever interrupts at once gets some answer.
    Moment(0.0, 1e-6, views=1, cycles=1),
    Moment(0.5, 1.0, len(SYMMETRIES), cycles=8),
    Moment(0.75, 1.0, len(SYMMETRIES), cycles=8),
    Moment(0.95, 1.0, len(SYMMETRIES), cycles=8),
)
"""In the order of time. The last leaves the time that answering takes."""


def load_trunk(path: Path, dtype: torch.dtype = torch.float32) -> TinyRecursiveModel:
    """The trained network of a file, on the CPU. Its activations have ``dtype``.

    Raises:
        WeightsError: If it is damaged or another task's.
    """
    model = load_model(path, "arc", torch.float32, torch.device("cpu"))
    model.dtype = dtype
    return model


class TrunkLearner:
    """A copy of the trained network that learns one task.

    Args:
        model: The trained network; it is not changed.
        task: The task.
        seconds: How long the copy learns, answering included.
        seed: What decides the order of the demonstrations, and the noise.
    """

    copies = 1

    def __init__(self, model: TinyRecursiveModel, task: ArcTask, seconds: float, seed: int) -> None:
        self.task = task
        self.seconds = seconds
        self.status = Status()
        self._copy = LearningCopy(model, [task], seed)
        self._moments = list(MOMENTS)
        self._answers: list[list[WeightedGrid]] = [[] for _ in task.tests]
        self._guesses: list[Guess] = []
        self._begun = time.monotonic()

    def step(self) -> None:
        """Learn for one step, and answer if it is time."""
        part = min(self.status.seconds / self.seconds, 1.0)
        self._copy.step(part)
        if self._moments and part >= self._moments[0].part:
            self._answer(self._moments.pop(0))
        seconds = time.monotonic() - self._begun
        self.status = Status(self._copy.steps, seconds, self._copy.loss)

    def best(self) -> list[list[WeightedGrid]]:
        """For each test the answers of all views and moments, which together have one vote."""
        shared = []
        for answers in self._answers:
            # Grids without cells are no answers: they count only where there is nothing else.
            with_cells = [answer for answer in answers if answer.grid.size]
            ordered = combined(with_cells or answers)
            total = sum(answer.votes for answer in ordered)
            best = []
            for place, answer in enumerate(ordered):
                best.append(WeightedGrid(answer.grid, answer.votes / total, int(place == 0)))
            shared.append(best)
        return shared

    def guesses(self) -> list[Guess]:
        """For each test what the first view answered last."""
        return self._guesses

    def _answer(self, moment: Moment) -> None:
        """Ask the averaged weights under some symmetries."""
        model = self._copy.averaged()
        (canvas,) = self._copy.canvases
        self._guesses = []
        for number, test in enumerate(self.task.tests):
            predictions = predict(
                model,
                Question(test, canvas),
                cycles=moment.cycles,
                symmetries=range(moment.views),
            )
            for one in predictions:
                self._answers[number].append(WeightedGrid(one.grid, moment.weight, 0))
            self._guesses.append(_guess(predictions[0]))


def _guess(prediction: ViewPrediction) -> Guess:
    confidence = prediction.confidence
    doubt = float(-np.log(np.maximum(confidence, 1e-6)).mean()) if confidence.size else 0.0
    return Guess(prediction.grid, confidence, doubt)
