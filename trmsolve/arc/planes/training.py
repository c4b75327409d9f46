"""Learning ARC: a network of planes lesson by lesson, or the paper's network as the paper does it.

Of planes, some demonstrations are held out of tasks that have others, and the network is judged by
answering them: its first vote under every symmetry. Of the paper's, the tests of tasks that are
measured are held out. What is held out is learned from nowhere, in no other clothes either. Knows
no clock and opens no task file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trmsolve.arc.overlap import canonical_pair
from trmsolve.arc.planes.canvas import SYMBOLS, Canvas, canvas_of
from trmsolve.arc.planes.learner import Learner, compile_blocks
from trmsolve.arc.planes.lessons import Lessons, Material, mark_of, material_of
from trmsolve.arc.planes.predict import predict
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import LARGEST, ArcTask, Pair
from trmsolve.arc.vote import vote
from trmsolve.device import Placement
from trmsolve.errors import UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.base import Judging, say_nothing
from trmsolve.train.distributed import World
from trmsolve.train.loss import Loss
from trmsolve.train.optim import EMA
from trmsolve.train.plan import Plan, depth, lr_factor
from trmsolve.train.recipes import Recipe
from trmsolve.train.state import _own_chance, misfit, network_state, restore_network

PAIRS = 3
"""A demonstration is held out only of tasks with so many pairs: two are left to learn from."""


JUDGED = 4
"""Of the tasks that could be, one in so many is judged by, the smallest: judging takes seconds, not minutes."""


@dataclass(frozen=True, eq=False)
class Held:
    """A pair that is not learned from, the canvas that its task has without it, and the task's row of the table."""

    pair: Pair
    canvas: Canvas
    puzzle: int


@dataclass(frozen=True, eq=False)
class PlanesSubject:
    """Tasks for a network of planes.

    The table has a row for each, also for those too large to be learned from.
    """

    tasks: tuple[ArcTask, ...]  # without what is held out
    held: tuple[Held, ...]
    material: tuple[Material, ...]
    mark: str
    name, beside = "arc", ()

    @classmethod
    def of(cls, tasks: Sequence[ArcTask], recipe: Recipe, held_out: int) -> "PlanesSubject":
        """The last demonstration of up to so many tasks is held out.

        Raises UsageError if nothing can be learned.
        """
        _check_planes(recipe)
        tasks, held = _divide(tasks, held_out, recipe.most_cells)
        material = tuple(material_of(tasks, recipe.most_cells))
        if not material:
            raise UsageError(
                f"no task is left whose grids have at most {recipe.most_cells} cells of planes: give others, or raise "
                "--set most_cells"
            )
        return cls(tasks, held, material, mark_of(tasks, [one.pair for one in held]))

    @property
    def summary(self) -> str:
        small = (
            ""
            if len(self.material) == len(self.tasks)
            else f" ({len(self.tasks)} with those too large)"
        )
        pairs = sum(len(one.pairs) for one in self.material)
        return (
            f"{len(self.material)} tasks{small} with {pairs} pairs, {len(self.held)} more held out"
        )

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe with a table of as many rows as there are tasks."""
        return replace(recipe, config=replace(recipe.config, num_puzzles=len(self.tasks)))

    def facts(self) -> dict[str, Any]:
        counts = {
            "tasks": len(self.material),
            "pairs": sum(len(one.pairs) for one in self.material),
        }
        return {"examples": self.mark, **counts, "held_out": len(self.held)}

    def begin(
        self, recipe: Recipe, plan: Plan, placement: Placement, compiled: bool, world: World
    ) -> "InLessons":
        """Raises UsageError for several processes."""
        if world.size > 1:
            raise UsageError("a network of planes is trained by one process: leave torchrun away")
        lessons = Lessons(self.material, recipe.batch_cells, placement.device, plan.seed)
        return InLessons(recipe, lessons, self.held, placement, compiled)

    def write_beside(self, folder: Path) -> None:
        """Nothing: what is known of these tasks is for learning others."""


class InLessons:
    """The learning of one lesson after another, a step for each cycle of a lesson."""

    def __init__(
        self,
        recipe: Recipe,
        lessons: Lessons,
        held: Sequence[Held],
        placement: Placement,
        compiled: bool,
    ) -> None:
        self.recipe, self.lessons, self.held, self.device = recipe, lessons, held, placement.device
        self.model = new_model(recipe.config, placement.dtype).to(placement.device)
        self.judged = new_model(recipe.config, placement.dtype).to(placement.device).eval()
        if compiled:
            compile_blocks(self.model)
            compile_blocks(self.judged)
        self.learner = Learner(self.model, recipe)
        self.cycle = self.length = 0  # of the lesson under way: how many of its cycles are done
        self.halted, self.cycles = (
            torch.zeros(0, dtype=torch.bool),
            torch.zeros(0, dtype=torch.int32),
        )

    def begin_with(self, model: TinyRecursiveModel) -> None:
        self.model.load_state_dict(model.state_dict())
        self.learner.ema = EMA(self.model, self.recipe.ema, self.recipe.ema_warmup)

    def step(self, done: float) -> Loss:
        self.model.recursions, self.model.latent_steps = depth(self.recipe, done)
        if self.cycle == self.length:
            lesson, self.length = self.lessons()
            self.learner.begin(lesson)
            self.cycle = 0
        loss = self.learner.improve(lr_factor(self.recipe, done))
        self.cycle += 1
        rows = len(loss.right)
        self.halted = torch.full((rows,), self.cycle == self.length, device=self.device)
        self.cycles = torch.full((rows,), self.cycle, dtype=torch.int32, device=self.device)
        return loss

    def averaged(self) -> dict[str, Tensor]:
        return self.learner.ema.state_dict(self.model)

    def judge(self, weights: dict[str, Tensor], told: Judging = say_nothing) -> float | None:
        if not self.held:
            return None
        self.judged.load_state_dict(weights)
        right, total = 0, len(self.held)
        with _own_chance(self.device):
            for number, one in enumerate(self.held):
                told(number, total)
                right += _answers(self.judged, one)
            told(total, total)
        return right / total

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What is kept of the lesson under way is its number and what the network carries through it."""
        tensors, numbers = network_state(self.model, self.learner.ema, self.learner.optimizers)
        numbers["lesson"] = {
            "drawn": self.lessons.drawn,
            "cycle": self.cycle,
            "length": self.length,
        }
        if self.learner.state is not None:
            tensors |= {"lesson.y": self.learner.state.y, "lesson.z": self.learner.state.z}
        return tensors, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        restore_network(self.model, self.learner.ema, self.learner.optimizers, tensors, numbers)
        try:
            self.lessons.drawn = numbers["lesson"]["drawn"] - 1
            self.cycle = numbers["lesson"]["cycle"]
            self.learner.lesson, self.length = self.lessons()
            self.learner.state = State(
                *(tensors[f"lesson.{name}"].to(self.device) for name in "yz")
            )
        except KeyError as error:
            raise misfit(error) from None


