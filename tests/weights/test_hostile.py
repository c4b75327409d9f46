"""Files that are damaged, forged or something else give one line that names file and cause."""

import gzip
import io
import json
import os
import pickle
import random
import socket
import struct
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.torch import save_file
from typer.testing import CliRunner

from trmsolve.cli import app
from trmsolve.errors import WeightsError
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import RECIPES
from trmsolve.weights import described, limits
from trmsolve.weights import header as header_module
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import check_whole, load_model, read_info, record_score, save_weights
from trmsolve.weights.header import SIZES, read_header, strict_json
from trmsolve.weights.info import CHECKSUM, WeightsInfo
from trmsolve.weights.kind import LONGEST_HEADER
from trmsolve.weights.limits import (
    LARGEST,
    MOST_MEMORY,
    MOST_PARAMETERS,
    expected_shapes,
    memory_at_work,
)

CPU = torch.device("cpu")
CONFIG = TRMConfig(
    vocab_size=3,
    seq_len=4,
    hidden_size=4,
    num_heads=1,
    layers=1,
    recursions=1,
    latent_steps=1,
    inner_multiple=4,
    expansion=1.0,
    positions="none",
)
INFO = WeightsInfo(CONFIG, "sudoku", {"steps": 3}, {"exact": 0.5})
EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"


def load(path: Path, **named: Any) -> TinyRecursiveModel:
    return load_model(path, "sudoku", torch.float32, CPU, **named)


def refused(path: Path, message: str | None = None, **named: Any) -> str:
    """What is said of a file that does not load: one line that names it."""
    with pytest.raises(WeightsError, match=message) as caught:
        load(path, **named)
    said = str(caught.value)
    assert str(path) in said
    assert len(said.splitlines()) == 1
    assert said.isprintable()
    assert len(said) < 600
    assert caught.value.exit_code == 3
    return said


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("whole") / "w.safetensors"
    save_weights(path, TinyRecursiveModel(CONFIG).state_dict(), INFO)
    return path.read_bytes()


