"""What ``--save`` writes: whole files that show what was seen, and that hold nothing foreign."""

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.support.arc_tasks import drawn_task
from tests.support.screen import pinned, written
from tests.support.traces import (
    answer_to,
    arc_answer,
    learning,
    maze_cycles,
    recorded,
    sudoku_cycles,
)
from trmsolve.cli import app
from trmsolve.errors import UsageError
from trmsolve.puzzles.maze.cells import PATH, WALL
from trmsolve.puzzles.registry import get_task
from trmsolve.show import save as save_module
from trmsolve.show.displays import StepsDisplay
from trmsolve.show.save import as_gif, as_svg, as_text, check_ending, save
from trmsolve.show.svg import WIDTH
from trmsolve.trace.recording import Recording

SVG = "{http://www.w3.org/2000/svg}"


def recording_of(tmp_path: Path, kind: str, source: str = "") -> Recording:
    if kind == "arc":
        task = drawn_task(tests=2)
        return recorded(tmp_path / "r", "arc", [learning(task, 1)], [arc_answer(task, None)])
    cycles = maze_cycles(side=8, cycles=3) if kind == "maze" else sudoku_cycles()
    if source:
        object.__setattr__(cycles[0].puzzle, "source", source)
    return recorded(tmp_path / "r", kind, [*cycles], [answer_to(cycles[-1])])


def test_the_text_is_that_of_show_steps_without_escapes(tmp_path: Path) -> None:
    expected = StepsDisplay(pinned(terminal=False), get_task("sudoku").paint)
    cycles = sudoku_cycles()
    for cycle in cycles:
        expected.cycle(cycle)
    expected.answer(answer_to(cycles[-1]))
    text = as_text(recording_of(tmp_path, "sudoku"))
    assert text == written(expected.console) and "\x1b" not in text


@pytest.mark.parametrize("kind", ["sudoku", "maze", "arc"])
def test_svg_is_xml_that_refers_to_nothing(kind: str, tmp_path: Path) -> None:
    text = as_svg(recording_of(tmp_path, kind))
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}title") is not None
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "rect", "g", "text"),
    }
    assert text.count("://") == 1  # the name of the namespace
    assert not re.search(r"href|url\(|@import|@font-face|<script|<style", text)


def test_svg_shows_the_digits_of_the_answer(tmp_path: Path) -> None:
    cycles = sudoku_cycles(1)
    object.__setattr__(cycles[0], "candidates", None)
    recording = recorded(tmp_path / "r", "sudoku", [*cycles], [answer_to(cycles[0])])
    texts = list(ElementTree.fromstring(as_svg(recording)).iter(f"{SVG}text"))
    board = [text.text or "" for text in texts if int(text.attrib["x"]) < 74 * WIDTH]
    digits = [text for text in board if re.fullmatch(r"\d", text)]
    assert "".join(digits) == "".join(map(str, cycles[0].grid.ravel()))
    assert {"solved", "7 cycles", "2 views"} <= set(board)


def test_no_text_of_svg_relies_on_several_spaces(tmp_path: Path) -> None:
    for kind in ("sudoku", "maze", "arc"):
        root = ElementTree.fromstring(as_svg(recording_of(tmp_path, kind)))
        texts = [text.text or "" for text in root.iter(f"{SVG}text")]
        assert texts and not [text for text in texts if "  " in text or text != text.strip()]


