"""The CSV reader under the calls of a stock Python host."""

import ctypes
import json
import math

import pytest
from stock_host import (
    READER,
    StockReader,
    assert_loud,
    assert_one_log_line,
    load,
    log_lines,
    reader_config,
    take,
)

@pytest.fixture
def csv(tmp_path):
    def write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


# ------------------------------------------------------------------------------------------------------------- good data


def test_values_are_lossless(csv, capfd):
    path = csv(
        "text,number\n00501,501\n1.10,1.5\n+7,-7\n1e5,0.25\n-0,0\n99999999999999999999,9223372036854775807\n"
        '-9223372036854775809,-9223372036854775808\n1_000,2.0\n 1,-0.5\n.5,100.125\n5.,0.0001\n0.00001,0.001\nNaN,1\n'
        "1.0000000000000000001,1234567890.1234567\n0.1e1,3\ntrue,4\n1.,5\n--1,6\n-,7\n0x1f,8\n1.5.5,9\n"
    )
    rows = StockReader(reader_config(path)).rows()
    text = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert len(rows) == len(text)
    for row, (left, right) in zip(rows, text):
        assert row["text"] == left
        assert isinstance(row["number"], (int, float))
        assert repr(row["number"]) == right
    assert log_lines(capfd.readouterr()) == []


def test_every_number_prints_as_its_cell(csv):
    """The rule itself, over many shapes: what became a number gives the cell back when printed."""
    cells = []
    for sign in ("", "-", "+"):
        for whole in ("0", "1", "12", "012", "123456789", "9007199254740993", "12345678901234567"):
            cells.append(sign + whole)
            for fraction in ("", "0", "5", "50", "05", "0001", "00001", "3333333333333333", "12345678901234567"):
                cells.append(sign + whole + "." + fraction)
            cells.append(sign + whole + "e1")
    rows = StockReader(reader_config(csv("v\n" + "\n".join(cells) + "\n"))).rows()
    numbers = 0
    for row, cell in zip(rows, cells, strict=True):
        if isinstance(row["v"], str):
            assert row["v"] == cell
        else:
            numbers += 1
            assert repr(row["v"]) == cell
    assert numbers > 40


def test_nulls_quotes_and_text(csv):
    path = csv('a,b,c\n,"","x ""y"" z"\nNULL,null,"line\nbreak"\n"1",é,"\u2028\U0001f600"\n')
    assert StockReader(reader_config(path)).rows() == [
        {"a": None, "b": "", "c": 'x "y" z'},
        {"a": "NULL", "b": "null", "c": "line\nbreak"},
        {"a": 1, "b": "é", "c": "\u2028\U0001f600"},
    ]


def test_nul_bytes_survive(csv):
    rows = StockReader(reader_config(csv(b"a,b\nx\x00y,\x01\n"))).rows()
    assert rows == [{"a": "x\0y", "b": "\x01"}]


def test_column_order_is_the_files(csv):
    rows = StockReader(reader_config(csv("z,a,m\n1,2,3\n"))).rows()
    assert list(rows[0]) == ["z", "a", "m"]


def test_repeated_names_are_all_there(csv):
    rows = StockReader(reader_config(csv("a,a,a_1,a\n1,2,3,4\n"))).rows()
    assert sorted(rows[0].values()) == [1, 2, 3, 4]
    assert rows[0]["a"] == 1 and rows[0]["a_1"] == 3


@pytest.mark.parametrize("inference", ["lossless", "strings", "column"])
def test_inference(csv, inference):
    path = csv("i,f,b,d,s\n1,1.5,true,2024-02-29,x\n2,2.5,false,2024-03-01,y\n")
    rows = StockReader(reader_config(path, options={"inference": inference})).rows()
    expected = {
        "lossless": {"i": 1, "f": 1.5, "b": "true", "d": "2024-02-29", "s": "x"},
        "strings": {"i": "1", "f": "1.5", "b": "true", "d": "2024-02-29", "s": "x"},
        "column": {"i": 1, "f": 1.5, "b": True, "d": "2024-02-29", "s": "x"},
    }
    assert rows[0] == expected[inference]


