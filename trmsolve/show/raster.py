"""A drawing for the terminal as pieces of text with colours, for pictures of it.

Knows Rich's styles and one palette. The pictures themselves are made by others.
"""

from dataclasses import dataclass

from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME as PALETTE

PAPER = PALETTE.background_color
"""The colour behind everything."""

BRAILLE = 0x2800
"""The braille character without dots. The bits of its dots are added to it."""

DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dot of each bit of a braille character."""

DIMMED = 0.4
"""How much of the paper is in a dimmed colour."""


@dataclass(frozen=True)
class Piece:
    """Text of one look."""

    column: int
    """Where it begins, from 0."""
    text: str
    ink: ColorTriplet
    paper: ColorTriplet
    bold: bool = False
    underline: bool = False


def rasterise(console: Console, drawing: RenderableType) -> list[list[Piece]]:
    """The lines of a drawing as the console breaks them, each as its pieces."""
    return [_pieces(line) for line in console.render_lines(drawing, pad=False)]


def _pieces(line: list[Segment]) -> list[Piece]:
    pieces = []
    column = 0
    for segment in line:
        style = segment.style or Style.null()
        ink, paper = _colours(style)
        look = bool(style.bold), bool(style.underline)
        pieces.append(Piece(column, segment.text, ink, paper, *look))
        column += segment.cell_length
    return pieces


def _colours(style: Style) -> tuple[ColorTriplet, ColorTriplet]:
    """Ink and paper of a style."""
    ink = _triplet(style.color, is_ink=True)
    paper = _triplet(style.bgcolor, is_ink=False)
    if style.reverse:
        ink, paper = paper, ink
    if style.dim:
        ink = blend_rgb(ink, paper, DIMMED)
    return ink, paper


def _triplet(colour: Color | None, is_ink: bool) -> ColorTriplet:
    return (colour or Color.default()).get_truecolor(PALETTE, foreground=is_ink)
