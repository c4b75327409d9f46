"""Checkpoints of the public code made into weights: the only place that opens a pickle, and of it no code is ever run.

Shapes tell most of the architecture. What they cannot tell (how often the network is applied,
whether its tokens are rotated) stands in a settings file beside the checkpoint, or is said by who
converts, or is as the paper has it for puzzles of that vocabulary. A file stays on the disk,
however large its table of puzzles.

Knows these files and the model; nothing of which row of a table belongs to which task, and of no
rules.
"""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml  # type: ignore[import-untyped]
from safetensors import safe_open
from torch import Tensor
from torch._C import PyTorchFileReader  # what torch.load itself reads with

from trmsolve.errors import UsageError, WeightsError
from trmsolve.files import read_small, reason, sha256
from trmsolve.model.config import POSITIONS, TRMConfig
from trmsolve.puzzles import task_forms
from trmsolve.weights.file import TABLE, WeightsInfo, fitting_names, save_weights, strip_prefixes
from trmsolve.weights.header import in_a_line, read_header
from trmsolve.weights.kind import begins_as_safetensors, check_kind, read_head
from trmsolve.weights.limits import check_bounds, check_size, expected_shapes
from trmsolve.weights.pickle_check import check_pickle
from trmsolve.weights.tensors import DTYPES

PREFIX_LEN = 16
SETTINGS = ("all_config.yaml", "config.json")
"""What the public code and those who publish its checkpoints put beside them."""

TABLES = ("keep", "mean", "drop")
"""What may become of the table of puzzles: all rows, their average alone, or a single row of zeros."""

ROWS_AT_A_TIME = 1 << 14
LONGEST_PART = 1 << 20
"""Bytes of each part of a checkpoint that is read as a whole, at most.

These parts are the pickle, which names the tensors, and the directory of the zip. Both have some
kilobytes.
"""

PICKLE = "data.pkl"

MOST_EVENTS = 10_000
DEEPEST_SETTINGS = 50
LONGEST_SETTING = 10_000
"""Of a settings file in YAML: values and brackets, how many are inside each other, characters of one value."""


class _Kind(NamedTuple):
    """What the paper's networks for a vocabulary have in common."""

    task: str
    seq_len: int
    latent_steps: int


ARC_TOKENS, ARC_KIND = 12, _Kind("arc", 900, 4)


def _kinds() -> dict[int, _Kind]:
    """By the size of the vocabulary: the paper's network of each task that it has one for."""
    kinds = {
        form.vocab_size: _Kind(form.name, form.seq_len, form.paper_latent_steps)
        for form in task_forms()
        if form.paper_latent_steps is not None
    }
    return {**kinds, ARC_TOKENS: ARC_KIND}


@dataclass(frozen=True)
class Said:
    """What is known of an architecture beside its shapes; None where nobody said.

    Wins over the settings file.
    """

    recursions: int | None = None  # T
    latent_steps: int | None = None  # n
    positions: str | None = None
    num_heads: int | None = None

    def to_fields(self) -> dict[str, Any]:
        """Those of the config that were said."""
        return {
            name: value
            for field in fields(self)
            if (value := getattr(self, name := field.name)) is not None
        }


@dataclass(frozen=True)
class Checkpoint:
    """An open checkpoint: its task, its architecture, and its tensors by their names without prefixes, on the disk.

    ``assumed`` are the fields of the config that nothing and nobody told, so that the paper's stand
    in.
    """

    path: Path
    task: str
    config: TRMConfig
    tensors: dict[str, Tensor]
    assumed: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        path: Path,
        task: str | None = None,
        said: Said = Said(),
        part: str | None = None,
        *,
        allow_large: bool = False,
    ) -> "Checkpoint":
        """Read all but the tensors' values. Raises WeightsError saying what is wrong with the file.

        ``part`` names one of several networks in a file, such as the average beside the raw one.
        Files over 512 MiB are refused unless ``allow_large``.
        """
        check_kind(path)
        check_size(path, allow_large=allow_large)
        if part is not None and not is_pickled(path):
            raise UsageError(f"{path} holds a single network: leave --part out")
        stored = _stripped(
            path, _read_pickled(path, part) if is_pickled(path) else _read_safetensors(path)
        )
        shapes = {name: tuple(tensor.shape) for name, tensor in stored.items()}
        settings = _settings(path)
        try:
            found, config, assumed = _infer(shapes, settings, said)
        except (ValueError, TypeError) as error:
            raise WeightsError(
                f"{path} is no checkpoint of a Tiny Recursive Model: {error}"
            ) from None
        if task is not None and found != task:
            raise WeightsError(
                f"{path} was trained for {found}, not for {task}: it has {config.vocab_size} tokens"
            )
        check_bounds(path, config, allow_large=allow_large)
        fitting_names(path, shapes, expected_shapes(config))
        return cls(path, found, config, stored, assumed)


