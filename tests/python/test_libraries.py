"""Arrow data to and from the libraries that are there, equal whichever way it went."""

import datetime as dt
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

import pytest

import dativo_native as dn


def test_pyarrow(tmp_path, orders):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq
    reader = dn.read_csv(orders)
    table = pa.table(reader)
    assert table == pa.table(reader), "each stream is a new pass"
    assert pa.schema(reader.schema) == table.schema
    assert table.schema.field("customer").type == pa.string()
    views = pa.table(dn.read_csv(orders, strings="view"))
    assert views.schema.field("customer").type == pa.string_view() and views.cast(table.schema) == table
    for name, data in {"table": table, "stream": pa.RecordBatchReader.from_stream(reader), "reader": reader}.items():
        dn.write_parquet(data, tmp_path / f"{name}.parquet")
        assert pq.read_table(tmp_path / f"{name}.parquet").cast(table.schema) == table
    batch = table.combine_chunks().to_batches()[0].slice(5, 7)
    dn.write_parquet(batch, tmp_path / "batch.parquet")
    assert pq.read_table(tmp_path / "batch.parquet").to_pylist() == batch.to_pylist()
    assert pa.table(dn.read_parquet(tmp_path / "table.parquet")) == table
    assert reader.report["rows"] == 3000 and reader.progress.rows == 3000


def test_texts_of_all_lengths(tmp_path):
    pa = pytest.importorskip("pyarrow")
    texts = [None if i % 7 == 0 else "é" * (i % 40) + "x" * (i % 3) for i in range(20_000)]
    table = pa.table({"i": list(range(len(texts))), "t": texts})
    dn.write_csv(table, tmp_path / "t.csv")
    for strings in ("utf8", "view"):
        back = pa.table(dn.read_csv(tmp_path / "t.csv", strings=strings, types={"t": "string"}))
        back.validate(full=True)
        assert back["t"].to_pylist() == texts


def test_numbers_beside_texts(tmp_path):
    """Where texts are copied everything else is, too."""
    pa = pytest.importorskip("pyarrow")
    n = 10_003
    some = [None if i % 5 == 0 or i > 9_000 else i % 100 for i in range(n)]
    types = [pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.decimal128(9, 2), pa.decimal256(50, 3),
             pa.date32(), pa.timestamp("us"), pa.timestamp("ns", "UTC"), pa.time64("us"), pa.duration("ms")]
    whole = pa.array(some, pa.int8())
    bases = {"halffloat": pa.float64(), "date32[day]": pa.int32()} | {str(t): pa.int64() for t in types if pa.types.is_temporal(t) and t != pa.date32()}
    columns = {str(t): whole.cast(bases.get(str(t), pa.int8())).cast(t) for t in types}
    columns |= {f"all {t}": c.fill_null(c[1]) for t, c in columns.items()}
    columns |= {"bool": [None if i is None else i > 7 for i in some], "all bool": [i % 3 == 0 for i in range(n)],
                "fixed": pa.array([None if i is None else bytes([i] * 5) for i in some], pa.binary(5)), "text": [f"row {i}, a text" for i in range(n)]}
    table = pa.table(columns)
    dn.write_parquet(table, tmp_path / "t.parquet")
    back = pa.table(dn.read_parquet(tmp_path / "t.parquet"))
    back.validate(full=True)
    assert back.schema.field("text").type == pa.string()
    for name in table.column_names:
        assert back[name].cast(table[name].type) == table[name], name
    for only in ({"a": pa.array([], pa.int64()), "b": pa.array([], pa.bool_()), "t": pa.array([], pa.string())}, {"a": [True], "t": ["x"]}):
        dn.write_parquet(pa.table(only), tmp_path / "t.parquet", overwrite=True)
        assert pa.table(dn.read_parquet(tmp_path / "t.parquet")) == pa.table(only)