def test_declared_types_in_records(csv):
    path = csv("p,q,t,n,u,b,k\n1.50,1.5,10:11:12,2024-01-01T00:00:00.000000001,18446744073709551615,00ff,00112233-4455-6677-8899-aabbccddeeff\n,,,,,,\n")
    types = {"p": "decimal(5,2)", "q": "decimal(5,1)", "t": "time", "n": "timestamp[ns]", "u": "uint64", "b": "binary:hex", "k": "uuid"}
    rows = StockReader(reader_config(path, options={"types": types})).rows()
    assert rows[0] == {"p": "1.50", "q": 1.5, "t": "10:11:12", "n": "2024-01-01T00:00:00.000000001", "u": 2**64 - 1, "b": "AP8=",
                       "k": "00112233-4455-6677-8899-aabbccddeeff"}
    assert rows[1] == dict.fromkeys(types)


@pytest.mark.parametrize(
    "options, n", [({}, 0), ({"inference": "column", "decimals": "float"}, 2), ({"inference": "column"}, 0), ({"types": {"f": "double"}}, 2), ({"inference": "strings"}, 0)]
)
def test_rounded_values_are_said_once(csv, capfd, options, n):
    path = csv("f\n0.1\n12345678901234567.89\n1e-400\n")
    reader = StockReader(reader_config(path, options={"chunk_size": 1, **options}))
    assert len(reader.rows()) == 3 and reader.raw() is None
    lines = log_lines(capfd.readouterr())
    assert [(line["level"], line["event_type"]) for line in lines] == ([("WARNING", "values_rounded")] if n else [])
    assert not n or lines[0]["message"].startswith(f"{n} values are rounded; the first: ")


@pytest.mark.parametrize("inference", ["lossless", "strings"])
def test_declared_types(csv, inference):
    path = csv("i,f,b,d,t,z,s\n007, 1.50,yes,2024-02-29,2024-02-29 01:02:03.5,2024-02-29T00:00:00+01:00,1\n,,,,,,\n")
    types = {"i": "integer", "f": "double", "b": "boolean", "d": "date", "t": "timestamp", "z": "timestamptz", "s": "string"}
    rows = StockReader(reader_config(path, options={"inference": inference, "types": types})).rows()
    assert rows == [
        {
            "i": 7,
            "f": 1.5,
            "b": True,
            "d": "2024-02-29",
            "t": "2024-02-29T01:02:03.500000",
            "z": "2024-02-28T23:00:00Z",
            "s": 1 if inference == "lossless" else "1",
        },
        dict.fromkeys("ifbdtzs"),
    ]


