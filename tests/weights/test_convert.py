"""Checkpoints of the public code: recognised, never run, and converted to the same numbers."""

import contextlib
import json
import os
import random
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from typer.testing import CliRunner

from tests.support.checkpoints import CONFIG, PREFIX, official_state
from tests.support.goldens import FOLDER, NAMES, load_golden
from trmsolve.cli import app
from trmsolve.errors import UsageError, WeightsError
from trmsolve.files import sha256
from trmsolve.weights import convert as convert_module
from trmsolve.weights import limits
from trmsolve.weights.architecture import ArchitectureHints
from trmsolve.weights.checkpoint_file import is_pickled
from trmsolve.weights.convert import Checkpoint, convert, mean_row, rewrite
from trmsolve.weights.file import load_model, read_info, record_score
from trmsolve.weights.names import TABLE

CPU = torch.device("cpu")
SUDOKU = replace(CONFIG, vocab_size=11, seq_len=81, latent_steps=6, num_puzzles=1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("public") / "step_518071"
    torch.save(official_state(), path)
    return path


# What it is.


@pytest.mark.parametrize("prefix", [PREFIX, "model.inner.", "", "module._orig_mod.model.inner."])
def test_a_checkpoint_is_converted_to_the_bit_whatever_wraps_its_names(
    tmp_path: Path, prefix: str
) -> None:
    path = tmp_path / "step_1"
    out = tmp_path / "w.safetensors"
    state = official_state(prefix=prefix)
    torch.save(state, path)
    assert is_pickled(path)
    opened = Checkpoint.open(path)
    assert (opened.task, opened.config) == ("arc", CONFIG)
    info = convert(opened, out)
    assert info == replace(read_info(out), checksum=info.checksum)
    assert info.config == CONFIG
    assert info.task == "arc"
    assert info.training["converted_from"] == "step_1"
    assert info.training["sha256"] == sha256(path)
    stored = load_file(out)
    assert stored.keys() == {name.removeprefix(prefix) for name in state}
    for name, tensor in stored.items():
        assert torch.equal(tensor, state[prefix + name])
        assert tensor.dtype == state[prefix + name].dtype
    assert load_model(out, "arc", torch.float32, CPU, [49, 3]).config.num_puzzles == 2


@pytest.mark.parametrize("name", [name for name in NAMES if "s81" in name])
def test_the_public_code_s_numbers_come_out(name: str, tmp_path: Path) -> None:
    """The command converts it with only the settings beside it to say what shapes cannot."""
    golden = load_golden(name)
    path = tmp_path / "step_1"
    config = golden.model.config
    torch.save(load_file(FOLDER / f"{name}.weights.safetensors"), path)
    settings = {
        "H_cycles": config.recursions,
        "L_cycles": config.latent_steps,
        "num_heads": config.num_heads,
        "expansion": config.expansion,
        "puzzle_emb_len": config.prefix_len,
        "mlp_t": True,
    }
    lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in settings.items())
    (tmp_path / "all_config.yaml").write_text(
        f"arch:\n  loss:\n    name: losses@ACTLossHead\n{lines}lr: 0.0001\n"
    )
    done = CliRunner().invoke(app, ["weights", "convert", str(path), "--task", "sudoku"])
    assert done.exit_code == 0
    assert done.stdout.strip() == str(tmp_path / "step_1.safetensors")
    assert "is a pickle" in done.stderr.splitlines()[0]
    model = load_model(tmp_path / "step_1.safetensors", "sudoku", torch.float32, CPU)
    assert model.config == config
    tokens, _, ids = golden.batch("eval")
    with torch.no_grad():
        _, prediction = model(model.initial_state(len(tokens)), tokens, ids)
        _, same = golden.model(golden.model.initial_state(len(tokens)), tokens, ids)
    assert torch.equal(prediction.logits, same.logits)
    torch.testing.assert_close(
        prediction.logits, golden.numbers["eval.logits"][0], rtol=2e-4, atol=2e-4
    )


