"""As test_names, of thousands of files."""

import pyarrow.parquet as pq


def test_five_thousand_sources(tool):
    names = [f"f{i}.csv" for i in range(5000)]
    for i, name in enumerate(names):
        (tool.cwd / name).write_text(f"a\n{i}\n")
    text = tool.ok("convert", *names, "out.parquet", preexec_fn=lambda: limit_files(64)).stderr.decode()
    assert "5,000 in = 5,000 out" in text and "files   5,000 in, 1 out" in text
    assert pq.read_table(tool.cwd / "out.parquet").column("a").to_pylist() == list(range(5000))


def limit_files(n):
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
