"""Arrays of any nesting, from a number; and tables that have them compared, whatever the way in which their values are stored."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from generated import OURS, alike, as_bits, values_of

INDICES = [pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.int64()]
ENDS = [pa.int16(), pa.int32(), pa.int64()]
TYPES = OURS | {"duration_us": pa.duration("us")}


class Pattern:
    """How often something is null or empty, whether it may be null at all, and how an array begins."""

    def __init__(self, nulls=0.0, empty=0.2, nullable=True, sliced=False, rows=40):
        self.nulls, self.empty, self.nullable, self.sliced, self.rows = nulls, empty, nullable, sliced, rows


PATTERNS = {
    "no_nulls": Pattern(),
    "required": Pattern(nullable=False),
    "some": Pattern(nulls=0.3),
    "all": Pattern(nulls=1.0),
    "empty_lists": Pattern(nulls=0.1, empty=1.0),
    "sliced": Pattern(nulls=0.2, sliced=True),
    "no_rows": Pattern(rows=0),
}


class Maker:
    def __init__(self, number, pattern):
        self.rng, self.p = np.random.default_rng(number), pattern

    def mask(self, n):
        return pa.array(self.rng.random(n) < self.p.nulls)

    def field(self, name, t):
        return pa.field(name, t, self.p.nullable or pa.types.is_null(t))

    def leaf(self, t, n):
        values = values_of(self.rng, t, n + 3).slice(2, n) if not pa.types.is_duration(t) else self.durations(t, n)
        if self.p.nulls == 0 or pa.types.is_null(t):
            return values
        if isinstance(t, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(t, self.holed(values.storage, n))
        return self.holed(values, n)

    def durations(self, t, n):
        return pa.array(self.rng.integers(-(10**12), 10**12, n)).cast(t)

    def holed(self, values, n):
        known = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(values.type, values.type)
        return pc.if_else(self.mask(n), pa.scalar(None, known), values.cast(known)).cast(values.type)

    def lengths(self, n):
        return np.where(self.rng.random(n) < self.p.empty, 0, self.rng.choice([1, 2, 5], n))

    def list(self, of, n, kind=pa.ListArray, make=pa.list_):
        """`of`(n) makes n items.  Null lists have items, too, that nobody may see."""
        lengths = self.lengths(n)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        items = of(int(offsets[-1]))
        width = np.int64 if kind in (pa.LargeListArray, pa.LargeListViewArray) else np.int32
        t = make(self.field("item", items.type))
        if kind in (pa.ListArray, pa.LargeListArray):
            return kind.from_arrays(pa.array(offsets.astype(width)), items, type=t, mask=self.mask(n))
        order = self.rng.permutation(n)  # views may lie anywhere
        starts, sizes = offsets[:-1][order].astype(width), lengths[order].astype(width)
        return kind.from_arrays(pa.array(starts), pa.array(sizes), items, type=t, mask=self.mask(n))

    def fixed_list(self, of, n, width=3):
        items = of(n * width)
        return pa.FixedSizeListArray.from_arrays(items, type=pa.list_(self.field("item", items.type), width), mask=self.mask(n))

    def struct(self, columns, n):
        return pa.StructArray.from_arrays(
            list(columns.values()), fields=[self.field(k, v.type) for k, v in columns.items()], mask=self.mask(n)
        )

    def map(self, of, n):
        lengths = self.lengths(n)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        keys = pa.array(np.arange(offsets[-1]) * 7)
        values = of(int(offsets[-1]))
        t = pa.map_(pa.field("key", keys.type, False), self.field("value", values.type))
        entries = pa.StructArray.from_arrays([keys, values], fields=[t.key_field, t.item_field])
        lists = pa.ListArray.from_arrays(pa.array(offsets), entries, mask=self.mask(n))
        return pa.Array.from_buffers(t, n, lists.buffers()[:2], lists.null_count, 0, [entries])

    def dictionary(self, of, n):
        """Of values that come twice, and nulls."""
        values = of(9)
        indices = pc.if_else(self.mask(n), None, pa.array(self.rng.integers(0, 9, n)))
        return pa.DictionaryArray.from_arrays(indices.cast(INDICES[self.rng.integers(0, len(INDICES))]), values)

    def runs(self, of, n):
        ends = np.unique(np.append(self.rng.integers(1, n + 1, max(n // 3, 0)), n)) if n > 0 else np.array([], int)
        values = of(len(ends))
        t = ENDS[self.rng.integers(0, len(ENDS))]
        return pa.RunEndEncodedArray.from_arrays(pa.array(ends).cast(t), values, type=pa.run_end_encoded(t, values.type))


def shape(make):
    return lambda m, t, n: make(m, lambda k: m.leaf(t, k), n)


SHAPES = {
    "list": shape(lambda m, of, n: m.list(of, n)),
    "large_list": shape(lambda m, of, n: m.list(of, n, pa.LargeListArray, pa.large_list)),
    "list_view": shape(lambda m, of, n: m.list(of, n, pa.ListViewArray, pa.list_view)),
    "large_list_view": shape(lambda m, of, n: m.list(of, n, pa.LargeListViewArray, pa.large_list_view)),
    "fixed_list": shape(lambda m, of, n: m.fixed_list(of, n)),
    "struct": shape(lambda m, of, n: m.struct({"a": of(n), "b": of(n)}, n)),
    "map": shape(lambda m, of, n: m.map(of, n)),
    "list_of_struct_of_list": shape(lambda m, of, n: m.list(lambda k: m.struct({"a": m.list(of, k), "b": of(k)}, k), n)),
    "deep": shape(lambda m, of, n: m.struct({"a": m.list(lambda k: m.map(lambda j: m.fixed_list(of, j, 2), k), n)}, n)),
    "dictionary": shape(lambda m, of, n: m.dictionary(of, n)),
    "runs": shape(lambda m, of, n: m.runs(of, n)),
    "list_of_dictionary": shape(lambda m, of, n: m.list(lambda k: m.dictionary(of, k), n)),
    "dictionary_of_list": shape(lambda m, of, n: m.dictionary(lambda k: m.list(of, k), n)),
    "struct_of_runs": shape(lambda m, of, n: m.struct({"a": m.runs(of, n), "b": m.list(of, n)}, n)),
    "runs_of_struct": shape(lambda m, of, n: m.runs(lambda k: m.struct({"a": of(k)}, k), n)),
}


def table_of(number, shape_name, pattern_name, types=TYPES):
    """A column of the shape for every type."""
    p = PATTERNS[pattern_name]
    columns, fields = [], []
    for i, (name, t) in enumerate(types.items()):
        m = Maker([number, i], p)
        array = SHAPES[shape_name](m, t, p.rows + 7 if p.sliced else p.rows)
        array = array.slice(4, p.rows) if p.sliced else array
        columns.append(array)
        fields.append(pa.field(name, array.type, p.nullable or pa.types.is_null(t)))
    return pa.table(columns, pa.schema(fields))


# ---- comparing -----------------------------------------------------------------------------------------------------------------


def simple(array):
    """Extensions as what they are stored as, and views, for which pyarrow has few functions, as others."""
    if isinstance(array.type, pa.BaseExtensionType):
        return simple(array.storage)
    known = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(array.type)
    return array if known is None else array.cast(known)


def picked(values, at):
    """Rows of an array, None for a null."""
    return rebuilt(values).take(pa.array(at, pa.int64()))


def spans(array):
    """(first item, number of items) of every list, and all items: pyarrow's own list_flatten() spoils views within extensions."""
    t = array.type
    if pa.types.is_map(t):
        offsets = np.asarray(array.offsets)
        return offsets[:-1], np.diff(offsets), pa.StructArray.from_arrays([array.keys, array.items], ["key", "value"])
    if pa.types.is_fixed_size_list(t):
        return (np.arange(len(array)) + array.offset) * t.list_size, np.full(len(array), t.list_size), array.values
    if pa.types.is_list_view(t) or pa.types.is_large_list_view(t):
        return np.asarray(array.offsets), np.asarray(array.sizes), array.values
    offsets = np.asarray(array.offsets)
    return offsets[:-1], np.diff(offsets), array.values


