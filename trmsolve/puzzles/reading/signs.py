"""The characters of a line as an eye sees them, one for one with the characters of the file.

Invisible characters and terminal colours are dropped. What decorates a line becomes ``FILLER`` or
``QUOTE`` in the folded text. The places of all other characters stay, so that errors name the
columns of the file and answers are drawn as their puzzles were.

This module knows characters and marks of documents. It does not know what a cell is.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from typing import NamedTuple

FILLER = "\x01"
"""What stands in a folded text for a character of a tag."""

QUOTE = "\x02"
"""What stands in a folded text for a mark of a quotation in front of a line."""

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_QUOTATION = re.compile(r"(?:\s*>)+ ?")
_TAG_NAMES = (
    "a|b|big|blockquote|body|br|center|code|div|em|font|h[1-6]|html|i|kbd|li|ol|p|pre|samp|small"
    "|span|strong|table|tbody|td|textarea|tr|tt|u|ul"
)
_BBCODES = "b|code|color|font|i|pre|quote|size|spoiler|tt|u"
_TAG = re.compile(rf"</?(?:{_TAG_NAMES})\b[^<>]*>|\[/?(?:{_BBCODES})(?:=[^\]]*)?\]", re.IGNORECASE)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"


class Text(NamedTuple):
    """A line without what no eye sees."""

    shown: str

    folded: str
    """As many characters, with decoration covered, and each written in the plain way."""

    columns: Sequence[int]
    """The index in the line of the file of each character, and of the end."""


def look_at(line: str) -> Text:
    """Drop what no eye sees from a line, and fold the rest."""
    if line.isascii() and "\x1b" not in line:
        return Text(line, _cover(line), range(len(line) + 1))
    covered = _COLOURS.sub(lambda match: FILLER * len(match[0]), line)
    shown = covered.translate(_VISIBLE)
    columns: Sequence[int] = range(len(line) + 1)
    if len(shown) < len(line):
        columns = array("L", (i for i, char in enumerate(covered) if _VISIBLE[ord(char)]))
        columns.append(columns[-1] + 1 if columns else 0)
    return Text(shown, _cover(shown.translate(_PLAIN)), columns)


def _cover(text: str) -> str:
    """Cover tags and marks of a quotation."""
    if ">" not in text and "]" not in text:
        return text
    if text.lstrip().startswith(">"):
        text = _QUOTATION.sub(lambda match: QUOTE * len(match[0]), text, count=1)
    return _TAG.sub(lambda match: FILLER * len(match[0]), text)


class _Visible(dict[int, str | None]):
    """For ``str.translate``: drops characters that take no place, such as zero-width spaces."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        is_dropped = char == FILLER or unicodedata.category(char) in ("Cf", "Mn", "Me")
        self[code] = None if is_dropped else char
        return self[code]


class _Plain(dict[int, str]):
    """For ``str.translate``: the plain way to write a character, as ``5`` for a full-width five."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = unicodedata.normalize("NFKC", char)
        self[code] = "-" if char in _DASHES else plain if len(plain) == 1 else char
        return self[code]


_VISIBLE = _Visible()
_PLAIN = _Plain()
