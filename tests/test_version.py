"""There is one version, that of the installed package."""

from importlib import metadata

import pytest

import trmsolve
from trmsolve.wording import package_version


def test_the_version_is_that_of_the_package() -> None:
    assert package_version() == metadata.version("trmsolve") == trmsolve.__version__


def test_a_copy_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert package_version() == "0+unknown"
