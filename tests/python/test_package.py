"""What needs nothing but the package: the docstrings, errors, options, threads, and what import costs."""

import ctypes
import doctest
import importlib
import inspect
import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import pytest

import dativo_native as dn
from dativo_native import _config, _reader, _write

PLUGIN_ALONE = {"n_threads", "inference", "restartable", "output_dir", "enforce_required",  # said in other words, or by hosts
                "extra_columns", "lone_surrogates", "dates", "batch_size",  # of JSON records, which Python hands to no plugin
                "snapshot_per_piece"}  # of plans


@pytest.mark.parametrize("name", ["", "._errors", "._reader", "._write", "._look"])
def test_docstrings(name, in_source):
    result = doctest.testmod(importlib.import_module("dativo_native" + name))
    assert result.failed == 0 and result.attempted > 0


@pytest.mark.parametrize("function, plugin", [
    (dn.read_csv, "csv_reader"), (dn.read_parquet, "parquet_reader"), (dn.read_postgres, "postgres_reader"),
    (dn.write_parquet, "parquet_writer"), (dn.write_csv, "csv_writer")])
def test_every_option_is_a_keyword(function, plugin):
    library = ctypes.CDLL(dn.plugin_path(plugin))
    library.plugin_info.restype = ctypes.c_char_p
    options = {one["name"] for one in json.loads(library.plugin_info())["options"]} - PLUGIN_ALONE
    missing = options - set(inspect.signature(function).parameters) - ({"widened"} if plugin != "csv_reader" else set())
    assert not missing


