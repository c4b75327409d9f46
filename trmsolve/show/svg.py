"""A drawing for the terminal as an SVG picture, without fonts or files of its own.

Half blocks become rectangles, so that a maze has no seams whatever the font, and braille characters
become dots. Text is set in the
reader's own font of fixed width and stretched to its columns. Rich's own export would have seams
between lines, and asks for a font from the web.
"""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from rich.cells import cell_len
from rich.color_triplet import ColorTriplet
from rich.console import Console, RenderableType

from trmsolve.show.raster import BRAILLE, DOTS, PAPER, Piece, rasterise

WIDTH = 9
"""Units that a column is wide."""

HEIGHT = 2 * WIDTH
"""Units that a line is high: a half block is a square."""

MARGIN = WIDTH

FONT = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
FONT_SIZE = 15
BASELINE = 14
"""Units from the top of a line to the foot of its letters."""

WORDS = re.compile(r"\S+(?: \S+)*")
"""Words with one space between them."""

BLOCKS = {"▀": (0, HEIGHT // 2), "▄": (HEIGHT // 2, HEIGHT // 2), "█": (0, HEIGHT)}
"""Where a block begins in its line, and how high it is."""

DOT = WIDTH // 2 * 0.75
"""The diameter of a dot."""


def svg_of(console: Console, drawing: RenderableType, title: str) -> str:
    """The drawing as SVG; ``title`` is its text for those who do not see it."""
    lines = rasterise(console, drawing)
    columns = max((_end(line) for line in lines), default=0)
    width = columns * WIDTH + 2 * MARGIN
    height = len(lines) * HEIGHT + 2 * MARGIN
    shapes: list[str] = []
    for row, line in enumerate(lines):
        shapes += _shapes(row, line)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            f' width="{width}" height="{height}" font-family={quoteattr(FONT)}'
            f' font-size="{FONT_SIZE}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="{PAPER.hex}"/>',
            f'<g transform="translate({MARGIN} {MARGIN})" shape-rendering="crispEdges">',
            *shapes,
            "</g>",
            "</svg>\n",
        ]
    )


def _end(line: list[Piece]) -> int:
    """The column behind the last one of a line."""
    return max((piece.column + cell_len(piece.text) for piece in line), default=0)


def _shapes(row: int, line: list[Piece]) -> Iterator[str]:
    """The rectangles and texts of a line, from back to front."""
    for piece in line:
        if piece.paper != PAPER:
            yield _rectangle(piece, row, (0, HEIGHT), piece.paper)
    for piece in line:
        block = BLOCKS.get(piece.text[:1])
        if block and not piece.text.strip(piece.text[0]):
            yield _rectangle(piece, row, block, piece.ink)
        elif _is_braille(piece.text):
            yield _dots(piece, row)
        else:
            yield from _texts(piece, row)


def _rectangle(piece: Piece, row: int, part: tuple[int, int], colour: ColorTriplet) -> str:
    """A rectangle behind or in place of the text, over a part of the line's height."""
    top, height = part
    x, y = piece.column * WIDTH, row * HEIGHT + top
    width = cell_len(piece.text) * WIDTH
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour.hex}"/>'


def _is_braille(text: str) -> bool:
    return bool(text) and all(BRAILLE < ord(character) < BRAILLE + 256 for character in text)


def _dots(piece: Piece, row: int) -> str:
    """The dots of braille characters, as strokes without length that have round ends."""
    step = WIDTH / 2
    strokes = []
    for offset, character in enumerate(piece.text):
        left = (piece.column + offset) * WIDTH
        for bit, (x, y) in enumerate(DOTS):
            if (ord(character) - BRAILLE) >> bit & 1:
                strokes.append(
                    f"M{left + (x + 0.5) * step:g} {row * HEIGHT + (y + 0.5) * step:g}h0"
                )
    return (
        f'<path d="{"".join(strokes)}" stroke="{piece.ink.hex}" stroke-width="{DOT:g}"'
        ' stroke-linecap="round" shape-rendering="auto"/>'
    )


def _texts(piece: Piece, row: int) -> Iterator[str]:
    """The words of the text; those apart by several spaces each in their place.

    A reader of SVG makes one space of several.
    """
    look = ' font-weight="bold"' if piece.bold else ""
    if piece.underline:
        look += ' text-decoration="underline"'
    y = row * HEIGHT + BASELINE
    for words in WORDS.finditer(piece.text):
        text = words[0]
        x = (piece.column + cell_len(piece.text[: words.start()])) * WIDTH
        length = cell_len(text) * WIDTH
        yield (
            f'<text x="{x}" y="{y}" textLength="{length}" lengthAdjust="spacingAndGlyphs"'
            f' fill="{piece.ink.hex}"{look}>{escape(text)}</text>'
        )
