"""``trmsolve weights``: what weights there are, what is in them, and whether they are what they should be."""

import json as json_
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.output import put, put_text
from trmsolve.cli.weights.convert import convert
from trmsolve.cli.weights.hub import pull, push
from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.wording import printable_line

if TYPE_CHECKING:
    from trmsolve.weights.file import WeightsInfo

app = typer.Typer(
    name="weights",
    help="List, inspect, verify, convert, pull and push weights.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Named = Annotated[str, typer.Argument(metavar="FILE|NAME|hf://USER/REPO[@REV]", show_default=False)]
LEAST = 0.5
"""The share of a smoke score below which weights are taken for broken."""


def list_(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the weights that are bundled, those in the hub's cache, and public checkpoints by short names.

    Nothing is fetched, whatever is listed. What is public is a pickle: `weights convert NAME` makes
    weights of it. Its figures are its publishers'.
    """
    from trmsolve.weights.card import parameters
    from trmsolve.weights.catalog import kept
    from trmsolve.weights.public import PUBLIC

    rows = [
        {
            "name": one.name,
            "where": one.where,
            "task": one.info.task,
            "parameters": parameters(one.info.config),
            "score": headline(one.info),
            "path": str(one.path),
        }
        for one in kept()
    ]
    rows += [
        {
            "name": one.name,
            "where": "public",
            "task": one.task,
            "parameters": None,
            "score": f"{one.figure}, as published" if one.figure else "no figure published",
            "path": one.address,
        }
        for one in PUBLIC
    ]
    if json:
        for row in rows:
            put(json_.dumps(row))
    else:
        put_text(_listed(rows))


def info(
    named: Named,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
) -> None:
    """Say what weights are: configuration, training, scores, hashes.

    Their values are not read into memory.
    """
    from trmsolve.files import sha256
    from trmsolve.weights.card import parameters
    from trmsolve.weights.catalog import locate, pinned
    from trmsolve.weights.file import fingerprint, read_info

    path = locate(named, offline=offline, allow_large=allow_large, note=options.say)
    about = read_info(path)
    facts: dict[str, Any] = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "pinned": (pin := pinned(path)) and pin[0],
        "fingerprint": fingerprint(path),
        "task": about.task,
        "parameters": parameters(about.config),
        "config": about.config.to_dict(),
        "training": about.training,
        "scores": about.scores,
    }
    put_text(json_.dumps(facts) if json else _described(facts, about))


def verify(
    named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|NAME|hf://USER/REPO[@REV]]...", show_default="all that are bundled"
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The hash that the file should have.", show_default=False),
    ] = None,
    puzzles: Annotated[
        int, typer.Option(min=0, max=10_000, help="Puzzles of the smoke score; 0 is none.")
    ] = 20,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
) -> None:
    """Check weights: their hash against the pinned one, every tensor, and the score on a few easy puzzles.

    \b
    Exit codes
    0  all is as it should be
    1  weights are whole, but answer less than half of the puzzles
    3  weights are missing, damaged, or not the ones that are pinned
    4  they cannot be fetched
    """
    from trmsolve.device import keep_memory
    from trmsolve.weights.catalog import BUNDLED, locate

    if sha256 is not None and len(named or ()) != 1:
        raise UsageError("--sha256 is of one file: name one")
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise UsageError(
            f"--sha256 {sha256}: a hash has 64 digits from 0 to f, as sha256sum prints it"
        )
    keep_memory()
    code = 0
    for one in named or BUNDLED:
        try:
            path = locate(one, offline=offline, allow_large=allow_large, note=options.say)
            alive = _verified(
                path, sha256, puzzles, allow_large, device=device, dtype=dtype, threads=threads
            )
            code = max(code, 0 if alive else 1)
        except (WeightsError, NetworkError) as error:  # the others are looked at all the same
            options.say(f"trmsolve: {error}")
            code = max(code, error.exit_code)
    if code:
        raise typer.Exit(code)


def _verified(
    path: Path, expected: str | None, puzzles: int, allow_large: bool, **where: Any
) -> bool:
    """Say what is found out about a file; False if it answers too few puzzles.

    Raises WeightsError if it is odd.
    """
    from trmsolve.cli.weights.smoke import TASKS, smoke
    from trmsolve.files import sha256
    from trmsolve.show.console import make_console
    from trmsolve.show.views import StatusLine
    from trmsolve.weights.card import parameters
    from trmsolve.weights.catalog import pinned
    from trmsolve.weights.file import check_whole, read_info
    from trmsolve.weights.limits import expected_shapes

    put(str(path))
    about = read_info(path)
    pin = (expected.lower(), "--sha256") if expected is not None else pinned(path)
    found = sha256(path)
    if pin is not None and found != pin[0]:
        raise WeightsError(
            f"{path} is not the file it should be: sha256 is {found}, {pin[1]} says {pin[0]}"
        )
    _fact("sha256", found)
    _fact("pinned", f"the same, by {pin[1]}" if pin else "nowhere")
    check_whole(path, allow_large=allow_large)
    _fact("checksum", "right" if about.checksum else "none inside")
    tensors = len(expected_shapes(about.config))
    _fact(
        "tensors", f"{tensors}, as configured and finite, {parameters(about.config):,} parameters"
    )
    if not puzzles:
        return True
    if about.task not in TASKS:
        _fact("smoke", f"none: there are no puzzles for {about.task or 'a task that is not named'}")
        return True
    if about.task == "arc" and about.config.mixer != "planes":
        _fact(
            "smoke",
            "none: a network of the paper's form answers the ARC tasks of its table, which are not here",
        )
        return True
    with StatusLine(make_console()) as line:
        line.status(f"0 of {puzzles} easy puzzles")
        score = smoke(
            path,
            about.task,
            puzzles,
            allow_large=allow_large,
            **where,
            told=lambda done: line.status(f"{done} of {puzzles} easy puzzles"),
        )
    what = "little tasks learned and answered" if about.task == "arc" else "easy puzzles verified"
    _fact("smoke", f"{score.right} of {score.n} {what}, {score.seconds:.1f} s")
    return score.right >= LEAST * score.n


def headline(about: "WeightsInfo") -> str:
    """The first score on record, in a few words."""
    rates = [_rate(figures) for figures in about.scores.values() if isinstance(figures, dict)]
    return (
        "not measured"
        if not rates
        else rates[0] + (f", and {len(rates) - 1} more" if rates[1:] else "")
    )


def score_lines(about: "WeightsInfo") -> list[str]:
    """A line for each score on record."""
    return [
        f"{_rate(figures)}: {name}"
        for name, figures in about.scores.items()
        if isinstance(figures, dict)
    ]


def _rate(figures: dict[str, Any]) -> str:
    """The rate that the task is judged by, with how many puzzles it is of."""
    keys = ("pass@2",) if figures.get("task") == "arc" else ("exact", "verified")
    found = {
        key: rate
        for key in keys
        if (rate := figures.get(key)) is not None and type(rate) in (int, float)
    }
    found = {
        key: rate for key, rate in found.items() if 0 <= rate <= 1
    }  # a stranger's record may say anything
    if len(set(found.values())) == 1:  # one view's: what is exact is verified, and nothing else is
        found = {key: found[key] for key in list(found)[:1]}
    rates = [f"{rate:.1%} {key}" for key, rate in found.items()]
    n = figures.get("n")
    return f"{', '.join(rates) or 'no rate'} of {n if type(n) is int and 0 < n < 10**9 else '?'}"


def _listed(rows: list[dict[str, Any]]) -> str:
    """A table of them, each column as wide as it has to be."""
    cells: list[tuple[str, ...]] = [("name", "task", "parameters", "where", "score")]
    for row in rows:
        number = "" if row["parameters"] is None else f"{row['parameters']:,}"
        texts = (row["name"], row["task"], number, row["where"], row["score"])
        cells.append(tuple(map(printable_line, texts)))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _described(facts: dict[str, Any], about: "WeightsInfo") -> str:
    pin = facts["pinned"]
    as_pinned = (
        "" if pin is None else ", as pinned" if pin == facts["sha256"] else f", but pinned is {pin}"
    )
    lines = [
        printable_line(facts["file"]),
        _line("task", about.task or "not said"),
        _line("parameters", f"{facts['parameters']:,}"),
        _line("bytes", f"{facts['bytes']:,}"),
        _line("sha256", facts["sha256"] + as_pinned),
        _line("fingerprint", facts["fingerprint"][:12]),
        _line("checksum", "inside" if about.checksum else "none inside"),
        *_block("config", [f"{name} = {value}" for name, value in facts["config"].items()]),
        *_block(
            "training", [f"{name} = {json_.dumps(value)}" for name, value in about.training.items()]
        ),
        *_block("scores", score_lines(about) or ["not measured"]),
    ]
    return "\n".join(lines)


def _block(name: str, lines: list[str]) -> list[str]:
    return [_line(name if not number else "", line) for number, line in enumerate(lines)]


def _line(name: str, text: str) -> str:
    return f"  {name:12}{printable_line(text)}"


def _fact(name: str, text: str) -> None:
    put(_line(name, text))


app.command("list")(list_)
app.command()(info)
app.command()(verify)
app.command()(convert)
app.command()(pull)
app.command()(push)
