"""Copies of tasks are found under any symmetry and colouring; what only looks alike is kept."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trmsolve.arc.overlap import canonical_pair, demonstrations_hash, exclude_contaminated
from trmsolve.arc.read import read_path, solutions_beside
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.puzzles.values import Grid

PUBLIC = os.environ.get("TRMSOLVE_ARC_DATA")
"""A folder with public sets in Kaggle's form, as ``arc-agi_evaluation_challenges.json``."""


def grid_of(rows: Sequence[str]) -> Grid:
    return np.array([[int(cell) for cell in row] for row in rows], np.int8)


def pair(question: str, answer: str) -> Pair:
    return Pair(grid_of(question.split()), grid_of(answer.split()))


ONE = pair("120 003", "021 300")
TWO = pair("11 05 00", "00 05 11")
THREE = pair("7 8 9", "9")


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = draw(st.tuples(*[st.integers(1, 6)] * 4))
    colours = draw(st.integers(1, 10))
    return Pair(
        *(rng.integers(0, colours, shape).astype(np.int8) for shape in (shapes[:2], shapes[2:]))
    )


def seen(pair: Pair, mirrored: bool, quarters: int, colours: Sequence[int]) -> Pair:
    def turned(grid: Grid | None) -> Grid:
        assert grid is not None
        return np.asarray(colours, np.int8)[
            np.rot90(np.fliplr(grid) if mirrored else grid, quarters)
        ]

    return Pair(turned(pair.input), turned(pair.output))


@settings(deadline=None)
@given(pairs(), st.booleans(), st.integers(0, 3), st.permutations(range(10)))
def test_symmetries_and_colourings_are_the_same(
    given_pair: Pair, mirrored: bool, quarters: int, colours: list[int]
) -> None:
    assert canonical_pair(seen(given_pair, mirrored, quarters, colours)) == canonical_pair(
        given_pair
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("120 003", "021 400"),  # the output's colours are others than the input's
        ("120 003", "300 021"),  # the output alone is upside down
        ("120 003", "021300"),  # the same cells in another shape
        ("120 005", "021 300"),
        ("021 300", "120 003 000"),
    ],
)
def test_what_is_not_turned_and_recoloured_as_one_is_another_pair(
    question: str, answer: str
) -> None:
    assert canonical_pair(pair(question, answer)) != canonical_pair(ONE)


def test_shapes_tell_pairs_of_one_colour_apart() -> None:
    assert (
        len(
            {
                canonical_pair(pair(*one))
                for one in [("111", "1"), ("1", "111"), ("11", "11"), ("11 11", "1")]
            }
        )
        == 4
    )


def test_a_copy_is_dropped_and_said_whatever_its_name_and_wherever_the_pair_stands() -> None:
    copied = seen(ONE, True, 3, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    shown, asked = ArcTask("shown", (copied, THREE), (TWO,)), ArcTask("asked", (TWO,), (copied,))
    other, same = ArcTask("other", (TWO,), (THREE,)), ArcTask("same", (ONE,), (Pair(THREE.input),))
    measured = [
        ArcTask("first", (pair("1", "2"),), (Pair(TWO.input),)),
        ArcTask("second", (ONE,), (THREE,), "ab.json"),
    ]
    kept, copies = exclude_contaminated([shown, asked, other, same], measured[:1])
    assert (
        kept == [shown, asked, other, same] and copies == {}
    )  # a test that has no output is no pair
    kept, copies = exclude_contaminated([shown, asked, same], measured)
    assert kept == []
    assert copies == {
        "shown": "shares 2 of its 3 pairs with second (ab.json)",
        "asked": "shares 1 of its 2 pairs with second (ab.json)",
        "same": "shares 1 of its 1 pairs with second (ab.json)",
    }
    assert exclude_contaminated([shown], [*measured, ArcTask("third", (ONE,), (TWO,))])[1] == {
        "shown": copies["shown"]
    }
    assert exclude_contaminated([other], [shown, asked])[0] == []


def test_a_fingerprint_is_of_the_demonstrations_in_any_order() -> None:
    task = ArcTask("a", (ONE, TWO), (THREE,), "here")
    known = demonstrations_hash(task)
    assert len(known) == 64
    assert known == demonstrations_hash(ArcTask("b", (TWO, ONE), (ONE,), "there"))
    for others in [(ONE,), (ONE, TWO, TWO), (ONE, THREE), (ONE, seen(TWO, False, 1, range(10)))]:
        assert known != demonstrations_hash(replace(task, demonstrations=others))
    wide = Pair(ONE.input.astype(np.int64), ONE.output)
    assert known == demonstrations_hash(
        replace(task, demonstrations=(wide, TWO))
    )  # cells count, not how they are held


def public_tasks(name: str) -> list[ArcTask]:
    path = str(Path(PUBLIC or "") / f"arc-agi_{name}_challenges.json")
    items = read_path(path, solutions_beside(path))
    return [replace(item, source=name) for item in items if isinstance(item, ArcTask)]


@pytest.mark.skipif(
    PUBLIC is None, reason="TRMSOLVE_ARC_DATA does not name a folder with the public ARC sets"
)
def test_what_the_public_sets_share() -> None:
    first, second = public_tasks("evaluation"), public_tasks("evaluation2")
    measured = first + second
    assert len(exclude_contaminated(first, second)[1]) == 7
    assert exclude_contaminated(public_tasks("concept"), measured)[1] == {}
    assert exclude_contaminated(public_tasks("training"), measured)[1] == {
        "40853293": "shares 3 of its 3 pairs with 070dd51e (evaluation)",
        "caa06a1f": "shares 2 of its 4 pairs with 50a16a69 (evaluation)",
    }
    later = exclude_contaminated(public_tasks("training2"), measured)[1]
    assert len(later) == 377 and [name for name in later if f"with {name} " not in later[name]] == [
        "caa06a1f"
    ]
