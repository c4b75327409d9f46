"""Checkpoints of a training run: each is a folder that is there whole or not at all.

    run/step-00001234/state.safetensors     every tensor, bit for bit
    run/step-00001234/state.json            format, step, two hashes, and the run's own plain JSON

Knows tensors and files; nothing of recipes, loops or puzzles. The caller decides what goes in, and
whether what comes out fits its network. One run at a time may write into a folder, which
``folder.RunFolder`` ensures. Nothing is ever unpickled.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from trmsolve.errors import CheckpointError
from trmsolve.files import beside, naming, open_file, read_small, sync_folder, write_synced

FORMAT = 1
"""The version of the files.

When it rises, a function named for the old format brings ``state.json`` to the new one.
"""

TENSORS = "state.safetensors"
STATE = "state.json"

LONGEST_STATE = 16 << 20
"""Most bytes of ``state.json``.

It has a few kilobytes, and the names of as many data files as a command can name.
"""

DAMAGE = (OSError, ValueError, SafetensorError, RecursionError)
"""Errors that reading a damaged checkpoint raises."""

NAME = re.compile(r"step-([0-9]{8,})(\.old)?")
"""Names of checkpoints. One with ``.old`` is about to be replaced by another of the same step."""


@dataclass(frozen=True)
class Checkpoint:
    """What was saved."""

    # The checkpoint's folder, within the run's.
    path: Path
    step: int
    # On the CPU.
    tensors: dict[str, Tensor]
    state: dict[str, Any]
    # Says which newer checkpoint is damaged; empty if none is.
    warning: str = ""


def save_checkpoint(
    folder: Path, step: int, tensors: dict[str, Tensor], state: dict[str, Any], alone: bool = True
) -> Path:
    """Write ``folder/step-...``, keep the newest whole one before it, and remove all others.

    Checkpoints of later steps are removed too: the run went back behind them, and what was saved
    last must be what is loaded. ``state`` is plain JSON without NaN, such as a numpy generator's
    ``bit_generator.state``. ``alone`` says that no other process writes into the folder: then what
    killed runs left half-written is removed.

    Returns the path of the checkpoint. Raises TypeError or ValueError if ``state`` is no such JSON,
    and OSError naming the checkpoint if it cannot be written. The older ones are then as they were.
    """
    payload = save(_separate(tensors))
    record = {
        "format": FORMAT,
        "step": step,
        "tensors_sha256": hashlib.sha256(payload).hexdigest(),
        "state_sha256": _state_hash(step, state),
        "state": state,
    }
    folder.mkdir(parents=True, exist_ok=True)
    if alone:
        for stale in folder.glob(".step-*"):
            shutil.rmtree(stale, ignore_errors=True)
    path = folder / f"step-{step:08d}"
    _write_whole(path, payload, record)
    _remove_others(folder, path)
    return path


def load_checkpoint(folder: Path) -> Checkpoint:
    """The newest whole checkpoint in a run's folder, or the one that ``folder`` itself is.

    Raises CheckpointError saying what was found if none can be used, or if the newest is of a later
    format.
    """
    damaged: list[str] = []
    candidates = _candidates(folder)
    for path in candidates:
        try:
            record = _read_record(path)
            tensors = load(_read_tensors(path))
        except DAMAGE as error:
            damaged.append(f"{path.name} is damaged ({_reason(error)})")
            continue
        warning = ""
        if damaged:
            warning = f"{folder}: {'; '.join(damaged)}: continuing from {path.name} instead"
        return Checkpoint(path, record["step"], tensors, record["state"], warning)
    if not damaged:
        raise CheckpointError(
            f"no checkpoint in {folder}: give the folder of a run with a checkpoint, or "
            "start a new run"
        )
    advice = "start a new run"
    if candidates == [folder]:
        advice = "give the folder of its run, which may contain an earlier checkpoint"
    raise CheckpointError(
        f"no usable checkpoint in {folder}: {'; '.join(damaged)}: restore it from a "
        f"backup, or {advice}"
    )


def folder_of_run(named: Path) -> Path:
    """The folder of a run, where ``named`` is that folder or one of its checkpoints."""
    return named.parent if _is_checkpoint(named) else named


# Writing


def _separate(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, contiguous, each in memory of its own, as safetensors demands."""
    separate: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        plain = tensor.detach().to("cpu").contiguous()
        pointer = plain.untyped_storage().data_ptr()
        separate[name] = plain.clone() if pointer in taken else plain
        taken.add(pointer)
    return separate


