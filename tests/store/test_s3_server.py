"""The server of these tests itself: it signs as AWS documents it, and refuses what is signed or sent otherwise."""

import base64
import hashlib
import hmac
import http.client
import time
import types

import pytest

import s3_server
from conftest import KEY_ID, SECRET


def test_the_signature_of_the_documentation():
    """Amazon S3's documentation, "Signature Calculations for the Authorization Header", GET with Range."""
    request = types.SimpleNamespace(path="/test.txt", command="GET", complain=pytest.fail)
    headers = {"host": ["examplebucket.s3.amazonaws.com"], "range": ["bytes=0-9"], "x-amz-date": ["20130524T000000Z"],
               "x-amz-content-sha256": [s3_server.EMPTY_HASH]}
    assert s3_server.Handler.sign(request, headers, sorted(headers), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524",
                                  "us-east-1") == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_the_checksum():
    assert s3_server.crc32c(b"123456789") == base64.b64encode(bytes.fromhex("e3069283")).decode()


@pytest.fixture
def ask(server):
    server.buckets["bucket"]["k k"] = s3_server.Object(b"abc", '"e"', {})

    def send(method="GET", path="/bucket/k%20k", query="", body=b"", headers=(), unsigned=(), stamp=None, secret=SECRET, sha=None,
             names=None):
        """Signed by what is written here, independently of the client and the server."""
        stamp = stamp or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        sent = {"host": f"127.0.0.1:{server.port}", "x-amz-date": stamp,
                "x-amz-content-sha256": sha or hashlib.sha256(body).hexdigest(), **dict(headers)}
        signed = names or sorted(sent)
        canonical = "\n".join([method, path, query, "".join(f"{n}:{sent[n]}\n" for n in signed), ";".join(signed),
                               sent["x-amz-content-sha256"]])
        scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
        key = b"AWS4" + secret.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        sent["authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
        sent.update(unsigned)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.putrequest(method, path + ("?" + query if query else ""), skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        server.problems.clear()
        return answer.status, text
    return send


def test_what_is_right_is_taken(ask, server):
    assert ask() == (200, "abc")
    assert ask(headers={"range": "bytes=1-1"}) == (206, "b")
    assert ask("PUT", "/bucket/n", body=b"123456789", headers={"x-amz-checksum-crc32c": "4waSgw=="})[0] == 200
    assert ask(path="/bucket", query="list-type=2&prefix=a%2Fb")[0] == 200


@pytest.mark.parametrize("wrong, code", [
    ({"secret": "other"}, "SignatureDoesNotMatch"),
    ({"unsigned": {"range": "bytes=0-1"}}, "AccessDenied"),
    ({"unsigned": {"x-amz-meta-a": "b"}}, "AccessDenied"),
    ({"unsigned": {"if-none-match": "*"}}, "AccessDenied"),
    ({"path": "/bucket/k%20k", "query": "prefix=a&list-type=2"}, "InvalidURI"),
    ({"query": "uploads"}, "InvalidURI"),
    ({"query": "prefix=a/b"}, "InvalidURI"),
    ({"query": "prefix=%2f"}, "InvalidURI"),
    ({"path": "/bucket/d=1"}, "InvalidURI"),
    ({"path": "/bucket/%41"}, "InvalidURI"),
    ({"method": "PUT", "body": b"abc", "sha": hashlib.sha256(b"abd").hexdigest()}, "XAmzContentSHA256Mismatch"),
    ({"method": "PUT", "body": b"abc", "sha": "UNSIGNED-PAYLOAD"}, "InvalidRequest"),
    ({"method": "PUT", "body": b"abc", "headers": {"x-amz-checksum-crc32c": "4waSgw=="}}, "BadDigest"),
    ({"stamp": "20200101T000000Z"}, "RequestTimeTooSkewed"),
    ({"names": ["x-amz-date", "host", "x-amz-content-sha256"]}, "AuthorizationHeaderMalformed"),
    ({"headers": {"x-amz-security-token": "unknown"}}, "InvalidToken"),
])
def test_what_is_wrong_is_refused(ask, wrong, code):
    status, text = ask(**wrong)
    assert status in (400, 403)
    assert f"<Code>{code}</Code>" in text
