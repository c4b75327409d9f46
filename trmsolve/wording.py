"""Text that leaves the program: made safe for a terminal and for the encoding of its stream.

Comments, titles, file names and names inside checkpoints are written by strangers. Every line that
is printed passes through ``printable``. A terminal then obeys none of it, and none of it reorders
what a person reads.
"""

import unicodedata
from importlib import metadata

KEPT = "\n\t"
"""Control characters that stay in a text: they only move on."""


def printable(text: str) -> str:
    r"""Escape every character that a terminal would obey or hide, such as ``\x1b`` for ESC.

    These are control characters (C0 and C1), format characters such as bidirectional overrides,
    separators of lines and paragraphs, private and unassigned characters, and bytes of file names
    that are not UTF-8. Spaces of any width, tabs and line ends (``\n`` and ``\r\n``) stay.
    """
    if text.isprintable():
        return text
    lines = text.split("\r\n")
    return "\r\n".join(_escaped(line, kept=KEPT) for line in lines)


def printable_line(text: str) -> str:
    """Escape as ``printable`` does, and line ends and tabs as well: for a message of one line."""
    return text if text.isprintable() else _escaped(text, kept="")


def encodable(text: str, encoding: str) -> str:
    """Replace what the encoding lacks: frames by ASCII strokes, other characters by escapes."""
    if can_encode(text, encoding):
        return text
    return "".join(_encodable_character(character, encoding) for character in text)


def can_encode(text: str, encoding: str) -> bool:
    """Whether a stream with this encoding can write the text unchanged."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str, kept: str) -> str:
    """The text with all escaped but what can be printed, spaces, and the ``kept`` characters."""
    characters = []
    for character in text:
        is_space = unicodedata.category(character) == "Zs"
        if character.isprintable() or is_space or character in kept:
            characters.append(character)
        else:
            characters.append(character.encode("unicode_escape").decode())
    return "".join(characters)


def _encodable_character(character: str, encoding: str) -> str:
    if can_encode(character, encoding):
        return character
    if "─" <= character <= "╿":
        if character in "─━═":
            return "-"
        return "|" if character in "│┃║" else "+"
    return character.encode("unicode_escape").decode()


def count(number: int, noun: str) -> str:
    """A number with its noun: ``1 cycle``, ``2 cycles``."""
    plural = "" if number == 1 else "s"
    return f"{number} {noun}{plural}"


def seconds(value: float) -> str:
    """Seconds with two decimals below ten, else with one: ``0.41 s``, ``12.3 s``."""
    decimals = 2 if value < 10 else 1
    return f"{value:.{decimals}f} s"


def duration(seconds: float) -> str:
    """A duration for people: ``45 s``, ``12.3 min``, ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"


def size_text(size: int) -> str:
    """A number of bytes for people: ``812 bytes``, ``14 KiB``, ``27.3 MiB``."""
    if size < 1024:
        return f"{size} bytes"
    kib = size / 1024
    return f"{kib:.0f} KiB" if kib < 1024 else f"{kib / 1024:.1f} MiB"


def install_hint(extra: str) -> str:
    """How to install what an extra of this package brings, such as ``image``.

    The package is on no index: it is installed from its repository.
    """
    return f"run pip install '.[{extra}]' in a clone of trmsolve"


def package_version() -> str:
    """The version of the installed package; ``0+unknown`` for a copy that is not installed."""
    try:
        return metadata.version("trmsolve")
    except metadata.PackageNotFoundError:
        return "0+unknown"
