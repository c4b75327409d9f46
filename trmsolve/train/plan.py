"""How long a training run is and how often it writes, as one value. Knows numbers alone."""

import math
from dataclasses import dataclass

from trmsolve.errors import UsageError
from trmsolve.train.recipes import Recipe


@dataclass(frozen=True)
class Plan:
    """How long a run is, and how often it writes.

    By ``minutes`` or ``steps``, whichever ends first.

    Where steps alone say how long, the same plan and seed give the same network to the bit, stopped
    in between or not.
    """

    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    held_out: int = 128  # examples that are never trained on, to judge by
    log_seconds: float = 30.0
    save_seconds: float = 600.0  # between checkpoints, each with the weights renewed and judged; 0 is after every step

    def __post_init__(self) -> None:
        """Raise UsageError for a run without an end."""
        if self.minutes is None and self.steps is None:
            raise UsageError("say how long the run is: --minutes M or --steps N")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise UsageError(f"a run cannot last {self.minutes} minutes")

    def done(self, step: int, seconds: float) -> float:
        """The fraction of the run that is over."""
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_clock, step / self.steps if self.steps else 0.0)


def lr_factor(recipe: Recipe, done: float) -> float:
    """The factor of every rate at the fraction ``done``: linear warm-up, then a cosine down to ``final_lr``."""
    if done < recipe.warmup:
        return done / recipe.warmup
    after = min(1.0, (done - recipe.warmup) / (1 - recipe.warmup))
    return recipe.final_lr + (1 - recipe.final_lr) * 0.5 * (1 + math.cos(math.pi * after))


def depth(recipe: Recipe, done: float) -> tuple[int, int]:
    """(recursions, latent steps) at the fraction ``done``; shallow first if the recipe says so (arXiv 2511.08653)."""
    for until, recursions, latent_steps in recipe.curriculum:
        if done < until:
            return (
                recursions or recipe.config.recursions,
                latent_steps or recipe.config.latent_steps,
            )
    return recipe.config.recursions, recipe.config.latent_steps


@dataclass(frozen=True)
class Progress:
    """Where a run stands. Rates are fractions; what is a mean is one since the last line."""

    step: int
    seconds: float  # of training, those before a resume included
    done: float  # fraction of the run, 0 to 1
    loss: float
    token_accuracy: float
    mean_cycles: float  # of the puzzles that halted; 0 if none did
    solved: float  # of the puzzles that halted, how many with the right answer; 0 if none did
    lr: float  # of the matrices, now
    examples_per_second: float  # puzzles x cycles
    puzzles_per_second: float  # puzzles that halted and made room for others
    held_out_exact: float | None = None  # measured now, on puzzles that are not trained on
