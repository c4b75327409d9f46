"""Derives Sudokus from a Sudoku: the same solution behind other clues, by the rules alone.

A training run on few puzzles learns from many more that way. Symmetries give nothing new to a
network that itself treats symmetric puzzles alike.

The compiled search, and numba with it, is imported when the first puzzle is wanted.
"""

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Grid

FRESH_SHARE = 0.09
"""The share of the attempts that begin with the full grid. They give easy puzzles of all kinds."""


def derive_sudokus(
    question: Grid, answer: Grid, attempts: int, rng: np.random.Generator
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Derive up to ``attempts`` different minimal puzzles (n, 9, 9) with this solution.

    Returns them with their ratings (n,). An attempt takes about half a millisecond. The question
    itself is not among them. Little or nothing comes from a question that has several solutions.
    """
    from trmsolve.puzzles.sudoku import compiled  # imports numba

    derived = np.zeros((attempts, 81), np.int8)
    ratings = np.zeros(attempts, np.int64)
    compiled.derive(
        np.zeros(compiled.STACK, np.int64),
        question.reshape(81).astype(np.int64),
        answer.reshape(81).astype(np.int64),
        round(FRESH_SHARE * attempts),
        rng.random((attempts, 82)),
        np.zeros(81, np.int64),
        derived,
        ratings,
    )
    _, first = np.unique(derived, axis=0, return_index=True)
    differs = (derived != question.reshape(81)).any(axis=1)
    others = np.sort(first)
    others = others[differs[others] & (ratings[others] >= 0)]
    return derived[others].reshape(-1, 9, 9), ratings[others]
