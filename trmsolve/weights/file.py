"""Weights in and out of safetensors files, strictly: what a file says of itself must fit what it holds.

Knows files and the model's config; nothing of puzzles' rules, networks elsewhere, or pickles. What
a file is at all is told by ``file_kind``, what its header says by ``safetensors_header``, how large
it may be by ``bounds``, and what the values of its tensors may be by ``tensor_values``.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from trmsolve.errors import WeightsError
from trmsolve.files import replacing
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.header import Header, in_a_line, read_header, strict_json
from trmsolve.weights.kind import LONGEST_HEADER
from trmsolve.weights.limits import LIFTED, MAX_FILE, check_bounds, check_size, expected_shapes
from trmsolve.weights.tensors import STORED, check_finite, checksum, is_finite

PUBLIC_PREFIXES = ("_orig_mod.", "module.", "model.", "inner.")
"""What the public training code puts before the names; stripped, so that its checkpoints load as they are."""

TABLE = "puzzle_emb.weights"
"""The table of puzzle embeddings, a row each; the paper's for ARC has a million rows, more than all the rest."""

CHECKSUM = "trmsolve.checksum"
KEYS = (
    "format",
    "trmsolve.config",
    "trmsolve.task",
    "trmsolve.training",
    "trmsolve.scores",
    CHECKSUM,
)
"""The metadata of a file. Others may stand in it if there is a checksum, which covers them too."""


@dataclass(frozen=True)
class WeightsInfo:
    """What a file says of itself: architecture, task, how it was trained, what it scored."""

    config: TRMConfig
    task: str
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    checksum: str | None = field(
        default=None, compare=False
    )  # as the file has it; saving works out its own

    def to_metadata(self) -> dict[str, str]:
        """The header entries of the file, the checksum aside.

        Raises ValueError for numbers that are not finite.
        """
        return {
            "format": "pt",
            "trmsolve.config": json.dumps(self.config.to_dict(), allow_nan=False),
            "trmsolve.task": self.task,
            "trmsolve.training": json.dumps(self.training, allow_nan=False),
            "trmsolve.scores": json.dumps(self.scores, allow_nan=False),
        }

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "WeightsInfo":
        """Raises ValueError where an entry is missing, unknown, ambiguous or does not make sense."""
        if "trmsolve.config" not in metadata:
            raise ValueError("it carries no trmsolve.config")
        # A bit flipped in the checksum's own name must not turn it off.
        for key in metadata:
            if key not in KEYS and (key.startswith("trmsolve.") or CHECKSUM not in metadata):
                raise ValueError(f"its metadata have an unknown {key!r}")
        task, checksum = metadata.get("trmsolve.task", ""), metadata.get(CHECKSUM)
        if not re.fullmatch(r"[a-zA-Z0-9_-]{0,64}", task):
            raise ValueError(f"{task[:20]!r} is no task")
        if checksum is not None and not re.fullmatch("[0-9a-f]{64}", checksum):
            raise ValueError("its checksum is none")
        entries = {
            key: strict_json(metadata.get(f"trmsolve.{key}", "{}"))
            for key in ("config", "training", "scores")
        }
        if bad := [key for key, value in entries.items() if not isinstance(value, dict)]:
            raise ValueError(f"trmsolve.{bad[0]} is not an object")
        try:
            config = TRMConfig.from_dict(entries["config"])
        except TypeError as error:  # a field of the wrong type met arithmetic
            raise ValueError(f"its config does not make sense: {error}") from None
        return cls(config, task, entries["training"], entries["scores"], checksum)


def strip_prefixes(name: str) -> str:
    """The official name of a tensor, without the wrappers' prefixes, in whatever order they are."""
    while prefix := next((prefix for prefix in PUBLIC_PREFIXES if name.startswith(prefix)), ""):
        name = name.removeprefix(prefix)
    return name


