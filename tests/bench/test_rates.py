"""The speed measurement: what it counts, and that its figures agree."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.support.bench import CPU, LATTICE, LINEAR, SETUP, agrees, make_small
from trmsolve.bench import rates, timing
from trmsolve.bench.flops import count_cycle
from trmsolve.bench.profile import break_down
from trmsolve.bench.rates import bench_solving, bench_training
from trmsolve.bench.timing import Figures, Product, Step, Told, Work, time_steps, time_together
from trmsolve.bench.workloads import make_examples
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.registry import task_forms
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.recipes import Recipe


class Clock:
    """Time that goes on only when a step of a work says so; products take none."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def step_of(self, seconds: float) -> Step:
        return lambda: self.wait(seconds)

    def time(self, works: list[Work], seconds: float, told: Told = lambda _: None) -> list[Figures]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timing, "WARM_UP", 3)
            patch.setattr(timing, "now", lambda _: self.now)
            patch.setattr(timing.time, "perf_counter", lambda: self.now)
            patch.setattr(timing.Product, "take_turn", lambda product, _: product.rates.append(1.0))
            return time_together(works, CPU, seconds, told)


@pytest.fixture(autouse=True)
def small_things(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def level(config: TRMConfig) -> int:
    """Operations of the linear network's blocks for one puzzle, by hand; inner sizes: 96, 32."""
    over_tokens = 2 * config.hidden_size * (81 * 2 * 96 + 96 * 81)
    within_tokens = 2 * 81 * (32 * 2 * 32 + 32 * 32)
    return config.layers * (over_tokens + within_tokens)


HEADS = 2 * 81 * 32 * 11 + 2 * 32 * 2


def test_a_cycle_of_linear_maps_counts_as_by_hand() -> None:
    assert count_cycle(LINEAR) == 2 * 4 * level(LINEAR) + HEADS


def test_attention_counts_where_it_is_fused() -> None:
    attention = replace(LINEAR, mixer="attention", positions="rope", num_heads=4)
    block = 4 * 2 * 81 * 32 * 32 + 2 * 2 * 81 * 81 * 32 + 2 * 81 * (32 * 2 * 32 + 32 * 32)
    assert count_cycle(attention) == 2 * 4 * 2 * block + HEADS


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_training_step_counts_both_ways_and_the_optimizer(optimizer: str) -> None:
    recipe = Recipe(LINEAR, batch_size=5, optimizer=optimizer)
    # The first recursion is not learned from; of the second and the heads each product has two in
    # its backward.
    network = 4 * level(LINEAR) + 3 * (4 * level(LINEAR) + HEADS)
    shapes = (
        [(81, 192), (81, 96), (32, 64), (32, 32)] * LINEAR.layers if optimizer == "muon" else []
    )
    newton_schulz = sum(5 * (2 * 2 * short * short * long + 2 * short**3) for short, long in shapes)
    figures = bench_training("sudoku", recipe, SETUP)
    assert figures["flop_per_step"] == 5 * network + newton_schulz
    agrees(figures)


def test_training_is_measured_at_the_depth_it_is_done_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "break_down", lambda *_: {})

    def flop_per_step(recipe: Recipe) -> int:
        return bench_training("sudoku", recipe, SETUP)["flop_per_step"]

    deep = replace(LINEAR, recursions=3)
    once_of_three = flop_per_step(Recipe(deep, 2, curriculum=((1.0, 1, 0),)))
    once = flop_per_step(Recipe(replace(LINEAR, recursions=1), 2))
    three = flop_per_step(Recipe(deep, 2))
    assert once_of_three == once < three


def test_the_phases_of_training_are_told_apart() -> None:
    figures = bench_training("sudoku", Recipe(LATTICE, batch_size=4), SETUP)
    agrees(figures)
    assert {"matrix products", "norms and elementwise", "copies and casts", "other"} <= set(
        figures["breakdown"]
    )
    assert {"optimizer", "loss", "pool refill"} <= set(figures["breakdown"])
    assert figures["puzzles_per_second"] >= 0


def test_steps_are_counted_from_the_end_of_the_warm_up() -> None:
    taken: list[str] = []
    work = Work(lambda: taken.append("step"), 7, 1000, lambda: taken.append("begin"))
    figures = time_steps(work, CPU, 0.01)
    assert figures["steps"] == taken[::-1].index("begin") > 0
    assert (figures["batch_size"], figures["flop_per_step"]) == (7, 1000)
    assert 0 < figures["seconds"] < 0.5
    agrees(figures)


def test_works_take_turns_and_each_has_its_own_product() -> None:
    taken: list[str] = []

    clock = Clock()

    def step(name: str, seconds: float) -> None:
        taken.append(name)
        clock.wait(seconds)

    short = Work(lambda: step("short", 0.01), 1, 1000, shape=(8, 4, 2))
    long = Work(lambda: step("long", 0.1), 2, 1000)
    first, second = clock.time([short, long], seconds=4)
    changes = sum(before != after for before, after in pairwise(taken))
    assert changes >= 5, "they alternate"
    assert first["network_matmul_shape"] == [8, 4, 2]
    assert first["network_matmul_flop_per_second"] > 0
    assert "network_matmul_shape" not in second
    assert first["matmul_flop_per_second"] == second["matmul_flop_per_second"]
    agrees(first)
    agrees(second)