@pytest.mark.parametrize(
    ("changes", "task", "assumed"),
    [
        ({"vocab_size": 11, "seq_len": 81, "latent_steps": 6}, "sudoku", 4),
        (
            {
                "vocab_size": 11,
                "seq_len": 81,
                "latent_steps": 6,
                "mixer": "mlp",
                "positions": "none",
            },
            "sudoku",
            2,
        ),
        ({"vocab_size": 6}, "maze", 4),
        ({"positions": "learned", "seq_len": 100}, "arc", 3),
        ({"layers": 3, "puzzle_emb_dim": 0, "prefix_len": 0, "num_puzzles": 1}, "arc", 4),
        ({"expansion": 12.0, "hidden_size": 64}, "arc", 4),
    ],
)
def test_shapes_and_the_paper_tell_the_architecture(
    tmp_path: Path, changes: dict[str, Any], task: str, assumed: int
) -> None:
    config = replace(CONFIG, **changes)
    torch.save(official_state(config), tmp_path / "step_1")
    opened = Checkpoint.open(tmp_path / "step_1", task)
    assert opened.task == task
    assert opened.config == config
    assert len(opened.assumed) == assumed
    other = next(name for name in ("sudoku", "maze", "arc") if name != task)
    with pytest.raises(
        WeightsError, match=f"was trained for {task}, not for {other}: it has {config.vocab_size}"
    ):
        Checkpoint.open(tmp_path / "step_1", other)


