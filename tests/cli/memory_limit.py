"""Conversions that get less and less memory: each ends well or with an error, never by a signal, and leaves no half file."""

import resource

from conftest import tree


def table(rows):
    """Text, numbers and dates with enough variety that pages and dictionaries grow."""
    lines = ["id,day,amount,comment"]
    for i in range(rows):
        noise = i * 2654435761 % 1000003
        lines.append(f"{i},2024-{1 + i % 12:02}-{1 + i % 28:02},{noise / 100},order {noise} for {noise % 977} and {i % 13}")
    return "\n".join(lines) + "\n"


def sweep(tool, compression, limits):
    """The exit codes seen, one for each limit on the address space in KB."""
    codes = []
    for limit in limits:
        done = tool("convert", "in.csv", "out.parquet", "--overwrite", "--threads", "1", "--compression", compression,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit << 10, limit << 10)))
        text = done.stderr.decode()
        assert done.returncode in (0, 2), f"{compression}, {limit} KB: {done.returncode} {text}"
        assert done.returncode == 0 or "error:" in text, text
        left = [name for name in tree(tool.cwd) if name != "in.csv"]
        assert left == (["out.parquet"] if 0 in codes + [done.returncode] else []), f"{compression}, {limit} KB: {left}"
        codes.append(done.returncode)
    return codes
