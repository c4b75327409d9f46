"""Slots that are computed some at a time have the results of all at once."""

import pytest
import torch
from torch import Tensor

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import SLOTS_AT_ONCE, SwiGLU, in_slices, rms_norm


@pytest.mark.parametrize(
    "shape",
    [(3, 1500, 8), (2, 50, 50, 8), (SLOTS_AT_ONCE, 8), (SLOTS_AT_ONCE + 1, 8)],
    ids=["batch", "board", "fits", "one too many"],
)
def test_slices_have_the_results_and_gradients_of_the_whole(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    config = TRMConfig(vocab_size=2, seq_len=4, hidden_size=8, num_heads=1, normed_swiglu=True)
    gated = SwiGLU(8, config)
    at_once: list[int] = []

    def within(h: Tensor) -> Tensor:
        at_once.append(h[..., 0].numel())
        return rms_norm(h + gated(h), 1e-5)

    h = torch.randn(shape)
    results = {}
    for name, compute in (("whole", within), ("slices", lambda h: in_slices(within, h))):
        gated.zero_grad()
        asked = h.clone().requires_grad_()
        out = compute(asked)
        out.square().sum().backward()
        weights = [parameter.grad for parameter in gated.parameters()]
        results[name] = [out, asked.grad, *weights]
    whole, *sliced = at_once
    assert whole == sum(sliced)
    assert max(sliced) <= SLOTS_AT_ONCE
    torch.testing.assert_close(results["slices"], results["whole"], rtol=1e-5, atol=1e-5)
