"""Sources, read when somebody asks for their rows."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from . import _config, _native
from ._config import Connection, SourceArgument
from ._errors import DativoError
from ._progress import Progress, ProgressArgument, Shower, progress_of

if TYPE_CHECKING:
    from typing import Literal

    from ._split import Split

Types = Mapping[str, str]
Texts = Union[str, Sequence[str]]
Forms = Union[Texts, Mapping[str, Texts]]


class Column(NamedTuple):
    """A column of a source: its name, its type in the words of docs/types.md, whether it may hold nulls."""

    name: str
    type: str
    nullable: bool


class Reject(NamedTuple):
    """A row that was set aside.  ``column`` is None if the row as such is wrong, ``raw`` is the row as it is written."""

    file: str
    line: int
    row: int
    byte: int
    column: Optional[str]
    code: str
    expected: Optional[str]
    raw: str


class Schema:
    """The columns of a source.

    >>> import dativo_native as dn
    >>> schema = dn.read_csv("examples/data/orders.csv").schema
    >>> schema.names[:3]
    ['order_id', 'customer', 'country']
    >>> schema["order_id"].type
    'int64'
    >>> len(schema)
    10

    Arrow libraries take it by ``__arrow_c_schema__``: ``pa.schema(schema)``.
    """

    def __init__(self, reader: Reader, columns: List[Column]) -> None:
        self._reader = reader
        self._columns = columns

    @property
    def columns(self) -> List[Column]:
        return list(self._columns)

    @property
    def names(self) -> List[str]:
        return [column.name for column in self._columns]

    @property
    def types(self) -> Dict[str, str]:
        """Column -> type, as ``types=`` takes it."""
        return {column.name: column.type for column in self._columns}

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self._columns)

    def __getitem__(self, key: Union[int, str]) -> Column:
        if isinstance(key, int):
            return self._columns[key]
        for column in self._columns:
            if column.name == key:
                return column
        raise KeyError(key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._columns == other._columns

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "\n".join(f"{c.name}: {c.type}{'' if c.nullable else ' not null'}" for c in self._columns)

    def __arrow_c_schema__(self) -> object:
        return self._reader.__arrow_c_schema__()


class Reader:
    """A source, opened anew for every pass over its rows.

    Whatever takes Arrow streams reads it: ``pa.table(r)``, ``pl.DataFrame(r)``, ``duckdb.sql("from r")``,
    ``pd.DataFrame.from_arrow(r)``, :func:`dativo_native.write_parquet`.  Made by :func:`read_csv`, :func:`read_parquet` and
    :func:`read_postgres`.

    A reader may be used by many threads, and goes to other processes by ``pickle``: each pass is its own.  ``rejects``, ``progress``,
    ``report`` and ``error`` are those of the pass that began last.
    """

    def __init__(
        self,
        type: str,
        sources: Tuple[bytes, ...],
        connection: Mapping[str, Any],
        options: Dict[str, Any],
        *,
        find_types: bool = False,
        views: bool = False,
        threads: Optional[int] = None,
        memory: Union[None, int, str] = None,
        progress: ProgressArgument = None,
    ) -> None:
        self._type = type
        self._sources = sources
        self._connection = connection
        self._options = options
        self._find_types = find_types
        self._views = views
        self._threads = _config.threads_of(threads)
        self._memory = _config.memory_bytes(memory)
        self._show = progress
        self._lock = threading.Lock()
        self._widened: Optional[Dict[str, str]] = None
        self._schema: Optional[Schema] = None
        self._pass: Optional[_native.Pass] = None
        self._rejects: List[Reject] = []

    def __getstate__(self) -> Dict[str, Any]:
        """Other processes have passes and looks of their own."""
        return {**self.__dict__, "_lock": None, "_pass": None, "_schema": None, "_rejects": []}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        if self._type == "postgres":
            return "<dativo_native.Reader of postgres>"  # an address may hold a password
        names = [_config.shown_name(name) for name in self._sources]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"<dativo_native.Reader of {self._type}: {names[0]}{more}>"

    @contextlib.contextmanager
    def _list_of_rejects(self) -> Iterator[Dict[str, Any]]:
        """For who reads through the host: options that make a list of rejects in a file, which is taken from there."""
        if "max_rejects" not in self._options or "rejects" in self._options:
            yield {}
            return
        import csv
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rejects.csv")
            yield {"rejects": path}
            lines: List[Dict[str, str]] = []
            if os.path.exists(path):
                with open(path, newline="", encoding="utf-8", errors="backslashreplace") as file:
                    lines = list(csv.DictReader(file))
        self._pass = None
        self._rejects = [
            Reject(
                one["file"],
                int(one["line"]),
                int(one["row"]),
                int(one["byte"]),
                one["column"] or None,
                one["code"],
                one["expected"] or None,
                one["raw"],
            )
            for one in lines
        ]

    def _config(self, more: Optional[Dict[str, Any]] = None, absolute: bool = False) -> str:
        """Of the files that the names stand for now, with the types of all values if those are wanted."""
        options = {**self._options, **(more or {})}
        files = [] if self._type == "postgres" else _config.find_files(self._sources, self._connection)
        if absolute:
            files = [name if b"://" in name else os.path.abspath(name) for name in files]
        if self._find_types:
            with self._lock:
                if self._widened is None:
                    plain = _config.reader_config(self._type, files, self._connection, options)
                    found = json.loads(_native.find_types(plain))["columns"]
                    types: Dict[str, Set[str]] = {}
                    for column in found:
                        types.setdefault(column["name"], set()).add(column["type"])
                    # columns of one name have one type here, and those that are not of one keep what the sample says
                    self._widened = {name: kinds.pop() for name, kinds in types.items() if len(kinds) == 1}
                options = {**options, "widened": self._widened}
        return _config.reader_config(self._type, files, self._connection, options)

    def _open(self, shower: Optional[Shower] = None) -> _native.Pass:
        callback = shower.callback if shower is not None else None
        return _native.Pass(self._type, self._config(), callback, self._threads, self._memory, self._views, None)

    def _piece(self) -> Tuple[Optional[str], Optional[str]]:
        """The token of the one piece that this reads, and the columns of all pieces, as JSON."""
        return None, None

    def splits(self, size: Union[None, int, str] = None, *, threads: int = 1) -> List[Split]:
        """Cut CSV into pieces of about ``size`` bytes, 128 MiB if nobody says it, that other threads, processes and machines read.

        Everything is read once, to find where rows begin; the rows of all pieces, in their order, are exactly those of the whole
        (docs/splits.md), with its types.  Each is a :class:`Reader` of its own, with ``threads``, and can be pickled.  Types are
        those of the sample, unless ``infer="all"``: a later value that does not fit ends the pass over its piece with an error.

        >>> import dativo_native as dn
        >>> pieces = dn.read_csv("examples/data/orders.csv").splits("1MB")
        >>> [piece.rows for piece in pieces]
        [3000]
        """
        from ._split import Cut

        return Cut(self).pieces(size, _config.threads_of(threads))

    @property
    def schema(self) -> Schema:
        """The columns, as a look at the beginning of the source shows them; looked at once."""
        with self._lock:
            known = self._schema
        if known is None:
            known = Schema(self, [Column(*column) for column in self._open().columns()])
            with self._lock:
                self._schema = known
        return known

    def __arrow_c_schema__(self) -> object:
        return self._open().schema()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A new pass, as a capsule of an ArrowArrayStream.

        Texts are of the type that is requested: utf8, large_utf8 or string_view.  Other types are the source's, whatever is requested; a
        schema of other columns is an error.
        """
        shower = Shower(self._show)
        begun = self._open(shower)
        stream = begun.stream(requested_schema)
        self._pass = begun
        return stream

    @property
    def progress(self) -> Progress:
        """How far the last pass is; from any thread."""
        return progress_of(*self._pass.progress()) if self._pass is not None else Progress(0, None, None)

    @property
    def rejects(self) -> List[Reject]:
        """The rows that the last pass has set aside so far, with ``max_rejects``.

        After :func:`write_parquet` and its like these are here only if no file was named for them with ``rejects``.

        >>> import dativo_native as dn, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
        >>> _ = path.write_text("id,price\\n1,9.50\\n2,n/a\\n")
        >>> r = dn.read_csv(path, types={"price": "double"}, max_rejects=10)
        >>> dn.write_csv(r, path.with_name("good.csv")).rows_out
        1
        >>> [(reject.line, reject.column, reject.raw) for reject in r.rejects]
        [(3, 'price', '2,n/a')]
        """
        return [Reject(*one) for one in self._pass.rejects()] if self._pass is not None else list(self._rejects)

    @property
    def report(self) -> Optional[Dict[str, Any]]:
        """What the last pass counted: rows, bytes, files, counters, warnings, columns.  None until it is at its end."""
        text = self._pass.report() if self._pass is not None else None
        return None if text is None else dict(json.loads(text))

    @property
    def error(self) -> Optional[Exception]:
        """The :class:`DativoError` that ended the last pass, whatever the consumer made of it; None if there was none."""
        return self._pass.error() if self._pass is not None else None

    def cancel(self) -> None:
        """End the last pass with an error; from any thread."""
        if self._pass is not None:
            self._pass.cancel()


