"""Whatever happens in the meantime, what is read is of one moment."""

import signal
import threading
import time

import pytest

from conftest import CANCELLED, TEMPORARY, wait_for

N_ACCOUNTS = 6000


@pytest.fixture
def accounts(server):
    server.sql(f"""DROP TABLE IF EXISTS accounts;
    CREATE TABLE accounts (id int, balance int, note text) WITH (fillfactor = 70);
    INSERT INTO accounts SELECT i, 100, repeat('x', 700) FROM generate_series(1, {N_ACCOUNTS}) i""")


CHANGES = """
UPDATE accounts SET balance = balance + 1 WHERE id % 7 = {k} % 7;
UPDATE accounts SET balance = balance - 1 WHERE id % 7 = ({k} + 1) % 7;
DELETE FROM accounts WHERE id = {k} + 1;
INSERT INTO accounts SELECT 1000000 + {k} * 100 + i, -5, repeat('y', 700) FROM generate_series(1, 100) i;
VACUUM accounts;
"""


def changing(server, stop):
    """Transfers, deletions, insertions and VACUUM, until told; each statement is a transaction."""
    k = 0
    while not stop.is_set():
        server.sql(CHANGES.format(k=k))
        k += 1


def test_an_export_is_one_snapshot(tool, server, accounts, tmp_path):
    """All rows are changed between snapshot and reading, and go on changing while four connections read 16 pages at a time."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "accounts", connections=4, piece=16, ready=ready, go=go)
    wait_for(ready.exists, "no snapshot")
    server.sql(CHANGES.format(k=0))
    server.sql("UPDATE accounts SET balance = balance * 2")
    stop = threading.Event()
    thread = threading.Thread(target=changing, args=(server, stop))
    thread.start()
    try:
        go.touch()
        done = tool.finish(process)
    finally:
        stop.set()
        thread.join()
    assert done.code == 0, done.err
    found = [line.split("\t")[:2] for line in done.out.splitlines()]
    assert found == [[str(i), "100"] for i in range(1, N_ACCOUNTS + 1)]  # in order, too
    assert server.sql("SELECT sum(balance) FROM accounts WHERE id <= 6000") != str(N_ACCOUNTS * 100)


def test_nobody_truncates_in_the_meantime(tool, server, accounts, tmp_path):
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "accounts", connections=4, piece=16, ready=ready, go=go)
    wait_for(ready.exists, "no snapshot")
    with pytest.raises(RuntimeError, match="lock timeout"):
        server.sql("SET lock_timeout = '300ms'; TRUNCATE accounts")
    go.touch()
    done = tool.finish(process)
    assert done.code == 0 and len(done.out.splitlines()) == N_ACCOUNTS


def test_a_table_that_was_truncated_at_the_last_moment(tool, server, accounts, tmp_path):
    """Behind the snapshot and in front of the lock: the snapshot would see an empty table."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "accounts", ready=ready, go=go, early="yes")
    wait_for(ready.exists, "no snapshot")
    server.sql("TRUNCATE accounts")
    go.touch()
    done = tool.finish(process)
    assert done.code == TEMPORARY and "truncated, rewritten" in done.err, done.err


def test_a_partition_that_was_rewritten_at_the_last_moment(tool, server, tmp_path):
    server.sql("""CREATE TABLE parted (id int) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
    INSERT INTO parted VALUES (1)""")
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "parted", ready=ready, go=go, early="yes")
    wait_for(ready.exists, "no snapshot")
    server.sql("TRUNCATE parted_1; INSERT INTO parted VALUES (2)")
    go.touch()
    done = tool.finish(process)
    assert done.code == TEMPORARY and "public.parted_1 was truncated" in done.err, done.err


def early(tool, server, tmp_path, change, *args):
    """What a dump says, of which a snapshot was there before the change, and its locks behind it."""
    ready, go = tmp_path / "ready", tmp_path / "go"
    for left in ready, go:
        left.unlink(missing_ok=True)
    process = tool.start(*args, ready=ready, go=go, early="yes")
    wait_for(ready.exists, "no snapshot")
    server.sql(change)
    go.touch()
    done = tool.finish(process)
    assert done.code == TEMPORARY and done.err.endswith("in the moment in which reading began; try again\n"), (done.code, done.err)
    return done.err


SWAP = "BEGIN; ALTER TABLE {0} RENAME TO {0}_old; CREATE TABLE {0} AS SELECT 2 AS id; COMMIT"


def test_another_table_in_its_place(tool, server, tmp_path):
    """Nothing of it would be seen, and all of the old one is there."""
    server.sql("CREATE TABLE swapped (id int); INSERT INTO swapped VALUES (1)")
    assert "public.swapped was " in early(tool, server, tmp_path, SWAP.format("swapped"), "dump", "swapped")
    server.sql("CREATE TABLE filled AS SELECT 3 AS id")
    change = "BEGIN; ALTER TABLE swapped RENAME TO swapped_too; ALTER TABLE filled RENAME TO swapped; COMMIT"
    assert "public.swapped was renamed" in early(tool, server, tmp_path, change, "dump", "swapped")


def test_what_is_behind_views_and_queries(tool, server, tmp_path):
    server.sql("""CREATE TABLE under (id int) PARTITION BY RANGE (id); CREATE TABLE under_1 PARTITION OF under FOR VALUES FROM (0) TO (10);
    CREATE VIEW over AS SELECT id FROM under; INSERT INTO under VALUES (1)""")
    refill = "BEGIN; TRUNCATE under; INSERT INTO under VALUES (2); COMMIT"
    assert "public.under_1 was truncated" in early(tool, server, tmp_path, refill, "dump", "over")
    assert "public.under_1 was truncated" in early(tool, server, tmp_path, refill, "dump-query", "SELECT id FROM under")
    server.sql("CREATE INDEX ON under (id)")  # of no concern
    assert tool.ok("dump", "over") == "2\n" == tool.ok("dump-query", "SELECT id FROM under -- all")


