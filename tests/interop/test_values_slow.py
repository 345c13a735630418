"""As test_values: every file, where that takes every eighth one."""

from test_values import db, test_duckdb, test_polars, test_pyarrow  # noqa: F401: tests, and what they need
