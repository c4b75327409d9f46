"""ONNX files made by hand, and the graphs of small networks."""

import json
from importlib.util import find_spec
from typing import Any

import pytest

from trmsolve.model.config import TRMConfig

CONFIG = TRMConfig(
    vocab_size=5,
    seq_len=16,
    hidden_size=16,
    layers=1,
    recursions=1,
    latent_steps=1,
    mixer="mlp",
    positions="none",
    inner_multiple=8,
)

needs_runtime = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs onnxruntime")
needs_exporter = pytest.mark.skipif(find_spec("onnxscript") is None, reason="needs onnxscript")


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it."""
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*written, number))


def entry(number: int, value: int | bytes | str) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def value_of(name: str, *shape: int | str, kind: int = 1) -> bytes:
    """An input or output; the kind of its numbers is float32, or int64 for 7."""
    sizes = [entry(1, entry(1 if isinstance(size, int) else 2, size)) for size in shape]
    tensor = entry(1, kind) + entry(2, b"".join(sizes))
    return entry(1, name) + entry(2, entry(1, tensor))


def node(operator: str, *inputs: str, output: str = "out", more: bytes = b"") -> bytes:
    names = b"".join(entry(1, name) for name in inputs)
    return names + entry(2, output) + entry(4, operator) + more


def metadata(**changed: Any) -> dict[str, str]:
    """The entries of a sound graph, with changes; None leaves an entry out."""
    entries: dict[str, Any] = {
        "trmsolve.config": json.dumps(CONFIG.to_dict()),
        "trmsolve.task": "sudoku",
        "trmsolve.fingerprint": "a" * 64,
        "trmsolve.starts": json.dumps([[0.0] * 16, [1.0] * 16]),
    }
    entries |= {f"trmsolve.{name}": value for name, value in changed.items()}
    return {name: text for name, text in entries.items() if text is not None}


def onnx_file(
    graph: bytes = b"", entries: dict[str, str] | None = None, more: bytes = b"", opset: bytes = b""
) -> bytes:
    """A file with the inputs and outputs of a cycle that hands on what it is given."""
    whole = graph
    for name in ("y", "z"):
        whole += entry(1, node("Identity", name, output=f"{name}_next"))
        whole += entry(11, value_of(name, "batch", 16, 16))
        whole += entry(12, value_of(f"{name}_next", "batch", 16, 16))
    whole += entry(11, value_of("tokens", "batch", 16, kind=7))
    for name in ("logits", "halt"):
        whole += entry(1, node("Identity", "y", output=name))
        whole += entry(12, value_of(name, "batch", 16, 16))
    written = entry(1, 9) + entry(7, whole + entry(2, "cycle"))
    written += entry(8, opset or entry(1, "") + entry(2, 20))
    for name, text in (metadata() if entries is None else entries).items():
        written += entry(14, entry(1, name) + entry(2, text))
    return written + more