# --------------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    "options, size",
    [
        ({}, 10000),
        ({"batch_size": 4}, 4),
        ({"batch_size": "4"}, 4),
        ({"chunk_size": 3, "batch_size": 4}, 3),
        ({"native": {"library": "pandas", "library_version": "2.1.0", "chunk_size": 7}}, 7),
        ({"native": {"batch_size": 7}}, 7),
        ({"native": {"chunk_size": 7}, "batch_size": None}, 7),
        ({"native": {"chunk_size": 7}, "chunk_size": 5}, 5),
        ({"chunk_size": 9, "block_bytes": 1}, 9),
        ({"chunk_size": 9, "block_bytes": 64, "inference": "column"}, 9),
        ({"chunk_size": 1}, 1),
    ],
)
def test_batch_sizes(csv, options, size):
    n = 25 if size < 10000 else 25000
    path = csv("id,name\n" + "".join(f"{i},name {i}\n" for i in range(n)))
    reader = StockReader(reader_config(path, options=options))
    batches = list(reader.extract())
    assert [len(batch) for batch in batches] == [size] * (n // size) + ([n % size] if n % size else [])
    assert [row["id"] for batch in batches for row in batch] == list(range(n))
    assert reader.raw() is None  # the end stays the end
    assert reader.last_error() is None


@pytest.mark.parametrize("content", ["a,b\n", "a,b"])
def test_header_only_is_the_end_at_once(csv, content):
    reader = StockReader(reader_config(csv(content)))
    assert reader.raw() is None


def test_no_empty_batch_between_files(csv):
    paths = [csv("a,b\n", "1.csv"), csv("a,b\n1,2\n", "2.csv"), csv("a,b\n", "3.csv"), csv("a,b\n3,4\n", "4.csv")]
    batches = list(StockReader(reader_config(*paths, options={"chunk_size": 1})).extract())
    assert batches == [[{"a": 1, "b": 2}], [{"a": 3, "b": 4}]]


def test_freed_in_the_middle(csv):
    path = csv("a\n" + "1\n" * 100000)
    reader = StockReader(reader_config(path, options={"chunk_size": 10}))
    assert reader.raw()
    del reader


def test_independent_handles(csv):
    lib = load(READER)
    left = StockReader(reader_config(csv("a\n1\n2\n", "l.csv"), options={"chunk_size": 1}), lib)
    right = StockReader(reader_config(csv("b\n3\n4\n", "r.csv"), options={"chunk_size": 1}), lib)
    assert [json.loads(r.raw()) for r in (left, right, left, right)] == [
        [{"a": 1}],
        [{"b": 3}],
        [{"a": 2}],
        [{"b": 4}],
    ]


# -------------------------------------------------------------------------------------------------------------- dialects


@pytest.mark.parametrize(
    "content, options, expected",
    [
        ("a\tb\n1\t2\n", {"delimiter": "\t"}, {"a": 1, "b": 2}),
        ("a\tb\n1\t2\n", {"delimiter": "\\t"}, {"a": 1, "b": 2}),
        ("a;b\n1;2\n", {"native": {"delimiter": ";", "quote_char": '"', "encoding": "UTF-8"}}, {"a": 1, "b": 2}),
        ("a,b\n';',2\n", {"quote_char": "'"}, {"a": ";", "b": 2}),
        ("a,b\n';',2\n", {"quote": "'", "native": {"quote_char": '"'}}, {"a": ";", "b": 2}),
        ('a,b\n"x,"2\n', {"quote": ""}, {"a": '"x', "b": '"2'}),
        ("1,2\n", {"header": False}, {"column_1": 1, "column_2": 2}),
        ("1,2\n", {"header": "no"}, {"column_1": 1, "column_2": 2}),
        ("a,b\n1,2\n", {"header": "yes"}, {"a": 1, "b": 2}),
        ("a,b\nNA,-\n", {"null_values": ["NA", "-"]}, {"a": None, "b": None}),
        ("a,b\nNA,-\n", {"null_values": "NA"}, {"a": None, "b": "-"}),
        ("a,b,c\n1,2,3\n", {"columns": ["c", "a"]}, {"c": 3, "a": 1}),
        ("a,b\n1,2\n", {"columns": ["b", "x"], "missing_as_null": True}, {"b": 2, "x": None}),
        ("\ufeffa,b\n1,2\n", {"encoding": "utf-8"}, {"a": 1, "b": 2}),
        ("a,b\n1,2\n", {"meltano": {"tap_name": "tap-csv"}, "encoding": None}, {"a": 1, "b": 2}),
    ],
)
def test_dialects(csv, content, options, expected):
    rows = StockReader(reader_config(csv(content), options=options)).rows()
    assert rows == [expected]
    assert list(rows[0]) == list(expected)


def test_file_key(csv):
    path = csv("a\n1\n")
    for files in ([{"file": str(path)}], [{"path": None, "file": str(path)}], [{"path": str(path), "file": str(path)}]):
        assert StockReader(reader_config(files=files)).rows() == [{"a": 1}]


@pytest.mark.parametrize("name", ["${DN_ABI_SET}", "${DN_ABI_NOT_SET}", "${DN_ABI_NOT_SET:-a}", "$${DN_ABI_SET}", "${"])
def test_a_path_is_taken_as_it_is(tmp_path, monkeypatch, name):
    """The host owns the configuration, and whatever stands for something else in it."""
    monkeypatch.setenv("DN_ABI_SET", "a")
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / f"{name}.csv").write_text("a\n2\n")
    assert StockReader(reader_config(tmp_path / f"{name}.csv")).rows() == [{"a": 2}]


def test_nulls_everywhere_in_the_configuration(csv):
    path = csv("a\n1\n")
    config = {"type": "csv", "connection": None, "tables": [], "credentials": None, "objects": None,
              "files": [{"path": str(path), "id": None, "object": None}], "incremental": None,
              "engine": {"type": None, "options": {"native": None, "chunk_size": None}}}
    assert StockReader(config).rows() == [{"a": 1}]
    config["engine"] = None
    assert StockReader(config).rows() == [{"a": 1}]


