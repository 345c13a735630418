"""The driver of the S3 client, and servers on loopback."""

import os
import pathlib
import subprocess

import pytest

import s3_server
from command import SANITIZER
from convert_runs import Runs

TOOL = pathlib.Path(os.environ["DN_S3_TOOL"])
KEY_ID, SECRET = "AKIDTEST", "secret/of+the=tests"

# of enum dn_status
OK, INVALID, CONFIG, DATA, NOT_FOUND, EXISTS, IO, MEMORY = 0, 1, 2, 3, 5, 6, 7, 8
UNSUPPORTED, CANCELLED, TEMPORARY = 9, 10, 11

PLACES = {"AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"], **SANITIZER}
KEYS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class Tool:
    """s3_tool in a folder of its own, which is its home, with an environment that has nothing else in it."""

    def __init__(self, home, url=None, options=()):
        self.home, self.options = home, list(options)
        self.secrets = [SECRET]
        if url:
            self.options.append(f"--endpoint={url}")

    def command(self, *args, options=()):
        return [str(TOOL), "--backoff-ms=4", *self.options, *options, *map(str, args)]

    def environment(self, env):
        return {**PLACES, "HOME": str(self.home), **(KEYS if env is None else env)}

    def start(self, *args, options=(), env=None):
        return subprocess.Popen(self.command(*args, options=options), cwd=self.home, env=self.environment(env),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __call__(self, *args, options=(), env=None, timeout=120):
        done = subprocess.run(self.command(*args, options=options), cwd=self.home, env=self.environment(env),
                              capture_output=True, timeout=timeout)
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Sanitizer" not in err and "runtime error" not in err, err
        assert not any(secret in err for secret in self.secrets), err
        return Done(done.returncode, out, err)

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

    def file(self, name, size, seed=1):
        path = self.home / name
        path.write_bytes(contents(size, seed))
        return path


def contents(size, seed=1):
    import random
    return random.Random(seed).randbytes(size)


@pytest.fixture
def server():
    started = s3_server.Server(min_part=1000).start()
    yield started
    started.shutdown()
    assert started.problems == []


@pytest.fixture
def tool(tmp_path, server):
    return Tool(tmp_path, server.url)


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"
