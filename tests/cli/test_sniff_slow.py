"""How often the dialect is found, of files whose dialect is known, beside DuckDB's sniffer and that of Python's csv."""

import csv
import json

import dialects
import duckdb
import pytest

N = 300


def test_plain_files_are_never_anything_else(tool, write):
    for seed in range(200):
        data, known = dialects.file(seed, plain=True)
        write("in.csv", data)
        seen = json.loads(tool.ok("schema", "--sniff", "--json", "in.csv").stdout)
        assert seen["sure"] and seen["dialects"][0]["flags"] == "--delimiter ','", (seed, seen)
        assert seen["dialects"][0]["columns"] == known["columns"]


def ours(tool):
    seen = json.loads(tool.ok("schema", "--sniff", "--json", "in.csv").stdout)
    best = seen["dialects"][0]
    return (best["delimiter"] if seen["sure"] else None, best["quote"] or None, best["columns"])


def duckdbs(tool):
    try:
        return duckdb.execute(f"SELECT Delimiter, Quote, len(Columns) FROM sniff_csv('{tool.cwd / 'in.csv'}')").fetchone()
    except duckdb.Error:
        return (None, None, 0)


def pythons(tool):
    try:
        found = csv.Sniffer().sniff((tool.cwd / "in.csv").read_bytes().decode()[:20_000])
        return (found.delimiter, found.quotechar, None)
    except csv.Error:
        return (None, None, None)


def test_ahead_of_others(tool, write):
    right = {"ours": 0, "duckdb": 0, "python": 0}
    usual = dict(right)
    n_usual = 0
    for seed in range(N):
        data, known = dialects.file(seed)
        write("in.csv", data)
        n_usual += known["delimiter"] in ",;\t|"
        for name, look in (("ours", ours), ("duckdb", duckdbs), ("python", pythons)):
            delimiter, quote, columns = look(tool)
            good = delimiter == known["delimiter"] and known["quote"] in (None, quote) and columns in (None, known["columns"])
            right[name] += good
            usual[name] += good and known["delimiter"] in ",;\t|"
    print(right, "of", N, usual, "of", n_usual)
    assert right["ours"] >= 0.95 * N and usual["ours"] >= 0.97 * n_usual, (right, usual)
    assert right["ours"] > max(right["duckdb"], right["python"]) and usual["ours"] > max(usual["duckdb"], usual["python"])


@pytest.mark.parametrize("seed", range(20))
def test_auto_reads_what_was_written(tool, write, seed):
    data, known = dialects.file(seed)
    if known["skip_rows"] or known["comment"]:
        data, known = dialects.file(seed, plain=True)
    write("in.csv", data)
    text = tool("schema", "--delimiter", "auto", "in.csv")
    assert text.returncode == 0 or b"more than one way" in text.stderr or b"--skip-rows" in text.stderr, text.stderr
