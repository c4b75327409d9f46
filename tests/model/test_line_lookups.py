"""Tests of where a cell looks along its row and its column."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.support.planes import GRIDS, batch
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.model.line_lookups import WAYS, LineLookups, LookAlongLines, line_lookups
from trmsolve.model.planes import OUTSIDE, PlanesBlock

PLANES = replace(GRIDS, line_lookup_channels=2)
N = None


def targets(line: Tensor) -> list[int | None]:
    """Where each place of a line (places, places) looks."""
    assert (line.sum(1) <= 1).all()
    return [int(row.argmax()) if row.any() else None for row in line]


def canvas(rows: list[str]) -> Tensor:
    """(1, side, side) symbols; a dot is the background, a space is outside."""
    symbols = [[" .abc".index(character) for character in row] for row in rows]
    return torch.tensor(symbols)[None]


def test_each_way_leads_where_it_says() -> None:
    tokens = canvas([".a.b. ", "..... ", "..... ", "..... ", "..... ", "      "])
    row = line_lookups(tokens, OUTSIDE, torch.float32).horizontal[0, :, 0]
    assert [targets(way) for way in row] == [
        [N, N, 1, 1, 3, 3],  # nearest before, also from outside
        [1, 3, 3, N, N, N],  # nearest behind
        [1, 3, 0, 2, 4, N],  # packed to the start
        [0, 2, 4, 1, 3, N],  # packed to the end
    ]


def test_columns_look_as_rows_do_and_grids_of_a_batch_apart() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(1, 5, (3, 6, 6))
    tokens[1, 4:] = OUTSIDE
    both = line_lookups(tokens, OUTSIDE, torch.float32)
    exchanged = line_lookups(tokens.transpose(1, 2), OUTSIDE, torch.float32)
    assert isinstance(both, LineLookups)
    assert torch.equal(both.vertical, exchanged.horizontal)
    for grid in range(3):
        alone = line_lookups(tokens[grid : grid + 1], OUTSIDE, torch.float32)
        assert torch.equal(both.horizontal[grid], alone.horizontal[0])


def test_the_background_is_the_most_frequent_symbol_whichever_it_is() -> None:
    dark = canvas(["..a", ".b.", "..."])
    bright = dark.clone()
    bright[dark == 1] = 4
    bright[dark == 2] = 1
    for first, second in zip(
        line_lookups(dark, OUTSIDE, torch.float32),
        line_lookups(bright, OUTSIDE, torch.float32),
        strict=True,
    ):
        assert torch.equal(first, second)


def test_canvases_without_cells_have_lookups_that_lead_nowhere() -> None:
    nothing = line_lookups(torch.zeros(1, 3, 3, dtype=torch.long), OUTSIDE, torch.float32)
    assert not nothing.vertical.any()
    assert not nothing.horizontal.any()


def test_the_packed_way_lets_cells_fall() -> None:
    tokens = canvas(["a..c", "..b.", "b...", "...."])
    falling = line_lookups(tokens, OUTSIDE, torch.float32).vertical[:, WAYS - 1]
    fallen = torch.einsum("bcrs,bsc->brc", falling, tokens.float()).long()
    assert torch.equal(fallen, canvas(["....", "....", "a...", "b.bc"]))


def test_cells_see_what_lies_where_they_look() -> None:
    """Against a plain loop over cells, with weights that only copy."""
    torch.manual_seed(0)
    looking = LookAlongLines(replace(PLANES, line_lookup_channels=1))
    with torch.no_grad():
        looking.out_proj.weight.normal_()
    tokens = torch.randint(1, 4, (2, 4, 4))
    given = line_lookups(tokens, OUTSIDE, torch.float32)
    h = torch.randn(2, 3, 4, 4, 16)
    shown = looking.in_proj(h)
    seen = torch.zeros(2, 3, 4, 4, 2 * WAYS)
    for grid in range(2):
        for way in range(WAYS):
            for row in range(4):
                for column in range(4):
                    above = targets(given.vertical[grid, way, column])[row]
                    if above is not None:
                        seen[grid, :, row, column, way] = shown[grid, :, above, column, way]
                    beside = targets(given.horizontal[grid, way, row])[column]
                    if beside is not None:
                        number = WAYS + way
                        seen[grid, :, row, column, number] = shown[grid, :, row, beside, number]
    torch.testing.assert_close(looking(h, given), looking.out_proj(seen))


def test_only_the_first_block_looks() -> None:
    first, second = new_model(PLANES).L_level.layers
    assert isinstance(first, PlanesBlock)
    assert isinstance(second, PlanesBlock)
    assert first.line_lookups is not None
    assert second.line_lookups is None


def test_a_network_learns_to_let_cells_of_many_colours_fall() -> None:
    """Which colour comes to lie where depends on the order of a column's cells."""
    torch.manual_seed(0)
    losses = {}
    for channels in (0, 4):
        model = new_model(replace(PLANES, layers=1, line_lookup_channels=channels))
        dense = [one for name, one in model.named_parameters() if "puzzle_emb" not in name]
        optimizer = torch.optim.Adam(dense, lr=0.01)
        for _ in range(60):
            marked = torch.rand(8, 9, 9) < 0.3
            tokens = torch.where(marked, torch.randint(2, 6, marked.shape), 1)
            order = marked.long().argsort(dim=1, stable=True)
            wanted = tokens.gather(1, order).flatten(1)
            state = model.initial_state(8, spatial_shape=(6, 9, 9))
            logits = model.cycle(state, batch(tokens, planes=6))[1].logits
            loss = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[channels] = float(loss.detach())
    assert losses[4] < 0.05
    assert losses[0] > 0.2


def test_other_mixers_have_no_line_lookups() -> None:
    with pytest.raises(ValueError, match="the planes mixer, and no other, has line_lookup_channe"):
        TRMConfig(vocab_size=11, seq_len=81, line_lookup_channels=4)
