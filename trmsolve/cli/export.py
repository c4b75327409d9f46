"""``trmsolve export``: write one improvement cycle of a network as an ONNX graph."""

from pathlib import Path
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.complete import complete_task
from trmsolve.cli.streams import put, say
from trmsolve.errors import UsageError, WeightsError

CYCLES = 16
"""Cycles over which the graph is compared with torch."""


def export(  # noqa: PLR0913 (its parameters are the options)
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="The kind of puzzle, such as sudoku, maze or arc.",
            autocompletion=complete_task,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The .onnx file to write.")],
    weights: options.Weights = None,
    puzzles: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=10_000,
            help="Number of easy puzzles on which the graph must agree with torch.",
        ),
    ] = 100,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
) -> None:
    """Write one improvement cycle as an ONNX graph, and check it against torch.

    The graph takes a question and a state, and gives logits, halting logits and the next state, in
    float32. The batch may vary, and for mazes and ARC the size of the board. The file is written
    only if the graph decodes the same grids as torch in all of 16 cycles of easy puzzles, with
    logits within 1e-4.

    Examples:
    trmsolve export sudoku --out sudoku.onnx

    Exit codes:
    0  the graph is written
    2  some option is invalid
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the file or the output cannot be written
    141  the reader of the output has left
    """
    if out.suffix.lower() != ".onnx":
        raise UsageError(f"--out {out}: the name of a graph ends in .onnx")

    import torch

    from trmsolve.export.check import compare
    from trmsolve.export.cycle import cycle_of
    from trmsolve.export.graph import OPSET, check_packages, write_graph
    from trmsolve.export.samples import questions
    from trmsolve.files import replacing
    from trmsolve.solve.onnx_network import load_onnx
    from trmsolve.weights.catalog import resolve
    from trmsolve.weights.file import fingerprint, load_model, read_info
    from trmsolve.wording import count, size_text

    check_packages()
    path = resolve(weights, task, offline=offline, allow_large=allow_large, note=say)
    info = read_info(path)
    model = load_model(path, task, torch.float32, torch.device("cpu"), allow_large=allow_large)
    cycle = cycle_of(model)
    with replacing(out) as temporary:
        say(f"tracing {path.name}: a minute or two")
        write_graph(temporary, cycle, info, fingerprint(path))
        say(f"comparing with torch on {count(puzzles, 'puzzle')}")
        graph = load_onnx(temporary, None, torch.get_num_threads(), allow_large=allow_large)
        found = compare(cycle, graph, questions(cycle, task, puzzles), CYCLES)
        if not found.same:
            raise WeightsError(
                f"the graph of {path} is not the same network: {count(found.different, 'grid')} "
                f"of {found.puzzles * found.cycles} differ, logits by up to {found.apart:.1e}. "
                "Nothing was written"
            )
        size = temporary.stat().st_size
    put(
        f"{out}: {size_text(size)}, opset {OPSET}; the same grids as torch in "
        f"{count(found.cycles, 'cycle')} of {count(found.puzzles, 'puzzle')}, "
        f"logits within {found.apart:.1e}"
    )
