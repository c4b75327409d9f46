"""Hostile pickles are refused before the loader fills memory with them; real checkpoints pass."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from tests.support.checkpoints import CONFIG, PREFIX, official_state
from trmsolve.cli import app
from trmsolve.errors import WeightsError
from trmsolve.weights.convert import Checkpoint
from trmsolve.weights.names import TABLE
from trmsolve.weights.pickle_check import DEEPEST, LONGEST_TEXT, MOST_INSTRUCTIONS, check_pickle

BEGIN = b"\x80\x02"
NONE = b"N"
STOP = b"."
MARK = b"("
REDUCE = b"R"
BUILD = b"b"
EMPTY_DICT = b"}"
EMPTY_LIST = b"]"
EMPTY_TUPLE = b")"
TUPLE1 = b"\x85"
TUPLE2 = b"\x86"
APPEND = b"a"
APPENDS = b"e"
SETITEM = b"s"
UNNEEDED = "which is not allowed in a checkpoint"


def text(content: str) -> bytes:
    encoded = content.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def put(place: int) -> bytes:
    return b"r" + struct.pack("<I", place)


def get(place: int) -> bytes:
    return b"j" + struct.pack("<I", place)


def listed(*values: bytes) -> bytes:
    """A whole pickle of a list."""
    return BEGIN + EMPTY_LIST + MARK + b"".join(values) + APPENDS + STOP


ORDERED = name("collections", "OrderedDict")
MANY_NONES = EMPTY_LIST + MARK + 20_000 * NONE + APPENDS
DOUBLING = NONE + put(1) + 60 * (get(1) + get(1) + TUPLE2 + put(1))
"""A tuple with itself twice inside, 60 times: 60 objects, which as a tree have 2**60 leaves."""

HOSTILE_PICKLES = {
    "bytearrays of a text": (
        listed(
            name("builtins", "bytearray"),
            put(1),
            text("a" * 60_000),
            put(2),
            text("latin-1"),
            put(3),
            *[get(1) + get(2) + get(3) + TUPLE2 + REDUCE] * 20_000,
        ),
        "the name builtins.bytearray",
    ),
    "copies of a list": (
        listed(ORDERED, put(1), MANY_NONES, put(2), *[get(1) + get(2) + TUPLE1 + REDUCE] * 10_000),
        "a call of collections.OrderedDict with unusual arguments",
    ),
    "sizes of a list": (
        listed(
            name("torch", "Size"),
            put(1),
            MANY_NONES,
            put(2),
            *[get(1) + get(2) + TUPLE1 + REDUCE] * 10_000,
        ),
        "a call of torch.Size with unusual arguments",
    ),
    "copied attributes": (
        listed(
            EMPTY_DICT
            + MARK
            + b"".join(b"J" + struct.pack("<I", k) + NONE for k in range(10_000))
            + b"u"
            + put(1),
            ORDERED,
            put(2),
            *[get(2) + EMPTY_TUPLE + REDUCE + get(1) + BUILD] * 900,
        ),
        "attributes that a state dict does not have",
    ),
    "attributes in place of methods": (
        listed(ORDERED + EMPTY_TUPLE + REDUCE + EMPTY_DICT + text("keys") + NONE + SETITEM + BUILD),
        "attributes that a state dict does not have",
    ),
    "counters": (
        listed(name("collections", "Counter"), text("a"), TUPLE1, REDUCE),
        "the name collections.Counter",
    ),
    "a hash without end": (
        BEGIN + DOUBLING + EMPTY_DICT + get(1) + NONE + SETITEM + STOP,
        "a key that is neither a text nor a number",
    ),
    "an error message without end": (
        BEGIN + DOUBLING + EMPTY_TUPLE + REDUCE + STOP,
        "a call of something that is not a function",
    ),
    "a storage whose name has no end": (
        BEGIN
        + DOUBLING
        + MARK
        + text("storage")
        + name("torch", "FloatStorage")
        + get(1)
        + text("cpu")
        + b"K\x01tQ"
        + STOP,
        "a reference that is not a storage",
    ),
    "a long text, often": (
        listed(text("a" * (LONGEST_TEXT + 1)), put(1), get(1) * 1000),
        "a text of 65537 characters",
    ),
    "many calls": (listed((ORDERED + EMPTY_TUPLE + REDUCE) * 3_000), "more than 1024 calls"),
    "many dicts": (
        listed(EMPTY_DICT * 900_000),
        f"a pickle of more than {MOST_INSTRUCTIONS} instructions",
    ),
    "many sets": (listed(b"\x8f" * 900_000), "the pickle instruction EMPTY_SET"),
    "deep tuples": (BEGIN + NONE + 50_000 * TUPLE1 + STOP, f"containers more than {DEEPEST} deep"),
    "deep lists": (
        BEGIN + 500 * EMPTY_LIST + 499 * APPEND + STOP,
        f"containers more than {DEEPEST} deep",
    ),
    "deep lists from outside": (
        BEGIN
        + EMPTY_LIST
        + put(0)
        + EMPTY_LIST
        + put(1)
        + APPEND
        + get(1)
        + EMPTY_LIST
        + APPEND
        + APPEND
        + STOP,
        "a container that changes after it was put into another one",
    ),
    "deep marks": (BEGIN + 90_000 * MARK + STOP, "marks more than 200 deep"),
    "a list in itself": (
        BEGIN + EMPTY_LIST + put(1) + get(1) + APPEND + STOP,
        "a container inside itself",
    ),
    "copies of the stack's top": (listed(NONE, b"2" * 90_000), "the pickle instruction DUP"),
    "a name of the system": (
        listed(name("os", "system"), text("true"), TUPLE1, REDUCE),
        "the name os.system",
    ),
    "leftovers": (BEGIN + 50_000 * EMPTY_DICT + STOP, "values outside its single object"),
    "another protocol": (
        pickle.dumps({"a": 1}, protocol=4),
        "a pickle with a protocol other than 2",
    ),
    "bytearray8": (BEGIN + b"\x96" + struct.pack("<Q", 1 << 40) + STOP, "its pickle is damaged"),
    "bytes8": (
        BEGIN + b"\x8e" + struct.pack("<Q", 4) + b"abcd" + STOP,
        "the pickle instruction BINBYTES8",
    ),
    "next buffer": (BEGIN + b"\x97" + STOP, "the pickle instruction NEXT_BUFFER"),
    "readonly buffer": (BEGIN + b"\x98" + STOP, "the pickle instruction READONLY_BUFFER"),
    "extension": (BEGIN + b"\x82\x01" + STOP, "the pickle instruction EXT1"),
    "inst": (BEGIN + MARK + b"ios\nsystem\n" + STOP, "the pickle instruction INST"),
    "obj": (BEGIN + MARK + ORDERED + b"o" + STOP, "the pickle instruction OBJ"),
    "newobj": (BEGIN + ORDERED + EMPTY_TUPLE + b"\x81" + STOP, "the pickle instruction NEWOBJ"),
    "an empty stack": (BEGIN + TUPLE2 + STOP, "its pickle is damaged"),
    "an empty memo": (BEGIN + get(7) + STOP, "its pickle is damaged"),
    "no marks": (BEGIN + EMPTY_LIST + APPENDS + STOP, "its pickle is damaged"),
    "no end": (BEGIN + NONE, "its pickle is damaged"),
}
"""Pickles written by hand, each with what its refusal says."""


@pytest.mark.parametrize("kind", HOSTILE_PICKLES)
def test_what_no_checkpoint_needs_is_refused_in_a_line(kind: str) -> None:
    payload, told = HOSTILE_PICKLES[kind]
    with pytest.raises(WeightsError) as caught:
        check_pickle(Path("step_1"), payload, 3)
    said = str(caught.value)
    assert said.startswith("step_1: ")
    assert told in said
    assert "\n" not in said
    assert UNNEEDED in said or "damaged" in told


# Memory.


def archive(path: Path, payload: bytes) -> Path:
    """A checkpoint file around the pickle, as ``torch.save`` lays it out."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", payload)
        file.writestr("archive/byteorder", "little")
        file.writestr("archive/version", "3\n")
    return path