def convert(
    checkpoint: Checkpoint, out: Path, *, table: str = "keep", dtype: torch.dtype | None = None
) -> WeightsInfo:
    """Write an open checkpoint as safetensors with its own description.

    Returns what the new file says of itself.

    Values are kept to the bit, or rounded to ``dtype``. Of the ``table`` of puzzles one of
    ``TABLES`` is kept: a single row is what a task that the network does not know begins with.
    Raises UsageError if ``out`` exists, WeightsError if values are not finite; either way nothing
    is written.
    """
    if out.exists():
        raise UsageError(f"{out} exists: name another file with --out")
    tensors, config = dict(checkpoint.tensors), checkpoint.config
    if table not in TABLES:
        raise UsageError(f"--table {table} is not known: use {', '.join(TABLES)}")
    if table != "keep":
        if TABLE not in tensors:
            raise UsageError(f"{checkpoint.path} has no table of puzzles: leave --table out")
        rows = tensors[TABLE]
        tensors[TABLE] = mean_row(rows) if table == "mean" else torch.zeros_like(rows[:1])
        config = replace(config, num_puzzles=1)
    training = {
        "converted_from": checkpoint.path.name,
        "sha256": sha256(checkpoint.path),
        "assumed": list(checkpoint.assumed),
        **({"table": table, "rows": checkpoint.config.num_puzzles} if TABLE in tensors else {}),
    }
    info = WeightsInfo(config, checkpoint.task, training)
    save_weights(out, tensors, info, dtype)
    return info


def mean_row(table: Tensor) -> Tensor:
    """(N, E) -> (1, E): the average row, summed in float64 and part by part, as the table may be larger than memory."""
    total = sum(part.double().sum(0) for part in table.split(ROWS_AT_A_TIME))
    assert isinstance(total, Tensor)
    return (total / len(table)).to(table.dtype)[None]


def is_pickled(path: Path) -> bool:
    """Whether the file is a zip, as torch has pickled since 2020."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that has no pickle in it, only no description either."""
    if not begins_as_safetensors(read_head(path)):
        raise WeightsError(
            f"{path} is neither safetensors nor a zip, as checkpoints of torch are: save it anew with a later torch"
        )
    if (
        "trmsolve.config" in read_header(path).metadata
    ):  # no name stands twice, and all else that is looked for there
        raise WeightsError(f"{path} is converted already: trmsolve reads it as it is")
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no dict)


class _ShortReads(io.FileIO):
    """A file of which nobody reads much at a time: ``zipfile`` believes the sizes that an archive claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As usual. Raises BadZipFile where that would be more than ``LONGEST_PART``."""
        asked = LONGEST_PART + 1 if size is None or size < 0 else size
        data = super().read(asked) if asked <= LONGEST_PART + 1 else None
        if data is None or len(data) > LONGEST_PART:
            raise zipfile.BadZipFile(
                f"a part of it that should be short has over {LONGEST_PART >> 20} MiB"
            )
        return data


