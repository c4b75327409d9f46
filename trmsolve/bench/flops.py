"""Counts floating point operations (FLOP) with torch's counter.

Counted are those of the uncompiled step in matrix products, convolutions and attention, forward and
backward. A multiplication and an addition count as one each. Muon's Newton-Schulz products are
included. Norms, activations, averages, losses, Adam, and what a fused attention computes again in
its backward pass are not. The operations are counted on the CPU for one row and for two; those of
any batch follow from the two counts.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig


def count_flop(work: Callable[[], Any]) -> int:
    """Count the floating point operations of ``work`` in products, convolutions and attention."""
    # Torch's counter does not know the fused attention of the CPU. The math backend computes
    # attention by products that it does know.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


@cache
def count_cycle(config: TRMConfig) -> int:
    """Count the floating point operations of one improvement cycle of one puzzle, not learning."""
    model = new_model(config)
    tokens = torch.zeros(1, *config.spatial_shape, dtype=torch.long)
    with torch.no_grad():
        return count_flop(lambda: model(model.initial_state(1), tokens))