# ---------------------------------------------------------------------------------------------------------------- errors


def check_failure(reader, capfd, code, rows=()):
    """Perhaps the first of `rows`, never anything else, then the error: loud, remembered, logged once."""
    good = []
    value = reader.raw()
    while value is not None and value.startswith(b"["):
        batch = json.loads(value)
        assert batch
        good += batch
        value = reader.raw()
    assert good == list(rows)[: len(good)]
    error = assert_loud(value, code)
    assert assert_loud(reader.raw(), code) == error
    assert reader.last_error() == error
    with pytest.raises(json.JSONDecodeError):
        next(reader.extract())
    line = assert_one_log_line(capfd.readouterr())
    assert error["message"] in line["message"]
    error["good"] = len(good)
    return error


def test_missing_file(tmp_path, capfd):
    error = check_failure(StockReader(reader_config(tmp_path / "no.csv")), capfd, "not_found")
    assert "no.csv" in error["message"] and error["path"].endswith("no.csv")


def test_second_file_missing(csv, tmp_path, capfd):
    reader = StockReader(reader_config(csv("a\n1\n"), tmp_path / "no.csv", options={"chunk_size": 1}))
    error = check_failure(reader, capfd, "not_found")
    assert "no.csv" in error["message"]


def test_directory_instead_of_file(tmp_path, capfd):
    check_failure(StockReader(reader_config(tmp_path)), capfd, ("invalid", "io", "not_found"))


