# mypy: disable-error-code="import-not-found,no-any-return"
"""Columns of Parquet files as Iceberg has them, and what a table has to become so that it can hold them."""

from __future__ import annotations

import itertools
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import pyarrow as pa
from pyiceberg import types as it

from ._errors import DativoError

Path = Tuple[str, ...]
"""Names from the top down; what is in lists and maps is called element, key and value."""
FIELD_ID = b"PARQUET:field_id"


def shown(path: Path) -> str:
    return ".".join(path)


def refuse(at: Path, why: str, code: str = "unsupported", **more: Any) -> DativoError:
    return DativoError(f'column "{shown(at)}" {why}', code=code, column=shown(at), **more)


class FileColumns:
    """The columns of a file: as a struct of Iceberg, whose numbers mean nothing, and the numbers that the file itself has."""

    def __init__(self, schema: pa.Schema, parquet: Any = None) -> None:
        """``parquet`` is the same as the file has it: of uuid pyarrow shows the bytes alone."""
        self._next = itertools.count(1)
        self._parquet = parquet
        self.field_ids: Dict[Path, Optional[int]] = {}
        self.leaves: List[Tuple[Path, Any]] = []
        """What has values, in the order of the file's columns."""
        self.struct = self._struct(list(schema), ())

    @property
    def has_field_ids(self) -> bool:
        return any(one is not None for one in self.field_ids.values())

    def _number(self, path: Path, field: pa.Field) -> int:
        said = (field.metadata or {}).get(FIELD_ID)
        self.field_ids[path] = None if said is None else int(said)
        return next(self._next)

    def _struct(self, fields: Sequence[pa.Field], above: Path) -> Any:
        seen: Dict[str, str] = {}
        out: List[Any] = []
        for field in fields:
            path = (*above, field.name)
            other = seen.setdefault(field.name.casefold(), field.name)
            if len(seen) <= len(out):
                raise refuse(
                    path,
                    "is there twice" if other == field.name else f'and "{other}" differ in upper and lower case alone, which engines '
                    "over tables of Iceberg do not tell apart; rename one of them",
                    "invalid",
                )
            if not field.name:
                raise refuse(path, "has no name", "invalid")
            number = self._number(path, field)
            out.append(it.NestedField(number, field.name, self._type(field.type, path), required=not field.nullable))
        return it.StructType(*out)

    def _type(self, t: pa.DataType, path: Path) -> Any:
        if pa.types.is_struct(t):
            return self._struct([t.field(i) for i in range(t.num_fields)], path)
        if pa.types.is_map(t):
            key, value = (*path, "key"), (*path, "value")
            key_id, key_type = self._number(key, t.key_field), self._type(t.key_type, key)
            value_id, value_type = self._number(value, t.item_field), self._type(t.item_type, value)
            return it.MapType(key_id, key_type, value_id, value_type, value_required=not t.item_field.nullable)
        if _is_list(t):
            element = (*path, "element")
            number = self._number(element, t.value_field)
            return it.ListType(number, self._type(t.value_type, element), element_required=not t.value_field.nullable)
        leaf = self._leaf(t, path)
        self.leaves.append((path, leaf))
        return leaf

    def _leaf(self, t: pa.DataType, path: Path) -> Any:
        name = getattr(t, "extension_name", "")
        stored = None if self._parquet is None else self._parquet.column(len(self.leaves)).logical_type.type
        if name == "arrow.uuid" or stored == "UUID":
            return it.UUIDType()
        if name == "arrow.json":
            return it.StringType()
        if pa.types.is_dictionary(t):
            return self._leaf(t.value_type, path)
        if pa.types.is_decimal(t) and 0 <= t.scale <= t.precision <= 38:
            return it.DecimalType(t.precision, t.scale)
        if pa.types.is_fixed_size_binary(t):
            return it.FixedType(t.byte_width)
        if pa.types.is_timestamp(t) and t.unit != "ns":
            return it.TimestampType() if t.tz is None else it.TimestamptzType()
        for test, found in _PLAIN:
            if test(t):
                return found
        raise refuse(path, f"is {t}, which tables of Iceberg do not have; {_advice(t)}")


_PLAIN = (
    (pa.types.is_boolean, it.BooleanType()),
    (lambda t: t in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()), it.IntegerType()),
    (pa.types.is_int64, it.LongType()),
    (pa.types.is_float32, it.FloatType()),
    (pa.types.is_float64, it.DoubleType()),
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or t == pa.string_view(), it.StringType()),
    (lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t) or t == pa.binary_view(), it.BinaryType()),
    (pa.types.is_date, it.DateType()),
    (lambda t: t == pa.time64("us"), it.TimeType()),
)


def _is_list(t: pa.DataType) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view, pa.types.is_large_list_view)
    return any(test(t) for test in tests)


def _advice(t: pa.DataType) -> str:
    if t == pa.uint32():
        return "declare it as int64"
    if pa.types.is_uint64(t):
        return 'declare it as int64 or, for values from 9223372036854775808 up, "decimal(20,0)"'
    if pa.types.is_timestamp(t) or pa.types.is_time(t):
        return "declare it in microseconds"
    if pa.types.is_decimal(t):
        return "decimals of Iceberg have 38 digits at most"
    if pa.types.is_null(t):
        return "declare a type for it: it has no value at all"
    return "declare another type for it, such as string"


# ---- what has to change ----------------------------------------------------------------------------------------------


class Changes(NamedTuple):
    """Of a table's columns, so that files fit."""

    added: List[Tuple[Path, Any]]
    widened: List[Tuple[Path, Any]]
    missing: List[Path]
    """Columns of the table that the files lack: null in their rows."""
    need_values: List[Path]
    """Required in the table, optional in the files: no value may be missing."""


