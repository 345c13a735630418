"""Connections: where their keys come from, TLS, and what is said when there is none."""

import os
import signal
import socket
import threading

import pytest

import fake_server
import postgres_server
from conftest import CANCELLED, CONFIG, IO, TEMPORARY, UNSUPPORTED, Tool

USER, PASSWORD = "somebody", "pass word+of'tests"


@pytest.fixture(scope="module")
def user(server):
    server.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'; CREATE DATABASE tls_only;")


@pytest.fixture
def tcp(tmp_path, server, user):
    tool = Tool(tmp_path, host="127.0.0.1", port=server.port, user=USER, dbname="postgres")
    tool.secrets.append(PASSWORD)
    return tool


def test_over_a_socket(tool):
    assert tool.ok("ping").startswith("version\t1")


def test_password_as_a_key(tcp):
    assert "tls\tyes" in tcp.ok("ping", password=PASSWORD)  # libpq prefers TLS where there is some


def test_password_in_the_environment(tcp):
    tcp.ok("ping", env={"PGPASSWORD": PASSWORD})


def test_password_in_pgpass(tcp, tmp_path, server):
    path = tmp_path / ".pgpass"
    path.write_text(f"127.0.0.1:{server.port}:*:{USER}:{PASSWORD}\n")
    path.chmod(0o600)
    tcp.ok("ping")


def test_everything_in_a_url(tmp_path, server, user):
    tool = Tool(tmp_path)
    tool.ok("ping", dsn=f"postgresql://{USER}:pass%20word%2Bof'tests@127.0.0.1:{server.port}/postgres?sslmode=require")


def test_everything_in_the_environment(tmp_path, server, user):
    env = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": USER, "PGPASSWORD": PASSWORD, "PGDATABASE": "postgres"}
    Tool(tmp_path).ok("ping", env=env)


def test_everything_in_a_service(tmp_path, server, user):
    (tmp_path / ".pg_service.conf").write_text(f"[shop]\nhost=127.0.0.1\nport={server.port}\nuser={USER}\npassword={PASSWORD}\ndbname=postgres\n")
    Tool(tmp_path).ok("ping", service="shop")


def test_everything_in_a_credentials_file(tmp_path, server, user):
    path = tmp_path / "postgres.env"
    path.write_text(f"PGHOST=127.0.0.1\nPGPORT={server.port}\nPGUSER={USER}\nexport PGPASSWORD=\"{PASSWORD}\"\nPGDATABASE=postgres\n")
    Tool(tmp_path).ok("ping", credentials=path)


def test_names_of_the_host(tmp_path, server, user):
    Tool(tmp_path).ok("ping", host="127.0.0.1", port=server.port, database="postgres", username=USER, password=PASSWORD)


def test_wrong_password(tcp):
    wrong = "not the password"
    tcp.secrets.append(wrong)
    said = tcp.fails("ping", password=wrong, code=CONFIG, says=["28P01", USER, "password authentication failed"])
    assert said.count("password authentication failed") == 1  # with TLS and without: libpq says it twice


def test_no_password(tcp):
    tcp.fails("ping", code=CONFIG, says="asks for a password, and none is given")


def test_no_such_database(tool):
    tool.fails("ping", dbname="nowhere", code=CONFIG, says=["3D000", "nowhere"])


def test_no_such_user(tool):
    tool.fails("ping", user="nobody_at_all", code=CONFIG, says=["28000", "nobody_at_all"])


def test_nobody_listens(tool):
    tool.fails("ping", host="127.0.0.1", port=postgres_server.free_port(), code=TEMPORARY, says="cannot connect to PostgreSQL")


def test_no_such_socket(tool):
    tool.fails("ping", host="/nonexistent", code=TEMPORARY, says="/nonexistent")


def test_no_such_host(tool):
    tool.fails("ping", host="nowhere.invalid", code=CONFIG, says="nowhere.invalid")


def test_keys_that_cannot_be(tool):
    tool.fails("ping", port="many", code=CONFIG, says="many")
    tool.fails("ping", sslmode="very", code=CONFIG, says="very")


def test_too_many_connections(tool, server, user):
    server.sql("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0")
    tool.fails("ping", user="crowd", code=TEMPORARY, says=["53300", "too many connections"])


def test_no_libpq(tmp_path, server):
    """A loader that finds another file under the name."""
    (tmp_path / "libpq.so.5").write_text("no library")
    Tool(tmp_path, server).fails("ping", env={"LD_LIBRARY_PATH": str(tmp_path)}, code=UNSUPPORTED, says=["libpq.so.5", "apt-get install libpq5"])


# ---- TLS

def test_tls_is_required(tcp):
    assert "tls\tyes" in tcp.ok("ping", password=PASSWORD, sslmode="require")


