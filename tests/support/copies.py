"""The answers in the reports of groups of copies."""

from trmsolve.arc.answers import WeightedGrid
from trmsolve.arc.ensemble.rounds import FROM_NOTHING, Report


def best_of(report: Report) -> list[list[WeightedGrid]]:
    """The answers to each test of the copies that learn from nothing."""
    return report.tallies[FROM_NOTHING].best


def answers(best: list[list[WeightedGrid]]) -> list[tuple[list[list[int]], float, int]]:
    """The answers to the first test, in a form that can be compared."""
    return [(answer.grid.tolist(), answer.votes, answer.copies) for answer in best[0]]
