"""Jobs of a stock Python host that go wrong, at every place and in every way: none ends with exit code 0 and rows missing."""

import json
import os
import pathlib
import resource

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import stock_job
from stock_host import PARQUET_READER, PLUGINS, READER, WRITER, load, reader_config, writer_config

FAKE = pathlib.Path(os.environ["DN_FAKES"]) / "libfake_answers.so"
CSV_WRITER = PLUGINS / "libcsv_writer_plugin.so"
SCHEMA = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
N, SIZE = 30, 4  # rows, and of a batch
ROWS = [f"{i},n{i}" for i in range(N)]
PLACES = {"first": 0, "second batch": SIZE, "end of a batch": 2 * SIZE - 1, "last": N - 1}


def run(tmp_path, config, reader=READER, writer=WRITER, **options):
    out = tmp_path / "out"
    code, rows, files = stock_job.run(load(reader), config, load(writer), writer_config(out, SCHEMA, options=options))
    counted = sum(entry.get("record_count", 0) if isinstance(entry, dict) else 0 for entry in files)
    return code, rows, counted


def must_fail(tmp_path, config, **more):
    code, rows, _ = run(tmp_path, config, **more)
    assert code == 2, f"exit code {code}, {rows} of {N} rows"
    for path in (tmp_path / "out").glob("[!.]*.parquet"):  # what was acknowledged before is whole
        assert set(pq.read_table(path)["name"].to_pylist()) <= {f"n{i}" for i in range(N)}


def csv(tmp_path, rows, head="id,name", name="a.csv"):
    path = tmp_path / name
    data = [row if isinstance(row, bytes) else row.encode() for row in [head, *rows]]
    path.write_bytes(b"\n".join(data) + b"\n")
    return path


def config_of(*paths, **options):
    return reader_config(*paths, options={"chunk_size": SIZE, **options})


# ---- that the host above would not notice what plugins must not do ----


@pytest.mark.parametrize("texts, code, rows", [
    ([], 2, 0), (['[{"id":1}]'], 0, 1), (['[{"id":1}]', "[]", '[{"id":2}]'], 0, 1), (['[{"id":1}]', "{}", '[{"id":2}]'], 0, 1),
    (['[{"id":1}]', "null", '[{"id":2}]'], 0, 1), (['[{"id":1}]', "0", '[{"id":2}]'], 0, 1), (['[{"id":1}]', {"hex": "5bff5d"}, '[{"id":2}]'], 0, 1),
    (['[{"id":1}]', '{"error":"x"}'], 2, 1), (['[{"id":1}]', '["x"]'], 2, 1), (['[{"id":1}]', "42"], 2, 1), (['[{"id":1}]', ""], 2, 1),
    (['[{"id":1}]', "DATIVO_PLUGIN_ERROR {}"], 2, 1)])
def test_the_host_is_as_careless_as_hosts_are(tmp_path, texts, code, rows):
    (tmp_path / "in").touch()
    config = reader_config(tmp_path / "in", options={"texts": texts})
    assert run(tmp_path, config, FAKE)[:2] == (code, rows)


# ---- the CSV reader ----


def test_without_an_error(tmp_path):
    assert run(tmp_path, config_of(csv(tmp_path, ROWS))) == (0, N, N)


BROKEN_ROWS = {
    "ragged": "1", "too many fields": "1,n1,x", "open quote": '1,"n1', "behind a quote": '1,"n1"x', "bad UTF-8": b"1,\xff", "half a character": b"1,\xc3",
    "surrogate": b"1,\xed\xa0\x80"}


@pytest.mark.parametrize("block_bytes", [1, 64, 1 << 19])
@pytest.mark.parametrize("what", BROKEN_ROWS)
def test_a_broken_row_anywhere(tmp_path, what, block_bytes):
    for place in PLACES.values():
        rows = [*ROWS[:place], BROKEN_ROWS[what], *ROWS[place + 1:]]
        strict = {"strict": True} if what == "behind a quote" else {}
        must_fail(tmp_path, config_of(csv(tmp_path, rows), block_bytes=block_bytes, **strict))


@pytest.mark.parametrize("inference", ["lossless", "column"])
@pytest.mark.parametrize("place", PLACES)
def test_a_value_that_does_not_fit(tmp_path, place, inference):
    i = PLACES[place]
    path = csv(tmp_path, [*ROWS[:i], "x,n1", *ROWS[i + 1:]])
    must_fail(tmp_path, config_of(path, types={"id": "int64"}, inference=inference))
    path = csv(tmp_path, [*ROWS[:i], ",n1", *ROWS[i + 1:]])
    must_fail(tmp_path, config_of(path, required=["id"], inference=inference))


@pytest.mark.parametrize("config", [
    {"delimiter": ""}, {"delimeter": ","}, {"encoding": "utf-9"}, {"chunk_size": 0}, {"columns": ["gone"]}, {"types": {"id": "integr"}}, {"types": {"gone": "date"}}])
def test_a_configuration_that_is_wrong(tmp_path, config):
    must_fail(tmp_path, config_of(csv(tmp_path, ROWS), **config))


