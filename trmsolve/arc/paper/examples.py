"""The paper's joint training on ARC: all tasks at once, each in many variants, each variant with a row of the table.

Demonstrations of all tasks are learned from, and the tests of those that are not measured. What is
held out is learned from nowhere, in no other clothes either. Variants are made when they are drawn:
kept are their names' worth of numbers.

Knows tasks, their variants and tensors; nothing of losses, optimizers or checkpoints.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.arc.overlap import canonical_pair
from trmsolve.arc.paper.known import IDENTIFIERS, PUZZLES, decode, improve
from trmsolve.arc.paper.variants import (
    AUGMENTATIONS,
    BLANK,
    FIRST_COLOUR,
    PAD,
    PLAIN,
    SEQ_LEN,
    Augmentation,
    draw_variants,
    encode,
    highest_offset,
)
from trmsolve.arc.symmetry import crop
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.values import Grid
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.base import Judging, say_nothing
from trmsolve.train.loss import IGNORE
from trmsolve.train.pool import Batch
from trmsolve.train.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Example:
    """An input and its output, and which of the tasks it is of."""

    task: int
    input: Grid
    output: Grid


@dataclass(frozen=True, eq=False)
class OfficialExamples:
    """All tasks with their variants, what is learned from and what is held out.

    ``build`` makes one.

    Row 0 of the table is blank. Task k has the rows from ``first[k]`` to below ``first[k + 1]``,
    the first of them for the task as it is; ``symmetries`` (N,) and ``colours`` (N, 10) say what
    the variant of each of the N rows is.
    """

    tasks: tuple[ArcTask, ...]
    learned: tuple[Example, ...]
    held: tuple[Example, ...]
    first: NDArray[np.int64]
    symmetries: NDArray[np.uint8]
    colours: NDArray[np.uint8]

    @classmethod
    def build(
        cls,
        tasks: Sequence[ArcTask],
        measured: Collection[str],
        augmentations: int = AUGMENTATIONS,
        seed: int = 0,
    ) -> "OfficialExamples":
        """From all tasks, of which those named in ``measured`` have their tests held out.

        A task's variants follow from its own content, name and ``seed``. Raises UsageError where
        nothing could be learned or judged, and for names that do not tell tasks apart.
        """
        _check_names(tasks, measured)
        learned, held = _split(tasks, measured)
        first, symmetries, colours = (
            [1],
            [PLAIN.symmetry],
            [PLAIN.colours],
        )  # of row 0, which is blank
        for task in tasks:
            name = int.from_bytes(hashlib.sha256(task.name.encode()).digest()[:8])
            for view in draw_variants(task, augmentations, np.random.default_rng((seed, name))):
                symmetries.append(view.symmetry)
                colours.append(view.colours)
            first.append(len(symmetries))
        numbers = np.array(symmetries, np.uint8), np.array(colours, np.uint8)
        return cls(tuple(tasks), learned, held, np.array(first), *numbers)

    def __len__(self) -> int:
        """Examples to learn from, those of all variants counted."""
        return int(sum(self.first[one.task + 1] - self.first[one.task] for one in self.learned))

    @property
    def num_puzzles(self) -> int:
        """Rows of the table."""
        return int(self.first[-1])

    def variant(self, row: int) -> Augmentation:
        """What the row stands for."""
        return Augmentation(int(self.symmetries[row]), tuple(self.colours[row].tolist()))

    def identifiers(self) -> list[str]:
        """The name of each row."""
        names = [BLANK]
        for task, begin, end in zip(self.tasks, self.first, self.first[1:], strict=False):
            names += [self.variant(row).name(task.name) for row in range(begin, end)]
        return names

    def write_identifiers(self, folder: Path) -> None:
        """Write there what ``known.Known`` reads: the names of the rows, and the tasks that they are of."""
        write_atomically(folder / IDENTIFIERS, json.dumps(self.identifiers()).encode())
        puzzles = {task.name: _plain(task) for task in self.tasks}
        write_atomically(folder / PUZZLES, json.dumps(puzzles).encode())

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe with a table of as many rows as there are."""
        return replace(recipe, config=replace(recipe.config, num_puzzles=self.num_puzzles))

    def mark(self) -> str:
        """The same for the same tasks, variants and division, and for no others."""
        digest = hashlib.sha256(json.dumps(self.identifiers()).encode())
        for examples in (self.learned, self.held):
            for one in examples:
                digest.update(np.array([one.task, *one.input.shape, *one.output.shape]).tobytes())
                digest.update(one.input.tobytes() + one.output.tobytes())
        return digest.hexdigest()[:16]