@pytest.mark.parametrize("block_bytes", [1, 50, 1 << 19])
def test_bad_utf8_in_the_second_batch(csv, capfd, block_bytes):
    path = csv(b"a,b\n1,x\n2,y\n3,\xff\xfe\n4,z\n")
    reader = StockReader(reader_config(path, options={"chunk_size": 2, "block_bytes": block_bytes}))
    error = check_failure(reader, capfd, "data", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    assert error["line"] == 4
    assert error["good"] == 2 or block_bytes > 1


def test_bad_utf8_far_into_the_file(csv, capfd):
    """The batches before the error arrive, none after it does."""
    n = 200000
    path = csv(b"a\n" + b"".join(b"%d\n" % i for i in range(n)) + b"\xff\n" + b"1\n" * n)
    error = check_failure(StockReader(reader_config(path)), capfd, "data", [{"a": i} for i in range(n)])
    assert error["line"] == n + 2
    assert error["good"] >= 10000


@pytest.mark.parametrize("row", ["1", "1,2,3", "1,2,"])
def test_ragged_row(csv, capfd, row):
    path = csv("a,b\n1,2\n" + row + "\n3,4\n")
    error = check_failure(StockReader(reader_config(path, options={"chunk_size": 1})), capfd, "data", [{"a": 1, "b": 2}])
    assert error["line"] == 3


def test_unterminated_quote(csv, capfd):
    path = csv('a,b\n1,2\n3,"open\n5,6\n')
    error = check_failure(StockReader(reader_config(path, options={"chunk_size": 1})), capfd, "data", [{"a": 1, "b": 2}])
    assert error["line"] == 3


def test_second_file_has_other_columns(csv, capfd):
    paths = csv("a,b\n1,2\n", "1.csv"), csv("a,c\n3,4\n", "2.csv")
    error = check_failure(StockReader(reader_config(*paths, options={"chunk_size": 1})), capfd, "data", [{"a": 1, "b": 2}])
    assert error["path"].endswith("2.csv")


def test_declared_type_does_not_fit(csv, capfd):
    path = csv("a,b\n1,2\n3,x4\n")
    reader = StockReader(reader_config(path, options={"types": {"b": "int64"}, "chunk_size": 1}))
    error = check_failure(reader, capfd, "type", [{"a": 1, "b": 2}])
    assert error["column"] == "b" and error["row"] == 2 and "x4" in error["message"]


def test_required_column(csv, capfd):
    path = csv("a,b\n1,2\n3,\n")
    reader = StockReader(reader_config(path, options={"required": ["b"], "chunk_size": 1}))
    error = check_failure(reader, capfd, "data", [{"a": 1, "b": 2}])
    assert error["column"] == "b"


@pytest.mark.parametrize(
    "config",
    [b"", b"{", b"[]", b"null", b"42", b'"text"', b"\xff\xfe", b'{"type":"csv",}', b'{"files":', b"{}",
     b'{"type":"csv","files":[]}', b'{"type":"csv","files":{}}', b'{"type":"csv","files":[{}]}',
     b'{"type":"csv","files":[1]}', b'{"type":"csv","files":[{"path":5}]}', b'{"type":"csv","files":[{"path":""}]}',
     b'{"type":5,"files":[{"path":"a"}]}', b'{"type":"csv","engine":[],"files":[{"path":"a"}]}',
     b'{"type":"csv","engine":{"options":[]},"files":[{"path":"a"}]}',
     b'{"type":"csv","engine":{"options":{"native":"pandas"}},"files":[{"path":"a"}]}',
     b'{"type":"csv","files":[{"path":"a\\u0000b"}]}',
     b'{"type":"csv","files":["a\\u0000b"]}',
     b'{"type":"csv","files":[{"path":"a.csv","file":"b.csv"}]}',
     b"[" * 100000],
)  # fmt: skip
def test_bad_configuration(config, capfd):
    check_failure(StockReader(config), capfd, "config")


@pytest.mark.parametrize("type_", ["postgres", "gdrive_csv", "CSV ", ""])
def test_other_source_type(csv, capfd, type_):
    check_failure(StockReader(reader_config(csv("a\n1\n"), type=type_)), capfd, "unsupported")


@pytest.mark.parametrize(
    "options",
    [{"delimiter": "123456789"}, {"delimiter": ""}, {"delimiter": "a\nb"}, {"delimiter": 5}, {"delimiter": "\n"},
     {"quote_char": "''"}, {"header": "maybe"}, {"header": -3}, {"header": []}, {"names": "nice"}, {"rename": ["a"]}, {"chunk_size": 0}, {"chunk_size": -1},
     {"chunk_size": "many"}, {"chunk_size": 1.5}, {"chunk_size": [1]}, {"batch_size": ""}, {"batch_size": True},
     {"native": {"chunk_size": "x"}}, {"null_values": [1]}, {"null_values": {"a": 5}}, {"null_values": {"a": [5]}}, {"date_format": {"a": {}}},
     {"decimal": ",,"}, {"quoted": "never"}, {"trim": "some"}, {"true_values": {}}, {"types": []}, {"types": {"a": 1}},
     {"columns": "a\0b"}, {"inference": "guess"}, {"strict": "perhaps"}, {"block_bytes": 0}, {"n_threads": -1},
     {"chunk_size": 10**18}, {"chunk_size": "9" * 30}, {"chunk_size": "1\0"}, {"header": "no\0"},
     {"types": {"a": "int64\0"}}],
)  # fmt: skip
def test_bad_option(csv, capfd, options):
    error = check_failure(StockReader(reader_config(csv("a\n1\n"), options=options)), capfd, "config")
    key = next(iter(options))
    assert (key if key != "native" else "native.chunk_size") in error["message"]


@pytest.mark.parametrize(
    "options, hint",
    [({"delimeter": ";"}, '"delimiter"'), ({"chunksize": 5}, '"chunk_size"'), ({"qoute_char": "'"}, '"quote_char"'),
     ({"native": {"encodng": "utf-8"}}, '"encoding"'), ({"frobnicate": 1}, "known are"),
     ({"library": "pandas"}, "engine.options")],
)  # fmt: skip
def test_unknown_option(csv, capfd, options, hint):
    error = check_failure(StockReader(reader_config(csv("a\n1\n"), options=options)), capfd, "config")
    assert hint in error["message"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "latin-1", "cp1252", "utf_8_sig", "shift_jis", "utf-32"])
def test_encodings(tmp_path, encoding):
    """As Python spells them, which is how hosts do."""
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\n1,ﾝx\n".replace("ﾝ", "é" if encoding in ("latin-1", "cp1252") else "ﾝ").encode(encoding))
    [row] = StockReader(reader_config(str(path), options={"encoding": encoding})).rows()
    assert row == {"a": 1, "b": "éx" if encoding in ("latin-1", "cp1252") else "ﾝx"}


@pytest.mark.parametrize("encoding", ["utf-9", "", "latin1//TRANSLIT"])
def test_unknown_encoding(csv, capfd, encoding):
    error = check_failure(StockReader(reader_config(csv("a\n1\n"), options={"encoding": encoding})), capfd, "config")
    assert error["message"].startswith("engine.options.encoding must be an encoding of `iconv -l`, such as utf-8")