def read_csv(
    source: SourceArgument,
    *,
    delimiter: Optional[str] = None,
    quote: Optional[str] = None,
    escape: Optional[str] = None,
    comment: Optional[str] = None,
    header: Union[None, bool, int, Sequence[str]] = None,
    skip_rows: Optional[int] = None,
    skip_after_header: Optional[int] = None,
    skip_footer: Optional[int] = None,
    names: Optional[Literal["keep", "unique", "snake_case"]] = None,
    rename: Optional[Mapping[str, str]] = None,
    columns: Optional[Sequence[str]] = None,
    exclude: Optional[Sequence[str]] = None,
    types: Optional[Types] = None,
    widened: Optional[Types] = None,
    infer: Literal["sample", "all", "strings"] = "sample",
    decimals: Optional[Literal["exact", "float"]] = None,
    null_values: Optional[Forms] = None,
    quoted_nulls: Optional[bool] = None,
    quoted: Optional[Literal["values", "text"]] = None,
    decimal: Optional[str] = None,
    thousands: Optional[str] = None,
    date_format: Optional[Forms] = None,
    time_format: Optional[Forms] = None,
    timestamp_format: Optional[Forms] = None,
    true_values: Optional[Texts] = None,
    false_values: Optional[Texts] = None,
    trim: Optional[bool] = None,
    strict: Optional[bool] = None,
    encoding: Optional[str] = None,
    on_invalid: Optional[Literal["error", "replace"]] = None,
    ragged: Optional[Literal["error", "null", "skip", "reject"]] = None,
    max_rejects: Union[None, int, str] = None,
    rejects: Optional[_config.PathArgument] = None,
    required: Optional[Sequence[str]] = None,
    missing_as_null: Optional[bool] = None,
    union_by_name: Optional[bool] = None,
    hive_partitioning: Optional[bool] = None,
    file_name: Optional[str] = None,
    row_number: Optional[str] = None,
    limit: Optional[int] = None,
    max_row_size: Optional[int] = None,
    chunk_size: Optional[int] = None,
    block_bytes: Optional[int] = None,
    advice: Optional[bool] = None,
    strings: Literal["utf8", "view"] = "utf8",
    connection: Optional[Connection] = None,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Reader:
    """Read CSV: a file, a list, a folder, a pattern like ``data/**/*.csv.gz``, ``s3://bucket/key``, ``https://host/path``.

    Nothing is read until somebody asks for the columns or the rows, and every pass reads anew.

    >>> import dativo_native as dn
    >>> r = dn.read_csv("examples/data/orders.csv", types={"quantity": "int16"}, columns=["order_id", "quantity"])
    >>> r.schema
    order_id: int64
    quantity: int16

    The options are those of docs/jobs.md and docs/csv-reading.md, by the same names, and these:

    infer: ``"sample"``: types are those of the first rows, and a later value that does not fit ends the pass with an error (but
        :func:`write_parquet`, :func:`write_csv` and :func:`convert` start over with a wider type); ``"all"``: one more pass, at the
        first use, looks at all values; ``"strings"``: columns without a declared type are strings.
    strings: ``"utf8"``: texts as every Arrow library computes with them; ``"view"``: as views into the text that was read, which are
        not copied, and which Polars and DuckDB have, too.
    connection: where S3 is and who asks: endpoint, region, profile, access_key_id, secret_access_key, session_token, anonymous,
        path_style, ca_file, no_checksums; else the environment and the profiles of AWS say it.
    threads: 0 or None: those of the process, one for each CPU.
    memory: of the reader: a number of bytes, or ``"512MB"``.
    progress: a function that gets a :class:`Progress` a few times a second, or True for a bar.
    """
    options = dict(locals())
    for own in ("source", "infer", "strings", "connection", "threads", "memory", "progress"):
        del options[own]
    for one in ("true_values", "false_values", "null_values"):
        if isinstance(options[one], str):
            options[one] = [options[one]]
    sources = _config.files_of(source)
    if infer not in ("sample", "all", "strings"):
        raise DativoError(f"infer is sample, all or strings, not {infer!r}", code="invalid", option="infer", value=str(infer))
    if infer == "strings":
        options["inference"] = "strings"
    if delimiter == "tab" or (delimiter is None and sources[0].lower().endswith(b".tsv")):
        options["delimiter"] = "\t"
    return Reader(
        "csv",
        sources,
        _config.connection_of(connection),
        _config.given(options),
        find_types=infer == "all",
        views=_views(strings),
        threads=threads,
        memory=memory,
        progress=progress,
    )


def read_parquet(
    source: SourceArgument,
    *,
    columns: Optional[Sequence[str]] = None,
    types: Optional[Types] = None,
    required: Optional[Sequence[str]] = None,
    missing_as_null: Optional[bool] = None,
    hive_partitioning: Optional[bool] = None,
    file_name: Optional[str] = None,
    row_number: Optional[str] = None,
    limit: Optional[int] = None,
    chunk_size: Optional[int] = None,
    strings: Literal["utf8", "view"] = "utf8",
    connection: Optional[Connection] = None,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Reader:
    """Read Parquet files of the same columns; sources, ``strings`` and the last four as of :func:`read_csv`.

    >>> import dativo_native as dn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "orders.parquet")
    >>> _ = dn.convert("examples/data/orders.csv", path)
    >>> dn.read_parquet(path, columns=["total"]).schema
    total: float64
    """
    options = dict(locals())
    for own in ("source", "strings", "connection", "threads", "memory", "progress"):
        del options[own]
    return Reader(
        "parquet",
        _config.files_of(source),
        _config.connection_of(connection),
        _config.given(options),
        views=_views(strings),
        threads=threads,
        memory=memory,
        progress=progress,
    )


def read_postgres(
    url: str,
    *,
    table: Optional[str] = None,
    query: Optional[str] = None,
    where: Optional[str] = None,
    columns: Optional[Sequence[str]] = None,
    types: Optional[Types] = None,
    required: Optional[Sequence[str]] = None,
    missing_as_null: Optional[bool] = None,
    numeric: Optional[str] = None,
    special_values: Optional[Literal["error", "null"]] = None,
    interval: Optional[Literal["native", "text"]] = None,
    arrays: Optional[Literal["list", "text"]] = None,
    connections: Optional[int] = None,
    cursor_field: Optional[str] = None,
    cursor_after: Optional[str] = None,
    statement_timeout: Optional[str] = None,
    lock_timeout: Optional[str] = None,
    chunk_size: Optional[int] = None,
    strings: Literal["utf8", "view"] = "utf8",
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Reader:
    """Read a table, or what a query gives, of PostgreSQL: ``postgres://user@host/database?table=schema.name``.

    Every pass is the table as it is at one moment.  The options are those of docs/postgres.md.

    >>> import dativo_native as dn
    >>> r = dn.read_postgres("postgres://me@db.example.com/shop", table="public.orders")
    >>> r
    <dativo_native.Reader of postgres>
    """
    options = dict(locals())
    for own in ("url", "strings", "threads", "memory", "progress"):
        del options[own]
    address, named = _database(url)
    if named is not None and query is not None:
        raise DativoError("the address names a table, and query names its own: leave one out", code="invalid", option="query")
    if table is None and query is None:
        options["table"] = named
    if options["table"] is None and query is None:
        raise DativoError(
            "no table is named: give table= or query=, or ?table=schema.name behind the address", code="invalid", option="table"
        )
    return Reader(
        "postgres",
        (),
        {"url": address},
        _config.given(options),
        views=_views(strings),
        threads=threads,
        memory=memory,
        progress=progress,
    )


def _views(strings: str) -> bool:
    if strings not in ("utf8", "view"):
        raise DativoError(f"strings is utf8 or view, not {strings!r}", code="invalid", option="strings", value=str(strings))
    return strings == "view"


def _database(url: str) -> Tuple[str, Optional[str]]:
    """The address for libpq, which knows no key ``table``, and what that says."""
    from urllib.parse import unquote

    if not _config.is_postgres(url.encode("utf-8", "replace")):
        raise DativoError("the address of a database begins with postgres://", code="invalid", option="url")
    address, question, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    pairs = query.split("&") if question else []
    tables = [pair[len("table=") :] for pair in pairs if pair.startswith("table=")]
    others = "&".join(pair for pair in pairs if not pair.startswith("table="))
    return f"{scheme.lower()}://{rest}{'?' + others if others else ''}", unquote(tables[0]) if tables else None


def open_source(source: SourceArgument, options: Dict[str, Any], caller: Callable[..., Any]) -> Reader:
    """The reader for what a source is: an address of PostgreSQL, Parquet files, else CSV.  ``caller`` is who took the options."""
    names = _config.sources_of(source)
    if _config.is_postgres(names[0]) and len(names) == 1:
        return _opened(read_postgres, names[0].decode("utf-8", "replace"), options, caller)
    for name in names:
        _config.check_no_database(name, "a table of a database is read alone: name one source")
    files = _config.find_files(names, _config.connection_of(options.get("connection")))
    kinds = [_native.is_parquet(name) for name in files]
    if any(kinds) and not all(kinds):
        raise DativoError(
            f"{_config.shown_name(files[kinds.index(True)])} is a Parquet file and {_config.shown_name(files[kinds.index(False)])} is "
            "not: read files of one kind at a time",
            code="unsupported",
        )
    return _opened(read_parquet if kinds[0] else read_csv, source, options, caller)


def _opened(opener: Callable[..., Reader], source: SourceArgument, options: Dict[str, Any], caller: Callable[..., Any]) -> Reader:
    """What is no keyword is the caller's mistake, under the caller's name."""
    known = opener.__kwdefaults__ or {}
    for name in options:
        if name not in known:
            import difflib  # takes a while, and is hardly ever needed

            near = difflib.get_close_matches(name, [*known, *(caller.__kwdefaults__ or {})], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(
                f"{caller.__name__}() got an unexpected keyword argument {name!r}, which {opener.__name__}() does not have either{hint}"
            )
    return opener(source, **options)
