"""Training recipes as data: what to build and how to train it, by task and name.

Every field can be overridden.
"""

import json
import math
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any

from trmsolve.errors import UsageError
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles import get_task, task_names
from trmsolve.puzzles.base import Task

OPTIMIZERS, LOSSES = ("muon", "adamw", "adam_atan2"), ("softmax", "stablemax")
RATES = ("lr", "weight_decay", "head_lr", "head_weight_decay", "table_lr", "table_weight_decay")
WEIGHTS = ("halt_weight", "conflict_weight", "temperature")
FRACTIONS = (
    "exploration",
    "warmup",
    "final_lr",
    "ema",
    "smoothing",
    "guess",
    "hint",
    "certain",
    "drop_lost",
    "reveal",
)


@dataclass(frozen=True)
class Recipe:
    """All that decides a run besides its data, its length and its seed.

    Rates are peaks of a cosine schedule.
    """

    config: TRMConfig
    batch_size: int
    max_cycles: int = 16
    exploration: float = 0.1  # probability that a row may not halt before a random cycle
    optimizer: str = "muon"  # for the matrices: muon, adamw or adam_atan2
    lr: float = 0.02
    weight_decay: float = 0.005
    head_lr: float = 1e-3
    head_weight_decay: float = 0.1
    table_lr: float = 1e-4
    table_weight_decay: float = 1.0
    warmup: float = 0.01  # fraction of the run
    final_lr: float = 0.0  # of the peak; 1 keeps the rate constant after the warm-up
    clip: float | None = 1.0  # bound on the norm of the gradient
    ema: float = 0.995  # decay of the averaged weights, which are those that are used
    ema_warmup: bool = (
        True  # forget the first steps faster, so that short runs leave good weights too
    )
    loss: str = "softmax"  # softmax or stablemax
    smoothing: float = 0.0
    halt_weight: float = 0.05
    conflict_weight: float = 0.1  # lattice: of knowing that the solution is lost
    guess: float = 0.5  # lattice: probability of a guess in a cycle that is certain of nothing
    hint: float = 0.7  # lattice: how many of the guesses are told what is true, and so lead on to easier questions
    temperature: float = 1.5  # lattice: how freely guesses are drawn
    certain: float = 0.1  # lattice: candidates less probable than this are ruled out
    drop_lost: float = (
        0.5  # lattice: probability that a row without its solution leaves, each cycle
    )
    curriculum: tuple[
        tuple[float, int, int], ...
    ] = ()  # until which part of the run which T and n; 0: the config's
    batch_cells: int = (
        0  # ARC on planes: a batch has as many grids as have about so many cells of all planes
    )
    most_cells: int = 0  # and tasks whose grids have more are not learned from
    reveal: float = (
        0.0  # fraction of training puzzles made easier by giving away some of their blanks
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot be trained."""
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"optimizer must be one of {', '.join(OPTIMIZERS)}, not {self.optimizer!r}"
            )
        if self.loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, not {self.loss!r}")
        for name in ("batch_size", "max_cycles"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be a whole number from 1 on, not {getattr(self, name)!r}"
                )
        for names, highest in ((RATES + WEIGHTS, math.inf), (FRACTIONS, 1)):
            for name in names:
                value = getattr(self, name)
                if (
                    type(value) not in (int, float)
                    or not 0 <= value <= highest
                    or value == math.inf
                ):
                    raise ValueError(
                        f"{name} must be a number from 0 {'to 1' if highest == 1 else 'on'}, not {value!r}"
                    )
        for name in ("batch_cells", "most_cells"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 0:
                raise ValueError(
                    f"{name} must be a whole number from 0 on, not {getattr(self, name)!r}"
                )
        if self.warmup == 1 or self.ema == 1:
            raise ValueError(
                "warmup and ema must be below 1: the rate must fall and the average must move"
            )
        if self.clip is not None and (
            type(self.clip) not in (int, float) or not 0 < self.clip < math.inf
        ):
            raise ValueError(f"clip must be a number above 0, or null for none, not {self.clip!r}")
        if type(self.ema_warmup) is not bool:
            raise ValueError(f"ema_warmup must be true or false, not {self.ema_warmup!r}")
        for stage in self.curriculum:
            if len(stage) != 3 or not 0 < stage[0] <= 1 or min(stage[1:]) < 0:
                raise ValueError(
                    f"a stage of the curriculum is (until, recursions, latent steps), not {stage!r}"
                )

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, the network's under ``config``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Recipe":
        """The recipe ``to_dict`` described, also after JSON. Raises ValueError for what is none."""
        config = TRMConfig.from_dict(fields["config"])
        return cls(
            **{
                **fields,
                "config": config,
                "curriculum": tuple(map(tuple, fields.get("curriculum", ()))),
            }
        )


def override(recipe: Recipe, changes: list[str]) -> Recipe:
    """The recipe with fields changed as ``field=value``, the network's fields among them; values are JSON, or words.

    Raises UsageError for an unknown field and for a value that does not make sense there.
    """
    fields = recipe.to_dict()
    for change in changes:
        name, _, text = change.partition("=")
        name = name.strip().removeprefix("config.").replace("-", "_")
        home = fields["config"] if name in fields["config"] else fields
        if name not in home or name == "config":
            known = sorted({*fields, *fields["config"]} - {"config"})
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else "--print-recipe shows them all"
            raise UsageError(f"--set {change}: the recipe has no field {name!r}: {hint}")
        try:
            home[name] = json.loads(text)
        except ValueError:
            home[name] = text.strip()
    try:
        return Recipe.from_dict(fields)
    except (ValueError, TypeError) as error:
        raise UsageError(f"--set {' --set '.join(changes)}: {error}") from None


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
# A network whose question is the lattice of candidates that it has itself left open, and whose
# mixer has the layout of the board and the likeness of the digits built in: an hour of one or two
# cores.
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
    reveal=0.3,
    curriculum=(
        (1.0, 1, 0),
    ),  # T = 1: every latent step is learned from, and in use the others come for nothing
)


# The public code's network for mazes: as for Sudoku with attention, but for four latent steps.
_MAZE_PAPER = TRMConfig(
    vocab_size=6, seq_len=900, latent_steps=4, puzzle_emb_dim=512, prefix_len=16, num_puzzles=1
)
# A network that hears neighbours only, writes down how far it has come and goes on from there:
# minutes of one core. As each recursion rewrites the question, one of them is all that has to be
# learned, and the others come for nothing.
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
        rewrites=True,
        kept=(0, 1, 4),  # padding, walls and the goal
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

# The public code's network for ARC: as for mazes, with a row of the table for every variant of
# every task. How many there are follows from the data (``OfficialExamples.sized``).
_ARC_PAPER = replace(
    _PAPER,
    config=replace(_MAZE_PAPER, vocab_size=12),
    weight_decay=0.1,
    table_lr=1e-2,
    table_weight_decay=0.1,
    warmup=0.004,  # 2,000 of 518,000 steps
)

# A network with a plane for every colour, so that colours need no permutations, on canvases of the
# tasks' own size: an hour or two of a CPU. How many rows its table has follows from the data.
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
    ),
    batch_size=1,  # unused: a batch is as many grids as have ``batch_cells``
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

ARC_ADAPTING: dict[str, Any] = {
    "lr": 0.01,
    "head_lr": 2e-3,
    "table_lr": 0.02,
    "ema": 0.97,
    "weight_decay": 0.05,
}
"""What is other than in training where a network learns one task from its demonstrations."""

RECIPES: dict[tuple[str, str], Recipe] = {
    ("sudoku", "paper"): _PAPER,
    # The paper's kind of network trained with Muon in 8,000 steps, as sic does (public, one view
    # 83.6 to 87.2 %): a register in place of the prefix, nine latent steps, the SwiGLU normed.
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
    # The laptop's network made wider, for one GPU and about 20 minutes. Not yet run to its end on
    # one.
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
    # The laptop's network made wider and deeper, for one GPU and about 25 minutes. Not yet run to
    # its end on one.
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
"""Tokens up to which ``plain_recipe`` mixes by a perceptron: its matrices grow with their square."""


def find_recipe(task: str, name: str) -> Recipe:
    """The recipe of that name. Raises UsageError for an unknown one, and for an unknown task."""
    tasks = (*task_names(), "arc")
    if task not in tasks:
        raise UsageError(f"no task is called {task!r}: there is {', '.join(tasks)}")
    recipes = recipes_of(task)
    if name not in recipes:
        raise UsageError(f"--recipe {name} is not known: use {', '.join(recipes)}")
    return recipes[name]


def recipes_of(task: str) -> dict[str, Recipe]:
    """The recipes of a task by name: those here, those it brings, and a plain "laptop" if none is."""
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
