"""Comparing tensors to the bit."""

import torch
from torch import Tensor


def same_bits(a: Tensor, b: Tensor) -> bool:
    def raw(tensor: Tensor) -> bytes:
        return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()

    return a.dtype == b.dtype and a.shape == b.shape and (a.numel() == 0 or raw(a) == raw(b))
