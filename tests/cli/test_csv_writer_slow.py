"""As test_csv_writer, of every shape and of long files."""

import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN
from test_csv_writer import same, there_and_back


SHAPES = {"lineitem": 3000, "wide": 100, "text": 400, "narrow": 5000, "quoted": 2000, "orders": 3000, "rowlike": 200}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(tool, shape):
    with open(tool.cwd / "a.csv", "wb") as out:
        subprocess.run([BIN.parent / "gen_csv", shape, str(SHAPES[shape])], stdout=out, check=True)
    there_and_back(tool, "a.csv")


@pytest.mark.parametrize("n_rows, width, n_nulls", [(8000, 100, 600), (8000, 100, 2000), (14000, 52, 8000), (60000, 52, 4500)])
def test_the_mark_of_texts_wherever_it_is_in_a_long_file(tool, n_rows, width, n_nulls):
    """Of a column of numbers as texts the first one is bare and the others are in quotes.  A row that the sample counted twice would void that."""
    for one in ("1.10", "10001", "2024-01-31"):
        texts = [None] * n_nulls + [one] * (n_rows - n_nulls)
        table = pa.table({"id": [f"r{i:0{width}}" for i in range(n_rows)], "c": pa.array(texts, pa.string())})
        pq.write_table(table, tool.cwd / "a.parquet")
        tool.ok("convert", "--overwrite", "a.parquet", "a.csv")
        tool.ok("convert", "--overwrite", "a.csv", "b.parquet")
        same(pq.read_table(tool.cwd / "b.parquet"), table)
