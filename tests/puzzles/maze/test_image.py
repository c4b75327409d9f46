"""Mazes as PNG images: every size and colour that is read, and every image that is refused."""

import builtins
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.maze.form import write_maze
from trmsolve.puzzles.maze.image import PIXELS
from trmsolve.puzzles.maze.text import read_mazes
from trmsolve.puzzles.values import Grid, Puzzle

Image = pytest.importorskip("PIL.Image")

COLOURS = {WALL: (0, 0, 0), FLOOR: (255, 255, 255), START: (0, 255, 0), GOAL: (255, 0, 0)}
RULE = "walls are black, floor is white, the start is green, the goal red, without smoothing"
ROWS = ["#####", "#S  #", "# #G#", "#####"]
OPEN = ["  # ", "S # ", " #G ", "    "]


def grid(rows: list[str]) -> Grid:
    return np.array([["# SG".index(char) for char in row] for row in rows], np.int8)


def pixels(
    cells: Grid, size: int, margin: int = 0, colours: dict[int, tuple[int, int, int]] = COLOURS
) -> NDArray[Any]:
    """(height, width, 3): the cells as squares, white around."""
    palette = np.array([colours[content] for content in range(4)], np.uint8)
    drawn = palette[cells.repeat(size, 0).repeat(size, 1)]
    return np.pad(drawn, ((margin, margin), (margin, margin), (0, 0)), constant_values=255)


def png(image: NDArray[Any] | Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(
        stream, "PNG", **options
    )
    return stream.getvalue()


def read(data: bytes) -> Puzzle | PuzzleError:
    (item,) = read_mazes(io.BytesIO(data), "m.png")
    return item


def maze(data: bytes) -> Grid:
    item = read(data)
    assert isinstance(item, Puzzle), item
    assert item.source == "m.png" and item.answer is None and item.rating is None
    return item.grid


def error(data: bytes) -> str:
    item = read(data)
    assert isinstance(item, PuzzleError)
    return str(item)


def random_maze(seed: int, rows: int, columns: int, density: float, walled: bool) -> Grid:
    rng = np.random.default_rng(seed)
    cells = np.where(rng.random((rows, columns)) < density, WALL, FLOOR).astype(np.int8)
    if walled:
        cells = np.pad(cells, 1, constant_values=WALL)
    inside = np.flatnonzero(np.pad(np.ones((rows, columns), bool), int(walled)))
    cells.flat[rng.choice(inside, 2, replace=False)] = START, GOAL
    return cells


mazes = st.builds(
    random_maze,
    st.integers(0, 2**32 - 1),
    st.integers(3, 10),
    st.integers(3, 10),
    st.floats(0, 1),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(mazes, st.integers(1, 9), st.integers(0, 20))
def test_any_maze_of_any_cell_size(cells: Grid, size: int, margin: int) -> None:
    walled = bool((cells[[0, -1]] == WALL).all() and (cells[:, [0, -1]] == WALL).all())
    assert maze(png(pixels(cells, size, margin if walled else 0))).tolist() == cells.tolist()


def test_an_answer_is_written_as_text() -> None:
    item = read(png(pixels(grid(ROWS), 7)))
    assert isinstance(item, Puzzle) and item.form is None
    assert write_maze(item.grid, item.form) == "\n".join(ROWS) + "\n"


def test_white_around_an_open_maze_is_floor() -> None:
    assert maze(png(pixels(grid(OPEN), 5))).tolist() == grid(OPEN).tolist()
    assert (
        maze(png(pixels(grid(OPEN), 5, 5))).tolist()
        == np.pad(grid(OPEN), 1, constant_values=FLOOR).tolist()
    )


def test_an_outer_wall_may_have_openings_and_the_ends_in_it() -> None:
    cells = grid(["##S###", "#    #", "      ", "#  ###", "#### G"])
    assert maze(png(pixels(cells, 3, 4))).tolist() == cells.tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "PA", "LA-like"])
def test_modes(mode: str) -> None:
    image = Image.fromarray(pixels(grid(ROWS), 4))
    if mode == "LA-like":  # white that is transparent
        image = image.convert("RGBA")
        drawn = np.asarray(image).copy()
        drawn[(drawn[..., :3] == 255).all(-1)] = 0
        image = Image.fromarray(drawn)
    elif mode == "P":
        image = image.quantize(8)
    else:
        image = image.convert(mode if mode != "PA" else "RGBA")
    assert maze(png(image)).tolist() == grid(ROWS).tolist()


@pytest.mark.parametrize(
    "colours",
    [
        {WALL: (20, 30, 40), FLOOR: (250, 240, 230), START: (0, 128, 0), GOAL: (139, 0, 0)},
        {WALL: (90, 80, 70), FLOOR: (180, 190, 200), START: (144, 238, 144), GOAL: (240, 100, 90)},
        {WALL: (0, 0, 0), FLOOR: (255, 255, 255), START: (76, 175, 80), GOAL: (244, 67, 54)},
        {WALL: (0, 0, 40), FLOOR: (255, 255, 224), START: (0, 80, 0), GOAL: (90, 0, 0)},
    ],
)
def test_colours_may_be_a_little_off(colours: dict[int, tuple[int, int, int]]) -> None:
    assert maze(png(pixels(grid(ROWS), 6, 6, colours))).tolist() == grid(ROWS).tolist()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_noise_is_forgiven(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-30, 31, (4 * 8, 5 * 8, 3))
    drawn = np.clip(pixels(grid(ROWS), 8).astype(int) + noise, 0, 255).astype(np.uint8)
    assert maze(png(drawn)).tolist() == grid(ROWS).tolist()


