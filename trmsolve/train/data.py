"""Training examples: puzzles drawn at random, each time under a fresh symmetry.

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
    """Puzzles with their answers as arrays."""

    questions: NDArray[np.int8]
    """(N, rows, columns)"""
    answers: NDArray[np.int8]
    """(N, rows, columns)"""
    ratings: NDArray[np.int64]
    """(N,), -1 where the data has none."""
    extras: NDArray[np.int8] | None = None
    """(N, ...): the clues that are no cells, for a task that has such."""

    def __len__(self) -> int:
        return len(self.questions)

    def content_hash(self) -> str:
        """The same for the same examples in the same order, and for no others."""
        parts = [self.questions, self.answers, self.ratings]
        if self.extras is not None:
            parts.append(self.extras)
        content = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        return hashlib.sha256(content).hexdigest()[:16]

    def pick(self, which: NDArray[Any]) -> "Examples":
        """The examples of a mask or an index."""
        extras = None if self.extras is None else self.extras[which]
        return Examples(
            self.questions[which],
            self.answers[which],
            self.ratings[which],
            extras,
        )

    def puzzles(self, source: str) -> list[Puzzle]:
        """The examples as puzzles with their answers, called ``source:number``."""
        pairs = zip(self.questions, self.answers, strict=True)
        return [
            Puzzle(question, f"{source}:{number}", answer=answer, extra=self.extra(number))
            for number, (question, answer) in enumerate(pairs)
        ]

    def extra(self, index: int) -> NDArray[np.int8] | None:
        """The clues of one example that are no cells."""
        return None if self.extras is None else self.extras[index]

    def split(self, task: Task, held_out: int) -> tuple["Examples", "Examples"]:
        """The examples to learn from, and up to ``held_out`` evenly spaced ones to judge by.

        No answer of the one is an answer of the other under any symmetry of the task. Raises
        PuzzleError if none is left to learn from.
        """
        number = min(held_out, len(self) // 2)
        kept = np.zeros(len(self), dtype=bool)
        kept[np.linspace(0, len(self) - 1, number, dtype=np.intp)] = True
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
                "every puzzle of the data is held out too, under a symmetry: give more data"
            )
        return self.pick(learned), self.pick(kept)

    def weights(self, shares: dict[str, float]) -> NDArray[np.float64]:
        """(N,) probabilities that give each band of difficulty its share, whatever the data has.

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
        """Different examples by chance, each band by its share; without shares, all alike.

        Raises UsageError if there are not as many.
        """
        chances = self.weights(shares) if shares else np.full(len(self), 1 / len(self))
        able = int((chances > 0).sum())
        if number > able:
            raise UsageError(
                f"cannot draw {number} puzzles: the data has only {able} to learn from"
            )
        drawn = np.random.default_rng(seed).choice(len(self), number, replace=False, p=chances)
        return self.pick(np.sort(drawn))

    def with_derived(self, task: Task, attempts: int, seed: int) -> "Examples":
        """These examples, and after them up to ``attempts`` from each that the rules derive."""
        assert self.extras is None
        questions = [self.questions]
        answers = [self.answers]
        ratings = [self.ratings]
        for number in range(len(self)):
            answer = self.answers[number]
            rng = np.random.default_rng((seed, number))
            derived, rated = task.derive(self.questions[number], answer, attempts, rng)
            questions.append(derived)
            answers.append(np.repeat(answer[None], len(derived), axis=0))
            ratings.append(rated)
        return Examples(np.concatenate(questions), np.concatenate(answers), np.concatenate(ratings))

    @classmethod
    def collect(cls, task: Task, puzzles: Iterable[Puzzle | PuzzleError]) -> "Examples":
        """Examples from puzzles that carry their answer, on the board that networks are trained on.

        Raises PuzzleError for the first one that is unreadable, too large, or without an answer.
        """
        questions: list[Grid] = []
        answers: list[Grid] = []
        ratings: list[int] = []
        extras: list[NDArray[np.int8]] = []
        for puzzle in puzzles:
            if isinstance(puzzle, PuzzleError):
                raise puzzle
            question, answer = _on_board(task, puzzle)
            questions.append(question)
            answers.append(answer)
            ratings.append(-1 if puzzle.rating is None else puzzle.rating)
            if puzzle.extra is not None:
                extras.append(puzzle.extra)
        if len(questions) < 2:
            raise PuzzleError(
                "training needs at least two puzzles: one to learn from and one to evaluate on"
            )
        stacked = np.stack(extras) if extras else None
        return cls(np.stack(questions), np.stack(answers), np.array(ratings), stacked)


