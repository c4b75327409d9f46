"""``trmsolve.toml``: the defaults that a user has chosen for the options of commands.

A table has the name of a command, and its keys are the long names of options::

    color = "never"

    [sudoku]
    views = 8

    [weights.verify]
    puzzles = 0
"""

import os
from pathlib import Path
from typing import Any

from trmsolve.errors import UsageError

NAME = "trmsolve.toml"


def settings_file() -> Path | None:
    """The file in the current folder, else the one among the user's settings, else None."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    for path in (Path(NAME), Path(home) / "trmsolve" / NAME):
        if path.is_file():
            return path
    return None


def read_settings() -> dict[str, Any]:
    """The settings by command; empty if there is no file. Raises UsageError for a damaged file."""
    path = settings_file()
    if path is None:
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
