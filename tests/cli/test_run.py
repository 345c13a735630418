"""run: job files from end to end, strict and warn, and everything that can be wrong with them."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import FAKES, READER, SOURCE, WRITER, tree

ASSET = """
name: Shop Orders
version: 1.0.0
source_type: csv
object: orders
team: {owner: a@b.c}
domain: sales
dataProduct: shop
schema:
  - {name: id, type: integer, required: true}
  - {name: customer, type: string, required: true}
  - {name: placed, type: date, required: true}
  - {name: shipped, type: timestamp}
  - {name: total, type: double}
  - {name: gift, type: boolean}
"""

JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files: [{path: in.csv}]
target:
  connection: {path: out}
  engine: {options: {compression: zstd}}
schema_validation_mode: MODE
"""

GOOD = ('id,customer,placed,shipped,total,gift,extra\n'
        '1,"Ann ""A"", x",2024-01-01,2024-01-02 10:00:00,1.5,true,z\n'
        '2,Zoë,2024-02-29,,,,\n')

OUT = "out/sales/shop/shop_orders/shop_orders_000000.parquet"


@pytest.fixture
def job(tool, write):
    def make(csv=GOOD, mode="strict", job=JOB, asset=ASSET):
        write("in.csv", csv)
        write("asset.yaml", asset)
        write("job.yaml", job.replace("MODE", mode))
        return tool

    return make


def test_strict_job(job):
    tool = job()
    text = tool.ok("run", "job.yaml").stderr.decode()
    assert "left out: extra" in text
    assert "rows    2 in = 2 out + 0 rejected" in text
    table = pq.read_table(tool.cwd / OUT)
    assert table.schema.names == ["id", "customer", "placed", "shipped", "total", "gift"]
    assert [table.schema.field(i).nullable for i in range(6)] == [False, False, False, True, True, True]
    assert table.schema.field("placed").type == pa.date32() and table.schema.field("gift").type == pa.bool_()
    assert table.column("customer").to_pylist() == ['Ann "A", x', "Zoë"]
    assert table.column("total").to_pylist() == [1.5, None]
    # again: the file is replaced
    tool.ok("run", "job.yaml")
    assert tree(tool.cwd / "out") == ["sales/shop/shop_orders/shop_orders_000000.parquet"]


def test_asset_order_and_missing_optional_columns(job):
    tool = job(csv="placed,customer,id\n2024-01-01,a,1\n")
    text = tool.ok("run", "job.yaml").stderr.decode()
    assert 'no column "shipped"; it is written as nulls' in text
    table = pq.read_table(tool.cwd / OUT)
    assert table.schema.names == ["id", "customer", "placed", "shipped", "total", "gift"]
    assert table.column("shipped").to_pylist() == [None]


@pytest.mark.parametrize("old, new, says", [
    ("2,Zoë", "2.5,Zoë", ["in.csv", "line 3", "2.5", "int64"]),
    ("2,Zoë", ",Zoë", ["in.csv", "line 3", '"id"']),
    ("2024-02-29", "2023-02-29", ["in.csv", "line 3", "2023-02-29", "date"]),
    ("2024-01-02 10:00:00", "2024-01-02T10:00:00+02:00", ["in.csv", "line 2", "timestamp"]),
    ("true", "maybe", ["in.csv", "line 2", "maybe", "bool"]),
    ("id,customer", "id,custommer", ['no column "customer"', 'did you mean "custommer"']),
])
def test_strict_job_refuses(job, old, new, says):
    tool = job(csv=GOOD.replace(old, new, 1))
    tool.fails("run", "job.yaml", says=says)


def test_warn_job_keeps_and_counts(job):
    csv = GOOD.replace("1,\"Ann", "x1,\"Ann", 1).replace("2,Zoë", "2,", 1)
    tool = job(csv=csv, mode="warn")
    done = tool("run", "job.yaml")
    text = done.stderr.decode()
    assert done.returncode == 1, text
    assert 'warning: column "id": the asset says integer' in text
    assert 'warning: column "customer": the asset requires a value, but 1 row is null' in text
    table = pq.read_table(tool.cwd / OUT)
    assert table.column("id").to_pylist() == ["x1", "2"]
    assert table.column("extra").to_pylist() == ["z", None]
    assert table.schema.field("id").nullable


