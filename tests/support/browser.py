"""A headless Chromium, and what is read off the built page of examples/browser in it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import Any

from tests.support.paths import ROOT

FOLDER = ROOT / "examples" / "browser"
DIST = FOLDER / "dist"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

# Types a puzzle in and steps to its last cycle, or a few, as a visitor would.
STEP_THROUGH = """
const [task, text, most, done] = arguments;
const element = (id) => document.getElementById(id);
const readFrame = () => ({
  answer: element("answer").textContent,
  status: element("status").textContent,
  cells: Array.from(document.querySelectorAll("#board td"), (cell) => cell.textContent),
  facts: Object.fromEntries(Array.from(document.querySelectorAll("#facts dt"),
    (term) => [term.textContent, term.nextSibling.textContent])),
});
document.querySelector(`[data-task=${task}]`).click();
element("text").value = text;
element("text").dispatchEvent(new Event("input"));
const frames = [];
const go = () => {
  const shown = element("status").textContent;
  if (shown.includes(" cannot be run ")) return done([{ status: shown }]);
  if (shown.startsWith(`Cycle ${frames.length + 1} `)) {
    frames.push(readFrame());
    const atEnd = element("step").getAttribute("aria-disabled") === "true";
    if (atEnd || frames.length === most) return done(frames);
    element("step").click();
  }
  setTimeout(go, 5);
};
element("step").click();
go();
"""


# Asks the code of the page the questions of another engine, in that one's states.
READ_CYCLES = """
const [name, text, asked, done] = arguments;
const load = (file) => import(new URL(file, location.href));
const arrayOf = (base64) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};
const readAll = async () => {
  const { loadNetwork, runCycle } = await load("network.js");
  const { Tensor } = await load("ort.wasm.bundle.min.mjs");
  const task = await load(`${name}.js`);
  const bundled = await (await fetch("bundled.json")).json();
  window.networks ??= {};
  const network = (window.networks[name] ??= await loadNetwork(bundled.networks[name]));
  const puzzle = task.read(text);
  const { shape } = task.question(puzzle);
  const cycles = [];
  for (const { tokens, y, z } of asked) {
    const state = [y, z].map((array) => {
      const values = arrayOf(array);
      return new Tensor("float32", values, [1, ...shape, values.length / tokens.length]);
    });
    const said = await runCycle(network, state, tokens, shape);
    const number = cycles.length + 1;
    cycles.push(task.readCycle(puzzle, tokens, { ...said, number }, network.record));
  }
  return cycles;
};
readAll().then(done, (error) => done(String(error)));
"""


def missing_browser() -> str:
    """Says what is missing to open a page; "" if nothing is."""
    if not CHROMIUM or not DRIVER:
        return "there is no chromium with its chromedriver"
    if find_spec("selenium") is None:
        return "selenium is not installed: pip install -e '.[browser]'"
    return ""


def missing() -> str:
    """Says what is missing for the tests of the page; "" if nothing is."""
    if missing_browser():
        return missing_browser()
    if not (DIST / "index.html").exists():
        return "the page is not built: python examples/browser/build.py"
    return ""


def is_built_anew() -> bool:
    """Whether the built page has the files of the checkout."""
    sources = (FOLDER / "page").iterdir()
    return all((DIST / path.name).read_bytes() == path.read_bytes() for path in sources)


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The address of the built page, served from this machine."""
    handler = partial(_Silent, directory=str(DIST))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium under Selenium, which downloads nothing."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for switch in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(120)
    try:
        yield driver
    finally:
        driver.quit()


def read_cycles(
    driver: Any, task: str, text: str, asked: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What the code of the page makes of each question, with its state ``y`` and ``z``."""
    cycles = driver.execute_async_script(READ_CYCLES, task, text, asked)
    assert isinstance(cycles, list), cycles
    return cycles


def step_through(driver: Any, task: str, text: str, most: int) -> list[dict[str, Any]]:
    """What the page shows in each cycle of a puzzle, ``most`` cycles at most."""
    frames: list[dict[str, Any]] = driver.execute_async_script(STEP_THROUGH, task, text, most)
    return frames
