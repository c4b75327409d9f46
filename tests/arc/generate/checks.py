"""The checks that the tests of all rules share."""

import numpy as np
import pytest

from tests.support.grids import Case, grid
from trmsolve.arc.generate.setting import Unfit


def check(case: Case) -> None:
    given = grid(case.given)
    if case.made is None:
        with pytest.raises(Unfit):
            case.rule(given, **case.parameters)
        return
    made = case.rule(given, **case.parameters)
    assert made.tolist() == grid(case.made).tolist()
    assert made.dtype == np.int8
    assert given.tolist() == grid(case.given).tolist(), "the input is left as it was"
