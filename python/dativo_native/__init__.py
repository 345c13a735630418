"""CSV, Parquet and PostgreSQL, read and written by native code; Arrow data to and from every library that has PyCapsules.

>>> import dativo_native as dn
>>> r = dn.read_csv("examples/data/orders.csv")   # nothing is read yet
>>> len(r.schema)
10

``pa.table(r)``, ``pl.DataFrame(r)`` and ``duckdb.sql("from r")`` read it, each time anew; ``dn.write_parquet(anything, path)`` writes
what any of them has.  Nothing else has to be installed.  What is worth knowing on the way goes to the logger ``dativo_native``, what
goes wrong is a :class:`DativoError`.
"""

from __future__ import annotations

import os as _os

from . import _errors, _log, _native
from ._errors import DativoError
from ._look import inspect, plugin_directory as _plugin_directory, plugin_path, schema, verify
from ._pieces import Commit, Plan, abort, commit, held_plan, plan, task
from ._progress import Progress
from ._reader import Column, Reader, Reject, Schema, read_csv, read_parquet, read_postgres
from ._split import Split
from ._write import Outcome, convert, run, write_csv, write_parquet

_native.setup(_errors.make, _log.on_log, _log.on_report, _os.fsencode(_plugin_directory()))

__version__: str = _native.version

__all__ = [
    "Column",
    "Commit",
    "DativoError",
    "Outcome",
    "Plan",
    "Progress",
    "Reader",
    "Reject",
    "Schema",
    "Split",
    "abort",
    "commit",
    "convert",
    "held_plan",
    "inspect",
    "plan",
    "plugin_path",
    "read_csv",
    "read_parquet",
    "read_postgres",
    "run",
    "schema",
    "task",
    "verify",
    "write_csv",
    "write_parquet",
]
