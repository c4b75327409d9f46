"""The training loop: deep supervision on a pool of puzzles, one optimizer step per improvement cycle.

Connects recipe, data, pool, loss and optimizers, and follows the clock. Prints nothing: what happens is handed to the
caller's ``report``. Knows neither commands nor terminals.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trmsolve.errors import TrainingError
from trmsolve.model import Prediction, TinyRecursiveModel
from trmsolve.puzzles.base import Task
from trmsolve.train.data import Examples, Sampler
from trmsolve.train.loss import Loss, lattice_loss, lost, trm_loss
from trmsolve.train.optim import EMA, make_optimizers
from trmsolve.train.pool import Pool
from trmsolve.train.recipes import Recipe
from trmsolve.weights import WeightsInfo, save_weights


@dataclass(frozen=True)
class Progress:
    """One line of ``metrics.jsonl``. Rates are fractions; ``loss`` and ``cycles`` are means since the last line."""

    step: int
    seconds: float
    loss: float
    token_accuracy: float
    solved_per_step: float  # puzzles that halted with a right answer
    lr_factor: float
    examples_per_second: float  # puzzles x cycles
    held_out_exact: float | None = None


class Trainer:
    """Model, optimizers, pool and average of one run; ``step`` is one improvement cycle of the whole pool."""

    def __init__(self, recipe: Recipe, device: torch.device, dtype: torch.dtype, compiled: bool = False) -> None:
        self.recipe, self.device = recipe, device
        self.model = TinyRecursiveModel(recipe.config, dtype).to(device)
        if compiled:
            # One graph each for with and without gradient, for z, y and the first step: more than dynamo's default.
            torch._dynamo.config.recompile_limit = 32
            self.model.L_level.compile(dynamic=False)
        self.ema = EMA(self.model, recipe.ema)
        self.pool = Pool(self.model, recipe.batch_size, device, recipe.max_cycles)
        self.optimizers = make_optimizers(
            self.model,
            recipe.optimizer,
            recipe.lr,
            recipe.weight_decay,
            recipe.head_lr,
            recipe.head_weight_decay,
            recipe.table_lr,
            recipe.table_weight_decay,
        )

    def begin_with(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""
        self.model.load_state_dict(model.state_dict())
        self.ema = EMA(self.model, self.recipe.ema)

    def step(self, offer: Callable[[Tensor], Any], lr_factor: float = 1.0) -> Loss:
        """Refill the pool, run one improvement cycle, learn from it. Raises TrainingError if the loss is not finite."""
        self.pool.refill(offer)
        batch = self.pool.batch
        state, prediction = self.model(self.pool.state, batch.tokens, batch.puzzle_ids)
        loss = self.loss(prediction)
        if not torch.isfinite(loss.total):
            raise TrainingError("the loss is no longer finite: stopped, and what was written before is kept")
        (loss.total / len(batch.tokens)).backward()
        recipe = self.recipe
        if recipe.clip is not None:
            dense = [p for name, p in self.model.named_parameters() if not name.startswith("puzzle_emb.")]
            torch.nn.utils.clip_grad_norm_(dense, recipe.clip)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base_lr"] * lr_factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.ema.update(self.model)
        self.pool.advance(state, prediction.halt[:, 0].detach(), recipe.exploration)
        if self.model.config.candidates > 1:
            # A lattice without its solution teaches nothing but that: most leave when found out, the others by chance.
            gone = lost(batch.tokens, batch.labels, self.model.config.candidates)
            found_out = prediction.halt[:, 1].detach() > 0
            self.pool.abandon(gone & (found_out | (torch.rand(len(gone), device=self.device) < recipe.drop_lost)))
            self.pool.deduce(prediction.logits.detach(), recipe.branch_temperature)
        return loss

    def loss(self, prediction: Prediction) -> Loss:
        """What the pool's puzzles say to the prediction."""
        batch, recipe, candidates = self.pool.batch, self.recipe, self.model.config.candidates
        if candidates > 1:
            return lattice_loss(
                prediction, batch.tokens, batch.labels, candidates, recipe.halt_weight, recipe.conflict_weight
            )
        return trm_loss(prediction, batch.labels, recipe.loss, recipe.smoothing, recipe.halt_weight)


def lr_factor(recipe: Recipe, done: float) -> float:
    """The schedule at the fraction ``done`` of the run: linear warm-up, then a cosine down to ``final_lr``."""
    if done < recipe.warmup:
        return done / recipe.warmup
    after = min(1.0, (done - recipe.warmup) / (1 - recipe.warmup))
    return recipe.final_lr + (1 - recipe.final_lr) * 0.5 * (1 + math.cos(math.pi * after))


