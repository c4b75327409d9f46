"""Several weights on the same puzzles."""

from dataclasses import replace

import pytest

from tests.solve.test_solver import Scripted, solver, some_puzzles
from trmsolve.solve.compare import Setting, compare
from trmsolve.solve.evaluate import evaluate
from trmsolve.stats import wilson_interval


def test_the_figures_are_those_of_evaluate_at_every_setting() -> None:
    puzzles = [replace(one, rating=rating) for rating, one in enumerate(some_puzzles(5))]
    measured = solver(Scripted())
    settings = [Setting(views, cycles) for views in (1, 3) for cycles in (2, 4)]
    told: list[object] = []
    compared = compare([measured], puzzles, settings, "made", told.append)
    assert compared["n"] == 5 and compared["differences"] == [] and len(told) == 20
    assert len(compared["results"]) == 4
    for setting, result in zip(settings, compared["results"], strict=True):
        assert (result["views"], result["cycles"]) == (setting.views, setting.cycles)
        alone = evaluate(measured.with_effort(setting.of(measured.effort)), puzzles, "made")
        for name in ("exact", "exact_ci95", "cell", "verified", "mean_cycles", "mean_views"):
            assert result[name] == alone[name], name
        verified = round(alone["verified"] * 5)
        interval = [round(bound, 4) for bound in wilson_interval(verified, 5)]
        assert result["verified_ci95"] == interval
        assert list(result["bands"]) == ["0", "1-7"]
        assert result["bands"]["1-7"]["exact"] == alone["bands"]["1-7"]["exact"]


def test_differences_count_the_puzzles_that_one_alone_got_right() -> None:
    puzzles = some_puzzles(6)
    first = solver(Scripted(99))  # solves none
    second = solver(Scripted(2))  # solves all at the second cycle
    compared = compare([first, second], puzzles, [Setting(1, 1), Setting(1, 3)], "made")
    none, all_ = compared["differences"]
    assert none["exact"] == {"only_first": 0, "only_second": 0, "p": 1.0}
    assert all_["exact"] == {"only_first": 0, "only_second": 6, "p": 0.03125}
    assert all_["verified"] == all_["exact"]
    assert (all_["cycles"], all_["views"]) == (3, 1)


@pytest.mark.parametrize(("cycles", "more"), [(None, True), (8, False)])
def test_the_usual_cycles_may_be_exceeded_and_given_ones_not(
    cycles: int | None, more: bool
) -> None:
    effort = replace(solver(Scripted()).effort, more_cycles=True)
    assert Setting(2, cycles).of(effort).more_cycles == more
