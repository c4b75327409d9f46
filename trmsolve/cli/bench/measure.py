"""What each mode of ``trmsolve bench`` measures, and writes as a table or as JSON."""

import json as json_
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from trmsolve.arc.compression.sizes import SIZES
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
from trmsolve.bench.timing import Figures, Setup
from trmsolve.cli.bench import tables
from trmsolve.cli.bench.request import Request
from trmsolve.cli.output import put_text, say
from trmsolve.device import choose_compiled, choose_placement
from trmsolve.errors import UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles import get_task
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
    if request.train:
        assert trained is not None
        figures = bench_training(request.task, trained, setup)
        label = None
    else:
        model, label = _solving_model(request, setup)
        rows = _rows(request, setup, model)
        figures = bench_solving(request.task, model, setup, rows, trained)
        if trained is not None:
            figures["training"] = {"recipe": DEFAULT, **figures["training"]}
    _write(_named(request, label) | figures, tables.rates, json)


def profile(request: Request, json: bool) -> None:
    """Which operations take the time of a cycle, and of a step of training."""
    trained = _trained_recipe(request)
    setup = _setup(request)
    parts = 1 if request.train or trained is None else 2
    setup = replace(setup, seconds=request.seconds / parts)
    label = None
    figures: Figures = {"solving": None, "training": None}
    if not request.train:
        model, label = _solving_model(request, setup)
        rows = _rows(request, setup, model)
        figures["solving"] = profile_solving(request.task, model, setup, rows)
    if trained is not None:
        figures["training"] = profile_training(request.task, trained, setup)
    if figures["solving"] is None and figures["training"] is None:
        raise UsageError(f"--profile cannot look into {setup.placement.device}: use --device cpu")
    _write(_named(request, label) | figures, tables.operations, json)


def against_paper(request: Request, tasks: list[str] | None, json: bool) -> None:
    """The paper's cycles beside the time to a verified answer."""
    tasks = tasks or list(EXAMPLES)
    configs = {task: paper_config(task) for task in tasks}
    placement = choose_placement(request.device, request.dtype, request.threads)
    dtypes = [placement.dtype_name]
    if request.dtype == "auto" and placement.dtype_name != "fp32":
        dtypes.insert(0, "fp32")
    say("this takes about a minute on two idle CPU cores, longer on busy ones")
    rows = []
    for task in tasks:
        puzzles = example_puzzles(task)
        for dtype in dtypes:
            where = choose_placement(request.device, dtype, request.threads)
            solver = _load(replace(request, task=task, dtype=dtype), batch_size=1)
            rows.append(compare(configs[task], solver, where, puzzles))
    _write({"paper_weights": "random", "comparisons": rows}, tables.against_paper, json)


def gpu(request: Request, json: bool) -> None:
    """Cycles a second of the network alone in several settings."""
    device = choose_gpu(request.device)
    setup = _setup(replace(request, device="cpu", dtype="fp32"))
    model, label = _solving_model(replace(request, device="cpu", dtype="fp32"), setup)
    settings = list(run_settings(model, device, SETTINGS, request.seconds))
    where = {"device": str(device), "device_name": torch.cuda.get_device_name(device)}
    figures = _named(request, label) | where | {"settings": settings}
    _write(figures, tables.gpu, json)


def energy(request: Request, json: bool) -> None:
    """Joules for each verified answer."""
    if request.task not in EXAMPLES:
        raise UsageError(f"--energy is for {' and '.join(EXAMPLES)}, not for {request.task}")
    solver = _load(request, request.batch_size)
    figures = measure_energy(solver, example_puzzles(request.task), request.seconds)
    _write(figures, tables.energy, json)


def arc(request: Request, json: bool) -> None:
    """How fast ARC tasks are learned on one core."""
    torch.set_num_threads(1)
    rows = []
    for size in SIZES:
        measured = bench_arc(size, request.seconds / len(SIZES))
        rate = measured["steps_per_second"]
        rows.append(
            {
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
        )
    _write({"task": "arc", "threads": 1, "sizes": rows}, tables.arc, json)


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


def _write(figures: Figures, table: Callable[[Any], str], json: bool) -> None:
    put_text(json_.dumps(figures) if json else table(figures))
