"""A core of the command has no keys, tokens and queries; neither has its command line."""

import os
import pathlib
import resource
import signal
import subprocess
import threading

import pytest

import s3_server
from command import BIN
from convert_runs import KEY_ID, SECRET, SECRETS, TOKEN, serving
from secret_runs import ASSET, JOB, QUERY

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))
REAL = not pathlib.Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/"))
ANONYMOUS = 1  # of coredump_filter: core(5)
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
OF_JOB = {"SOME_ID": KEY_ID, "SOME_SECRET": SECRET, "SOME_TOKEN": TOKEN}
OF_FILE = {"AWS_SHARED_CREDENTIALS_FILE": "credentials"}
CASES = {
    "upload": (["convert", "-q", "in.csv", "s3://bucket/out.csv"], ENVIRONMENT, "part"),
    "completion": (["convert", "-q", "in.csv", "s3://bucket/out.csv"], OF_FILE, "complete"),
    "download": (["convert", "-q", "s3://bucket/in.csv", "out.csv"], ENVIRONMENT, "get"),
    "job": (["run", "job.yaml"], OF_JOB, "part"),
    "check": (["check", "job.yaml"], OF_JOB, "create"),
    "web": (["convert", "-q", "{url}/bucket/in.csv?sig=" + QUERY, "out.csv"], {}, "get"),
}


@pytest.fixture
def server():
    with serving() as started:
        yield started


def unlimited():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def memory_of_core(process):
    """What the kernel would write, as far as it can be seen from here: writable memory, if the filter lets it."""
    folder = pathlib.Path(f"/proc/{process.pid}")
    found = [(folder / "cmdline").read_bytes()]
    if int((folder / "coredump_filter").read_text(), 16) & ANONYMOUS:
        with open(folder / "mem", "rb", 0) as memory:
            for line in (folder / "maps").read_text().splitlines():
                ends, rights = line.split()[:2]
                if rights.startswith("rw"):
                    first, end = (int(end, 16) for end in ends.split("-"))
                    memory.seek(first)
                    found.append(memory.read(end - first))
    return b"".join(found)


def core_of(case, folder, server, **more):
    """The core of a run that is ended by SIGABRT while its request waits for an answer."""
    args, env, operation = CASES[case]
    (folder / "in.csv").write_bytes(TEXT)
    (folder / "job.yaml").write_text(JOB.replace("SOURCE", "in.csv"))
    (folder / "asset.yaml").write_text(ASSET)
    (folder / "credentials").write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n")
    server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
    reached, over = threading.Event(), threading.Event()

    def hold(request):
        if request.operation == operation:
            reached.set()
            over.wait(60)
        return None

    server.fault, server.anonymous = hold, case == "web"
    process = subprocess.Popen([str(BIN), *(arg.replace("{url}", server.url) for arg in args)], cwd=folder, preexec_fn=unlimited,
                               env={"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_ENDPOINT_URL_S3": server.url,
                                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1", "DN_S3_PART_BYTES": "16000", **env, **more},
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert reached.wait(60)
    core = memory_of_core(process)
    process.send_signal(signal.SIGABRT)
    said = process.communicate(timeout=60)[1]
    over.set()
    assert process.returncode == -signal.SIGABRT, said
    cores = [path for path in folder.iterdir() if path.name.startswith("core")]
    assert len(cores) == REAL
    for path in cores:
        core += path.read_bytes()
        path.unlink()
    return core + said


@pytest.mark.parametrize("case", CASES)
def test_a_core_has_no_secrets(tmp_path, server, case):
    core = core_of(case, tmp_path, server)
    assert b"dativo-native" in core
    assert [secret for secret in (*SECRETS, QUERY.encode()) if secret in core] == []


def test_it_would_be_found(tmp_path, server):
    """The memory of a developer's core, which is asked for, has them."""
    core = core_of("upload", tmp_path, server, DN_CORE_MEMORY="yes")
    assert all(secret in core for secret in SECRETS)
