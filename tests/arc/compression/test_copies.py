"""Groups of copies in processes of their own: what they report, and that they always end."""

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.support.arc_tasks import Rows, same_outputs, task_of
from tests.support.paths import ROOT
from tests.support.terminal import PATIENCE
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression import copies
from trmsolve.arc.compression.copies import (
    ENOUGH_STEPS,
    MOST_GROUPS,
    MOST_TOGETHER,
    Report,
    copies_together,
    copy_seed,
    groups_that_fit,
    learn_copies,
    machine_memory,
)
from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.votes import WeightedGrid, combined
from trmsolve.arc.task import ArcTask, never

pytestmark = pytest.mark.usefixtures("one_thread")

TASK = same_outputs()


def reports(
    number: int,
    steps: int | None = 1,
    stop: Callable[[], bool] = never,
    seconds: float = PATIENCE,
) -> list[Report]:
    found = list(learn_copies(TASK, Budget(seconds, steps), number, seed=3, stop=stop))
    assert not multiprocessing.active_children(), "no process is left"
    return found


def last_reports(found: list[Report]) -> dict[int, Report]:
    """By group; every group has exactly one."""
    last = [report for report in found if report.is_last]
    by_group = {report.group: report for report in last}
    assert len(last) == len(by_group)
    return by_group


def answers(best: list[list[WeightedGrid]]) -> list[tuple[list[list[int]], float, int]]:
    return [(answer.grid.tolist(), answer.votes, answer.copies) for answer in best[0]]


def learned_here(steps: int, *copies: int) -> CompressionLearner:
    """These copies together."""
    seeds = [copy_seed(3, copy) for copy in copies]
    learner = CompressionLearner(CompressionPuzzle(TASK), seeds)
    for _ in range(steps):
        learner.step()
    return learner


# How many copies share a core


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
        step = copies.STEP_SECONDS + number * copies.CELL_SECONDS * size
        assert ENOUGH_STEPS * step <= BUDGET.seconds


