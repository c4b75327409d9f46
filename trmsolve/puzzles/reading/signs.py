"""The characters of a line as an eye sees them, one for one with the characters of the file.

Invisible characters and terminal colours are dropped. What decorates a line becomes ``FILLER`` or
``QUOTE`` in the folded text. The places of all other characters stay, so
that errors name the columns of the file and answers are drawn as their puzzles were.

This module knows characters and marks of documents. It does not know what a cell is.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
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
    """As many characters, with decoration covered and other ways to write a
    character by the plain one."""

    columns: Sequence[int]
    """The index in the line of the file of each character."""


def look_at(line: str) -> Text:
    """Drop what no eye sees from a line, and fold the rest."""
    if line.isascii() and "\x1b" not in line:
        return Text(line, _cover(line), range(len(line)))
    covered = _COLOURS.sub(lambda match: FILLER * len(match[0]), line)
    columns = [i for i, char in enumerate(covered) if char != FILLER and not _is_invisible(char)]
    shown = "".join([line[i] for i in columns])
    return Text(shown, _cover("".join(map(_plain, shown))), columns)


def _cover(text: str) -> str:
    """Cover tags and marks of a quotation."""
    if ">" not in text and "]" not in text:
        return text
    if text.lstrip().startswith(">"):
        text = _QUOTATION.sub(lambda match: QUOTE * len(match[0]), text, count=1)
    return _TAG.sub(lambda match: FILLER * len(match[0]), text)


@cache
def _is_invisible(char: str) -> bool:
    """Tell whether a character takes no place, such as a zero-width space."""
    return unicodedata.category(char) in ("Cf", "Mn", "Me")


@cache
def _plain(char: str) -> str:
    """Return the plain way to write a character, such as ``5`` for a full-width five."""
    if char in _DASHES:
        return "-"
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char
