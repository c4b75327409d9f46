"""Reads a maze from an image: black walls, white floor, a green start and a red goal.

Cells are squares of any size, which is found from the places where the colours meet. White around
an outer wall is no floor. Colours may be a little off. A picture that is smoothed, scaled or has
lines between the cells is read by the middle of each cell, which a note tells. A cell whose middle
could have two meanings is refused. Two cells of any other colours are ends too; a note tells which
of them was taken for the start. Reading images needs Pillow, the extra ``image``.

This module knows pixels. It does not know text, nor how a maze is solved.
"""

import io
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.maze.ends import settle_ends
from trmsolve.puzzles.maze.form import LEAST, MOST, NO_MARKS, Marks
from trmsolve.puzzles.values import Grid, Puzzle
from trmsolve.wording import install_hint

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 1 << 24
"""The most pixels of an image: 1000 x 1000 cells have four pixels a side."""

BYTES = 1 << 26
"""The most bytes of a file, more than so many pixels take without compression."""

DARK = 96
"""Black has no more than this in any colour."""

BRIGHT = 160
"""White has no less than this in any colour."""

APART = 64
"""Green and red have this much more of their colour than of the other two; greys do not."""

WALLED = 0.6
"""The share of each side that an outer wall takes at least."""

COLOURS = "walls are black, floor is white, the start is green, the goal red, without smoothing"

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_FORMATS = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}
_LOSSY = ("JPEG", "WebP")
_LOOSELY = "the picture is not exact: each cell is read by its middle"
_MOST_LOOSE = 300  # rows or columns of a picture that is not exact
_AGREED = 0.8  # the share of the middle of a cell that has its colour
_MEETING = 0.97  # the share of the changes of colour that are near the edges of cells
_NEAR = 0.15  # how near, as a share of a cell
_ENDS = {START: ("green", "start"), GOAL: ("red", "goal")}
_UNKNOWN = -1
# Colours by their strong channels, and by numbers that are no contents of cells. Of two ends, the
# one whose colour comes first is the start.
_COLOURS = {
    "green": (False, True, False),
    "cyan": (False, True, True),
    "blue": (False, False, True),
    "yellow": (True, True, False),
    "magenta": (True, False, True),
    "red": (True, False, False),
}
_FIRST_COLOUR = 10


class _Area(NamedTuple):
    """A rectangle of pixels."""

    y: int
    x: int
    height: int
    width: int


def is_image(head: bytes) -> bool:
    """Tell whether a file that begins with ``head`` is an image."""
    return head.startswith(tuple(_FORMATS))


def read_image(stream: BinaryIO, name: str, marks: Marks = NO_MARKS) -> Puzzle:
    """Read the maze of an image. Raises PuzzleError if it shows none."""
    data = stream.read(BYTES + 1)
    if len(data) > BYTES:
        raise PuzzleError(f"an image of more than {BYTES >> 20} MiB", name)
    kind = next((kind for magic, kind in _FORMATS.items() if data.startswith(magic)), "PNG")
    pixels = _unpack(data, kind, name)
    contents = _find_contents(pixels)
    found = _read_contents(contents, marks, kind)
    if not found:
        found = _read_contents(_name_colours(pixels, contents), marks, kind)
    if not found:
        _refuse(pixels, contents, name)
    cells, note = found
    return Puzzle(cells, name, note=f"{name}: {note}" if note else "")


def _read_contents(contents: Grid, marks: Marks, kind: str) -> tuple[Grid, str] | None:
    """Read the cells of a picture, given the content or the colour of each pixel.

    Returns the cells and what is to be told of them, or None if the picture is unclear.
    """
    contents = _cut_margin(contents)
    if not (contents == _UNKNOWN).any():
        size = _cell_size(contents)
        exact = _settle(contents[::size, ::size], marks, "")
        if exact or kind not in _LOSSY:  # uneven cells of sharp colours are refused
            return exact
    middles = _read_middles(contents)
    return None if middles is None else _settle(middles, marks, _LOOSELY)


def _settle(cells: Grid, marks: Marks, note: str) -> tuple[Grid, str] | None:
    """Find the ends of a maze. Returns None if it has not one start and one goal, or a wrong size.

    The text that is returned with the cells is the note, and what is to be told of the ends.
    """
    if min(cells.shape) < LEAST or max(cells.shape) > MOST:
        return None
    cells, named = _settle_colours(cells)
    cells, told = settle_ends(np.ascontiguousarray(cells), marks)
    if (cells == START).sum() != 1 or (cells == GOAL).sum() != 1:
        return None
    return cells, "; ".join(filter(None, [note, named, told]))


