"""Tasks that a network with a table of embeddings knows, and which rows of the table are theirs.

Beside such a network lie ``identifiers.json``, the names of its rows, and, as a rule,
``test_puzzles.json``, the tasks themselves. A task is recognised by its demonstrations, whatever it
is called. Its name alone counts only where the files hold no task of that name: a task of the same
name with other demonstrations is another task.

Knows names and tasks; nothing of networks, checkpoints, or terminals.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from trmsolve.arc.overlap import demonstrations_hash
from trmsolve.arc.paper.variants import BLANK, PLAIN, Augmentation, parse_name
from trmsolve.arc.read import read_path
from trmsolve.arc.table import IDENTIFIERS, read_names
from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError, WeightsError

PUZZLES = "test_puzzles.json"


@dataclass(frozen=True)
class Recognised:
    """A task that the network knows."""

    name: str
    """The name under which the network knows it."""

    rows: tuple[int, ...]
    """The rows of its variants, in the order of the table."""

    variants: tuple[Augmentation, ...]

    by_content: bool
    """Whether it was recognised by its demonstrations; else there was only its name."""

    def some(self, views: int, seed: int = 0) -> "Recognised":
        """At most so many variants: the task as it is first, if it is known, and random others."""
        order = sorted(range(len(self.rows)), key=lambda k: self.variants[k] != PLAIN)
        number = max(min(views, len(order)), 1)
        order[1:] = random.Random(seed).sample(order[1:], number - 1)
        return replace(
            self,
            rows=tuple(self.rows[k] for k in order),
            variants=tuple(self.variants[k] for k in order),
        )


@dataclass(frozen=True)
class Known:
    """What the files beside a network tell of its table."""

    names: Sequence[str]
    """The name of each row."""

    contents: dict[str, str] = field(default_factory=dict)
    """The name of each task that is at hand, by the hash of its demonstrations."""

    @classmethod
    def beside(cls, path: Path, rows: int | None = None) -> "Known | None":
        """What the folder ``path`` tells, or the folder of the file ``path``.

        None if it has no identifiers.json. ``rows`` is how many the table has, if that is known.

        Raises:
            WeightsError: If a file is damaged, or larger than such a table needs.
        """
        folder = path if path.is_dir() else path.parent
        if not (folder / IDENTIFIERS).is_file():
            return None
        contents = _read_contents(folder / PUZZLES)
        return cls(read_names(folder / IDENTIFIERS, rows), contents)

    def find(self, task: ArcTask) -> Recognised | None:
        """The rows of a task; None if it is new to the network.

        Raises:
            WeightsError: If the name of one of its rows has no meaning.
        """
        name = self.contents.get(demonstrations_hash(task))
        by_content = name is not None
        if name is None and task.name not in self.contents.values():
            name = task.name
        rows = self._rows.get(name, []) if name is not None else []
        if name is None or not rows:
            return None
        try:
            variants = tuple(parse_name(self.names[row])[1] for row in rows)
        except ValueError as error:
            raise WeightsError(f"{IDENTIFIERS}: {error}") from None
        return Recognised(name, tuple(rows), variants, by_content)

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        """The rows by the name of their task.

        There may be a million: only the names of the tasks that are asked for are parsed.
        """
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.names):
            if name != BLANK:
                rows.setdefault(name.rsplit("|||", 2)[0], []).append(row)
        return rows


def _read_contents(path: Path) -> dict[str, str]:
    """The names of a file's tasks by the hash of their demonstrations; none without a file."""
    contents: dict[str, str] = {}
    if not path.is_file():
        return contents
    for task in read_path(str(path)):
        if isinstance(task, PuzzleError):
            raise WeightsError(
                f"{task}; correct it, or remove {PUZZLES}: tasks are then recognised only by name"
            )
        contents.setdefault(demonstrations_hash(task), task.name)
    return contents
