"""How large a network may be unless the user allows more, so that a file cannot fill the memory.

Everything is computed from the config before anything of its size is allocated. Ordinary networks
lie far within these limits. The config has its own bounds, far wider, which nothing lifts. The
module knows shapes. It does not know formats of files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from trmsolve.errors import WeightsError
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig

MAX_FILE = 512 * 2**20
"""The most bytes that are read. A larger file is no ordinary network, its puzzle table aside."""

MOST_PARAMETERS = 1 << 27
"""The most numbers in a network, 512 MiB in float32; rows of its table that are not read are free.

The paper's networks have 7 million.
"""

MOST_MEMORY = 1 << 30
"""The most bytes, roughly and in float32, that a network may need for one puzzle.

The paper's network for ARC needs a twentieth of it.
"""

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
    "lookup_channels": 64,
    "line_lookup_channels": 64,
}
"""The largest value of each field of the config that makes a network large."""

LIFTED = "use --allow-large to accept it"


def check_bounds(
    path: Path, config: TRMConfig, puzzles: int | None = None, *, allow_large: bool = False
) -> None:
    """Raise WeightsError, naming the field and the limit, for a network that is too large.

    ``puzzles`` is how many rows of the table are read, where not all are.
    """
    if allow_large:
        return
    _check_fields(path, config)
    shapes = expected_shapes(config if puzzles is None else replace(config, num_puzzles=puzzles))
    parameters = _numbers_in(shapes)
    if parameters > MOST_PARAMETERS:
        raise WeightsError(
            f"{path} has {parameters} parameters, more than the {MOST_PARAMETERS} allowed: {LIFTED}"
        )
    memory = memory_at_work(config, shapes)
    if memory > MOST_MEMORY:
        raise WeightsError(
            f"{path} may need {_mib(memory)} MiB per puzzle, more than the "
            f"{_mib(MOST_MEMORY)} MiB allowed: {LIFTED}"
        )


def check_rows(
    path: Path, config: TRMConfig, puzzles: Sequence[int], *, allow_large: bool = False
) -> None:
    """Raise WeightsError if the table lacks one of these rows, or if too much would be read."""
    if not config.puzzle_emb_dim:
        raise WeightsError(f"{path} has no table of puzzle embeddings")
    for row in puzzles:
        if not 0 <= row < config.num_puzzles:
            raise WeightsError(
                f"{path} has no puzzle {row}: its table has {config.num_puzzles} rows"
            )
    shapes = expected_shapes(replace(config, num_puzzles=len(puzzles)))
    size = 8 * _numbers_in(shapes)  # at most, since float64 is the widest kind of number
    if size > MAX_FILE and not allow_large:
        raise WeightsError(
            f"{path} may need {_mib(size)} MiB, "
            f"more than the {_mib(MAX_FILE)} MiB allowed: {LIFTED}"
        )
    check_bounds(path, config, len(puzzles), allow_large=allow_large)


def check_size(path: Path, *, allow_large: bool = False) -> None:
    """Raise WeightsError for a file that is too large."""
    size = path.stat().st_size
    if size > MAX_FILE and not allow_large:
        raise WeightsError(
            f"{path} has {_mib(size)} MiB, more than the {_mib(MAX_FILE)} MiB allowed: {LIFTED}"
        )


def expected_shapes(config: TRMConfig) -> dict[str, torch.Size]:
    """The shapes of the tensors of a network, by name. Nothing is allocated."""
    with torch.device("meta"):
        tensors = new_model(config).state_dict()
        return {name: tensor.shape for name, tensor in tensors.items()}


def memory_at_work(config: TRMConfig, shapes: Mapping[str, torch.Size]) -> int:
    """An estimate of the bytes that a block needs for one puzzle in float32, rather too high."""
    planes = config.vocab_size if config.mixer == "planes" else 1
    slots = config.length * planes
    width = config.hidden_size
    # x, y and z with their sums and copies, and the answer.
    numbers = slots * (8 * width + config.vocab_size)
    if config.mixer == "attention":
        numbers += config.num_heads * config.length**2
    if config.positions == "rope":
        numbers += 2 * config.length * (width // config.num_heads)
    # The widest hidden layer. An MLP over the tokens (``mlp_t``) has one row a feature.
    inner = []
    for name, shape in shapes.items():
        if name.startswith("L_level.") and len(shape) == 2:
            inner.append(shape[0] * (width if "mlp_t" in name else slots))
    return 4 * (numbers + max(inner))


def _check_fields(path: Path, config: TRMConfig) -> None:
    """Raise WeightsError for the first field of the config that is too large."""
    for name, largest in LARGEST.items():
        value = getattr(config, name)
        if value > largest:
            raise WeightsError(
                f"{path}: {name} is {value}, more than the {largest} allowed: {LIFTED}"
            )


def _numbers_in(shapes: Mapping[str, torch.Size]) -> int:
    return sum(shape.numel() for shape in shapes.values())


def _mib(size: int) -> int:
    return size >> 20
