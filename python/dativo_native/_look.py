"""Looking at sources and files without moving rows."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Optional

from . import _config, _native
from ._config import Connection, PathArgument, SourceArgument
from ._errors import DativoError
from ._reader import Schema, open_source

_PLUGINS = ("csv_reader", "csv_writer", "parquet_reader", "parquet_writer", "postgres_reader")


def plugin_directory() -> str:
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugins")


def plugin_path(name: str) -> str:
    """Where a plugin of the package is, for ``custom_reader`` and ``custom_writer`` of a host.

    >>> import dativo_native as dn
    >>> dn.plugin_path("csv_reader").rpartition("/")[2]
    'libcsv_reader_plugin.so'
    """
    if name not in _PLUGINS:
        raise DativoError(f"no plugin is named {name!r}; there are {', '.join(_PLUGINS)}", code="invalid", option="name", value=name)
    return os.path.join(plugin_directory(), f"lib{name}_plugin.so")


def schema(source: SourceArgument, **options: Any) -> Schema:
    """The columns of CSV, Parquet or a table of PostgreSQL; ``options`` are those of the function that reads it.

    >>> import dativo_native as dn
    >>> dn.schema("examples/data/orders.csv")["order_date"].type
    'date'
    """
    return open_source(source, options, schema).schema


def inspect(path: PathArgument, *, rows: int = 0, connection: Optional[Connection] = None) -> Dict[str, Any]:
    """What is in a Parquet file, whoever wrote it: schema, row groups, encodings, statistics, and its first ``rows`` rows.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "orders.parquet")
    >>> _ = dn.convert("examples/data/orders.csv", path)
    >>> found = dn.inspect(path, rows=1)
    >>> found["record_count"], found["rows"][0]["order_id"]
    (3000, 100001)
    """
    return _ask(path, {"rows": rows}, connection, False)


def verify(path: PathArgument, *, findings: int = 100, connection: Optional[Connection] = None) -> Dict[str, Any]:
    """Hold a Parquet file against the specification and its own values; ``["errors"]`` is how often it fails (docs/verify.md).

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "orders.parquet")
    >>> _ = dn.convert("examples/data/orders.csv", path)
    >>> dn.verify(path)["errors"]
    0
    """
    return _ask(path, {"findings": findings}, connection, True)


def _ask(path: PathArgument, options: Dict[str, Any], connection: Optional[Connection], verify: bool) -> Dict[str, Any]:
    if connection:
        options["connection"] = _config.connection_of(connection)
    name = _config.file_name(_config.path_bytes(path))
    return dict(json.loads(_native.inspect(name, json.dumps(options), verify)))