def bundled_weights(task: str) -> Path:
    """The weights that come with the package.

    Raises WeightsError if there are none for ``task``.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "_weights", package.parent / "weights"):  # installed, or in a checkout
        if (path := folder / f"{task}.safetensors").is_file():
            return path
    raise WeightsError(f"this copy carries no weights for {task}: name a file with --weights")


def weights_at(path: Path, task: str) -> Path:
    """The weights file that ``path`` names: itself, or that of a run's folder.

    Raises WeightsError if it has none.
    """
    with contextlib.suppress(
        OSError, ValueError
    ):  # a path that may not be looked at is told when the file is read
        if path.is_dir():
            inside = path / f"{task}.safetensors"
            if not inside.is_file():
                raise WeightsError(
                    f"no {inside.name} in the folder {path}: name a run's folder, or a weights file"
                )
            return inside
    return path


LATER = ("rewrites", "kept", "symmetries")
"""Fields of the config that came when weights had a fingerprint already: they count where they are set."""


def fingerprint(path: Path) -> str:
    """A hash of what decides the answers, config and tensors: a score added to the record leaves it the same."""
    header, info = _read(path)
    fields = info.config.to_dict()
    config = json.dumps(
        {name: value for name, value in fields.items() if value or name not in LATER},
        sort_keys=True,
    )
    with path.open("rb") as file:
        file.seek(header.begin)
        digest = hashlib.file_digest(file, "sha256")
    digest.update(config.encode())
    return digest.hexdigest()


def read_info(path: Path) -> WeightsInfo:
    """What the file says of itself, without reading its tensors. Raises WeightsError.

    So the checksum is not compared: ``info.checksum`` tells whether there is one, ``check_whole``
    compares.
    """
    return _read(path)[1]


def check_whole(path: Path, *, allow_large: bool = False) -> WeightsInfo:
    """As ``read_info``, of a file that ``load_model`` takes as a whole: all tensors are read.

    Raises WeightsError.
    """
    header, info = _read(path)
    check_size(path, allow_large=allow_large)
    check_bounds(path, info.config, allow_large=allow_large)
    _read_tensors(path, header, info)
    return info


def load_model(
    path: Path,
    task: str | None,
    dtype: torch.dtype,
    device: torch.device,
    puzzles: Sequence[int] | None = None,
    *,
    allow_large: bool = False,
) -> TinyRecursiveModel:
    """The network of a file, ready to run.

    Raises WeightsError naming the file and what is wrong with it.

    Strict: the tensors are those the config asks for, in name and shape, floating, finite, and as
    they were saved, if the file has a checksum. Of the table of puzzles only the rows ``puzzles``
    are read if given, at least one; they are puzzles 0, 1, ... of the network. The checksum, which
    is one of the whole file, is then not looked at. ``allow_large`` lifts the bounds of ``bounds``,
    though not those of ``config``.
    """
    header, info = _read(path)
    if task is not None and info.task != task:
        raise WeightsError(
            f"{path} was trained for {info.task or 'an unnamed task'}, not for {task}"
        )
    if puzzles is None:
        check_size(path, allow_large=allow_large)
        check_bounds(path, info.config, allow_large=allow_large)
    else:
        check_rows(path, info.config, puzzles, allow_large=allow_large)
    tensors = _read_tensors(path, header, info, puzzles)
    config = info.config if puzzles is None else replace(info.config, num_puzzles=len(puzzles))
    return build_model(config, tensors, dtype, device)


def check_rows(
    path: Path, config: TRMConfig, puzzles: Sequence[int], *, allow_large: bool = False
) -> None:
    """Raise WeightsError if the table has none of these rows, or if what is read besides it is too much."""
    if not config.puzzle_emb_dim:
        raise WeightsError(f"{path} has no table of puzzles: it knows none of them")
    if outside := [row for row in puzzles if not 0 <= row < config.num_puzzles]:
        raise WeightsError(
            f"{path} has no puzzle {outside[0]}: its table has {config.num_puzzles} rows"
        )
    shapes = expected_shapes(replace(config, num_puzzles=len(puzzles)))
    if (size := 8 * sum(shape.numel() for shape in shapes.values())) > MAX_FILE and not allow_large:
        raise WeightsError(
            f"{path} may need {size >> 20} MiB, more than the {MAX_FILE >> 20} MiB allowed: {LIFTED}"
        )
    check_bounds(path, config, len(puzzles), allow_large=allow_large)


def build_model(
    config: TRMConfig, tensors: dict[str, Tensor], dtype: torch.dtype, device: torch.device
) -> TinyRecursiveModel:
    """The network of these tensors, ready to run; they must be those that its config asks for."""
    model = new_model(config, dtype)
    model.load_state_dict(tensors, strict=True)
    # The forward pass casts each weight to the activations' dtype at every call: cast once instead.
    # Not the buffers: rotary tables must stay exact.
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    return model.to(device).eval().requires_grad_(False)


def save_weights(
    path: Path,
    tensors: dict[str, Tensor],
    info: WeightsInfo,
    dtype: torch.dtype | None = torch.bfloat16,
) -> None:
    """Write atomically: ``path`` holds the old file or the new one, whole.

    Refuses values that are not finite.

    ``dtype`` None keeps each tensor's own, and needs no copy: tensors may be on the disk. Raises
    OSError if ``path`` cannot be written, WeightsError for what could not be read again.
    """
    kept = {
        name: tensor.detach().to("cpu", dtype or tensor.dtype).contiguous()
        for name, tensor in tensors.items()
    }
    for name, tensor in kept.items():
        if not is_finite(tensor):
            raise WeightsError(f"{name} has values that are not finite: {path} is left as it was")
    try:
        metadata = info.to_metadata()
    except ValueError as error:
        raise WeightsError(
            f"the record has a number that is not finite: {path} is left as it was"
        ) from error
    if (
        size := len(json.dumps(metadata))
    ) > LONGEST_HEADER // 2:  # the rest is for names and shapes
        raise WeightsError(
            f"the record has {size} bytes, too many for a header: {path} is left as it was"
        )
    with replacing(path) as temporary, _of_the_system():
        save_file(kept, temporary, {**metadata, CHECKSUM: checksum(metadata, kept)})


def record_score(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Keep measured figures in the file's own record, under ``name``; the tensors stay as they are."""
    header, info = _read(path)
    save_weights(
        path,
        _read_tensors(path, header, info),
        replace(info, scores={**info.scores, name: figures}),
        dtype=None,
    )