def items(array):
    """(lengths, items) of those lists that are there."""
    starts, lengths, values = spans(array)
    starts, lengths = starts[validity(array)], lengths[validity(array)]
    ranges = [np.arange(start, start + n) for start, n in zip(starts, lengths)]
    return lengths, picked(values, np.concatenate(ranges) if ranges else [])


def rebuilt(array):
    """An array without views and extensions anywhere within, which pyarrow cannot pick from."""
    if len(array) == 0:
        return pa.nulls(0)
    array = plain(array)
    t = array.type
    if pa.types.is_struct(t):
        parts = [rebuilt(array.field(i)) for i in range(t.num_fields)]
        return pa.StructArray.from_arrays(parts, [f.name for f in t], mask=array.is_null())
    if is_list(t) or pa.types.is_map(t):
        lengths, values = items(array)
        offsets = np.zeros(len(array) + 1, np.int32)
        offsets[1:][validity(array)] = lengths
        return pa.ListArray.from_arrays(pa.array(np.cumsum(offsets).astype(np.int32)), values, mask=array.is_null())
    return array


def plain(array):
    """The values of a dictionary or of runs, or what an array is; it has rows."""
    if isinstance(array, pa.ChunkedArray) and array.num_chunks == 1:
        array = array.chunk(0)  # not every type can be combined
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    while True:
        if pa.types.is_dictionary(array.type):
            array = picked(array.dictionary, array.indices.to_pylist())
        elif pa.types.is_run_end_encoded(array.type):
            rows = np.arange(len(array)) + array.offset
            array = picked(array.values, np.searchsorted(array.run_ends.to_numpy(), rows, side="right"))
        else:
            return simple(array)


