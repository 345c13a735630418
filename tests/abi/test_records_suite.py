"""JSON as write_batch() takes it, case by case: y_ is JSON and must be taken as Python's json takes it, n_ is none and must be refused with
nothing written, i_ is what RFC 8259 leaves open, with the result that docs/json-records.md states."""

import json
import math
import os

import pyarrow.parquet as pq
import pytest
from stock_host import StockWriter, assert_loud, load, log_lines, writer_config, WRITER

VALUE = b'[{"a":%s}]'
DEEP = 126  # levels within a value: the array of records and the record are two of the 128


def cell(text):
    return VALUE % (text if isinstance(text, bytes) else text.encode())


def cells(prefix, texts):
    return {f"{prefix}_{i}": cell(text) for i, text in enumerate(texts)}


TAKEN = {
    **{f"y_structure_{i}": text.encode() for i, text in enumerate([
        ' \t\r\n[ \n{ "a" \t: 1 , "b" : 2 } ,\r{ "a":3}] ', '[{"a":1},{},{"b":null}]', '{"records":[{"a":1}]}', '{"file_counter":0,"records":[{"a":1}]}',
        '{"x":[1,{"y":[]}],"records":[{"a":1}],"z":"]}"}', '[{"a":[]}]', '[{"a":{}}]', '[{"a":[[],[[]],{}]}]', '[{"a":{"b":{"c":[null,true,false]}}}]',
        '[{"":1}]', '[{"\\u0061":1,"b":2}]', '[{"a":1},{"\\u0061":2}]', '[{"records":[{"a":1}]}]', '[{"a b\\n\\"":1}]', '[{"täg":1,"\\ud83d\\ude00":2}]'])},
    **cells("y_number", ["0", "-1", "123", "0.5", "-0.5", "1e1", "1E1", "1e+1", "1e-1", "1.5e3", "0e1", "0.0", "-0.0", "1e22", "1e23", "1e-10", "5e-324",
                         "2.2250738585072014e-308", "1.7976931348623157e308", "9223372036854775807", "-9223372036854775808", "123456789.123456789",
                         "0.1000000000000000055511151231257827", "20e1", "100000000000000000000e-5"]),
    **cells("y_string", ['""', '" "', '"x"', '"\\u0020"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u0000"', '"\\u001f"', '"\\u00e9"', '"\\uFFFF"', '"\\ud83d\\ude00"',
                         '"\\uD83D\\uDE00"', '"\\udbff\\udfff"', '"é"', '"\u2028\u2029"', '"\U0001f600"', '"\U0010ffff"', '"\x7f"', '"\ufeff"', '"/* */"', '"[\\"a\\"]"',
                         '"' + "x" * 11 + '"', '"' + "x" * 12 + '"', '"' + "x" * 13 + '"', '"' + "\\n" * 40 + '"', '"' + "é" * 100 + '"', '"\\\\u0000"']),
    **cells("y_word", ["true", "false", "null"]),
    **cells("y_nested", ["[" * n + "]" * n for n in (1, 62, 64, DEEP)] + ['{"k":' * n + "1" + "}" * n for n in (62, 64, DEEP)]),
}  # fmt: skip

