"""Puzzles that a run makes are kept, and made again only if something is different."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from trmsolve.cache import cached_files
from trmsolve.puzzles.maze.task import Maze
from trmsolve.puzzles.sudoku.task import Sudoku
from trmsolve.puzzles.values import Puzzle
from trmsolve.train import made
from trmsolve.train.data import Examples
from trmsolve.train.made import made_examples


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


class FewSudokus(Sudoku):
    """Sudokus of which a run makes few."""

    training_kinds: ClassVar[dict[str, int]] = {"easy": 3, "medium": 2}


class NoSudokus(FewSudokus):
    """The same, but none can be made any more."""

    def generate(self, difficulty: str, seed: int) -> Iterator[Puzzle]:
        raise AssertionError("nothing is to be made")


class Told:
    """Hears what is said, and how many puzzles are made."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.counted: list[tuple[int, int]] = []

    def make(self, task: Sudoku | Maze, seed: int = 0) -> Examples:
        """What a run of that seed learns from."""
        return made_examples(
            task, seed, self.said.append, lambda made, of: self.counted.append((made, of))
        )


def test_the_next_run_with_the_same_seed_makes_none() -> None:
    first, second = Told(), Told()
    examples = first.make(FewSudokus())
    assert first.said == ["generating 3 easy, 2 medium puzzles"]
    assert first.counted == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    kept = second.make(NoSudokus())
    assert second.said == ["5 puzzles that an earlier run with this seed has made"]
    assert second.counted == []
    assert kept.content_hash() == examples.content_hash()


def test_mazes_are_kept_as_they_were() -> None:
    class FewMazes(Maze):
        training_kinds: ClassVar[dict[str, int]] = {"hard": 2, "perfect": 2}

    examples = Told().make(FewMazes())
    again = Told()
    assert again.make(FewMazes()).content_hash() == examples.content_hash()
    assert again.counted == []


def test_another_seed_and_another_generator_make_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    examples = Told().make(FewSudokus())
    other = Told()
    assert other.make(FewSudokus(), seed=1).content_hash() != examples.content_hash()
    assert len(other.counted) == 5
    changed = tmp_path / "changed.py"
    changed.write_text("# another version\n")
    sources = made._sources(FewSudokus())
    monkeypatch.setattr(made, "_sources", lambda task: [*sources, changed])
    newer = Told()
    newer.make(FewSudokus())
    assert len(newer.counted) == 5


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "fewer", "objects"])
def test_what_is_damaged_is_made_again(damage: str) -> None:
    examples = Told().make(FewSudokus())
    (path,) = cached_files()
    content = path.read_bytes()
    if damage == "fewer":
        few = examples.pick(np.arange(3))
        with path.open("wb") as file:
            np.savez(file, questions=few.questions, answers=few.answers, ratings=few.ratings)
    elif damage == "objects":
        with path.open("wb") as file:
            np.savez(file, questions=np.array([{}], object), answers=[1], ratings=[1])
    else:
        path.write_bytes({"cut": content[:-40], "empty": b"", "text": b"no archive"}[damage])
    again = Told()
    assert again.make(FewSudokus()).content_hash() == examples.content_hash()
    assert len(again.counted) == 5
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "trmsolve").write_text("a file where the folder would be")
    told = Told()
    assert len(told.make(FewSudokus())) == len(told.make(FewSudokus())) == 5
    assert len(told.counted) == 10