def test_warn_job_without_deviations(job):
    tool = job(mode="warn")
    tool.ok("run", "job.yaml")
    assert pq.read_table(tool.cwd / OUT).schema.names == ["id", "customer", "placed", "shipped", "total", "gift", "extra"]


def test_warn_job_keeps_text_columns_as_text(job):
    asset = ASSET.replace("name: total, type: double", "name: total, type: string")
    tool = job(mode="warn", csv=GOOD.replace("1.5,true", "00501,true"), asset=asset)
    tool.ok("run", "job.yaml")
    assert pq.read_table(tool.cwd / OUT).column("total").to_pylist() == ["00501", None]


def test_custom_plugins_by_path(job):
    text = JOB.replace("source:\n", f"source:\n  custom_reader: {READER}:create_reader\n")
    text = text.replace("target:\n", f"target:\n  custom_writer: {WRITER}:create_writer\n")
    job(job=text).ok("run", "job.yaml")


@pytest.mark.parametrize("reader, says", [
    (f"{READER}:create_raeder", ["symbol create_raeder not found", "it exports", "create_reader"]),
    ("nowhere/libcsv.so:create_reader", ["library not found: nowhere/libcsv.so", "tried nowhere/libcsv.so"]),
    # of a job that was written where the program is built, or on another machine
    ("build/plugins/libcsv_reader_plugin.so:create_reader", ["tried build/plugins/libcsv_reader_plugin.so; here it is /", "libcsv_reader_plugin.so"]),
    (f"{FAKES}/libfake_answers.so:create_raeder", ["symbol create_raeder not found", "create_reader"]),
])
def test_missing_plugins_and_symbols(job, reader, says):
    tool = job(job=JOB.replace("source:\n", f"source:\n  custom_reader: \"{reader}\"\n"))
    tool.fails("run", "job.yaml", says=says)


def test_restart_with_a_job(job):
    text = JOB.replace("source:\n", f"source:\n  custom_reader: {FAKES}/libfake_plugin.so:create_reader\n"
                                    "  engine: {options: {rows: 10, conflict_at: 9}}\n")
    text = text.replace("target:\n", f"target:\n  custom_writer: {FAKES}/libfake_plugin.so:create_reader\n")
    asset = "name: t\nschema: [{name: a, type: integer, required: true}]\n"
    tool = job(job=text, asset=asset, mode="warn")
    done = tool("run", "job.yaml")
    assert done.returncode == 1
    assert (tool.cwd / "out/default/default/t/t_000000.parquet").read_text() == \
        "rows=10 sum=50.0 type=float64 required=0\n"
    both = asset.replace("}]", "}, {name: b, type: integer}]")  # the fake reader gives two columns whatever is asked
    tool = job(job=text, asset=both, mode="strict")
    done = tool("run", "job.yaml")  # the asset declares the type: no widening
    assert done.returncode == 2 and b"line 9" in done.stderr


@pytest.mark.parametrize("old, new, says", [
    ("tenant_id", "tenantid", ["job.yaml:2:1", 'unknown key "tenantid"', 'did you mean "tenant_id"']),
    ("  files:", "  file:", ["job.yaml:7:3", 'unknown key "file" in source; did you mean "files"?']),
    ("MODE", "lenient", ["job.yaml:11:25", "lenient"]),
    ("{path: in.csv}", "{path: '${DN_NOT_SET}/in.csv'}", ["job.yaml:7:", "DN_NOT_SET is not set"]),
    ("{path: in.csv}", "{path: in.csv, file: more.csv}", ["job.yaml:7:", '"path" and another "file"', "two entries"]),
    ("connection: {path: out}", "connection: {path: out", ["job.yaml:"]),
    ("target_connector: local", "target_connector: mysql", ["mysql", "target_connector: local"]),
    ("target_connector: local", "target_connector: s3", ["job.yaml:9:16", 'unknown key "path"', "bucket, prefix"]),
    ("source_connector: csv", "source_connector: stripe", ["stripe", "source_connector: csv"]),
    ("asset.yaml", "no_asset.yaml", ["no_asset.yaml", "No such file"]),
    ("{compression: zstd}", "{compresion: zstd}", ["compresion", 'did you mean "compression"']),
    ("{compression: zstd}", "{compression: lzma}", ["lzma"]),
    ("in.csv", "none.csv", ["none.csv"]),
    ("tenant_id: acme", "tenant_id: acme\ntenant_id: b", ["job.yaml:3:1", "given twice"]),
])
def test_bad_jobs(job, old, new, says):
    tool = job(job=JOB.replace(old, new, 1))
    tool.fails("run", "job.yaml", says=says)


