"""Measured figures as values, with the names that ``trmsolve eval --json`` has for them."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How many of some puzzles were answered rightly; every rate is a fraction of ``n``."""

    n: int
    """The number of puzzles."""
    exact: float
    """Answered exactly as in the data."""
    exact_ci95: tuple[float, float]
    """Wilson's interval of ``exact`` at 95 %."""
    cell: float
    """Cells that equal the data's answer."""
    valid: float | None = None
    """Mazes only: answers with a path from start to goal."""
    optimal: float | None = None
    """Mazes only: answers with a shortest path."""
    verified: float
    """Answers that the rules accept."""


@dataclass(frozen=True, kw_only=True)
class Figures(Rates):
    """What a measurement found, and how it was made."""

    task: str
    data: str
    """The name of the file."""
    mean_cycles: float
    mean_views: float
    puzzles_per_second: float
    cycles: int
    """The most cycles of a view."""
    views: int
    """The most views of a puzzle."""
    seed: int
    noise: float
    device: str
    dtype: str
    threads: int
    workers: int
    weights: str
    bands: dict[str, Rates]
    """The rates by bands of the data's rating, where it has one."""

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Figures":
        """The figures of a record that ``evaluate`` made."""
        bands = {name: Rates(**_with_pair(rates)) for name, rates in record["bands"].items()}
        return cls(**_with_pair(record) | {"bands": bands})

    def record(self) -> dict[str, Any]:
        """The figures as a dictionary for JSON, without those that the task does not have."""
        record = _without_none(asdict(self))
        record["bands"] = {name: _without_none(rates) for name, rates in record["bands"].items()}
        return record


def _with_pair(rates: dict[str, Any]) -> dict[str, Any]:
    """The rates with the interval as a tuple, since JSON has only lists."""
    return rates | {"exact_ci95": tuple(rates["exact_ci95"])}


def _without_none(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}
