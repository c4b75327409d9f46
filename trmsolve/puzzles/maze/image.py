"""Reads a maze from a PNG image: black walls, white floor, a green start and a red goal.

Cells are squares of any size, which is found from the places where the colours meet. White around
an outer wall is no floor. Colours may be a little off, but a pixel that could have two meanings is
refused. Reading images needs Pillow, the extra ``image``.

This module knows pixels. It does not know text, nor how a maze is solved.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.maze.form import LEAST, MOST, NO_MARKS, Marks
from trmsolve.puzzles.values import Grid, Puzzle

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

_OTHERS = {b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}
_ENDS = {START: ("green", "start"), GOAL: ("red", "goal")}
_UNKNOWN = -1


class _Area(NamedTuple):
    """A rectangle of pixels."""

    y: int
    x: int
    height: int
    width: int


def is_image(head: bytes) -> bool:
    """Tell whether a file that begins with ``head`` is an image."""
    return head.startswith((b"\x89PNG", *_OTHERS))


def read_image(chunks: Iterable[bytes], name: str, marks: Marks = NO_MARKS) -> Puzzle:
    """Read the maze of an image. Raises PuzzleError if it shows none."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > BYTES:
            raise PuzzleError(f"an image of more than {BYTES >> 20} MiB", name)
    for magic, kind in _OTHERS.items():
        if data.startswith(magic):
            raise PuzzleError(f"a {kind} image; only PNG is supported, save it as PNG", name)
    pixels = _unpack(bytes(data), name)
    contents = _classify(pixels, name)
    return Puzzle(_shrink(contents, name), name)


def _unpack(data: bytes, name: str) -> Pixels:
    """Unpack the colours (height, width, 3). Transparent pixels are put on white."""
    try:
        from PIL import Image
    except ImportError:
        install = "pip install 'trmsolve[image]'"
        raise PuzzleError(f"reading an image needs Pillow: {install}", name) from None
    width = int.from_bytes(data[16:20], "big")
    height = int.from_bytes(data[20:24], "big")
    if width * height > PIXELS:  # before anything is unpacked
        problem = f"an image of {width} x {height} pixels; the maximum is {PIXELS} pixels"
        raise PuzzleError(problem, name)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if not image.has_transparency_data:
                return np.asarray(image.convert("RGB"))
            shown = Image.new("RGBA", image.size, "white")
            shown.alpha_composite(image.convert("RGBA"))
            return np.asarray(shown.convert("RGB"))
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise PuzzleError(
            f"a damaged PNG image: {error}; create or download it again", name
        ) from error


def _classify(pixels: Pixels, name: str) -> Grid:
    """Find the content (height, width) that the colour of each pixel means."""
    low = pixels.min(-1)
    high = pixels.max(-1)
    grey = high - low < APART
    contents: Grid = np.full(low.shape, _UNKNOWN, np.int8)
    contents[grey & (high <= DARK)] = WALL
    contents[grey & (low >= BRIGHT)] = FLOOR
    contents[_shines(pixels, 0)] = GOAL
    contents[_shines(pixels, 1)] = START
    unknown = _find_first(contents == _UNKNOWN)
    if unknown:
        y, x = unknown
        colour = "#" + bytes(pixels[y, x]).hex().upper()
        raise PuzzleError(f"pixel x {x}, y {y} is {colour}: {COLOURS}", name)
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


def _shrink(contents: Grid, name: str) -> Grid:
    """Shrink each square of pixels to one cell."""
    start = _find_area(contents, START, name)
    goal = _find_area(contents, GOAL, name)
    inner = _cut_margin(contents)
    size = _cell_size(inner)
    _refuse_irregular(start, START, size, name)
    _refuse_irregular(goal, GOAL, size, name)
    grid = np.ascontiguousarray(inner[::size, ::size])
    limit = ""
    if min(grid.shape) < LEAST:
        limit = f"at least {LEAST} x {LEAST}"
    elif max(grid.shape) > MOST:
        limit = f"at most {MOST} x {MOST}"
    if limit:
        rows, columns = grid.shape
        problem = f"{rows} x {columns} cells of {size} pixels; a maze has {limit}"
        raise PuzzleError(problem, name)
    return grid


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