def choose_measured(tasks: Sequence[ArcTask], number: int) -> frozenset[str]:
    """The names of up to ``number`` tasks, evenly spaced among those whose tests' outputs are known, half of all."""
    answered = [task.name for task in tasks if task.answered]
    chosen = np.linspace(
        0, len(answered) - 1, min(number, max(len(tasks) // 2, 1), len(answered)), dtype=np.intp
    )
    return frozenset(answered[index] for index in chosen)


class OfficialSampler:
    """An endless supply of examples. The k-th one of row i follows from ``seed``, i and k alone.

    Any example is as likely as any other, and then any variant of it. The paper instead goes
    through all tasks in a random order and adds all examples of one variant of each to the batch:
    by the row the same on average, and a pool whose rows halt one by one can be filled. The grids'
    place on the canvas is random, but for one example of each variant, which the paper leaves in
    the corner: here one in as many as there are.
    """

    def __init__(
        self,
        examples: OfficialExamples,
        device: torch.device,
        *,
        rows: int,
        first_row: int = 0,
        seed: int = 0,
    ) -> None:
        self.examples, self.device, self.seed, self.first_row = examples, device, seed, first_row
        self.visits = np.zeros(rows, dtype=np.int64)  # examples each row has had
        self.siblings = np.bincount([one.task for one in examples.learned])

    def __call__(self, rows: Tensor) -> Batch:
        """As many examples as there are rows."""
        drawn = [self._draw(place) for place in rows.tolist()]
        tokens, labels, ids = (np.array(part) for part in zip(*drawn, strict=True))
        labels = labels.astype(np.int64)
        labels[labels == PAD] = IGNORE
        return Batch(
            *(torch.from_numpy(part).long().to(self.device) for part in (tokens, labels, ids))
        )

    def _draw(self, place: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
        """The next example for this row of the batch: its two canvases (900,) and its row of the table."""
        key, visit = [self.seed, self.first_row + place], int(self.visits[place])
        rng = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, visit, 0]))
        self.visits[place] += 1
        one = self.examples.learned[rng.integers(len(self.examples.learned))]
        which = int(rng.integers(self.examples.first[one.task], self.examples.first[one.task + 1]))
        grids = [self.examples.variant(which).apply(grid) for grid in (one.input, one.output)]
        row, column = highest_offset(*grids) if rng.integers(self.siblings[one.task]) else (0, 0)
        at = int(rng.integers(row + 1)), int(rng.integers(column + 1))
        question, answer = (encode(grid, *at).reshape(SEQ_LEN) for grid in grids)
        return question, answer, which


def judge(
    model: TinyRecursiveModel,
    examples: OfficialExamples,
    *,
    most: int = 128,
    cycles: int = MAX_CYCLES,
    batch_size: int = 32,
    told: Judging = say_nothing,
) -> float:
    """The fraction of up to ``most`` held out tests, evenly spaced, answered exactly after ``cycles`` in one view."""
    chosen = np.linspace(0, len(examples.held) - 1, min(most, len(examples.held)), dtype=np.intp)
    held, right = [examples.held[index] for index in chosen], 0
    for begin in range(0, len(held), batch_size):
        part = held[begin : begin + batch_size]
        rows = [int(examples.first[one.task]) for one in part]
        for prediction in improve(model, [encode(one.input) for one in part], rows, cycles):
            told(begin, len(held))
            last = prediction
        answers = decode(last)[0]
        right += sum(
            np.array_equal(crop(said, FIRST_COLOUR), one.output)
            for said, one in zip(answers, part, strict=True)
        )
        told(begin + len(part), len(held))
    return right / len(held)


def _split(
    tasks: Sequence[ArcTask], measured: Collection[str]
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """What is learned from and what is held out; of the first, nothing that another task has of the second."""
    held = [
        Example(index, pair.input, pair.output)
        for index, task in enumerate(tasks)
        if task.name in measured
        for pair in task.tests
        if pair.output is not None
    ]
    if not held:
        raise UsageError(
            "no task that is measured has a test with a known output: there is nothing to judge by"
        )
    hidden: dict[str, set[int]] = {}
    for one in held:
        hidden.setdefault(canonical_pair(Pair(one.input, one.output)), set()).add(one.task)
    learned = []
    for index, task in enumerate(tasks):
        tests = () if task.name in measured else task.tests
        for pair in (*task.demonstrations, *tests):
            if pair.output is not None and hidden.get(canonical_pair(pair), {index}) == {index}:
                learned.append(Example(index, pair.input, pair.output))
    if not learned:
        raise UsageError("no pair is left to learn from: give more tasks")
    return tuple(learned), tuple(held)


def _check_names(tasks: Sequence[ArcTask], measured: Collection[str]) -> None:
    seen: set[str] = set()
    for task in tasks:
        if task.name in seen:
            raise UsageError(
                f"task {task.name} stands twice: leave one out, or give it another name"
            )
        if task.name == BLANK or "|||" in task.name:
            raise UsageError(
                f"task {task.name}: the paper's form of names has no {BLANK} and no ||| in them: rename it"
            )
        seen.add(task.name)
    if missing := sorted(set(measured) - seen):
        raise UsageError(f"task {missing[0]} is to be measured, and is not among the tasks")


def _plain(task: ArcTask) -> dict[str, list[dict[str, list[list[int]]]]]:
    """A task as its file has it."""

    def pairs(of: Sequence[Pair]) -> list[dict[str, list[list[int]]]]:
        both = ({"input": pair.input, "output": pair.output} for pair in of)
        return [
            {side: grid.tolist() for side, grid in one.items() if grid is not None} for one in both
        ]

    return {"train": pairs(task.demonstrations), "test": pairs(task.tests)}