def _check_zip(path: Path) -> None:
    """Raise WeightsError for a zip that torch has not written so, before anything of it is unpacked or built.

    The loader maps the file as it lies. It neither compares the zip's own checksums nor minds how
    large a small file becomes.
    """
    try:
        with _ShortReads(path) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_entries(path, entries)
            if (damaged := archive.testzip()) is not None:
                raise WeightsError(
                    f"{path} is damaged: {damaged!r} in it is not what its checksum says"
                )
            (pickled,) = [entry for entry in entries if _is_pickle(entry)]
            payload = archive.read(pickled)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise WeightsError(
            f"{path} is no plain state dict that is safe to read: {in_a_line(error)}"
        ) from None
    check_pickle(path, payload, len(entries))
    try:
        same = PyTorchFileReader(str(path)).get_record(PICKLE) == payload
    except (RuntimeError, ValueError):
        same = False
    if not same:
        raise WeightsError(
            f"{path} is no plain state dict that is safe to read: its directory is ambiguous"
        )


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise WeightsError for an archive whose directory says that torch has not written it."""
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise WeightsError(
            f"{path} is compressed inside, as torch.save does not: save it anew with that"
        )
    if sum(_is_pickle(entry) for entry in entries) != 1:
        raise WeightsError(f"{path} is no checkpoint of torch: it has not one {PICKLE} inside")
    for entry in entries:
        if max(entry.file_size, entry.compress_size) > LONGEST_PART and not _is_storage(entry):
            what = "a pickle" if _is_pickle(entry) else "a description"
            raise WeightsError(
                f"{path} has {what} of over {LONGEST_PART >> 20} MiB: it is no plain state dict"
            )
    claimed = sum(max(entry.file_size, entry.compress_size) for entry in entries)
    if claimed > path.stat().st_size or len({entry.filename for entry in entries}) < len(entries):
        raise WeightsError(
            f"{path} is no checkpoint of torch: parts of it overlap or have the same name"
        )
    if min(entry.header_offset for entry in entries) != 0:
        raise WeightsError(
            f"{path} is no checkpoint of torch: something stands before its first part"
        )


def _is_pickle(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.rpartition("/")[2] == PICKLE


def _is_storage(entry: zipfile.ZipInfo) -> bool:
    """Whether it is the values of a tensor, which are mapped and not read."""
    return re.fullmatch(r"[^/]+/data/[0-9]+", entry.filename) is not None


def _read_pickled(path: Path, part: str | None) -> dict[str, Tensor]:
    _check_zip(path)
    try:
        stored = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # a damaged pickle may fail in any way
        first = str(error).partition("\n")[0].partition(". ")[0]
        raise WeightsError(f"{path} is no plain state dict that is safe to read: {first}") from None
    if not isinstance(stored, dict) or not stored:
        raise WeightsError(f"{path} is no state dict: it holds no tensors by name")
    tensors = _network(path, stored, part)
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise WeightsError(f"{path} is no flat state dict: {name!r} is no tensor")
        if (
            tensor.layout != torch.strided
            or tensor.device.type != "cpu"
            or tensor.dtype not in DTYPES
        ):
            raise WeightsError(f"{path}: {name} has values that are not plain floating numbers")
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > path.stat().st_size:  # a step of zero makes a large tensor of one number
        raise WeightsError(
            f"{path}: its tensors have {claimed} bytes, more than the file: they share their values"
        )
    return {name: tensor.detach() for name, tensor in tensors.items()}


def _network(path: Path, stored: dict[Any, Any], part: str | None) -> dict[Any, Any]:
    """The file itself, or the one network in it, or the one that is asked for: some keep an average beside the raw."""
    networks = {
        name: value
        for name, value in stored.items()
        if isinstance(value, Mapping) and _is_network(value)
    }
    if part is not None:
        if part not in networks:
            there = (
                f"there is {', '.join(map(str, networks))}" if networks else "it holds a single one"
            )
            raise WeightsError(f"{path} holds no network called {part}: {there}")
        return dict(networks[part])
    if len(networks) > 1:
        raise WeightsError(
            f"{path} holds several networks: choose {' or '.join(map(str, networks))} with --part"
        )
    return dict(*networks.values()) if networks else stored


def _is_network(value: Mapping[Any, Any]) -> bool:
    return any(
        isinstance(name, str) and name.endswith("embed_tokens.embedding_weight") for name in value
    )


def _stripped(path: Path, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under their official names. Raises WeightsError if two have the same."""
    names = {name: strip_prefixes(name) for name in stored}
    if len(set(names.values())) < len(names):
        raise WeightsError(f"{path} holds a tensor twice, under two prefixes")
    return {names[name]: tensor for name, tensor in stored.items()}