def test_bad_job_files(tool, write):
    tool.fails("run", "none.yaml", says=["none.yaml", "No such file"])
    tool.fails("run", ".", says="directory")
    write("bad.yaml", "a: b: c\n")
    tool.fails("run", "bad.yaml", says="bad.yaml:1:5")
    write("list.yaml", "- a\n")
    tool.fails("run", "list.yaml", says="must be a map")
    write("empty.yaml", "")
    tool.fails("run", "empty.yaml", says="empty")
    tool.fails("run", says="needs one job file")
    tool.fails("run", "--previw", "3", "x.yaml", says="did you mean --preview?")


@pytest.mark.parametrize("written, meant", [("$${DN_X}", "${DN_X}"), ("$$${DN_X}", "$${DN_X}"), ("${DN_Y}", "${DN_X}")])
def test_expansion_happens_once(job, write, written, meant):
    """$${ is a literal ${, and what a variable holds is not looked at again, neither in sources nor in targets."""
    text = JOB.replace("{path: in.csv}", "{path: '%s.csv'}" % written).replace("{path: out}", "{path: 'out/%s'}" % written)
    tool = job(job=text)
    write("other.csv", GOOD)
    write(f"{meant}.csv", GOOD.replace("Zoë", "meant"))
    tool.ok("run", "job.yaml", env={"DN_X": "other", "DN_Y": "${DN_X}"})
    made = tool.cwd / OUT.replace("out/", f"out/{meant}/")
    assert pq.read_table(made).column("customer").to_pylist()[1] == "meant"
    assert len(list(tool.cwd.rglob("*.parquet"))) == 1


def test_environment_expansion(job):
    tool = job(job=JOB.replace("{path: in.csv}", "{path: '${DN_DIR:-.}/${DN_NAME}'}"))
    tool.ok("run", "job.yaml", env={"DN_NAME": "in.csv"})
    tool.fails("run", "job.yaml", env={"DN_NAME": "in.csv", "DN_DIR": "nowhere"}, says="nowhere/in.csv")


def test_json_log(job):
    tool = job()
    done = tool.ok("run", "--log-format", "json", "job.yaml")
    lines = [json.loads(line) for line in done.stderr.decode().splitlines()]
    for line in lines:
        assert {"timestamp", "level", "message", "event_type", "tenant_id", "job_name"} <= line.keys()
    events = [line["event_type"] for line in lines]
    assert events[0] == "job_started" and events[-1] == "job_finished"
    assert "extractor_initialized" in events and "writer_initialized" in events
    end = lines[-1]
    assert (end["rows_in"], end["rows_out"], end["rows_rejected"]) == (2, 2, 0)
    assert end["bytes_out"] == (tool.cwd / OUT).stat().st_size
    assert end["tenant_id"] == "acme" and end["job_name"] == "shop_orders"
    assert b'"event_type": "job_finished"' in done.stderr

    tool = job(csv=GOOD.replace("2,Zoë", "x,Zoë"))
    done = tool("run", "--log-format", "json", "job.yaml")
    error = json.loads(done.stderr.decode().splitlines()[-1])
    assert done.returncode == 2
    assert (error["event_type"], error["level"], error["column"], error["line"]) == ("job_error", "ERROR", "id", 3)
    assert error["path"].endswith("in.csv") and error["exit_code"] == 2


def test_logging_level(job):
    tool = job(job=JOB + "logging: {level: ERROR}\n")
    assert b"note:" not in tool.ok("run", "job.yaml").stderr


def test_preview(job):
    tool = job()
    done = tool.ok("run", "--preview", "1", "job.yaml")
    text = done.stdout.decode()
    assert OUT in text and 'Ann "A", x' in text and "Zoë" not in text
    assert "customer  string     no" in text


def test_a_preview_of_csv_is_refused_before_anything_is_written(job):
    tool = job(job=JOB.replace("  engine: {options: {compression: zstd}}\n", "  file_format: csv\n"))
    tool.fails("run", "--preview", "1", "job.yaml", says=["--preview", "CSV", "leave it out"])
    tool.ok("run", "job.yaml")


