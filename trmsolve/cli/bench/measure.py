"""The modes of ``trmsolve bench``: each measures, and writes a table or JSON.

A table is written line by line as its figures come. On a terminal a bar shows the time left.
"""

import json as json_
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from trmsolve.arc.compression.sizes import SIZES, TaskSize
from trmsolve.bench.against_paper import EXAMPLES, compare, example_puzzles, paper_config
from trmsolve.bench.energy import measure_energy
from trmsolve.bench.gpu import SETTINGS, choose_gpu, run_settings
from trmsolve.bench.rates import (
    bench_arc,
    bench_solving,
    bench_training,
    profile_solving,
    profile_training,
)
from trmsolve.bench.timing import Figures, Setup, Told
from trmsolve.cli.bench import tables
from trmsolve.cli.bench.request import Request
from trmsolve.cli.output import put_text, say
from trmsolve.device import choose_compiled, choose_placement
from trmsolve.errors import UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.registry import get_task
from trmsolve.show.console import make_console
from trmsolve.show.displays import BarLine
from trmsolve.solve.any_size import own_network
from trmsolve.solve.network import default_batch_size
from trmsolve.solve.solver import Solver, load
from trmsolve.train.recipes import Recipe, find_recipe

DEFAULT = "laptop"
"""The recipe whose training is timed if none is named."""


def rates(request: Request, json: bool) -> None:
    """How fast a network solves and trains."""
    trained = _trained_recipe(request)
    setup = _setup(request)
    with _report(json) as report:
        if request.train:
            assert trained is not None
            label = None
            setup = replace(setup, told=report.told("training"))
            figures = bench_training(request.task, trained, setup)
        else:
            model, label = _solving_model(request, setup)
            rows = _rows(request, setup, model)
            what = "solving" if trained is None else "solving and training"
            setup = replace(setup, told=report.told(what))
            figures = bench_solving(request.task, model, setup, rows, trained)
            if trained is not None:
                figures["training"] = {"recipe": DEFAULT, **figures["training"]}
        figures = _named(request, label) | figures
        report.put(tables.rates(figures))
        report.end(figures)


def profile(request: Request, json: bool) -> None:
    """Which operations take the time of a cycle, and of a step of training."""
    trained = _trained_recipe(request)
    setup = _setup(request)
    parts = 1 if request.train or trained is None else 2
    left = request.seconds
    label = None
    figures: Figures = {"solving": None, "training": None}
    with _report(json) as report:
        if not request.train:
            model, label = _solving_model(request, setup)
            rows = _rows(request, setup, model)
            report.told("profiling solving")(0.0)
            begun = time.perf_counter()
            half = replace(setup, seconds=left / parts)
            figures["solving"] = profile_solving(request.task, model, half, rows)
            left -= time.perf_counter() - begun
            _put_operations(report, request.recipe, label, figures["solving"])
        if trained is not None:
            report.told("profiling training")((parts - 1) / parts)
            rest = replace(setup, seconds=left)
            figures["training"] = profile_training(request.task, trained, rest)
            _put_operations(report, request.recipe, None, figures["training"])
        if figures["solving"] is None and figures["training"] is None:
            where = setup.placement.device
            raise UsageError(f"--profile cannot look into {where}: use --device cpu")
        report.end(_named(request, label) | figures)


def against_paper(request: Request, tasks: list[str] | None, json: bool) -> None:
    """The paper's cycles beside the time to a verified answer."""
    tasks = tasks or list(EXAMPLES)
    configs = {task: paper_config(task) for task in tasks}
    placement = choose_placement(request.device, request.dtype, request.threads)
    dtypes = [placement.dtype_name]
    if request.dtype == "auto" and placement.dtype_name != "fp32":
        dtypes.insert(0, "fp32")
    say("this takes about a minute on two idle CPU cores, longer on busy ones")
    rows: list[Figures] = []
    with _report(json) as report:
        for task in tasks:
            puzzles = example_puzzles(task)
            for dtype in dtypes:
                report.told(f"{task} in {dtype}")(len(rows) / len(tasks) / len(dtypes))
                where = choose_placement(request.device, dtype, request.threads)
                solver = _load(replace(request, task=task, dtype=dtype), batch_size=1)
                row = compare(configs[task], solver, where, puzzles)
                if not rows:
                    report.put(tables.against_paper_heading(row))
                rows.append(row)
                report.put(tables.against_paper_row(row))
        report.end({"paper_weights": "random", "comparisons": rows})


def gpu(request: Request, json: bool) -> None:
    """Cycles a second of the network alone in several settings."""
    device = choose_gpu(request.device)
    setup = _setup(replace(request, device="cpu", dtype="fp32"))
    model, label = _solving_model(replace(request, device="cpu", dtype="fp32"), setup)
    where = {"device": str(device), "device_name": torch.cuda.get_device_name(device)}
    figures = _named(request, label) | where
    settings: list[Figures] = []
    with _report(json) as report:
        report.put(tables.gpu_heading(figures))
        told = report.told("settings")
        told(0.0)
        for row in run_settings(model, device, SETTINGS, request.seconds):
            settings.append(row)
            report.put(tables.gpu_row(row))
            told(len(settings) / len(SETTINGS))
        report.end(figures | {"settings": settings})


