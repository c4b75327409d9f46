"""The tensors of a public checkpoint, read without running any code that the file may carry.

This is the only place that opens a pickle. The zip around it must be as torch writes it, the pickle
must pass ``weights.pickle_check``, and only then does torch's weights-only loader read it. Tensors
stay on the disk, however large the table of puzzles is. The module does not know networks.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch._C import PyTorchFileReader  # what torch.load itself reads with

from trmsolve.errors import UsageError, WeightsError
from trmsolve.weights.header import in_a_line, read_header
from trmsolve.weights.kind import begins_as_safetensors, is_zip, read_head
from trmsolve.weights.names import official_names
from trmsolve.weights.pickle_check import check_pickle
from trmsolve.weights.tensors import DTYPES

LONGEST_PART = 1 << 20
"""The most bytes of each part of a checkpoint that is read as a whole.

These parts are the pickle, which names the tensors, and the directory of the zip. Both have some
kilobytes.
"""

PICKLE = "data.pkl"
"""The name of the pickle in the zip."""

NETWORK_TENSOR = "embed_tokens.embedding_weight"
"""Every state dict of a network has a tensor whose name ends so."""


def is_pickled(path: Path) -> bool:
    """Whether the file is a zip, as torch has written checkpoints since 2020."""
    try:
        with path.open("rb") as file:
            return is_zip(file.read(4))
    except OSError:
        return False


def read_checkpoint(path: Path, part: str | None = None) -> dict[str, Tensor]:
    """The tensors of a checkpoint by their official names.

    ``part`` names one of several networks in a pickled file, such as the average beside the raw
    one. Raises UsageError for a part of a file that has none, WeightsError for a file that is not
    safe to read, is damaged or is no checkpoint.
    """
    if is_pickled(path):
        stored = _read_pickled(path, part)
    elif part is not None:
        raise UsageError(f"{path} contains a single network: omit --part")
    else:
        stored = _read_safetensors(path)
    names = official_names(path, stored)
    return {official: stored[name] for official, name in names.items()}


def describes_itself(path: Path) -> bool:
    """Whether this is a safetensors file that says what network it holds: weights of our own.

    Raises WeightsError for a safetensors file whose header is damaged.
    """
    if not begins_as_safetensors(read_head(path)):
        return False
    # Reading the header also checks it, for instance that no name occurs twice.
    return "trmsolve.config" in read_header(path).metadata


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file that does not describe itself."""
    if not begins_as_safetensors(read_head(path)):
        raise WeightsError(
            f"{path} is neither a safetensors file nor a zip file as saved by torch: "
            "save it again with a newer version of torch"
        )
    if describes_itself(path):
        raise WeightsError(f"{path} is already converted: trmsolve can read it directly")
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no dict)


def _read_pickled(path: Path, part: str | None) -> dict[str, Tensor]:
    """The tensors of one network in a pickled checkpoint, by their names in the file."""
    _check_zip(path)
    try:
        stored = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # a damaged pickle may fail in any way
        first = str(error).partition("\n")[0].partition(". ")[0]
        raise WeightsError(
            f"{path} is not a plain state dict that is safe to read: {first}"
        ) from None
    if not isinstance(stored, dict) or not stored:
        raise WeightsError(f"{path} is not a state dict: it contains no named tensors")
    tensors = _choose_network(path, stored, part)
    for name, tensor in tensors.items():
        _check_tensor(path, name, tensor)
    # With a step of zero, a large tensor is made of a single number.
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > path.stat().st_size:
        raise WeightsError(
            f"{path}: its tensors have {claimed} bytes, more than the file: tensors "
            "that share memory are not supported"
        )
    return {name: tensor.detach() for name, tensor in tensors.items()}


def _check_tensor(path: Path, name: object, tensor: object) -> None:
    """Raise WeightsError for an entry of a state dict that is no plain floating tensor."""
    if not isinstance(name, str) or not isinstance(tensor, Tensor):
        raise WeightsError(f"{path} is not a flat state dict: {name!r} is not a tensor")
    is_plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    if not is_plain or tensor.dtype not in DTYPES:
        raise WeightsError(f"{path}: {name} does not have plain floating point values")


