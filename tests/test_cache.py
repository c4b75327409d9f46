"""The folder for what can be made again is bounded, and can be shown and cleared."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trmsolve.cache import cache_folder, cached_bytes, cached_files, clear_cache, trim_cache
from trmsolve.cli import app


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, still to be made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "trmsolve"


def keep(folder: Path, name: str, size: int, used: float) -> Path:
    """A file of a size in bytes that was used at a time."""
    path = folder / "puzzles" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (used, used))
    return path


def test_the_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert cache_folder() == folder
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_folder() == Path("/home/someone/.cache/trmsolve")


def test_without_a_folder_there_are_no_files() -> None:
    assert (cached_files(), cached_bytes(), clear_cache()) == ([], 0, 0)


def test_what_was_used_longest_ago_goes_first(folder: Path) -> None:
    middle = keep(folder, "middle", 40, 2e9)
    oldest = keep(folder, "oldest", 40, 1e9)
    newest = keep(folder, "newest", 40, 3e9)
    trim_cache(most=120)
    assert cached_files() == [oldest, middle, newest]
    trim_cache(most=119)
    assert cached_files() == [middle, newest]
    trim_cache(most=39)
    assert cached_files() == []


def test_the_command_shows_and_clears_it(folder: Path, tmp_path: Path) -> None:
    keep(folder, "some", 1_500_000, 1e9)
    outside = tmp_path / "outside"
    outside.write_text("stays")
    (folder / "link").symlink_to(outside)
    shown = CliRunner().invoke(app, ["cache", "show"])
    assert shown.stdout == f"{folder}: 1 file, 1.5 MB\n"
    cleared = CliRunner().invoke(app, ["cache", "clear"])
    assert cleared.stdout == f"1 file deleted from {folder}\n"
    assert CliRunner().invoke(app, ["cache", "show"]).stdout == f"{folder}: 0 files, 0.0 MB\n"
    assert outside.read_text() == "stays"
