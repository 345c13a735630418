"""The Parquet writer under the calls of a stock Python host; the files are read back with pyarrow."""

import ctypes
import datetime
import json
import math
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stock_host import (
    WRITER,
    StockReader,
    StockWriter,
    assert_loud,
    assert_one_log_line,
    load,
    log_lines,
    reader_config,
    take,
    writer_config,
)

SCHEMA = [
    {"name": "id", "type": "integer", "required": True, "classification": "internal"},
    {"name": "name", "type": "string", "required": False, "description": "d"},
    {"name": "price", "type": "double"},
    {"name": "ok", "type": "boolean"},
    {"name": "day", "type": "date"},
    {"name": "at", "type": "timestamp"},
    {"name": "plain"},
]
RECORD = {
    "id": 1,
    "name": "é\U0001f600",
    "price": 1.5,
    "ok": True,
    "day": "2024-02-29T00:00:00",
    "at": "2008-04-30T00:00:00",
    "plain": "x",
}


def visible(directory):
    """What readers of a table see; beside it is the list of the run's files."""
    return sorted(name for name in os.listdir(directory) if not name.startswith("."))


def read(meta):
    """The rows of one file, after checking what the host is told about it."""
    assert isinstance(meta, list) and len(meta) == 1
    entry = meta[0]
    assert type(entry["size_bytes"]) is int and os.path.getsize(entry["path"]) == entry["size_bytes"]
    table = pq.ParquetFile(entry["path"], page_checksum_verification=True).read()
    assert table.num_rows == entry["record_count"]
    return table


def write(tmp_path, records, schema=None, counter=0, options=None):
    writer = StockWriter(writer_config(tmp_path, SCHEMA if schema is None else schema, options=options))
    return read(writer.write_batch(records, counter))


# ------------------------------------------------------------------------------------------------------------- good data


def test_types_and_values(tmp_path, capfd):
    table = write(tmp_path, [RECORD, {"id": 2}, {**RECORD, "id": 3, "price": 2, "ok": False, "name": None}])
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("id", "int64"),
        ("name", "string"),
        ("price", "double"),
        ("ok", "bool"),
        ("day", "date32[day]"),
        ("at", "timestamp[us]"),
        ("plain", "string"),
    ]
    assert all(field.nullable for field in table.schema)
    first, second, third = table.to_pylist()
    assert first == {
        "id": 1,
        "name": "é\U0001f600",
        "price": 1.5,
        "ok": True,
        "day": datetime.date(2024, 2, 29),
        "at": datetime.datetime(2008, 4, 30),
        "plain": "x",
    }
    assert second == {"id": 2, "name": None, "price": None, "ok": None, "day": None, "at": None, "plain": None}
    assert third["price"] == 2.0 and third["ok"] is False and third["name"] is None
    assert log_lines(capfd.readouterr()) == []


def test_required_is_the_hosts_business_unless_enforced(tmp_path, capfd):
    """In its warn mode the host passes records on that lack a required value."""
    assert write(tmp_path, [{"name": "x"}, RECORD])["id"].to_pylist() == [None, 1]
    table = write(tmp_path, [RECORD], options={"enforce_required": True})
    assert not table.schema.field("id").nullable and table.schema.field("name").nullable
    for i, record in enumerate(({"name": "x"}, {**RECORD, "id": None})):
        writer = StockWriter(writer_config(tmp_path / str(i), SCHEMA, options={"enforce_required": True}))
        payload = json.dumps({"records": [RECORD, record], "file_counter": 0}).encode()
        error = check_failure(writer, capfd, ("data", "type"), payload)
        assert error["column"] == "id" and error["row"] == 2


def test_doubles_and_booleans_are_not_null(tmp_path):
    n = 1000
    table = write(tmp_path, [{**RECORD, "id": i, "price": i / 8, "ok": i % 3 == 0} for i in range(n)])
    assert table["price"].to_pylist() == [i / 8 for i in range(n)]
    assert table["ok"].to_pylist() == [i % 3 == 0 for i in range(n)]


