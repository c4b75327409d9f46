"""The network against the numbers of the paper's public code."""

import json

import pytest
import torch

from tests.support.goldens import FOLDER, NAMES, Golden, load_golden
from trmsolve.model.config import FORMER_CONFIG_NAMES, MIXER_RULES, RETIRED, TRMConfig
from trmsolve.model.mixers import MIXERS
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.train.loss import log_stablemax, stablemax_cross_entropy, trm_loss


def divergence(golden: Golden, cycles: int) -> list[float]:
    """How far two runs come apart by each cycle that begin one rounding error apart.

    Another processor adds up in another order, and the recursion of an untrained network multiplies
    such differences, some of these by thirty a cycle: nobody's numbers can be reproduced more
    closely than that.
    """
    tokens, _, ids = golden.batch("eval")
    state = golden.model.initial_state(len(tokens))
    generator = torch.Generator().manual_seed(0)
    near = State(
        *(part * (1 + 2e-7 * torch.randn(part.shape, generator=generator)) for part in state)
    )
    apart: list[float] = []
    for _ in range(cycles):
        state, prediction = golden.model(state, tokens, ids)
        near, other = golden.model(near, tokens, ids)
        apart.append(float((prediction.logits - other.logits).abs().max()))
    return apart


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_four_cycles_reproduce_the_public_code(name: str) -> None:
    golden, numbers, rough = load_golden(name), load_golden(name).numbers, "bf16" in name
    tokens, labels, ids = golden.batch("eval")
    state = golden.model.initial_state(len(tokens))
    x = golden.model.embed(tokens, ids)
    torch.testing.assert_close(x[:2], numbers["eval.input_embeddings"], atol=1e-6, rtol=1e-6)
    for step, apart in enumerate(divergence(golden, 4)):
        close = 0.5 if rough else min(3e-4, 20 * apart + 1e-5) if step == 0 else 20 * apart + 2e-4
        state, prediction = golden.model(state, tokens, ids)
        loss = trm_loss(prediction, labels)
        expected = {
            "logits": prediction.logits.float(),
            "q_halt_logits": prediction.halt[:, 0],
            "q_continue_logits": prediction.halt[:, 1],
            "lm_loss": loss.tokens / 10,
            "q_halt_loss": loss.halt.double() / 10,
        }
        for key, value in expected.items():
            number = numbers[f"eval.{key}"][step].to(value) / (10 if "loss" in key else 1)
            torch.testing.assert_close(value, number, atol=close, rtol=1e-4 if "loss" in key else 0)
        if step == 0:
            torch.testing.assert_close(
                state.y, numbers["eval.z_H_after_step1"], atol=10 * close, rtol=0
            )
            if "eval.z_L_after_step1" in numbers:
                torch.testing.assert_close(
                    state.z, numbers["eval.z_L_after_step1"], atol=10 * close, rtol=0
                )
    best = prediction.logits.float().topk(2).values
    clear = best[..., 0] - best[..., 1] > 2 * close  # a near tie may fall either way
    assert torch.equal(prediction.logits.argmax(-1).int()[clear], numbers["eval.preds"][clear])


def test_the_fixtures_cover_both_mixers_all_positions_and_the_prefix() -> None:
    configs = [load_golden(name).model.config for name in NAMES]
    assert {c.mixer for c in configs} == {"attention", "mlp"}
    assert {c.positions for c in configs} == {"none", "rope", "learned"}
    assert {bool(c.prefix_len) for c in configs} == {True, False}


def test_stablemax() -> None:
    case = json.loads((FOLDER / "data_golden.json").read_text())["stablemax"]
    logits, labels = torch.tensor(case["logits"]), torch.tensor(case["labels"])
    torch.testing.assert_close(
        log_stablemax(logits), torch.tensor(case["logprobs"], dtype=torch.float64)
    )
    losses = stablemax_cross_entropy(logits[None], labels[None])[0]
    torch.testing.assert_close(losses, torch.tensor(case["ce"], dtype=torch.float64).abs())


@pytest.mark.parametrize(
    ("mixer", "positions", "vocab", "parameters"),
    [
        ("mlp", "none", 11, 5_028_866),
        ("attention", "rope", 11, 6_828_034),
        ("attention", "rope", 6, 6_822_914),
    ],
)
def test_the_published_networks_have_the_published_size(
    mixer: str, positions: str, vocab: int, parameters: int
) -> None:
    config = TRMConfig(
        vocab_size=vocab,
        seq_len=81,
        mixer=mixer,
        positions=positions,
        puzzle_emb_dim=512,
        prefix_len=16,
    )
    with torch.device("meta"):
        assert TinyRecursiveModel(config).parameter_count() == parameters


