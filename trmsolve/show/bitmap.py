"""A drawing for the terminal as a picture of pixels, drawn by Pillow, the extra ``image``.

Blocks, lines, dots and arrows are drawn as shapes, since the font that Pillow brings has none of
them. A picture has at most 256 colours, so that PNG and GIF stay small: the edges of letters take
one of a few shades between ink and paper.
"""

import io
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from PIL import Image, ImageDraw, ImageFont
from rich.cells import cell_len
from rich.color import blend_rgb
from rich.color_triplet import ColorTriplet

from trmsolve.show.raster import BRAILLE, DOTS, PAPER, Piece

WIDTH = 12
"""Pixels that a column is wide."""

HEIGHT = 2 * WIDTH
"""Pixels that a line is high: a half block is a square."""

MARGIN = WIDTH

FONT_SIZE = 20
BASELINE = 18
"""Pixels from the top of a line to the foot of its letters."""

SHADES = 5
"""Shades between ink and paper."""

MOST_COLOURS = 256

FINER = 4
"""How many times larger shapes are drawn before they are reduced, for smooth edges."""

BLOCKS = {"▀": (0, WIDTH), "▄": (WIDTH, WIDTH), "█": (0, HEIGHT)}
"""Where a block begins in its line, and how high it is."""

STROKES = {
    "─": "lr",
    "│": "ud",
    "┼": "lrud",
    "├": "rud",
    "┤": "lud",
    "┬": "lrd",
    "┴": "lru",
    "╭": "rd",
    "╮": "ld",
    "╰": "ru",
    "╯": "lu",
    "━": "LR",
    "┃": "UD",
    "┏": "RD",
    "┓": "LD",
    "┗": "RU",
    "┛": "LU",
    "┣": "RUD",
    "┫": "LUD",
    "┳": "LRD",
    "┻": "LRU",
    "╋": "LRUD",
    "┯": "LRd",
    "┷": "LRu",
    "┠": "rUD",
    "┨": "lUD",
    "┿": "LRud",
    "╂": "lrUD",
}
"""Where the strokes of a line go from the middle: left, right, up, down. Capitals are heavy."""

ARROWS = {"→": 0, "↓": 1, "←": 2, "↑": 3}
"""Arrows as quarters of a turn, clockwise."""

DRAWN = "".join((*STROKES, *ARROWS, *BLOCKS)) + f"{chr(BRAILLE)}-{chr(BRAILLE + 255)}"
"""The characters that are shapes, inside of a class of a regular expression."""

TOKEN = re.compile(rf"[{DRAWN}]|[^\s{DRAWN}]+(?: [^\s{DRAWN}]+)*")
"""A shape, or words with one space between them."""

CELL = re.compile(r"\S")
"""A character in the column that is its own."""


