"""How large a network may be unless the user says that a large one is meant: a stranger's file must not fill memory.

All is told from the config, before anything of its size is allocated. Usual networks lie far
within. ``config`` itself has bounds far wider, against nonsense, which nothing lifts. Knows shapes;
nothing of files' formats.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from trmsolve.errors import WeightsError
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig

MAX_FILE = 512 * 2**20
"""Bytes that are read at most; what is larger, its table of puzzles aside, is no Tiny Recursive Model."""

MOST_PARAMETERS = 1 << 27
"""Numbers in a network, rows of its table that are not read aside: 512 MiB of float32.

The paper's have 7 million.
"""

MOST_MEMORY = 1 << 30
"""Bytes at work on one puzzle, about, in float32. The paper's network for ARC needs a twentieth."""

LARGEST = {
    "vocab_size": 4096,
    "seq_len": 8192,
    "hidden_size": 4096,
    "layers": 16,
    "recursions": 32,
    "latent_steps": 32,
    "num_heads": 64,
    "expansion": 16,
    "inner_multiple": 4096,
    "candidates": 64,
    "puzzle_emb_dim": 1 << 16,
    "prefix_len": 256,
    "num_puzzles": 1 << 22,
    "symmetries": 64,
}
"""Of each field of the config that makes a network large, the largest value."""

LIFTED = "--allow-large takes it"


def check_bounds(
    path: Path, config: TRMConfig, puzzles: int | None = None, *, allow_large: bool = False
) -> None:
    """Raise WeightsError, naming the field and the bound, for a network that is larger than usual ones by far.

    ``puzzles`` is how many rows of the table are read, where not all are.
    """
    if allow_large:
        return
    for name, bound in LARGEST.items():
        if (value := getattr(config, name)) > bound:
            raise WeightsError(
                f"{path}: {name} is {value}, more than the {bound} allowed: {LIFTED}"
            )
    shapes = expected_shapes(config if puzzles is None else replace(config, num_puzzles=puzzles))
    if (parameters := sum(shape.numel() for shape in shapes.values())) > MOST_PARAMETERS:
        raise WeightsError(
            f"{path}: parameters are {parameters}, more than the {MOST_PARAMETERS} allowed: {LIFTED}"
        )
    if (memory := memory_at_work(config, shapes)) > MOST_MEMORY:
        raise WeightsError(
            f"{path} may need {memory >> 20} MiB a puzzle, more than the {MOST_MEMORY >> 20} MiB allowed: {LIFTED}"
        )


def check_size(path: Path, *, allow_large: bool = False) -> None:
    """Raise WeightsError for a file that is larger than usual ones by far."""
    if (size := path.stat().st_size) > MAX_FILE and not allow_large:
        raise WeightsError(
            f"{path} has {size >> 20} MiB, more than the {MAX_FILE >> 20} MiB allowed: {LIFTED}"
        )


def expected_shapes(config: TRMConfig) -> dict[str, torch.Size]:
    """The tensors of a network of this config, by name. Nothing is allocated."""
    with torch.device("meta"):
        return {name: tensor.shape for name, tensor in new_model(config).state_dict().items()}


def memory_at_work(config: TRMConfig, shapes: Mapping[str, torch.Size]) -> int:
    """Bytes that a block needs for one puzzle, about and in float32: rather too many than too few."""
    slots = config.length * (config.vocab_size if config.mixer == "planes" else 1)
    width = config.hidden_size
    numbers = slots * (
        8 * width + config.vocab_size
    )  # x, y, z, their sums and copies; and the answer
    if config.mixer == "attention":
        numbers += config.num_heads * config.length**2
    if config.positions == "rope":
        numbers += 2 * config.length * (width // config.num_heads)
    level = {
        name: shape
        for name, shape in shapes.items()
        if name.startswith("L_level.") and len(shape) == 2
    }
    return 4 * (
        numbers
        + max(shape[0] * (width if "mlp_t" in name else slots) for name, shape in level.items())
    )
