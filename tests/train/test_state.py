"""Optimizers and random numbers go on bit for bit where they were saved."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tests.support.tensors import same_bits
from trmsolve.errors import CheckpointError
from trmsolve.train.checkpoint import load_checkpoint, save_checkpoint
from trmsolve.train.optim import AdamATan2, SignSGD
from trmsolve.train.state import optimizer_state, restore_optimizers, restore_rng, rng_state


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.table = nn.Embedding(5, 6, sparse=True)
        self.idle = nn.Parameter(torch.zeros(2, 2))  # never has a gradient, hence never a state

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.scale * self.last(torch.tanh(self.first(self.table(rows))))
        return out


def matrices(net: Net) -> list[nn.Parameter]:
    return [net.first.weight, net.last.weight, net.idle]


def rest(net: Net) -> list[nn.Parameter]:
    return [net.first.bias, net.last.bias, net.scale]


MAKERS: dict[str, Callable[[Net], list[Optimizer]]] = {
    "muon and adamw": lambda net: [
        torch.optim.Muon(matrices(net), lr=0.02),
        torch.optim.AdamW(rest(net), lr=1e-2),
    ],
    "adamw, two groups": lambda net: [
        torch.optim.AdamW([{"params": rest(net)}, {"params": matrices(net)}], lr=1e-2)
    ],
    "adamw, amsgrad": lambda net: [
        torch.optim.AdamW(matrices(net) + rest(net), lr=1e-2, amsgrad=True)
    ],
    "adamw, fused": lambda net: [torch.optim.AdamW(matrices(net) + rest(net), lr=1e-2, fused=True)],
    "adam_atan2": lambda net: [AdamATan2(matrices(net) + rest(net), lr=1e-2)],
    "sgd": lambda net: [torch.optim.SGD(matrices(net) + rest(net), lr=1e-2, momentum=0.9)],
    "adam_atan2 and signs": lambda net: [
        AdamATan2(matrices(net) + rest(net), lr=1e-2),
        SignSGD(list(net.table.parameters()), lr=1e-3),
    ],
}


def learn(net: Net, optimizers: list[Optimizer], steps: int) -> None:
    for _ in range(steps):
        rows = torch.randint(0, 5, (4,))
        (net(rows) - torch.randn(4, 3)).square().mean().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        net.zero_grad()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_resumed_optimizer_goes_on_bit_for_bit(
    tmp_path: Path, kind: str, dtype: torch.dtype
) -> None:
    torch.manual_seed(1)
    net = Net().to(dtype)
    optimizers = MAKERS[kind](net)
    learn(net, optimizers, 3)
    tensors, numbers = optimizer_state(optimizers, net.named_parameters())
    saved = {
        **tensors,
        **rng_state(),
        **{f"model.{name}": t for name, t in net.state_dict().items()},
    }
    save_checkpoint(tmp_path, 3, saved, {"optimizers": numbers})

    found = load_checkpoint(tmp_path)
    torch.manual_seed(99)
    again = Net().to(dtype)
    again.load_state_dict({name: found.tensors[f"model.{name}"] for name in again.state_dict()})
    fresh = MAKERS[kind](again)
    restore_optimizers(fresh, again.named_parameters(), found.tensors, found.state["optimizers"])
    for old, new in zip(optimizers, fresh, strict=True):
        assert len(old.state) == len(new.state)
    restored, restored_numbers = optimizer_state(fresh, again.named_parameters())
    assert restored_numbers == numbers and restored.keys() == tensors.keys()
    for key, tensor in tensors.items():
        assert same_bits(restored[key], tensor) and restored[key].device == tensor.device, key

    before = {key: tensor.clone() for key, tensor in found.tensors.items()}
    restore_rng(found.tensors)
    learn(again, fresh, 4)
    assert all(
        same_bits(before[key], found.tensors[key]) for key in before
    )  # what was loaded is not trained on
    restore_rng(found.tensors)
    learn(net, optimizers, 4)
    for (name, a), (_, b) in zip(net.named_parameters(), again.named_parameters(), strict=True):
        assert same_bits(a.detach(), b.detach()), name


def test_keys_say_what_they_are_and_numbers_go_to_the_json() -> None:
    net = Net()
    optimizers = MAKERS["adam_atan2 and signs"](net)
    assert optimizer_state(optimizers, net.named_parameters()) == ({}, {})
    learn(net, optimizers, 2)
    tensors, numbers = optimizer_state(optimizers, net.named_parameters())
    learned = ["first.weight", "last.weight", "first.bias", "last.bias", "scale"]
    assert sorted(tensors) == sorted(
        f"optimizer.0.{name}.{field}" for name in learned for field in "mv"
    )
    assert numbers == {f"optimizer.0.{name}.step": 2 for name in learned}
    adamw = MAKERS["adamw, two groups"](net)
    learn(net, adamw, 1)
    tensors, numbers = optimizer_state(adamw, net.named_parameters())
    assert not numbers and tensors["optimizer.0.first.weight.step"].dtype == torch.float32


def test_restoring_replaces_what_an_optimizer_had() -> None:
    net = Net()
    optimizers = MAKERS["muon and adamw"](net)
    learn(net, optimizers, 1)
    restore_optimizers(optimizers, net.named_parameters(), {"rng.cpu": torch.get_rng_state()}, {})
    assert not any(optimizer.state for optimizer in optimizers)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("optimizer.0.absent.weight.m", (8, 6)),  # no such parameter
        ("optimizer.1.first.weight.m", (8, 6)),  # no such optimizer
        ("optimizer.0.table.weight.m", (5, 6)),  # a parameter of another optimizer
        ("optimizer.0.first.weight.m", (8, 7)),
    ],
)
def test_the_state_of_another_network_is_refused(key: str, shape: tuple[int, ...]) -> None:
    net = Net()
    optimizers = MAKERS["adam_atan2"](net)
    learn(net, optimizers, 1)
    before = {parameter: dict(state) for parameter, state in optimizers[0].state.items()}
    with pytest.raises(CheckpointError, match="the checkpoint belongs to another network"):
        restore_optimizers(optimizers, net.named_parameters(), {key: torch.zeros(shape)}, {})
    assert before == optimizers[0].state


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    torch.manual_seed(4)
    torch.rand(3)
    torch.randn(1)
    states = rng_state()
    assert states["rng.cpu"].dtype == torch.uint8
    save_checkpoint(tmp_path, 1, states, {})
    drawn = torch.rand(5), torch.randn(3)
    torch.manual_seed(7)
    restore_rng(load_checkpoint(tmp_path).tensors)
    assert torch.equal(drawn[0], torch.rand(5)) and torch.equal(drawn[1], torch.randn(3))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_and_random_numbers_of_a_gpu(tmp_path: Path) -> None:
    net = Net().cuda()
    optimizers: list[Optimizer] = [torch.optim.AdamW(matrices(net) + rest(net))]
    net(torch.randint(0, 5, (4,), device="cuda")).sum().backward()
    optimizers[0].step()
    tensors, numbers = optimizer_state(optimizers, net.named_parameters())
    save_checkpoint(tmp_path, 1, {**tensors, **rng_state()}, numbers)
    drawn = torch.rand(5, device="cuda")
    found = load_checkpoint(tmp_path)
    restore_rng(found.tensors)
    assert torch.equal(drawn, torch.rand(5, device="cuda"))
    restore_optimizers(optimizers, net.named_parameters(), found.tensors, found.state)
    for state in optimizers[0].state.values():
        assert state["exp_avg"].is_cuda and not state["step"].is_cuda
