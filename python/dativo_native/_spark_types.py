"""Types of Spark, of Arrow, and of this package; options of Spark, which are texts."""

from __future__ import annotations

import difflib
import inspect
import json
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import pyarrow as pa  # type: ignore[import-not-found,import-untyped,unused-ignore]
from pyspark.sql import types as st  # type: ignore[import-not-found,unused-ignore]

from ._errors import DativoError
from ._reader import Column, read_csv
from ._write import write_parquet

_TIME = getattr(st, "TimeType", None)  # of Spark 4.1
_PAIRS = [
    (st.BooleanType, pa.bool_(), "bool"),
    (st.ByteType, pa.int8(), "int8"),
    (st.ShortType, pa.int16(), "int16"),
    (st.IntegerType, pa.int32(), "int32"),
    (st.LongType, pa.int64(), "int64"),
    (st.FloatType, pa.float32(), "float32"),
    (st.DoubleType, pa.float64(), "float64"),
    (st.StringType, pa.string(), "string"),
    (st.BinaryType, pa.binary(), "binary"),
    (st.DateType, pa.date32(), "date"),
    (st.TimestampType, pa.timestamp("us", "UTC"), "timestamp[us, UTC]"),
    (st.DayTimeIntervalType, pa.duration("us"), "duration[us]"),
]
if hasattr(st, "TimestampNTZType"):  # of Spark 3.4
    _PAIRS.append((st.TimestampNTZType, pa.timestamp("us"), "timestamp[us]"))
if _TIME is not None:
    _PAIRS.append((_TIME, pa.time64("ns"), "time[us]"))


def arrow_type(of: Any) -> Any:
    """What Spark has a column of this type as, in Arrow."""
    if isinstance(of, st.DecimalType):
        return pa.decimal128(of.precision, of.scale)
    if isinstance(of, st.ArrayType):
        return pa.list_(pa.field("element", arrow_type(of.elementType), nullable=of.containsNull))
    if isinstance(of, st.MapType):
        return pa.map_(arrow_type(of.keyType), pa.field("value", arrow_type(of.valueType), nullable=of.valueContainsNull))
    if isinstance(of, st.StructType):
        return pa.struct([pa.field(one.name, arrow_type(one.dataType), nullable=one.nullable) for one in of.fields])
    if isinstance(of, st.NullType):
        return pa.null()
    for spark, arrow, _ in _PAIRS:
        if isinstance(of, spark):
            return arrow
    raise DativoError(f"columns of {of.simpleString()} are not written", code="unsupported")


def arrow_schema(of: Any) -> Any:
    return pa.schema([pa.field(one.name, arrow_type(one.dataType), nullable=one.nullable) for one in of.fields])


def _wide_enough(of: Any) -> Optional[Any]:
    """The type of Spark that has every value of a type of Arrow; None: there is none."""
    is_type = pa.types
    if is_type.is_decimal(of):
        return st.DecimalType(of.precision, of.scale) if 0 <= of.scale <= of.precision <= 38 else None
    if is_type.is_uint64(of):
        return st.DecimalType(20, 0)
    for is_it, wider in (
        (is_type.is_uint8, pa.int16()),
        (is_type.is_uint16, pa.int32()),
        (is_type.is_uint32, pa.int64()),
        (is_type.is_float16, pa.float32()),
        (is_type.is_fixed_size_binary, pa.binary()),
    ):
        of = wider if is_it(of) else of
    if is_type.is_timestamp(of) and of.unit != "ns":
        of = pa.timestamp("us", "UTC" if of.tz is not None else None)
    if is_type.is_duration(of) and of.unit != "ns":
        of = pa.duration("us")
    if is_type.is_time(of):
        return _TIME(6) if _TIME is not None and of.unit != "ns" else None
    for spark, arrow, _ in _PAIRS:
        if arrow == of:
            return spark()
    return None


def spark_schema(schema: Any, columns: Sequence[Column]) -> Any:
    """Of a source.  Texts of it that Spark has no type for can be had as texts."""
    fields = []
    for field, column in zip(schema, columns):
        of = _wide_enough(field.type)
        if of is None:
            finest = " or as timestamp[us], if no value has more digits" if pa.types.is_timestamp(field.type) else ""
            raise DativoError(
                f'column "{column.name}" is of type {column.type}, which Spark does not have: read it as a text with '
                f'types={{"{column.name}": "string"}}{finest}',
                code="unsupported",
                column=column.name,
                option="types",
            )
        fields.append(st.StructField(column.name, of, True))
    return st.StructType(fields)


def declared(schema: Any, columns: Optional[Sequence[str]], types: Mapping[str, str]) -> Dict[str, Any]:
    """The options of read_csv() that a schema of Spark's stands for."""
    if columns is not None or types:
        raise DativoError(
            f"a schema was given, which says the columns and their types: leave the option {'types' if types else 'columns'} out",
            code="invalid",
            option="types" if types else "columns",
        )
    said = {}
    for field in schema.fields:
        word = None
        if isinstance(field.dataType, st.DecimalType):
            word = f"decimal({field.dataType.precision}, {field.dataType.scale})"
        for spark, _, name in _PAIRS:
            if isinstance(field.dataType, spark):
                word = name
        if word is None:
            raise DativoError(
                f'column "{field.name}" is {field.dataType.simpleString()} in the schema, which no text of CSV is', code="unsupported",
                column=field.name,
            )
        said[field.name] = word
    return {"columns": list(said), "types": said}


