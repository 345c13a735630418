"""400 processes that replace one file, twenty at once, and as many that want to create it."""

import pytest

from rig import race_to_create, race_to_replace


@pytest.mark.parametrize("turn", range(20))
def test_replace(rig, turn):
    race_to_replace(rig, 20)


@pytest.mark.parametrize("turn", range(20))
def test_create(rig, turn):
    race_to_create(rig, 20)
