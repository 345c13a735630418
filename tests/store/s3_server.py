"""An S3 server that believes nothing: for tests, in memory, of the standard library alone.

It wants every request signed as AWS documents it and sent in the very form that was signed: the path and the query as they
stand in the request line have to be the canonical ones, every header that could matter has to be among the signed ones, and
the body has to have the hash and the checksum that the headers say.  Bodies without a hash are taken over TLS alone.

Faults: Server.fault is called with each request (a Request) and gives None or a word of FAULTS.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

EMPTY_HASH = hashlib.sha256(b"").hexdigest()
SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
UNSIGNED_HEADERS = {"authorization", "user-agent", "accept", "content-length", "connection", "accept-encoding"}
MOST_SKEW = 15 * 60
CRC_LIMIT = 1 << 20  # bytes of a body whose checksum is computed here, which is slow

FAULTS = {
    "500": "an internal error, before anything is done",
    "503": "SlowDown",
    "503-html": "a proxy's page instead of an answer",
    "retry-after": "SlowDown with Retry-After: 1",
    "reset-before": "the connection is reset before anything is read",
    "reset-body": "the connection is reset in the middle of the body",
    "reset-answer": "it is done, and the connection is reset in the middle of the answer",
    "lost": "it is done, and the connection ends without an answer",
    "truncate": "the body of the answer is cut",
    "short": "the body of the answer is whole by its Content-Length, and shorter than it should be",
    "slow": "the answer comes in small pieces",
    "stall": "the answer stops and the connection stays",
    "wrong-etag": "the ETag of the answer is another one",
    "wrong-crc": "the checksum of the answer is another one",
    "error-in-200": "a completion answers 200 and an error",
    "done-error-in-200": "the same, and it is done",
    "500-done": "it is done, and the answer is an internal error",
    "expired": "ExpiredToken",
    "skew": "RequestTimeTooSkewed",
    "moved": "301, the bucket is in the server's region",
    "full": "507, the disk is full",
    "no-tags": "tags are not known here",
}


def make_crc_table():
    table = []
    for i in range(256):
        crc = i
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = make_crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return base64.b64encode(struct.pack(">I", crc ^ 0xFFFFFFFF)).decode()


def encode(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-._~")


def iso(when):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(when))


class Refusal(Exception):
    def __init__(self, status, code, message, extra="", headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra
        self.headers = headers or {}


class Object:
    def __init__(self, data, etag, headers):
        self.data, self.etag, self.headers = data, etag, headers
        self.time = time.time()


def make_object(data):
    return Object(data, '"' + hashlib.md5(data).hexdigest() + '"', {})


class Upload:
    def __init__(self, key, headers):
        self.key, self.headers = key, headers
        self.parts = {}
        self.time = time.time()


class Request:
    """What a fault rule may look at."""

    def __init__(self, handler, number):
        self.number = number
        self.method = handler.command
        self.path, _, query = handler.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.operation = self.name()
        self.peek = handler.rfile.peek

    def wait_for_body(self):
        """Until its beginning is there; of a short one that is all, for it was sent at once."""
        if int(self.headers.get("content-length") or 0) > 0:
            self.peek(1)

    def name(self):
        q = self.query
        if self.method == "POST":
            return "create" if "uploads" in q else "complete"
        if self.method == "PUT":
            return "part" if "partNumber" in q else "copy" if "x-amz-copy-source" in self.headers else "put"
        if self.method == "DELETE":
            return "abort" if "uploadId" in q else "delete"
        if "uploads" in q:
            return "uploads"
        return "list" if "list-type" in q else self.method.lower()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, buckets=("bucket",), keys=None, region="us-east-1", min_part=5 << 20, certificate=None, port=0,
                 page_size=1000, virtual_host=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.secure = certificate is not None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.buckets = {name: {} for name in buckets}
        self.uploads = {name: {} for name in buckets}
        self.keys = keys or {"AKIDTEST": ("secret/of+the=tests", None)}  # id: (secret, session token)
        self.region = region
        self.min_part = min_part
        self.most_copied = 5 << 30  # by one request
        self.page_size = page_size
        self.virtual_host = virtual_host
        self.says_region = True  # where the bucket is, to who looks for it elsewhere
        self.clock_offset = 0
        self.denied = set()  # keys that nobody may touch
        self.anonymous = False
        self.fault = lambda request: None
        self.lock = threading.RLock()
        self.seen = []  # (operation, path, fault) of every request
        self.problems = []  # requests whose signature or form was wrong
        self.n_uploads = 0
        self.n_active = 0  # requests

    @property
    def port(self):
        return self.server_address[1]

    @property
    def url(self):
        return f"http{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def handle_error(self, request, client_address):
        """Connections that break are what the tests are about."""

    def wait_until_idle(self):
        """Who asked may have gone before the answer."""
        until = time.monotonic() + 60
        while self.n_active > 0:
            assert time.monotonic() < until
            time.sleep(0.005)

    def operations(self):
        return [operation for operation, _, _ in self.seen]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + self.server.clock_offset)

    # --- one request

    def do_GET(self):
        with self.server.lock:
            self.server.n_active += 1
        try:
            self.serve_one()
        finally:
            with self.server.lock:
                self.server.n_active -= 1

    def serve_one(self):
        server = self.server
        with server.lock:
            request = Request(self, len(server.seen))
            server.seen.append((request.operation, self.path, None))
        fault = server.fault(request)  # which may wait
        if fault is not None:
            assert fault in FAULTS, fault
            server.seen[request.number] = (request.operation, self.path, fault)
        self.request_id = f"REQ{request.number:06d}"
        self.fault_word = fault
        if fault == "reset-before":
            return self.reset()
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "reset-body" and length > 0:
            self.rfile.read(length // 2)
            return self.reset()
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            self.close_connection = True
            return None
        try:
            self.refuse_by_fault(fault)
            self.check_signature(request, body)
            with server.lock:
                answer = self.perform(request, body)
            if fault == "500-done":
                raise Refusal(500, "InternalError", "We encountered an internal error. Please try again.")
        except Refusal as refusal:
            answer = self.refusal_answer(refusal)
        return self.answer(*answer)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile = self.rfile  # what is buffered is not sent
        self.connection.close()

    def refuse_by_fault(self, fault):
        if fault in ("500", "reset-body"):
            raise Refusal(500, "InternalError", "We encountered an internal error. Please try again.")
        if fault == "503":
            raise Refusal(503, "SlowDown", "Please reduce your request rate.")
        if fault == "503-html":
            raise Refusal(503, None, "<html><body>busy</body></html>")
        if fault == "retry-after":
            raise Refusal(503, "SlowDown", "Please reduce your request rate.", headers={"Retry-After": "1"})
        if fault == "expired":
            raise Refusal(400, "ExpiredToken", "The provided token has expired.")
        if fault == "skew":
            raise Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
        if fault == "moved":
            raise Refusal(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.",
                          headers={"x-amz-bucket-region": self.server.region})
        if fault == "no-tags" and "x-amz-tagging" in self.headers:
            raise Refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
        if fault == "full":
            raise Refusal(507, "InsufficientStorage", "There is not enough space.")

    def refusal_answer(self, refusal):
        headers = {"Content-Type": "application/xml", "x-amz-request-id": self.request_id, **refusal.headers}
        if refusal.code is None:
            return refusal.status, {"Content-Type": "text/html"}, refusal.message.encode()
        text = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>'
                f"{refusal.extra}<RequestId>{self.request_id}</RequestId></Error>")
        return refusal.status, headers, text.encode()

    def answer(self, status, headers, body):
        fault = self.fault_word
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "wrong-etag" and "ETag" in headers:
            headers = {**headers, "ETag": '"00000000000000000000000000000000"'}
        if fault == "wrong-crc":
            headers = {k: "AAAAAA==" if "crc32c" in k else v for k, v in headers.items()}
            body = re.sub(rb"(<ChecksumCRC32C>)[^<-]*", rb"\1AAAAAA==", body)
        if fault == "short" and status < 300 and body:
            body = body[:-1]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if fault == "stall" and (self.command == "HEAD" or not body):
            self.flush_headers()
            return self.stall()
        if self.command == "HEAD":
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.send_body(body, fault)

    def send_body(self, body, fault):
        half = len(body) // 2
        if fault == "reset-answer":
            self.wfile.write(body[:half])
            self.wfile.flush()
            self.reset()
        elif fault == "truncate" and body:
            self.wfile.write(body[:half])
            self.close_connection = True
        elif fault == "slow":
            step = max(1, len(body) // 10)
            for at in range(0, len(body), step):
                self.wfile.write(body[at:at + step])
                self.wfile.flush()
                time.sleep(0.01)
        elif fault == "stall":
            self.wfile.write(body[:half])
            self.stall()
        else:
            self.wfile.write(body)

    def stall(self):
        """Until the other side has enough of it."""
        self.wfile.flush()
        self.rfile.read(1)
        self.close_connection = True

    # --- signatures

    def complain(self, status, code, message):
        self.server.problems.append(f"{self.command} {self.path}: {code}: {message}")
        raise Refusal(status, code, message)

    def check_signature(self, request, body):
        server = self.server
        headers = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        if "authorization" not in headers:
            if server.anonymous:
                return
            raise Refusal(403, "AccessDenied", "Access Denied")
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/s3/aws4_request, "
                             r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", headers["authorization"][0])
        if not match:
            self.complain(400, "AuthorizationHeaderMalformed", "The authorization header is malformed")
        key_id, day, region, signed, signature = match.groups()
        if key_id not in server.keys:
            raise Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        secret, token = server.keys[key_id]
        if headers.get("x-amz-security-token", [None])[0] != token:
            raise Refusal(403 if token is None else 400, "InvalidToken", "The provided token is malformed or otherwise invalid.",
                          extra=f"<Token-0>{escape(headers.get('x-amz-security-token', [''])[0])}</Token-0>")
        if region != server.region:
            raise Refusal(400, "AuthorizationHeaderMalformed",
                          f"The authorization header is malformed; the region '{region}' is wrong; expecting another one",
                          extra=f"<Region>{server.region}</Region>" if server.says_region else "")
        self.check_time(headers, day)
        names = signed.split(";")
        if names != sorted(set(names)):
            self.complain(400, "AuthorizationHeaderMalformed", "SignedHeaders is not sorted")
        unsigned = set(headers) - set(names) - UNSIGNED_HEADERS
        if unsigned:
            self.complain(403, "AccessDenied", f"headers are not signed: {sorted(unsigned)}")
        self.check_body(headers, body)
        wanted = self.sign(headers, names, secret, day, region)
        if not hmac.compare_digest(wanted, signature):
            self.complain(403, "SignatureDoesNotMatch",
                          "The request signature we calculated does not match the signature you provided.")

    def check_time(self, headers, day):
        stamp = headers.get("x-amz-date", [""])[0]
        try:
            then = time.strptime(stamp, "%Y%m%dT%H%M%SZ")
        except ValueError:
            self.complain(403, "AccessDenied", "x-amz-date is no time")
        if stamp[:8] != day:
            self.complain(400, "AuthorizationHeaderMalformed", "the day of the scope is another one")
        import calendar
        if abs(calendar.timegm(then) - time.time() - self.server.clock_offset) > MOST_SKEW:
            raise Refusal(403, "RequestTimeTooSkewed",
                          "The difference between the request time and the current time is too large.")

    def check_body(self, headers, body):
        said = headers.get("x-amz-content-sha256", [""])[0]
        if said == "UNSIGNED-PAYLOAD":
            if not self.server.secure:
                self.complain(400, "InvalidRequest", "a body without a hash needs TLS")
        elif said != hashlib.sha256(body).hexdigest():
            self.complain(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' does not match what was computed.")
        crc = headers.get("x-amz-checksum-crc32c", [None])[0]
        if crc is not None and len(body) <= CRC_LIMIT and crc != crc32c(body):
            self.complain(400, "BadDigest", "The CRC32C you specified did not match the calculated checksum.")

    def sign(self, headers, names, secret, day, region):
        path, _, query = self.path.partition("?")
        if encode(urllib.parse.unquote(path, errors="surrogateescape"), safe="/") != path:
            self.complain(400, "InvalidURI", "the path is not in its canonical form")
        pairs = [part.split("=", 1) for part in query.split("&")] if query else []
        if any(len(pair) != 2 or encode(urllib.parse.unquote(text)) != text for pair in pairs for text in pair) or pairs != sorted(pairs):
            self.complain(400, "InvalidURI", "the query is not in its canonical form")
        lines = "".join(f"{name}:{','.join(' '.join(v.split()) for v in headers[name])}\n" for name in names)
        canonical = "\n".join([self.command, path, query, lines, ";".join(names), headers["x-amz-content-sha256"][0]])
        scope = f"{day}/{region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"][0], scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in (day, region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()

    # --- what is asked for

    def perform(self, request, body):
        host = self.headers.get("Host", "")
        path = urllib.parse.unquote(request.path)
        if self.server.virtual_host and host.endswith("." + self.server.virtual_host):
            bucket, key = host[:-len(self.server.virtual_host) - 1], path[1:]
        else:
            bucket, _, key = path[1:].partition("/")
        if bucket not in self.server.buckets:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        if key in self.server.denied:
            raise Refusal(403, "AccessDenied", "Access Denied")
        self.objects, self.open = self.server.buckets[bucket], self.server.uploads[bucket]
        act = getattr(self, "act_" + request.operation)
        return act(request, key, body)

    def ok(self, body=b"", status=200, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return status, {"x-amz-request-id": self.request_id, **headers}, body

    def xml(self, text):
        return self.ok(('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode(), Content_Type="application/xml")

    def find(self, key):
        if key not in self.objects:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        found = self.objects[key]
        wanted = self.headers.get("If-Match")
        if wanted is not None and wanted.strip('"') != found.etag.strip('"'):
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        return found

    def act_head(self, request, key, body):
        found = self.find(key)
        status, headers, _ = self.ok(ETag=found.etag, Last_Modified=self.date_time_string())
        return status, {**headers, "Content-Length": str(len(found.data)), **found.headers}, b""

    def act_get(self, request, key, body):
        found = self.find(key)
        wanted = request.headers.get("range")
        if wanted is None:
            return self.ok(found.data, ETag=found.etag)
        first, last = (int(n) for n in re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())
        if first >= len(found.data):
            raise Refusal(416, "InvalidRange", "The requested range is not satisfiable")
        last = min(last, len(found.data) - 1)
        return self.ok(found.data[first:last + 1], status=206, ETag=found.etag,
                       Content_Range=f"bytes {first}-{last}/{len(found.data)}")

    def may_replace(self, key):
        if "If-Match" in self.headers:
            self.find(key)
        if self.headers.get("If-None-Match") == "*" and key in self.objects:
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

    def kept_headers(self):
        return {k.lower(): v for k, v in self.headers.items()
                if k.lower().startswith(("x-amz-meta-", "x-amz-tagging", "x-amz-storage-class", "x-amz-server-side")) or
                k.lower() == "content-type"}

    def act_put(self, request, key, body):
        self.may_replace(key)
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        self.objects[key] = Object(body, etag, self.kept_headers())
        return self.ok(ETag=etag)

    def copy_source(self, request):
        bucket, _, source = urllib.parse.unquote(request.headers["x-amz-copy-source"]).removeprefix("/").partition("/")
        if source not in self.server.buckets.get(bucket, {}):
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        found = self.server.buckets[bucket][source]
        wanted = request.headers.get("x-amz-copy-source-if-match")
        if wanted is not None and wanted.strip('"') != found.etag.strip('"'):
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        return found

    def part_copy(self, request, upload, number):
        found = self.copy_source(request)
        first, last = (int(n) for n in re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["x-amz-copy-source-range"]).groups())
        if not first <= last < len(found.data):
            raise Refusal(400, "InvalidArgument", "Range specified is not valid for source object")
        if last + 1 - first > self.server.most_copied:
            raise Refusal(400, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source")
        if self.fault_word == "error-in-200":
            return self.error_in_200()
        data = found.data[first:last + 1]
        etag = '"' + hashlib.md5(data).hexdigest() + '"'
        upload.parts[number] = (data, etag, None)
        return self.xml(f'<CopyPartResult xmlns="{SPACE}"><LastModified>{iso(time.time())}</LastModified><ETag>{escape(etag)}</ETag>'
                        "</CopyPartResult>")

    def act_copy(self, request, key, body):
        """With its metadata and tags; the class of storage and the encryption are those of the request."""
        found = self.copy_source(request)
        if len(found.data) > self.server.most_copied:
            raise Refusal(400, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
        if self.fault_word == "error-in-200":
            return self.error_in_200()
        etag = '"' + hashlib.md5(found.data).hexdigest() + '"'
        kept = {k: v for k, v in found.headers.items() if k.startswith(("x-amz-meta-", "x-amz-tagging", "content-type"))}
        self.objects[key] = Object(found.data, etag, {**kept, **self.kept_headers()})
        return self.xml(f'<CopyObjectResult xmlns="{SPACE}"><LastModified>{iso(time.time())}</LastModified><ETag>{escape(etag)}</ETag>'
                        "</CopyObjectResult>")

    def act_delete(self, request, key, body):
        self.objects.pop(key, None)
        return self.ok(status=204)

    def act_create(self, request, key, body):
        self.server.n_uploads += 1
        upload_id = f"up/{self.server.n_uploads}+="
        self.open[upload_id] = Upload(key, self.kept_headers())
        return self.xml(f'<InitiateMultipartUploadResult xmlns="{SPACE}"><Bucket>b</Bucket><Key>{escape(key)}</Key>'
                        f"<UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>")

    def find_upload(self, request, key):
        upload = self.open.get(request.query["uploadId"])
        if upload is None or upload.key != key:
            raise Refusal(404, "NoSuchUpload", "The specified upload does not exist. It may have been aborted or completed.")
        return upload

    def act_part(self, request, key, body):
        upload = self.find_upload(request, key)
        number = int(request.query["partNumber"])
        if not 1 <= number <= 10000:
            raise Refusal(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        if "x-amz-copy-source" in request.headers:
            return self.part_copy(request, upload, number)
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        crc = self.headers.get("x-amz-checksum-crc32c")
        upload.parts[number] = (body, etag, crc)
        return self.ok(ETag=etag, **({"x-amz-checksum-crc32c": crc} if crc else {}))

    def act_abort(self, request, key, body):
        self.find_upload(request, key)
        del self.open[request.query["uploadId"]]
        return self.ok(status=204)

    def act_complete(self, request, key, body):
        upload = self.find_upload(request, key)
        if self.fault_word == "error-in-200":
            return self.error_in_200()
        root = ElementTree.fromstring(body)
        listed = [(int(p.findtext(f"{{{SPACE}}}PartNumber")), p.findtext(f"{{{SPACE}}}ETag"),
                   p.findtext(f"{{{SPACE}}}ChecksumCRC32C")) for p in root.findall(f"{{{SPACE}}}Part")]
        numbers = [number for number, _, _ in listed]
        if not numbers:
            raise Refusal(400, "MalformedXML", "The XML you provided was not well-formed")
        if numbers != sorted(set(numbers)):
            raise Refusal(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
        for number, etag, crc in listed:
            if number not in upload.parts or upload.parts[number][1:] != (etag, crc):
                raise Refusal(400, "InvalidPart", "One or more of the specified parts could not be found.")
        data = [upload.parts[number][0] for number in numbers]
        if any(len(part) < self.server.min_part for part in data[:-1]):
            raise Refusal(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        self.may_replace(key)
        digests = b"".join(hashlib.md5(part).digest() for part in data)
        etag = f'"{hashlib.md5(digests).hexdigest()}-{len(data)}"'
        self.objects[key] = Object(b"".join(data), etag, upload.headers)
        del self.open[request.query["uploadId"]]
        if self.fault_word == "done-error-in-200":
            return self.error_in_200()
        crcs = [upload.parts[number][2] for number in numbers]
        whole = ""
        if all(crcs):
            whole = f"<ChecksumCRC32C>{crc32c(b''.join(base64.b64decode(c) for c in crcs))}-{len(crcs)}</ChecksumCRC32C>"
        return self.xml(f'<CompleteMultipartUploadResult xmlns="{SPACE}"><Key>{escape(key)}</Key><ETag>{escape(etag)}</ETag>{whole}'
                        "</CompleteMultipartUploadResult>")

    def error_in_200(self):
        return self.xml(f"<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message>"
                        f"<RequestId>{self.request_id}</RequestId></Error>")

    def act_list(self, request, key, body):
        q = request.query
        prefix, delimiter = q.get("prefix", ""), q.get("delimiter")
        after = base64.b64decode(q["continuation-token"]).decode() if "continuation-token" in q else ""
        names = {}
        for name in sorted(self.objects, key=lambda k: k.encode()):
            if name.startswith(prefix):
                cut = name.find(delimiter, len(prefix)) if delimiter else -1
                names[name if cut < 0 else name[:cut + 1]] = None if cut < 0 else "folder"
        left = [n for n in names if n.encode() > after.encode()]
        page = left[:self.server.page_size]
        shown = (lambda t: urllib.parse.quote_plus(t, safe="/")) if q.get("encoding-type") == "url" else escape
        text = "".join(f"<CommonPrefixes><Prefix>{shown(n)}</Prefix></CommonPrefixes>" if names[n] else
                       f"<Contents><Key>{shown(n)}</Key><LastModified>{iso(self.objects[n].time)}</LastModified>"
                       f"<ETag>{escape(self.objects[n].etag)}</ETag><Size>{len(self.objects[n].data)}</Size></Contents>" for n in page)
        more = len(left) > len(page)
        token = f"<NextContinuationToken>{base64.b64encode(page[-1].encode()).decode()}</NextContinuationToken>" if more else ""
        return self.xml(f'<ListBucketResult xmlns="{SPACE}"><IsTruncated>{"true" if more else "false"}</IsTruncated>'
                        f"<EncodingType>{q.get('encoding-type', '')}</EncodingType>{text}{token}</ListBucketResult>")

    def act_uploads(self, request, key, body):
        q = request.query
        marker = (q.get("key-marker", ""), q.get("upload-id-marker", ""))
        left = sorted((u.key, i) for i, u in self.open.items()
                      if u.key.startswith(q.get("prefix", "")) and (u.key, i) > marker)
        page = left[:self.server.page_size]
        shown = (lambda t: urllib.parse.quote_plus(t, safe="/")) if q.get("encoding-type") == "url" else escape
        text = "".join(f"<Upload><Key>{shown(k)}</Key><UploadId>{i}</UploadId><Initiated>{iso(self.open[i].time + self.server.clock_offset)}"
                       f"</Initiated></Upload>" for k, i in page)
        more = len(left) > len(page)
        last = f"<NextKeyMarker>{shown(page[-1][0])}</NextKeyMarker><NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>" if more else ""
        return self.xml(f'<ListMultipartUploadsResult xmlns="{SPACE}"><IsTruncated>{"true" if more else "false"}</IsTruncated>'
                        f"<EncodingType>{q.get('encoding-type', '')}</EncodingType>{text}{last}</ListMultipartUploadsResult>")


def main():
    parser = argparse.ArgumentParser(description="Serve until it is killed; prints the address.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bucket", action="append")
    parser.add_argument("--key", default="AKIDTEST:secret/of+the=tests")
    parser.add_argument("--min-part", type=int, default=5 << 20)
    given = parser.parse_args()
    key_id, secret = given.key.split(":", 1)
    server = Server(given.bucket or ["bucket"], {key_id: (secret, None)}, min_part=given.min_part, port=given.port)
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
