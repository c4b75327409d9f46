"""The plain drawing of any grid: a character for each cell, with the styles that all puzzles share.

Knows numpy and the values that pass between the parts; not the rules (the cycle says what is
faulty), not the terminal, not a colour.
"""

import numpy as np

from trmsolve.puzzles.values import Cycle, Line

UNSURE = 0.5
"""Below this probability a value is drawn dimmer."""

MARKS = {"overwritten": "?", "conflict": "!", "changed": "*"}
"""The characters that tell cells apart where colour cannot."""

UNKNOWN = "?"


def paint_grid(cycle: Cycle, symbols: str, plain: bool) -> list[Line]:
    """The grid row by row, two columns a cell; ``plain`` marks cells by a character behind them."""
    lines: list[Line] = []
    for values, styles in zip(cycle.grid.tolist(), cell_styles(cycle), strict=True):
        line: Line = []
        for value, style in zip(values, styles, strict=True):
            line += _cell(_symbol(value, symbols), style, plain)
        lines.append(line)
    return lines


def cell_styles(cycle: Cycle) -> list[list[str]]:
    """One style name a cell; where several fit, the first of them wins."""
    given = cycle.puzzle.grid != 0
    rules = {
        "overwritten": given & (cycle.grid != cycle.puzzle.grid),
        "conflict": cycle.faulty,
        "changed": cycle.changed,
        "given": given,
        "blank": cycle.grid == 0,
        "unsure": cycle.confidence < UNSURE,
    }
    names: list[list[str]] = np.select(list(rules.values()), list(rules), default="answer").tolist()
    return names


def _symbol(value: int, symbols: str) -> str:
    if 0 <= value < len(symbols):
        return symbols[value]
    return UNKNOWN


def _cell(symbol: str, style: str, plain: bool) -> Line:
    """The symbol and its mark, or a space without style so that a reversed cell stands apart."""
    mark = MARKS.get(style, "") if plain or style == "overwritten" else ""
    if mark:
        return [(symbol + mark, style)]
    return [(symbol, style), (" ", "")]
