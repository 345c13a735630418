"""convert: good files come through exactly, every bad one gives a message, exit code 2 and no file."""

import contextlib
import fcntl
import gzip
import os
import pathlib
import random
import resource
import signal
import subprocess
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN, FAKES, READER, SANITIZED, WRITER, environment, tree, wait_until_it_listens

SMALL = 'id,name,at,price\n1,"a ""b"", c",2024-01-02 03:04:05,1.5\n2,"x\ny",,\n3,"",2024-02-29T00:00:00,-0.25\n'


def late(rows=400_000, at=123_457, value="1.5"):
    """Integers with one other value where no sample looks."""
    lines = [f"{i},text {i}" for i in range(rows)]
    lines[at] = f"{value},text {at}"
    return "a,b\n" + "\n".join(lines) + "\n"


# ---- what works ----------------------------------------------------------------------------------------------------


def test_values_come_through(tool, write):
    write("in.csv", SMALL)
    done = tool.ok("convert", "in.csv", "out.parquet")
    assert done.stdout == b""
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.column("id").to_pylist() == [1, 2, 3]
    assert table.column("name").to_pylist() == ['a "b", c', "x\ny", ""]
    assert [str(v) for v in table.column("at").to_pylist()] == ["2024-01-02 03:04:05", "None", "2024-02-29 00:00:00"]
    assert table.column("price").to_pylist() == [1.5, None, -0.25]
    assert tree(tool.cwd) == ["in.csv", "out.parquet"]


def test_reconciliation_is_told(tool, write):
    write("in.csv", SMALL)
    text = tool.ok("convert", "in.csv", "out.parquet").stderr.decode()
    size = (tool.cwd / "out.parquet").stat().st_size
    assert "rows    3 in = 3 out + 0 rejected" in text
    assert "files   1 in, 1 out" in text
    assert f"bytes   {len(SMALL)} bytes in, {size} bytes out" in text
    assert "time    " in text and "memory" in text
    assert tool.ok("convert", "-q", "-f", "in.csv", "out.parquet").stderr == b""


def test_many_sources_and_standard_input(tool, write):
    write("a.csv", "x,y\n1,a\n2,b\n")
    write("b.csv", "x,y\n3,c\n")
    text = tool.ok("convert", "a.csv", "b.csv", "both.parquet").stderr.decode()
    assert "a.csv and 1 more -> both.parquet" in text and "files   2 in, 1 out" in text
    assert pq.read_table(tool.cwd / "both.parquet").column("x").to_pylist() == [1, 2, 3]
    text = tool.ok("convert", "-", "in.parquet", stdin=b"x\n7\n8\n").stderr.decode()
    assert "standard input -> in.parquet" in text
    assert pq.read_table(tool.cwd / "in.parquet").column("x").to_pylist() == [7, 8]


def test_zstd_chooses_its_level(tool, write):
    """Of numbers, where less effort gives as much; whoever asks for a level has it, and threads make no difference."""
    chance = random.Random(5)
    prices = [chance.randrange(90000, 10500000) for _ in range(120000)]
    write("in.csv", "price\n" + "".join(f"{p}\n" for p in prices))
    sizes = {}
    for name, codec, threads in [("usual", "zstd", "1"), ("threads", "zstd", "8"), ("three", "zstd:3", "1"), ("again", "zstd:3", "8"),
                                 ("one", "zstd:1", "1")]:
        tool.ok("convert", "--compression", codec, "--threads", threads, "in.csv", f"{name}.parquet")
        assert pq.read_table(tool.cwd / f"{name}.parquet").column("price").to_pylist() == prices
        sizes[name] = (tool.cwd / f"{name}.parquet").read_bytes()
    assert sizes["usual"] == sizes["threads"] and sizes["three"] == sizes["again"]
    assert sizes["usual"] != sizes["three"] != sizes["one"]
    assert len(sizes["usual"]) < 1.125 * len(sizes["three"])


