"""What an answer becomes as the next question, for networks that feed it back.

Knows arrays of torch or of numpy; no network.
"""

from collections.abc import Sequence

import numpy as np

from trmsolve.model.arrays import Array, like, namespace


def rewritten(tokens: Array, logits: Array, frozen_tokens: Sequence[int]) -> Array:
    """The likeliest answer (..., V) to ``tokens``, in their shape; ``frozen_tokens`` stay."""
    frozen = like(tokens, np.array(frozen_tokens, np.int64))
    stays = (tokens[..., None] == frozen).any(-1)
    answer = logits.argmax(-1).reshape(tokens.shape)
    return namespace(tokens).where(stays, tokens, answer)
