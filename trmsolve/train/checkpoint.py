"""Checkpoints of a training run: one folder each, of tensors and plain JSON, that is there whole or not at all.

    run/step-00001234/state.safetensors     every tensor, bit for bit
    run/step-00001234/state.json            format, step, the two hashes, and whatever plain JSON belongs to the run

Knows tensors, optimizers' state and files; nothing of recipes, loops or puzzles: the caller decides
what goes in, and whether what comes out fits its network. One run at a time writes into a folder:
``run_folder`` sees to it. Nothing is ever unpickled.
"""

import contextlib
import hashlib
import json
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
"""Of the files.

When it rises, a function named for the old format brings ``state.json`` to the new one.
"""

TENSORS, STATE = "state.safetensors", "state.json"
LONGEST_STATE = 16 << 20
"""Bytes of ``state.json``, at most.

It has a few kilobytes, and the names of all data files that a command can name.
"""

DAMAGE = (OSError, ValueError, SafetensorError, RecursionError)
NAME = re.compile(
    r"step-([0-9]{8,})(\.old)?"
)  # .old: one of the same step was about to take its place


@dataclass(frozen=True)
class Checkpoint:
    """What was saved; ``warning`` says which newer one was found damaged, and is empty if none was."""

    path: Path
    step: int
    tensors: dict[str, Tensor]  # on the CPU
    state: dict[str, Any]
    warning: str = ""


def save_checkpoint(
    folder: Path, step: int, tensors: dict[str, Tensor], state: dict[str, Any], alone: bool = True
) -> Path:
    """Write ``folder/step-...`` and return it; then remove all others but the newest whole one before it.

    Those of a later step go too: the run went back behind them, and what was saved last must be
    what is loaded. ``alone`` says that no other process writes into the folder: what killed ones
    left half-written is removed then. ``state`` is plain JSON without NaN (a numpy generator's
    ``bit_generator.state`` is). Raises TypeError or ValueError if it is not, and OSError naming the
    checkpoint if it cannot be written: then the older ones are as they were.
    """
    payload = save(_separate(tensors))
    record = {"format": FORMAT, "step": step, "tensors_sha256": hashlib.sha256(payload).hexdigest()}
    record |= {"state_sha256": _state_hash(step, state), "state": state}
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(".step-*") if alone else ():
        shutil.rmtree(stale, ignore_errors=True)
    path = folder / f"step-{step:08d}"
    temporary = beside(path)
    with naming(path):
        try:
            temporary.mkdir()
            write_synced(temporary / TENSORS, payload)
            write_synced(temporary / STATE, json.dumps(record, indent=1).encode())
            sync_folder(temporary)
            _put(temporary, path)
            sync_folder(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    _remove_others(folder, path)
    return path


def load_checkpoint(folder: Path) -> Checkpoint:
    """The newest whole checkpoint of a run's folder, or the one that ``folder`` itself is.

    Raises CheckpointError saying what was found if none can be used, or if the newest is of a later
    format.
    """
    damaged: list[str] = []
    try:
        candidates = [folder] if _is_checkpoint(folder) else _newest_first(folder)
    except OSError as error:
        raise CheckpointError(
            f"no checkpoint can be read from {folder}: {error.strerror or error}"
        ) from None
    for path in candidates:
        try:
            record, tensors = _read_record(path), load(_read_tensors(path))
        except DAMAGE as error:
            damaged.append(f"{path.name} is damaged ({_reason(error)})")
            continue
        warning = (
            f"{folder}: {'; '.join(damaged)}: going on from {path.name} instead" if damaged else ""
        )
        return Checkpoint(path, record["step"], tensors, record["state"], warning)
    if not damaged:
        raise CheckpointError(
            f"no checkpoint in {folder}: name the folder of a run that wrote one, or begin a new run"
        )
    hint = (
        "name its run's folder, which may hold one before it"
        if candidates == [folder]
        else "begin a new run"
    )
    raise CheckpointError(
        f"no usable checkpoint in {folder}: {'; '.join(damaged)}: restore it from a copy, or {hint}"
    )


def folder_of_run(named: Path) -> Path:
    """The run's folder that is meant by ``named``, which is that folder itself or one of its checkpoints."""
    return named.parent if _is_checkpoint(named) else named


def _separate(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, contiguous, and no two in the same memory, which safetensors refuses."""
    separate: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        plain = tensor.detach().to("cpu").contiguous()
        pointer = plain.untyped_storage().data_ptr()
        separate[name] = plain.clone() if pointer in taken else plain
        taken.add(pointer)
    return separate


def _state_hash(step: object, state: object) -> str:
    return hashlib.sha256(json.dumps([step, state], allow_nan=False).encode()).hexdigest()


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
    every = _newest_first(folder)
    older = (
        path
        for path in every[every.index(newest) + 1 :]
        if path.stem != newest.name and _is_whole(path)
    )
    kept = (newest, next(older, None))
    for path in every:
        if path not in kept:
            _remove(path)


def _remove(path: Path) -> None:
    """Hidden first, so that no half-removed checkpoint is ever found.

    What cannot be removed now stays for later.
    """
    with contextlib.suppress(OSError):
        shutil.rmtree(path.rename(beside(path)), ignore_errors=True)


def _is_checkpoint(folder: Path) -> bool:
    return folder.is_dir() and any(
        (NAME.fullmatch(folder.name), *((folder / n).exists() for n in (TENSORS, STATE)))
    )


def _newest_first(folder: Path) -> list[Path]:
    found = [
        (match, path)
        for path in folder.iterdir()
        if (match := NAME.fullmatch(path.name)) and path.is_dir()
    ]
    return [
        path for match, path in sorted(found, key=lambda one: (-int(one[0][1]), one[0][2] or ""))
    ]


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(*DAMAGE, CheckpointError):
        _read_record(path)
        return True
    return False


def _read_record(path: Path) -> dict[str, Any]:
    """``state.json``, if both files are as they were saved.

    Raises DAMAGE, or CheckpointError for a later format.
    """
    record = json.loads(read_small(path / STATE, LONGEST_STATE))
    if (
        not isinstance(record, dict)
        or type(version := record.get("format")) is not int
        or version < 1
    ):
        raise ValueError(f"{STATE} is not of a checkpoint")
    if version > FORMAT:
        raise CheckpointError(
            f"{path} was written by a later trmsolve (format {version}): upgrade to resume from it"
        )
    if _state_hash(record.get("step"), record.get("state")) != record.get("state_sha256"):
        raise ValueError(f"{STATE} is not as it was saved")
    if (
        type(step := record.get("step")) is not int
        or step < 0
        or not isinstance(record.get("state"), dict)
    ):
        raise ValueError(f"{STATE} is not of a checkpoint")
    if _hash_of_tensors(path / TENSORS) != record.get("tensors_sha256"):
        raise ValueError(f"{TENSORS} is not as it was saved")
    return record


def _hash_of_tensors(path: Path) -> str:
    """The sha256 of a file of tensors.

    Raises DAMAGE for a file that is larger or smaller than its header says.

    So a file of any length is refused before it is read.
    """
    with open_file(path) as file:
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError):
            raise ValueError(f"{path.name} is not as it was saved") from None
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_tensors(path: Path) -> bytes:
    with open_file(path / TENSORS) as file:
        return file.read()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{Path(error.filename or '').name}: {error.strerror}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return f"{STATE} is no JSON"
    return str(error)
