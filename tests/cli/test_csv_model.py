"""Random bytes, options, blocks and threads: rows, values, wrong rows and errors are those of a plain model of the rules."""

import csv_model_made
import pytest


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_as_the_model_has_it(tool, first):
    seen = [csv_model_made.check(tool, seed) for seed in range(first, first + 20)]
    assert "rows" in seen
