"""How many trials a run of the fault suite makes."""

import os

SHARE = float(os.environ.get("TRMSOLVE_FAULTS", "0.01"))
"""The share of the full numbers: 1 is everything, the default a short slice."""


def trials(full: int, least: int = 1) -> int:
    """The share of ``full`` trials that this run makes, and at least ``least`` of them."""
    return max(least, round(full * SHARE))