def _name_colours(pixels: Pixels, contents: Grid) -> Grid:
    """Replace the content of each pixel that has a colour by the number of the colour."""
    low = pixels.min(-1)
    high = pixels.max(-1)
    coloured = high - low >= APART
    strong = pixels > (low // 2 + high // 2)[..., None]
    named = contents.copy()
    for number, channels in enumerate(_COLOURS.values(), _FIRST_COLOUR):
        named[coloured & (strong == channels).all(-1)] = number
    return named


def _settle_colours(cells: Grid) -> tuple[Grid, str]:
    """Make ends of cells with a colour, the first of two the start.

    Returns the cells and what is to be told of them. More than two such cells are no ends, and the
    caller finds none.
    """
    places = [(int(cells[row, column]), row, column) for row, column in np.argwhere(cells >= 10)]
    if not 0 < len(places) <= 2:
        return cells, ""
    cells = cells.copy()
    names = list(_COLOURS)
    ends = [START, GOAL]
    if len(places) == 1 and names[places[0][0] - _FIRST_COLOUR] == "red":
        ends = [GOAL]
    told = []
    for (number, row, column), end in zip(sorted(places), ends, strict=False):
        cells[row, column] = end
        colour = names[number - _FIRST_COLOUR]
        told.append(
            f"the {_ENDS[end][1]} is the {colour} cell at row {row + 1}, column {column + 1}"
        )
    return cells, "; ".join(told)


def _read_middles(contents: Grid) -> Grid | None:
    """Read each cell by the most common content of its middle. Returns None if it is unclear."""
    walls = contents == WALL
    rows = _count_cells(walls)
    columns = _count_cells(walls.T)
    height, width = contents.shape
    if not rows or not columns or not 0.85 < height / rows * columns / width < 1.18:
        return None
    cells: Grid = np.zeros((rows, columns), np.int8)
    for row in range(rows):
        top, bottom = _find_middle(row, height / rows)
        for column in range(columns):
            left, right = _find_middle(column, width / columns)
            values, counts = np.unique(contents[top:bottom, left:right], return_counts=True)
            most = counts.argmax()
            if values[most] == _UNKNOWN or counts[most] < _AGREED * counts.sum():
                return None
            cells[row, column] = values[most]
    return cells


def _find_middle(cell: int, size: float) -> tuple[int, int]:
    """Find where the middle of a cell begins and ends, at least one pixel."""
    begin = int((cell + 0.3) * size)
    return begin, max(begin + 1, int((cell + 0.7) * size))


def _count_cells(walls: Mask) -> int:
    """Find the least number of rows of cells such that walls begin and end near their edges.

    Returns 0 if there is no such number.
    """
    changes = (walls[1:] != walls[:-1]).sum(1)
    places = np.arange(1, len(walls))
    total = changes.sum()
    for number in range(LEAST, min(_MOST_LOOSE, len(walls)) + 1):
        edges = places * number / len(walls)
        near = np.abs(edges - edges.round()) <= _NEAR
        if total and changes[near].sum() >= _MEETING * total:
            return number
    return 0


def _unpack(data: bytes, kind: str, name: str) -> Pixels:
    """Unpack the colours (height, width, 3). Transparent pixels are put on white."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        needed = f"reading an image needs Pillow: {install_hint('image')}"
        raise PuzzleError(needed, name) from None
    width, height = 0, 0
    if kind == "PNG":  # Pillow would warn of some sizes, and raise for others
        width = int.from_bytes(data[16:20], "big")
        height = int.from_bytes(data[20:24], "big")
    try:
        if width * height <= PIXELS:
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                width, height = image.size
                if width * height <= PIXELS:  # before anything is unpacked
                    return _put_on_white(image)
    except UnidentifiedImageError as error:  # whose text names an object in memory
        raise PuzzleError(f"a damaged {kind} image: create or download it again", name) from error
    except Exception as error:  # damaged files make Pillow raise nearly anything
        problem = f"a damaged {kind} image: {error}; create or download it again"
        raise PuzzleError(problem, name) from error
    problem = f"an image of {width} x {height} pixels; the maximum is {PIXELS} pixels"
    raise PuzzleError(problem, name)


def _put_on_white(image: "Image") -> Pixels:
    """Unpack the colours, with transparent pixels put on white."""
    from PIL import Image

    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    shown = Image.new("RGBA", image.size, "white")
    shown.alpha_composite(image.convert("RGBA"))
    return np.asarray(shown.convert("RGB"))


def _find_contents(pixels: Pixels) -> Grid:
    """Find the content (height, width) that the colour of each pixel means, if it means one."""
    low = pixels.min(-1)
    high = pixels.max(-1)
    grey = high - low < APART
    contents: Grid = np.full(low.shape, _UNKNOWN, np.int8)
    contents[grey & (high <= DARK)] = WALL
    contents[grey & (low >= BRIGHT)] = FLOOR
    contents[_shines(pixels, 0)] = GOAL
    contents[_shines(pixels, 1)] = START
    return contents


def _shines(pixels: Pixels, channel: int) -> Mask:
    """Mark the pixels whose red (0) or green (1) stands out from the other two colours."""
    colour = pixels[..., channel]
    others = np.maximum(pixels[..., 1 - channel], pixels[..., 2])
    mask: Mask = (colour > others) & (colour - others >= APART)  # else the difference would wrap
    return mask


def _find_first(mask: Mask) -> tuple[int, int] | None:
    """Find the row and column of the first place that is marked, if there is one."""
    if not mask.any():
        return None
    row, column = divmod(int(mask.argmax()), int(mask.shape[1]))
    return row, column


def _refuse(pixels: Pixels, contents: Grid, name: str) -> NoReturn:
    """Raise PuzzleError that says why a picture is no maze in squares of black and white."""
    unknown = _find_first(contents == _UNKNOWN)
    if unknown:
        y, x = unknown
        colour = "#" + bytes(pixels[y, x]).hex().upper()
        raise PuzzleError(f"pixel x {x}, y {y} is {colour}: {COLOURS}", name)
    start = _find_area(contents, START, name)
    goal = _find_area(contents, GOAL, name)
    inner = _cut_margin(contents)
    size = _cell_size(inner)
    _refuse_irregular(start, START, size, name)
    _refuse_irregular(goal, GOAL, size, name)
    height, width = inner.shape
    limit = f"at least {LEAST} x {LEAST}"
    if max(height, width) > MOST * size:
        limit = f"at most {MOST} x {MOST}"
    problem = f"{height // size} x {width // size} cells of {size} pixels; a maze has {limit}"
    raise PuzzleError(problem, name)


def _find_area(contents: Grid, content: int, name: str) -> _Area:
    """Find the one rectangle of an end. Raises PuzzleError if there is none or more."""
    colour, end = _ENDS[content]
    mask = contents == content
    first = _find_first(mask)
    if not first:
        raise PuzzleError(f"no {colour} cell: it marks the {end}", name)
    y, x = first
    width = int(np.append(mask[y, x:], False).argmin())
    height = int(np.append(mask[y:, x], False).argmin())
    mask[y : y + height, x : x + width] = False
    other = _find_first(mask)
    if other:
        places = f"x {x}, y {y} and x {other[1]}, y {other[0]}"
        raise PuzzleError(f"several {colour} areas, at {places}; one cell marks the {end}", name)
    return _Area(y, x, height, width)


def _refuse_irregular(area: _Area, content: int, size: int, name: str) -> None:
    """Raise PuzzleError if the area of an end is not one cell."""
    if area.height == area.width == size:
        return
    colour = _ENDS[content][0]
    place = f"the {colour} area at x {area.x}, y {area.y} has {area.width} x {area.height} pixels"
    raise PuzzleError(f"no regular cells: {place}, where cells have {size} x {size}", name)


def _cut_margin(contents: Grid) -> Grid:
    """Cut off the white around an outer wall. Other images stay whole."""
    marked = contents != FLOOR
    if not marked.any():
        return contents
    rows = np.flatnonzero(marked.any(1))
    columns = np.flatnonzero(marked.any(0))
    inner = contents[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = contents.shape
    beside = rows[0] > 0 and rows[-1] + 1 < height
    around = beside and columns[0] > 0 and columns[-1] + 1 < width
    if around and _is_walled(inner):
        return inner
    return contents


def _is_walled(contents: Grid) -> bool:
    """Tell whether every side is mostly wall."""
    walls = contents == WALL
    sides = (walls[0], walls[-1], walls[:, 0], walls[:, -1])
    return all(side.mean() >= WALLED for side in sides)


def _cell_size(contents: Grid) -> int:
    """Find the largest square such that colours meet only at multiples of its side."""
    changes_across = contents[:, 1:] != contents[:, :-1]
    changes_down = contents[1:] != contents[:-1]
    across = np.flatnonzero(changes_across.any(0)) + 1
    down = np.flatnonzero(changes_down.any(1)) + 1
    places = np.concatenate([across, down, contents.shape])
    return int(np.gcd.reduce(places))
