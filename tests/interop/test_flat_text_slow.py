"""As test_flat_text: values of every type come back from CSV."""

import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN
from test_flat_types import TYPES
from test_flat_text import ENVIRONMENT, csv_of, is_raw


def words_of(t):
    """The type as --types has it; None: text is not read as it."""
    if pa.types.is_decimal(t):
        return f"decimal({t.precision},{t.scale})"
    if t == pa.uuid():
        return "uuid"
    if pa.types.is_fixed_size_binary(t):
        return f"binary({t.byte_width}):base64"
    if is_raw(t):
        return "binary"
    if pa.types.is_time(t):
        return f"time[{t.unit}]"
    if pa.types.is_timestamp(t):
        return f"timestamp[{t.unit}, UTC]" if t.tz else f"timestamp[{t.unit}]"
    if t == pa.json_():
        return "json"
    named = {pa.date64(): "date64", pa.float16(): "float16", pa.float32(): "float32"}
    return named.get(t, str(t) if pa.types.is_integer(t) else None)


FLOAT32 = (pa.float32(), [-3.4028234663852886e38, -0.0, 1e-45, 1.17549435e-38, 0.1, 16777217.0, float("inf"), 3.4028234663852886e38], None)


# Years beyond 9999 are written with a sign, and are text then.
READABLE = [
    (t, [v for v in values if not pa.types.is_timestamp(t) or t.unit == "ns" or abs(v) < 2**37])
    for t, values, _ in [*TYPES, FLOAT32]
    if words_of(t) is not None
]


@pytest.mark.parametrize("t, values", READABLE, ids=[str(t) for t, _ in READABLE])
@pytest.mark.parametrize("quoted", [False, True])
def test_csv_comes_back(t, values, quoted, tmp_path):
    path = csv_of(tmp_path, t, [*values, None])
    if quoted:
        lines = path.read_text().splitlines()
        path.write_text("".join(f'"{v}"\n' if v and v[0] != '"' else f"{v}\n" for v in lines))  # what has quotes keeps them
    command = [str(BIN), "convert", "--overwrite", "--types", f"c={words_of(t)}", "t.csv", "back.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    due, got = (pq.read_table(tmp_path / name) for name in ("t.parquet", "back.parquet"))
    assert got.schema.field("c").type == due.schema.field("c").type
    assert got.equals(due)