def _answers(model: TinyRecursiveModel, held: Held) -> bool:
    """Whether the first vote is the held-out output."""
    frames = predict(model, held.canvas, held.pair, puzzle=held.puzzle, cycles=MAX_CYCLES)
    assert held.pair.output is not None
    return np.array_equal(
        vote((frame.grid, frame.halt) for frame in frames)[0].grid, held.pair.output
    )


def _divide(
    tasks: Sequence[ArcTask], held_out: int, most_cells: int
) -> tuple[tuple[ArcTask, ...], tuple[Held, ...]]:
    """The tasks without what is held out, in no clothes, and what is held out, of evenly spaced small tasks."""
    sizes = {
        number: cells
        for number, task in enumerate(tasks)
        if len(task.demonstrations) > 1
        and len(_known(task)) >= PAIRS
        and (cells := canvas_of(task, answers=True).cells) <= most_cells
    }
    small = sorted(sizes, key=sizes.__getitem__)[: max(len(sizes) // JUDGED, held_out)]
    small = sorted(number for number in small if _unlike_the_others(tasks[number]))
    chosen = [
        small[k] for k in np.linspace(0, len(small) - 1, min(held_out, len(small)), dtype=np.intp)
    ]
    hidden = {canonical_pair(tasks[number].demonstrations[-1]) for number in chosen}

    def rest(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
        return tuple(
            pair for pair in pairs if pair.output is None or canonical_pair(pair) not in hidden
        )

    left = [
        replace(task, demonstrations=rest(task.demonstrations), tests=rest(task.tests))
        for task in tasks
    ]
    held = []
    for number in chosen:
        pair, task = tasks[number].demonstrations[-1], left[number]
        if task.demonstrations:  # not all of them are held out of other tasks
            asked = replace(task, tests=(*task.tests, Pair(pair.input)))
            held.append(Held(pair, canvas_of(asked), number))
    return tuple(left), tuple(held)


def _unlike_the_others(task: ArcTask) -> bool:
    """Whether the last demonstration is not another of the task's pairs in other clothes, so that those can stay."""
    *others, last = task.demonstrations
    known = _known(replace(task, demonstrations=tuple(others)))
    return canonical_pair(last) not in {canonical_pair(pair) for pair in known}


def _known(task: ArcTask) -> list[Pair]:
    return [pair for pair in (*task.demonstrations, *task.tests) if pair.output is not None]


def _check_planes(recipe: Recipe) -> None:
    config = recipe.config
    if (config.vocab_size, config.symmetries) != (SYMBOLS, len(SYMMETRIES)) or config.places != (
        LARGEST,
        LARGEST,
    ):
        raise UsageError(
            f"the recipe's network has {config.vocab_size} symbols, {config.symmetries} symmetries and a board of "
            f"{config.places[0]} x {config.places[1]}: arc has {SYMBOLS}, {len(SYMMETRIES)} and {LARGEST} x {LARGEST}"
        )
    if not recipe.batch_cells:
        raise UsageError(
            "batch_cells=0 leaves no room for a grid: set it to the cells of planes of a batch"
        )
