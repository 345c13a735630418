"""For Apache Spark: sources ``dativo_csv`` and ``dativo_parquet`` (Spark 4), and functions for 3.4 and later (docs/spark.md).

    from dativo_native import spark as dn_spark

    dn_spark.register(spark)                                                           # Spark 4
    frame = spark.read.format("dativo_csv").option("infer", "all").load("/data/orders.csv")
    frame.write.format("dativo_parquet").mode("overwrite").save("/data/orders")

    frame = dn_spark.read_csv(spark, "/data/orders.csv", infer="all")                  # Spark 3.4
    dn_spark.write_parquet(frame, "/data/orders", mode="overwrite")
    dn_spark.convert(spark, "/data/orders.csv", "/data/orders", mode="overwrite")      # rows stay out of the JVM

The package has to be installed for the Python of the executors, too.
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore]

from . import _config
from ._config import SourceArgument
from ._errors import DativoError
from ._folder import Folder, Part, finish_commit
from ._reader import Reader
from ._reader import read_csv as _read_csv
from ._spark_types import arrow_schema, check_keywords, declared, for_spark, reader_keywords, spark_schema, writer_keywords
from ._split import Cut, Split
from ._write import Outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession  # type: ignore[import-not-found,unused-ignore]
    from pyspark.sql.types import StructType  # type: ignore[import-not-found,unused-ignore]

__all__ = ["convert", "finish_commit", "read_csv", "register", "write_parquet"]


def register(spark: SparkSession) -> None:
    """Make ``dativo_csv`` and ``dativo_parquet`` known to a session of Spark 4."""
    try:
        from ._spark_source import DativoCsv, DativoParquet
    except ImportError as error:
        import pyspark  # type: ignore[import-not-found,unused-ignore]

        raise DativoError(
            f"Spark {pyspark.__version__} has no data sources in Python, which came with 4.0: use read_csv(), write_parquet() and "
            f"convert() of this module ({error})",
            code="unsupported",
        ) from None
    spark.dataSource.register(DativoCsv)
    spark.dataSource.register(DativoParquet)


# ---- reading ----------------------------------------------------------------------------------------------------------


class Source:
    """CSV whose columns and types are frozen where the job is planned."""

    def __init__(self, source: SourceArgument, options: Mapping[str, Any], schema: Optional[StructType] = None) -> None:
        options = dict(options)
        self._size = options.pop("split_size", None)
        threads = options.pop("threads", None)
        self._threads = 1 if threads is None else _config.threads_of(threads)
        if schema is not None:
            options.update(declared(schema, options.get("columns"), options.get("types") or {}))
        self._cut = Cut(_read_csv(source, **options))
        self.schema = spark_schema(pa.schema(self._cut), self._cut.columns)

    def pieces(self) -> List[Split]:
        """Reads everything once; if the columns are other ones by now that is an error."""
        return self._cut.pieces(self._size, self._threads)


def _in_zone(schema: Any, zone: str) -> Any:
    """Moments as Spark hands them out: they are the same ones, under the name of the session's time zone."""
    moment = pa.timestamp("us", "UTC")
    return pa.schema([field.with_type(pa.timestamp("us", zone)) if field.type == moment else field for field in schema])


def batches(piece: Split, schema: StructType, zone: str = "UTC") -> Iterator[Any]:
    """The rows of a piece as Spark wants them."""
    wanted = _in_zone(arrow_schema(schema), zone)
    rows = 0
    try:
        for batch in pa.RecordBatchReader.from_stream(piece):
            rows += batch.num_rows
            yield for_spark(batch, wanted)
    except pa.ArrowException as error:
        raise piece.error or error from None
    if piece.rows is not None and rows != piece.rows:
        raise DativoError(f"rows do not add up: {rows} of {piece.rows} rows of {piece!r} were read", code="data")


def _read_numbered(pieces: List[Split], schema: StructType, batches_of_numbers: Iterable[Any], zone: str = "UTC") -> Iterator[Any]:
    for numbers in batches_of_numbers:
        for number in numbers.column(0).to_pylist():
            yield from batches(pieces[number], schema, zone)


# Of a frame that read_csv() made: its tasks, and what they read.  Whatever Spark does to a frame makes another one, which has no such thing.
_UNTOUCHED = "_dativo_untouched"


def _tasks(spark: SparkSession, n: int) -> DataFrame:
    """A row for every piece, each in a task of its own."""
    return spark.range(0, n, 1, n)


def read_csv(
    spark: SparkSession,
    source: SourceArgument,
    *,
    schema: Optional[StructType] = None,
    split_size: Union[None, int, str] = None,
    **options: Any,
) -> DataFrame:
    """CSV as a DataFrame, through ``mapInArrow``: for Spark 3.4 and later.

    The source is cut now, on the driver; a file that is written to later is an error of the tasks.  ``options`` are the keywords of
    :func:`dativo_native.read_csv`; ``threads`` are those of a task, 1 if nobody says it.

    :func:`write_parquet` of this very frame, with nothing done to it, leaves the rows out of the JVM.
    """
    check_keywords(list(options), reader_keywords(), "dativo_native.spark.read_csv")
    made = Source(source, {**options, "split_size": split_size}, schema)
    pieces = made.pieces()
    tasks, rows = _tasks(spark, len(pieces)), functools.partial(_read_numbered, pieces, made.schema)
    frame = tasks.mapInArrow(rows, made.schema)
    setattr(frame, _UNTOUCHED, (tasks, rows))
    return frame


# ---- writing ----------------------------------------------------------------------------------------------------------


def _attempt() -> str:
    """A name that no other attempt of any task has."""
    from pyspark import TaskContext  # type: ignore[import-not-found,unused-ignore]

    context = TaskContext.get()
    return f"{context.partitionId():05d}-{context.taskAttemptId()}"