def test_example_job(tool, write):
    """The job that comes with the repository, on a small file of the same shape."""
    for path in ("connectors/csv.yaml", "connectors/local.yaml", "assets/orders.yaml", "jobs/csv_to_parquet.yaml"):
        write(f"examples/{path}", (SOURCE / "examples" / path).read_text())
    write("examples/data/orders.csv",
          "order_id,customer,country,order_date,shipped_at,quantity,unit_price,total,gift,note\n"
          '1,"Ann, ""A""\nB",DE,2024-01-02,2024-01-03 10:00:00,3,1.5,4.5,true,""\n'
          "2,Zoë,,2024-01-03,,1,10.0,10.0,false,\n")
    (tool.cwd / "build/plugins").mkdir(parents=True)
    for library in (READER, WRITER):
        (tool.cwd / "build/plugins" / library.name).symlink_to(library)
    tool.ok("run", "examples/jobs/csv_to_parquet.yaml")
    table = pq.read_table(tool.cwd / "build/out/sales/shop/orders/orders_000000.parquet")
    assert table.column("customer").to_pylist() == ['Ann, "A"\nB', "Zoë"]
    assert table.column("note").to_pylist() == ["", None]
    assert [f.nullable for f in table.schema] == [False, False, True, False] + [True] * 6


# ---- nothing is dropped or misunderstood without a word ------------------------------------------------------------


def test_a_column_with_a_repeated_name_is_not_dropped_silently(job):
    tool = job(csv="id,id\n1,2\n", asset="name: x\nschema:\n  - {name: id}\n")
    text = tool.ok("run", "job.yaml").stderr.decode()
    assert "left out: id (column 2, a repeated name)" in text
    tool.ok("run", "job.yaml")
    tool = job(csv="id,id\n1,2\n", asset="name: x\nschema:\n  - {name: id_1}\n", job=JOB.replace("out}", "new}"))
    tool.fails("run", "job.yaml", says=['"id_1" is column 2 of the file', 'repeats the name "id"'])


@pytest.mark.parametrize("key", ["domian: sales", "dataproduct: shop", "verson: 1"])
def test_misspelt_keys_of_an_asset(job, key):
    tool = job(asset="name: x\nschema:\n  - {name: id}\n" + key + "\n")
    tool.fails("run", "job.yaml", says=["asset.yaml:4:1: unknown key", "did you mean"])


def test_misspelt_keys_of_a_recipe_and_of_retry_config(job, write):
    write("csv.yaml", "type: csv\nrate_limits: {}\ndefault_engin: {}\n")
    tool = job(job=JOB + "source_connector_path: csv.yaml\n")
    tool.fails("run", "job.yaml", says=["csv.yaml:3:1: unknown key", '"default_engine"'])
    tool = job(job=JOB + "retry_config: {max_retires: 3}\n")
    tool.fails("run", "job.yaml", says=["job.yaml:12:16: unknown key", '"max_retries"'])
    job(job=JOB + "retry_config: {max_retries: 3, backoff_multiplier: 2.0}\n").ok("run", "job.yaml")


@pytest.mark.parametrize("options, says", [
    ("delimeter: x", ["job.yaml:7:22: source: unknown option 'delimeter'", 'did you mean "delimiter"?']),
    ("escape: ';;'", ["job.yaml:7:22: source: engine.options.escape must be one"]),
    ("native: {qote: x}", ["job.yaml:7:31: source: unknown option 'qote'", '"quote"']),
    ("nativ: {quote: x}", ["job.yaml:7:22: source: unknown option 'nativ'", 'did you mean "native"?']),
])
def test_a_refused_option_has_a_place(job, options, says):
    tool = job(job=JOB.replace("source:\n", "source:\n  engine: {options: {" + options + "}}\n"))
    tool.fails("run", "job.yaml", says=says)


def test_a_refused_option_of_the_target_or_of_a_recipe_has_a_place(job, write):
    tool = job(job=JOB.replace("{compression: zstd}", "{compresion: zstd}"))
    text = tool("run", "--log-format", "json", "job.yaml").stderr.decode().splitlines()[-1]
    said = json.loads(text)
    assert said["message"].startswith("job.yaml:10:22: target: unknown option 'compresion'")
    assert said["path"] == "job.yaml" and said["line"] == 10
    tool = job(job=JOB.replace("{compression: zstd}", "{compression: 'zstd:99'}"))
    assert "error: job.yaml:10:22: target: zstd has no level 99" in tool("run", "job.yaml").stderr.decode()
    write("csv.yaml", "type: csv\ndefault_engine:\n  options: {delimeter: x}\n")
    tool = job(job=JOB + "source_connector_path: csv.yaml\n")
    assert "error: csv.yaml:3:13: source: unknown option" in tool("run", "job.yaml").stderr.decode()