def test_type_words(tmp_path):
    words = ["integer", "bigint", "float", "double", "number", "boolean", "date", "timestamp", "datetime",
             "decimal", "array", "struct<x>", "string"]  # fmt: skip
    schema = [{"name": f"c{i}", "type": word} for i, word in enumerate(words)]
    table = write(tmp_path, [{}, {}], schema)
    assert [str(field.type) for field in table.schema] == (
        ["int64"] * 2 + ["double"] * 3 + ["bool", "date32[day]", "timestamp[us]", "timestamp[us]"] + ["string"] * 4
    )


def test_the_hosts_own_json(tmp_path):
    """Bare NaN and infinities, surrogates, integers beyond int64, floats at the ends of the range."""
    schema = [{"name": "f", "type": "double"}, {"name": "s", "type": "string"}, {"name": "n", "type": "integer"}]
    records = [
        {"f": math.nan, "s": "\ud800", "n": 2**63 - 1},
        {"f": math.inf, "s": "\U0001f600", "n": -(2**63)},
        {"f": -math.inf, "s": "nul \0 in it", "n": 0},
        {"f": 5e-324, "s": "", "n": None},
        {"f": 1e16, "s": "\u2028", "n": 1},
        {"f": 2**70, "s": "x", "n": 1},
        {"f": 1.7976931348623157e308, "s": str(2**70), "n": 1},
    ]
    rows = write(tmp_path, records, schema).to_pylist()
    assert math.isnan(rows[0]["f"]) and rows[0]["s"] == "\ufffd" and rows[0]["n"] == 2**63 - 1
    for row, record in list(zip(rows, records, strict=True))[1:]:
        assert row == record


@pytest.mark.parametrize(
    "payload, event, says",
    [
        ('[{"price":0.1},{"price":12345678901234567.89},{"price":1e-400}]', "values_rounded",
         "2 values are rounded to float64; the first: record 2, column 'price'"),
        ('[{"more":0.1},{"more":1e-400}]', "values_rounded", "1 value is rounded to float64; the first: record 2, column 'more'"),
        ('[{"name":"\\ud800"}]', "characters_replaced", "1 escape is half a surrogate pair"),
        ('[{"price":0.1,"name":"\\ud83d\\ude00"}]', None, None),
    ],
)  # fmt: skip
def test_what_is_not_kept_is_said(tmp_path, capfd, payload, event, says):
    writer = StockWriter(writer_config(tmp_path, SCHEMA))
    read(json.loads(writer.raw(payload.encode())))
    lines = log_lines(capfd.readouterr())
    assert [(line["level"], line["event_type"]) for line in lines] == ([("WARNING", event)] if event else [])
    assert not event or lines[0]["message"].startswith(says)


def test_undeclared_columns_by_option(tmp_path, capfd):
    records = [{"id": 1}, {"id": 2, "more": {"a": [1]}}, {"id": 3, "more": 2}]
    assert write(tmp_path, records, SCHEMA[:1], options={"extra_columns": "keep"}).column_names == ["id", "more"]
    assert not log_lines(capfd.readouterr())
    table = write(tmp_path, records, SCHEMA[:1], options={"extra_columns": "drop"})
    assert table.to_pylist() == [{"id": 1}, {"id": 2}, {"id": 3}]
    (line,) = log_lines(capfd.readouterr())
    assert (line["level"], line["event_type"]) == ("WARNING", "columns_dropped")
    assert line["message"].startswith("2 values of undeclared keys are left out")
    assert "record 2, key 'more'" in line["message"]
    before = visible(tmp_path)
    writer = StockWriter(writer_config(tmp_path, SCHEMA[:1], options={"extra_columns": "error"}))
    text = writer.raw(json.dumps(records).encode())
    assert_loud(text)
    text = text.decode()
    assert "record 2: the key 'more' is no declared column" in text and "extra_columns" in text
    assert visible(tmp_path) == before


