"""Scenes of areas: rooms between walls, and panels beside each other."""

from itertools import pairwise

import numpy as np

from trmsolve.arc.generate.components import Mask
from trmsolve.arc.generate.scenes.cells import noise
from trmsolve.arc.generate.scenes.drawing import empty_grid, random_colours, random_mask
from trmsolve.arc.generate.setting import Setting
from trmsolve.puzzles.values import Grid


def rooms(setting: Setting) -> Grid:
    """Draw walls of the marker's colour that divide the grid into empty rooms."""
    grid = empty_grid(setting)
    for turned in (grid, grid.T):
        row = setting.between(1, 3)
        while row < len(turned) - 1:
            turned[row] = setting.marker
            row += setting.between(2, 5)
    return grid


def rooms_with_seeds(setting: Setting) -> Grid:
    """Draw rooms, with one coloured cell in some of them."""
    grid = rooms(setting)
    row_starts = _starts((grid == setting.marker).all(1))
    column_starts = _starts((grid == setting.marker).all(0))
    for top, bottom in row_starts:
        for left, right in column_starts:
            if setting.chance(0.4):
                at = setting.between(top, bottom - 1), setting.between(left, right - 1)
                grid[at] = setting.colour()
    return grid


def _starts(walls: Mask) -> list[tuple[int, int]]:
    """The first line of each room, and the line after its last."""
    places = [-1, *np.flatnonzero(walls).tolist(), len(walls)]
    pairs = pairwise(places)
    return [(before + 1, after) for before, after in pairs if after - before > 1]


def _joined(setting: Setting, panels: list[Grid], lying: bool) -> Grid:
    """The panels in a row, or below each other if ``lying``, with lines between them."""
    parts = [panels[0].T if lying else panels[0]]
    line = np.full((parts[0].shape[0], 1), setting.marker, np.int8)
    for panel in panels[1:]:
        parts += [line, panel.T if lying else panel]
    joined = np.concatenate(parts, 1)
    return joined.T if lying else joined


def _is_lying(setting: Setting) -> bool:
    """Whether the panels of this task lie below each other: the same in all its grids."""
    return setting.style < 0.5


def two_panels(setting: Setting) -> Grid:
    """Draw two panels of noise, each in one colour, the same two in all grids of the task."""
    shape = setting.size()
    masks = [random_mask(setting, shape, 0.5) for _ in range(2)]
    panels = [
        (mask * colour).astype(np.int8)
        for mask, colour in zip(masks, setting.palette, strict=False)
    ]
    return _joined(setting, panels, _is_lying(setting))


def one_odd_panel(setting: Setting) -> Grid:
    """Draw three equal panels but one that differs in some cells."""
    panel = noise(setting)
    other = np.where(
        random_mask(setting, panel.shape, 0.2), random_colours(setting, panel.shape), panel
    )
    panels = [panel, panel, panel]
    panels[setting.between(0, 2)] = other.astype(np.int8)
    return _joined(setting, panels, _is_lying(setting))


def panels_of_noise(setting: Setting) -> Grid:
    """Draw two or three panels of noise that are filled differently."""
    shape = setting.size()
    panels = []
    for _ in range(setting.between(2, 3)):
        share = 0.1 + 0.8 * setting.rng.random()
        cells = np.where(random_mask(setting, shape, share), random_colours(setting, shape), 0)
        panels.append(cells.astype(np.int8))
    return _joined(setting, panels, _is_lying(setting))