def test_who_waits_for_the_table_alone_stops_nobody(command, server):
    """Its other connections would wait behind the one that waits for the first, which would wait for them."""
    server.sql("CREATE TABLE wanted AS SELECT i AS id, repeat('x', 500) AS t FROM generate_series(1, 20000) i")
    process = command.start("convert", "-f", command.url("wanted"), "--reader-option", "connections=3", "--where",
                            "id % 5000 <> 0 OR pg_sleep(0.2) IS NOT NULL", "out.parquet")
    wait_for(lambda: server.sql("SELECT count(*) FROM pg_locks WHERE relation = 'wanted'::regclass") != "0", "no lock")
    waits = server.start_psql("SELECT 'begun'; TRUNCATE wanted;")
    text = process.communicate(timeout=60)[1].decode()
    waits.communicate()
    assert process.returncode == 0 and "20,000 in" in text, text


def test_tables_that_a_condition_asks(command, server):
    """The snapshot is there while one of them is filled anew, which is waited for."""
    server.sql("CREATE TABLE asked (id int); INSERT INTO asked VALUES (1), (2); CREATE TABLE known (id int); INSERT INTO known VALUES (1)")
    assert command.table(command.url("asked"), "--where", "id IN (SELECT id FROM known)")["id"].to_pylist() == [1]
    refill = server.start_psql("BEGIN; TRUNCATE known; INSERT INTO known VALUES (1); SELECT 'done';")
    process = command.start("convert", "-f", command.url("asked"), "--where", "id IN (SELECT id FROM known)", "out.parquet")
    try:
        wait_for(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dativo-native' AND wait_event_type = 'Lock'") == "1",
                 "nobody waits")
    finally:
        refill.communicate(b"COMMIT;\n")
        text = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 2 and "public.known was truncated" in text and "try again" in text, text


@pytest.mark.parametrize("change", ["ALTER TABLE altered DROP COLUMN day; ALTER TABLE altered ADD COLUMN day date",
                                    "ALTER TABLE altered RENAME n TO m; ALTER TABLE altered RENAME day TO n; ALTER TABLE altered RENAME m TO day"])
def test_another_column_in_its_place(tool, server, tmp_path, change):
    """A date would be read as the number of the same length."""
    for args in [("dump", "altered"), ("dump", "over_altered"), ("dump-query", "SELECT day FROM altered")]:
        server.sql("""DROP TABLE IF EXISTS altered CASCADE; CREATE TABLE altered (n int, day date); INSERT INTO altered VALUES (1, '2024-01-01');
            CREATE VIEW over_altered AS SELECT n FROM altered""")
        assert "public.altered was truncated, rewritten, altered" in early(tool, server, tmp_path, change, *args)


def test_columns_that_come_are_of_no_concern(tool, server, tmp_path):
    server.sql("CREATE TABLE grown (id int); INSERT INTO grown VALUES (1)")
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "grown", ready=ready, go=go, early="yes")
    wait_for(ready.exists, "no snapshot")
    server.sql("ALTER TABLE grown ADD COLUMN more int DEFAULT 7")
    go.touch()
    done = tool.finish(process)
    assert done.code == 0 and done.out == "1\n", done.err


def test_a_partition_that_was_detached_at_the_last_moment(tool, server, tmp_path):
    server.sql("""CREATE TABLE loose (id int) PARTITION BY RANGE (id); CREATE TABLE loose_1 PARTITION OF loose FOR VALUES FROM (0) TO (10);
    CREATE TABLE loose_2 PARTITION OF loose FOR VALUES FROM (10) TO (20); INSERT INTO loose VALUES (1), (11)""")
    assert "public.loose_1 was renamed, dropped or detached" in early(tool, server, tmp_path, "ALTER TABLE loose DETACH PARTITION loose_1", "dump", "loose")


def test_a_table_that_was_dropped_at_the_last_moment(tool, server, tmp_path):
    server.sql("CREATE TABLE short_lived (id int)")
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = tool.start("dump", "short_lived", ready=ready, go=go, early="yes")
    wait_for(ready.exists, "no snapshot")
    server.sql("DROP TABLE short_lived")
    go.touch()
    done = tool.finish(process)
    assert done.code == 5 and "short_lived" in done.err, done.err


def test_the_snapshot_outlives_the_idle_limit(tool, server, accounts, tmp_path):
    """The session that holds it waits while others read."""
    server.sql("ALTER ROLE postgres SET idle_in_transaction_session_timeout = '100ms'")
    try:
        ready, go = tmp_path / "ready", tmp_path / "go"
        process = tool.start("dump", "accounts", connections=2, piece=16, ready=ready, go=go)
        wait_for(ready.exists, "no snapshot")
        time.sleep(0.5)
        go.touch()
        done = tool.finish(process)
        assert done.code == 0 and len(done.out.splitlines()) == N_ACCOUNTS, done.err
    finally:
        server.sql("ALTER ROLE postgres RESET idle_in_transaction_session_timeout")


def test_an_export_is_cancelled_in_all_its_sessions(tool, server, accounts):
    """Each of four connections reads rows that take their time; then none is left on the server."""
    process = tool.start("dump", "accounts", connections=4, piece=16, where="pg_sleep(0.05) IS NOT NULL")
    wait_for(lambda: server.sessions() == 4, "no sessions")
    process.send_signal(signal.SIGTERM)
    done = tool.finish(process, timeout=60)
    assert done.code == CANCELLED, done.err
    server.gone()
