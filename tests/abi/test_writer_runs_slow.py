"""More interleavings of writers than an everyday run has time for."""

import pytest
from test_writer_runs import interleave_here, interleave_processes


@pytest.mark.parametrize("seed", range(1000, 1200))
def test_interleavings_in_one_process(tmp_path, seed):
    interleave_here(tmp_path, seed)


@pytest.mark.parametrize("seed", range(1000, 1200))
def test_interleavings_of_processes(tmp_path, seed):
    interleave_processes(tmp_path, seed)
