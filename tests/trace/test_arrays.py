"""Arrays come back as they were written, and text that is none is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from trmsolve.trace.arrays import (
    bits_of,
    flags_of,
    floats_of,
    grid_of,
    probabilities_exactly,
    probabilities_of,
    rows_of,
    shares_of,
)

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)
SHARES = st.floats(0, 1, width=32)


@given(arrays(np.int8, SHAPES))
def test_any_grid_comes_back(grid: np.ndarray) -> None:
    found = grid_of(rows_of(grid))
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, grid)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0)])
def test_a_grid_without_cells_comes_back(shape: tuple[int, int]) -> None:
    assert grid_of(rows_of(np.zeros(shape, np.int8))).shape == shape


def test_small_values_are_one_character_each() -> None:
    assert rows_of(np.array([[0, 9, 10], [35, 36, 63]], np.int8)) == ["09A", "Za_"]


@pytest.mark.parametrize(
    "rows",
    [
        None,
        "12",
        ["12", "1"],
        ["1ä"],
        ["1 2"],
        [[1, 2], "12"],
        [[128]],
        [[1.5]],
        [["1"]],
        [None],
        [""] * 1025,
        ["0" * 1025],
    ],
)
def test_what_is_no_grid_is_refused(rows: object) -> None:
    with pytest.raises(ValueError, match=r"row|grid"):
        grid_of(rows)


@given(arrays(np.float32, SHAPES, elements=SHARES), st.integers(0, 4000))
def test_confidence_compares_as_before(confidence: np.ndarray, level: int) -> None:
    found = probabilities_of(shares_of(confidence), confidence.shape)
    np.testing.assert_allclose(found, confidence, atol=1 / 3999)
    threshold = level / 4000
    np.testing.assert_array_equal(found < threshold, confidence < threshold)


def test_the_thresholds_of_the_drawings_compare_as_before() -> None:
    edges = np.array([[0.5, 0.7, 0.95]], np.float32)
    near = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1)])
    found = probabilities_of(shares_of(near.astype(np.float32)), near.shape)
    for threshold in (0.5, 0.7, 0.95):
        np.testing.assert_array_equal(found < threshold, near < threshold)


@pytest.mark.parametrize("rows", [["00", "0"], ["0000", "00"], "0000", ["__", "00"], ["0 ", "00"]])
def test_what_is_no_confidence_is_refused(rows: object) -> None:
    with pytest.raises(ValueError, match=r"row|confidence"):
        probabilities_of(rows, (2, 1))


@given(arrays(np.bool_, array_shapes(min_dims=1, max_dims=3, max_side=9)))
def test_flags_come_back(flags: np.ndarray) -> None:
    np.testing.assert_array_equal(flags_of(bits_of(flags), flags.shape), flags)


@pytest.mark.parametrize("text", ["AA==", "!", None, 3, "AAAAAAAA"])
def test_what_are_no_flags_is_refused(text: object) -> None:
    with pytest.raises(ValueError):  # base64 words its own errors
        flags_of(text, (3, 3))


@given(arrays(np.float32, SHAPES, elements=SHARES))
def test_numbers_come_back_exactly(values: np.ndarray) -> None:
    np.testing.assert_array_equal(probabilities_exactly(floats_of(values), values.shape), values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 2.0])
def test_numbers_that_are_no_probabilities_are_refused(value: float) -> None:
    text = floats_of(np.full((2, 2), value, np.float32))
    with pytest.raises(ValueError, match="between 0 and 1"):
        probabilities_exactly(text, (2, 2))