def test_memory_of_a_table(tmp_path):
    """It holds what is in it, not what it was made from."""
    pytest.importorskip("pyarrow")
    with open(tmp_path / "t.csv", "w", encoding="utf-8") as out:
        out.write("a,b,c,t,u\n")
        out.writelines(f"{i},{i * 7},{i / 4},text {i},{'x' * (i % 50)}\n" for i in range(1_000_000))
    program = """
import os, sys
import pyarrow as pa, dativo_native as dn
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
tables = [pa.table(dn.read_csv(sys.argv[1], threads=2))]
for columns in (None, ["a", "b", "c"]):
    before = resident()
    tables.append(pa.table(dn.read_csv(sys.argv[1], threads=2, columns=columns)))
    print((resident() - before) / tables[-1].nbytes)
"""
    path = os.pathsep.join(filter(None, [str(pathlib.Path(dn.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "t.csv"], check=True, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path})
    with_texts, numbers_alone = map(float, done.stdout.split())
    assert with_texts < 1.4 and numbers_alone < 1.4, done.stdout


def test_texts_as_they_are_requested(tmp_path):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"i": [1, 2, 3], "a": ["x", None, "a text that is longer than a view"], "b": ["", "é", "y"]})
    dn.write_csv(table, tmp_path / "t.csv")
    kinds = [pa.string(), pa.large_string(), pa.string_view()]
    for strings in ("utf8", "view"):
        reader = dn.read_csv(tmp_path / "t.csv", strings=strings)
        for a in kinds:
            for b in kinds:
                asked = pa.schema({"i": pa.int64(), "a": a, "b": b})
                back = pa.RecordBatchReader.from_stream(reader, schema=asked)
                assert back.schema == asked
                back = back.read_all()
                back.validate(full=True)
                assert back.to_pydict() == table.to_pydict()
    for wrong in (pa.schema({"i": pa.int64(), "a": pa.string()}), pa.schema({"i": pa.int64(), "a": pa.string(), "c": pa.string()})):
        with pytest.raises(dn.DativoError, match="requested schema"):
            reader.__arrow_c_stream__(wrong.__arrow_c_schema__())
    unlike = pa.schema({"i": pa.float64(), "a": pa.dictionary(pa.int32(), pa.string()), "b": pa.string()})
    stream = reader.__arrow_c_stream__(unlike.__arrow_c_schema__())
    assert pa.RecordBatchReader._import_from_c_capsule(stream).schema.types == [pa.int64(), pa.string_view(), pa.string()]
    with pytest.raises((TypeError, ValueError)):
        reader.__arrow_c_stream__(3)


def nested(n):
    """Texts and bytes within everything, with nulls at every level, short and long ones."""
    pa = pytest.importorskip("pyarrow")
    chance = random.Random(7)

    def maybe(value):
        return None if chance.random() < 0.2 else value()

    def text():
        return "é" * chance.randrange(12) + "x" * chance.randrange(3)

    def texts():
        return [maybe(text) for _ in range(chance.randrange(4))]

    columns = {
        "t": (pa.string(), lambda: maybe(text)),
        "b": (pa.binary(), lambda: maybe(lambda: chance.randbytes(chance.randrange(30)))),
        "l": (pa.list_(pa.string()), lambda: maybe(texts)),
        "ll": (pa.list_(pa.list_(pa.string())), lambda: maybe(lambda: [maybe(texts) for _ in range(chance.randrange(3))])),
        "s": (pa.struct([("a", pa.string()), ("n", pa.int32()), ("b", pa.list_(pa.binary()))]),
              lambda: maybe(lambda: {"a": maybe(text), "n": maybe(lambda: 3), "b": maybe(lambda: [maybe(lambda: b"y" * 20)])})),
        "m": (pa.map_(pa.string(), pa.string()), lambda: maybe(lambda: [(text() + str(i), maybe(text)) for i in range(chance.randrange(3))])),
        "i": (pa.list_(pa.int64()), lambda: maybe(lambda: [maybe(lambda: 1)])),
    }
    return pa.table({name: pa.array([make() for _ in range(n)], of) for name, (of, make) in columns.items()})


