"""Weights in and out of safetensors files, strictly: what a file says of itself must fit what it holds.

Knows files and the model's config; nothing of puzzles' rules, networks elsewhere, or pickles.
"""

import contextlib
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from trmsolve.config import TRMConfig
from trmsolve.errors import WeightsError
from trmsolve.files import write_atomically
from trmsolve.model import TinyRecursiveModel

PUBLIC_PREFIXES = ("_orig_mod.", "model.", "inner.")
"""What the public training code puts before the names; stripped, so that its checkpoints load as they are."""

DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)

MAX_FILE = 512 * 2**20
"""Bytes that are read at most; what is larger, its table of puzzles aside, is no Tiny Recursive Model."""

TABLE = "puzzle_emb.weights"
"""The table of puzzle embeddings, a row each; the paper's for ARC has a million rows, more than all the rest."""


@dataclass(frozen=True)
class WeightsInfo:
    """What a file says of itself: architecture, task, how it was trained, what it scored."""

    config: TRMConfig
    task: str
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """The header entries of the file."""
        return {
            "format": "pt",
            "trmsolve.config": json.dumps(self.config.to_dict()),
            "trmsolve.task": self.task,
            "trmsolve.training": json.dumps(self.training),
            "trmsolve.scores": json.dumps(self.scores),
        }

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "WeightsInfo":
        """Raises ValueError where an entry is missing or does not make sense."""
        if "trmsolve.config" not in metadata:
            raise ValueError("it carries no trmsolve.config")
        entries = {key: json.loads(metadata.get(f"trmsolve.{key}", "{}")) for key in ("config", "training", "scores")}
        if bad := [key for key, value in entries.items() if not isinstance(value, dict)]:
            raise ValueError(f"trmsolve.{bad[0]} is not an object")
        try:
            config = TRMConfig.from_dict(entries["config"])
        except TypeError as error:  # a field of the wrong type met arithmetic
            raise ValueError(f"its config does not make sense: {error}") from None
        return cls(config, metadata.get("trmsolve.task", ""), entries["training"], entries["scores"])


def strip_prefixes(name: str) -> str:
    """The official name of a tensor, without the wrappers' prefixes."""
    for prefix in PUBLIC_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def bundled_weights(task: str) -> Path:
    """The weights that come with the package. Raises WeightsError if there are none for ``task``."""
    package = Path(__file__).parent
    for folder in (package / "_weights", package.parent / "weights"):  # installed, or in a checkout
        if (path := folder / f"{task}.safetensors").is_file():
            return path
    raise WeightsError(f"this copy carries no weights for {task}: name a file with --weights")


def weights_at(path: Path, task: str) -> Path:
    """The weights file that ``path`` names: itself, or that of a run's folder. Raises WeightsError if it has none."""
    with contextlib.suppress(OSError):  # a path that may not be looked at is told when the file is read
        if path.is_dir():
            inside = path / f"{task}.safetensors"
            if not inside.is_file():
                raise WeightsError(f"no {inside.name} in the folder {path}: name a run's folder, or a weights file")
            return inside
    return path


LATER = ("rewrites", "kept", "symmetries")
"""Fields of the config that came when weights had a fingerprint already: they count where they are set."""


def fingerprint(path: Path) -> str:
    """A hash of what decides the answers, config and tensors: a score added to the record leaves it the same."""
    fields = read_info(path).config.to_dict()
    config = json.dumps({name: value for name, value in fields.items() if value or name not in LATER}, sort_keys=True)
    with path.open("rb") as file:
        header = struct.unpack("<Q", file.read(8))[0]
        file.seek(8 + header)
        digest = hashlib.file_digest(file, "sha256")
    digest.update(config.encode())
    return digest.hexdigest()


def read_info(path: Path) -> WeightsInfo:
    """What the file says of itself, without loading its tensors. Raises WeightsError."""
    _check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            return WeightsInfo.from_metadata(file.metadata() or {})
    except (SafetensorError, ValueError, OSError, RecursionError) as error:
        raise WeightsError(f"{path} is not usable as weights: {error}") from None


def load_model(
    path: Path, task: str | None, dtype: torch.dtype, device: torch.device, puzzles: Sequence[int] | None = None
) -> TinyRecursiveModel:
    """The network of a file, ready to run. Raises WeightsError naming the file and what is wrong with it.

    Strict: the tensors are those the config asks for, in name and shape, floating, finite. Of the table of puzzles only
    the rows ``puzzles`` are read if given, at least one; they are puzzles 0, 1, ... of the network.
    """
    info = read_info(path)
    if task is not None and info.task != task:
        raise WeightsError(f"{path} was trained for {info.task or 'an unnamed task'}, not for {task}")
    if puzzles is not None:
        check_rows(path, info.config, puzzles)
    elif (size := path.stat().st_size) > MAX_FILE:
        raise WeightsError(f"{path} has {size >> 20} MiB, more than the {MAX_FILE >> 20} MiB allowed")
    tensors = _read_tensors(path, expected_shapes(info.config), puzzles)
    config = info.config if puzzles is None else replace(info.config, num_puzzles=len(puzzles))
    return build_model(config, tensors, dtype, device)


