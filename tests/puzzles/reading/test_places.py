"""Characters keep their places in the file, whatever is cut, left out or joined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.places import Joined, Line, attempt, open_error
from trmsolve.puzzles.reading.signs import look_at

LINE = Line(7, "abcdef", range(7))


def test_a_cut_line_keeps_the_places_of_its_characters() -> None:
    part = LINE.cut(2, 4)
    assert part.text == "cd"
    assert [part.column(index) for index in range(3)] == [2, 3, 4]
    assert str(part.cut(1, 1).error("empty", 0)) == str(PuzzleError("empty", "", 7, 4))


def test_places_beyond_the_end_are_counted_on() -> None:
    assert LINE.column(9) == 9
    assert LINE.error("short", 9).column == 10
    assert LINE.error("whole").column is None


def test_characters_that_no_eye_sees_are_counted() -> None:
    looked = look_at("\ufeffa\u200bb\u200b")
    line = Line(1, looked.shown, looked.columns)
    assert line.text == "ab"
    assert [line.column(index) for index in range(3)] == [1, 3, 4]


@given(st.lists(st.text("ab", max_size=4), min_size=1, max_size=5))
def test_every_character_of_joined_lines_is_found(texts: list[str]) -> None:
    lines = [Line(number, text, range(len(text) + 1)) for number, text in enumerate(texts)]
    joined = Joined(lines)
    assert joined.text == "\n".join(texts)
    found = [joined.find(index) for index in range(len(joined.text) + 1)]
    ends = [(nth, place) for nth, text in enumerate(texts) for place in range(len(text) + 1)]
    assert found == ends
    last = joined.error("end", len(joined.text))
    assert (last.line, last.column) == (len(texts) - 1, len(texts[-1]) + 1)


def test_errors_are_returned_and_others_are_raised() -> None:
    error = PuzzleError("wrong")

    def fail(problem: Exception) -> None:
        raise problem

    assert attempt(fail, error) is error  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="other"):
        attempt(fail, ValueError("other"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (FileNotFoundError(), "no such file"),
        (IsADirectoryError(), "this is a folder: give the files in it"),
        (PermissionError(13, "Permission denied"), "cannot be read: Permission denied"),
    ],
)
def test_files_that_cannot_be_opened_are_told(error: OSError, problem: str) -> None:
    assert open_error(error, "f").problem == problem
