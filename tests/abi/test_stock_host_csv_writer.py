"""The CSV writer under the calls of a stock Python host.  What it shares with the Parquet writer is tested there."""

import csv
import json
import os

import pytest
from stock_host import PLUGINS, StockReader, StockWriter, assert_loud, load, reader_config, take, writer_config

LIBRARY = PLUGINS / "libcsv_writer_plugin.so"
SCHEMA = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}, {"name": "x", "type": "double"},
          {"name": "ok", "type": "boolean"}, {"name": "day", "type": "date"}, {"name": "at", "type": "timestamp"}]
RECORDS = [{"id": 1, "name": 'a "b", é', "x": 1, "ok": True, "day": "2024-02-29", "at": "2008-04-30T00:00:00"},
           {"id": 2, "name": "", "x": -0.5}, {"name": "007", "ok": False}, {"id": None, "name": "008"}]
TEXT = """id,name,x,ok,day,at
1,"a ""b"", é",1.0,true,2024-02-29,2008-04-30T00:00:00
2,"",-0.5,,,
,"007",,false,,
,"008",,,,
"""


def visible(directory):
    """What readers of a table see; beside it is the list of the run's files."""
    return sorted(name for name in os.listdir(directory) if not name.startswith("."))


def writer(output, schema=SCHEMA, **more):
    return StockWriter(writer_config(output, schema, **{"file_format": "csv", **more}), lib=load(LIBRARY))


def test_a_file_per_batch(tmp_path):
    w = writer(tmp_path)
    for counter in range(3):
        [meta] = w.write_batch(RECORDS, counter)
        assert meta == {"path": f"{tmp_path}/sales_order_header_{counter:06}.csv", "size_bytes": len(TEXT.encode()),
                        "record_count": 4}
        with open(meta["path"], encoding="utf-8", newline="") as file:
            assert file.read() == TEXT
    committed = json.loads(take(w.lib, w.lib.commit_files(w.pointer, json.dumps([meta]).encode())))
    assert committed == {"files_committed": 1, "success": True}
    del w
    assert visible(tmp_path) == [f"sales_order_header_{counter:06}.csv" for counter in range(3)]


def test_our_reader_reads_it_equal(tmp_path):
    [meta] = writer(tmp_path).write_batch(RECORDS, 0)
    rows = StockReader(reader_config(meta["path"], options={"inference": "column"})).rows()
    names = [column["name"] for column in SCHEMA]
    assert [row["name"] for row in rows] == [record["name"] for record in RECORDS]
    assert rows[0] == {**RECORDS[0], "x": 1.0} and all(list(row) == names for row in rows)


def test_running_again_replaces_files_and_the_same_run_keeps_them(tmp_path):
    for text in ("first", "second"):
        w = writer(tmp_path)
        [meta] = w.write_batch([{"name": text}], 0)
        del w
    assert [row["name"] for row in csv.DictReader(open(meta["path"], encoding="utf-8"))] == ["second"]
    assert visible(tmp_path) == ["sales_order_header_000000-1.csv"]
    one, two = writer(tmp_path), writer(tmp_path)
    paths = [w.write_batch([{"name": "x"}], 0)[0]["path"] for w in (one, two)]
    assert [os.path.basename(path) for path in paths] == ["sales_order_header_000000.csv", "sales_order_header_000000-2.csv"]
    del one, two
    assert visible(tmp_path) == ["sales_order_header_000000-2.csv", "sales_order_header_000000.csv"]


def test_output_base_names_a_file(tmp_path):
    [meta] = writer(tmp_path / "sub" / "rows.csv").write_batch(RECORDS, 0)
    assert meta["path"] == f"{tmp_path}/sub/rows.csv"


def test_options(tmp_path):
    options = {"delimiter": "\\t", "quote_char": "'", "line_end": "crlf", "null_text": "NA"}
    [meta] = writer(tmp_path, SCHEMA[:2], options=options).write_batch([{"id": 1, "name": "it's"}, {"name": "NA"}], 0)
    with open(meta["path"], "rb") as file:
        assert file.read() == b"id\tname\r\n1\t'it''s'\r\nNA\t'NA'\r\n"


@pytest.mark.parametrize("options, says", [({"delimiter": "ab"}, "engine.options.delimiter must be one ASCII character"),
                                           ({"delimiter": "1"}, "can be part of a value"), ({"line_end": "cr"}, "lf or crlf"),
                                           ({"null_text": "true"}, "another type"), ({"nul_text": ""}, 'did you mean "null_text"')])
def test_bad_options(tmp_path, options, says):
    value = writer(tmp_path, options=options).raw(json.dumps({"records": RECORDS, "file_counter": 0}).encode())
    assert says in assert_loud(value)["message"]
    assert visible(tmp_path) == []


def test_other_format(tmp_path):
    value = writer(tmp_path, file_format="parquet").raw(b"[]")
    assert "writes file_format \"csv\", not 'parquet'" in assert_loud(value)["message"]


def test_info_and_connection(tmp_path):
    lib = load(LIBRARY)
    info = json.loads(take(lib, lib.plugin_info()))
    assert info["name"] == "csv_writer" and info["roles"] == ["writer"]
    assert {"delimiter", "quote", "line_end", "null_text", "overwrite"} <= {option["name"] for option in info["options"]}
    config = json.dumps(writer_config(tmp_path, SCHEMA, file_format="csv")).encode()
    assert json.loads(take(lib, lib.check_connection(config)))["success"] is True
    config = json.dumps(writer_config("/proc/none", SCHEMA, file_format="csv")).encode()
    assert json.loads(take(lib, lib.check_connection(config)))["success"] is False