def _read(path: Path) -> tuple[Header, WeightsInfo]:
    header = read_header(path)
    try:
        return header, WeightsInfo.from_metadata(header.metadata)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not usable as weights: {in_a_line(error)}") from None


def _read_tensors(
    path: Path, header: Header, info: WeightsInfo, puzzles: Sequence[int] | None = None
) -> dict[str, Tensor]:
    """Those that the config asks for, by their names without prefixes; all that is said of them holds."""
    expected = expected_shapes(info.config)
    try:
        with safe_open(path, framework="pt") as file:
            if file.metadata() != header.metadata:
                raise WeightsError(f"{path} was replaced while it was read: try again")
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no dict)
            names = fitting_names(
                path, {name: tuple(part.get_shape()) for name, part in slices.items()}, expected
            )
            for short, name in names.items():
                if (dtype := slices[name].get_dtype()) not in STORED:
                    raise WeightsError(
                        f"{path}: {short} has values that are not finite numbers, but {dtype}"
                    )
            tensors = {
                short: file.get_tensor(name)
                if short != TABLE or puzzles is None
                else slices[name][list(puzzles)]
                for short, name in names.items()
            }
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged: {in_a_line(error)}") from None
    check_finite(path, tensors)
    if info.checksum is not None and puzzles is None:
        stored = {name: tensors[short] for short, name in names.items()}
        said = {key: value for key, value in header.metadata.items() if key != CHECKSUM}
        if checksum(said, stored) != info.checksum:
            raise WeightsError(f"{path} is damaged: it is not as it was saved, says its checksum")
    return tensors


@contextlib.contextmanager
def _of_the_system() -> Iterator[None]:
    """Errors of the system that safetensors met, a full disk say, as those they are."""
    try:
        yield
    except SafetensorError as error:
        if found := re.search(r"os error (\d+)", str(error)):
            raise OSError(int(found[1]), os.strerror(int(found[1]))) from error
        raise


def fitting_names(
    path: Path, stored: dict[str, tuple[int, ...]], expected: dict[str, torch.Size]
) -> dict[str, str]:
    """For each expected tensor its name in the file, whose shapes are ``stored``.

    Raises WeightsError if one is odd.
    """
    names = {strip_prefixes(name): name for name in stored}
    if len(names) < len(stored):
        raise WeightsError(f"{path} holds a tensor twice, under two prefixes")
    for problem, odd in (
        ("lacks", set(expected) - set(names)),
        ("has an unknown", set(names) - set(expected)),
    ):
        if odd:
            raise WeightsError(f"{path} {problem} tensor {min(odd)!r}")
    for short, name in names.items():
        if stored[name] != tuple(expected[short]):
            raise WeightsError(
                f"{path}: {short} has shape {stored[name]}, not {tuple(expected[short])}"
            )
    return names