@pytest.fixture
def weights(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    return path


def damaged(content: bytes, n: int) -> Iterator[bytes]:
    """``n`` files, each with one to three bytes that are not what they were."""
    draw = random.Random(0)
    for _ in range(n):
        changed = bytearray(content)
        for place in draw.sample(range(len(content)), draw.randint(1, 3)):
            changed[place] ^= draw.choice([1 << draw.randrange(8), draw.randrange(1, 256)])
        yield bytes(changed)


def changed_in_length(content: bytes, n: int) -> Iterator[bytes]:
    """Every beginning of the file, and ``n`` times the file with bytes added or removed."""
    yield from (content[:end] for end in range(len(content)))
    draw = random.Random(1)
    for _ in range(n):
        at = draw.randrange(len(content) + 1)
        length = draw.randrange(1, 9)
        yield content[:at] + draw.randbytes(length) + content[at:]
        yield content[:at] + content[at:][:length] + content[at:]
        if at < len(content):
            yield content[:at] + content[at + length :]


def loads_as_it_was_or_not_at_all(
    path: Path, original: TinyRecursiveModel, files: Iterator[bytes]
) -> int:
    """How many of the files load; each of those is the original."""
    loaded = 0
    with path.open("r+b", buffering=0) as file:
        for content in files:
            file.seek(0)
            file.write(content)
            file.truncate()
            try:
                model = load(path)
            except WeightsError as error:
                assert str(path) in str(error)
                assert len(str(error).splitlines()) == 1
                continue
            loaded += 1
            info = read_info(path)
            assert model.config == CONFIG
            assert info == INFO
            assert info.checksum is not None
            assert all(
                torch.equal(tensor, original.state_dict()[name])
                for name, tensor in model.state_dict().items()
            )
    return loaded


@pytest.mark.slow
def test_flipped_bytes_are_noticed_wherever_they_are(weights: Path, content: bytes) -> None:
    n = 5000
    loaded = loads_as_it_was_or_not_at_all(weights, load(weights), damaged(content, n))
    assert loaded < n / 100  # such as a blank at the end of the header that became another


def test_files_that_are_cut_off_or_grown_are_noticed(weights: Path, content: bytes) -> None:
    original = load(weights)
    assert len(content) < 4096
    assert loads_as_it_was_or_not_at_all(weights, original, changed_in_length(content, 500)) < 10


def test_each_bit_of_the_values_counts(weights: Path, content: bytes) -> None:
    begin = read_header(weights).begin
    for place in range(begin, len(content), 13):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            weights.write_bytes(changed)
            refused(weights, "not finite|does not match its checksum")


# A file's parts, made by hand


def entry(
    begin: int, end: int, shape: Any = (1,), dtype: Any = "F32", **more: Any
) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def by_hand(path: Path, header: dict[str, Any] | bytes, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def tensor(text: str) -> bytes:
    return b'{"a":{' + text.encode() + b"}}"


ONE = '"dtype":"F32","shape":[1],"data_offsets":[0,4]'
FOUR = bytes(4)
EIGHT = bytes(8)


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (
            {"a": entry(0, 4), "b": entry(0, 4)},
            FOUR,
            "b does not begin where",
        ),
        ({"a": entry(0, 8, [2]), "b": entry(4, 8)}, EIGHT, "b does not begin where"),
        ({"a": entry(0, 4), "b": entry(8, 12)}, bytes(12), "b does not begin where"),
        ({"a": entry(4, 8)}, EIGHT, "a does not begin where"),
        ({"a": entry(4, 0)}, b"", "a does not begin where"),
        ({"a": entry(0, 4)}, EIGHT, "4 bytes follow its last tensor"),
        ({"a": entry(0, 4)}, FOUR[:3], r"it is truncated: it has \d+ of \d+ bytes"),
        ({"a": entry(0, 400, [100])}, FOUR, "it is truncated"),
        ({"a": entry(0, 2**62, [2**60])}, FOUR, "it is truncated"),
        ({"a": entry(0, 8)}, EIGHT, "the shape of a does not fit its bytes"),
        ({"a": entry(0, 0, [2**62, 4])}, b"", "the shape of a does not fit its bytes"),
        ({"a": entry(-4, 4)}, EIGHT, "a has no offsets"),
        ({"a": entry(0, 2**70)}, EIGHT, "a has no offsets"),
        ({"a": {**entry(0, 4), "data_offsets": [0, 4, 8]}}, EIGHT, "a has no offsets"),
        ({"a": {**entry(0, 4), "data_offsets": 4}}, EIGHT, "a has no offsets"),
        ({"a": entry(0, 4, [1.0])}, FOUR, "a has no shape"),
        ({"a": entry(0, 4, [True])}, FOUR, "a has no shape"),
        ({"a": entry(0, 4, [1] * 100)}, FOUR, "a has no shape"),
        ({"a": entry(0, 4, None)}, FOUR, "a has no shape"),
        ({"a": entry(0, 4, dtype="F31")}, FOUR, "a has the unknown dtype F31"),
        ({"a": entry(0, 4, dtype="F\n1")}, FOUR, "a has no dtype"),
        ({"a": entry(0, 4, dtype=3)}, FOUR, "a has no dtype"),
        ({"a": entry(0, 4, extra=1)}, FOUR, "its entry for a is not a dtype, a shape and offsets"),
        ({"a": {"dtype": "F32"}}, FOUR, "its entry for a is not"),
        ({"a": []}, FOUR, "its entry for a is not"),
        ({"a\nb": entry(0, 4)}, FOUR, r"'a\\nb' is not a valid name"),
        ({"\x1b[2J": entry(0, 4)}, FOUR, "is not a valid name"),
        ({"": entry(0, 4)}, FOUR, "'' is not a valid name"),
        ({"a" * 300: entry(0, 4)}, FOUR, "is not a valid name"),
        ({}, b"", "it contains no tensors"),
        ({"__metadata__": {"format": "pt"}}, b"", "it contains no tensors"),
        (
            {"__metadata__": {"format": 1}, "a": entry(0, 4)},
            FOUR,
            "its metadata is not a map of names to strings",
        ),
        (
            {"__metadata__": None, "a": entry(0, 4)},
            FOUR,
            "its metadata is not a map of names to strings",
        ),
        ({"__metadata__": {"a": "b"}, "a": entry(0, 4)}, FOUR, r"it has no trmsolve\.config"),
        (b"[1]", FOUR, "its header is not a JSON object"),
        (b" " + tensor(ONE), FOUR, "its header is not a JSON object"),
        (tensor(ONE) + b"\0", FOUR, "Extra data"),
        (tensor(ONE) + b"{}", FOUR, "Extra data"),
        (tensor(ONE)[:-1], FOUR, "delimiter"),
        (b'{"a":' * 30_000, FOUR, "recursion"),
        (b'{"\xff":1}', FOUR, "'utf-8' codec"),
        (b"{" + tensor(ONE)[1:-1] + b"," + tensor(ONE)[1:], FOUR, "'a' appears twice in it"),
        (tensor(ONE + ',"dtype":"F32"'), FOUR, "'dtype' appears twice in it"),
        (b'{"__metadata__":{"a":"1","a":"1"},' + tensor(ONE)[1:], FOUR, "'a' appears twice in it"),
        (
            b'{"__metadata__":{},"__metadata__":{},' + tensor(ONE)[1:],
            FOUR,
            "'__metadata__' appears twice",
        ),
        (b'{"a":NaN}', FOUR, "NaN is not an allowed number"),
    ],
)
def test_headers_that_are_ambiguous_or_do_not_fit_the_file(
    tmp_path: Path, header: dict[str, Any] | bytes, data: bytes, message: str
) -> None:
    refused(by_hand(tmp_path / "w.safetensors", header, data), f"not usable as weights.*{message}")