def _choose_network(path: Path, stored: dict[Any, Any], part: str | None) -> dict[Any, Any]:
    """The network ``part`` of a file, else the only one in it, else the file as a whole.

    Some checkpoints hold an average of the weights beside the raw ones.
    """
    networks = {name: value for name, value in stored.items() if _is_network(value)}
    names = [str(name) for name in networks]
    if part is not None:
        if part not in networks:
            there = f"it contains {', '.join(names)}" if names else "it contains a single network"
            raise WeightsError(f"{path} contains no network named {part}: {there}")
        return dict(networks[part])
    if len(networks) > 1:
        raise WeightsError(
            f"{path} contains several networks: choose {' or '.join(names)} with --part"
        )
    return dict(*networks.values()) if networks else stored


def _is_network(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return any(isinstance(name, str) and name.endswith(NETWORK_TENSOR) for name in value)


class _ShortReads(io.FileIO):
    """A file that refuses long reads, since ``zipfile`` believes the sizes in an archive."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As ``FileIO.read``. Raises BadZipFile for more than ``LONGEST_PART`` bytes."""
        asked = LONGEST_PART + 1 if size is None or size < 0 else size
        data = super().read(asked) if asked <= LONGEST_PART + 1 else None
        if data is None or len(data) > LONGEST_PART:
            raise zipfile.BadZipFile(
                f"a part of it that should be small has over {LONGEST_PART >> 20} MiB"
            )
        return data


def _check_zip(path: Path) -> None:
    """Raise WeightsError for a zip that torch has not written, before anything in it is loaded.

    The loader maps the file as it lies. It does not compare the checksums of the zip, and does not
    mind how large a small file becomes.
    """
    try:
        with _ShortReads(path) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_entries(path, entries)
            damaged = archive.testzip()
            if damaged is not None:
                raise WeightsError(
                    f"{path} is damaged: {damaged!r} in it does not match its checksum"
                )
            (pickled,) = [entry for entry in entries if _is_pickle(entry)]
            payload = archive.read(pickled)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise WeightsError(
            f"{path} is not a plain state dict that is safe to read: {in_a_line(error)}"
        ) from None
    check_pickle(path, payload, len(entries))
    if _pickle_seen_by_torch(path) != payload:
        raise WeightsError(
            f"{path} is not a plain state dict that is safe to read: its zip directory is ambiguous"
        )


def _pickle_seen_by_torch(path: Path) -> bytes | None:
    """The pickle that torch finds in the zip; None if it finds none."""
    try:
        return bytes(PyTorchFileReader(str(path)).get_record(PICKLE))
    except (RuntimeError, ValueError):
        return None


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise WeightsError for an archive whose directory says that torch has not written it."""
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise WeightsError(
            f"{path} has compressed parts, unlike files of torch.save: save it again "
            "with torch.save"
        )
    if sum(_is_pickle(entry) for entry in entries) != 1:
        raise WeightsError(
            f"{path} is not a torch checkpoint: it does not contain exactly one {PICKLE}"
        )
    for entry in entries:
        if _claimed(entry) > LONGEST_PART and not _is_storage(entry):
            what = "a pickle" if _is_pickle(entry) else "a description"
            raise WeightsError(
                f"{path} has {what} of over {LONGEST_PART >> 20} MiB: it is not a plain state dict"
            )
    names = {entry.filename for entry in entries}
    claimed = sum(_claimed(entry) for entry in entries)
    if claimed > path.stat().st_size or len(names) < len(entries):
        raise WeightsError(
            f"{path} is not a torch checkpoint: parts of it overlap or have the same name"
        )
    if min(entry.header_offset for entry in entries) != 0:
        raise WeightsError(
            f"{path} is not a torch checkpoint: there is other data before its first part"
        )


def _claimed(entry: zipfile.ZipInfo) -> int:
    """The bytes that an entry says to have, packed or not."""
    return max(entry.file_size, entry.compress_size)


def _is_pickle(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.rpartition("/")[2] == PICKLE


def _is_storage(entry: zipfile.ZipInfo) -> bool:
    """Whether the entry holds the values of a tensor, which are mapped and not read."""
    return re.fullmatch(r"[^/]+/data/[0-9]+", entry.filename) is not None
