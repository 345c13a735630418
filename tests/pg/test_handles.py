"""What every reader keeps to (tests/support/plugin_host.py), with rows out of a server."""

import json

import pyarrow as pa
import pytest

from command import PLUGINS
from plugin_host import Reader, cancel_is_told, fork_is_refused, forks, hosts_do_not_meet, progress_grows, stays_flat
from test_plugin import Plugin

READER = PLUGINS / "libpostgres_reader_plugin.so"
N = 40_000


@pytest.fixture(scope="module")
def plugin(server):
    server.sql(f"CREATE TABLE many AS SELECT i::bigint AS id, 'text number ' || i % 977 AS text FROM generate_series(0, {N - 1}) i; "
               "CREATE TABLE few AS SELECT * FROM many WHERE id < 20000; ANALYZE many; ANALYZE few")
    return Plugin(server)


@pytest.fixture
def config(plugin):
    return lambda table="many", **options: json.loads(plugin.config(options, objects=[table]))


def read(config):
    reader = Reader(READER, config)
    table = pa.Table.from_batches(reader.batches())
    reader.close()
    return table


def test_progress(config):
    assert progress_grows(READER, config(), N)[2] == N


def test_cancel(plugin, config):
    cancel_is_told(READER, config())
    plugin.server.gone()


@forks
def test_fork(plugin, config):
    fork_is_refused(READER, config(), N)
    plugin.server.gone()


def test_two_hosts(config):
    configs = [config(), config("few")]
    hosts_do_not_meet(READER, configs, [read(c) for c in configs])


def test_rows_are_estimated(plugin):
    found = {o["name"]: o["rows"] for o in plugin.discover()}
    assert found["public.many"] == N and found["public.few"] == 20_000


def test_pieces_have_every_row_once(config):
    whole = Reader(READER, config())  # open as long as the pieces are read: it holds the snapshot
    pieces = whole.splits(100_000)
    assert len(pieces) > 2
    ids = []
    for piece in pieces:
        reader = Reader(READER, config(), piece["token"])
        ids += [i for batch in reader.batches() for i in batch.column("id").to_pylist()]
        reader.close()
    whole.close()
    assert ids == list(range(N))


def test_handles_leave_nothing(plugin, config):
    """100 that connect, some freed in the middle; 10,000 that are refused before that."""
    good, count = json.dumps(config("few")).encode(), iter(range(10**9))

    def connected():
        reader = plugin.lib.create_reader(good)
        if next(count) % 3 == 0:
            assert plugin.text(plugin.lib.extract_batch(reader))
        plugin.lib.free_reader(reader)

    stays_flat(connected, times=100)
    stays_flat(lambda: plugin.lib.free_reader(plugin.lib.create_reader(b'{"type":"postgres","engine":{"options":{"typo":1}}}')))
    plugin.server.gone()
