"""400 processes that want to create one file, twenty at once."""

import pytest

from rig import race_to_create


@pytest.mark.parametrize("turn", range(20))
def test_create(rig, turn):
    race_to_create(rig, 20)