@torch.no_grad()
def exact_rate(model: TinyRecursiveModel, task: Task, examples: Examples, cycles: int) -> float:
    """The fraction of examples answered exactly after ``cycles`` improvement cycles in one view."""
    device = next(model.parameters()).device
    tokens = torch.stack([torch.from_numpy(task.encode(q)) for q in examples.questions]).to(device)
    labels = torch.stack([torch.from_numpy(task.encode(a)) for a in examples.answers]).to(device)
    state = model.initial_state(len(tokens))
    for _ in range(cycles):
        state, prediction = model(state, tokens)
    return float((prediction.logits.argmax(-1) == labels).all(-1).float().mean())


class Journal:
    """Counts what happens between two lines of ``metrics.jsonl``, and writes them."""

    def __init__(self, out: Path, batch_size: int, report: Callable[[Progress], None]) -> None:
        self.path, self.batch_size, self.report = out / "metrics.jsonl", batch_size, report
        self.path.write_text("", encoding="utf-8")  # one run, one file
        self.start = self.last = time.monotonic()
        self.step = self.step_at_last = 0
        self.loss = self.accuracy = self.solved = torch.zeros((), dtype=torch.float64)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.start

    def count(self, loss: Loss, halted: Tensor) -> None:
        """One step more. Sums stay on the device: reading them would make it wait."""
        self.step += 1
        self.loss = self.loss + loss.total.detach().double() / self.batch_size
        self.accuracy = self.accuracy + (loss.right_tokens / loss.labelled.clamp(min=1)).double().mean()
        self.solved = self.solved + (loss.right & halted).sum()

    def line(self, factor: float, held_out_exact: float | None = None) -> None:
        """Write and report what was counted since the last line."""
        steps, took = max(self.step - self.step_at_last, 1), max(time.monotonic() - self.last, 1e-9)
        progress = Progress(
            step=self.step,
            seconds=self.seconds,
            loss=float(self.loss) / steps,
            token_accuracy=float(self.accuracy) / steps,
            solved_per_step=float(self.solved) / steps,
            lr_factor=factor,
            examples_per_second=steps * self.batch_size / took,
            held_out_exact=held_out_exact,
        )
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(progress)) + "\n")
        self.report(progress)
        self.loss = self.accuracy = self.solved = torch.zeros((), dtype=torch.float64, device=self.loss.device)
        self.last, self.step_at_last = time.monotonic(), self.step


def train(
    task: Task,
    recipe: Recipe,
    examples: Examples,
    out: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
    compiled: bool = False,
    held_out: int = 128,
    log_seconds: float = 30.0,
    eval_seconds: float = 600.0,
    report: Callable[[Progress], None] = lambda progress: None,
    described: dict[str, Any] | None = None,
    start_from: TinyRecursiveModel | None = None,
) -> Path:
    """Train for ``minutes`` or ``steps``, whichever ends first, and write the averaged weights into ``out``.

    The rate follows the clock, so that a run ends annealed whenever it ends. The weights file is renewed at each
    evaluation on the held-out examples, at the end, and when interrupted or terminated; ``metrics.jsonl`` gets every
    report.
    ``described`` is kept in the weights as the record of the run; ``start_from`` is a network of the same shapes whose
    weights the run begins with. Returns the path of the weights.
    """
    if minutes is None and steps is None:
        raise ValueError("train needs minutes or steps")
    torch.manual_seed(seed)
    device = device or torch.device("cpu")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{task.name}.safetensors"
    learned, kept = examples.split(held_out)
    trainer = Trainer(recipe, device, dtype, compiled)
    if start_from is not None:
        trainer.begin_with(start_from)
    judge = TinyRecursiveModel(recipe.config, dtype).to(device)  # never compiled: its batch has another size
    sampler = Sampler(task, learned, recipe.reveal, device, seed)
    journal = Journal(out, recipe.batch_size, report)

    def publish() -> float:
        state = trainer.ema.state_dict(trainer.model)
        training = {**(described or {}), "steps": journal.step, "seconds": round(journal.seconds), "seed": seed}
        save_weights(path, state, WeightsInfo(recipe.config, task.name, training), dtype=torch.bfloat16)
        judge.load_state_dict({name: tensor.bfloat16() for name, tensor in state.items()})  # as the file has them
        return exact_rate(judge, task, kept, recipe.max_cycles)

    last_eval = journal.start
    try:
        while True:
            by_clock = journal.seconds / (60 * minutes) if minutes is not None else 0.0
            done = max(by_clock, journal.step / steps if steps is not None else 0.0)
            factor = lr_factor(recipe, done)
            if done >= 1:
                break
            journal.count(trainer.step(sampler, factor), trainer.pool.halted)
            if time.monotonic() - last_eval > eval_seconds:
                journal.line(factor, publish())
                last_eval = time.monotonic()
            elif time.monotonic() - journal.last > log_seconds:
                journal.line(factor)
    except (KeyboardInterrupt, SystemExit):
        if journal.step:
            journal.line(factor, publish())
        raise
    journal.line(factor, publish())
    return path
