"""As test_many_columns, of more columns."""

import pytest

from test_many_columns import THIRD, check_kept, least, pytestmark, wide  # noqa: F401


@pytest.mark.parametrize("kinds, columns, rows",
                         [(["integers"], 20_000, 90), (["floats"], 20_000, 50), (["texts"], 20_000, 50), (["long"], 20_000, 20),
                          (["decimals"], 20_000, 40), (["texts"], 60_000, 20)],
                         ids=lambda value: value[0] if isinstance(value, list) else str(value))
def test_the_budget_that_is_named_is_enough(tool, write, kinds, columns, rows):
    wide(write, kinds, columns, rows)
    check_kept(tool, least(tool))


def test_twenty_thousand_columns_in_64_mb(tool, write):
    wide(write, THIRD, 20_000, 50)
    check_kept(tool, 64)
