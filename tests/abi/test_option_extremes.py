"""Every numeric option of both plugins at the ends of what a host can send: it works exactly, or the error names it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stock_host import PARQUET_READER, READER, WRITER, StockReader, StockWriter, load, reader_config, take, writer_config

EXTREMES = [0, -1, 1, 2, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 2**200, 1e308, -1e308, 5e-324,
            0.5, -0.0, 1e3, "", " ", "0", "-1", "1", "1 ", "0x10", "1e3", "9223372036854775807",
            "9223372036854775808", "-9223372036854775809", "nan", True, False, [], [1], {}, {"a": 1}]  # fmt: skip
RECORDS = [{"id": i, "name": f"n{i}"} for i in range(5)]


def numeric_options(library):
    lib = load(library)
    options = json.loads(take(lib, lib.plugin_info()))["options"]
    return [name for o in options if o["type"] == "int" for name in (o["name"], o.get("alias")) if name]


def test_there_are_some():
    assert set(numeric_options(READER)) >= {"chunk_size", "batch_size", "block_bytes", "n_threads"}
    assert set(numeric_options(PARQUET_READER)) >= {"chunk_size", "batch_size", "n_threads"}
    assert set(numeric_options(WRITER)) >= {"row_group_size", "row_group_bytes", "page_rows", "page_size", "n_threads"}


def kept(option, value):
    """What comes of the rows with an option that was accepted."""
    n = int(float(value))
    if option == "skip_rows" and n > 0:  # a row is the header
        lines = [f"{r['id']},{r['name']}".split(",") for r in RECORDS][n - 1 :]
        return [{lines[0][0]: int(a), lines[0][1]: b} for a, b in lines[1:]]
    return {"limit": RECORDS[:n], "skip_after_header": RECORDS[n:], "skip_footer": RECORDS[: len(RECORDS) - n]}.get(option, RECORDS)


def check_error(text, option):
    assert text.startswith(b"DATIVO_PLUGIN_ERROR "), text[:200]
    error = json.loads(text.split(b" ", 1)[1])
    if option == "max_row_size" and error["code"] == "data":
        assert "longer than the" in error["message"] and error["line"] == 2, error
        return
    if option in ("skip_rows", "skip_footer") and error["code"] == "data":
        assert option in error["message"] or "footer" in error["message"], error
        return
    assert error["code"] in ("config", "invalid"), error
    assert option in error["message"] and error["option"] == option, error


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("option", numeric_options(READER))
def test_reader(tmp_path, option, native):
    path = tmp_path / "in.csv"
    path.write_text("id,name\n" + "".join(f"{r['id']},{r['name']}\n" for r in RECORDS))
    n_good = 0
    for value in EXTREMES:
        options = {option: value}
        reader = StockReader(reader_config(path, options={"native": options} if native else options))
        rows, text = [], reader.raw()
        while text is not None and not text.startswith(b"DATIVO"):
            rows += json.loads(text)
            text = reader.raw()
        if text is None:
            assert rows == kept(option, value), value
            n_good += 1
        else:
            assert rows == []
            check_error(text, option)
    assert (1 if option == "max_row_size" else 2) <= n_good < len(EXTREMES)  # most of these rows are longer than 2 bytes


@pytest.mark.parametrize("option", numeric_options(PARQUET_READER))
def test_parquet_reader(tmp_path, option):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.Table.from_pylist(RECORDS), path)
    lib, n_good = load(PARQUET_READER), 0
    for value in EXTREMES:
        reader = StockReader(reader_config(path, type="parquet", options={option: value}), lib)
        rows, text = [], reader.raw()
        while text is not None and not text.startswith(b"DATIVO"):
            rows += json.loads(text)
            text = reader.raw()
        if text is None:
            assert rows == kept(option, value), value
            n_good += 1
        else:
            assert rows == []
            check_error(text, option)
    assert 2 <= n_good < len(EXTREMES)


@pytest.mark.parametrize("option", numeric_options(WRITER))
def test_writer(tmp_path, option):
    n_good = 0
    beside = {"compression": "zstd"} if option == "compression_level" else {}
    for i, value in enumerate(EXTREMES):
        out = tmp_path / str(i)
        schema = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
        writer = StockWriter(writer_config(out, schema, options={option: value, **beside}))
        text = writer.raw(json.dumps({"records": RECORDS, "file_counter": 0}).encode())
        if text.startswith(b"["):
            assert pq.read_table(json.loads(text)[0]["path"]).to_pylist() == RECORDS, value
            n_good += 1
        else:
            check_error(text, option)
            assert not out.exists() or not any(name.suffix == ".parquet" for name in out.iterdir())
    assert 2 <= n_good < len(EXTREMES)
