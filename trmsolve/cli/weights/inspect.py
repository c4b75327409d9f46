"""``trmsolve weights list`` and ``info``: which weights there are, and what they are."""

import json as json_
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.complete import complete_named_weights
from trmsolve.cli.streams import put, put_text, say
from trmsolve.wording import printable_line

if TYPE_CHECKING:
    from trmsolve.weights.catalog import LocalWeights
    from trmsolve.weights.info import WeightsInfo
    from trmsolve.weights.public import PublicCheckpoint

Named = Annotated[
    str,
    typer.Argument(
        metavar="FILE|NAME|hf://USER/REPO[@REV]",
        show_default=False,
        autocompletion=complete_named_weights,
    ),
]

MOST_PUZZLES = 10**9
"""Above all numbers of puzzles that a record may claim."""


def list_(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """List bundled weights, weights in the hub's cache, and public checkpoints with short names.

    Nothing is downloaded. Public checkpoints are pickles: `weights convert NAME` converts them to
    weights. Their scores are as published by their authors.

    \b
    Examples:
    trmsolve weights list --json

    \b
    Exit codes
    0  the list is printed
    3  weights on this machine are damaged
    5  the output cannot be written
    141  the reader of the output has left
    """  # noqa: D301 (click reads the character \b)
    from trmsolve.weights.catalog import list_local
    from trmsolve.weights.public import PUBLIC

    rows = [_local_row(local) for local in list_local()]
    rows += [_public_row(public) for public in PUBLIC]
    if json:
        for row in rows:
            put(json_.dumps(row))
    else:
        put_text(_table(rows))


def info(
    named: Named,
    json: options.JsonObject = False,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
) -> None:
    """Show the configuration, training, scores and hashes of weights, or of a graph made from them.

    The values of the weights are not read into memory.

    \b
    Examples:
    trmsolve weights info sudoku

    \b
    Exit codes
    0  the description is printed
    3  the weights are missing or damaged
    4  the weights cannot be downloaded
    5  the output cannot be written
    141  the reader of the output has left
    """  # noqa: D301 (click reads the character \b)
    from trmsolve.files import sha256
    from trmsolve.weights.card import parameters
    from trmsolve.weights.catalog import pinned, resolve
    from trmsolve.weights.file import fingerprint, read_info
    from trmsolve.weights.graph import is_graph, read_graph

    path = resolve(named, offline=offline, allow_large=allow_large, note=say)
    graph = read_graph(path, allow_large=allow_large) if is_graph(path) else None
    about = read_info(path) if graph is None else graph.info
    pin = pinned(path)
    facts: dict[str, Any] = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "pinned": None if pin is None else pin[0],
        "fingerprint": fingerprint(path) if graph is None else graph.fingerprint,
        "task": about.task,
        "parameters": parameters(about.config),
        "config": about.config.to_dict(),
        "training": about.training,
        "scores": about.scores,
    }
    if graph is not None:
        facts["graph"] = {"opset": graph.opset, "inputs": graph.inputs, "outputs": graph.outputs}
    put_text(json_.dumps(facts) if json else _described(facts, about))


def headline(about: "WeightsInfo") -> str:
    """The first score on record, in a few words."""
    rates = [_rate(figures) for figures in about.scores.values() if isinstance(figures, dict)]
    if not rates:
        return "not measured"
    return rates[0] if len(rates) == 1 else f"{rates[0]}, and {len(rates) - 1} more"


def score_lines(about: "WeightsInfo") -> list[str]:
    """A line for each score on record."""
    lines = []
    for name, figures in about.scores.items():
        if isinstance(figures, dict):
            lines.append(f"{_rate(figures)}: {name}")
    return lines


def _local_row(local: "LocalWeights") -> dict[str, Any]:
    from trmsolve.weights.described import stored_parameters

    return {
        "name": local.name,
        "where": local.where,
        "task": local.info.task,
        "parameters": stored_parameters(local.path),
        "score": headline(local.info),
        "path": str(local.path),
    }


