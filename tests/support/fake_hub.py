"""A hub on this machine, with as much of the hub's protocol as its real client uses.

It keeps repositories as commits of whole files, notes every request, and can be told to fail.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import typer
from huggingface_hub import close_session, constants
from typer.testing import CliRunner

from trmsolve.cli.process import Program
from trmsolve.hub import transfer
from trmsolve.hub.address import Address
from trmsolve.weights.remote import checkpoint_request, weights_request

WRITER = "hf_may_write"
READER = "hf_may_read"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
INFO = re.compile(r"/api/models/([^/]+/[^/]+?)(?:/revision/(.+))?")
RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
CHANGE = re.compile(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/(.+)")


class OneCommand(Program):
    """The program with the commands that are given, and not its own."""

    def __init__(self, *args: Any, commands: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = commands


def run_command(command: Callable[..., None], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command of the program.

    An error that the program does not expect is raised.
    """
    app = typer.Typer(cls=OneCommand)
    app.callback()(lambda: None)  # makes it a group of commands, as the program is
    app.command("run")(command)
    result = CliRunner().invoke(app, ["run", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def request(
    address: Address,
    *,
    pickled: bool = False,
    check: transfer.Check | None = None,
    **options: Any,
) -> transfer.Request:
    """A request for weights or for a checkpoint, whose bytes nobody checks but ``check``."""
    made = (checkpoint_request if pickled else weights_request)(address, **options)
    return replace(made, check=check)


def find(address: Address, **options: Any) -> Path:
    """As ``transfer.find`` with such a request."""
    return transfer.find(request(address, **options))


def pull(address: Address, **options: Any) -> transfer.Pulled:
    """As ``transfer.pull`` with such a request."""
    return transfer.pull(request(address, **options))


class Failure(NamedTuple):
    """An answer that is none."""

    status: int
    code: str = ""
    message: str = ""
    body: bytes = b"{}"


NO_REPO = Failure(401, "RepoNotFound", "Repository not found")
NO_REVISION = Failure(404, "RevisionNotFound")
NO_FILE = Failure(404, "EntryNotFound")


@dataclass
class FakeRepo:
    """Commits of whole files, and what the branches and tags name."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    private: bool = False

    def commit(self, files: dict[str, bytes], revision: str = "main") -> str:
        """Add a commit that holds just these files; its id."""
        digest = hashlib.sha1(json.dumps(sorted(self.commits)).encode())
        for name, payload in sorted(files.items()):
            digest.update(name.encode() + b"\0" + payload)
        self.refs[revision] = digest.hexdigest()
        self.commits[digest.hexdigest()] = dict(files)
        return digest.hexdigest()


@dataclass
class FakeHub:
    """What the server knows.

    ``requests`` are method and path of all that came in; ``fails`` is answered to all.
    """

    endpoint: str = ""
    repos: dict[str, FakeRepo] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    fails: Failure | None = None
    page: bytes | None = None
    sizes: dict[str, int | None] = field(default_factory=dict)  # said of a file, whatever it has
    sends: dict[str, bytes] = field(default_factory=dict)  # sent for a file, whatever it is
    released: threading.Event = field(default_factory=threading.Event)
    stalls: bool = False
    lie: "Callable[[BaseHTTPRequestHandler], bool] | None" = None
    """Answers a request itself and returns True, or leaves it to the hub."""

    def repo(self, name: str, files: dict[str, bytes]) -> str:
        """A repository with one commit; its id."""
        return self.repos.setdefault(name, FakeRepo()).commit(files)

    def downloads(self) -> list[str]:
        """The files that were sent."""
        return [
            line.rpartition("/")[2]
            for line in self.requests
            if line.startswith("GET") and "/resolve/" in line
        ]


def is_large(name: str, payload: bytes) -> bool:
    """Whether a file is stored under its sha256; as on the hub, weights are and whatever is big."""
    return name.endswith((".safetensors", ".pt", ".bin")) or len(payload) > 100_000


@contextlib.contextmanager
def fake_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Run a hub and make it the hub of this process.

    The cache is an empty one in ``folder``, and nobody is logged in.
    """
    hub = FakeHub()
    server = _Server(hub)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    for name in (*PROXIES, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for constant, value in {
        "ENDPOINT": hub.endpoint,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(folder / "cache"),
        "HF_TOKEN_PATH": str(folder / "token"),
        "HF_STORED_TOKENS_PATH": str(folder / "tokens"),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": False,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": False,
    }.items():
        monkeypatch.setattr(constants, constant, value)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the client's attempts
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    close_session()  # one with another test's settings
    try:
        yield hub
    finally:
        hub.released.set()
        close_session()
        server.shutdown()
        server.server_close()
        thread.join()


def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, whoever asks for a socket or a name's address fails the test."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was asked for")

    close_session()
    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(f"socket.{name}", refuse)


class _Server(ThreadingHTTPServer):
    """A server that gives its handlers the hub."""

    def __init__(self, hub: FakeHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, *args: object) -> None:
        pass

    def answer(self) -> None:
        """Note the request and answer it."""
        hub = self.server.hub
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub.requests.append(f"{self.command} {path}")
        hub.agents.add(self.headers.get("User-Agent", ""))
        if hub.stalls:
            hub.released.wait(30)
        if hub.lie is not None and hub.lie(self):
            return
        if hub.fails:
            self.send(hub.fails)
        elif hub.page is not None:
            self.send(hub.page, {"Content-Type": "text/html"})
        elif self.command == "POST":
            self.send(_change(hub, path, body, self.token()))
        else:
            self.send(*_asked(hub, path, self.token()))

    def token(self) -> str:
        """The token of whoever asks."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def send(self, answer: Any, headers: dict[str, str] | None = None) -> None:
        """Send bytes as they are, a failure with its status, and all else as JSON."""
        status = 200
        payload = answer
        if isinstance(answer, Failure):
            status = answer.status
            payload = answer.body
            headers = {"X-Error-Code": answer.code, "X-Error-Message": answer.message}
        elif not isinstance(answer, bytes):
            payload = json.dumps(answer).encode()
        self.send_response(status)
        always = {
            "Content-Length": str(len(payload)),
            "X-HF-Warning": "topic; what the client would tell the user",
        }
        for name, value in {**always, **(headers or {})}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):  # the client has given up
                self.wfile.write(payload)


Answer = tuple[Any, dict[str, str] | None]


def _asked(hub: FakeHub, path: str, token: str) -> Answer:
    """The answer to a request that changes nothing, and its headers."""
    if match := RESOLVE.fullmatch(path):
        return _resolve(hub, match[1], match[2], match[3], token)
    if match := INFO.fullmatch(path):
        return _info(hub, match[1], match[2], token), None
    return Failure(404), None


def _files(
    hub: FakeHub, name: str, revision: str, token: str
) -> tuple[str, dict[str, bytes]] | Failure:
    repo = hub.repos.get(name)
    if repo is None or (repo.private and token not in (WRITER, READER)):
        return NO_REPO
    commit = repo.refs.get(revision, revision)
    return (commit, repo.commits[commit]) if commit in repo.commits else NO_REVISION


def _info(hub: FakeHub, name: str, revision: str | None, token: str) -> Any:
    repo = hub.repos.get(name)
    found = _files(hub, name, revision or "main", token)
    if isinstance(found, Failure) and (repo is None or revision or found == NO_REPO):
        return found
    assert repo is not None
    commit, files = ("", {}) if isinstance(found, Failure) else found
    return {
        "id": name,
        "modelId": name,
        "sha": commit or None,
        "private": repo.private,
        "siblings": [_sibling(hub, path, payload) for path, payload in files.items()],
    }


def _sibling(hub: FakeHub, path: str, payload: bytes) -> dict[str, Any]:
    """What the hub says about one file of a commit."""
    size = hub.sizes.get(path, len(payload))
    blob = hashlib.sha1(payload).hexdigest()
    fields: dict[str, Any] = {"rfilename": path, "size": size, "blobId": blob}
    if is_large(path, payload):
        digest = hashlib.sha256(payload).hexdigest()
        fields["lfs"] = {"sha256": digest, "size": size, "pointerSize": 128}
    return fields


def _resolve(hub: FakeHub, name: str, revision: str, path: str, token: str) -> Answer:
    found = _files(hub, name, revision, token)
    if isinstance(found, Failure):
        return found, None
    commit, files = found
    if hub.repos[name].gated and token not in (WRITER, READER):
        return Failure(403, "GatedRepo", "Access to model is restricted"), None
    if path not in files:
        return NO_FILE, {"X-Repo-Commit": commit}
    payload = files[path]
    kind = hashlib.sha256 if is_large(path, payload) else hashlib.sha1
    etag = f'"{kind(payload).hexdigest()}"'
    headers = {
        "X-Repo-Commit": commit,
        "ETag": etag,
        "X-Linked-Etag": etag,
        "X-Linked-Size": str(len(payload)),
    }
    return hub.sends.get(path, payload), headers


def _change(hub: FakeHub, path: str, body: bytes, token: str) -> Any:
    """The answer to a request that changes something, if whoever asks may write."""
    if path == "/api/validate-yaml":
        return {"errors": [], "warnings": []}
    if token == READER:
        return Failure(403, "", "Forbidden")
    if token != WRITER:
        return Failure(401, "", "Invalid username or password.")
    if path == "/api/repos/create":
        return _create(hub, json.loads(body))
    match = CHANGE.fullmatch(path)
    if match is None or match[1] not in hub.repos:
        return NO_REPO
    if match[2] == "preupload":
        return {"files": [_upload_mode(file["path"]) for file in json.loads(body)["files"]]}
    return _commit(hub, match[1], body)


def _create(hub: FakeHub, wanted: dict[str, Any]) -> Any:
    name = f"{wanted['organization']}/{wanted['name']}"
    url = {"url": f"{hub.endpoint}/{name}"}
    if name in hub.repos:
        return Failure(409, body=json.dumps(url).encode())
    private = wanted.get("private") or wanted.get("visibility") == "private"
    hub.repos[name] = FakeRepo(private=bool(private))
    return url


def _upload_mode(path: str) -> dict[str, Any]:
    return {"path": path, "uploadMode": "regular", "shouldIgnore": False}


def _commit(hub: FakeHub, name: str, body: bytes) -> Any:
    """Add the files in the body, a JSON object a line, to those of the last commit."""
    repo = hub.repos[name]
    files = dict(repo.commits.get(repo.refs.get("main", ""), {}))
    for text in body.splitlines():
        line = json.loads(text)
        if line["key"] == "file":
            files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
    commit = repo.commit(files)
    return {"commitUrl": f"{hub.endpoint}/{name}/commit/{commit}", "commitOid": commit}
