"""As test_csv_model, over many more files."""

import csv_model_made
import pytest


@pytest.mark.parametrize("first", range(1200, 2400, 100))
def test_as_the_model_has_it(tool, first):
    for seed in range(first, first + 100):
        csv_model_made.check(tool, seed)
