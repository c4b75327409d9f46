"""The paper's form of ARC against what its public code made, and each piece with its inverse."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from tests.support.goldens import FOLDER
from trmsolve.arc.content import content_hash
from trmsolve.arc.paper.variants import (
    EOS,
    FIRST_COLOUR,
    PAD,
    PLAIN,
    Augmentation,
    draw_variants,
    encode,
    highest_offset,
    parse_name,
)
from trmsolve.arc.symmetry import SYMMETRIES, crop, dihedral, undo_dihedral
from trmsolve.arc.task import ArcTask, Pair
from trmsolve.puzzles.values import Grid

GOLDEN: dict[str, Any] = json.loads((FOLDER / "data_golden.json").read_text())
grids = some.arrays(
    np.int8, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 9)
)
symmetries = st.integers(0, 7)
augmentations = st.builds(Augmentation, symmetries, st.permutations(range(10)).map(tuple))


def grid_of(rows: list[list[int]]) -> Grid:
    return np.array(rows, np.int8)


def canvas_of(tokens: list[list[int]]) -> np.ndarray:
    """From the pairs (place, token) of what is not PAD."""
    canvas = np.zeros(900, np.uint8)
    for place, token in tokens:
        canvas[place] = token
    return canvas.reshape(30, 30)


def task_of(*pairs: tuple[list[list[int]], list[list[int]]]) -> ArcTask:
    """The last pair is the test."""
    made = [Pair(grid_of(question), grid_of(answer)) for question, answer in pairs]
    return ArcTask("abc", tuple(made[:-1]), tuple(made[-1:]))


def test_symmetries_are_numbered_as_the_public_code_does() -> None:
    grid = np.arange(6, dtype=np.int8).reshape(2, 3)
    for symmetry, expected in GOLDEN["dihedral_2x3_arange"].items():
        assert dihedral(grid, int(symmetry)).tolist() == expected


@given(some.arrays(np.int8, some.array_shapes(min_dims=2, max_dims=3, max_side=5)), symmetries)
def test_each_symmetry_has_its_inverse(cells: np.ndarray, symmetry: int) -> None:
    assert np.array_equal(undo_dihedral(dihedral(cells, symmetry), symmetry), cells)
    assert np.array_equal(dihedral(undo_dihedral(cells, symmetry), symmetry), cells)


def test_the_symmetries_are_eight() -> None:
    grid = np.arange(6, dtype=np.int8).reshape(2, 3)
    assert len({content_hash(dihedral(grid, symmetry)) for symmetry in range(len(SYMMETRIES))}) == 8


@pytest.mark.parametrize(
    ("key", "place"), [("no_translation", (0, 0)), ("translated_seed3", (10, 24))]
)
def test_grids_are_encoded_as_the_public_code_does(key: str, place: tuple[int, int]) -> None:
    golden = GOLDEN["arc_encode"]
    question, answer = grid_of(golden["input"]), grid_of(golden["output"])
    for grid, side in ((question, "input"), (answer, "output")):
        assert np.array_equal(encode(grid, *place), canvas_of(golden[key][f"{side}_nonzero"]))
    assert highest_offset(question, answer) == (27, 27)


def test_a_border_outside_of_the_canvas_is_left_out() -> None:
    assert GOLDEN["arc_encode"]["full30_has_no_eos"]
    full = encode(np.full((30, 30), 9, np.int8))
    assert (full == FIRST_COLOUR + 9).all() and highest_offset(np.zeros((30, 2), np.int8)) == (
        0,
        28,
    )
    wide = encode(np.zeros((29, 30), np.int8))
    assert (wide[29] == EOS).all() and (wide[:29] == FIRST_COLOUR).all()
    assert encode(np.zeros((29, 29), np.int8))[29, 29] == PAD
    with pytest.raises(ValueError, match="broadcast"):
        encode(np.zeros((3, 3), np.int8), 28, 0)


@pytest.mark.parametrize("case", GOLDEN["crop"])
def test_answers_are_cropped_as_the_public_code_does(case: dict[str, Any]) -> None:
    found = crop(canvas_of(case["seq_nonzero"]), FIRST_COLOUR)
    assert (
        list(found.shape) == case["shape"]
        and found.tolist() == case["crop"]
        and found.dtype == np.int8
    )


@given(
    some.arrays(
        np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 13)
    )
)
def test_the_crop_is_the_first_of_the_largest_rectangles(tokens: np.ndarray) -> None:
    best, shape = 0, (0, 0)
    for rows in range(1, tokens.shape[0] + 1):
        for columns in range(1, tokens.shape[1] + 1):
            part = tokens[:rows, :columns]
            if part.size > best and ((part >= 2) & (part <= 11)).all():
                best, shape = part.size, (rows, columns)
    found = crop(tokens, FIRST_COLOUR)
    assert found.shape == shape and np.array_equal(found + 2, tokens[: shape[0], : shape[1]])


@given(grids, st.integers(0, 4))
def test_what_is_encoded_is_cropped_to_itself(grid: Grid, first_colour: int) -> None:
    assert np.array_equal(crop(encode(grid), FIRST_COLOUR), grid)
    other = np.full((30, 30), first_colour + 10)
    other[: grid.shape[0], : grid.shape[1]] = grid + first_colour
    assert np.array_equal(crop(other, first_colour), grid)


@pytest.mark.parametrize("case", GOLDEN["inverse_aug"])
def test_variants_are_undone_as_the_public_code_does(case: dict[str, Any]) -> None:
    name, view = parse_name(case["name"])
    assert name == case["orig"] and view.undo(grid_of(case["grid"])).tolist() == case["inverse"]


@given(grids, augmentations)
def test_a_variant_is_undone(grid: Grid, view: Augmentation) -> None:
    assert np.array_equal(view.undo(view.apply(grid)), grid) and view.apply(grid).dtype == np.int8
    # As defined: the colours first, and then the turn.
    assert np.array_equal(view.apply(grid), dihedral(np.array(view.colours)[grid], view.symmetry))
    assert view.undo_cells(view.apply(grid).astype(np.float32)).shape == grid.shape


@given(st.text().filter(lambda name: "|||" not in name), augmentations)
def test_names_are_read_as_they_are_written(task: str, view: Augmentation) -> None:
    assert parse_name(view.name(task)) == (task, view)


def test_the_names_are_those_of_the_public_code() -> None:
    assert Augmentation(3, (0, 9, 8, 7, 6, 5, 4, 3, 2, 1)).name("abc") == "abc|||t3|||0987654321"
    assert PLAIN.name("abc") == "abc" and parse_name("abc|||t0|||0123456789") == ("abc", PLAIN)


@pytest.mark.parametrize(
    "name",
    [
        "abc|||t8|||0123456789",
        "abc|||t1",
        "abc|||t1|||012345678",
        "abc|||t1|||0123456788",
        "a|||t1|||\uff10123456789",
    ],
)
def test_names_of_no_variant_are_refused(name: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not the name of a variant|not a symmetry and a permutation"
    ):
        parse_name(name)


def test_variants_are_drawn_up_to_their_number_and_never_twice() -> None:
    task = task_of(([[1, 2, 3], [4, 5, 6]], [[7]]), ([[1]], [[8, 9]]))
    variants = draw_variants(task, 50, np.random.default_rng(0))
    assert len(variants) == 51 and variants[0] == PLAIN and len(set(variants)) == 51
    assert all(view.colours[0] == 0 for view in variants) and {
        view.symmetry for view in variants
    } == set(range(8))
    assert variants == draw_variants(task, 50, np.random.default_rng(0))
    assert variants != draw_variants(task, 50, np.random.default_rng(1))


def test_a_task_with_few_variants_has_no_more() -> None:
    """A square of one colour looks the same from all sides: nine colours are all there is."""
    task = task_of(([[1, 1], [1, 1]], [[0]]), ([[1]], [[1]]))
    variants = draw_variants(task, 100, np.random.default_rng(0))
    assert len(variants) == 9 and {view.colours[1] for view in variants} == set(range(1, 10))
    assert (
        len(draw_variants(task, 8, np.random.default_rng(1))) == 9
    )  # most draws are of no use, and more are made


def test_tests_and_the_order_of_pairs() -> None:
    """Variants that differ in the test alone are two; one that only exchanges pairs is none."""
    corner = [[1, 0], [0, 0]]
    same, other = (
        task_of((corner, [[0]]), (corner, [[0]])),
        task_of(([[0]], [[0]]), (corner, [[0]])),
    )
    assert [len(draw_variants(task, 500, np.random.default_rng(0))) for task in (same, other)] == [
        36,
        36,
    ]
    sides = task_of(
        ([[1, 0]], [[0]]), ([[0, 1]], [[0]])
    )  # turned by a half the pairs change places
    assert len(draw_variants(sides, 500, np.random.default_rng(0))) == 18
    unknown = ArcTask("abc", same.demonstrations, (Pair(grid_of([[1, 2]])),))
    assert len(draw_variants(unknown, 20, np.random.default_rng(0))) == 21
