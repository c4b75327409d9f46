"""The description that a weights file carries of itself, in the metadata of its header.

The module knows the entries and their form. It does not know tensors or where files are.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trmsolve.model.config import TRMConfig
from trmsolve.weights.header import strict_json

PREFIX = "trmsolve."
CHECKSUM = "trmsolve.checksum"
KEYS = (
    "format",
    "trmsolve.config",
    "trmsolve.task",
    "trmsolve.training",
    "trmsolve.scores",
    CHECKSUM,
)
"""The entries of a file. Other entries are allowed if there is a checksum, which covers them."""


@dataclass(frozen=True)
class WeightsInfo:
    """The description that a weights file carries of itself."""

    config: TRMConfig
    """The architecture."""
    task: str
    """The puzzle that the network was trained for; empty if none is named."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was trained: recipe, data, steps, hardware, seconds."""
    scores: dict[str, Any] = field(default_factory=dict)
    """Measured figures by their names."""
    checksum: str | None = field(default=None, compare=False)
    """The checksum that the file has. Saving computes its own."""

    def to_metadata(self) -> dict[str, str]:
        """The entries of the file, without the checksum.

        Raises ValueError for numbers that are not finite.
        """
        return {
            "format": "pt",
            "trmsolve.config": json.dumps(self.config.to_dict(), allow_nan=False),
            "trmsolve.task": self.task,
            "trmsolve.training": json.dumps(self.training, allow_nan=False),
            "trmsolve.scores": json.dumps(self.scores, allow_nan=False),
        }

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "WeightsInfo":
        """Read the entries.

        Raises ValueError where one is missing, unknown, ambiguous or does not make sense.
        """
        _check_names(metadata)
        task = metadata.get("trmsolve.task", "")
        if not re.fullmatch(r"[a-zA-Z0-9_-]{0,64}", task):
            raise ValueError(f"{task[:20]!r} is not a task")
        checksum = metadata.get(CHECKSUM)
        if checksum is not None and not re.fullmatch("[0-9a-f]{64}", checksum):
            raise ValueError("its checksum is not valid")
        objects = _objects(metadata)
        try:
            config = TRMConfig.from_dict(objects["config"])
        except TypeError as error:  # a field of the wrong type met arithmetic
            raise ValueError(f"its config is not valid: {error}") from None
        return cls(config, task, objects["training"], objects["scores"], checksum)


def _check_names(metadata: Mapping[str, str]) -> None:
    """Raise ValueError if the config is missing, or if there is an entry of an unknown name."""
    if "trmsolve.config" not in metadata:
        raise ValueError("it has no trmsolve.config in its metadata")
    for name in metadata:
        # One flipped bit in the checksum's own name must not turn the checksum off.
        is_allowed = CHECKSUM in metadata and not name.startswith(PREFIX)
        if name not in KEYS and not is_allowed:
            raise ValueError(f"its metadata has an unknown {name!r}")


def _objects(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The entries that are JSON objects. Raises ValueError if one is not."""
    objects = {}
    for name in ("config", "training", "scores"):
        objects[name] = strict_json(metadata.get(PREFIX + name, "{}"))
    for name, value in objects.items():
        if not isinstance(value, dict):
            raise ValueError(f"{PREFIX}{name} is not an object")
    return objects
