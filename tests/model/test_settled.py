"""Large boards, of which only the cells beside a change are computed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.mazes import CONV, made
from trmsolve.model import settled
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.model.settled import SettledNetwork, settling
from trmsolve.puzzles.maze.task import MazeFlow
from trmsolve.solve.network import LoadOptions, sparing
from trmsolve.solve.torch_network import load_torch

pytestmark = pytest.mark.usefixtures("one_thread")

CONFIG = replace(CONV, layers=2, recursions=3, frozen_tokens=(1, 4))


@pytest.fixture
def every_board_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "LARGE_BOARD", 1)


def untrained(config: TRMConfig, dtype: torch.dtype = torch.float32) -> TinyRecursiveModel:
    """With a halting head that tells cells apart."""
    torch.manual_seed(0)
    model = TinyRecursiveModel(config, dtype).eval()
    torch.nn.init.normal_(model.q_head.weight)
    return model


def bundled() -> TinyRecursiveModel:
    """The network that solves mazes."""
    model = load_torch("maze", LoadOptions(backend="torch", dtype="fp32")).network
    assert isinstance(model, TinyRecursiveModel)
    return model


def boards(*shape: int) -> Tensor:
    return torch.randint(1, 18, shape, generator=torch.Generator().manual_seed(0))


def assert_same_cycles(
    model: TinyRecursiveModel, network: SettledNetwork, tokens: Tensor, cycles: int = 4
) -> None:
    """Cycle after cycle, states, logits and halting are those of the network itself."""
    plain = spared = tokens
    state = other = model.initial_state(len(tokens), tuple(tokens.shape[1:]))
    with torch.inference_mode():
        for _ in range(cycles):
            state, expected = model(state, plain)
            other, prediction = network(other, spared)
            torch.testing.assert_close(tuple(other), tuple(state), rtol=0, atol=1e-5)
            torch.testing.assert_close(tuple(prediction), tuple(expected), rtol=0, atol=1e-5)
            plain = model.rewrite(plain, expected.logits)
            spared = model.rewrite(spared, prediction.logits)
            assert torch.equal(plain, spared)


@pytest.mark.usefixtures("every_board_is_large")
@pytest.mark.parametrize("latent_steps", [1, 3])
@pytest.mark.parametrize("halt_from", ["min", "mean", "first"])
@pytest.mark.parametrize("shape", [(1, 9, 14), (3, 6, 5), (1, 1, 7), (1, 40, 30)])
def test_without_a_tolerance_every_cycle_is_that_of_the_network(
    shape: tuple[int, ...], halt_from: str, latent_steps: int
) -> None:
    model = untrained(replace(CONFIG, halt_from=halt_from, latent_steps=latent_steps))
    assert_same_cycles(model, SettledNetwork(model, tolerance=0.0), boards(*shape))


@pytest.mark.usefixtures("every_board_is_large")
@pytest.mark.parametrize("kind", ["hard", "sparse", "perfect"])
def test_mazes_have_the_answers_of_the_plain_cycle(kind: str) -> None:
    """Also sparse ones, where many ways are equally short: the tolerance decides nothing."""
    model = bundled()
    network = SettledNetwork(model)
    task = MazeFlow()
    for puzzle in made(kind, 3, (24, 31)):
        plain = spared = torch.from_numpy(task.encode(puzzle.grid))[None]
        state = other = model.initial_state(1, puzzle.grid.shape)
        with torch.inference_mode():
            for _ in range(8):
                state, expected = model(state, plain)
                other, prediction = network(other, spared)
                plain = model.rewrite(plain, expected.logits)
                spared = model.rewrite(spared, prediction.logits)
                assert torch.equal(plain, spared)
                torch.testing.assert_close(prediction.halt, expected.halt, rtol=0, atol=0.05)


@pytest.mark.usefixtures("every_board_is_large")
def test_what_has_settled_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = bundled()
    network = SettledNetwork(model)
    computed: list[int] = []
    grown = settled._grown

    def counted(changed: Tensor, shape: tuple[int, ...]) -> Tensor:
        cells = grown(changed, shape)
        computed.append(len(cells))
        return cells

    monkeypatch.setattr(settled, "_grown", counted)
    tokens = torch.from_numpy(MazeFlow().encode(made("perfect", 1, (40, 40))[0].grid))[None]
    state = model.initial_state(1, (40, 40))
    shares = []
    with torch.inference_mode():
        for _ in range(12):
            computed.clear()
            state, prediction = network(state, tokens)
            tokens = model.rewrite(tokens, prediction.logits)
            shares.append(sum(computed) / (1600 * len(computed)))
    assert shares[0] == 1
    assert shares[-1] < 0.4


@pytest.mark.usefixtures("every_board_is_large")
def test_another_state_or_board_is_begun_anew() -> None:
    model = untrained(CONFIG)
    network = SettledNetwork(model, tolerance=0.0)
    for shape in ((1, 9, 8), (2, 9, 8), (1, 7, 7)):
        assert_same_cycles(model, network, boards(*shape), cycles=2)
    tokens = boards(1, 9, 8)
    with torch.inference_mode():
        state, _ = network(model.initial_state(1, (9, 8)), tokens)
        shaken = State(state.y + torch.randn_like(state.y), state.z)
        torch.testing.assert_close(network(shaken, tokens)[0], model(shaken, tokens)[0])


@pytest.mark.usefixtures("every_board_is_large")
def test_states_that_were_returned_stay_as_they_are() -> None:
    network = SettledNetwork(untrained(CONFIG), tolerance=0.0)
    tokens = boards(1, 9, 8)
    with torch.inference_mode():
        state, _ = network(network.initial_state(1, (9, 8)), tokens)
        before = state.y.clone()
        network(state, tokens)
    assert torch.equal(state.y, before)


def test_small_boards_are_the_network_s_own_to_the_bit() -> None:
    model = untrained(CONFIG)
    tokens = boards(2, 30, 30)
    with torch.inference_mode():
        state = model.initial_state(2, (30, 30))
        given, expected = settling(model)(state, tokens), model(state, tokens)
    assert torch.equal(given[0].y, expected[0].y)
    assert torch.equal(given[1].logits, expected[1].logits)


def test_only_convolutions_that_rewrite_their_question_are_spared_work() -> None:
    still = untrained(replace(CONFIG, feeds_back_answer=False, frozen_tokens=()))
    assert sparing(still) is still
    assert isinstance(sparing(untrained(CONFIG)), SettledNetwork)


def test_numbers_in_bf16_have_a_tolerance_of_their_own() -> None:
    assert SettledNetwork(untrained(CONFIG, torch.bfloat16)).tolerance == 2**-5
    assert np.isclose(SettledNetwork(untrained(CONFIG)).tolerance, 1e-3)
