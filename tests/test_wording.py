"""Text on its way out: nothing in it is obeyed by a terminal, and every stream can write it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trmsolve.wording import can_encode, encodable, printable, printable_line


@given(st.text(st.characters(exclude_categories=())))
def test_no_control_or_format_character_is_left(text: str) -> None:
    left = {
        unicodedata.category(character) for character in printable(text).replace("\r\n", "")
    } - {"Zs"}
    kept = {unicodedata.category("\n")} if {"\n", "\t"} & set(text) else set()
    assert not {category for category in left - kept if category[0] in "CZ"}
    assert printable_line(text) == text or not text.isprintable()
    assert not set("\r\n\t") & set(printable_line(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("caf\udce9", "caf\\udce9"),
        ("a\rb", "a\\rb"),
        ("two\r\nlines\n\tand a tab", "two\r\nlines\n\tand a tab"),
        (
            "wide\u3000and\xa0fixed spaces, 日本, é, 🟩",
            "wide\u3000and\xa0fixed spaces, 日本, é, 🟩",
        ),
    ],
)
def test_what_is_escaped_and_what_stays(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "cp932", "utf-8"])
@given(text=st.text(st.characters(exclude_categories=("Cs",))))
def test_every_stream_can_write_every_text(encoding: str, text: str) -> None:
    assert can_encode(encodable(text, encoding), encoding)


def test_frames_become_plain_strokes_and_letters_escapes() -> None:
    assert encodable("┌──┐│é│", "ascii") == "+--+|\\xe9|"
    assert encodable("┌──┐│é│", "utf-8") == "┌──┐│é│"
