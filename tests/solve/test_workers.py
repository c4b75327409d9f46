"""Puzzles shared among processes: the same answers in the same order, and processes that end."""

import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice, takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.solve.test_solver import CONFIG, CPU, SUDOKU, some_puzzles
from tests.support.graphs import needs_runtime
from tests.support.paths import EXAMPLES
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, UsageError, WeightsError, WorkerError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.values import Answer, Puzzle, Verdict
from trmsolve.solve import team, workers
from trmsolve.solve.any_size import SharedAnySize
from trmsolve.solve.attempt import Paused, Result
from trmsolve.solve.effort import Effort
from trmsolve.solve.evaluate import evaluate
from trmsolve.solve.network import LoadOptions
from trmsolve.solve.onnx_network import SharedGraph
from trmsolve.solve.solver import Solver, load
from trmsolve.solve.stream import InOrder, Item, Places, Run
from trmsolve.solve.workers import Crew, SharedSolver, share_out, start_early

pytestmark = pytest.mark.usefixtures("one_thread")

EFFORT = Effort(cycles=3, views=4, batch_size=3, noise=0.5, seed=7)


def one(effort: Effort = EFFORT) -> Solver:
    """A solver with a network that knows nothing: every view is tried."""
    torch.manual_seed(1)
    model = TinyRecursiveModel(CONFIG).eval().requires_grad_(False)
    return Solver(SUDOKU, model, CPU, effort, "w")


def said(outcome: Answer | PuzzleError) -> Any:
    """All of an outcome that may be compared: not its time, nor the last digits of a product."""
    if isinstance(outcome, PuzzleError):
        return str(outcome), outcome.problem, outcome.line
    facts = {**vars(outcome), "puzzle": outcome.puzzle.source, "grid": outcome.grid.tolist()}
    return facts | {"seconds": 0.0, "halt": round(outcome.halt, 4)}


