"""Weights made from checkpoints of the public code.

How a checkpoint is read safely is known to ``weights.checkpoint_file``, and what network it holds
to ``weights.architecture``. The module does not know which row of a table belongs to which task, or
the rules of puzzles.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trmsolve.errors import UsageError, WeightsError
from trmsolve.files import sha256
from trmsolve.model.config import TRMConfig
from trmsolve.weights.architecture import ArchitectureHints, infer_architecture
from trmsolve.weights.checkpoint_file import read_checkpoint
from trmsolve.weights.file import read_weights, save_weights
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.kind import check_kind
from trmsolve.weights.limits import check_bounds, check_size, expected_shapes
from trmsolve.weights.names import TABLE, fitting_names
from trmsolve.weights.settings_file import read_settings

TABLES = ("keep", "mean", "drop")
"""What may be done with the table of puzzles.

All rows are kept, or only their mean, or a single row of zeros takes their place.
"""

HIERARCHICAL = "H_level."
"""The names of the tensors of a second network, which only a Hierarchical Reasoning Model has."""

ROWS_AT_A_TIME = 1 << 14


@dataclass(frozen=True)
class Checkpoint:
    """An open checkpoint."""

    path: Path
    task: str
    config: TRMConfig
    tensors: dict[str, Tensor]
    """The tensors by their official names; they are on the disk."""
    assumed: tuple[str, ...] = ()
    """The fields of the config that are taken from the paper, since nothing else tells them."""

    @classmethod
    def open(
        cls,
        path: Path,
        task: str | None = None,
        hints: ArchitectureHints | None = None,
        part: str | None = None,
        *,
        allow_large: bool = False,
    ) -> "Checkpoint":
        """Read everything but the tensors' values.

        ``part`` names one of several networks in a file, such as the average beside the raw one.
        Files over 512 MiB are refused unless ``allow_large``. Raises UsageError for a part of a
        file that has none, WeightsError saying what is wrong with the file.
        """
        check_kind(path)
        check_size(path, allow_large=allow_large)
        tensors = read_checkpoint(path, part)
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        settings = read_settings(path)
        if any(name.startswith(HIERARCHICAL) for name in shapes):
            raise WeightsError(f"{path} is a Hierarchical Reasoning Model, not a TRM")
        try:
            found = infer_architecture(shapes, settings, hints or ArchitectureHints())
        except (ValueError, TypeError) as error:
            raise WeightsError(
                f"{path} is not a checkpoint of a Tiny Recursive Model: {error}"
            ) from None
        config = found.config
        if task is not None and found.task != task:
            raise WeightsError(
                f"{path} was trained for {found.task}, not for {task}: "
                f"it has {config.vocab_size} tokens"
            )
        check_bounds(path, config, allow_large=allow_large)
        fitting_names(path, shapes, expected_shapes(config))
        return cls(path, found.task, config, tensors, found.assumed)


def convert(
    checkpoint: Checkpoint, out: Path, *, table: str = "keep", dtype: torch.dtype | None = None
) -> WeightsInfo:
    """Write an open checkpoint as a weights file, and return what that says about itself.

    Values are the same to the bit, or rounded to ``dtype``. ``table`` is one of ``TABLES``: a
    single row of the table of puzzles is where learning begins for a task that the network does not
    know. Raises UsageError if ``out`` exists or ``table`` makes no sense, WeightsError if values
    are not finite. In both cases nothing is written.
    """
    _check_target(out, table)
    tensors = checkpoint.tensors
    config = checkpoint.config
    if table != "keep":
        tensors, config = _with_one_row(checkpoint.path, tensors, config, table)
    training: dict[str, Any] = {
        "converted_from": checkpoint.path.name,
        "sha256": sha256(checkpoint.path),
        "assumed": list(checkpoint.assumed),
    }
    if TABLE in tensors:
        training |= {"table": table, "rows": checkpoint.config.num_puzzles}
    info = WeightsInfo(config, checkpoint.task, training)
    save_weights(out, tensors, info, dtype)
    return info


def rewrite(
    path: Path,
    out: Path,
    *,
    table: str = "keep",
    dtype: torch.dtype | None = None,
    allow_large: bool = False,
) -> WeightsInfo:
    """Write weights anew with another table of puzzles or in another number format.

    ``table`` and ``dtype`` are as in ``convert``. The record keeps how the network was trained, but
    no scores, which were measured with the file as it was. Raises UsageError if ``out`` exists or
    ``table`` makes no sense, WeightsError if the file is damaged.
    """
    _check_target(out, table)
    info, tensors = read_weights(path, allow_large=allow_large)
    rows = info.config.num_puzzles
    if table != "keep":
        tensors, config = _with_one_row(path, tensors, info.config, table)
        training = {**info.training, "table": table, "rows": rows}
        info = replace(info, config=config, training=training)
    info = replace(info, scores={})
    save_weights(out, tensors, info, dtype)
    return info


def _check_target(out: Path, table: str) -> None:
    """Raise UsageError if the file exists, or for an unknown choice for the table."""
    if out.exists():
        raise UsageError(f"{out} already exists: choose another file with --out")
    if table not in TABLES:
        raise UsageError(f"--table {table} is not known: use {', '.join(TABLES)}")


def _with_one_row(
    path: Path, tensors: dict[str, Tensor], config: TRMConfig, table: str
) -> tuple[dict[str, Tensor], TRMConfig]:
    """The tensors with one row in place of the table, and the config of that network."""
    if TABLE not in tensors:
        raise UsageError(f"{path} has no table of puzzle embeddings: omit --table")
    smaller = {**tensors, TABLE: _one_row(tensors[TABLE], table)}
    return smaller, replace(config, num_puzzles=1)


def mean_row(table: Tensor) -> Tensor:
    """(N, E) -> (1, E): the mean of the rows.

    It is summed in float64, part by part, since the table may be larger than the memory.
    """
    total = sum(part.double().sum(0) for part in table.split(ROWS_AT_A_TIME))
    assert isinstance(total, Tensor)
    return (total / len(table)).to(table.dtype)[None]


def _one_row(table: Tensor, kind: str) -> Tensor:
    """(N, E) -> (1, E): the mean of the rows, or zeros."""
    if kind == "mean":
        return mean_row(table)
    return torch.zeros_like(table[:1])