def test_files_that_are_wrong(tmp_path):
    good = csv(tmp_path, ROWS)
    (tmp_path / "folder").mkdir()
    (tmp_path / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03K")
    other = csv(tmp_path, ["1,2,3"], "id,name,more", "other.csv")
    for bad in (tmp_path / "none.csv", tmp_path / "folder", tmp_path / "cut.csv.gz", other):
        must_fail(tmp_path, config_of(bad) if bad != other else config_of(good, other))
        must_fail(tmp_path, config_of(good, bad))
    for files in ([], [{}], [{"path": None}], {}):
        must_fail(tmp_path, reader_config(files=files))
    must_fail(tmp_path, {**config_of(good), "type": "postgres"})


def test_a_file_that_is_cut_while_it_is_read(tmp_path):
    path = csv(tmp_path, [f"{i},{'n' * 100}" for i in range(200_000)])
    lib = load(READER)
    reader = lib.create_reader(json.dumps(reader_config(path, options={"chunk_size": 100})).encode())
    batches = stock_job.extract(lib, reader)
    next(batches)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(json.JSONDecodeError):
        for _ in batches:
            pass
    lib.free_reader(reader)


# ---- the Parquet reader ----


def test_parquet_files_that_are_wrong(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": range(N), "name": [f"n{i}" for i in range(N)]}), path, row_group_size=SIZE, compression="none", use_dictionary=False,
                   write_page_checksum=True)
    whole = path.read_bytes()

    def job(data):
        path.write_bytes(data)
        return run(tmp_path, reader_config(path, type="parquet", options={"chunk_size": SIZE}), PARQUET_READER)

    assert job(whole) == (0, N, N)
    damaged = whole.replace(b"n17", b"m17", 1)
    for data in (b"", whole[:-1], whole[: len(whole) // 2], b"x" + whole[1:], damaged):
        assert job(data)[0] == 2


# ---- writers ----


@pytest.mark.parametrize("writer", [WRITER, CSV_WRITER], ids=["parquet", "csv"])
def test_writers_that_cannot_write(tmp_path, writer):
    (tmp_path / "file").write_text("no folder")
    lib, source = load(writer), config_of(csv(tmp_path, ROWS))
    wrong = [writer_config(tmp_path / "file" / "x", SCHEMA, file_format=None), writer_config(tmp_path, SCHEMA, file_format="avro"),
             writer_config(tmp_path, SCHEMA, options={"typo": 1}, file_format=None), writer_config("gs://x/y", SCHEMA, file_format=None),
             writer_config(tmp_path, [{"name": "id", "type": "date"}], file_format=None), writer_config(tmp_path, [{"name": "a"}, {"name": "a"}], file_format=None),
             {**writer_config(tmp_path, SCHEMA, file_format=None), "asset_name": ""}, writer_config("/proc/x", SCHEMA, file_format=None)]
    for config in wrong:
        assert stock_job.run(load(READER), source, lib, config)[0] == 2, config
    good = writer_config(tmp_path / "good", SCHEMA, file_format=None)
    code, rows, files = stock_job.run(load(READER), source, lib, good)
    assert (code, rows, sum(entry["record_count"] for entry in files)) == (0, N, N)


@pytest.mark.parametrize("place", PLACES)
def test_a_value_that_the_writer_does_not_take(tmp_path, place):
    i = PLACES[place]
    must_fail(tmp_path, config_of(csv(tmp_path, [*ROWS[:i], "1.5,n1", *ROWS[i + 1:]])))


@pytest.mark.parametrize("writer", [WRITER, CSV_WRITER], ids=["parquet", "csv"])
@pytest.mark.parametrize("most", [0, 10, 300])
def test_a_disk_that_is_full(tmp_path, writer, most):
    """Files may have no more bytes: the first batch, or none, is written."""
    source = config_of(csv(tmp_path, ROWS))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = [{"id": i, "name": "n" * 1000 + str(i)} for i in range(50)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        lib = load(writer)
        handle = lib.create_writer(json.dumps(writer_config(tmp_path / "out", SCHEMA, file_format=None, options={})).encode())
        value = stock_job.text_of(lib, lib.write_batch(handle, json.dumps({"records": big, "file_counter": 0}).encode()))
        lib.free_writer(handle)
        code, _, _ = stock_job.run(load(READER), source, lib, writer_config(tmp_path / "other", SCHEMA, file_format=None)) if most == 0 else (2, 0, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert value.startswith(b"DATIVO_PLUGIN_ERROR ") and code == 2
    assert not [p for p in (tmp_path / "out").glob("[!.]*")]


def test_a_folder_that_goes_away(tmp_path):
    lib = load(WRITER)
    handle = lib.create_writer(json.dumps(writer_config(tmp_path / "out", SCHEMA)).encode())
    assert json.loads(stock_job.text_of(lib, lib.write_batch(handle, b'[{"id":1}]')))
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("a file now")
    assert stock_job.text_of(lib, lib.write_batch(handle, b'[{"id":2}]')).startswith(b"DATIVO_PLUGIN_ERROR ")
    lib.free_writer(handle)
