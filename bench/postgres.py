"""lineitem in PostgreSQL to Parquet, zstd, beside DuckDB, ADBC and connectorx: medians of wall and CPU seconds and peak RSS.

The server is Debian's, on this machine, and its work is the same for all: its CPU seconds stand beside the client's, and where both
cores are busy they are part of the wall.  Writes bench/results/postgres_N.json.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from run import BIN, DATA, ROOT, machine, run_process

sys.path.insert(0, str(ROOT / "tests/support"))
import postgres_server  # noqa: E402

PEERS = ["duckdb", "adbc", "connectorx"]
ENVIRONMENT = ROOT / "build/bench/postgres_peers"
TICKS = os.sysconf("SC_CLK_TCK")
COLUMNS = """l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber int NOT NULL,
l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL,
l_returnflag text NOT NULL, l_linestatus text NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
l_shipinstruct text NOT NULL, l_shipmode text NOT NULL, l_comment text NOT NULL"""


def environment():
    """The peers, pinned, made again whenever the list changes."""
    wanted, stamp = ROOT / "bench/postgres_peers.txt", ENVIRONMENT / "installed"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        subprocess.run([ENVIRONMENT / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted],
                       check=True)
        stamp.write_bytes(wanted.read_bytes())
    return ENVIRONMENT / "bin/python"


def fill(server, rows):
    server.sql(f"CREATE TABLE lineitem ({COLUMNS})")
    copy = [postgres_server.BIN / "psql", "-X", "-q", "-h", server.folder, "-p", str(server.port), "-U", postgres_server.SUPERUSER,
            "-c", "COPY lineitem FROM STDIN (FORMAT csv, HEADER)"]
    with subprocess.Popen([BIN / "gen_csv", "lineitem", str(rows)], stdout=subprocess.PIPE) as made:
        subprocess.run(copy, stdin=made.stdout, check=True, env=postgres_server.environment())
    server.sql("VACUUM (FREEZE, ANALYZE) lineitem")  # who reads first must not pay for hint bits


def server_cpu(server):
    """Seconds of the postmaster and of all its sessions that have ended."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(f) for f in fields[11:15]) / TICKS


def command(tool, python, server, threads, out):
    user = postgres_server.SUPERUSER
    place = f"host={server.folder}&port={server.port}"
    if tool == "dativo":
        return [BIN / "dativo-native", "convert", f"postgres://{user}@/postgres?{place}&table=public.lineitem", out, "--compression", "zstd",
                "-t", threads, "-qf"]
    if tool == "duckdb":
        dsn = f"host={server.folder} port={server.port} user={user} dbname=postgres"
    elif tool == "adbc":
        dsn = f"postgresql://{user}@/postgres?{place}"
    else:  # no sockets
        dsn = f"postgresql://{user}:{postgres_server.PASSWORD.replace('+', '%2B').replace(' ', '%20')}@127.0.0.1:{server.port}/postgres"
    return [python, ROOT / "bench/postgres_peer.py", tool, dsn, "public.lineitem", "l_orderkey", threads, out]


def measure(tool, python, server, threads):
    out = DATA / f"postgres_{tool}.parquet"
    out.unlink(missing_ok=True)
    os.sync()
    before = server_cpu(server)
    _, wall, cpu, rss = run_process(command(tool, python, server, threads, out))
    while server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") != "1":
        time.sleep(0.02)
    time.sleep(0.1)  # sessions are counted when they have been waited for
    return {"wall": wall, "cpu": cpu, "rss": rss, "size": out.stat().st_size, "server": server_cpu(server) - before}


def check_equal(rows):
    """Ours has the rows that DuckDB's has: both as one bag, every cell."""
    import duckdb

    ours, theirs = (f"SELECT * FROM '{DATA}/postgres_{tool}.parquet'" for tool in ("dativo", "duckdb"))
    n = duckdb.sql(f"SELECT count(*) FROM ({ours})").fetchall()[0][0]
    differ = duckdb.sql(f"SELECT count(*) FROM (({ours}) EXCEPT ALL ({theirs}))").fetchall()[0][0]
    if n != rows or differ != 0:
        raise SystemExit(f"bench: {n} of {rows} rows, {differ} of them differ from DuckDB's")
    print(f"bench: {n} rows equal to DuckDB's, every cell")


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def report(results):
    print(f"\nPostgreSQL -> Parquet, zstd: lineitem\n  {'':12}{'wall s':>9}{'CPU s':>9}{'server s':>10}{'RSS MB':>9}{'out MB':>9}  ours is")
    ours = results["dativo"]
    for tool, runs in results.items():
        ratio = "" if runs is ours else (f"  {median(runs, 'wall') / median(ours, 'wall'):5.2f}x as fast, "
                                         f"{median(ours, 'cpu') / median(runs, 'cpu'):5.2f} of the CPU")
        print(f"  {tool:12}{median(runs, 'wall'):9.2f}{median(runs, 'cpu'):9.2f}{median(runs, 'server'):10.2f}"
              f"{median(runs, 'rss') / 1e6:9.0f}{median(runs, 'size') / 1e6:9.0f}{ratio}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peers", default=",".join(PEERS))
    args = parser.parse_args()
    peers = [p for p in args.peers.split(",") if p]

    DATA.mkdir(parents=True, exist_ok=True)
    python = environment()
    results = {tool: [] for tool in ["dativo", *peers]}
    with postgres_server.Server({"shared_buffers": "256MB", "max_wal_size": "8GB"}) as server:
        fill(server, args.rows)
        server.sql("SELECT count(*) FROM lineitem")  # into the page cache, for everybody
        for _ in range(args.rounds):
            for tool, runs in results.items():
                runs.append(measure(tool, python, server, args.threads))
    if "duckdb" in peers:
        check_equal(args.rows)
    report(results)
    for tool in results:
        (DATA / f"postgres_{tool}.parquet").unlink()
    out = ROOT / f"bench/results/postgres_{args.rows}.json"
    out.write_text(json.dumps({"machine": machine(), "rows": args.rows, "tools": results}, indent=1) + "\n", encoding="utf-8")
    print(f"\nbench: wrote {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