@pytest.fixture
def dealt(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many puzzles each worker got; this process takes none before all are ready."""
    numbers: dict[str, int] = {}
    own_items, deal = workers._Dealer.own_items, team.Helper.deal

    def patient(dealer: workers._Dealer) -> Iterator[Any]:
        while not all(helper.under_way for helper in dealer.helpers):
            dealer._serve()
            yield None
        yield from own_items(dealer)

    def counting(helper: team.Helper, puzzles: Any, enough: int) -> None:
        before = len(puzzles)
        deal(helper, puzzles, enough)
        name = helper.process.name
        numbers[name] = numbers.get(name, 0) + before - len(puzzles)

    monkeypatch.setattr(workers._Dealer, "own_items", patient)
    monkeypatch.setattr(team.Helper, "deal", counting)
    return numbers


@pytest.mark.slow
def test_processes_answer_as_one_does(dealt: dict[str, int]) -> None:
    items: list[Item] = [*some_puzzles(30)]
    items[4:4] = [PuzzleError("no puzzle", "f", 5)]
    items[20:20] = [PuzzleError("no puzzle either", "f", 21, 3)]
    expected = [said(outcome) for outcome in one().solve_all(items)]
    solver, told, cycles = share_out(one(), Crew(3)), [], []
    found = list(solver.solve_all(items, cycles.append, told.append))
    assert [said(outcome) for outcome in found] == expected
    answers = [outcome for outcome in found if isinstance(outcome, Answer)]
    assert [id(answer.puzzle) for answer in answers] == [
        id(item) for item in items if isinstance(item, Puzzle)
    ]
    assert len(told) == 30 and {id(answer) for answer in told} == {id(a) for a in answers}
    assert set(dealt) == {"worker 1", "worker 2"} and all(dealt.values())
    own = {id(cycle.puzzle) for cycle in cycles}
    assert 0 < len(own) <= 30, "the cycles of this process are shown"
    assert sum(dealt.values()) > 30, "a puzzle whose view has failed is dealt again"
    assert not multiprocessing.active_children()


def test_a_puzzle_handed_back_goes_on_as_if_it_had_stayed() -> None:
    puzzles = some_puzzles(4)
    expected = [said(outcome) for outcome in one().solve_all(puzzles)]
    waiting: deque[Any] = deque(enumerate(puzzles))
    found: dict[int, Any] = {}
    handed_back = []

    def items() -> Iterator[Any]:
        while len(found) < len(puzzles):
            yield waiting.popleft() if waiting else None

    def hand_back(place: int, paused: Paused) -> None:
        handed_back.append(place)
        waiting.append((place, pickle.loads(pickle.dumps(paused))))

    run = Run(one(), items(), found.__setitem__, frames=False, hand_back=hand_back)
    assert not any(run.cycles())
    assert [said(found[place]) for place in range(4)] == expected
    assert sorted(handed_back) == sorted([*range(4)] * (EFFORT.views - 1))


class Idle(team.Helper):
    """A helper without a process: what it is sent is kept, and found when the test says so."""

    def __init__(self) -> None:
        self.under_way: dict[int, Puzzle] = {}
        self.is_ready = True
        self.connection, _ = multiprocessing.Pipe()
        self.found: list[Any] = []

    def outcomes(self) -> Iterator[Any]:
        yield from self.found
        self.found = []

    def _send(self, message: Any) -> None:
        pass

    def finish(self) -> int:
        """Find an error for everything; how many there were."""
        self.found = [(place, PuzzleError("none")) for place in self.under_way]
        self.under_way = {}
        return len(self.found)


def dealer_of(number: int, helpers: Any, batch_size: int) -> workers._Dealer:
    puzzle = some_puzzles(1)[0]
    order = InOrder([replace(puzzle) for _ in range(number)], 10_000)
    return workers._Dealer(order, helpers, batch_size)


def test_a_helper_that_becomes_ready_waits_for_a_small_batch_only() -> None:
    helper = Idle()
    helper.is_ready = False
    dealer = dealer_of(200, [helper], 16)
    own = dealer.own_items()
    assert len(list(takewhile(bool, own))) == 2 and not helper.under_way
    helper.is_ready = True
    assert len(list(takewhile(bool, own))) == 14
    dealer._serve()
    assert len(helper.under_way) >= 16


def test_the_rest_is_dealt_in_ever_smaller_shares() -> None:
    helper = Idle()
    dealer = dealer_of(100, [helper], 16)
    own = dealer.own_items()
    shares = []
    while True:
        taken = list(takewhile(bool, own))
        if not taken:
            break
        shares += [len(taken), helper.finish()]
        for place, _ in taken:
            dealer.put(place, PuzzleError("none"))
    assert sum(shares) == 100
    assert max(shares) <= 32 and shares[-1] <= shares[-2] <= 2
    assert abs(sum(shares[::2]) - sum(shares[1::2])) <= 18
    assert list(own) == []


def test_what_comes_back_is_dealt_first_and_no_process_takes_it_all() -> None:
    helper = Idle()
    dealer = dealer_of(200, [helper], 4)
    own = dealer.own_items()
    taken = list(takewhile(bool, own))
    best = Result((False, 0, 0.0), taken[0][1].grid, Verdict(False, ""), 0.0)
    for place, puzzle in taken:
        dealer.take_back(place, Paused(puzzle, 1, 1, 0.0, best, None))
    helper.finish()
    dealer._serve()
    places = {place for place, _ in taken}
    assert len(places) == 4 and places < set(helper.under_way)
    dealer.ahead.clear()
    dealer.ended = True
    for place, puzzle in list(helper.under_way.items())[:4]:
        dealer.ahead.append((place, puzzle))
    helper.under_way = {}
    assert len(list(takewhile(bool, own))) == 2
    dealer._serve()
    assert len(helper.under_way) == len(dealer.ahead) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("dealt")
def test_processes_measure_what_one_does() -> None:
    puzzles = some_puzzles(20)
    for views in (1, 2):
        solver = one(replace(EFFORT, views=views))
        expected = evaluate(solver, puzzles, "d")
        found = evaluate(share_out(solver, Crew(2)), puzzles, "d")
        assert found.pop("workers") == 2 and expected.pop("workers") == 1
        assert found.pop("puzzles_per_second") and expected.pop("puzzles_per_second")
        assert found == expected


@pytest.mark.slow
@pytest.mark.usefixtures("dealt")
def test_an_endless_stream_is_read_as_needed_and_left_at_any_time() -> None:
    taken = count()
    puzzles = some_puzzles(5)
    endless = (puzzles[next(taken) % 5] for _ in count())
    outcomes = share_out(one(), Crew(2)).solve_all(endless)
    assert len(list(islice(outcomes, 40))) == 40
    assert len(multiprocessing.active_children()) == 1
    assert next(taken) < 40 + 10 * 2 * EFFORT.batch_size
    outcomes.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.usefixtures("dealt")
def test_a_worker_that_is_killed_is_told_in_a_line() -> None:
    outcomes = share_out(one(), Crew(2)).solve_all(some_puzzles(1)[0] for _ in count())
    next(outcomes)
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"worker 1 was ended from outside .* fewer --workers"):
        list(outcomes)
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.usefixtures("dealt")
def test_an_error_in_a_worker_is_raised_here() -> None:
    solver = share_out(one(), Crew(2))
    good = some_puzzles(12)
    odd = replace(good[0], grid=None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"an error in worker 1:\n(.*\n)+.*in unsupported"):
        list(solver.solve_all([odd, *good]))
    assert not multiprocessing.active_children()


# With a graph


def of_graph(backend: str = "onnx") -> Solver:
    """The solver of the bundled graph, with two threads before its work is shared."""
    return load("sudoku", backend=backend, views=4, batch_size=4, seed=7, threads=2)


def listed() -> list[Item]:
    with (EXAMPLES / "sudoku" / "list.sdm").open("rb") as file:
        return list(islice(SUDOKU.read(file, "list"), 12))


@pytest.mark.slow
@needs_runtime
def test_workers_with_a_graph_answer_as_one_process_does_without_torch(
    dealt: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [said(outcome) for outcome in of_graph().solve_all(listed())]
    solver = share_out(of_graph(), Crew(2))
    assert solver.workers == 2 and solver.threads == 1
    assert solver.weights == of_graph().weights
    assert solver.where.endswith("fp32 (as the graph is), 2 workers of 1 thread")
    # Processes that are started from now on find this and not torch.
    (tmp_path / "torch.py").write_text("raise ImportError('torch is imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert [said(outcome) for outcome in solver.solve_all(listed())] == expected
    assert dealt["worker 1"] > 0


@pytest.mark.slow
@needs_runtime
@pytest.mark.usefixtures("dealt")
def test_a_graph_that_fails_in_a_worker_is_told_as_in_one_process() -> None:
    solver = share_out(of_graph(), Crew(2))
    assert isinstance(solver, SharedSolver) and isinstance(solver.shared, SharedAnySize)
    assert isinstance(solver.shared.own, SharedGraph)
    broken = replace(solver.shared.own, content=b"nothing")
    solver.shared = replace(solver.shared, own=broken)
    with pytest.raises(WeightsError, match="is not usable as a graph"):
        list(solver.solve_all(listed()))
    assert not multiprocessing.active_children()


@needs_runtime
def test_measurements_with_a_graph_say_how_many_threads_each_process_has() -> None:
    solver = share_out(of_graph(), Crew(2, threads=3))
    assert evaluate(solver, [], "d")["threads"] == 3


def test_places_decide_what_is_random() -> None:
    puzzles = some_puzzles(9)
    whole = [said(outcome) for outcome in one().solve_all(puzzles)]
    for first in range(3):
        part = one().solve_all(puzzles[first::3], places=Places(first, 3))
        assert [said(outcome) for outcome in part] == whole[first::3]


# How many


def on(device: str, threads: int = 4) -> Any:
    placement = SimpleNamespace(device=torch.device(device), threads=threads)
    return SimpleNamespace(placement=placement, effort=Effort(batch_size=10))


@pytest.mark.parametrize(
    ("crew", "size"),
    [
        (Crew(), 4),
        (Crew(puzzles=0), 1),
        (Crew(puzzles=10), 1),
        (Crew(puzzles=11), 2),
        (Crew(puzzles=1000), 4),
        (Crew(threads=3), 1),
        (Crew(asked=7), 7),
        (Crew(asked=7, threads=2), 7),
        (Crew(asked=7, puzzles=3), 3),
        (Crew(asked=1, puzzles=1000), 1),
    ],
)
def test_there_is_a_worker_for_each_core_if_there_is_work(crew: Crew, size: int) -> None:
    assert crew.size(on("cpu")) == size


def test_a_gpu_is_one_worker() -> None:
    assert Crew().size(on("cuda")) == Crew(asked=1).size(on("cuda")) == 1
    with pytest.raises(UsageError, match="--workers 2 needs a CPU"):
        Crew(asked=2).size(on("cuda"))


def test_what_runs_where_is_told() -> None:
    placement = Placement(torch.device("cpu"), torch.float32, "cpu, fp32")
    solver = Solver(SUDOKU, one().model, placement, EFFORT)
    assert solver.where == "cpu, fp32"
    assert share_out(solver, Crew(2)).where == "cpu, fp32, 2 workers of 1 thread"


# Processes that are started early


class Started:
    """Stands for a process, and keeps what it was started with."""

    def __init__(self, number: int, preload: str = "") -> None:
        self.number = number
        self.preload = preload
        self.ended = False

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Started]:
    """The processes that were started, on a machine of four cores without a GPU."""
    started: list[Started] = []

    def start(number: int, preload: str = "") -> Started:
        started.append(Started(number, preload))
        return started[-1]

    monkeypatch.setattr(team, "Helper", start)
    monkeypatch.setattr(workers, "usable_cores", lambda: 4)
    monkeypatch.setattr(workers, "has_nvidia_driver", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    return started


@pytest.mark.parametrize(
    ("crew", "options", "number"),
    [
        (Crew(puzzles=1), {}, 0),
        (Crew(puzzles=64), {}, 0),
        (Crew(puzzles=65), {}, 1),
        (Crew(puzzles=65), {"batch_size": 10}, 3),
        (Crew(), {}, 3),
        (Crew(2), {}, 1),
        (Crew(threads=4), {}, 0),
        (Crew(), {"device": "cuda"}, 0),
        (Crew(2), {"device": "cuda"}, 0),
        (Crew(), {"device": "cpu"}, 3),
    ],
)
def test_the_processes_that_will_be_needed_start_at_once(
    crew: Crew, options: dict[str, Any], number: int, processes: list[Started]
) -> None:
    with start_early("sudoku", crew, LoadOptions(backend="torch", **options)):
        assert [process.number for process in processes] == [*range(1, number + 1)]
        assert {process.preload for process in processes} <= {"trmsolve.solve.torch_network"}
    assert all(process.ended for process in processes), "none was used"


def test_where_there_may_be_a_gpu_none_starts_early(
    processes: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "has_nvidia_driver", lambda: True)
    start_early("sudoku", Crew(), LoadOptions(backend="torch"))
    monkeypatch.setattr(workers, "has_nvidia_driver", lambda: False)
    monkeypatch.setattr(sys, "platform", "darwin")
    start_early("sudoku", Crew(), LoadOptions(backend="torch"))
    assert not processes
    start_early("sudoku", Crew(), LoadOptions(backend="onnx"))
    assert {process.preload for process in processes} == {"onnxruntime"}


def test_a_process_that_was_taken_does_not_end_with_the_team(processes: list[Started]) -> None:
    with team.Team(2) as early:
        assert early.take(1) is processes[0]
    assert [process.ended for process in processes] == [False, True]
    assert early.take(2).number == 2 and len(processes) == 3


def test_an_interrupt_while_processes_start_ends_those_that_have(
    processes: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = team.Helper

    def interrupted(number: int, preload: str = "") -> Any:
        if number == 3:
            raise KeyboardInterrupt
        return start(number, preload)

    monkeypatch.setattr(team, "Helper", interrupted)
    with pytest.raises(KeyboardInterrupt):
        team.Team(3)
    assert [process.ended for process in processes] == [True, True]


@pytest.mark.slow
@needs_runtime
@pytest.mark.usefixtures("dealt")
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_processes_that_started_early_answer_as_one_does(backend: str) -> None:
    expected = [said(outcome) for outcome in of_graph(backend).solve_all(listed())]
    options = LoadOptions(backend=backend, device="cpu", threads=1)
    with start_early("sudoku", Crew(2), options) as early:
        (helper,) = early.waiting
        solver = share_out(of_graph(backend), Crew(2), early)
        assert [said(outcome) for outcome in solver.solve_all(listed())] == expected
        assert not helper.process.is_alive() and not early.waiting
    assert not multiprocessing.active_children()
