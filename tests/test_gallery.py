"""The gallery is what the program draws today.

After a change of the drawings on purpose, ``python examples/make_gallery.py`` renews it.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from tests.support.paths import ROOT

GALLERY = ROOT / "docs" / "gallery"
RENEW = "the drawings have changed: run python examples/make_gallery.py and look at docs/gallery"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_gallery", ROOT / "examples" / "make_gallery.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drawn(script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    script.make(folder, GALLERY)
    return folder


def test_the_page_and_the_pictures_of_text_are_the_same(drawn: Path) -> None:
    names = ["gallery.md", *(f"gallery/{path.name}" for path in GALLERY.glob("*.svg"))]
    assert len(names) > 1
    for name in names:
        assert (drawn / name).read_text() == (ROOT / "docs" / name).read_text(), RENEW


def test_the_moving_pictures_have_the_same_frames(drawn: Path) -> None:
    """Letters may differ a little between versions of Pillow; cells and lines may not."""
    names = [path.name for path in GALLERY.glob("*.gif")]
    assert names
    for name in names:
        with Image.open(drawn / "gallery" / name) as now, Image.open(GALLERY / name) as stored:
            assert (now.size, now.n_frames) == (stored.size, stored.n_frames), RENEW
            for frame in range(now.n_frames):
                now.seek(frame)
                stored.seek(frame)
                assert now.info["duration"] == stored.info["duration"], RENEW
                first = np.asarray(now.convert("RGB"), np.int16)
                second = np.asarray(stored.convert("RGB"), np.int16)
                differs = (abs(first - second) > 40).any(-1)
                assert differs.mean() < 0.005, f"{name}, frame {frame}: {RENEW}"


def test_every_file_is_shown_or_a_trace_and_all_are_small(script: ModuleType) -> None:
    expected = set()
    for exhibit in script.EXHIBITS:
        expected |= {exhibit.file, exhibit.trace}
    assert {path.name for path in GALLERY.iterdir()} == expected
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 1_000_000
