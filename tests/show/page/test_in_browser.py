"""The page of ``--save FILE.html`` in a headless Chromium, opened as a file and used by keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.arc_tasks import drawn_task
from tests.support.browser import chromium, missing_browser
from tests.support.traces import (
    answer_to,
    arc_answer,
    arc_cycle,
    learning,
    maze_cycles,
    recorded,
    sudoku_cycles,
)
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.show.save import save
from trmsolve.trace.recording import Recording

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_browser()), reason=missing_browser()),
]

RIGHT, LEFT, HOME, END = "\ue014", "\ue012", "\ue011", "\ue010"
NAMES = {WALL: "wall", FLOOR: "floor", START: "start", GOAL: "goal", PATH: "path"}

READ = """
const all = (selector, read) => Array.from(document.querySelectorAll(selector), read);
const texts = (selector) => all(selector, (one) => one.textContent);
return {
  cells: texts("#board td"),
  labels: all("#board td", (cell) => cell.getAttribute("aria-label")),
  place: document.getElementById("place").textContent,
  outcome: document.getElementById("outcome").textContent,
  titles: texts("#board caption"),
  chosen: texts("#stages button[aria-pressed=true]"),
  width: document.documentElement.scrollWidth,
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


class Page:
    """A recording in the browser."""

    def __init__(self, browser: Any, recording: Recording, folder: Path, seconds: float = 0.25):
        self.browser = browser
        save(recording, folder / "run.html", seconds)
        browser.get((folder / "run.html").as_uri())
        self.body = browser.find_element("tag name", "body")

    def press(self, *keys: str) -> dict[str, Any]:
        """The page after the keys."""
        for key in keys:
            self.body.send_keys(key)
        seen: dict[str, Any] = self.browser.execute_script(READ)
        return seen


def sudoku(folder: Path) -> Recording:
    cycles = sudoku_cycles(6)
    object.__setattr__(cycles[-1], "violations", 0)  # an answer is drawn as digits
    return recorded(folder / "r", "sudoku", [*cycles], [answer_to(cycles[-1])])


def test_keys_and_slider_move_the_grid_and_the_last_frame_is_the_answer(
    browser: Any, tmp_path: Path
) -> None:
    recording = sudoku(tmp_path)
    page = Page(browser, recording, tmp_path)
    first = page.press()
    assert first["place"] == "view 1, frame 1 of 2" and first["chosen"] == ["view 1"]
    second = page.press(RIGHT)
    assert second["cells"] != first["cells"]
    assert page.press(LEFT) == first
    browser.execute_script(
        "const slider = document.getElementById('slider'); slider.value = 1;"
        "slider.dispatchEvent(new Event('input'));"
    )
    assert page.press() == second
    assert page.press(RIGHT)["chosen"] == ["view 2"]
    last = page.press(END)
    answer = recording.played[0].answer
    assert answer is not None and last["place"] == "answer"
    assert "".join(last["cells"]) == "".join(map(str, answer.grid.ravel()))  # type: ignore[union-attr]
    assert "solved" in last["outcome"] and page.press(HOME) == first
    assert browser.get_log("browser") == []


def test_candidates_are_pencil_marks_in_their_places(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, sudoku(tmp_path), tmp_path)
    cycle = sudoku_cycles(6)[0]
    assert cycle.candidates is not None
    left = cycle.candidates.reshape(81, 9)
    styles = [label for label in page.press()["labels"] if label.startswith("candidates")]
    assert styles
    for cell, possible in zip(page.press()["cells"], left, strict=True):
        if "\n" in cell:
            marks = cell.replace("\n", "")
            assert marks == "".join(str(n + 1) if possible[n] else " " for n in range(9))


def test_a_maze_has_its_flood_its_arrows_and_its_path(browser: Any, tmp_path: Path) -> None:
    cycles = maze_cycles(side=8, cycles=3)
    page = Page(
        browser,
        recorded(tmp_path / "r", "maze", [*cycles], [answer_to(cycles[-1])]),
        tmp_path,
    )
    last = page.press(END)
    answer = cycles[-1].grid.ravel()
    for value, label, text in zip(answer, last["labels"], last["cells"], strict=True):
        name = NAMES[int(value)]
        if name in ("wall", "start", "goal"):
            assert label.startswith(name)
            assert text == {"wall": "", "start": "S", "goal": "G"}[name]
    assert [text for text in last["cells"] if text in "↓←↑→" and text]
    assert [label for label in last["labels"] if label.startswith("reached")]
    share = f"confidence {cycles[-1].confidence.ravel()[5]:.0%}".replace("%", " %")
    assert share in last["labels"][5]
    browser.execute_script(
        "document.querySelectorAll('#board td')[5].dispatchEvent("
        "new PointerEvent('pointerdown', {bubbles: true}));"
    )
    shown = browser.find_element("id", "cell").text
    assert shown == f"Row 1, column 6: {last['labels'][5]}"
    page.press(HOME)
    assert browser.find_element("id", "cell").text != shown  # the same cell of another cycle


def test_a_task_has_attempts_votes_and_demonstrations(browser: Any, tmp_path: Path) -> None:
    task = drawn_task(tests=2)
    frames = [learning(task, 1), learning(task, 9), arc_cycle(task, 0, 1), arc_cycle(task, 0, 2)]
    recording = recorded(tmp_path / "r", "arc", frames, [arc_answer(task, None)])
    page = Page(browser, recording, tmp_path)
    assert page.press()["chosen"] == ["learning"]
    titles = page.press(END)["titles"]
    assert titles[1] == "attempt 1: wrong3x4, 3 of 6 votes" and len(titles) == 8
    pairs = browser.find_elements("css selector", "#pairs table")
    assert len(pairs) == 4 and all(pair.is_displayed() for pair in pairs)
    assert browser.get_log("browser") == []


def test_it_plays_to_the_end_and_stops(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, sudoku(tmp_path), tmp_path, seconds=0.02)
    page.press(" ")
    browser.execute_async_script(
        "const [done] = arguments;"
        "const wait = () => document.getElementById('place').textContent === 'answer'"
        " ? done() : setTimeout(wait, 10);"
        "wait();"
    )
    assert browser.find_element("id", "play").text == "Play"
    page.press(*"-------", " ")  # slower, so that it is still under way when it is looked at
    assert browser.find_element("id", "play").text == "Pause"


def test_texts_of_strangers_are_shown_and_never_run(browser: Any, tmp_path: Path) -> None:
    hostile = (
        "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
        "<!--<script>\u2028window.hacked = 1"
    )
    cycles = maze_cycles(5, 1)
    object.__setattr__(cycles[0].puzzle, "source", hostile)
    problem = PuzzleError(hostile, "f")
    recording = recorded(tmp_path / "r", "maze", [*cycles], [answer_to(cycles[0]), problem])
    page = Page(browser, recording, tmp_path)
    page.press(END)
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.images.length") == 0
    shown = hostile.replace("\u2028", "\\u2028")
    assert browser.find_element("id", "name").text == shown
    assert shown in browser.find_element("id", "problems").text
    assert hostile.split("<!--")[0] in browser.title
    assert browser.get_log("browser") == []


def test_no_other_script_may_run(browser: Any, tmp_path: Path) -> None:
    """The page's policy holds, should anything ever slip through."""
    Page(browser, sudoku(tmp_path), tmp_path)
    browser.execute_script(
        "const script = document.createElement('script');"
        "script.textContent = 'window.hacked = 1'; document.body.append(script);"
    )
    assert browser.execute_script("return window.hacked") is None
    assert "Content Security Policy" in browser.get_log("browser")[0]["message"]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(browser: Any, tmp_path: Path, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    cycles = maze_cycles(side=60, cycles=1)
    recording = recorded(tmp_path / "r", "maze", [*cycles], [answer_to(cycles[0])])
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        assert Page(browser, recording, tmp_path).press()["width"] <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_puzzles_are_chosen_by_keys_buttons_or_a_list(browser: Any, tmp_path: Path) -> None:
    frames, outcomes = [], []
    for seed in range(8):
        cycles = sudoku_cycles(1, seed=seed)
        frames += cycles
        outcomes.append(answer_to(cycles[0]))
    recording = recorded(tmp_path / "r", "sudoku", [*frames], [*outcomes])
    page = Page(browser, recording, tmp_path)
    first = page.press()
    second = page.press("n")
    assert second["cells"] != first["cells"] and page.press("p") == first
    options = browser.find_elements("css selector", "#puzzles select option")
    assert len(options) == 8
    options[1].click()
    assert page.press() == second
