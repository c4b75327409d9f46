"""The few operations on arrays that numpy and torch spell differently.

What decides between two cycles (``model.lattice``, ``solve``) is written once and runs on torch's
tensors, where the network runs, or on numpy's arrays without torch. ``namespace`` has the functions
that both libraries call by the same name and with the same leading arguments.
"""

import sys
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""A tensor of torch or an array of numpy; all arrays of one call are of the same kind."""


def namespace(array: Array) -> ModuleType:
    """The module, numpy or torch, whose functions take this array."""
    return np if isinstance(array, np.ndarray) else sys.modules["torch"]


def floats(array: Array) -> Array:
    """The array in float32."""
    return array.astype(np.float32) if isinstance(array, np.ndarray) else array.float()


def whole(array: Array) -> Array:
    """The array in int64."""
    return array.astype(np.int64) if isinstance(array, np.ndarray) else array.long()


def copied(array: Array) -> Array:
    """A copy."""
    return array.copy() if isinstance(array, np.ndarray) else array.clone()


def like(array: Array, values: "np.ndarray[Any, Any]") -> Array:
    """The values as an array of the same kind, and where that one is, in their own dtype."""
    if isinstance(array, np.ndarray):
        return values
    return namespace(array).from_numpy(values).to(array.device)


def same_dtype(array: Array, other: Array) -> Array:
    """The array in the dtype of the other."""
    if isinstance(array, np.ndarray):
        return array.astype(other.dtype, copy=False)
    return array.to(other.dtype)


def to_numpy(array: Array) -> "np.ndarray[Any, Any]":
    """The array for numpy, on the CPU."""
    if isinstance(array, np.ndarray):
        return array
    values: np.ndarray[Any, Any] = array.cpu().numpy()
    return values


def sigmoid(array: Array) -> Array:
    """1 / (1 + exp(-x))."""
    if isinstance(array, np.ndarray):
        # exp of what is never positive cannot overflow.
        small = np.exp(-np.abs(array))
        return np.where(array >= 0, 1, small) / (1 + small)
    return array.sigmoid()


def softmax(array: Array) -> Array:
    """Probabilities along the last axis."""
    if isinstance(array, np.ndarray):
        shifted = np.exp(array - array.max(-1, keepdims=True))
        return shifted / shifted.sum(-1, keepdims=True)
    return array.softmax(-1)


def log_softmax(array: Array) -> Array:
    """The logarithms of ``softmax``."""
    if isinstance(array, np.ndarray):
        with np.errstate(invalid="ignore"):  # nan where nothing is possible, as in torch
            shifted = array - array.max(-1, keepdims=True)
            return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return array.log_softmax(-1)


def picked(array: Array, index: Array) -> Array:
    """The value (...) at each index (...) into the last axis of an array (..., n)."""
    if isinstance(array, np.ndarray):
        return np.take_along_axis(array, index[..., None], -1)[..., 0]
    return array.gather(-1, index[..., None])[..., 0]


def marked(index: Array, size: int) -> Array:
    """(...) -> (..., size) bool: true at each index."""
    return index[..., None] == like(index, np.arange(size))