def test_dates_by_option(tmp_path):
    """As the Python host's own writer has them: the midnight, without a zone."""
    schema = [*SCHEMA, {"name": "days", "type": "array", "items": {"type": "date"}}]
    record = {**RECORD, "days": ["2024-03-01", None]}
    for word, flat, within in (("date", "date32[day]", "list<element: date32[day]>"),
                               ("timestamp", "timestamp[us]", "list<element: timestamp[us]>")):
        table = write(tmp_path / word, [record, {}], schema, options={"dates": word})
        assert (str(table.schema.field("day").type), str(table.schema.field("days").type)) == (flat, within)
        day, days = table["day"].to_pylist(), table["days"].to_pylist()
        assert [str(day[0])[:10], day[1], str(days[0][0])[:10], days[0][1]] == ["2024-02-29", None, "2024-03-01", None]
    writer = StockWriter(writer_config(tmp_path, SCHEMA, options={"dates": "datetime"}))
    assert "engine.options.dates" in assert_loud(writer.raw(b"[{}]"), "config")["message"]


def test_lz4_is_lz4_raw(tmp_path, capfd):
    writer = StockWriter(writer_config(tmp_path, SCHEMA, options={"compression": "lz4"}))
    meta = writer.write_batch([{**RECORD, "name": "x" * 1000}], 0)
    read(meta)
    column = pq.ParquetFile(meta[0]["path"]).metadata.row_group(0).column(1)
    assert column.compression == "LZ4"  # as pyarrow calls lz4_raw; what it cannot read is the other one
    (line,) = log_lines(capfd.readouterr())
    assert (line["level"], line["event_type"]) == ("WARNING", "option_note") and "written as lz4_raw" in line["message"]


@pytest.mark.parametrize("key", ["batch_size", "chunk_size"])
def test_batch_size_is_the_hosts(tmp_path, key):
    write(tmp_path, [RECORD], options={key: 7})
    for options, where in (({key: 0}, ""), ({"native": {key: 0}}, "native.")):
        writer = StockWriter(writer_config(tmp_path, SCHEMA, options=options))
        error = assert_loud(writer.raw(b"[{}]"), "config")
        assert error["message"] == f"engine.options.{where}{key} must be a whole number from 1 to 2147483647, not 0"


def test_lone_surrogates_by_option(tmp_path):
    writer = StockWriter(writer_config(tmp_path, SCHEMA, options={"lone_surrogates": "error"}))
    text = writer.raw(b'[{"name":"fine \\ud83d\\ude00"},{"name":"half \\ud83d"}]')
    assert_loud(text)
    text = text.decode()
    assert "record 2, column 'name'" in text and "lone_surrogates" in text
    assert visible(tmp_path) == []


def test_a_folder_is_looked_through_once(tmp_path):
    """What killed writers left of this table is gone when a writer is made; its batches do not list the folder again."""
    config = writer_config(tmp_path, SCHEMA[:1])
    stem = "sales_order_header"
    (tmp_path / f".{stem}_000007.parquet.999999999-3.tmp").touch()
    (tmp_path / ".other_000001.parquet.999999999-3.tmp").touch()
    writer = StockWriter(config)
    left = sorted(name for name in os.listdir(tmp_path) if name.endswith(".tmp"))
    assert left == [".other_000001.parquet.999999999-3.tmp"]
    late = tmp_path / f".{stem}_000000.parquet.999999999-4.tmp"
    late.touch()
    read(writer.write_batch([{"id": 1}], 0))
    assert late.exists()
    del writer
    read(StockWriter(config).write_batch([{"id": 1}], 0))
    assert not late.exists()


def test_huge_integer_in_an_undeclared_column(tmp_path):
    rows = write(tmp_path, [{"id": 1, "big": 2**70}, {"id": 2, "big": 3}], SCHEMA[:1]).to_pylist()
    assert [str(row["big"]) for row in rows] in (["1180591620717411303424", "3"], ["1.1805916207174113e+21", "3.0"])


def test_columns_beyond_the_schema(tmp_path):
    table = write(tmp_path, [{"id": 1, "extra": "a"}, {"id": 2, "more": 5}, {"id": 3, "extra": None, "yes": True}], SCHEMA[:1])
    assert table.schema.names == ["id", "extra", "more", "yes"]
    assert table.to_pylist()[1] == {"id": 2, "extra": None, "more": 5, "yes": None}


def test_no_schema_at_all(tmp_path):
    for schema in ([], None):
        config = writer_config(tmp_path, schema)
        table = read(StockWriter(config).write_batch([{"a": 1, "b": "x", "c": 1.5, "d": False}], 0))
        assert table.to_pylist() == [{"a": 1, "b": "x", "c": 1.5, "d": False}]


