"""The plugins from and to S3 under the calls of a stock Python host, which leaves ${VAR} in a connection as it is."""
import http.server
import io
import json
import os
import random
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import s3_server
from conftest import KEY_ID, SECRET

sys.path.insert(0, os.path.join(os.environ["DN_SOURCE"], "tests", "abi"))
from stock_host import ERROR_PREFIX, PARQUET_READER, PLUGINS, WRITER, StockReader, StockWriter, load, take  # noqa: E402

CSV_WRITER = PLUGINS / "libcsv_writer_plugin.so"
BASE = "s3://bucket/sales/shop/my_data"
FILE = "sales/shop/my_data/my_data_{:06}.parquet"
SCHEMA = [{"name": "id", "type": "integer", "required": True}, {"name": "name", "type": "string"}]
NESTED = {"s3": {"endpoint": "${S3_ENDPOINT}", "bucket": "bucket", "access_key_id": "${AWS_ACCESS_KEY_ID}",
                 "secret_access_key": "${AWS_SECRET_ACCESS_KEY}", "region": "${AWS_REGION}", "path_style_access": True}}


@pytest.fixture
def server(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("AWS_", "S3_", "MINIO_", "DATIVO_")):
            monkeypatch.delenv(name)
    started = s3_server.Server().start()
    for name, value in {"S3_ENDPOINT": started.url, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET,
                        "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path), "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    yield started
    started.shutdown()
    assert started.uploads["bucket"] == {}, "an upload is open"


def config(connection=NESTED, base=BASE, options=None, **more):
    return {"asset_name": "my_data", "schema": SCHEMA, "output_base": base, "target_type": "iceberg", "connection": connection,
            "file_format": "parquet", "engine": {"type": "native", "options": {"compression": "zstd", **(options or {})}}, **more}


def records(*ids):
    return [{"id": i, "name": f"name {i}"} for i in ids]


def ids(server, key):
    return pq.read_table(io.BytesIO(server.buckets["bucket"][key].data)).column("id").to_pylist()


def keys(server):
    """What readers of a table see; beside it are the list of its runs and the markers of those under way."""
    return sorted(key for key in server.buckets["bucket"] if "/." not in key)


def hidden(server):
    return sorted(key for key in server.buckets["bucket"] if "/." in key)


def run(*idents, **more):
    writer = StockWriter(config(**more))
    for counter, ident in enumerate(idents):
        writer.write_batch(records(ident), counter)


def rows(server):
    return sorted(ident for key in keys(server) for ident in ids(server, key))


def in_a_process(server, tmp_path, *idents, end="os._exit(0)"):
    """Writes batches, does not free its writer, and ends so."""
    code = f"""import ctypes, json, os
from stock_host import StockWriter
libc = ctypes.CDLL(None)
writer = StockWriter(json.loads({json.dumps(config())!r}))
for counter, ident in enumerate({list(idents)}):
    writer.write_batch([{{"id": ident, "name": "x"}}], counter)
{end}
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False)


def put(server, key, data, run=None):
    server.buckets["bucket"][key] = s3_server.Object(data, f'"{len(data)}x{hash(data) & 0xffff}"', {"x-amz-meta-dativo-run": run} if run else {})


def loud(handle, payload, capfd, *says):
    """What the host cannot take for an empty answer, in its exception and on stderr; no secret in either."""
    value = handle.raw(payload) if payload is not None else handle.raw()
    assert value.startswith(ERROR_PREFIX.encode())
    with pytest.raises(json.JSONDecodeError):
        json.loads(value)
    error = handle.last_error()
    for word in says:
        assert word in error["message"], error
    seen = value.decode() + json.dumps(error) + capfd.readouterr().err
    assert SECRET not in seen and "other-secret" not in seen, seen
    return error


def fails(server, writer, capfd, *says):
    error = loud(writer, json.dumps({"records": records(1), "file_counter": 0}).encode(), capfd, *says)
    assert keys(server) == []
    return error


def test_the_calls_of_the_host(server):
    """host.md: create_writer, write_batch with a growing counter, free_writer; the files are there when write_batch returns."""
    writer = StockWriter(config())
    files = []
    for batch in (records(1, 2, 3), records(4), records(5, 6)):
        made = writer.write_batch(batch, len(files))
        assert made[0]["record_count"] == len(batch) and len(made) == 1
        key = FILE.format(len(files))
        assert made[0]["path"] == f"s3://bucket/{key}" and made[0]["size_bytes"] == len(server.buckets["bucket"][key].data)
        assert ids(server, key) == [r["id"] for r in batch]
        files += made
    table = pa.concat_tables(pq.read_table(io.BytesIO(server.buckets["bucket"][FILE.format(i)].data)) for i in range(3))
    assert table.to_pylist() == records(1, 2, 3, 4, 5, 6)
    assert server.buckets["bucket"][FILE.format(0)].headers["content-type"] == "application/vnd.apache.parquet"
    del writer
    assert keys(server) == [FILE.format(i) for i in range(3)] and server.problems == []


def test_a_flat_connection_with_the_keys_in_it(server, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "S3_ENDPOINT"):
        monkeypatch.delenv(name)
    flat = {"endpoint": server.url.removeprefix("http://"), "bucket": "test-bucket", "access_key": KEY_ID, "secret_key": SECRET,
            "secure": False, "path_style_access": True, "prefix": "raw/csv/product", "region": "us-east-1"}
    writer = StockWriter(config(flat, file_format=None, target_type="minio"))
    assert writer.write_batch(records(1), 0)[0]["path"] == f"s3://bucket/{FILE.format(0)}"


def test_what_the_connection_leaves_open_the_environment_of_the_host_says(server, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("MINIO_ACCESS_KEY", KEY_ID)
    monkeypatch.setenv("MINIO_SECRET_KEY", SECRET)
    monkeypatch.setenv("MINIO_ENDPOINT", os.environ["S3_ENDPOINT"])
    monkeypatch.delenv("S3_ENDPOINT")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for connection in (NESTED, {"endpoint": "s3.amazonaws.com", "region": "${NOWHERE:-us-east-1}"}, {}):
        StockWriter(config(connection)).write_batch(records(1), 0)
    assert keys(server) == [FILE.format(0)]


def test_the_bucket_of_the_name_may_be_a_variable(server, monkeypatch):
    monkeypatch.setenv("S3_BUCKET", "bucket")
    made = StockWriter(config(base="s3://${S3_BUCKET}/a/${NOT}/t")).write_batch(records(1), 0)
    assert made[0]["path"] == "s3://bucket/a/${NOT}/t/my_data_000000.parquet" and keys(server) == [made[0]["path"][12:]]


@pytest.mark.parametrize("change, says", [
    ({"secret_access_key": "other-secret"}, ["SignatureDoesNotMatch", "s3://bucket/", "secret key"]),
    ({"access_key_id": "AKIDOTHER"}, ["InvalidAccessKeyId"]),
    ({"endpoint": "${NOWHERE_AT_ALL}"}, ["NOWHERE_AT_ALL", "S3_ENDPOINT"]),
    ({"endpoint": "http://${NOWHERE_AT_ALL}:9000"}, ["connection.s3.endpoint", "NOWHERE_AT_ALL"]),
    ({"acces_key_id": KEY_ID}, ["acces_key_id", "connection.s3", "access_key_id"]),
    ({"secret_access_key": None}, ["connection.s3.access_key_id", "secret_access_key"]),
    ({"region": 7}, ["connection.s3.region", "text"]),
    ({"secure": "perhaps"}, ["connection.s3.secure", "true or false"]),
])
def test_a_connection_that_is_wrong_is_loud(server, capfd, monkeypatch, change, says):
    monkeypatch.setenv("S3_ENDPOINT", "" if "NOWHERE" in str(change) else server.url)
    fails(server, StockWriter(config({"s3": {**NESTED["s3"], **change}})), capfd, *says)


def test_minio_has_to_be_somewhere(server, capfd, monkeypatch):
    monkeypatch.delenv("S3_ENDPOINT")
    fails(server, StockWriter(config({"bucket": "b"}, target_type="minio")), capfd, "MinIO", "endpoint")


def test_no_built_in_keys(server, capfd, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    fails(server, StockWriter(config()), capfd, "no credentials")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    fails(server, StockWriter(config()), capfd, "access_key_id has no secret_access_key beside it", "AWS_SECRET_ACCESS_KEY is not set")


def test_a_bucket_that_is_not_there(server, capfd):
    fails(server, StockWriter(config(base="s3://elsewhere/t")), capfd, "NoSuchBucket", "s3://elsewhere/t")


def test_a_failure_of_the_upload_is_loud_and_for_good(server, capfd):
    writer = StockWriter(config())
    writer.write_batch(records(1), 0)
    server.denied.add(FILE.format(1))
    payload = json.dumps({"records": records(2), "file_counter": 1}).encode()
    loud(writer, payload, capfd, FILE.format(1), "AccessDenied")
    server.denied.clear()
    loud(writer, payload, capfd, "AccessDenied")
    assert keys(server) == [FILE.format(0)]


LIST = "sales/shop/my_data/.my_data.parquet.run"


def test_a_run_that_is_repeated_leaves_its_rows_alone(server):
    """Also where it has fewer batches."""
    for idents in ((1, 2, 3), (10, 11, 12, 13), (20,), (30, 31)):
        run(*idents)
        assert rows(server) == list(idents) and hidden(server) == [LIST]


def test_nothing_goes_before_the_end(server):
    run(1, 2, 3)
    before = dict(server.buckets["bucket"])
    writer = StockWriter(config())
    del writer
    assert server.buckets["bucket"] == before  # a run that wrote nothing replaces nothing
    writer = StockWriter(config())
    writer.write_batch(records(7), 0)
    assert rows(server) == [1, 2, 3, 7]
    assert all(server.buckets["bucket"][key] is made for key, made in before.items())
    del writer
    assert rows(server) == [7]


@pytest.mark.parametrize("failure", ["error", "os._exit(0)", "libc.exit(2)"])
def test_a_run_that_failed_leaves_the_earlier_ones_objects(server, failure, capfd, tmp_path):
    """And what it had acknowledged, until a run is finished."""
    run(1, 2, 3)
    before = {key: server.buckets["bucket"][key] for key in keys(server)}
    if failure == "error":
        writer = StockWriter(config())
        writer.write_batch(records(10), 0)
        writer.write_batch(records(11), 1)
        loud(writer, b'[{"id":"x"}]', capfd, "'id'")
        del writer
    else:
        in_a_process(server, tmp_path, 10, 11, end=failure)
    assert rows(server) == [1, 2, 3, 10, 11]
    assert all(server.buckets["bucket"][key] is made for key, made in before.items())
    run(7)
    assert rows(server) == [7] and hidden(server) == [LIST]


def test_a_process_that_ends_well_without_freeing(server, tmp_path):
    run(1, 2, 3)
    in_a_process(server, tmp_path, 4, end="libc.exit(0)")
    assert rows(server) == [4] and hidden(server) == [LIST]


def test_a_file_of_the_run_is_never_replaced(server):
    a, b = StockWriter(config()), StockWriter(config())
    a.write_batch(records(1), 0)
    c = StockWriter(config())
    b.write_batch(records(2), 0)
    c.write_batch(records(3), 0)
    a.write_batch(records(4), 0)
    assert sorted(ids(server, key)[0] for key in keys(server)) == [1, 2, 3, 4]
    assert keys(server) == sorted([FILE.format(0)] + [FILE.format(0).replace(".", f"-{i}.") for i in (1, 2, 3)])
    del a, b, c
    run(5)
    assert rows(server) == [5]


def test_interleaved_writers(server):
    """Whatever the order of their batches and ends, what was acknowledged is there as long as one of them is open, and behind that."""
    pick = random.Random(7)
    for n_round in range(4):
        writers, counters, expected = [StockWriter(config()), StockWriter(config())], [0, 0], []
        for n in range(50):
            i = pick.randrange(2)
            ident = 100 * n_round + n
            writers[i].write_batch(records(ident), counters[i])
            counters[i] += 1
            expected.append(ident)
        del writers[pick.randrange(2)]
        assert set(rows(server)) >= set(expected)
        del writers
        assert rows(server) == expected


def test_writers_of_two_processes(server, tmp_path, capfd):
    """One that comes while another one is at it touches nothing of it; the marker tells them, as long as its process lives."""
    run(1, 2)
    first = StockWriter(config())
    first.write_batch(records(3), 0)
    in_a_process(server, tmp_path, 4, 5, end="del writer")
    assert rows(server) == [1, 2, 3, 4, 5]
    assert "another run writes this table" in capfd.readouterr().err
    first.write_batch(records(6), 1)
    del first
    assert rows(server) == [3, 4, 5, 6]
    run(7)
    assert rows(server) == [7] and hidden(server) == [LIST]


def test_a_writer_that_joins_asks_for_no_object(server):
    """Its own process's marker is no killed run's, and what is known of the run need not be read again."""
    first = StockWriter(config())
    for counter in range(3):
        first.write_batch(records(counter), counter)
    before = len(server.seen)
    second = StockWriter(config())
    second.write_batch(records(3), 3)
    asked = [path for operation, path, _ in server.seen[before:] if operation == "head"]
    del first, second
    assert asked == [f"/bucket/{FILE.format(3)}"] and rows(server) == [0, 1, 2, 3]


def test_one_bucket_at_two_addresses(server, capfd):
    """Runs of one process that do not know each other remove nothing of each other's."""
    run(0)
    at = {"s3": {**NESTED["s3"], "endpoint": server.url.replace("127.0.0.1", "localhost")}}
    first = StockWriter(config())
    first.write_batch(records(1), 1)
    second = StockWriter(config(connection=at))
    second.write_batch(records(2), 2)
    del second
    assert rows(server) == [0, 1, 2] and "another run writes this table" in capfd.readouterr().err
    first.write_batch(records(3), 3)
    del first
    assert rows(server) == [1, 2, 3]
    run(4)
    assert rows(server) == [4] and hidden(server) == [LIST]


@pytest.mark.parametrize("old", [False, True])
def test_a_writer_of_another_machine(server, old):
    """Whether it lives nobody can tell: it counts as living for half an hour behind its last sign."""
    run(1)
    marker_put(server, "x", 1801 if old else 1700)
    run(2)
    assert rows(server) == ([2] if old else [1, 2])
    assert (LIST + ".x" in hidden(server)) is not old


def marker_put(server, name, age):
    """Of a run of another machine, with its last sign so many seconds ago."""
    put(server, f"{LIST}.{name}", json.dumps({"machine": "another", "pids": "x", "pid": 1, "started": "1", "run": name}).encode())
    server.buckets["bucket"][f"{LIST}.{name}"].time = time.time() - age


def test_what_a_killed_run_left_is_not_forgotten(server):
    """By a run that removes nothing because another machine may be at it."""
    run(1)
    for name, age in (("killed", 1801), ("alive", 0)):
        marker_put(server, name, age)
    put(server, FILE.format(7), server.buckets["bucket"][FILE.format(0)].data, run="killed")
    run(2)
    assert rows(server) == [1, 1, 2]
    del server.buckets["bucket"][f"{LIST}.alive"]
    run(3)
    assert rows(server) == [3] and hidden(server) == [LIST]


def test_what_is_added_behind_a_killed_run_stays(server, tmp_path):
    """By a writer that replaces nothing: it is not the killed run's, which goes with the next one."""
    run(1)
    in_a_process(server, tmp_path, 4, end="os._exit(0)")
    writer = StockWriter(config(options={"overwrite": False}))
    writer.write_batch(records(5), 7)
    del writer
    assert rows(server) == [1, 4, 5]
    run(3)
    assert rows(server) == [3, 5] and hidden(server) == [LIST]


def test_a_service_that_keeps_no_metadata(server, tmp_path, capfd):
    """What a killed run left is not known there: nothing is removed for that, and a word is said."""
    run(1)
    in_a_process(server, tmp_path, 2, 3)
    for key in keys(server):
        server.buckets["bucket"][key].headers.pop("x-amz-meta-dativo-run")
    capfd.readouterr()
    run(4)
    said = capfd.readouterr().err
    assert rows(server) == [2, 3, 4]
    assert "objects_of_no_run" in said and "was killed" in said
    run(5)
    assert "objects_of_no_run" not in capfd.readouterr().err


def test_what_others_made_while_a_killed_run_counted_as_living_stays(server, tmp_path):
    """Whatever name and time it has, and whatever the clocks say: what is a killed run's says so itself."""
    run(1)
    data = server.buckets["bucket"][FILE.format(0)].data
    marker_put(server, "killed", 100)
    put(server, FILE.format(5), data, run="killed")
    writer = StockWriter(config(options={"overwrite": False}))
    writer.write_batch(records(6), 6)
    del writer
    put(server, FILE.format(7), data)
    put(server, FILE.format(8), data, run="another")
    server.buckets["bucket"][f"{LIST}.killed"].time = time.time() - 1801
    run(9)
    assert keys(server) == sorted([FILE.format(i) for i in (6, 7, 8)] + [FILE.format(0).replace(".", "-1.")])
    assert rows(server) == [1, 1, 6, 9] and hidden(server) == [LIST]


def test_who_may_not_ask_what_a_killed_run_left_gets_an_error(server, capfd):
    """Before anything is written; and at the end, before anything is removed."""
    run(1)
    marker_put(server, "killed", 1801)
    put(server, FILE.format(5), server.buckets["bucket"][FILE.format(0)].data, run="killed")
    before = dict(server.buckets["bucket"])
    server.denied = {FILE.format(5)}
    loud(StockWriter(config()), json.dumps({"records": records(2), "file_counter": 0}).encode(), capfd, FILE.format(5), "permission")
    assert server.buckets["bucket"] == before
    server.denied = set()
    writer = StockWriter(config())
    writer.write_batch(records(2), 0)
    server.denied = {f"{LIST}.killed"}
    del writer
    assert rows(server) == [1, 1, 2] and "earlier_files_kept" in capfd.readouterr().err
    server.denied = set()
    run(3)
    assert rows(server) == [3]


@pytest.mark.parametrize("ends", [False, True])
def test_a_run_that_gives_a_sign_after_all_keeps_its_objects(server, ends):
    """Half an hour without a batch looks like a kill.  Another run that is about to remove what it left looks again."""
    run(1)
    marker_put(server, "slow", 1801)
    put(server, FILE.format(5), server.buckets["bucket"][FILE.format(0)].data, run="slow")
    writer = StockWriter(config())
    writer.write_batch(records(2), 0)
    if ends:
        del server.buckets["bucket"][f"{LIST}.slow"]
    else:
        put(server, f"{LIST}.slow", json.dumps({"machine": "another", "pids": "x", "pid": 1, "started": "1", "run": "slow", "sign": 1}).encode())
    del writer
    assert rows(server) == [1, 1, 2]


CLOCK = """#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
double ahead;
int clock_gettime(clockid_t id, struct timespec *out)
{
    const int failed = (int)syscall(SYS_clock_gettime, id, out);
    out->tv_sec += id == CLOCK_MONOTONIC ? (time_t)ahead : 0;
    return failed;
}
"""


@pytest.mark.skipif(bool(os.environ.get("DN_SANITIZED")), reason="its library has to be the first one")
@pytest.mark.parametrize("how", ["sign", "end", "lives"])
def test_a_run_that_was_taken_for_ended_learns_it(server, tmp_path, how):
    """With its next sign, which comes every five minutes with a batch, or at its end."""
    (tmp_path / "clock.c").write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "clock.so", tmp_path / "clock.c"], check=True)
    code = f"""import ctypes, json, sys
from stock_host import StockWriter
writer = StockWriter(json.loads({json.dumps(config())!r}))
writer.write_batch([{{"id": 1, "name": "x"}}], 0)
print("waits", flush=True)
sys.stdin.readline()
if {how != "end"}:
    ctypes.c_double.in_dll(ctypes.CDLL({str(tmp_path / "clock.so")!r}), "ahead").value = 301
    print(writer.raw(json.dumps({{"records": [{{"id": 2, "name": "x"}}], "file_counter": 1}}).encode()).decode())
del writer
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LD_PRELOAD": str(tmp_path / "clock.so")}
    slow = subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert slow.stdout.readline() == "waits\n"
    marker = next(key for key in hidden(server) if key != LIST)
    before = server.buckets["bucket"][marker]
    if how != "lives":
        del server.buckets["bucket"][marker]
    out, err = slow.communicate("go\n")
    if how == "lives":
        assert "path" in out and "run_taken" not in err and rows(server) == [1, 2] and before.data
    elif how == "sign":
        assert ERROR_PREFIX in out and "has taken this run for ended" in out
    else:
        assert "run_taken_for_ended" in err and "run it again" in err


def test_others_objects_stay(server):
    others = ["my_data_202401.parquet", "my_data.parquet", "my_data_000001-1.parquet", "my_data_000000.csv", "my_data_2_000000.parquet"]
    for name in others:
        put(server, f"sales/shop/my_data/{name}", b"theirs")
    run(1, 2)
    run(3)
    assert keys(server) == sorted(f"sales/shop/my_data/{name}" for name in [*others, "my_data_000000-1.parquet"])


def test_what_came_in_between_stays(server):
    """Somebody else's objects, where there was none."""
    run(1)
    writer = StockWriter(config())
    put(server, FILE.format(1), b"theirs")
    made = [writer.write_batch(records(2), 0)[0], writer.write_batch(records(3), 1)[0]]
    assert [m["path"][len("s3://bucket/"):] for m in made] == [FILE.format(i).replace(".", "-1.") for i in (0, 1)]
    del writer
    assert server.buckets["bucket"].pop(FILE.format(1)).data == b"theirs"
    assert rows(server) == [2, 3]


