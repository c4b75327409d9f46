"""The latents cost what they say, and learn how much they need to say."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from trmsolve.arc.compression.latents import (
    FIRST_CAPACITY,
    LEAST_CAPACITY,
    PACE,
    Latents,
    Sample,
)
from trmsolve.arc.compression.operations import Axes, normalized
from trmsolve.arc.compression.ranks import RANKS
from trmsolve.arc.compression.weights import LATENT, Weights, stacked

AXES = Axes({"d": 8, "x": 3, "y": 2, "e": 3, "c": 2})

SHUT = -20.0
"""A logarithm of the capacity at which hardly anything passes."""

HALF_SHUT = math.log(1e-2)
"""A channel of 10,000 nats then carries 100 of them."""


def parameters(log_capacity: float = 0.0, seed: int = 0) -> Weights:
    """One copy's random means and details, and the same capacity for all."""
    generator = torch.Generator().manual_seed(seed)
    weights = stacked([Latents(AXES).initial(seed)])
    for name in ("means", "detail"):
        weights[name] = torch.randn(weights[name].shape, generator=generator)
    weights["capacity"] += log_capacity / PACE
    return weights


def noise_of(weights: Weights, seed: int = 1) -> Tensor:
    return torch.randn(weights["means"].shape, generator=torch.Generator().manual_seed(seed))


def draw(weights: Weights, seed: int = 1) -> Sample:
    return Latents(AXES).draw(weights, noise_of(weights, seed))


def plain_cost(weights: Weights) -> Tensor:
    """The divergence of what the first copy sends from pure noise."""
    counts = Latents(AXES).counts
    total = torch.zeros(())
    for number, count in enumerate(counts):
        begin = sum(counts[:number])
        means = weights["means"][0, :, begin : begin + count].double()
        detail = weights["detail"][0, :, begin : begin + count].double()
        capacity = PACE * weights["capacity"][0, :, number : number + 1].double()
        shares = (detail - detail.mean(dim=1, keepdim=True) + capacity).exp()
        nats = (FIRST_CAPACITY * shares + LEAST_CAPACITY) / (LATENT * count)
        deviation = torch.exp(-nats)
        signal = (1 - deviation.square()).sqrt() * normalized(means)
        divergence = nats + (deviation.square() + signal.square() - 1) / 2
        if nats.max() < 300:  # torch takes the logarithm of a variance, which must not be 0
            sent = Normal(signal, deviation)
            torch.testing.assert_close(divergence, kl_divergence(sent, Normal(0.0, 1.0)))
        total = total + divergence.sum()
    return total


def test_latents_have_the_shape_of_their_rank() -> None:
    sample = draw(parameters())
    assert list(sample.latents) == list(RANKS)
    assert sample.cost.shape == (1,)
    for rank, latent in sample.latents.items():
        assert latent.shape == (1, LATENT, math.prod(AXES.shapes[rank]))


