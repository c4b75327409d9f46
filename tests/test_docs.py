"""Links in the documents lead somewhere, commands parse, and the tree names every module."""

import re
import shlex
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.paths import ROOT

TOP, CARDS, GOLDEN = ROOT.glob("*.md"), ROOT.glob("weights/*.md"), ROOT.glob("tests/golden/*.md")
EXAMPLES = ROOT.glob("examples/*/*.md")
DOCUMENTS = sorted([*TOP, *CARDS, *GOLDEN, *EXAMPLES, *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.S | re.M)
YAML = [
    ROOT / "CITATION.cff",
    ROOT / ".pre-commit-config.yaml",
    *sorted((ROOT / ".github").rglob("*.yml")),
]


def name_of(path: Path) -> str:
    """The path as the repository has it, for the names of tests."""
    return str(path.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """The anchors of the document's headings, formed as GitHub forms them."""
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def missing_targets(document: Path) -> list[str]:
    """The relative links of the document that lead nowhere."""
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    missing = []
    for link in LINK.findall(text):
        if re.match(r"(https?|mailto):", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_relative_links_lead_somewhere(document: Path) -> None:
    assert not missing_targets(document)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_shell_commands_parse(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M):
        for line in block.replace("\\\n", " ").splitlines():
            shlex.split(line, comments=True)


@pytest.mark.parametrize("path", YAML, ids=name_of)
def test_settings_are_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_the_citation_has_what_its_format_requires() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation.keys() >= {"message", "title", "authors"}
    assert citation["license"] == "Apache-2.0"
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None and citation["version"] == version[1]


def test_the_contributors_tree_names_every_module() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = text.split("```\ntrmsolve/\n")[1].split("\nweights/")[0]
    folders = ["trmsolve"]
    named = set()
    for line in tree.splitlines():
        indent, name = re.match(r"( +)(\S+)", line).groups()  # type: ignore[union-attr]
        folders = [*folders[: len(indent) // 2], name.rstrip("/")]
        if name.endswith(".py"):
            named.add("/".join(folders))
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "trmsolve").rglob("*.py")}
    inner = {path for path in modules if path.endswith("/__init__.py")} - {"trmsolve/__init__.py"}
    assert named == modules - inner
