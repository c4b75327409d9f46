"""How long a training run is and how often it writes, as one value. Knows numbers alone."""

import math
from dataclasses import dataclass

from trmsolve.errors import UsageError


@dataclass(frozen=True)
class Plan:
    """How long a run is, and how often it writes. By ``minutes`` or ``steps``, whichever ends first.

    Where steps alone say how long, the same plan and seed give the same network to the bit, stopped in between or not.
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