def test_copies_are_sent_as_each_is_alone() -> None:
    copies = [parameters(HALF_SHUT, seed) for seed in range(3)]
    together = {name: torch.cat([copy[name] for copy in copies]) for name in copies[0]}
    noise = torch.cat([noise_of(copy, seed) for seed, copy in enumerate(copies)])
    sample = Latents(AXES).draw(together, noise)
    for seed, copy in enumerate(copies):
        alone = draw(copy, seed)
        torch.testing.assert_close(sample.cost[seed], alone.cost[0], rtol=1e-5, atol=1e-5)
        for rank in RANKS:
            latent = sample.latents[rank][seed]
            torch.testing.assert_close(latent, alone.latents[rank][0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("log_capacity", [0.0, HALF_SHUT, SHUT])
def test_the_cost_is_the_divergence_from_noise(log_capacity: float) -> None:
    weights = parameters(log_capacity)
    assert draw(weights).cost.item() == pytest.approx(plain_cost(weights).item(), rel=1e-4)


@pytest.mark.parametrize("log_capacity", [3.0, 0.0, -3.0, HALF_SHUT, SHUT, -100.0])
def test_the_cost_is_never_negative(log_capacity: float) -> None:
    for seed in range(3):
        assert draw(parameters(log_capacity, seed)).cost.item() >= -1e-3


def test_shut_latents_cost_and_say_almost_nothing() -> None:
    weights = parameters(SHUT)
    weights["detail"] = torch.zeros_like(weights["detail"])
    sample = draw(weights)
    always = LEAST_CAPACITY * len(RANKS)
    assert 0 < sample.cost.item() < always + 0.01
    assert sample.cost.item() < 1e-3 * draw(parameters()).cost.item()
    assert sample.latents["dxyec"].abs().max() < 0.1


def test_wide_open_latents_are_their_means() -> None:
    weights = parameters(3.0)
    weights["detail"] = torch.zeros_like(weights["detail"])
    counts = Latents(AXES).counts
    means = weights["means"].split(counts, dim=2)
    for mean, latent in zip(means, draw(weights).latents.values(), strict=True):
        torch.testing.assert_close(latent, normalized(mean), atol=1e-4, rtol=1e-4)


def test_the_noise_alone_decides_what_is_drawn() -> None:
    weights = parameters(HALF_SHUT)
    first, again, other = draw(weights), draw(weights), draw(weights, seed=2)
    for rank in RANKS:
        assert torch.equal(first.latents[rank], again.latents[rank])
    assert not torch.equal(first.latents["xyec"], other.latents["xyec"])
    assert first.cost == again.cost == other.cost


def test_the_seed_decides_the_parameters() -> None:
    latents = Latents(AXES)
    assert torch.equal(latents.initial(3)["means"], latents.initial(3)["means"])
    assert not torch.equal(latents.initial(3)["means"], latents.initial(4)["means"])


def capacity_gradient(weights: Weights, loss_weight: float) -> Tensor:
    """The gradient of the cost, and of how far latents are from their means."""
    capacity = weights["capacity"].requires_grad_()
    noise = noise_of(weights)
    parts = weights["means"].split(Latents(AXES).counts, dim=2)
    loss = torch.zeros(())
    for one in (noise, -noise):  # on average, noise points nowhere
        sample = Latents(AXES).draw({**weights, "capacity": capacity}, one)
        for mean, latent in zip(parts, sample.latents.values(), strict=True):
            loss = loss + (latent - normalized(mean)).square().sum()
    (gradient,) = torch.autograd.grad(sample.cost.sum() + loss_weight * loss, capacity)
    return gradient


def test_the_cost_alone_shuts_every_capacity() -> None:
    assert (capacity_gradient(parameters(HALF_SHUT), 0.0) > 0).all()
    assert (capacity_gradient(parameters(SHUT), 0.0) > 0).all()


@pytest.mark.parametrize("log_capacity", [HALF_SHUT, SHUT])
def test_what_is_needed_opens_the_capacity_again(log_capacity: float) -> None:
    gradient = capacity_gradient(parameters(log_capacity), 1e6)
    large = [rank in ("dxyec", "xyec", "xye", "dec") for rank in RANKS]
    assert (gradient[..., large] < 0).all()


def test_details_share_out_what_a_tensor_carries() -> None:
    weights = parameters(HALF_SHUT)
    begin = sum(Latents(AXES).counts[: RANKS.index("xyec")])
    weights["detail"] = torch.zeros_like(weights["detail"])
    weights["detail"][..., begin] = 10.0
    one = draw(weights).latents["xyec"]
    other = draw(weights, seed=2).latents["xyec"]
    assert torch.equal(one[..., 0], other[..., 0]), "what carries most is sent without noise"
    assert (one[..., 1:] != other[..., 1:]).all()


def test_extreme_capacities_give_finite_latents_and_gradients() -> None:
    for log_capacity in (20.0, -200.0):
        weights = parameters(log_capacity)
        for tensor in weights.values():
            tensor.requires_grad_()
        sample = draw(weights)
        total = sample.cost.sum()
        for latent in sample.latents.values():
            assert latent.isfinite().all()
            total = total + latent.sum()
        total.backward()
        for tensor in weights.values():
            assert tensor.grad is not None and tensor.grad.isfinite().all()
