"""Where in a job stands what cannot be used, and what no message may repeat: values that could be secrets."""

import json

import pyarrow.parquet as pq
import pytest

from conftest import READER

JOB = """tenant_id: x
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files:
    - path: in.csv
    - path: in2.csv
target:
  connection: {path: out}
"""

SECRET = "hunter2"


@pytest.fixture
def job(tool, write):
    def make(old="", new="", **files):
        write("in.csv", "a\n1\n")
        write("in2.csv", "a\n2\n")
        write("asset.yaml", "name: t\nschema: [{name: a}]\n")
        for name, text in files.items():
            write(name.replace("_", "."), text)
        assert old in JOB
        write("job.yaml", JOB.replace(old, new, 1) if old else JOB + new)
        return tool

    return make


@pytest.mark.parametrize("old, new, says", [
    ("in2.csv", "gone.csv", ["job.yaml:8:13: ", "cannot read 'gone.csv'"]),
    ("- path: in2.csv", "- {file: ./in*.tsv}", ["job.yaml:8:7: ", "no file matches './in*.tsv'"]),
    ("asset.yaml", "none.yaml", ["job.yaml:4:13: asset_path: none.yaml: cannot be opened"]),
    ("asset.yaml", ".", ["job.yaml:4:13: asset_path: .: cannot be read"]),
    ("source:\n", "source_connector_path: none.yaml\nsource:\n",
     ["job.yaml:5:24: source_connector_path: none.yaml: cannot be opened"]),
    ("path: out", "path: in.csv", ["job.yaml:10:22: ", "in.csv"]),
    ("path: out", "path: in.csv/sub", ["job.yaml:10:22: ", "in.csv"]),
    ("source:\n", "source:\n  custom_reader: x/liby.so:create_reader\n", ["job.yaml:6:18: ", "library not found: x/liby.so"]),
    ("path: out", "path: s3://bucket/x", ["job.yaml:10:15: ", "at s3://..., not on this machine"]),
    ("path: out", "path: file://host/x", ["job.yaml:10:15: ", "at file://..., not on this machine"]),
    ("in2.csv", "ftp://host/x", ["job.yaml:8:7: ", "no name that can be read"]),
    ("in2.csv", "http://127.0.0.1:1/x?token=hidden", ["job.yaml:8:13: ", "http://127.0.0.1:1/x cannot be read"]),
])
def test_places(job, old, new, says):
    job(old, new).fails("run", "job.yaml", says=says)


def test_a_line_of_a_source_is_the_place(job):
    tool = job(in2_csv='a\n"x\n')
    text = tool.fails("run", "job.yaml", says="in2.csv: line 2")
    assert "job.yaml" not in text


def test_places_for_machines(job):
    done = job("in2.csv", "gone.csv")("run", "--log-format", "json", "job.yaml")
    last = json.loads(done.stderr.decode().splitlines()[-1])
    assert (last["code"], last["path"], last["line"], last["exit_code"]) == ("not_found", "job.yaml", 8, 2)


@pytest.mark.parametrize("prefix", ["", "file://", "file://localhost"])
def test_local_urls(job, tmp_path, prefix):
    tool = job("path: out", f"path: '{prefix}{tmp_path}/deep'", job2_yaml="")
    tool.ok("run", "job.yaml")
    assert pq.read_table(tmp_path / "deep/default/default/t/t_000000.parquet").num_rows == 2
    tool.ok("convert", f"{prefix}{tmp_path}/in.csv", f"{prefix}{tmp_path}/other.parquet")
    assert pq.read_table(tmp_path / "other.parquet").num_rows == 1


@pytest.mark.parametrize("old, new", [
    ("connection: {path: out}", f"connection: postgres://u:{SECRET}@h/d"),
    ("connection: {path: out}", f"connection: [{SECRET}]"),
    ("connection: {path: out}", f"connection: {{path: 's3://u:{SECRET}@bucket/x'}}"),
    ("connection: {path: out}", f"connection: {{path: {{password: {SECRET}}}}}"),
    ("path: in2.csv", f"path: 'ftp://u:{SECRET}@host/x'"),
    ("source:\n", f"source:\n  credentials: {SECRET}\n"),
    ("source:\n", f"source:\n  credentials: {{password: '${{{SECRET}-x}}'}}\n"),
    ("source:\n", f"source:\n  credentials: {{password: !{SECRET}}}\n"),
    ("source:\n", f"source:\n  credentials: {{password: *{SECRET}}}\n"),
    ("source:\n", f"source:\n  credentials: {{password: '{SECRET}'\n"),
    ("source:\n", f"source:\n  credentials: {{password: \"{SECRET}\\q\"}}\n"),
    ("source:\n", f"source:\n  dsn: {{url: {SECRET}}}\n"),
    ("source:\n", f"source:\n  engine: {SECRET}\n"),
    ("source:\n", f"source:\n  engine: {{options: {SECRET}}}\n"),
    ("source:\n", f"source:\n  engine: {{options: {{password: {SECRET}}}}}\n"),
    ("source:\n", f"source:\n  tables: {SECRET}\n"),
    ("source:\n", f"source:\n  password: {SECRET}\n"),
    ("source:\n", f"catalog: {{token: {SECRET}}}\nsource:\n"),
    ("tenant_id: x", f"tenant_id: {{token: {SECRET}}}"),
    ("target:\n", f"retry_config: {SECRET}\ntarget:\n  parquet_target_size_mb: {SECRET}\n"),
])
@pytest.mark.parametrize("flags", [[], ["--log-format", "json"]])
def test_secrets_are_not_repeated(job, old, new, flags):
    text = job(old, new).fails("run", *flags, "job.yaml", says="job.yaml")
    assert SECRET not in text, text