def with_sizes(path: Path, stored: int | None = None, unpacked: int | None = None) -> Path:
    """The archive, whose directory says another size of its first entry."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    for offset, size in ((20, stored), (24, unpacked)):
        if size is not None:
            content[entry + offset : entry + offset + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


def hostile_files(folder: Path) -> dict[str, str]:
    """Files of at most a few megabytes, by path, each with what its refusal says."""
    told = {}
    for number, (payload, said) in enumerate(HOSTILE_PICKLES.values()):
        told[str(archive(folder / f"pickle-{number}", payload))] = said
    large = BEGIN + EMPTY_DICT * 3_000_000 + STOP
    told[str(archive(folder / "large", large))] = "has a pickle of over 1 MiB"
    told[str(with_sizes(archive(folder / "small", large), unpacked=10))] = (
        "has a pickle of over 1 MiB"
    )
    told[str(with_sizes(archive(folder / "smaller", large), stored=10, unpacked=10))] = "is damaged"
    claims = with_sizes(
        archive(folder / "claims", BEGIN + NONE + STOP), stored=2**31, unpacked=2**31
    )
    told[str(claims)] = "has a pickle of over 1 MiB"
    with zipfile.ZipFile(folder / "directory", "w") as file:
        for number in range(20_000):
            file.writestr(f"archive/data/{number}", b"")
    told[str(folder / "directory")] = "a part of it that should be small has over 1 MiB"
    with zipfile.ZipFile(archive(folder / "version", BEGIN + NONE + STOP), "a") as file:
        file.writestr("archive/more", bytes(2 << 20))
    told[str(folder / "version")] = "has a description of over 1 MiB"
    one = torch.tensor([[torch.nan]])
    torch.save(
        {**official_state(prefix=""), TABLE: one.expand(3_000_000, 32)}, folder / "stretched"
    )
    told[str(folder / "stretched")] = "tensors that share memory are not supported"
    return told


CHILD = """
import json, resource, sys
from pathlib import Path
from trmsolve.weights.convert import Checkpoint, convert
from trmsolve.errors import WeightsError