def _public_row(public: "PublicCheckpoint") -> dict[str, Any]:
    figure = f"{public.figure}, as published" if public.figure else "no figure published"
    return {
        "name": public.name,
        "where": "public",
        "task": public.task,
        "parameters": None,
        "score": figure,
        "path": public.address,
    }


def _table(rows: list[dict[str, Any]]) -> str:
    """A table of the rows; each column is as wide as its longest text."""
    lines: list[tuple[str, ...]] = [("name", "task", "parameters", "where", "score")]
    for row in rows:
        number = "" if row["parameters"] is None else f"{row['parameters']:,}"
        texts = (row["name"], row["task"], number, row["where"], row["score"])
        lines.append(tuple(printable_line(text) for text in texts))
    columns = zip(*lines, strict=True)
    widths = [max(len(text) for text in column) for column in columns]
    padded = []
    for line in lines:
        cells = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        padded.append("  ".join(cells).rstrip())
    return "\n".join(padded)


def _rate(figures: dict[str, Any]) -> str:
    """The rates that the task is judged by, and the number of puzzles."""
    keys = ("pass@2",) if figures.get("task") == "arc" else ("exact", "verified")
    rates = {}
    for key in keys:
        rate = figures.get(key)
        # A stranger's record may hold anything.
        if rate is not None and type(rate) in (int, float) and 0 <= rate <= 1:
            rates[key] = rate
    if rates.get("exact") == rates.get("verified"):
        # All verified answers were the data's own, so that one of the two rates says it all.
        rates.pop("verified", None)
    texts = [f"{rate:.1%} {key}" for key, rate in rates.items()]
    n = figures.get("n")
    is_number = type(n) is int and 0 < n < MOST_PUZZLES
    return f"{', '.join(texts) or 'no rate'} of {n if is_number else '?'}"


def _described(facts: dict[str, Any], about: "WeightsInfo") -> str:
    """The facts about a file, a line each."""
    config = [f"{name} = {value}" for name, value in facts["config"].items()]
    training = [f"{name} = {json_.dumps(value)}" for name, value in about.training.items()]
    lines = [
        printable_line(facts["file"]),
        fact_line("task", about.task or "unknown"),
        fact_line("parameters", f"{facts['parameters']:,}"),
        fact_line("bytes", f"{facts['bytes']:,}"),
        fact_line("sha256", facts["sha256"] + _as_pinned(facts)),
        fact_line("fingerprint", facts["fingerprint"][:12]),
        fact_line("checksum", "stored" if about.checksum else "not stored"),
        *_graph_lines(facts.get("graph")),
        *_block("config", config),
        *_block("training", training),
        *_block("scores", score_lines(about) or ["not measured"]),
    ]
    return "\n".join(lines)


def _graph_lines(graph: dict[str, Any] | None) -> list[str]:
    """The version of the operators, and the shapes of inputs and outputs."""
    if graph is None:
        return []
    lines = [fact_line("opset", str(graph["opset"]))]
    for what in ("inputs", "outputs"):
        shapes = graph[what].items()
        texts = [f"{name} ({', '.join(map(str, shape))})" for name, shape in shapes]
        lines += _block(what, texts)
    return lines


def _as_pinned(facts: dict[str, Any]) -> str:
    """Whether the hash is the pinned one; empty if none is pinned."""
    if facts["pinned"] is None:
        return ""
    is_same = facts["pinned"] == facts["sha256"]
    return ", matches the pinned hash" if is_same else f", but the pinned hash is {facts['pinned']}"


def _block(name: str, texts: list[str]) -> list[str]:
    """Lines of which only the first carries the name."""
    lines = []
    for number, text in enumerate(texts):
        shown = "" if number else name
        lines.append(fact_line(shown, text))
    return lines


def fact_line(name: str, text: str) -> str:
    """A line with the name of a fact and the fact itself."""
    return f"  {name:12}{printable_line(text)}"
