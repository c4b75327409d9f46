"""What is published with weights: a card that says what they are and what they scored, their config, their figures.

All of it comes from the file's own record and the ``eval`` files beside it; nothing is claimed that
was not measured on just these weights. Knows files and text; nothing of networks.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from trmsolve.errors import WeightsError
from trmsolve.files import read_small, reason, sha256
from trmsolve.hub.transfer import front_matter, size_text
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles import get_task, task_names
from trmsolve.weights.file import TABLE, WeightsInfo, fingerprint, read_info
from trmsolve.weights.limits import expected_shapes

ARC = ("ARC-AGI", "arc task.json")
"""As ``_title_and_example`` for the task that is no puzzle of the registry."""
METRICS = {
    "exact": "the data's own answer, cell for cell",
    "verified": "answers that the rules accept",
    "optimal": "of mazes: a shortest path",
    "pass@2": "ARC: the mean over the tasks of the share of their tests that are right in one of two attempts",
    "pass@1": "ARC: the same for the first attempt alone",
}
CLASSIC = "A classic solver is faster and always right; these are for watching and studying how a network reasons."


class Result(NamedTuple):
    """A measured rate, a fraction of ``n``; ``interval`` is its 95 % interval where it was recorded."""

    data: str
    effort: str
    metric: str
    value: float
    n: int
    interval: tuple[float, float] | None

    @property
    def in_words(self) -> str:
        """How sure it is."""
        sure = (
            f", 95 % interval {self.interval[0]:.1%} to {self.interval[1]:.1%}"
            if self.interval
            else ""
        )
        return f"n = {self.n}{sure}, {self.effort}"


def package(path: Path, repo: str) -> dict[str, bytes]:
    """What is published of a weights file in the repository ``user/name``: names and contents.

    The weights, their config, the card, and the ``*eval.*.json`` files beside them that were
    measured on them. Raises WeightsError if it is no weights file, OSError if it cannot be read.
    """
    info = read_info(path)
    measured = eval_files(path)
    figures = [*info.scores.values(), *(json.loads(text) for text in measured.values())]
    config = {"task": info.task, **info.config.to_dict()}
    return {
        "model.safetensors": path.read_bytes(),
        "config.json": (json.dumps(config, indent=2) + "\n").encode(),
        "README.md": card(path, repo, results_of(figures, path)).encode(),
        **measured,
    }


def card(path: Path, repo: str, results: list[Result]) -> str:
    """The README.md of the weights file in the repository ``user/name``, with these results in its model index."""
    info = read_info(path)
    fields = {
        "library_name": "trmsolve",
        "tags": ["tiny-recursive-model", "trm", *filter(None, [_line(info.task)])],
    }
    title, example = _title_and_example(info.task)
    index = [
        {
            "task_type": "puzzle-solving",
            "task_name": title,
            "dataset_type": _slug(result.data),
            "dataset_name": result.data,
            "metric_type": result.metric,
            "metric_value": result.value,
            "metric_name": f"{result.metric} ({result.in_words})",
        }
        for result in results
    ]
    name = repo.rpartition("/")[2]
    use = f"{example} --weights" if example else "weights info"
    lines = [
        "---",
        front_matter(name, fields, index).strip(),
        "---",
        "",
        f"# {name}: a Tiny Recursive Model for {title}",
        "",
        "A Tiny Recursive Model is one small network that reads a puzzle and its own last answer, and improves the "
        "answer cycle by cycle until it judges itself done ([arXiv 2510.04871](https://arxiv.org/abs/2510.04871)). Its "
        f"depth comes from going through the same few layers again and again: this one has {_amount(info)}.",
        "",
        *([CLASSIC, ""] if info.task in task_names() else []),
        "## Use",
        "",
        "```sh",
        "pip install trmsolve",
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


def _title_and_example(name: str) -> tuple[str, str]:
    """The task's title, and the arguments that solve one of its puzzles; "" for an unknown task."""
    if name == "arc":
        return ARC
    if name not in task_names():
        return "Puzzles", ""
    task = get_task(name)
    return task.title, f"{name} {task.example_file}"


def results_of(figures: Iterable[Any], path: Path) -> list[Result]:
    """The rates in figures as ``trmsolve eval`` gives them, each once; those of other weights are left out."""
    mark = fingerprint(path)[:12]
    found: dict[Result, None] = {}
    for each in figures:
        if (
            isinstance(each, dict)
            and _is_of(each, mark)
            and type(n := each.get("n")) is int
            and n > 0
        ):
            for metric in METRICS:
                if (value := _rate(each.get(metric))) is not None:
                    interval = _interval(each.get(f"{metric}_ci95"))
                    found[Result(_data(each), _effort(each), metric, value, n, interval)] = None
    return list(found)


