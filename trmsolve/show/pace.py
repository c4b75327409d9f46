"""How fast a recording is played. Nothing here imports numpy or rich."""

SECONDS = 0.25
"""How long a frame is shown, if nobody says."""

SLOWEST: float = 8
"""Seconds that a frame is shown at most."""

FASTEST = 1 / 64
"""Seconds that a frame is shown at least."""
