"""How hard the solver tries, and what is usual.

Knows no torch, so that the commands can state the defaults at once.
"""

from dataclasses import dataclass

from trmsolve.errors import UsageError

MAX_CYCLES = 16
MAZE_CYCLES = 64
"""A maze may be large: its answer comes nearer by a fixed number of cells a cycle."""
VIEWS = 32
VIEWS_OF_AMBIGUOUS = 8
"""Views of a puzzle with several solutions.

The networks have learned from puzzles with one: more views seldom help.
"""
NOISE = 0.5
"""Standard deviation of the noise in every view but the first; the answer state itself has 1."""
MAZE_NOISE = 0.1
"""A maze's answer is long, and each cycle builds on the one before: 0.2 does no harm, and at 0.5 none is solved."""


@dataclass(frozen=True)
class Effort:
    """How hard to try.

    ``stop_early`` off runs every cycle of every view, as the paper's evaluation does.
    """

    cycles: int = MAX_CYCLES
    views: int = VIEWS
    batch_size: int = 64
    seed: int = 0
    stop_early: bool = True
    noise: float = NOISE

    def __post_init__(self) -> None:
        """Raise UsageError for what cannot be tried."""
        for name, least in (("cycles", 1), ("views", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value < 2**63:
                raise UsageError(f"{name} must be a whole number from {least} on, not {value!r}")
        if not 0 <= self.noise < float("inf"):
            raise UsageError(f"noise must be a number from 0 on, not {self.noise!r}")


def usual_noise(task: str) -> float:
    """How much noise there is where nobody says."""
    return MAZE_NOISE if task == "maze" else NOISE


def usual_cycles(task: str) -> int:
    """How many cycles a view may take where nobody says."""
    return MAZE_CYCLES if task == "maze" else MAX_CYCLES
