"""The compiled making of mazes: layouts of walls, a search over them, and two ends that lie as far apart as wanted.

For making mazes only. Importing this file imports numba, so callers import it where they need it; kernels that call
each other stand here together, for the reason that ``sudoku_core`` gives.

A layout lies in ``cells`` (at least (rows + 2) * (columns + 2), int8, row by row) with a border of wall around it, so
that no step needs a look at the bounds; ``stride`` is columns + 2, a place is an index of ``cells``. ``found`` and
``queue`` are what a search works in, int32 and as long. Draws come from ``state`` (1,) uint64 alone.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze_cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.sudoku_core import kernel

Cells = NDArray[np.int8]
Ints = NDArray[np.int32]
State = NDArray[np.uint64]

HARD, SPARSE, PERFECT, MIXED = range(4)
"""Kinds of mazes, by their place in ``maze_generate.DIFFICULTIES``."""

STARTS = 32  # tried in a hard layout that has far ends, and in any other before the next one
BOOST = 4.0  # of a hard maze: how much likelier than by chance alone a start is kept
CENTRE, CENTRE_END, CENTRE_GAIN = 0.33, 0.41, 3.5
"""Densities of most long ways at the usual size, drawn that much more often than others and kept the more seldom."""

_GAMMA, _MIX, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
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
    clear(cells, size, found)
    return spread(stride, place, found, queue)


@kernel
def clear(cells: Cells, size: int, found: Ints) -> None:
    """Nothing is found yet: -1 where there is floor, 0 for walls so that nobody looks at them."""
    for cell in range(size):
        found[cell] = -1 if cells[cell] != WALL else 0


@kernel
def spread(stride: int, place: int, found: Ints, queue: Ints) -> int:
    """As ``search``, over those cells alone for which ``found`` is -1."""
    found[place] = 0
    queue[0] = place
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        steps = found[here] + 1
        for there in (here + stride, here - 1, here + 1, here - stride):  # without a branch: half of them would miss
            queue[tail] = there
            before = found[there]
            found[there] = steps if before < 0 else before
            tail += before < 0
    return tail


@kernel
def scatter(state: State, cells: Cells, rows: int, columns: int, density: float) -> int:
    """Walls independent of each other, floor elsewhere; returns how much floor."""
    bound, left, bits, floor = np.uint64(density * 65536), 0, np.uint64(0), 0
    for row in range(1, rows + 1):
        for place in range(row * (columns + 2) + 1, row * (columns + 2) + columns + 1):
            if left == 0:
                bits, left = draw(state), 4
            is_floor = bits & _LOW >= bound
            cells[place] = FLOOR if is_floor else WALL
            floor += int(is_floor)
            bits >>= _16
            left -= 1
    return floor


@kernel
def grow(state: State, cells: Cells, rows: int, columns: int, active: Ints) -> None:
    """A perfect maze in a layout of walls: a tree over every second cell of every second row, grown branch by branch.

    It grows from its newest cell with probability ``newest``, else from any that is left: long corridors at 1, many
    short branches at 0. Half have an outer wall. Where a side is even a line of wall is left at one of its ends.
    """
    stride = columns + 2
    walled = max(rows, columns) > 4 and below(state, 2) == 0
    newest = 1.0 if below(state, 2) else uniform(state)
    height, width = (rows - 1) // 2 + (not walled), (columns - 1) // 2 + (not walled)
    top = 1 + walled + (rows % 2 == 0 and below(state, 2))
    left = 1 + walled + (columns % 2 == 0 and below(state, 2))
    active[0] = (top + 2 * below(state, height)) * stride + left + 2 * below(state, width)
    cells[active[0]] = FLOOR
    number = 1
    ways = np.empty(4, np.int64)
    while number:
        which = number - 1 if newest == 1 or uniform(state) < newest else below(state, number)
        here = active[which]
        row, column, open_ways = here // stride, here % stride, 0
        for inside, way in (
            (row + 2 < top + 2 * height, stride),
            (column - 2 >= left, -1),
            (column + 2 < left + 2 * width, 1),
            (row - 2 >= top, -stride),
        ):
            if inside and cells[here + 2 * way] == WALL:
                ways[open_ways] = way
                open_ways += 1
        if open_ways:
            way = ways[below(state, open_ways)]
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
def divide(state: State, cells: Cells, rows: int, columns: int, room: int, stack: Ints) -> None:
    """Rooms: floor everywhere, divided by walls with one or two doors until no side is longer than ``room``.

    Walls stand in even lines and doors in odd ones, so that no wall ever ends at a door.
    """
    stride = columns + 2
    scatter(state, cells, rows, columns, 0.0)
    stack[:4] = 1, rows, 1, columns
    depth = 4
    while depth:
        depth -= 4
        first, last, left, right = stack[depth], stack[depth + 1], stack[depth + 2], stack[depth + 3]
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
    if kind == SPARSE:
        scatter(state, cells, rows, columns, 0.05 + 0.2 * style)
    elif kind == PERFECT:
        grow(state, cells, rows, columns, work)
    elif 0.4 <= style < 0.85:
        grow(state, cells, rows, columns, work)
        if style > 0.65:
            knock_out(state, cells, rows, columns, 0.3 * uniform(state))
    else:
        if style < 0.4:
            scatter(state, cells, rows, columns, 0.5 * uniform(state))
        else:
            divide(state, cells, rows, columns, 2 + below(state, 8), work)
        if min(rows, columns) > 4 and below(state, 3) == 0:
            enclose(cells, rows, columns)


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
    state: State, kind: int, cells: Cells, found: Ints, queue: Ints, shape: Ints, least: int, most: int, tries: int
) -> tuple[int, int, int, int]:
    """Layouts until one has a start and a goal from ``least`` to ``most`` steps apart, at most ``tries`` of them.

    For all kinds but hard. ``shape`` (2,) is the size, of a mixed maze the largest; the start is any floor, the goal
    any that is so far from it. Half of the mixed ones begin at what is farthest from there and end not much nearer.
    Returns the rows and columns, the steps between the ends (0 if there are none) and the longest way that was met.
    """
    longest = 0
    for _ in range(tries):
        rows, columns = shape[0], shape[1]
        if kind == MIXED and below(state, 3):
            rows, columns = 3 + below(state, rows - 2), 3 + below(state, columns - 2)
        stride, size = columns + 2, (rows + 2) * (columns + 2)
        lay(state, kind, cells, rows, columns, queue)
        floor = (cells[:size] != WALL).sum()
        if floor <= least:
            continue
        far = kind == MIXED and below(state, 2) == 0
        for _ in range(STARTS):
            start = any_floor(state, cells, rows, columns)
            number = search(cells, stride, size, start, found, queue)
            if far:
                start = queue[number - 1]
                search(cells, stride, size, start, found, queue)
            farthest = found[queue[number - 1]]
            longest = max(longest, farthest)
            if farthest < least:
                if 2 * farthest < least and floor - number <= least:
                    break  # no two cells of this part are far enough apart, and the others are too small
                continue
            nearest = max(least, min(most, farthest) * 4 // 5) if far else least
            begin, end = within(found, queue, number, nearest, most)
            goal = queue[begin + below(state, end - begin)]
            steps = found[goal]
            if far and below(state, 2):
                start, goal = goal, start
            cells[start], cells[goal] = START, GOAL
            return rows, columns, steps, longest
    return shape[0], shape[1], 0, longest


@kernel
def longest_way(
    cells: Cells, stride: int, size: int, order: Ints, floor: int, least: int, found: Ints, queue: Ints
) -> int:
    """The steps between the two cells that are farthest apart, or any fewer if that is less than ``least``.

    What is farthest from the cell that is farthest from anywhere: with these walls that hardly ever misses.
    """
    clear(cells, size, found)
    longest = 0
    for place in order:
        if floor <= least:
            break
        if found[place] >= 0:
            continue
        number = spread(stride, place, found, queue)
        floor -= number
        farthest = found[queue[number - 1]]
        if 2 * farthest >= least:
            for n in range(number):
                found[queue[n]] = -1
            spread(stride, queue[number - 1], found, queue)
            farthest = found[queue[number - 1]]
        longest = max(longest, farthest)
    return longest


@kernel
def emit(state: State, cells: Cells, start: int, goal: int, maze: NDArray[np.int8]) -> None:
    """Write a layout with its ends into ``maze`` (rows, columns), turned or mirrored as it comes."""
    rows, columns = maze.shape
    flip, mirror, turn = below(state, 2), below(state, 2), rows == columns and below(state, 2)
    cells[start], cells[goal] = START, GOAL
    for row in range(rows):
        for column in range(columns):
            r, c = (column, row) if turn else (row, column)
            r, c = rows - 1 - r if flip else r, columns - 1 - c if mirror else c
            maze[row, column] = cells[(r + 1) * (columns + 2) + c + 1]
    cells[start] = cells[goal] = FLOOR


@kernel
def make_hard(
    state: State,
    cells: Cells,
    found: Ints,
    queue: Ints,
    order: Ints,
    least: int,
    most: int,
    alone: bool,
    tries: int,
    mazes: NDArray[np.int8],
    steps: Ints,
) -> tuple[int, int]:
    """Layouts of independent walls until one has ends that are far enough apart, at most ``tries`` of them.

    A start is kept in proportion to the share of the floor that would do as its goal. So pairs of ends come as if
    layouts and pairs had been drawn blindly until one fits, which would need some fifty thousand. A layout may give
    several mazes, unless ``alone``. ``mazes`` (STARTS, rows, columns) and ``steps`` (STARTS,) take them; returns how
    many, and the steps of the longest way that was met. ``order`` has the places, those in the middle first.
    """
    _, rows, columns = mazes.shape
    stride, size = columns + 2, (rows + 2) * (columns + 2)
    cells[:size] = WALL
    number, longest = 0, 0
    for _ in range(tries):
        at = uniform(state)
        density = CENTRE + (CENTRE_END - CENTRE) * at if below(state, 2) else 0.3 + 0.2 * at
        boost = BOOST if CENTRE <= density < CENTRE_END else BOOST * CENTRE_GAIN
        floor = scatter(state, cells, rows, columns, density)
        way = longest_way(cells, stride, size, order, floor, least, found, queue)
        longest = max(longest, way)
        if way < least:
            continue
        for _ in range(STARTS):
            start = any_floor(state, cells, rows, columns)
            reached = search(cells, stride, size, start, found, queue)
            begin, end = within(found, queue, reached, least, most)
            if uniform(state) * floor < boost * (end - begin):
                goal = queue[begin + below(state, end - begin)]
                emit(state, cells, start, goal, mazes[number])
                steps[number] = found[goal]
                number += 1
                if alone:
                    break
        if number:
            break
    return number, longest
