"""Data sources in Python, as Spark 4 has them."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Mapping, MutableMapping, Optional, Sequence

from pyspark.sql.datasource import (  # type: ignore[import-not-found,unused-ignore]
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    InputPartition,
    WriterCommitMessage,
)
from pyspark.sql.types import StructType  # type: ignore[import-not-found,unused-ignore]

from ._errors import DativoError
from ._folder import Folder, Part
from ._spark_types import parse, reader_keywords, writer_keywords
from ._split import Split
from .spark import Source, batches, check_columns, commit, write_batches


def _paths(options: MutableMapping[str, str], name: str) -> List[str]:
    paths = list(json.loads(options.pop("paths", "[]")))
    path = options.pop("path", None)
    if path is not None:
        paths.append(path)
    if not paths:
        raise DativoError(f"{name}: no path is given: load(path) or save(path)", code="invalid", option="path")
    return paths


class DativoCsv(DataSource):  # type: ignore[misc,unused-ignore]
    """``spark.read.format("dativo_csv")``; options are the keywords of dativo_native.read_csv(), and split_size."""

    @classmethod
    def name(cls) -> str:
        return "dativo_csv"

    def __init__(self, options: Mapping[str, str]) -> None:
        said = dict(options.items())
        self._source: Optional[Source] = None
        self._paths = [one[len("file:") :] if one.startswith("file:/") and "://" not in one else one for one in _paths(said, self.name())]
        self._options = parse(said, reader_keywords(), self.name())

    def schema(self) -> StructType:
        self._source = Source(self._paths, self._options)
        return self._source.schema

    def reader(self, schema: StructType) -> CsvReader:
        return CsvReader(self._source or Source(self._paths, self._options, schema))


class Piece(InputPartition):  # type: ignore[misc,unused-ignore]
    def __init__(self, piece: Split) -> None:
        super().__init__(piece)

    def __repr__(self) -> str:
        return repr(self.value)


class CsvReader(DataSourceReader):  # type: ignore[misc,unused-ignore]
    def __init__(self, source: Source) -> None:
        self._source = source

    def partitions(self) -> Sequence[Piece]:
        return [Piece(piece) for piece in self._source.pieces()]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        return batches(partition.value, self._source.schema)


class DativoParquet(DataSource):  # type: ignore[misc,unused-ignore]
    """``frame.write.format("dativo_parquet")``; options are the keywords of dativo_native.write_parquet()."""

    @classmethod
    def name(cls) -> str:
        return "dativo_parquet"

    def __init__(self, options: Mapping[str, str]) -> None:
        said = dict(options.items())
        paths = _paths(said, self.name())
        if len(paths) > 1:
            raise DativoError(f"{self.name()}: {len(paths)} folders to write to, and one is enough", code="invalid", option="path")
        self._path = paths[0]
        self._options = parse(said, writer_keywords(), self.name())

    def schema(self) -> StructType:
        raise DativoError('dativo_parquet writes: read the folder with spark.read.parquet("...")', code="unsupported")

    def reader(self, schema: StructType) -> DataSourceReader:
        return self.schema()

    def writer(self, schema: StructType, overwrite: bool) -> ParquetWriter:
        check_columns(schema)
        folder = Folder(self._path, "overwrite" if overwrite else "append")
        folder.begin()
        return ParquetWriter(folder, schema, self._options)


class Message(WriterCommitMessage):  # type: ignore[misc,unused-ignore]
    def __init__(self, part: Part) -> None:
        self.part = part


class ParquetWriter(DataSourceArrowWriter):  # type: ignore[misc,unused-ignore]
    def __init__(self, folder: Folder, schema: StructType, options: Dict[str, Any]) -> None:
        self._folder = folder
        self._schema = schema
        self._options = options

    def write(self, iterator: Iterator[Any]) -> Message:
        return Message(write_batches(self._folder, self._options, iterator))

    def commit(self, messages: List[Optional[WriterCommitMessage]]) -> None:
        commit(self._folder, self._schema, self._options, [one.part for one in messages if one is not None])

    def abort(self, messages: List[Optional[WriterCommitMessage]]) -> None:
        self._folder.abort()
