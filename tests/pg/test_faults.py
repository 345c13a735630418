"""Servers that fail in the middle."""

import os
import signal
import struct
import subprocess
import time

import pytest

import fake_server
import postgres_server
from conftest import CANCELLED, DATA, MEMORY, TEMPORARY, Tool, wait_for

SLOW = "SELECT generate_series(1, 1000000), pg_sleep(0.02)"
ENDLESS = "SELECT generate_series(1, 100000000), repeat('x', 500)"


# ---- limits

def test_statement_timeout(tool, server):
    tool.fails("dump-query", SLOW, statement_timeout=300, code=TEMPORARY, says=["57014", "statement timeout", "statement_timeout"])
    server.gone()


def test_lock_timeout(tool, server):
    server.sql("CREATE TABLE locked (a int)")
    locker = subprocess.Popen(
        [postgres_server.BIN / "psql", "-X", "-q", "-At", "-h", server.folder, "-p", str(server.port), "-U", "postgres", "-d", "postgres"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=postgres_server.environment())
    try:
        locker.stdin.write(b"BEGIN; LOCK TABLE locked; SELECT 'held';\n")
        locker.stdin.flush()
        assert locker.stdout.readline() == b"held\n"
        tool.fails("dump", "locked", lock_timeout=200, code=TEMPORARY, says=["55P03", "locked"])
    finally:
        locker.stdin.close()
        locker.wait(60)
    assert tool.ok("dump", "locked") == ""


# ---- cancelling

def start_sleeping(tool, server, tmp_path, *args, **params):
    ready = tmp_path / "ready"
    go = tmp_path / "go"
    go.touch()
    process = tool.start(*args, ready=ready, go=go, **params)
    wait_for(ready.exists, "not begun")
    wait_for(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dativo-native' AND state = 'active'") != "0", "not active")
    return process


@pytest.mark.parametrize("args", [("sleep", "100000"), ("dump-query", SLOW)])
def test_a_wait_is_cancelled(tool, server, tmp_path, args):
    process = start_sleeping(tool, server, tmp_path, *args)
    process.send_signal(signal.SIGTERM)
    done = tool.finish(process, timeout=60)
    assert done.code == CANCELLED and "cancelled" in done.err, done.err
    server.gone()


def test_a_server_that_does_not_answer_is_cancelled(tmp_path, certificate):
    """Server and session stand still: even the request to cancel gets no answer."""
    with postgres_server.Server() as server:
        tool = Tool(tmp_path, server)
        process = start_sleeping(tool, server, tmp_path, "sleep", "100000")
        pid = int(server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'dativo-native'"))
        stopped = [pid, server.process.pid]
        for one in stopped:
            os.kill(one, signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGTERM)
            done = tool.finish(process, timeout=60)
        finally:
            for one in stopped:
                os.kill(one, signal.SIGCONT)
        assert done.code == CANCELLED, done.err
        server.gone()


# ---- ends

def start_streaming(tool, query=ENDLESS, **params):
    """Rows arrive, and nobody reads them: the process stands still in the middle."""
    process = tool.start("dump-query", query, **params)
    assert os.read(process.stdout.fileno(), 1)
    return process


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dativo-native'"


def test_a_session_that_is_terminated(tool, server, tmp_path):
    process = start_sleeping(tool, server, tmp_path, "dump-query", SLOW)
    server.sql(TERMINATE)
    done = tool.finish(process)
    assert done.code == TEMPORARY and "57P01" in done.err, done.err


def test_a_session_that_is_terminated_while_its_socket_is_full(tool, server):
    process = start_streaming(tool)
    server.sql(TERMINATE)
    done = tool.finish(process)
    assert done.code == TEMPORARY, done.err  # there was no room for the server's reason


def test_a_query_that_somebody_cancels(tool, server, tmp_path):
    process = start_sleeping(tool, server, tmp_path, "dump-query", SLOW)
    server.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'dativo-native'")
    done = tool.finish(process)
    assert done.code == TEMPORARY and "57014" in done.err, done.err
    server.gone()


@pytest.mark.parametrize("how", [signal.SIGKILL])
def test_a_server_that_ends(tmp_path, how):
    with postgres_server.Server() as server:
        tool = Tool(tmp_path, server)
        process = start_streaming(tool)
        pid = int(server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'dativo-native'"))
        server.process.send_signal(how)
        if how == signal.SIGKILL:
            os.kill(pid, signal.SIGKILL)
        done = tool.finish(process)
        assert done.code == TEMPORARY, done.err
        tool.fails("ping", code=TEMPORARY, says="cannot connect")


def test_a_query_that_fails_in_the_middle(tool, server):
    done = tool("dump-query", "SELECT 1 / (5000 - i) FROM generate_series(1, 10000) i")
    assert done.code == DATA and "22012" in done.err and "division by zero" in done.err, done.err
    server.gone()


# ---- streams that are none: a server that says other things than PostgreSQL does

COPY_HEAD = b"PGCOPY\n\377\r\n\0" + struct.pack("!II", 0, 0)


def message_of_bind():
    return fake_server.message(b"2")


def answers(*messages, n_columns=1):
    """Everything of a session up to COPY is answered well; then come these messages."""
    def describe():
        column = b"a\0" + struct.pack("!IHIhih", 0, 0, 23, 4, -1, 0)
        return fake_server.message(b"1") + fake_server.message(b"t", struct.pack("!H", 0)) + fake_server.message(
            b"T", struct.pack("!H", n_columns) + column * n_columns)

    def rows(columns, data):
        out = fake_server.message(b"2") + fake_server.message(b"T", struct.pack("!H", len(columns)) + b"".join(
            name.encode() + b"\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0) for name in columns))
        for row in data:
            out += fake_server.message(b"D", struct.pack("!H", len(row)) + b"".join(struct.pack("!I", len(v)) + v for v in row))
        return fake_server.message(b"1") + out + fake_server.message(b"C", b"SELECT 1\0")

    def answer(connection, _):
        connection.sendall(fake_server.READY)
        parsed = b""
        ready = fake_server.message(b"Z", b"T")
        while True:
            kind, body = answer.fake.read_message(connection)
            if kind == b"X":
                return
            if kind == b"Q" and body.startswith(b"BEGIN"):
                connection.sendall(fake_server.message(b"C", b"SET\0") + ready)
            elif kind == b"Q" and body.startswith(b"SELECT pg_catalog.repeat"):
                connection.sendall(rows(["repeat"], [[b" "]])[5:].replace(message_of_bind(), b"", 1) + ready)
            elif kind == b"Q":
                copy_out = fake_server.message(b"H", struct.pack("!bH", 1, n_columns) + struct.pack("!H", 1) * n_columns)
                connection.sendall(copy_out + b"".join(messages))
            elif kind == b"P":
                parsed = body
            elif kind == b"S":
                if b"WITH RECURSIVE d" in parsed:
                    connection.sendall(rows(list("abcdef"), [[b"23", b"23", b"-1", b"0", b"f", b"f"]]))
                elif parsed:
                    connection.sendall(describe())
                parsed = b""
                connection.sendall(ready)
            elif kind == b"D" and body[:1] == b"S":
                parsed = parsed or b"describe"

    return answer


def copy_data(data):
    return fake_server.message(b"d", data)


ROW = struct.pack("!HIi", 1, 4, 7)
END = copy_data(struct.pack("!h", -1))
DONE = fake_server.message(b"c") + fake_server.message(b"C", b"COPY 2\0") + fake_server.message(b"Z", b"T")


def against(tmp_path, *messages, **kwargs):
    answer = answers(*messages, **kwargs)
    with fake_server.Fake(answer) as fake:
        answer.fake = fake
        return Tool(tmp_path)("dump-query", "SELECT 7", host="127.0.0.1", port=fake.port, user="x", sslmode="disable")


def test_a_copy_that_nobody_asked_for(tmp_path):
    """In answer to a query: it has results without end."""
    def answer(connection, _):
        connection.sendall(fake_server.READY)
        answer.fake.read_message(connection)
        connection.sendall(fake_server.message(b"H", struct.pack("!bHH", 1, 1, 1)))
        answer.fake.read_message(connection)

    with fake_server.Fake(answer) as fake:
        answer.fake = fake
        Tool(tmp_path).fails("list", host="127.0.0.1", port=fake.port, user="x", sslmode="disable", code=DATA, says="begins a COPY instead")


def test_the_false_server_is_good_enough(tmp_path):
    done = against(tmp_path, copy_data(COPY_HEAD + ROW), copy_data(ROW), END, DONE)
    assert (done.code, done.out) == (0, "7\n7\n"), done.err


@pytest.mark.parametrize("pieces", [1, 3, 7])
def test_rows_need_not_be_messages(tmp_path, pieces):
    stream = COPY_HEAD + ROW + ROW + struct.pack("!h", -1)
    done = against(tmp_path, *(copy_data(stream[i:i + pieces]) for i in range(0, len(stream), pieces)), DONE)
    assert (done.code, done.out) == (0, "7\n7\n"), done.err


@pytest.mark.parametrize("says, messages", [
    ("no signature", [copy_data(b"x" * 40)]),
    ("number of columns", [copy_data(COPY_HEAD + struct.pack("!H", 2))]),
    ("negative length", [copy_data(COPY_HEAD + struct.pack("!Hi", 1, -7))]),
    ("before its end", [copy_data(COPY_HEAD + ROW), DONE]),
    ("before its end", [copy_data(COPY_HEAD + ROW[:-1]), DONE]),
    ("behind its end", [copy_data(COPY_HEAD), END, copy_data(ROW)]),
    ("2 rows arrived, and the server sent 3", [copy_data(COPY_HEAD + ROW + ROW), END, DONE.replace(b"COPY 2", b"COPY 3")]),
    ("has not the length", [copy_data(COPY_HEAD + struct.pack("!HIh", 1, 2, 7)), END, DONE.replace(b"COPY 2", b"COPY 1")]),
    ("has no place there", [copy_data(COPY_HEAD), fake_server.message(b"T", b"\0\0")]),
    ("length that cannot be", [copy_data(COPY_HEAD), b"d\0\0\0\3"]),
    ("length that cannot be", [copy_data(COPY_HEAD), b"d\x80\0\0\0"]),
    ("too much between its rows", [copy_data(COPY_HEAD), *[fake_server.message(b"S", b"a\0" + b"x" * 20000 + b"\0")] * 2]),
])
def test_damaged_streams(tmp_path, says, messages):
    done = against(tmp_path, *messages)
    assert done.code == DATA and says in done.err, done.err


def test_what_stands_between_rows(tmp_path):
    """Notices are nobody's business, however many; parameters are libpq's, also behind the end."""
    notice = fake_server.message(b"N", b"SNOTICE\0C00000\0M" + b"hear! " * 2000 + b"\0\0")
    parameter = fake_server.message(b"S", b"search_path\0elsewhere\0")
    done = against(tmp_path, copy_data(COPY_HEAD + ROW), *[notice] * 300, parameter, copy_data(ROW), notice, END, DONE + parameter + notice)
    assert (done.code, done.out) == (0, "7\n7\n"), done.err


def test_an_end_that_libpq_waits_for_more_of(tmp_path):
    """As it does where it has no memory for a message."""
    done = against(tmp_path, copy_data(COPY_HEAD + ROW), END, fake_server.message(b"c"), fake_server.message(b"C", b"COPY 1\0"), fake_server.message(b"Z"))
    assert done.code == TEMPORARY and "libpq cannot make out" in done.err, done.err


class Ending:
    """A connection that ends behind an error."""

    def __init__(self, connection):
        self.connection, self.recv = connection, connection.recv

    def sendall(self, data):
        self.connection.sendall(data)
        if b"22P02" in data:
            self.connection.close()


@pytest.mark.parametrize("ends", [False, True])
def test_an_error_in_the_middle(tmp_path, ends):
    """Of any length, and with the connection's end behind it or not."""
    text = "no number: " + "\N{EURO SIGN}" * 50000

    def answer(connection, startup):
        inner.fake = fake
        inner(Ending(connection) if ends else connection, startup)

    inner = answers(copy_data(COPY_HEAD + ROW), fake_server.error("22P02", text, "ERROR"), b"" if ends else fake_server.message(b"Z", b"E"))
    with fake_server.Fake(answer) as fake:
        done = Tool(tmp_path)("dump-query", "SELECT 7", host="127.0.0.1", port=fake.port, user="x", sslmode="disable")
    assert done.code == DATA and "22P02" in done.err and "no number: \N{EURO SIGN}" in done.err, done.err


@pytest.mark.parametrize("messages", [[], [copy_data(COPY_HEAD + ROW)], [copy_data(COPY_HEAD + ROW), END]], ids=len)
def test_a_server_that_stands_still(tmp_path, messages):
    """It ends statements after a while, or so it was asked; nothing comes, and the connection does not break."""
    inner = answers(*messages)
    with fake_server.Fake(inner) as fake:
        inner.fake = fake
        tool = Tool(tmp_path, host="127.0.0.1", port=fake.port, user="x", sslmode="disable", silence=200)
        tool.fails("dump-query", "SELECT 7", statement_timeout=100, code=TEMPORARY, says="has said nothing for 0.3 seconds")


def test_a_server_that_never_answers(tmp_path):
    def answer(connection, _):
        connection.sendall(fake_server.READY)
        answer.fake.read_message(connection)
        answer.fake.read_message(connection)

    with fake_server.Fake(answer) as fake:
        answer.fake = fake
        tool = Tool(tmp_path, host="127.0.0.1", port=fake.port, user="x", sslmode="disable", silence=200)
        tool.fails("list", statement_timeout=100, code=TEMPORARY, says="stands still")


def test_a_row_that_never_ends(tmp_path):
    """A length of 2 GB is believed only as far as bytes arrive: then the connection ends."""
    def answer(connection, startup):
        inner.fake = fake
        inner(connection, startup)
        connection.close()

    inner = answers(copy_data(COPY_HEAD + struct.pack("!HI", 1, 0x7FFFFFFF) + b"x" * 1000))
    with fake_server.Fake(answer) as fake:
        process = Tool(tmp_path).start("dump-query", "SELECT 7", host="127.0.0.1", port=fake.port, user="x", sslmode="disable")
        time.sleep(0.5)
        fake.close()
        done = Tool(tmp_path).finish(process)
    assert done.code in (TEMPORARY, MEMORY), done.err