def eval_files(path: Path) -> dict[str, bytes]:
    """The figures in files beside the weights, ``NAME.eval.*.json`` or ``eval.*.json``, that are of just these."""
    mark, kept = fingerprint(path)[:12], {}
    for pattern in ("eval.*.json", f"{path.stem}.eval.*.json"):
        for beside in sorted(path.parent.glob(pattern)):
            try:
                text = read_small(beside)
                figures = json.loads(text)
            except RecursionError:
                raise WeightsError(
                    f"{beside} is no file of figures, move it away: it is nested too deeply"
                ) from None
            except (OSError, ValueError) as error:
                raise WeightsError(
                    f"{beside} is no file of figures, move it away: {reason(error)}"
                ) from None
            if isinstance(figures, dict) and _is_of(figures, mark):
                kept[beside.name.removeprefix(f"{path.stem}.")] = text
    return kept


def parameters(config: TRMConfig) -> int:
    """How many numbers were learned, but for the table of puzzles, which grows with the data."""
    shapes = expected_shapes(config).items()
    return sum(
        shape.numel() for name, shape in shapes if name != TABLE and not name.endswith("_init")
    )


def _is_of(figures: Mapping[str, Any], mark: str) -> bool:
    """Whether they were measured on the weights of this fingerprint, as ``name@fingerprint`` tells."""
    return str(figures.get("weights", "")).rpartition("@")[2] == mark


def _rate(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value <= 1 else None


def _interval(value: Any) -> tuple[float, float] | None:
    if isinstance(value, list) and len(value) == 2:
        low, high = map(_rate, value)
        if low is not None and high is not None:
            return low, high
    return None


def _data(figures: Mapping[str, Any]) -> str:
    parts = [str(figures.get("data", "data not named"))]
    if (sample := figures.get("sample")) is not None:
        parts.append(f"{sample} tasks drawn with seed {figures.get('seed')}")
    elif (limit := figures.get("limit")) is not None:
        parts.append(f"the first {limit}")
    return _line(", ".join(parts) + (", interrupted" if figures.get("interrupted") else ""))


def _effort(figures: Mapping[str, Any]) -> str:
    said = [
        _count(figures.get("cycles"), "cycle"),
        _count(figures.get("views"), "view"),
        _count(figures.get("steps"), "step") + " of learning a task"
        if figures.get("steps")
        else "",
    ]
    return ", ".join(filter(None, said)) or "effort not recorded"


def _count(number: Any, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if type(number) is int else ""


def _measured(results: list[Result]) -> list[str]:
    if not results:
        return ["not measured", ""]
    lines = ["| data | n | effort | rate | value | 95 % interval |", "|---|---:|---|---|---:|---|"]
    for result in results:
        sure = f"{result.interval[0]:.1%} to {result.interval[1]:.1%}" if result.interval else ""
        lines.append(
            f"| {_plain(result.data)} | {result.n} | {result.effort} | {result.metric} | {result.value:.1%} | {sure} |"
        )
    used = [metric for metric in METRICS if any(result.metric == metric for result in results)]
    meanings = "; ".join(f"*{metric}*: {METRICS[metric]}" for metric in used)
    return [*lines, "", f"By `trmsolve eval`, of *n* puzzles or tasks. {meanings}.", ""]


def _training(record: Mapping[str, Any]) -> list[str]:
    if not record:
        return ["not recorded", ""]
    settings = record.get("settings")
    lines = [
        f"* {_plain(name)}: {_plain(value if isinstance(value, str) else json.dumps(value))}"
        for name, value in record.items()
        if name != "settings" and value not in (None, "", {}, [])
    ]
    return [*lines, "", *(["```json", json.dumps(settings), "```", ""] if settings else [])]


def _facts(path: Path, config: TRMConfig) -> list[str]:
    shape = f"{config.mixer} mixer, {config.layers} layers, hidden size {config.hidden_size}"
    return [
        f"* `model.safetensors`: {size_text(path.stat().st_size)}, {shape}; sha256 `{sha256(path)}`, and in figures "
        f"`{fingerprint(path)[:12]}`",
        "* `config.json`: the architecture",
        "",
    ]


def _amount(info: WeightsInfo) -> str:
    rows = info.config.num_puzzles if info.config.puzzle_emb_dim else 0
    return f"{parameters(info.config):,} parameters" + (
        f", and a table of {rows:,} puzzles" if rows else ""
    )


def _line(text: object) -> str:
    return " ".join(str(text).split())


def _plain(text: object) -> str:
    """On one line, and no markup."""
    return "".join(
        f"\\{character}" if character in "|<>`*[]\\" else character for character in _line(text)
    )


def _slug(text: str) -> str:
    return (
        "".join(character if character.isalnum() else "-" for character in text.partition(",")[0])
        .strip("-")
        .lower()
    )
