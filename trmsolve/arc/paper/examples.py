"""The paper's joint training on ARC: all tasks at once, each in many variants.

Each variant of a task has a row of the network's table of embeddings. The network learns from the
demonstrations of all tasks, and from the tests of those that it is not evaluated on. Nothing equal
to a held-out test is learned from, see ``hold_out``. Variants are made when they are drawn: only
their symmetries and colours are kept.

Knows tasks, their variants and tensors; nothing of losses, optimizers or checkpoints.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.arc.hold_out import Place, evenly_spaced, hold_out, known_pairs
from trmsolve.arc.paper.known import PUZZLES
from trmsolve.arc.paper.variants import (
    AUGMENTATIONS,
    BLANK,
    PAD,
    PLAIN,
    SEQ_LEN,
    Augmentation,
    draw_variants,
    encode,
    highest_offset,
)
from trmsolve.arc.table import write_names
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
from trmsolve.puzzles.values import Grid
from trmsolve.train.loss import IGNORE
from trmsolve.train.pool import Batch
from trmsolve.train.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Example:
    """An input and its output, and the number of the task that they belong to."""

    task: int
    input: Grid
    output: Grid


@dataclass(frozen=True, eq=False)
class PaperExamples:
    """All tasks with their variants, what is learned from, and what is held out.

    ``build`` makes one. Row 0 of the table is blank.
    """

    tasks: tuple[ArcTask, ...]

    learned: tuple[Example, ...]

    held_out: tuple[Example, ...]

    first: NDArray[np.int64]
    """Task k has the rows from ``first[k]`` to below ``first[k + 1]``.

    The first of them is for the task as it is.
    """

    symmetries: NDArray[np.uint8]
    """(N,): the symmetry of the variant of each of the N rows."""

    colours: NDArray[np.uint8]
    """(N, 10): what each colour becomes in the variant of each row."""

    @classmethod
    def build(
        cls,
        tasks: Sequence[ArcTask],
        measured: Collection[str],
        augmentations: int = AUGMENTATIONS,
        seed: int = 0,
    ) -> "PaperExamples":
        """Examples of all tasks; the tests of those named in ``measured`` are held out.

        A task's variants are determined by its content, its name and ``seed``.

        Raises:
            UsageError: If nothing could be learned or judged, or names do not tell tasks apart.
        """
        _check_names(tasks, measured)
        learned, held_out = _split(tasks, measured)
        first = [1]
        views = [PLAIN]  # of row 0, which is blank
        for task in tasks:
            name = int.from_bytes(hashlib.sha256(task.name.encode()).digest()[:8])
            rng = np.random.default_rng((seed, name))
            views += draw_variants(task, augmentations, rng)
            first.append(len(views))
        symmetries = np.array([view.symmetry for view in views], np.uint8)
        colours = np.array([view.colours for view in views], np.uint8)
        return cls(tuple(tasks), learned, held_out, np.array(first), symmetries, colours)

    def __len__(self) -> int:
        """Examples to learn from, counted in all variants."""
        variants = np.diff(self.first)
        return int(sum(variants[one.task] for one in self.learned))

    @property
    def num_puzzles(self) -> int:
        """Rows of the table."""
        return int(self.first[-1])

    def variant(self, row: int) -> Augmentation:
        """The variant that the row stands for."""
        colours = self.colours[row].tolist()
        return Augmentation(int(self.symmetries[row]), tuple(colours))

    def identifiers(self) -> list[str]:
        """The name of each row."""
        names = [BLANK]
        for number, task in enumerate(self.tasks):
            rows = range(self.first[number], self.first[number + 1])
            names += [self.variant(row).name(task.name) for row in rows]
        return names

    def write_identifiers(self, folder: Path) -> None:
        """Write what ``known.Known`` reads: the names of the rows, and the tasks they belong to."""
        write_names(self.identifiers(), folder)
        puzzles = {task.name: _as_json(task) for task in self.tasks}
        write_atomically(folder / PUZZLES, json.dumps(puzzles).encode())

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe with a table of as many rows as there are."""
        return replace(recipe, config=replace(recipe.config, num_puzzles=self.num_puzzles))

    def content_hash(self) -> str:
        """A digest that the same tasks, variants and division share, and no others.

        Runs keep it, so that it must not change.
        """
        digest = hashlib.sha256(json.dumps(self.identifiers()).encode())
        for one in (*self.learned, *self.held_out):
            numbers = [one.task, *one.input.shape, *one.output.shape]
            digest.update(np.array(numbers).tobytes())
            digest.update(one.input.tobytes())
            digest.update(one.output.tobytes())
        return digest.hexdigest()[:16]


