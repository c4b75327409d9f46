"""Weights in and out: strict, atomic, and with one line for whatever is wrong."""

import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from trmsolve.errors import WeightsError
from trmsolve.model.config import FORMER_CONFIG_NAMES, TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights import file as weights_file
from trmsolve.weights import tensors as tensors_module
from trmsolve.weights.file import (
    bundled_weights,
    fingerprint,
    load_model,
    read_info,
    record_score,
    save_weights,
)
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.limits import MAX_FILE
from trmsolve.weights.names import TABLE, strip_prefixes
from trmsolve.weights.tensors import is_finite

CPU = torch.device("cpu")
CONFIG = TRMConfig(
    vocab_size=11, seq_len=81, hidden_size=16, num_heads=2, layers=1, recursions=1, latent_steps=1
)
INFO = WeightsInfo(CONFIG, "sudoku", {"steps": 3}, {"exact": 0.5})


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "w.safetensors"
    save_weights(path, TinyRecursiveModel(CONFIG).state_dict(), INFO, dtype=torch.float32)
    return path


def test_what_is_saved_is_loaded(weights: Path) -> None:
    torch.manual_seed(0)
    original = TinyRecursiveModel(CONFIG).eval()
    assert read_info(weights) == INFO
    model = load_model(weights, "sudoku", torch.float32, CPU)
    tokens = torch.randint(0, 11, (2, 81))
    with torch.no_grad():
        _, a = original(original.initial_state(2), tokens)
        _, b = model(model.initial_state(2), tokens)
    assert torch.equal(a.logits, b.logits)
    assert model.rotary is not None
    assert model.rotary.get_buffer("cos").dtype == torch.float32
    assert not any(p.requires_grad for p in model.parameters())


def test_rotary_tables_stay_exact_in_bf16(weights: Path) -> None:
    model = load_model(weights, "sudoku", torch.bfloat16, CPU)
    assert model.lm_head.weight.dtype == torch.bfloat16
    assert model.rotary is not None
    assert model.rotary.get_buffer("cos").dtype == torch.float32


def test_public_names_load_as_they_are(weights: Path, tmp_path: Path) -> None:
    tensors = {
        f"_orig_mod.model.inner.{k}": v for k, v in TinyRecursiveModel(CONFIG).state_dict().items()
    }
    path = tmp_path / "public.safetensors"
    save_file(tensors, path, INFO.to_metadata())
    load_model(path, "sudoku", torch.float32, CPU)
    assert (
        strip_prefixes("model.inner.lm_head.weight")
        == "lm_head.weight"
        == strip_prefixes("lm_head.weight")
    )


def test_saving_is_atomic_and_has_the_users_mode(weights: Path) -> None:
    before = weights.read_bytes()
    broken = TinyRecursiveModel(CONFIG).state_dict()
    broken["lm_head.weight"][0, 0] = float("nan")
    with pytest.raises(WeightsError, match=r"lm_head\.weight has values that are not finite"):
        save_weights(weights, broken, INFO)
    assert weights.read_bytes() == before
    assert [p.name for p in weights.parent.iterdir()] == [weights.name]
    mask = os.umask(0)
    os.umask(mask)
    assert weights.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_failed_write_leaves_the_old_file(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = weights.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_weights(weights, TinyRecursiveModel(CONFIG).state_dict(), INFO)
    assert weights.read_bytes() == before
    assert len(list(weights.parent.iterdir())) == 1


def test_an_error_of_the_disk_that_safetensors_meets_is_one_of_the_system(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = weights.read_bytes()

    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(before[:100])
        raise SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )

    monkeypatch.setattr(weights_file, "save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_weights(weights, TinyRecursiveModel(CONFIG).state_dict(), INFO)
    assert caught.value.errno == 28
    assert caught.value.filename == str(weights)
    assert weights.read_bytes() == before
    assert len(list(weights.parent.iterdir())) == 1


def test_a_large_table_is_looked_at_piece_by_piece(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    finite = torch.isfinite
    monkeypatch.setattr(tensors_module, "CHUNK", 64)
    monkeypatch.setattr(torch, "isfinite", lambda part: seen.append(part.numel()) or finite(part))
    load_model(weights, "sudoku", torch.float32, CPU)
    assert sum(seen) == sum(
        tensor.numel() for tensor in TinyRecursiveModel(CONFIG).state_dict().values()
    )
    assert max(seen) <= 256  # a row of the widest matrix, where it has more than a piece
    table = torch.zeros(1000, 8)
    table[999, 7] = torch.nan
    for odd in (table, table.T, table[999:].reshape(8), table[999, 7]):
        assert not is_finite(odd)
    assert is_finite(torch.zeros(0, 8))
    assert is_finite(torch.zeros(()))
    assert not is_finite(torch.zeros(1).int())


def rewrite(
    path: Path, change: Callable[[dict[str, torch.Tensor]], None], info: WeightsInfo = INFO
) -> None:
    tensors = {k: v.clone() for k, v in TinyRecursiveModel(CONFIG).state_dict().items()}
    change(tensors)
    save_file(tensors, path, info.to_metadata())


def misshape(tensors: dict[str, torch.Tensor]) -> None:
    tensors["lm_head.weight"] = torch.zeros(12, 16)


def poison(tensors: dict[str, torch.Tensor]) -> None:
    tensors["lm_head.weight"][3, 3] = float("inf")


def integers(tensors: dict[str, torch.Tensor]) -> None:
    tensors["lm_head.weight"] = tensors["lm_head.weight"].int()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("q_head.bias"), "has no tensor 'q_head.bias'"),
        (lambda t: t.update(extra=torch.zeros(1)), "has an unknown tensor 'extra'"),
        (misshape, r"lm_head.weight has shape \(12, 16\), not \(11, 16\)"),
        (poison, "lm_head.weight has values that are not finite"),
        (integers, "lm_head.weight must have floating point values"),
    ],
)
def test_tensors_must_fit_the_config(
    weights: Path, change: Callable[[dict[str, torch.Tensor]], None], message: str
) -> None:
    rewrite(weights, change)
    with pytest.raises(WeightsError, match=message) as caught:
        load_model(weights, "sudoku", torch.float32, CPU)
    assert str(weights) in str(caught.value)
    assert caught.value.exit_code == 3


