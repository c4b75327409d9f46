"""The files that are published with weights: a model card, the config, and measured figures.

All of it comes from the file's own record and the ``eval`` files beside it. Nothing is claimed that
was not measured on exactly these weights. The module knows files and text. It does not know
networks.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trmsolve.errors import WeightsError
from trmsolve.files import read_small, reason, sha256
from trmsolve.hub.client import understood
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles.registry import get_task, task_names
from trmsolve.weights.file import fingerprint, read_info
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.limits import expected_shapes
from trmsolve.weights.names import TABLE
from trmsolve.wording import count, size_text

ARC = ("ARC-AGI", "arc task.json")
"""The title and the example of the task that is no puzzle of the registry."""

METRICS = {
    "exact": "share of puzzles answered exactly as in the data",
    "verified": "share of answers that the rules accept",
    "optimal": "mazes only: share of answers with a shortest path",
    "pass@2": "ARC only: for each task, the share of its tests that one of two attempts answers; "
    "the mean over all tasks",
    "pass@1": "ARC only: the same, with the first attempt only",
}
"""The rates that a card may show, and their meanings."""

REPOSITORY = "https://github.com/trmsolve/trmsolve"
"""Where the program is: it is on no package index."""

INTRODUCTION = (
    "A Tiny Recursive Model is one small network that reads a puzzle and its own last "
    "answer, and improves the answer cycle by cycle until it decides that it is done "
    "([arXiv 2510.04871](https://arxiv.org/abs/2510.04871)). Its depth comes from "
    "applying the same few layers again and again. This one has {amount}."
)
CLASSIC = (
    "A classic solver is faster and always correct. These weights are for watching and "
    "studying how a network reasons."
)
"""What the card says about puzzles that an ordinary program solves."""

MARKUP = "|<>`*[]\\"
"""Characters that mean something in Markdown or HTML."""

FINGERPRINT_DIGITS = 12
"""How many digits of a fingerprint figures carry."""


class Result(NamedTuple):
    """A measured rate."""

    data: str
    effort: str
    metric: str
    value: float
    """A fraction of ``n``."""
    n: int
    """The number of puzzles or tasks."""
    interval: tuple[float, float] | None
    """The 95 % interval, where it was recorded."""

    @property
    def interval_text(self) -> str:
        """``23.7% to 76.3%``; empty where there is no interval."""
        if self.interval is None:
            return ""
        low, high = self.interval
        return f"{low:.1%} to {high:.1%}"

    @property
    def in_words(self) -> str:
        """On how much data the rate was measured, how sure it is, and with which effort."""
        interval = f", 95 % interval {self.interval_text}" if self.interval else ""
        return f"n = {self.n}{interval}, {self.effort}"


def package(path: Path, repo: str) -> dict[str, bytes]:
    """The files to publish for a weights file in the repository ``user/name``, by their names.

    They are the weights, their config, the card, and the ``*eval.*.json`` files beside the weights
    that were measured on them. Raises WeightsError if ``path`` is no weights file, OSError if it
    cannot be read.
    """
    info = read_info(path)
    measured = eval_files(path)
    figures = [*info.scores.values()]
    figures += [json.loads(text) for text in measured.values()]
    config = {"task": info.task, **info.config.to_dict()}
    return {
        "model.safetensors": path.read_bytes(),
        "config.json": (json.dumps(config, indent=2) + "\n").encode(),
        "README.md": card(path, repo, results_of(figures, path)).encode(),
        **measured,
    }


def card(path: Path, repo: str, results: list[Result]) -> str:
    """The README.md of a weights file in the repository ``user/name``.

    The results are in its model index, which the hub reads, and in a table for people.
    """
    info = read_info(path)
    title, example = _title_and_example(info.task)
    name = repo.rpartition("/")[2]
    use = f"{example} --weights" if example else "weights info"
    has_classic_solver = info.task in task_names()
    lines = [
        "---",
        _front_matter(name, info.task, results),
        "---",
        "",
        f"# {name}: a Tiny Recursive Model for {title}",
        "",
        INTRODUCTION.format(amount=_amount(info)),
        "",
        *([CLASSIC, ""] if has_classic_solver else []),
        "## Use",
        "",
        "```sh",
        f"git clone {REPOSITORY} && pip install ./trmsolve",
        f"trmsolve {use} hf://{repo}",
        "```",
        "",
        "## Measured",
        "",
        *_measured(results),
        "## Training",
        "",
        *_training(info.training),
        "## Files",
        "",
        *_facts(path, info.config),
    ]
    return "\n".join(lines)


def front_matter(name: str, fields: Mapping[str, Any], results: list[dict[str, Any]]) -> str:
    """The header of a model card, as YAML.

    ``results`` are the fields of ``EvalResult``, for the model index. Raises NetworkError if the
    environment makes no sense for the hub's library.
    """
    with understood():
        from huggingface_hub.repocard_data import EvalResult, ModelCardData

    measured = [EvalResult(**result) for result in results]
    data = ModelCardData(
        model_name=name if measured else None, eval_results=measured or None, **fields
    )
    return str(data.to_yaml())


def results_of(figures: Iterable[Any], path: Path) -> list[Result]:
    """The rates in figures as ``trmsolve eval`` gives them, each once.

    Figures that were measured on other weights are left out.
    """
    mark = fingerprint(path)[:FINGERPRINT_DIGITS]
    found: dict[Result, None] = {}
    for each in figures:
        if isinstance(each, dict) and _is_of(each, mark):
            found |= dict.fromkeys(_rates(each))
    return list(found)


def eval_files(path: Path) -> dict[str, bytes]:
    """The files of figures beside the weights that were measured on exactly these weights.

    Their names are ``eval.*.json`` or ``NAME.eval.*.json``, and begin with ``eval`` in the result.
    Raises WeightsError for a file that holds no figures.
    """
    mark = fingerprint(path)[:FINGERPRINT_DIGITS]
    kept = {}
    for pattern in ("eval.*.json", f"{path.stem}.eval.*.json"):
        for beside in sorted(path.parent.glob(pattern)):
            text, figures = _read_figures(beside)
            if isinstance(figures, dict) and _is_of(figures, mark):
                kept[beside.name.removeprefix(f"{path.stem}.")] = text
    return kept


def parameters(config: TRMConfig) -> int:
    """How many numbers were learned, without the table of puzzles, which grows with the data."""
    total = 0
    for name, shape in expected_shapes(config).items():
        if name != TABLE and not name.endswith("_init"):
            total += shape.numel()
    return total


def _title_and_example(name: str) -> tuple[str, str]:
    """The task's title, and the arguments that solve one of its puzzles; "" for an unknown task."""
    if name == "arc":
        return ARC
    if name not in task_names():
        return "Puzzles", ""
    task = get_task(name)
    return task.title, f"{name} {task.example_file}"


