"""What the cells of a Sudoku of any size mean, and how its digits are written.

Digits above 9 are letters or numbers. This module knows the words of single cells. It does not know
where they stand.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from trmsolve.puzzles.sudoku.board import SIDES, SYMBOLS, USUAL, Board, board_of

OTHER_SIDES = tuple(side for side in SIDES if side != USUAL.side)
"""The sides of the boards that this module reads."""

WIDE_SIDES = tuple(side for side in OTHER_SIDES if side > USUAL.side)
_FROM_ZERO = "0123456789ABCDEF"
_BLANK = re.compile(r"([._*xX0-])\1?|0\.0+|NaN|nan|null|NULL|None|N/A|")
_WORD = re.compile(rf"{_BLANK.pattern}|\d\d?(?:\.0+)?|[A-Za-z]")
_NOTHING_BEHIND_POINT = re.compile(r"(?<=\d)\.0+$")


def is_word(text: str) -> bool:
    """Tell whether a word may be one cell: a digit, a letter, a number, or a blank."""
    return bool(_WORD.fullmatch(text.strip()))


def is_blank(text: str) -> bool:
    """Tell whether a cell is a blank, if 0 is one."""
    return bool(_BLANK.fullmatch(text.strip()))


@dataclass(frozen=True)
class Digits:
    """How the digits of a Sudoku are written."""

    board: Board

    from_zero: bool = False
    """Whether 0 is the first digit, and not a blank."""

    @classmethod
    def of(cls, side: int, words: Iterable[str]) -> "Digits":
        """Tell how the digits are written from all cells.

        0 is a digit beside another sign for a blank, if then all digits have their signs.
        """
        if side not in WIDE_SIDES:
            return usual_digits(side)
        signs = {word.strip().upper() for word in words}
        others = [sign for sign in signs if sign != "0" and _BLANK.fullmatch(sign)]
        from_zero = (
            "0" in signs
            and bool(others)
            and SYMBOLS[side] not in signs
            and all(len(sign) == 1 for sign in signs)
        )
        return cls(board_of(side), from_zero)

    @cached_property
    def values(self) -> dict[str, int]:
        """What every way to write a digit means."""
        values = dict.fromkeys("._*xX- 0", 0)
        values |= {char: value for value, char in enumerate(self.symbols, 1)}
        if not self.from_zero:
            for value in range(1, self.board.side + 1):
                values |= {str(value): value, f"{value:02}": value}
        return values | {sign.lower(): value for sign, value in values.items()}

    @property
    def symbols(self) -> str:
        """The digits as one character each."""
        return _FROM_ZERO[: self.board.side] if self.from_zero else self.board.digits

    def value(self, word: str) -> int | None:
        """The digit that a cell is, 0 for a blank, None for what is neither."""
        value = self.values.get(word)
        if value is not None:
            return value
        bare = _NOTHING_BEHIND_POINT.sub("", word.strip())
        value = self.values.get(bare)
        return 0 if value is None and _BLANK.fullmatch(bare) else value

    def wrong(self, word: str) -> str:
        """Say that a cell is no digit of the board."""
        return f"{word.strip()!r} in a Sudoku of {self.board.size}; its digits are {self.symbols}"

    def signs(self, written: Sequence[str], numbers: bool) -> tuple[str, ...]:
        """How digits are written like those of cells, each as wide as they are.

        With ``numbers``, digits above 9 are numbers where the cells do not show otherwise.
        """
        given = [cell for cell in written if self.value(cell)]
        joined = "".join(given)
        letters = [char for char in joined if char.isalpha()]
        signs = list(self.symbols)
        if any(len(cell.strip()) > 1 for cell in given) or (numbers and not letters):
            filled = 2 if any(cell.strip().startswith("0") for cell in given) else 1
            signs = [str(value).zfill(filled) for value in range(1, self.board.side + 1)]
        elif letters and all(map(str.islower, letters)):
            signs = [sign.lower() for sign in signs]
        widths = {len(cell) for cell in written}
        width = max(widths)
        if any(cell.endswith(" ") for cell in given):
            return tuple([sign.ljust(width) for sign in signs])
        if len(widths) == 1 or any(cell.startswith(" ") for cell in given):
            return tuple([sign.rjust(width) for sign in signs])
        return tuple(signs)


@lru_cache
def usual_digits(side: int) -> "Digits":
    """The digits of a board where 0 is a blank."""
    return Digits(board_of(side))