def test_svg_has_each_cell_of_a_maze_in_its_place(tmp_path: Path) -> None:
    """A cell is two columns wide and a line high."""
    cycles = maze_cycles(side=8, cycles=1)
    recording = recorded(tmp_path / "r", "maze", [*cycles], [answer_to(cycles[0])])
    canvas = np.full((400, 800), "", object)
    for shape in ElementTree.fromstring(as_svg(recording)).find(f"{SVG}g").iter(f"{SVG}rect"):  # type: ignore[union-attr]
        x, y, width, height = (int(shape.attrib[name]) for name in ("x", "y", "width", "height"))
        canvas[y : y + height, x : x + width] = shape.attrib["fill"]
    corners = np.arange(8) * 2 * WIDTH
    # The border is around the cells: a line above them and a column before them.
    shown = canvas[np.ix_(corners + 3 * WIDTH, corners + WIDTH + WIDTH // 2)]
    grid = cycles[0].grid
    walls = set(shown[grid == WALL])
    assert len(walls) == 1
    assert not walls & set(shown[grid != WALL])
    assert not set(shown[grid == PATH]) & {""}


def test_text_of_strangers_is_escaped(tmp_path: Path) -> None:
    hostile = "</title><script>alert(1)</script>&\x1b]0;\u202e\x00\ufffe"
    text = as_svg(recording_of(tmp_path, "maze", hostile))
    title = ElementTree.fromstring(text).find(f"{SVG}title")
    assert title is not None and title.text is not None
    assert "</title><script>alert(1)</script>&\\x1b]0;" in title.text
    assert "<script" not in text
    assert "\x1b" not in as_text(recording_of(tmp_path, "maze", hostile))


def test_a_recording_of_nothing_is_saved_too(tmp_path: Path) -> None:
    for name in ("a.txt", "a.svg", "a.png", "a.gif", "a.html"):
        recording = Recording("maze")
        save(recording, tmp_path / name)
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["a", "a.bmp", ".svg", "a.svg.gz"])
def test_an_unknown_ending_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"must end in one of \.txt, \.svg, "):
        check_ending(Path(name))


def test_pictures_without_pillow_are_refused_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(save_module, "find_spec", lambda _: None)
    for name in ("a.png", "a.GIF"):
        with pytest.raises(UsageError, match=r"needs Pillow: run pip install '\.\[image\]'"):
            check_ending(Path(name))
    check_ending(Path("a.svg"))
    check_ending(Path("a.html"))


def test_a_gif_has_every_frame_and_holds_the_answer(tmp_path: Path) -> None:
    recording = recording_of(tmp_path, "sudoku")
    with Image.open(io.BytesIO(as_gif(recording, 0.5))) as gif:
        assert gif.n_frames == 5 and gif.info["loop"] == 0
        shown = []
        for number in range(gif.n_frames):
            gif.seek(number)
            shown.append(gif.info["duration"])
        assert shown == [500, 500, 500, 500, 3000]


def test_a_long_gif_ends_at_a_number_of_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(save_module, "MOST_FRAMES", 3)
    with Image.open(io.BytesIO(as_gif(recording_of(tmp_path, "sudoku")))) as gif:
        assert gif.n_frames == 3


# The option


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_solving_and_replaying_save_the_same(tmp_path: Path) -> None:
    solved = ["maze", "examples/maze/small.txt", "--threads", 1, "--trace", tmp_path / "r.jsonl"]
    for ending in ("txt", "svg", "png", "gif", "html"):
        first = run(*solved, "--save", tmp_path / f"first.{ending}")
        second = run("replay", tmp_path / "r.jsonl", "--save", tmp_path / f"second.{ending}")
        assert (first.exit_code, second.exit_code, second.stdout) == (0, 0, "")
        assert first.stdout.count("S") == 1
        found = (tmp_path / f"second.{ending}").read_bytes()
        assert found == (tmp_path / f"first.{ending}").read_bytes() != b""


def test_what_cannot_be_saved_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("S..\n...\n..G\n")
    for path in ("x.bmp", "no/x.svg", "a.txt"):
        result = run("maze", tmp_path / "a.txt", "--save", tmp_path / path)
        assert (result.exit_code, result.stdout) == (2, ""), result.stderr
        assert result.stderr.startswith("trmsolve: --save ") and result.stderr.count("\n") == 1
    assert (tmp_path / "a.txt").read_text() == "S..\n...\n..G\n"