@pytest.mark.parametrize(("dtype", "size"), SIZES.items())
def test_values_are_as_long_as_safetensors_says(tmp_path: Path, dtype: str, size: int) -> None:
    whole = by_hand(tmp_path / "w.safetensors", {"a": entry(0, size, dtype=dtype)}, bytes(size))
    assert [name for name, _ in deserialize(whole.read_bytes())] == ["a"]
    assert read_header(whole).shapes == {"a": (1,)}


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (b"\x02", "it has 1 bytes, too few for"),
        (
            struct.pack("<Q", 2**63 + 1),
            "its header claims 9223372036854775809 bytes, more than the 1048576 allowed",
        ),
        (
            struct.pack("<Q", LONGEST_HEADER + 1) + b"{}",
            f"its header claims {LONGEST_HEADER + 1} bytes, more than",
        ),
        (
            struct.pack("<Q", LONGEST_HEADER) + b"{}",
            r"truncated: its header claims \d+ bytes, but the file has 10",
        ),
        (struct.pack("<Q", 0), "its header is not a JSON object"),
        (struct.pack("<Q", 0) + b"{}", "its header is not a JSON object"),
    ],
)
def test_lengths_of_headers_that_cannot_be(tmp_path: Path, begin: bytes, message: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(begin)
    refused(path, message)


@pytest.mark.parametrize("length", [0x0280, 0x0380, 0x0480, 0x0588, 0x8B1F])
def test_weights_whose_length_looks_like_another_format_load(tmp_path: Path, length: int) -> None:
    """The first bytes of a pickle or of gzip, as the header happens to be so long."""
    config = replace(CONFIG, mixer="conv", board=(2, 2, 1, 1))
    metadata = {"trmsolve.config": json.dumps(config.to_dict()), "trmsolve.task": "sudoku"}
    header: dict[str, Any] = {}
    end = 0
    tensors = TinyRecursiveModel(config).state_dict()
    for name, one in tensors.items():
        begin = end
        end = end + 4 * one.numel()
        header[name] = entry(begin, end, list(one.shape))
    data = b"".join(one.numpy().tobytes() for one in tensors.values())
    text = json.dumps({"__metadata__": metadata, **header}, separators=(",", ":")).encode()
    if len(text) > length:
        length += 1 << 16  # the same two bytes come first
    path = by_hand(tmp_path / "w.safetensors", text.ljust(length), data)
    assert read_info(path).config == load(path).config == config


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**66) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=6,
)
ENTRIES = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "BF16", "F64", "I8", "F4", "BOOL", "C64", "F31"]),
        "shape": st.lists(st.integers(0, 4), max_size=3),
        "data_offsets": st.lists(st.integers(0, 24), min_size=2, max_size=2),
    }
)
HEADERS = st.dictionaries(
    st.sampled_from(["a", "b", "__metadata__"]) | st.text(max_size=3), ENTRIES | JSON_VALUES
)


