"""The Python code of the documentation runs as it is printed, one page after the other, in a folder that has the files it names."""

import contextlib
import gzip
import io
import re

import pytest

import dativo_native as dn
from conftest import SOURCE

PAGES = sorted([SOURCE / "README.md", *SOURCE.glob("docs/*.md")])
ELSEWHERE = ("pyspark", "dativo_native import spark", "dativo_native import iceberg",  # what the lanes have engines for
             "postgres://")  # tests/pg/test_documentation.py
ZIPS = b"zip,n\n01234,1\n00001,2\n"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def code_of(page):
    return [block for block in blocks(page, "python") if not any(word in block for word in ELSEWHERE)]


def promised(block):
    """What `print(...)   # this` says."""
    return re.findall(r"^ *print\(.*\) +# (.*)$", block, re.M)


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """At whatever address AWS's tools would find it."""
    monkeypatch.syspath_prepend(SOURCE / "tests/store")
    import s3_server

    server = s3_server.Server(keys={"me": ("a secret", None)}).start()
    for name in ("raw/1.csv.gz", "raw/2.csv.gz"):
        server.buckets["bucket"][name] = s3_server.make_object(gzip.compress(ZIPS))
    said = {"AWS_ENDPOINT_URL_S3": server.url, "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "a secret", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield server
    server.shutdown()
    server.server_close()
    assert not server.problems


@pytest.fixture
def folder(in_source):
    (in_source / "data").mkdir()
    for name in ("data/1.csv.gz", "data/2.csv.gz"):
        (in_source / name).write_bytes(gzip.compress(ZIPS))
    (in_source / "a.csv").write_bytes(ZIPS)
    (in_source / "prices.csv").write_text("id,price\n1,9.50\n2,n/a\n")
    (in_source / "big.csv").write_text("a,b\n" + "".join(f'{i},"line\n{i}"\n' for i in range(9000)))
    job = "".join(blocks(SOURCE / "README.md", "yaml"))
    (in_source / "job.yaml").write_text(job, encoding="utf-8")
    in_pieces = re.sub(r" *custom_writer.*\n", "", job.replace("build/out", "nightly"))
    (in_source / "nightly.yaml").write_text(in_pieces, encoding="utf-8")
    return in_source


def test_the_pages_that_have_code():
    assert {page.name for page in PAGES if code_of(page)} == {"README.md", "plugins.md", "python.md"}
    assert sum(len(blocks(page, "python")) - len(code_of(page)) for page in PAGES) == 4  # README.md, iceberg.md, spark.md, python.md


@pytest.mark.parametrize("page", [page for page in PAGES if code_of(page)], ids=lambda page: page.stem)
def test_code_runs_as_printed(page, folder, bucket):
    if page.name == "python.md":
        for library in ("duckdb", "pandas", "polars", "pyarrow"):
            pytest.importorskip(library)
    names = {}
    for block in code_of(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.replace("http://localhost:9000", bucket.url), page.name, "exec"), names)
        for line in promised(block):
            assert line in printed.getvalue().splitlines()
    if page.name == "plugins.md":
        assert printed.getvalue() == "1000 rows\n" * 3
    if page.name == "python.md":
        assert names["frame"]["zip"].to_list() == ["01234", "00001"] * 2
        assert {"all.parquet", "again.parquet"} <= set(bucket.buckets["bucket"])
        assert dn.inspect("part-00000.parquet")["record_count"] == 9000
        assert list((folder / "nightly").rglob("_SUCCESS"))


