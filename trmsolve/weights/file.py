"""Weights in safetensors files: read strictly, so that what a file says fits what it holds.

The module knows files and the network's config. It does not know the rules of puzzles, or pickles.
What kind of file it is, is checked by ``weights.kind``; the header by ``weights.header`` and
``weights.info``; the size of the network by ``weights.limits``; the values by ``weights.tensors``.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from trmsolve.errors import WeightsError
from trmsolve.files import replacing
from trmsolve.model.build import new_model
from trmsolve.model.config import FORMER_CONFIG_NAMES, TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.described import bundled_weights as bundled_weights
from trmsolve.weights.described import read_described
from trmsolve.weights.described import read_info as read_info
from trmsolve.weights.header import Header, in_a_line
from trmsolve.weights.info import CHECKSUM, WeightsInfo
from trmsolve.weights.kind import LONGEST_HEADER
from trmsolve.weights.limits import check_bounds, check_rows, check_size, expected_shapes
from trmsolve.weights.names import TABLE, fitting_names
from trmsolve.weights.tensors import STORED, check_finite, checksum, is_finite

__all__ = [
    "build_model",
    "bundled_weights",
    "check_whole",
    "fingerprint",
    "load_model",
    "read_info",
    "read_weights",
    "record_score",
    "save_weights",
]

LATER = (
    "feeds_back_answer",
    "frozen_tokens",
    "symmetries",
    "lookup_channels",
    "line_lookup_channels",
)
"""Fields of the config that are newer than the fingerprint.

They count only where they are set, so that the fingerprints of older weights stay the same.
"""


def fingerprint(path: Path) -> str:
    """A hash of what decides the answers: the config and the tensors.

    A score that is added to the record does not change it.
    """
    header, info = read_described(path)
    with path.open("rb") as file:
        file.seek(header.begin)
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps(_hashed_fields(info.config), sort_keys=True).encode())
    return digest.hexdigest()


def check_whole(path: Path, *, allow_large: bool = False) -> WeightsInfo:
    """As ``read_info``, and check everything that ``load_model`` checks; all tensors are read.

    Raises WeightsError.
    """
    return read_weights(path, allow_large=allow_large)[0]


def read_weights(path: Path, *, allow_large: bool = False) -> tuple[WeightsInfo, dict[str, Tensor]]:
    """What a file says about itself, and its tensors in the dtypes in which they are stored.

    They are checked as ``load_model`` checks them. Raises WeightsError.
    """
    header, info = read_described(path)
    check_size(path, allow_large=allow_large)
    check_bounds(path, info.config, allow_large=allow_large)
    return info, _read_tensors(path, header, info)


def load_model(  # noqa: PLR0913
    path: Path,
    task: str | None,
    dtype: torch.dtype,
    device: torch.device,
    puzzles: Sequence[int] | None = None,
    *,
    allow_large: bool = False,
) -> TinyRecursiveModel:
    """The network of a file, ready to run.

    The tensors must be those that the config asks for, in name and shape, floating, finite, and as
    they were saved if the file has a checksum. ``task`` is what the file must be trained for, if it
    is given. ``allow_large`` lifts the bounds of ``weights.limits``, but not those of the config.

    With ``puzzles`` only these rows of the table of puzzles are read, at least one; they become the
    network's puzzles 0, 1, ... The checksum covers the whole file and is then not compared.

    Raises WeightsError naming the file and what is wrong with it.
    """
    header, info = read_described(path)
    config = info.config
    if task is not None and info.task != task:
        raise WeightsError(
            f"{path} was trained for {info.task or 'an unnamed task'}, not for {task}"
        )
    if puzzles is None:
        check_size(path, allow_large=allow_large)
        check_bounds(path, config, allow_large=allow_large)
    else:
        check_rows(path, config, puzzles, allow_large=allow_large)
        config = replace(config, num_puzzles=len(puzzles))
    tensors = _read_tensors(path, header, info, puzzles)
    return build_model(config, tensors, dtype, device)


def build_model(
    config: TRMConfig, tensors: dict[str, Tensor], dtype: torch.dtype, device: torch.device
) -> TinyRecursiveModel:
    """The network of these tensors, ready to run; they must be those that its config asks for."""
    model = new_model(config, dtype)
    model.load_state_dict(tensors, strict=True)
    # The forward pass casts each weight to the activations' dtype at every call: cast once instead.
    # Buffers are not cast, since rotary tables must stay exact.
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
    return model.to(device).eval().requires_grad_(False)


def save_weights(
    path: Path,
    tensors: dict[str, Tensor],
    info: WeightsInfo,
    dtype: torch.dtype | None = torch.bfloat16,
) -> None:
    """Write a weights file atomically: ``path`` then holds the whole old file or the whole new one.

    With ``dtype`` None each tensor keeps its own dtype and is not copied, so that tensors may be on
    the disk. Raises OSError if ``path`` cannot be written, WeightsError for values that are not
    finite and for what could not be read again.
    """
    kept = {}
    for name, tensor in tensors.items():
        kept[name] = tensor.detach().to("cpu", dtype or tensor.dtype).contiguous()
    for name, tensor in kept.items():
        if not is_finite(tensor):
            raise WeightsError(f"{name} has values that are not finite: {path} was not changed")
    metadata = _metadata_to_write(path, info)
    with replacing(path) as temporary, _system_errors():
        save_file(kept, temporary, {**metadata, CHECKSUM: checksum(metadata, kept)})


def record_score(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Store measured figures in the file's record under ``name``; the tensors do not change."""
    info, tensors = read_weights(path, allow_large=True)
    scores = {**info.scores, name: figures}
    save_weights(path, tensors, replace(info, scores=scores), dtype=None)


