"""How long a network may learn a task, whatever its kind."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """How long a network may learn a task."""

    seconds: float

    steps: int | None = None
    """If given, exactly so many optimizer steps are made, and ``seconds`` do not matter.

    The same steps give the same network on every machine of one kind.
    """
