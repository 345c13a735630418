"""Sources that are patterns or folders: which files they stand for, in which order, and what is said of it."""
import glob
import gzip
import itertools
import random

import pyarrow.parquet as pq
import pytest


def rows(tool, *sources, **kwargs):
    tool.ok("convert", "-qf", *sources, "out.parquet", **kwargs)
    return [row["f"] for row in pq.read_table(tool.cwd / "out.parquet").to_pylist()]


@pytest.fixture
def files(write):
    """Each file holds its own name."""
    def put(*names):
        for name in names:
            write(name, f"f\n{name}\n")
    return put


def test_a_pattern(tool, files):
    files("data/b.csv", "data/a.csv", "data/c.txt", "data/sub/d.csv", "data/.hidden.csv", "a.csv")
    assert rows(tool, "data/*.csv") == ["data/a.csv", "data/b.csv"]
    assert rows(tool, "data/?.*") == ["data/a.csv", "data/b.csv", "data/c.txt"]
    assert rows(tool, "data/[!a]*.csv") == ["data/b.csv"]
    assert rows(tool, "data/**/*.csv") == ["data/a.csv", "data/b.csv", "data/sub/d.csv"]
    assert rows(tool, "**/*.csv") == ["a.csv", "data/a.csv", "data/b.csv", "data/sub/d.csv"]
    assert rows(tool, "data/.*.csv") == ["data/.hidden.csv"]
    assert rows(tool, "d*/s*/*") == ["data/sub/d.csv"]
    assert rows(tool, tool.cwd / "data" / "*.csv") == ["data/a.csv", "data/b.csv"]
    assert rows(tool, "data/./*.csv") == ["data/a.csv", "data/b.csv"]
    assert rows(tool, "data/sub/../*.csv") == ["data/a.csv", "data/b.csv"]


def test_a_folder(tool, files):
    """Files below it, without those that engines mark as no data."""
    files("t/year=2023/b.csv", "t/year=2024/a.csv", "t/z.csv", "t/_SUCCESS", "t/.part.crc", "t/_temporary/x.csv", "t/.git/y.csv")
    assert rows(tool, "t") == ["t/year=2023/b.csv", "t/year=2024/a.csv", "t/z.csv"]
    assert rows(tool, "t/") == ["t/year=2023/b.csv", "t/year=2024/a.csv", "t/z.csv"]
    assert rows(tool, "t/year=2024") == ["t/year=2024/a.csv"]


def test_several_sources_keep_their_order(tool, files):
    files("z/1.csv", "z/2.csv", "a/1.csv", "m.csv")
    assert rows(tool, "z/*.csv", "m.csv", "a") == ["z/1.csv", "z/2.csv", "m.csv", "a/1.csv"]
    assert rows(tool, "m.csv", "m.csv") == ["m.csv", "m.csv"]


def test_a_file_of_that_very_name(tool, files):
    """A name that is there stands for itself, and nothing else."""
    files("a[1].csv", "a1.csv", "b*.csv", "bc.csv")
    assert rows(tool, "a[1].csv") == ["a[1].csv"]
    assert rows(tool, "b*.csv") == ["b*.csv"]
    assert rows(tool, "a?.csv") == ["a1.csv"]


def test_what_matched_is_said(tool, files):
    files("data/a.csv", "data/b.csv", "one/x.csv")
    said = tool.ok("convert", "--log-format", "json", "data/*.csv", "one", "out.parquet").stderr.decode()
    assert "data/*.csv is 2 files, from data/a.csv to data/b.csv" in said
    assert "one is one/x.csv" in said
    said = tool.ok("convert", "-f", "data/*.csv", "out.parquet").stderr.decode()
    assert "note: data/*.csv is 2 files, from data/a.csv to data/b.csv" in said
    assert "data/a.csv and 1 more -> out.parquet" in said and "2 in, 1 out" in said