def test_a_preview_that_cannot_be_printed_does_not_deny_the_output(job):
    tool = job()
    with open("/dev/full", "wb") as full:
        done = tool("run", "-q", "--preview", "2", "job.yaml", stdout=full)
    text = done.stderr.decode()
    assert done.returncode == 2
    assert f"{OUT} is complete, but its preview could not be shown" in text and "nothing was written" not in text
    assert pq.read_table(tool.cwd / OUT).num_rows == 2


# ---- what only the Python host has ------------------------------------------------------------------------------------


@pytest.mark.parametrize("old, new, says", [
    # connectors with keys of their own, whose recipes and variables are nowhere to be found
    ("source_connector: csv", "source_connector: hubspot\nsource_connector_path: /app/hubspot.yaml",
     ['job.yaml:3:19: source connector "hubspot" is not supported', "Python host"]),
    ("  files: [{path: in.csv}]", "  sheets: [{id: '${DN_NOT_SET}'}]\nsource_connector: google_sheets",
     ['job.yaml:7:19: source connector "google_sheets"', "source_connector: csv"]),
    ("target_connector: local\n", "target_connector: google_sheets\ntarget_connector_path: '${DN_NOT_SET}'\n",
     ['job.yaml:4:19: target connector "google_sheets" is not supported']),
    ("source_connector: csv\n", "source_connector_path: recipe.yaml\n",
     ['job.yaml:3:24: source connector "stripe" is not supported']),
    ("source:\n", "source:\n  connection: {password: '${DN_NOT_SET}'}\n  custom_reader: 'a/reader.py:Reader'\n",
     ['job.yaml:8:18: custom_reader "a/reader.py" is a Python plugin', "Python host"]),
    ("target:\n", "target:\n  custom_writer: 'reader.py:Writer'\n", ["custom_writer", "is a Python plugin"]),
    ("target:\n", "target:\n  markdown_kv_storage: {mode: string}\n", ["markdown_kv_storage is not supported"]),
    ("target:\n", "target:\n  catalog: nessie\n", ["job.yaml:9:12: catalog is not supported", "Iceberg"]),
    ("connection: {path: out}", "connection: {path: out, nessie: {uri: x}}", ["nessie is not supported", "Iceberg"]),
    ("target_connector: local", "target_connector: local\ntarget_connector_path: target.yaml",
     ["target.yaml:2:10: catalog is not supported"]),
])
def test_what_only_the_python_host_has(job, write, old, new, says):
    write("recipe.yaml", "type: stripe\n")
    write("target.yaml", "type: local\ncatalog: nessie\n")
    text = JOB.replace("source_connector: csv\n", "", 1) if "sheets" in new and "source_" in new else JOB
    tool = job(job=text.replace(old, new, 1))
    said = tool.fails("run", "job.yaml", says=says)
    assert len(said.splitlines()) == 1


def test_a_catalog_is_told_nothing_and_that_is_said(job):
    tool = job(job=JOB + "catalog: {type: openmetadata, connection: {auth_token: '${DN_NOT_SET}'}, push_lineage: true}\n")
    assert 'warning: job.yaml: catalog "openmetadata" is told nothing' in tool.ok("run", "job.yaml").stderr.decode()
    tool = job(job=JOB + "catalog: {typ: openmetadata}\n")
    tool.fails("run", "job.yaml", says=["job.yaml:12:11: unknown key", 'did you mean "type"?'])


def test_an_asset_under_a_key_of_its_own(job):
    """The older form of the host's assets."""
    wrapped = "asset:\n" + "".join(f"  {line}\n" for line in ASSET.splitlines()) + "  governance: {owner: a@b.c}\n"
    tool = job(asset=wrapped)
    tool.ok("run", "job.yaml")
    assert pq.read_table(tool.cwd / OUT).num_rows == 2
    tool = job(asset=wrapped.replace("type: date", "type: dat"))
    tool.fails("run", "job.yaml", says=["asset.yaml:13:", 'unknown type "dat"'])
