"""Tests of the places where a cell may look."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.support.planes import GRIDS, batch
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.model.lookups import ALONG_AN_AXIS, LOOKUPS, GridLookups, Lookups, grid_lookups
from trmsolve.model.planes import PlanesBlock

PLANES = replace(GRIDS, lookup_channels=2)


def canvas(height: int, width: int, side: int) -> Tensor:
    """(1, side, side): the cells of a grid in the upper left corner."""
    inside = torch.zeros(1, side, side, dtype=torch.bool)
    inside[:, :height, :width] = True
    return inside


def targets(matrices: Tensor) -> list[list[int | None]]:
    """For each lookup of the first grid, where each place looks."""
    found: list[list[int | None]] = []
    for lookup in matrices[0]:
        places: list[int | None] = []
        for row in lookup:
            assert row.sum() <= 1
            places.append(int(row.argmax()) if row.any() else None)
        found.append(places)
    return found


N = None


def test_each_lookup_leads_where_it_says() -> None:
    lookups = grid_lookups(canvas(3, 4, 9), torch.float32)
    assert targets(lookups.rows) == [
        [2, 1, 0, N, N, N, N, N, N],  # mirrored
        [N, N, N, 2, 1, 0, 0, 1, 2],  # mirrored by turns
        [N, N, N, 0, 1, 2, 0, 1, 2],  # repeated
        [2, 3, 4, 5, 6, 7, 8, N, N],  # half ahead
        [N, N, 0, 1, 2, 3, 4, 5, 6],  # half behind
        [1, 2, 3, 4, 5, 6, 7, 8, N],  # third ahead
        [N, 0, 1, 2, 3, 4, 5, 6, 7],  # third behind
        [0, 0, 1, 1, 2, 2, 3, 3, 4],  # twice as large
        [0, 0, 0, 1, 1, 1, 2, 2, 2],  # three times as large
        [0, 0, 0, 1, 1, 1, 2, 2, 2],  # large as itself
    ]
    columns = targets(lookups.columns)
    assert columns[0] == [3, 2, 1, 0, N, N, N, N, N]
    assert columns[-1] == [0, 0, 0, 0, 1, 1, 1, 1, 2]


@pytest.mark.parametrize(("length", "to"), [(4, 2), (5, 3), (9, 5), (10, 5)])
def test_halves_lie_beside_each_other_or_have_a_line_between(length: int, to: int) -> None:
    lookups = grid_lookups(canvas(length, 1, length), torch.float32)
    assert targets(lookups.rows)[3][0] == to


def test_grids_without_cells_and_of_one_cell_have_lookups() -> None:
    for side in (0, 1):
        lookups = grid_lookups(canvas(side, side, 3), torch.float32)
        assert lookups.rows.shape == (1, len(ALONG_AN_AXIS), 3, 3)
        assert torch.isfinite(lookups.rows).all()


def test_cells_see_what_lies_where_they_look() -> None:
    """Against a plain loop over cells, with weights that only copy."""
    torch.manual_seed(0)
    lookups = Lookups(replace(PLANES, lookup_channels=1))
    with torch.no_grad():
        lookups.out_proj.weight.normal_()
    given = grid_lookups(torch.cat((canvas(3, 2, 4), canvas(4, 4, 4))), torch.float32)
    h = torch.randn(2, 3, 4, 4, 16)
    shown = lookups.in_proj(h)
    along = len(ALONG_AN_AXIS)
    seen = torch.zeros(2, 3, 4, 4, LOOKUPS)
    rows = [targets(given.rows[grid : grid + 1]) for grid in range(2)]
    columns = [targets(given.columns[grid : grid + 1]) for grid in range(2)]
    for grid in range(2):
        for row in range(4):
            for column in range(4):
                for lookup in range(along):
                    above = rows[grid][lookup][row]
                    if above is not None:
                        seen[grid, :, row, column, lookup] = shown[grid, :, above, column, lookup]
                    beside = columns[grid][lookup][column]
                    if beside is not None:
                        number = along + lookup
                        seen[grid, :, row, column, number] = shown[grid, :, row, beside, number]
                seen[grid, :, row, column, -1] = shown[grid, :, column, row, -1]
    torch.testing.assert_close(lookups(h, given), lookups.out_proj(seen))


def test_a_network_that_has_not_learned_to_look_answers_as_one_without() -> None:
    torch.manual_seed(0)
    looking = new_model(PLANES).eval()
    blind = new_model(replace(PLANES, lookup_channels=0)).eval()
    own = looking.state_dict()
    blind.load_state_dict({name: own[name] for name in blind.state_dict()})
    tokens = torch.randint(0, 11, (2, 5, 5))
    answers = []
    for model in (looking, blind):
        state = model.initial_state(2, spatial_shape=(11, 5, 5))
        answers.append(model.cycle(state, batch(tokens))[1].logits)
    assert torch.equal(*answers)


def test_only_the_first_block_looks() -> None:
    model = new_model(PLANES)
    first, second = model.L_level.layers
    assert isinstance(first, PlanesBlock)
    assert isinstance(second, PlanesBlock)
    assert first.lookups is not None
    assert second.lookups is None


def test_a_network_learns_to_mirror_far_grids() -> None:
    """The far end of a row is out of reach of so few convolutions."""
    torch.manual_seed(0)
    losses = {}
    for channels in (0, 4):
        model = new_model(replace(PLANES, layers=1, lookup_channels=channels))
        optimizer = torch.optim.Adam(_dense(model), lr=0.01)
        for _ in range(60):
            tokens = torch.randint(1, 3, (4, 12, 12))
            wanted = tokens.flip(2).flatten(1)
            state = model.initial_state(4, spatial_shape=(3, 12, 12))
            logits = model.cycle(state, batch(tokens, planes=3))[1].logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[channels] = float(loss.detach())
    assert losses[4] < 0.2
    assert losses[0] > 0.5


def _dense(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    return [one for name, one in model.named_parameters() if "puzzle_emb" not in name]


def test_other_mixers_have_no_lookups() -> None:
    with pytest.raises(ValueError, match="the planes mixer, and no other, has lookup_channels"):
        TRMConfig(vocab_size=11, seq_len=81, lookup_channels=4)


def test_lookups_are_those_of_each_grid_of_a_batch() -> None:
    both = grid_lookups(torch.cat((canvas(2, 3, 4), canvas(4, 4, 4))), torch.float32)
    for grid, (height, width) in enumerate(((2, 3), (4, 4))):
        alone = grid_lookups(canvas(height, width, 4), torch.float32)
        assert isinstance(both, GridLookups)
        assert torch.equal(both.rows[grid], alone.rows[0])
        assert torch.equal(both.columns[grid], alone.columns[0])
