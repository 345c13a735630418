# mypy: disable-error-code="import-not-found,no-any-return"
"""Parquet files into tables of Iceberg, through pyiceberg (``pip install 'dativo-native[iceberg]'``).

Native code writes the files; here their footers become entries of a table and, all at once, a snapshot.  What cannot be in the table is
refused before anything of it is changed, and the same result committed twice is there once.

>>> import dativo_native as dn, tempfile
>>> from dativo_native import iceberg
>>> folder = tempfile.mkdtemp()
>>> catalog = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}"}
>>> done = iceberg.append(dn.read_csv("examples/data/orders.csv"), "shop.orders", catalog=catalog)
>>> done.rows, done.created
(3000, True)
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import random
import time
import uuid
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from . import _config, _native, _write
from ._errors import DativoError
from ._log import on_log
from ._progress import ProgressArgument, Shower
from ._reader import Reader
from ._write import Outcome

if TYPE_CHECKING:
    from ._write import ArrowSource

try:
    import pyarrow as pa
    from pyiceberg.catalog import load_catalog
    from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.snapshots import ancestors_of
    from pyiceberg.transforms import IdentityTransform
    from pyiceberg.types import BooleanType, DateType, LongType, NestedField, StringType, StructType
except ImportError as error:
    raise ImportError(f"dativo_native.iceberg needs pyiceberg and pyarrow: pip install 'dativo-native[iceberg]' ({error})") from error

from . import _iceberg_types as _types
from ._iceberg_files import File, check_values

__all__ = ["Commit", "append", "commit", "run"]

CommitId = "dativo.commit-id"
"""Under this name a snapshot's summary says which result it is of."""
_MAPPING = "schema.name-mapping.default"
_ATTEMPTS = 10
_NOTE, _WARNING = 25, 30

CatalogArgument = Any
"""A catalog of pyiceberg, its name in pyiceberg's configuration, or a map of its properties."""
TableArgument = Union[str, Tuple[str, ...]]


class Commit(NamedTuple):
    """What a table has got."""

    table: str
    snapshot_id: Optional[int]
    id: str
    """Of the result; the same one is committed once."""
    files: Tuple[str, ...] = ()
    rows: int = 0
    created: bool = False
    """The table was made with it."""
    unchanged: bool = False
    """The result was in the table already."""
    columns_added: Tuple[str, ...] = ()
    columns_widened: Tuple[str, ...] = ()
    outcome: Optional[Outcome] = None
    """What was moved, if files were written for it."""


def _open(catalog: CatalogArgument) -> Any:
    if catalog is None or isinstance(catalog, str):
        return load_catalog(catalog)
    if isinstance(catalog, Mapping):
        said = {key: value for key, value in catalog.items() if value is not None}
        return load_catalog(said.pop("name", None), **said)
    return catalog


def _identifier(table: TableArgument) -> Tuple[str, ...]:
    parts = tuple(table.split(".")) if isinstance(table, str) else tuple(table)
    if len(parts) < 2 or not all(parts):
        raise DativoError(f"{table!r} is no name of a table; write namespace.table", code="invalid", option="table", value=str(table))
    return parts


