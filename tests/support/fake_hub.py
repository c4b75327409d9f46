"""A hub of our own on this machine: as much of the Hugging Face Hub's protocol as its real client asks for.

It keeps repositories as commits of whole files, notes every request, and can be told to fail.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import typer
from huggingface_hub import close_session, constants
from typer.testing import CliRunner

WRITER, READER = "hf_may_write", "hf_may_read"
INFO = re.compile(r"/api/models/([^/]+/[^/]+?)(?:/revision/(.+))?")
RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
CHANGE = re.compile(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/(.+)")


def run_command(command: Callable[..., None], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command by itself; an error that it lets through is raised."""
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [*arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


class Failure(NamedTuple):
    """An answer that is none."""

    status: int
    code: str = ""
    message: str = ""
    body: bytes = b"{}"


NO_REPO = Failure(401, "RepoNotFound", "Repository not found")
NO_REVISION, NO_FILE = Failure(404, "RevisionNotFound"), Failure(404, "EntryNotFound")


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
    """What is kept as a large file, under its sha256: as the hub does, weights of any kind and what is big."""
    return name.endswith((".safetensors", ".pt", ".bin")) or len(payload) > 100_000


@contextlib.contextmanager
def fake_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Run one, and make it this process's hub: with its own empty cache in ``folder``, and nobody logged in."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "HF_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
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
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the client's attempts
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


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *args: object) -> None:
            pass

        def answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.requests.append(f"{self.command} {path}")
            hub.agents.add(self.headers.get("User-Agent", ""))
            if hub.stalls:
                hub.released.wait(30)
            if hub.fails:
                self.send(hub.fails)
            elif hub.page is not None:
                self.send(hub.page, {"Content-Type": "text/html"})
            elif self.command == "POST":
                self.send(_change(hub, path, body, self.token()))
            elif match := RESOLVE.fullmatch(path):
                self.send(*_resolve(hub, match[1], match[2], match[3], self.token()))
            elif match := INFO.fullmatch(path):
                self.send(_info(hub, match[1], match[2], self.token()))
            else:
                self.send(Failure(404))

        def token(self) -> str:
            return self.headers.get("Authorization", "").removeprefix("Bearer ")

        def send(self, answer: Any, headers: dict[str, str] | None = None) -> None:
            if isinstance(answer, Failure):
                status, payload = answer.status, answer.body
                headers = {"X-Error-Code": answer.code, "X-Error-Message": answer.message}
            else:
                status, payload = (
                    200,
                    answer if isinstance(answer, bytes) else json.dumps(answer).encode(),
                )
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

    return Handler


def _files(
    hub: FakeHub, name: str, revision: str, token: str
) -> tuple[str, dict[str, bytes]] | Failure:
    repo = hub.repos.get(name)
    if repo is None or (repo.private and token not in (WRITER, READER)):
        return NO_REPO
    commit = repo.refs.get(revision, revision)
    return (commit, repo.commits[commit]) if commit in repo.commits else NO_REVISION


def _info(hub: FakeHub, name: str, revision: str | None, token: str) -> Any:
    repo, found = hub.repos.get(name), _files(hub, name, revision or "main", token)
    if isinstance(found, Failure) and (repo is None or revision or found == NO_REPO):
        return found
    assert repo is not None
    commit, files = ("", {}) if isinstance(found, Failure) else found
    siblings = []
    for path, payload in files.items():
        size = hub.sizes.get(path, len(payload))
        lfs = {"sha256": hashlib.sha256(payload).hexdigest(), "size": size, "pointerSize": 128}
        large = {"lfs": lfs} if is_large(path, payload) else {}
        siblings.append(
            {"rfilename": path, "size": size, "blobId": hashlib.sha1(payload).hexdigest(), **large}
        )
    return {
        "id": name,
        "modelId": name,
        "sha": commit or None,
        "private": repo.private,
        "siblings": siblings,
    }


def _resolve(
    hub: FakeHub, name: str, revision: str, path: str, token: str
) -> tuple[Any, dict[str, str] | None]:
    found = _files(hub, name, revision, token)
    if isinstance(found, Failure):
        return found, None
    commit, files = found
    if hub.repos[name].gated and token not in (WRITER, READER):
        return Failure(403, "GatedRepo", "Access to model is restricted"), None
    if path not in files:
        return NO_FILE, {"X-Repo-Commit": commit}
    payload, sent = files[path], hub.sends.get(path, files[path])
    kind = hashlib.sha256 if is_large(path, payload) else hashlib.sha1
    etag = f'"{kind(payload).hexdigest()}"'
    headers = {
        "X-Repo-Commit": commit,
        "ETag": etag,
        "X-Linked-Etag": etag,
        "X-Linked-Size": str(len(payload)),
    }
    return sent, headers


def _change(hub: FakeHub, path: str, body: bytes, token: str) -> Any:
    if path == "/api/validate-yaml":
        return {"errors": [], "warnings": []}
    if token != WRITER:
        return (
            Failure(403, "", "Forbidden")
            if token == READER
            else Failure(401, "", "Invalid username or password.")
        )
    if path == "/api/repos/create":
        wanted = json.loads(body)
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in hub.repos:
            return Failure(409, body=json.dumps({"url": f"{hub.endpoint}/{name}"}).encode())
        private = wanted.get("private") or wanted.get("visibility") == "private"
        hub.repos[name] = FakeRepo(private=bool(private))
        return {"url": f"{hub.endpoint}/{name}"}
    match = CHANGE.fullmatch(path)
    if match is None or match[1] not in hub.repos:
        return NO_REPO
    if match[2] == "preupload":
        names = [file["path"] for file in json.loads(body)["files"]]
        return {
            "files": [
                {"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names
            ]
        }
    lines = [json.loads(line) for line in body.splitlines()]
    files = {
        line["value"]["path"]: base64.b64decode(line["value"]["content"])
        for line in lines
        if line["key"] == "file"
    }
    repo = hub.repos[match[1]]
    before = repo.commits.get(repo.refs.get("main", ""), {})
    commit = repo.commit({**before, **files})
    return {"commitUrl": f"{hub.endpoint}/{match[1]}/commit/{commit}", "commitOid": commit}
