"""Plugins of Level 0 alone, in convert and run: what they give arrives, and nothing that they do wrong ends with exit code 0."""

import json
import os
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import FAKES, PLUGINS, tree

PLUGIN = FAKES / "libfake_answers.so"
GOOD = '[{"id":1,"name":"a"},{"id":2,"name":"b"}]'
ERROR = 'DATIVO_PLUGIN_ERROR {"code":"data","message":"a comma is missing","path":"in.csv","line":7,"column":"id"}'


@pytest.fixture
def script(tool):
    """Options of the plugin as flags of convert: they are in a file."""

    def write(name="reader", **options):
        (tool.cwd / f"{name}.json").write_text(json.dumps(options))
        (tool.cwd / "in").write_text("x")
        return f"--{name}", PLUGIN, f"--{name}-option", f"script={name}.json"

    return write


def read(tool, *flags, says=None):
    done = tool.ok("convert", "-f", *flags, "in", "out.parquet")
    for word in says or []:
        assert word in done.stderr.decode()
    return pq.read_table(tool.cwd / "out.parquet")


# ---- readers ----


def test_records_become_columns(tool, script):
    table = read(tool, *script(texts=[
        '[{"i":1,"f":1.5,"b":true,"s":"é","n":null,"l":[1,2]},{"i":2,"f":2,"b":false,"s":"\\ud83d\\ude00","o":{"k":"v"}}]',
        '[{"i":-3,"f":1e300,"s":null}]']))
    assert table.to_pylist() == [
        {"i": 1, "f": 1.5, "b": True, "s": "é", "n": None, "l": "[1,2]", "o": None},
        {"i": 2, "f": 2.0, "b": False, "s": "😀", "n": None, "l": None, "o": '{"k":"v"}'},
        {"i": -3, "f": 1e300, "b": None, "s": None, "n": None, "l": None, "o": None}]
    assert [str(t) for t in table.schema.types] == ["int64", "double", "bool", "string", "string", "string", "string"]


def big(n, at, record):
    """Batches beyond the sample, which is 4 MiB: one record at the end is another."""
    batch = json.dumps([{"id": i, "pad": "x" * 9999} for i in range(100)])
    return [batch] * n + [json.dumps([record])] if at == "end" else [json.dumps([record])] + [batch] * n


def test_types_and_columns_that_come_late_start_over_once(tool, script):
    table = read(tool, *script(texts=big(5, "end", {"id": 1.5, "new": 7, "other": "t", "nothing": None})),
                 says=['column "id" becomes float64 instead of int64', 'column "new" becomes int64 instead of none'])
    assert table.num_rows == 501 and table.column_names == ["id", "pad", "new", "other"]
    assert table.slice(500).to_pylist() == [{"id": 1.5, "pad": None, "new": 7, "other": "t"}]


def test_declared_types_are_a_promise(tool, script):
    flags = [*script(texts=['[{"id":"007","d":"2024-02-29"}]']), "--types", "id=string,d=date"]
    assert str(read(tool, *flags).schema.field("d").type) == "date32[day]"
    flags = [*script(texts=[*big(5, "end", {"id": "x"})]), "--types", "id=int64"]
    tool.fails("convert", *flags, "in", "new.parquet", says=["column 'id'", "batch 6", "'x'"])


def test_a_limit_is_kept(tool, script):
    """And said: to the plugin the word may mean something else."""
    assert read(tool, *script(texts=[GOOD, GOOD]), "--limit", "3", says=["limit ends this behind 3 rows"]).num_rows == 3


def test_a_limit_is_not_passed_on_to_who_does_not_know_it(tool, script):
    read(tool, *script(texts=[GOOD], tell="told.json"), "--limit", "1", "--reader-option", "script_too=1")
    assert set(json.loads((tool.cwd / "told.json").read_text())["engine"]["options"]) == {"script", "script_too"}


def test_a_source_without_records_may_be_allowed(tool, script):
    """Where somebody says what columns there are."""
    flags = script(texts=[None])
    tool.fails("convert", *flags, "--allow-empty", "in", "new.parquet", says="name the columns")
    tool.fails("convert", *flags, "--types", "id=int64", "in", "new.parquet", says="no rows")
    table = read(tool, *flags, "--allow-empty", "--types", "id=int64,s=string")
    assert table.num_rows == 0 and [str(t) for t in table.schema.types] == ["int64", "string"]


