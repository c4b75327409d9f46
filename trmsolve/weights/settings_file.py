"""The settings file beside a public checkpoint, read with bounds on time and memory.

The module knows JSON, YAML and where such files lie. It does not know what the settings mean.
"""

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from trmsolve.errors import WeightsError
from trmsolve.files import read_small, reason

SETTINGS = ("all_config.yaml", "config.json")
"""The names under which the public code, and those who publish its checkpoints, save settings."""

MOST_EVENTS = 10_000
"""The most values and brackets in a YAML file."""

DEEPEST_SETTINGS = 50
"""The most lists and mappings inside each other in a YAML file."""

LONGEST_SETTING = 10_000
"""The most characters of one value in a YAML file."""


def read_settings(checkpoint: Path) -> dict[str, Any]:
    """The settings of the architecture in the first settings file beside the checkpoint.

    The last one that is looked for has the name of the checkpoint: ``NAME.yaml`` for ``NAME.pt``.
    They are empty if there is no such file. Raises WeightsError for a file that cannot be read.
    """
    paths = [checkpoint.with_name(name) for name in SETTINGS]
    for path in [*paths, checkpoint.with_suffix(".yaml")]:
        try:
            text = read_small(path).decode("utf-8")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path} cannot be read: {reason(error)}") from None
        return _architecture(path, text)
    return {}


def _architecture(path: Path, text: str) -> dict[str, Any]:
    """The settings in this text; those of the public code are under ``arch``."""
    try:
        settings = json.loads(text) if path.suffix == ".json" else _simple_yaml(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise WeightsError(f"{path} is damaged: {' '.join(str(error).split())}") from None
    if isinstance(settings, dict):
        settings = settings.get("arch", settings)
    if not isinstance(settings, dict):
        raise WeightsError(
            f"{path} contains no settings: move it to another folder to use the "
            "settings of the paper"
        )
    return settings


def _simple_yaml(text: str) -> Any:
    """Parse YAML that is as simple as settings are, which bounds time and memory.

    Raises YAMLError or ValueError.
    """
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if count >= MOST_EVENTS or depth > DEEPEST_SETTINGS:
            raise ValueError("it has too many values, or is nested too deeply")
        # A reference that is merged again and again turns a short text into a large value.
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it repeats a part of itself with *: write the repeated part in full")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_SETTING:
            raise ValueError(f"a value in it has more than {LONGEST_SETTING} characters")
    return yaml.safe_load(text)
