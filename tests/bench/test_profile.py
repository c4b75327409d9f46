"""Where the time of a step goes, by operation."""

import time
from dataclasses import replace

import pytest
import torch

from tests.support.bench import LATTICE, SETUP, make_small
from trmsolve.bench import profile, rates
from trmsolve.bench.events import cpu_events
from trmsolve.bench.profile import profile_operations
from trmsolve.bench.rates import profile_solving, profile_training
from trmsolve.bench.timing import Figures, Setup, Step
from trmsolve.device import Placement
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import Recipe


@pytest.fixture(autouse=True)
def small_things(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def adds_up(figures: Figures) -> None:
    shares = [row["share"] for row in figures["operations"]]
    assert shares == sorted(shares, reverse=True) and len(shares) <= profile.ROWS
    total = sum(shares) + figures["other_operations_share"] + figures["outside_share"]
    assert total == pytest.approx(1)
    for row in figures["operations"]:
        seconds = row["share"] * figures["seconds_per_step"]
        assert row["self_seconds_per_step"] == pytest.approx(seconds, rel=0.2)
        assert row["calls_per_step"] > 0


def test_operations_are_counted_and_the_largest_comes_first() -> None:
    a = torch.randn(300, 300)

    def step() -> None:
        for _ in range(3):
            torch.mm(a, a)
        a.relu()

    figures = profile_operations(step, torch.device("cpu"), 10)
    calls = {row["name"]: row["calls_per_step"] for row in figures["operations"]}
    assert calls["aten::mm"] == 3 and calls["aten::relu"] == 1
    assert figures["operations"][0]["name"] == "aten::mm"
    adds_up(figures)


def test_operations_beyond_the_table_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "ROWS", 3)
    model = TinyRecursiveModel(LATTICE).eval()
    figures = profile_solving("sudoku", model, SETUP, 2)
    assert figures is not None
    assert len(figures["operations"]) == 3 and figures["other_operations"] > 3
    adds_up(figures)


def test_training_is_profiled_with_its_optimizer() -> None:
    figures = profile_training("sudoku", Recipe(LATTICE, batch_size=2), SETUP)
    assert figures is not None and (figures["mode"], figures["batch_size"]) == ("train", 2)
    adds_up(figures)


@pytest.mark.parametrize(
    ("each", "compiles", "steps", "took"),
    [
        (0.1, False, 3, 0.4),  # the warm-up does not count
        (2.0, False, 2, 6.0),
        (3.0, False, 1, 3.0),  # the first step is all
        (60.0, False, 1, 60.0),
        (0.1, True, 3, 0.5),  # the step that compiles comes on top
        (60.0, True, 1, 120.0),
    ],
)
def test_the_time_is_kept_to(
    each: float, compiles: bool, steps: int, took: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0

    def step() -> None:
        nonlocal clock
        clock += each
        torch.ones(3).sum()

    monkeypatch.setattr(profile, "PROFILED", 3)
    monkeypatch.setattr(profile, "now", lambda _: clock)
    monkeypatch.setattr(profile.time, "perf_counter", lambda: clock)
    figures = profile_operations(step, torch.device("cpu"), 5.0, compiles)
    assert figures["steps"] == steps and figures["seconds_per_step"] == pytest.approx(each)
    assert clock == pytest.approx(took)


def test_what_prepares_a_step_is_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def note(step: object, device: object, seconds: float, compiles: bool) -> Figures:
        asked.append(seconds)
        return {}

    def prepare(*given: object) -> Step:
        time.sleep(0.05)
        return lambda: None

    monkeypatch.setattr(rates, "profile_operations", note)
    monkeypatch.setattr(rates, "solving_step", prepare)
    profile_solving("sudoku", TinyRecursiveModel(LATTICE), replace(SETUP, seconds=5), 2)
    assert asked[0] <= 4.95


def test_events_are_read_as_torch_reads_them() -> None:
    a = torch.randn(30, 30, requires_grad=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        for _ in range(3):
            with torch.profiler.record_function("bench.rules"):
                (a.to(torch.bfloat16) @ a.to(torch.bfloat16)).relu().sum().backward()
            a.mean().backward()
    ours: dict[str, list[float]] = {}
    for event in cpu_events(seen):
        found = ours.setdefault(event.name, [0, 0.0])
        found[0] += 1
        found[1] += event.own / 1000
    theirs = {one.key: [one.count, one.self_cpu_time_total] for one in seen.key_averages()}
    assert {"bench.rules", "aten::mm"} < ours.keys() == theirs.keys()
    for name, (count, own) in theirs.items():
        assert ours[name] == [count, pytest.approx(own, abs=0.01)], name


def test_what_is_in_a_phase_knows_it() -> None:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        with torch.profiler.record_function("bench.rules"):
            torch.ones(3).sum()
        torch.ones(3).prod()
    above = {event.name: event.cpu_parent for event in cpu_events(seen)}
    assert above["aten::sum"] is not None and above["aten::sum"].name == "bench.rules"
    assert above["aten::prod"] is None


def test_a_device_that_torch_cannot_profile_has_no_figures() -> None:
    setup = Setup(Placement(torch.device("mps"), torch.float32, ""), False, 1)
    assert profile_solving("sudoku", TinyRecursiveModel(LATTICE), setup, 1) is None
    assert profile_training("sudoku", Recipe(LATTICE, batch_size=2), setup) is None