def test_an_empty_list_is_not_the_end(tool, script):
    assert read(tool, *script(texts=["[]", GOOD, " [ ] ", GOOD])).num_rows == 4
    tool.fails("convert", *script(texts=["[]"] * 1001), "in", "new.parquet", says=["[] 1000 times", "NULL"])


def test_error_texts_say_where(tool, script):
    tool.fails("convert", *script(texts=[GOOD, ERROR]), "in", "new.parquet", says=["in.csv", "7", "a comma is missing"])


def test_null_with_an_error_behind_it(tool, script):
    flags = script(texts=[GOOD], last_error='{"code":"io","message":"the cable is cut"}')
    tool.fails("convert", *flags, "in", "new.parquet", says=["the cable is cut"])
    assert read(tool, *script(texts=[GOOD], last_error='{"code":"ok","message":""}')).num_rows == 2


def test_no_handle_and_no_record(tool, script):
    tool.fails("convert", *script(create_null=True), "in", "new.parquet", says=["create function returned NULL"])
    tool.fails("convert", *script(texts=[]), "in", "new.parquet", says=["returned NULL at once"])


def test_the_plugin_gets_what_hosts_send(tool, script):
    read(tool, *script(texts=[GOOD], tell="told.json"), "--types", "id=int64", "--reader-option", "mine=5")
    told = json.loads((tool.cwd / "told.json").read_text())
    assert sorted(told) == ["connection", "credentials", "engine", "files", "incremental", "objects", "type"]
    assert told["files"] == [{"path": "in"}] or told["files"][0]["path"] == "in"
    assert told["engine"]["options"]["mine"] in ("5", 5) and "types" not in told["engine"]["options"]


# ---- options that nothing in Level 0 refuses ----


@pytest.mark.parametrize("flags, says", [
    (["--skip-rows", "2"], ["--skip-rows would", "--reader-option skip_rows=..."]),
    (["--no-header"], ["--header would"]),
    (["--max-rejects", "3"], ["--max-rejects would"]),
    (["--delimiter", ";"], ["--delimiter would"]),
    (["--columns", "name:n"], ["--columns name:n: only of CSV files", "one by one"]),
    (["--columns=-name"], ["--columns -name: only of CSV files"]),
    (["--columns", "#1"], ["--columns #1: only of CSV files"]),
    (["--limit", "x"], ["--limit must be a whole number", "'x'"]),
    (["--reader-option", "limit=-1"], ["--limit must be a whole number", "'-1'"]),
])
def test_flags_that_a_reader_would_pass_over(tool, script, flags, says):
    source = script(texts=[GOOD])
    said = tool.fails("convert", *source, *flags, "in", "new.parquet", says=says)
    tool.fails("schema", *source, *flags, "in", says=says)
    assert ("libfake_answers.so" in said) == ("would" in said)


@pytest.mark.parametrize("flags, says", [
    (["-c", "zstd"], ["--compression would", "--writer-option compression=..."]),
    (["--row-group-size", "5"], ["--row-group-size would"]),
    (["--verify"], ["--verify would"]),
    (["--writer-option", 'batch_size="x"'], ["must be a whole number", "'x'"]),
])
def test_flags_that_a_writer_would_pass_over(tool, script, flags, says):
    (tool.cwd / "in.csv").write_text(CSV)
    tool.fails("convert", *script("writer"), *flags, "in.csv", "out.json", says=says)


def test_words_that_are_in_a_plugin_are_believed(tool, script):
    read(tool, *script(texts=[GOOD]), "--reader-option", "tell=told.json")
    said = tool.ok("convert", "-f", "--reader", PLUGINS / "libcsv_reader_plugin.so", "--no-header", "in", "o.parquet").stderr.decode()
    assert "pass over" not in said


# ---- jobs ----

JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  custom_reader: "PLUGIN:create_reader"
  files: [{path: in}]
  engine: {options: {script: reader.json}}
target:
  connection: {path: out}
