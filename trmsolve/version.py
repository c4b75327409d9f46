"""The version of this program."""

from importlib import metadata


def package_version() -> str:
    """The version of the installed package; ``0+unknown`` for a copy that is not installed."""
    try:
        return metadata.version("trmsolve")
    except metadata.PackageNotFoundError:
        return "0+unknown"