def _state_hash(step: object, state: object) -> str:
    text = json.dumps([step, state], allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _write_whole(path: Path, payload: bytes, record: dict[str, Any]) -> None:
    temporary = beside(path)
    with naming(path):
        try:
            temporary.mkdir()
            write_synced(temporary / TENSORS, payload)
            write_synced(temporary / STATE, json.dumps(record, indent=1).encode())
            sync_folder(temporary)
            _put(temporary, path)
            sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _put(temporary: Path, path: Path) -> None:
    """Rename into place.

    A folder cannot replace one that is not empty: that one steps aside, loadable as ``.old``.
    """
    if path.exists():
        aside = path.with_name(f"{path.name}.old")
        _remove(aside)
        path.rename(aside)
    temporary.rename(path)


def _remove_others(folder: Path, newest: Path) -> None:
    """Remove all checkpoints but ``newest`` and the newest whole one of a step before it.

    Raises FileNotFoundError if somebody deleted ``newest`` meanwhile.
    """
    every = _newest_first(folder)
    if newest not in every:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(newest))
    before = None
    for path in every[every.index(newest) + 1 :]:
        if path.stem != newest.name and _is_whole(path):
            before = path
            break
    for path in every:
        if path not in (newest, before):
            _remove(path)


def _remove(path: Path) -> None:
    """Hide it first, so that no half-removed checkpoint is ever found.

    What cannot be removed now stays for later.
    """
    with contextlib.suppress(OSError):
        shutil.rmtree(path.rename(beside(path)), ignore_errors=True)


# Reading


def _candidates(folder: Path) -> list[Path]:
    try:
        return [folder] if _is_checkpoint(folder) else _newest_first(folder)
    except OSError as error:
        raise CheckpointError(
            f"no checkpoint can be read from {folder}: {error.strerror or error}"
        ) from None


def _is_checkpoint(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    if NAME.fullmatch(folder.name):
        return True
    return (folder / TENSORS).exists() or (folder / STATE).exists()


def _newest_first(folder: Path) -> list[Path]:
    """The checkpoints in a folder; of the same step, the one with ``.old`` comes second."""
    found = []
    for path in folder.iterdir():
        match = NAME.fullmatch(path.name)
        if match and path.is_dir():
            found.append((-int(match[1]), match[2] or "", path))
    return [path for *_, path in sorted(found)]


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(*DAMAGE, CheckpointError):
        _read_record(path)
        return True
    return False


def _read_record(path: Path) -> dict[str, Any]:
    """``state.json``, if both files are as they were saved.

    Raises an error of ``DAMAGE`` if they are not, and CheckpointError for a later format.
    """
    record = json.loads(read_small(path / STATE, LONGEST_STATE))
    _check_format(path, record)
    step = record.get("step")
    state = record.get("state")
    if _state_hash(step, state) != record.get("state_sha256"):
        raise ValueError(f"{STATE} was changed after it was saved")
    if type(step) is not int or step < 0 or not isinstance(state, dict):
        raise ValueError(f"{STATE} does not belong to a checkpoint")
    if _hash_of_tensors(path / TENSORS) != record.get("tensors_sha256"):
        raise ValueError(f"{TENSORS} was changed after it was saved")
    checked: dict[str, Any] = record
    return checked


def _check_format(path: Path, record: Any) -> None:
    version = record.get("format") if isinstance(record, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError(f"{STATE} does not belong to a checkpoint")
    if version > FORMAT:
        raise CheckpointError(
            f"{path} was written by a later version of trmsolve (format {version}): "
            "upgrade trmsolve to resume from it"
        )


def _hash_of_tensors(path: Path) -> str:
    """The sha256 of a file of tensors.

    Raises an error of ``DAMAGE`` for a file that is larger or smaller than its header says, so that
    a file of any length is refused before it is read.
    """
    with open_file(path) as file:
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError):
            raise ValueError(f"{path.name} was changed after it was saved") from None
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_tensors(path: Path) -> bytes:
    with open_file(path / TENSORS) as file:
        return file.read()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{Path(error.filename or '').name}: {error.strerror}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return f"{STATE} is not JSON"
    return str(error)
