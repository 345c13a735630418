"""The Python code of the documentation that reads PostgreSQL, as it is printed, with the address of a server that there is."""

import os
import pathlib
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from command import BIN

ADDRESS = "postgres://me@db.example.com/shop"
PAGE = pathlib.Path(os.environ["DN_SOURCE"]) / "docs/python.md"


def test_code_runs_as_printed(command, server):
    package = BIN.parents[1] / "python"
    if not list(package.glob("dativo_native/_native*.so")):
        pytest.skip("the package is not built")
    (block,) = [b for b in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S) if ADDRESS in b]
    server.sql("""CREATE ROLE me LOGIN; CREATE TABLE orders (id int NOT NULL, country text, total numeric(12,2)); GRANT SELECT ON orders TO me;
        INSERT INTO orders VALUES (1, 'ch', 1.50), (2, 'ch', 2), (3, 'it', 0)""")
    code = f"import pyarrow as pa, dativo_native as dn\n{block.replace(ADDRESS, f'postgres://me@:{server.port}/postgres')}"
    code += "print(sorted((row['country'], str(row['total'])) for row in pa.table(r).to_pylist()), dn.schema(shop + '?table=public.orders').names)"
    done = subprocess.run([sys.executable, "-c", code], cwd=command.folder, capture_output=True, timeout=60,
                          env={"PYTHONPATH": str(package), "PGHOST": str(server.folder), "HOME": "/nonexistent"})
    assert done.stdout == b"[('ch', '3.50'), ('it', '0.00')] ['id', 'country', 'total']\n", done.stderr.decode()
    assert pq.read_table(command.folder / "orders.parquet")["id"].to_pylist() == [1, 2]