@pytest.mark.parametrize(
    "colour",
    [(128, 128, 128), (0, 0, 255), (255, 255, 0), (120, 100, 0), (255, 182, 193), (130, 130, 200)],
)
def test_a_pixel_of_another_colour_is_named(colour: tuple[int, int, int]) -> None:
    drawn = pixels(grid(ROWS), 5)
    drawn[7:9, 11] = colour
    named = "#" + "".join(f"{part:02X}" for part in colour)
    assert error(png(drawn)) == f"m.png: pixel x 11, y 7 is {named}: {RULE}"


def test_starts_and_goals() -> None:
    def said(*rows: str) -> str:
        return error(png(pixels(grid(list(rows)), 4)))

    assert said("###", "# G", "###") == "m.png: no green cell: it marks the start"
    assert said("###", "S #", "###") == "m.png: no red cell: it marks the goal"
    assert (
        said("###", "S G", "# S")
        == "m.png: several green areas, at x 0, y 4 and x 8, y 8; one cell marks the start"
    )
    assert said("SS#", "# G", "###") == (
        "m.png: no regular cells: the green area at x 0, y 0 has 8 x 4 pixels, "
        "where cells have 4 x 4"
    )
    assert error(png(np.full((9, 9), 255, np.uint8))) == "m.png: no green cell: it marks the start"


def test_cells_have_to_be_regular() -> None:
    drawn = pixels(grid(ROWS), 6)
    message = (
        "m.png: no regular cells: the green area at x 6, y 6 has 6 x 6 pixels, "
        "where cells have 1 x 1"
    )
    assert error(png(drawn[:, :-1])) == message
    moved = drawn.copy()
    moved[:, 22:24] = moved[:, 24:26]  # a wall that is too thick
    assert error(png(moved)) == message.replace("1 x 1", "2 x 2")


def test_sizes() -> None:
    assert (
        error(png(pixels(grid(["S ", " G", "  "]), 4)))
        == "m.png: 3 x 2 cells of 4 pixels; a maze has at least 3 x 3"
    )
    wide = np.zeros((3, 1001), np.int8)
    wide[1, :2] = START, GOAL
    assert (
        error(png(pixels(wide, 1)))
        == "m.png: 3 x 1001 cells of 1 pixels; a maze has at most 1000 x 1000"
    )
    largest = random_maze(1, 1000, 1000, 0.4, False)
    assert maze(png(pixels(largest, 2))).tolist() == largest.tolist()


# Files


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [5000, 20_000, 2**31 - 1])
def test_too_many_pixels_are_never_unpacked(side: int) -> None:
    said = error(bomb(side, side, b"\0" * 10_000_000))
    assert said == f"m.png: an image of {side} x {side} pixels; the maximum is {PIXELS} pixels"


def test_text_that_unpacks_to_too_much() -> None:
    good = png(pixels(grid(ROWS), 4))
    packed = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * (100 << 20)))
    assert error(good[:33] + packed + good[33:]).startswith("m.png: a damaged PNG image: ")


def test_damaged_files() -> None:
    good = png(pixels(grid(ROWS), 40))
    for stop in range(8, len(good) - 28):
        assert error(good[:stop]).startswith("m.png: a damaged PNG image: "), stop
    assert error(good[:60] + b"\xff" * 20 + good[80:]).startswith("m.png: a damaged PNG image: ")
    assert error(b"\x89PNG").startswith("m.png: a damaged PNG image: ")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_no_byte_of_an_image_makes_it_crash(where: int, slip: bytes) -> None:
    good = png(pixels(grid(ROWS), 40))
    where %= len(good)
    read(good[:where] + slip + good[where + len(slip) :])


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"\xff\xd8\xff\xe0rest", "JPEG"), (b"GIF89a", "GIF"), (b"RIFFxxxxWEBP", "WebP")],
)
def test_other_images(data: bytes, kind: str) -> None:
    assert error(data).startswith(f"m.png: a damaged {kind} image: ")


def test_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def lacking(name: str, *args: Any, **options: Any) -> Any:
        if name == "PIL" or name.startswith("PIL."):
            raise ImportError(name)
        return usual(name, *args, **options)

    data = png(pixels(grid(ROWS), 4))
    monkeypatch.setattr(builtins, "__import__", lacking)
    assert (
        error(data)
        == "m.png: reading an image needs Pillow: run pip install '.[image]' in a clone of trmsolve"
    )


def test_from_a_pipe_in_small_pieces() -> None:
    class Slow:
        def __init__(self, data: bytes) -> None:
            self.data = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self.data.read(min(size, 3))

    (item,) = read_mazes(Slow(png(pixels(grid(ROWS), 9, 3))), "stdin")  # type: ignore[arg-type]
    assert isinstance(item, Puzzle) and item.grid.tolist() == grid(ROWS).tolist()


def test_a_file_without_an_end_is_not_read_to_its_end() -> None:
    class Endless:
        served = 0

        def read(self, size: int = -1) -> bytes:
            self.served += 1
            return b"\x89PNG" * 16384

    stream = Endless()
    (item,) = read_mazes(stream, "m.png")  # type: ignore[arg-type]
    assert str(item) == "m.png: an image of more than 64 MiB" and stream.served < 1100
