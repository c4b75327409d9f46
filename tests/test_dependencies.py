"""Dependencies are bounded, and the pinned ones are those that pyproject.toml allows."""

import re
import tomllib

from packaging.requirements import Requirement

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.M)


def requirements() -> list[Requirement]:
    """The dependencies, those of the extras and of the build; not the package itself."""
    project = PROJECT["project"]
    texts = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        texts += extra
    found = [Requirement(text) for text in texts]
    return [requirement for requirement in found if requirement.name != project["name"]]


def test_every_dependency_has_both_bounds() -> None:
    for requirement in requirements():
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators == {">=", "<"}, str(requirement)


def test_what_is_pinned_is_allowed_and_has_hashes() -> None:
    pinned: dict[str, list[str]] = {}
    for name, version in PIN.findall(PINNED):
        pinned.setdefault(name, []).append(version)
    for requirement in requirements():
        versions = pinned[requirement.name]
        assert all(requirement.specifier.contains(version) for version in versions), requirement
    blocks = re.split(r"\n(?=\S)", PINNED.split("\n", 2)[2])
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in PINNED