schema_validation_mode: MODE
"""
ASSET = """
name: t
schema: [{name: id, type: integer, required: true}, {name: day, type: date}, {name: more, type: string}]
"""
OUT = "out/default/default/t/t_000000.parquet"


def job(tool, script, texts, mode="strict", text=JOB):
    script(texts=texts)
    (tool.cwd / "job.yaml").write_text(text.replace("PLUGIN", str(PLUGIN)).replace("MODE", mode))
    (tool.cwd / "asset.yaml").write_text(ASSET)
    return tool


def test_a_strict_job_has_the_columns_of_its_asset(tool, script):
    job(tool, script, ['[{"extra":1,"day":"2024-02-29","id":"12"},{"id":13}]'])
    done = tool.ok("run", "job.yaml")
    assert "extra" in done.stderr.decode()
    table = pq.read_table(tool.cwd / OUT)
    assert [(f.name, str(f.type), f.nullable) for f in table.schema] == [
        ("id", "int64", False), ("day", "date32[day]", True), ("more", "string", True)]
    assert table.to_pylist()[1] == {"id": 13, "day": None, "more": None}


@pytest.mark.parametrize("texts, says", [
    (['[{"id":1}]', '[{"id":"x"}]'], ["column 'id'", "'x'", "batch 2"]),
    (['[{"id":1}]', '[{"id":null}]'], ["required column 'id' is null", "batch 2"]),
    (['[{"id":1}]', '[{"day":"2024-01-01"}]'], ["required column 'id' is absent", "batch 2"]),
    (['[{"id":1,"day":"29.2.2024"}]'], ["column 'day'", "29.2.2024"]),
    (['[{"day":"2024-01-01"}]'], ["id"]),
])
def test_a_strict_job_ends_where_the_asset_is_broken(tool, script, texts, says):
    job(tool, script, texts).fails("run", "job.yaml", says=says)


def test_options_of_a_job_that_a_plugin_seems_not_to_know(tool, script):
    job(tool, script, [GOOD], text=JOB.replace("{script: reader.json}", "{script: reader.json, skp_rows: 2, native: {a: 1}}"))
    said = tool.ok("run", "job.yaml").stderr.decode()
    assert "pass over them: skp_rows" in said and said.count("skp_rows") == 1


def test_keys_that_come_late_are_told_in_a_strict_job(tool, script):
    job(tool, script, big(5, "end", {"id": 5, "late": 1}))
    assert "late" in tool.ok("run", "job.yaml").stderr.decode()
    assert pq.read_table(tool.cwd / OUT).num_rows == 501


def test_a_warn_job_keeps_what_deviates(tool, script):
    job(tool, script, ['[{"id":1,"day":"2024-02-29","extra":true}]', '[{"id":"x","day":"never"}]'], mode="warn")
    done = tool("run", "job.yaml")
    assert done.returncode == 1, done.stderr
    assert pq.read_table(tool.cwd / OUT).select(["id", "day"]).to_pylist() == [
        {"id": "1", "day": "2024-02-29"}, {"id": "x", "day": "never"}]


# ---- writers ----

WRITE_JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files: [{path: in.csv}]
target:
  custom_writer: "PLUGIN:create_writer"
  file_format: FORMAT
  connection: {path: out}
  engine: {options: {tell: told.json}}
"""


@pytest.mark.parametrize("form, name", [("json", "t_000000.json"), ("json.gz", "t_000000.json.gz"), ("CSV", "t_000000.csv"), ("null", "t_000000.parquet"),
                                        ("../x", None), (".json", None), ('"a b"', None), ("12345678901234567", None)])
def test_a_job_names_the_file_as_its_writer_writes(tool, form, name):
    (tool.cwd / "in.csv").write_text("id,day,more\n1,2024-02-29,x\n")
    (tool.cwd / "asset.yaml").write_text(ASSET)
    (tool.cwd / "job.yaml").write_text(WRITE_JOB.replace("PLUGIN", str(PLUGIN)).replace("FORMAT", form))
    if name is None:
        tool.fails("run", "job.yaml", says=["job.yaml:10:", "file_format", "1 to 16 letters"])
        return
    tool.ok("check", "job.yaml")
    tool.ok("run", "job.yaml")
    assert [p.name for p in (tool.cwd / "out/default/default/t").iterdir()] == [name]
    assert json.loads((tool.cwd / "told.json").read_text())["file_format"] == name.split(".", 1)[1]
    (tool.cwd / "job.yaml").write_text(WRITE_JOB.replace('custom_writer: "PLUGIN:create_writer"', "branch: main").replace("FORMAT", "json"))
    tool.fails("run", "job.yaml", says="parquet or csv, or what a custom_writer makes")

