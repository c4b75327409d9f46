"""Writes a network's improvement cycle as an ONNX graph, by torch's own exporter.

The graph carries the record of its weights, so that it says what it is. Knows networks and files;
no puzzle.
"""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from trmsolve.errors import UsageError, WeightsError
from trmsolve.export.cycle import Cycle, example_inputs, varying_sizes
from trmsolve.weights.graph import FINGERPRINT, MAX_GRAPH, OUTPUTS, STARTS
from trmsolve.weights.info import WeightsInfo
from trmsolve.wording import install_hint

if TYPE_CHECKING:
    import onnx_ir

OPSET = 20
"""The version of the ONNX operators."""

NEEDED = ("onnx", "onnxscript", "onnxruntime")
"""The packages that exporting and checking need."""


def check_packages() -> None:
    """Raise UsageError if a package that exporting needs is missing."""
    for name in NEEDED:
        if find_spec(name) is None:
            raise UsageError(f"exporting needs {name}: {install_hint('export')}")


def write_graph(path: Path, cycle: Cycle, info: WeightsInfo, fingerprint: str) -> None:
    """Write the graph of a network in float32; ``fingerprint`` is that of its weights.

    Raises OSError, and WeightsError for a network that is too large for a graph in one file.
    """
    size = sum(tensor.numel() for tensor in cycle.model.state_dict().values())
    if 4 * size > MAX_GRAPH:
        raise WeightsError(
            f"a graph of {size:,} numbers would have more than the {MAX_GRAPH >> 20} MiB allowed"
        )
    model = _export(cycle)
    _tidy(model)
    model.metadata_props.clear()
    model.metadata_props.update(info.to_metadata())
    starts = [cycle.model.get_buffer(name).tolist() for name in ("H_init", "L_init")]
    model.metadata_props.update({FINGERPRINT: fingerprint, STARTS: json.dumps(starts)})
    import onnx_ir

    path.write_bytes(onnx_ir.to_proto(model).SerializeToString())


def _export(cycle: Cycle) -> "onnx_ir.Model":
    inputs = example_inputs(cycle)
    with _silence(), torch.no_grad():
        program = torch.onnx.export(
            cycle.eval(),
            tuple(inputs.values()),
            dynamo=True,
            dynamic_shapes=(varying_sizes(cycle),),  # of *values
            input_names=list(cycle.names),
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    model: onnx_ir.Model = program.model
    return model


def _tidy(model: "onnx_ir.Model") -> None:
    """Keep each matrix once, though every use of it has a copy, and no traces of the source."""
    from onnx_ir.passes import common

    common.DeduplicateInitializersPass(size_limit=MAX_GRAPH)(model)
    common.ClearMetadataAndDocStringPass()(model)
    kept = set(model.graph.outputs)
    for node in model.graph:
        for value in node.outputs:
            if value not in kept:  # what is between needs no shapes
                value.shape = None
                value.type = None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's own remarks, which are for its developers, from the screen."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