class _Target:
    """A table that may be there, and what is to happen to it."""

    def __init__(
        self,
        catalog: CatalogArgument,
        table: TableArgument,
        partition: Optional[Mapping[str, Any]],
        create: bool,
        evolve: bool,
        properties: Optional[Mapping[str, str]],
    ) -> None:
        self.catalog = _open(catalog)
        self.identifier = _identifier(table)
        self.name = ".".join(self.identifier)
        self.partition = dict(partition or {})
        self.create = create
        self.evolve = evolve
        self.properties = {key: str(value) for key, value in (properties or {}).items()}

    def load(self) -> Any:
        """None: it is not there."""
        try:
            table = self.catalog.load_table(self.identifier)
        except NoSuchTableError:
            return None
        # Another commit means to look again whether this one is there and fits; pyiceberg by itself would only append again.
        table.metadata = table.metadata.model_copy(update={"properties": {**table.metadata.properties, "commit.retry.num-retries": "0"}})
        return table

    def begin(self, table: Any, struct: Any) -> Any:
        """A transaction, of a new table with the columns of a file."""
        if table is not None:
            identity = {
                table.schema().find_column_name(field.source_id)
                for field in table.spec().fields
                if isinstance(field.transform, IdentityTransform)
            }
            for name in self.partition:
                if name not in identity:
                    by = ", ".join(sorted(identity)) or "no column's values"
                    raise DativoError(f'table {self.name} is partitioned by {by}, not by "{name}"', code="invalid", column=name,
                                      option="partition")  # fmt: skip
            return table.transaction()
        if not self.create:
            raise DativoError(f"table {self.name} is not there; create=True makes it", code="not_found", option="create")
        _types.compare(StructType(), struct, tuple(self.partition))
        count = sum(1 for _ in _types.walk(struct))
        more = [NestedField(count + i, name, _type_of(name, value)) for i, (name, value) in enumerate(self.partition.items(), 1)]
        spec = PartitionSpec(*(PartitionField(one.field_id, 1000 + i, IdentityTransform(), one.name) for i, one in enumerate(more)))
        self.make_namespace()
        schema = Schema(*struct.fields, *more)
        return self.catalog.create_table_transaction(self.identifier, schema, partition_spec=spec, properties=self.properties)

    def make_namespace(self) -> None:
        namespace = self.identifier[:-1]
        if self.catalog.namespace_exists(namespace):
            return
        try:
            self.catalog.create_namespace(namespace)
        except Exception:
            if not self.catalog.namespace_exists(namespace):  # nobody else has made it, either
                raise

    def change(self, tx: Any, struct: Any) -> _types.Changes:
        """Columns of a file that the table lacks, or holds too narrowly."""
        metadata = tx.table_metadata
        changes = _types.compare(metadata.schema().as_struct(), struct, tuple(self.partition))
        if not changes.added and not changes.widened:
            return changes
        if not self.evolve:
            path, of = (changes.added or changes.widened)[0]
            what = "is not in the table" if changes.added else f"is {of} in the files, and narrower in the table"
            raise _types.refuse(path, f"{what}; evolve=True changes the table", "type", option="evolve")
        _types.check_names_are_new(changes.added, metadata.schemas)
        with tx.update_schema() as update:
            for path, of in changes.added:
                update.add_column(path, of)
            for path, of in changes.widened:
                update.update_column(path, field_type=of)
        return changes


def _type_of(name: str, value: Any) -> Any:
    for kind, t in ((bool, BooleanType()), (int, LongType()), (str, StringType()), (datetime.date, DateType())):
        if isinstance(value, kind) and not isinstance(value, datetime.datetime):
            return t
    raise DativoError(f'partition: {value!r} of "{name}" is no text, number, boolean or date', code="invalid", option="partition",
                      column=name)  # fmt: skip


def _find(table: Any, commit_id: str) -> Any:
    """The snapshot of a result, if the table as it is now has it behind it."""
    if table is None or table.metadata.current_snapshot() is None:
        return None
    for snapshot in ancestors_of(table.metadata.current_snapshot(), table.metadata):
        if snapshot.summary is not None and snapshot.summary.additional_properties.get(CommitId) == commit_id:
            return snapshot
    return None


def _referenced(table: Any, files: Sequence[File]) -> Optional[str]:
    """One of the files that the table has already."""
    uris = {file.uri for file in files}
    snapshot = table.metadata.current_snapshot() if table is not None else None
    for manifest in snapshot.manifests(table.io) if snapshot is not None else ():
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            if entry.data_file.file_path in uris:
                return str(entry.data_file.file_path)
    return None


class _Staged(NamedTuple):
    transaction: Any
    added: Tuple[str, ...]
    widened: Tuple[str, ...]
    missing: Tuple[str, ...]
    created: bool