def test_a_target_that_is_one_object(server):
    """It has that name, run by run."""
    for ident in (1, 2):
        run(ident, base=BASE + "/one.parquet")
        assert keys(server) == ["sales/shop/my_data/one.parquet"] and rows(server) == [ident]


def test_what_cannot_be_removed_is_said(server, capfd):
    run(1)
    server.fault = lambda request: "moved" if request.operation == "delete" else None
    run(2)
    assert "objects of earlier runs may be there beside" in capfd.readouterr().err
    server.fault = lambda request: None
    run(3)
    assert rows(server) == [3] and hidden(server) == [LIST]


def test_committing_files_of_a_bucket(server):
    writer = StockWriter(config())
    made = writer.write_batch(records(1), 0)
    answer = take(writer.lib, writer.lib.commit_files(writer.pointer, json.dumps(made).encode()))
    assert json.loads(answer) == {"files_committed": 1, "success": True}


def test_nothing_is_replaced_if_it_may_not(server):
    for i in (1, 2):
        StockWriter(config(options={"overwrite": False})).write_batch(records(i), 0)
    assert [ids(server, key) for key in keys(server)] == [[2], [1]]  # "-1" is in front of "."


def test_objects_get_what_the_options_say(server):
    options = {"metadata": {"asset-name": "x", "rows": 7}, "tags": {"owner": "a b"}, "storage_class": "STANDARD_IA",
               "kms_key_id": "alias/k", "content_type": "application/x-parquet"}
    given = {"metadata": {"asset-name": "under", "branch": "main"}, "tags": {"domain": "d"}, "content_type": "other/type"}
    StockWriter(config(options=options, object=given)).write_batch(records(1), 0)
    written_by = server.buckets["bucket"][FILE.format(0)].headers["x-amz-meta-dativo-run"]
    assert len(written_by) == 32
    assert server.buckets["bucket"][FILE.format(0)].headers == {
        "content-type": "application/x-parquet", "x-amz-meta-asset-name": "x", "x-amz-meta-rows": "7", "x-amz-meta-branch": "main",
        "x-amz-tagging": "domain=d&owner=a%20b", "x-amz-storage-class": "STANDARD_IA", "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "alias/k", "x-amz-meta-dativo-run": written_by}


def test_a_service_without_tags(server, capfd):
    server.fault = lambda request: "no-tags"
    StockWriter(config(object={"tags": {"domain": "d"}})).write_batch(records(1), 0)
    assert "x-amz-tagging" not in server.buckets["bucket"][FILE.format(0)].headers
    assert '"tags_left_out"' in capfd.readouterr().err


@pytest.mark.parametrize("options, says", [
    ({"encryption": "AES"}, ["encryption", "AES256"]),
    ({"sse": "AES256", "kms_key_id": "k"}, ["kms_key_id"]),
    ({"tags": {str(i): "x" for i in range(11)}}, ["tags", "10"]),
    ({"metadata": {"a b": "x"}}, ["metadata"]),
    ({"metadata": {"a": "é"}}, ["metadata"]),
    ({"metadata": {"a": []}}, ["metadata"]),
    ({"metadata": {"Dativo-Run": "x"}}, ["metadata", "dativo-run"]),
    ({"metadata": {"Owner": "x", "owner": "y"}}, ["metadata", "capital letters"]),
    ({"storage_clas": "x"}, ["storage_clas", "storage_class"]),
])
def test_options_that_are_wrong(server, capfd, options, says):
    fails(server, StockWriter(config(options=options)), capfd, *says)


def test_csv_files_go_there_too(server):
    writer = StockWriter({**config(), "file_format": "csv", "engine": {}}, load(CSV_WRITER))
    made = writer.write_batch(records(1, 2), 0)
    item = server.buckets["bucket"]["sales/shop/my_data/my_data_000000.csv"]
    assert made[0]["size_bytes"] == len(item.data) and item.data == b"id,name\n1,name 1\n2,name 2\n"
    assert item.headers["content-type"] == "text/csv"


def test_checking_a_connection_begins_an_upload_and_aborts_it(server):
    lib = load(WRITER)

    def check(**change):
        given = json.dumps(config({"s3": {**NESTED["s3"], **change}})).encode()
        return json.loads(take(lib, lib.check_connection(given)))

    assert check()["success"] and keys(server) == []
    assert ["create", "abort"] == [operation for operation, _, _ in server.seen if operation in ("create", "abort")]
    assert not check(secret_access_key="other-secret")["success"]


def reader_config(kind, path, connection=NESTED, **more):
    return {"type": kind, "connection": connection, "credentials": {"type": "none"}, "objects": [], "files": [{"path": path}],
            "incremental": {}, "engine": {"type": "native", "options": {}}, **more}


def test_readers_use_it(server):
    put(server, "in/a.csv", b"id,name\n1,x\n2,y\n")
    table = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "name": ["x", "y"]}), table)
    put(server, "in/a.parquet", table.getvalue())
    wanted = [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]
    assert StockReader(reader_config("csv", "s3://bucket/in/a.csv")).rows() == wanted
    assert StockReader(reader_config("parquet", "s3://bucket/in/a.parquet"), load(PARQUET_READER)).rows() == wanted
    in_credentials = reader_config("csv", "s3://bucket/in/a.csv", {"endpoint": server.url},
                                   credentials={"type": "basic", "access_key_id": KEY_ID, "secret_access_key": SECRET})
    assert StockReader(in_credentials).rows() == wanted
    assert server.problems == []