def test_texts_within_others(tmp_path):
    """pandas and most functions of pyarrow know no views, and those within lists, structs and maps are no better."""
    pa = pytest.importorskip("pyarrow")
    table = nested(5000)
    path = tmp_path / "n.parquet"
    dn.write_parquet(table, path, row_group_size=1700)
    plain, views = dn.read_parquet(path), dn.read_parquet(path, strings="view")
    assert "view" not in str(pa.schema(plain)) and "binary_view" in str(pa.schema(views))
    for reader in (plain, views):
        back = pa.table(reader)
        back.validate(full=True)
        assert back.to_pylist() == table.to_pylist()
    asked = pa.schema([(field.name, pa.large_string() if field.name == "t" else pa.list_(pa.field("element", pa.string_view()))
                        if field.name == "l" else field.type) for field in pa.schema(plain)])
    stream = plain.__arrow_c_stream__(asked.__arrow_c_schema__())
    some = pa.RecordBatchReader._import_from_c_capsule(stream)
    assert some.schema == asked and some.read_all().to_pylist() == table.to_pylist()
    pieces = list(pa.RecordBatchReader.from_stream(plain))
    del plain, reader  # what is copied, and what is moved, outlives the pass
    assert pa.Table.from_batches(pieces).slice(4, 99).to_pylist() == table.slice(4, 99).to_pylist()


