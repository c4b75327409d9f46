"""Training of the planes network on many ARC tasks, episode after episode.

The last demonstration of some small tasks is held out, and the network is evaluated by answering
it: the first candidate of the vote under every symmetry must be right. Nothing equal to a held-out
pair is learned from, see ``hold_out``.

Knows no clock and opens no task file. Only the train command imports it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trmsolve.arc.content import content_hash
from trmsolve.arc.hold_out import Place, Split, evenly_spaced, hold_out, known_pairs
from trmsolve.arc.overlap import canonical_pair
from trmsolve.arc.planes.canvas import SYMBOLS, canvas_of
from trmsolve.arc.planes.episodes import Episodes, Material, content_hash_of, material_of
from trmsolve.arc.planes.learner import Learner, compile_blocks
from trmsolve.arc.planes.predict import Question, predict
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.table import with_rows, write_names
from trmsolve.arc.task import LARGEST, ArcTask, Pair
from trmsolve.arc.vote import vote
from trmsolve.device import Placement
from trmsolve.distributed import ProcessGroup
from trmsolve.errors import UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.base import JudgingProgress, ignore_progress
from trmsolve.train.loss import Loss
from trmsolve.train.optim import EMA
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Schedule, depth, lr_factor
from trmsolve.train.state import forked_rng, network_state, recipe_mismatch, restore_network

MIN_PAIRS = 3
"""A demonstration is held out only of tasks with so many pairs: two are left to learn from."""

SMALL_SHARE = 4
"""Demonstrations are held out only of the smallest tasks, one in so many of those that qualify.

Evaluating the network then takes seconds, not minutes.
"""


@dataclass(frozen=True, eq=False)
class PlanesTrainingData:
    """Tasks for the planes network.

    The table of embeddings has a row for each task, also for those too large to be learned from.
    """

    tasks: tuple[ArcTask, ...]
    """All tasks, without what is held out."""

    questions: tuple[Question, ...]
    """The held-out pairs, each on the canvas that its task has without the pair's output."""

    material: tuple[Material, ...]
    """The tasks that are small enough, as they are learned from."""

    content_hash: str
    """The same for the same tasks with the same pairs held out, and for no others."""

    name = "arc"
    beside = ()

    @classmethod
    def of(cls, tasks: Sequence[ArcTask], recipe: Recipe, held_out: int) -> "PlanesTrainingData":
        """Hold the last demonstration of up to ``held_out`` tasks out, and learn from the rest.

        Raises:
            UsageError: If the recipe is for another network, or nothing can be learned from.
        """
        _check_recipe(recipe)
        split = _split(tasks, held_out, recipe.most_cells)
        material = tuple(material_of(split.learned, recipe.most_cells))
        if not material:
            raise UsageError(
                f"every task has grids of more than {recipe.most_cells} plane cells: "
                "give other tasks, or increase --set most_cells"
            )
        questions = tuple(_questions(split))
        digest = content_hash_of(split.learned, [one.pair for one in questions])
        return cls(split.learned, questions, material, digest)

    @property
    def summary(self) -> str:
        """How much there is to learn from, in a few words."""
        small = ""
        if len(self.material) < len(self.tasks):
            small = f" ({len(self.tasks)} including those that are too large)"
        learned = f"{len(self.material)} tasks{small} with {self._pairs} pairs"
        return f"{learned}, {len(self.questions)} more held out"

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe with a table of as many rows as there are tasks."""
        return replace(recipe, config=replace(recipe.config, num_puzzles=len(self.tasks)))

    def facts(self) -> dict[str, Any]:
        """What the run's record keeps of the tasks, as JSON."""
        return {
            "examples": self.content_hash,
            "tasks": len(self.material),
            "pairs": self._pairs,
            "held_out": len(self.questions),
        }

    def begin(
        self,
        recipe: Recipe,
        schedule: Schedule,
        placement: Placement,
        compiled: bool,
        group: ProcessGroup,
    ) -> "PlanesTrainer":
        """A network at its start, which learns these tasks.

        Raises:
            UsageError: For several processes.
        """
        if group.size > 1:
            raise UsageError(
                "a planes network can only be trained by one process: run without torchrun"
            )
        episodes = Episodes(self.material, recipe.batch_cells, placement.device, schedule.seed)
        return PlanesTrainer(recipe, episodes, self.questions, placement, compiled)

    def with_table(self, model: TinyRecursiveModel, path: Path) -> tuple[TinyRecursiveModel, int]:
        """A copy of the network with a row for each task, and how many of them it knew."""
        return with_rows(model, self._names, path)

    def write_side_files(self, folder: Path) -> None:
        """Write which row of the table is which task's, for runs that begin with the weights."""
        write_names(self._names, folder)

    @property
    def _names(self) -> list[str]:
        """The name of each row: a digest of the first demonstration of its task.

        No two tasks share a pair, and the last demonstration may be held out in one run alone.
        """
        return [_name_of(task) for task in self.tasks]

    @property
    def _pairs(self) -> int:
        return sum(len(one.pairs) for one in self.material)