def is_list(t):
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view, pa.types.is_fixed_size_list)
    return any(kind(t) for kind in kinds)


def validity(array):
    return np.asarray(array.is_valid())


def fields(array):
    """Of those structs that are there."""
    there = np.flatnonzero(validity(array))
    return [picked(array.field(i), there) for i in range(array.type.num_fields)]


def as_uuids(got, due):
    texts = pa.types.is_string(got.type) or pa.types.is_large_string(got.type)
    return alike(got, pa.ExtensionArray.from_storage(pa.uuid(), pa.nulls(0, pa.binary(16)))) if texts and due.type == pa.binary(16) else got


def difference(got, due, path=""):
    """What is wrong with an array, or None."""
    if len(got) != len(due):
        return f"{path}: {len(got)} of them, not {len(due)}"
    if len(due) == 0:
        return None
    got, due = plain(got), plain(due)
    if pa.types.is_null(due.type):
        return None if got.null_count == len(got) else f"{path}: not only nulls"
    if not np.array_equal(validity(got), validity(due)):
        return f"{path}: nulls at {np.flatnonzero(validity(got) != validity(due))[:5]}"
    if is_list(due.type) or pa.types.is_map(due.type):
        (mine, ours), (theirs, others) = items(due), items(got)
        if not np.array_equal(mine, theirs):
            return f"{path}: lists of {theirs[:9]} items, not {mine[:9]}"
        return difference(others, ours, f"{path}[]")
    if pa.types.is_struct(due.type):
        parts = zip(due.type, fields(got), fields(due), strict=True)
        return next((d for f, g, w in parts if (d := difference(g, w, f"{path}.{f.name}"))), None)
    mine, theirs = as_bits(due), as_bits(as_uuids(alike(got, due), due))
    theirs = theirs if theirs.type == mine.type else theirs.cast(mine.type)
    return None if mine.equals(theirs) else f"{path}: {theirs} is not {mine}"


def table_difference(got, due, without=()):
    if got.num_columns != due.num_columns or got.num_rows != due.num_rows:
        return f"{got.num_rows} rows of {got.num_columns} columns, not {due.num_rows} of {due.num_columns}"
    for name in due.column_names:
        if name not in without and (wrong := difference(got[name], due[name], name)) is not None:
            return wrong
    return None
