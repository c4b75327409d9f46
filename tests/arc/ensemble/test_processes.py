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

from tests.support.arc_tasks import same_outputs
from tests.support.copies import answers, best_of
from tests.support.paths import ROOT
from tests.support.terminal import PATIENCE
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.ensemble import processes, rounds
from trmsolve.arc.ensemble.processes import learn_copies
from trmsolve.arc.ensemble.rounds import Order, Report, copy_seed
from trmsolve.arc.task import never

pytestmark = pytest.mark.usefixtures("one_thread")

TASK = same_outputs()


def reports(
    number: int,
    steps: int | None = 1,
    stop: Callable[[], bool] = never,
    seconds: float = PATIENCE,
    together: int = 1,
) -> list[Report]:
    order = Order(TASK, Budget(seconds, steps), seed=3, together=together)
    found = list(learn_copies(order, number, stop))
    assert not multiprocessing.active_children(), "no process is left"
    return found


def last_reports(found: list[Report]) -> dict[int, Report]:
    """By group; every group has exactly one."""
    last = [report for report in found if report.is_last]
    by_group = {report.group: report for report in last}
    assert len(last) == len(by_group)
    return by_group


def learned_here(steps: int, *copies: int) -> CompressionLearner:
    """These copies together."""
    seeds = [copy_seed(3, copy) for copy in copies]
    learner = CompressionLearner(CompressionPuzzle(TASK), seeds)
    for _ in range(steps):
        learner.step()
    return learner


# Reports


def test_one_group_learns_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_context", None)
    found = reports(1, steps=3)
    last = last_reports(found)[0]
    assert found[-1] is last and last.status.step == 3
    assert answers(best_of(last)) == answers(learned_here(3, 0).best())
    assert len(last.guesses) == 1


def test_every_copy_has_a_seed_of_its_own() -> None:
    assert 0 <= copy_seed(2**63 - 1, 3) < 2**63, "what torch takes"
    seeds = {copy_seed(seed, copy) for seed in range(50) for copy in range(4)}
    assert len(seeds) == 200


def test_copies_of_a_group_learn_together() -> None:
    last = last_reports(reports(1, steps=2, together=2))[0]
    expected = learned_here(2, 0, 1)
    assert answers(best_of(last)) == answers(expected.best())
    assert sum(answer.copies for answer in best_of(last)[0]) <= 2
    assert last.status.step == 2, "steps are those of each copy"
    (guess,) = last.guesses
    assert guess.grid.tolist() == expected.guesses()[0].grid.tolist()


def test_a_group_reports_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "REPORT_SECONDS", 0.0)
    found = reports(1, steps=3)
    assert [report.status.step for report in found] == [1, 2, 3]
    assert [report.is_last for report in found] == [False, False, True]


def test_the_budget_ends_the_learning_after_a_step() -> None:
    assert last_reports(reports(1, steps=None, seconds=0.0))[0].status.step == 1


def test_steps_count_whatever_the_clock_says() -> None:
    assert last_reports(reports(1, steps=2, seconds=0.0))[0].status.step == 2


def test_stop_ends_a_group_after_its_step() -> None:
    last = last_reports(reports(1, steps=1000, stop=lambda: True))[0]
    assert last.status.step == 1 and best_of(last)[0]


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
        assert answers(best_of(report)) == answers(learned_here(1, group).best())


@pytest.mark.usefixtures("threads")
def test_no_two_groups_have_the_same_copies() -> None:
    last = last_reports(reports(2, steps=1, together=2))
    assert answers(best_of(last[0])) == answers(learned_here(1, 0, 1).best())
    assert answers(best_of(last[1])) == answers(learned_here(1, 2, 3).best())


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
    monkeypatch.setattr(rounds, "REPORT_SECONDS", 0.0)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    ours.close()
    order = Order(TASK, Budget(PATIENCE, 1000), seed=0, together=1)
    processes._learn_there(order, 1, math.inf, theirs, multiprocessing.Event())


def test_a_process_that_starts_late_ends_with_the_others() -> None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    order = Order(TASK, Budget(PATIENCE), seed=0, together=1)
    processes._learn_there(order, 1, time.monotonic(), theirs, multiprocessing.Event())
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
    assert list(last) == [0] and best_of(last[0])[0]
    assert time.monotonic() - begun < processes.GRACE_SECONDS, "nobody waits for it"


@pytest.mark.slow
def test_groups_end_if_nobody_wants_more_reports() -> None:
    found = learn_copies(Order(TASK, Budget(PATIENCE, 1), seed=0, together=1), 3, never)
    assert next(found).group == 0
    assert len(multiprocessing.active_children()) == 2
    found.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_groups_end_if_one_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start = processes._Helper

    def fail(order: Order, group: int, deadline: float) -> processes._Helper:
        if group == 2:
            raise OSError("no more processes")
        return start(order, group, deadline)

    monkeypatch.setattr(processes, "_Helper", fail)
    with pytest.raises(OSError, match="no more processes"):
        reports(3)
    assert not multiprocessing.active_children()


INTERRUPTED_TWICE = """
import multiprocessing, signal, time
from tests.support.arc_tasks import same_outputs
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.ensemble.processes import learn_copies
from trmsolve.arc.ensemble.rounds import Order

heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))

def stop():
    time.sleep(0.2)
    return len(heard) >= 2 or not multiprocessing.active_children()

for report in learn_copies(Order(same_outputs(), Budget(600.0), 0, 1), 2, stop):
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
