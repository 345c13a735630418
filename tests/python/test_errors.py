"""What errors, the log and progress say: each attribute that docs/python.md promises, with the value it has."""

import copy
import errno
import logging
import pickle
import threading

import pytest

import dativo_native as dn

PRICES = "id,price\n1,9.50\n2,n/a\n"


def frame(**columns):
    return pytest.importorskip("pyarrow").table(columns)


def write(path, text):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


CASES = {
    "type": (lambda f: dn.convert(write(f / "p.csv", PRICES), f / "o.parquet", types={"price": "double"}),
             dict(code="type", path="p.csv", line=3, row=2, byte_offset=18, column="price", value="n/a", expected="float64", suggested_type="string")),
    "null": (lambda f: dn.convert(write(f / "p.csv", "a,b\n1,2\n3,\n"), f / "o.parquet", required=["b"]),
             dict(code="data", path="p.csv", line=3, row=2, byte_offset=10, column="b")),
    "ragged": (lambda f: dn.convert(write(f / "p.csv", "a,b\n1,2\n3\n"), f / "o.parquet"),
               dict(code="data", path="p.csv", line=3, row=2, byte_offset=8, value="3")),
    "bytes": (lambda f: dn.convert(write(f / "p.csv", b"a,b\n1,x\n2,\xff\n"), f / "o.parquet"),
              dict(code="data", path="p.csv", line=3, row=2, byte_offset=10, column="b", value="\\xff")),
    "no rows": (lambda f: dn.convert(write(f / "p.csv", "a,b\n"), f / "o.parquet"), dict(code="data", path="p.csv")),
    "nothing": (lambda f: dn.schema(f / "none.csv"), dict(code="not_found", path="none.csv", errno=errno.ENOENT)),
    "no folder": (lambda f: dn.convert(write(f / "p.csv", PRICES), f / "none/o.parquet"),
                  dict(code="not_found", path="none/o.parquet", errno=errno.ENOENT)),
    "exists": (lambda f: dn.convert(write(f / "p.csv", PRICES), write(f / "o.parquet", "")),
               dict(code="exists", path="o.parquet", option="overwrite")),
    "exists, of a frame": (lambda f: dn.write_parquet(frame(a=[1]), write(f / "o.parquet", "")),
                           dict(code="exists", path="o.parquet", option="overwrite")),
    "other format": (lambda f: dn.read_parquet(write(f / "p.csv", PRICES)).schema, dict(code="data", path="p.csv")),
    "packed": (lambda f: dn.schema(write(f / "p.csv", b"\x1f\x8b\x08\0\0")), dict(code="data", path="p.csv")),
    "column": (lambda f: dn.read_csv(write(f / "p.csv", PRICES), columns=["prize"]).schema,
               dict(code="invalid", path="p.csv", column="prize", option="columns")),
    "column of Parquet": (lambda f: (dn.write_parquet(frame(a=[1]), f / "a.parquet"), dn.read_parquet(f / "a.parquet", columns=["b"]).schema),
                          dict(code="invalid", path="a.parquet", column="b", option="columns")),
    "type's name": (lambda f: dn.read_csv(write(f / "p.csv", PRICES), types={"price": "doble"}).schema,
                    dict(code="invalid", column="price", option="types")),
    "type of another library": (lambda f: dn.read_csv(write(f / "p.csv", PRICES), types={"price": int}),
                                dict(code="invalid", value="<class 'int'>", option="types")),
    "codec": (lambda f: dn.write_parquet(frame(a=[1]), f / "o.parquet", compression="zzz"), dict(code="invalid", option="compression")),
    "number": (lambda f: dn.write_parquet(frame(a=[1]), f / "o.parquet", row_group_size=-1), dict(code="config", option="row_group_size")),
    "null of a frame": (lambda f: dn.write_parquet(required([1, None]), f / "o.parquet"),
                        dict(code="data", path="o.parquet", row=2, column="a")),
    "not a number": (lambda f: dn.read_csv(f / "p.csv", limit=float("nan")), dict(code="invalid", option="limit", value="nan")),
    "half a character": (lambda f: dn.read_csv(f / "p.csv", null_values=["-", "\ud800"]), dict(code="invalid", option="null_values")),
    "half a character in a name": (lambda f: dn.read_csv(f / "p.csv", types={"\udcff": "int32"}), dict(code="invalid", option="types")),
    "bytes of a secret": (lambda f: dn.read_csv(f / "p.csv", connection={"secret_access_key": b"hunter2"}),
                          dict(code="invalid", option="connection", value="secret_access_key")),
    "half a character of a secret": (lambda f: dn.read_csv(f / "p.csv", connection={"secret_key": "hunter2\udcff"}),
                                     dict(code="invalid", option="connection", value="secret_key")),
    "short decimal": (lambda f: dn.write_parquet(short_decimals(), f / "o.parquet"), dict(code="unsupported", column="a", path="o.parquet")),
    "end of a day": (lambda f: dn.write_parquet(end_of_a_day(), f / "o.parquet"), dict(code="data", column="a", row=2, path="o.parquet")),
    "job": (lambda f: dn.run(write(f / "job.yaml", "tenant_id: x\n")), dict(code="config", path="job.yaml", line=1)),
    "plan": (lambda f: dn.task(f / "none.json", 0), dict(code="not_found", path="none.json", errno=errno.ENOENT)),
}