@settings(max_examples=150, deadline=None)
@given(header=HEADERS, data=st.binary(max_size=24), blanks=st.integers(0, 8))
def test_any_header_is_refused_or_read_as_safetensors_does(
    tmp_path_factory: pytest.TempPathFactory, header: dict[str, Any], data: bytes, blanks: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    by_hand(path, json.dumps(header).encode() + b" " * blanks, data)
    try:
        with safe_open(path, framework="pt") as file:
            theirs: dict[str, str] | None = file.metadata() or {}
    except SafetensorError:
        theirs = None
    try:
        ours: dict[str, str] | None = read_header(path).metadata
    except WeightsError as error:
        assert str(error).isprintable()
        ours = None
    assert ours is None or ours == theirs
    with pytest.raises(WeightsError):
        load(path)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=64), length=st.none() | st.integers(0, 64))
def test_any_bytes_are_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, length: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.safetensors"
    path.write_bytes(content if length is None else struct.pack("<Q", length) + b"{" + content)
    refused(path)


# What the metadata say


def with_metadata(path: Path, changes: dict[str, str | None]) -> Path:
    """Whole weights whose metadata, without a checksum, are other ones."""
    metadata = {**INFO.to_metadata(), **changes}
    save_file(
        TinyRecursiveModel(CONFIG).state_dict(),
        path,
        {key: text for key, text in metadata.items() if text is not None},
    )
    return path


def config_text(**changes: Any) -> str:
    return json.dumps({**CONFIG.to_dict(), **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"trmsolve.config": '{"vocab_size": 3, "vocab_size": 3, "seq_len": 4}'},
            "'vocab_size' appears twice",
        ),
        (
            {"trmsolve.config": config_text(rope_theta=float("inf"))},
            "Infinity is not an allowed number",
        ),
        (
            {"trmsolve.config": config_text(damping=0.5).replace("0.5", "1e999")},
            "1e999 is too large a number",
        ),
        (
            {"trmsolve.config": config_text(hidden_size=0).replace(": 0,", f": {'9' * 5000},")},
            "digits",
        ),
        ({"trmsolve.config": config_text(mixer="x" * 5000)}, "mixer must be one of"),
        ({"trmsolve.config": config_text(board=[2, 2, 0, 1])}, "board must be four whole numbers"),
        (
            {"trmsolve.config": config_text(board=[2, 2, "\n", 1])},
            "board must be four whole numbers",
        ),
        ({"trmsolve.config": config_text(**{"a\x1b": 1})}, "unknown config field"),
        ({"trmsolve.training": '{"a": {"b": 1, "b": 2}}'}, "'b' appears twice"),
        ({"trmsolve.training": "[]"}, r"trmsolve\.training is not an object"),
        ({"trmsolve.scores": '{"exact": NaN}'}, "NaN is not an allowed number"),
        ({"trmsolve.scores": "{"}, "Expecting property name"),
        ({"trmsolve.task": "sudoku\nall is well"}, "is not a task"),
        ({"trmsolve.task": "\x1b[2J"}, "is not a task"),
        ({"trmsolve.task": None}, "was trained for an unnamed task"),
        ({"trmsolve.task": "maze"}, "was trained for maze, not for sudoku"),
        ({"trmsolve.config": None}, r"it has no trmsolve\.config"),
        ({"trmsolve.checksun": "0" * 64}, r"metadata has an unknown 'trmsolve\.checksun'"),
        ({"trmsolvf.checksum": "0" * 64}, r"metadata has an unknown 'trmsolvf\.checksum'"),
        ({CHECKSUM: "0" * 64}, "it does not match its checksum"),
        ({CHECKSUM: "yes"}, "its checksum is not valid"),
    ],
)
def test_metadata_that_do_not_make_sense(
    tmp_path: Path, changes: dict[str, str | None], message: str
) -> None:
    refused(with_metadata(tmp_path / "w.safetensors", changes), message)


