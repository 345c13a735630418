"""Sessions that are killed at any moment: everything is there, or nothing, and none is left on the server."""

import random
import signal
import time

import pyarrow.parquet as pq
import pytest

import postgres_server
from conftest import TEMPORARY, Command, wait_for

N_ACCOUNTS = 6000


@pytest.fixture
def accounts(server):
    server.sql(f"""DROP TABLE IF EXISTS accounts;
    CREATE TABLE accounts (id int, balance int, note text) WITH (fillfactor = 70);
    INSERT INTO accounts SELECT i, 100, repeat('x', 700) FROM generate_series(1, {N_ACCOUNTS}) i""")


def test_sessions_are_killed_at_random(tool, server, accounts):
    """One of four connections, or all, at any moment: everything is there, or it is an error to try again after, and nothing is left."""
    whole = [f"{i}\t100" for i in range(1, N_ACCOUNTS + 1)]
    seed = random.Random(9)
    for n in range(15):
        slow = "pg_sleep(0.05) IS NOT NULL" if n == 0 else "id % 500 <> 0 OR pg_sleep(0.01) IS NOT NULL"
        process = tool.start("dump", "accounts", connections=4, piece=16, where=slow)
        if n == 0:  # which cannot be through already
            wait_for(lambda: server.sessions() == 4, "no sessions")
        else:
            time.sleep(seed.random() * 0.2)
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dativo-native' ORDER BY random() "
                   f"LIMIT {seed.choice([1, 4])}")
        done = tool.finish(process)
        assert n > 0 or done.code == TEMPORARY
        if done.code == 0:
            assert [line.rsplit("\t", 1)[0] for line in done.out.splitlines()] == whole
        else:
            assert done.code == TEMPORARY and done.out == "", done.err
        server.gone()


# ---- the command

@pytest.fixture(scope="module")
def many(server):
    server.sql("""CREATE TABLE many (id int PRIMARY KEY, name text, total numeric(12,2), at timestamptz, note text);
    INSERT INTO many SELECT i, 'name of ' || i, i * 1.25, '2024-01-01'::timestamptz + i * interval '1 s', repeat('x', 200) FROM generate_series(1, 60000) i""")


@pytest.mark.parametrize("connections", [1, 3])
def test_convert_is_killed_at_random(command, server, many, connections):
    """25 moments each, one session or all of them, by signals to the server's processes or by its own function: exit code 2, no file."""
    seed = random.Random(50 + connections)
    options = ("--reader-option", f"connections={connections}", "--where", "id % 3000 <> 0 OR pg_sleep(0.03) IS NOT NULL")
    whole = command.table(command.url("many"), *options)
    assert whole.num_rows == 60000
    n_killed = 0
    for n in range(25):
        process = command.start("convert", command.url("many"), *options, "killed.parquet")
        wait_for(lambda: process.poll() is not None or server.sessions() >= 1, "no session")
        time.sleep(seed.random() * 0.25)
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dativo-native' ORDER BY random() "
                   f"LIMIT {seed.choice([1, 4])}")
        text = process.communicate(timeout=120)[1].decode()
        left = [path.name for path in command.folder.iterdir() if path.name != "out.parquet"]
        if process.returncode == 0:  # it was through, or another connection did the work of one that had not begun
            assert left == ["killed.parquet"]
            assert pq.read_table(command.folder / "killed.parquet").equals(whole), n
            (command.folder / "killed.parquet").unlink()
        else:
            assert process.returncode == 2 and left == [], (n, text, left)
            n_killed += 1
        server.gone()
    assert n_killed >= 10
    assert command.table(command.url("many"), *options).equals(whole)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_the_server_is_killed(tmp_path, server, how):
    with postgres_server.Server() as other:
        command = Command(tmp_path, other)
        other.sql("CREATE TABLE t AS SELECT i, repeat('x', 500) AS a FROM generate_series(1, 40000) i")
        process = command.start("convert", command.url("t"), "--where", "i % 1000 <> 0 OR pg_sleep(0.05) IS NOT NULL", "out.parquet")
        wait_for(lambda: other.sessions() >= 1, "no session")
        time.sleep(0.2)
        other.process.send_signal(how)
        text = process.communicate(timeout=120)[1].decode()
        assert process.returncode == 2 and not list(tmp_path.iterdir()), text
