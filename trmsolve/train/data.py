"""Training examples: questions with their answers, drawn at random, each time under a fresh symmetry.

Knows arrays and the task's own symmetries; nothing of networks.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Grid, Puzzle, band_of
from trmsolve.train.pool import Batch


@dataclass(frozen=True)
class Examples:
    """Questions and answers as grids, (N, rows, columns) int8 each; ratings (N,) int64, -1 where the data has none."""

    questions: NDArray[np.int8]
    answers: NDArray[np.int8]
    ratings: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.questions)

    def mark(self) -> str:
        """The same for the same examples in the same order, and for no others."""
        parts = (self.questions, self.answers, self.ratings)
        return hashlib.sha256(
            b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        ).hexdigest()[:16]

    def pick(self, which: NDArray[Any]) -> "Examples":
        """Those of a mask or an index."""
        return Examples(self.questions[which], self.answers[which], self.ratings[which])

    def split(self, task: Task, held_out: int) -> tuple["Examples", "Examples"]:
        """What to learn from, and up to ``held_out`` evenly spaced examples to judge by.

        No answer of the one is an answer of the other under any symmetry of the task.
        """
        kept = np.zeros(len(self), dtype=bool)
        kept[np.linspace(0, len(self) - 1, min(held_out, len(self) // 2), dtype=np.intp)] = True
        # The invariant is cheap and nearly decides; only where it agrees are the exact forms
        # compared.
        marks = task.invariant(self.answers)
        forms = {task.canonical(answer) for answer in self.answers[kept]}
        doubtful = np.flatnonzero(~kept & np.isin(marks, marks[kept]))
        same = [index for index in doubtful if task.canonical(self.answers[index]) in forms]
        learned = ~kept
        learned[same] = False
        if not learned.any():
            raise PuzzleError(
                "every puzzle of the data is, in other clothes, one that is held out: give more data"
            )
        return self.pick(learned), self.pick(kept)

    def weights(self, shares: dict[str, float]) -> NDArray[np.float64]:
        """(N,) probabilities that give each band of difficulty its share, whatever the data's own mixture.

        Raises UsageError if no example is in a band that has a share.
        """
        bands = np.array([band_of(int(rating)) if rating >= 0 else "" for rating in self.ratings])
        weights = np.zeros(len(self))
        for band, share in shares.items():
            inside = bands == band
            weights[inside] = share / max(inside.sum(), 1)
        if not weights.sum() > 0:
            raise UsageError(f"no puzzle of the data has a rating in {', '.join(shares)}")
        weights /= weights.sum()
        return weights

    def draw(self, number: int, seed: int, shares: dict[str, float] | None = None) -> "Examples":
        """So many different ones by chance, each band of difficulty by its share; without shares, all alike.

        Raises UsageError if there are not as many.
        """
        chances = self.weights(shares) if shares else np.full(len(self), 1 / len(self))
        if number > (able := int((chances > 0).sum())):
            raise UsageError(
                f"{number} puzzles are to be drawn, and the data has {able} to learn from: ask for fewer"
            )
        drawn = np.random.default_rng(seed).choice(len(self), number, replace=False, p=chances)
        return self.pick(np.sort(drawn))

    @classmethod
    def collect(cls, task: Task, puzzles: Iterable[Puzzle | PuzzleError]) -> "Examples":
        """From puzzles that carry their answer, on the board that networks of the task are trained on.

        Raises PuzzleError for the first one that is unreadable, too large, or without an answer.
        """
        questions: list[Grid] = []
        answers: list[Grid] = []
        ratings: list[int] = []
        for puzzle in puzzles:
            if isinstance(puzzle, PuzzleError):
                raise puzzle
            if puzzle.answer is None:
                raise PuzzleError(
                    "training needs the answer beside the puzzle: give a CSV with both",
                    puzzle.source,
                )
            try:
                questions.append(task.lay(puzzle.grid))
            except PuzzleError as error:
                raise PuzzleError(error.problem, puzzle.source) from None
            answers.append(task.lay(puzzle.answer))
            ratings.append(-1 if puzzle.rating is None else puzzle.rating)
        if len(questions) < 2:
            raise PuzzleError(
                "training needs at least two puzzles: one to learn from, one to judge by"
            )
        return cls(np.stack(questions), np.stack(answers), np.array(ratings))


class Sampler:
    """An endless supply of training puzzles.

    The k-th puzzle of row i follows from ``seed``, i and k alone.

    So a run goes on where it stopped once ``visits`` are restored, and processes that share a
    batch, each with the rows from ``first_row`` on, see together what one process would. The
    examples lie encoded on the device and are permuted there; only the draws come from the host.
    """

    def __init__(
        self,
        task: Task,
        examples: Examples,
        device: torch.device,
        *,
        rows: int,
        first_row: int = 0,
        seed: int = 0,
        reveal: float = 0.0,
        stages: bool = False,
        shares: dict[str, float] | None = None,
    ) -> None:
        self.task, self.reveal, self.stages, self.device = task, reveal, stages, device
        self.seed, self.first_row = seed, first_row
        self.visits = np.zeros(rows, dtype=np.int64)  # puzzles each row has had
        self.ends = (
            np.cumsum(examples.weights(shares))
            if shares
            else (np.arange(len(examples)) + 1) / len(examples)
        )
        questions, answers = (
            torch.from_numpy(task.encode(grids).astype(np.uint8)).to(device)
            for grids in (examples.questions, examples.answers)
        )
        self.places = questions.shape[1:]
        self.questions, self.answers = questions.flatten(1), answers.flatten(1)  # (N, S)

    def __call__(self, rows: Tensor) -> Batch:
        """As many fresh puzzles as there are rows."""
        cells = self.task.seq_len // self.task.candidates
        which, reveal, symmetry, gift = np.split(
            self._draws(rows.cpu().numpy(), 3 + self.task.symmetry_draws + cells),
            np.cumsum([1, 2, self.task.symmetry_draws]),
            axis=1,
        )
        index = self._on_device(
            np.minimum(np.searchsorted(self.ends, which[:, 0], side="right"), len(self.ends) - 1)
        )
        question, answer = self.questions[index].long(), self.answers[index].long()
        if self.reveal:  # up to half of the cells, as a gift
            given = gift < 0.5 * reveal[:, 1:] * (reveal[:, :1] < self.reveal)
            question = torch.where(
                self._on_device(given.repeat(self.task.candidates, axis=1)), answer, question
            )
        places, names = (self._on_device(part) for part in self.task.symmetries(symmetry))
        tokens, labels = (names.gather(1, part.gather(1, places)) for part in (question, answer))
        batch = Batch(tokens.unflatten(1, self.places), labels, torch.zeros_like(index))
        return self._ruled(batch) if self.task.ruled else batch

    def _ruled(self, batch: Batch) -> Batch:
        """With the answers that the data's rule chooses and, for networks that rewrite, how they come about."""
        asked = batch.tokens.flatten(1).cpu().numpy()
        if self.stages and (course := self.task.course(asked)):
            labels, stages, since = (
                self._on_device(part) for part in (course.end(), course.stages, course.since)
            )
            return replace(batch, labels=labels, stages=stages, since=since)
        return replace(
            batch, labels=self._on_device(self.task.relabel(asked, batch.labels.cpu().numpy()))
        )

    def _draws(self, rows: NDArray[np.int64], number: int) -> NDArray[np.float64]:
        """(n, number) uniform in [0, 1), of each row's next visit."""
        drawn = [
            np.random.Generator(
                np.random.Philox(key=[self.seed, self.first_row + row], counter=[0, 0, visit, 0])
            ).random(number)
            for row, visit in zip(rows.tolist(), self.visits[rows].tolist(), strict=True)
        ]
        self.visits[rows] += 1
        return np.stack(drawn)

    def _on_device(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.array(array)).to(
            self.device
        )  # a copy: a broadcast view is not writable
