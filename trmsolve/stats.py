"""How far a measured rate may be from the true one, and whether two differ. Arithmetic alone."""

import math


def wilson_interval(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval for the rate ``successes / n``; 95 % at the default ``z``.

    With n = 0 nothing is known, and the interval is (0, 1). ``successes`` may be a fraction, as
    where a task counts by the share of it that was right. The interval is then at least as wide as
    it need be, since no values between 0 and 1 vary more about their mean than zeros and ones do.
    """
    if n == 0:
        return 0.0, 1.0
    rate = successes / n
    center = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half_width = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, center - half_width), min(1.0, center + half_width)


def mcnemar_p(only_first: int, only_second: int) -> float:
    """McNemar's exact two-sided p for two methods on the same cases.

    The numbers are those of the cases that only the first or only the second got right. The other
    cases say nothing of the difference. p is the chance of numbers at least as unequal, if each of
    these cases fell to either side by the throw of a fair coin; without any it is 1.
    """
    n = only_first + only_second
    ways = 1  # to choose so many of n
    total = 0
    for chosen in range(min(only_first, only_second) + 1):
        total += ways
        ways = ways * (n - chosen) // (chosen + 1)
    return min(1.0, 2 * total / (1 << n))