def test_weights_of_another_task_are_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="was trained for sudoku, not for maze"):
        load_model(weights, "maze", torch.float32, CPU)
    rewrite(weights, lambda t: None, replace(INFO, task=""))
    with pytest.raises(WeightsError, match="an unnamed task"):
        load_model(weights, "sudoku", torch.float32, CPU)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x00" * 4, "not usable"),
        (struct.pack("<Q", 1 << 60) + b"{}", "not usable"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (b"PK\x03\x04 torch", "pickled checkpoint"),
        (b"\x80\x02}q\x00.", "pickled checkpoint"),
        (b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_what_is_no_weights_is_told_apart(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_model(path, "sudoku", torch.float32, CPU)


def test_truncated_missing_and_folder(weights: Path, tmp_path: Path) -> None:
    data = weights.read_bytes()
    weights.write_bytes(data[:-10])
    with pytest.raises(WeightsError):
        load_model(weights, "sudoku", torch.float32, CPU)
    with pytest.raises(WeightsError, match="no weights at"):
        load_model(tmp_path / "absent", "sudoku", torch.float32, CPU)
    with pytest.raises(WeightsError, match="is not a file"):
        load_model(tmp_path, "sudoku", torch.float32, CPU)


@pytest.mark.parametrize(
    "config",
    [
        {"vocab_size": 11},
        {"vocab_size": 11, "seq_len": 81, "colour": 1},
        {"vocab_size": 11, "seq_len": 81, "hidden_size": 10**9},
        {"vocab_size": 11, "seq_len": 81, "hidden_size": "big"},
        {"vocab_size": 11, "seq_len": 81, "expansion": "x"},
        {"vocab_size": 11, "seq_len": 81, "board": 5},
        {"vocab_size": 11, "seq_len": 81, "mixer": "lattice", "board": [9, 9, 3, "3"]},
        {"vocab_size": 11, "seq_len": 81, "rms_norm_eps": "x"},
        {"vocab_size": 11, "seq_len": 81, "rms_norm_eps": float("nan")},
        {"vocab_size": 11, "seq_len": 81, "rope_theta": None},
        {"vocab_size": 11, "seq_len": 81, "puzzle_emb_dim": 1.5, "prefix_len": 1},
        {"vocab_size": 11, "seq_len": 81, "normed_swiglu": "yes"},
        [1, 2],
    ],
)
def test_an_impossible_config_is_refused_before_anything_is_allocated(
    weights: Path, config: object
) -> None:
    metadata = {**INFO.to_metadata(), "trmsolve.config": json.dumps(config)}
    save_file({"lm_head.weight": torch.zeros(1)}, weights, metadata)
    with pytest.raises(WeightsError, match="not usable as weights"):
        load_model(weights, "sudoku", torch.float32, CPU)


def test_a_file_without_our_metadata_is_refused(weights: Path) -> None:
    save_file({"lm_head.weight": torch.zeros(1)}, weights)
    with pytest.raises(WeightsError, match=r"it has no trmsolve\.config"):
        read_info(weights)


def test_the_bundled_weights_load_and_are_small() -> None:
    path = bundled_weights("sudoku")
    model = load_model(path, "sudoku", torch.float32, CPU)
    assert model.parameter_count() <= 7_000_000
    assert path.stat().st_size <= 16e6
    with pytest.raises(WeightsError, match="no weights for chess"):
        bundled_weights("chess")


def test_a_recorded_score_changes_the_record_and_nothing_else(weights: Path) -> None:
    before = load_model(weights, "sudoku", torch.float32, CPU).state_dict()
    hashed = fingerprint(weights)
    record_score(weights, "dev, 1 views", {"exact": 0.25, "n": 4})
    assert read_info(weights).scores == {"exact": 0.5, "dev, 1 views": {"exact": 0.25, "n": 4}}
    after = load_model(weights, "sudoku", torch.float32, CPU).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert fingerprint(weights) == hashed


def test_the_fingerprint_tells_tensors_and_configs_apart(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    tensors = TinyRecursiveModel(CONFIG).state_dict()
    save_weights(other, tensors, INFO)
    deeper = tmp_path / "deeper.safetensors"
    save_weights(deeper, tensors, replace(INFO, config=replace(CONFIG, recursions=2)))
    assert len({fingerprint(weights), fingerprint(other), fingerprint(deeper)}) == 3


def test_weights_of_an_earlier_version_load_and_keep_their_fingerprint(tmp_path: Path) -> None:
    bundled = bundled_weights("maze")  # saved under the former names of the config's fields
    assert set(FORMER_CONFIG_NAMES) <= set(written_config(bundled))
    info = read_info(bundled)
    assert info.config.feeds_back_answer
    assert info.config.frozen_tokens == (0, 1, 4)
    recorded = bundled.with_name("maze.eval.dev-1-view.json").read_text()
    assert f"{bundled.name}@{fingerprint(bundled)[:12]}" in recorded

    again = tmp_path / "again.safetensors"
    save_weights(again, load_file(bundled), info, dtype=None)
    assert set(FORMER_CONFIG_NAMES.values()) <= set(written_config(again))
    assert fingerprint(again) == fingerprint(bundled)


def written_config(path: Path) -> dict[str, object]:
    with safe_open(path, framework="pt") as file:
        config: dict[str, object] = json.loads(file.metadata()["trmsolve.config"])
    return config


def test_weights_of_another_board_are_refused(tmp_path: Path) -> None:
    from trmsolve import load

    for sizes in ({"vocab_size": 6}, {"vocab_size": 30}, {"seq_len": 16}):
        path = tmp_path / "w.safetensors"
        config = replace(CONFIG, **sizes)
        save_weights(path, TinyRecursiveModel(config).state_dict(), replace(INFO, config=config))
        with pytest.raises(WeightsError, match="sudoku needs 11 and 81"):
            load("sudoku", weights=path)


def test_a_tensor_under_two_names_and_odd_dtypes_are_refused(weights: Path) -> None:
    rewrite(weights, lambda t: t.update({"model.lm_head.weight": t["lm_head.weight"].clone()}))
    with pytest.raises(WeightsError, match="twice"):
        load_model(weights, "sudoku", torch.float32, CPU)
    rewrite(
        weights, lambda t: t.update({"lm_head.weight": t["lm_head.weight"].to(torch.float8_e4m3fn)})
    )
    with pytest.raises(WeightsError, match="must have floating point values"):
        load_model(weights, "sudoku", torch.float32, CPU)


def test_odd_paths_and_nested_metadata(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        load_model(tmp_path / ("x" * 300), "sudoku", torch.float32, CPU)
    save_file({"a": torch.zeros(1)}, weights, {"trmsolve.config": "[" * 100_000})
    with pytest.raises(WeightsError, match="not usable"):
        load_model(weights, "sudoku", torch.float32, CPU)


KNOWING = replace(CONFIG, vocab_size=12, puzzle_emb_dim=64, prefix_len=4, num_puzzles=300_000)


def numbered(rows: int, offset: int = 0) -> torch.Tensor:
    """A table whose every value says where it stands."""
    return (torch.arange(rows)[:, None] + offset) * 64.0 + torch.arange(64)


def with_table(path: Path, config: TRMConfig, filled: dict[int, torch.Tensor]) -> None:
    """Weights whose table is a sparse file of any size: zeros but for the rows given."""
    tensors = TinyRecursiveModel(replace(config, num_puzzles=1)).state_dict()
    last = {name: tensor for name, tensor in tensors.items() if name != TABLE}
    shapes = {
        **{name: list(tensor.shape) for name, tensor in last.items()},
        TABLE: [config.num_puzzles, 64],
    }
    header: dict[str, object] = {"__metadata__": WeightsInfo(config, "arc").to_metadata()}
    end = 0
    for name, shape in shapes.items():
        begin = end
        end = end + 4 * torch.Size(shape).numel()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.write(b"".join(tensor.numpy().tobytes() for tensor in last.values()))
        table = file.tell()
        file.truncate(8 + len(text) + end)
        for row, values in filled.items():
            file.seek(table + 4 * 64 * row)
            file.write(values.numpy().tobytes())


def test_rows_of_the_table_are_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    class Watched:
        """A safe_open that remembers what was read as a whole; it cannot be derived from."""

        def __init__(self, *given: Any, **named: Any) -> None:
            self.file = safe_open(*given, **named)

        def __enter__(self) -> "Watched":
            self.file.__enter__()
            return self

        def __exit__(self, *error: Any) -> None:
            self.file.__exit__(*error)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def get_tensor(self, name: str) -> torch.Tensor:
            read.append(name)
            return self.file.get_tensor(name)

    monkeypatch.setattr(weights_file, "safe_open", Watched)
    path = tmp_path / "knowing.safetensors"
    with_table(path, KNOWING, {7: numbered(1, 7)[0], 299_999: numbered(1, 299_999)[0]})
    model = load_model(path, "arc", torch.float32, CPU, [299_999, 0, 7, 7])
    assert TABLE not in read
    assert "lm_head.weight" in read
    assert model.config == replace(KNOWING, num_puzzles=4)
    assert model.puzzle_emb is not None
    expected = torch.stack([numbered(1, 299_999)[0], torch.zeros(64), *[numbered(1, 7)[0]] * 2])
    assert torch.equal(model.puzzle_emb.weights, expected)
    whole = load_model(path, "arc", torch.float32, CPU)
    tokens = torch.randint(0, 12, (2, 81))
    ids = torch.tensor([299_999, 7])
    with torch.no_grad():
        (_, one), (_, other) = (
            net(net.initial_state(2), tokens, which)
            for net, which in ((whole, ids), (model, torch.tensor([0, 3])))
        )
    assert torch.equal(one.logits, other.logits)


def test_a_table_larger_than_memory_is_no_hindrance(tmp_path: Path) -> None:
    """A sparse file of 1 GiB, of which little is read, and not all may be read."""
    path = tmp_path / "large.safetensors"
    config = replace(KNOWING, num_puzzles=1 << 22, puzzle_emb_dim=64)
    try:
        with_table(path, config, {4_000_000: numbered(1)[0]})
    except OSError:
        pytest.skip("this file system keeps no holes")
    assert path.stat().st_size > MAX_FILE
    before = resident()
    model = load_model(path, "arc", torch.float32, CPU, range(4_000_000, 4_000_100))
    assert resident() - before < 100 << 20
    assert model.puzzle_emb is not None
    assert torch.equal(model.puzzle_emb.weights[0], numbered(1)[0])
    with pytest.raises(WeightsError, match="1024 MiB, more than the 512 MiB allowed"):
        load_model(path, "arc", torch.float32, CPU)
    with pytest.raises(WeightsError, match=r"may need \d+ MiB, more than the 512 MiB allowed"):
        load_model(path, "arc", torch.float32, CPU, range(1 << 21))


def resident() -> int:
    """Bytes of memory in use; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


@pytest.mark.parametrize("row", [300_000, -1])
def test_rows_must_be_in_the_table(tmp_path: Path, row: int) -> None:
    path = tmp_path / "knowing.safetensors"
    with_table(path, KNOWING, {})
    with pytest.raises(WeightsError, match=f"has no puzzle {row}: its table has 300000 rows"):
        load_model(path, "arc", torch.float32, CPU, [0, row])


def test_all_else_is_as_strict_where_rows_are_read(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="has no table of puzzle embeddings"):
        load_model(weights, "sudoku", torch.float32, CPU, [0])
    path = tmp_path / "knowing.safetensors"
    with_table(path, KNOWING, {5: torch.full((64,), float("nan"))})
    assert load_model(path, "arc", torch.float32, CPU, [4, 6]).puzzle_emb is not None
    with pytest.raises(WeightsError, match=r"puzzle_emb\.weights has values that are not finite"):
        load_model(path, "arc", torch.float32, CPU, [4, 5])
    config = replace(KNOWING, num_puzzles=3)
    tensors = {**TinyRecursiveModel(config).state_dict(), TABLE: torch.zeros(4, 64)}
    save_file(tensors, path, WeightsInfo(config, "arc").to_metadata())
    with pytest.raises(WeightsError, match=r"has shape \(4, 64\), not \(3, 64\)"):
        load_model(path, "arc", torch.float32, CPU, [0])
    tensors[TABLE] = torch.zeros(3, 64).to(torch.float8_e4m3fn)
    save_file(tensors, path, WeightsInfo(config, "arc").to_metadata())
    with pytest.raises(WeightsError, match="must have floating point values"):
        load_model(path, "arc", torch.float32, CPU, [0])
