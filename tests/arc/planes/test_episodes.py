"""Episodes from many tasks: every pair with an output, and the same for the same seed."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from trmsolve.arc.planes.batches import Episode
from trmsolve.arc.planes.canvas import SYMBOLS, canvas_of, place_on_canvas
from trmsolve.arc.planes.episodes import NEAR, Episodes, Material, material_of
from trmsolve.arc.planes.learner import LONGEST
from trmsolve.arc.symmetry import SYMMETRIES, dihedral
from trmsolve.arc.task import ArcTask, Pair

CPU = torch.device("cpu")


def drawn_task(seed: int, side: int, colours: int, tests: int = 1, known: bool = True) -> ArcTask:
    """A task of no rule whose canvas has that side, in so many of the ten colours."""
    rng = np.random.default_rng(seed)
    used = rng.permutation(10)[:colours]

    def pair() -> Pair:
        sides = rng.integers(1, side + 1, (2, 2))
        return Pair(*(rng.choice(used, shape).astype(np.int8) for shape in sides))

    full = Pair(
        np.resize(used, (side, side)).astype(np.int8), np.full((side, side), used[0], np.int8)
    )
    asked = tuple(pair() for _ in range(tests))
    return ArcTask(
        f"task{seed}",
        (full, pair()),
        asked if known else tuple(replace(test, output=None) for test in asked),
    )


TASKS = [
    drawn_task(n, side, colours)
    for n, (side, colours) in enumerate([(3, 2), (6, 3), (4, 9), (5, 2), (5, 4)])
]
CELLS = 300


def episodes(tasks: list[ArcTask] = TASKS, cells: int = CELLS, seed: int = 0) -> Episodes:
    return Episodes(material_of(tasks, 10_000), cells, CPU, seed)


def equal(one: tuple[Episode, int], other: tuple[Episode, int]) -> bool:
    parts = zip((*one[0].batch, one[0].labels), (*other[0].batch, other[0].labels), strict=True)
    return one[1] == other[1] and all(torch.equal(*both) for both in parts)


def test_every_pair_with_an_output_is_material_tests_too() -> None:
    tasks = [drawn_task(1, 3, 2, tests=2), drawn_task(2, 3, 2, tests=3, known=False)]
    tasks[1] = replace(
        tasks[1], tests=(*tasks[1].tests, Pair(np.ones((1, 1), np.int8), np.ones((2, 1), np.int8)))
    )
    found = material_of(tasks, 10_000)
    assert [one.pairs for one in found] == [
        (*tasks[0].demonstrations, *tasks[0].tests),
        (*tasks[1].demonstrations, tasks[1].tests[3]),
    ]
    assert [one.canvas for one in found] == [canvas_of(task, answers=True) for task in tasks]


def test_what_is_too_large_is_left_out_and_every_task_keeps_its_row() -> None:
    assert [canvas_of(task).cells for task in TASKS] == [27, 144, 160, 75, 125]
    assert [one.puzzle for one in material_of(TASKS, 130)] == [0, 3, 4]
    assert [one.puzzle for one in material_of(TASKS, 75)] == [0, 3]
    assert material_of(TASKS, 26) == []


def test_labels_and_grids_are_those_of_a_pair_of_the_row_s_task() -> None:
    seen = set()
    for episode, _ in islice(iter(episodes(), None), 60):
        batch, side = episode.batch, episode.batch.tokens.shape[1]
        assert batch.tokens.shape[2] == side and episode.labels.shape == (
            len(batch.tokens),
            side**2,
        )
        for tokens, palette, symmetry, puzzle, labels in zip(*batch, episode.labels, strict=True):
            answer = palette[labels].view(side, side)
            (pair,) = (
                number
                for number, pair in enumerate((*TASKS[puzzle].demonstrations, *TASKS[puzzle].tests))
                if all(
                    np.array_equal(place_on_canvas(dihedral(grid, int(symmetry)), side), laid)
                    for grid, laid in ((pair.input, tokens), (pair.output, answer))
                    if grid is not None
                )
            )
            seen.add((int(puzzle), pair, int(symmetry)))
    assert {(puzzle, pair) for puzzle, pair, _ in seen} == {
        (n, k) for n in range(5) for k in range(3)
    }
    assert {symmetry for *_, symmetry in seen} == set(range(len(SYMMETRIES)))


def test_a_lesson_is_as_large_as_asked_but_has_one_pair_at_least() -> None:
    for cells in (20, CELLS, 2_000):
        sizes = set()
        for episode, cycles in islice(iter(episodes(cells=cells), None), 40):
            rows, each = (
                len(episode.batch.tokens),
                episode.batch.palette[0].numel() * episode.labels.shape[1],
            )
            assert rows == max(cells // each, 1)
            assert 1 <= cycles <= LONGEST
            sizes.add(each)
        assert sizes == {27, 144, 160, 75, 125}  # whichever task is drawn, the episode has its size


def test_tasks_of_other_palettes_share_a_lesson_on_planes_that_stay_empty() -> None:
    mixed, spare = 0, set[tuple[int, int]]()
    for episode, _ in islice(iter(episodes(cells=2_000), None), 40):
        mixed += len(set(episode.batch.puzzle_ids.tolist())) > 1
        for palette, puzzle in zip(
            episode.batch.palette.tolist(), episode.batch.puzzle_ids.tolist(), strict=True
        ):
            own = canvas_of(TASKS[puzzle], answers=True).palette
            assert tuple(palette[: len(own)]) == own and len(set(palette)) == len(palette)
            assert all(0 <= symbol < SYMBOLS for symbol in palette)
            spare.update((puzzle, symbol) for symbol in palette[len(own) :])
    assert mixed > 10
    unused = {
        symbol
        for symbol in range(SYMBOLS)
        if symbol not in canvas_of(TASKS[0], answers=True).palette
    }
    assert {symbol for puzzle, symbol in spare if puzzle == 0} == unused  # none of them always


def test_the_seed_and_how_many_came_before_decide_a_lesson() -> None:
    first = list(islice(iter(episodes(), None), 6))
    again, later, other = episodes(), episodes(), episodes(seed=1)
    assert all(equal(one, again()) for one in first)
    later.drawn = 4
    assert equal(later(), first[4]) and equal(later(), first[5])
    assert not all(equal(one, other()) for one in first)
    assert not equal(first[0], first[1])


def test_lessons_last_a_cycle_and_often_longer() -> None:
    cycles = [cycles for _, cycles in islice(iter(episodes(TASKS[:1], 1), None), 300)]
    assert min(cycles) == 1 and max(cycles) == LONGEST
    assert 0.3 < cycles.count(1) / len(cycles) < 0.6


def test_every_task_is_drawn_as_often_whatever_its_size() -> None:
    counts = np.bincount(
        [
            int(episode.batch.puzzle_ids[0])
            for episode, _ in islice(iter(episodes(cells=1), None), 300)
        ]
    )
    assert counts.min() > 30


def test_only_tasks_of_about_the_size_go_along() -> None:
    """Of many tasks a large one shares its episodes with those just below it."""
    many = [
        Material(one.canvas, one.pairs, number)
        for number, one in enumerate(
            material_of([drawn_task(n, 2, 2) for n in range(3)], 100) * (NEAR + 1)
        )
    ]
    drawn = Episodes(many, 2_000, CPU)
    for episode, _ in islice(iter(drawn, None), 20):
        first, *others = episode.batch.puzzle_ids.tolist()
        at = [one.puzzle for one in drawn.material].index(first)
        assert {one.puzzle for one in drawn.material[max(0, at - NEAR) : at + 1]} >= set(others)


@pytest.mark.parametrize("seed", range(3))
def test_a_lesson_has_no_label_off_its_planes(seed: int) -> None:
    for episode, _ in islice(iter(episodes(seed=seed), None), 10):
        assert episode.labels.max() < episode.batch.palette.shape[1] and episode.labels.min() >= 0
