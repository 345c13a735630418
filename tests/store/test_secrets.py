"""Keys and tokens are in memory alone: not in what is said, in files, in arguments, or in the environment of others."""

import pathlib
import threading

import pytest

import s3_server
from convert_runs import KEY_ID, SECRET, SECRETS, TOKEN, finish, no_secret_in, serving, start

TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(9000))
NONE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
REPLY = f'{{"Version": 1, "AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SECRET}", "SessionToken": "{TOKEN}"}}'


@pytest.fixture
def server():
    with serving() as started:
        yield started


@pytest.fixture
def elsewhere(tmp_path_factory):
    """What the user keeps the keys in, and a command that fetches them and tells about itself."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "reply").write_text(REPLY)
    command = folder / "fetch"
    command.write_text(f"#!/bin/sh\ntr '\\0' '\\n' </proc/$$/environ >{folder}/environ\ntr '\\0' ' ' </proc/$$/cmdline >{folder}/cmdline\n"
                       f"cat {folder}/reply\n")
    command.chmod(0o755)
    (folder / "config").write_text(f"[profile fetched]\ncredential_process = {command}\n")
    (folder / "credentials").write_text(f"[kept]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
                                        f"aws_session_token = {TOKEN}\n")
    return folder


def files(folder, profile):
    return {**NONE, "AWS_PROFILE": profile, "AWS_CONFIG_FILE": f"{folder}/config", "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/credentials"}


@pytest.mark.parametrize("profile", ["kept", "fetched"])
def test_processes_see_nothing(tmp_path, server, elsewhere, profile):
    """The command while it writes, and the one that it fetches keys with."""
    (tmp_path / "in.csv").write_bytes(TEXT)
    reached, over = threading.Event(), threading.Event()

    def hold(request):
        if request.operation == "complete":
            reached.set()
            over.wait(60)
        return None

    server.fault = hold
    process = start(tmp_path, server, "in.csv", "s3://bucket/out.csv", **files(elsewhere, profile))
    assert reached.wait(60)
    seen = b"".join(pathlib.Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("environ", "cmdline"))
    no_secret_in(tmp_path)
    over.set()
    code, said = finish(process, tmp_path)
    assert code == 0, said
    assert b"AWS_PROFILE" in seen and not any(secret in seen for secret in SECRETS)
    if profile == "fetched":
        no_secret_in_text((elsewhere / "environ").read_bytes() + (elsewhere / "cmdline").read_bytes())
    assert server.buckets["bucket"]["out.csv"].data == TEXT


def no_secret_in_text(text):
    assert b"AWS_PROFILE" in text and not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize("reply", [REPLY[:-1], REPLY.replace("Version", "Verson"), REPLY + "x", "[" + REPLY])
def test_a_broken_reply_is_not_shown(tmp_path, server, elsewhere, reply):
    (elsewhere / "reply").write_text(reply)
    (tmp_path / "in.csv").write_bytes(TEXT)
    code, said = finish(start(tmp_path, server, "in.csv", "s3://bucket/out.csv", **files(elsewhere, "fetched")), tmp_path)
    assert code in (0, 2), said
    assert code == 0 or "credential_process" in said


@pytest.mark.parametrize("line", [f"aws_secret_access_key {SECRET}", f"{SECRET}", f"[{TOKEN}", f"aws_session_token = {TOKEN}\n[kept"])
def test_a_broken_file_is_not_shown(tmp_path, server, elsewhere, line):
    (elsewhere / "credentials").write_text(f"[kept]\naws_access_key_id = {KEY_ID}\n{line}\n")
    (tmp_path / "in.csv").write_bytes(TEXT)
    code, said = finish(start(tmp_path, server, "in.csv", "s3://bucket/out.csv", **files(elsewhere, "kept")), tmp_path)
    assert code == 2 and said


@pytest.mark.parametrize("key, secret, token", [(KEY_ID, SECRET + "x", TOKEN), (KEY_ID, SECRET, TOKEN + "x"), (SECRET, SECRET, TOKEN),
                                                (KEY_ID, SECRET + "\n", TOKEN), (KEY_ID, SECRET, TOKEN + "\r\nx: y")])
def test_what_is_refused_is_not_shown(tmp_path, server, key, secret, token):
    """The service says the token back, as S3 does."""
    server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
    env = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}
    process = start(tmp_path, server, "s3://bucket/in.csv", "out.csv", **env)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert TOKEN.encode() not in out + err
    assert key == SECRET or SECRET.encode() not in out + err
