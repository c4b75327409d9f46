"""Training of the paper's kind of network on ARC tasks."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from trmsolve.arc.paper.examples import OfficialExamples, OfficialSampler, judge
from trmsolve.arc.paper.known import IDENTIFIERS, PUZZLES
from trmsolve.arc.paper.variants import SEQ_LEN, VOCAB_SIZE
from trmsolve.device import Placement
from trmsolve.errors import UsageError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.base import Judging
from trmsolve.train.distributed import World
from trmsolve.train.plan import Plan
from trmsolve.train.puzzle_training import Pooled
from trmsolve.train.recipes import Recipe
from trmsolve.train.state import _own_chance
from trmsolve.train.trainer import Trainer


@dataclass(frozen=True, eq=False)
class PaperSubject:
    """Tasks with their variants, each with a row of the table, for the paper's network."""

    examples: OfficialExamples
    name, beside = "arc", (IDENTIFIERS, PUZZLES)

    @property
    def summary(self) -> str:
        one = self.examples
        variants = f"{one.num_puzzles - 1} variants of {len(one.tasks)} tasks"
        return f"{variants} with {len(one.learned)} pairs, {len(one.held)} tests held out"

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe with a table of as many rows as there are.

        Raises UsageError for a recipe of another network.
        """
        _check_paper(recipe)
        return self.examples.sized(recipe)

    def facts(self) -> dict[str, Any]:
        one = self.examples
        counts = {"tasks": len(one.tasks), "pairs": len(one.learned), "held_out": len(one.held)}
        return {"examples": one.mark(), **counts}

    def begin(
        self, recipe: Recipe, plan: Plan, placement: Placement, compiled: bool, world: World
    ) -> Pooled:
        trainer = Trainer(recipe, placement.device, placement.dtype, compiled, world)
        rows = world.share(recipe.batch_size)
        sampler = OfficialSampler(
            self.examples, placement.device, rows=rows, first_row=world.rank * rows, seed=plan.seed
        )
        cycles = min(recipe.max_cycles, MAX_CYCLES)
        return Pooled(
            trainer,
            sampler,
            partial(self._judge, most=plan.held_out, cycles=cycles),
            placement,
            compiled,
        )

    def _judge(self, model: TinyRecursiveModel, told: Judging, *, most: int, cycles: int) -> float:
        with _own_chance(model.get_buffer("H_init").device):
            return judge(model, self.examples, most=most, cycles=cycles, told=told)

    def write_beside(self, folder: Path) -> None:
        """The names of the table's rows, and the tasks."""
        self.examples.write_identifiers(folder)


def _check_paper(recipe: Recipe) -> None:
    config = recipe.config
    if (
        (config.vocab_size, config.seq_len) != (VOCAB_SIZE, SEQ_LEN)
        or not config.puzzle_emb_dim
        or config.rewrites
    ):
        raise UsageError(
            f"the recipe's network has {config.vocab_size} tokens on {config.seq_len} places"
            f"{'' if config.puzzle_emb_dim else ' and no table'}: arc has {VOCAB_SIZE} and {SEQ_LEN}, and a table"
        )