def test_readers_are_loud(server, capfd):
    put(server, "in/a.csv", b"id,name\n1,x\n")
    wrong = {"s3": {**NESTED["s3"], "secret_access_key": "other-secret"}}
    loud(StockReader(reader_config("csv", "s3://bucket/in/a.csv", wrong)), None, capfd, "SignatureDoesNotMatch", "s3://bucket/in/a.csv")
    loud(StockReader(reader_config("parquet", "s3://bucket/none", wrong), load(PARQUET_READER)), None, capfd, "s3://bucket/none")


def test_local_files_have_connections_of_other_kinds(tmp_path, server):
    (tmp_path / "a.csv").write_text("id\n1\n")
    assert StockReader(reader_config("csv", str(tmp_path / "a.csv"), {"acces_key": 7, "s3": []})).rows() == [{"id": 1}]


def test_the_query_of_an_address_is_shown_nowhere(server, capfd):
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"id\n1\n\"open" if "X-Secret=s3cret" in self.path else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    for query, says in (("X-Secret=s3cret", "quote"), ("other=s3cret", "404")):
        reader = StockReader(reader_config("csv", f"http://127.0.0.1:{site.server_port}/a.csv?{query}", {}))
        error = loud(reader, None, capfd, "/a.csv", says)
        assert "s3cret" not in json.dumps(error), error
    site.shutdown()
