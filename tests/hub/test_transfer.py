"""Files from the hub: what is fetched and when, and how failures read."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save

from tests.support.fake_hub import (
    READER,
    WRITER,
    Failure,
    FakeHub,
    find,
    no_sockets,
    pull,
    run_command,
)
from trmsolve.cli.weights.hub import pull as command
from trmsolve.errors import NetworkError, TrmsolveError, WeightsError
from trmsolve.hub import client
from trmsolve.hub.address import Address
from trmsolve.hub.client import ENVIRONMENT
from trmsolve.hub.transfer import push, sha256_known
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights import limits
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.remote import cached_weights

CONFIG = TRMConfig(
    vocab_size=11, seq_len=81, hidden_size=16, num_heads=2, layers=1, recursions=1, latent_steps=1
)
HERE = Address.parse("hf://me/trm")
MAIN = "model.safetensors"


def weights(folder: Path, seed: int = 0) -> bytes:
    torch.manual_seed(seed)
    path = folder / "made.safetensors"
    save_weights(path, TinyRecursiveModel(CONFIG).state_dict(), WeightsInfo(CONFIG, "sudoku"))
    return path.read_bytes()


@pytest.fixture
def said() -> list[str]:
    return []


# What is fetched, and what is pinned.


def test_the_first_download_is_announced_in_one_line_and_the_next_needs_nobody(
    hub: FakeHub,
    tmp_path: Path,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    payload = weights(tmp_path)
    commit = hub.repo("me/trm", {MAIN: payload, "README.md": b"a card"})
    path = find(HERE, note=said.append)
    assert path.read_bytes() == payload
    assert hub.downloads() == [MAIN]
    (line,) = said
    folder = tmp_path / "cache" / "models--me--trm"
    size = f"{len(payload) / 1024:.0f} KiB"
    assert line == f"downloading {MAIN} of me/trm, main (commit {commit[:12]}), {size}, to {folder}"
    asked = len(hub.requests)
    no_sockets(monkeypatch)
    assert find(HERE, note=said.append) == path
    assert len(hub.requests) == asked
    assert len(said) == 1
    assert capfd.readouterr() == ("", "")


def test_what_is_named_is_what_is_fetched(hub: FakeHub, tmp_path: Path) -> None:
    commit = hub.repo("me/trm", {MAIN: b"old"})
    assert pull(HERE).commit == commit
    assert [
        line for line in hub.requests if "/resolve/" in line and f"/resolve/{commit}/" not in line
    ] == []


def test_a_pin_holds_until_it_is_pulled(hub: FakeHub, said: list[str]) -> None:
    first = hub.repo("me/trm", {MAIN: b"first"})
    path = find(HERE)
    second = hub.repo("me/trm", {MAIN: b"second", "other.safetensors": b"other"})
    asked = len(hub.requests)
    assert find(HERE) == path
    assert path.read_bytes() == b"first"
    assert len(hub.requests) == asked
    pulled = pull(HERE, note=said.append)
    assert (pulled.previous, pulled.commit) == (
        first,
        second,
    )
    assert pulled.path.read_bytes() == b"second"
    assert find(HERE) == pulled.path
    assert len(said) == 1
    assert pull(HERE, note=said.append).previous == second and len(said) == 1, (
        "nothing new, nothing said"
    )


def test_what_a_check_refuses_is_not_pinned(hub: FakeHub) -> None:
    def refuse(path: Path) -> None:
        if path.read_bytes() == b"bad":
            raise WeightsError(f"{path.name} is bad")

    hub.repo("me/trm", {MAIN: b"bad"})
    for ask in (find, pull):
        with pytest.raises(WeightsError, match=r"model\.safetensors is bad"):
            ask(HERE, check=refuse)
        with pytest.raises(NetworkError, match="not in the cache"):
            find(HERE, offline=True)
    first = hub.repo("me/trm", {MAIN: b"first"})
    assert find(HERE, check=refuse).read_bytes() == b"first"
    hub.repo("me/trm", {MAIN: b"bad"})
    with pytest.raises(WeightsError, match="is bad"):
        pull(HERE, check=refuse)
    assert find(HERE).read_bytes() == b"first"
    assert pull(HERE, offline=True, check=refuse).commit == first
    path = pull(HERE).path
    with pytest.raises(WeightsError, match="is bad"):
        pull(HERE, offline=True, check=refuse)
    assert path.read_bytes() == b"bad", "whoever asks for no check gets what there is"


def test_another_file_of_a_pinned_revision_comes_from_the_same_commit(hub: FakeHub) -> None:
    hub.repo("me/trm", {MAIN: b"first", "a.safetensors": b"a of first"})
    find(HERE)
    hub.repo("me/trm", {MAIN: b"second", "a.safetensors": b"a of second"})
    assert find(Address("me/trm", None, "a.safetensors")).read_bytes() == b"a of first"


def test_a_pinned_commit_that_the_hub_has_no_more(hub: FakeHub) -> None:
    first = hub.repo("me/trm", {MAIN: b"first", "a.safetensors": b"a", "a.pt": b"pickle"})
    find(HERE)
    hub.repo("me/trm", {MAIN: b"second"})
    del hub.repos["me/trm"].commits[first]
    with pytest.raises(
        WeightsError,
        match=f"has no revision {first}, which main pointed to before: run 'trmsolve weights pull hf://",
    ):
        find(Address("me/trm", None, "a.safetensors"))
    with pytest.raises(
        WeightsError,
        match=r"which main pointed to before: give an existing revision, hf://me/trm@REVISION/a\.pt$",
    ):
        find(Address("me/trm", None, "a.pt"), pickled=True)
    assert find(HERE).read_bytes() == b"first", "what is here stays usable"


def test_revisions_are_pinned_each_for_itself(hub: FakeHub) -> None:
    first = hub.repo("me/trm", {MAIN: b"first"})
    hub.repos["me/trm"].refs["v1"] = first
    second = hub.repo("me/trm", {MAIN: b"second"})
    assert find(Address("me/trm", "v1")).read_bytes() == b"first"
    assert find(HERE).read_bytes() == b"second"
    assert find(Address("me/trm", first)).read_bytes() == b"first"
    assert pull(Address("me/trm", second)).previous is None, "a commit is never another"
    hub.repos["me/trm"].commit({MAIN: b"a proposal"}, "refs/pr/1")
    proposal = Address.parse("hf://me/trm@refs/pr/1")
    assert find(proposal).read_bytes() == b"a proposal" == find(proposal, offline=True).read_bytes()


def test_a_file_that_another_commit_has_brought_is_not_announced(
    hub: FakeHub, said: list[str]
) -> None:
    hub.repo("me/trm", {MAIN: b"same"})
    pull(HERE)
    hub.repo("me/trm", {MAIN: b"same", "README.md": b"new"})
    assert pull(HERE, note=said.append).path.read_bytes() == b"same"
    assert said == []
    assert hub.downloads() == [MAIN]


# What is refused.


def test_large_files_are_refused_before_the_download(hub: FakeHub, said: list[str]) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    hub.sizes[MAIN] = 600 * 2**20
    with pytest.raises(
        WeightsError,
        match=r"has 600\.0 MiB, more than the 512\.0 MiB allowed: use --allow-large to accept it",
    ):
        find(HERE, note=said.append)
    assert hub.downloads() == []
    assert said == []
    with pytest.raises(WeightsError, match="does not have the size or sha256"):
        find(HERE, note=said.append, allow_large=True)
    assert len(said) == 1
    hub.sizes[MAIN] = None
    with pytest.raises(WeightsError, match=r"does not report the size of model\.safetensors"):
        find(HERE)


def test_other_bytes_than_the_hub_says_are_not_kept(hub: FakeHub) -> None:
    hub.repo("me/trm", {MAIN: b"weights", "other.safetensors": b"other"})
    hub.sends[MAIN] = b"WEIGHTS"
    with pytest.raises(
        WeightsError,
        match="does not have the size or sha256 that the hub reports: the download was discarded",
    ):
        find(HERE)
    with pytest.raises(NetworkError, match="not in the cache"):
        find(HERE, offline=True)
    hub.sends.clear()
    assert find(HERE).read_bytes() == b"weights", "what was wrong is fetched anew"
    other = Address("me/trm", None, "other.safetensors")
    hub.sends[other.path or ""] = b"OTHER"
    with pytest.raises(WeightsError, match="the download was discarded"):
        find(other)
    with pytest.raises(NetworkError, match="not in the cache"):
        find(other, offline=True)


def test_a_copy_that_was_damaged_since_is_mended_by_a_pull(hub: FakeHub) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    find(HERE).resolve().write_bytes(b"w")
    assert pull(HERE).path.read_bytes() == b"weights"


def test_a_download_that_breaks_off(hub: FakeHub) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    hub.sends[MAIN] = b"wei"
    with pytest.raises(NetworkError, match="connection was lost"):
        find(HERE)
    with pytest.raises(NetworkError, match="offline"):
        find(HERE, offline=True)


# Without a network.


@pytest.mark.parametrize("variable", [False, True])
def test_offline_opens_no_socket(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, variable: bool, said: list[str]
) -> None:
    commit = hub.repo("me/trm", {MAIN: b"weights"})
    find(HERE)
    no_sockets(monkeypatch)
    if variable:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    pulled = pull(HERE, offline=not variable, note=said.append)
    assert pulled.path == find(HERE, offline=not variable)
    assert (pulled.commit, pulled.previous) == (
        commit,
        commit,
    )
    with pytest.raises(
        NetworkError,
        match=r"hf://me/o is not in the cache and cannot be .* 'trmsolve weights pull hf://me/o'",
    ):
        find(Address("me/o"), offline=not variable)
    with pytest.raises(NetworkError, match="not in the cache"):
        pull(Address("me/trm", "v2"), offline=not variable)
    assert said == []


@pytest.mark.parametrize(
    ("breaks", "error", "told"),
    [
        (
            lambda hub: setattr(hub, "fails", Failure(503)),
            NetworkError,
            "returned error 503: try again later",
        ),
        (lambda hub: setattr(hub, "fails", Failure(429)), NetworkError, "returned error 429"),
        (
            lambda hub: setattr(hub, "fails", Failure(403)),
            WeightsError,
            "denies access to hf://me/trm",
        ),
        (
            lambda hub: setattr(
                hub, "fails", Failure(401, "", "Invalid credentials in Authorization header")
            ),
            WeightsError,
            "does not accept your token: log in with 'hf auth login' again",
        ),
        (
            lambda hub: setattr(hub, "page", b"<html>log in to the cafe</html>"),
            NetworkError,
            "is not the hub",
        ),
        (lambda hub: setattr(hub, "page", b"[]"), NetworkError, "is not the hub"),
        (
            lambda hub: setattr(hub, "page", b'{"id": "me/trm", "sha": "../../x"}'),
            NetworkError,
            "is not the hub",
        ),
        (
            lambda hub: setattr(hub, "fails", Failure(407)),
            NetworkError,
            "the proxy wants a login: give it in HTTPS_PROXY",
        ),
        (lambda hub: setattr(hub, "stalls", True), NetworkError, "did not answer in time"),
        (
            lambda hub: hub.repos.clear(),
            WeightsError,
            "http.*/me/trm does not exist or is private",
        ),
        (
            lambda hub: setattr(hub.repos["me/trm"], "private", True),
            WeightsError,
            "does not exist or is private",
        ),
        (
            lambda hub: setattr(hub.repos["me/trm"], "gated", True),
            WeightsError,
            "gated: accept its terms on http",
        ),
        (
            lambda hub: hub.repos["me/trm"].refs.clear(),
            WeightsError,
            "hf://me/trm has no revision main$",
        ),
    ],
)
def test_each_failure_has_its_own_line(  # noqa: PLR0913
    hub: FakeHub,
    breaks: Callable[[FakeHub], None],
    error: type[TrmsolveError],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 0.2)
    hub.repo("me/trm", {MAIN: b"weights"})
    breaks(hub)
    for ask in (find, pull):
        with pytest.raises(error, match=told) as raised:
            ask(HERE)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 200
    assert list(cached_weights()) == []
    assert capfd.readouterr() == ("", "")
    assert len(hub.requests) == 2 or "gated" in told, "the first answer is enough"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"),
            "the TLS certificate of https://hub is not trusted: check the clock, or name the "
            "certificates of your network in SSL_CERT_FILE",
        ),
        (
            type("ProxyError", (OSError,), {})("407 Proxy Authentication Required"),
            "the proxy wants a login: give it in HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT",
        ),
    ],
)
def test_what_stands_between_is_told(error: Exception, told: str) -> None:
    failed = client._failed(error, "https://hub")
    assert isinstance(failed, NetworkError)
    assert str(failed) == told


def test_a_hub_that_nobody_runs_and_one_that_fails_late(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})

    def fail_from_now_on(line: str) -> None:
        hub.fails = Failure(503)

    with pytest.raises(NetworkError, match="error 503"):
        find(HERE, note=fail_from_now_on)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NetworkError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        find(HERE)
    assert capfd.readouterr() == ("", ""), "the client's attempts are its own"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_TOKEN", "hf_s\u00e9cret"),
        ("HTTPS_PROXY", "foo://user:s\u00e9cret@bar"),
        ("ALL_PROXY", "foo://s\u00e9cret"),
    ],
)
@pytest.mark.parametrize(
    "ask", [find, pull, lambda address: push({"a": b"a"}, address)], ids=["find", "pull", "push"]
)
def test_a_token_or_proxy_that_makes_no_sense(
    hub: FakeHub,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    ask: Callable[[Address], object],
) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    monkeypatch.setenv("HF_TOKEN", WRITER)
    monkeypatch.setenv(name, value)
    with pytest.raises(
        NetworkError, match=r"HF_ENDPOINT, HF_TOKEN, the proxy, .* is invalid"
    ) as told:
        ask(HERE)
    assert "cret" not in str(told.value)
    assert told.value.__suppress_context__
    assert hub.requests == []


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://x:99999"])
def test_an_endpoint_that_makes_no_sense(tmp_path: Path, endpoint: str) -> None:
    code = """if True:
        import os
        from trmsolve.hub.address import Address
        from trmsolve.hub.transfer import find, pull, push
        from trmsolve.weights.card import front_matter
        from trmsolve.weights.remote import weights_request
        here = Address.parse("hf://me/trm")
        asks = (
            lambda: find(weights_request(here)),
            lambda: pull(weights_request(here)),
            lambda: push({}, here),
            lambda: front_matter("a", {}, []),
        )
        for ask in asks:
            try:
                ask()
            except Exception as error:
                print(type(error).__name__, error)
    """
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    told = f"NetworkError {ENVIRONMENT}, is invalid"
    lines = result.stdout.splitlines()
    assert result.stderr == ""
    assert len(lines) >= 3
    assert all(line.startswith(told) for line in lines)


def test_a_full_disk_stays_what_it_is(hub: FakeHub, tmp_path: Path) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    (tmp_path / "cache").write_text("a file where the cache should be")
    with pytest.raises(OSError) as raised:
        find(HERE)
    assert not isinstance(raised.value, NetworkError)


def test_whoever_is_logged_in_gets_what_is_private_or_gated(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    hub.repos["me/trm"].private = hub.repos["me/trm"].gated = True
    monkeypatch.setenv("HF_TOKEN", READER)
    assert find(HERE).read_bytes() == b"weights"


def test_nothing_is_told_of_the_user(hub: FakeHub) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    find(HERE)
    assert not any("torch" in agent or "agent/" in agent for agent in hub.agents)
    assert not any("harness" in line for line in hub.requests)


# What is in the cache.


def test_the_sha256_that_the_hub_gave(hub: FakeHub, tmp_path: Path) -> None:
    hub.repo("me/trm", {MAIN: b"weights", "config.json": b"{}"})
    path = find(HERE)
    assert (
        sha256_known(path) == hashlib.sha256(b"weights").hexdigest() == sha256_known(path.resolve())
    )
    assert sha256_known(find(Address("me/trm", None, "config.json"))) is None, (
        "small files have another hash"
    )
    elsewhere = tmp_path / "blobs" / ("0" * 64)
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(b"weights")
    assert sha256_known(elsewhere) is None
    assert sha256_known(tmp_path / "nothing") is None


@pytest.mark.parametrize("text", ["", "not a commit", "../../../etc/passwd", "\xff"])
def test_a_damaged_cache_is_asked_for_anew(hub: FakeHub, text: str) -> None:
    commit = hub.repo("me/trm", {MAIN: b"weights"})
    find(HERE)
    folder = Path(constants.HF_HUB_CACHE) / "models--me--trm"
    (folder / "refs" / "main").write_text(text, encoding="latin-1")
    (folder / "trmsolve" / f"{commit}.json").write_text(json.dumps({"../up": 1}) + text)
    assert find(HERE).read_bytes() == b"weights"
    assert (folder / "refs" / "main").read_text() == commit


# The command, and the environment that a user sets.


def run(*arguments: str) -> tuple[int, str, str]:
    return run_command(command, *arguments)


@pytest.mark.usefixtures("process_as_it_was")
def test_pull_prints_the_path_and_what_has_moved(hub: FakeHub, tmp_path: Path) -> None:
    payload = weights(tmp_path)
    first = hub.repo("me/trm", {MAIN: payload})
    code, out, err = run("hf://me/trm")
    assert code == 0
    assert Path(out.strip()).read_bytes() == payload
    announced, told = err.splitlines()
    assert announced.startswith("downloading")
    assert told.startswith("sudoku, ")
    assert told.endswith(f"commit {first[:12]}")
    second = hub.repo("me/trm", {MAIN: weights(tmp_path, 1)})
    code, out, err = run("hf://me/trm")
    assert err.splitlines()[-1].endswith(f"was {first[:12]}, now {second[:12]}")
    assert (
        run("hf://me/trm", "--quiet") == (0, out, "") == run("hf://me/trm", "--offline", "--quiet")
    )


@pytest.mark.usefixtures("process_as_it_was")
def test_pull_leaves_with_the_agreed_codes(hub: FakeHub, tmp_path: Path) -> None:
    hub.repo(
        "me/trm",
        {
            MAIN: save(
                {"lm_head.weight": torch.zeros(11, 16)}, WeightsInfo(CONFIG, "sudoku").to_metadata()
            )
        },
    )
    code, out, err = run("hf://me/trm", "--quiet")
    assert (code, out) == (3, "") and "has no tensor" in err, "what it says of itself is whole"
    assert run("hf://me/none")[0] == 3
    assert run("hf://me/other", "--offline")[0] == 4
    assert run("hf://me")[0] == 2
    hub.fails = Failure(500)
    code, out, err = run("hf://me/trm")
    assert (code, out) == (4, "")
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("process_as_it_was")
def test_a_damaged_upload_leaves_what_was_pulled_before(hub: FakeHub, tmp_path: Path) -> None:
    payload = weights(tmp_path)
    hub.repo("me/trm", {MAIN: payload})
    assert run("hf://me/trm")[0] == 0
    bad = bytearray(payload)
    bad[-1] ^= 1  # its checksum alone tells
    for upload, why in (
        (payload[:-100], "it is truncated"),
        (bytes(bad), "does not match its checksum"),
    ):
        hub.repo("me/trm", {MAIN: upload})
        code, out, err = run("hf://me/trm", "-q")
        assert (code, out) == (3, "")
        assert why in err
        assert find(HERE).read_bytes() == payload
    assert run("hf://me/trm", "--offline")[0] == 0


@pytest.mark.usefixtures("process_as_it_was")
def test_pull_takes_what_is_large_only_if_told(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repo("me/trm", {MAIN: weights(tmp_path)})
    monkeypatch.setattr(limits, "MAX_FILE", 1024)
    code, out, err = run("hf://me/trm")
    assert (code, out) == (3, "")
    assert "use --allow-large to accept it" in err
    code, out, _ = run("hf://me/trm", "--allow-large")
    assert code == 0
    assert Path(out.strip()).is_file()
    code, _, err = run("hf://me/trm", "--offline")
    assert code == 3
    assert "use --allow-large to accept it" in err


def test_the_environment_is_honoured(hub: FakeHub, tmp_path: Path) -> None:
    hub.repo("me/trm", {MAIN: b"weights"})
    hub.repos["me/trm"].private = True
    code = """if True:
        from dataclasses import replace
        from trmsolve.hub.address import Address
        from trmsolve.hub.transfer import find
        from trmsolve.weights.remote import weights_request
        request = weights_request(Address.parse("hf://me/trm"), note=print)
        print(find(replace(request, check=None)))
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": READER,
        "HF_HUB_DISABLE_XET": "1",
    }

    def run_apart(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env={**environment, **more}, capture_output=True, text=True, timeout=120
        )

    first = run_apart()
    path = tmp_path / "home" / "hub" / "models--me--trm"
    assert first.stderr == ""
    assert first.stdout.splitlines()[-1].startswith(str(path))
    asked = len(hub.requests)
    assert run_apart(HF_HUB_OFFLINE="1").stdout == first.stdout.splitlines()[-1] + "\n"
    other = run_apart(HF_HUB_OFFLINE="1", HF_HUB_CACHE=str(tmp_path / "elsewhere"))
    assert "NetworkError" in other.stderr
    assert "not in the cache" in other.stderr
    assert len(hub.requests) == asked