def test_options_reach_the_plugins(tool, write):
    write("in.txt", "7|'a|b'|NA\n8|c|-\n9|d|x\n")
    tool.ok("convert", "--delimiter", "|", "--quote", "'", "--no-header", "--null-values", "NA,-", "--types",
            "column_1=string", "--row-group-size", "2", "--threads", "1", "--memory", "64MB", "in.txt", "out.parquet")
    file = pq.ParquetFile(tool.cwd / "out.parquet")
    assert file.metadata.num_row_groups == 2
    assert file.read().to_pydict() == {"column_1": ["7", "8", "9"], "column_2": ["a|b", "c", "d"],
                                       "column_3": [None, None, "x"]}
    write("in.tsv", "a\tb\n1\t2\n")
    tool.ok("convert", "in.tsv", "tsv.parquet")
    assert pq.read_table(tool.cwd / "tsv.parquet").column_names == ["a", "b"]
    tool.ok("convert", "-d", "tab", "--reader-option", "chunk_size=1", "--writer-option", "compression=gzip", "in.tsv",
            "tab.parquet")


def test_null_sink_reads_and_drops(tool, write):
    write("in.csv", SMALL)
    text = tool.ok("convert", "in.csv", "null:").stderr.decode()
    assert "rows    3 in = 3 out" in text and "0 out\n" in text
    assert tree(tool.cwd) == ["in.csv"]
    write("bad.csv", "a\n1\nx\n")
    tool.fails("convert", "--types", "a=int64", "bad.csv", "null:", says="bad.csv")


def test_existing_output(tool, write):
    write("in.csv", "a\n1\n")
    before = write("out.parquet", "PAR1 precious")
    tool.fails("convert", "in.csv", "out.parquet", says=["out.parquet", "exists", "--overwrite"])
    assert before.read_text() == "PAR1 precious"
    tool.ok("convert", "--overwrite", "in.csv", "out.parquet")
    assert pq.read_table(before).column("a").to_pylist() == [1]


def test_failed_overwrite_keeps_the_old_file(tool, write):
    write("in.csv", "a,b\n1,2\n3\n")
    before = write("out.parquet", "PAR1 precious")
    tool.fails("convert", "--overwrite", "in.csv", "out.parquet", says="in.csv")
    assert before.read_text() == "PAR1 precious"


def test_header_only_and_all_null(tool, write):
    write("in.csv", "a,b\n")
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv", "no rows", "--allow-empty"])
    assert not (tool.cwd / "out.parquet").exists()
    text = tool.ok("convert", "--allow-empty", "in.csv", "out.parquet").stderr.decode()
    assert "no rows" in text
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.num_rows == 0 and table.column_names == ["a", "b"]
    write("null.csv", "a,b\n1,\n2,\n")
    tool.ok("convert", "null.csv", "null.parquet")
    assert pq.read_table(tool.cwd / "null.parquet").column("b").to_pylist() == [None, None]


# ---- types ---------------------------------------------------------------------------------------------------------


def test_late_conflict_widens_the_column(tool, write):
    write("in.csv", late())
    text = tool.ok("convert", "in.csv", "out.parquet").stderr.decode()
    assert 'column "a" becomes float64 instead of int64' in text and "line 123459" in text
    assert "1 column widened" in text
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.schema.field("a").type == pa.float64()
    wanted = [float(i) for i in range(400_000)]
    wanted[123_457] = 1.5
    assert table.column("a").to_pylist() == wanted
    assert table.column("b").to_pylist() == [f"text {i}" for i in range(400_000)]
    assert tree(tool.cwd) == ["in.csv", "out.parquet"]


def test_late_text_makes_the_column_text(tool, write):
    write("in.csv", late(value="n/a"))
    tool.ok("convert", "in.csv", "out.parquet")
    values = pq.read_table(tool.cwd / "out.parquet").column("a").to_pylist()
    assert values[:3] == ["0", "1", "2"] and values[123_457] == "n/a" and len(values) == 400_000


def test_declared_type_is_a_promise(tool, write):
    write("in.csv", late())
    tool.fails("convert", "--types", "a=int64", "in.csv", "out.parquet", says=["in.csv", "line 123459", "1.5", "int64", '"a"'])


def test_standard_input_cannot_restart(tool):
    tool.fails("convert", "-", "out.parquet", stdin=late().encode(), says=["twice", "--types a=float64"])


def test_schema_file_as_contract(tool, write):
    write("in.csv", "b,a,extra\nx,1,9\ny,2,9\n")
    write("s.json", '{"name": "t", "schema": [{"name": "a", "type": "integer", "required": true}, {"name": "b"}]}')
    text = tool.ok("convert", "--schema", "s.json", "in.csv", "out.parquet").stderr.decode()
    assert "left out: extra" in text
    schema = pq.read_schema(tool.cwd / "out.parquet")
    assert schema.names == ["a", "b"] and not schema.field("a").nullable and schema.field("b").nullable