def _front_matter(name: str, task: str, results: list[Result]) -> str:
    task_tag = _line(task)
    tags = ["tiny-recursive-model", "trm", *([task_tag] if task_tag else [])]
    index = [
        {
            "task_type": "puzzle-solving",
            "task_name": _title_and_example(task)[0],
            "dataset_type": _slug(result.data),
            "dataset_name": result.data,
            "metric_type": result.metric,
            "metric_value": result.value,
            "metric_name": f"{result.metric} ({result.in_words})",
        }
        for result in results
    ]
    return front_matter(name, {"library_name": "trmsolve", "tags": tags}, index).strip()


def _read_figures(path: Path) -> tuple[bytes, Any]:
    """The content of a file of figures, as it is and parsed. Raises WeightsError."""
    try:
        text = read_small(path)
        return text, json.loads(text)
    except RecursionError:
        problem = "the JSON is nested too deeply"
    except (OSError, ValueError) as error:
        problem = reason(error)
    raise WeightsError(f"{path} is not a file of scores, move it to another folder: {problem}")


def _is_of(figures: Mapping[str, Any], mark: str) -> bool:
    """Whether the figures name the weights of this fingerprint, as ``name@fingerprint``."""
    weights = str(figures.get("weights", ""))
    return weights.rpartition("@")[2] == mark


