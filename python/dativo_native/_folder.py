"""Folders of Parquet files that many tasks write and one commit makes visible: what _SUCCESS says is complete is (docs/many-machines.md)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from . import _config
from ._errors import DativoError
from ._log import collected
from ._look import inspect
from ._reader import read_parquet
from ._write import Outcome, write_parquet

if TYPE_CHECKING:
    from ._write import ArrowSource

MODES = ("error", "append", "overwrite")
_DECIDED = "_commit.json"


class Part(NamedTuple):
    """What a task has written; ``name`` is that of the file in the staging folder, None: it had no rows."""

    name: Optional[str]
    rows: int
    bytes: int
    warnings: Sequence[str] = ()


def local_directory(path: str) -> str:
    """The absolute name of a folder that all machines see."""
    if path.startswith("file:"):
        from urllib.parse import unquote

        path = "/" + unquote(path[len("file:") :]).lstrip("/")
    if "://" in path or path.partition(":")[0] in ("hdfs", "s3", "s3a", "gs", "abfss", "dbfs"):
        shown = _config.shown_name(path.encode("utf-8", "surrogateescape"))
        raise DativoError(
            f"{shown}: parts are written to a folder of this machine or of a file system that all machines see, which this is not",
            code="unsupported",
            option="path",
            value=shown,
        )
    return os.path.abspath(os.fsdecode(_config.path_bytes(path)))


class Folder:
    """One job that writes into a folder.  Made where the job is planned, and sent to its tasks with ``pickle``."""

    def __init__(self, path: str, mode: str) -> None:
        if mode not in MODES:
            raise DativoError(f"mode is {', '.join(MODES[:-1])} or {MODES[-1]}, not {mode!r}", code="invalid", option="mode", value=mode)
        self.path = local_directory(path)
        self.mode = mode
        self.made = False
        self.id = os.urandom(8).hex()
        self.staging = os.path.join(self.path, f"_staging-{self.id}")

    def begin(self) -> None:
        """Refuse what commit() would refuse, before anything is computed, and make the staging folder."""
        self.made = not os.path.isdir(self.path)
        os.makedirs(self.path, exist_ok=True)
        if any(os.path.exists(os.path.join(self.path, name, _DECIDED)) for name in _names(self.path, "_staging-")):
            finish_commit(self.path)
        self._check_place()
        os.mkdir(self.staging)

    def write(self, data: ArrowSource, name: str, expected_rows: Optional[int], options: Mapping[str, Any]) -> Part:
        """In a task: a file that nobody sees.  ``name`` is of this attempt alone."""
        if not os.path.isdir(self.staging):
            raise DativoError(
                f"{self.staging}: is not there: the job is over, or {self.path} is no folder that all machines see", code="not_found"
            )
        name = f"{name}-{self.id}.parquet"
        with collected() as warnings:
            outcome = write_parquet(data, os.path.join(self.staging, name), **options)
        if expected_rows is not None and outcome.rows_out != expected_rows:
            raise DativoError(f"rows do not add up: {outcome.rows_out} of {expected_rows} rows are in {name}", code="data")
        return Part(name, outcome.rows_out, outcome.bytes_out, warnings)

    def commit(self, parts: Sequence[Part]) -> Outcome:
        """Everything becomes visible, or nothing; a commit that is interrupted is finished by finish_commit()."""
        begun = time.monotonic()
        written = [part for part in parts if part.name is not None]
        for part in written:
            self._check_part(part)
        for warning in sorted({warning for part in parts for warning in part.warnings}):
            logging.getLogger("dativo_native").warning("%s", warning)
        with _locked(self.path):
            _finish(self.path)
            record = self._record(written)
            _write_json(os.path.join(self.staging, _DECIDED), record)
            _apply(self.path, self.staging, record)
        rows = sum(part.rows for part in written)
        return Outcome(
            self.path,
            rows,
            rows,
            warnings=sum(len(part.warnings) for part in parts),
            files_out=len(written),
            bytes_out=sum(part.bytes for part in written),
            seconds=time.monotonic() - begun,
        )

    def abort(self) -> None:
        """Nothing of the job stays, unless its commit has begun, which is finished some day."""
        if not os.path.exists(os.path.join(self.staging, _DECIDED)):
            _remove(self.staging)
            if self.made:
                with contextlib.suppress(OSError):  # it has something else by now
                    os.rmdir(self.path)

    def _check_part(self, part: Part) -> None:
        path = os.path.join(self.staging, str(part.name))
        size = os.path.getsize(path) if os.path.exists(path) else None
        if size != part.bytes:
            raise DativoError(
                f"{path}: {'is not there' if size is None else f'has {size} bytes'}, and its task has written {part.bytes}", code="data"
            )

    def _check_place(self) -> List[str]:
        """The files that readers see now."""
        names = sorted(name for name in os.listdir(self.path) if not name.startswith(("_", ".")))
        others = [name for name in names if not name.endswith(".parquet") or os.path.isdir(os.path.join(self.path, name))]
        if names and self.mode == "error":
            raise DativoError(
                f"{self.path}: has {names[0]}{' and others' if len(names) > 1 else ''} already; mode append or overwrite allows that",
                code="exists",
                path=self.path,
                option="mode",
            )
        if others:
            raise DativoError(f"{self.path}: has {others[0]}, which is no Parquet file: a reader would take it, too", code="exists", path=self.path)
        if names and self.mode == "append" and not os.path.exists(os.path.join(self.path, "_SUCCESS")):
            raise DativoError(
                f"{self.path}: has {names[0]}, but no _SUCCESS: what is there may be a part of something, and adding to it would call it "
                "complete; make an empty file _SUCCESS if it is, or use mode overwrite",
                code="exists",
                path=self.path,
            )
        return names

    def _record(self, parts: Sequence[Part]) -> Dict[str, Any]:
        """Everything that the rest of the commit needs, so that anybody can do it."""
        there = self._check_place()
        schema = [column._asdict() for column in read_parquet(os.path.join(self.staging, str(parts[0].name))).schema]
        kept = self._kept(there, schema) if self.mode == "append" else []
        width = max(5, len(str(len(parts))))
        files = [
            {"staged": part.name, "file": f"part-{i:0{width}}-{self.id}.parquet", "rows": part.rows, "bytes": part.bytes}
            for i, part in enumerate(parts)
        ]
        listed = kept + [{key: one[key] for key in ("file", "rows", "bytes")} for one in files]
        manifest = {
            "plan": self.id,
            "rows": sum(one["rows"] for one in listed),
            "bytes": sum(one["bytes"] for one in listed),
            "schema": schema,
            "files": listed,
        }
        return {"id": self.id, "remove": there if self.mode == "overwrite" else [], "files": files, "manifest": manifest}

    def _kept(self, names: Sequence[str], schema: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
        """The files that are there already, which have to have the same columns."""
        path = os.path.join(self.path, "_manifest.json")
        known: Dict[str, Dict[str, Any]] = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                manifest = json.load(file)
            known = {one["file"]: one for one in manifest["files"]}
            if known.keys() & set(names):
                self._check_schema("_manifest.json", manifest["schema"], schema)
        kept = []
        for name in names:
            if name not in known:
                there = os.path.join(self.path, name)
                self._check_schema(name, [column._asdict() for column in read_parquet(there).schema], schema)
                known[name] = {"file": name, "rows": inspect(there)["record_count"], "bytes": os.path.getsize(there)}
            kept.append(known[name])
        return kept

    def _check_schema(self, name: str, there: List[Dict[str, Any]], ours: List[Dict[str, Any]]) -> None:
        def words(columns: List[Dict[str, Any]]) -> List[str]:
            return [f"{column['name']}: {column['type']}" for column in columns]

        for was, now in zip(words(there) + [""] * len(ours), words(ours) + [""] * len(there)):
            if was != now:
                raise DativoError(
                    f"{self.path}: {name} has {was or 'no more columns'}, and what is added has {now or 'no more'}; mode overwrite "
                    "replaces what is there",
                    code="data",
                    path=self.path,
                )


def finish_commit(directory: str) -> bool:
    """Finish a commit that was interrupted: the driver was killed, the disk was full.  The next write to the folder does this, too.

    True: there was one.
    """
    path = local_directory(directory)
    with _locked(path):
        return _finish(path)


def _finish(path: str) -> bool:
    any_there = False
    for name in _names(path, "_staging-"):
        staging = os.path.join(path, name)
        try:
            with open(os.path.join(staging, _DECIDED), encoding="utf-8") as file:
                record = json.load(file)
        except FileNotFoundError:
            continue
        _apply(path, staging, record)
        any_there = True
    return any_there


def _apply(path: str, staging: str, record: Dict[str, Any]) -> None:
    """Each step may have been done before; the last one says that all are."""
    for name in ("_SUCCESS", "_manifest.json", *record["remove"]):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(path, name))
    for one in record["files"]:
        final = os.path.join(path, one["file"])
        try:
            os.rename(os.path.join(staging, one["staged"]), final)
        except FileNotFoundError:
            if not os.path.exists(final) or os.path.getsize(final) != one["bytes"]:
                raise
    _sync(path)
    _write_json(os.path.join(path, "_manifest.json"), record["manifest"])
    _write_json(os.path.join(path, "_SUCCESS"), {"plan": record["id"]})
    _remove(staging)


def _remove(staging: str) -> None:
    """Tasks that nobody waits for may be writing still."""
    for _ in range(10):
        shutil.rmtree(staging, ignore_errors=True)
        if not os.path.exists(staging):
            return
        time.sleep(0.05)
    logging.getLogger("dativo_native").warning("%s is left: no reader sees it, and it can be removed", staging)


def _names(path: str, prefix: str) -> List[str]:
    return sorted(name for name in os.listdir(path) if name.startswith(prefix))


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_json(path: str, value: Any) -> None:
    """Under its name it is complete and on the disk."""
    made = f"{path}.tmp"
    with open(made, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.rename(made, path)
    _sync(os.path.dirname(path))


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """One commit at a time, with the command's ``commit``, too, in a file that whoever has it removes."""
    name = os.path.join(path, "_lock")
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        own = os.fstat(descriptor)
        with contextlib.suppress(FileNotFoundError):
            named = os.stat(name)
            if (own.st_dev, own.st_ino) == (named.st_dev, named.st_ino):
                break
        os.close(descriptor)
    try:
        yield
    finally:
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass
        finally:
            os.close(descriptor)