@pytest.mark.parametrize("engine_options, codec, level_0_rows", [
    ({}, "SNAPPY", 100),
    ({"compression": "zstd", "row_group_size": 40}, "ZSTD", 40),
    ({"compression": "zstd:9", "row_group_size": "40"}, "ZSTD", 40),
    ({"compression": "zstd", "compression_level": 1}, "ZSTD", 100),
    ({"compression": "none"}, "UNCOMPRESSED", 100),
    ({"compression": "gzip", "page_rows": 7, "page_size": 1000}, "GZIP", 100),
    ({"native": {"library": "boto3", "library_version": "1.34.0", "batch_size_rows": 100000, "max_file_size_mb": 128,
                 "compression": "brotli", "partition_by_default": ["ingest_date"]}}, "BROTLI", 100),
    ({"native": {"compression": "brotli", "row_group_size": 10}, "compression": "lz4_raw", "row_group_size": None}, "LZ4", 10),
    ({"overwrite": "no", "n_threads": "1", "row_group_bytes": 1 << 20}, "SNAPPY", 100),
])  # fmt: skip
def test_options(tmp_path, engine_options, codec, level_0_rows):
    writer = StockWriter(writer_config(tmp_path, SCHEMA, options=engine_options))
    meta = writer.write_batch([{**RECORD, "id": i, "name": "x" * 40} for i in range(100)], 0)
    read(meta)
    info = pq.ParquetFile(meta[0]["path"]).metadata
    assert info.row_group(0).column(1).compression == codec
    assert info.row_group(0).num_rows == level_0_rows


# ---------------------------------------------------------------------------------------------------------- where it goes


def test_names_follow_the_counter(tmp_path):
    writer = StockWriter(writer_config(tmp_path / "deep" / "er", SCHEMA))
    paths = [writer.write_batch([RECORD], counter)[0]["path"] for counter in (0, 1, 7, 1234567)]
    assert [os.path.basename(path) for path in paths] == [
        "sales_order_header_000000.parquet",
        "sales_order_header_000001.parquet",
        "sales_order_header_000007.parquet",
        "sales_order_header_1234567.parquet",
    ]
    assert {os.path.dirname(path) for path in paths} == {str(tmp_path / "deep" / "er")}
    assert visible(tmp_path / "deep" / "er") == sorted(os.path.basename(path) for path in paths)


def test_bare_list_counts_itself(tmp_path):
    """The container host's shapes: another configuration, and records without a counter."""
    config = {
        "asset_definition": {"name": "T", "schema": SCHEMA, "version": "1"},
        "target_config": {"type": "iceberg", "file_format": "parquet", "connection": None,
                          "engine": {"type": "native", "options": {"compression": "zstd"}}},
        "output_base": str(tmp_path),
    }  # fmt: skip
    writer = StockWriter(config)
    metas = [json.loads(writer.raw(json.dumps([{**RECORD, "id": i}]).encode())) for i in range(3)]
    assert [os.path.basename(meta[0]["path"]) for meta in metas] == [f"t_00000{i}.parquet" for i in range(3)]
    assert [read(meta)["id"].to_pylist() for meta in metas] == [[0], [1], [2]]
    assert pq.ParquetFile(metas[0][0]["path"]).metadata.row_group(0).column(0).compression == "ZSTD"


def test_running_again_replaces_files(tmp_path):
    """A row is there once, however often a run is repeated, also where it has fewer batches.  A name that is taken gets a suffix."""
    for suffix, ids in (("", (1, 2)), ("-1", (3, 4)), ("", (5,)), ("-1", (6, 7, 8))):
        writer = StockWriter(writer_config(tmp_path, SCHEMA))
        metas = [writer.write_batch([{**RECORD, "id": i}], n)[0] for n, i in enumerate(ids)]
        del writer  # else the next one is of the same run
        names = [os.path.basename(meta["path"]) for meta in metas]
        assert names[0] == f"sales_order_header_000000{suffix}.parquet" and visible(tmp_path) == names
        assert [read([meta])["id"].to_pylist() for meta in metas] == [[i] for i in ids]


