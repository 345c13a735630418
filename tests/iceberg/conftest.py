"""A catalog in a file of SQLite, and DuckDB as the second reader of what is in its tables."""

import os
import pathlib
import sys

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pytest
from pyiceberg.catalog import load_catalog

SOURCE = pathlib.Path(os.environ.get("DN_SOURCE", pathlib.Path(__file__).parents[2]))
sys.path.insert(0, os.environ.get("DN_PYTHON_PACKAGE", str(SOURCE / "build" / "python")))


class Lake:
    """A catalog, as its properties and opened by pyiceberg alone."""

    def __init__(self, folder):
        self.folder = folder
        self.properties = {"name": "lake", "type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/warehouse"}
        self.catalog = load_catalog(**self.properties)

    def table(self, name="db.t"):
        return self.catalog.load_table(name)

    def arrow(self, name="db.t", **scan):
        return self.table(name).scan(**scan).to_arrow()

    def duck(self, query, name="db.t"):
        """`query` over the table t, by DuckDB's own reader of Iceberg."""
        con = duckdb.connect()
        for extension in (duckdb_extension_avro, duckdb_extension_iceberg):
            (path,) = pathlib.Path(extension.__file__).parent.glob("extensions/*/*.duckdb_extension")
            con.execute(f"load '{path}'")
        con.execute(f"create view t as from iceberg_scan('{self.table(name).metadata_location}')")
        return con.sql(query).fetchall()

    def state(self, name="db.t"):
        """What a commit that failed leaves as it was."""
        table = self.table(name)
        return table.metadata_location, table.metadata.model_dump_json(), sorted(map(str, table.scan().to_arrow().to_pylist()))


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


@pytest.fixture
def csv(tmp_path):
    """A CSV file of some text."""

    def write(text, name="a.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
