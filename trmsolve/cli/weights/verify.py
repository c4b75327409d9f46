"""``trmsolve weights verify``: whether weights are whole, the expected ones, and alive."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.complete import complete_named_weights
from trmsolve.cli.streams import put, say
from trmsolve.cli.weights.inspect import fact_line
from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.wording import install_hint

if TYPE_CHECKING:
    from trmsolve.weights.info import WeightsInfo

LEAST = 0.5
"""The share of easy puzzles below which weights are taken for broken."""


def verify(  # noqa: PLR0913
    named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|NAME|hf://USER/REPO[@REV]]...",
            show_default="all bundled weights and graphs",
            autocompletion=complete_named_weights,
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Expected sha256 of the file.", show_default=False),
    ] = None,
    puzzles: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=10_000,
            help="Number of easy puzzles to solve as a smoke test; 0 skips it.",
        ),
    ] = 20,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
) -> None:
    """Check weights: their pinned hash, every tensor, and the score on a few easy puzzles.

    An ONNX graph has its operators checked. It answers its puzzles on the CPU, if onnxruntime is
    installed.

    \b
    Examples:
    trmsolve weights verify
    trmsolve weights verify runs/sudoku --puzzles 0

    \b
    Exit codes
    0  all checks pass
    1  the weights are intact, but solve less than half of the puzzles
    3  the weights are missing, damaged, or differ from their pinned hash
    4  the weights cannot be downloaded
    5  the output cannot be written
    141  the reader of the output has left
    """  # noqa: D301 (click reads the character \b)
    from trmsolve.memory import keep_memory
    from trmsolve.weights.catalog import resolve

    _check_hash(sha256, named or [])
    keep_memory()
    where = {"device": device, "dtype": dtype, "threads": threads}
    checks = _Checks(sha256, puzzles, allow_large, where)
    code = 0
    for each in named or _bundled():
        try:
            path = resolve(each, offline=offline, allow_large=allow_large, note=say)
            put(str(path))
            is_alive = _verify_file(path, checks)
            code = max(code, 0 if is_alive else 1)
        except (WeightsError, NetworkError) as error:  # the other files are still checked
            say(f"trmsolve: {error}")
            code = max(code, error.exit_code)
    if code:
        raise typer.Exit(code)


def _bundled() -> list[str | Path]:
    """The names of the bundled weights, and the files of the bundled graphs."""
    from trmsolve.weights.bundled import bundled_file
    from trmsolve.weights.catalog import BUNDLED
    from trmsolve.weights.graph import SUFFIX

    graphs = (bundled_file(f"{name}{SUFFIX}") for name in BUNDLED)
    return [*BUNDLED, *(path for path in graphs if path is not None)]


@dataclass(frozen=True)
class _Checks:
    """The checks to make of a file."""

    sha256: str | None
    """The hash that the user expects."""
    puzzles: int
    """How many easy puzzles to answer."""
    allow_large: bool
    where: dict[str, Any] = field(default_factory=dict)
    """Where to run: device, dtype and threads."""


def _check_hash(sha256: str | None, named: list[str]) -> None:
    """Raise UsageError for a hash that is none, or that is not for exactly one file."""
    if sha256 is None:
        return
    if len(named) != 1:
        raise UsageError("--sha256 needs exactly one file")
    if not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise UsageError(
            f"--sha256 {sha256}: a sha256 has 64 hexadecimal digits, as printed by sha256sum"
        )


def _verify_file(path: Path, checks: _Checks) -> bool:
    """Check a file and say what is found; False if it answers too few puzzles.

    Raises WeightsError for a file that is damaged or not the expected one.
    """
    from trmsolve.weights.card import parameters
    from trmsolve.weights.file import check_whole, read_info
    from trmsolve.weights.graph import is_graph
    from trmsolve.weights.limits import expected_shapes

    if is_graph(path):
        return _verify_graph(path, checks)
    about = read_info(path)
    _verify_hash(path, checks)
    check_whole(path, allow_large=checks.allow_large)
    _say_fact("checksum", "correct" if about.checksum else "not stored")
    tensors = len(expected_shapes(about.config))
    numbers = f"{parameters(about.config):,} parameters"
    _say_fact("tensors", f"{tensors}, shapes as configured, all values finite, {numbers}")
    return not checks.puzzles or _verify_score(path, about, checks)


def _verify_graph(path: Path, checks: _Checks) -> bool:
    """As ``_verify_file``, for a graph."""
    from trmsolve.puzzles.registry import task_names
    from trmsolve.solve.backend import is_runtime_installed
    from trmsolve.weights.graph import read_graph

    graph = read_graph(path, allow_large=checks.allow_large)
    _verify_hash(path, checks)
    _say_fact("operators", f"of opset {graph.opset}, all allowed, no data in other files")
    _say_fact("made from", _source_of_graph(path, graph.fingerprint))
    if not checks.puzzles:
        return True
    if not is_runtime_installed():
        _say_fact("smoke", f"skipped: it needs onnxruntime: {install_hint('onnx')}")
        return True
    if graph.info.task not in task_names():
        task = graph.info.task or "an unknown task"
        _say_fact("smoke", f"skipped: no command solves {task} from a graph")
        return True
    on_cpu = replace(checks, where={"threads": checks.where["threads"]})
    return _verify_score(path, graph.info, on_cpu)


def _source_of_graph(path: Path, fingerprint: str) -> str:
    """The weights that a graph was made from, and whether those beside it are the same."""
    from trmsolve.weights.file import fingerprint as fingerprint_of

    beside = path.with_suffix(".safetensors")
    if not beside.is_file():
        return f"weights {fingerprint[:12]}"
    same = "" if fingerprint_of(beside) == fingerprint else "not "
    return f"weights {fingerprint[:12]}, {same}those of {beside.name} beside it"


def _verify_hash(path: Path, checks: _Checks) -> None:
    """Say the hash of a file. Raises WeightsError if it is not the expected or pinned one."""
    from trmsolve.files import sha256
    from trmsolve.weights.catalog import pinned

    pin = pinned(path) if checks.sha256 is None else (checks.sha256.lower(), "--sha256")
    found = sha256(path)
    if pin is not None and found != pin[0]:
        raise WeightsError(
            f"{path} is not the expected file: its sha256 is {found}, but {pin[1]} says {pin[0]}"
        )
    _say_fact("sha256", found)
    _say_fact("pinned", "no" if pin is None else f"matches {pin[1]}")


def _verify_score(path: Path, about: "WeightsInfo", checks: _Checks) -> bool:
    """Have the weights answer easy puzzles and say the score; False if it is too low."""
    from trmsolve.cli.weights.smoke import TASKS, smoke
    from trmsolve.show.console import make_console
    from trmsolve.show.displays import BarLine

    if about.task not in TASKS:
        task = about.task or "an unknown task"
        _say_fact("smoke", f"skipped: there are no puzzles for {task}")
        return True
    if about.task == "arc" and about.config.mixer != "planes":
        _say_fact(
            "smoke",
            "skipped: a network as in the paper only knows the ARC tasks of its table, "
            "which are not available here",
        )
        return True
    with BarLine(make_console()) as line:

        def say_progress(done: int) -> None:
            line.share(done / checks.puzzles, f"{done} of {checks.puzzles} easy puzzles")

        say_progress(0)
        score = smoke(
            path,
            about.task,
            checks.puzzles,
            allow_large=checks.allow_large,
            **checks.where,
            told=say_progress,
        )
    what = "small tasks learned and answered" if about.task == "arc" else "easy puzzles verified"
    _say_fact("smoke", f"{score.right} of {score.n} {what}, {score.seconds:.1f} s")
    return score.right >= LEAST * score.n


def _say_fact(name: str, text: str) -> None:
    put(fact_line(name, text))