def test_a_rate_is_the_median_of_the_turns() -> None:
    product = Product(CPU, (2, 2, 2))
    product.rates = [1.0, 100.0, 3.0]
    assert product.rate == 3.0


def test_a_measurement_takes_about_as_long_as_asked_for() -> None:
    works = [Work(lambda: time.sleep(0.002), 1, 1, shape=(8, 8, 8)) for _ in range(3)]
    begun = time.perf_counter()
    time_together(works, CPU, 1.0)
    assert 0.8 < time.perf_counter() - begun < 2.5


def test_the_warm_up_is_part_of_the_time() -> None:
    clock = Clock()
    figures = clock.time([Work(clock.step_of(1.0), 1, 1)], seconds=10)
    assert 9 <= clock.now <= 11
    assert figures[0]["warm_up_seconds"] == 1.0 and figures[0]["steps"] >= 5


def test_where_there_is_no_time_for_a_second_step_the_first_counts() -> None:
    clock = Clock()
    works = [Work(clock.step_of(2.0), 1, 1), Work(clock.step_of(1.0), 1, 1)]
    slow, quick = clock.time(works, seconds=5)
    assert clock.now == pytest.approx(3, abs=0.1)
    assert (slow["steps"], slow["warm_up_seconds"], slow["steps_per_second"]) == (1, 0.0, 0.5)
    assert (quick["steps"], quick["steps_per_second"]) == (1, 1.0)


def test_short_steps_take_a_turn_beside_long_ones_that_have_no_time() -> None:
    clock = Clock()
    works = [Work(clock.step_of(4.0), 1, 1), Work(clock.step_of(0.01), 1, 1)]
    slow, quick = clock.time(works, seconds=5)
    assert clock.now < 5
    assert (slow["steps"], slow["warm_up_seconds"]) == (1, 0.0)
    assert quick["steps"] > 10 and quick["warm_up_seconds"] == pytest.approx(0.01)


def test_compiling_comes_on_top_and_is_never_measured() -> None:
    clock = Clock()
    durations = iter([100.0, *[1.0] * 50])
    work = Work(lambda: clock.wait(next(durations)), 1, 1, compiles=True)
    (figures,) = clock.time([work], seconds=10)
    assert 107 <= clock.now <= 113
    assert figures["steps_per_second"] == 1.0


def test_preparing_takes_its_part_of_the_time() -> None:
    begun = time.perf_counter() - 6
    setup = replace(SETUP, seconds=10)
    assert rates._seconds_to_time(setup, 3, begun) < 4.1
    assert rates._seconds_to_time(setup, 3, begun - 60) == rates.LEAST_SECONDS


def test_progress_is_told_up_to_the_end() -> None:
    shares: list[float] = []
    clock = Clock()
    clock.time([Work(clock.step_of(0.1), 1, 1)], 10, shares.append)
    assert len(shares) >= 5 and shares == sorted(shares) and 0.9 < shares[-1] <= 1


def test_one_step_longer_than_asked_for_is_enough() -> None:
    figures = time_steps(Work(lambda: torch.randn(1_000_000), 1, 1), CPU, 1e-6)
    assert figures["steps"] == 1


def test_solving_is_timed_alone_and_in_a_batch() -> None:
    model = TinyRecursiveModel(LATTICE).eval()
    figures = bench_solving("sudoku", model, SETUP, 3)
    for part, rows in ((figures, 3), (figures["single"], 1)):
        agrees(part)
        assert part["batch_size"] == rows
        assert part["flop_per_step"] == rows * count_cycle(LATTICE)
        assert part["puzzles_per_second"] == pytest.approx(part["examples_per_second"] / MAX_CYCLES)
        assert "rules" in part["breakdown"]


@pytest.mark.parametrize("task", task_forms(), ids=lambda task: f"{task.name}-{task.candidates}")
def test_the_puzzles_are_right_and_differ(task: Task) -> None:
    examples = make_examples(task)
    assert len(np.unique(examples.questions, axis=0)) == len(examples)
    for question, answer in zip(examples.questions, examples.answers, strict=True):
        assert 0 < (question == 0).sum() < question.size
        assert task.verify(Puzzle(question), answer).verified


def test_training_takes_turns_with_solving() -> None:
    model = TinyRecursiveModel(LATTICE).eval()
    figures = bench_solving("sudoku", model, SETUP, 3, Recipe(LATTICE, batch_size=2))
    training = figures["training"]
    assert (figures["mode"], training["mode"], training["batch_size"]) == ("solve", "train", 2)
    assert training["matmul_flop_per_second"] == figures["matmul_flop_per_second"]
    assert training["network_matmul_shape"] == [2 * 729, 16, 2 * 48]
    agrees(training)


def test_slow_steps_are_not_broken_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "PROFILE_SHARE", 1 / 5)
    figures = bench_solving("sudoku", TinyRecursiveModel(LATTICE).eval(), SETUP, 1)
    assert figures["breakdown"] == {}


def test_a_device_that_cannot_be_looked_into_has_no_breakdown() -> None:
    assert break_down(lambda: None, torch.device("mps")) == {}
