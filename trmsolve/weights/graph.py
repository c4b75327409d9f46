"""ONNX graphs of one improvement cycle: what a file says of itself, checked before it is run.

A graph may use plain operators on tensors that are in the file, and nothing else: no data in other
files, no loops, branches or functions, no operators of an extension. The module knows the format
and the names of a graph's inputs and outputs. It needs neither torch nor an ONNX library.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trmsolve.errors import WeightsError
from trmsolve.model.config import REAL, WHOLE, TRMConfig
from trmsolve.weights.header import in_a_line, strict_json
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.kind import read_head
from trmsolve.weights.protobuf import fields

SUFFIX = ".onnx"
FINGERPRINT = "trmsolve.fingerprint"
"""The entry of the metadata with the fingerprint of the weights that the graph was made from."""

STARTS = "trmsolve.starts"
"""The entry with the learned start of y and of z, as two JSON lists of D numbers."""

LARGEST_START = 1_000_000

MAX_GRAPH = 512 * 2**20
"""The most bytes that are read. The paper's network for ARC has 30 million."""

MOST_NODES = 1 << 17
LONGEST_TEXT = 1 << 20
"""The most bytes of a name or of an entry of the metadata."""

LIFTED = "use --allow-large to accept it"

STATE = ("y", "z")
"""The inputs that carry the state; ``NEXT_STATE`` are the outputs that hand it on."""
NEXT_STATE = ("y_next", "z_next")
OUTPUTS = ("logits", "halt", *NEXT_STATE)

PLAIN = """
    Abs Add And ArgMax Cast Clip Concat Constant ConstantOfShape Conv Cos CumSum Div Equal Expand
    Exp Flatten Gather GatherElements GatherND Gemm Greater GreaterOrEqual Identity Less
    LessOrEqual Log MatMul Max Min Mul Neg Not Or Pad Pow Range Reciprocal ReduceMax ReduceMean
    ReduceMin ReduceSum Reshape ScatterElements Shape Sigmoid Sin Slice Softmax Split Sqrt Squeeze
    Sub Tile Transpose Unsqueeze Where
"""
OPERATORS = frozenset(PLAIN.split())
"""The operators that a graph may use: plain ones, which end in a time that their inputs decide."""


@dataclass(frozen=True)
class Graph:
    """What an ONNX file says of itself."""

    info: WeightsInfo
    fingerprint: str
    """Of the weights that it was made from."""
    starts: tuple[list[float], list[float]]
    """What y and z are in every slot before the first cycle: D numbers each."""
    opset: int
    inputs: dict[str, tuple[int | str, ...]]
    """The shape of each input; a size that may vary has a name."""
    outputs: dict[str, tuple[int | str, ...]]


@dataclass
class _Found:
    """What the fields of a file amount to while they are read."""

    metadata: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    outputs: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    opset: int = 0
    graphs: int = 0
    nodes: int = 0


def is_graph(path: Path) -> bool:
    """Whether a file is an ONNX graph by its name; the format has no mark of its own."""
    return path.suffix.lower() == SUFFIX


def read_graph(path: Path, *, allow_large: bool = False) -> Graph:
    """The description of a graph that is safe to run. Raises WeightsError for any other file."""
    content = graph_bytes(path, allow_large=allow_large)
    return parse_graph(path, content, allow_large=allow_large)


def graph_bytes(path: Path, *, allow_large: bool = False) -> bytes:
    """The whole file. Raises WeightsError if it is none, too large, or cannot be read."""
    read_head(path)
    try:
        size = path.stat().st_size
        if size > MAX_GRAPH and not allow_large:
            raise WeightsError(
                f"{path} has {size >> 20} MiB, more than the {MAX_GRAPH >> 20} MiB allowed: "
                f"{LIFTED}"
            )
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None


def parse_graph(path: Path, content: bytes, *, allow_large: bool = False) -> Graph:
    """As ``read_graph``, of bytes that were read from ``path``."""
    if not content:
        raise WeightsError(f"{path} is empty")
    try:
        graph = _described(_read_model(memoryview(content)))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not usable as a graph: {in_a_line(error)}") from None
    if not allow_large:
        _check_dimensions(path, graph.info.config)
    return graph


def _check_dimensions(path: Path, config: TRMConfig) -> None:
    """Raise WeightsError for a network of unusual dimensions."""
    for name, bound in (WHOLE | REAL).items():
        value = getattr(config, name)
        if bound.usual is not None and value > bound.usual:
            raise WeightsError(
                f"{path}: {name} is {value}, more than the {bound.usual} allowed: {LIFTED}"
            )


def _described(found: _Found) -> Graph:
    """Raises ValueError where an entry is missing or does not make sense."""
    if not found.graphs:
        raise ValueError("it is no ONNX file")
    metadata = dict(found.metadata)
    fingerprint = metadata.pop(FINGERPRINT, "")
    starts = metadata.pop(STARTS, "")
    if "trmsolve.config" not in metadata or not fingerprint or not starts:
        raise ValueError("it was not made by 'trmsolve export'")
    if len(fingerprint) != 64 or set(fingerprint) - set("0123456789abcdef"):
        raise ValueError("its fingerprint is not valid")
    needed = {*STATE, "tokens"} - set(found.inputs) | set(OUTPUTS) - set(found.outputs)
    if needed:
        raise ValueError(f"it has no {min(needed)}")
    info = WeightsInfo.from_metadata(metadata)
    return Graph(
        info,
        fingerprint,
        _starts(starts, info.config.hidden_size),
        found.opset,
        found.inputs,
        found.outputs,
    )