def _hashed_fields(config: TRMConfig) -> dict[str, Any]:
    """The fields of the config that a fingerprint covers, by the names that they first had.

    Renaming a field changes no answer. Records of measurements name weights by their fingerprint,
    so it must not change either: fields that were renamed are hashed under their former names.
    """
    former = {now: before for before, now in FORMER_CONFIG_NAMES.items()}
    fields = {}
    for name, value in config.to_dict().items():
        if value or name not in LATER:
            fields[former.get(name, name)] = value
    return fields


def _read_tensors(
    path: Path, header: Header, info: WeightsInfo, puzzles: Sequence[int] | None = None
) -> dict[str, Tensor]:
    """The tensors that the config asks for, by their official names, all checked.

    Only the rows ``puzzles`` of the table are read, where they are given. Raises WeightsError.
    """
    expected = expected_shapes(info.config)
    tensors = {}
    try:
        with safe_open(path, framework="pt") as file:
            if file.metadata() != header.metadata:
                raise WeightsError(f"{path} was replaced while it was being read: try again")
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no dict)
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            names = fitting_names(path, shapes, expected)
            _check_dtypes(path, {short: slices[name] for short, name in names.items()})
            for short, name in names.items():
                if short == TABLE and puzzles is not None:
                    tensors[short] = slices[name][list(puzzles)]
                else:
                    tensors[short] = file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged: {in_a_line(error)}") from None
    check_finite(path, tensors)
    if info.checksum is not None and puzzles is None:
        stored = {name: tensors[short] for short, name in names.items()}
        _check_checksum(path, header, stored, info.checksum)
    return tensors


def _check_dtypes(path: Path, slices: Mapping[str, Any]) -> None:
    """Raise WeightsError for a tensor whose values are not floating numbers."""
    for name, part in slices.items():
        dtype = part.get_dtype()
        if dtype not in STORED:
            raise WeightsError(f"{path}: {name} must have floating point values, not {dtype}")


def _check_checksum(
    path: Path, header: Header, stored: Mapping[str, Tensor], expected: str
) -> None:
    """Raise WeightsError if the file is not as it was saved.

    ``stored`` are the tensors by their names in the file.
    """
    covered = {key: value for key, value in header.metadata.items() if key != CHECKSUM}
    if checksum(covered, stored) != expected:
        raise WeightsError(f"{path} is damaged: it does not match its checksum")


def _metadata_to_write(path: Path, info: WeightsInfo) -> dict[str, str]:
    """The entries of a new file. Raises WeightsError for a record that could not be read again."""
    try:
        metadata = info.to_metadata()
    except ValueError as error:
        raise WeightsError(
            f"the record has a number that is not finite: {path} was not changed"
        ) from error
    size = len(json.dumps(metadata))
    if size > LONGEST_HEADER // 2:  # the rest of the header is for names and shapes
        raise WeightsError(
            f"the record has {size} bytes, too many for a header: {path} was not changed"
        )
    return metadata


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    """Turn errors of the system that safetensors wraps, such as a full disk, back into OSError."""
    try:
        yield
    except SafetensorError as error:
        found = re.search(r"os error (\d+)", str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number)) from error
