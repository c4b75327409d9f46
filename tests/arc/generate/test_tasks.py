"""Made tasks: the same for the same seed, none degenerate, and read back as they were."""

import io
from collections import Counter
from itertools import islice, pairwise

import numpy as np
import pytest

from tests.support.grids import grid
from trmsolve.arc.generate.primitive import Rule
from trmsolve.arc.generate.primitives import PRIMITIVES
from trmsolve.arc.generate.setting import Unfit
from trmsolve.arc.generate.tasks import (
    DIFFICULTIES,
    SMALLEST_LARGEST_SIDE,
    Difficulty,
    draw_pairs,
    draw_rule,
    generate_tasks,
)
from trmsolve.arc.read import only_tasks, read_tasks
from trmsolve.arc.task import COLOURS, ArcTask, Pair
from trmsolve.arc.write import to_json, write_tasks
from trmsolve.errors import UsageError

MADE = {name: list(islice(generate_tasks(7, difficulty=name), 150)) for name in DIFFICULTIES}


def same(one: ArcTask, other: ArcTask) -> bool:
    return one.name == other.name and to_json(one) == to_json(other)


def test_a_task_depends_on_the_seed_and_its_number_alone() -> None:
    again = list(islice(generate_tasks(7), 20))
    assert all(map(same, again, MADE["mixed"]))
    later = islice(generate_tasks(7, first=15), 5)
    assert all(map(same, later, again[15:]))
    other = islice(generate_tasks(8), 20)
    assert not any(map(same, other, again))


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_no_task_is_degenerate(difficulty: str) -> None:
    for task in MADE[difficulty]:
        assert 2 <= len(task.demonstrations) <= 5 and 1 <= len(task.tests) <= 2
        pairs = [*task.demonstrations, *task.tests]
        inputs = [(pair.input.shape, pair.input.tobytes()) for pair in pairs]
        assert len(set(inputs)) == len(pairs), task.name
        outputs = [pair.output for pair in task.demonstrations if pair.output is not None]
        assert any(not np.array_equal(output, outputs[0]) for output in outputs), task.name
        for pair in pairs:
            assert pair.output is not None
            assert not np.array_equal(pair.input, pair.output), task.name
            assert len(np.unique(pair.input)) > 1, task.name
            for made in (pair.input, pair.output):
                assert made.dtype == np.int8 and min(made.shape) >= 1
                assert max(made.shape) <= min(20, DIFFICULTIES[difficulty].largest_side)
                assert made.min() >= 0 and made.max() < COLOURS


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_demonstrations_show_every_colour_of_a_test(difficulty: str) -> None:
    for task in MADE[difficulty]:
        questions = np.concatenate([pair.input.ravel() for pair in task.demonstrations])
        answers = np.concatenate([np.ravel(pair.output) for pair in task.demonstrations])
        for test in task.tests:
            assert np.isin(test.input, questions).all(), task.name
            assert np.isin(test.output, answers).all(), task.name


def changed_colours(pair: Pair) -> set[int]:
    return set(pair.input[pair.input != pair.output].tolist())


def test_demonstrations_change_every_colour_that_a_test_changes() -> None:
    for task in MADE["mixed"]:
        pairs = [*task.demonstrations, *task.tests]
        if any(pair.input.shape != np.shape(pair.output) for pair in pairs):
            continue
        shown = set().union(*map(changed_colours, task.demonstrations))
        assert all(changed_colours(test) <= shown for test in task.tests), task.name


