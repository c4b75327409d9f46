"""Names of tensors: prefixes, and what a network must have."""

from pathlib import Path

import pytest
import torch

from trmsolve.errors import WeightsError
from trmsolve.weights.names import fitting_names, strip_prefixes

PATH = Path("w.safetensors")
EXPECTED = {"a": torch.Size([2]), "b": torch.Size([3])}


@pytest.mark.parametrize(
    "name", ["a", "model.a", "module._orig_mod.model.inner.a", "inner.model.a"]
)
def test_prefixes_are_removed_in_any_order(name: str) -> None:
    assert strip_prefixes(name) == "a"


def test_each_expected_tensor_gets_its_name_in_the_file() -> None:
    stored = {"model.b": (3,), "a": (2,)}
    assert fitting_names(PATH, stored, EXPECTED) == {"b": "model.b", "a": "a"}


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ({"a": (2,)}, "w.safetensors has no tensor 'b'"),
        ({"a": (2,), "b": (3,), "c": (1,)}, "has an unknown tensor 'c'"),
        (
            {"a": (2,), "model.a": (2,), "b": (3,)},
            "contains the same tensor twice, with two prefixes",
        ),
        ({"a": (2,), "b": (4,)}, r"b has shape \(4,\), not \(3,\)"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(stored: dict[str, tuple[int, ...]], told: str) -> None:
    with pytest.raises(WeightsError, match=told):
        fitting_names(PATH, stored, EXPECTED)
