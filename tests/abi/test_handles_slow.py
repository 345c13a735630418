"""As test_handles, of ten thousand handles."""

import pytest

from test_handles import WRITERS, kind, memory_path, readers_come_and_go, writers_come_and_go  # noqa: F401: two are fixtures


def test_ten_thousand_readers(tmp_path, kind):  # noqa: F811
    readers_come_and_go(tmp_path, kind, 10_000)


@pytest.mark.parametrize("what", WRITERS)
def test_ten_thousand_writers(memory_path, what):  # noqa: F811
    writers_come_and_go(memory_path, what, 10_000)