def test_a_repeated_counter_replaces_nothing(tmp_path):
    writer = StockWriter(writer_config(tmp_path, SCHEMA))
    metas = [writer.write_batch([{**RECORD, "id": i}], 0) for i in range(3)]
    assert [read(meta)["id"].to_pylist() for meta in metas] == [[0], [1], [2]]
    assert len(visible(tmp_path)) == 3


@pytest.mark.parametrize("options", [{}, {"overwrite": False}, {"overwrite": True}])
def test_files_of_the_same_run_are_kept(tmp_path, options):
    """Writers that are open side by side never take each other's names, whenever they were created and however old a file looks."""
    writers = [StockWriter(writer_config(tmp_path, SCHEMA, options=options))]
    first = writers[0].write_batch([RECORD], 0)
    os.utime(first[0]["path"], (0, 0))
    writers += [StockWriter(writer_config(tmp_path, SCHEMA, options=options)) for _ in range(2)]
    before = open(first[0]["path"], "rb").read()
    others = [writers[i - 1].write_batch([{**RECORD, "id": i}], 0) for i in (2, 3)]
    assert [os.path.basename(meta[0]["path"]) for meta in [first, *others]] == [
        "sales_order_header_000000.parquet", "sales_order_header_000000-1.parquet", "sales_order_header_000000-2.parquet",
    ]  # fmt: skip
    assert open(first[0]["path"], "rb").read() == before
    assert [read(meta)["id"].to_pylist() for meta in [first, *others]] == [[1], [2], [3]]
    writers.clear()
    assert len(visible(tmp_path)) == 3


def test_overwrite_false_keeps_earlier_runs(tmp_path):
    for i in range(3):
        meta = StockWriter(writer_config(tmp_path, SCHEMA, options={"overwrite": False})).write_batch([{**RECORD, "id": i}], 0)
        assert read(meta)["id"].to_pylist() == [i]
    assert len(os.listdir(tmp_path)) == 3  # and no list: there is nothing that a run could replace


def test_overwrite(tmp_path):
    for i in (1, 2):
        config = writer_config(tmp_path, SCHEMA, options={"overwrite": True})
        meta = StockWriter(config).write_batch([{**RECORD, "id": i}], 0)
    assert visible(tmp_path) == ["sales_order_header_000000-1.parquet"]
    assert read(meta)["id"].to_pylist() == [2]


@pytest.mark.parametrize("name", ["${DN_ABI_SET}", "${DN_ABI_NOT_SET}", "$${DN_ABI_SET}"])
def test_output_base_is_taken_as_it_is(tmp_path, monkeypatch, name):
    """The host owns the configuration; a bucket that it left unexpanded is not part of the local path."""
    monkeypatch.setenv("DN_ABI_SET", "other")
    meta = StockWriter(writer_config(tmp_path / name, SCHEMA)).write_batch([RECORD], 0)
    assert meta[0]["path"] == str(tmp_path / name / "sales_order_header_000000.parquet")
    config = writer_config(f"s3://{name}/dom/t", SCHEMA, options={"output_dir": str(tmp_path / name)})
    meta = StockWriter(config).write_batch([RECORD], 0)
    assert meta[0]["path"] == str(tmp_path / name / "dom/t/sales_order_header_000000.parquet")


def test_output_base_names_a_file(tmp_path):
    writer = StockWriter(writer_config(tmp_path / "out.parquet", SCHEMA))
    paths = [writer.write_batch([RECORD], counter)[0]["path"] for counter in (0, 1)]
    assert paths == [str(tmp_path / "out.parquet"), str(tmp_path / "out_000001.parquet")]
    del writer
    meta = StockWriter(writer_config(tmp_path / "out.parquet", SCHEMA)).write_batch([{**RECORD, "id": 2}], 0)
    assert meta[0]["path"] == paths[0] and visible(tmp_path) == ["out.parquet"]  # that name, and no other
    assert read(meta)["id"].to_pylist() == [2]


