"""Copies of the network learn one task, step by step, and vote on its tests meanwhile."""

import math
import time
from collections.abc import Sequence

import numpy as np
import torch

from trmsolve.arc.answers import Guess, Status, WeightedGrid
from trmsolve.arc.compression.loss import reconstruction_loss
from trmsolve.arc.compression.network import CompressionNetwork
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.votes import Votes
from trmsolve.arc.compression.weights import new_weights

LEARNING_RATE = 0.01
BETAS = (0.5, 0.9)
"""The decay rates of Adam, as in arXiv 2512.06104."""

GRID_WEIGHT = 10.0
"""A nat that the grids need counts as much as so many nats of the latents."""

VOTE_EVERY = 4
"""Steps from one vote to the next."""


class CompressionLearner:
    """Copies of the network and their optimizer.

    Args:
        puzzle: The task.
        seeds: For each copy what decides its weights, latents and noise.
    """

    def __init__(self, puzzle: CompressionPuzzle, seeds: Sequence[int]) -> None:
        self.puzzle = puzzle
        self.network = CompressionNetwork(
            cells=puzzle.cells,
            colours=puzzle.colours,
            sizes_known=puzzle.size_known[1],
            weights=[new_weights(seed) for seed in seeds],
            seeds=seeds,
        )
        self.votes = Votes(puzzle, len(seeds))
        self.status = Status()
        self._known_cells = _known_cells(puzzle)
        self._noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        parameters = self.network.parameters
        self._optimizer = torch.optim.Adam(
            [parameters.values], lr=LEARNING_RATE, betas=BETAS, fused=True
        )
        self._begun = time.monotonic()

    @property
    def copies(self) -> int:
        """How many learn together."""
        return self.votes.copies

    def step(self) -> None:
        """Learn for one step."""
        step = self.status.step
        prediction = self.network.predict(self.network.noise(self._noise))
        loss = reconstruction_loss(self.puzzle, prediction, step)
        # The sum keeps copies apart: no parameter of one has a share in the loss of another.
        (prediction.cost + GRID_WEIGHT * loss).sum().backward()
        self._optimizer.step()
        self.network.parameters.clear_gradients()
        if step % VOTE_EVERY == 0:
            self.votes.add(prediction, step)
        self.status = Status(
            step=step + 1,
            seconds=time.monotonic() - self._begun,
            loss=float(loss.detach().mean()) / self._known_cells,
            bits=float(prediction.cost.detach().mean()) / math.log(2),
        )

    def best(self) -> list[list[WeightedGrid]]:
        """For each test the answers with most weight so far."""
        return [self.votes.best(test) for test in range(self.votes.tests)]

    def guesses(self) -> list[Guess]:
        """For each test what the running average of the first copy answers now."""
        average = self.votes.average
        assert average is not None
        return [self.votes.guess(average, 0, test) for test in range(self.votes.tests)]


def _known_cells(puzzle: CompressionPuzzle) -> int:
    sizes = []
    for example in puzzle.examples:
        sizes += [grid.size for grid in example.grids if grid is not None]
    return int(np.sum(sizes))
