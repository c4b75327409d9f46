"""How many copies learn at once, and for how long."""

import math

import pytest

from tests.support.arc_tasks import Rows, task_of
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.ensemble import plan
from trmsolve.arc.ensemble.plan import (
    ENOUGH_STEPS,
    MOST_TOGETHER,
    copies_together,
    groups_that_fit,
    has_time_for_trunk,
    machine_memory,
    trunk_copies,
)
from trmsolve.arc.task import ArcTask


def square(side: int, colours: int = 2) -> ArcTask:
    """A task of two squares, an input and an output, and another to answer."""
    grid: Rows = [[colour % (colours + 1) for colour in range(side)] for _ in range(side)]
    return task_of([(grid, grid)], [(grid, None)])


BUDGET = Budget(300.0)


@pytest.mark.parametrize("seconds", [1e-3, 1.0, 300.0, 1e9])
@pytest.mark.parametrize("side", [1, 12, 30])
def test_copies_on_a_core_are_between_one_and_the_most(side: int, seconds: float) -> None:
    assert 1 <= copies_together(square(side, 9), Budget(seconds)) <= MOST_TOGETHER


def test_given_steps_are_those_of_one_copy() -> None:
    assert copies_together(square(1), Budget(1e9, 5)) == 1
    assert copies_together(square(1), Budget(1e9)) == MOST_TOGETHER == 8


def test_large_tasks_have_fewer_copies() -> None:
    found = [copies_together(square(side), BUDGET) for side in range(1, 31)]
    assert found == sorted(found, reverse=True)
    assert found[0] == MOST_TOGETHER and 1 <= found[-1] < MOST_TOGETHER
    assert len(set(found)) > 3
    assert copies_together(square(20, 9), BUDGET) < copies_together(square(20, 1), BUDGET)


def test_more_time_is_more_copies() -> None:
    task = square(20)
    found = [copies_together(task, Budget(seconds)) for seconds in (1, 100, 200, 400, 1e6)]
    assert found == sorted(found) and len(set(found)) > 2


def test_each_copy_can_make_enough_steps() -> None:
    for side in (10, 15, 20):
        task = square(side)
        number = copies_together(task, BUDGET)
        size = CompressionPuzzle(task).cells.numel() * 2 * 8
        step = plan.STEP_SECONDS + number * plan.CELL_SECONDS * size
        assert ENOUGH_STEPS * step <= BUDGET.seconds


def test_groups_share_half_of_the_memory() -> None:
    small, large = square(3, 2), square(30, 9)

    def fit(task: ArcTask, wanted: int, memory: float) -> int:
        return groups_that_fit(task, copies_together(task, BUDGET), wanted, memory)

    assert fit(small, wanted=4, memory=math.inf) == 4
    assert fit(small, wanted=4, memory=4e9) == 4
    assert fit(large, wanted=4, memory=4e9) < 4
    assert fit(large, wanted=4, memory=0.0) == 1


def test_this_machine_says_how_much_memory_it_has() -> None:
    assert machine_memory() > 1e8


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(300.0, [30.0] * 4), (1800.0, [30.0] * 24), (100.0, [40.0]), (200.0, [80.0 / 3] * 3)],
)
def test_two_fifths_of_the_time_are_for_copies_of_the_trained_network(
    seconds: float, expected: list[float]
) -> None:
    assert trunk_copies(square(10), Budget(seconds)) == pytest.approx(expected)


def test_larger_tasks_have_fewer_and_longer_copies() -> None:
    found = [trunk_copies(square(side, 9), BUDGET) for side in range(1, 31)]
    numbers = [len(seconds) for seconds in found]
    assert numbers == sorted(numbers, reverse=True)
    assert (numbers[0], numbers[-1]) == (4, 1)
    for seconds in found:
        assert sum(seconds) == pytest.approx(plan.TRUNK_SHARE * BUDGET.seconds)


def test_without_time_or_with_given_steps_no_copy_is_trained() -> None:
    for budget in (Budget(10.0), Budget(300.0, 5)):
        assert not has_time_for_trunk(budget)
        assert trunk_copies(square(3), budget) == []
    assert has_time_for_trunk(Budget(20.0))