REFUSED = {
    **{f"n_structure_{i}": text if isinstance(text, bytes) else text.encode() for i, text in enumerate([
        "", " ", "[", "]", "{", "}", "[}", "{]", '[{"a":1}', '[{"a":1},', '[{"a":1},]', '[,{"a":1}]', '[{"a":1}{"a":2}]', '[{"a":1},,{"a":2}]', '[{"a":1,}]',
        '[{,"a":1}]', '[{"a":1,,"b":2}]', '[{"a"}]', '[{"a":}]', '[{"a",1}]', '[{"a"1}]', '[{"a"::1}]', '[{"a":1 "b":2}]', '[{a:1}]', "[{'a':1}]", '[{1:1}]',
        '[{null:1}]', '[{"a":1}}]', '[{"a":[1}]', '[{"a":[1,]}]', '[{"a":[,1]}]', '[{"a":[1 2]}]', '[{"a":{"b"}}]', '[{"a":{"b":1,}}]', '[{"a":1]', '[{"a":1};]',
        '[[{"a":1}]]', "[1]", "[null]", '["a"]', "[[]]", "1", "null", "true", '"a"', "{}", '{"a":1}', '{"records":null}', '{"records":{}}', '{"records":[{"a":1}]',
        '{"records":[{"a":1}],}', '{"records":[{"a":1}]]', '{"records" [{"a":1}]}', '[{"a":1}/**/]', '[{"a":1}//\n]', '[#\n{"a":1}]', '[\x0b{"a":1}]', '[\xa0{"a":1}]',
        b"[\xc2\x85]", b'[{"a":1\x00}]', b'[{"a"\x00:1}]', b"\x00", '[{"a":1},{"b":2]', "[" * 100000, '[{"a":' * 100000])},
    **cells("n_number", ["-", "+1", "--1", "- 1", "01", "-01", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1e1.5", "1ee1", "1 000", "1_000", "0x1", "0b1", "1a", "1.2.3", "1,5", "１",
                         "+Infinity", "Inf", "-Inf", "nan", "-NaN", "1e1e1", "0e", "00", "1-", "1+1", "−1"]),
    **cells("n_string", ['"', '"x', "'x'", "x", '"\\', '"\\"', '"\\x41"', '"\\a"', '"\\U0041"', '"\\u"', '"\\u1"', '"\\u12"', '"\\u123"', '"\\u12g4"', '"\\u 123"', '"\\ "', '"\n"', '"\t"',
                         '"\x00"', '"\x1f"', '"x\r\n"', '"\\\n"', '"a" "b"', '"a"b']),
    **cells("n_utf8", [b'"\xff"', b'"\xc3"', b'"\xc3("', b'"\xe2\x82"', b'"\x80"', b'"\xc0\xaf"', b'"\xc1\xbf"', b'"\xe0\x80\xaf"', b'"\xf0\x80\x80\xaf"', b'"\xed\xa0\x80"',
                       b'"\xed\xb0\x80"', b'"\xf4\x90\x80\x80"', b'"\xf8\x88\x80\x80\x80"', b'"\xfe"', b"\xc3\xa9", b'"' + b"x" * 40 + b'\xff"']),
    **{f"n_utf8_key_{i}": b'[{"' + key + b'":1}]' for i, key in enumerate([b"\xff", b"\xc3", b"\xed\xa0\x80", b"a\nb"])},
    **cells("n_word", ["True", "TRUE", "tru", "truee", "nul", "nulll", "None", "undefined", "fals", "t", "yes", "", " "]),
    **cells("n_nested", ["[" * (DEEP + 1) + "]" * (DEEP + 1), '{"k":' * (DEEP + 1) + "1" + "}" * (DEEP + 1), "[" * 100000 + "]" * 100000, "[1,[2,[3]", '{"a":{"b":1}']),
    **{f"n_encoding_{name}": '[{"a":"x"}]'.encode(name) for name in ("utf-8-sig", "utf-16-le", "utf-16-be", "utf-16", "utf-32-le")},
}  # fmt: skip

OPEN = {  # text of the value, what its column holds, what is said of it
    "i_nan": ("NaN", math.nan, None), "i_infinity": ("Infinity", math.inf, None), "i_minus_infinity": ("-Infinity", -math.inf, None),
    "i_minus_zero": ("-0", 0, None), "i_int_2_63": ("9223372036854775808", 2.0**63, None), "i_int_2_70": (str(2**70), 2.0**70, None),
    "i_int_2_70_and_1": (str(2**70 + 1), str(2**70 + 1), None), "i_int_long": ("9" * 5000, "9" * 5000, None), "i_int_2_53_and_1": (str(2**53 + 1), 2**53 + 1, None),
    "i_too_large": ("1e400", "1e400", None), "i_too_small": ("-1e400", "-1e400", None), "i_exponent_long": ("1e" + "9" * 500, "1e" + "9" * 500, None),
    "i_underflow": ("1e-400", 0.0, "values_rounded"), "i_exponent_minus": ("1e-" + "9" * 500, 0.0, "values_rounded"), "i_many_digits": ("0." + "1" * 5000, 1 / 9, "values_rounded"),
    "i_high_alone": ('"\\ud800"', "\ufffd", "characters_replaced"), "i_low_alone": ('"x\\udc00y"', "x\ufffdy", "characters_replaced"),
    "i_swapped": ('"\\udc00\\ud800"', "\ufffd\ufffd", "characters_replaced"), "i_high_high_low": ('"\\ud800\\ud83d\\ude00"', "\ufffd\U0001f600", "characters_replaced"),
    "i_high_and_letter": ('"\\ud800\\u0041"', "\ufffdA", "characters_replaced"), "i_noncharacter": ('"\uffff\ufdd0"', "\uffff\ufdd0", None),
    "i_duplicates_within": ('{"b":1,"b":2}', '{"b":1,"b":2}', None),
}  # fmt: skip


@pytest.fixture(scope="module")
def lib():
    return load(WRITER)


def send(tmp_path, lib, payload, schema=(), **options):
    """The text that came back, and the rows, if there are."""
    writer = StockWriter(writer_config(tmp_path, list(schema), options=options), lib)
    text = writer.raw(payload)
    if text.startswith(b"DATIVO"):
        return text, None
    (entry,) = json.loads(text)
    rows = pq.ParquetFile(entry["path"]).read().to_pylist()
    assert len(rows) == entry["record_count"]
    return text, rows


