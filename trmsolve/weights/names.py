"""The names of the tensors in a file, and whether they are those that a network has.

The module knows names and shapes. It does not know formats of files or values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trmsolve.errors import WeightsError

if TYPE_CHECKING:
    import torch

PUBLIC_PREFIXES = ("_orig_mod.", "module.", "model.", "inner.")
"""Prefixes that the public training code puts before the names of tensors.

They are removed, so that its checkpoints load without a change.
"""

TABLE = "puzzle_emb.weights"
"""The table of puzzle embeddings, one row a puzzle.

The paper's table for ARC has a million rows, which is more than all the rest of its network.
"""


def strip_prefixes(name: str) -> str:
    """The official name of a tensor: without prefixes, in whatever order they are."""
    stripped = name
    while stripped.startswith(PUBLIC_PREFIXES):
        for prefix in PUBLIC_PREFIXES:
            stripped = stripped.removeprefix(prefix)
    return stripped


def official_names(path: Path, stored: Mapping[str, object]) -> dict[str, str]:
    """For each official name the name in the file ``path``, in the order of ``stored``.

    Raises WeightsError if two tensors have the same official name.
    """
    names = {strip_prefixes(name): name for name in stored}
    if len(names) < len(stored):
        raise WeightsError(f"{path} contains the same tensor twice, with two prefixes")
    return names


def fitting_names(
    path: Path, stored: Mapping[str, tuple[int, ...]], expected: "Mapping[str, torch.Size]"
) -> dict[str, str]:
    """For each expected tensor its name in the file ``path``, whose shapes are ``stored``.

    Raises WeightsError if a tensor is missing, unknown, there twice or of another shape.
    """
    names = official_names(path, stored)
    missing = expected.keys() - names.keys()
    if missing:
        raise WeightsError(f"{path} has no tensor {min(missing)!r}")
    unknown = names.keys() - expected.keys()
    if unknown:
        raise WeightsError(f"{path} has an unknown tensor {min(unknown)!r}")
    for official, name in names.items():
        shape = tuple(expected[official])
        if stored[name] != shape:
            raise WeightsError(f"{path}: {official} has shape {stored[name]}, not {shape}")
    return names
