"""Cycles a second of the network alone in several settings: batch sizes, precisions, CUDA graphs.

A CUDA graph is a recording of all kernels of a cycle. Replaying it spares the CPU from launching
them one by one, which decides the speed of small networks and batches. Rules, views and reading
answers are not measured here.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from trmsolve.bench.timing import Figures, Step, Work, time_steps
from trmsolve.device import DTYPES, Placement
from trmsolve.errors import UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import State, TinyRecursiveModel

BATCH_SIZES = (1, 64, 512, 2048)
RECORDED_AFTER = 3
"""Cycles before a graph is recorded; in them libraries choose their kernels."""


LEAST_SECONDS = 0.01
"""How long the settings that are left are measured where the time is over."""


class Setting(NamedTuple):
    """One way of running cycles."""

    mode: str  # eager or graph
    dtype: str  # a name in DTYPES
    batch_size: int


SETTINGS = tuple(
    Setting(mode, dtype, batch_size)
    for batch_size, mode, dtype in product(BATCH_SIZES, ("eager", "graph"), DTYPES)
)


def choose_gpu(asked: str) -> torch.device:
    """The CUDA device that is asked for, or the first. Raises UsageError if there is none."""
    if asked != "auto" and not asked.startswith("cuda"):
        raise UsageError(f"--gpu measures a CUDA device, not --device {asked}: omit one of them")
    if not torch.cuda.is_available():
        raise UsageError("--gpu needs a CUDA device, and there is none here")
    return torch.device("cuda" if asked == "auto" else asked)


def run_settings(
    model: TinyRecursiveModel,
    device: torch.device,
    settings: Sequence[Setting],
    seconds: float,
) -> Iterator[Figures]:
    """Measure each setting on ``device``, all together for about ``seconds``.

    A setting that fails, as for lack of memory, has ``error`` in place of rates.
    """
    end = time.perf_counter() + seconds
    for number, setting in enumerate(settings):
        figures: Figures = setting._asdict()
        left = max(end - time.perf_counter(), LEAST_SECONDS)
        try:
            figures |= _measure(model, device, setting, left / (len(settings) - number))
        except RuntimeError as error:  # torch.OutOfMemoryError is one too
            figures["error"] = str(error).splitlines()[0]
        yield figures


def _measure(
    model: TinyRecursiveModel, device: torch.device, setting: Setting, seconds: float
) -> Figures:
    dtype = DTYPES[setting.dtype]
    placed = new_model(model.config, dtype)
    placed.load_state_dict(model.state_dict())
    placed.to(device, dtype).eval()
    eager, _ = _cycle(placed, setting.batch_size, device)
    step = eager if setting.mode == "eager" else _recorded(eager, device)
    work = Work(step, setting.batch_size, 0)
    with torch.inference_mode():
        timed = time_steps(work, Placement(device, dtype, ""), seconds)
    return {
        "steps_per_second": timed["steps_per_second"],
        "cycles_per_second": timed["examples_per_second"],
    }


def _cycle(model: TinyRecursiveModel, rows: int, device: torch.device) -> tuple[Step, State]:
    """A call that improves the same puzzles by one cycle, and the state that it writes to."""
    tokens = torch.ones(rows, *model.config.spatial_shape, dtype=torch.long, device=device)
    state = model.initial_state(rows)

    def step() -> None:
        with torch.no_grad():
            following, _ = model(state, tokens)
            state.y.copy_(following.y)
            state.z.copy_(following.z)

    return step, state


def _recorded(step: Step, device: torch.device) -> Step:
    """The replay of a recording of ``step``."""
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.device(device), KeptConstants():
        with torch.cuda.stream(stream):
            for _ in range(RECORDED_AFTER):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
    return graph.replay


class KeptConstants(TorchFunctionMode):
    """Keeps what is copied from the CPU to another device, for the next copy of the same values.

    A graph cannot record a copy out of the CPU's ordinary memory. Networks make such copies of
    constants in every cycle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[Any, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``, unless it is a copy of values that were copied before."""
        kwargs = kwargs or {}
        source: Any = args[0] if args else None
        if func is not Tensor.to or source.device.type != "cpu":
            return func(*args, **kwargs)
        key = (source.dtype, tuple(source.shape), str(source.tolist()), str(args[1:]), str(kwargs))
        if key not in self.kept:
            self.kept[key] = func(*args, **kwargs)
        return self.kept[key]