def _stage(target: _Target, table: Any, files: Sequence[File], commit_id: str) -> _Staged:
    """Everything but the commit itself."""
    tx = target.begin(table, files[0].columns.struct)
    added: List[str] = []
    widened: List[str] = []
    missing: Dict[str, None] = {}
    for file in files:
        changes = target.change(tx, file.columns.struct)
        check_values([file], changes.need_values)
        added += [_types.shown(path) for path, _ in changes.added]
        widened += [_types.shown(path) for path, _ in changes.widened]
        missing.update((_types.shown(path), None) for path in changes.missing)
    walked = list(_types.walk(tx.table_metadata.schema().as_struct()))
    numbers = {path: number for path, number, _ in walked}
    types = {path: t for path, _, t in walked}
    for file in files:
        columns = file.columns
        if columns.has_field_ids:
            _types.check_numbers(columns, numbers)
            continue
        if tx.table_metadata.name_mapping() is None:
            tx.set_properties({_MAPPING: tx.table_metadata.schema().name_mapping.model_dump_json()})
        _types.check_mapping(tx.table_metadata.name_mapping(), columns, numbers)
    entries = [file.entry(tx.table_metadata, numbers, types, target.partition) for file in files if file.rows > 0]
    with tx.update_snapshot(snapshot_properties={CommitId: commit_id}).fast_append() as snapshot:
        for entry in entries:
            snapshot.append_data_file(entry)
    return _Staged(tx, tuple(added), tuple(widened), tuple(missing), table is None)


def _pause(attempt: int) -> None:
    time.sleep(min(0.05 * 2**attempt, 5) * random.uniform(0.5, 1))


class _NotKnown(DativoError):
    """The commit may have happened."""


def _commit(target: _Target, files: Sequence[File], commit_id: str, outcome: Optional[Outcome], fresh: bool) -> Commit:
    """``fresh`` files cannot be in the table yet."""
    why: Optional[BaseException] = None
    staged: Optional[_Staged] = None
    for attempt in range(_ATTEMPTS + 1):
        table = target.load()
        found = _find(table, commit_id)
        if found is not None:
            own = staged is not None and _referenced(table, files) is not None  # what was called a failure was none
            return _told(target, staged, files, commit_id, found, outcome) if own else _unchanged(target, commit_id, found)
        if attempt == _ATTEMPTS:
            break
        uri = None if fresh else _referenced(table, files)
        if uri is not None:
            raise DativoError(f"{uri}: is in the table already, by another commit", code="exists", path=uri)
        staged = _stage(target, table, files, commit_id)
        try:
            staged.transaction.commit_transaction()
        except (CommitFailedException, TableAlreadyExistsError) as error:
            why = error
            _pause(attempt)
            continue
        except Exception as error:
            landed = _look(target, commit_id, error)
        else:
            landed = _find(target.load(), commit_id)
        return _told(target, staged, files, commit_id, landed, outcome)
    raise DativoError(f"table {target.name} is as it was: {_ATTEMPTS} times another commit was faster ({_text(why)})",
                      code="temporary") from why  # fmt: skip


def _text(error: Optional[BaseException]) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _look(target: _Target, commit_id: str, error: Exception) -> Any:
    """After an error that does not say whether the commit happened."""
    try:
        found = _find(target.load(), commit_id)
    except Exception:
        found = None
    if found is not None:
        return found
    raise _NotKnown(
        f"table {target.name} does not have the rows: the catalog did not answer the commit but failed ({_text(error)}). It has them later "
        f"only if the catalog still does what it was asked; commit again with id={commit_id!r}, which adds them once",
        code="temporary",
    ) from error


def _unchanged(target: _Target, commit_id: str, snapshot: Any) -> Commit:
    on_log(_NOTE, "commit_found", f"table {target.name} has {commit_id} already, in snapshot {snapshot.snapshot_id}: nothing is done")
    return Commit(target.name, snapshot.snapshot_id, commit_id, unchanged=True)


def _look_first(target: _Target, commit_id: str) -> Tuple[Any, Optional[Commit]]:
    """The table, and what is to be told if it has the result already."""
    existing = target.load()
    snapshot = _find(existing, commit_id) if commit_id else None
    return existing, None if snapshot is None else _unchanged(target, commit_id, snapshot)


def _told(
    target: _Target, staged: Any, files: Sequence[File], commit_id: str, landed: Any, outcome: Optional[Outcome]
) -> Commit:
    for name in staged.added:
        on_log(_NOTE, "column_added", f'table {target.name} has a new column "{name}", which is null in older rows')
    for name in staged.widened:
        on_log(_NOTE, "column_widened", f'column "{name}" of table {target.name} has a wider type')
    for name in staged.missing:
        on_log(_WARNING, "column_missing", f'column "{name}" of table {target.name} is not in the files: it is null in their rows')
    return Commit(
        target.name,
        None if landed is None else landed.snapshot_id,
        commit_id,
        tuple(file.uri for file in files if file.rows > 0),
        sum(file.rows for file in files),
        staged.created,
        False,
        staged.added,
        staged.widened,
        outcome,
    )