def choose_measured(tasks: Sequence[ArcTask], number: int) -> frozenset[str]:
    """The names of up to ``number`` tasks to evaluate on, at most half of all.

    They are evenly spaced among those whose tests' outputs are known.
    """
    answered = [task.name for task in tasks if task.answered]
    most = min(number, max(len(tasks) // 2, 1))
    return frozenset(answered[index] for index in evenly_spaced(len(answered), most))


class PaperSampler:
    """An endless supply of examples: the k-th of row i is determined by ``seed``, i and k alone.

    Any example is as likely as any other, and so is any variant of it. The paper instead goes
    through all tasks in a random order and adds all examples of one variant of each to the batch.
    On average a row sees the same, and a pool whose rows halt one by one can be filled.

    The grids' place on the canvas is random, except for one example of each variant, which the
    paper leaves in the corner. Here that happens as often, by chance.
    """

    def __init__(
        self,
        examples: PaperExamples,
        device: torch.device,
        *,
        rows: int,
        first_row: int = 0,
        seed: int = 0,
    ) -> None:
        self.examples = examples
        self.device = device
        self.seed = seed
        self.first_row = first_row
        self.visits = np.zeros(rows, dtype=np.int64)  # examples that each row has had
        self.siblings = np.bincount([one.task for one in examples.learned])

    def __call__(self, rows: Tensor) -> Batch:
        """As many examples as there are rows."""
        questions = []
        answers = []
        ids = []
        for place in rows.tolist():
            question, answer, row = self._draw(place)
            questions.append(question)
            answers.append(answer)
            ids.append(row)
        labels = np.array(answers).astype(np.int64)
        labels[labels == PAD] = IGNORE
        return Batch(
            self._tensor(np.array(questions)),
            self._tensor(labels),
            self._tensor(np.array(ids)),
        )

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).long().to(self.device)

    def _draw(self, place: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
        """The next example for this row of the batch.

        Two canvases (900,), the question and the answer, and the row of the table.
        """
        rng = self._next_rng(place)
        one = self.examples.learned[rng.integers(len(self.examples.learned))]
        first, end = self.examples.first[one.task : one.task + 2]
        row = int(rng.integers(first, end))
        variant = self.examples.variant(row)
        question = variant.apply(one.input)
        answer = variant.apply(one.output)
        down, across = 0, 0
        if rng.integers(self.siblings[one.task]):
            down, across = highest_offset(question, answer)
        top = int(rng.integers(down + 1))
        left = int(rng.integers(across + 1))
        asked = encode(question, top, left)
        expected = encode(answer, top, left)
        return asked.reshape(SEQ_LEN), expected.reshape(SEQ_LEN), row

    def _next_rng(self, place: int) -> np.random.Generator:
        """The chance for the next example of this row."""
        visit = int(self.visits[place])
        self.visits[place] += 1
        bits = np.random.Philox(
            key=[self.seed, self.first_row + place],
            counter=[0, 0, visit, 0],
        )
        return np.random.Generator(bits)


def _split(
    tasks: Sequence[ArcTask], measured: Collection[str]
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The examples to learn from, and the held-out tests of the tasks named in ``measured``."""
    split = hold_out(tasks, _places_of_tests(tasks, measured))
    held_out = [_example(number, pair) for number, pair in split.held_out]
    if not held_out:
        raise UsageError(
            "no evaluation task has a test with a known output: there is nothing to evaluate on"
        )
    learned: list[Example] = []
    for number, task in enumerate(split.learned):
        learned += [_example(number, pair) for pair in known_pairs(task)]
    if not learned:
        raise UsageError("no pair is left for training: give more tasks")
    return tuple(learned), tuple(held_out)


def _places_of_tests(tasks: Sequence[ArcTask], measured: Collection[str]) -> Iterator[Place]:
    """The places of the tests whose outputs are known."""
    for number, task in enumerate(tasks):
        if task.name not in measured:
            continue
        for place, test in enumerate(task.tests, len(task.demonstrations)):
            if test.output is not None:
                yield Place(number, place)


def _example(task: int, pair: Pair) -> Example:
    assert pair.output is not None
    return Example(task, pair.input, pair.output)


def _check_names(tasks: Sequence[ArcTask], measured: Collection[str]) -> None:
    """Raise UsageError for names that do not tell tasks apart, and for unknown measured ones."""
    seen: set[str] = set()
    for task in tasks:
        if task.name in seen:
            raise UsageError(f"task {task.name} appears twice: remove or rename one of them")
        if task.name == BLANK or "|||" in task.name:
            raise UsageError(f"task {task.name}: names must not contain {BLANK} or |||: rename it")
        seen.add(task.name)
    missing = sorted(set(measured) - seen)
    if missing:
        raise UsageError(f"evaluation task {missing[0]} is not among the tasks")


def _as_json(task: ArcTask) -> dict[str, list[dict[str, list[list[int]]]]]:
    """The task as its file has it."""
    return {
        "train": [_pair_as_json(pair) for pair in task.demonstrations],
        "test": [_pair_as_json(pair) for pair in task.tests],
    }


def _pair_as_json(pair: Pair) -> dict[str, list[list[int]]]:
    sides = {"input": pair.input.tolist()}
    if pair.output is not None:
        sides["output"] = pair.output.tolist()
    return sides