class Colours:
    """The colours of a picture or of several, each with its number."""

    def __init__(self) -> None:
        self._numbers = {PAPER: 0}
        self._ramps: dict[tuple[ColorTriplet, ColorTriplet], list[int]] = {}

    def number(self, colour: ColorTriplet) -> int:
        """The number of a colour; that of the nearest one where all numbers are taken."""
        if colour not in self._numbers:
            if len(self._numbers) == MOST_COLOURS:
                return self._numbers[self._nearest(colour)]
            self._numbers[colour] = len(self._numbers)
        return self._numbers[colour]

    def ramp(self, ink: ColorTriplet, paper: ColorTriplet) -> list[int]:
        """The number of the shade for each share of ink from 0 to 255."""
        if (ink, paper) not in self._ramps:
            steps = SHADES + 1
            shades = []
            for step in range(steps + 1):
                shades.append(self.number(blend_rgb(paper, ink, step / steps)))
            self._ramps[ink, paper] = [shades[share * steps // 255] for share in range(256)]
        return self._ramps[ink, paper]

    def palette(self) -> list[int]:
        """Red, green and blue of each number."""
        values: list[int] = []
        for colour in self._numbers:
            values += colour
        return values

    def _nearest(self, colour: ColorTriplet) -> ColorTriplet:
        def distance(other: ColorTriplet) -> int:
            return sum((a - b) ** 2 for a, b in zip(colour, other, strict=True))

        return min(self._numbers, key=distance)


def png_of(lines: list[list[Piece]]) -> bytes:
    """A drawing as a PNG file."""
    colours = Colours()
    image = _numbers_of(lines, colours)
    stream = io.BytesIO()
    _coloured(image, image.size, colours).save(stream, "PNG", optimize=True)
    return stream.getvalue()


class Film:
    """Drawings that become a moving picture without end. They are kept packed."""

    def __init__(self) -> None:
        self.colours = Colours()
        self.durations: list[int] = []
        """How long each drawing is shown, in milliseconds."""
        self._frames: list[tuple[tuple[int, int], bytes]] = []

    def add(self, lines: list[list[Piece]], seconds: float) -> None:
        """Add a drawing that is shown for so long."""
        image = _numbers_of(lines, self.colours)
        self._frames.append((image.size, zlib.compress(image.tobytes(), 1)))
        self.durations.append(round(1000 * seconds))

    def gif(self) -> bytes:
        """All drawings as a GIF file, each as large as the largest. There must be one."""
        width = max(size[0] for size, _ in self._frames)
        height = max(size[1] for size, _ in self._frames)
        images = self._images((width, height))
        stream = io.BytesIO()
        next(images).save(
            stream, "GIF", save_all=True, append_images=images, duration=self.durations, loop=0
        )
        return stream.getvalue()

    def _images(self, room: tuple[int, int]) -> Iterator[Image.Image]:
        for size, packed in self._frames:
            numbers = Image.frombytes("L", size, zlib.decompress(packed))
            yield _coloured(numbers, room, self.colours)


def _coloured(numbers: Image.Image, room: tuple[int, int], colours: Colours) -> Image.Image:
    """The numbers as the colours that they stand for, on a paper of that size."""
    paper = Image.new("L", room)
    paper.paste(numbers)
    image = Image.frombytes("P", room, paper.tobytes())
    image.putpalette(colours.palette())
    return image


def _numbers_of(lines: list[list[Piece]], colours: Colours) -> Image.Image:
    """The drawing with its margin. A pixel is the number of its colour; 0 is the paper."""
    columns = max((_end(line) for line in lines), default=0)
    size = columns * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    sheet = _Sheet(Image.new("L", size), colours)
    for row, line in enumerate(lines):
        for piece in line:
            sheet.draw(piece, row)
    return sheet.numbers


def _end(line: list[Piece]) -> int:
    """The column behind the last text of a line."""
    return max((piece.column + cell_len(piece.text.rstrip()) for piece in line), default=0)


class _Sheet:
    """A picture under way, whose pixels are numbers of colours."""

    def __init__(self, numbers: Image.Image, colours: Colours) -> None:
        self.numbers = numbers
        self.pen = ImageDraw.Draw(numbers)
        self.colours = colours

    def draw(self, piece: Piece, row: int) -> None:
        """Draw the piece, its paper first."""
        top = MARGIN + row * HEIGHT
        if piece.paper != PAPER:
            self._fill(piece.column, cell_len(piece.text), (top, HEIGHT), piece.paper)
        tokens = TOKEN if piece.paper == PAPER else CELL  # what has a colour behind it is a cell
        for found in tokens.finditer(piece.text):
            column = piece.column + cell_len(piece.text[: found.start()])
            token = found[0]
            if token in BLOCKS:
                below, height = BLOCKS[token]
                self._fill(column, 1, (top + below, height), piece.ink)
            else:
                mask = _mask(token, piece.bold, piece.underline)
                ramp = self.colours.ramp(piece.ink, piece.paper)
                self.numbers.paste(mask.point(ramp), (MARGIN + column * WIDTH, top))

    def _fill(self, column: int, columns: int, part: tuple[int, int], colour: ColorTriplet) -> None:
        """Fill columns over a part of the height: its top and its height in pixels."""
        left = MARGIN + column * WIDTH
        top, height = part
        box = (left, top, left + columns * WIDTH - 1, top + height - 1)
        self.pen.rectangle(box, fill=self.colours.number(colour))


@cache
def _mask(token: str, bold: bool, underline: bool) -> Image.Image:
    """How much ink each pixel of a token has."""
    if token in STROKES:
        return _strokes(STROKES[token])
    if token in ARROWS:
        return _smooth(lambda pen: _arrow(pen, ARROWS[token]))
    if len(token) == 1 and BRAILLE <= ord(token) < BRAILLE + 256:
        return _smooth(lambda pen: _dots(pen, ord(token) - BRAILLE))
    return _words(token, bold, underline)


def _strokes(directions: str) -> Image.Image:
    """Strokes from the middle, which meet those of the neighbours without a seam."""
    image = Image.new("L", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(image)
    x, y = WIDTH // 2, HEIGHT // 2
    for direction in directions:
        half = 2 if direction.isupper() else 1
        ends = {
            "l": (0, y - half, x + half - 1, y + half - 1),
            "r": (x - half, y - half, WIDTH - 1, y + half - 1),
            "u": (x - half, 0, x + half - 1, y + half - 1),
            "d": (x - half, y - half, x + half - 1, HEIGHT - 1),
        }
        pen.rectangle(ends[direction.lower()], fill=255)
    return image


def _smooth(draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    """A shape of one column, drawn larger and then reduced."""
    image = Image.new("L", (WIDTH * FINER, HEIGHT * FINER))
    draw(ImageDraw.Draw(image))
    return image.reduce(FINER)


def _arrow(pen: ImageDraw.ImageDraw, turns: int) -> None:
    """An arrow that points right, turned clockwise."""
    middle_x, middle_y = WIDTH * FINER / 2, HEIGHT * FINER / 2
    shaft = [(-0.45, -0.07), (0.1, -0.07), (0.1, 0.07), (-0.45, 0.07)]
    head = [(0.05, -0.28), (0.45, 0.0), (0.05, 0.28)]
    for outline in (shaft, head):
        points = []
        for x, y in outline:
            for _ in range(turns):
                x, y = -y, x
            points.append((middle_x + x * WIDTH * FINER, middle_y + y * WIDTH * FINER))
        pen.polygon(points, fill=255)


def _dots(pen: ImageDraw.ImageDraw, bits: int) -> None:
    """The dots of a braille character, in squares of half a column."""
    step = WIDTH * FINER / 2
    radius = step * 0.3
    for bit, (column, row) in enumerate(DOTS):
        if bits >> bit & 1:
            x, y = (column + 0.5) * step, (row + 0.5) * step
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _words(token: str, bold: bool, underline: bool) -> Image.Image:
    """Letters, pressed together where they need more than their columns; one alone is centred."""
    room = cell_len(token) * WIDTH
    text = "".join(_known(character) for character in token)
    font = _font()
    needed = round(font.getlength(text)) + 1
    image = Image.new("L", (max(needed, room), HEIGHT))
    left = (room - needed + 1) // 2 if len(text) == 1 else 0
    pen = ImageDraw.Draw(image)
    for offset in range(2 if bold else 1):  # the font has no bold letters
        pen.text((max(left, 0) + offset, BASELINE), text, fill=255, font=font, anchor="ls")
    if needed > room:
        image = image.crop((0, 0, needed, HEIGHT)).resize((room, HEIGHT))
    if underline:
        ImageDraw.Draw(image).rectangle((0, HEIGHT - 3, room - 1, HEIGHT - 2), fill=255)
    return image


@cache
def _font() -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(FONT_SIZE)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _known(character: str) -> str:
    """The character, else its letter without accents, else a question mark, as the font has it."""
    if character.isascii() or character in "·°…":
        return character
    plain = unicodedata.normalize("NFKD", character)[:1]
    return plain if plain.isascii() else "?"
