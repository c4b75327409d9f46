"""A plane for every symbol: all are alike, and positions are told in the same way for all."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from tests.support.planes import PLANES, SIZE, network
from trmsolve.errors import WeightsError
from trmsolve.model.config import TRMConfig
from trmsolve.model.mixers import PlaneMixer
from trmsolve.model.network import Prediction, TinyRecursiveModel
from trmsolve.model.planes import OUTSIDE, PlaneEmbedding, PlanesBatch, PlanesModel
from trmsolve.weights.file import fingerprint, load_model, read_info, save_weights
from trmsolve.weights.info import WeightsInfo

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


def batch(
    palette: list[int], side: int = 6, grid: tuple[int, int] = (4, 5), seed: int = 0
) -> PlanesBatch:
    """Two grids of the palette's symbols, the first of which is ``OUTSIDE``."""
    tokens = torch.full((2, side, side), OUTSIDE)
    drawn = torch.randint(
        1, len(palette), (2, *grid), generator=torch.Generator().manual_seed(seed)
    )
    tokens[:, : grid[0], : grid[1]] = torch.tensor(palette)[drawn]
    return PlanesBatch(
        tokens, torch.tensor([palette, palette]), torch.tensor([0, 3]), torch.tensor([0, 2])
    )


def predict(model: PlanesModel, shown: PlanesBatch, cycles: int = 2) -> Prediction:
    state = model.initial_state(
        len(shown.tokens), spatial_shape=(shown.palette.shape[1], *shown.tokens.shape[1:])
    )
    for _ in range(cycles):
        state, prediction = model.cycle(state, shown)
    return prediction