def test_what_is_said_wins_over_the_settings_and_those_over_the_paper(
    checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "step_1"
    path.write_bytes(checkpoint.read_bytes())
    assert Checkpoint.open(path).assumed == ("recursions", "latent_steps", "num_heads", "positions")
    (tmp_path / "step_1.yaml").write_text("arch:\n  num_heads: 4\n  H_cycles: 2\n  L_cycles: 1\n")
    assert Checkpoint.open(path).assumed == ("positions",)
    (tmp_path / "config.json").write_text(
        json.dumps({"H_cycles": 2, "L_cycles": 1, "num_heads": 4, "new": []})
    )
    opened = Checkpoint.open(path)
    assert opened.config == replace(CONFIG, recursions=2, latent_steps=1, num_heads=4)
    assert opened.assumed == ("positions",)
    opened = Checkpoint.open(
        path, hints=ArchitectureHints(recursions=5, positions="none", num_heads=2)
    )
    assert opened.config == replace(
        CONFIG, recursions=5, latent_steps=1, num_heads=2, positions="none"
    )
    assert opened.assumed == ()
    (tmp_path / "all_config.yaml").write_text("arch:\n  pos_encodings: none\n  puzzle_emb_len: 0\n")
    assert Checkpoint.open(path).config == replace(CONFIG, positions="none", prefix_len=1)
    for text, told in (
        ("arch: [", "all_config.yaml is damaged"),
        ("- a", "all_config.yaml contains no settings"),
        (
            "arch:\n  pos_encodings: spiral",
            "pos_encodings 'spiral' in its settings file does not match its tensors",
        ),
        (
            "arch:\n  pos_encodings: learned",
            "pos_encodings 'learned' in its settings file does not match its tensors",
        ),
        ("arch: 3", "all_config.yaml contains no settings"),
        (
            "arch:\n  H_cycles: many",
            "step_1 is not a checkpoint of a Tiny Recursive Model: recursions must be",
        ),
        ("arch:\n  puzzle_emb_len: many", "step_1 is not a checkpoint of a Tiny Recursive Model"),
        ("!!python/object/apply:os.system ['echo']", "all_config.yaml is damaged"),
    ):
        (tmp_path / "all_config.yaml").write_text(text)
        with pytest.raises(WeightsError, match=told):
            Checkpoint.open(path)


@pytest.mark.parametrize(
    ("hints", "told"),
    [
        (ArchitectureHints(recursions=0), "recursions must be a whole number from 1"),
        (ArchitectureHints(latent_steps=10**9), "latent_steps must be a whole number from 1"),
        (ArchitectureHints(num_heads=3), "does not split into 3 heads"),
        (ArchitectureHints(positions="learned"), "has no tensor 'embed_pos.embedding_weight'"),
        (ArchitectureHints(positions="spiral"), "positions must be one of"),
    ],
)
def test_what_cannot_be_is_refused_though_it_is_said(
    checkpoint: Path, hints: ArchitectureHints, told: str
) -> None:
    with pytest.raises(WeightsError, match=told):
        Checkpoint.open(checkpoint, hints=hints)


def test_positions_that_shapes_show_are_not_a_matter_of_saying(tmp_path: Path) -> None:
    torch.save(official_state(replace(SUDOKU, mixer="mlp", positions="none")), tmp_path / "step_1")
    with pytest.raises(WeightsError, match="its tensor shapes require positions none, not rope"):
        Checkpoint.open(tmp_path / "step_1", hints=ArchitectureHints(positions="rope"))
    with pytest.raises(WeightsError, match="it has no attention: omit --heads"):
        Checkpoint.open(tmp_path / "step_1", hints=ArchitectureHints(num_heads=4))


# Other ways to save.


def test_of_several_networks_in_a_file_one_is_chosen(tmp_path: Path) -> None:
    raw = official_state(SUDOKU)
    average = {name: value + 1 for name, value in official_state(SUDOKU).items()}
    path = tmp_path / "eqr.pth"
    torch.save({"model": raw, "ema": average, "step": 3, "config": {"H_cycles": 3}}, path)
    with pytest.raises(
        WeightsError, match="contains several networks: choose model or ema with --part"
    ):
        Checkpoint.open(path)
    with pytest.raises(
        WeightsError, match="contains no network named best: it contains model, ema"
    ):
        Checkpoint.open(path, part="best")
    opened = Checkpoint.open(path, part="ema")
    assert torch.equal(opened.tensors["lm_head.weight"], average[f"{PREFIX}lm_head.weight"])
    torch.save({"state_dict": raw, "epoch": 1}, path)
    assert Checkpoint.open(path).config == SUDOKU
    torch.save(raw, path)
    with pytest.raises(
        WeightsError, match="contains no network named ema: it contains a single network"
    ):
        Checkpoint.open(path, part="ema")


def test_safetensors_without_a_description_get_one(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    out = tmp_path / "out.safetensors"
    save_file(official_state(SUDOKU), path)
    done = CliRunner().invoke(app, ["weights", "convert", str(path), "--out", str(out)])
    assert done.exit_code == 0
    assert "pickle" not in done.stderr
    assert load_model(out, "sudoku", torch.float32, CPU).config == SUDOKU
    with pytest.raises(WeightsError, match="is already converted"):
        Checkpoint.open(out)


# The table of puzzles.


def test_the_table_is_kept_averaged_or_dropped(checkpoint: Path, tmp_path: Path) -> None:
    rows = official_state(prefix="")[TABLE]
    for table, expected in (
        ("keep", rows),
        ("mean", rows.double().mean(0).float()[None]),
        ("drop", 0 * rows[:1]),
    ):
        out = tmp_path / f"{table}.safetensors"
        info = convert(Checkpoint.open(checkpoint), out, table=table)
        assert torch.equal(load_file(out)[TABLE], expected)
        assert info.config.num_puzzles == len(expected)
        assert info.training["table"] == table
        assert info.training["rows"] == 50
        load_model(out, "arc", torch.float32, CPU)
    with pytest.raises(UsageError, match="--table half is not known"):
        convert(Checkpoint.open(checkpoint), tmp_path / "x", table="half")
    torch.save(
        official_state(replace(CONFIG, puzzle_emb_dim=0, prefix_len=0, num_puzzles=1)),
        tmp_path / "bare",
    )
    with pytest.raises(UsageError, match="has no table of puzzle embeddings"):
        convert(Checkpoint.open(tmp_path / "bare"), tmp_path / "x", table="mean")


def test_own_weights_are_written_anew_with_one_row(checkpoint: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    convert(Checkpoint.open(checkpoint), whole)
    record_score(whole, "dev", {"exact": 0.5})
    small = tmp_path / "small.safetensors"
    command = ["weights", "convert", str(whole), "--table", "mean", "--out", str(small)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(small)
    before = load_file(whole)
    after = load_file(small)
    assert torch.equal(after.pop(TABLE), mean_row(before.pop(TABLE)))
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in after)
    info = read_info(small)
    assert info.config.num_puzzles == 1
    assert info.training["rows"] == 50
    assert info.training["sha256"] == read_info(whole).training["sha256"]
    assert info.scores == {}
    load_model(small, "arc", torch.float32, CPU)
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2
    assert "already exists" in again.stderr


def test_own_weights_are_written_anew_in_another_format(checkpoint: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    convert(Checkpoint.open(checkpoint), whole)
    half = tmp_path / "half.safetensors"
    rewrite(whole, half, dtype=torch.bfloat16)
    for name, tensor in load_file(whole).items():
        assert torch.equal(load_file(half)[name], tensor.bfloat16())
    assert read_info(half).config == read_info(whole).config


def test_damaged_own_weights_are_not_written_anew(checkpoint: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    convert(Checkpoint.open(checkpoint), whole)
    content = bytearray(whole.read_bytes())
    content[-1] ^= 1
    whole.write_bytes(content)
    out = tmp_path / "out.safetensors"
    with pytest.raises(WeightsError, match="checksum"):
        rewrite(whole, out, table="mean")
    assert not out.exists()


def test_the_mean_of_many_rows_is_exact_and_taken_part_by_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = torch.randn(1000, 8)
    whole = mean_row(table)
    monkeypatch.setattr(convert_module, "ROWS_AT_A_TIME", 7)
    assert torch.equal(mean_row(table), whole)
    assert mean_row(table.bfloat16()).dtype == torch.bfloat16


def test_values_may_be_stored_smaller(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "half.safetensors"
    done = CliRunner().invoke(
        app,
        [
            "weights",
            "convert",
            str(checkpoint),
            "--dtype",
            "bf16",
            "--table",
            "mean",
            "--out",
            str(out),
        ],
    )
    assert done.exit_code == 0
    assert {tensor.dtype for tensor in load_file(out).values()} == {torch.bfloat16}


# What is no checkpoint.


class Trap:
    """What a pickle runs when it is read by the usual loader."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, ("sprung",)


def change(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: {**state, name: value}


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            change("trap", Trap()),
            "it contains the name (posix|nt)\\.mkdir, which is not allowed in a checkpoint",
        ),
        (
            lambda state: {"model": {"weights": state}},
            "is not a flat state dict: 'model' is not a tensor",
        ),
        (lambda state: list(state.values()), "is not a state dict"),
        (lambda state: {}, "is not a state dict"),
        (change(f"{PREFIX}extra", torch.zeros(1)), "has an unknown tensor 'extra'"),
        (change("lm_head.weight", torch.zeros(12, 32)), "contains the same tensor twice"),
        (
            change(f"{PREFIX}lm_head.weight", torch.zeros(11, 32)),
            r"lm_head.weight has shape \(11, 32\)",
        ),
        (
            change(f"{PREFIX}lm_head.weight", torch.full((12, 32), torch.nan)),
            "lm_head.weight has values that are not",
        ),
        (
            change(f"{PREFIX}lm_head.weight", torch.zeros(12, 32).int()),
            "does not have plain floating point values",
        ),
        (
            change(f"{PREFIX}H_level.layers.0.mlp.down_proj.weight", torch.zeros(32, 32)),
            "is a Hierarchical Reasoning Model, not a TRM",
        ),
        (
            lambda _: torch.nn.Linear(2, 2),
            r"is a whole pickled model: save its weights alone, with torch\.save",
        ),
        (
            change(f"{PREFIX}lm_head.weight", torch.zeros(12, 32, device="meta")),
            "_rebuild_meta_tensor_no_storage",
        ),
        (
            change(f"{PREFIX}lm_head.weight", torch.zeros(12, 32).to_sparse()),
            "_rebuild_sparse_tensor",
        ),
        (
            change(f"{PREFIX}embed_tokens.embedding_weight", torch.zeros(13, 32)),
            "it has 13 tokens, but known networks have 11",
        ),
        (
            change(f"{PREFIX}embed_tokens.embedding_weight", torch.zeros(12)),
            "it has no tensor embed_tokens",
        ),
        (
            change(f"{PREFIX}embed_tokens.embedding_weight", torch.zeros(12, 36)),
            "hidden_size 36 does not split",
        ),
        (
            lambda state: {
                name: value for name, value in state.items() if "q_head.bias" not in name
            },
            "has no tensor",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse")
def test_what_is_no_checkpoint_is_told_and_nothing_of_it_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    made: Callable[[dict[str, Tensor]], Any],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "step_1"
    torch.save(made(official_state()), path)
    with pytest.raises(WeightsError, match=told) as caught:
        convert(Checkpoint.open(path), tmp_path / "out.safetensors")
    assert "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["step_1"]


def test_files_of_other_kinds_are_told_apart(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "step_1"
    for content, told in (
        (b"\x80\x02}q\x00.", "save it again with a newer version of torch"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (checkpoint.read_bytes()[:20_000], "is not a plain state dict"),
        (b"PK\x03\x04 and no more", "is not a plain state dict"),
    ):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=told):
            Checkpoint.open(path)
    torch.save(official_state(), path, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match="save it again with a newer version of torch"):
        Checkpoint.open(path)
    with pytest.raises(WeightsError, match="no weights at"):
        Checkpoint.open(tmp_path / "absent")
    with pytest.raises(WeightsError, match="is not a file"):
        Checkpoint.open(tmp_path)
    assert not is_pickled(tmp_path / "absent")
    assert not is_pickled(tmp_path)


def rezipped(
    path: Path, change: Callable[[str, bytes], bytes], method: int = zipfile.ZIP_STORED
) -> None:
    """The same zip with other contents, its own checksums right."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, change(name, content))


def test_a_flipped_bit_in_the_values_is_no_other_network(checkpoint: Path, tmp_path: Path) -> None:
    """The loader itself maps the file and compares nothing."""
    data = checkpoint.read_bytes()
    draw = random.Random(1)
    path = tmp_path / "step_1"
    path.write_bytes(data)
    expected = {name: tensor.clone() for name, tensor in Checkpoint.open(path).tensors.items()}
    for _ in range(40):
        damaged = bytearray(data)
        damaged[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        with warnings.catch_warnings(), contextlib.suppress(WeightsError):
            warnings.simplefilter("ignore")
            opened = Checkpoint.open(path)
            assert opened.config == CONFIG
            assert all(
                torch.equal(tensor, expected[name]) for name, tensor in opened.tensors.items()
            )
    with zipfile.ZipFile(checkpoint) as archive:
        entry = max(archive.infolist(), key=lambda entry: entry.file_size)
    damaged = bytearray(data)
    damaged[entry.header_offset + 4096] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(WeightsError, match=r"is damaged: .* in it does not match its checksum"):
        Checkpoint.open(path)


def test_what_grows_when_it_is_unpacked_is_not(checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "step_1"
    path.write_bytes(checkpoint.read_bytes())
    rezipped(path, lambda name, content: content, zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match=r"has compressed parts, unlike files of torch\.save"):
        Checkpoint.open(path)
    path.write_bytes(checkpoint.read_bytes())
    rezipped(path, lambda name, content: b"N" * (5 << 20) if name.endswith("data.pkl") else content)
    with pytest.raises(WeightsError, match="has a pickle of over 1 MiB"):
        Checkpoint.open(path)


def test_a_safetensors_file_is_read_as_strictly(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(official_state(SUDOKU), path)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].replace(
        b"{", b'{"H_init":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},', 1
    )
    header = header.replace(b'"_orig_mod.model.inner.H_init"', b'"H_init"')
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[8 + length :])
    with pytest.raises(WeightsError, match="H_init"):
        Checkpoint.open(path)
    save_file(official_state(SUDOKU), path)
    with pytest.raises(UsageError, match="contains a single network: omit --part"):
        Checkpoint.open(path, part="ema")


def test_a_network_beyond_the_bounds_is_converted_only_if_that_is_wanted(tmp_path: Path) -> None:
    config = replace(SUDOKU, layers=17)
    torch.save(official_state(config), tmp_path / "step_1")
    with pytest.raises(
        WeightsError, match="layers is 17, more than the 16 allowed: use --allow-large to accept it"
    ):
        Checkpoint.open(tmp_path / "step_1")
    assert Checkpoint.open(tmp_path / "step_1", allow_large=True).config == config


def test_flipped_bytes_never_crash_the_reader(checkpoint: Path, tmp_path: Path) -> None:
    data = checkpoint.read_bytes()
    draw = random.Random(0)
    path = tmp_path / "step_1"
    places = [
        place for place in range(len(data)) if place < 4000 or place > len(data) - 4000
    ]  # pickle and directory
    for _ in range(60):
        damaged = bytearray(data)
        damaged[draw.choice(places)] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                Checkpoint.open(path)
            except WeightsError:
                continue


def test_no_fallback_runs_a_pickle(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[dict[str, Any]] = []
    load = torch.load
    monkeypatch.setattr(
        torch, "load", lambda *given, **named: loads.append(named) or load(*given, **named)
    )
    Checkpoint.open(checkpoint)
    assert loads == [{"map_location": "cpu", "mmap": True, "weights_only": True}]


# The command.


def test_nothing_that_exists_is_replaced_and_nothing_half_is_left(
    checkpoint: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("mine")
    done = CliRunner().invoke(app, ["weights", "convert", str(checkpoint), "--out", str(out)])
    assert done.exit_code == 2
    assert done.stderr.strip() == f"trmsolve: {out} already exists: choose another file with --out"
    assert out.read_text() == "mine"


@pytest.mark.parametrize("named", [".", "/", "", "absent", "x" * 300, "a\0b"])
def test_what_is_no_file_is_told_in_a_line(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["weights", "convert", named])
    assert done.exit_code == 3
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_the_table_s_rows_go_with_it(checkpoint: Path, tmp_path: Path) -> None:
    source = tmp_path / "from"
    goal = tmp_path / "to"
    source.mkdir()
    goal.mkdir()
    (source / "step_1").write_bytes(checkpoint.read_bytes())
    (source / "identifiers.json").write_text('["<blank>"]')
    (source / "test_puzzles.json").write_text("{}")
    (goal / "test_puzzles.json").write_text("mine")
    command = ["weights", "convert", str(source / "step_1"), "--out"]
    done = CliRunner().invoke(app, [*command, str(goal / "mean.safetensors"), "--table", "mean"])
    assert done.exit_code == 0
    assert not (goal / "identifiers.json").exists()
    done = CliRunner().invoke(app, [*command, str(goal / "arc.safetensors")])
    assert done.exit_code == 0
    assert (goal / "identifiers.json").read_text() == '["<blank>"]'
    assert (goal / "test_puzzles.json").read_text() == "mine"
    assert done.stderr.count("names the rows") == 1


def test_a_large_checkpoint_is_converted_only_if_that_is_wanted(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE", 1000)
    out = tmp_path / "out.safetensors"
    done = CliRunner().invoke(app, ["weights", "convert", str(checkpoint), "--out", str(out)])
    assert done.exit_code == 3
    assert "use --allow-large to accept it" in done.stderr
    assert not out.exists()
    done = CliRunner().invoke(
        app, ["weights", "convert", str(checkpoint), "--out", str(out), "--allow-large"]
    )
    assert done.exit_code == 0
    assert out.exists()


def test_what_is_assumed_is_said_with_the_option_that_changes_it(
    checkpoint: Path, tmp_path: Path
) -> None:
    command = ["weights", "convert", str(checkpoint), "--out", str(tmp_path / "a.safetensors")]
    done = CliRunner().invoke(app, [*command, "--recursions", "2", "--heads", "4"])
    assert done.exit_code == 0
    assert done.stderr.splitlines()[1:] == [
        "arc, T = 2, n = 4, attention, positions rope, hidden size 32, 2 layers",
        "assumed as in the paper, because no option or settings file gives them: "
        "--latent-steps 4, --positions rope",
    ]
    info = read_info(tmp_path / "a.safetensors")
    assert info.config == replace(CONFIG, recursions=2, num_heads=4)
    assert info.training["assumed"] == ["latent_steps", "positions"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--table", "half"], "--table half is not known: use keep, mean, drop"),
        (["--dtype", "int8"], "--dtype int8 is not known: use keep, fp32, bf16"),
        (["--task", "chess"], "--task chess is not known: use sudoku, maze, arc"),
        (["--positions", "spiral"], "--positions spiral is not known: use rope, none, learned"),
        (["--recursions", "0"], "--recursions"),
    ],
)
def test_odd_options_are_told_before_any_work(
    checkpoint: Path, given: list[str], told: str
) -> None:
    done = CliRunner().invoke(app, ["weights", "convert", str(checkpoint), *given])
    assert done.exit_code == 2
    assert told in done.stderr
    assert "pickle" not in done.stderr