def _settings(path: Path) -> dict[str, Any]:
    """The architecture's fields in the first settings file beside the checkpoint; nothing where there is none."""
    for name in SETTINGS:
        beside = path.with_name(name)
        try:
            text = read_small(beside).decode("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise WeightsError(f"{beside} cannot be read: {reason(error)}") from None
        try:
            found = json.loads(text) if beside.suffix == ".json" else _plain_yaml(text)
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            raise WeightsError(f"{beside} is damaged: {' '.join(str(error).split())}") from None
        found = found.get("arch", found) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise WeightsError(
                f"{beside} holds no settings: move it away, and the paper's are taken"
            )
        return found
    return {}


def _plain_yaml(text: str) -> Any:
    """The value of a YAML text that is as simple as settings are, which bounds time and memory.

    Raises YAMLError or ValueError.
    """
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if count >= MOST_EVENTS or depth > DEEPEST_SETTINGS:
            raise ValueError("it has more values, or deeper ones, than settings have")
        if isinstance(
            event, yaml.AliasEvent
        ):  # merged again and again, a short text becomes a large value
            raise ValueError("it repeats a part of itself with *: write that part out")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_SETTING:
            raise ValueError(f"a value in it has more than {LONGEST_SETTING} characters")
    return yaml.safe_load(text)


def _infer(
    shapes: Mapping[str, tuple[int, ...]], settings: Mapping[str, Any], said: Said
) -> tuple[str, TRMConfig, tuple[str, ...]]:
    """Task, architecture, and what of it is assumed.

    Raises ValueError or TypeError where it makes no sense.
    """

    def side(name: str, axis: int) -> int:
        if len(shapes.get(name, ())) != 2:
            raise ValueError(f"it has no matrix {name}")
        return shapes[name][axis]

    vocabulary, hidden_size = (side("embed_tokens.embedding_weight", axis) for axis in (0, 1))
    kinds = _kinds()
    if vocabulary not in kinds:
        known = ", ".join(f"{tokens} ({kind.task})" for tokens, kind in kinds.items())
        raise ValueError(f"it has {vocabulary} tokens, and known are {known}")
    kind, embedded, prefix_len = kinds[vocabulary], side(TABLE, 1) if TABLE in shapes else 0, 0
    if embedded:
        prefix_len = settings.get("puzzle_emb_len", PREFIX_LEN) or -(-embedded // hidden_size)
    linear, learned = (
        "L_level.layers.0.mlp_t.gate_up_proj.weight" in shapes,
        "embed_pos.embedding_weight" in shapes,
    )
    seq_len = kind.seq_len
    if linear:
        seq_len = side("L_level.layers.0.mlp_t.gate_up_proj.weight", 1) - prefix_len
    elif learned:
        seq_len = side("embed_pos.embedding_weight", 0) - prefix_len
    encoded = settings.get("pos_encodings", "rope")
    if encoded not in POSITIONS or (encoded == "learned") > (learned or linear):
        raise ValueError(f"pos_encodings {encoded!r} beside it do not go with what is in it")
    turned = not linear and encoded == "rope"
    config = TRMConfig(
        vocab_size=vocabulary,
        seq_len=seq_len,
        hidden_size=hidden_size,
        layers=len(
            {
                match[1]
                for name in shapes
                if (match := re.match(r"L_level\.layers\.([0-9]+)\.", name))
            }
        ),
        recursions=settings.get("H_cycles", 3),
        latent_steps=settings.get("L_cycles", kind.latent_steps),
        mixer="mlp" if linear else "attention",
        positions="learned" if learned else "rope" if turned else "none",
        num_heads=said.num_heads or settings.get("num_heads", 8),
        expansion=settings.get("expansion")
        or _expansion(side("L_level.layers.0.mlp.down_proj.weight", 1), hidden_size),
        puzzle_emb_dim=embedded,
        prefix_len=prefix_len,
        num_puzzles=side(TABLE, 0) if embedded else 1,
        rms_norm_eps=settings.get("rms_norm_eps", 1e-5),
        rope_theta=settings.get("rope_theta", 10000.0),
    )
    if said.num_heads is not None and linear:
        raise ValueError("it has no attention, and so no heads")
    if said.positions is not None and linear | learned and said.positions != config.positions:
        raise ValueError(
            f"its shapes tell that its positions are {config.positions}, not {said.positions}"
        )
    hidden = {"recursions": "H_cycles", "latent_steps": "L_cycles"}
    if not linear:
        hidden |= {"num_heads": "num_heads", **({} if learned else {"positions": "pos_encodings"})}
    told = said.to_fields()
    assumed = tuple(
        name for name, setting in hidden.items() if name not in told and setting not in settings
    )
    return kind.task, replace(config, **told), assumed


def _expansion(inner: int, hidden_size: int) -> float:
    """The paper's 4, unless the width inside a feed-forward tells another: two thirds of it, in whole 256s."""
    usual = 4.0
    return (
        usual
        if inner == -(-round(usual * hidden_size * 2 / 3) // 256) * 256
        else 1.5 * inner / hidden_size
    )
