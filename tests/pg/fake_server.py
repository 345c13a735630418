"""A server that speaks as much of PostgreSQL's protocol as a test wants, well or badly."""

import socket
import struct
import threading


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def error(sqlstate, text, severity="FATAL"):
    return message(b"E", b"S" + severity.encode() + b"\0C" + sqlstate.encode() + b"\0M" + text.encode() + b"\0\0")


READY = message(b"R", struct.pack("!I", 0)) + message(b"S", b"client_encoding\0UTF8\0") + message(b"S", b"server_version\x0015.0\0") \
    + message(b"Z", b"I")


class Fake:
    """`answer(connection, startup)` is called for every connection, in a thread of its own, behind its first packet."""

    def __init__(self, answer, tls_answer=b"N"):
        self.answer, self.tls_answer = answer, tls_answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def read_packet(self, connection):
        size = struct.unpack("!I", self.read(connection, 4))[0]
        return self.read(connection, size - 4)

    def read_message(self, connection):
        kind = self.read(connection, 1)
        return kind, self.read_packet(connection)

    @staticmethod
    def read(connection, n):
        out = b""
        while len(out) < n:
            more = connection.recv(n - len(out))
            if not more:
                raise ConnectionError
            out += more
        return out

    def serve(self, connection):
        try:
            packet = self.read_packet(connection)
            if packet[:4] == struct.pack("!I", 80877103):  # SSLRequest
                connection.sendall(self.tls_answer)
                packet = self.read_packet(connection)
            self.answer(connection, packet)
        except (OSError, struct.error):
            pass

    def close(self):
        self.listener.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