CSV = "id,name,day\n" + "".join(f"{i},n{i},2024-01-{1 + i % 28:02}\n" for i in range(250))


def write(tool, script, *flags, rows=100, **options):
    (tool.cwd / "in.csv").write_text(CSV)
    return ["convert", *script("writer", **options), "--writer-option", f"batch_size={rows}", *flags, "in.csv", "out.parquet"]


def records(path):
    return json.loads(path.read_text())["records"]


def test_columns_become_records(tool, script):
    done = tool.ok(*write(tool, script, rows=1000, tell="told.json"))
    assert "250 in = 250 out" in done.stderr.decode()
    got = records(tool.cwd / "out.parquet")
    assert got[0] == {"id": 0, "name": "n0", "day": "2024-01-01"} and len(got) == 250
    told = json.loads((tool.cwd / "told.json").read_text())
    assert "level0" not in told and "path" not in told
    assert told["schema"] == [{"name": "id", "type": "integer", "required": False},
                              {"name": "name", "type": "string", "required": False},
                              {"name": "day", "type": "date", "required": False}]


def test_several_files_get_numbers(tool, script):
    flags = write(tool, script)
    tool.ok(*flags)
    names = ["out.parquet", "out_000001.parquet", "out_000002.parquet"]
    assert sorted(p.name for p in tool.cwd.glob("out*")) == names
    assert [len(records(tool.cwd / n)) for n in names] == [100, 100, 50]
    assert [json.loads((tool.cwd / n).read_text())["file_counter"] for n in names] == [0, 1, 2]
    assert not [p for p in tool.cwd.iterdir() if p.name.startswith(".")]
    tool.ok(*flags, "-f")
    flags = write(tool, script, "-f", rows=200)  # fewer files: those of before would be there beside the new rows
    tool.fails(*flags, says=["out_000002.parquet", "earlier run"])


