"""The choices of a caller in reading and solving ARC tasks, whatever the network.

Nothing here imports numpy.
"""

from dataclasses import dataclass
from pathlib import Path

from trmsolve.arc.adaptation import Budget
from trmsolve.solve.effort import MAX_CYCLES

DEMONSTRATIONS = 3
"""How many pairs of a list without "train" and "test" are demonstrations, if there are more."""


@dataclass(frozen=True)
class ArcOptions:
    """How tasks are learned and answered. ``load_arc`` makes and checks one."""

    budget: Budget
    """How long a task may be learned."""

    cycles: int = MAX_CYCLES
    """Improvement cycles for each view of a test, at most."""

    views: int | None = None
    """How many views of a test vote. None: as many as suit the kind of network."""

    batch: int = 1
    """Tasks that are learned together."""

    seed: int = 0

    keep_steps: bool = False
    """Whether an answer keeps the cycles of the view that found its first attempt."""

    save_adapted: Path | None = None
    """Where to save the network as adapted to the task."""
