"""The driver of the layer pg, and a server that the tests of a file share."""

import os
import pathlib
import subprocess
import time

import pyarrow.parquet as pq
import pytest

import postgres_server
from command import BIN, environment

TOOL = pathlib.Path(os.environ["DN_PG_TOOL"])

# of enum dn_status
OK, INVALID, CONFIG, DATA, NOT_FOUND, IO, MEMORY = 0, 1, 2, 3, 5, 7, 8
UNSUPPORTED, CANCELLED, TEMPORARY = 9, 10, 11


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class Tool:
    """pg_tool in a folder of its own, which is its home, with an environment that has nothing else in it."""

    def __init__(self, home, server=None, **params):
        self.home = home
        self.params = {**(server.socket_args() if server else {}), **params}
        self.secrets = [postgres_server.PASSWORD]

    def command(self, *args, **params):
        both = {**self.params, **{k.replace("_", "-") if k.endswith("_timeout") and k != "connect_timeout" else k: v
                                  for k, v in params.items()}}
        return [str(TOOL), *(f"--{k}={v}" for k, v in both.items() if v is not None), *map(str, args)]

    def environment(self, env):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), **(env or {})}

    def start(self, *args, env=None, **params):
        return subprocess.Popen(self.command(*args, **params), cwd=self.home, env=self.environment(env), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def finish(self, process, timeout=120):
        out, err = process.communicate(timeout=timeout)
        return self.checked(process.returncode, out, err)

    def checked(self, code, out, err):
        out, err = out.decode(), err.decode()
        assert "Sanitizer" not in err and "runtime error" not in err, err
        assert not any(secret in err for secret in self.secrets), err
        return Done(code, out, err)

    def __call__(self, *args, env=None, timeout=120, **params):
        return self.finish(self.start(*args, env=env, **params), timeout)

    def ok(self, *args, **kwargs):
        done = self(*args, **kwargs)
        assert done.code == OK, done.err
        return done.out

    def fails(self, *args, code, says=(), **kwargs):
        done = self(*args, **kwargs)
        assert done.code == code, (done.code, done.err)
        for word in [says] if isinstance(says, str) else says:
            assert word in done.err, done.err
        assert done.err.count("\n") == 1, done.err
        return done.err


NOWHERE = {"HOME": "/nonexistent", "PGPASSFILE": "/nonexistent/pgpass"}


def wait_for(condition, what):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


class Command:
    """`dativo-native` in a folder of its own."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server

    def url(self, table=None, user="postgres", **keys):
        keys = {"host": self.server.folder, "port": self.server.port, **keys}
        query = "&".join(f"{k}={v}" for k, v in keys.items()) + (f"&table={table}" if table else "")
        return f"postgres://{user}@/postgres?{query}"

    def __call__(self, *args, env=None, timeout=120):
        done = subprocess.run([str(BIN), *map(str, args)], cwd=self.folder, env=environment(**{**NOWHERE, **(env or {})}), capture_output=True,
                              timeout=timeout)
        text = done.stdout.decode() + done.stderr.decode()
        assert postgres_server.PASSWORD not in text and "Sanitizer" not in text and "runtime error" not in text, text
        return done

    def start(self, *args):
        return subprocess.Popen([str(BIN), *map(str, args)], cwd=self.folder, env=environment(**NOWHERE), stderr=subprocess.PIPE)

    def ok(self, *args, **kwargs):
        done = self(*args, **kwargs)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def fails(self, *args, says, code=2, **kwargs):
        before = sorted(self.folder.rglob("*"))
        done = self(*args, **kwargs)
        text = done.stderr.decode()
        assert done.returncode == code, (done.returncode, text)
        for word in [says] if isinstance(says, str) else says:
            assert word in text, text
        assert sorted(self.folder.rglob("*")) == before
        self.server.gone()
        return text

    def table(self, source, *args, **kwargs):
        self.ok("convert", "-f", *args, source, "out.parquet", **kwargs)
        return pq.read_table(self.folder / "out.parquet")


@pytest.fixture(scope="session")
def certificate():
    return postgres_server.made_once("tls", make_certificate) / "cert.pem", postgres_server.made_once("tls", make_certificate) / "key.pem"


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)


@pytest.fixture(scope="module")
def server(certificate):
    with postgres_server.Server(tls=certificate) as started:
        yield started


@pytest.fixture
def tool(tmp_path, server):
    return Tool(tmp_path, server)


@pytest.fixture
def command(tmp_path, server):
    return Command(tmp_path, server)
