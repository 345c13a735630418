"""Whose certificates are trusted: --ca-file, and the variables that AWS's tools, curl and OpenSSL know, for S3 and the web alike."""

import functools
import http.server
import ssl
import threading

import pytest

import s3_server
from convert_runs import finish, serving, start

TEXT = b"id,name\n1,a\n2,b\n"
VARIABLES = ["AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def both(tmp_path, certificate):
    """An object, and the same as a file of the web, by servers with one certificate."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web/in.csv").write_bytes(TEXT)
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=tmp_path / "web"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    web.socket = context.wrap_socket(web.socket, server_side=True, do_handshake_on_connect=False)
    web.handle_error = lambda request, address: None
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with serving(certificate=certificate) as server:
        server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
        yield server, ["s3://bucket/in.csv", f"https://127.0.0.1:{web.server_port}/in.csv"]
    web.shutdown()


def convert(folder, server, *args, **env):
    return finish(start(folder, server, "-qf", *args, "out.csv", **env), folder)


@pytest.mark.parametrize("named", [*VARIABLES, "--ca-file"])
def test_who_is_named_is_trusted(tmp_path, both, certificate, named):
    server, sources = both
    file = str(certificate[0])
    for source in sources:
        code, said = convert(tmp_path, server, *(["--ca-file", file] if named == "--ca-file" else []), source,
                             **({} if named == "--ca-file" else {named: file}))
        assert code == 0, said
        assert (tmp_path / "out.csv").read_bytes() == TEXT


def test_the_first_of_them_counts(tmp_path, both, certificate):
    server, sources = both
    other = "/etc/ssl/certs/ca-certificates.crt"
    order = ["--ca-file", *VARIABLES]
    for i, first in enumerate(order):
        for source in sources:
            files = {name: str(certificate[0]) if name == first else other for name in order[i:]}
            flag = ["--ca-file", files.pop("--ca-file")] if "--ca-file" in files else []
            code, said = convert(tmp_path, server, *flag, source, **files)
            assert code == 0, (first, said)


@pytest.mark.parametrize("env, words", [
    ({}, ["no trust in the certificate", "--ca-file"]),
    ({"AWS_CA_BUNDLE": "", "SSL_CERT_FILE": ""}, ["no trust in the certificate", "--ca-file"]),
    ({"SSL_CERT_FILE": "/no/such/file"}, ["/no/such/file", "SSL_CERT_FILE"])])
def test_others_are_not(tmp_path, both, env, words):
    server, sources = both
    for source in sources:
        code, said = convert(tmp_path, server, source, **env)
        assert code == 2 and said.count("\n") == 1 and all(word in said for word in [source, *words]), said
    assert server.seen == []
