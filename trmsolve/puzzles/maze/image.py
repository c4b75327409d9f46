"""A maze as a PNG image: black walls, white floor, one green cell for the start and one red for the goal.

Cells are squares of any size, found from where the colours meet; white around an outer wall is no
floor. Colours may be a little off, but a pixel that could be two of them is refused. Reading images
needs Pillow, the extra ``image``.

Knows pixels. Does not know text, nor how a maze is solved.
"""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.maze.form import LEAST, MOST
from trmsolve.puzzles.values import Grid, Puzzle

PIXELS = 1 << 24  # of an image; 1000 x 1000 cells have four pixels a side
BYTES = 1 << 26  # of a file, more than so many pixels take without compression

DARK, BRIGHT = 96, 160  # black has no more in any colour, white no less
APART = 64  # green and red stand so far above the other two, greys do not

COLOURS = (
    "walls are black, floor is white, the start is green, the goal red, and nothing is smoothed"
)

_OTHERS = {b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}
_ENDS = {START: ("green", "start"), GOAL: ("red", "goal")}
_UNKNOWN = -1


def is_image(head: bytes) -> bool:
    """Whether a file that begins so is an image."""
    return head.startswith((b"\x89PNG", *_OTHERS))


def read_image(chunks: Iterable[bytes], name: str) -> Puzzle:
    """The maze of an image. Raises PuzzleError if it is none."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > BYTES:
            raise PuzzleError(f"an image of more than {BYTES >> 20} MiB", name)
    for magic, kind in _OTHERS.items():
        if data.startswith(magic):
            raise PuzzleError(f"a {kind} image; only PNG is read, save it as that", name)
    return Puzzle(_grid(_classes(_pixels(bytes(data), name), name), name), name)


def _pixels(data: bytes, name: str) -> NDArray[np.uint8]:
    """(height, width, 3): the colours, what is transparent on white."""
    try:
        from PIL import Image
    except ImportError:
        raise PuzzleError(
            "reading an image needs Pillow: pip install 'trmsolve[image]'", name
        ) from None
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    if width * height > PIXELS:  # before anything is unpacked
        raise PuzzleError(
            f"an image of {width} x {height} pixels; more than {PIXELS} pixels are not read", name
        )
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if not image.has_transparency_data:
                return np.asarray(image.convert("RGB"))
            shown = Image.new("RGBA", image.size, "white")
            shown.alpha_composite(image.convert("RGBA"))
            return np.asarray(shown.convert("RGB"))
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise PuzzleError(f"a damaged PNG image: {error}; make or fetch it again", name) from error


def _classes(pixels: NDArray[np.uint8], name: str) -> Grid:
    """(height, width): what the colour of each pixel means."""
    low, high = pixels.min(-1), pixels.max(-1)
    grey = high - low < APART
    classes: Grid = np.full(low.shape, _UNKNOWN, np.int8)
    classes[grey & (high <= DARK)] = WALL
    classes[grey & (low >= BRIGHT)] = FLOOR
    for content, channel in ((GOAL, 0), (START, 1)):
        others = np.maximum(pixels[..., 1 - channel], pixels[..., 2])
        shines = pixels[..., channel] > others
        classes[shines & (pixels[..., channel] - others >= APART)] = (
            content  # else the difference would wrap
        )
    for y, x in _first(classes == _UNKNOWN):
        colour = "#" + "".join(f"{int(part):02X}" for part in pixels[y, x])
        raise PuzzleError(f"pixel x {x}, y {y} is {colour}: {COLOURS}", name)
    return classes


def _first(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The row and column of the first place that is true, if there is one."""
    place = int(mask.argmax())
    return [divmod(place, mask.shape[1])] if mask.size and mask.flat[place] else []


def _grid(classes: Grid, name: str) -> Grid:
    """One cell for each square of pixels."""
    areas = {content: _area(classes == content, content, name) for content in (START, GOAL)}
    inner = _without_margin(classes)
    size = _cell_size(inner)
    grid = np.ascontiguousarray(inner[::size, ::size])
    for content, (y, x, height, width) in areas.items():
        if (height, width) != (size, size):
            area = f"the {_ENDS[content][0]} area at x {x}, y {y} has {width} x {height} pixels"
            raise PuzzleError(f"no regular cells: {area}, where cells have {size} x {size}", name)
    if min(grid.shape) < LEAST or max(grid.shape) > MOST:
        limit = (
            f"at least {LEAST} x {LEAST}" if min(grid.shape) < LEAST else f"{MOST} x {MOST} at most"
        )
        raise PuzzleError(
            f"{grid.shape[0]} x {grid.shape[1]} cells of {size} pixels; a maze has {limit}", name
        )
    return grid


def _area(mask: NDArray[np.bool_], content: int, name: str) -> tuple[int, int, int, int]:
    """The one rectangle of a colour: y, x, height and width."""
    colour, what = _ENDS[content]
    if not (first := _first(mask)):
        raise PuzzleError(f"no {colour} cell: it marks the {what}", name)
    ((y, x),) = first
    width = int(np.append(mask[y, x:], False).argmin())
    height = int(np.append(mask[y:, x], False).argmin())
    rest = mask.copy()
    rest[y : y + height, x : x + width] = False
    for other_y, other_x in _first(rest):
        places = f"x {x}, y {y} and x {other_x}, y {other_y}"
        raise PuzzleError(f"several {colour} areas, at {places}; one cell marks the {what}", name)
    return y, x, height, width


def _without_margin(classes: Grid) -> Grid:
    """The image without white around an outer wall."""
    rows, columns = (np.flatnonzero((classes != FLOOR).any(axis)) for axis in (1, 0))
    top, bottom, left, right = (
        int(rows[0]),
        int(rows[-1]) + 1,
        int(columns[0]),
        int(columns[-1]) + 1,
    )
    inner = classes[top:bottom, left:right]
    sides: list[Any] = [inner[0], inner[-1], inner[:, 0], inner[:, -1]]
    around = top > 0 and left > 0 and bottom < len(classes) and right < classes.shape[1]
    if around and all((side == WALL).mean() >= 0.6 for side in sides):
        return inner
    return classes


def _cell_size(classes: Grid) -> int:
    """The largest square that all places where the colours meet are a multiple of."""
    across = np.flatnonzero((classes[:, 1:] != classes[:, :-1]).any(0)) + 1
    down = np.flatnonzero((classes[1:] != classes[:-1]).any(1)) + 1
    return int(np.gcd.reduce(np.concatenate([across, down, classes.shape])))
