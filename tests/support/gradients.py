"""Comparing an operation that has a gradient of its own with plain torch."""

from collections.abc import Callable

import torch
from torch import Tensor


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def same_with_gradients(
    found: Callable[..., Tensor], plain: Callable[..., Tensor], *arguments: Tensor
) -> None:
    """Both functions have equal values, and equal gradients of a random sum of these.

    Means are over a ten-thousandth of a cell more than there are, which is no error here.
    """
    results = []
    for function in (found, plain):
        leaves = [argument.clone().requires_grad_() for argument in arguments]
        value = function(*leaves)
        weights = random(*value.shape, seed=99)
        gradients = torch.autograd.grad((weights * value).sum(), leaves)
        results.append((value, *gradients))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=5e-4)
