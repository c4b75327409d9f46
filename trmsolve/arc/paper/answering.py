"""What a network in the paper's form answers to a task: the vote of all the task's variants.

Knows tasks, their variants and the network; nothing of how it was trained, of files or terminals.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from trmsolve.arc.content import content_hash
from trmsolve.arc.paper.variants import (
    FIRST_COLOUR,
    SEQ_LEN,
    VOCAB_SIZE,
    Augmentation,
    encode,
)
from trmsolve.arc.symmetry import crop
from trmsolve.arc.task import LARGEST, ArcAnswer, ArcCycle, ArcTask, never
from trmsolve.arc.vote import vote
from trmsolve.errors import WeightsError
from trmsolve.model.network import Prediction, TinyRecursiveModel
from trmsolve.puzzles.values import Grid
from trmsolve.solve.effort import MAX_CYCLES


class Decoded(NamedTuple):
    """A network's output for a batch of canvases."""

    tokens: NDArray[np.uint8]
    """(B, 30, 30)."""

    confidence: NDArray[np.float32]
    """(B, 30, 30): the probability of each token."""

    halts: list[float]
    """The halt probabilities (B,)."""


class _Asked(NamedTuple):
    """A row of a batch: a test of the task, and the variant in which it is asked."""

    test: int
    view: int


def predict_cycles(
    model: TinyRecursiveModel,
    canvases: Sequence[NDArray[np.uint8]],
    rows: Sequence[int],
    cycles: int,
) -> Iterator[Prediction]:
    """The prediction of each cycle for these canvases (30, 30); none halts early.

    ``rows`` has for each canvas its row of the table.
    """
    device = model.get_buffer("H_init").device
    tokens = torch.from_numpy(np.stack(canvases).reshape(-1, SEQ_LEN)).long().to(device)
    ids, state = torch.tensor(rows, device=device), model.initial_state(len(tokens))
    for _ in range(cycles):
        with torch.inference_mode():
            state, prediction = model(state, tokens, ids)
        yield prediction


def decode(prediction: Prediction) -> Decoded:
    """What the network's output stands for."""
    canvas = (-1, LARGEST, LARGEST)
    tokens = prediction.logits.argmax(-1).to(torch.uint8)
    confidence = prediction.logits.float().softmax(-1).amax(-1)
    halts = prediction.halt[:, 0].sigmoid()
    return Decoded(
        tokens.cpu().numpy().reshape(canvas),
        confidence.cpu().numpy().reshape(canvas),
        halts.tolist(),
    )