# ---- finished files --------------------------------------------------------------------------------------------------


def _uri(path: _config.PathArgument) -> str:
    name = _config.path_bytes(path)
    if b"://" not in name:
        name = b"file://" + os.path.abspath(name)
    try:
        uri = name.decode("utf-8")
    except UnicodeDecodeError:
        uri = "?"
    if "?" in uri or "#" in uri:
        raise DativoError(f"{name!r}: tables of Iceberg have no files whose names are not UTF-8 or have ? or #", code="invalid",
                          path=repr(name))  # fmt: skip
    return uri


def _json_of(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except FileNotFoundError as error:
        raise DativoError(f"{path}: is not there: the result is not complete; run `commit` first", code="not_found", path=path) from error
    except (OSError, ValueError) as error:
        raise DativoError(f"{path}: cannot be read: {error}", code="data", path=path) from error


class _Result(NamedTuple):
    id: str
    uris: List[str]
    said: Dict[str, Tuple[int, int]]
    """Rows and bytes of files, where a manifest says them."""


def _of_plan(folder: str, plan_id: Optional[str]) -> _Result:
    success = _json_of(os.path.join(folder, "_SUCCESS"))
    manifest = _json_of(os.path.join(folder, "_manifest.json"))
    ids = {success.get("plan"), manifest.get("plan"), plan_id or manifest.get("plan")}
    if len(ids) != 1:
        raise DativoError(f"{folder}: has the result of another plan: {', '.join(map(str, ids))}", code="data", path=folder)
    uris, said = [], {}
    for one in manifest["files"]:
        uri = _uri(os.path.join(folder, one["file"]))
        uris.append(uri)
        said[uri] = (one["rows"], one["bytes"])
    return _Result(manifest["plan"], uris, said)


def _result(result: Any) -> _Result:
    """Of a plan or its folder, of a run's outcome, or of files."""
    if isinstance(result, Outcome):
        if result.output_path is None:
            raise DativoError("this outcome has no file", code="invalid", option="result")
        result = [result.output_path]
    if isinstance(result, (str, os.PathLike)):
        path = os.path.expanduser(os.fspath(result))
        if os.path.isdir(path):
            return _of_plan(path, None)
        if path.endswith(".json"):
            plan = _json_of(path)
            if not isinstance(plan, dict) or "directory" not in plan or "id" not in plan:
                raise DativoError(f"{path}: is no plan", code="data", path=path)
            if "://" in plan["directory"]:
                raise DativoError(f"{path}: its result is in a bucket, {plan['directory']}: give the names of the files, once _SUCCESS is there",
                                  code="unsupported", path=path)  # fmt: skip
            return _of_plan(os.path.join(plan.get("folder") or ".", plan["directory"]), plan["id"])
        result = [result]
    uris = [_uri(one) for one in result]
    if not uris or len(set(uris)) < len(uris):
        raise DativoError("no file is given" if not uris else "a file is given twice", code="invalid", option="result")
    return _Result("", uris, {})


def commit(
    result: Any,
    table: TableArgument,
    *,
    catalog: CatalogArgument = None,
    id: Optional[str] = None,
    partition: Optional[Mapping[str, Any]] = None,
    create: bool = True,
    evolve: bool = True,
    properties: Optional[Mapping[str, str]] = None,
) -> Commit:
    """Add finished Parquet files to a table, where they are, in one snapshot.

    ``result`` is a plan that was committed (``plan.json``) or the folder of its result, the outcome of ``run`` or ``convert``, or names of
    files.  They belong to the table from then on: leave them where they are, and as they are.  The id is the plan's, or is made
    of the files' names and sizes; what was committed under it is not committed again.

    A table that is not there is made of the files' columns, with ``properties``.  With ``partition``, a
    map from column to value, it is partitioned by these columns, which the files themselves do not have.

    >>> import dativo_native as dn, tempfile
    >>> from dativo_native import iceberg
    >>> folder = tempfile.mkdtemp()
    >>> catalog = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}"}
    >>> outcome = dn.convert("examples/data/orders.csv", f"{folder}/orders.parquet")
    >>> iceberg.commit(outcome, "shop.orders", catalog=catalog).rows
    3000
    >>> iceberg.commit(outcome, "shop.orders", catalog=catalog).unchanged
    True
    """
    found = _result(result)
    target = _Target(catalog, table, partition, create, evolve, properties)
    commit_id = id or found.id
    existing, done = _look_first(target, commit_id)
    if done is not None:
        return done
    io = existing.io if existing is not None else _io_of(target, found.uris[0])
    files = [File(io, uri) for uri in found.uris]
    for file in files:
        rows, size = found.said.get(file.uri, (file.rows, file.size))
        if (rows, size) != (file.rows, file.size):
            raise DativoError(
                f"{file.uri}: has {file.rows} rows in {file.size} bytes, and {rows} rows in {size} bytes when it was written: it was changed",
                code="data", path=file.uri,
            )  # fmt: skip
    if not commit_id:
        text = "\n".join(f"{file.size} {file.rows} {file.uri}" for file in sorted(files, key=lambda file: file.uri))
        commit_id = hashlib.sha256(text.encode()).hexdigest()[:32]
    return _commit(target, files, commit_id, None, False)


def _io_of(target: _Target, uri: str) -> Any:
    """Where there is no table yet, which would know."""
    from pyiceberg.io import load_file_io

    return load_file_io(target.catalog.properties, uri)


# ---- rows ------------------------------------------------------------------------------------------------------------


_S3 = {"endpoint": "s3.endpoint", "region": "s3.region", "access_key_id": "s3.access-key-id", "session_token": "s3.session-token",
       "secret_access_key": "s3.secret-access-key", "profile": "s3.profile-name", "anonymous": "s3.anonymous"}  # fmt: skip



def _connection_of(io: Any) -> Dict[str, Any]:
    """How the catalog gets to S3 is how the files get there."""
    return {ours: io.properties[theirs] for ours, theirs in _S3.items() if io.properties.get(theirs)}


def _place(location: str) -> str:
    """A new file of a table, as our writer has names."""
    scheme, colon, rest = location.partition("://")
    if colon and scheme not in ("file", "s3", "s3a", "s3n"):
        raise DativoError(f"the table is at {location}: files are written to this machine and to S3", code="unsupported", path=location)
    base = rest if scheme == "file" else f"s3://{rest}" if colon else location.removeprefix("file:")
    return f"{base.rstrip('/')}/data/{uuid.uuid4()}.parquet"


def append(
    data: Union[ArrowSource, Reader],
    table: TableArgument,
    *,
    catalog: CatalogArgument = None,
    id: Optional[str] = None,
    partition: Optional[Mapping[str, Any]] = None,
    create: bool = True,
    evolve: bool = True,
    properties: Optional[Mapping[str, str]] = None,
    **writer: Any,
) -> Commit:
    """Write rows of anybody's as a file of a table, and commit it.

    ``data`` and ``writer`` are as :func:`dativo_native.write_parquet` has them, the rest as :func:`commit`.  The file has the table's
    numbers for its columns.  With an ``id`` of your own, such as that of a scheduler's run, the rows are appended once.
    """
    target = _Target(catalog, table, partition, create, evolve, properties)
    commit_id = id or uuid.uuid4().hex
    existing, done = _look_first(target, commit_id)
    if done is not None:
        return done
    source: Any = data
    if not isinstance(data, Reader):  # whose schema can be asked for without taking its rows
        source = pa.RecordBatchReader.from_stream(data) if hasattr(data, "__arrow_c_stream__") else pa.record_batch(data)
    columns = _types.FileColumns(pa.schema(source.schema))
    tx = target.begin(existing, columns.struct)
    target.change(tx, columns.struct)
    numbers = {path: number for path, number, _ in _types.walk(tx.table_metadata.schema().as_struct())}
    writer.setdefault("connection", _connection_of(tx._table.io))
    path = _place(tx.table_metadata.location)
    if "://" not in path:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    outcome = _write.write_parquet(source, path, field_ids=[numbers[path] for path in columns.field_ids], **writer)
    return _commit_written(target, tx._table.io, path, commit_id, outcome)


def _commit_written(target: _Target, io: Any, path: str, commit_id: str, outcome: Outcome) -> Commit:
    """A file that is there for this commit alone."""
    uri = _uri(path)
    try:
        done = _commit(target, [File(io, uri)], commit_id, outcome, True)
        if done.unchanged or outcome.rows_out == 0:
            io.delete(uri)
        return done
    except _NotKnown as error:
        raise DativoError(f"{error}. The rows are in {uri}", code=error.code, path=uri) from error.__cause__
    except Exception:
        io.delete(uri)
        raise


# ---- jobs ------------------------------------------------------------------------------------------------------------


def run(
    job: _config.PathArgument,
    *,
    id: Optional[str] = None,
    allow_empty: bool = False,
    threads: Optional[int] = None,
    memory: Union[None, int, str] = None,
    progress: ProgressArgument = None,
) -> Commit:
    """Run a job file whose target is a table of a catalog (docs/iceberg.md): written into its location, and committed.

    With an ``id``, such as that of a scheduler's run, the rows are appended once, however often it is called.
    """
    path = _config.path_bytes(job).decode("utf-8", "surrogateescape")
    answer = _native.lake(path)
    if "lake" not in answer:
        raise DativoError(f"{path}: the target is no table of a catalog; dativo_native.run() runs this job", code="config", path=path)
    target = _of_job(path, json.loads(answer["lake"]))
    commit_id = id or uuid.uuid4().hex
    existing, done = _look_first(target, commit_id)
    if done is not None:
        return done._replace(outcome=Outcome(None, 0, 0, files_out=0, unchanged=True))
    if existing is None:  # of a table that is made when its columns are known
        target.make_namespace()
        existing = target.catalog.create_table_transaction(target.identifier, Schema(NestedField(1, "a", LongType())))._table
    file = _place(existing.metadata.location)
    place = json.dumps({"path": file, "connection": _connection_of(existing.io)})
    with Shower(progress) as callback:
        outcome = _write._outcome(
            _native.run(path, allow_empty, callback, _config.threads_of(threads), _config.memory_bytes(memory), place)
        )
    return _commit_written(target, existing.io, file, commit_id, outcome)


_KINDS = {"nessie": "rest", "unity": "rest", "rest": "rest", "glue": "glue", "hive": "hive"}

def _text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_job(path: str, lake: Dict[str, Any]) -> _Target:
    """The table that a job names, by pyiceberg's properties or in the words of its host."""

    def refuse(why: str) -> DativoError:
        return DativoError(f"{path}: {why}", code="config", path=path)

    said, sections = lake.get("catalog"), lake["sections"]
    properties: Dict[str, Any] = dict(said) if isinstance(said, dict) else {}
    name = properties.pop("name", None) if isinstance(said, dict) else said
    if len(sections) > 1:
        raise refuse(f"the connection has several catalogs: {', '.join(sections)}")
    for kind, section in sections.items():
        name = name or kind
        given = section if isinstance(section, dict) else {"uri": section}
        properties = {"type": _KINDS[kind], **given, **properties}
        if kind == "nessie" and "uri" in properties:
            properties["uri"] = _nessie(properties["uri"], lake.get("branch"))
    if lake.get("branch") not in (None, "main") and "nessie" not in sections:
        raise refuse(f'target.branch is "{lake["branch"]}": branches are Nessie\'s; rows are committed to the main one of a table')
    if "warehouse" in lake:
        properties.setdefault("warehouse", lake["warehouse"])
    for ours, value in lake.get("s3", {}).items():
        if ours in _S3:
            properties.setdefault(_S3[ours], value)
    namespace, table = properties.pop("namespace", lake["namespace"]), properties.pop("table", lake["table"])
    nested = [key for key, value in properties.items() if isinstance(value, (dict, list))]
    if nested:
        raise refuse(f"the property {nested[0]} of the catalog is no text")
    day = lake.get("ingest_date")
    partition = {} if day is None else {"ingest_date": datetime.date.fromisoformat(day)}
    catalog = load_catalog(name, **{key: _text_of(value) for key, value in properties.items() if value is not None})
    return _Target(catalog, (*str(namespace).split("."), str(table)), partition, True, True, None)


def _nessie(uri: str, branch: Optional[str]) -> str:
    """Its interface for Iceberg, where jobs of the Python host name another of its interfaces."""
    base = uri.rstrip("/")
    for version in ("/api/v1", "/api/v2"):
        if base.endswith(version):
            base = base[: -len(version)] + "/iceberg"
    return base if branch is None or not base.endswith("/iceberg") else f"{base}/{branch}"