def test_a_file_of_another_program_needs_no_checksum(tmp_path: Path) -> None:
    path = with_metadata(
        tmp_path / "w.safetensors", {"trmsolve.scores": None, "trmsolve.training": None}
    )
    load(path)
    assert read_info(path).checksum is check_whole(path).checksum is None
    record_score(path, "dev", {"exact": 1})
    assert check_whole(path).checksum is not None


def test_weights_without_a_checksum_are_told_in_a_line(tmp_path: Path, weights: Path) -> None:
    bare = with_metadata(tmp_path / "bare.safetensors", {})
    said: list[str] = []
    assert resolve(bare, note=said.append) == bare
    assert resolve(str(bare), "sudoku", note=said.append) == bare
    assert resolve(tmp_path / "absent.safetensors", note=said.append)
    assert resolve(weights, note=said.append) == weights
    assert resolve(None, "sudoku", note=said.append)
    assert len(said) == 2
    assert said[0].startswith(f"{bare} has no checksum, ")
    done = CliRunner().invoke(app, ["weights", "info", str(bare)])
    assert done.exit_code == 0
    assert done.stderr == f"{said[0]}\n"


def test_damage_is_not_recorded_over(weights: Path, content: bytes) -> None:
    changed = bytearray(content)
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(WeightsError, match="does not match its checksum"):
        record_score(weights, "dev", {"exact": 1})
    assert weights.read_bytes() == changed
    read_info(weights)  # as no value was read
    with pytest.raises(WeightsError, match="does not match its checksum"):
        check_whole(weights)


def test_what_could_not_be_read_again_is_not_saved(weights: Path, content: bytes) -> None:
    tensors = TinyRecursiveModel(CONFIG).state_dict()
    large = {**tensors, "lm_head.weight": torch.full((3, 4), 1e5)}
    for wrong, info, dtype, message in (
        (large, INFO, torch.float16, "lm_head.weight has values that are not finite"),
        (
            {**tensors, "lm_head.weight": torch.zeros(3, 4).int()},
            INFO,
            None,
            "lm_head.weight has values that are not",
        ),
        (
            tensors,
            replace(INFO, scores={"exact": float("nan")}),
            None,
            "the record has a number that is not finite",
        ),
        (
            tensors,
            replace(INFO, training={"note": "x" * LONGEST_HEADER}),
            None,
            "too many for a header",
        ),
    ):
        with pytest.raises(WeightsError, match=f"{message}.*was not changed"):
            save_weights(weights, wrong, info, dtype)
        assert weights.read_bytes() == content
        assert len(list(weights.parent.iterdir())) == 1


