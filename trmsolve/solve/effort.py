"""How hard the solver tries, and what is usual.

Knows no torch and no numpy, so that the commands can state the defaults at once.
"""

from dataclasses import dataclass

from trmsolve.errors import UsageError
from trmsolve.puzzles.words import Words

MAX_CYCLES = Words.default_cycles
NOISE = Words.default_noise
VIEWS = 32
VIEWS_OF_AMBIGUOUS = 4
"""Views of a puzzle with several solutions.

The networks have learned from puzzles with one: more views seldom help.
"""


@dataclass(frozen=True)
class Effort:
    """How hard to try."""

    cycles: int = MAX_CYCLES
    """Improvement cycles a view may take."""
    views: int = VIEWS
    """Symmetric views to try until one is verified."""
    batch_size: int = 64
    seed: int = 0
    stop_early: bool = True
    """Off, every cycle of every view is run, as the paper's evaluation does."""
    noise: float = NOISE
    """Standard deviation of the noise in every view but the first."""
    remarks: bool = True
    """Whether answers carry remarks on their puzzles. Each takes a search of milliseconds."""
    more_cycles: bool = False
    """Whether a view of a large board may take more cycles while its answer still changes."""

    def __post_init__(self) -> None:
        """Raise UsageError for what cannot be tried."""
        for name, least in (("cycles", 1), ("views", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value < 2**63:
                raise UsageError(f"{name} must be an integer of at least {least}, not {value!r}")
        if not 0 <= self.noise < float("inf"):
            raise UsageError(f"noise must be a finite number of at least 0, not {self.noise!r}")
