"""Times steps of several kinds in turn with matrix products, so that a busy machine slows them all.

A rate is the median over the turns. Knows neither puzzles nor training.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from trmsolve.device import Placement

WARM_UP = 3  # steps before those that count, fewer if they are slow
WARM_UP_SHARE = 1 / 10
"""How long the warm-up of all works may take, as a share of the measurement.

Each takes at least one step. Where the time is too short for a second one, the first one counts.
"""

ROUNDS = 8
"""In how many rounds a measurement is divided, if steps are short. A round has a turn of each."""

PRODUCT_SHARE = 1 / 6
"""How long a turn times products of one shape, as a share of the turn, however long that takes."""

SIDES = {"cpu": 1024, "mps": 4096, "cuda": 8192}
"""Sides of square matrices whose product keeps a device busy, by type of device."""

Figures = dict[str, Any]
Step = Callable[[], object]
Told = Callable[[float], None]
"""Hears which share of a measurement is over, from 0 to 1."""
Shape = tuple[int, int, int]
"""(m, k, n) of a product of matrices (m, k) and (k, n)."""


@dataclass(frozen=True)
class Setup:
    """Where and for how long something is measured."""

    placement: Placement
    compiled: bool
    seconds: float  # about so long, with all that is done to prepare it
    told: Told = lambda _: None


@dataclass(frozen=True)
class Work:
    """Steps to time."""

    step: Step
    rows: int  # puzzles in a step
    flop: int  # floating point operations of a step
    begin: Step = lambda: None  # called before the first step, and when the warm-up is over
    shape: Shape | None = None  # a product as the network has it, which is timed too
    compiles: bool = False  # whether the first step compiles, which counts for nothing


class Product:
    """A product of two random matrices in the placement's dtype, for timing."""

    def __init__(self, placement: Placement, shape: Shape) -> None:
        m, k, n = shape
        self.shape = shape
        self.device = placement.device
        self.a = torch.randn(m, k, device=self.device).to(placement.dtype)
        self.b = torch.randn(k, n, device=self.device).to(placement.dtype)
        self.out = torch.mm(self.a, self.b)
        self.rates: list[float] = []

    @torch.no_grad()
    def take_turn(self, seconds: float) -> None:
        """Multiply for about so long, at least once, and note the rate in FLOP/s."""
        m, k, n = self.shape
        products = 0
        start = now(self.device)
        while products == 0 or now(self.device) - start < seconds:
            torch.mm(self.a, self.b, out=self.out)
            products += 1
        self.rates.append(2 * m * k * n * products / (now(self.device) - start))

    @property
    def rate(self) -> float:
        """The median over the turns so far, in FLOP/s."""
        return median(self.rates)


class _Timed:
    """A work under measurement."""

    def __init__(self, work: Work, placement: Placement) -> None:
        self.work = work
        self.device = placement.device
        self.own = None if work.shape is None else Product(placement, work.shape)
        self.steps = 0
        self.seconds = 0.0
        self.warm_up_seconds = 0.0
        self.first_seconds = 0.0
        self.rates: list[float] = []

    def take_first_step(self) -> None:
        """Take the first step, which may be the only one."""
        self.work.begin()
        start = now(self.device)
        self.work.step()
        self.first_seconds = now(self.device) - start

    def count_first_step(self) -> None:
        """Let the first step be the measurement."""
        self.steps = 1
        self.seconds = self.first_seconds
        self.rates.append(1 / self.first_seconds)

    def warm_up(self, seconds: float) -> None:
        """Go on with steps that do not count, for about so long with the first one."""
        self.warm_up_seconds = self.first_seconds
        for _ in range(WARM_UP - 1):
            if self.warm_up_seconds >= seconds:
                break
            start = now(self.device)
            self.work.step()
            self.warm_up_seconds += now(self.device) - start
        self.work.begin()

    def take_turn(self, seconds: float) -> float:
        """Take steps for about so long, at least one; returns how long it took."""
        steps = 0
        start = now(self.device)
        while steps == 0 or time.perf_counter() - start < seconds:
            self.work.step()
            steps += 1
        spent = now(self.device) - start
        self.steps += steps
        self.seconds += spent
        self.rates.append(steps / spent)
        return spent

    def figures(self, machine: float) -> Figures:
        rate = median(self.rates)
        flop = self.work.flop
        figures: Figures = {
            "batch_size": self.work.rows,
            "warm_up_seconds": self.warm_up_seconds,
            "seconds": self.seconds,
            "steps": self.steps,
            "steps_per_second": rate,
            "examples_per_second": rate * self.work.rows,
            "flop_per_step": flop,
            "flop_per_second": rate * flop,
            "matmul_flop_per_second": machine,
            "fraction": rate * flop / machine,
        }
        if self.own is not None:
            figures["network_matmul_shape"] = list(self.own.shape)
            figures["network_matmul_flop_per_second"] = self.own.rate
        return figures