def test_tls_is_switched_off(tcp):
    assert "tls\tno" in tcp.ok("ping", password=PASSWORD, sslmode="disable")


def test_the_servers_certificate_is_verified(tcp, certificate):
    assert "tls\tyes" in tcp.ok("ping", password=PASSWORD, sslmode="verify-full", sslrootcert=certificate[0])


def test_another_certificate_is_refused(tcp, certificate, tmp_path):
    other = tmp_path / "other.pem"
    os.system(f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout {tmp_path}/k.pem -out {other} 2>/dev/null")
    tcp.fails("ping", password=PASSWORD, sslmode="verify-ca", sslrootcert=other, code=CONFIG, says="certificate verify failed")


def test_no_certificate_to_verify_with(tcp):
    tcp.fails("ping", password=PASSWORD, sslmode="verify-full", code=CONFIG, says=["root certificate file", "sslrootcert"])


def test_another_name_in_the_certificate(tcp, certificate):
    tcp.fails("ping", password=PASSWORD, host="wrong.example", hostaddr="127.0.0.1", sslmode="verify-full", sslrootcert=certificate[0],
              code=CONFIG, says="wrong.example")


def test_a_database_that_wants_tls(tcp):
    tcp.fails("ping", password=PASSWORD, dbname="tls_only", sslmode="disable", code=CONFIG, says=["28000", "sslmode: require"])


def test_a_server_without_tls(tmp_path):
    with fake_server.Fake(lambda connection, startup: None) as fake:
        Tool(tmp_path).fails("ping", host="127.0.0.1", port=fake.port, user="x", sslmode="require", code=CONFIG, says="SSL")


# ---- servers that are not ready

def test_a_server_that_starts_up(tmp_path):
    def answer(connection, _):
        connection.sendall(fake_server.error("57P03", "das Datenbanksystem startet", severity="FATAL"))
        connection.close()

    with fake_server.Fake(answer) as fake:
        Tool(tmp_path).fails("ping", host="127.0.0.1", port=fake.port, user="x", code=TEMPORARY, says=["57P03", "das Datenbanksystem startet"])


def test_a_server_that_hangs_up(tmp_path):
    with fake_server.Fake(lambda connection, _: connection.close()) as fake:
        Tool(tmp_path).fails("ping", host="127.0.0.1", port=fake.port, user="x", code=TEMPORARY, says="closed the connection")


def test_a_server_that_is_none(tmp_path):
    def answer(connection, _):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    with fake_server.Fake(answer) as fake:
        done = Tool(tmp_path)("ping", host="127.0.0.1", port=fake.port, user="x")
        assert done.code in (TEMPORARY, CONFIG), done.err


@pytest.fixture
def silent():
    """It accepts, and says nothing, for as long as anybody waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_silent_server_is_given_up(tmp_path, silent):
    Tool(tmp_path).fails("ping", host="127.0.0.1", port=silent, user="x", connect_timeout=1, code=TEMPORARY, says=["no answer within 1 seconds"])
    Tool(tmp_path).fails("ping", host="127.0.0.1", port=silent, user="x", env={"PGCONNECT_TIMEOUT": "1"}, code=TEMPORARY, says="no answer")


def test_connecting_is_cancelled(tmp_path, silent):
    tool = Tool(tmp_path)
    process = tool.start("ping", host="127.0.0.1", port=silent, user="x", connect_timeout=100000)
    threading.Timer(0.3, lambda: process.send_signal(signal.SIGTERM)).start()
    done = tool.finish(process, timeout=60)
    assert done.code in (CANCELLED, -signal.SIGTERM), done.err  # the timer may come before the handler


# ---- what a session is

def test_settings_of_a_session(tool):
    names = ["TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits", "client_encoding", "transaction_isolation", "transaction_read_only",
             "application_name", "statement_timeout", "lock_timeout", "synchronize_seqscans", "enable_tidscan"]
    query = "SELECT " + ", ".join(f"current_setting('{n}')" for n in names)
    assert tool.ok("dump-query", query, statement_timeout=61000, lock_timeout=7000).strip().split("\t") == \
        ["UTC", "ISO, MDY", "iso_8601", "1", "UTF8", "repeatable read", "on", "dativo-native", "61s", "7s", "off", "on"]
    assert tool.ok("dump-query", "SELECT current_setting('application_name')", application_name="mine") == "mine\n"


def test_nothing_can_be_written(tool, server):
    server.sql("CREATE SEQUENCE counted")
    tool.fails("dump-query", "SELECT nextval('counted')", code=IO, says="25006")


def test_sessions_end(tool, server):
    tool.ok("dump-query", "SELECT 1")
    server.gone()
