"""A network that onnxruntime runs from a graph, on numpy arrays. Imports no torch.

It is asked as ``model.network.TinyRecursiveModel`` is. Knows graphs; no puzzle.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import UsageError, WeightsError
from trmsolve.model.config import MIXER_RULES, TRMConfig
from trmsolve.model.state import Prediction, State
from trmsolve.signals import signals_held
from trmsolve.solve.backend import (
    bundled_graph,
    is_runtime_installed,
    names_graph,
    usable_cores,
)
from trmsolve.solve.network import Loaded, LoadOptions
from trmsolve.weights.graph import OUTPUTS, Graph, graph_bytes, parse_graph
from trmsolve.weights.header import in_a_line
from trmsolve.wording import install_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

FATAL = 4
"""The severity from which on onnxruntime writes to the screen; its errors are raised anyway."""


class OnnxNetwork:
    """The network of a graph.

    A cycle that fails, such as one whose graph asks for more memory than there is, raises
    WeightsError.
    """

    def __init__(self, path: Path, graph: Graph, content: bytes, threads: int) -> None:
        self.path = path
        self.graph = graph
        self.content = content
        self.session = _session(path, content, threads)

    @property
    def config(self) -> TRMConfig:
        """The architecture."""
        return self.graph.info.config

    def initial_state(self, batch: int, spatial_shape: tuple[int, ...] | None = None) -> State:
        """The learned start, before the first cycle: (B, L, D) each."""
        if not MIXER_RULES[self.config.mixer].any_board:
            slots: tuple[int, ...] = (self.config.length,)
        else:
            slots = spatial_shape or self.config.spatial_shape
        shape = (batch, *slots, self.config.hidden_size)
        starts = [np.array(start, np.float32) for start in self.graph.starts]
        y, z = (np.broadcast_to(start, shape).copy() for start in starts)
        return State(y, z)

    def place(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """The tokens where the network runs: as they are.

        Raises UsageError for a lattice of another size than the graph's.
        """
        if self.config.candidates > 1 and tokens.shape[1:] != self.config.spatial_shape:
            raise UsageError(f"{self.path} takes boards of one size: use --backend torch")
        return np.ascontiguousarray(tokens)

    def without_gradient(self) -> contextlib.AbstractContextManager[Any]:
        """There is none anyway."""
        return contextlib.nullcontext()

    def __call__(self, state: State, tokens: NDArray[np.int64]) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, and what it predicts."""
        inputs = {"tokens": tokens, "y": state.y, "z": state.z}
        if "puzzle_ids" in self.graph.inputs:
            inputs["puzzle_ids"] = np.zeros(len(tokens), np.int64)
        state, prediction = self.run(inputs)
        spoken = (len(tokens), tokens[0].size, self.config.vocab_size)
        if prediction.logits.shape != spoken:
            raise WeightsError(f"{self.path} gives logits {prediction.logits.shape}, not {spoken}")
        return state, prediction

    def run(self, inputs: "Mapping[str, NDArray[Any]]") -> tuple[State, Prediction]:
        """One improvement cycle, with the graph's inputs by their names."""
        try:
            logits, halt, y, z = self.session.run(list(OUTPUTS), dict(inputs))
        except Exception as error:  # onnxruntime's errors have no class in common
            raise WeightsError(f"{self.path} cannot be run: {in_a_line(error)}") from None
        shapes = (halt.shape, y.shape, z.shape)
        if shapes != ((len(y), 2), inputs["y"].shape, inputs["z"].shape):
            raise WeightsError(f"{self.path} gives outputs of wrong shapes: {shapes}")
        if not all(_is_sound(array) for array in (logits, halt, y, z)):
            raise WeightsError(f"{self.path} gives numbers that are not finite float32")
        return State(y, z), Prediction(logits, halt)


def _is_sound(array: NDArray[Any]) -> bool:
    return array.dtype == np.float32 and bool(np.isfinite(array).all())


@dataclass(frozen=True)
class SharedGraph:
    """A graph for several processes. It has the bytes: its file may change while they start."""

    path: Path
    graph: Graph
    content: bytes
    threads: int

    def network(self) -> OnnxNetwork:
        """The network of the graph, with a session of this process. Raises WeightsError."""
        return OnnxNetwork(self.path, self.graph, self.content, self.threads)


def share_graph(network: OnnxNetwork, threads: int) -> SharedGraph:
    """The network for several processes, each with so many threads."""
    return SharedGraph(network.path, network.graph, network.content, threads)


@dataclass(frozen=True)
class OnCpu:
    """Where onnxruntime runs a graph."""

    threads: int
    device: str = "cpu"
    dtype_name: str = "fp32"

    @property
    def reason(self) -> str:
        """One line that says what was chosen."""
        return f"cpu (onnxruntime, {self.threads} threads), fp32 (as the graph is)"


def load_graph(task: str, options: LoadOptions) -> Loaded:
    """The network for a task from its graph. Raises WeightsError and UsageError."""
    path = _graph_of(task, options.weights)
    threads = _threads(options.threads)
    network = load_onnx(path, task, threads, allow_large=options.allow_large)
    # The bundled graph is the bundled weights in another form, and is recorded under their name.
    name = path.name if names_graph(options.weights) else f"{task}.safetensors"
    label = f"{name}@{network.graph.fingerprint[:12]}"
    return Loaded(network, OnCpu(threads), path, label)


def load_onnx(
    path: Path, task: str | None, threads: int, *, allow_large: bool = False
) -> OnnxNetwork:
    """The network of a graph, ready to run on the CPU.

    ``task`` is what it must be trained for, if it is given. Raises UsageError if onnxruntime is not
    installed, WeightsError for a graph that is damaged, not allowed, or of another task.
    """
    if not is_runtime_installed():
        raise UsageError(f"graphs need onnxruntime: {install_hint('onnx')}")
    content = graph_bytes(path, allow_large=allow_large)
    graph = parse_graph(path, content, allow_large=allow_large)
    if task is not None and graph.info.task != task:
        raise WeightsError(
            f"{path} was trained for {graph.info.task or 'an unnamed task'}, not for {task}"
        )
    return OnnxNetwork(path, graph, content, threads)


def _session(path: Path, content: bytes, threads: int) -> Any:
    with signals_held():  # an interrupt would become an ImportError there
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    # The exporter has simplified the graph. To do so again takes longer than it saves.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no class in common
        raise WeightsError(f"{path} is not usable as a graph: {in_a_line(error)}") from None


def _graph_of(task: str, named: str | Path | None) -> Path:
    """The graph that is named, or the bundled one."""
    if named is not None and names_graph(named):
        return Path(named)
    if named not in (None, task):
        raise UsageError(
            f"{named} is no graph: write one with 'trmsolve export {task} --weights {named} "
            f"--out {task}.onnx', and give that with --weights"
        )
    path = bundled_graph(task)
    if path is None:
        raise WeightsError(f"this installation has no graph for {task}: use --backend torch")
    return path


def _threads(asked: int | None) -> int:
    """The CPU threads to use: as asked, or as is usual."""
    if asked is None:
        return usable_cores()
    if asked < 1:
        raise UsageError(f"threads must be at least 1, not {asked}")
    return asked