def test_unknown_column_or_type(csv, capfd):
    path = csv("a\n1\n")
    for options in ({"columns": ["b"]}, {"types": {"a": "integr"}}):
        assert_loud(StockReader(reader_config(path, options=options)).raw())
    assert len(log_lines(capfd.readouterr())) == 2


def test_null_handle_and_null_config(capfd):
    lib = load(READER)
    assert_loud(take(lib, lib.extract_batch(None)), "invalid")
    assert_one_log_line(capfd.readouterr())
    lib.free_reader(None)
    lib.free_string(None)
    assert lib.last_error(None) is None
    pointer = lib.create_reader(None)
    assert pointer
    assert_loud(take(lib, lib.extract_batch(pointer)), "config")
    lib.free_reader(pointer)


# --------------------------------------------------------------------------------------------------- one JSON value only


@pytest.mark.parametrize("tail", [b"\xff\xfe\xfd", b"}", b"]]]", b'{"type":"other"}', b"garbage", b"\x01\x02", b",", b'"'])
def test_configuration_without_a_terminator(csv, tail):
    """The container host passes a pointer into a larger buffer: nothing behind the value may be looked at."""
    text = json.dumps(reader_config(csv("a\n1\n"))).encode()
    buffer = ctypes.create_string_buffer(text + tail * 100, len(text) + len(tail) * 100)
    lib = load(READER)
    lib.create_reader.argtypes = [ctypes.c_void_p]
    pointer = lib.create_reader(ctypes.addressof(buffer))
    assert json.loads(take(lib, lib.extract_batch(pointer))) == [{"a": 1}]
    lib.free_reader(pointer)


# -------------------------------------------------------------------------------------------------------------- level 0.5


def test_plugin_info():
    lib = load(READER)
    info = json.loads(take(lib, lib.plugin_info()))
    assert info["name"] == "csv_reader" and info["roles"] == ["reader"] and 1 in info["levels"]
    assert {"chunk_size", "delimiter", "inference"} <= {option["name"] for option in info["options"]}


def test_check_connection(csv, tmp_path):
    lib = load(READER)
    good = json.loads(take(lib, lib.check_connection(json.dumps(reader_config(csv("a,b\n1,2\n"))).encode())))
    assert good["success"] is True and good["details"]["columns"] == 2 and good["message"]
    for config in (reader_config(tmp_path / "no.csv"), reader_config(csv("a\n"), tmp_path / "no.csv"), {"type": "x"}):
        bad = json.loads(take(lib, lib.check_connection(json.dumps(config).encode())))
        assert bad["success"] is False and bad["message"] and bad["details"]["error"]["code"]
    assert json.loads(take(lib, lib.check_connection(None)))["success"] is False


def test_discover(csv, tmp_path):
    lib = load(READER)
    config = reader_config(files=[{"path": str(csv("id,name\n1,x\n", "people.csv"))},
                                  {"path": str(csv("d\n2024-01-01\n", "1.csv")), "object": "Days"},
                                  {"path": str(csv("d\n2024-01-02\n", "2.csv")), "object": "Days"}])
    found = json.loads(take(lib, lib.discover(json.dumps(config).encode())))
    assert [o["name"] for o in found["objects"]] == ["people", "Days"]
    assert found["objects"][0]["columns"] == [{"name": "id", "type": "int64", "nullable": True},
                                              {"name": "name", "type": "string", "nullable": True}]
    assert found["objects"][1]["columns"][0]["type"] == "date"
    assert_loud(take(lib, lib.discover(json.dumps(reader_config(tmp_path / "no.csv")).encode())), "not_found")


def test_infinities_are_texts(csv):
    rows = StockReader(reader_config(csv("v\nNaN\nInfinity\n-inf\n"))).rows()
    assert [row["v"] for row in rows] == ["NaN", "Infinity", "-inf"]
    rows = StockReader(reader_config(csv("v\nNaN\nInfinity\n1\n"), options={"types": {"v": "double"}})).rows()
    assert math.isnan(rows[0]["v"]) and math.isinf(rows[1]["v"]) and rows[2]["v"] == 1
