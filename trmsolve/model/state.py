"""What a cycle hands on and what it says, for networks that run in torch or anywhere else.

Knows no torch. Shape letters as in ``network``.
"""

from typing import Any, NamedTuple


class State(NamedTuple):
    """What one cycle hands to the next: answer ``y`` and latent ``z``, each (B, L, D)."""

    y: Any
    z: Any


class Prediction(NamedTuple):
    """What one improvement cycle says: ``logits`` (B, S, V), and ``halt`` (B, 2) logits in float32.

    The first of ``halt`` is to halt. The second is to continue, which nothing reads; where tokens
    are a lattice it is that the lattice has lost its solution.
    """

    logits: Any
    halt: Any
