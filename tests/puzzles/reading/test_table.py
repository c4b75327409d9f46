"""The fields of a record with their places, and the choice of columns."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.fields import Field, ends_quoted, split_record
from trmsolve.puzzles.reading.places import Joined, Line
from trmsolve.puzzles.reading.table import (
    Column,
    Columns,
    Record,
    choose_columns,
    find_delimiter,
)


def column(index: int, name: str = "", question: bool = False, answer: bool = False) -> Column:
    asks = name == "question"
    tells = name == "answer"
    return Column(index, name, asks, tells, holds_question=question, holds_answer=answer)


def test_fields_have_their_places() -> None:
    fields = split_record('a,"b ""c"" d" x,,"e', ",")
    assert fields == [Field(0, "a"), Field(3, 'b "c" d', " x"), Field(16, ""), Field(18, "e")]


def test_fields_beyond_the_most_are_left_out() -> None:
    assert [field.text for field in split_record("a;b;c", ";", 2)] == ["a", "b"]


@given(st.text(alphabet='ab",; ', min_size=1, max_size=30), st.sampled_from(",;"))
def test_fields_are_those_of_the_standard_library(record: str, delimiter: str) -> None:
    fields = split_record(record, delimiter)
    expected = next(csv.reader([record], delimiter=delimiter))
    assert [field.whole for field in fields] == expected


@given(st.lists(st.text(alphabet='ab", ', max_size=8), min_size=1, max_size=4))
def test_a_record_ends_where_the_standard_library_ends_it(lines: list[str]) -> None:
    used = 0
    quoted = False
    for line in lines:
        used += 1
        quoted = ends_quoted(line, ",", quoted)
        if not quoted:
            break
    reader = csv.reader(line + "\n" for line in lines)
    next(reader)
    assert reader.line_num == used


def test_the_delimiter_is_the_one_that_stands_most_often() -> None:
    assert [find_delimiter(header) for header in ("a;b,c;d", "a\tb", "a,b", "a")] == [*";\t,,"]


def test_what_the_first_record_holds_comes_before_names() -> None:
    named = [column(0, "question", answer=True), column(1, "answer", question=True)]
    assert choose_columns(named) == Columns(question=1, answer=0, rating=None)


def test_names_decide_between_equals() -> None:
    equal = [column(0, question=True), column(1, "question", question=True), column(2, "rating")]
    assert choose_columns(equal) == Columns(question=1, answer=None, rating=2)


def record(fields: list[Field]) -> Record[Line]:
    return Record(Joined([Line(7, "a", range(2))]), fields)


def test_a_column_that_a_record_lacks_is_named() -> None:
    fields = [Field(0, "a")]
    assert record(fields).field(0, "answer") == fields[0]
    with pytest.raises(PuzzleError) as caught:
        record(fields).field(1, "answer")
    assert caught.value.problem == "1 column; the answer is expected in column 2"
    assert caught.value.line == 7


def test_ratings_are_whole_numbers() -> None:
    given = record([Field(0, text) for text in (" 12 ", "-3", "1.5", "", "1234567890")])
    assert [given.rating(i) for i in (*range(5), 5, None)] == [12, -3, *[None] * 5]
    assert [given.text(i) for i in (0, 3, 5, None)] == ["12", "", "", ""]
