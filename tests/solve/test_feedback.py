"""Which kind of question a network has, and what the kinds do by themselves."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.feedback import (
    KeepQuestion,
    LatticeQuestion,
    RewriteQuestion,
    Taught,
    Teaching,
    TrajectoryBatch,
    feedback_for,
)
from trmsolve.train.pool import Batch
from trmsolve.train.recipes import Recipe
from trmsolve.train.trainer import Trainer

KEEP = TRMConfig(
    vocab_size=5,
    seq_len=16,
    hidden_size=8,
    layers=1,
    recursions=1,
    latent_steps=1,
    mixer="mlp",
    positions="none",
    inner_multiple=8,
)
REWRITE = replace(
    KEEP, mixer="conv", board=(4, 4, 1, 1), feeds_back_answer=True, frozen_tokens=(1,)
)
LATTICE = replace(KEEP, mixer="lattice", vocab_size=2, seq_len=64, board=(4, 4, 2, 2), candidates=4)
KINDS = {KeepQuestion: KEEP, RewriteQuestion: REWRITE, LatticeQuestion: LATTICE}


@pytest.mark.parametrize("kind", KINDS)
def test_the_config_decides_on_the_kind(kind: type[KeepQuestion]) -> None:
    assert type(feedback_for(TinyRecursiveModel(KINDS[kind]))) is kind


def taught(tokens: Tensor, targets: Tensor, logits: Tensor) -> Taught:
    rows = len(tokens)
    second_cycle = torch.full((rows,), 2)
    return Taught(tokens, targets, targets, logits, torch.zeros(rows, 2), second_cycle)


def test_a_kept_question_is_asked_again_and_its_target_is_the_answer() -> None:
    feedback = feedback_for(TinyRecursiveModel(KEEP))
    tokens = torch.randint(5, (3, 16))
    logits = torch.randn(3, 16, 5)
    assert (
        feedback.next_training_question(
            taught(tokens, tokens, logits), Teaching(teacher_forcing=1.0)
        )
        is tokens
    )
    trajectory = TrajectoryBatch(torch.zeros(3, 2, 16), torch.zeros(3, 2, 16))
    assert feedback.targets(tokens, trajectory, torch.zeros(3)) is tokens
    answer, confidence = feedback.read_out(logits, tokens)
    assert torch.equal(answer, logits.argmax(-1))
    assert torch.equal(confidence, logits.softmax(-1).amax(-1))


def test_the_target_of_a_rewritten_question_is_the_last_stage_within_reach() -> None:
    feedback = feedback_for(TinyRecursiveModel(REWRITE))
    assert feedback.search_steps == 2
    stages = torch.arange(3)[None, :, None].expand(4, 3, 16)
    available_from = torch.tensor([0, 3, 4])[None, :, None].expand(4, 3, 16)
    steps = torch.tensor([0, 1, 2, 9])
    targets = feedback.targets(torch.zeros(4, 16), TrajectoryBatch(stages, available_from), steps)
    assert targets[:, 0].tolist() == [0, 1, 2, 2]


def test_the_first_cycle_of_training_rules_out_less_than_the_others() -> None:
    feedback = feedback_for(TinyRecursiveModel(LATTICE))
    tokens = torch.ones(3, 64, dtype=torch.long)
    logits = torch.zeros(3, 64, 2)
    unlikely = torch.arange(64) % 4 == 0
    # A probability of 0.007, which is between 0.03 and a tenth of it.
    logits[:, unlikely, 0] = 5.0
    cycle = replace(taught(tokens, tokens, logits), cycles=torch.tensor([1, 2, 3]))
    left = feedback.next_training_question(cycle, Teaching(elimination_threshold=0.03))
    assert torch.equal(left[0], tokens[0])
    assert torch.equal(left[1:], tokens[1:] * ~unlikely)


@pytest.mark.parametrize("kind", KINDS)
def test_a_profiler_is_told_in_which_part_of_a_step_time_is_spent(
    kind: type[KeepQuestion],
) -> None:
    config = KINDS[kind]
    entered: list[str] = []

    def phase(name: str) -> AbstractContextManager[None]:
        entered.append(name)
        return nullcontext()

    trainer = Trainer(Recipe(config, batch_size=2), torch.device("cpu"), torch.float32)
    trainer.phase = phase
    tokens = torch.ones(2, *config.spatial_shape, dtype=torch.long)
    trainer.step(lambda rows: Batch(tokens, tokens.flatten(1), torch.zeros_like(rows)))
    last = {KeepQuestion: "keep", RewriteQuestion: "rewrite", LatticeQuestion: "deduce"}[kind]
    assert entered == ["pool refill", "loss", "ema update", "pool advance", f"pool {last}"]