def time_together(
    works: Sequence[Work], placement: Placement, seconds: float, told: Told = lambda _: None
) -> list[Figures]:
    """Take turns of all works and of matrix products for about ``seconds``, at least one step each.

    The warm-up is part of the time, compiling is not. Every work gets the same share of the time.
    The figures are in the order of the works.
    """
    side = SIDES[placement.device.type]
    start = now(placement.device)
    machine = Product(placement, (side, side, side))
    timed = [_Timed(work, placement) for work in works]
    for one in timed:
        one.take_first_step()
    compiling = sum(one.first_seconds for one in timed if one.work.compiles)
    rounds = _Rounds(timed, machine, start + compiling, seconds, told)
    if rounds.are_too_long():
        rounds.take_short_turns()
    else:
        rounds.take()
    return [one.figures(machine.rate) for one in timed]


def time_steps(
    work: Work, placement: Placement, seconds: float, told: Told = lambda _: None
) -> Figures:
    """As ``time_together``, for one work."""
    return time_together([work], placement, seconds, told)[0]


@dataclass(frozen=True)
class _Rounds:
    """The turns of all works and products, after the first step of each work."""

    timed: Sequence[_Timed]
    machine: Product
    start: float  # when the measurement began
    seconds: float  # how long it may take
    told: Told

    @property
    def turn(self) -> float:
        """How long one turn takes, in seconds, if steps are short."""
        return self.seconds / ROUNDS / len(self.timed)

    def are_too_long(self) -> bool:
        """Whether first steps took so long that there is no time for others."""
        if any(one.work.compiles for one in self.timed):
            return False
        again = sum(one.first_seconds / _step_share(one) for one in self.timed)
        return self._spent() + again > self.seconds

    def take_short_turns(self) -> None:
        """Count the first steps that are as long as a turn, and take one turn of all else."""
        for one in self.timed:
            if one.first_seconds < self.turn:
                one.warm_up(0)
                _take_turns(one, self.machine, self.turn)
            else:
                one.count_first_step()
                for product in _products(one, self.machine):
                    product.take_turn(self.turn * PRODUCT_SHARE)
            self._tell()

    def take(self) -> None:
        """Warm up and take rounds until the time is over, at least one."""
        for one in self.timed:
            one.warm_up(self.seconds * WARM_UP_SHARE / len(self.timed))
        begun = self._spent()
        rounds = 0
        spent = 0.0
        # Ends with the round whose end is nearest to the time asked for.
        while rounds == 0 or begun + spent + spent / rounds / 2 < self.seconds:
            for one in self.timed:
                _take_turns(one, self.machine, self.turn)
                self._tell()
            rounds += 1
            spent = self._spent() - begun

    def _tell(self) -> None:
        self.told(min(self._spent() / self.seconds, 1.0))

    def _spent(self) -> float:
        """Seconds since the measurement began."""
        return now(self.machine.device) - self.start


def _products(one: _Timed, machine: Product) -> list[Product]:
    """The products that are timed beside a work: the machine's, and its own if it has one."""
    return [machine] if one.own is None else [machine, one.own]


def _step_share(one: _Timed) -> float:
    """The share of a turn that its steps have; the products have the rest."""
    products = 1 if one.own is None else 2
    return 1 - products * PRODUCT_SHARE


def _take_turns(one: _Timed, machine: Product, seconds: float) -> None:
    """A turn of the work, one of its own product, and one of the machine's."""
    step_share = _step_share(one)
    spent = one.take_turn(seconds * step_share)
    # A step may take longer than its turn. Products then do too: a short look at a machine that is
    # busy now and then would say little.
    for product in _products(one, machine):
        product.take_turn(spent / step_share * PRODUCT_SHARE)


def now(device: torch.device) -> float:
    """Seconds, read when the device has finished all its work."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()
