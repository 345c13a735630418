"""As test_why: what pieces and whole files say, of every kind."""

import json

import pyarrow.parquet as pq
import pytest

import dialects
from test_why import why


@pytest.mark.parametrize("seed", range(40))
def test_full_is_what_convert_finds(tool, write, seed):
    data, _ = dialects.file(seed, plain=True)
    write("in.csv", data)
    tool.ok("convert", "in.csv", "out.parquet")
    (tool.cwd / "full.json").write_bytes(tool.ok("schema", "--full", "--json", "in.csv").stdout)
    tool.ok("convert", "-f", "--schema", "full.json", "in.csv", "again.parquet")  # no value is refused, and required holds
    first, again = pq.read_table(tool.cwd / "out.parquet"), pq.read_table(tool.cwd / "again.parquet")
    assert first.to_pydict() == again.to_pydict()
    assert [f.type for f in first.schema] == [f.type for f in again.schema]
    nulls = {c["name"]: c["required"] for c in json.loads((tool.cwd / "full.json").read_bytes())["schema"]}
    assert nulls == {name: first.column(name).null_count == 0 for name in first.column_names}


@pytest.mark.parametrize("quoted", [False, True])
def test_pieces_have_whole_rows(tool, write, quoted):
    """Rows far larger than a piece, in the middle of a file and in further files: the sample has some of them whole."""
    n = 20_000
    names = ",".join(f"c{i}" for i in range(n))
    ones = ",".join('"1\n2"' if quoted and i % 1000 == 0 else "1" for i in range(n))
    many = 60
    first = names + "\n" + (ones + "\n") * 8
    late = ones[:-1] + "x"  # the last column of all rows but the first ones
    write("in.csv", first + (late + "\n") * many)
    kind, reason = why(tool, "in.csv")[f"c{n - 1}"]
    assert kind == "string" and reason["value"] == "x" and reason["before"] == "int64"
    assert reason["values"] > (8 if quoted else 20), reason  # beside quotes some pieces can be read either way
    write("a.csv", first)
    write("b.csv", names + "\n" + late + "\n" + late)
    assert why(tool, "a.csv", "b.csv")[f"c{n - 1}"][1]["file"] == "b.csv"
