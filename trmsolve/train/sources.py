"""What a run on grid puzzles learns from, and how a run's record names its data.

Knows settings and files; nothing of how a network learns.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trmsolve.errors import UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.files import Notes, read_file
from trmsolve.puzzles.values import BANDS
from trmsolve.train.data import Examples
from trmsolve.train.made import Making, Note, made_examples

OTHER_SOURCES = {"arc": "trmsolve.arc.sources"}
"""Modules that read what runs learn from for tasks outside of the puzzles' registry, by task.

They are imported by their names, since they build on this folder. Each has a function
``read_source`` that returns a ``TaskSource``.
"""


@dataclass(frozen=True)
class Sources:
    """Where the data is: names of files, folders or data sets."""

    data: Sequence[str] = ()
    # ARC only: tasks that the network will be measured on. They are not learned from.
    measured: Sequence[str] = ()

    def recorded(self, task: str) -> dict[str, Any]:
        """As the run's record has it."""
        if task == "arc":
            return {"data": list(self.data), "measured": list(self.measured)}
        return {"data": self.data[0] if self.data else None}

    def or_recorded(self, described: dict[str, Any]) -> "Sources":
        """These sources, and those of the run's record where none are given here."""
        data = described["data"] or []
        if isinstance(data, str):
            data = [data]
        return Sources(self.data or data, self.measured or described.get("measured") or [])


def load_examples(
    task: Task, data: Sequence[str], seed: int, note: Note, making: Making
) -> Examples:
    """The puzzles of a file with their answers; without one, puzzles that are made for the run.

    ``making`` is told how many are made. Raises PuzzleError for what cannot be read.
    """
    if data:
        items = Notes(note).follow(read_file(task, data[0]))
        return Examples.collect(task, items)
    return made_examples(task, seed, note, making)


def parse_bands(text: str) -> dict[str, float]:
    """The shares in a text such as ``0=1,1-7=2``. Raises UsageError for another form."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise UsageError(f"--bands: {part!r} must have the form BAND=NUMBER") from None
    return shares


def check_bands(shares: dict[str, float]) -> None:
    """Raise UsageError for an unknown band of difficulty, or a share that makes no sense."""
    for name, share in shares.items():
        if name not in BANDS or not 0 <= share < math.inf:
            given = f"{name}={share:g}"
            raise UsageError(
                f"--bands: {given!r} must be one of {', '.join(BANDS)} with a share of at least 0"
            )
    if not any(shares.values()):
        raise UsageError("--bands: at least one band must have a share above 0")


def keep_facts(described: dict[str, Any], facts: dict[str, Any], given: Sequence[str]) -> None:
    """Add to the record ``described`` what the data's ``facts`` say of it.

    Raises UsageError if the record is of a run that began with other data. ``given`` are the names
    of the data now.
    """
    kept = described.get("examples")
    if kept is not None and kept != facts["examples"]:
        names = described["data"]
        if names and not isinstance(names, str):
            names = ", ".join(names)
        began = f"{names}" if names else "generated puzzles"
        now = ", ".join(given) or "the puzzles that this version generates"
        raise UsageError(
            f"the run started with {began}, but {now} differ from that: resume it with "
            "the same data"
        )
    for name, fact in facts.items():
        described.setdefault(name, fact)
