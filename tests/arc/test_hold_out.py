"""What is held out is learned from nowhere: under no symmetry, in no colours, in no task."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trmsolve.arc.hold_out import Place, Split, evenly_spaced, hold_out, known_pairs
from trmsolve.arc.overlap import canonical_pair
from trmsolve.arc.paper.variants import Augmentation
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.puzzles.values import Grid

VIEWS = st.builds(
    Augmentation,
    st.integers(0, len(SYMMETRIES) - 1),
    st.permutations(range(10)).map(tuple),
)


def drawn_pair(seed: int) -> Pair:
    rng = np.random.default_rng(seed)

    def grid() -> Grid:
        return rng.integers(0, 10, rng.integers(2, 5, 2)).astype(np.int8)

    return Pair(grid(), grid())


def seen(pair: Pair, view: Augmentation) -> Pair:
    assert pair.output is not None
    return Pair(view.apply(pair.input), view.apply(pair.output))


def grids(pairs: Sequence[Pair]) -> list[list[object]]:
    return [
        [pair.input.tolist(), None if pair.output is None else pair.output.tolist()]
        for pair in pairs
    ]


def leaks(split: Split) -> set[int]:
    """The tasks that still have what is held out of another task."""
    found = set()
    for number, task in enumerate(split.learned):
        keys = {canonical_pair(pair) for pair in known_pairs(task)}
        for owner, pair in split.held_out:
            if owner != number and canonical_pair(pair) in keys:
                found.add(number)
    return found


A, B, C, D = (drawn_pair(seed) for seed in range(4))


@given(st.lists(VIEWS, min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_nothing_held_out_is_left_under_any_symmetry_or_colouring(
    views: list[Augmentation],
) -> None:
    tasks = [
        ArcTask("owner", (A, B), (C,)),
        ArcTask("shows", (D, seen(C, views[0])), (B,)),
        ArcTask("asks", (D,), (seen(C, views[1]), seen(B, views[2]))),
    ]
    split = hold_out(tasks, [Place(0, 1), Place(0, 2)])
    assert [held.task for held in split.held_out] == [0, 0]
    assert [held.pair for held in split.held_out] == [B, C]
    assert not leaks(split)
    assert grids(split.learned[0].demonstrations) == grids([A])
    assert split.learned[0].tests == ()
    assert (split.learned[1].demonstrations, split.learned[1].tests) == ((D,), ())
    assert (split.learned[2].demonstrations, split.learned[2].tests) == ((D,), ())


def test_every_place_of_every_task_can_be_held_out() -> None:
    turned = Augmentation(3, (9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
    tasks = [ArcTask("a", (A, B), (C, D)), ArcTask("b", (seen(C, turned), A), (B,))]
    for number, task in enumerate(tasks):
        for place, pair in enumerate((*task.demonstrations, *task.tests)):
            split = hold_out(tasks, [Place(number, place)])
            assert split.held_out[0].pair is pair and not leaks(split)
            left = (*split.learned[number].demonstrations, *split.learned[number].tests)
            assert all(other is not pair for other in left)


def test_what_a_task_itself_shows_stays_and_so_do_open_tests() -> None:
    own = ArcTask("own", (A, seen(B, Augmentation(1))), (B, Pair(C.input)))
    split = hold_out([own, ArcTask("other", (A,), (Pair(B.input),))], [Place(0, 2)])
    assert grids(split.learned[0].demonstrations) == grids(own.demonstrations)
    assert grids(split.learned[0].tests) == grids([Pair(C.input)])
    assert len(split.learned[1].tests) == 1


def test_what_two_tasks_hold_out_is_left_out_of_both() -> None:
    """A demonstration that another task holds out goes, even if its own task holds it out too."""
    tasks = [ArcTask("a", (A, seen(B, Augmentation(2))), (B,)), ArcTask("b", (C,), (B,))]
    split = hold_out(tasks, [Place(0, 2), Place(1, 1)])
    assert grids(split.learned[0].demonstrations) == grids([A]) and not leaks(split)


def test_holding_nothing_out_changes_nothing() -> None:
    task = ArcTask("a", (A, B), (C,), "file")
    split = hold_out([task], [])
    assert split.held_out == () and split.learned[0] is not None
    assert replace(split.learned[0]).name == "a" and split.learned[0].source == "file"
    assert split.learned[0].demonstrations == (A, B) and split.learned[0].tests == (C,)


def test_a_pair_without_output_cannot_be_held_out() -> None:
    with pytest.raises(ValueError, match="without its output"):
        hold_out([ArcTask("a", (A,), (Pair(B.input),))], [Place(0, 1)])


@pytest.mark.parametrize(
    ("total", "number", "chosen"),
    [(10, 3, [0, 4, 9]), (3, 9, [0, 1, 2]), (5, 1, [0]), (5, 0, []), (0, 3, [])],
)
def test_places_are_evenly_spaced(total: int, number: int, chosen: list[int]) -> None:
    assert evenly_spaced(total, number) == chosen
