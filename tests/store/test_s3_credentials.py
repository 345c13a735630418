"""Where credentials come from, in which order, and what is said if there are none."""

import http.server
import json
import signal
import threading
import time

import pytest

from conftest import CANCELLED, CONFIG, DATA, IO, NOT_FOUND, TEMPORARY, UNSUPPORTED, Tool

STS_ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>AKIDSTS</AccessKeyId><SecretAccessKey>sts-secret</SecretAccessKey><SessionToken>sts-token</SessionToken>
<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
JSON_KEYS = {"Code": "Success", "AccessKeyId": "AKIDJSON", "SecretAccessKey": "json/secret", "Token": "json-token",
             "Expiration": "2100-01-01T00:00:00Z", "Nested": {"AccessKeyId": "wrong", "list": [1, "]}", {}]}}
YEAR_2100 = 4102444800


class Services(http.server.ThreadingHTTPServer):
    """STS, a container's endpoint and an instance's metadata, at different paths."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen = []
        self.answers = {
            ("POST", "/sts/"): (200, STS_ANSWER),
            ("GET", "/container"): (200, json.dumps(JSON_KEYS)),
            ("PUT", "/latest/api/token"): (200, "imds-session"),
            ("GET", "/latest/meta-data/iam/security-credentials/"): (200, "the-role\n"),
            ("GET", "/latest/meta-data/iam/security-credentials/the-role"): (200, json.dumps(JSON_KEYS)),
        }
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        status, text = self.server.answers.get((self.command, self.path), (404, ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_PUT = do_POST = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture
def services():
    started = Services()
    yield started
    started.shutdown()


@pytest.fixture
def bare(tmp_path):
    tool = Tool(tmp_path)
    tool.secrets += ["sts-secret", "sts-token", "json/secret", "json-token", "imds-session", "identity-token", "file-secret",
                     "env-secret", "process-secret"]
    return tool


ENV = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "env-secret"}


def profile(tool, text, name="credentials"):
    folder = tool.home / ".aws"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def keys(tool, env, **kwargs):
    return tool.ok("keys", env=env, **kwargs).split(" ", 4)


def test_the_connection_counts_first(bare):
    options = ["--key-id=AKIDOWN", "--secret=own-secret", "--token=t"]
    assert keys(bare, ENV, options=options) == ["AKIDOWN", "own-secret", "t", "0", "the connection\n"]
    bare.fails("keys", code=CONFIG, says="secret key", env=ENV, options=["--key-id=AKIDOWN"])
    assert bare.ok("keys", env=ENV, options=["--anonymous=yes"]) == "anonymous\n"


def test_the_environment(bare):
    profile(bare, "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file-secret\n")
    assert keys(bare, {**ENV, "AWS_SESSION_TOKEN": "tok"})[:3] == ["AKIDENV", "env-secret", "tok"]
    assert keys(bare, {**ENV, "AWS_SESSION_TOKEN": ""})[2] == "-"
    for one in ENV:
        bare.fails("keys", code=CONFIG, says=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], env={one: "env-secret"})
    assert keys(bare, {name: "" for name in ENV})[0] == "AKIDFILE"  # empty is unset


def test_profiles(bare):
    profile(bare, "# a comment\n[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key =file-secret \n\n"
                  "[other]\n; another one\n aws_access_key_id = indented\naws_access_key_id = AKIDOTHER\r\n"
                  "aws_secret_access_key = file-secret=+/\r\naws_session_token = tok\r\n[half]\naws_access_key_id = AKIDHALF")
    profile(bare, "[profile  conf]\naws_access_key_id = AKIDCONF\naws_secret_access_key = file-secret\ns3 =\n  region = no\n"
                  "[other]\naws_access_key_id = wrong\n[profile sso]\nsso_start_url = https://x\n"
                  "[profile chained]\nrole_arn = r\nsource_profile = other\n", "config")
    assert keys(bare, {})[:2] == ["AKIDFILE", "file-secret"]
    assert keys(bare, {"AWS_PROFILE": "other"})[:3] == ["AKIDOTHER", "file-secret=+/", "tok"]
    assert keys(bare, {"AWS_DEFAULT_PROFILE": "conf"})[0] == "AKIDCONF"
    assert keys(bare, ENV, options=["--profile=conf"])[0] == "AKIDCONF"  # named by the connection: before the environment
    assert keys(bare, {**ENV, "AWS_PROFILE": "conf"})[0] == "AKIDENV"
    bare.fails("keys", code=CONFIG, says=["'none'", "in neither file", ".aws/credentials"], env={"AWS_PROFILE": "none"})
    bare.fails("keys", code=CONFIG, says=["'half'", "without the other"], env={"AWS_PROFILE": "half"})
    bare.fails("keys", code=UNSUPPORTED, says=["sso_start_url", "export-credentials --profile sso"], env={"AWS_PROFILE": "sso"})
    bare.fails("keys", code=UNSUPPORTED, says=["source_profile", "credential_process"], env={"AWS_PROFILE": "chained"})


def test_files_elsewhere(bare):
    (bare.home / "c").write_text("[default]\naws_access_key_id = AKIDC\naws_secret_access_key = file-secret\n")
    assert keys(bare, {"AWS_SHARED_CREDENTIALS_FILE": str(bare.home / "c")})[0] == "AKIDC"
    assert keys(bare, {"AWS_CONFIG_FILE": "~/c"})[0] == "AKIDC"
    (bare.home / "big").write_bytes(b"#" * (2 << 20))
    bare.fails("keys", code=IO, says="big", env={"AWS_CONFIG_FILE": "~/big"})
    bare.fails("keys", code=IO, says="Is a directory", env={"AWS_CONFIG_FILE": str(bare.home)})


def test_a_process(bare):
    def command(text):
        profile(bare, f"[default]\ncredential_process = {text}\n", "config")
    answer = json.dumps({"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "process-secret", "SessionToken": "tok",
                         "Expiration": "2100-01-01T00:00:00Z"})
    (bare.home / "answer").write_text(answer)
    command("echo unseen >&2; cat answer")
    assert keys(bare, {})[:4] == ["AKIDPROC", "process-secret", "tok", str(YEAR_2100)]
    command("cat answer; exit 3")
    bare.fails("keys", code=IO, says=["credential_process", "exit status 3"], env={})
    for bad in ("true", "echo no json", "echo '{}'", "echo '{\"AccessKeyId\": \"a\"}'", "head -c 70000 /dev/zero",
                "echo '{\"AccessKeyId\": 1, \"SecretAccessKey\": \"x\"}'"):
        command(bad)
        bare.fails("keys", code=DATA, says="credential_process", env={})
    command("touch begun; sleep 1000")
    process = bare.start("keys", env={})
    while not (bare.home / "begun").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == CANCELLED, err


def test_web_identity(bare, services):
    (bare.home / "token").write_text("identity-token/+=\n")
    env = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(bare.home / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
           "AWS_ENDPOINT_URL_STS": services.url + "/sts"}
    assert keys(bare, {**env, "AWS_ROLE_SESSION_NAME": "me"})[:4] == ["AKIDSTS", "sts-secret", "sts-token", str(YEAR_2100)]
    assert services.seen[0][3] == ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
                                   "&RoleSessionName=me&WebIdentityToken=identity-token%2F%2B%3D")
    profile(bare, "[default]\nweb_identity_token_file = token\nrole_arn = x\n", "config")
    assert keys(bare, {"AWS_ENDPOINT_URL_STS": services.url + "/sts"})[0] == "AKIDSTS"
    bare.fails("keys", code=CONFIG, says="AWS_ROLE_ARN", env={"AWS_WEB_IDENTITY_TOKEN_FILE": "x", "AWS_CONFIG_FILE": "/none"})
    bare.fails("keys", code=NOT_FOUND, says="/none", env={**env, "AWS_CONFIG_FILE": "/none", "AWS_WEB_IDENTITY_TOKEN_FILE": "/none"})
    services.answers[("POST", "/sts/")] = (403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error>"
                                                "</ErrorResponse>")
    bare.fails("keys", code=CONFIG, says=["STS", "403", "AccessDenied", "Not authorized"], env=env)


def test_a_container(bare, services):
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": services.url + "/container"}
    assert keys(bare, {**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token"})[:4] == \
        ["AKIDJSON", "json/secret", "json-token", str(YEAR_2100)]
    assert services.seen[-1][2]["Authorization"] == "container-token"
    (bare.home / "token").write_text("token-of-file\n")
    keys(bare, {**env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(bare.home / "token")})
    assert services.seen[-1][2]["Authorization"] == "token-of-file"
    keys(bare, env)
    assert "Authorization" not in services.seen[-1][2]
    for bad in ("http://example.com/x", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/", "x"):
        bare.fails("keys", code=CONFIG, says="AWS_CONTAINER_CREDENTIALS_FULL_URI", env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": bad})
    services.answers[("GET", "/container")] = (500, "")
    bare.fails("keys", code=TEMPORARY, says=["container", "500"], env=env)


def test_an_instance(bare, services):
    env = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": services.url}
    assert keys(bare, env)[:4] == ["AKIDJSON", "json/secret", "json-token", str(YEAR_2100)]
    assert services.seen[0][2]["X-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    assert services.seen[1][2]["X-aws-ec2-metadata-token"] == "imds-session"
    services.answers[("GET", "/latest/meta-data/iam/security-credentials/")] = (404, "")
    bare.fails("keys", code=CONFIG, says="no credentials", env=env)  # an instance without a role
    services.answers[("PUT", "/latest/api/token")] = (403, "")
    bare.fails("keys", code=CONFIG, says="no credentials", env=env)  # metadata are switched off
    services.seen.clear()
    bare.fails("keys", code=CONFIG, says="no credentials", env={**env, "AWS_EC2_METADATA_DISABLED": "TRUE"})
    assert services.seen == []


def test_none_at_all(bare):
    begun = time.monotonic()
    bare.fails("keys", code=CONFIG, says=["no credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "anonymous"],
               env={"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"})
    assert time.monotonic() - begun < 60


def test_keys_that_are_about_to_expire_are_fetched_again(tmp_path, server):
    tool = Tool(tmp_path, server.url)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 100))
    server.keys["AKIDSOON"] = ("soon-secret", None)
    tool.secrets.append("soon-secret")
    answer = json.dumps({"AccessKeyId": "AKIDSOON", "SecretAccessKey": "soon-secret", "Expiration": soon})
    (tmp_path / "answer").write_text(answer)
    (tmp_path / "config").write_text("[default]\ncredential_process = echo x >> count; [ $(wc -l < count) -lt 4 ] && cat answer\n")
    tool.file("f", 4500)
    # each request asks anew, for they have less than 5 minutes left; that it fails in the end does no harm before they expire
    tool.ok("upload", "f", "s3://bucket/k", 1000, 1, env={"AWS_CONFIG_FILE": str(tmp_path / "config")})
    assert (tmp_path / "count").read_text() == "x\n" * 7