def flat(n, nulls):
    pa = pytest.importorskip("pyarrow")
    chance = random.Random(n)

    def of(kind, make, since=0):
        return pa.array([None if row >= since and chance.random() < nulls else make() for row in range(n)], kind)

    return pa.table({
        "i": of(pa.int64(), lambda: chance.randrange(-2**63, 2**63)),
        "s": of(pa.int16(), lambda: chance.randrange(-2**15, 2**15), since=n // 2),
        "f": of(pa.float64(), chance.random),
        "y": of(pa.bool_(), lambda: chance.random() < 0.5, since=n - 3),
        "none": pa.nulls(n, pa.string()),
        "t": of(pa.string(), lambda: "é" * chance.randrange(12) + "x" * chance.randrange(3), since=1),
        "long": of(pa.string(), lambda: "z" * chance.randrange(400)),
        "d": of(pa.date32(), lambda: dt.date(1970, 1, 1) + dt.timedelta(chance.randrange(-9999, 9999))),
        "m": of(pa.timestamp("us"), lambda: dt.datetime(2000, 1, 1) + dt.timedelta(0, chance.randrange(10**9), chance.randrange(10**6))),
    })  # fmt: skip


@pytest.mark.parametrize("nulls", [0, 0.2])
@pytest.mark.parametrize("threads", [None, 1])
def test_batches_are_put_together(tmp_path, nulls, threads):
    """Rows of hundreds of blocks: their bits begin anywhere in a byte of the batch they come to, and the first null may be in any."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = flat(30_011, nulls)
    csv, parquet = tmp_path / "f.csv", tmp_path / "f.parquet"
    dn.write_csv(table, csv)
    more = table.append_column("b", pa.array([os.urandom(row % 40) for row in range(table.num_rows)]))
    more = more.append_column("w", pa.array([os.urandom(5) for _ in range(table.num_rows)], pa.binary(5)))
    more = more.append_column("n", pa.nulls(table.num_rows))
    pq.write_table(more, parquet, row_group_size=97)
    columns = {field.name: str(field.type).replace("[us]", "").replace("date32[day]", "date").replace("double", "float64")
               for field in table.schema}  # fmt: skip
    for reader, wanted in ((dn.read_csv(csv, block_bytes=2000, threads=threads, types=columns), table), (dn.read_parquet(parquet, threads=threads), more)):
        stream = pa.RecordBatchReader.from_stream(reader)
        batches = list(stream)
        back = pa.Table.from_batches(batches)
        back.validate(full=True)
        assert back.cast(wanted.schema).equals(wanted)
        assert 3 < len(batches) < 30 and max(batch.nbytes for batch in batches) < 4_000_000
        column = batches[-1].column(5)
        del batches, back, stream
        assert column.to_pylist() == wanted["t"].to_pylist()[-len(column):]  # outlives the rest of its batch


def test_rows_in_front_of_an_error(tmp_path):
    """Rows that were read are handed out, and then the error is, as often as somebody asks."""
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "e.csv"
    path.write_text("a,b\n" + "1,x\n" * 50_000 + "no,x\n")
    reader = dn.read_csv(path, block_bytes=1000, types={"a": "int64"})
    stream = pa.RecordBatchReader.from_stream(reader)
    rows = 0
    with pytest.raises(pa.ArrowException, match="50002"):
        while True:
            rows += stream.read_next_batch().num_rows
    assert 49_000 < rows <= 50_000 and reader.error.line == 50_002
    with pytest.raises(pa.ArrowException):
        stream.read_next_batch()


def test_rows_do_not_wait_for_a_slow_source(tmp_path):
    """What a source has given is handed out before it gives more, be it less than a batch has."""
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "slow.csv"
    os.mkfifo(path)
    taken = [threading.Event() for _ in range(3)]
    waited = []

    def write():
        with open(path, "w") as pipe:
            pipe.write("a,b\n" + "1,x\n" * 400_000)
            pipe.flush()
            for event in taken:
                waited.append(event.wait(60))
                time.sleep(0.2)
                pipe.write("2,y\n" * 100_000)
                pipe.flush()

    writer = threading.Thread(target=write)
    writer.start()
    stream = pa.RecordBatchReader.from_stream(dn.read_csv(path, block_bytes=20_000))
    rows = 0
    for batch in stream:
        rows += batch.num_rows
        for i, event in enumerate(taken):
            if rows > 300_000 + i * 100_000:
                event.set()
    writer.join()
    assert rows == 700_000 and waited == [True] * 3


def test_a_stream_in_a_child_of_fork(tmp_path, environment):
    """It has rows that tasks of its parent put together: the child gets an error, and ends; the parent gets all rows."""
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "f.csv"
    path.write_text("a,b\n" + "".join(f"{i},text {i}\n" for i in range(200_000)))
    code = """
import os, sys, warnings, pyarrow as pa, dativo_native as dn
warnings.simplefilter("ignore")
stream = pa.RecordBatchReader.from_stream(dn.read_csv(sys.argv[1], block_bytes=2000))
rows = stream.read_next_batch().num_rows + stream.read_next_batch().num_rows
child = os.fork()
if child == 0:
    try:
        stream.read_next_batch()
        os._exit(1)
    except pa.ArrowException:
        del stream
        os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert rows + sum(batch.num_rows for batch in stream) == 200_000
"""
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=300, env=environment)


def test_nested_to_each(tmp_path):
    table = nested(50)
    dn.write_parquet(table, tmp_path / "n.parquet")
    reader = dn.read_parquet(tmp_path / "n.parquet")
    pd, pl, duckdb = (pytest.importorskip(name) for name in ("pandas", "polars", "duckdb"))
    assert pd.DataFrame.from_arrow(reader)["t"].isna().sum() == table["t"].null_count
    assert pl.DataFrame(reader)["l"].to_list() == table["l"].to_pylist()
    assert [row[0] for row in duckdb.sql("select ll from reader").fetchall()] == table["ll"].to_pylist()


def test_what_is_no_table(tmp_path):
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    for data in (pa.array([1]), pa.chunked_array([["a"]]), pl.Series("a", [1])):
        with pytest.raises(dn.DativoError, match="not a table") as caught:
            dn.write_parquet(data, tmp_path / "x.parquet")
        assert caught.value.option == "data"
    with pytest.raises(dn.DativoError, match="at least one column"):
        dn.write_parquet(pa.table({}), tmp_path / "x.parquet")
    with pytest.raises(dn.DativoError) as caught:  # which Polars hands out as addresses
        dn.write_parquet(pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}), tmp_path / "x.parquet")
    assert caught.value.column == "o"
    with pytest.raises(dn.DativoError, match="cast the column to the type of its values") as caught:
        dn.write_csv(pl.DataFrame({"c": pl.Series(["a"], dtype=pl.Categorical)}), tmp_path / "x.csv")
    assert caught.value.column == "c"
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        dn.write_parquet([1], tmp_path / "x.parquet")
    assert not list(tmp_path.iterdir())


def test_a_table_in_one_batch_is_as_one_in_many(tmp_path):
    """A batch is checked and encoded piece by piece, so texts are in many buffers, and a null may be in any piece."""
    pa = pytest.importorskip("pyarrow")
    n = 150_000
    texts = [None if i % 11 == 0 else f"text {i * 7919 % n} of any length" * (i % 3) for i in range(n)]
    table = pa.table({"i": range(n), "t": pa.array(texts, pa.string_view())})
    whole, pieces = (tmp_path / "whole.parquet", tmp_path / "pieces.parquet")
    dn.write_parquet(table.combine_chunks(), whole, row_group_size=70_000)
    dn.write_parquet(pa.Table.from_batches(table.to_batches(max_chunksize=999)), pieces, row_group_size=70_000)
    assert whole.read_bytes() == pieces.read_bytes()
    assert pa.table(dn.read_parquet(whole))["t"].to_pylist() == texts
    required = pa.schema([("i", pa.int64()), pa.field("t", pa.string_view(), nullable=False)])
    for row in (0, 11, 99_990):
        nulls = [None if i == row else "x" for i in range(n)]
        batch = pa.record_batch([pa.array(range(n)), pa.array(nulls, pa.string_view())], required)
        with pytest.raises(dn.DativoError, match=f"row {row + 1}: a null") as caught:
            dn.write_parquet(batch, tmp_path / "null.parquet")
        assert (caught.value.code, caught.value.row, caught.value.column) == ("data", row + 1, "t")
        assert not (tmp_path / "null.parquet").exists()


def test_an_error_of_the_stream(tmp_path):
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "p.csv"
    path.write_text("id,price\n1,9.50\n2,n/a\n")
    reader = dn.read_csv(path, types={"price": "double"})
    with pytest.raises(pa.ArrowException, match="line 3"):
        pa.table(reader)
    assert isinstance(reader.error, dn.DativoError) and reader.error.value == "n/a"
    allowed = dn.read_csv(path, types={"price": "double"}, max_rejects=1)
    assert pa.table(allowed).num_rows == 1
    assert [(one.line, one.raw) for one in allowed.rejects] == [(3, "2,n/a")]
    path.write_text("id,price\n1,9.50\n2,n/a\n3,x\n")
    with pytest.raises(pa.ArrowException, match="max_rejects"):
        pa.table(allowed)
    assert [(one.line, one.raw) for one in allowed.rejects] == [(3, "2,n/a")]


def test_a_stream_is_read_once(orders):
    stream = dn.read_csv(orders).__arrow_c_stream__()

    class Once:
        def __arrow_c_stream__(self, requested_schema=None):
            return stream

    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        dn.write_parquet(Once(), folder + "/a.parquet")
        with pytest.raises(ValueError, match="once"):
            dn.write_parquet(Once(), folder + "/b.parquet")


def test_polars(tmp_path, orders):
    pl = pytest.importorskip("polars")
    for strings in ("utf8", "view"):
        frame = pl.DataFrame(dn.read_csv(orders, strings=strings))
        assert frame.shape == (3000, 10)
        dn.write_parquet(frame, tmp_path / f"{strings}.parquet", compression="zstd")
        assert pl.read_parquet(tmp_path / f"{strings}.parquet").equals(frame)
    dn.write_csv(frame, tmp_path / "o.csv")
    assert pl.DataFrame(dn.read_csv(tmp_path / "o.csv")).equals(frame)


def test_nulls_of_polars(tmp_path):
    """Its arrays of nulls have one buffer, where Arrow says none."""
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"n": [None, None, None], "s": [{"n": None}, None, {"n": None}], "l": [[None], [], None], "i": [1, None, 3]})
    assert str(table.schema["n"]) == "Null"
    assert dn.write_parquet(table, tmp_path / "o.parquet", verify=True).rows_out == 3
    assert pl.read_parquet(tmp_path / "o.parquet").equals(table)
    assert dn.write_csv(table.select("n", "i"), tmp_path / "o.csv").rows_out == 3
    assert (tmp_path / "o.csv").read_text() == "n,i\n,1\n,\n,3\n"


def test_duckdb(tmp_path, orders):
    duckdb = pytest.importorskip("duckdb")
    r = dn.read_csv(orders)  # noqa: F841 (duckdb finds it by its name)
    assert duckdb.sql("select count(*), sum(order_id) from r").fetchall() == [(3000, sum(range(100001, 103001)))]
    relation = duckdb.sql("select order_id, customer from r where order_id < 100011 order by order_id")
    if not hasattr(relation, "__arrow_c_stream__"):
        pytest.skip("this DuckDB hands out no streams")
    try:
        dn.write_parquet(relation, tmp_path / "d.parquet")
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    assert duckdb.sql(f"from '{tmp_path}/d.parquet'").fetchall() == relation.fetchall()


def test_pandas(tmp_path, orders):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="pandas itself needs it for Arrow data")
    frame = pd.DataFrame.from_arrow(dn.read_csv(orders))
    dn.write_parquet(frame, tmp_path / "p.parquet")
    assert dn.inspect(tmp_path / "p.parquet")["record_count"] == len(frame) == 3000