def expected_shapes(config: TRMConfig) -> dict[str, torch.Size]:
    """The tensors of a network of this config, by name. Nothing is allocated."""
    with torch.device("meta"):
        return {name: tensor.shape for name, tensor in TinyRecursiveModel(config).state_dict().items()}


def check_rows(path: Path, config: TRMConfig, puzzles: Sequence[int]) -> None:
    """Raise WeightsError if the table has none of these rows, or if what is read besides it is too much."""
    if not config.puzzle_emb_dim:
        raise WeightsError(f"{path} has no table of puzzles: it knows none of them")
    if outside := [row for row in puzzles if not 0 <= row < config.num_puzzles]:
        raise WeightsError(f"{path} has no puzzle {outside[0]}: its table has {config.num_puzzles} rows")
    shapes = expected_shapes(replace(config, num_puzzles=len(puzzles)))
    if (size := 8 * sum(shape.numel() for shape in shapes.values())) > MAX_FILE:
        raise WeightsError(f"{path} may need {size >> 20} MiB, more than the {MAX_FILE >> 20} MiB allowed")


def build_model(
    config: TRMConfig, tensors: dict[str, Tensor], dtype: torch.dtype, device: torch.device
) -> TinyRecursiveModel:
    """The network of these tensors, ready to run; they must be those that its config asks for."""
    model = TinyRecursiveModel(config, dtype)
    model.load_state_dict(tensors, strict=True)
    # The forward pass casts each weight to the activations' dtype at every call: cast once instead. Not the buffers:
    # rotary tables must stay exact.
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    return model.to(device).eval().requires_grad_(False)


def save_weights(
    path: Path, tensors: dict[str, Tensor], info: WeightsInfo, dtype: torch.dtype | None = torch.bfloat16
) -> None:
    """Write atomically: ``path`` holds the old file or the new one, whole. Refuses values that are not finite.

    ``dtype`` None keeps each tensor's own.
    """
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{name} has values that are not finite: {path} is left as it was")
    kept = {name: tensor.detach().to("cpu", dtype or tensor.dtype).contiguous() for name, tensor in tensors.items()}
    write_atomically(path, save(kept, info.to_metadata()))


def record_score(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Keep measured figures in the file's own record, under ``name``; the tensors stay as they are."""
    info = read_info(path)
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (safe_open is no dict)
    save_weights(path, tensors, replace(info, scores={**info.scores, name: figures}), dtype=None)


def _check_file(path: Path) -> None:
    """Raise WeightsError for what is plainly no safetensors file, naming what it is instead."""
    check_kind(path)
    with path.open("rb") as file:
        if file.read(4).startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x04")):
            raise WeightsError(f"{path} is a pickled checkpoint, not safetensors")


def check_kind(path: Path) -> None:
    """Raise WeightsError for what cannot be weights in any format, naming what it is instead."""
    try:
        if not path.exists():
            raise WeightsError(f"no weights at {path}")
        if not path.is_file():
            raise WeightsError(f"{path} is not a file: name the file with the weights itself")
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from None
    if head.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path} is a git-lfs pointer, not the weights: fetch them with 'git lfs pull'")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise WeightsError(f"{path} is a web page, not weights")


def _read_tensors(path: Path, expected: dict[str, torch.Size], puzzles: Sequence[int] | None) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no dict)
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            names = fitting_names(path, shapes, expected)
            tensors = {
                short: file.get_tensor(name) if short != TABLE or puzzles is None else slices[name][list(puzzles)]
                for short, name in names.items()
            }
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None
    check_finite(path, tensors)
    return tensors


def fitting_names(path: Path, stored: dict[str, tuple[int, ...]], expected: dict[str, torch.Size]) -> dict[str, str]:
    """For each expected tensor its name in the file, whose shapes are ``stored``. Raises WeightsError if one is odd."""
    names = {strip_prefixes(name): name for name in stored}
    if len(names) < len(stored):
        raise WeightsError(f"{path} holds a tensor twice, under two prefixes")
    for problem, odd in (("lacks", set(expected) - set(names)), ("has an unknown", set(names) - set(expected))):
        if odd:
            raise WeightsError(f"{path} {problem} tensor {min(odd)!r}")
    for short, name in names.items():
        if stored[name] != tuple(expected[short]):
            raise WeightsError(f"{path}: {short} has shape {stored[name]}, not {tuple(expected[short])}")
    return names


def check_finite(path: Path, tensors: dict[str, Tensor]) -> None:
    """Raise WeightsError for a tensor that is not of finite floating numbers."""
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES or not torch.isfinite(tensor).all():
            raise WeightsError(f"{path}: {name} has values that are not finite numbers")
