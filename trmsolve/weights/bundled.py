"""Where the files lie that travel in the package. Knows names and folders only."""

from pathlib import Path


def bundled_file(name: str) -> Path | None:
    """The file of that name in the package; None if there is none."""
    return _find("weights", name)


def example_file(name: str) -> Path | None:
    """The example puzzle of that name, such as ``maze/hard.txt``; None if there is none."""
    return _find("examples", name)


def _find(folder: str, name: str) -> Path | None:
    package = Path(__file__).parents[1]
    installed = package / f"_{folder}"
    in_checkout = package.parent / folder
    for home in (installed, in_checkout):
        path = home / name
        if path.is_file():
            return path
    return None
