"""How long a run is, where it stands, and its learning rate and depth there. Numbers alone."""

import math
from dataclasses import dataclass

from trmsolve.errors import UsageError
from trmsolve.train.recipes import Recipe


@dataclass(frozen=True)
class Schedule:
    """How long a run is and how often it writes.

    A run ends by ``minutes`` or by ``steps``, whichever comes first. If steps alone say how long it
    is, then the same schedule gives the same network to the bit, stopped in between or not.
    """

    # Minutes of training, those before a stop included; None is no limit.
    minutes: float | None = None
    # Steps, those before a stop included; None is no limit.
    steps: int | None = None
    # Decides everything that is drawn at random.
    seed: int = 0
    # Examples that are never trained on. The network is judged by them.
    held_out: int = 128
    # Seconds between lines of the metrics log.
    log_seconds: float = 30.0
    # Seconds between checkpoints. The weights are renewed and judged with each. 0 is every step.
    save_seconds: float = 600.0

    def __post_init__(self) -> None:
        """Raise UsageError for a run without an end."""
        if self.minutes is None and self.steps is None:
            raise UsageError("the length of the run is missing: give --minutes M or --steps N")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise UsageError(f"--minutes must be a positive number, not {self.minutes}")
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"--steps must be at least 1, not {self.steps}")

    @property
    def is_long(self) -> bool:
        """Whether the run wins back the half minute that compiling takes."""
        long_by_clock = self.minutes is None or self.minutes > 2
        long_by_steps = self.steps is None or self.steps > 300
        return long_by_clock and long_by_steps

    def done(self, step: int, seconds: float) -> float:
        """The fraction of the run that is over; above 1 if it went on for longer."""
        by_clock = 0.0
        if self.minutes:
            by_clock = seconds / (60 * self.minutes)
        by_steps = 0.0
        if self.steps:
            by_steps = step / self.steps
        return max(by_clock, by_steps)


@dataclass(frozen=True)
class Progress:
    """Where a run stands: one line of its metrics log.

    Rates are fractions from 0 to 1. Means are taken over the steps since the last line.
    """

    step: int
    # Seconds of training, those before a resume included.
    seconds: float
    # The fraction of the run that is over.
    done: float
    # Mean loss of a puzzle.
    loss: float
    # Rate of labelled tokens that are right.
    token_accuracy: float
    # Mean cycles of the puzzles that halted; 0 if none did.
    mean_cycles: float
    # Rate of the puzzles that halted with the right answer; 0 if none halted.
    solved: float
    # The learning rate of the matrices, now.
    lr: float
    # Cycles of single puzzles, in each second.
    examples_per_second: float
    # Puzzles that halted and were replaced by others, in each second.
    puzzles_per_second: float
    # Rate of the held-out puzzles that are answered exactly, measured now; None if not measured.
    held_out_exact: float | None = None


def lr_factor(recipe: Recipe, done: float) -> float:
    """The factor of every learning rate at the fraction ``done`` of the run.

    It rises linearly from 0 to 1, then falls along a cosine to ``final_lr``.
    """
    if done < recipe.warmup:
        return done / recipe.warmup
    after_warmup = min(1.0, (done - recipe.warmup) / (1 - recipe.warmup))
    cosine = 1 + math.cos(math.pi * after_warmup)
    return recipe.final_lr + (1 - recipe.final_lr) * 0.5 * cosine


def depth(recipe: Recipe, done: float) -> tuple[int, int]:
    """(recursions, latent steps) at the fraction ``done`` of the run.

    A recipe with a curriculum begins shallow (arXiv 2511.08653).
    """
    config = recipe.config
    for until, recursions, latent_steps in recipe.curriculum:
        if done < until:
            return recursions or config.recursions, latent_steps or config.latent_steps
    return config.recursions, config.latent_steps
