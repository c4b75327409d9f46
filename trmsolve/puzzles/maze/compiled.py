"""The compiled making of mazes: layouts of walls, a search over them, and two ends that lie as far apart as wanted.

For making mazes only. Importing this file imports numba, so callers import it where they need it;
kernels that call each other stand here together, for the reason that ``sudoku_core`` gives.

A layout lies in ``cells`` (at least (rows + 2) * (columns + 2), int8, row by row) with a border of
wall around it, so that no step needs a look at the bounds; ``stride`` is columns + 2, a place is an
index of ``cells``. ``found`` and ``queue`` are what a search works in, int32 and as long. Draws
come from ``state`` (1,) uint64 alone.
"""

import math

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.compiling import kernel
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL

Cells = NDArray[np.int8]
Ints = NDArray[np.int32]
State = NDArray[np.uint64]

HARD, SPARSE, PERFECT, MIXED = range(4)
"""Kinds of mazes, by their place in ``maze_generate.DIFFICULTIES``."""

DENSITIES = (0.25, 0.5)
"""Of walls, between which that of a hard maze is drawn.

From .3 on there would be fewer light ones than are public.
"""

STARTS = 4  # tried in a layout before the next one

_GAMMA, _MIX, _MIX_2 = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)
_11, _16, _27, _30, _31 = (np.uint64(bits) for bits in (11, 16, 27, 30, 31))
_LOW = np.uint64(0xFFFF)


@kernel
def draw(state: State) -> np.uint64:
    """64 random bits (SplitMix64)."""
    state[0] += _GAMMA
    bits = state[0]
    bits = (bits ^ (bits >> _30)) * _MIX
    bits = (bits ^ (bits >> _27)) * _MIX_2
    drawn: np.uint64 = bits ^ (bits >> _31)
    return drawn


@kernel
def uniform(state: State) -> float:
    """A number in [0, 1)."""
    return (draw(state) >> _11) * 2.0**-53


@kernel
def below(state: State, limit: int) -> int:
    """An integer in [0, limit)."""
    return int(uniform(state) * limit)


@kernel
def search(cells: Cells, stride: int, size: int, place: int, found: Ints, queue: Ints) -> int:
    """Fill ``queue`` with the cells that ``place`` reaches, nearest first, and ``found`` with the steps to them.

    Returns how many they are.
    """
    for cell in range(size):
        found[cell] = -1 if cells[cell] != WALL else 0  # so that nobody looks at walls
    found[place] = 0
    queue[0] = place
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        steps = found[here] + 1
        for there in (
            here + stride,
            here - 1,
            here + 1,
            here - stride,
        ):  # without a branch: half of them would miss
            queue[tail] = there
            before = found[there]
            found[there] = steps if before < 0 else before
            tail += before < 0
    return tail


@kernel
def scatter(state: State, cells: Cells, rows: int, columns: int, density: float) -> None:
    """Walls independent of each other, floor elsewhere."""
    bound, left, bits = np.uint64(density * 65536), 0, np.uint64(0)
    for row in range(1, rows + 1):
        for place in range(row * (columns + 2) + 1, row * (columns + 2) + columns + 1):
            if left == 0:
                bits, left = draw(state), 4
            cells[place] = WALL if bits & _LOW < bound else FLOOR
            bits >>= _16
            left -= 1


@kernel
def grow(state: State, cells: Cells, rows: int, columns: int, active: Ints) -> None:
    """A perfect maze in a layout of walls: a tree over every second cell of every second row, grown branch by branch.

    It grows from its newest cell with probability ``newest``, else from any that is left: long
    corridors at 1, many short branches at 0. Half have an outer wall. Where a side is even a line
    of wall is left at one of its ends.
    """
    stride = columns + 2
    walled = int(max(rows, columns) > 4 and below(state, 2))
    newest = 1.0 if below(state, 2) else uniform(state)
    height, width = (rows + 1) // 2 - walled, (columns + 1) // 2 - walled
    top, left = 1 + walled + below(state, 2 - rows % 2), 1 + walled + below(state, 2 - columns % 2)
    active[0] = (top + 2 * below(state, height)) * stride + left + 2 * below(state, width)
    cells[active[0]] = FLOOR
    number = 1
    ways = np.empty(4, np.int64)
    while number:
        which = number - 1 if newest == 1 or uniform(state) < newest else below(state, number)
        here = active[which]
        row, column, choices = here // stride, here % stride, 0
        for inside, way in (
            (row + 2 < top + 2 * height, stride),
            (column - 2 >= left, -1),
            (column + 2 < left + 2 * width, 1),
            (row - 2 >= top, -stride),
        ):
            if inside and cells[here + 2 * way] == WALL:
                ways[choices] = way
                choices += 1
        if choices:
            way = ways[below(state, choices)]
            cells[here + way] = cells[here + 2 * way] = FLOOR
            active[number] = here + 2 * way
            number += 1
        else:
            number -= 1
            active[which] = active[number]