def _rates(figures: Mapping[str, Any]) -> list[Result]:
    """The rates in one object of ``trmsolve eval``; none if it does not say of how many puzzles."""
    n = figures.get("n")
    if type(n) is not int or n <= 0:
        return []
    found = []
    for metric in METRICS:
        value = _rate(figures.get(metric))
        if value is not None:
            interval = _interval(figures.get(f"{metric}_ci95"))
            found.append(Result(_data(figures), _effort(figures), metric, value, n, interval))
    return found


def _rate(value: Any) -> float | None:
    """The value if it is a number from 0 to 1; a stranger's record may hold anything."""
    is_rate = type(value) in (int, float) and 0 <= value <= 1
    return float(value) if is_rate else None


def _interval(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    low = _rate(value[0])
    high = _rate(value[1])
    return None if low is None or high is None else (low, high)


def _data(figures: Mapping[str, Any]) -> str:
    """The data that was measured on, and which part of it."""
    parts = [str(figures.get("data", "data not named"))]
    sample = figures.get("sample")
    limit = figures.get("limit")
    if sample is not None:
        parts.append(f"{sample} tasks drawn with seed {figures.get('seed')}")
    elif limit is not None:
        parts.append(f"the first {limit}")
    if figures.get("interrupted"):
        parts.append("interrupted")
    return _line(", ".join(parts))


def _effort(figures: Mapping[str, Any]) -> str:
    """The cycles, views and steps of learning that were spent on a puzzle."""
    parts = [_count(figures.get("cycles"), "cycle"), _count(figures.get("views"), "view")]
    steps = figures.get("steps")
    if steps:
        parts.append(_count(steps, "step") + " of learning per task")
    return ", ".join(part for part in parts if part) or "effort not recorded"


def _count(number: Any, noun: str) -> str:
    return count(number, noun) if type(number) is int else ""


def _measured(results: list[Result]) -> list[str]:
    """The lines of the table of results."""
    if not results:
        return ["not measured", ""]
    lines = ["| data | n | effort | rate | value | 95 % interval |", "|---|---:|---|---|---:|---|"]
    for result in results:
        cells = (
            _plain(result.data),
            str(result.n),
            result.effort,
            result.metric,
            f"{result.value:.1%}",
            result.interval_text,
        )
        lines.append(f"| {' | '.join(cells)} |")
    measured = {result.metric for result in results}
    used = [metric for metric in METRICS if metric in measured]
    meanings = "; ".join(f"*{metric}*: {METRICS[metric]}" for metric in used)
    return [*lines, "", f"Measured with `trmsolve eval` on *n* puzzles or tasks. {meanings}.", ""]


def _training(record: Mapping[str, Any]) -> list[str]:
    """The lines about training: one for each entry of the record, and the settings as JSON."""
    if not record:
        return ["not recorded", ""]
    lines = []
    for name, value in record.items():
        if name != "settings" and value not in (None, "", {}, []):
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f"* {_plain(name)}: {_plain(text)}")
    lines.append("")
    settings = record.get("settings")
    if settings:
        lines += ["```json", json.dumps(settings), "```", ""]
    return lines


def _facts(path: Path, config: TRMConfig) -> list[str]:
    """The lines about the files."""
    size = size_text(path.stat().st_size)
    shape = f"{config.mixer} mixer, {config.layers} layers, hidden size {config.hidden_size}"
    mark = fingerprint(path)[:FINGERPRINT_DIGITS]
    return [
        f"* `model.safetensors`: {size}, {shape}; sha256 `{sha256(path)}`, fingerprint "
        f"in the scores `{mark}`",
        "* `config.json`: the architecture",
        "",
    ]


def _amount(info: WeightsInfo) -> str:
    text = f"{parameters(info.config):,} parameters"
    if info.config.puzzle_emb_dim and info.config.num_puzzles:
        text += f", and a table of {info.config.num_puzzles:,} puzzles"
    return text


def _line(text: object) -> str:
    """The text on one line."""
    return " ".join(str(text).split())


def _plain(text: object) -> str:
    """The text on one line, with all markup escaped."""
    characters = (f"\\{each}" if each in MARKUP else each for each in _line(text))
    return "".join(characters)


def _slug(text: str) -> str:
    """The text up to the first comma, as lower-case letters, digits and hyphens."""
    characters = (each if each.isalnum() else "-" for each in text.partition(",")[0])
    return "".join(characters).strip("-").lower()
