"""lineitem to a bucket on loopback and back, beside the local disk, curl, gzip and zstd; medians of wall and CPU seconds.

--server fast (bench/fast_s3.py) verifies nothing: what is measured is the client and the kernel's copying.  --server s3proxy verifies
signatures and hashes as a service does, and burns more than the client; its CPU seconds stand beside ours either way.
"""
import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from run import BIN, DATA, ROOT, generate, warm

KEY_ID, SECRET = "AKIDBENCH", "secret-of-the-bench"
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, process, url):
        self.process, self.url = process, url

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def serve(kind, folder):
    if kind == "fast":
        process = subprocess.Popen([sys.executable, ROOT / "bench/fast_s3.py", folder], stdout=subprocess.PIPE, text=True)
        url = process.stdout.readline().strip()
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        (folder / "data/bucket").mkdir(parents=True)
        (folder / "settings").write_text(f"s3proxy.endpoint={url}\ns3proxy.authorization=aws-v2-or-v4\ns3proxy.identity={KEY_ID}\n"
                                         f"s3proxy.credential={SECRET}\njclouds.provider=filesystem-nio2\n"
                                         f"jclouds.filesystem.basedir={folder}/data\n")
        process = subprocess.Popen(["java", f"-Dlogback.configurationFile={ROOT}/tools/s3proxy/logback.xml", "-cp",
                                    f"{ROOT}/build/s3proxy/*", "org.gaul.s3proxy.Main", "--properties", folder / "settings"])
    try:
        while subprocess.run(["curl", "-s", "-o", os.devnull, url], check=False).returncode != 0:
            time.sleep(0.1)
        yield Server(process, url)
    finally:
        process.kill()
        process.wait()


def convert(*args):
    return [BIN / "dativo-native", "convert", "-qf", *args]


def curl(url):
    return ["curl", "-s", "--fail", "-o", os.devnull, "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEY_ID}:{SECRET}",
            "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", url]


def blocked_gzip(src, out):
    """As bgzip writes it: members of up to 64 KB that say how long they are, and an empty one at the end."""
    while True:
        text = src.read(0xFF00)
        deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
        data = deflate.compress(text) + deflate.flush()
        out.write(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H2sHH", 6, b"BC", 2, len(data) + 25) + data +
                  struct.pack("<II", zlib.crc32(text), len(text)))
        if not text:
            break


def pack(src):
    """As gzip, zstd and blocked gzip."""
    packed = {end: src.with_suffix(src.suffix + end) for end in (".gz", ".zst", ".bgz")}
    for end, path in packed.items():
        if path.exists():
            continue
        part = path.with_suffix(".part")
        with open(src, "rb") as text, open(part, "wb") as out:
            if end == ".bgz":
                blocked_gzip(text, out)
            else:
                subprocess.run(["gzip", "-1"] if end == ".gz" else ["zstd", "-q", "-3"], stdin=text, stdout=out, check=True)
        part.rename(path)
    return packed


def tasks(src, server, local):
    """name: (command, bytes that are read)"""
    size = src.stat().st_size
    found = {}
    for end, what in ((".parquet", "Parquet"), (".csv", "CSV")):
        found[f"CSV -> local {what}"] = (convert(src, local / f"out{end}"), size)
        found[f"CSV -> s3 {what}"] = (convert(src, f"s3://bucket/out{end}"), size)
    for end, what in ((".csv", "CSV"), (".parquet", "Parquet")):
        found[f"curl of the {what}"] = (curl(f"{server.url}/bucket/out{end}"), None)
        found[f"s3 {what} -> null:"] = (convert(f"s3://bucket/out{end}", "null:"), None)
        found[f"local {what} -> null:"] = (convert(local / f"out{end}", "null:"), None)
    for end, path in pack(src).items():
        tool = "zstd" if end == ".zst" else "gzip"
        found[f"{tool} -dc of {end}"] = ([tool, "-dc", path], size)
        found[f"{end} -> null:"] = (convert(path, "null:"), size)
        if end == ".bgz":
            found[f"{end} -> null:, one thread"] = (convert("-t1", path, "null:"), size)
    return found


def run_discarding(argv):
    """(wall, CPU, peak RSS in bytes); what it prints is thrown away."""
    started = time.perf_counter()
    process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of lineitem; 10,000,000 are 1.4 GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=["fast", "s3proxy"], default="fast")
    args = parser.parse_args()

    DATA.mkdir(parents=True, exist_ok=True)
    src = generate("lineitem", args.rows)
    warm(src)
    with tempfile.TemporaryDirectory(dir=DATA) as folder, tempfile.TemporaryDirectory(dir=DATA) as local, \
            serve(args.server, pathlib.Path(folder)) as server:
        os.environ.update(AWS_ENDPOINT_URL_S3=server.url, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET, AWS_REGION="us-east-1")
        sizes = {}
        print(f"\nlineitem, {src.stat().st_size / 1e6:.0f} MB, server {args.server}, {args.rounds} rounds")
        print(f"  {'':28}{'wall s':>9}{'CPU s':>9}{'server s':>10}{'RSS MB':>9}{'MB/s':>8}")
        for name, (command, size) in tasks(src, server, pathlib.Path(local)).items():
            runs = []
            for _ in range(args.rounds):
                os.sync()
                before = server.cpu()
                wall, cpu, rss = run_discarding(command)
                runs.append((wall, cpu, server.cpu() - before, rss))
            wall, cpu, burnt, rss = (statistics.median(column) for column in zip(*runs))
            for end in (".csv", ".parquet"):
                path = pathlib.Path(local) / f"out{end}"
                sizes[end] = path.stat().st_size if path.exists() else 0
            size = size or sizes[".parquet" if "Parquet" in name else ".csv"]
            print(f"  {name:28}{wall:9.2f}{cpu:9.2f}{burnt:10.2f}{rss / 1e6:9.0f}{size / wall / 1e6:8.0f}", flush=True)


if __name__ == "__main__":
    main()
