"""Every way to fail ends with 2 and one message, and leaves nothing."""

import pytest

from conftest import READER

FAILURES = [
    ([], "Usage"),
    (["nope"], "unknown command"),
    (["help", "nope"], "unknown command"),
    (["--version", "x"], "takes no argument"),
    (["run"], "one job file"),
    (["run", "a", "b"], "one job file"),
    (["run", ""], "the name of the job file is empty"),
    (["run", "none.yaml"], "none.yaml: cannot be opened"),
    (["run", "in.csv"], "in.csv:1"),
    (["run", "--memory", "1", "none.yaml"], "--memory 1 is less"),
    (["convert"], "at least one source"),
    (["convert", "in.csv"], "at least one source"),
    (["convert", "", "x.parquet"], "a file name is empty"),
    (["convert", "in.csv", ""], "a file name is empty"),
    (["convert", "none.csv", "x.parquet"], "none.csv"),
    (["convert", "in.csv", "."], "is a directory"),
    (["convert", "in.csv", "in.parquet"], "use --overwrite"),
    (["convert", "-f", "in.csv", "in.csv"], "also a source"),
    (["convert", "in.csv", "x.json"], "name it *.parquet, *.csv or *.tsv"),
    (["convert", "-c", "zstd", "in.csv", "x.csv"], "--compression is for Parquet"),
    (["convert", "--row-group-size", "5", "in.csv", "x.tsv"], "--row-group-size is for Parquet"),
    (["convert", "--writer-option", "delimiter=x", "in.csv", "x.csv"], "the delimiter 'x' can be part of a value"),
    (["convert", "--writer-option", "delimiter=ab", "in.csv", "x.csv"], "--writer-option delimiter must be one ASCII character"),
    (["convert", "in.csv", "-"], "not standard output"),
    (["convert", "in.csv", "none/x.parquet"], "mkdir -p"),
    (["convert", "in.csv", "s3://bucket/x.parquet"], "no credentials"),
    (["convert", "s3://bucket/x.csv", "x.parquet"], "no credentials"),
    (["convert", "empty.csv", "x.parquet"], "empty.csv"),
    (["convert", "header.csv", "x.parquet"], "--allow-empty"),
    (["convert", "--row-group-size", "0", "in.csv", "x.parquet"], "--row-group-size must be"),
    (["convert", "--threads", "9999", "in.csv", "x.parquet"], "--threads"),
    (["convert", "--memory", "1", "in.csv", "x.parquet"], "--memory"),
    (["convert", "--mode", "warn", "in.csv", "x.parquet"], "--mode needs --schema"),
    (["convert", "--quiet=1", "in.csv", "x.parquet"], "--quiet takes no value"),
    (["convert", "--types"], "--types needs a value"),
    (["convert", "--types", "a", "in.csv", "x.parquet"], "--types"),
    (["convert", "--types", "a=foo", "in.csv", "x.parquet"], "--types"),
    (["convert", "--types", "a=date", "in.csv", "x.parquet"], "in.csv: line 2"),
    (["convert", "--types", "none=date", "in.csv", "x.parquet"], "--types"),
    (["convert", "--schema", "none.yaml", "in.csv", "x.parquet"], "none.yaml"),
    (["convert", "--writer", str(READER), "in.csv", "x.parquet"], "no writer"),
    (["schema"], "schema needs"),
    (["schema", ""], "a file name is empty"),
    (["schema", "none.csv"], "none.csv"),
    (["schema", "nothing*"], "no file matches"),
    (["inspect"], "at least one file"),
    (["inspect", "in.csv"], "not a Parquet file"),
    (["inspect", "none"], "none"),
    (["inspect", "--rows", "x", "in.parquet"], "--rows"),
    (["plugin"], "check LIBRARY"),
    (["plugin", "check", "none.so"], "none.so"),
    (["plugin", "check", "in.csv"], "in.csv"),
]


@pytest.fixture
def files(tool, write):
    write("in.csv", "a\n1\n")
    write("empty.csv", "")
    write("header.csv", "a\n")
    tool.ok("convert", "-q", "in.csv", "in.parquet")
    return tool


def test_failures_end_with_2(files):
    for args, says in FAILURES:
        files.fails(*args, says=says)


@pytest.mark.parametrize("args", [["help"], ["--version"], ["schema", "in.csv"], ["schema", "--json", "in.csv"],
                                  ["inspect", "in.parquet"], ["inspect", "--json", "in.parquet"],
                                  ["plugin", "check", str(READER)]])
def test_output_that_cannot_be_written(files, args):
    with open("/dev/full", "wb") as full:
        done = files(*args, stdout=full)
    assert done.returncode == 2 and b"standard output cannot be written" in done.stderr