def test_a_test_is_scaled_as_a_demonstration_is_if_all_are_scaled_alike() -> None:
    by_colours = next(one for one in PRIMITIVES if one.name == "scale-by-colours")
    made = 0
    for number in range(60):
        rng = np.random.default_rng(number)
        try:
            demonstrations, tests = draw_pairs(
                rng, draw_rule(rng, (by_colours,), 20), Difficulty(20, 0.0)
            )
        except Unfit:
            continue
        factors = {len(pair.output) // len(pair.input) for pair in demonstrations}  # type: ignore[arg-type]
        for test in tests:
            made += 1
            factor = len(test.output) // len(test.input)  # type: ignore[arg-type]
            assert len(factors) > 1 or factor in factors
    assert made > 20


def test_hard_tasks_have_two_rules_and_easy_ones_have_one() -> None:
    composed = {name: sum("+" in task.name for task in MADE[name]) for name in MADE}
    assert composed["easy"] == composed["medium"] == 0
    assert composed["hard"] == len(MADE["hard"])
    assert 20 < composed["mixed"] < 100


def test_a_name_says_the_rule_the_seed_and_the_number() -> None:
    names = [task.name for task in MADE["mixed"]]
    assert names[12].endswith("-7-000012")
    known = {primitive.name for primitive in PRIMITIVES}
    for name in names:
        for part in name.rsplit("-", 2)[0].split("+"):
            assert any(part == rule or part.startswith(f"{rule}-") for rule in known)


def test_neighbouring_tasks_differ_in_size() -> None:
    shapes = [task.demonstrations[0].input.shape for task in MADE["mixed"]]
    assert sum(one != other for one, other in pairwise(shapes)) > 0.9 * len(shapes)
    assert len(Counter(shapes)) > 60


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda primitive: primitive.name)
def test_every_rule_makes_tasks_in_small_grids(primitive: object) -> None:
    rng = np.random.default_rng(3)
    for _ in range(60):
        try:
            rule = draw_rule(rng, (primitive,), SMALLEST_LARGEST_SIDE)  # type: ignore[arg-type]
            demonstrations, tests = draw_pairs(rng, rule, Difficulty(SMALLEST_LARGEST_SIDE, 0.0))
        except Unfit:
            continue
        assert demonstrations and tests
        return
    pytest.fail("no task")


def test_larger_grids_on_request() -> None:
    sides = []
    for task in islice(generate_tasks(1, largest_side=30), 100):
        sides += [max(pair.input.shape) for pair in task.demonstrations]
    assert 20 < max(sides) <= 30
    for task in islice(generate_tasks(1, largest_side=8), 40):
        assert all(max(pair.input.shape) <= 8 for pair in task.demonstrations)


def test_what_cannot_be_made_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="not known: use easy, medium, hard, mixed"):
        generate_tasks(1, difficulty="extreme")
    for side in (7, 31):
        with pytest.raises(UsageError, match="give 8 to 30"):
            generate_tasks(1, largest_side=side)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("same", lambda given: given, lambda: grid("12 34")),
        Rule("constant", lambda given: grid("1"), lambda: grid("12 34")),
        Rule("empty", lambda given: given[:0], lambda: grid("12 34")),
        Rule("large", lambda given: np.tile(given, (5, 5)), lambda: grid("12 34")),
    ],
    ids=lambda rule: rule.name,
)
def test_rules_that_make_no_good_task_are_refused(rule: Rule) -> None:
    rng = np.random.default_rng(0)

    def scene() -> np.ndarray:
        return rng.integers(0, 10, (3, 3)).astype(np.int8)

    with pytest.raises(Unfit):
        draw_pairs(rng, rule, Difficulty(8, 0.0))
    with pytest.raises(Unfit):
        draw_pairs(rng, Rule(rule.name, rule.apply, scene), Difficulty(8, 0.0))


def test_made_tasks_are_read_as_they_were() -> None:
    stream = io.StringIO()
    write_tasks(stream, MADE["mixed"])
    read = only_tasks(read_tasks(io.BytesIO(stream.getvalue().encode()), "made.json"))
    assert len(read) == len(MADE["mixed"])
    assert all(map(same, read, MADE["mixed"]))
    assert all(task.answered for task in read)


def test_a_task_has_as_many_demonstrations_as_are_asked_for() -> None:
    for task in islice(generate_tasks(3, difficulty="easy", demonstrations=20), 20):
        assert len(task.demonstrations) == 20
        inputs = [pair.input.tolist() for pair in (*task.demonstrations, *task.tests)]
        assert all(one not in inputs[:place] for place, one in enumerate(inputs))