def test_a_file_that_is_replaced_between_two_looks(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = with_metadata(weights.parent / "other.safetensors", {})
    header = read_header(other)
    monkeypatch.setattr(described, "read_header", lambda path: header)
    refused(weights, "was replaced while it was being read")


# Bounds


OVER = {"expansion": 17.0, "layers": 17, "num_heads": 128, "hidden_size": 8192, "seq_len": 10_000}


@pytest.mark.parametrize("name", LARGEST)
def test_configs_over_the_bounds_are_refused_before_anything_is_allocated(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "expected_shapes", lambda config: pytest.fail("asked for shapes"))
    value = OVER.get(name, LARGEST[name] + 1)
    more: dict[str, Any] = {name: value}
    if name == "candidates":
        more |= {"mixer": "lattice", "vocab_size": 2, "seq_len": 4 * value, "board": [2, 2, 1, 1]}
    if name in ("symmetries", "lookup_channels", "line_lookup_channels"):
        more |= {"mixer": "planes", "board": [2, 2, 1, 1], "symmetries": more.get("symmetries", 8)}
    if name == "num_heads":
        more |= {"hidden_size": 2 * value}
    if name in ("puzzle_emb_dim", "prefix_len"):
        more |= {
            "puzzle_emb_dim": more.get("puzzle_emb_dim", 4),
            "prefix_len": 257,
            "hidden_size": 256,
        }
    path = with_metadata(tmp_path / "w.safetensors", {"trmsolve.config": config_text(**more)})
    said = refused(
        path,
        rf"{name} is {value}, more than the {LARGEST[name]} allowed: use --allow-large",
    )
    with pytest.raises(WeightsError) as caught:
        check_whole(path)
    assert str(caught.value) == said
    if name in (
        "seq_len",
        "recursions",
        "latent_steps",
        "num_puzzles",
    ):  # which decide no shape here
        assert getattr(load(path, allow_large=True).config, name) == value
    else:  # but the tensors are not those of such a network
        assert "allowed" not in refused(path, allow_large=True)


def test_networks_of_too_many_parameters_or_too_much_memory(tmp_path: Path) -> None:
    for changes, message in (
        (
            {"hidden_size": 4096, "num_heads": 8, "layers": 8},
            r"has \d+ parameters, more than the 134217728 allowed",
        ),
        (
            {"seq_len": 8192, "num_heads": 8, "hidden_size": 64},
            r"may need \d+ MiB per puzzle, more than the 1024 MiB",
        ),
    ):
        path = with_metadata(
            tmp_path / "w.safetensors", {"trmsolve.config": config_text(**changes)}
        )
        assert refused(path, message).endswith("use --allow-large to accept it")
        refused(path, "has shape|has no tensor", allow_large=True)


def test_nonsense_is_refused_in_any_case(tmp_path: Path) -> None:
    for name in LARGEST:
        path = with_metadata(
            tmp_path / "w.safetensors", {"trmsolve.config": config_text(**{name: 10**9})}
        )
        refused(path, f"not usable as weights: {name} must be", allow_large=True)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda key: "-".join(key))
def test_usual_networks_lie_far_within(recipe: tuple[str, str]) -> None:
    config = RECIPES[recipe].config
    shapes = expected_shapes(config)
    assert all(getattr(config, name) <= bound / 3 for name, bound in LARGEST.items())
    assert sum(shape.numel() for shape in shapes.values()) < MOST_PARAMETERS / 10
    assert memory_at_work(config, shapes) < MOST_MEMORY / 10


def test_large_files_are_read_if_that_is_said(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE", 1000)
    assert refused(weights, "has 0 MiB, more than the 0 MiB allowed").endswith(
        "use --allow-large to accept it"
    )
    assert load(weights, allow_large=True).config == check_whole(weights, allow_large=True).config


# What is no such file at all


def packed(write: Callable[[io.BytesIO], Any]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def tarred(stream: io.BytesIO) -> None:
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))


