"""Objects and regions of a grid."""

import numpy as np

from tests.support.grids import grid
from trmsolve.arc.generate import components


def test_objects_have_one_colour_and_may_touch_at_corners() -> None:
    found = components.find_objects(grid("1.2 .12 ..."))
    assert [(thing.colour, thing.size) for thing in found] == [(1, 2), (2, 2)]
    first, second = found
    assert first.picture.tolist() == [[1, 0], [0, 1]]
    assert (second.top, second.left, second.bottom, second.right) == (0, 2, 2, 3)


def test_mixed_objects_have_several_colours() -> None:
    (thing,) = components.find_objects(grid("1.2 .12 ..."), mixed=True)
    assert thing.picture.tolist() == [[1, 0, 2], [0, 1, 2]]


def test_regions_touch_at_their_sides_only() -> None:
    given = grid("1.2 .12 ...")
    found = components.find_regions(given, given == 0)
    assert sorted(region.size for region in found) == [1, 4]


def test_neighbours_stay_inside_the_grid() -> None:
    mask = grid("1.. ... ..1") != 0
    reached = components.neighbours(mask, components.SIDES)
    assert reached.astype(int).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_the_interior_does_not_touch_what_is_outside() -> None:
    mask = grid("111. 1111 1111 ...1") != 0
    assert np.argwhere(components.interior(mask)).tolist() == [[1, 1]]


def test_what_an_open_side_connects_with_the_edge_is_not_enclosed() -> None:
    empty = grid("1111 1..1 1111 1..1") == 0
    assert np.argwhere(components.enclosed(empty)).tolist() == [[1, 1], [1, 2]]