ANSWERS = {
    "NULL": (None, "returned NULL for 100 records"),
    "empty list": ("[]", "an empty list of files"),
    "empty object": ("{}", "no list of files"),
    "error object": ('{"error":"boom"}', "no list of files"),
    "null": ("null", "no list of files"),
    "number": ("42", "no list of files"),
    "error entry": ('[{"error":"boom"}]', "an entry that is no"),
    "text entry": ('["x"]', "an entry that is no"),
    "null entry": ("[null]", "an entry that is no"),
    "no JSON": ("boom", "no list of files"),
    "nothing": ("", "an empty text"),
    "bad UTF-8": ({"hex": "ff"}, "not UTF-8"),
    "size null": ('[{"path":"%s","size_bytes":null,"record_count":%d}]', "an entry that is no"),
    "size wrong": ('[{"path":"%s","size_bytes":1,"record_count":%d}]', "has 1 bytes, and it has"),
    "count wrong": ('[{"path":"%s","record_count":99}]', "100 records, and its files have 99"),
    "count missing": ('[{"path":"%s"}]', "an entry that is no"),
    "count negative": ('[{"path":"%s","record_count":-100}]', "an entry that is no"),
    "not there": ('[{"path":"%s.not","record_count":%d}]', "which is not there"),
    "twice": ('[{"path":"%s","record_count":50},{"path":"%s","record_count":50}]', "a second time"),
    "twice, otherwise written": ('[{"path":"%s","record_count":50},{"path":"./%s","record_count":50}]', "a second time"),
    "elsewhere": ('[{"path":"in.csv","record_count":%d}]', "which is not in output_base"),
    "the folder": ('[{"path":"%s/..","record_count":%d}]', "which is not there"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_wrong_list_is_noticed(tool, script, name):
    """For the first batch, for another one, and for the last, which has 50 rows."""
    answer, says = ANSWERS[name]
    good = '[{"path":"%s","record_count":%d}]'
    for n in range(3):
        flags = write(tool, script, answers=[*[good] * n, answer, good])
        tool.fails(*flags, says=[says.replace("100 records", "50 records") if n == 2 else says, "libfake_answers.so"])


def test_writers_that_fail_or_overwrite(tool, script):
    tool.fails(*write(tool, script, fail_at=2), says="disk on fire")
    tool.fails(*write(tool, script, same_name=True), says=["a second time", "file_counter"])
    tool.fails(*write(tool, script, create_null=True), says="create function returned NULL")
    (tool.cwd / "out.parquet").write_text("mine")
    tool.fails(*write(tool, script), says="exists already")


def test_a_file_may_be_told_by_its_url(tool, script):
    """Which is a path, too: what is in the hidden folder and gets no name is gone with it."""
    answer = '[{"path":"file://%s","record_count":%d}]'
    flags = write(tool, script, rows=1000, answers=[answer])
    tool.ok(*flags[:-1], tool.cwd / "a b.json")
    assert len(records(tool.cwd / "a b.json")) == 250
    tool.fails(*flags, says="file://")  # of a name that is relative, as the target is: that is a host
    assert sorted(p.name for p in tool.cwd.iterdir()) == ["a b.json", "in", "in.csv", "writer.json"]


def test_names_that_writers_get(tool, script):
    flags = write(tool, script, rows=1000)[:-1]
    (tool.cwd / "c:").mkdir()
    for name in (f"{tool.cwd}/c://k.json", "x" * 250 + ".json"):
        tool.ok(*flags, name)
        assert len(records(tool.cwd / name)) == 250
    tool.fails(*flags, os.fsdecode(b"n\xff.json"), says="the name is not UTF-8")


MEANWHILE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    if (strstr(to, getenv("MEANWHILE")) != NULL) close(open(to, O_CREAT | O_EXCL | O_WRONLY, 0600));
    return ((int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2"))(a, from, b, to, flags);
}
"""


@pytest.mark.parametrize("name", ["out.parquet", "out_000001.parquet", "out_000002.parquet"])
def test_what_is_there_meanwhile_is_not_replaced(tool, script, name):
    """Not by any of several files, and the others are not there either."""
    (tool.cwd / "meanwhile.c").write_text(MEANWHILE)
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", "meanwhile.so", "meanwhile.c", "-ldl"], cwd=tool.cwd, check=True)
    done = tool(*write(tool, script), env={"LD_PRELOAD": str(tool.cwd / "meanwhile.so"), "MEANWHILE": name})
    assert done.returncode == 2 and f"{name}: exists already" in done.stderr.decode()
    assert [p.name for p in tool.cwd.glob("out*")] == [name] and (tool.cwd / name).stat().st_size == 0


def test_the_line_at_the_end_names_what_is_there(tool, script):
    answer = '[{"path":"s3://bucket/part","size_bytes":1,"record_count":%d}]'
    assert "in.csv -> s3://bucket/part\n" in tool.ok(*write(tool, script, rows=1000, answers=[answer])).stderr.decode()
    assert "in.csv -> out.parquet\n" in tool.ok(*write(tool, script, rows=1000)).stderr.decode()


def test_our_own_plugins_through_the_adapter(tool, tmp_path):
    """What Level 0 of the plugins here says, the adapter understands: the same rows as at Level 1."""
    (tool.cwd / "in.csv").write_text(CSV)
    for name in ("csv_reader", "parquet_writer"):
        source = (PLUGINS / f"lib{name}_plugin.so").read_bytes()
        (tool.cwd / f"{name}.so").write_bytes(source.replace(b"dativo_plugin_get\0", b"dativo_plugin_gex\0"))
    done = tool.ok("convert", "--reader", "./csv_reader.so", "--writer", "./parquet_writer.so", "in.csv", "out.parquet")
    assert "250 in = 250 out" in done.stderr.decode()
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.num_rows == 250 and table.column("id").type == pa.int64()
    assert table.column("name").to_pylist()[249] == "n249"
    assert tree(tool.cwd)