@pytest.mark.parametrize("options", [{}, {"output_dir": ""}])
def test_s3_needs_a_service_or_a_directory(tmp_path, monkeypatch, capfd, options):
    """An empty directory would be the root of the file system, and a service that nobody named could be a stranger's."""
    for name in ("DATIVO_OUTPUT_DIR", "S3_ENDPOINT", "MINIO_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    writer = StockWriter(writer_config("s3://bucket/dom/prod/t", SCHEMA, options=options))
    error = check_failure(writer, capfd, "config")
    assert "S3_ENDPOINT" in error["message"] and error["option"] == "endpoint"
    assert not os.path.exists("s3:")


@pytest.mark.parametrize("how", ["option", "native", "environment"])
def test_s3_with_a_directory(tmp_path, monkeypatch, how):
    monkeypatch.delenv("DATIVO_OUTPUT_DIR", raising=False)
    options = {"option": {"output_dir": str(tmp_path)}, "native": {"native": {"output_dir": str(tmp_path)}}}.get(how, {})
    if how == "environment":
        monkeypatch.setenv("DATIVO_OUTPUT_DIR", str(tmp_path))
    meta = StockWriter(writer_config("s3://bucket/dom/prod/t", SCHEMA, options=options)).write_batch([RECORD], 0)
    assert meta[0]["path"] == str(tmp_path / "dom/prod/t/sales_order_header_000000.parquet")
    read(meta)


@pytest.mark.parametrize("base", ["s3://bucket/../../etc", "gs://bucket/x", "s3a://b/..", "hdfs://x/y", "http://x/y"])
def test_places_that_are_refused(tmp_path, base, capfd):
    writer = StockWriter(writer_config(base, SCHEMA, options={"output_dir": str(tmp_path)}))
    check_failure(writer, capfd, ("unsupported", "config"))
    assert os.listdir(tmp_path) == []


def test_file_url_and_hostile_name(tmp_path):
    meta = StockWriter(writer_config(f"file://{tmp_path}", SCHEMA, name="../A/b c-d")).write_batch([RECORD], 0)
    assert meta[0]["path"] == str(tmp_path / ".._a_b_c_d_000000.parquet")


# ---------------------------------------------------------------------------------------------------------------- errors


def check_failure(writer, capfd, code, payload=None):
    payload = payload if payload is not None else json.dumps({"records": [RECORD], "file_counter": 0}).encode()
    error = assert_loud(writer.raw(payload), code)
    good = json.dumps({"records": [RECORD], "file_counter": 5}).encode()
    assert assert_loud(writer.raw(good), code) == error
    assert writer.last_error() == error
    with pytest.raises(json.JSONDecodeError):
        writer.write_batch([RECORD], 0)
    assert error["message"] in assert_one_log_line(capfd.readouterr())["message"]
    return error


@pytest.mark.parametrize(
    "config",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"asset_name":"a"}', b'{"output_base":"/tmp/x"}',
     b'{"asset_name":"","output_base":"/tmp/x"}', b'{"asset_name":5,"output_base":"/tmp/x"}',
     b'{"asset_name":"a","output_base":5}', b'{"asset_name":"a","output_base":"/tmp/x","schema":{}}',
     b'{"asset_name":"a","output_base":"/tmp/x","schema":[5]}', b'{"asset_name":"a","output_base":"/tmp/x","schema":[{}]}',
     b'{"asset_name":"a","output_base":"/tmp/x","schema":[{"name":"a"},{"name":"b"},{"name":"a"}]}',
     b'{"asset_name":"a","output_base":"/tmp/x","schema":[{"name":"a","type":5}]}',
     b'{"asset_name":"a","output_base":"/tmp/x","schema":[{"name":"a","required":"yes"}]}',
     b'{"asset_name":"a","output_base":"file://"}'],
)  # fmt: skip
def test_bad_configuration(config, capfd, monkeypatch):
    monkeypatch.delenv("DATIVO_OUTPUT_DIR", raising=False)
    check_failure(StockWriter(config), capfd, "config")