# Reports


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every group have two copies."""
    monkeypatch.setattr(copies, "copies_together", lambda *_: 2)


def test_one_group_learns_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_context", None)
    found = reports(1, steps=3)
    last = last_reports(found)[0]
    assert found[-1] is last and last.status.step == 3
    assert answers(last.best) == answers(learned_here(3, 0).best())
    assert len(last.guesses) == 1


def test_every_copy_has_a_seed_of_its_own() -> None:
    assert 0 <= copy_seed(2**63 - 1, 3) < 2**63, "what torch takes"
    seeds = {copy_seed(seed, copy) for seed in range(50) for copy in range(4)}
    assert len(seeds) == 200


@pytest.mark.usefixtures("pairs")
def test_copies_of_a_group_learn_together() -> None:
    last = last_reports(reports(1, steps=2))[0]
    expected = learned_here(2, 0, 1)
    assert answers(last.best) == answers(expected.best())
    assert sum(answer.copies for answer in last.best[0]) <= 2
    assert last.status.step == 2, "steps are those of each copy"
    (guess,) = last.guesses
    assert guess.grid.tolist() == expected.guesses()[0].grid.tolist()


def test_a_group_reports_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "REPORT_SECONDS", 0.0)
    found = reports(1, steps=3)
    assert [report.status.step for report in found] == [1, 2, 3]
    assert [report.is_last for report in found] == [False, False, True]


def test_the_budget_ends_the_learning_after_a_step() -> None:
    assert last_reports(reports(1, steps=None, seconds=0.0))[0].status.step == 1


def test_steps_count_whatever_the_clock_says() -> None:
    assert last_reports(reports(1, steps=2, seconds=0.0))[0].status.step == 2


def test_stop_ends_a_group_after_its_step() -> None:
    last = last_reports(reports(1, steps=1000, stop=lambda: True))[0]
    assert last.status.step == 1 and last.best[0]


class ThreadsForProcesses:
    """Has groups learn in threads, which start at once."""

    Event = threading.Event

    @staticmethod
    def Pipe(duplex: bool) -> tuple[Connection, Connection]:  # noqa: N802
        return multiprocessing.Pipe(duplex)

    class Process(threading.Thread):
        def terminate(self) -> None:
            """A thread ends by itself."""


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    # The connection that a process closes after its start is its copy; a thread has none.
    monkeypatch.setattr(Connection, "close", lambda _: None)
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: ThreadsForProcesses)


@pytest.mark.usefixtures("threads")
def test_every_group_learns_what_its_seeds_say() -> None:
    last = last_reports(reports(3, steps=1))
    assert sorted(last) == [0, 1, 2]
    for group, report in last.items():
        assert report.status.step == 1
        assert answers(report.best) == answers(learned_here(1, group).best())


@pytest.mark.usefixtures("threads", "pairs")
def test_no_two_groups_have_the_same_copies() -> None:
    last = last_reports(reports(2, steps=1))
    assert answers(last[0].best) == answers(learned_here(1, 0, 1).best())
    assert answers(last[1].best) == answers(learned_here(1, 2, 3).best())


@pytest.mark.usefixtures("threads")
def test_stop_ends_all_groups() -> None:
    last = last_reports(reports(2, steps=1000, stop=lambda: True))
    assert sorted(last) == [0, 1]
    assert all(report.status.step < 10 for report in last.values())


@pytest.mark.usefixtures("threads")
def test_the_budget_ends_all_groups() -> None:
    last = last_reports(reports(2, steps=None, seconds=0.2))
    assert sorted(last) == [0, 1]


def test_a_group_to_which_nobody_listens_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "REPORT_SECONDS", 0.0)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    ours.close()
    order = copies._Order(TASK, Budget(PATIENCE, 1000), seed=0, together=1)
    copies._learn_there(order, 1, math.inf, theirs, multiprocessing.Event())


def test_a_process_that_starts_late_ends_with_the_others() -> None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    order = copies._Order(TASK, Budget(PATIENCE), seed=0, together=1)
    copies._learn_there(order, 1, time.monotonic(), theirs, multiprocessing.Event())
    report = ours.recv()
    assert report.is_last and report.status.step == 1
    assert not ours.poll(0)


@pytest.mark.slow
def test_a_group_that_is_killed_does_not_stop_the_others() -> None:
    def kill() -> bool:
        for process in multiprocessing.active_children():
            process.kill()
        return False

    begun = time.monotonic()
    last = last_reports(reports(2, stop=kill))
    assert list(last) == [0] and last[0].best[0]
    assert time.monotonic() - begun < copies.GRACE_SECONDS, "nobody waits for it"


@pytest.mark.slow
def test_groups_end_if_nobody_wants_more_reports() -> None:
    found = learn_copies(TASK, Budget(PATIENCE, 1), 3, seed=0, stop=never)
    assert next(found).group == 0
    assert len(multiprocessing.active_children()) == 2
    found.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_groups_end_if_one_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start = copies._Helper

    def fail(order: copies._Order, group: int, deadline: float) -> copies._Helper:
        if group == 2:
            raise OSError("no more processes")
        return start(order, group, deadline)

    monkeypatch.setattr(copies, "_Helper", fail)
    with pytest.raises(OSError, match="no more processes"):
        reports(3)
    assert not multiprocessing.active_children()


INTERRUPTED_TWICE = """
import multiprocessing, signal, time
from tests.support.arc_tasks import same_outputs
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression import copies

copies.MOST_TOGETHER = 1
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))

def stop():
    time.sleep(0.2)
    return len(heard) >= 2 or not multiprocessing.active_children()

for report in copies.learn_copies(same_outputs(), Budget(600.0), 2, 0, stop):
    print(report.group, report.status.step, report.is_last, flush=True)
"""
"""A program that learns with two groups until it has heard Ctrl-C twice, or is alone.

