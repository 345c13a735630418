"""Memory that runs out, rows larger than it should be, and bounds on what waits."""

import os
import subprocess

import pytest

from conftest import MEMORY

N_ROWS = 8000


@pytest.fixture(scope="module")
def table(server):
    server.sql(f"CREATE TABLE filled (id int, note text); INSERT INTO filled SELECT i, repeat(chr(97 + i % 26), 1 + i % 1500) FROM generate_series(1, {N_ROWS}) i")
    return server.psql("-c", "COPY filled TO STDOUT")


def peak(command, env):
    """KiB of a process that writes to nowhere."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, message
    return usage.ru_maxrss


def test_what_waits_is_bounded(tool):
    """150 MB come faster than they are taken."""
    env = {**tool.environment(None), "ASAN_OPTIONS": "quarantine_size_mb=1"}
    few = peak(tool.command("dump-query", "SELECT 1"), env)
    many = peak(tool.command("dump-query", "SELECT generate_series(1, 150000), repeat('x', 1000)", window=4 << 20, pause=200), env)
    assert many - few < 60 << 10


def test_allocations_that_fail(tool, table):
    """Where it is only another connection that fails, the others do its work."""
    n_failed = 0
    for n in [*range(1, 130, 5), *range(130, 1000, 100)]:
        done = tool("dump", "filled", connections=2, piece=64, **{"fail-at": n})
        assert done.code in (0, MEMORY), done.err
        assert done.out == (table if done.code == 0 else "")
        n_failed += done.code == MEMORY
    assert n_failed > 5


@pytest.mark.parametrize("command", [("dump", "kept"), ("dump-query", "SELECT i, '10.0.0.1'::inet, ARRAY[i] FROM kept"), ("list",)])
def test_every_allocation_may_fail(tool, server, command):
    server.sql("CREATE TABLE IF NOT EXISTS kept (i int, n numeric(5,2), a inet[]); TRUNCATE kept; INSERT INTO kept VALUES (1, 1.5, '{}')")
    whole = tool.ok(*command)
    for n in range(1, 1000):
        done = tool(*command, **{"fail-at": n})
        if done.code == 0:
            assert done.out == whole and n > 5
            break
        assert done.code == MEMORY and done.out == "" and "out of memory" in done.err, (n, done.code, done.err)
    server.gone()


def test_a_row_that_is_larger_than_a_block(tool):
    out = tool.ok("dump-query", "SELECT repeat('x', 20000000), i FROM generate_series(1, 3) i", block=1000)
    assert [len(line) for line in out.splitlines()] == [20000002] * 3


@pytest.mark.parametrize("params", [
    {"connections": 4, "piece": 1}, {"connections": 4, "piece": 16, "window": 1}, {"connections": 3, "piece": 16, "window": 1, "block": 1},
    {"connections": 4, "piece": 16, "block": 20000, "window": 200000, "pause": 1000},
], ids=str)
def test_order_in_small_windows(tool, table, params):
    assert tool.ok("dump", "filled", **params) == table