@pytest.mark.parametrize(
    "options",
    [{"row_group_size": 0}, {"row_group_size": "many"}, {"row_group_size": -5}, {"overwrite": "perhaps"},
     {"compression": 5}, {"compression": "zstd", "compression_level": "high"}, {"compression": "zstd:3", "compression_level": 4},
     {"compression_level": 3}, {"page_size": 0}, {"n_threads": "x"}, {"compresion": "zstd"}, {"rowgroup_size": 5},
     {"native": {"row_group_size": "x"}}, {"output_dir": 5}, {"enforce_required": "perhaps"}],
)  # fmt: skip
def test_bad_option(tmp_path, options, capfd):
    base = "s3://bucket/x" if "output_dir" in options else tmp_path
    check_failure(StockWriter(writer_config(base, SCHEMA, options=options)), capfd, "config")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("compression", ["lzo", "zstdd", "zstd:99", "zstd:x", ""])
def test_bad_compression(tmp_path, compression, capfd):
    error = check_failure(StockWriter(writer_config(tmp_path, SCHEMA, options={"compression": compression})), capfd,
                          ("invalid", "config", "unsupported"))
    assert compression.split(":")[-1] in error["message"]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("file_format", ["csv", "avro", "delta"])
def test_other_format(tmp_path, file_format, capfd):
    check_failure(StockWriter(writer_config(tmp_path, SCHEMA, file_format=file_format)), capfd, "unsupported")


@pytest.mark.parametrize("file_format", [None, "parquet", "PARQUET"])
def test_our_format(tmp_path, file_format):
    assert StockWriter(writer_config(tmp_path, SCHEMA, file_format=file_format)).write_batch([RECORD], 0)


def test_unwritable_output(tmp_path, capfd):
    (tmp_path / "file").write_text("not a directory")
    error = check_failure(StockWriter(writer_config(tmp_path / "file" / "x", SCHEMA)), capfd, ("io", "invalid", "not_found"))
    assert "file" in error["message"]


@pytest.mark.parametrize(
    "record, column",
    [({**RECORD, "id": "x"}, "id"), ({**RECORD, "id": 1.5}, "id"), ({**RECORD, "id": 2**70}, "id"), ({**RECORD, "price": "cheap"}, "price"), ({**RECORD, "ok": "perhaps"}, "ok"),
     ({**RECORD, "at": "yesterday"}, "at"), ({**RECORD, "day": "2023-02-29"}, "day")],
)  # fmt: skip
def test_value_does_not_fit(tmp_path, record, column, capfd):
    payload = json.dumps({"records": [RECORD, record], "file_counter": 0}).encode()
    error = check_failure(StockWriter(writer_config(tmp_path, SCHEMA)), capfd, ("data", "type"), payload)
    assert error["column"] == column
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[", b'{"records":', b'{"records":5}', b"{}", b"null", b"42", b'"x"', b'[{"id":1},', b'[{"id":01}]',
     b'[{"id":1}', b"[5]", b"[null]", b'["x"]', b'[{"id":1,}]', b'[{"id":tru}]', b'{"records":[{"name":"\xff","id":1}]}',
     b'{"records":[]}', b"[]"],
)  # fmt: skip
def test_bad_records(tmp_path, payload, capfd):
    check_failure(StockWriter(writer_config(tmp_path, SCHEMA)), capfd, ("data", "invalid", "config", "type"), payload)
    assert os.listdir(tmp_path) == []


def test_error_after_a_good_batch_keeps_it(tmp_path, capfd):
    writer = StockWriter(writer_config(tmp_path, SCHEMA))
    meta = writer.write_batch([RECORD], 0)
    check_failure(writer, capfd, ("data", "type"), b'[{"id":"x"}]')
    assert read(meta)["id"].to_pylist() == [1]
    assert len(visible(tmp_path)) == 1


def test_null_handle_and_null_texts(tmp_path, capfd):
    lib = load(WRITER)
    assert_loud(take(lib, lib.write_batch(None, b"[]")), "invalid")
    assert_one_log_line(capfd.readouterr())
    assert_loud(take(lib, lib.commit_files(None, b"[]")), "invalid")
    lib.free_writer(None)
    lib.free_string(None)
    assert lib.last_error(None) is None
    pointer = lib.create_writer(None)
    assert pointer
    assert_loud(take(lib, lib.write_batch(pointer, b"[]")), "config")
    lib.free_writer(pointer)
    writer = StockWriter(writer_config(tmp_path, SCHEMA), lib)
    assert_loud(writer.raw(None), "invalid")