# ---- bad input -----------------------------------------------------------------------------------------------------

BAD = {
    "bad_utf8": (b"a,b\n1,x\n2,\xff\xfe\n", ["in.csv", "line 3", "UTF-8"]),
    "ragged_long": (b"a,b\n1,x\n2,y,z\n", ["in.csv", "line 3"]),
    "ragged_short": (b"a,b\n1,x\n2\n", ["in.csv", "line 3"]),
    "unterminated_quote": (b'a,b\n1,x\n2,"y\n3,z\n', ["in.csv", "line 3", "quote"]),
    "empty": (b"", ["in.csv", "empty"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tool, write, name):
    data, says = BAD[name]
    write("in.csv", data)
    tool.fails("convert", "in.csv", "out.parquet", says=says)
    tool.fails("convert", "in.csv", "null:", says=says)


def test_sources_that_cannot_be_read(tool, write):
    tool.fails("convert", "none.csv", "out.parquet", says=["none.csv", "No such file"])
    (tool.cwd / "dir.csv").mkdir()
    tool.fails("convert", "dir.csv", "out.parquet", says=["dir.csv", "holds no files"])
    write("file.csv", "a\n1\n")
    tool.fails("convert", "file.csv/in.csv", "out.parquet", says=["file.csv/in.csv", "Not a directory"])
    write("in.parquet", "PAR1")
    tool.fails("convert", "in.parquet", "out.parquet", says="in.parquet")
    tool.fails("convert", "file.csv", "none.csv", "out.parquet", says="none.csv")


def test_other_columns_in_the_second_file(tool, write):
    write("a.csv", "x,y\n1,2\n")
    write("b.csv", "x,z\n1,2\n")
    tool.fails("convert", "a.csv", "b.csv", "out.parquet", says="b.csv")


def test_wrong_options(tool, write):
    write("in.csv", "a\n1\n")
    tool.fails("convert", "-c", "lzma", "in.csv", "out.parquet", says="lzma")
    tool.fails("convert", "-c", "zst", "in.csv", "out.parquet", says="zst")
    tool.fails("convert", "--types", "a=intger", "in.csv", "out.parquet", says='did you mean "integer"?')
    tool.fails("convert", "--types", "b=int64", "in.csv", "out.parquet", says='"b"')
    tool.fails("convert", "--types", "a", "in.csv", "out.parquet", says="COLUMN=TYPE")
    tool.fails("convert", "--delimiter", "123456789", "in.csv", "out.parquet", says="1 to 8 bytes")
    tool.fails("convert", "--memory", "lots", "in.csv", "out.parquet", says="256MB")
    tool.fails("convert", "--threads", "9999", "in.csv", "out.parquet", says="1024")
    tool.fails("convert", "--log-format", "xml", "in.csv", "out.parquet", says="text or json")
    tool.fails("convert", "--reader-option", "delimitre=;", "in.csv", "out.parquet", says=['did you mean "delimiter"'])
    tool.fails("convert", "in.csv", says="at least one source and a destination")
    tool.fails("convert", "in.csv", "out.json", says="*.parquet")
    tool.fails("convert", "in.csv", "-", says="standard output")
    tool.fails("convert", "in.csv", "s3://bucket/x.parquet", says="no credentials")


def test_null_takes_no_name(tool, write):
    write("in.csv", "a\n1\n")
    tool.fails("convert", "in.csv", "null:x", says="null:x: null: drops the rows")
    assert tree(tool.cwd) == ["in.csv"]


@pytest.mark.parametrize("flags", [
    ("--compression", "zstd"), ("-c", "foo"), ("--row-group-size", "10"), ("--writer", "nowhere.so"),
    ("--writer-option", "line_end=crlf"), ("--verify",)], ids=lambda flags: flags[0])  # fmt: skip
def test_null_takes_nothing_about_writing(tool, write, flags):
    write("in.csv", "a\n1\n")
    flag = "--compression" if flags[0] == "-c" else flags[0]
    tool.fails("convert", *flags, "in.csv", "null:", says=[f"{flag} is about what is written", "leave it out"])


def test_null_takes_what_is_about_the_end(tool, write):
    """What a script gives whatever the target is, and of which nothing is lost."""
    write("in.csv", "a\n")
    tool.ok("convert", "--overwrite", "--allow-empty", "--quiet", "--no-progress", "in.csv", "null:")


def test_unwritable_targets(tool, write):
    write("in.csv", "a\n1\n")
    write("file", "x")
    (tool.cwd / "dir.parquet").mkdir()
    tool.fails("convert", "in.csv", "file/out.parquet", says=["file/out.parquet", "not a directory"])
    tool.fails("convert", "in.csv", "none/out.parquet", says=["none", "No such file"])
    tool.fails("convert", "in.csv", "dir.parquet", says=["dir.parquet", "directory"])
    tool.fails("convert", "in.csv", "/dev/full", says=["/dev/full", "not a regular file"])
    tool.fails("convert", "in.csv", "/proc/out.parquet", says="/proc/out.parquet")
    tool.fails("convert", "-f", "in.csv", "in.csv", says="also a source")
    (tool.cwd / "link.parquet").symlink_to("in.csv")
    tool.fails("convert", "-f", "in.csv", "link.parquet", says="also a source")
    assert (tool.cwd / "in.csv").read_text() == "a\n1\n"


def test_file_size_limit_like_a_full_disk(tool, write):
    write("in.csv", "a,b\n" + "".join(f"{i * 7919},{i * i}\n" for i in range(60000)))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

    text = tool.fails("convert", "-c", "none", "in.csv", "out.parquet", says="out.parquet", preexec_fn=limit)
    assert "File too large" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_full_disk(tool, write):
    write("in.csv", "a,b\n" + "".join(f"{i * 7919},{i * i}\n" for i in range(60000)))
    disk = tool.cwd / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no permission to mount")
    try:
        text = tool.fails("convert", "-c", "none", "in.csv", "disk/out.parquet", says="out.parquet")
        assert "No space left" in text
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ---- versions ------------------------------------------------------------------------------------------------------


def test_plugins_of_abi_1_0(tool):
    """The least tables of the first version, with memory behind them that a host must not touch."""
    old = ["--reader", FAKES / "libfake_v1_0.so", "--writer", FAKES / "libfake_v1_0.so"]
    tool.ok("convert", *old, "--reader-option", "rows=3", "x.csv", "out.parquet")
    assert (tool.cwd / "out.parquet").exists()
    text = tool.fails("convert", *old, "--reader-option", "rows=9", "--reader-option", "fail_at=2", "x.csv", "bad.parquet",
                      says="this row is broken")
    assert "bad.parquet" not in os.listdir(tool.cwd), text


# ---- being stopped -------------------------------------------------------------------------------------------------


def fake(*options, conflict=None):
    args = ["convert", "--reader", FAKES / "libfake_plugin.so", "--writer", FAKES / "libfake_plugin.so"]
    for option in options:
        args += ["--reader-option", option]
    return args


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_stop_cleanly(tool, number, code):
    process = tool.start(*fake("endless=1"), "x.csv", "out.parquet")
    deadline = time.monotonic() + 120
    while not (tool.cwd / "out.parquet.tmp").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, text = process.communicate(timeout=120)
    assert process.returncode == code, text
    assert b"stopped on request; nothing was written" in text
    assert b"cancelled" not in text  # what the reader says, which is nearly always the first to notice
    assert tree(tool.cwd) == []


@pytest.mark.parametrize("command, fed, number, code", [
    ("convert", None, signal.SIGTERM, 143), ("convert", 8, signal.SIGTERM, 143),
    ("convert", 3_000_000, signal.SIGTERM, 143), ("convert", 3_000_000, signal.SIGINT, 130),
    ("convert", 3_000_000, signal.SIGHUP, 129), ("schema", None, signal.SIGTERM, 143), ("schema", 8, signal.SIGINT, 130)])
def test_signals_end_the_wait_for_a_pipe(tool, command, fed, number, code):
    os.mkfifo(tool.cwd / "in.csv")
    process = tool.start(command, "in.csv", *(["out.parquet"] if command == "convert" else []))
    writer = None
    if fed is not None:
        writer = os.open(tool.cwd / "in.csv", os.O_RDWR)
        data = (b"a,b\n" + b"1,2\n" * (fed // 4))[:fed]
        while data:  # O_RDWR: no SIGPIPE, and the pipe takes what it has room for
            data = data[os.write(writer, data[:65536]):]
    wait_until_it_listens(process, number)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(number)
    _, text = process.communicate(timeout=60)  # at once, but the machine may be busy
    if writer is not None:
        os.close(writer)
    assert process.returncode == code, text
    assert b"stopped on request; nothing was written" in text
    assert tree(tool.cwd) == ["in.csv"]


def test_signals_end_the_wait_for_standard_input(tool):
    for command in (["convert", "-", "out.parquet"], ["schema", "-"]):
        process = tool.start(*command, stdin=subprocess.PIPE)
        process.stdin.write(b"a,b\n1,2\n")
        process.stdin.flush()
        wait_until_it_listens(process, signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        process.communicate()
    assert tree(tool.cwd) == []


def test_a_named_pipe_behind_a_file(tool, write):
    """Its writer waits until its turn comes; looking at it before would break it."""
    write("a.csv", "a\n1\n")
    os.mkfifo(tool.cwd / "b.csv")
    process = tool.start("convert", "a.csv", "b.csv", "out.parquet")
    (tool.cwd / "b.csv").write_text("a\n2\n")
    _, text = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert pq.read_table(tool.cwd / "out.parquet").column("a").to_pylist() == [1, 2]


@pytest.mark.parametrize("name", ["${HOME}", "${DN_X:-other}", "$${DN_X}", "${"])
def test_names_on_the_command_line_are_taken_as_they_are(tool, write, name):
    """The shell has expanded what there was to expand."""
    write("other.csv", "a\n1\n")
    write(f"{name}.csv", "a\n2\n")
    env = {"HOME": "other", "DN_X": "other"}
    tool.ok("convert", f"{name}.csv", f"{name}.parquet", env=env)
    assert pq.read_table(tool.cwd / f"{name}.parquet").column("a").to_pylist() == [2]
    assert tree(tool.cwd) == sorted(["other.csv", f"{name}.csv", f"{name}.parquet"])


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_ignored_from_the_start_stays_ignored(tool, number):
    """nohup; and a job in the background of a script, for which the terminal's ctrl-C is not meant."""
    process = tool.start(*fake("endless=1"), "x.csv", "out.parquet", preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    deadline = time.monotonic() + 120
    while not (tool.cwd / "out.parquet.tmp").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 143


def wait_until_idle(process):
    """Until every thread sleeps and has used no more of the processor; one that waits for its turn on a busy machine does not sleep."""
    def threads():
        stats = [(task / "stat").read_text().rsplit(")", 1)[1].split()
                 for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir()]
        return [(stat[0], *stat[11:13]) for stat in stats]
    deadline, before, calm = time.monotonic() + 120, None, 0
    while calm < 4:
        assert time.monotonic() < deadline and process.poll() is None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread has ended
            now = threads()
            calm = calm + 1 if now == before and all(state == "S" for state, *_ in now) else 0
            before = now
        time.sleep(0.1)


@pytest.mark.parametrize("args", [["schema", "wide.csv"], ["schema", "--json", "wide.csv"]])
def test_signals_end_the_wait_for_a_reader_of_standard_output(tool, write, args):
    write("wide.csv", ",".join(f"column_number_{i}" for i in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n")
    process = tool.start(*args)
    wait_until_idle(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == -signal.SIGTERM
    process.communicate()


@pytest.mark.parametrize("moving", [False, True])
def test_signals_end_the_wait_for_a_reader_of_standard_error(tool, write, moving):
    """While rows move, the temporary file is taken away; behind them there is nothing to undo."""
    write("in.csv", "a\n" + "1\n" * 1000)
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    for size in (4096, 1):  # byte by byte, until there is no room at all
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * size)
    os.set_blocking(writing, True)
    source = "-" if moving else "in.csv"
    process = subprocess.Popen([str(BIN), "convert", source, "out.parquet"], cwd=tool.cwd, stdin=subprocess.PIPE,
                               stderr=writing, env=environment())
    process.stdin.write(b"a,a\n" + b"1,2\n" * 5_000)  # a name that is there twice is worth a warning
    process.stdin.flush()
    wait_until_idle(process)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=60)
    os.close(reading)
    os.close(writing)
    assert code == (143 if moving else -signal.SIGTERM)
    assert tree(tool.cwd) == (["in.csv"] if moving else ["in.csv", "out.parquet"])


@pytest.mark.parametrize("args", [["--json"], []])
def test_why_standard_output_takes_nothing_is_said(tool, write, args):
    write("wide.csv", ",".join(f"column_number_{i}" for i in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n")
    reading, writing = os.pipe()
    os.close(reading)
    closed = tool("schema", *args, "wide.csv", stdout=writing)
    os.close(writing)
    assert closed.returncode == 2
    assert "standard output cannot be written: Broken pipe" in closed.stderr.decode()
    with open("/dev/full", "wb") as full:
        done = tool("schema", *args, "wide.csv", stdout=full)
    assert done.returncode == 2
    assert "standard output cannot be written: No space left on device" in done.stderr.decode()


def test_kill_leaves_no_final_file_and_a_rerun_works(tool, write):
    big = "".join(f"{i},some text that makes the row longer {i % 1000}\n" for i in range(400_000))
    write("in.csv", "a,b\n" + big * 5)
    killed = False
    for delay in (0.02, 0.05, 0.1, 0.2):
        process = tool.start("convert", "-c", "zstd:15", "--threads", "1", "in.csv", "out.parquet")
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=120)
        killed = killed or process.returncode == -9
        assert not (tool.cwd / "out.parquet").exists()
    assert killed
    tool.ok("convert", "in.csv", "out.parquet")
    assert pq.ParquetFile(tool.cwd / "out.parquet").metadata.num_rows == 2_000_000


def test_closed_standard_error_is_no_reason_to_fail(tool, write):
    write("in.csv", "a\n1\n")
    process = tool.start("convert", "in.csv", "out.parquet")
    process.stderr.close()
    process.stdout.close()
    assert process.wait(timeout=120) == 0
    assert pq.read_table(tool.cwd / "out.parquet").num_rows == 1


# ---- plugins that fail or lie --------------------------------------------------------------------------------------


def out(tool):
    return (tool.cwd / "out.parquet").read_text()


def test_fake_transfer(tool):
    text = tool.ok(*fake("rows=10"), "x.csv", "out.parquet").stderr.decode()
    assert "rows    10 in = 10 out" in text and "oddities: 2" in text
    assert out(tool) == "rows=10 sum=45.0 type=int64 required=0\n"


def test_restart_moves_every_row_once(tool):
    text = tool.ok(*fake("rows=10", "conflict_at=8"), "x.csv", "out.parquet").stderr.decode()
    assert "becomes float64 instead of int64" in text and "fake.csv: line 9" in text
    assert out(tool) == "rows=10 sum=50.0 type=float64 required=0\n"
    assert tree(tool.cwd) == ["out.parquet"]


def test_suggestion_that_does_not_help_ends(tool):
    tool.fails(*fake("conflict_at=8", "stubborn=1"), "x.csv", "out.parquet", says="line 9")


@pytest.mark.parametrize("how, fails", [(0, False), (1, True), (2, False), (3, True)],
                         ids=["left alone", "replaced", "grown", "cut"])
def test_a_second_pass_sees_the_same_file(tool, write, how, fails):
    """Types learnt from one file do not go with the rows of another."""
    write("x.csv", "a\n1\n")
    write("new.csv", "b\n1\n")
    command = [*fake("rows=10", "conflict_at=8", f"disturb={how}"), "x.csv", "out.parquet"]
    if fails:
        text = tool(*command).stderr.decode()
        assert "'x.csv' changed while it was read" in text and "between two passes" in text
        assert not (tool.cwd / "out.parquet").exists()
    else:
        tool.ok(*command)


@pytest.mark.parametrize("option, says", [("fail_at=5", "fake.csv: line 5: this row is broken"),
                                          ("report_lies=1", "rows do not add up: 11 read, 10 passed on"),
                                          ("no_columns=1", "no columns")])
def test_reader_failures(tool, option, says):
    tool.fails(*fake(option), "x.csv", "out.parquet", says=says)


def test_reader_that_fails_in_silence(tool):
    tool.fails(*fake("fail_at=5", "silent=1"), "x.csv", "out.parquet", says="the reader failed")


@pytest.mark.parametrize("option, says", [("count_lies=1", "rows do not add up"), ("count_lies=-10", "rows do not add up"),
                                          ("fail_open=1", "open fails"), ("fail_append=1", "disk full"),
                                          ("fail_finish=1", "finish fails"), ("fail_commit=1", "commit fails")])
def test_writer_failures(tool, option, says):
    tool.fails(*fake(), "--writer-option", option, "x.csv", "out.parquet", says=says)


def test_size_lie_is_noticed(tool):
    done = tool(*fake(), "--writer-option", "size_lies=5", "x.csv", "out.parquet")
    assert done.returncode == 0 and b"warning: out.parquet has" in done.stderr and b"its writer reported" in done.stderr


def test_missing_plugins_and_symbols(tool, write):
    write("in.csv", "a\n1\n")
    tool.fails("convert", "--reader", "nowhere/libx.so", "in.csv", "null:",
               says="library not found: nowhere/libx.so; tried nowhere/libx.so")
    tool.fails("convert", "--reader", "libx.so", "in.csv", "null:", says="./libx.so")
    write("text.so", "not a library")
    tool.fails("convert", "--reader", "text.so", "in.csv", "null:", says=["text.so", "cannot be loaded"])
    tool.fails("convert", "--reader", FAKES / "libfake_careless.so", "in.csv", "null:", says="create function returned NULL")
    tool.fails("convert", "--writer", FAKES / "libfake_careless.so", "in.csv", "out.parquet", says=["symbol write_batch not found", "it exports"])
    tool.fails("convert", "--writer", os.environ["DN_PLUGINS"] + "/libcsv_reader_plugin.so", "in.csv", "out.parquet",
               says="dativo.writer/1")
    copied = write("bin/x", "")  # no ../plugins beside it
    copied.unlink()
    done = tool("convert", "in.csv", "null:", env={"DATIVO_PLUGIN_PATH": str(tool.cwd)})
    assert done.returncode == 0  # the plugins beside the executable are found


@pytest.mark.skipif(SANITIZED, reason="sanitizers need much more memory")
def test_memory_stays_within_reason(tool, write):
    row = ",".join(["123456", "some text here", "2024-01-02", "3.25"]) + "\n"
    write("in.csv", "a,b,c,d\n" + row * 1_500_000)  # 54 MB
    text = tool.ok("convert", "--memory", "48MB", "--threads", "2", "in.csv", "out.parquet").stderr.decode()
    peak = float(text.split("memory  ")[1].split(" MB")[0])
    assert peak < 150


def test_repeated_names_are_renamed_and_reported(tool, write):
    write("in.csv", "a,a,b,a_1\n1,2,3,4\n")
    text = tool.ok("convert", "in.csv", "out.parquet").stderr.decode()
    assert 'column 2 is written as "a_2"' in text
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.to_pylist() == [{"a": 1, "a_2": 2, "b": 3, "a_1": 4}]


@pytest.mark.parametrize("data,says", [
    (gzip.compress(gzip.compress(b"a,b\n1,2\n")), ["gzip", "packed twice"]),
    (b"PK\x03\x04rest", ["zip archive"]),
    (b"PAR1\x15\x04rest", ["Parquet"]),
])
def test_other_formats_are_named(tool, data, says):
    (tool.cwd / "in.csv").write_bytes(data)
    tool.fails("convert", "in.csv", "out.parquet", says=["in.csv", *says])


def test_a_header_may_start_like_another_format(tool, write):
    write("in.csv", "PAR1,PK\n1,2\n")
    tool.ok("convert", "in.csv", "out.parquet")


def test_plugins_as_jobs_write_them(tool, write):
    write("in.csv", SMALL)
    tool.ok("convert", "--reader", f"{READER}:create_reader", "--writer", f"{WRITER}:create_writer", "in.csv",
            "out.parquet")
    tool.ok("schema", "--reader", f"{READER}:create_reader", "in.csv")
    tool.fails("convert", "--reader", f"{READER}:create_raeder", "in.csv", "b.parquet",
               says=["symbol create_raeder not found", "it exports"])
    tool.fails("schema", "--reader", "none.so:create_reader", "in.csv", says="library not found: none.so; tried")


def test_names_do_not_reach_the_terminal_raw(tool, write):
    text = tool.fails("convert", "no\x1b[31msuch\nfile.csv", "out.parquet", says="no\\u001b[31msuch\\nfile.csv")
    assert "\x1b" not in text and text.count("\n") == 1
    name = "a\x1b[31m\nb.csv"
    write(name, SMALL)
    text = tool.ok("convert", name, "out.parquet").stderr.decode()
    assert "\x1b" not in text and text.startswith("a\\u001b[31m\\nb.csv -> out.parquet\n")
