# mypy: disable-error-code="import-not-found,no-any-return"
"""Parquet files as entries of a table of Iceberg: what their footers say of rows, sizes and bounds."""

from __future__ import annotations

import datetime
import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import pyarrow.parquet as pq
from pyiceberg import types as it
from pyiceberg.conversions import to_bytes
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.transforms import IdentityTransform, VoidTransform
from pyiceberg.typedef import Record
from pyiceberg.utils.decimal import unscaled_to_decimal
from pyiceberg.utils.truncate import truncate_upper_bound_binary_string, truncate_upper_bound_text_string

from ._errors import DativoError
from ._iceberg_types import FileColumns, Path, refuse, shown

_BOUND = 16
"""Characters or bytes of a bound, as other writers of Iceberg have them."""
_FLOATS = (it.FloatType, it.DoubleType)
_INTEGRAL = (it.IntegerType, it.LongType, it.DateType, it.TimeType)


class Bounds(NamedTuple):
    """Of a column of a file, in the representation that partitions have; None: nobody knows."""

    size: int
    nulls: Optional[int]
    least: Any
    greatest: Any


class File:
    """A file and its footer, which is read once."""

    def __init__(self, io: Any, uri: str) -> None:
        self.uri = uri
        try:
            source = io.new_input(uri)
            with source.open() as stream:
                self.footer = pq.read_metadata(stream)
            self.size: int = len(source)
        except (FileNotFoundError, PermissionError) as error:
            code = "not_found" if isinstance(error, FileNotFoundError) else "io"
            raise DativoError(f"{uri}: cannot be read: {error}", code=code, path=uri) from error
        except (OSError, ValueError) as error:  # pyarrow's errors are these, too
            raise DativoError(f"{uri}: is no Parquet file that can be read: {error}", code="data", path=uri) from error
        self.rows: int = self.footer.num_rows
        self._is_ours = (self.footer.created_by or "").startswith("dativo-native")
        self.columns = FileColumns(self.footer.schema.to_arrow_schema(), self.footer.schema)

    def _bounds(self, at: int, repeated: bool, file_type: Any, table_type: Any) -> Bounds:
        """``table_type`` holds ``file_type``, so its values are the file's."""
        size, nulls, least, greatest = 0, 0, None, None
        known = not repeated and (self._is_ours or not isinstance(file_type, _FLOATS))  # others do not count their NaN
        for group in range(self.footer.num_row_groups):
            chunk = self.footer.row_group(group).column(at)
            size += chunk.total_compressed_size
            statistics = chunk.statistics
            if statistics is None or not statistics.has_null_count:
                return Bounds(self._size_of(at), None, None, None)
            nulls += statistics.null_count
            if known and statistics.has_min_max:
                low, high = (self._value(at, raw, table_type) for raw in (statistics.min_raw, statistics.max_raw))
                known = low is not None and high is not None
                if known:
                    least = low if least is None else min(least, low)
                    greatest = high if greatest is None else max(greatest, high)
            elif statistics.null_count < chunk.num_values:
                known = False
        return Bounds(size, nulls, least if known else None, greatest if known else None)

    def _size_of(self, at: int) -> int:
        return sum(self.footer.row_group(i).column(at).total_compressed_size for i in range(self.footer.num_row_groups))

    def _value(self, at: int, raw: Any, t: Any) -> Any:
        """None: it has no order in which all readers of Iceberg agree, such as a uuid."""
        if isinstance(t, it.DecimalType):
            unscaled = raw if isinstance(raw, int) else int.from_bytes(raw, "big", signed=True)
            return unscaled_to_decimal(unscaled, t.scale)
        if isinstance(t, it.StringType):
            try:
                return raw.decode("utf-8")
            except UnicodeDecodeError:
                return None
        if isinstance(t, (it.TimestampType, it.TimestamptzType)):
            logical = json.loads(self.footer.schema.column(at).logical_type.to_json())
            factor = {"milliseconds": 1000, "microseconds": 1}.get(logical.get("timeUnit"))
            return None if factor is None else raw * factor
        return raw if isinstance(t, (it.BooleanType, it.BinaryType, it.FixedType, *_FLOATS, *_INTEGRAL)) else None

    def entry(self, metadata: Any, numbers: Dict[Path, int], types: Dict[Path, Any], partition: Mapping[str, Any]) -> Any:
        """The file as the table has it; ``numbers`` and ``types`` are those of the table that it is to be in."""
        columns = self.columns
        sizes: Dict[int, int] = {}
        values: Dict[int, int] = {}
        nulls: Dict[int, int] = {}
        nans: Dict[int, int] = {}
        lower: Dict[int, bytes] = {}
        upper: Dict[int, bytes] = {}
        found: Dict[int, Bounds] = {}
        for at, (path, file_type) in enumerate(columns.leaves):
            number, t = numbers[path], types[path]
            repeated = self.footer.schema.column(at).max_repetition_level > 0
            one = found[number] = self._bounds(at, repeated, file_type, t)
            sizes[number] = one.size
            if repeated or one.nulls is None:
                continue
            values[number], nulls[number] = self.rows, one.nulls
            if one.least is None:
                continue
            if isinstance(t, _FLOATS):
                nans[number] = 0
            low, high = _cut(t, one.least, one.greatest)
            lower[number] = to_bytes(t, low)
            if high is not None:
                upper[number] = to_bytes(t, high)
        return DataFile.from_args(
            _table_format_version=metadata.format_version,
            content=DataFileContent.DATA,
            file_path=self.uri,
            file_format=FileFormat.PARQUET,
            partition=self._partition(metadata, found, partition),
            record_count=self.rows,
            file_size_in_bytes=self.size,
            column_sizes=sizes,
            value_counts=values,
            null_value_counts=nulls,
            nan_value_counts=nans,
            lower_bounds=lower,
            upper_bounds=upper,
            split_offsets=self._offsets(),
            sort_order_id=None,
            spec_id=metadata.default_spec_id,
            equality_ids=None,
            key_metadata=None,
        )

    def _offsets(self) -> List[int]:
        out = []
        for group in range(self.footer.num_row_groups):
            chunk = self.footer.row_group(group).column(0)
            out.append(chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset)
        return sorted(out)

    def null_count(self, path: Path) -> Optional[int]:
        leaves = self.columns.leaves
        at = next(i for i, (one, _) in enumerate(leaves) if one == path)
        t = leaves[at][1]
        return self._bounds(at, False, t, t).nulls

    # ---- partitions ----

    def _partition(self, metadata: Any, found: Dict[int, Bounds], said: Mapping[str, Any]) -> Any:
        schema = metadata.schema()
        out: List[Any] = []
        for field in metadata.spec().fields:
            source = schema.find_field(field.source_id)
            name = schema.find_column_name(field.source_id)
            if isinstance(field.transform, VoidTransform):
                out.append(None)
            elif name in said:
                if not isinstance(field.transform, IdentityTransform):
                    raise DativoError(f'the table is partitioned by {field.transform} of "{name}", not by its values', code="invalid",
                                      column=name, option="partition")  # fmt: skip
                out.append(partition_value(source.field_type, said[name], name))
            else:
                out.append(self._partition_found(field, source.field_type, name, found.get(field.source_id)))
        return Record(*out)

    def _partition_found(self, field: Any, t: Any, name: str, one: Optional[Bounds]) -> Any:
        """What all of a file's rows have in common, as its bounds show it."""
        if one is None or one.nulls == self.rows:
            return None
        transform = field.transform.transform(t)
        if one.nulls == 0 and one.least is not None and (one.least == one.greatest or field.transform.preserves_order):
            low, high = transform(one.least), transform(one.greatest)
            if low == high:
                return low
        values = "unknown values" if one.least is None else f"values from {one.least} to {one.greatest}"
        nulls = "" if one.nulls == 0 else f" and {'an unknown number of' if one.nulls is None else one.nulls} nulls"
        raise refuse(
            (name,), f"has {values}{nulls} in {self.uri}, which are several partitions of the table ({field.transform} of it): "
            "write a file for each of them", "invalid", path=self.uri,
        )  # fmt: skip


