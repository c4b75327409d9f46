"""The table of embeddings of a network for ARC, and the names of its rows.

``identifiers.json`` beside the weights has a name for each row. By these names a network that is
trained further with other tasks keeps what it knows of each task that comes again.

Knows names and embeddings; nothing of tasks and their grids.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from trmsolve.errors import WeightsError
from trmsolve.files import SMALL, read_small, reason, write_atomically
from trmsolve.model.build import new_puzzles
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.kind import LONGEST_NAMES

IDENTIFIERS = "identifiers.json"

LONGEST_NAME = 1280
"""Bytes that the name of a row takes in ``identifiers.json``, at most.

A task's id has up to 100 characters, each of up to 12 bytes as JSON escapes it. The variant and the
quotes follow.
"""


def with_rows(
    model: TinyRecursiveModel, names: Sequence[str], path: Path
) -> tuple[TinyRecursiveModel, int]:
    """A copy of the network with a row for each of the names, and how many of them it knew.

    A row whose name the files beside the weights ``path`` have keeps its embedding. Each other one
    begins as the mean of all embeddings.

    Raises:
        WeightsError: If the names beside the weights cannot be read.
    """
    fresh = new_puzzles(model, len(names))
    assert model.puzzle_emb is not None
    assert fresh.puzzle_emb is not None
    known = model.puzzle_emb.weights.detach()
    rows = _rows_beside(path, len(known))
    found = [number for number, name in enumerate(names) if name and name in rows]
    for number in found:
        fresh.puzzle_emb.weights.data[number] = known[rows[names[number]]]
    return fresh, len(found)


def _rows_beside(path: Path, number: int) -> dict[str, int]:
    """The row of each name, of a table with so many rows; none if nothing tells the names."""
    identifiers = path.parent / IDENTIFIERS
    if not identifiers.is_file():
        return {}
    names = read_names(identifiers, number)
    if len(names) != number:  # they are of other weights in the same folder
        return {}
    return {name: row for row, name in enumerate(names)}


def write_names(names: Sequence[str], folder: Path) -> None:
    """Write the names of the rows beside the weights in the folder."""
    write_atomically(folder / IDENTIFIERS, json.dumps(list(names)).encode())


def read_names(path: Path, rows: int | None) -> list[str]:
    """The names of the rows of a table, which has so many ``rows`` if that is known.

    Raises:
        WeightsError: If the file cannot be read, or is not a list of names.
    """
    try:
        names = json.loads(read_small(path, longest_identifiers(rows)))
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {reason(error)}") from None
    except (ValueError, RecursionError):
        raise WeightsError(f"{path} is damaged: it is not JSON") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WeightsError(f"{path} is not a list of names, one for each row of the table")
    return names


def longest_identifiers(rows: int | None) -> int:
    """Bytes that ``identifiers.json`` may have for a table of so many rows, or for any table."""
    return LONGEST_NAMES if rows is None else min(max(SMALL, rows * LONGEST_NAME), LONGEST_NAMES)