class PlanesTrainer:
    """Learns one episode after another; every cycle of an episode is one step."""

    def __init__(
        self,
        recipe: Recipe,
        episodes: Episodes,
        questions: Sequence[Question],
        placement: Placement,
        compiled: bool,
    ) -> None:
        self.recipe = recipe
        self.episodes = episodes
        self.questions = questions
        self.device = placement.device
        self.model = new_model(recipe.config, placement.dtype).to(placement.device)
        self.judged = new_model(recipe.config, placement.dtype).to(placement.device).eval()
        if compiled:
            compile_blocks(self.model)
            compile_blocks(self.judged)
        self.learner = Learner(self.model, recipe)
        self.cycle = 0  # cycles done of the episode under way
        self.length = 0  # cycles that it lasts
        self.halted = torch.zeros(0, dtype=torch.bool)
        self.cycles = torch.zeros(0, dtype=torch.int32)

    def init_from(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""
        self.model.load_state_dict(model.state_dict())
        self.learner.ema = EMA(self.model, self.recipe.ema, self.recipe.ema_warmup)

    def step(self, done: float) -> Loss:
        """One cycle of an episode at the fraction ``done`` of the run.

        Raises:
            TrainingError: If the loss is not finite.
        """
        self.model.recursions, self.model.latent_steps = depth(self.recipe, done)
        if self.cycle == self.length:
            episode, self.length = self.episodes()
            self.learner.begin(episode)
            self.cycle = 0
        loss = self.learner.step(lr_factor(self.recipe, done))
        self.cycle += 1
        rows = len(loss.right)
        self.halted = torch.full((rows,), self.cycle == self.length, device=self.device)
        self.cycles = torch.full((rows,), self.cycle, dtype=torch.int32, device=self.device)
        return loss

    def averaged(self) -> dict[str, Tensor]:
        """The weights that are used: the model's tensors, averaged."""
        return self.learner.ema.state_dict(self.model)

    def evaluate_held_out(
        self, weights: dict[str, Tensor], told: JudgingProgress = ignore_progress
    ) -> float | None:
        """The fraction of the held-out pairs that these weights answer; None if there are none.

        ``told`` hears how far it is, before each pair and at the end. Its exceptions pass through.
        """
        if not self.questions:
            return None
        self.judged.load_state_dict(weights)
        right = 0
        total = len(self.questions)
        with forked_rng(self.device):
            for number, question in enumerate(self.questions):
                told(number, total)
                right += _answers(self.judged, question)
            told(total, total)
        return right / total

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and plain numbers, from which ``restore`` goes on.

        They hold the number of the episode under way, and the state of the network in it.
        """
        tensors, numbers = network_state(self.model, self.learner.ema, self.learner.optimizers)
        numbers["lesson"] = {
            "drawn": self.episodes.drawn,
            "cycle": self.cycle,
            "length": self.length,
        }
        if self.learner.state is not None:
            tensors["lesson.y"] = self.learner.state.y
            tensors["lesson.z"] = self.learner.state.z
        return tensors, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on where ``state`` was taken.

        Raises:
            CheckpointError: If it is of another recipe.
        """
        restore_network(self.model, self.learner.ema, self.learner.optimizers, tensors, numbers)
        try:
            self.episodes.drawn = numbers["lesson"]["drawn"] - 1
            self.cycle = numbers["lesson"]["cycle"]
            self.learner.episode, self.length = self.episodes()
            y = tensors["lesson.y"].to(self.device)
            z = tensors["lesson.z"].to(self.device)
        except KeyError as error:
            raise recipe_mismatch(error) from None
        self.learner.state = State(y, z)


def _name_of(task: ArcTask) -> str:
    """A digest of the first demonstration; empty if all are held out."""
    if not task.demonstrations:
        return ""
    first = task.demonstrations[0]
    assert first.output is not None
    return content_hash(first.input, first.output)


def _answers(model: TinyRecursiveModel, question: Question) -> bool:
    """Whether the first candidate of the vote is the held-out output."""
    predictions = predict(model, question, cycles=MAX_CYCLES)
    assert question.pair.output is not None
    best = vote((one.grid, one.halt) for one in predictions)[0]
    return np.array_equal(best.grid, question.pair.output)


def _split(tasks: Sequence[ArcTask], held_out: int, most_cells: int) -> Split:
    """The last demonstrations of up to ``held_out`` tasks, evenly spaced among the small ones."""
    cells: dict[int, int] = {}
    for number, task in enumerate(tasks):
        if len(task.demonstrations) > 1 and len(known_pairs(task)) >= MIN_PAIRS:
            cells[number] = canvas_of(task, answers=True).cells
    fitting = [number for number in cells if cells[number] <= most_cells]
    fitting.sort(key=cells.__getitem__)
    smallest = fitting[: max(len(fitting) // SMALL_SHARE, held_out)]
    eligible = [number for number in smallest if _last_is_unlike_the_others(tasks[number])]
    eligible.sort()
    places = []
    for index in evenly_spaced(len(eligible), held_out):
        number = eligible[index]
        last = len(tasks[number].demonstrations) - 1
        places.append(Place(number, last))
    return hold_out(tasks, places)


def _last_is_unlike_the_others(task: ArcTask) -> bool:
    """Whether the last demonstration equals no other pair of the task, under any symmetry.

    Only then can the others be learned from.
    """
    *others, last = task.demonstrations
    rest = replace(task, demonstrations=tuple(others))
    return canonical_pair(last) not in {canonical_pair(pair) for pair in known_pairs(rest)}


def _questions(split: Split) -> Iterator[Question]:
    for held in split.held_out:
        task = split.learned[held.task]
        if task.demonstrations:  # they may all be held out of other tasks
            asked = replace(task, tests=(*task.tests, Pair(held.pair.input)))
            yield Question(held.pair, canvas_of(asked), held.task)


def _check_recipe(recipe: Recipe) -> None:
    """Raise UsageError if the recipe's network is not made for ARC."""
    config = recipe.config
    found = (config.vocab_size, config.symmetries, config.spatial_shape)
    if found != (SYMBOLS, len(SYMMETRIES), (LARGEST, LARGEST)):
        raise UsageError(
            f"the recipe's network has {config.vocab_size} symbols, {config.symmetries} "
            f"symmetries and a board of {config.spatial_shape[0]} x {config.spatial_shape[1]}, but "
            f"arc needs {SYMBOLS}, {len(SYMMETRIES)} and {LARGEST} x {LARGEST}"
        )
    if not recipe.batch_cells:
        raise UsageError(
            "batch_cells=0 leaves no space for a grid: set it to the number of plane "
            "cells in a batch"
        )