@kernel
def knock_out(state: State, cells: Cells, rows: int, columns: int, share: float) -> None:
    """Open a share of the walls that have floor on two opposite sides only: a perfect maze gets loops."""
    stride = columns + 2
    for row in range(1, rows + 1):
        for here in range(row * stride + 1, row * stride + columns + 1):
            across = cells[here - 1] != WALL and cells[here + 1] != WALL
            along = cells[here - stride] != WALL and cells[here + stride] != WALL
            if cells[here] == WALL and across != along and uniform(state) < share:
                cells[here] = FLOOR


@kernel
def divide(
    state: State, cells: Cells, rows: int, columns: int, room: int, outer: int, stack: Ints
) -> None:
    """Rooms: floor divided by walls with one or two doors until no side is longer than ``room``.

    Walls stand an odd number of lines from the edge and doors an even one, so that no wall ever
    ends at a door. The outermost ``outer`` (0 or 1) lines are left alone.
    """
    stride = columns + 2
    stack[:4] = 1 + outer, rows - outer, 1 + outer, columns - outer
    depth = 4
    while depth:
        depth -= 4
        first, last, left, right = (
            stack[depth],
            stack[depth + 1],
            stack[depth + 2],
            stack[depth + 3],
        )
        tall = last - first > right - left
        if max(last - first, right - left) < max(room, 2):
            continue
        low, high, side, end = (first, last, left, right) if tall else (left, right, first, last)
        line = low + 1 + 2 * below(state, (high - low) // 2)
        step, across = (1, stride) if tall else (stride, 1)
        for at in range(side, end + 1):
            cells[line * across + at * step] = WALL
        for _ in range(1 + below(state, 2)):
            cells[line * across + (side + 2 * below(state, (end - side) // 2 + 1)) * step] = FLOOR
        for part in range(2):
            stack[depth : depth + 4] = first, last, left, right
            at = depth if tall else depth + 2
            if part:
                stack[at] = line + 1
            else:
                stack[at + 1] = line - 1
            depth += 4


@kernel
def enclose(cells: Cells, rows: int, columns: int) -> None:
    """Walls in the outermost rows and columns."""
    stride = columns + 2
    for column in range(1, columns + 1):
        cells[stride + column] = cells[rows * stride + column] = WALL
    for row in range(1, rows + 1):
        cells[row * stride + 1] = cells[row * stride + columns] = WALL


@kernel
def lay(state: State, kind: int, cells: Cells, rows: int, columns: int, work: Ints) -> None:
    """A layout of the kind, with walls and floor and a border of wall around it."""
    cells[: (rows + 2) * (columns + 2)] = WALL
    style = uniform(state)
    if kind == HARD:
        scatter(
            state, cells, rows, columns, 0.3 + 0.1 * style
        )  # long ways are likeliest there; ``wander`` evens it out
    elif kind == SPARSE:
        scatter(state, cells, rows, columns, 0.05 + 0.2 * style)
    elif kind == PERFECT or style < 0.25:
        grow(state, cells, rows, columns, work)
    elif style < 0.45:
        grow(state, cells, rows, columns, work)
        knock_out(state, cells, rows, columns, 0.3 * uniform(state))
    else:
        outer = int(min(rows, columns) > 4 and below(state, 3) == 0)
        scatter(state, cells, rows, columns, 0.5 * uniform(state) if style < 0.85 else 0.0)
        if outer:
            enclose(cells, rows, columns)
        if style >= 0.85:
            divide(state, cells, rows, columns, 2 + below(state, 8), outer, work)


@kernel
def any_floor(state: State, cells: Cells, rows: int, columns: int) -> int:
    """A place with floor, all equally likely; there must be one."""
    while True:
        place = (1 + below(state, rows)) * (columns + 2) + 1 + below(state, columns)
        if cells[place] != WALL:
            return place


@kernel
def within(found: Ints, queue: Ints, number: int, least: int, most: int) -> tuple[int, int]:
    """Of the ``number`` cells that a search found those from ``least`` to ``most`` steps away: begin and end."""
    end = number
    while end and found[queue[end - 1]] > most:
        end -= 1
    begin = end
    while begin and found[queue[begin - 1]] >= least:
        begin -= 1
    return begin, end


@kernel
def make(
    state: State,
    cells: Cells,
    found: Ints,
    queue: Ints,
    rows: int,
    columns: int,
    least: int,
    most: int,
    kind: int,
    tries: int,
) -> tuple[int, int, int]:
    """Layouts until one has a start and a goal from ``least`` to ``most`` steps apart, at most ``tries`` of them.

    The start is any floor, the goal any that is so far from it. Hard mazes and half of the mixed
    ones start from what is farthest from there instead, and end not much nearer than they could.
    Mixed ones may be smaller than asked for. Returns the rows and columns, and the steps between
    the ends; if there are none the longest way, below ``least``.
    """
    longest = 0
    for _ in range(tries):
        height, width = rows, columns
        if kind == MIXED and below(state, 3):
            height, width = 3 + below(state, rows - 2), 3 + below(state, columns - 2)
        stride, size = width + 2, (height + 2) * (width + 2)
        lay(state, kind, cells, height, width, queue)
        floor = (cells[:size] != WALL).sum()
        if floor < 2:
            continue
        far = kind == HARD or (kind == MIXED and below(state, 2) == 0)
        for _ in range(STARTS):
            start = any_floor(state, cells, height, width)
            number = search(cells, stride, size, start, found, queue)
            if far:
                start = queue[number - 1]
                search(cells, stride, size, start, found, queue)
            farthest = found[queue[number - 1]]
            longest = max(longest, farthest)
            if farthest < least:
                if (farthest if far else 2 * farthest) < least and floor - number <= least:
                    break  # hardly any two cells of this part are far enough apart, and the others are too small
                continue
            nearest = max(least, min(most, farthest) * 4 // 5) if far else least
            begin, end = within(found, queue, number, nearest, most)
            goal = queue[begin + below(state, end - begin)]
            if far and below(state, 2):
                start, goal = goal, start
            cells[start], cells[goal] = START, GOAL
            return height, width, max(found[start], found[goal])
    return rows, columns, longest


@kernel
def wander(
    state: State,
    cells: Cells,
    found: Ints,
    queue: Ints,
    rows: int,
    columns: int,
    least: int,
    most: int,
    moves: int,
    density: float,
) -> float:
    """Change a hard maze in ``cells``, many times over, so that it comes to be one drawn blindly until its ends fit.

    A move draws the walls of a square block anew and is taken back unless the ends still are from
    ``least`` to ``most`` steps apart; then one of them is drawn anew from all cells that are so far
    from the other, and the density anew as the walls make it likely. Such a Markov chain
    (Metropolis within Gibbs) forgets where it began, and leaves a blind draw as likely as it was.
    Returns the density that it has come to.
    """
    stride, size = columns + 2, (rows + 2) * (columns + 2)
    side = max(2, round(math.sqrt(rows * columns) / 5))
    start, goal = np.flatnonzero(cells[:size] == START)[0], np.flatnonzero(cells[:size] == GOAL)[0]
    cells[start] = cells[goal] = FLOOR
    before = cells[:size].copy()
    for _ in range(moves):
        top, left = (
            2 - side + below(state, rows + side - 1),
            2 - side + below(state, columns + side - 1),
        )
        low, high = max(left, 1), min(left + side, columns + 1)
        for row in range(max(top, 1), min(top + side, rows + 1)):
            for place in range(row * stride + low, row * stride + high):
                cells[place] = WALL if uniform(state) < density else FLOOR
        cells[start] = cells[goal] = FLOOR
        number = search(cells, stride, size, start, found, queue)
        kept = least <= found[goal] <= most
        for row in range(max(top, 1), min(top + side, rows + 1)):
            for place in range(row * stride + low, row * stride + high):
                if kept:
                    before[place] = cells[place]
                else:
                    cells[place] = before[place]
        if kept:
            begin, end = within(found, queue, number, least, most)
            start, goal = queue[begin + below(state, end - begin)], start
        density = redraw(state, density, (cells[:size] != WALL).sum(), rows * columns)
    cells[start], cells[goal] = START, GOAL
    return density


@kernel
def redraw(state: State, density: float, floor: int, size: int) -> float:
    """A Metropolis step of the density, given how much floor it has left of the cells."""
    other = density + 0.1 * (uniform(state) - 0.5)
    if not DENSITIES[0] <= other <= DENSITIES[1]:
        return density
    gain = math.log((1 - other) / (1 - density)) * floor + math.log(other / density) * (
        size - floor
    )
    return other if uniform(state) < math.exp(gain) else density
