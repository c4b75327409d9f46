"""The randomness of one row, the same whatever runs the network.

It draws from the Mersenne Twister, and uniform numbers are those that torch draws on the CPU from
the same seed. Knows arrays only.
"""

import numpy as np
from numpy.typing import NDArray

BITS = 24
"""The bits of a uniform number: as many as float32 tells apart between a half and 1."""
BLOCK = 16
"""Normal numbers are made from uniform ones in blocks: a radius and an angle make two of them."""


class Chance:
    """Random numbers from a seed, of which the lower 32 bits count."""

    def __init__(self, seed: int) -> None:
        self.twister = np.random.RandomState(seed % 2**32)

    def uniform(self, number: int) -> NDArray[np.float32]:
        """(number,) in [0, 1)."""
        whole = self.twister.randint(2**BITS, size=number, dtype=np.uint32)
        return whole.astype(np.float32) * np.float32(2**-BITS)

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Of mean 0 and deviation 1, in this shape."""
        number = int(np.prod(shape))
        uniform = self.uniform(number)
        whole = number // BLOCK * BLOCK
        normal = np.empty(number, np.float32)
        normal[:whole] = _box_muller(uniform[:whole])
        if whole < number:
            # The last block is drawn anew, and overlaps the one before.
            last = _box_muller(self.uniform(BLOCK))
            normal[-BLOCK:] = last[-number:]
        return normal.reshape(shape)


def _box_muller(uniform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normal numbers from uniform ones, block by block."""
    blocks = uniform.reshape(-1, 2, BLOCK // 2)
    radius = np.sqrt(-2 * np.log(1 - blocks[:, 0]))
    angle = np.float32(2 * np.pi) * blocks[:, 1]
    pairs = np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)
    return pairs.reshape(-1)