def test_nothing_matches(tool, files):
    files("data/a.txt")
    (tool.cwd / "empty" / "sub").mkdir(parents=True)
    tool.fails("convert", "data/*.csv", "out.parquet", says=["no file matches 'data/*.csv'"])
    tool.fails("schema", "nowhere/*.csv", says=["no file matches 'nowhere/*.csv'"])
    tool.fails("convert", "empty", "out.parquet", says=["the folder 'empty' holds no files"])
    tool.fails("convert", "data/a.csv", "out.parquet", says=["data/a.csv", "check the name"])
    tool.fails("convert", "sub*", "out.parquet", says=["no file matches"])


def test_links(tool, files):
    """Followed where they are named; a circle below ** is no matter."""
    files("real/a.csv", "real/sub/b.csv")
    (tool.cwd / "link").symlink_to("real")
    (tool.cwd / "real" / "sub" / "up").symlink_to("..")
    (tool.cwd / "real" / "c.csv").symlink_to("a.csv")
    assert rows(tool, "link/*.csv") == ["real/a.csv"]  # c.csv leads to it
    assert rows(tool, "real/**/*.csv") == ["real/a.csv", "real/sub/b.csv"]
    assert rows(tool, "real/c.csv") == ["real/a.csv"]


def test_no_file_twice_that_nobody_named_twice(tool, files):
    """Found twice it is read where it was found first; named itself it is read where it is named, and as often."""
    files("d/a.csv", "d/b.csv", "e/c.csv")
    (tool.cwd / "e" / "b.csv").hardlink_to(tool.cwd / "d" / "b.csv")
    assert rows(tool, "d/*.csv", "d/a*", "./d/*", tool.cwd / "d") == ["d/a.csv", "d/b.csv"]
    assert rows(tool, "d/*.csv", "d/a.csv") == ["d/b.csv", "d/a.csv"]
    assert rows(tool, "d/a.csv", "d", "./d/a.csv") == ["d/a.csv", "d/b.csv", "d/a.csv"]
    assert rows(tool, "e", "d") == ["d/b.csv", "e/c.csv", "d/a.csv"]
    said = tool.ok("convert", "-f", "d/*.csv", "d/a*", "d", "out.parquet").stderr.decode()
    assert "note: 3 names are left out: what they lead to is read already" in said
    assert "left out" not in tool.ok("convert", "-f", "d/a.csv", "d/a.csv", "out.parquet").stderr.decode()


def test_what_is_said_of_thousands_is_short(tool, write):
    for i in range(3000):
        write(f"many/part-{i:05}.csv", f"a,b\n{i},x\n")
    said = tool.ok("convert", "many", "out.parquet").stderr.decode()
    assert "many is 3000 files, from many/part-00000.csv to many/part-02999.csv" in said and len(said) < 500
    assert pq.read_table(tool.cwd / "out.parquet").column("a").to_pylist() == list(range(3000))
    write("many/part-01500.csv", "a,c\n1,x\n")
    said = tool.fails("convert", "many", "no.parquet", says=["many/part-01500.csv", "header"])
    assert len(said) < 600


def test_schema_and_packed_files(tool, files, write):
    files("d/a.csv")
    write("d/b.csv.gz", gzip.compress(b"f\nd/b.csv.gz\n"))
    assert rows(tool, "d/*") == ["d/a.csv", "d/b.csv.gz"]
    assert tool.ok("schema", "d").stdout == tool.ok("schema", "d/a.csv").stdout


def test_the_target_is_no_source(tool, files):
    files("d/a.csv")
    tool.ok("convert", "d/*.csv", "d/all.csv")
    tool.fails("convert", "-f", "d/*.csv", "d/all.csv", says="d/all.csv")


JOB = """\
tenant_id: acme
source_connector: csv
asset: t
asset_path: asset.yaml
target_connector: local
source: {files: [{path: 'in/**/*.csv'}, {path: more}]}
target: {connection: {path: out}}
"""


