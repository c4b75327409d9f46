"""The architecture of a checkpoint: what shapes and settings tell, and what wins over what."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.checkpoints import CONFIG
from trmsolve.model.config import TRMConfig
from trmsolve.weights.architecture import (
    ArchitectureHints,
    from_settings,
    from_shapes,
    infer_architecture,
    merge,
)
from trmsolve.weights.limits import expected_shapes

NO_HINTS = ArchitectureHints()
SUDOKU_MLP = replace(
    CONFIG, vocab_size=11, seq_len=81, latent_steps=6, mixer="mlp", positions="none"
)


def shapes_of(config: TRMConfig) -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in expected_shapes(config).items()}


def test_shapes_tell_sizes_and_not_how_often_the_network_is_applied() -> None:
    facts = from_shapes(shapes_of(CONFIG))
    assert (facts.vocab_size, facts.hidden_size, facts.layers) == (12, 32, 2)
    assert (facts.puzzle_emb_dim, facts.num_puzzles) == (32, 50)
    assert facts.slots is None
    assert not facts.show_positions
    assert facts == from_shapes(shapes_of(replace(CONFIG, recursions=1, latent_steps=1)))


def test_an_mlp_and_learned_positions_tell_the_length() -> None:
    assert from_shapes(shapes_of(SUDOKU_MLP)).slots == 81 + 16
    learned = replace(CONFIG, positions="learned", seq_len=100)
    assert from_shapes(shapes_of(learned)).slots == 100 + 16


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"embed_tokens.embedding_weight": (7, 32)}, "it has 7 tokens, but known networks have 11"),
        ({"embed_tokens.embedding_weight": (7,)}, "it has no tensor embed_tokens"),
        ({"puzzle_emb.weights": (3,)}, "it has no tensor puzzle_emb"),
    ],
)
def test_shapes_of_another_network_are_refused(
    changes: dict[str, tuple[int, ...]], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        from_shapes({**shapes_of(CONFIG), **changes})


def test_settings_have_their_own_names_and_others_are_ignored() -> None:
    settings = {"H_cycles": 2, "pos_encodings": "none", "lr": 1e-4}
    assert from_settings(settings) == {"recursions": 2, "positions": "none"}


def test_hints_win_over_settings_and_those_over_the_paper() -> None:
    facts = from_shapes(shapes_of(CONFIG))
    paper = merge(facts, {}, NO_HINTS)
    assert paper.config == CONFIG
    assert paper.assumed == ("recursions", "latent_steps", "num_heads", "positions")
    stated = {"recursions": 2, "num_heads": 4}
    settings = merge(facts, stated, NO_HINTS)
    assert settings.config == replace(CONFIG, recursions=2, num_heads=4)
    assert settings.assumed == ("latent_steps", "positions")
    hinted = merge(facts, stated, ArchitectureHints(recursions=5, latent_steps=1))
    assert hinted.config == replace(CONFIG, recursions=5, latent_steps=1, num_heads=4)
    assert hinted.assumed == ("positions",)


@pytest.mark.parametrize(
    ("config", "settings", "hints", "told"),
    [
        (CONFIG, {"pos_encodings": "learned"}, NO_HINTS, "does not match its tensors"),
        (CONFIG, {"pos_encodings": ["rope"]}, NO_HINTS, "does not match its tensors"),
        (SUDOKU_MLP, {}, ArchitectureHints(num_heads=4), "it has no attention"),
        (
            SUDOKU_MLP,
            {},
            ArchitectureHints(positions="rope"),
            "its tensor shapes require positions none, not rope",
        ),
    ],
)
def test_what_contradicts_the_shapes_is_refused(
    config: TRMConfig, settings: dict[str, Any], hints: ArchitectureHints, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        infer_architecture(shapes_of(config), settings, hints)


def test_an_mlp_over_tokens_has_no_rotary_positions_whatever_the_settings_say() -> None:
    found = infer_architecture(shapes_of(SUDOKU_MLP), {"pos_encodings": "rope"}, NO_HINTS)
    assert found.config == SUDOKU_MLP
    assert found.assumed == ("recursions", "latent_steps")
