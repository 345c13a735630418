"""Several connections as if they were one: order, bounds, and connections that cannot be had."""

import re
import socket
import threading

import pytest

from conftest import DATA, Tool
import postgres_server

N_ROWS = 8000


@pytest.fixture(scope="module")
def table(server):
    server.sql(f"CREATE TABLE filled (id int, note text); INSERT INTO filled SELECT i, repeat(chr(97 + i % 26), 1 + i % 1500) FROM generate_series(1, {N_ROWS}) i")
    return server.psql("-c", "COPY filled TO STDOUT")


@pytest.mark.parametrize("params", [
    {"connections": 2, "piece": 16}, {"connections": 40, "piece": 3}, {"connections": 4, "piece": 64, "window": 100000, "block": 3000},
], ids=str)
def test_order_is_that_of_the_table(tool, table, params):
    assert tool.ok("dump", "filled", **params) == table


def test_fewer_connections_than_wanted(tool, server, table):
    server.sql("CREATE ROLE few LOGIN CONNECTION LIMIT 2; GRANT SELECT ON filled TO few")
    done = tool("dump", "filled", user="few", connections=4, piece=16)
    assert done.code == 0 and done.out == table
    assert re.search(r"^[23] connections fewer: .*53300", done.err), done.err  # who is refused counts for the moment, too


def test_a_failure_in_one_piece(tool, server, table):
    done = tool("dump", "filled", connections=4, piece=16, where="1 / (7000 - id) < 2")
    assert done.code == DATA and done.out == "" and "22012" in done.err, done.err


# ---- servers behind one address

class Proxy:
    """Passes on what `change` makes of the server's words on every connection but the first."""

    def __init__(self, target, change):
        self.target, self.change, self.n = target, change, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.n += 1
            server = socket.create_connection(("127.0.0.1", self.target))
            change = self.change if self.n > 1 else (lambda data: data)
            threading.Thread(target=self.pump, args=(client, server, lambda data: data), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, change), daemon=True).start()

    @staticmethod
    def pump(source, target, change):
        try:
            while data := source.recv(1 << 16):
                target.sendall(change(data))
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def test_another_server_behind_the_same_address(tmp_path, server, table):
    """The name of a snapshot may exist there, too."""
    started = server.sql("SELECT date_part('epoch', pg_postmaster_start_time())", options="-c extra_float_digits=1").encode()
    other = started[:-1] + (b"1" if started[-1:] != b"1" else b"2")
    proxy = Proxy(server.port, lambda data: data.replace(started, other))
    tool = Tool(tmp_path, host="127.0.0.1", port=proxy.port, user="postgres", dbname="postgres", password=postgres_server.PASSWORD, sslmode="disable")
    done = tool("dump", "filled", connections=3, piece=16)
    proxy.listener.close()
    assert done.code == 0 and done.out == table
    assert "2 connections fewer: a second connection led to another server" in done.err, done.err


def test_the_same_server_behind_an_address(tmp_path, server, table):
    proxy = Proxy(server.port, lambda data: data)
    tool = Tool(tmp_path, host="127.0.0.1", port=proxy.port, user="postgres", dbname="postgres", password=postgres_server.PASSWORD, sslmode="disable")
    done = tool("dump", "filled", connections=3, piece=16)
    proxy.listener.close()
    assert (done.code, done.err) == (0, "") and done.out == table
