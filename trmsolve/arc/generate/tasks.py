"""Makes ARC tasks without end: draws rules, their demonstrations and tests, and refuses poor ones.

A task is decided by the seed and its number alone. Every answer follows from the demonstrations as
far as that can be checked: a test shows no colour, asks for none, and changes none, for which they
do not show the same.

Knows rules by their table.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import count

import numpy as np

from trmsolve.arc.generate.difficulties import DIFFICULTIES, USUAL_DIFFICULTY, Difficulty
from trmsolve.arc.generate.primitive import Primitive, Rule
from trmsolve.arc.generate.primitives import PRIMITIVES
from trmsolve.arc.generate.setting import Setting, Unfit
from trmsolve.arc.task import COLOURS, LARGEST, ArcTask, Pair
from trmsolve.errors import UsageError
from trmsolve.puzzles.values import Grid

LARGEST_SIDE = 20
"""The most rows and columns of a grid, where nothing else is asked for."""

SMALLEST_LARGEST_SIDE = 8
"""The largest side may not be shorter: every rule has room in grids of this side."""

TESTS = (1, 1, 1, 2)
"""Numbers of tests, as often as they are drawn."""

SCENES = 6
"""How many scenes are drawn for each pair, on average, before a rule is given up."""

HOPELESS = 8
"""How many scenes are drawn for the first pair before a rule is given up."""

SETTINGS = 5
"""How often the setting and the parameters of a primitive are drawn before it is given up."""

OTHER_BACKGROUND = 0.15
"""The share of tasks whose background is another colour than 0."""


def generate_tasks(
    seed: int,
    largest_side: int = LARGEST_SIDE,
    difficulty: str = USUAL_DIFFICULTY,
    first: int = 0,
    demonstrations: int | None = None,
) -> Iterator[ArcTask]:
    """Generate the tasks of a seed, from the number ``first`` on, without end.

    No side of a grid is longer than ``largest_side`` or than the difficulty allows. Each task has
    so many ``demonstrations``, from 1 to 100; without a number it has 2 to 5. The same arguments
    make the same task of a number, whatever ``first`` is.

    Raises:
        UsageError: If there is no such difficulty, or the side is not from 8 to 30.
    """
    if difficulty not in DIFFICULTIES:
        raise UsageError(f"--difficulty {difficulty} is not known: use {', '.join(DIFFICULTIES)}")
    if not SMALLEST_LARGEST_SIDE <= largest_side <= LARGEST:
        raise UsageError(
            f"a largest side of {largest_side}: give {SMALLEST_LARGEST_SIDE} to {LARGEST}"
        )
    chosen = DIFFICULTIES[difficulty]
    chosen = replace(chosen, largest_side=min(largest_side, chosen.largest_side))
    if demonstrations is not None:
        chosen = replace(chosen, demonstrations=(demonstrations,))
    return _generate(seed, chosen, first)


def _generate(seed: int, difficulty: Difficulty, first: int) -> Iterator[ArcTask]:
    for number in count(first):
        yield make_task(seed, number, difficulty)


def make_task(seed: int, number: int, difficulty: Difficulty) -> ArcTask:
    """Make the task of this seed and number."""
    rng = np.random.default_rng((seed, number))
    while True:
        primitives = draw_primitives(rng, difficulty)
        for _ in range(SETTINGS):
            try:
                rule = draw_rule(rng, primitives, difficulty.largest_side)
                demonstrations, tests = draw_pairs(rng, rule, difficulty)
            except Unfit:
                continue
            name = f"{rule.name}-{seed}-{number:06d}"
            return _with_background(rng, name, demonstrations, tests)


def draw_primitives(rng: np.random.Generator, difficulty: Difficulty) -> tuple[Primitive, ...]:
    """Draw one primitive, or two in the order in which they are applied."""
    first = PRIMITIVES[rng.integers(len(PRIMITIVES))]
    if rng.random() >= difficulty.composed:
        return (first,)
    second = first
    while second is first:
        second = GENERAL[rng.integers(len(GENERAL))]
    if second.keeps_scenes and rng.random() < 0.5:
        return second, first
    return first, second


GENERAL = tuple(primitive for primitive in PRIMITIVES if primitive.general)
"""The primitives that can follow any other."""


def draw_rule(
    rng: np.random.Generator, primitives: tuple[Primitive, ...], largest_side: int
) -> Rule:
    """Draw the parameters of one primitive, or of two that are applied one after the other.

    Raises:
        Unfit: If such a rule has no room in grids of this side.
    """
    largest = largest_side
    for primitive in primitives:
        largest //= primitive.growth
    smallest = max(primitive.smallest for primitive in primitives)
    if smallest > largest:
        raise Unfit
    setting = Setting.draw(rng, smallest, largest)
    rules = [primitive.draw(setting) for primitive in primitives]
    return rules[0] if len(rules) == 1 else _composed(primitives, rules)


def _composed(primitives: tuple[Primitive, ...], rules: list[Rule]) -> Rule:
    first, second = rules
    # The scene is that of the rule that demands more of it.
    scene = second.scene if primitives[0].keeps_scenes else first.scene

    def apply(grid: Grid) -> Grid:
        half_way = first.apply(grid)
        result = second.apply(half_way)
        if np.array_equal(result, half_way) or _is_output(second, grid, result):
            raise Unfit  # one of the two rules changes nothing
        return result

    return Rule(f"{first.name}+{second.name}", apply, scene)


def _is_output(rule: Rule, grid: Grid, output: Grid) -> bool:
    try:
        return np.array_equal(rule.apply(grid), output)
    except Unfit:
        return False


def draw_pairs(
    rng: np.random.Generator, rule: Rule, difficulty: Difficulty
) -> tuple[list[Pair], list[Pair]]:
    """Draw the demonstrations and the tests of a task.

    Raises:
        Unfit: If the rule finds too few good ones.
    """
    demonstrations = int(rng.choice(difficulty.demonstrations))
    wanted = demonstrations + int(rng.choice(TESTS))
    pairs: list[Pair] = []
    for number in range(SCENES * wanted):
        if number == HOPELESS and not pairs:
            break
        pair = _draw_pair(rule, difficulty.largest_side)
        if pair is None or any(np.array_equal(pair.input, other.input) for other in pairs):
            continue
        if len(pairs) < demonstrations or _follows(pair, pairs[:demonstrations]):
            pairs.append(pair)
        if len(pairs) == demonstrations and _are_alike(pairs):
            raise Unfit
        if len(pairs) == wanted:
            return pairs[:demonstrations], pairs[demonstrations:]
    raise Unfit


def _draw_pair(rule: Rule, largest_side: int) -> Pair | None:
    """An input and its output; None if the draw is not good."""
    try:
        scene = rule.scene()
        output = rule.apply(scene)
    except Unfit:
        return None
    sides = (*scene.shape, *output.shape)
    fits = min(sides) >= 1 and max(sides) <= largest_side
    if not fits or np.array_equal(scene, output) or (scene == scene[0, 0]).all():
        return None
    return Pair(scene, output)


def _are_alike(pairs: list[Pair]) -> bool:
    """Whether all outputs are equal, so that the rule cannot be seen."""
    outputs = [_output(pair) for pair in pairs]
    return all(np.array_equal(output, outputs[0]) for output in outputs)


def _follows(test: Pair, demonstrations: list[Pair]) -> bool:
    """Whether the demonstrations show all that the answer to a test depends on, as far as is seen.

    That is every colour of its input and of its output, that a colour changes or stays, and how
    much larger or smaller the output is, unless that varies anyway.
    """
    for look in (_of_input, _of_output, _changed, _kept):
        shown = np.zeros(COLOURS, np.bool_)
        for pair in demonstrations:
            shown[look(pair)] = True
        if not shown[look(test)].all():
            return False
    ratios = {_ratio(pair) for pair in demonstrations}
    return len(ratios) > 1 or _ratio(test) in ratios


def _of_input(pair: Pair) -> Grid:
    return pair.input


def _of_output(pair: Pair) -> Grid:
    return _output(pair)


def _changed(pair: Pair) -> Grid:
    """The colours of cells that have another colour in the output, if it is of the same size."""
    output = _output(pair)
    if output.shape != pair.input.shape:
        return np.zeros(0, np.int8)
    changed: Grid = pair.input[pair.input != output]
    return changed


def _kept(pair: Pair) -> Grid:
    """The colours of cells that have the same colour in the output, if it is of the same size."""
    output = _output(pair)
    if output.shape != pair.input.shape:
        return np.zeros(0, np.int8)
    kept: Grid = pair.input[pair.input == output]
    return kept


def _ratio(pair: Pair) -> tuple[Fraction, Fraction]:
    """How many times as many rows and columns the output has."""
    rows, columns = pair.input.shape
    output = _output(pair)
    return Fraction(output.shape[0], rows), Fraction(output.shape[1], columns)


def _output(pair: Pair) -> Grid:
    assert pair.output is not None  # made pairs have both
    return pair.output


def _with_background(
    rng: np.random.Generator, name: str, demonstrations: list[Pair], tests: list[Pair]
) -> ArcTask:
    """The task, in which the background and another colour may be exchanged everywhere."""
    table = np.arange(COLOURS, dtype=np.int8)
    if rng.random() < OTHER_BACKGROUND:
        other = rng.integers(1, COLOURS)
        table[0], table[other] = other, 0

    def coloured(pair: Pair) -> Pair:
        return Pair(table[pair.input], table[_output(pair)])

    return ArcTask(name, tuple(map(coloured, demonstrations)), tuple(map(coloured, tests)))