def _starts(text: str, size: int) -> tuple[list[float], list[float]]:
    """The two lists of so many numbers. Raises ValueError for anything else."""
    lists = strict_json(text)
    if not isinstance(lists, list) or len(lists) != 2:
        raise ValueError("it has no start of y and z")
    for numbers in lists:
        if not isinstance(numbers, list) or len(numbers) != size:
            raise ValueError(f"a start in it is not {size} numbers")
        for number in numbers:
            if type(number) not in (int, float) or abs(number) > LARGEST_START:
                raise ValueError(f"a start in it is not {size} numbers up to {LARGEST_START}")
    return lists[0], lists[1]


def _read_model(message: memoryview) -> _Found:
    """The fields of a ModelProto."""
    found = _Found()
    for number, value in fields(message):
        if number == 7:
            found.graphs += 1
            if found.graphs > 1:
                raise ValueError("it has two graphs")
            _read_graph(_message(value), found)
        elif number == 8:
            _read_opset(_message(value), found)
        elif number == 14:
            name, text = _entry(_message(value))
            if name in found.metadata:
                raise ValueError(f"{name[:40]!r} appears twice in it")
            found.metadata[name] = text
        elif number in (20, 25):
            raise ValueError("it has functions or training steps, which a graph may not have")
    return found


def _read_opset(message: memoryview, found: _Found) -> None:
    domain = ""
    version = 0
    for number, value in fields(message):
        if number == 1:
            domain = _text(value)
        elif number == 2 and isinstance(value, int):
            version = value
    if domain not in ("", "ai.onnx"):
        raise ValueError(f"it needs the extension {domain[:40]!r}")
    found.opset = version


def _read_graph(message: memoryview, found: _Found) -> None:
    """The fields of a GraphProto."""
    for number, value in fields(message):
        if number == 1:
            found.nodes += 1
            if found.nodes > MOST_NODES:
                raise ValueError(f"it has more than the {MOST_NODES} nodes allowed")
            _check_node(_message(value))
        elif number == 5:
            _check_tensor(_message(value))
        elif number == 11:
            name, shape = _read_value(_message(value))
            found.inputs[name] = shape
        elif number == 12:
            name, shape = _read_value(_message(value))
            found.outputs[name] = shape
        elif number == 15:
            raise ValueError("it has sparse tensors, which a graph may not have")


def _check_node(message: memoryview) -> None:
    """Raise ValueError for a node that does anything but compute a tensor from tensors."""
    operator = ""
    for number, value in fields(message):
        if number == 4:
            operator = _text(value)
        elif number == 5:
            _check_attribute(_message(value))
        elif number == 7 and _text(value) not in ("", "ai.onnx"):
            raise ValueError(f"it needs the extension {_text(value)[:40]!r}")
    if operator not in OPERATORS:
        raise ValueError(f"its operator {operator[:40]!r} is not allowed")


def _check_attribute(message: memoryview) -> None:
    for number, value in fields(message):
        if number == 5:
            _check_tensor(_message(value))
        elif number in (6, 10, 11, 22, 23):
            raise ValueError("a node has a graph or tensors within, which it may not have")


def _check_tensor(message: memoryview) -> None:
    """Raise ValueError for a tensor whose values are in another file."""
    for number, value in fields(message):
        if number == 13 or (number == 14 and value):
            raise ValueError("its data is in another file: export it again")


def _read_value(message: memoryview) -> tuple[str, tuple[int | str, ...]]:
    """The name and the shape of an input or an output."""
    name = ""
    shape: list[int | str] = []
    for number, value in fields(message):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for dimension in _within(_message(value), 1, 2, 1):
                shape.append(_size(dimension))
    return name, tuple(shape)


def _within(message: memoryview, *path: int) -> Iterator[memoryview]:
    """The messages that lie behind the fields of these numbers, one inside the other."""
    for number, value in fields(message):
        if number == path[0]:
            if len(path) == 1:
                yield _message(value)
            else:
                yield from _within(_message(value), *path[1:])


def _size(message: memoryview) -> int | str:
    """One dimension of a shape: a number, or the name of a size that may vary."""
    for number, value in fields(message):
        if number == 1 and isinstance(value, int):
            return value
        if number == 2:
            return _text(value)
    return "?"


def _entry(message: memoryview) -> tuple[str, str]:
    """A name and its text."""
    texts = {1: "", 2: ""}
    for number, value in fields(message):
        if number in texts:
            texts[number] = _text(value)
    return texts[1], texts[2]


def _message(value: Any) -> memoryview:
    if not isinstance(value, memoryview):
        raise ValueError("a number stands where a message belongs")
    return value


def _text(value: Any) -> str:
    message = _message(value)
    if len(message) > LONGEST_TEXT:
        raise ValueError("a text in it is too long")
    return bytes(message).decode("utf-8")