def test_error(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,price\n1,9.50\n2,n/a\n")
    with pytest.raises(dn.DativoError, match="line 3") as caught:
        dn.convert(path, tmp_path / "p.parquet", types={"price": "double"})
    e = caught.value
    assert (e.code, e.path, e.line, e.row, e.column, e.value, e.expected) == ("type", str(path), 3, 2, "price", "n/a", "float64")
    assert not (tmp_path / "p.parquet").exists()


@pytest.mark.parametrize("options, option", [
    ({"delimiter": "much too long"}, "delimiter"), ({"infer": "x"}, "infer"), ({"strings": "x"}, "strings"),
    ({"memory": "12"}, "memory"), ({"threads": -1}, "threads"), ({"encoding": "utf-9"}, "encoding")])
def test_an_error_names_the_keyword(orders, options, option):
    with pytest.raises(dn.DativoError) as caught:
        dn.read_csv(orders, **options).schema
    assert caught.value.option == option
    assert option in str(caught.value) and "engine.options" not in str(caught.value)


def test_an_error_of_a_job_names_its_option(in_source):
    job = (in_source / "examples/jobs/csv_to_parquet.yaml").read_text()
    (in_source / "job.yaml").write_text(job.replace('delimiter: ","', "strict: 3"))
    with pytest.raises(dn.DativoError, match=r"job.yaml.*engine\.options\.strict must be") as caught:
        dn.run("job.yaml")
    assert caught.value.option == "strict"
    with pytest.raises(dn.DativoError, match="^unknown option 'nope': known are compression"):
        dn.convert("examples/data/orders.csv", "o.parquet", writer={"nope": 1})


def test_an_error_of_data_is_as_the_data(tmp_path):
    (tmp_path / "p.csv").write_text("id\nengine.options.id\n")
    with pytest.raises(dn.DativoError, match="engine.options.id"):
        dn.convert(tmp_path / "p.csv", tmp_path / "p.parquet", types={"id": "int64"})


def test_connection():
    assert _config.connection_of({"endpoint_url": "http://a", "anonymous": True, "region": None}) == {"endpoint": "http://a", "anonymous": True}
    for wrong in ({"end_point": "x"}, {"endpoint": "a", "endpoint_url": "b"}):
        for function in (dn.read_csv, dn.inspect, lambda *a, **k: dn.convert("a.csv", *a, **k)):
            with pytest.raises(dn.DativoError) as caught:
                function("s3://b/c", connection=wrong)
            assert caught.value.option == "connection"


def test_nothing_is_replaced_unless_asked(tmp_path, orders):
    target = tmp_path / "o.parquet"
    dn.convert(orders, target)
    before = target.read_bytes()
    with pytest.raises(dn.DativoError) as caught:
        dn.write_parquet(dn.read_csv(orders, limit=1), target)
    assert caught.value.code == "exists" and caught.value.option == "overwrite"
    assert target.read_bytes() == before
    assert dn.write_parquet(dn.read_csv(orders, limit=1), target, overwrite=True).rows_out == 1


@pytest.mark.parametrize("function, name, advice", [
    (dn.write_parquet, "y.csv", "write_csv()"), (dn.write_parquet, "y.TSV", "write_csv()"), (dn.write_csv, "y.parquet", "write_parquet()"),
    (dn.write_parquet, "y.json", "*.parquet"), (dn.write_csv, "y.csv.gz", "not packed"), (dn.convert, "y.csv.gz", "*.parquet")])
def test_a_name_says_what_is_in_the_file(tmp_path, orders, function, name, advice):
    with pytest.raises(dn.DativoError) as caught:
        function(orders if function is dn.convert else dn.read_csv(orders), tmp_path / name)
    assert (caught.value.code, caught.value.option) == ("invalid", "path")
    assert name in str(caught.value) and advice in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_names_that_say_nothing(tmp_path, orders):
    assert dn.write_parquet(dn.read_csv(orders), tmp_path / "out").rows_out == 3000
    assert dn.write_csv(dn.read_csv(orders, limit=1), tmp_path / "out.txt").rows_out == 1


@pytest.mark.parametrize("function, options, said", [
    (dn.convert, {"comprssion": "zstd"}, "convert() got an unexpected keyword argument 'comprssion'.* did you mean compression?"),
    (dn.convert, {"delimitr": ";"}, "convert() .* did you mean delimiter?"),
    (dn.schema, {"delimitr": ";"}, "schema() .* did you mean delimiter?"),
    (dn.schema, {"nothing_like_it": 1}, "schema() got an unexpected keyword argument 'nothing_like_it', which read_csv() does not have either$")])
def test_keywords_that_nobody_has(tmp_path, orders, function, options, said):
    with pytest.raises(TypeError, match=said.replace("()", r"\(\)").replace("?", r"\?")):
        function(orders, *([tmp_path / "o.parquet"] if function is dn.convert else []), **options)
    assert not list(tmp_path.iterdir())


def test_sources(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"x\n{len(name)}\n")
    for source in (tmp_path, f"{tmp_path}/*.csv", [tmp_path / "a.csv", str(tmp_path / "b.csv")]):
        assert dn.convert(source, tmp_path / "out.parquet", overwrite=True).rows_out == 2
    with pytest.raises(dn.DativoError) as caught:
        dn.schema(tmp_path / "*.none")
    assert caught.value.code == "not_found"
    with pytest.raises(TypeError):
        dn.read_csv(3)


def test_home(tmp_path, orders, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert dn.convert(orders, "~/o.parquet").rows_out == 3000
    assert (tmp_path / "o.parquet").exists() and len(dn.schema("~/o.parquet")) == len(dn.schema(pathlib.Path("~/o.parquet"))) == 10


def test_types_of_all_values(tmp_path, caplog):
    path = tmp_path / "late.csv"
    path.write_text("a\n" + "1\n" * 600_000 + "x\n")
    assert dn.read_csv(path).schema["a"].type == "int64"
    assert dn.read_csv(path, infer="all").schema["a"].type == "string"
    with caplog.at_level(logging.INFO, logger="dativo_native"):
        outcome = dn.write_parquet(dn.read_csv(path), tmp_path / "late.parquet")
    assert (outcome.restarts, outcome.rows_out) == (1, 600_001)
    assert any(record.event_type == "type_widened" and record.levelname == "WARNING" for record in caplog.records)


def test_types_of_all_values_where_columns_have_one_name(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("a,a,b\nx,2,1\ny,3,2\n")
    for infer in ("sample", "all"):
        assert [column.type for column in dn.read_csv(path, infer=infer).schema] == ["string", "int64", "int64"]


def test_progress(tmp_path, orders):
    seen = []
    dn.convert(orders, tmp_path / "o.parquet", progress=seen.append)
    assert all(isinstance(one, dn.Progress) for one in seen)
    with pytest.raises(ZeroDivisionError):
        path = tmp_path / "big.csv"
        path.write_text("a,b\n" + "1,2\n" * 3_000_000)
        dn.convert(path, tmp_path / "b.parquet", progress=lambda now: 1 / 0)
    assert not (tmp_path / "b.parquet").exists()


def test_many_threads_read_one_reader(tmp_path, orders):
    reader = dn.read_csv(orders)
    failures = []

    def work(i):
        try:
            assert len(reader.schema) == 10
            assert dn.write_parquet(reader, tmp_path / f"{i}.parquet").rows_out == 3000
        except BaseException as error:  # noqa: B036 (told by the main thread)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len({(tmp_path / f"{i}.parquet").read_bytes() for i in range(8)}) == 1


def test_jobs_of_the_examples(in_source):
    assert dn.run("examples/jobs/csv_to_parquet.yaml").rows_out == 3000
    with pytest.raises(dn.DativoError) as caught:
        dn.run("nothing.yaml")
    assert caught.value.code == "not_found"


def test_command(environment):
    done = subprocess.run([sys.executable, "-m", "dativo_native", "--version"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and dn.__version__ in done.stdout


INTERRUPTED = """
import os, signal, sys, threading, time
import dativo_native as dn
def interrupt():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    %s
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.mark.parametrize("work", ["dn.convert(sys.argv[1], sys.argv[2])", "dn.write_parquet(dn.read_csv(sys.argv[1]), sys.argv[2])",
                                  "dn.read_csv(sys.argv[1]).schema"])
def test_interrupt(work, tmp_path, environment):
    """The source is a pipe into which nobody writes: without looking for signals it would be waited for for ever."""
    import os
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    holder = os.open(pipe, os.O_RDWR)
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", INTERRUPTED % work, str(pipe), str(tmp_path / "o.parquet")],
                          env=environment, capture_output=True, timeout=60)
    os.close(holder)
    assert done.returncode == 7, done.stderr
    assert time.monotonic() - begun < 20
    assert not (tmp_path / "o.parquet").exists()


def test_a_child_of_fork_reads(tmp_path, orders, environment):
    script = """
import os, sys
import dativo_native as dn
dn.convert(sys.argv[1], sys.argv[2] + "1.parquet")
child = os.fork()
if child == 0:
    os._exit(0 if dn.convert(sys.argv[1], sys.argv[2] + "2.parquet").rows_out == 3000 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", script, str(orders), str(tmp_path / "o")], env=environment, timeout=60)
    assert done.returncode == 0


def test_nothing_private_is_shown():
    assert "secret" not in repr(dn.read_postgres("postgres://me:secret@host/db?table=t"))
    assert _reader._database("Postgres://me@host/db?table=a.b%20c&sslmode=require") == ("postgres://me@host/db?sslmode=require", "a.b c")
    assert _write.Outcome(None, 1, 1).rows_rejected == 0


SECRET = "hunter2"
DATABASE = f"postgres://me:{SECRET}@127.0.0.1:1/db?table=x"
ADDRESSES = [DATABASE, " " + DATABASE, DATABASE + ".csv", f"http://me:{SECRET}@h/x.csv?signature={SECRET}", f'"http://me:{SECRET}@h/x.parquet',
             f"postgres://me:\udcfe{SECRET}@127.0.0.1:1/db?table=x", f"mysql://h/db?password={SECRET}"]  # fmt: skip
USES = {
    "repr": lambda u, orders, folder: repr(dn.read_csv(u)),
    "read_csv": lambda u, orders, folder: dn.read_csv(u).schema,
    "read_parquet": lambda u, orders, folder: dn.read_parquet(u).schema,
    "schema": lambda u, orders, folder: dn.schema(u),
    "schema of a list": lambda u, orders, folder: dn.schema([orders, u]),
    "splits": lambda u, orders, folder: dn.read_csv(u).splits(),
    "convert from": lambda u, orders, folder: dn.convert(u, folder / "o.parquet"),
    "convert to": lambda u, orders, folder: dn.convert(orders, u),
    "write_parquet": lambda u, orders, folder: dn.write_parquet(dn.read_csv(orders), u),
    "write_csv": lambda u, orders, folder: dn.write_csv(dn.read_csv(orders), u),
    "write_parquet of a table": lambda u, orders, folder: dn.write_parquet(pytest.importorskip("pyarrow").table({"a": [1]}), u),
    "write_csv of a table": lambda u, orders, folder: dn.write_csv(pytest.importorskip("pyarrow").table({"a": [1]}), u),
    "rejects": lambda u, orders, folder: dn.convert(orders, folder / "o.parquet", rejects=u, max_rejects=1),
    "inspect": lambda u, orders, folder: dn.inspect(u),
    "verify": lambda u, orders, folder: dn.verify(u),
    "run": lambda u, orders, folder: dn.run(u),
    "task": lambda u, orders, folder: dn.task(u, 0),
    "nul": lambda u, orders, folder: dn.schema(u + "\0"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("address", ADDRESSES, ids=ascii)
def test_no_password_of_an_address_is_shown(use, address, orders, tmp_path, monkeypatch, caplog):
    """Not in a message, nor in an attribute of it, nor in the log, wherever an address stands; and nothing is written."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(1, logger="dativo_native")
    try:
        said = USES[use](address, orders, tmp_path)
        assert use == "repr"
    except (dn.DativoError, UnicodeError) as error:
        said = f"{error} {vars(error)}"
    assert SECRET not in str(said) and SECRET not in caplog.text
    assert not list(tmp_path.iterdir())


TARGETS = {"not UTF-8": lambda folder: os.fsdecode(os.fsencode(folder) + b"/\xfe z"), "address": lambda folder: f"file://{folder}/a%20z",
           "address with a host": lambda folder: f"file://localhost{folder}/a%20z", "plain": lambda folder: f"{folder}/a z"}  # fmt: skip


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize("target", TARGETS)
def test_targets_by_all_their_names(target, ending, orders, tmp_path):
    """What is there, what is a source and what folder is missing is found whatever the name is written as."""
    path = TARGETS[target](tmp_path) + ending
    plain = os.fsencode(tmp_path) + (b"/\xfe z" if target == "not UTF-8" else b"/a z") + ending.encode()
    name = "path" if target == "plain" else "file://"
    reader = dn.read_csv(orders)
    write = dn.write_csv if ending == ".csv" else dn.write_parquet
    outcome = write(reader, path)
    assert outcome.rows_out == 3000 and (name == "path" or outcome.output_path.startswith(name)) and os.listdir(os.fsencode(tmp_path)) == [os.path.basename(plain)]
    assert os.stat(plain).st_size == outcome.bytes_out
    for again in (lambda: write(reader, path), lambda: dn.convert(orders, path)):
        with pytest.raises(dn.DativoError, match="exists already") as caught:
            again()
        assert (caught.value.code, caught.value.option) == ("exists", "overwrite")
    with pytest.raises(dn.DativoError, match="is also a source"):
        dn.convert(os.fsdecode(plain), path, overwrite=True)
    with pytest.raises(dn.DativoError, match="make the directory '.*none' first"):
        dn.convert(orders, TARGETS[target](tmp_path / "none") + ending)
    assert dn.convert(orders, path, overwrite=True).rows_out == 3000
    os.unlink(plain)
    os.mkdir(plain)
    with pytest.raises(dn.DativoError, match="is a directory"):
        dn.convert(orders, path, overwrite=True)


def test_a_database_is_read_by_its_own_function(orders, tmp_path):
    for read in (dn.read_csv, dn.read_parquet, lambda u: dn.read_csv([orders, u])):
        with pytest.raises(dn.DativoError, match=r"read_postgres\(\)") as caught:
            read(DATABASE)
        assert (caught.value.code, caught.value.path) == ("unsupported", "postgres://127.0.0.1:1/db")
    for sources in ([DATABASE, orders], [orders, DATABASE]):
        with pytest.raises(dn.DativoError, match="is read alone"):
            dn.convert(sources, tmp_path / "o.parquet")
    for source in (DATABASE, [DATABASE]):
        with pytest.raises(dn.DativoError, match="cannot connect"):
            dn.convert(source, tmp_path / "o.parquet")


COMMA = """import json, locale, sys
locale.setlocale(locale.LC_NUMERIC, "comma")
assert locale.localeconv()["decimal_point"] == ","
import dativo_native as dn
dn.convert("in.csv", "out.parquet", types={"a": "int64"}, max_rejects="0.5%", rejects="r.csv")
dn.run("job.yaml")
"""


LOCALE = 'LC_NUMERIC\ndecimal_point ","\nthousands_sep "."\ngrouping 3;3\nEND LC_NUMERIC\n'
CHARACTERS = "<code_set_name> SOME\n<mb_cur_min> 1\n<mb_cur_max> 1\nCHARMAP\n<comma> /x2c\n<period> /x2e\nEND CHARMAP\n"


@pytest.mark.skipif(shutil.which("localedef") is None, reason="glibc's program that makes locales is not there")
def test_numbers_have_a_point_whatever_the_locale(tmp_path):
    """Of a host that has set it: in options, and in jobs.  Locales with commas are in a package that few machines have: one is made."""
    (tmp_path / "comma.def").write_text(LOCALE)
    (tmp_path / "characters").write_text(CHARACTERS)
    subprocess.run(["localedef", "-c", "-f", tmp_path / "characters", "-i", tmp_path / "comma.def", tmp_path / "comma"], capture_output=True)
    (tmp_path / "in.csv").write_text("a\n" + "1\n" * 300 + "x\n")
    (tmp_path / "asset.yaml").write_text("name: t\nschema: [{name: a, type: string}]\n")
    (tmp_path / "job.yaml").write_text(
        "tenant_id: t\nsource_connector: csv\ntarget_connector: local\nasset_path: asset.yaml\nsource:\n  files: [{path: in.csv}]\n"
        "target:\n  connection: {path: out}\nretry_config: {max_retries: 1, backoff_multiplier: 1.5}\n")
    environment = {**os.environ, "LOCPATH": str(tmp_path), "PYTHONPATH": str(pathlib.Path(dn.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", COMMA], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
