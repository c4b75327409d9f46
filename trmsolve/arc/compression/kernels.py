"""Compiled loops over the lines of a grid in the eight directions.

Arrays are (copies, channels, 8 directions, cells, grids), float32 and contiguous. The grids are the
examples, or examples times colours. ``live`` is (cells, grids): 1 for cells that a grid may have, 0
for others. Each loop works on the channels from ``first`` on, ``WIDTH`` of them, and leaves all
others alone.

``order`` has, for each direction, the cells line after line; ``begins`` where each line begins in
it, and ``counts`` how many lines there are.

Torch would need hundreds of calls for what is one loop here. The results are tested against torch.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import float_kernel

Floats = NDArray[np.float32]
Cells = NDArray[np.int16]
Table = NDArray[np.int64]

STEPS = np.array(
    [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)], dtype=np.int64
)
"""(rows, columns) of a step in each direction."""

WIDTH = 4
"""The channels of each way to look along lines."""

MARGIN = np.float32(1e-3)
"""Added at both ends of the range of a line, so that a line of equal values has one."""


@float_kernel
def maximum_forward(  # noqa: PLR0913, C901 (plain loops are what numba compiles best)
    values: Floats,
    first: int,
    live: Floats,
    order: Table,
    begins: Table,
    counts: Table,
    result: Floats,
    sources: Cells,
    lowest: Cells,
    highest: Cells,
) -> None:
    """The running maximum along every line, scaled to the line's own range, -1 to 1.

    Odd channels go along the lines in the other sense. ``sources`` (copies, WIDTH, 8, cells, grids)
    becomes the cell that each maximum comes from, ``lowest`` and ``highest`` (copies, WIDTH, 8,
    lines, grids) the cells of the extremes of each line, -1 for a line without live cells.
    """
    copies, _, directions, _, grids = values.shape
    most = np.empty(grids, np.float32)
    least = np.empty(grids, np.float32)
    most_at = np.empty(grids, np.int16)
    least_at = np.empty(grids, np.int16)
    for copy in range(copies):
        for part in range(WIDTH):
            channel = first + part
            for direction in range(directions):
                for line in range(counts[direction]):
                    begin = begins[direction, line]
                    end = begins[direction, line + 1]
                    for grid in range(grids):
                        most[grid] = -1e30
                        least[grid] = 1e30
                        most_at[grid] = -1
                        least_at[grid] = -1
                    for step in range(end - begin):
                        place = begin + step if part % 2 == 0 else end - 1 - step
                        cell = order[direction, place]
                        for grid in range(grids):
                            value = values[copy, channel, direction, cell, grid]
                            is_live = live[cell, grid] > np.float32(0.0)
                            above = is_live and value > most[grid]
                            most[grid] = value if above else most[grid]
                            most_at[grid] = np.int16(cell) if above else most_at[grid]
                            below = is_live and value < least[grid]
                            least[grid] = value if below else least[grid]
                            least_at[grid] = np.int16(cell) if below else least_at[grid]
                            sources[copy, part, direction, cell, grid] = most_at[grid]
                            result[copy, channel, direction, cell, grid] = most[grid]
                    for grid in range(grids):
                        lowest[copy, part, direction, line, grid] = least_at[grid]
                        highest[copy, part, direction, line, grid] = most_at[grid]
                        span = most[grid] - least[grid] + 2 * MARGIN
                        most[grid] = np.float32(2.0) / span
                    for place in range(begin, end):
                        cell = order[direction, place]
                        for grid in range(grids):
                            above_least = (
                                result[copy, channel, direction, cell, grid] - least[grid] + MARGIN
                            )
                            scaled = above_least * most[grid] - np.float32(1.0)
                            is_live = live[cell, grid] > np.float32(0.0)
                            result[copy, channel, direction, cell, grid] = (
                                scaled if is_live else 0.0
                            )


@float_kernel
def maximum_backward(  # noqa: PLR0913, C901
    gradient: Floats,
    values: Floats,
    first: int,
    live: Floats,
    order: Table,
    begins: Table,
    counts: Table,
    result: Floats,
    sources: Cells,
    lowest: Cells,
    highest: Cells,
    into: Floats,
) -> None:
    """Add the gradient of ``maximum_forward``'s values to ``into``.

    A result depends on the value that it comes from and, by its scale, on the line's extremes.
    """
    copies, _, directions, _, grids = values.shape
    scale = np.empty(grids, np.float32)
    for_least = np.empty(grids, np.float32)
    for_span = np.empty(grids, np.float32)
    for copy in range(copies):
        for part in range(WIDTH):
            channel = first + part
            for direction in range(directions):
                for line in range(counts[direction]):
                    begin = begins[direction, line]
                    end = begins[direction, line + 1]
                    for grid in range(grids):
                        for_least[grid] = 0.0
                        for_span[grid] = 0.0
                        scale[grid] = 0.0
                        low = lowest[copy, part, direction, line, grid]
                        if low >= 0:
                            high = highest[copy, part, direction, line, grid]
                            most = values[copy, channel, direction, high, grid]
                            least = values[copy, channel, direction, low, grid]
                            scale[grid] = np.float32(2.0) / (most - least + 2 * MARGIN)
                    for place in range(begin, end):
                        cell = order[direction, place]
                        for grid in range(grids):
                            share = gradient[copy, channel, direction, cell, grid]
                            share *= scale[grid] * live[cell, grid]
                            for_least[grid] -= share
                            along = result[copy, channel, direction, cell, grid] + np.float32(1.0)
                            for_span[grid] -= share * along * np.float32(0.5)
                            source = sources[copy, part, direction, cell, grid]
                            if source >= 0:
                                into[copy, channel, direction, source, grid] += share
                    for grid in range(grids):
                        low = lowest[copy, part, direction, line, grid]
                        if low >= 0:
                            high = highest[copy, part, direction, line, grid]
                            into[copy, channel, direction, low, grid] += (
                                for_least[grid] - for_span[grid]
                            )
                            into[copy, channel, direction, high, grid] += for_span[grid]


@float_kernel
def shift_cells(  # noqa: PLR0913
    values: Floats,
    first: int,
    live: Floats,
    rows: int,
    columns: int,
    transposed: bool,
    result: Floats,
) -> None:
    """Every cell takes the value of the cell one step behind it; 0 if that is not live.

    Odd channels go in the other sense. ``transposed`` gives the transposed map, which is the
    gradient.
    """
    copies, _, directions, _, grids = values.shape
    for copy in range(copies):
        for part in range(WIDTH):
            channel = first + part
            forwards = (part % 2 == 0) != transposed
            sense = 1 if forwards else -1
            for direction in range(directions):
                down = sense * STEPS[direction, 0]
                right = sense * STEPS[direction, 1]
                for row in range(rows):
                    for column in range(columns):
                        cell = row * columns + column
                        row_behind = row - down
                        column_behind = column - right
                        inside = 0 <= row_behind < rows and 0 <= column_behind < columns
                        if inside:
                            behind = row_behind * columns + column_behind
                            source = cell if transposed else behind
                            for grid in range(grids):
                                value = values[copy, channel, direction, behind, grid]
                                taken = value * live[source, grid]
                                result[copy, channel, direction, cell, grid] = taken
                        else:
                            for grid in range(grids):
                                result[copy, channel, direction, cell, grid] = 0.0


@float_kernel
def mirror_cells(  # noqa: PLR0913
    values: Floats, first: int, live: Floats, images: Table, transposed: bool, result: Floats
) -> None:
    """Every cell takes the value of its mirror image in each direction; 0 if that is not live.

    ``images`` (8 directions, cells, grids) is the cell that each cell is the image of, -1 where
    there is none. ``transposed`` gives the transposed map, which is the gradient.
    """
    copies, _, directions, cells, grids = values.shape
    for copy in range(copies):
        for channel in range(first, first + WIDTH):
            for direction in range(directions):
                for cell in range(cells):
                    for grid in range(grids):
                        image = images[direction, cell, grid]
                        taken = np.float32(0.0)
                        if image >= 0:
                            source = cell if transposed else image
                            value = values[copy, channel, direction, image, grid]
                            taken = value * live[source, grid]
                        result[copy, channel, direction, cell, grid] = taken


@float_kernel
def mark_of(logit: np.float32) -> np.float32:
    """The logistic function, kept from overflowing."""
    within = min(max(logit, np.float32(-30.0)), np.float32(30.0))
    mark: np.float32 = np.float32(1.0) / (np.float32(1.0) + np.exp(-within))
    return mark


@float_kernel
def settle_forward(  # noqa: PLR0913
    values: Floats,
    first: int,
    live: Floats,
    order: Table,
    begins: Table,
    counts: Table,
    result: Floats,
) -> None:
    """Move the marked cells of every line to its end, without gaps and in their order.

    The first channel says, as logits, which cells are marked. The others are what a cell takes
    along; the first channel's result is the marks themselves after the move. A cell comes to lie as
    far from the end as there are marks in front of it, between two cells if these are not whole,
    and counts as much as its mark.
    """
    copies, _, directions, _, grids = values.shape
    ahead = np.empty(grids, np.float32)
    last = np.empty(grids, np.int64)
    for copy in range(copies):
        result[copy, first : first + WIDTH] = 0.0
        for direction in range(directions):
            for line in range(counts[direction]):
                begin = begins[direction, line]
                for grid in range(grids):
                    ahead[grid] = 0.0
                    last[grid] = -1
                for place in range(begins[direction, line + 1] - 1, begin - 1, -1):
                    cell = order[direction, place]
                    for grid in range(grids):
                        if live[cell, grid] == 0:
                            continue
                        if last[grid] < 0:
                            last[grid] = place
                        logit = values[copy, first, direction, cell, grid]
                        mark = mark_of(logit)
                        whole = int(ahead[grid])
                        part = ahead[grid] - np.float32(whole)
                        near = order[direction, max(last[grid] - whole, begin)]
                        far = order[direction, max(last[grid] - whole - 1, begin)]
                        result[copy, first, direction, near, grid] += mark * (1 - part)
                        result[copy, first, direction, far, grid] += mark * part
                        for channel in range(first + 1, first + WIDTH):
                            value = mark * values[copy, channel, direction, cell, grid]
                            moved = value * part
                            result[copy, channel, direction, near, grid] += value - moved
                            result[copy, channel, direction, far, grid] += moved
                        ahead[grid] += mark


@float_kernel
def settle_backward(  # noqa: PLR0913, C901
    gradient: Floats,
    values: Floats,
    first: int,
    live: Floats,
    order: Table,
    begins: Table,
    counts: Table,
    into: Floats,
) -> None:
    """Write the gradient of ``settle_forward``'s values."""
    copies, _, directions, _, grids = values.shape
    ahead = np.empty(grids, np.float32)
    last = np.empty(grids, np.int64)
    pushed = np.empty(grids, np.float32)
    for copy in range(copies):
        into[copy, first : first + WIDTH] = 0.0
        for direction in range(directions):
            for line in range(counts[direction]):
                begin = begins[direction, line]
                for grid in range(grids):
                    ahead[grid] = 0.0
                    last[grid] = -1
                    pushed[grid] = 0.0
                for place in range(begins[direction, line + 1] - 1, begin - 1, -1):
                    cell = order[direction, place]
                    for grid in range(grids):
                        if live[cell, grid] == 0:
                            continue
                        if last[grid] < 0:
                            last[grid] = place
                        logit = values[copy, first, direction, cell, grid]
                        mark = mark_of(logit)
                        whole = int(ahead[grid])
                        part = ahead[grid] - np.float32(whole)
                        near = order[direction, max(last[grid] - whole, begin)]
                        far = order[direction, max(last[grid] - whole - 1, begin)]
                        at_near = gradient[copy, first, direction, near, grid]
                        along = gradient[copy, first, direction, far, grid] - at_near
                        own = at_near + part * along
                        for channel in range(first + 1, first + WIDTH):
                            at_near = gradient[copy, channel, direction, near, grid]
                            slope = gradient[copy, channel, direction, far, grid] - at_near
                            landed = at_near + part * slope
                            value = values[copy, channel, direction, cell, grid]
                            into[copy, channel, direction, cell, grid] = mark * landed
                            own += value * landed
                            along += value * slope
                        # A mark pushes the cells behind it, which come later here.
                        pushed[grid] += mark * along
                        into[copy, first, direction, cell, grid] = own - pushed[grid]
                        ahead[grid] += mark
                for place in range(begin, begins[direction, line + 1]):
                    cell = order[direction, place]
                    for grid in range(grids):
                        if live[cell, grid] == 0:
                            continue
                        logit = values[copy, first, direction, cell, grid]
                        mark = mark_of(logit)
                        for_mark = into[copy, first, direction, cell, grid] + pushed[grid]
                        slope = mark * (np.float32(1.0) - mark)
                        into[copy, first, direction, cell, grid] = for_mark * slope