def test_jobs(tool, files, write):
    files("in/b.csv", "in/x/a.csv", "more/c.csv")
    write("asset.yaml", "name: t\nsource_type: csv\nobject: t\nversion: 1.0.0\nschema: [{name: f, type: string}]\n"
                        "team: {owner: a@b.c}\n")
    write("job.yaml", JOB)
    said = tool.ok("run", "job.yaml").stderr.decode()
    assert "in/**/*.csv is 2 files, from in/b.csv to in/x/a.csv" in said and "more is more/c.csv" in said
    [out] = (tool.cwd / "out").rglob("*.parquet")
    assert [row["f"] for row in pq.read_table(out).to_pylist()] == ["in/b.csv", "in/x/a.csv", "more/c.csv"]
    write("job.yaml", JOB.replace("more", "mroe*"))
    tool.fails("run", "job.yaml", says=["job.yaml:6:", "no file matches 'mroe*'"])


def test_as_python_finds_them(tool, files):
    """Random trees and patterns against glob.glob()."""
    rng = random.Random(5)
    names = ["a", "b", "ab", ".h", "a.csv", "b.csv", "_u"]
    for folder in itertools.product(["a", "b", ".h", "_u"], repeat=2):
        for name in rng.sample(names[4:] + ["c.csv"], 2):
            files("/".join([*folder, name]))
    files("a.csv", "b.csv", "a/x.csv")
    parts = ["*", "**", "a", "?", "[ab]", "*.csv", ".*", "a*", "_u", "[!a]*"]
    tried = 0
    for _ in range(90):
        (tool.cwd / "out.parquet").unlink(missing_ok=True)
        pattern = "/".join(rng.choice(parts) for _ in range(rng.randrange(1, 4)))
        expected = sorted(p for p in set(glob.glob(pattern, root_dir=tool.cwd, recursive=True))
                          if not (tool.cwd / p).is_dir())
        if not expected or (tool.cwd / pattern).exists():
            continue
        content = [(tool.cwd / p).read_text().splitlines()[1] for p in expected]
        assert rows(tool, pattern) == content, pattern
        tried += 1
    assert tried > 20


HEADERS = ["a,b c,d", '"a","b c","d"', 'a,"b c",d', '"a",b c,d']


@pytest.mark.parametrize("first", HEADERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_names_are_the_same_in_quotes_or_not(tool, first, end):
    """Whatever program wrote which file; also where there is nothing behind the header."""
    for i, header in enumerate(HEADERS):
        (tool.cwd / f"{i}.csv").write_bytes(f"{header}{end}{i},2,x{end}".encode())
        (tool.cwd / f"{i}0.csv").write_bytes(header.encode())
    k = HEADERS.index(first)
    names = [f"{k}.csv"] + [f"{i}{z}.csv" for i in range(4) for z in ("", "0") if (i, z) != (k, "")]
    for flags in ([], ["--reader-option", "block_bytes=1"], ["-t", "1"]):
        tool.ok("convert", "-f", *flags, *names, "all.parquet")
        table = pq.read_table(tool.cwd / "all.parquet")
        assert table.column_names == ["a", "b c", "d"] and sorted(table.column("a").to_pylist()) == [0, 1, 2, 3]
        assert str(table.schema.field("a").type) == "int64"


@pytest.mark.parametrize("other", ['"a","b",d', '"a,b c","d"', "a,b c", 'a,b c,d,e', '"a","b c","d', '"a""","b c",d', "", '"a" x,b c,d'])
def test_other_names_are_other_names(tool, other):
    (tool.cwd / "0.csv").write_text("a,b c,d\n1,2,x\n")
    (tool.cwd / "1.csv").write_text(f"{other}\n1,2,x\n")
    tool.fails("convert", "0.csv", "1.csv", "all.parquet", says=["1.csv"])
