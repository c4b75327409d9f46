"""Pictures of pixels: what the terminal shows, in few colours."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from rich.color_triplet import ColorTriplet

from trmsolve.show.bitmap import HEIGHT, MARGIN, MOST_COLOURS, WIDTH, Colours, Film, png_of
from trmsolve.show.raster import PAPER, Piece

RED = ColorTriplet(200, 30, 30)
WHITE = ColorTriplet(240, 240, 240)


def pixels(data: bytes, frame: int = 0) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        image.seek(frame)
        return np.asarray(image.convert("RGB"))


def drawn(text: str, paper: ColorTriplet = PAPER) -> NDArray[np.bool_]:
    """Where there is ink or another paper in the picture of one piece, without the margin."""
    shown = pixels(png_of([[Piece(0, text, WHITE, paper)]]))
    inside = shown[MARGIN:-MARGIN, MARGIN:-MARGIN]
    found: NDArray[np.bool_] = (inside != np.array(PAPER)).any(-1)
    return found


def column(marked: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    return marked[:, number * WIDTH : (number + 1) * WIDTH]


def test_half_blocks_are_squares() -> None:
    shown = pixels(png_of([[Piece(0, "▀", RED, WHITE), Piece(1, "▄", RED, PAPER)]]))
    inside = shown[MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert inside.shape == (HEIGHT, 2 * WIDTH, 3)
    assert (inside[:WIDTH, :WIDTH] == RED).all() and (inside[WIDTH:, :WIDTH] == WHITE).all()
    assert (inside[:WIDTH, WIDTH:] == PAPER).all() and (inside[WIDTH:, WIDTH:] == RED).all()


def test_lines_meet_without_a_seam() -> None:
    marked = drawn("╭─┬─╮")
    assert marked[HEIGHT // 2, WIDTH // 2 : -WIDTH // 2].all()
    assert marked[HEIGHT // 2 :, WIDTH // 2].all() and not marked[: WIDTH - 2].any()


@pytest.mark.parametrize("character", "─│┼├┤┬┴╭╮╰╯━→↓←↑⠁⠿⣿·x7")
def test_every_character_of_a_drawing_has_a_shape_of_its_own(character: str) -> None:
    unknown = drawn("?")
    assert drawn(character).any()
    assert not np.array_equal(drawn(character), unknown)


def test_a_braille_character_has_as_many_dots_as_bits() -> None:
    one, six = drawn("⠁").sum(), drawn("⠿").sum()
    assert six == 6 * one


def test_cells_with_a_colour_behind_them_stay_in_their_columns() -> None:
    marked = pixels(png_of([[Piece(0, "7 7 7", WHITE, RED)]]))[MARGIN:-MARGIN, MARGIN:-MARGIN]
    is_ink = (marked != np.array(RED)).any(-1)
    assert [bool(column(is_ink, number).any()) for number in range(5)] == [True, False] * 2 + [True]
    assert np.array_equal(column(is_ink, 0), column(is_ink, 4))


def test_wide_words_are_pressed_into_their_columns() -> None:
    assert drawn("WWWWWWWW").shape[1] == 8 * WIDTH
    marked = drawn("WWWWWWWW  .")
    assert not column(marked, 9).any()


def test_letters_that_the_font_lacks_lose_their_accents() -> None:
    assert np.array_equal(drawn("é"), drawn("e"))
    assert np.array_equal(drawn("ж"), drawn("?"))


def test_a_picture_has_at_most_256_colours() -> None:
    pieces = [Piece(n, "W", ColorTriplet(n, 255 - n, 7 * n % 256), WHITE) for n in range(200)]
    with Image.open(io.BytesIO(png_of([pieces]))) as image:
        assert image.mode == "P"
    colours = Colours()
    for piece in pieces:
        colours.ramp(piece.ink, piece.paper)
    assert len(colours.palette()) == 3 * MOST_COLOURS


def test_frames_of_a_film_have_one_size_and_their_own_colours() -> None:
    film = Film()
    film.add([[Piece(0, "▀", RED, PAPER)]], 0.5)
    film.add([[Piece(0, "▀▀▀", WHITE, PAPER)], [Piece(0, "▀", RED, PAPER)]], 1.25)
    gif = film.gif()
    first, second = pixels(gif, 0), pixels(gif, 1)
    assert first.shape == second.shape == (2 * HEIGHT + 2 * MARGIN, 3 * WIDTH + 2 * MARGIN, 3)
    assert (first[MARGIN, MARGIN] == RED).all() and (second[MARGIN, MARGIN] == WHITE).all()
    assert (first[MARGIN + HEIGHT, MARGIN] == PAPER).all()
    assert (second[MARGIN + HEIGHT, MARGIN] == RED).all()
