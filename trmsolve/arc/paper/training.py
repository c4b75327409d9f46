"""Training of the paper's network on ARC tasks. Only the train command imports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.hold_out import evenly_spaced
from trmsolve.arc.paper.answering import decode, predict_cycles
from trmsolve.arc.paper.examples import Example, PaperExamples, PaperSampler
from trmsolve.arc.paper.known import PUZZLES
from trmsolve.arc.paper.variants import FIRST_COLOUR, SEQ_LEN, VOCAB_SIZE, encode
from trmsolve.arc.symmetry import crop
from trmsolve.arc.table import IDENTIFIERS, with_rows
from trmsolve.device import Placement
from trmsolve.distributed import ProcessGroup
from trmsolve.errors import UsageError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.base import JudgingProgress, ignore_progress
from trmsolve.train.puzzle_training import PoolTrainer
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Schedule
from trmsolve.train.state import forked_rng
from trmsolve.train.trainer import Trainer

BATCH_SIZE = 32
"""Held-out tests that are answered together."""


@dataclass(frozen=True, eq=False)
class PaperTrainingData:
    """Tasks with their variants for the paper's network; each variant has a row of the table."""

    examples: PaperExamples

    name = "arc"
    beside = (IDENTIFIERS, PUZZLES)

    @property
    def summary(self) -> str:
        """How much there is to learn from, in a few words."""
        one = self.examples
        variants = f"{one.num_puzzles - 1} variants of {len(one.tasks)} tasks"
        return f"{variants} with {len(one.learned)} pairs, {len(one.held_out)} tests held out"

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe with a table of as many rows as there are.

        Raises:
            UsageError: If the recipe is for another network.
        """
        _check_recipe(recipe)
        return self.examples.sized(recipe)

    def facts(self) -> dict[str, Any]:
        """What the run's record keeps of the tasks, as JSON."""
        return {
            "examples": self.examples.content_hash(),
            "tasks": len(self.examples.tasks),
            "pairs": len(self.examples.learned),
            "held_out": len(self.examples.held_out),
        }

    def begin(
        self,
        recipe: Recipe,
        schedule: Schedule,
        placement: Placement,
        compiled: bool,
        group: ProcessGroup,
    ) -> PoolTrainer:
        """A network at its start, which learns these tasks."""
        trainer = Trainer(recipe, placement.device, placement.dtype, compiled, group)
        rows = group.share(recipe.batch_size)
        sampler = PaperSampler(
            self.examples,
            placement.device,
            rows=rows,
            first_row=group.rank * rows,
            seed=schedule.seed,
        )
        cycles = min(recipe.max_cycles, MAX_CYCLES)
        evaluate = partial(self._judge, most=schedule.held_out, cycles=cycles)
        return PoolTrainer(trainer, sampler, evaluate, placement, compiled)

    def _judge(
        self, model: TinyRecursiveModel, told: JudgingProgress, *, most: int, cycles: int
    ) -> float:
        with forked_rng(model.get_buffer("H_init").device):
            return evaluate_held_out(model, self.examples, most=most, cycles=cycles, told=told)

    def with_table(self, model: TinyRecursiveModel, path: Path) -> tuple[TinyRecursiveModel, int]:
        """A copy of the network with a row for each variant, and how many of them it knew."""
        return with_rows(model, self.examples.identifiers(), path)

    def write_side_files(self, folder: Path) -> None:
        """Write the names of the table's rows, and the tasks."""
        self.examples.write_identifiers(folder)


def evaluate_held_out(
    model: TinyRecursiveModel,
    examples: PaperExamples,
    *,
    most: int = 128,
    cycles: int = MAX_CYCLES,
    told: JudgingProgress = ignore_progress,
) -> float:
    """The fraction of up to ``most`` held-out tests that the network answers exactly.

    The tests are evenly spaced among all. Each is asked in one view, as it is, for all ``cycles``.
    """
    held_out = [examples.held_out[index] for index in evenly_spaced(len(examples.held_out), most)]
    right = 0
    for begin in range(0, len(held_out), BATCH_SIZE):
        batch = held_out[begin : begin + BATCH_SIZE]
        rows = [int(examples.first[one.task]) for one in batch]
        for prediction in predict_cycles(model, [encode(one.input) for one in batch], rows, cycles):
            told(begin, len(held_out))
            last = prediction
        right += _number_right(decode(last).tokens, batch)
        told(begin + len(batch), len(held_out))
    return right / len(held_out)


def _number_right(canvases: NDArray[np.uint8], examples: Sequence[Example]) -> int:
    right = 0
    for tokens, example in zip(canvases, examples, strict=True):
        right += np.array_equal(crop(tokens, FIRST_COLOUR), example.output)
    return right


def _check_recipe(recipe: Recipe) -> None:
    """Raise UsageError if the recipe's network is not of the paper's form."""
    config = recipe.config
    fits = (config.vocab_size, config.seq_len) == (VOCAB_SIZE, SEQ_LEN)
    if not fits or not config.puzzle_emb_dim or config.feeds_back_answer:
        table = "" if config.puzzle_emb_dim else " and no table"
        raise UsageError(
            f"the recipe's network has {config.vocab_size} tokens and {config.seq_len} "
            f"positions{table}, but arc needs {VOCAB_SIZE}, {SEQ_LEN} and a table of "
            "puzzle embeddings"
        )
