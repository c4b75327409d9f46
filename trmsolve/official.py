"""Checkpoints of the paper's public code, read as they are: pickled state dicts, of which no code is ever run.

Shapes tell the architecture; what they cannot tell stands in a settings file beside the checkpoint, or is as the paper
has it for puzzles of that vocabulary. The file stays on the disk, however large its table of puzzles: only the rows
that are asked for are read.

Knows these files and the model; nothing of which row belongs to which task, and of no rules.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml  # type: ignore[import-untyped]
from torch import Tensor

from trmsolve.config import TRMConfig
from trmsolve.errors import WeightsError
from trmsolve.model import TinyRecursiveModel
from trmsolve.weights import (
    DTYPES,
    MAX_FILE,
    TABLE,
    build_model,
    check_finite,
    check_kind,
    check_rows,
    expected_shapes,
    fitting_names,
    strip_prefixes,
)

CPU = torch.device("cpu")
PREFIX_LEN = 16
SETTINGS = ("all_config.yaml", "config.json")
"""What the public code and those who publish its checkpoints put beside them."""


class _Kind(NamedTuple):
    """What the paper's networks for a vocabulary have in common."""

    task: str
    seq_len: int
    latent_steps: int


KINDS = {11: _Kind("sudoku", 81, 6), 6: _Kind("maze", 900, 4), 12: _Kind("arc", 900, 4)}


@dataclass(frozen=True)
class Official:
    """An open checkpoint: its task, its architecture, and its tensors by their names without prefixes, on the disk."""

    path: Path
    task: str
    config: TRMConfig
    tensors: dict[str, Tensor]

    @classmethod
    def open(cls, path: Path) -> "Official":
        """Read all but the tensors' values. Raises WeightsError saying what is wrong with the file."""
        stored = _read_pickled(path)
        shapes = {name: tuple(tensor.shape) for name, tensor in stored.items()}
        try:
            task, config = _infer({strip_prefixes(name): shape for name, shape in shapes.items()}, _settings(path))
        except (ValueError, TypeError) as error:
            raise WeightsError(f"{path} is no checkpoint of a Tiny Recursive Model: {error}") from None
        names = fitting_names(path, shapes, expected_shapes(config))
        return cls(path, task, config, {short: stored[name] for short, name in names.items()})

    def model(
        self, puzzles: Sequence[int] | None = None, dtype: torch.dtype = torch.float32, device: torch.device = CPU
    ) -> TinyRecursiveModel:
        """The network, ready to run; of its table the rows ``puzzles``, as ``weights.load_model`` has it, or all."""
        if puzzles is not None:
            check_rows(self.path, self.config, puzzles)
        elif (size := 4 * sum(tensor.numel() for tensor in self.tensors.values())) > MAX_FILE:
            raise WeightsError(f"{self.path} has {size >> 20} MiB, more than the {MAX_FILE >> 20} MiB allowed")
        tensors = dict(self.tensors)
        config = self.config
        if puzzles is not None:
            tensors[TABLE] = tensors[TABLE][list(puzzles)]
            config = replace(config, num_puzzles=len(puzzles))
        check_finite(self.path, tensors)
        return build_model(config, tensors, dtype, device)


def load_official(
    path: Path,
    puzzles: Sequence[int] | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device = CPU,
) -> TinyRecursiveModel:
    """The network of a checkpoint with these rows of its table, or with all of them. Raises WeightsError."""
    return Official.open(path).model(puzzles, dtype, device)


def is_pickled(path: Path) -> bool:
    """Whether the file is one for this module: a zip, as torch has pickled since 2020."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def _read_pickled(path: Path) -> dict[str, Tensor]:
    check_kind(path)
    if not is_pickled(path):
        raise WeightsError(f"{path} is no zip, as checkpoints of torch are: save it anew with a later torch")
    try:
        stored = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # a damaged pickle may fail in any way
        first = str(error).partition("\n")[0].partition(". ")[0]
        raise WeightsError(f"{path} is no plain state dict that is safe to read: {first}") from None
    if not isinstance(stored, dict) or not stored:
        raise WeightsError(f"{path} is no state dict: it holds no tensors by name")
    for name, tensor in stored.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise WeightsError(f"{path} is no flat state dict: {name!r} is no tensor")
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in DTYPES:
            raise WeightsError(f"{path}: {name} has values that are not plain floating numbers")
    return {name: tensor.detach() for name, tensor in stored.items()}


def _settings(path: Path) -> dict[str, Any]:
    """The architecture's fields in the first settings file beside the checkpoint; nothing where there is none."""
    for name in SETTINGS:
        beside = path.with_name(name)
        try:
            text = beside.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise WeightsError(f"{beside} cannot be read: {error}") from None
        try:
            fields = json.loads(text) if beside.suffix == ".json" else yaml.safe_load(text)
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            raise WeightsError(f"{beside} is damaged: {' '.join(str(error).split())}") from None
        fields = fields.get("arch", fields) if isinstance(fields, dict) else None
        if not isinstance(fields, dict):
            raise WeightsError(f"{beside} holds no settings: move it away, and the paper's are taken")
        return fields
    return {}


def _infer(shapes: Mapping[str, tuple[int, ...]], settings: Mapping[str, Any]) -> tuple[str, TRMConfig]:
    """Task and architecture. Raises ValueError or TypeError where there is no making sense of it."""

    def side(name: str, axis: int) -> int:
        if len(shapes.get(name, ())) != 2:
            raise ValueError(f"it has no matrix {name}")
        return shapes[name][axis]

    vocabulary, hidden_size = (side("embed_tokens.embedding_weight", axis) for axis in (0, 1))
    if vocabulary not in KINDS:
        known = ", ".join(f"{tokens} ({kind.task})" for tokens, kind in KINDS.items())
        raise ValueError(f"it has {vocabulary} tokens, and known are {known}")
    kind, embedded, prefix_len = KINDS[vocabulary], side(TABLE, 1) if TABLE in shapes else 0, 0
    if embedded:
        prefix_len = settings.get("puzzle_emb_len", PREFIX_LEN) or -(-embedded // hidden_size)
    linear, learned = "L_level.layers.0.mlp_t.gate_up_proj.weight" in shapes, "embed_pos.embedding_weight" in shapes
    seq_len = kind.seq_len
    if linear:
        seq_len = side("L_level.layers.0.mlp_t.gate_up_proj.weight", 1) - prefix_len
    elif learned:
        seq_len = side("embed_pos.embedding_weight", 0) - prefix_len
    turned = not linear and settings.get("pos_encodings", "rope") == "rope"
    return kind.task, TRMConfig(
        vocab_size=vocabulary,
        seq_len=seq_len,
        hidden_size=hidden_size,
        layers=len({match[1] for name in shapes if (match := re.match(r"L_level\.layers\.([0-9]+)\.", name))}),
        recursions=settings.get("H_cycles", 3),
        latent_steps=settings.get("L_cycles", kind.latent_steps),
        mixer="mlp" if linear else "attention",
        positions="learned" if learned else "rope" if turned else "none",
        num_heads=settings.get("num_heads", 8),
        expansion=settings.get("expansion", 4.0),
        puzzle_emb_dim=embedded,
        prefix_len=prefix_len,
        num_puzzles=side(TABLE, 0) if embedded else 1,
        rms_norm_eps=settings.get("rms_norm_eps", 1e-5),
        rope_theta=settings.get("rope_theta", 10000.0),
    )