def _cut(t: Any, least: Any, greatest: Any) -> Any:
    if isinstance(t, it.StringType):
        return least[:_BOUND], truncate_upper_bound_text_string(greatest, _BOUND)
    if isinstance(t, it.BinaryType):
        return least[:_BOUND], truncate_upper_bound_binary_string(greatest, _BOUND)
    return least, greatest


def partition_value(t: Any, value: Any, name: str) -> Any:
    """A value that a caller gives, as partitions have it."""
    if value is None:
        return None
    try:
        if isinstance(t, it.DateType) and not isinstance(value, datetime.datetime):
            day = value if isinstance(value, datetime.date) else datetime.date.fromisoformat(value)
            return (day - datetime.date(1970, 1, 1)).days
        if isinstance(t, it.StringType) and isinstance(value, str):
            return value
        if isinstance(t, it.BooleanType) and isinstance(value, bool):
            return value
        bits = 31 if isinstance(t, it.IntegerType) else 63 if isinstance(t, it.LongType) else 0
        if bits and isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits:
            return value
    except (TypeError, ValueError):
        pass
    raise DativoError(f'partition: {value!r} is no {t}, the type of column "{name}"', code="invalid", column=name, value=str(value),
                      expected=str(t), option="partition")  # fmt: skip


def check_values(files: Sequence[File], paths: Sequence[Path]) -> None:
    """That no value is missing in columns which the table requires."""
    for file in files:
        for path in paths:
            nulls = file.null_count(path)
            if nulls != 0:
                count = "an unknown number of nulls" if nulls is None else f"{nulls} null{'' if nulls == 1 else 's'}"
                raise DativoError(f'{file.uri}: column "{shown(path)}" is required in the table and has {count}', code="type",
                                  path=file.uri, column=shown(path))  # fmt: skip
