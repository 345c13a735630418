"""Rows into files."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _config, _native
from ._config import Connection, PathArgument, SourceArgument
from ._errors import DativoError
from ._progress import ProgressArgument, Shower
from ._reader import Reader, open_source

if TYPE_CHECKING:
    from typing import Literal, Protocol

    class ArrowStream(Protocol):
        """A table of anybody's: Polars, DuckDB, pandas, pyarrow, a Reader."""

        def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object: ...

    class ArrowArray(Protocol):
        """A record batch of anybody's."""

        def __arrow_c_array__(self, requested_schema: Optional[object] = None) -> Tuple[object, object]: ...

    ArrowSource = Union[ArrowStream, ArrowArray]


class Outcome(NamedTuple):
    """What was moved.  rows_in = rows_out + rows_rejected was checked before the file got its name."""

    output_path: Optional[str]
    rows_in: int
    rows_out: int
    rows_rejected: int = 0
    warnings: int = 0
    """How often something was lost or changed, and said in the log."""
    deviations: int = 0
    """From the asset of a job in mode warn."""
    restarts: int = 0
    """How often reading began again, with wider types."""
    files_in: int = 0
    files_out: int = 1
    bytes_in: Optional[int] = None
    bytes_out: int = 0
    seconds: float = 0.0
    unchanged: bool = False
    """An incremental job had nothing to read."""


def _outcome(fields: Dict[str, Any]) -> Outcome:
    fields["bytes_in"] = fields["bytes_in"] if fields["bytes_in"] >= 0 else None
    return Outcome(**fields)