def for_spark(batch: Any, schema: Any) -> Any:
    """A batch of exactly these types; a value that one of them does not have is an error."""
    if batch.schema.equals(schema):
        return batch
    return pa.RecordBatch.from_arrays([column.cast(field.type) for column, field in zip(batch.columns, schema)], schema=schema)


# ---- options ----------------------------------------------------------------------------------------------------------

_NUMBERS = {"skip_rows", "skip_after_header", "skip_footer", "limit", "max_row_size", "chunk_size", "block_bytes", "threads",
            "compression_level", "row_group_size", "row_group_bytes", "page_rows", "page_size"}
_YES_NO = {"quoted_nulls", "trim", "strict", "missing_as_null", "union_by_name", "hive_partitioning", "advice", "verify"}
_TEXTS = {"delimiter", "quote", "escape", "comment", "names", "infer", "decimals", "quoted", "decimal", "thousands", "encoding",
          "on_invalid", "ragged", "file_name", "row_number", "memory", "compression", "arrow_schema", "intervals", "split_size"}
_NOT_HERE = {
    "rejects": "rows are set aside over a whole source, which no task sees",
    "max_rejects": "rows are set aside over a whole source, which no task sees",
    "strings": "Spark has one layout of texts",
    "progress": "Spark shows its own",
    "__partition_columns": "partitionBy() makes folders, which this version does not write",
    "__clustering_columns": "clusterBy() is not for folders of files",
}
_SPARKS = {
    "sep": "delimiter", "inferschema": "infer", "nullvalue": "null_values", "emptyvalue": "quoted_nulls", "charset": "encoding",
    "dateformat": "date_format", "timestampformat": "timestamp_format", "ignoreleadingwhitespace": "trim",
    "ignoretrailingwhitespace": "trim", "maxpartitionbytes": "split_size", "basepath": "hive_partitioning",
}
_WRITER_NOT_HERE = {"overwrite", "connection", "content_type", "metadata", "tags", "storage_class", "encryption", "kms_key_id"}


def _known(function: Callable[..., Any], first: Sequence[str], without: Sequence[str] = ()) -> List[str]:
    names = [name for name in inspect.signature(function).parameters if name not in first]
    return [name for name in names if name not in _NOT_HERE and name not in without]


def reader_keywords() -> List[str]:
    return [*_known(read_csv, ["source"]), "split_size"]


def writer_keywords() -> List[str]:
    return _known(write_parquet, ["data", "path"], sorted(_WRITER_NOT_HERE))


def check_keywords(names: Sequence[str], known: Sequence[str], what: str) -> None:
    """Every option that means nothing, by its name, with the one that was meant."""
    wrong = []
    for name in names:
        if name in _NOT_HERE:
            raise DativoError(f"{what} has no option {name!r}: {_NOT_HERE[name]}", code="unsupported", option=name)
        if name not in known:
            meant = [_SPARKS[name.lower()]] if _SPARKS.get(name.lower()) in known else difflib.get_close_matches(name, known, 1)
            if name.lower() == "multiline":
                meant = ["no option at all: quoted line ends are always read"]
            wrong.append(f"{name!r}" + (f" (did you mean {meant[0]}?)" if meant else ""))
    if wrong:
        raise DativoError(
            f"{what} has no option {', '.join(wrong)}; known are {', '.join(known)}", code="invalid", option=names[0] if len(names) == 1 else None
        )


def parse(options: Mapping[str, str], known: Sequence[str], what: str) -> Dict[str, Any]:
    """Texts of Spark's options, as the keywords have them: lists and maps are JSON."""
    check_keywords([name for name in options], known, what)
    return {name: _value(name, text) for name, text in options.items()}


def _value(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    lower = text.strip().lower()
    if name in _NUMBERS or (name == "header" and lower.isdigit()):
        if lower.lstrip("+-").isdigit():
            return int(lower)
        raise DativoError(f"{name} is a number, not {text!r}", code="invalid", option=name, value=text)
    if name in _YES_NO or (name == "header" and lower in ("true", "false")):
        if lower in ("true", "false"):
            return lower == "true"
        raise DativoError(f"{name} is true or false, not {text!r}", code="invalid", option=name, value=text)
    if lower[:1] in ("[", "{") or name == "header":
        try:
            return json.loads(text)
        except ValueError as error:
            raise DativoError(f"{name} is no JSON: {error}", code="invalid", option=name, value=text) from None
    if name in ("types", "widened", "rename", "connection"):
        raise DativoError(f'{name} is a map in JSON, like {{"column": "..."}}, not {text!r}', code="invalid", option=name, value=text)
    return [text] if name in ("columns", "exclude", "required") else text
