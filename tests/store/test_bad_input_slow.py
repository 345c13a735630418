"""More of test_bad_input.py, which waits between its tries."""

import concurrent.futures
import socket

from test_bad_input import TEXT, check, server  # noqa: F401: the fixture


def test_nobody_is_there(tmp_path, server):  # noqa: F811
    """Three runs at a time, for they wait between their tries."""
    def nobody(name, url, args, says):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "in.csv").write_bytes(TEXT)
        check(server, folder, args, ["s3://bucket/", *says, "tried 8 times"], AWS_ENDPOINT_URL_S3=url)

    with socket.socket() as silent, concurrent.futures.ThreadPoolExecutor() as pool:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        runs = [pool.submit(nobody, "read", f"http://{place}", ["s3://bucket/in.csv", "out.csv"], [f"no connection to {place}"]),
                pool.submit(nobody, "written", f"http://{place}", ["in.csv", "s3://bucket/out.csv"], [f"no connection to {place}"]),
                pool.submit(nobody, "host", "http://no-such-host.invalid", ["s3://bucket/in.csv", "out.csv"], ["no-such-host.invalid"])]
        for run in runs:
            run.result()
