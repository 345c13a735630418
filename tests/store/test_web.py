"""Reading from the web: with and without pieces, behind redirects, and from servers that break off."""

import http.server
import threading
import urllib.parse

import pytest

from conftest import DATA, INVALID, IO, NOT_FOUND, TEMPORARY, Tool, contents

SIZE = 300_000
BODY = contents(SIZE)


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen = []
        self.breaks = lambda number: None
        self.etag = '"one"'
        self.modified = None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def marks(self):
        marks = {"ETag": self.etag, "Last-Modified": self.modified}
        return {name: value for name, value in marks.items() if value}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def give(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length != "none":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.seen.append((self.path, wanted))
        broken = server.breaks(len(server.seen))
        if isinstance(broken, int):
            return self.give(broken, b"busy")
        path, _, query = self.path.partition("?")
        if path.startswith("/to"):
            return self.give(302, Location=urllib.parse.unquote(query))
        body = {"/pieces": BODY, "/whole": BODY, "/unsaid": BODY, "/empty": b""}.get(path)
        if body is None:
            return self.give({"/secret": 403, "/gone": 410}.get(path, 404), b"no", X_Request_Id="REQ-7")
        if path == "/unsaid":
            self.close_connection = True
            return self.give(200, body, length="none")
        if path == "/empty" and wanted:
            return self.give(416, Content_Range="bytes */0")
        if path == "/whole" or wanted is None:
            if broken == "cut":
                self.close_connection = True
                return self.give(200, body[:1000], length=len(body))
            return self.give(200, body, **server.marks())
        first, last = (int(n) for n in wanted[6:].split("-"))
        piece = body[first:last + 1]
        if broken == "cut":
            self.close_connection = True
            return self.give(206, piece[:-1], length=len(piece), Content_Range=f"bytes {first}-{last}/{len(body)}", **server.marks())
        if broken == "short":
            piece = piece[:-1]
        if broken == "other":
            first += 1
        if self.headers.get("If-Match", server.etag) != server.etag:
            return self.give(412)
        return self.give(206, piece, Content_Range=f"bytes {first}-{last}/{len(body)}", **server.marks())


@pytest.fixture
def web():
    started = Web()
    yield started
    started.shutdown()


@pytest.fixture
def tool(tmp_path):
    return Tool(tmp_path, options=["--tries=5"])


def fetch(tool, address, *piece):
    said = tool.ok("fetch", address, "back", *piece, env={}).strip()
    assert (tool.home / "back").read_bytes() == (b"" if address.endswith("/empty") else BODY)
    return said


def test_pieces_and_wholes(tool, web):
    assert fetch(tool, web.url + "/pieces", 70_001) == f'{SIZE} 1 "one"'
    assert [r for _, r in web.seen[1:]] == [f"bytes={a}-{min(a + 70_001, SIZE) - 1}" for a in range(0, SIZE, 70_001)]
    assert fetch(tool, web.url + "/pieces") == f'{SIZE} 1 "one"'
    assert fetch(tool, web.url + "/whole", 1000) == f'{SIZE} 0 "one"'
    assert fetch(tool, web.url + "/unsaid") == "-1 0"
    assert fetch(tool, web.url + "/empty") == "0 0"


def test_redirects(tool, web):
    base = web.url
    for target in (f"{base}/pieces", "/pieces", "pieces", f"//127.0.0.1:{web.server_address[1]}/pieces", f"/to?{base}/to?/pieces"):
        web.seen.clear()
        fetch(tool, f"{base}/to?{urllib.parse.quote(target)}", 100_000)
        assert web.seen[-1][0] == "/pieces"
    tool.fails("fetch", f"{base}/to?{urllib.parse.quote('ftp://127.0.0.1/x')}", "back", code=DATA, says="not followed", env={})
    tool.fails("fetch", f"{base}/to?{urllib.parse.quote('http://user:pw@h/')}", "back", code=DATA, says="not followed", env={})
    tool.fails("fetch", f"{base}/to?", "back", code=IO, says="302", env={})  # one that says nowhere


def test_redirects_without_end(tool, web):
    class Loop(Handler):
        def do_GET(self):
            self.server.seen.append(self.path)
            self.give(307, Location=self.path)

    web.RequestHandlerClass = Loop
    tool.fails("fetch", web.url + "/x", "back", code=DATA, says="from one address to the next", env={})
    assert len(web.seen) == 11


@pytest.mark.parametrize("broken", [500, 503, 429, "cut", "short"])
def test_what_may_pass_is_tried_again(tool, web, broken):
    web.breaks = lambda number: broken if number in (1, 3, 4) else None
    if broken == "short":
        web.breaks = lambda number: broken if number in (3, 4) else None
    fetch(tool, web.url + "/pieces", 100_000)


def test_what_never_passes_ends(tool, web):
    web.breaks = lambda number: 503
    tool.fails("fetch", web.url + "/pieces?sig=secret", "back", code=TEMPORARY, says=["503", "tried 5 times", "/pieces cannot"], env={})
    assert len(web.seen) == 5
    tool.fails("fetch", "http://127.0.0.1:1/x?sig=secret", "back", code=TEMPORARY, says="tried 5 times", env={})


def test_a_stream_that_is_cut_is_no_short_file(tool, web):
    web.breaks = lambda number: "cut" if number >= 2 else None
    tool.fails("fetch", web.url + "/whole", "back", code=TEMPORARY, says="broken connection", env={})
    assert not (tool.home / "back").exists()


def test_a_file_that_changes_while_it_is_read(tool, web):
    def change(number):
        if number == 3:
            web.etag = '"two"'
    web.breaks = change
    tool.fails("fetch", web.url + "/pieces", "back", 100_000, code=IO, says="replaced while it was read", env={})


@pytest.mark.parametrize("before, after", [
    ((None, "Mon, 01 Jan 2024 00:00:00 GMT"), (None, "Mon, 01 Jan 2024 00:00:01 GMT")),
    ((None, "Mon, 01 Jan 2024 00:00:00 GMT"), (None, None)),
    (('W/"one"', "Mon, 01 Jan 2024 00:00:00 GMT"), ('W/"two"', "Mon, 01 Jan 2024 00:00:00 GMT")),
    (('W/"one"', "Mon, 01 Jan 2024 00:00:00 GMT"), ('W/"one"', "Mon, 01 Jan 2024 00:00:01 GMT")),
])
def test_marks_of_little_worth_tell_a_change_too(tool, web, before, after):
    def change(number):
        web.etag, web.modified = before if number < 3 else after
    web.breaks = change
    tool.fails("fetch", web.url + "/pieces", "back", 100_000, code=IO, says="replaced while it was read", env={})
    web.breaks = lambda number: None
    web.etag, web.modified = before
    assert fetch(tool, web.url + "/pieces", 100_000).startswith(f"{SIZE} 1")


def test_a_mark_that_is_too_long_to_be_kept(tool, web):
    web.etag, web.modified = '"' + "x" * 500 + '"', "Mon, 01 Jan 2024 00:00:00 GMT"
    assert fetch(tool, web.url + "/pieces", 100_000) == f"{SIZE} 1"


def test_other_bytes_than_asked_for(tool, web):
    web.breaks = lambda number: "other" if number == 2 else None
    tool.fails("fetch", web.url + "/pieces", "back", 100_000, code=DATA, says="other bytes", env={})


@pytest.mark.parametrize("path, code, says", [("/none", NOT_FOUND, "404"), ("/gone", NOT_FOUND, "410"), ("/secret", IO, "signed address")])
def test_what_is_refused(tool, web, path, code, says):
    err = tool.fails("fetch", f"{web.url}{path}?sig=secret", "back", code=code, says=[says, web.url + path, "request REQ-7"], env={})
    assert "sig=" not in err
    assert len(web.seen) == 1


def test_addresses_that_cannot_be(tool):
    tool.fails("fetch", "http://user:hidden@h/x", "back", code=INVALID, says="remove it", env={})
