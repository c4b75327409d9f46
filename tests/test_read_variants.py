"""Puzzles in random forms, signs and decoration are read as what they were written from.

``python -m tests.read_variants 100000`` does so a hundred thousand times.
"""

import pytest

from tests.read_variants import main


@pytest.mark.parametrize("seed", range(1, 5))
def test_variants(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    main(500, seed)
    assert capsys.readouterr().out.startswith("500 variants read")
