"""The compiled making of mazes: layouts of walls, a search in them, and two ends far enough apart.

It serves the making of mazes only. Importing this module imports numba, so modules import it where
they need it. Kernels that call each other stand in one file, for the reason that ``compiling``
gives.

A layout lies in ``cells`` (at least (rows + 2) * (columns + 2), int8, row by row). It has a border
of wall around it, so that no step needs to check the bounds. ``stride`` is columns + 2, and a place
is an index of ``cells``. A search works in ``found`` and ``queue``, int32, which are as long. The
random draws come from ``state`` (1,) uint64 alone.
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
"""The kinds of mazes, by their place in ``words.DIFFICULTIES``."""

DENSITIES = (0.25, 0.5)
"""The bounds of the density of walls, from which that of a hard maze is drawn.

From .3 on there would be fewer light mazes than the public data have.
"""

STARTS = 4
"""How many starts are tried in a layout before the next layout."""

# The constants of SplitMix64. They are uint64, as numba makes floats of uint64 and int64.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_11, _16, _27, _30, _31 = (np.uint64(bits) for bits in (11, 16, 27, 30, 31))
_LOW = np.uint64(0xFFFF)


@kernel
def draw(state: State) -> np.uint64:
    """Draw 64 random bits (SplitMix64)."""
    state[0] += _GAMMA
    bits = state[0]
    bits = (bits ^ (bits >> _30)) * _MIX
    bits = (bits ^ (bits >> _27)) * _MIX_2
    drawn: np.uint64 = bits ^ (bits >> _31)
    return drawn


@kernel
def uniform(state: State) -> float:
    """Draw a number in [0, 1)."""
    return (draw(state) >> _11) * 2.0**-53


@kernel
def below(state: State, limit: int) -> int:
    """Draw an integer in [0, limit)."""
    return int(uniform(state) * limit)


@kernel
def search(  # noqa: PLR0913  (numba takes no dataclass)
    cells: Cells, stride: int, size: int, place: int, found: Ints, queue: Ints
) -> int:
    """Find the cells that ``place`` reaches. Returns how many there are.

    ``queue`` then has their places, nearest first, and ``found`` the steps to them.
    """
    for cell in range(size):
        found[cell] = -1 if cells[cell] != WALL else 0  # walls count as found
    found[place] = 0
    queue[0] = place
    head = 0
    tail = 1
    while head < tail:
        here = queue[head]
        head += 1
        steps = found[here] + 1
        # There is no branch inside: half of its predictions would miss.
        for there in (here + stride, here - 1, here + 1, here - stride):
            queue[tail] = there
            before = found[there]
            found[there] = steps if before < 0 else before
            tail += before < 0
    return tail


@kernel
def scatter(state: State, cells: Cells, rows: int, columns: int, density: float) -> None:
    """Draw walls independently of each other, and floor elsewhere."""
    bound = np.uint64(density * 65536)
    bits = np.uint64(0)
    left = 0  # how often 16 of the bits can still be used
    for row in range(1, rows + 1):
        for place in range(row * (columns + 2) + 1, row * (columns + 2) + columns + 1):
            if left == 0:
                bits, left = draw(state), 4
            cells[place] = WALL if bits & _LOW < bound else FLOOR
            bits >>= _16
            left -= 1


@kernel
def grow(state: State, cells: Cells, rows: int, columns: int, active: Ints) -> None:
    """Grow a perfect maze in a layout of walls.

    It is a tree over every second cell of every second row. It grows from its newest cell with
    probability ``newest``, else from any that is left: long corridors at 1, many short branches at
    0. Half of these mazes have an outer wall. Where a side is even, a line of wall is left at one
    of its ends.
    """
    stride = columns + 2
    walled = int(max(rows, columns) > 4 and below(state, 2))
    newest = 1.0 if below(state, 2) else uniform(state)
    height = (rows + 1) // 2 - walled
    width = (columns + 1) // 2 - walled
    top = 1 + walled + below(state, 2 - rows % 2)
    left = 1 + walled + below(state, 2 - columns % 2)
    active[0] = (top + 2 * below(state, height)) * stride + left + 2 * below(state, width)
    cells[active[0]] = FLOOR
    number = 1
    ways = np.empty(4, np.int64)
    while number:
        which = number - 1 if newest == 1 or uniform(state) < newest else below(state, number)
        here = active[which]
        row = here // stride
        column = here % stride
        choices = 0
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
    """Open a share of the walls that have floor on two opposite sides only.

    That gives loops to a perfect maze.
    """
    stride = columns + 2
    for row in range(1, rows + 1):
        for here in range(row * stride + 1, row * stride + columns + 1):
            across = cells[here - 1] != WALL and cells[here + 1] != WALL
            along = cells[here - stride] != WALL and cells[here + stride] != WALL
            if cells[here] == WALL and across != along and uniform(state) < share:
                cells[here] = FLOOR


@kernel
def divide(  # noqa: PLR0913  (numba takes no dataclass)
    state: State, cells: Cells, rows: int, columns: int, room: int, outer: int, stack: Ints
) -> None:
    """Divide floor into rooms until none has a side longer than ``room``.

    Each dividing wall has one or two doors. Walls stand an odd number of lines from the edge and
    doors an even one, so that no wall ever ends at a door. The outermost ``outer`` (0 or 1) lines
    are left alone.
    """
    stride = columns + 2
    stack[:4] = 1 + outer, rows - outer, 1 + outer, columns - outer
    depth = 4
    while depth:
        depth -= 4
        first = stack[depth]
        last = stack[depth + 1]
        left = stack[depth + 2]
        right = stack[depth + 3]
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
    """Put walls into the outermost rows and columns."""
    stride = columns + 2
    for column in range(1, columns + 1):
        cells[stride + column] = cells[rows * stride + column] = WALL
    for row in range(1, rows + 1):
        cells[row * stride + 1] = cells[row * stride + columns] = WALL


@kernel
def draw_layout(  # noqa: PLR0913  (numba takes no dataclass)
    state: State, kind: int, cells: Cells, rows: int, columns: int, work: Ints
) -> None:
    """Draw a layout of the kind: walls and floor, with a border of wall around them."""
    cells[: (rows + 2) * (columns + 2)] = WALL
    style = uniform(state)
    if kind == HARD:
        # Long ways are likeliest at these densities; ``wander`` evens it out.
        scatter(state, cells, rows, columns, 0.3 + 0.1 * style)
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
    """Draw a place with floor, all equally likely. There must be one."""
    while True:
        place = (1 + below(state, rows)) * (columns + 2) + 1 + below(state, columns)
        if cells[place] != WALL:
            return place


@kernel
def within(found: Ints, queue: Ints, number: int, least: int, most: int) -> tuple[int, int]:
    """Find which of the ``number`` cells of a search are from ``least`` to ``most`` steps away.

    Returns where they begin and end in ``queue``.
    """
    end = number
    while end and found[queue[end - 1]] > most:
        end -= 1
    begin = end
    while begin and found[queue[begin - 1]] >= least:
        begin -= 1
    return begin, end


@kernel
def make(  # noqa: PLR0913  (numba takes no dataclass)
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
    """Draw layouts until one has a start and a goal from ``least`` to ``most`` steps apart.

    At most ``tries`` layouts are drawn. The start is any floor, and the goal any floor that is so
    far from it. Hard mazes and half of the mixed ones start instead from the cell that is farthest
    from there, and end not much nearer than they could. Mixed mazes may be smaller than asked for.

    Returns the rows, the columns and the steps between the ends. If no layout fits, the steps are
    those of the longest way, which is below ``least``.
    """
    longest = 0
    for _ in range(tries):
        height = rows
        width = columns
        if kind == MIXED and below(state, 3):
            height = 3 + below(state, rows - 2)
            width = 3 + below(state, columns - 2)
        stride = width + 2
        size = (height + 2) * stride
        draw_layout(state, kind, cells, height, width, queue)
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
                # Hardly any two cells of this part are far enough apart, and the other parts of
                # the layout are too small.
                if (farthest if far else 2 * farthest) < least and floor - number <= least:
                    break
                continue
            nearest = max(least, min(most, farthest) * 4 // 5) if far else least
            begin, end = within(found, queue, number, nearest, most)
            goal = queue[begin + below(state, end - begin)]
            if far and below(state, 2):
                start, goal = goal, start
            cells[start] = START
            cells[goal] = GOAL
            return height, width, max(found[start], found[goal])
    return rows, columns, longest


@kernel
def wander(  # noqa: PLR0913  (numba takes no dataclass)
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
    """Change a hard maze in ``cells`` by a Markov chain. Returns the density that it comes to.

    The distribution becomes that of mazes drawn blindly until their ends fit. A move draws the
    walls of a square block anew. It is taken back unless the ends are still from ``least`` to
    ``most`` steps apart. Then one of the ends is drawn anew from all cells that are so far from the
    other, and the density is drawn anew as the walls make it likely. Such a chain (Metropolis
    within Gibbs) forgets where it began, and keeps the distribution of blind draws.
    """
    stride = columns + 2
    size = (rows + 2) * stride
    side = max(2, round(math.sqrt(rows * columns) / 5))
    start = np.flatnonzero(cells[:size] == START)[0]
    goal = np.flatnonzero(cells[:size] == GOAL)[0]
    cells[start] = cells[goal] = FLOOR
    before = cells[:size].copy()
    for _ in range(moves):
        top = 2 - side + below(state, rows + side - 1)
        left = 2 - side + below(state, columns + side - 1)
        low = max(left, 1)
        high = min(left + side, columns + 1)
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
    cells[start] = START
    cells[goal] = GOAL
    return density


@kernel
def redraw(state: State, density: float, floor: int, size: int) -> float:
    """Take a Metropolis step of the density, given how many of the ``size`` cells are floor."""
    other = density + 0.1 * (uniform(state) - 0.5)
    if not DENSITIES[0] <= other <= DENSITIES[1]:
        return density
    walls = size - floor
    gain = math.log((1 - other) / (1 - density)) * floor + math.log(other / density) * walls
    return other if uniform(state) < math.exp(gain) else density
