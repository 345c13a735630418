"""`convert` from and to a bucket while things go wrong, many runs at a time: what they need, and what is left of them."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import threading
import zlib

import s3_server
from command import BIN, SANITIZER

KEY_ID, SECRET, TOKEN = "AKIDTEST", "recognisable/secret+of=convert", "recognisable/token+of=convert"
SECRETS = (SECRET.encode(), TOKEN.encode())
PART = 16_000  # bytes of a part instead of 8 MiB, by the hook for tests
AT_ONCE = 12  # waiting between tries is most of what they do
ROWS = (3, 700, 9000)


class Runs:
    """Inputs of some sizes, and what becomes of them without faults; each run gets a folder and a server of its own."""

    def __init__(self, home):
        self.home = home
        self.csv, self.parquet = {}, {}
        for rows in ROWS:
            text = "id,name,price\n" + "".join(f"{i},name {i * 7919 % 10007},{i / 8}\n" for i in range(rows))
            path = home / f"{rows}.csv"
            path.write_text(text)
            subprocess.run([BIN, "convert", "-q", path, home / f"{rows}.parquet"], check=True)
            self.csv[rows] = text.encode()
            self.parquet[rows] = (home / f"{rows}.parquet").read_bytes()

    def wanted(self, kind, rows):
        return (self.csv if kind == "csv" else self.parquet)[rows]

    def each(self, function, seeds):
        """function(self, seed, folder) for each of them; the results in their order."""
        def one(seed):
            folder = self.home / str(seed)
            folder.mkdir()
            found = function(self, seed, folder)
            shutil.rmtree(folder)
            return found

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, seeds))


@contextlib.contextmanager
def serving(**how):
    server = s3_server.Server(keys={KEY_ID: (SECRET, TOKEN)}, min_part=1000, **how).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def start(folder, server, *args, **more):
    """Its own home and its own folder for temporary files, and nothing else in the environment."""
    (folder / "tmp").mkdir(exist_ok=True)
    env = {**SANITIZER, "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "AWS_ENDPOINT_URL_S3": server.url,
           "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN, "AWS_EC2_METADATA_DISABLED": "true",
           "AWS_REGION": "us-east-1", "DN_S3_PART_BYTES": str(PART)}
    return subprocess.Popen([str(BIN), "convert", *map(str, args)], cwd=folder, env={**env, **more}, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, folder):
    """Its exit code and what it said; its secrets are nowhere."""
    out, err = process.communicate(timeout=300)
    no_secret_in(folder, out + err)
    return process.returncode, err.decode()


def no_secret_in(folder, said=b""):
    for secret in SECRETS:
        assert secret not in said, said
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file():
                assert secret not in path.read_bytes(), path


def left_files(folder):
    """Temporary ones, and entries of uploads that may be open."""
    return [p for name in ("tmp", ".local") for p in (folder / name).rglob("*") if not p.is_dir()]


class Draw:
    """Numbers from a seed for every request, that do not depend on the order in which requests come."""

    def __init__(self, seed):
        self.seed = seed
        self.count = {}
        self.lock = threading.Lock()

    def key(self, request):
        q = request.query
        return request.operation, q.get("partNumber"), request.headers.get("range")

    def __call__(self, request):
        """0 <= number < 1, and which of the requests of its kind this one is."""
        with self.lock:
            key = self.key(request)
            self.count[key] = nth = self.count.get(key, 0) + 1
        return zlib.crc32(f"{self.seed} {key} {nth}".encode()) / 2**32, nth
