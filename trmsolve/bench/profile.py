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
from torch.profiler import ProfilerActivity, profile

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

    def own_time(self, event: Any, gpu: bool) -> int:
        """The time of an event or of an average without what it calls, in microseconds."""
        own = event.self_device_time_total if gpu else event.self_cpu_time_total
        return round(float(own))


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
    spent: Counter[str] = Counter()
    for event in profiled.profiler.events() or ():
        if event.device_type == torch.profiler.DeviceType.CPU:
            spent[_kind(event)] += profiled.own_time(event, device.type == "cuda")
    spent["other"] += max(0, profiled.microseconds - spent.total())
    return {kind: round(own / spent.total(), 4) for kind, own in spent.most_common() if own > 0}


def profile_operations(step: Step, device: torch.device, seconds: float) -> Figures:
    """Which operations a step spends its time on, the largest first, at most ``ROWS`` of them.

    The time of an operation is its own, without what it calls; on a GPU it is the GPU's. "Outside"
    is the interpreter, autograd and waiting, as far as no operation runs meanwhile. No step begins
    after ``seconds``, of which one to warm up takes its part.
    """
    start = now(device)
    step()
    profiled = _profile(step, device, seconds - (now(device) - start))
    gpu = device.type == "cuda"
    spent = []
    for average in profiled.profiler.key_averages():
        own = profiled.own_time(average, gpu)
        if own > 0:
            spent.append((own, average.key, average.count))
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


def _kind(event: FunctionEvent) -> str:
    """What an operation counts as: its phase if it has one, else its kind."""
    above: FunctionEvent | None = event
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