STATE = {"a": torch.zeros(3)}
OTHER_KINDS = {
    "zip": (packed(lambda file: torch.save(STATE, file)), "is a pickled checkpoint"),
    "legacy": (
        packed(lambda file: torch.save(STATE, file, _use_new_zipfile_serialization=False)),
        "is a pickled",
    ),
    **{
        f"pickle {n}": (pickle.dumps({"a": 1}, protocol=n), "is a pickled checkpoint")
        for n in (2, 3, 4, 5)
    },
    "tar": (packed(tarred), "is a tar archive"),
    "npz": (packed(lambda file: np.savez(file, a=np.zeros(3))), "is a numpy archive"),
    "npy": (packed(lambda file: np.save(file, np.zeros(3))), "is a numpy array"),
    "gguf": (b"GGUF\x03\0\0\0" + bytes(16), "is a GGUF file"),
    "gzip": (gzip.compress(b"x" * 100, mtime=0), "is compressed with gzip"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(8), "is an HDF5 file"),
    "empty": (b"", "is empty"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "is a git-lfs pointer.*git lfs pull",
    ),
    "page": (b"<!DOCTYPE html><html>", "is a web page"),
    "page, later": (b"\xef\xbb\xbf\n  <HTML lang=en>", "is a web page"),
    "json": (b'{"error": "Repository not found"}', "is JSON text"),
    "noise": (bytes(range(256)), "not usable as weights"),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_each_other_kind_of_file_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    content, message = OTHER_KINDS[kind]
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    said = refused(path, message)
    zipped = content.startswith(b"PK") and "numpy" not in said
    assert said.endswith(f"convert it first: trmsolve weights convert {path}") == zipped
    assert said.endswith("in an old format: save it again with a newer version of torch") == (
        "pickled" in said and not zipped
    )


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    plug = tmp_path / "plug"
    folder = tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    here = Path.cwd()
    os.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("plug")
        os.chdir(here)
        for path in (pipe, plug, folder, Path("/dev/zero"), Path("/dev/null")):
            refused(path, "is not a file")
    for path in (
        tmp_path / "absent",
        tmp_path / ("x" * 300),
        weights_link(tmp_path / "dangling", tmp_path / "gone"),
    ):
        refused(path, "no weights at|cannot be read")
    with pytest.raises(WeightsError, match="no weights at"):
        load(Path("a\0b"))


def weights_link(link: Path, target: Path) -> Path:
    link.symlink_to(target)
    return link


def test_links_are_followed(weights: Path, tmp_path: Path) -> None:
    assert load(weights_link(tmp_path / "link", weights)).config == CONFIG
    loop = weights_link(tmp_path / "loop", tmp_path / "loop")
    refused(loop, "no weights at|cannot be read")


def test_a_file_that_may_not_be_read_or_vanishes(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", denied)
        refused(weights, "cannot be read: Permission denied")
    monkeypatch.setattr(header_module, "check_safetensors", lambda path: path.unlink())
    refused(weights, "cannot be read: No such file or directory")


def test_strict_json_reads_what_is_plain() -> None:
    value = {"a": [1, -2.5, 1e300, True, None, "\u00e9"], "b": {"a": {}}}
    assert strict_json(json.dumps(value)) == value
    with pytest.raises(ValueError, match="twice"):
        strict_json('{"a": 1, "\\u0061": 1}')


# Through the command line


def test_commands_leave_with_code_3_and_one_line(
    weights: Path, content: bytes, tmp_path: Path
) -> None:
    begin = read_header(weights).begin
    odd = tmp_path / "odd.safetensors"
    examples = {
        "cut": content[:-9],
        "grown": content + b"\0",
        "header": content[:begin].replace(b'"shape"', b'"shapo"') + content[begin:],
        "length": struct.pack("<Q", 2**60) + content[8:],
        "value": content[:-1] + bytes([content[-1] ^ 1]),
        "overlap": content[:begin].replace(b"[0,", b"[8,") + content[begin:],
        "twice": content[:begin].replace(b"L_init", b"H_init") + content[begin:],
        **{name: content for name, (content, _) in OTHER_KINDS.items()},
    }
    for name, changed in examples.items():
        odd.write_bytes(changed)
        result = CliRunner().invoke(app, ["sudoku", "-", "--weights", str(odd)], input=EASY)
        assert (result.exit_code, result.stdout) == (3, ""), name
        assert result.stderr.startswith("trmsolve: ") and str(odd) in result.stderr, name
        assert result.stderr.count("\n") == 1 and "Traceback" not in result.stderr, name