It does not ask whether it is the main module, so that a process that imported it would run it too.
"""


def test_ctrl_c_reaches_one_process_alone_which_stops_all_groups(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(INTERRUPTED_TWICE)
    process = subprocess.Popen(
        [sys.executable, program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    impatience = threading.Timer(PATIENCE, process.kill)
    impatience.start()
    assert process.stdout is not None and process.stderr is not None
    with process, process.stdout as lines:
        # The terminal sends Ctrl-C to all processes: once while the second group is starting, ...
        assert lines.readline().startswith("0 ")
        os.killpg(process.pid, signal.SIGINT)
        # ... and once while it is learning.
        for line in lines:
            if line.startswith("1 "):
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = [line.split() for line in lines]
        errors = process.stderr.read()
    impatience.cancel()
    assert (process.returncode, errors) == (0, "")
    assert sorted(group for group, _, is_last in rest if is_last == "True") == ["0", "1"]


def test_groups_share_half_of_the_memory() -> None:
    small, large = square(3, 2), square(30, 9)
    assert groups_that_fit(small, BUDGET, wanted=4, memory=math.inf) == 4
    assert groups_that_fit(small, BUDGET, wanted=4, memory=4e9) == 4
    assert groups_that_fit(large, BUDGET, wanted=4, memory=4e9) < 4
    assert groups_that_fit(large, BUDGET, wanted=4, memory=0.0) == 1


def test_this_machine_says_how_much_memory_it_has() -> None:
    assert machine_memory() > 1e8


# Rounds


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of two steps, of which the first counts."""
    monkeypatch.setattr(copies, "ENOUGH_STEPS", 2)
    monkeypatch.setattr(copies, "LEAST_STEPS", 1)
    monkeypatch.setattr(copies, "REPORT_SECONDS", 0.0)


def rounds_of_one_copy(steps: int, monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """The reports of all steps of a group that is stopped after so many."""
    made = []

    def stop() -> bool:
        made.append(True)
        return len(made) == steps

    monkeypatch.setattr(copies, "copies_together", lambda *_: 1)
    return reports(1, steps=None, stop=stop)


@pytest.mark.usefixtures("short_rounds")
def test_new_copies_learn_when_the_others_have_learned_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = rounds_of_one_copy(5, monkeypatch)
    assert [report.status.step for report in found] == [1, 2, 1, 2, 1]
    assert [report.copies for report in found] == [1, 1, 2, 2, 3]
    assert [report.is_last for report in found] == [False] * 4 + [True]
    alone = [learned_here(2, 0), learned_here(2, MOST_GROUPS), learned_here(1, 2 * MOST_GROUPS)]
    answers_of_all = [answer for learner in alone for answer in learner.best()[0]]
    expected = combined(answers_of_all)
    assert answers(found[-1].best) == answers([expected])
    assert found[-1].guesses[0].grid.tolist() == alone[-1].guesses()[0].grid.tolist()


@pytest.mark.usefixtures("short_rounds")
def test_a_new_copy_votes_when_it_has_learned_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "LEAST_STEPS", 2)
    found = rounds_of_one_copy(4, monkeypatch)
    assert [report.copies for report in found] == [1, 1, 1, 2]
    assert answers(found[2].best) == answers(found[1].best)
    assert answers(found[3].best) != answers(found[2].best)


@pytest.mark.usefixtures("short_rounds")
def test_no_round_is_begun_that_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "LEAST_STEPS", 10**9)
    found = rounds_of_one_copy(4, monkeypatch)
    assert [report.status.step for report in found] == [1, 2, 3, 4]


@pytest.mark.usefixtures("short_rounds")
def test_a_given_number_of_steps_is_made_by_one_copy() -> None:
    found = reports(1, steps=5)
    assert [report.status.step for report in found] == [1, 2, 3, 4, 5]
    assert answers(found[-1].best) == answers(learned_here(5, 0).best())