def kept(value, rows_value):
    """Is the cell the value, as a column has it that nobody declared?"""
    if isinstance(value, (list, dict)):
        return isinstance(rows_value, str) and json.loads(rows_value) == value
    return rows_value == value and type(rows_value) is type(value)


@pytest.mark.parametrize("declared", [False, True])
def test_what_is_json_is_taken(tmp_path, lib, declared):
    for name, payload in TAKEN.items():
        _, rows = send(tmp_path, lib, payload, [{"name": "a", "type": "object"}] if declared else ())
        assert rows is not None, name
        value = json.loads(payload)
        records = value if isinstance(value, list) else value["records"]
        assert len(rows) == len(records), name
        for record, row in zip(records, rows):
            for key in row:
                if not declared or key != "a":
                    assert kept(record.get(key), row[key]), (name, key, row[key])
                else:  # the JSON of what it was, or the text
                    assert row[key] == record.get(key) or json.loads(row[key]) == record[key], name


@pytest.mark.parametrize("schema", [(), [{"name": "a", "type": "string"}]])
def test_what_is_none_is_refused(tmp_path, lib, schema):
    for name, payload in REFUSED.items():
        text, rows = send(tmp_path, lib, payload, schema)
        assert rows is None, (name, rows)
        error = assert_loud(text, ("data", "invalid"))
        assert error["message"], name
    assert not [file for file in os.listdir(tmp_path) if not file.startswith(".")]


def test_what_is_left_open_has_a_stated_result(tmp_path, lib, capfd):
    for name, (value, expected, event) in OPEN.items():
        _, rows = send(tmp_path, lib, cell(value))
        got = rows[0]["a"]
        assert got == expected or (got != got and expected != expected), name
        assert type(got) is type(expected), name
        assert [line["event_type"] for line in log_lines(capfd.readouterr())] == ([event] if event else []), name


def test_duplicates_and_what_stands_behind(tmp_path, lib):
    assert send(tmp_path, lib, b'[{"a":"x","a":2}]')[1] == [{"a": 2}]
    assert send(tmp_path, lib, b'{"records":[{"a":1}],"records":[{"a":2}]}')[1] == [{"a": 2}]
    assert send(tmp_path, lib, b'[{"a\\ud800":1}]')[1] == [{"a\ufffd": 1}]
    for tail in (b" x", b"\x00x", b"]", b"[]", b"\xff"):
        assert send(tmp_path, lib, b'[{"a":1}]' + tail)[1] == [{"a": 1}]
    assert "NUL" in assert_loud(send(tmp_path, lib, b'[{"a\\u0000":1}]')[0], "data")["message"]
    assert_loud(send(tmp_path, lib, b"[{},{}]")[0], "invalid")  # rows, and not one column


@pytest.mark.parametrize("declared, value, expected", [
    ("integer", str(2**70), None), ("integer", "1e400", None), ("integer", "NaN", None), ("integer", "-0", 0), ("integer", "0.1", None),
    ("double", str(2**70), 2.0**70), ("double", "1e400", None), ("double", str(2**53 + 1), None), ("double", "-0", 0.0), ("double", "1e-400", 0.0),
    ("string", str(2**70), str(2**70)), ("string", "1e400", "1e400"), ("string", "NaN", "NaN"), ("string", "-0", "-0"), ("boolean", "1e400", None), ("boolean", "2", None)])
def test_numbers_in_declared_columns(tmp_path, lib, declared, value, expected):
    text, rows = send(tmp_path, lib, cell(value), [{"name": "a", "type": declared}])
    if expected is None:
        error = assert_loud(text, "type")
        assert value in error["message"] and error["column"] == "a" and error["row"] == 1
    else:
        assert rows == [{"a": expected}]


def test_sizes(tmp_path, lib):
    """A text of 50 MB, plain and of escapes, a key of 1 MB, a number of 100,000 digits: they arrive."""
    for big in ("x" * 50_000_000, "é" * 9_000_000):
        _, rows = send(tmp_path, lib, json.dumps([{"a": big, "b": 1}]).encode())
        assert rows == [{"a": big, "b": 1}]
    assert send(tmp_path, lib, json.dumps([{"k" * 1_000_000: 1}]).encode())[1] == [{"k" * 1_000_000: 1}]
    assert send(tmp_path, lib, cell("1" * 100_000))[1] == [{"a": "1" * 100_000}]
    assert send(tmp_path, lib, cell("0." + "3" * 100_000))[1] == [{"a": 1 / 3}]