BOARD = TRMConfig(
    vocab_size=11,
    seq_len=81,
    hidden_size=32,
    recursions=2,
    latent_steps=2,
    mixer="mlp",
    positions="none",
    board=(9, 9, 3, 3),
)


def test_only_the_last_recursion_is_learned_from() -> None:
    torch.manual_seed(0)
    once = TinyRecursiveModel(BOARD)
    tokens, state = torch.randint(1, 11, (2, 81)), once.initial_state(2)
    with torch.no_grad():
        y, z = once.latent_recursion(once.embed(tokens), *state, once.places(tokens))
    _, both = once(state, tokens)
    both.logits.square().sum().backward()
    expected = {name: p.grad.clone() for name, p in once.named_parameters() if p.grad is not None}
    once.zero_grad()
    y, _ = once.latent_recursion(once.embed(tokens), y, z, once.places(tokens))
    once.lm_head(y).square().sum().backward()
    for name, parameter in once.named_parameters():
        if name in expected and parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, expected[name])


def test_initial_weights_have_the_stated_spread_and_do_not_halt() -> None:
    torch.manual_seed(0)
    model = TinyRecursiveModel(BOARD)
    weight = model.L_level.layers[0].mlp.gate_up_proj.weight
    assert weight.detach().std().item() == pytest.approx(32**-0.5, rel=0.02)
    assert (
        weight.abs().max() <= 2 * 32**-0.5 / 0.8796 + 1e-6
    )  # cut at two sigma of the uncorrected normal
    _, prediction = model(model.initial_state(1), torch.ones(1, 81, dtype=torch.long))
    assert torch.equal(prediction.halt, torch.full((1, 2), -5.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mixer": "magic"},
        {"positions": "grid"},
        {"hidden_size": 0},
        {"hidden_size": 1 << 20},
        {"layers": True},
        {"num_heads": 5},
        {"expansion": 0.0},
        {"prefix_len": 2},
        {"puzzle_emb_dim": 64},
        {"mixer": "pool", "board": (9, 9, 3, 3)},
        {"mixer": "conv", "prefix_len": 0},
        {"mixer": "conv", "board": (9, 9, 2, 3)},
        {"mixer": "conv", "board": (9, 8, 3, 2)},
    ],
)
def test_an_impossible_config_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        TRMConfig(**{"vocab_size": 11, "seq_len": 81, "hidden_size": 32, "num_heads": 2, **wrong})  # type: ignore[arg-type]


def test_a_config_survives_json() -> None:
    assert TRMConfig.from_dict(json.loads(json.dumps(BOARD.to_dict()))) == BOARD
    with pytest.raises(ValueError, match="unknown config field 'colour'"):
        TRMConfig.from_dict({**BOARD.to_dict(), "colour": 1})
    with pytest.raises(ValueError, match="missing config field 'seq_len'"):
        TRMConfig.from_dict({"vocab_size": 11})


def test_fields_of_earlier_versions_are_kept_in_files_at_their_only_value() -> None:
    fields = BOARD.to_dict()
    assert (fields["random_start"], fields["damping"]) == (False, 0.0)
    without = {name: value for name, value in fields.items() if name not in RETIRED}
    assert TRMConfig.from_dict(without) == BOARD
    for name, value in (("random_start", True), ("damping", 0.1), ("damping", "0")):
        with pytest.raises(ValueError, match=f"{name} is no longer supported"):
            TRMConfig.from_dict({**fields, name: value})


@pytest.mark.parametrize(("before", "now"), FORMER_CONFIG_NAMES.items())
def test_a_config_of_an_earlier_version_is_the_same_config(before: str, now: str) -> None:
    fields = BOARD.to_dict()
    assert before not in fields
    former = {before if name == now else name: value for name, value in fields.items()}
    assert TRMConfig.from_dict(former) == BOARD
    with pytest.raises(ValueError, match=f"config field '{now}' is given twice"):
        TRMConfig.from_dict({**fields, before: fields[now]})


def test_every_mixer_has_its_rules() -> None:
    assert list(MIXERS) == list(MIXER_RULES)