@pytest.mark.parametrize("tail", [b"\xff\xfe\xfd", b"}", b"]]]", b'{"records":[]}', b"garbage", b",", b'"'])
def test_texts_without_a_terminator(tmp_path, tail):
    lib = load(WRITER)
    lib.create_writer.argtypes = [ctypes.c_void_p]
    lib.write_batch.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    buffers = []
    for text in (json.dumps(writer_config(tmp_path, SCHEMA)), json.dumps([RECORD]), json.dumps({"records": [RECORD]})):
        text = text.encode() + tail * 100
        buffers.append(ctypes.create_string_buffer(text, len(text)))
    pointer = lib.create_writer(ctypes.addressof(buffers[0]))
    for buffer in buffers[1:]:
        assert read(json.loads(take(lib, lib.write_batch(pointer, ctypes.addressof(buffer))))).num_rows == 1
    lib.free_writer(pointer)


# -------------------------------------------------------------------------------------------------------------- level 0.5


def test_plugin_info():
    lib = load(WRITER)
    info = json.loads(take(lib, lib.plugin_info()))
    assert info["name"] == "parquet_writer" and info["roles"] == ["writer"]
    assert {"compression", "row_group_size", "output_dir"} <= {option["name"] for option in info["options"]}


def test_check_connection(tmp_path):
    lib = load(WRITER)

    def check(config):
        return json.loads(take(lib, lib.check_connection(json.dumps(config).encode())))

    good = check(writer_config(tmp_path / "not" / "yet", SCHEMA))
    assert good["success"] is True and good["details"]["columns"] == len(SCHEMA)
    assert os.listdir(tmp_path) == []  # looking changes nothing
    (tmp_path / "file").write_text("")
    # /proc has a writable mode for root, and takes no files
    for bad in (writer_config(tmp_path / "file" / "x", SCHEMA), writer_config("/proc/x", SCHEMA), {}):
        answer = check(bad)
        assert answer["success"] is False and answer["message"] and answer["details"]["error"]["code"]


def test_commit_files(tmp_path):
    lib = load(WRITER)
    writer = StockWriter(writer_config(tmp_path, SCHEMA), lib)
    meta = writer.write_batch([RECORD], 0) + writer.write_batch([RECORD], 1)
    for text, count in ((json.dumps(meta).encode(), 2), (json.dumps({"files": meta}).encode(), 2), (None, 2), (b"[]", 0)):
        answer = json.loads(take(lib, lib.commit_files(writer.pointer, text)))
        assert answer == {"files_committed": count, "success": True}
    assert_loud(take(lib, lib.commit_files(writer.pointer, b"nonsense")), ("config", "invalid"))


# ------------------------------------------------------------------------------------------------------- both plugins at once


def test_csv_to_parquet(tmp_path):
    """A whole job as the host runs it, both libraries in one process, each text freed by its own library."""
    n = 25000
    path = tmp_path / "in.csv"
    path.write_text("id,zip,price,ok,note\n" + "".join(
        f'{i},{i % 100000:05d},{i / 4},{"true" if i % 2 else "false"},"n ""{i}"""\n' for i in range(n)))
    writer = StockWriter(writer_config(tmp_path / "out", [
        {"name": "id", "type": "integer", "required": True}, {"name": "zip", "type": "string"},
        {"name": "price", "type": "double"}, {"name": "ok", "type": "boolean"}, {"name": "note"}]))
    reader = StockReader(reader_config(path))
    files = []
    for batch in reader.extract():
        files += writer.write_batch(batch, len(files))
    assert [entry["record_count"] for entry in files] == [10000, 10000, 5000]
    table = pa.concat_tables([read([entry]) for entry in files])
    assert table["id"].to_pylist() == list(range(n))
    assert table["zip"].to_pylist() == [f"{i % 100000:05d}" for i in range(n)]
    assert table["price"].to_pylist() == [i / 4 for i in range(n)]
    assert table["ok"].to_pylist() == [i % 2 == 1 for i in range(n)]
    assert table["note"].to_pylist() == [f'n "{i}"' for i in range(n)]
