"""What is lost or changed on the way is a warning: counted, in the closing lines, and said under --quiet."""

import json

import pytest

ASSET = "name: t\nschema:\n  - {name: id, type: integer, required: true}\n  - {name: email, type: string}\nEXTRA"

JOB = """
tenant_id: x
source_connector: csv
target_connector: local
asset_path: asset.yaml
source: {files: [{path: in.csv}]}
target: {connection: {path: out}}
schema_validation_mode: MODE
EXTRA
"""


@pytest.fixture
def job(tool, write):
    def make(csv="id,e_mail\n1,a@b\n", mode="strict", job="", asset=""):
        write("in.csv", csv)
        write("asset.yaml", ASSET.replace("EXTRA", asset))
        write("job.yaml", JOB.replace("MODE", mode).replace("EXTRA", job))
        return tool

    return make


def finished(done):
    return json.loads(done.stderr.decode().splitlines()[-1])


@pytest.mark.parametrize("mode, outcome", [("strict", "; it is written as nulls"), ("warn", "")])
def test_missing_column_is_a_warning_in_every_mode(job, mode, outcome):
    tool = job(mode=mode)
    text = tool.ok("run", "-q", "job.yaml").stderr.decode()
    assert f'warning: in.csv: the file has no column "email"{outcome}; columns of the file that the asset does not have: e_mail' in text
    text = tool.ok("run", "job.yaml").stderr.decode()
    assert f"said    {2 if mode == 'strict' else 1} warning" in text and "see above" in text
    last = finished(tool.ok("run", "--log-format", "json", "job.yaml"))
    assert last["warnings"] == (2 if mode == "strict" else 1) and last["deviations"] == 0  # strict: e_mail is left out, too


def test_missing_column_of_a_file_that_has_nothing_else(job):
    text = job(csv="id\n1\n").ok("run", "-q", "job.yaml").stderr.decode()
    assert 'no column "email"; it is written as nulls; the asset has all columns of the file' in text


@pytest.mark.parametrize("mode", ["strict", "warn"])
@pytest.mark.parametrize("job_says, asset_says, flag", [
    ("missing_columns: error", "", []),
    ("", "missing_columns: error\n", []),
    ("", "", ["--missing-columns", "error"]),
    ("missing_columns: warn", "", ["--missing-columns=error"]),
    ("missing_columns: error", "missing_columns: warn\n", []),
])
def test_missing_column_can_be_an_error(job, mode, job_says, asset_says, flag):
    tool = job(mode=mode, job=job_says, asset=asset_says)
    text = tool.fails("run", *flag, "job.yaml", says=[
        'no column "email"', "--missing-columns warn", "missing_columns: warn", "does not have: e_mail"])
    assert text.count("\n") == 1
    tool.ok("run", "--missing-columns", "warn", "job.yaml")


def test_missing_columns_with_convert(job):
    tool = job()
    assert b'no column "email"' in tool.ok("convert", "-q", "--schema", "asset.yaml", "in.csv", "a.parquet").stderr
    tool.fails("convert", "--schema", "asset.yaml", "--missing-columns", "error", "in.csv", "b.parquet", says='no column "email"')
    tool.fails("convert", "--missing-columns", "error", "in.csv", "b.parquet", says="--missing-columns needs --schema")
    tool.fails("convert", "--schema", "asset.yaml", "--missing-columns", "no", "in.csv", "b.parquet", says="warn or error, not no")
    tool.fails("run", "--missing-columns", "no", "job.yaml", says="warn or error, not no")


def test_missing_columns_is_checked_where_it_stands(job):
    job(job="missing_columns: never").fails("run", "job.yaml", says=["job.yaml:9:18", '"never" is neither "warn" nor "error"'])
    job(asset="missing_columns: never").fails("run", "job.yaml", says=["asset.yaml:5:18", "never"])


def test_columns_that_are_left_out(job):
    tool = job(csv="id,email,phone\n1,a@b,2\n")
    assert b"warning: in.csv: columns of the file that the asset does not have are left out: phone" in tool.ok("run", "-q", "job.yaml").stderr
    assert finished(tool.ok("run", "--log-format", "json", "job.yaml"))["warnings"] == 1
    assert job(csv="id,email\n1,a@b\n").ok("run", "-q", "job.yaml").stderr == b""


def test_widened_and_renamed_columns_are_said_once(tool, write):
    rows = "".join(f"{i},2\n" for i in range(60_000))
    write("in.csv", "a,a\n" + rows + "1.5,x\n")
    text = tool.ok("convert", "-q", "in.csv", "out.parquet").stderr.decode()
    assert 'warning: column "a" becomes string instead of int64, reading starts again' in text
    assert text.count('written as "a_1"') == 1, text  # not once per start
    last = finished(tool.ok("convert", "-f", "--log-format", "json", "in.csv", "out.parquet"))
    assert last["warnings"] == last["restarts"] + 1
