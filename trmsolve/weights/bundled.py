"""Where the files lie that travel in the package. Knows names and folders only."""

from pathlib import Path


def bundled_file(name: str) -> Path | None:
    """The file of that name in the package; None if there is none."""
    package = Path(__file__).parents[1]
    installed = package / "_weights"
    in_checkout = package.parent / "weights"
    for folder in (installed, in_checkout):
        path = folder / name
        if path.is_file():
            return path
    return None