def required(values):
    pa = pytest.importorskip("pyarrow")
    return pa.record_batch([pa.array(values)], pa.schema([pa.field("a", pa.int64(), nullable=False)]))


def short_decimals():
    pa = pytest.importorskip("pyarrow")
    return pa.table({"a": pa.array([1], pa.decimal32(4, 1))})


def end_of_a_day():
    pa = pytest.importorskip("pyarrow")
    return pa.table({"a": pa.array([86399, 86400], pa.time32("s"))})


@pytest.mark.parametrize("name", CASES)
def test_attributes(name, tmp_path):
    """What is not known is None; all of them, and the text, survive pickle."""
    make, known = CASES[name]
    if "path" in known:
        known = {**known, "path": str(tmp_path / known["path"])}
    with pytest.raises(dn.DativoError) as caught:
        make(tmp_path)
    error = caught.value
    attributes = {key: value for key, value in vars(error).items() if value is not None}
    assert {key: attributes.get(key) for key in known} == known
    assert set(attributes) <= set(known) | {"value", "expected", "path"}, attributes
    assert "hunter2" not in f"{error} {vars(error)}"
    assert "--" not in str(error) and "engine.options" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_stream_that_another_library_reads(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = write(tmp_path / "p.csv", "a\n" + "1\n" * 600_000 + "x\n")
    reader = dn.read_csv(path)
    with pytest.raises(pa.ArrowException, match="line 600002"):
        pa.table(reader)
    assert (reader.error.line, reader.error.column, reader.error.value, reader.error.suggested_type) == (600_002, "a", "x", "string")
    assert reader.report is None and dn.read_csv(path).error is None


def test_cancel(tmp_path):
    pa = pytest.importorskip("pyarrow")
    reader = dn.read_csv(write(tmp_path / "p.csv", "a\n" + "1\n" * 600_000))
    reader.cancel()  # nothing is under way
    batches = pa.RecordBatchReader.from_stream(reader)
    batches.read_next_batch()
    reader.cancel()
    with pytest.raises((pa.ArrowException, OSError)):
        batches.read_all()
    assert reader.error.code == "cancelled"
    assert pa.table(reader).num_rows == 600_000 and reader.error is None


def test_log(tmp_path, caplog):
    """Warnings and notes, each once, with the name of its event; nothing of it reaches standard error by itself if there is a handler."""
    pa = pytest.importorskip("pyarrow")
    path = write(tmp_path / "p.csv", PRICES)
    reader = dn.read_csv(path, types={"price": "double"}, max_rejects=3)
    with caplog.at_level(logging.DEBUG, logger="dativo_native"):
        assert pa.table(reader).num_rows == 1
        outcome = dn.convert(path, tmp_path / "o.parquet", types={"price": "double"}, max_rejects=3)
    rejected = [record for record in caplog.records if "1 rejected row" in record.getMessage()]
    assert [record.name for record in rejected] == ["dativo_native"] * 2 and {record.levelname for record in rejected} == {"WARNING"}
    assert len({record.event_type for record in rejected}) == 1 and all(record.event_type for record in caplog.records)
    assert "kept nowhere" not in rejected[0].getMessage() and [reject.raw for reject in reader.rejects] == ["2,n/a"]
    assert (outcome.rows_in, outcome.rows_out, outcome.rows_rejected) == (2, 1, 1)
    assert reader.report["warnings"]


def test_progress(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = write(tmp_path / "p.csv", "a,b\n" + "1,2\n" * 400_000)
    seen, threads = [], set()

    def look(now):
        seen.append(now)
        threads.add(threading.get_ident())

    outcome = dn.convert(path, tmp_path / "o.parquet", progress=look)
    assert seen[-1] == dn.Progress(outcome.rows_in, path.stat().st_size, path.stat().st_size)
    assert [now.rows for now in seen] == sorted(now.rows for now in seen) and threads == {threading.get_ident()}
    reader = dn.read_csv(path)
    assert reader.progress == dn.Progress(0, None, None)
    table = pa.table(reader)
    assert reader.progress.rows == reader.report["rows"] == 400_000
    seen.clear()
    outcome = dn.write_parquet(table, tmp_path / "t.parquet", progress=look)
    assert seen[-1].rows == 400_000 and outcome.seconds > 0
    with pytest.raises(TypeError, match="function or True"):
        dn.convert(path, tmp_path / "x.parquet", progress="yes")


@pytest.mark.parametrize("write_file", [dn.write_parquet, dn.write_csv])
@pytest.mark.parametrize("source", ["table", "reader"])
def test_an_exception_in_progress_leaves_the_old_file(write_file, source, tmp_path):
    """Also in the last one, which is told when all rows are written."""
    table = frame(a=[1, 2, 3])
    path = write(tmp_path / "p.csv", "a\n0\n")
    target = tmp_path / ("o.csv" if write_file is dn.write_csv else "o.parquet")
    write_file(frame(a=[0]), target)
    was = target.read_bytes()
    seen = []

    def fail(now):
        seen.append(now.rows)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write_file(table if source == "table" else dn.read_csv(path), target, overwrite=True, progress=fail)
    assert len(seen) == 1 and target.read_bytes() == was
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted({path.name, target.name})


def test_readers_go_to_other_processes(tmp_path):
    pa = pytest.importorskip("pyarrow")
    reader = dn.read_csv(write(tmp_path / "p.csv", PRICES), types={"price": "string"}, strings="view")
    table = pa.table(reader)
    for other in (pickle.loads(pickle.dumps(reader)), copy.deepcopy(reader), copy.copy(reader)):
        assert pa.table(other) == table and other.schema == reader.schema
    assert pickle.loads(pickle.dumps(reader.schema)) == reader.schema
    assert reader.report is not None and copy.copy(reader).report is None


@pytest.mark.parametrize("out, rejects", [("o%20o.csv", "o%20o.csv"), ("o o.csv", "o%20o.csv"), ("o%20o.csv", "o o.csv")])
def test_the_output_is_not_the_list_of_rejects_in_whatever_way_both_are_written(tmp_path, out, rejects):
    path = tmp_path / "in.csv"
    path.write_text("a,b\n1,2\n3\n")
    names = [f"file://{tmp_path}/{name}" if "%" in name else str(tmp_path / name) for name in (out, rejects)]
    with pytest.raises(dn.DativoError, match="would be the output and the list of rejected rows"):
        dn.convert(path, names[0], overwrite=True, max_rejects=5, rejects=names[1], ragged="reject")
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]