def in_use():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

usual, out, *hostile = sys.argv[1:]
convert(Checkpoint.open(Path(usual)), Path(out))  # all that is loaded once is loaded now
allowed = in_use() + 100 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = {}
for path in hostile:
    try:
        convert(Checkpoint.open(Path(path)), Path(out + ".hostile"))
    except WeightsError as error:
        said[path] = str(error)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"said": said, "grown": grown}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and the limit is one of Linux")
def test_a_refused_file_takes_less_than_100_mb(tmp_path: Path) -> None:
    usual = tmp_path / "step_1"
    torch.save(official_state(), usual)
    told = hostile_files(tmp_path)
    command = [sys.executable, "-c", CHILD, str(usual), str(tmp_path / "out.safetensors"), *told]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, env=one_thread, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for path, said in told.items():
        assert said in found["said"].get(path, "nothing"), path
    assert found["grown"] < 100 * 1024  # KiB
    assert not (tmp_path / "out.safetensors.hostile").exists()


# Archives.


def test_an_archive_with_two_pickles_or_a_name_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "step_1", BEGIN + NONE + STOP)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("other/data.pkl", BEGIN + NONE + STOP)
    with pytest.raises(WeightsError, match=r"it does not contain exactly one data\.pkl"):
        Checkpoint.open(path)
    path = archive(tmp_path / "step_2", BEGIN + NONE + STOP)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("archive/version", "4\n")
    with pytest.raises(WeightsError, match="have the same name"):
        Checkpoint.open(path)


def test_an_archive_that_begins_with_another_is_refused(tmp_path: Path) -> None:
    """Readers differ in which of the two they take."""
    usual = io.BytesIO()
    torch.save(official_state(), usual)
    path = tmp_path / "step_1"
    path.write_bytes(
        archive(tmp_path / "first", BEGIN + NONE + STOP).read_bytes() + usual.getvalue()
    )
    with pytest.raises(WeightsError, match="there is other data before its first part"):
        Checkpoint.open(path)


# What passes.


def pickle_of(content: object) -> tuple[bytes, int]:
    """The pickle that ``torch.save`` writes, and how many records are in the file."""
    stream = io.BytesIO()
    torch.save(content, stream)
    with zipfile.ZipFile(stream) as file:
        (inside,) = [entry for entry in file.namelist() if entry.endswith("/data.pkl")]
        return file.read(inside), len(file.namelist())


def trained() -> dict[str, Any]:
    """What a trainer may save: networks, an optimizer, a schedule, settings, a random state."""
    network = nn.Sequential(*[nn.Linear(4, 4) for _ in range(60)])
    optimizer = torch.optim.AdamW(network.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    network(torch.zeros(1, 4)).sum().backward()
    optimizer.step()
    settings = {
        "sizes": [1, 2, (3, 4)],
        "shape": torch.Size([1, 2]),
        "dtype": torch.bfloat16,
        "note": "x" * 1000,
    }
    return {
        "model": network.state_dict(),
        "ema": dict(network.named_parameters()),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "config": settings,
        "rng": torch.get_rng_state(),
        "step": 2**70,
        "lr": 1e-3,
        "best": None,
        "done": False,
        3: (),
        "nested": [[[{}]]],
    }


def test_what_trainers_save_passes() -> None:
    for content in (
        official_state(),
        trained(),
        {},
        [],
        {f"tensor {k}": torch.zeros(1) for k in range(1500)},
    ):
        check_pickle(Path("step_1"), *pickle_of(content))
    with pytest.raises(WeightsError, match=UNNEEDED):
        check_pickle(Path("step_1"), *pickle_of({"counts": Counter([1])}))


def test_the_state_of_a_module_is_read_to_the_bit(tmp_path: Path) -> None:
    """With its versions as an attribute, with parameters, and with tensors that are views."""
    state = official_state()
    whole = torch.arange(64.0).reshape(2, 32)
    views: dict[str, Tensor] = {
        **state,
        "_orig_mod.model.inner.H_init": whole[1],
        "_orig_mod.model.inner.L_init": whole[0],
    }
    ordered = nn.Module().state_dict()
    ordered.update(views)
    parameters = {key: nn.Parameter(value) for key, value in state.items()}
    for number, content in enumerate((ordered, parameters)):
        path = tmp_path / f"step_{number}"
        torch.save(content, path)
        opened = Checkpoint.open(path)
        assert opened.config == CONFIG
        for key, value in content.items():
            stored = opened.tensors[key.removeprefix(PREFIX)]
            assert torch.equal(stored, value)
            assert stored.dtype == value.dtype


def test_the_command_leaves_with_code_3_and_one_line(tmp_path: Path) -> None:
    path = archive(tmp_path / "step_1", HOSTILE_PICKLES["bytearrays of a text"][0])
    done = CliRunner().invoke(app, ["weights", "convert", str(path)])
    assert done.exit_code == 3
    assert done.stdout == ""
    *_, last = done.stderr.splitlines()
    assert last == f"trmsolve: {path}: it contains the name builtins.bytearray, {UNNEEDED}"
    assert [one.name for one in tmp_path.iterdir()] == ["step_1"]
