"""Where the time of a step goes, as torch's profiler sees it: by kind, or by operation.

Profiling makes small operations slower.
"""

import time
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import DeviceType, ProfilerActivity, profile

from trmsolve.bench.events import Event, cpu_events
from trmsolve.bench.timing import Figures, Step, now

PROFILED = 3
"""Steps that are profiled, fewer if they are slow."""

ROWS = 15
"""Operations that are shown."""

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mkldnn_linear")
COPIES = ("copy_", "cat", "index", "gather", "_index_put_impl_", "index_put_", "scatter_")
COMPILED = ("triton_", "Torch-Compiled", "CompiledF", "## Call")


@dataclass(frozen=True)
class _Profiled:
    """Steps that have been profiled."""

    profiler: Any
    steps: int
    microseconds: int  # by the clock

    def by_kind(self, gpu: bool) -> Counter[str]:
        """Microseconds that each kind of operation took itself; on a GPU its time."""
        spent: Counter[str] = Counter()
        if gpu:
            for seen in self.profiler.events() or ():
                if seen.device_type == DeviceType.CPU:
                    spent[_kind(seen)] += round(float(seen.self_device_time_total))
            return spent
        for event in cpu_events(self.profiler):
            spent[_kind(event)] += event.own
        return Counter({kind: round(own / 1000) for kind, own in spent.items()})

    def by_name(self, gpu: bool) -> list[tuple[int, str, int]]:
        """Microseconds that each operation took itself, its name, and its calls; as ``by_kind``."""
        if gpu:
            return [
                (round(float(average.self_device_time_total)), average.key, average.count)
                for average in self.profiler.key_averages()
            ]
        spent: Counter[str] = Counter()
        calls: Counter[str] = Counter()
        for event in cpu_events(self.profiler):
            spent[event.name] += event.own
            calls[event.name] += 1
        return [(round(own / 1000), name, calls[name]) for name, own in spent.items()]


def can_profile(device: torch.device) -> bool:
    """Whether torch can profile the device."""
    return device.type in ("cpu", "cuda")


def break_down(step: Step, device: torch.device, most: float = inf) -> dict[str, float]:
    """Break the time of a few steps down by what it was spent on: fractions, the largest first.

    What runs inside a labelled phase counts as that phase. All else counts by kind of operation,
    forward and backward together. "other" is the interpreter, autograd and waiting. On a GPU its
    own time is measured. At most ``most`` steps are taken. The result is empty on a device that
    torch cannot profile.
    """
    if not can_profile(device):
        return {}
    profiled = _profile(step, device, inf, most)
    spent = profiled.by_kind(gpu=device.type == "cuda")
    spent["other"] += max(0, profiled.microseconds - spent.total())
    return {kind: round(own / spent.total(), 4) for kind, own in spent.most_common() if own > 0}


def profile_operations(
    step: Step, device: torch.device, seconds: float, compiles: bool = False
) -> Figures:
    """Which operations a step spends its time on, the largest first, at most ``ROWS`` of them.

    The time of an operation is its own, without what it calls; on a GPU it is the GPU's. "Outside"
    is the interpreter, autograd and waiting, as far as no operation runs meanwhile.

    All takes about ``seconds``, at least one step. The first step is the warm-up; where there is no
    time for a second one, it counts. One that ``compiles`` comes on top.
    """
    if compiles:
        step()
    profiled = _profile_in(step, device, seconds)
    spent = [found for found in profiled.by_name(gpu=device.type == "cuda") if found[0] > 0]
    spent.sort(reverse=True)
    inside = sum(own for own, _, _ in spent)
    total = max(inside, profiled.microseconds)
    operations = []
    for own, name, calls in spent[:ROWS]:
        operations.append(
            {
                "name": name,
                "calls_per_step": calls / profiled.steps,
                "self_seconds_per_step": own / 1e6 / profiled.steps,
                "share": own / total,
            }
        )
    return {
        "steps": profiled.steps,
        "seconds_per_step": profiled.microseconds / 1e6 / profiled.steps,
        "operations": operations,
        "other_operations": max(0, len(spent) - ROWS),
        "other_operations_share": sum(own for own, _, _ in spent[ROWS:]) / total,
        "outside_share": (total - inside) / total,
    }


def _profile_in(step: Step, device: torch.device, seconds: float) -> _Profiled:
    """Profile as many steps as there is time for, the first one only if there is no other."""
    start = now(device)
    profiled = _profile(step, device, inf, most=1)
    first = now(device) - start
    left = seconds - first
    return _profile(step, device, left) if left >= first else profiled


def _profile(step: Step, device: torch.device, seconds: float, most: float = inf) -> _Profiled:
    """Take up to ``PROFILED`` steps, at least one, none of which begins after ``seconds``.

    ``most`` is another limit of their number.
    """
    most = min(PROFILED, most)
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        start = now(device)
        steps = 0
        while steps < most and (steps == 0 or time.perf_counter() - start < seconds):
            step()
            steps += 1
        wall = now(device) - start
    return _Profiled(profiler, steps, round(wall * 1e6))


def _kind(event: Event | FunctionEvent) -> str:
    """What an operation counts as: its phase if it has one, else its kind."""
    above: Event | FunctionEvent | None = event
    while above is not None:
        if above.name.startswith("Optimizer."):
            return "optimizer"
        if above.name.startswith("bench."):
            return above.name.removeprefix("bench.")
        above = above.cpu_parent
    if event.name.startswith(COMPILED):
        return "compiled kernels"
    own = event.name.removeprefix("aten::")
    if own in PRODUCTS or "scaled_dot_product" in own:
        return "matrix products"
    if own in COPIES:
        return "copies and casts"
    return "norms and elementwise" if own != event.name else "other"