def energy(request: Request, json: bool) -> None:
    """Joules for each verified answer."""
    if request.task not in EXAMPLES:
        raise UsageError(f"--energy is for {' and '.join(EXAMPLES)}, not for {request.task}")
    solver = _load(request, request.batch_size)
    with _report(json) as report:
        report.told(f"solving for about {request.seconds:g} seconds")(0.0)
        figures = measure_energy(solver, example_puzzles(request.task), request.seconds)
        report.put(tables.energy(figures))
        report.end(figures)


def arc(request: Request, json: bool) -> None:
    """How fast ARC tasks are learned on one core."""
    torch.set_num_threads(1)
    end = time.perf_counter() + request.seconds
    rows: list[Figures] = []
    with _report(json) as report:
        report.put(tables.ARC_HEADING)
        for number, size in enumerate(SIZES):
            told = report.told(f"a task of {size.side}x{size.side}", number, len(SIZES))
            told(0.0)
            left = (end - time.perf_counter()) / (len(SIZES) - number)
            row = _arc_row(size, bench_arc(size, left, told))
            rows.append(row)
            report.put(tables.arc_row(row))
        report.end({"task": "arc", "threads": 1, "sizes": rows})


def _arc_row(size: TaskSize, measured: Figures) -> Figures:
    """The figures of one size."""
    rate = measured["steps_per_second"]
    return {
        "side": size.side,
        "colours": size.colours,
        "demonstrations": size.demonstrations,
        "tests": size.tests,
        "steps": measured["steps"],
        "seconds_per_step": round(1 / rate, 4),
        "steps_per_second": round(rate, 3),
        "flop_per_step": measured["flop_per_step"],
        "flop_per_second": measured["flop_per_second"],
        "matmul_flop_per_second": measured["matmul_flop_per_second"],
        "fraction": measured["fraction"],
    }


@dataclass(frozen=True)
class _Report:
    """The figures of a measurement: lines as they come, or one JSON object at the end."""

    json: bool
    bar: BarLine

    def told(self, text: str, number: int = 0, parts: int = 1) -> Told:
        """A function that moves the bar through one of ``parts`` equal parts, counted from 0."""
        return lambda share: self.bar.share((number + share) / parts, f"measuring {text}")

    def put(self, text: str) -> None:
        """Print lines of a table, at once."""
        if not self.json:
            self.bar.clear()
            put_text(text)

    def end(self, figures: Figures) -> None:
        """Print everything as JSON, if that is asked for."""
        self.bar.clear()
        if self.json:
            put_text(json_.dumps(figures))


@contextmanager
def _report(json: bool) -> Iterator[_Report]:
    """A report with a bar below it on a terminal; none with JSON."""
    with BarLine(make_console(), shown=not json) as bar:
        yield _Report(json, bar)


def _put_operations(
    report: _Report, recipe: str | None, label: str | None, part: Figures | None
) -> None:
    """Print one profile, if torch could make it."""
    if part is not None:
        report.put(tables.operations(part, recipe, label))


def _setup(request: Request) -> Setup:
    placement = choose_placement(request.device, request.dtype, request.threads)
    compiled = choose_compiled(request.compile_, placement.device, worthwhile=request.train)
    return Setup(placement, compiled, request.seconds)


def _trained_recipe(request: Request) -> Recipe | None:
    """The recipe whose training is measured: none if only solving is."""
    if request.weights is not None or (request.recipe is not None and not request.train):
        return None
    recipe = find_recipe(request.task, request.recipe or DEFAULT)
    return replace(recipe, batch_size=request.batch_size or recipe.batch_size)


def _solving_model(request: Request, setup: Setup) -> tuple[TinyRecursiveModel, str | None]:
    """The network that solves, and the label of its weights; None if they are not trained."""
    placement = setup.placement
    if request.recipe is not None:
        recipe = find_recipe(request.task, request.recipe)
        model = new_model(recipe.config, placement.dtype)
        return model.to(placement.device, placement.dtype).eval(), None
    solver = _load(request, request.batch_size)
    network = own_network(solver.model)
    assert isinstance(network, TinyRecursiveModel)
    return network, solver.weights


def _load(request: Request, batch_size: int | None) -> Solver:
    return load(
        request.task,
        weights=request.weights,
        offline=request.offline,
        allow_large=request.allow_large,
        note=say,
        batch_size=batch_size,
        backend="torch",
        device=request.device,
        dtype=request.dtype,
        threads=request.threads,
    )


def _rows(request: Request, setup: Setup, model: TinyRecursiveModel) -> int:
    """How many puzzles a batch has."""
    task = get_task(request.task, model.config.vocab_size)
    return request.batch_size or default_batch_size(setup.placement.device, task)


def _named(request: Request, label: str | None) -> Figures:
    """Which network is measured."""
    recipe = request.recipe
    if request.train and recipe is None:
        recipe = DEFAULT
    return {"task": request.task, "recipe": recipe, "weights": label}