def same(a: Prediction, b: Prediction, order: list[int] | None = None) -> None:
    """The logits of b are those of a in that order of planes; the halting logits are the same."""
    torch.testing.assert_close(
        a.logits[..., order] if order else a.logits, b.logits, atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(a.halt, b.halt, atol=1e-5, rtol=1e-5)


ORDER = [2, 0, 3, 1]


def test_logits_say_of_each_cell_which_plane_it_is_on() -> None:
    prediction = predict(network(), batch([0, 1, 4, 7], side=6))
    assert prediction.logits.shape == (2, 36, 4) and prediction.halt.shape == (2, 2)


def test_the_order_of_planes_means_nothing() -> None:
    shown = batch([0, 1, 4, 7])
    turned = shown._replace(palette=shown.palette[:, ORDER])
    same(predict(network(), shown), predict(network(), turned), ORDER)


@pytest.mark.parametrize("alike", ["none", "zero", "equal"])
def test_a_renaming_of_symbols_changes_nothing(alike: str) -> None:
    model = network(replace(PLANES, puzzle_emb_dim=0) if alike == "none" else PLANES)
    if model.puzzle_emb is not None:
        slots = model.puzzle_emb.weights.view(3, 12, SIZE)
        slots[:, 1:] = 0 if alike == "zero" else slots[:, 1:2].clone()
    shown = batch([0, 1, 4, 7])
    to = torch.arange(11)
    to[[1, 4, 7]] = torch.tensor([9, 1, 4])
    same(
        predict(model, shown),
        predict(model, shown._replace(tokens=to[shown.tokens], palette=to[shown.palette])),
    )


def test_symbols_that_the_puzzle_tells_apart_are_not_alike() -> None:
    model, shown = network(), batch([0, 1, 4, 7])
    to = torch.arange(11)
    to[[1, 4, 7]] = torch.tensor([9, 1, 4])
    renamed = shown._replace(tokens=to[shown.tokens], palette=to[shown.palette])
    assert not torch.allclose(
        predict(model, shown).logits, predict(model, renamed).logits, atol=1e-2
    )


def test_outside_is_like_no_colour() -> None:
    model, shown = network(replace(PLANES, puzzle_emb_dim=0)), batch([0, 1, 4, 7])
    model.embed_planes.edges.zero_()  # by which, too, the outside can be told
    to = torch.arange(11)
    to[[0, 1]] = torch.tensor([1, 0])
    renamed = shown._replace(tokens=to[shown.tokens], palette=to[shown.palette])
    assert not torch.allclose(
        predict(model, shown).logits, predict(model, renamed).logits, atol=1e-2
    )


def test_a_plane_that_stays_empty_is_heard_by_the_others_whichever_symbol_it_has() -> None:
    """The means are over all planes: so a network answers with as many planes as it learns with."""
    model = network(replace(PLANES, puzzle_emb_dim=0))
    shown = batch([0, 1, 4, 7])
    wider = [
        shown._replace(palette=torch.cat((shown.palette, torch.full((2, 1), more)), 1))
        for more in (2, 9)
    ]
    alone, with_2, with_9 = predict(model, shown), *(predict(model, one) for one in wider)
    same(with_2, with_9)
    assert not torch.allclose(alone.logits, with_2.logits[..., :4], atol=1e-3)


def test_a_larger_canvas_is_heard_in_the_means() -> None:
    """So a network answers on a canvas as large as it learns on."""
    model = network()
    small, large = (
        predict(model, batch([0, 1, 4], side)).logits.unflatten(1, (side, side)) for side in (6, 8)
    )
    assert not torch.allclose(small, large[:, :6, :6], atol=1e-3)


def test_grids_of_a_batch_do_not_hear_each_other() -> None:
    model, shown = network(), batch([0, 1, 4, 7])
    together = predict(model, shown)
    for row in (0, 1):
        alone = predict(model, PlanesBatch(*(part[row : row + 1] for part in shown)))
        torch.testing.assert_close(alone.logits[0], together.logits[row], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(alone.halt[0], together.halt[row], atol=1e-5, rtol=1e-5)


def test_the_symmetry_is_told() -> None:
    shown = batch([0, 1, 4])
    told = [
        predict(network(), shown._replace(symmetries=torch.tensor([s, 3]))).logits for s in (0, 5)
    ]
    assert not torch.allclose(told[0][0], told[1][0], atol=1e-3)
    torch.testing.assert_close(told[0][1], told[1][1])


def test_a_slot_reaches_its_own_symbol_alone_and_the_puzzles_slot_all() -> None:
    model, shown = network(), batch([0, 1, 4, 7])
    assert model.puzzle_emb is not None
    before = model.embed_batch(shown)
    for slot, planes in (
        (0, {0, 1, 2, 3}),
        (1 + OUTSIDE, {0}),
        (1 + 4, {2}),
        (1 + 7, {3}),
        (1 + 9, set[int]()),
    ):
        changed = network()
        assert changed.puzzle_emb is not None
        changed.puzzle_emb.weights[0].view(12, SIZE)[slot] += 1
        difference = changed.embed_batch(shown) - before
        assert not difference[1].any()  # the other grid is another puzzle's
        assert {k for k in range(4) if difference[0, k].any()} == planes
        for k in planes:
            torch.testing.assert_close(difference[0, k], torch.ones_like(difference[0, k]))


@pytest.mark.parametrize(
    ("rows", "columns", "side"), [(1, 1, 1), (4, 5, 5), (4, 5, 9), (2, 30, 30), (30, 30, 30)]
)
def test_a_cell_knows_how_far_the_edges_of_the_grid_are(rows: int, columns: int, side: int) -> None:
    embedding = network().embed_planes
    assert isinstance(embedding, PlaneEmbedding)
    tokens = torch.full((1, side, side), OUTSIDE)
    tokens[:, :rows, :columns] = 3
    places = embedding._places(tokens)[0]
    top, bottom, left, right = embedding.edges
    for r in range(side):
        for c in range(side):
            down = top[r] + bottom[rows - 1 - r if r < rows else 30]
            along = left[c] + right[columns - 1 - c if c < columns else 30]
            torch.testing.assert_close(places[r, c], down + along)


def test_what_a_cell_of_the_grid_begins_with_does_not_depend_on_the_canvas() -> None:
    model = network()
    small, large = (model.embed_batch(batch([0, 1, 4, 7], side)) for side in (5, 8))
    torch.testing.assert_close(small[:, :, :4], large[:, :, :4, :5])


def test_the_mixer_hears_neighbours_line_column_plane_and_place() -> None:
    """Which cells change when one does, for each part of the mixer alone."""
    torch.manual_seed(0)
    mixer = PlaneMixer(PLANES).requires_grad_(False)
    heard = {
        name: set[tuple[int, int, int]]()
        for name in ("near", "lines", "columns", "planes", "boards", "places")
    }
    h = torch.randn(1, 3, 6, 7, SIZE)
    other = h.clone()
    other[0, 1, 2, 3] += 1
    for kept, name in enumerate(heard):
        only = PlaneMixer(PLANES).requires_grad_(False)
        only.load_state_dict(mixer.state_dict())
        if kept:
            only.conv.zero_()
        for part in range(len(only.o_proj)):
            if part != kept - 1:
                only.get_parameter(f"o_proj.{part}.weight").zero_()
        difference = (only.mix(other) - only.mix(h)).abs().amax(-1)[0]
        heard[name] = {(k, r, c) for k, r, c in (difference > 1e-6).nonzero().tolist()}
    everywhere = {(k, r, c) for k in range(3) for r in range(6) for c in range(7)}
    assert heard == {
        "near": {(1, r, c) for r in (1, 2, 3) for c in (2, 3, 4)},
        "lines": {(1, 2, c) for c in range(7)},
        "columns": {(1, r, 3) for r in range(6)},
        "planes": {cell for cell in everywhere if cell[0] == 1},
        "boards": everywhere,
        "places": {(k, 2, 3) for k in range(3)},
    }


def test_bf16_and_autograd_go_through() -> None:
    model = network()
    wide = predict(model, batch([0, 1, 4]), 1)
    model.dtype = torch.bfloat16
    narrow = predict(model, batch([0, 1, 4]), 1)
    assert narrow.logits.dtype == torch.bfloat16 and narrow.halt.dtype == torch.float32
    assert (narrow.logits.float() - wide.logits).abs().max() < 0.5
    model = PlanesModel(PLANES)
    prediction = predict(model, batch([0, 1, 4]), 1)
    prediction.logits.square().sum().backward()
    still = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert still == {"q_head.weight", "q_head.bias"}
    table = model.get_parameter("puzzle_emb.weights").grad
    assert (
        table is not None
        and table.is_sparse
        and sorted(table.coalesce().indices()[0].tolist()) == [0, 2]
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"symmetries": 0}, "the planes mixer, and no other, needs symmetries"),
        (
            {"mixer": "conv", "puzzle_emb_dim": 0},
            "the planes mixer, and no other, needs symmetries",
        ),
        ({"symmetries": -1}, "symmetries must be a whole number from 0 to 1024, not -1"),
        ({"symmetries": True}, "symmetries must be a whole number from 0 to 1024, not True"),
        ({"puzzle_emb_dim": SIZE}, "planes need a puzzle_emb_dim of 0 or 192"),
        ({"vocab_size": 12}, "planes need a puzzle_emb_dim of 0 or 208"),
        ({"prefix_len": 1}, "the planes mixer needs a board and has no prefix"),
        ({"board": None}, "the planes mixer needs a board and has no prefix"),
        ({"board": (30, 29, 1, 1)}, "does not tile 900 tokens"),
        (
            {"candidates": 2, "vocab_size": 2, "puzzle_emb_dim": 0},
            "does not go with 2 candidates a cell",
        ),
        (
            {"feeds_back_answer": True},
            "feeds_back_answer goes with neither a prefix nor a lattice nor planes",
        ),
    ],
)
def test_what_planes_cannot_be_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PLANES, **changes)


