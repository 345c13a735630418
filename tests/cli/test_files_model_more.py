"""As test_files_model.py, over many more files, and larger ones."""

import files_model_made
import pytest


@pytest.mark.parametrize("first", range(1000, 2400, 200))
def test_as_the_model_has_it(tool, first):
    for seed in range(first, first + 200):
        files_model_made.check(tool, seed)


@pytest.mark.parametrize("first", range(10_000, 10_100, 50))
def test_large_files(tool, first):
    for seed in range(first, first + 50):
        files_model_made.check(tool, seed, large=True)
