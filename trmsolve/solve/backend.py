"""Chooses what runs the network, torch or onnxruntime, and imports neither of them.

Knows what is installed, the bundled graphs, and the processor as far as the system tells.
"""

import os
import platform
from importlib.util import find_spec
from pathlib import Path

from trmsolve.errors import UsageError
from trmsolve.hub.address import is_address
from trmsolve.model.config import LARGE_BOARD
from trmsolve.puzzles.registry import task_forms
from trmsolve.solve.network import LoadOptions, default_batch_size
from trmsolve.weights.bundled import bundled_file
from trmsolve.weights.graph import SUFFIX, is_graph

BACKENDS = ("auto", "torch", "onnx")
TORCH_MODULE = "trmsolve.solve.torch_network"
"""The module that has networks of torch; only importing it imports torch."""

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
CPU_INFO = Path("/proc/cpuinfo")
BF16_FLAGS = frozenset({"avx512_bf16", "amx_tile"})
"""How Linux calls the abilities for which ``device`` asks torch."""


def chooses_onnx(task: str, options: LoadOptions) -> bool:
    """Whether onnxruntime and not torch is to run the network.

    With auto it is where onnxruntime is installed, there is a graph, nothing is asked for that
    only torch has (another device, another precision, or compiling), and torch would not be faster
    by far more than it takes to start. A graph that is named needs it anyway. Raises UsageError for
    a backend that is not known, or that cannot do what is asked.
    """
    if options.backend not in BACKENDS:
        raise UsageError(f"--backend {options.backend} is not known: use {', '.join(BACKENDS)}")
    if options.backend == "torch":
        return False
    only_torch = _needs_torch(options)
    is_named = names_graph(options.weights)
    if options.backend == "onnx" or is_named:
        if only_torch:
            raise UsageError(f"{only_torch} needs torch: graphs run on the CPU in fp32")
        return True
    has_graph = options.weights in (None, task) and bundled_graph(task) is not None
    if not has_graph or only_torch or has_nvidia_driver() or not is_runtime_installed():
        return False
    return not _torch_pays(task, options)


def _torch_pays(task: str, options: LoadOptions) -> bool:
    """Whether torch wins back the second and a half that it takes longer to start.

    On a large board it computes only what changes, and a graph every cell. Where it has bf16 in
    hardware, a cycle of many puzzles takes a quarter less time; with so many puzzles as this asks
    for, that is about as long as importing torch.
    """
    if find_spec("torch") is None:
        return False
    if options.largest >= LARGE_BOARD:
        return True
    if options.dtype == "fp32" or not has_native_bf16():
        return False
    return options.puzzles > probable_batch_size(task) * usable_cores()


def probable_batch_size(task: str) -> int:
    """How many puzzles a CPU refines at a time, as far as is known before the network is.

    The form in which the network reads the puzzles is not known then, so that the smallest counts.
    """
    forms = [form for form in task_forms() if form.name == task]
    return min(default_batch_size("cpu", form) for form in forms)


def names_graph(named: str | Path | None) -> bool:
    """Whether it is the path of a graph. The hub has weights only."""
    if named is None or is_address(str(named)):
        return False
    return is_graph(Path(named))


def bundled_graph(task: str) -> Path | None:
    """The graph of the task's bundled network; None if there is none."""
    return bundled_file(f"{task}{SUFFIX}")


def is_runtime_installed() -> bool:
    """Whether onnxruntime is there. It is not imported."""
    return find_spec("onnxruntime") is not None


def has_nvidia_driver() -> bool:
    """Whether there may be a GPU that torch would use. Torch itself is not asked."""
    return NVIDIA_DRIVER.exists()


def has_native_bf16() -> bool:
    """Whether the processor multiplies bf16 in hardware, as Linux tells. False elsewhere.

    ``device`` asks torch, whose import is what the choice may avoid.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        with CPU_INFO.open(encoding="ascii", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return False
    return not BF16_FLAGS.isdisjoint(flags.split())


def usable_cores() -> int:
    """The CPU threads that are usual: as OMP_NUM_THREADS says, or one for each core.

    Only the cores count that the process may use, where the system tells which.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if limit.isdecimal() and int(limit):
        return int(limit)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _needs_torch(options: LoadOptions) -> str:
    """The option that only torch can fulfil; "" if there is none."""
    if options.device not in ("auto", "cpu"):
        return f"--device {options.device}"
    if options.dtype not in ("auto", "fp32"):
        return f"--dtype {options.dtype}"
    return "--compile" if options.compiled else ""