def _one_thread(options: Mapping[str, Any]) -> Dict[str, Any]:
    return {"threads": 1, **options}


def write_batches(folder: Folder, options: Mapping[str, Any], batches: Iterable[Any]) -> Part:
    """In a task: what Spark has of a partition, into a file that nobody sees yet."""
    waiting = iter(batches)
    first = next((batch for batch in waiting if batch.num_rows > 0), None)
    if first is None:
        return Part(None, 0, 0)
    rows = [0]

    def counted() -> Iterator[Any]:
        for one in itertools.chain([first], waiting):
            rows[0] += one.num_rows
            yield one

    stream = pa.RecordBatchReader.from_batches(first.schema, counted())
    part = folder.write(stream, _attempt(), None, _one_thread(options))
    if part.rows != rows[0]:
        raise DativoError(f"rows do not add up: {part.rows} of {rows[0]} rows are in {part.name}", code="data")
    return part


def check_columns(schema: StructType) -> None:
    """What a file cannot have is refused before anything is computed."""
    names = [field.name for field in schema.fields]
    for name in names:
        if names.count(name) > 1:
            raise DativoError(f'two columns are named "{name}": rename one', code="unsupported", column=name)
    if not names:
        raise DativoError("a table without columns has nothing to write", code="unsupported")
    arrow_schema(schema)


def commit(folder: Folder, schema: StructType, options: Mapping[str, Any], parts: List[Part]) -> Outcome:
    """On the driver.  Without any rows, one file has the columns."""
    if not any(part.name for part in parts):
        parts = [folder.write(arrow_schema(schema).empty_table(), "empty", 0, _one_thread(options))]
    return folder.commit(parts)


def _message(part: Part) -> Any:
    return pa.RecordBatch.from_pydict({"message": [json.dumps(part._asdict())]})


Rows = Callable[[Iterable[Any]], Iterable[Any]]


def _write_task(folder: Folder, options: Mapping[str, Any], rows: Optional[Rows], batches: Iterable[Any]) -> Iterator[Any]:
    yield _message(write_batches(folder, options, batches if rows is None else rows(batches)))


def _parts(messages: Iterable[Any]) -> List[Part]:
    return [Part(**json.loads(row[0])) for row in messages]


def _untouched(frame: DataFrame) -> Optional[Tuple[DataFrame, Rows]]:
    """The tasks of a frame that nothing was done to.

    Spark is asked whether it keeps the rows, for ``CACHE TABLE`` of a view leaves no mark on the frame, and for the session's time zone,
    whose name moments have in a file that Spark's own batches are written to.
    """
    made = vars(frame).get(_UNTOUCHED)
    if made is None:
        return None
    kept = frame.storageLevel
    if kept.useMemory or kept.useDisk or kept.useOffHeap:
        return None
    tasks, rows = made
    return tasks, functools.partial(rows, zone=frame.sparkSession.conf.get("spark.sql.session.timeZone"))


def write_parquet(frame: DataFrame, directory: str, *, mode: str = "error", **options: Any) -> Outcome:
    """A DataFrame into a folder of Parquet files, through ``mapInArrow``: for Spark 3.4 and later.

    The folder has all rows, or is as it was; ``_SUCCESS`` is there last.  ``mode`` is ``error``, ``append`` or ``overwrite``,
    ``options`` are the keywords of :func:`dativo_native.write_parquet`.
    """
    check_keywords(list(options), writer_keywords(), "dativo_native.spark.write_parquet")
    schema = frame.schema
    check_columns(schema)
    folder = Folder(directory, mode)
    folder.begin()
    try:
        tasks, rows = _untouched(frame) or (frame, None)
        messages = tasks.mapInArrow(functools.partial(_write_task, folder, options, rows), "message string").collect()
        return commit(folder, schema, options, _parts(messages))
    except BaseException:
        folder.abort()
        raise


def _convert_task(folder: Folder, pieces: List[Split], options: Mapping[str, Any], batches: Iterable[Any]) -> Iterator[Any]:
    for numbers in batches:
        for number in numbers.column(0).to_pylist():
            piece = pieces[number]
            yield _message(folder.write(piece, _attempt(), piece.rows, _one_thread(options)))


def convert(
    spark: SparkSession,
    source: SourceArgument,
    directory: str,
    *,
    mode: str = "error",
    split_size: Union[None, int, str] = None,
    writer: Optional[Mapping[str, Any]] = None,
    **options: Any,
) -> Outcome:
    """CSV to a folder of Parquet files on the machines of a cluster: each task is a piece, and its rows never are in the JVM.

    As :func:`read_csv` and :func:`write_parquet`, for Spark 3.4 and later, but with the types of this package, which are more than those
    of Spark.  ``writer`` are options of :func:`write_parquet`.
    """
    check_keywords(list(options), reader_keywords(), "dativo_native.spark.convert")
    check_keywords(list(writer or {}), writer_keywords(), "dativo_native.spark.convert: writer")
    threads = options.pop("threads", None)
    reader: Reader = _read_csv(source, **options)
    pieces = reader.splits(split_size, threads=1 if threads is None else threads)
    folder = Folder(directory, mode)
    folder.begin()
    try:
        task = functools.partial(_convert_task, folder, pieces, dict(writer or {}))
        parts = _parts(_tasks(spark, len(pieces)).mapInArrow(task, "message string").collect())
        lost = sum(piece.rows or 0 for piece in pieces) - sum(part.rows for part in parts)
        if len(parts) != len(pieces) or lost > 0:
            raise DativoError(f"{len(parts)} of {len(pieces)} pieces came back, and {lost} rows are missing", code="data")
        return folder.commit(parts)
    except BaseException:
        folder.abort()
        raise
