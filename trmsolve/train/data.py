"""Training examples: questions with their answers, drawn at random, each time under a fresh symmetry.

Knows arrays and the task's own symmetries; nothing of networks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Grid, Puzzle, Task
from trmsolve.train.pool import Batch


@dataclass(frozen=True)
class Examples:
    """Questions and answers as grids, (N, rows, columns) int8 each."""

    questions: NDArray[np.int8]
    answers: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.questions)

    def split(self, held_out: int) -> tuple["Examples", "Examples"]:
        """All but ``held_out`` evenly spaced examples, and those."""
        picked = np.zeros(len(self), dtype=bool)
        picked[np.linspace(0, len(self) - 1, min(held_out, len(self) // 2), dtype=np.intp)] = True
        return (
            Examples(self.questions[~picked], self.answers[~picked]),
            Examples(self.questions[picked], self.answers[picked]),
        )

    @classmethod
    def collect(cls, puzzles: Iterable[Puzzle | PuzzleError]) -> "Examples":
        """From puzzles that carry their answer. Raises PuzzleError for the first one that is unreadable or does not."""
        questions: list[Grid] = []
        answers: list[Grid] = []
        for puzzle in puzzles:
            if isinstance(puzzle, PuzzleError):
                raise puzzle
            if puzzle.answer is None:
                raise PuzzleError("training needs the answer beside the puzzle: give a CSV with both", puzzle.source)
            questions.append(puzzle.grid)
            answers.append(puzzle.answer)
        if len(questions) < 2:
            raise PuzzleError("training needs at least two puzzles: one to learn from, one to judge by")
        return cls(np.stack(questions), np.stack(answers))


class Sampler:
    """An endless supply of training puzzles. Everything random comes from ``seed``."""

    def __init__(self, task: Task, examples: Examples, reveal: float, device: torch.device, seed: int) -> None:
        self.task, self.examples, self.reveal, self.device = task, examples, reveal, device
        self.rng = np.random.default_rng(seed)

    def __call__(self, rows: Tensor) -> Batch:
        """As many fresh puzzles as there are rows."""
        pairs = [self._draw() for _ in range(len(rows))]
        tokens = torch.from_numpy(np.stack([question for question, _ in pairs])).to(self.device)
        labels = torch.from_numpy(np.stack([answer for _, answer in pairs])).to(self.device)
        return Batch(tokens, labels, torch.zeros(len(rows), dtype=torch.long, device=self.device))

    def _draw(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        index = self.rng.integers(len(self.examples))
        question, answer = self.task.augment(self.examples.questions[index], self.examples.answers[index], self.rng)
        if self.rng.random() < self.reveal:
            given_away = self.rng.random(question.shape) < self.rng.random() * 0.5
            question = np.where(given_away, answer, question)
        return self.task.encode(question), self.task.encode(answer)
