"""A hub on this machine that lies: nothing is kept of it, and every command ends."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.faults.support.forked import ended, finish, start
from tests.support.fake_hub import FakeHub
from trmsolve.weights.file import bundled_weights

Measured = Callable[[int, str], None]
Lie = Callable[[BaseHTTPRequestHandler], bool]
NAME = "model.safetensors"
ADDRESS = "hf://me/trm"
MOST_BYTES = 50 << 20
"""More than a whole download has, with all that a cache keeps beside it."""


def is_download(request: BaseHTTPRequestHandler) -> bool:
    return request.command == "GET" and "/resolve/" in request.path


def begin(request: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


def send_on_and_on(request: BaseHTTPRequestHandler) -> bool:
    """A body without an end and without a length."""
    if not is_download(request):
        return False
    begin(request, 200, Connection="close")
    with contextlib.suppress(OSError):
        for _ in range(100 * MOST_BYTES >> 16):
            request.wfile.write(bytes(1 << 16))
    request.close_connection = True
    return True


def send_in_circles(request: BaseHTTPRequestHandler) -> bool:
    """Every address leads back to itself."""
    begin(request, 302, Location=request.path, Content_Length="0")
    return True


def send_to_a_file(request: BaseHTTPRequestHandler) -> bool:
    """A file of the user instead of a download."""
    if not is_download(request):
        return False
    begin(request, 302, Location="file:///etc/passwd", Content_Length="0")
    return True


def hang_up(request: BaseHTTPRequestHandler) -> bool:
    """No answer at all."""
    request.close_connection = True
    return True


def send_half_a_header(request: BaseHTTPRequestHandler) -> bool:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    request.close_connection = True
    return True


def send_a_huge_header(request: BaseHTTPRequestHandler) -> bool:
    begin(request, 200, X_Note="x" * (1 << 20), Content_Length="0")
    return True


def send_nonsense(request: BaseHTTPRequestHandler) -> bool:
    """JSON of another shape."""
    return send_json(request, [1, {"sha": None}])


def send_deep_json(request: BaseHTTPRequestHandler) -> bool:
    payload = b"[" * 200_000
    begin(request, 200, Content_Length=str(len(payload)))
    request.wfile.write(payload)
    return True


def send_json(request: BaseHTTPRequestHandler, value: Any) -> bool:
    payload = json.dumps(value).encode()
    begin(request, 200, Content_Length=str(len(payload)))
    request.wfile.write(payload)
    return True


def list_as(name: str) -> Lie:
    """A listing with one file of this name."""

    def lie(request: BaseHTTPRequestHandler) -> bool:
        if "/api/models/" not in request.path:
            return False
        files = [{"rfilename": name, "size": 7, "blobId": "0" * 40}]
        listing = {"id": "me/trm", "sha": "a" * 40, "private": False, "siblings": files}
        return send_json(request, listing)

    return lie


def call_the_commit(name: object) -> Lie:
    """A listing whose commit has this name."""

    def lie(request: BaseHTTPRequestHandler) -> bool:
        if "/api/models/" not in request.path:
            return False
        files = [{"rfilename": NAME, "size": 7, "blobId": "0" * 40}]
        listing = {"id": "me/trm", "sha": name, "private": False, "siblings": files}
        return send_json(request, listing)

    return lie


LIES: dict[str, Lie] = {
    "a body without an end": send_on_and_on,
    "a circle": send_in_circles,
    "a file of the user": send_to_a_file,
    "nothing": hang_up,
    "half a header": send_half_a_header,
    "a huge header": send_a_huge_header,
    "another JSON": send_nonsense,
    "deep JSON": send_deep_json,
    "a name above the folder": list_as("../../../evil.safetensors"),
    "an absolute name": list_as("/tmp/evil.safetensors"),
    "a name with a backslash": list_as("..\\evil.safetensors"),
    "a name with a line end": list_as("a\nb.safetensors"),
    "an endless name": list_as("a" * 100_000 + ".safetensors"),
    "a commit above the folder": call_the_commit("../../../../evil"),
    "a commit that is a number": call_the_commit(7),
    "no commit": call_the_commit(None),
}


@dataclass(frozen=True)
class Outcome:
    """How a pull ended."""

    code: int
    told: str
    seconds: float


def pull(folder: Path) -> Outcome:
    begun = time.monotonic()
    told = folder / "told"
    code = finish(told, "weights", "pull", ADDRESS, "--quiet")
    return Outcome(code, told.read_text(), time.monotonic() - begun)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.promise(
    "A pull from a hub that lies ends with 3 or 4 and one line, keeps nothing as weights, and "
    "writes nothing outside of its cache"
)
@pytest.mark.parametrize("kind", LIES)
def test_lies(kind: str, hub: FakeHub, tmp_path: Path, measured: Measured) -> None:
    hub.repo("me/trm", {NAME: bundled_weights("maze").read_bytes()})
    hub.lie = LIES[kind]
    before = set(tmp_path.parent.rglob("evil*"))
    outcome = pull(tmp_path)
    assert outcome.code in (3, 4), outcome
    assert len(outcome.told.splitlines()) == 1 and len(outcome.told) < 2000, outcome
    assert size_of(tmp_path) < MOST_BYTES
    assert set(tmp_path.parent.rglob("evil*")) == before
    hub.lie = None
    assert finish(tmp_path / "told", "weights", "pull", ADDRESS, "--offline") == 4
    measured(1, "")


@pytest.mark.promise("A hub that sends a few bytes at a time is waited for")
def test_slow(hub: FakeHub, tmp_path: Path, measured: Measured) -> None:
    content = bundled_weights("maze").read_bytes()

    def send_slowly(request: BaseHTTPRequestHandler) -> bool:
        if not is_download(request):
            return False
        begin(request, 200, Content_Length=str(len(content)), X_Repo_Commit=commit)
        for at in range(0, len(content), 4096):
            request.wfile.write(content[at : at + 4096])
            time.sleep(0.02)
        return True

    commit = hub.repo("me/trm", {NAME: content})
    hub.lie = send_slowly
    outcome = pull(tmp_path)
    assert outcome.code == 0, outcome
    measured(1, "")


@pytest.mark.promise("Several pulls of one file at once leave it whole")
def test_at_once(hub: FakeHub, tmp_path: Path, measured: Measured) -> None:
    content = bundled_weights("maze").read_bytes()
    hub.repo("me/trm", {NAME: content})
    pulls = [start(tmp_path / f"told-{n}", "weights", "pull", ADDRESS) for n in range(4)]
    assert [ended(process) for process in pulls] == [0] * 4
    (found,) = {os.path.realpath(path) for path in (tmp_path / "cache").rglob(NAME)}
    assert Path(found).read_bytes() == content
    measured(4, "")
