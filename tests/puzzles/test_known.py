"""The words of the puzzles are those of the tasks, and the package offers what plug-ins need."""

import pytest

import trmsolve.puzzles
from trmsolve.arc.generate import difficulties
from trmsolve.arc.task import LARGEST
from trmsolve.puzzles.known import OWN, known_names, words_of
from trmsolve.puzzles.registry import FORMS, get_task
from trmsolve.puzzles.words import Words

TEXTS = sorted(name for name in {*vars(Words), *Words.__annotations__} if not name.startswith("_"))


def test_every_puzzle_of_the_package_has_words_in_the_same_order() -> None:
    assert known_names() == tuple(dict.fromkeys(form.name for form in FORMS))


@pytest.mark.parametrize("words", OWN, ids=lambda words: words.name)
def test_the_words_are_those_of_the_task(words: Words) -> None:
    task = get_task(words.name)
    assert "plural" in TEXTS and "difficulties" in TEXTS
    for text in TEXTS:
        assert getattr(words, text) == getattr(task, text), text


def test_words_are_found_by_their_name() -> None:
    assert words_of("maze").plural == "mazes"
    with pytest.raises(KeyError):
        words_of("chess")


def test_puzzles_of_other_packages_need_say_nothing_but_a_name() -> None:
    class Plain(Words):
        name = "mini-sudoku"

    words = Plain()
    assert (words.title, words.plural) == ("Mini-sudoku", "mini-sudoku puzzles")
    assert words.files_help == "Mini-sudoku puzzles as text. - reads standard input."


@pytest.mark.parametrize("name", trmsolve.puzzles.__all__)
def test_the_package_has_its_public_names(name: str) -> None:
    assert name in dir(trmsolve.puzzles)
    assert getattr(trmsolve.puzzles, name).__name__ == name


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chess'"):
        trmsolve.puzzles.chess  # type: ignore[attr-defined]


def test_the_largest_made_arc_task_fits_the_largest_grid() -> None:
    assert difficulties.LARGEST == LARGEST
