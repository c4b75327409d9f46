"""How far a measured rate may be from the true one. Knows arithmetic only."""

import math


def wilson_interval(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval for a rate, 95 % at the default ``z``. n = 0 tells nothing: (0, 1).

    Of parts of successes, as where a task counts by the share of it that was right, the interval is
    at least as wide as need be: no values between 0 and 1 vary more about their mean than zeros and
    ones do.
    """
    if n == 0:
        return 0.0, 1.0
    rate = successes / n
    center = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)