def _on_board(task: Task, puzzle: Puzzle) -> tuple[Grid, Grid]:
    """Question and answer on the board of training. Raises PuzzleError as ``collect``."""
    if puzzle.answer is None:
        raise PuzzleError(
            "training needs puzzles with answers: give a CSV file with both", puzzle.source
        )
    try:
        return task.pad_to_board(puzzle.grid), task.pad_to_board(puzzle.answer)
    except PuzzleError as error:
        raise PuzzleError(error.problem, puzzle.source) from None


class Sampler:
    """An endless supply of training puzzles.

    The k-th puzzle of row i follows from ``seed``, i and k alone.

    A run thus goes on where it stopped once ``visits`` are restored, and processes that share a
    batch, each with the rows from ``first_row`` on, see together what one process would. The
    examples lie encoded on the device and are permuted there; only the draws come from the host.
    """

    def __init__(  # noqa: PLR0913 (each is named)
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
        self.task = task
        self.device = device
        self.reveal = reveal
        self.stages = stages
        self.seed = seed
        self.first_row = first_row
        self.visits = np.zeros(rows, dtype=np.int64)  # puzzles each row has had
        if shares:
            self.ends = np.cumsum(examples.weights(shares))
        else:
            self.ends = (np.arange(len(examples)) + 1) / len(examples)
        questions = self._encoded(examples.questions, examples.extras)
        self.spatial_shape = questions.shape[1:]
        self.questions = questions.flatten(1)  # (N, S)
        self.answers = self._encoded(examples.answers, examples.extras).flatten(1)  # (N, S)

    def __call__(self, rows: Tensor) -> Batch:
        """As many fresh puzzles as there are rows."""
        cells = self.task.seq_len // self.task.candidates
        symmetry_draws = self.task.symmetry_draws
        which, reveal, symmetry, gift = np.split(
            self._draws(rows.cpu().numpy(), 3 + symmetry_draws + cells),
            np.cumsum([1, 2, symmetry_draws]),
            axis=1,
        )
        drawn = np.searchsorted(self.ends, which[:, 0], side="right")
        index = self._on_device(np.minimum(drawn, len(self.ends) - 1))
        question = self.questions[index].long()
        answer = self.answers[index].long()
        if self.reveal:  # up to half of the cells, as a gift
            given = gift < 0.5 * reveal[:, 1:] * (reveal[:, :1] < self.reveal)
            given = given.repeat(self.task.candidates, axis=1)
            question = torch.where(self._on_device(given), answer, question)
        places, names = (self._on_device(part) for part in self.task.symmetries(symmetry))
        tokens = names.gather(1, question.gather(1, places))
        labels = names.gather(1, answer.gather(1, places))
        batch = Batch(tokens.unflatten(1, self.spatial_shape), labels, torch.zeros_like(index))
        return self._with_canonical_labels(batch) if self.task.has_canonical_label else batch

    def _with_canonical_labels(self, batch: Batch) -> Batch:
        """The batch with the answers that the data's rule chooses.

        For networks that rewrite their question it has how they come about too.
        """
        asked = batch.tokens.flatten(1).cpu().numpy()
        trajectory = self.task.trajectory(asked) if self.stages else None
        if trajectory is not None:
            return replace(
                batch,
                labels=self._on_device(trajectory.end()),
                stages=self._on_device(trajectory.stages),
                available_from=self._on_device(trajectory.available_from),
            )
        labels = self.task.relabel_after_augmentation(asked, batch.labels.cpu().numpy())
        return replace(batch, labels=self._on_device(labels))

    def _draws(self, rows: NDArray[np.int64], number: int) -> NDArray[np.float64]:
        """(n, number) uniform in [0, 1), for each row's next visit."""
        drawn = []
        for row, visit in zip(rows.tolist(), self.visits[rows].tolist(), strict=True):
            key = [self.seed, self.first_row + row]
            bits = np.random.Philox(key=key, counter=[0, 0, visit, 0])
            drawn.append(np.random.Generator(bits).random(number))
        self.visits[rows] += 1
        return np.stack(drawn)

    def _encoded(self, grids: NDArray[np.int8], extras: NDArray[np.int8] | None) -> Tensor:
        """The tokens (N, ...) on the device, in bytes."""
        tokens = self.task.encode(grids, extras)
        return torch.from_numpy(tokens.astype(np.uint8)).to(self.device)

    def _on_device(self, array: NDArray[Any]) -> Tensor:
        # A copy, as a broadcast array is not writable.
        return torch.from_numpy(np.array(array)).to(self.device)
