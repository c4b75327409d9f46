"""Training recipes as data: which network to build and how to train it, by task and name.

Every field can be overridden.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any

from trmsolve.errors import UsageError
from trmsolve.model.config import FORMER_CONFIG_NAMES, TRMConfig
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.registry import get_task, task_names
from trmsolve.train.recipe_checks import check_recipe

FORMER_NAMES = {
    "hint": "teacher_forcing",
    "reveal": "reveal_prob",
    "certain": "elimination_threshold",
    "guess": "guess_prob",
    "drop_lost": "drop_inconsistent",
}
"""Fields by the names that earlier versions wrote into weights, checkpoints and printed recipes.

``model.config`` has those of the network's fields.
"""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run besides its data, its length and its seed.

    A cycle is one improvement cycle of the network: one supervision step of arXiv 2510.04871.
    "Lattice" marks fields that only networks on lattices of candidates use, "planes" those of
    networks with a plane for each colour of ARC.
    """

    # The network to train.
    config: TRMConfig
    # Puzzles that are learned from at a time, over all processes.
    batch_size: int
    # Cycles after which a puzzle leaves the batch, solved or not.
    max_cycles: int = 16
    # Probability that a puzzle may not halt before a random cycle.
    exploration: float = 0.1

    # Optimizer of the matrices: muon, adamw or adam_atan2.
    optimizer: str = "muon"
    # Learning rate of the matrices, at the peak of the schedule, and their weight decay.
    lr: float = 0.02
    weight_decay: float = 0.005
    # The same for the heads and for all parameters that are no matrices.
    head_lr: float = 1e-3
    head_weight_decay: float = 0.1
    # The same for the table of puzzle embeddings.
    table_lr: float = 1e-4
    table_weight_decay: float = 1.0
    # Fraction of the run, below 1, over which the rates rise from 0.
    warmup: float = 0.01
    # Rate at the end as a fraction of the peak; 1 keeps it constant after the warm-up.
    final_lr: float = 0.0
    # Bound on the norm of the gradient; None is no bound.
    clip: float | None = 1.0
    # Decay of the averaged weights, below 1. The averaged weights are those that are used.
    ema: float = 0.995
    # Whether the average forgets the first steps faster, so that short runs leave good weights too.
    ema_warmup: bool = True

    # Loss of the tokens: softmax, or stablemax (arXiv 2501.04697).
    loss: str = "softmax"
    # Label smoothing of the softmax loss.
    smoothing: float = 0.0
    # Weight of the loss of the decision to halt.
    halt_weight: float = 0.05
    # Lattice: weight of the loss of knowing that the solution has been ruled out.
    conflict_weight: float = 0.1

    # Lattice: probability of a guess in a cycle that rules nothing out.
    guess_prob: float = 0.5
    # Probability that the next cycle builds on the true answer in place of the network's own. On a
    # lattice it is the fraction of guesses that are made among true candidates only, and so lead to
    # easier questions.
    teacher_forcing: float = 0.7
    # Lattice: temperature of the guesses.
    temperature: float = 1.5
    # Lattice: candidates that are less probable than this are ruled out.
    elimination_threshold: float = 0.1
    # Lattice: probability, in each cycle, that a puzzle whose solution was ruled out leaves the
    # batch.
    drop_inconsistent: float = 0.5

    # Depth over the run (arXiv 2511.08653), as stages of (fraction of the run at which the stage
    # ends, recursions T, latent steps n); 0 stands for the config's own number.
    curriculum: tuple[tuple[float, int, int], ...] = ()

    # Planes: a batch has as many grids as have about so many cells over all planes.
    batch_cells: int = 0
    # Planes: tasks whose grids have more cells over all planes are not learned from.
    most_cells: int = 0

    # Fraction of the puzzles that are made easier by revealing some of their blanks.
    reveal_prob: float = 0.0
    # Sudoku: attempts to derive further puzzles from each puzzle before the first step. They have
    # the same solution and other clues.
    derivations: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be trained."""
        check_recipe(self)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, the network's under ``config``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Recipe":
        """The recipe that ``to_dict`` of this or an earlier version described, also after JSON.

        Raises ValueError or TypeError for fields that describe no recipe, KeyError without a
        ``config``.
        """
        known = {FORMER_NAMES.get(name, name): value for name, value in fields.items()}
        known["config"] = TRMConfig.from_dict(known["config"])
        known["curriculum"] = tuple(tuple(stage) for stage in known.get("curriculum", ()))
        return cls(**known)


def override(recipe: Recipe, changes: list[str]) -> Recipe:
    """The recipe with fields changed as ``field=value``, the network's fields among them.

    Values are JSON, or words. Names of earlier versions are understood. Raises UsageError for an
    unknown field and for a value that does not make sense there.
    """
    fields = recipe.to_dict()
    for change in changes:
        name, _, text = change.partition("=")
        name = name.strip().removeprefix("config.").replace("-", "_")
        name = FORMER_NAMES.get(name) or FORMER_CONFIG_NAMES.get(name, name)
        home = fields["config"] if name in fields["config"] else fields
        if name not in home or name == "config":
            raise UsageError(_unknown_field(change, name, fields))
        try:
            home[name] = json.loads(text)
        except ValueError:
            home[name] = text.strip()
    try:
        return Recipe.from_dict(fields)
    except (ValueError, TypeError) as error:
        raise UsageError(f"--set {' --set '.join(changes)}: {error}") from None


def _unknown_field(change: str, name: str, fields: dict[str, Any]) -> str:
    known = sorted({*fields, *fields["config"]} - {"config"})
    close = get_close_matches(name, known, 1)
    advice = f"did you mean {close[0]}?" if close else "--print-recipe lists all fields"
    return f"--set {change}: the recipe has no field {name!r}: {advice}"


_SUDOKU_PAPER = TRMConfig(
    vocab_size=11,
    seq_len=81,
    mixer="mlp",
    positions="none",
    puzzle_emb_dim=512,
    prefix_len=16,
    num_puzzles=1,
)
# The public code's settings (official_trm: batch 768, AdamATan2, constant rate after the warm-up).
_PAPER = Recipe(
    _SUDOKU_PAPER,
    batch_size=768,
    optimizer="adam_atan2",
    lr=1e-4,
    weight_decay=1.0,
    final_lr=1.0,
    warmup=0.03,
    clip=None,
    ema=0.999,
    ema_warmup=False,
    loss="stablemax",
    halt_weight=0.5,
)
# A network that is asked about the lattice of candidates it has itself left open. Its mixer knows
# the layout of the board and treats all digits alike. Trains in an hour on one or two cores.
_LAPTOP = Recipe(
    TRMConfig(
        vocab_size=2,
        seq_len=729,
        hidden_size=64,
        recursions=3,
        latent_steps=5,
        mixer="lattice",
        positions="none",
        board=(9, 9, 3, 3),
        candidates=9,
        expansion=3.0,
        inner_multiple=32,
        normed_swiglu=True,
        halt_from="mean",
    ),
    batch_size=64,
    lr=0.01,
    weight_decay=0.1,
    head_lr=3e-3,
    ema=0.998,
    halt_weight=0.1,
    reveal_prob=0.3,
    # T = 1: every latent step is learned from. Using more recursions then costs no training.
    curriculum=((1.0, 1, 0),),
)

# The public code's network for mazes: that for Sudoku with attention, except for four latent steps.
_MAZE_PAPER = TRMConfig(
    vocab_size=6, seq_len=900, latent_steps=4, puzzle_emb_dim=512, prefix_len=16, num_puzzles=1
)
# A network whose cells see only their neighbours. It writes down how far it has come and goes on
# from there. Each recursion feeds its answer back as the question, so that only one of them has to
# be learned. Trains in minutes on one core.
_MAZE_LAPTOP = Recipe(
    TRMConfig(
        vocab_size=18,
        seq_len=900,
        hidden_size=64,
        recursions=6,
        latent_steps=1,
        mixer="conv",
        positions="none",
        board=(30, 30, 1, 1),
        expansion=3.0,
        inner_multiple=32,
        normed_swiglu=True,
        halt_from="min",
        feeds_back_answer=True,
        frozen_tokens=(0, 1, 4),  # padding, walls and the goal
    ),
    batch_size=16,
    max_cycles=64,
    lr=0.01,
    weight_decay=0.1,
    head_lr=3e-3,
    ema=0.998,
    halt_weight=0.1,
    curriculum=((1.0, 1, 0),),
)

# The public code's network for ARC: that for mazes, with a row of the table of puzzle embeddings
# for every variant of every task. Their number follows from the data (``PaperExamples.sized``).
_ARC_PAPER = replace(
    _PAPER,
    config=replace(_MAZE_PAPER, vocab_size=12),
    weight_decay=0.1,
    table_lr=1e-2,
    table_weight_decay=0.1,
    warmup=0.004,  # 2,000 of 518,000 steps
)

# A network with a plane for every colour, so that colours need no permutations, on canvases of the
# tasks' own size. The number of rows of its table follows from the data. Trains in an hour or two
# on a CPU.
_ARC_LAPTOP = Recipe(
    TRMConfig(
        vocab_size=11,
        seq_len=900,
        hidden_size=48,
        recursions=1,  # every latent step is learned from
        latent_steps=2,
        mixer="planes",
        positions="none",
        board=(30, 30, 1, 1),
        expansion=3.0,
        inner_multiple=32,
        halt_from="mean",
        puzzle_emb_dim=12 * 48,
        symmetries=8,
        lookup_channels=4,
    ),
    batch_size=1,  # unused: ``batch_cells`` says how many grids a batch has
    batch_cells=8_000,
    most_cells=2_000,
    lr=0.003,
    weight_decay=0.05,
    head_lr=2e-3,
    head_weight_decay=0.01,
    table_lr=0.01,
    table_weight_decay=0.1,
    ema=0.998,
    curriculum=((0.4, 1, 1),),
)

ARC_ADAPTATION: dict[str, Any] = {
    "lr": 0.01,
    "head_lr": 2e-3,
    "table_lr": 0.02,
    "ema": 0.97,
    "weight_decay": 0.05,
}
"""Settings that differ where a network learns one task from its demonstrations."""

RECIPES: dict[tuple[str, str], Recipe] = {
    ("sudoku", "paper"): _PAPER,
    # The paper's kind of network trained with Muon in 8,000 steps, as the public project sic does
    # (83.6 to 87.2 % in one view): a register in place of the prefix, nine latent steps, a normed
    # SwiGLU.
    ("sudoku", "muon"): Recipe(
        replace(_SUDOKU_PAPER, recursions=6, latent_steps=9, prefix_len=1, normed_swiglu=True),
        batch_size=384,
        lr=0.02,
        weight_decay=0.005,
        head_lr=1e-4,
        head_weight_decay=1.0,
        warmup=0.0,
        ema=0.999,
        smoothing=0.2,
        halt_weight=0.05,
    ),
    # The laptop's network made wider, for about 20 minutes on one GPU. It has not been run to its
    # end on one yet.
    ("sudoku", "fast"): replace(
        _LAPTOP, config=replace(_LAPTOP.config, hidden_size=128), batch_size=512, ema=0.999
    ),
    ("sudoku", "laptop"): _LAPTOP,
    ("maze", "paper"): replace(_PAPER, config=_MAZE_PAPER),
    ("maze", "fast"): replace(
        _MAZE_LAPTOP,
        config=replace(_MAZE_LAPTOP.config, hidden_size=128),
        batch_size=128,
        ema=0.999,
    ),
    ("maze", "laptop"): _MAZE_LAPTOP,
    ("arc", "paper"): _ARC_PAPER,
    # The laptop's network made wider and deeper, for about 25 minutes on one GPU. It has not been
    # run to its end on one yet.
    ("arc", "fast"): replace(
        _ARC_LAPTOP,
        config=replace(_ARC_LAPTOP.config, hidden_size=96, latent_steps=3, puzzle_emb_dim=12 * 96),
        batch_cells=200_000,
        most_cells=11 * 900,
        ema=0.999,
    ),
    ("arc", "laptop"): _ARC_LAPTOP,
}


MOST_MIXED = 256
"""The most tokens that ``plain_recipe`` mixes by a perceptron, whose size grows as their square."""


def find_recipe(task: str, name: str) -> Recipe:
    """The recipe of that name. Raises UsageError for an unknown one, and for an unknown task."""
    tasks = (*task_names(), "arc")
    if task not in tasks:
        raise UsageError(f"unknown task {task!r}: use {', '.join(tasks)}")
    recipes = recipes_of(task)
    if name not in recipes:
        raise UsageError(f"--recipe {name} is not known: use {', '.join(recipes)}")
    return recipes[name]


def recipes_of(task: str) -> dict[str, Recipe]:
    """The recipes of a task by name, with a plain "laptop" recipe if the task has none."""
    recipes = {name: recipe for (of, name), recipe in RECIPES.items() if of == task}
    if task != "arc":
        recipes |= get_task(task).recipes()
    return recipes if "laptop" in recipes else {"laptop": plain_recipe(get_task(task)), **recipes}


def plain_recipe(task: Task) -> Recipe:
    """A small network for a task that brings no recipe: the paper's kind, for one core and minutes.

    Up to ``MOST_MIXED`` tokens are mixed by a perceptron, which knows every place, more by
    attention.
    """
    mixed = task.seq_len <= MOST_MIXED and task.candidates == 1
    config = TRMConfig(
        vocab_size=task.vocab_size,
        seq_len=task.seq_len,
        hidden_size=64,
        num_heads=4,
        recursions=3,
        latent_steps=4,
        mixer="mlp" if mixed else "attention",
        positions="none" if mixed else "rope",
        inner_multiple=32,
        normed_swiglu=True,
        candidates=task.candidates,
    )
    return Recipe(config, batch_size=64)