CANARY = "s3cr3t"


@pytest.mark.parametrize("old, new", [
    ("source_connector: csv", "source_connector: ${CANARY}"),
    ("target_connector: local", "target_connector: ${CANARY}"),
    ("target_connector: local", "target_connector: 'x://u:s3cr3t@h'"),
    ("source:\n", "source_connector_path: ${CANARY}\nsource:\n"),
    ("source:\n", "target_connector_path: ${CANARY}\nsource:\n"),
    ("asset_path: asset.yaml", "asset_path: ${CANARY}"),
    ("asset_path: asset.yaml", "asset_path: 'd/${CANARY}'"),
    ("source:\n", "schema_validation_mode: ${CANARY}\nsource:\n"),
    ("source:\n", "missing_columns: ${CANARY}\nsource:\n"),
    ("source:\n", "logging: {level: '${CANARY}'}\nsource:\n"),
    ("source:\n", "source:\n  custom_reader: ${CANARY}\n"),
    ("asset_path: asset.yaml", "asset_path: asset2.yaml"),
    *[(f"{side}:\n", f"{side}:\n  engine: {{options: {{{option}}}}}\n") for side, option in [
        ("source", "types: '${CANARY}'"), ("source", "types: s3cr3t"), ("source", "types: [s3cr3t]"),
        ("source", "types: {a: '${CANARY}'}"), ("source", "types: {a: {b: s3cr3t}}"),
        ("source", "null_values: {x: '${CANARY}'}"), ("source", "null_values: [{x: s3cr3t}]"),
        ("source", "null_values: [[s3cr3t]]"), ("source", "inference: '${CANARY}'"), ("source", "encoding: '${CANARY}'"),
        ("source", "quote: '${CANARY}'"), ("source", "header: '${CANARY}'"), ("source", "chunk_size: '${CANARY}'"),
        ("source", "columns: ['${CANARY}']"), ("source", "required: ['${CANARY}']"),
        ("source", "delimiter: {x: s3cr3t}"), ("source", "delimiter: 'u:s3cr3t@h'"),
        ("target", "compression: '${CANARY}'"), ("target", "compression: {x: s3cr3t}"),
        ("target", "row_group_size: '${CANARY}'"), ("target", "overwrite: '${CANARY}'"),
        ("target", "compression_level: [s3cr3t]")]],
])
@pytest.mark.parametrize("flags", [[], ["--log-format", "json"]])
def test_secrets_of_the_environment_are_not_repeated(job, old, new, flags):
    tool = job(old, new, asset2_yaml="name: '${CANARY}/x'\nschema: [{name: a}]\n")
    text = tool.fails("run", *flags, "job.yaml", says=".yaml", env={"CANARY": CANARY})
    assert CANARY not in text, text


def test_plain_values_of_the_file_are_shown(job):
    job("source:\n", "schema_validation_mode: lax\nsource:\n").fails("run", "job.yaml", says='"lax" is neither')
    job("source:\n", "source:\n  engine: {options: {inference: guess}}\n").fails("run", "job.yaml", says="not 'guess'")


def test_secrets_in_recipes(job):
    recipe = f"type: csv\ncredentials: {SECRET}\n"
    text = job("source:\n", "source_connector_path: recipe.yaml\nsource:\n", recipe_yaml=recipe).fails(
        "run", "job.yaml", says="recipe.yaml:2:14")
    assert SECRET not in text


def test_credentials_go_to_the_plugin_in_silence(job):
    tool = job("source:\n", f"source:\n  credentials: {{password: {SECRET}}}\n  custom_reader: {READER}:create_reader\n")
    assert SECRET not in tool.ok("run", "--log-format", "json", "job.yaml").stderr.decode()
