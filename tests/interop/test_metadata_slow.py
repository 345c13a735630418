"""As test_metadata: every file, where that takes every eighth one."""

from test_metadata import test_footer, test_manifest  # noqa: F401: tests