def write_parquet(
    data: ArrowSource,
    path: PathArgument,
    *,
    compression: Optional[str] = None,
    compression_level: Optional[int] = None,
    row_group_size: Optional[int] = None,
    row_group_bytes: Optional[int] = None,
    page_rows: Optional[int] = None,
    page_size: Optional[int] = None,
    arrow_schema: Optional[Literal["auto", "always", "never"]] = None,
    intervals: Optional[Literal["iso8601", "parquet"]] = None,
    field_ids: Union[None, str, Sequence[int]] = None,
    verify: Optional[bool] = None,
    overwrite: bool = False,
    content_type: Optional[str] = None,
    metadata: Optional[Mapping[str, str]] = None,
    tags: Optional[Mapping[str, str]] = None,
    storage_class: Optional[str] = None,
    encryption: Optional[str] = None,
    kms_key_id: Optional[str] = None,
    connection: Optional[Connection] = None,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Outcome:
    """Write a table of anybody's as one Parquet file, here or at ``s3://bucket/key``.

    ``data`` is anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``: frames and relations of Polars, DuckDB, pandas and
    pyarrow, and readers of this package.  pyarrow is not needed (but pandas needs it to hand out its frames).

    The file is there when it is complete, or not at all.  One that exists is an error unless ``overwrite``.  The options are those of
    docs/parquet-writing.md; ``verify`` reads the file back before it gets its name.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "orders.parquet")
    >>> dn.write_parquet(dn.read_csv("examples/data/orders.csv"), path, compression="zstd").rows_out
    3000
    """
    options = dict(locals())
    return _write("parquet", options)


def write_csv(
    data: ArrowSource,
    path: PathArgument,
    *,
    delimiter: Optional[str] = None,
    quote: Optional[str] = None,
    line_end: Optional[Literal["lf", "crlf"]] = None,
    null_text: Optional[str] = None,
    overwrite: bool = False,
    content_type: Optional[str] = None,
    metadata: Optional[Mapping[str, str]] = None,
    tags: Optional[Mapping[str, str]] = None,
    storage_class: Optional[str] = None,
    encryption: Optional[str] = None,
    kms_key_id: Optional[str] = None,
    connection: Optional[Connection] = None,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Outcome:
    """Write a table of anybody's as one CSV file, as :func:`write_parquet` does; the options are those of docs/csv-writing.md.

    Reading it gives the same values and types again.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "orders.csv")
    >>> dn.write_csv(dn.read_csv("examples/data/orders.csv", columns=["order_id", "total"], limit=2), path).rows_out
    2
    >>> print(open(path).read(), end="")
    order_id,total
    100001,5934.6
    100002,804.79
    """
    options = dict(locals())
    if delimiter is None and str(path).lower().endswith(".tsv"):
        options["delimiter"] = "\t"
    return _write("csv", options)


_CSV = (b".csv", b".tsv")
_PARQUET = (b".parquet", b".pq")
_OTHERS = (b".json", b".jsonl", b".orc", b".avro", b".arrow", b".feather", b".xlsx", b".gz", b".zst", b".bz2", b".xz", b".zip")


def _check_name(path: bytes, file_format: str) -> None:
    """Nobody looks for Parquet in ``y.csv``, or for plain text in ``y.csv.gz``, and databases are read."""
    _config.check_no_database(path, "databases are read and not written; name a file, or s3://bucket/key")
    ending = path.lower()
    wrong: Tuple[bytes, ...]
    if file_format == "parquet":
        what, wrong = "Parquet", (*_CSV, b".txt", *_OTHERS)
        advice = "name it *.parquet" + (", or use write_csv()" if ending.endswith(_CSV) else "")
    else:
        what, wrong = "CSV, not packed", (*_PARQUET, *_OTHERS)
        advice = "name it *.csv or *.tsv" + (", or use write_parquet()" if ending.endswith(_PARQUET) else "")
    if ending.endswith(wrong):
        name = _config.shown_name(path)
        raise DativoError(f"{name}: what is written is {what}; {advice}", code="invalid", path=name, option="path")


_NO_OPTIONS = ("data", "path", "overwrite", "connection", "threads", "memory", "progress")


def _write(file_format: str, said: Dict[str, Any]) -> Outcome:
    options = _config.given({key: value for key, value in said.items() if key not in _NO_OPTIONS})
    path = _config.path_bytes(said["path"])
    _check_name(path, file_format)
    threads = _config.threads_of(said["threads"])
    memory = _config.memory_bytes(said["memory"])
    data = said["data"]
    config = _config.writer_config(path, file_format, _config.connection_of(said["connection"]), options, said["overwrite"])
    if isinstance(data, Reader):
        return _transfer(data, config, path, said["overwrite"], True, said["progress"], threads, memory)
    started = time.monotonic()
    source = _capsules(data)
    with Shower(said["progress"]) as callback:
        manifest = json.loads(_native.write(f"lib{file_format}_writer_plugin.so", config, source, callback, threads, memory))
    rows = sum(one["record_count"] for one in manifest)
    return Outcome(_config.file_name(path), rows, rows, bytes_out=sum(one["size_bytes"] for one in manifest),
                   seconds=time.monotonic() - started)  # fmt: skip


def _capsules(data: Any) -> object:
    """Of a stream, or of a schema and an array."""
    if type(data).__module__.partition(".")[0] == "polars":
        for name, of in getattr(data, "schema", {}).items():
            if str(of) == "Object":  # which are handed out as addresses
                raise DativoError(f'column "{name}" is of objects of Python, which no file has: cast it', code="unsupported", column=name)
    for method in ("__arrow_c_stream__", "__arrow_c_array__"):
        if hasattr(data, method):
            capsules: object = getattr(data, method)()
            return capsules
    raise TypeError(
        f"{type(data).__name__} is no Arrow data: it has neither __arrow_c_stream__ nor __arrow_c_array__, as tables of Polars, DuckDB, "
        "pandas, pyarrow and the readers of this package have"
    )


def _transfer(
    reader: Reader,
    writer: Optional[str],
    path: Optional[bytes],
    overwrite: bool,
    allow_empty: bool,
    progress: ProgressArgument,
    threads: int,
    memory: int,
) -> Outcome:
    """From one of our readers: with counts that are compared, and from the start again where a type is too narrow."""
    name = None if path is None else _config.file_name(path)
    with Shower(progress if progress is not None else reader._show) as callback, reader._list_of_rejects() as more:
        return _outcome(
            _native.convert(
                reader._config(more),
                writer,
                name,
                overwrite,
                allow_empty,
                callback,
                threads or reader._threads,
                memory or reader._memory,
                *reader._piece(),
            )
        )


def convert(
    source: Union[SourceArgument, Reader],
    path: PathArgument,
    *,
    overwrite: bool = False,
    allow_empty: bool = False,
    compression: Optional[str] = None,
    verify: Optional[bool] = None,
    writer: Optional[Mapping[str, Any]] = None,
    connection: Optional[Connection] = None,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
    **reader: Any,
) -> Outcome:
    """CSV, Parquet or a table of PostgreSQL to Parquet, or to CSV if ``path`` is ``*.csv`` or ``*.tsv``: as the command's ``convert``.

    ``reader`` are the keywords of :func:`read_csv`, :func:`read_parquet` or :func:`read_postgres`, ``writer`` is a map of those of
    :func:`write_parquet` or :func:`write_csv`.  ``connection`` is of both sides.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "orders.parquet")
    >>> outcome = dn.convert("examples/data/orders.csv", path, compression="zstd", types={"quantity": "int16"})
    >>> outcome.rows_in, outcome.rows_out
    (3000, 3000)
    """
    target = _config.path_bytes(path)
    ending = target.lower()
    file_format = "csv" if ending.endswith(_CSV) else "parquet"
    _check_name(target, file_format)
    options: Dict[str, Any] = dict(writer or {})
    if ending.endswith(b".tsv"):
        options.setdefault("delimiter", "\t")
    for name, value in (("compression", compression), ("verify", verify)):
        if value is not None and file_format == "csv":
            raise DativoError(f"{name} is for Parquet files, not for CSV", code="invalid", option=name)
        if value is not None:
            options[name] = value
    if isinstance(source, Reader):
        opened = source
        if reader:
            raise TypeError(f"a reader has its options already: {', '.join(reader)}")
    else:
        names = _config.sources_of(source)
        if len(names) > 1 or not _config.is_postgres(names[0]):
            reader["connection"] = connection
        opened = open_source(source, reader, convert)
    config = _config.writer_config(target, file_format, _config.connection_of(connection), _config.given(options), overwrite)
    return _transfer(
        opened, config, target, overwrite, allow_empty, progress, _config.threads_of(threads), _config.memory_bytes(memory)
    )


def run(
    job: PathArgument,
    *,
    allow_empty: bool = False,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Outcome:
    """Run a job file, as the command's ``run`` does (docs/jobs.md); one whose target is a table of a catalog as ``iceberg.run``.

    >>> import dativo_native as dn
    >>> outcome = dn.run("examples/jobs/csv_to_parquet.yaml")
    >>> outcome.rows_out
    3000
    """
    with Shower(progress) as callback:
        path = _config.path_bytes(job).decode("utf-8", "surrogateescape")
        answer = _native.run(path, allow_empty, callback, _config.threads_of(threads), _config.memory_bytes(memory), None)
        if "lake" not in answer:
            return _outcome(answer)
    from . import iceberg  # of nobody else's jobs

    done = iceberg.run(job, allow_empty=allow_empty, threads=threads, memory=memory, progress=progress)
    assert done.outcome is not None
    return done.outcome
