"""``dativo-iceberg``: jobs and finished results into tables of catalogs, from a shell."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import List, NoReturn, Optional

from ._errors import DativoError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dativo-iceberg", description="Rows into tables of Iceberg catalogs (docs/iceberg.md).")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a job file whose target is a table of a catalog")
    run.add_argument("job", metavar="JOB.yaml")
    run.add_argument("--allow-empty", action="store_true", help="a source without rows is no error")
    run.add_argument("--threads", type=int)
    run.add_argument("--memory")
    commit = commands.add_parser("commit", help="add the result of a plan, or files, to a table")
    commit.add_argument("result", nargs="+", metavar="RESULT", help="PLAN.json, the folder of its result, or files")
    commit.add_argument("--table", required=True, metavar="NAMESPACE.TABLE")
    commit.add_argument("--catalog", metavar="NAME", help="in pyiceberg's configuration; default: its default")
    for one in (run, commit):
        one.add_argument("--id", help="of what is committed, which is committed once")
        one.add_argument("-q", "--quiet", action="store_true", help="warnings and errors alone")
    return parser


def _work(said: argparse.Namespace) -> int:
    from . import iceberg

    if said.command == "run":
        done = iceberg.run(said.job, id=said.id, allow_empty=said.allow_empty, threads=said.threads, memory=said.memory)
    else:
        result = said.result[0] if len(said.result) == 1 else said.result
        done = iceberg.commit(result, said.table, catalog=said.catalog, id=said.id)
    if not said.quiet:
        where = f"table {done.table}, snapshot {done.snapshot_id}, id {done.id}"
        what = "nothing is done: it is there already" if done.unchanged else f"{done.rows} rows in {len(done.files)} files"
        print(f"dativo-iceberg: {where}: {what}", file=sys.stderr)
    return 1 if done.outcome is not None and done.outcome.deviations > 0 else 0


def main(arguments: Optional[List[str]] = None) -> NoReturn:
    """Exit codes are those of ``dativo-native run``."""
    said = _parser().parse_args(arguments)
    logging.basicConfig(level=30 if said.quiet else 25, format="dativo-iceberg: %(message)s")
    try:
        sys.exit(_work(said))
    except DativoError as error:
        print(f"dativo-iceberg: error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # of catalogs, in their words
        print(f"dativo-iceberg: error: {' '.join(f'{type(error).__name__}: {error}'.split())}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
