"""As much of S3 as a measurement needs, as fast as Python can: nothing is verified, no signature, no hash.

Bytes go from the socket to files in blocks and from files to the socket by sendfile(2), so that little but the kernel's copying is
counted against the server.  An object is a list of files, which are its parts.
"""
import argparse
import http.server
import os
import pathlib
import re
import urllib.parse

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
BLOCK = 1 << 20


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = pathlib.Path(folder)
        self.objects = {}  # path: ([(file, size)], etag)
        self.uploads = {}
        self.n_files = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True  # as servers of buckets have it: an answer does not wait for the acknowledgement of its head

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def xml(self, text):
        self.answer(200, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), Content_Type="application/xml")

    def receive(self):
        """The body, in a file of its own."""
        server = self.server
        server.n_files += 1
        path = server.folder / f"{server.n_files}.part"
        left = size = int(self.headers.get("Content-Length") or 0)
        memory = memoryview(bytearray(BLOCK))
        with open(path, "wb", buffering=0) as out:
            while left > 0:
                n = self.rfile.readinto1(memory[:min(left, BLOCK)])
                if n == 0:
                    raise ConnectionError("cut")
                out.write(memory[:n])
                left -= n
        return str(path), size

    def parse(self):
        path, _, query = self.path.partition("?")
        return urllib.parse.unquote(path), dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def do_PUT(self):
        path, query = self.parse()
        if "partNumber" in query:
            part = self.receive()
            self.server.uploads[query["uploadId"]][int(query["partNumber"])] = part
            return self.answer(200, ETag=f'"{query["partNumber"]}-part"')
        self.server.objects[path] = ([self.receive()], f'"{self.server.n_files}"')
        return self.answer(200, ETag=self.server.objects[path][1])

    def do_POST(self):
        path, query = self.parse()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "uploads" in query:
            upload_id = f"up{len(self.server.uploads)}"
            self.server.uploads[upload_id] = {}
            return self.xml(f'<InitiateMultipartUploadResult xmlns="{SPACE}"><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>')
        parts = self.server.uploads.pop(query["uploadId"])
        etag = f'"{query["uploadId"]}-{len(parts)}"'
        self.server.objects[path] = ([parts[number] for number in sorted(parts)], etag)
        return self.xml(f'<CompleteMultipartUploadResult xmlns="{SPACE}"><ETag>{etag}</ETag></CompleteMultipartUploadResult>')

    def do_DELETE(self):
        path, query = self.parse()
        self.server.uploads.pop(query.get("uploadId"), None)
        self.answer(204)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path, query = self.parse()
        if "uploads" in query:
            return self.xml(f'<ListMultipartUploadsResult xmlns="{SPACE}"><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>')
        if path not in self.server.objects:
            return self.answer(404)
        parts, etag = self.server.objects[path]
        size = sum(n for _, n in parts)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), min(int(wanted[2]), size - 1)) if wanted else (0, size - 1)
        more = {"Content_Range": f"bytes {first}-{last}/{size}"} if wanted else {}
        self.answer(206 if wanted else 200, Content_Length=str(last + 1 - first), ETag=etag, Last_Modified=self.date_time_string(), **more)
        self.wfile.flush()
        if self.command == "GET":
            self.send(parts, first, last + 1)

    def send(self, parts, first, end):
        at = 0
        for path, size in parts:
            start, stop = max(first, at) - at, min(end, at + size) - at
            if start < stop:
                with open(path, "rb") as file:
                    while start < stop:
                        start += os.sendfile(self.connection.fileno(), file.fileno(), start, stop - start)
            at += size


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    server = Server(parser.parse_args().folder)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