def test_the_config_survives_json() -> None:
    assert TRMConfig.from_dict(json.loads(json.dumps(PLANES.to_dict()))) == PLANES
    assert PLANES.spatial_shape == (30, 30)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "arc.safetensors"
    save_weights(path, network().state_dict(), WeightsInfo(PLANES, "arc"), torch.float32)
    return path


def test_what_is_saved_is_loaded(weights: Path) -> None:
    assert read_info(weights).config == PLANES
    again, shown = load_model(weights, "arc", torch.float32, CPU), batch([0, 1, 4])
    assert torch.equal(predict(again, shown).logits, predict(network(), shown).logits)


def test_a_row_of_the_table_is_read_alone(weights: Path) -> None:
    one = load_model(weights, "arc", torch.float32, CPU, [2])
    shown = batch([0, 1, 4])
    second = PlanesBatch(*(part[1:] for part in shown))
    asked = second._replace(puzzle_ids=torch.tensor([0]))
    torch.testing.assert_close(predict(one, asked).logits, predict(network(), second).logits)


def short_table(tensors: dict[str, Tensor]) -> None:
    tensors["puzzle_emb.weights"] = tensors["puzzle_emb.weights"][:, SIZE:].contiguous()


def no_kernel(tensors: dict[str, Tensor]) -> None:
    del tensors["L_level.layers.0.planes.conv"]