@dataclass(eq=False)
class VariantVote:
    """Answers a task by asking every test in every variant, as the paper's evaluation does."""

    model: TinyRecursiveModel
    """Row k of its table is that of ``variants[k]``, and there is no other."""

    task: ArcTask
    variants: Sequence[Augmentation]

    batch_size: int = 32
    """Variants of tests that are asked together."""

    cycles: int = MAX_CYCLES
    """Improvement cycles; none is left out."""

    on_cycle: Callable[[ArcCycle], None] | None = None
    """Told of every cycle of every variant."""

    keep_steps: bool = False
    """Whether the answer keeps the cycles of the variant that found the first attempt."""

    stop: Callable[[], bool] = never
    """Asked once a cycle. Once true, what is predicted so far is voted on.

    That is at least one cycle of one variant for each test. Variants that did not do all their
    cycles count only if there are no others.
    """

    _spent: int = field(default=0, init=False)
    _predictions: list[list[tuple[Grid, float]]] = field(default_factory=list, init=False)
    _steps: dict[tuple[int, str], list[ArcCycle]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Check that network, task and variants fit.

        Raises:
            WeightsError: If the network is not of the paper's form.
            ValueError: If its table has another number of rows than there are variants.
        """
        _check(self.model, self.variants)
        # For each test what the variants predict: the grid and its halt probability.
        self._predictions = [[] for _ in self.task.tests]

    def answer(self) -> ArcAnswer:
        """Ask, and vote."""
        started = time.monotonic()
        for batch in self._batches():
            if not self._run_batch(batch):
                break
        candidates = tuple(tuple(vote(predictions)) for predictions in self._predictions)
        steps: list[ArcCycle] = []
        for test, found in enumerate(candidates):
            steps += self._steps.get((test, content_hash(found[0].grid)), [])
        return ArcAnswer(
            task=self.task,
            candidates=candidates,
            adapting=None,
            cycles=self._spent,
            views=max(map(len, self._predictions)),
            seconds=time.monotonic() - started,
            steps=tuple(steps),
        )

    def _batches(self) -> Iterator[list[_Asked]]:
        """All tests in the first variant, then in the second, and so on."""
        asked: list[_Asked] = []
        for view in range(len(self.variants)):
            asked += [_Asked(test, view) for test in range(len(self.task.tests))]
        for first in range(0, len(asked), self.batch_size):
            yield asked[first : first + self.batch_size]

    def _run_batch(self, batch: list[_Asked]) -> bool:
        """Ask a batch and keep what it predicts; whether to go on with the next."""
        canvases = [self._canvas(one) for one in batch]
        rows = [one.view for one in batch]
        cycles: list[list[ArcCycle]] = [[] for _ in batch]
        number = 0
        stopped = False
        for number, prediction in enumerate(
            predict_cycles(self.model, canvases, rows, self.cycles), 1
        ):
            self._spent += len(batch)
            stopped = self.stop()
            last = stopped or number == self.cycles
            if last or self.keep_steps or self.on_cycle is not None:
                self._read_off(batch, number, prediction, cycles)
            if stopped:
                break
        if number == self.cycles or not self._has_answers():
            self._keep(batch, cycles)
        return not (stopped and self._has_answers())

    def _has_answers(self) -> bool:
        """Whether there is a prediction for each test."""
        return all(self._predictions)

    def _canvas(self, asked: _Asked) -> NDArray[np.uint8]:
        question = self.task.tests[asked.test].input
        return encode(self.variants[asked.view].apply(question))

    def _read_off(
        self,
        batch: list[_Asked],
        number: int,
        prediction: Prediction,
        cycles: list[list[ArcCycle]],
    ) -> None:
        """Add what the cycle of this number predicts to each row's ``cycles``."""
        decoded = decode(prediction)
        for row, asked in enumerate(batch):
            cycle = self._cycle(asked, number, decoded, row)
            cycles[row].append(cycle)
            if self.on_cycle is not None:
                self.on_cycle(cycle)

    def _cycle(self, asked: _Asked, number: int, decoded: Decoded, row: int) -> ArcCycle:
        """A row's prediction, the variant undone."""
        variant = self.variants[asked.view]
        seen = crop(decoded.tokens[row], FIRST_COLOUR)
        rows, columns = seen.shape
        return ArcCycle(
            task=self.task,
            test=asked.test,
            number=number,
            limit=self.cycles,
            view=asked.view + 1,
            views=len(self.variants),
            grid=variant.undo(seen),
            confidence=variant.undo_cells(decoded.confidence[row, :rows, :columns]),
            halt=decoded.halts[row],
        )

    def _keep(self, batch: list[_Asked], cycles: list[list[ArcCycle]]) -> None:
        """Let each row's last cycle vote. Of each grid the first row's cycles are kept."""
        for asked, of_row in zip(batch, cycles, strict=True):
            last = of_row[-1]
            self._predictions[asked.test].append((last.grid, last.halt))
            if self.keep_steps:
                key = asked.test, content_hash(last.grid)
                self._steps.setdefault(key, of_row)


def _check(model: TinyRecursiveModel, variants: Sequence[Augmentation]) -> None:
    config = model.config
    if (config.vocab_size, config.seq_len) != (VOCAB_SIZE, SEQ_LEN) or not config.puzzle_emb_dim:
        table = "" if config.puzzle_emb_dim else " and no table"
        raise WeightsError(
            f"the network has {config.vocab_size} tokens and {config.seq_len} "
            f"positions{table}, but ARC needs {VOCAB_SIZE}, {SEQ_LEN} and a table of "
            "puzzle embeddings"
        )
    if config.num_puzzles != len(variants):
        raise ValueError(f"{len(variants)} variants for a table of {config.num_puzzles} rows")
