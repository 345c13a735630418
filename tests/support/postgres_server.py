"""A real PostgreSQL server, started as an unprivileged user in a folder of its own and gone afterwards, whatever happens.

    with postgres_server.Server(folder) as server:
        server.sql("CREATE TABLE t (a int)")

It listens on a socket in its folder and on a free port of 127.0.0.1.  Superuser is `postgres`, whom the socket trusts; over TCP everybody has
to give a password.
"""

import atexit
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time



def programs():
    """Where the server's programs are: said, in PATH, or the newest of Debian's."""
    if "DN_PG_BIN" in os.environ:
        return pathlib.Path(os.environ["DN_PG_BIN"])
    found = shutil.which("initdb")
    if found:
        return pathlib.Path(found).resolve().parent
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parent.parent.name))
    if not versions:
        raise RuntimeError("no PostgreSQL is installed: apt install postgresql")
    return versions[-1].parent


BIN = programs()
SUPERUSER, PASSWORD = "postgres", "super+secret of the tests"
PR_SET_PDEATHSIG = 1

HBA = """
local   all,replication all         trust
hostssl all all 127.0.0.1/32        scram-sha-256
hostnossl tls_only all 127.0.0.1/32 reject
host    all all 127.0.0.1/32        scram-sha-256
"""


def unprivileged():
    """The user that the server runs as: this one, or where that is root, who may not, one that there is."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("root may not run PostgreSQL, and there is no user postgres or nobody")


def die_with_parent():
    """If pytest is killed, the server gets SIGQUIT: it ends at once."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment():
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C", "HOME": "/nonexistent"}


def made_once(name, make):
    """A folder that `make(folder)` fills, once per build, or where there is none per process: initdb and keys take seconds."""
    global _cache
    if _cache is None:
        _cache = pathlib.Path(os.environ.get("DN_PG_CACHE") or tempfile.mkdtemp(prefix="dn-pg-cache-"))
        if "DN_PG_CACHE" not in os.environ:
            atexit.register(shutil.rmtree, _cache, ignore_errors=True)
        _cache.mkdir(parents=True, exist_ok=True)
    whole = _cache / name
    if not whole.exists():
        folder = pathlib.Path(tempfile.mkdtemp(prefix="dn-pg-"))  # every user can enter /tmp
        try:
            make(folder)
            copy = pathlib.Path(tempfile.mkdtemp(dir=_cache))
            subprocess.run(["cp", "-a", folder, copy / "whole"], check=True)
            try:
                (copy / "whole").rename(whole)
            except OSError:
                pass  # somebody else was faster
            shutil.rmtree(copy, ignore_errors=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return whole


_cache = None


def make_data(folder):
    secret = folder / "password"  # no secret of anybody's
    secret.write_text(PASSWORD + "\n")
    as_user = unprivileged()
    if as_user:
        os.chown(folder, as_user["user"], as_user["group"])
        os.chown(secret, as_user["user"], as_user["group"])
    subprocess.run([BIN / "initdb", "-D", folder / "data", "-U", SUPERUSER, "--pwfile", secret, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
                   check=True, capture_output=True, env=environment(), **as_user)


def template():
    """The data of a new server: a copy takes a tenth of the time."""
    version = subprocess.run([BIN / "postgres", "--version"], check=True, capture_output=True, env=environment()).stdout.decode().split()[2]
    return made_once(f"data-{version}", make_data) / "data"


class Server:
    """Settings are those of postgresql.conf.  `standby_of`: another server, which runs, and which this one follows."""

    def __init__(self, settings=(), standby_of=None, tls=None):
        self.settings, self.tls = dict(settings), tls
        # sockets have short names, and every user can enter /tmp
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dn-pg-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = None
        self.process = None
        self.as_user = unprivileged()
        self.owner()
        try:
            if standby_of:
                subprocess.run([BIN / "pg_basebackup", "-D", self.data, "-h", standby_of.folder, "-p", str(standby_of.port), "-U", SUPERUSER,
                                "-R", "-c", "fast", "--no-sync"], check=True, capture_output=True, env=environment(), **self.as_user)
            else:
                self.initdb()
        except BaseException:
            self.remove()
            raise

    def owner(self):
        if not self.as_user:
            return
        for folder, _, names in os.walk(self.folder):
            for path in [folder, *(os.path.join(folder, n) for n in names)]:
                os.chown(path, self.as_user["user"], self.as_user["group"])

    def initdb(self):
        subprocess.run(["cp", "-a", "--reflink=auto", template(), self.data], check=True)

    def start(self):
        self.port = free_port()
        (self.data / "pg_hba.conf").write_text(HBA)
        defaults = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "32MB", "max_connections": "40",
                    "autovacuum": "off", "password_encryption": "scram-sha-256", "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": str(self.folder), "port": str(self.port), "log_min_messages": "warning"}
        if self.tls:
            for name, path in zip(("server.crt", "server.key"), self.tls):
                shutil.copyfile(path, self.data / name)
            defaults["ssl"] = "on"
        self.owner()
        for name in ("server.crt", "server.key"):
            if (self.data / name).exists():
                (self.data / name).chmod(0o600)
        command = [BIN / "postgres", "-D", self.data]
        for name, value in {**defaults, **self.settings}.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(), cwd="/",
                                            preexec_fn=die_with_parent, start_new_session=True, **self.as_user)
        self.wait_until_ready()
        return self

    def wait_until_ready(self):
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            done = subprocess.run([BIN / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)], env=environment())
            if done.returncode == 0:
                return
            time.sleep(0.03)
        text = self.log.read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"the server did not start:\n{text}")

    def stop(self, how=signal.SIGINT):
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def remove(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()

    def socket_args(self, database="postgres", user=SUPERUSER):
        return {"host": str(self.folder), "port": str(self.port), "user": user, "dbname": database}

    def psql(self, *args, database="postgres", user=SUPERUSER, options="", stdin=None, check=True):
        env = {**environment(), "PGOPTIONS": options, "PGTZ": "UTC"}
        done = subprocess.run([BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", user, "-d", database,
                               *args], input=stdin, capture_output=True, env=env, timeout=300)
        if check and done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def start_psql(self, text, database="postgres", user=SUPERUSER):
        """A session that has run the statements, whose last one answers something, and waits for the end of its input."""
        process = subprocess.Popen([BIN / "psql", "-X", "-q", "-At", "-h", self.folder, "-p", str(self.port), "-U", user, "-d", database],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
        process.stdin.write(text.encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        return process

    def sql(self, text, **kwargs):
        """Run statements; the rows of the last one, fields separated by |."""
        return self.psql("-At", "-f", "-", stdin=text.encode(), **kwargs).strip()

    def sessions(self, application="dativo-native"):
        return int(self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}'"))

    def gone(self, application="dativo-native"):
        """No session of ours is left, once the server has seen that its client has gone."""
        until = time.monotonic() + 60
        while self.sessions(application) != 0:
            assert time.monotonic() < until, "a session is left on the server"
            time.sleep(0.02)


if __name__ == "__main__":
    with Server() as one:
        print(f"psql -h {one.folder} -p {one.port} -U {SUPERUSER}", flush=True)
        sys.stdin.read()