def a_head_for_symbols(tensors: dict[str, Tensor]) -> None:
    tensors["lm_head.weight"] = tensors["lm_head.weight"].repeat(11, 1)


def few_symmetries(tensors: dict[str, Tensor]) -> None:
    tensors["embed_planes.symmetries"] = tensors["embed_planes.symmetries"][:1].clone()


def tokens_too(tensors: dict[str, Tensor]) -> None:
    tensors["embed_tokens.embedding_weight"] = torch.zeros(11, SIZE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (short_table, r"puzzle_emb\.weights has shape \(3, 176\), not \(3, 192\)"),
        (no_kernel, r"has no tensor 'L_level\.layers\.0\.planes\.conv'"),
        (a_head_for_symbols, r"lm_head\.weight has shape \(11, 16\), not \(1, 16\)"),
        (few_symmetries, r"embed_planes\.symmetries has shape \(1, 16\), not \(8, 16\)"),
        (tokens_too, r"has an unknown tensor 'embed_tokens\.embedding_weight'"),
    ],
)
def test_tensors_must_fit_the_config(
    tmp_path: Path, change: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    tensors = network().state_dict()
    change(tensors)
    path = tmp_path / "odd.safetensors"
    save_weights(path, tensors, WeightsInfo(PLANES, "arc"), torch.float32)
    with pytest.raises(WeightsError, match=message):
        load_model(path, "arc", torch.float32, CPU)


def hashed(path: Path, config: TRMConfig, without: tuple[str, ...]) -> str:
    """The fingerprint as it was before the config had the fields ``without``."""
    header = int.from_bytes(path.read_bytes()[:8], "little")
    fields = {name: value for name, value in config.to_dict().items() if name not in without}
    return hashlib.sha256(
        path.read_bytes()[8 + header :] + json.dumps(fields, sort_keys=True).encode()
    ).hexdigest()


def test_fingerprints_of_networks_without_planes_are_what_they_were(
    tmp_path: Path, weights: Path
) -> None:
    flat = TRMConfig(
        vocab_size=11,
        seq_len=81,
        hidden_size=16,
        num_heads=2,
        layers=1,
        recursions=1,
        latent_steps=1,
    )
    path = tmp_path / "flat.safetensors"
    save_weights(
        path, TinyRecursiveModel(flat).state_dict(), WeightsInfo(flat, "sudoku"), torch.float32
    )
    later = (
        "feeds_back_answer",
        "frozen_tokens",
        "lookup_channels",
        "line_lookup_channels",
    )
    assert fingerprint(path) == hashed(path, flat, ("symmetries", *later))
    assert fingerprint(weights) == hashed(weights, PLANES, later)
    with safe_open(weights, framework="pt") as file:
        names = file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    deeper = replace(PLANES, recursions=2)
    save_weights(
        tmp_path / "deeper.safetensors", tensors, WeightsInfo(deeper, "arc"), torch.float32
    )
    assert fingerprint(tmp_path / "deeper.safetensors") != fingerprint(weights)