def _holds(table: Any, file: Any) -> bool:
    """Does Iceberg read a file's type as a table's?"""
    if table == file or (isinstance(table, it.LongType) and isinstance(file, it.IntegerType)):
        return True
    if isinstance(table, it.DoubleType) and isinstance(file, it.FloatType):
        return True
    both = isinstance(table, it.DecimalType) and isinstance(file, it.DecimalType)
    return both and table.scale == file.scale and table.precision >= file.precision


class _Comparison:
    def __init__(self) -> None:
        self.changes = Changes([], [], [], [])

    def struct(self, table: Any, file: Any, above: Path) -> None:
        fields = {field.name: field for field in table.fields}
        alike = {field.name.casefold(): field.name for field in table.fields}
        for field in file.fields:
            path = (*above, field.name)
            own = fields.pop(field.name, None)
            if own is None:
                other = alike.get(field.name.casefold())
                if other is not None:
                    raise refuse(path, f'is "{other}" in the table: names differ in upper and lower case; rename it', "type")
                self.changes.added.append((path, field.field_type))
                continue
            if own.required and not field.required:
                if above or not own.field_type.is_primitive:
                    raise refuse(path, "is required in the table, and may be null in the files", "type")
                self.changes.need_values.append(path)
            self.type(own.field_type, field.field_type, path)
        for name, own in fields.items():
            path = (*above, name)
            if own.required and getattr(own, "initial_default", None) is None:
                raise refuse(path, "is required in the table, and the files do not have it", "type")
            self.changes.missing.append(path)

    def type(self, table: Any, file: Any, path: Path) -> None:
        for kind, parts in _PARTS:
            if isinstance(table, kind) and isinstance(file, kind):
                for part, required in parts:
                    within = (*path, part)
                    if required and getattr(table, required) and not getattr(file, required):
                        raise refuse(within, "is required in the table, and may be null in the files", "type")
                    self.type(getattr(table, f"{part}_type"), getattr(file, f"{part}_type"), within)
                return
        if isinstance(table, it.StructType) and isinstance(file, it.StructType):
            self.struct(table, file, path)
        elif not table.is_primitive or not file.is_primitive or not (_holds(table, file) or _holds(file, table)):
            raise refuse(
                path, f"is {_word(table)} in the table and {_word(file)} in the files; declare it as the table has it", "type",
                expected=_word(table),
            )
        elif not _holds(table, file):
            if "key" in path:
                raise refuse(path, f"is {table} in the table and {file} in the files, and keys of maps keep their type", "type")
            self.changes.widened.append((path, file))


_PARTS = ((it.ListType, (("element", "element_required"),)), (it.MapType, (("key", None), ("value", "value_required"))))


def _word(t: Any) -> str:
    return str(t) if t.is_primitive else {it.StructType: "a struct", it.ListType: "a list", it.MapType: "a map"}.get(type(t), str(t))


def compare(table: Any, file: Any, ignored: Sequence[str] = ()) -> Changes:
    """
    Of the columns of a table and of a file, as structs; ``ignored`` are columns that files have in their names alone.

    What cannot be is refused here, before anything is changed.
    """
    c = _Comparison()
    for name in ignored:
        if any(field.name.casefold() == name.casefold() for field in file.fields):
            raise refuse((name,), "is a partition of the files, and one of their columns, too; leave it out of one", "invalid")
    c.struct(it.StructType(*(field for field in table.fields if field.name not in ignored)), file, ())
    return c.changes


# ---- numbers ---------------------------------------------------------------------------------------------------------


def walk(struct: Any, above: Path = ()) -> Iterator[Tuple[Path, int, Any]]:
    """Every field with its number and type, a column first, then what is within it."""
    for field in struct.fields:
        yield from _walk(field.field_type, field.field_id, (*above, field.name))


def _walk(t: Any, number: int, path: Path) -> Iterator[Tuple[Path, int, Any]]:
    yield path, number, t
    if isinstance(t, it.StructType):
        yield from walk(t, path)
    elif isinstance(t, it.ListType):
        yield from _walk(t.element_type, t.element_id, (*path, "element"))
    elif isinstance(t, it.MapType):
        yield from _walk(t.key_type, t.key_id, (*path, "key"))
        yield from _walk(t.value_type, t.value_id, (*path, "value"))


def check_numbers(columns: FileColumns, numbers: Dict[Path, int]) -> None:
    """A file that numbers its columns has to do so as the table does."""
    for path, own in columns.field_ids.items():
        if own != numbers[path]:
            number = "no number" if own is None else f"the number {own}"
            raise refuse(
                path, f"has {number} in the file and {numbers[path]} in the table; write the files without field_ids", "type",
                option="field_ids",
            )


def check_mapping(mapping: Any, columns: FileColumns, numbers: Dict[Path, int]) -> None:
    """Of files without numbers a table knows the columns by their names."""
    for path in columns.field_ids:
        fields, found = mapping, None
        for name in path:
            found = next((one for one in fields if name in one.names), None)
            if found is None:
                break
            fields = found.fields
        if found is None or found.field_id != numbers[path]:
            raise refuse(
                path, "is not what the table's property schema.name-mapping.default says of its name; write the files with field_ids",
                "type", option="field_ids",
            )


def check_names_are_new(added: Sequence[Tuple[Path, Any]], schemas: Sequence[Any]) -> None:
    """A name that an earlier column had would show that column's values in files that know their columns by name."""
    for path, _ in added:
        for schema in schemas:
            if any(path == old for old, _, _ in walk(schema.as_struct())):
                raise refuse(
                    path, "is not in the table, and was once: old files would show what they have under that name; rename it, or add "
                    "the column to the table yourself", "type",
                )
