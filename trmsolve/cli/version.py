"""``trmsolve version``: what a bug report needs."""

import json as json_
import platform
from importlib import metadata
from typing import Any

from trmsolve.cli import options
from trmsolve.cli.streams import put_text
from trmsolve.wording import package_version

PACKAGES = ("torch", "numpy", "numba", "onnxruntime", "typer", "rich")
GRAPHS = (".safetensors", ".onnx")


def version(json: options.JsonObject = False) -> None:
    """Print the versions, the machine and the bundled weights, for a bug report.

    Examples:
    trmsolve version --json

    Exit codes:
    0  they are printed
    5  the output cannot be written
    141  the reader of the output has left
    """
    facts = _facts()
    put_text(json_.dumps(facts) if json else _table(facts))


def _facts() -> dict[str, Any]:
    import torch

    from trmsolve.device import choose_placement

    placement = choose_placement()
    return {
        "trmsolve": package_version(),
        "python": platform.python_version(),
        **{name: _installed(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "features": torch.backends.cpu.get_cpu_capability(),
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "threads": placement.threads,
        "weights": _bundled(),
    }


def _installed(name: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _bundled() -> dict[str, str]:
    """The sha256 of each bundled file."""
    from trmsolve.files import sha256
    from trmsolve.weights.bundled import bundled_file
    from trmsolve.weights.catalog import BUNDLED

    hashes = {}
    for name in BUNDLED:
        for suffix in GRAPHS:
            path = bundled_file(name + suffix)
            if path is not None:
                hashes[path.name] = sha256(path)
    return hashes


def _table(facts: dict[str, Any]) -> str:
    """A line for each fact."""
    weights = facts["weights"].items()
    rows = [(name, value) for name, value in facts.items() if name != "weights"] + [*weights]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value or 'not installed'}" for name, value in rows)
