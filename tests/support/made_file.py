"""Parquet files of one column made by hand, for what no writer at hand writes: values, types, pages, and all around them."""

import struct as packing

from thrift_file import BINARY, DOUBLE, FALSE, I8, I16, I32, I64, LIST, STRUCT, TRUE, Field, Page, write_struct
BOOL, INT, LONG, INT96, FLOAT, DOUBLES, TEXT, FIXED = range(8)
FLOAT16, UNKNOWN, UUID = 15, 11, 14


def struct(**fields):
    """Fields by kind and id: i32_1=5, binary_3=b"x", list_2=(I64, [1]), struct_4={}, true_5=True, double_1=0.5; None leaves one out."""
    kinds = {"i8": I8, "i16": I16, "i32": I32, "i64": I64, "double": DOUBLE, "binary": BINARY, "list": LIST, "struct": STRUCT, "true": TRUE}
    named = {int(number): Field(kinds[kind], value) for (kind, number), value in
             ((name.split("_"), value) for name, value in fields.items()) if value is not None}
    return dict(sorted(named.items()))


def data_page(n, body, *, encoding=0, defs=3, reps=3, statistics=None, packed=None):
    """Of version 1; `packed`: the body as it stands in the file."""
    inner = struct(i32_1=n, i32_2=encoding, i32_3=defs, i32_4=reps, struct_5=statistics)
    packed = body if packed is None else packed
    return Page(struct(i32_1=0, i32_2=len(body), i32_3=len(packed), struct_5=inner), packed)


def data_page_v2(n, values, *, nulls=0, rows=None, reps=b"", defs=b"", encoding=0, packed=None, statistics=None, is_packed=False):
    inner = struct(i32_1=n, i32_2=nulls, i32_3=n if rows is None else rows, i32_4=encoding, i32_5=len(defs), i32_6=len(reps),
                   true_7=is_packed, struct_8=statistics)
    body = reps + defs + (values if packed is None else packed)
    return Page(struct(i32_1=3, i32_2=len(reps + defs + values), i32_3=len(body), struct_8=inner), body)


def dictionary_page(n, body, *, encoding=0, is_sorted=None, packed=None):
    packed = body if packed is None else packed
    return Page(struct(i32_1=2, i32_2=len(body), i32_3=len(packed), struct_7=struct(i32_1=n, i32_2=encoding, true_3=is_sorted)), packed)


def changed(fields, changes):
    """Other fields, or (None) without them."""
    return {number: field for number, field in sorted({**fields, **(changes or {})}.items()) if field is not None}


def element(**fields):
    return struct(**{"i32_3": 0, "binary_4": b"x"} | fields)


def made(pages, *, leaf=None, above=(), rows=None, codec=0, meta=None, chunk=None, group=None, footer=None,
         orders=({1: Field(STRUCT, {})},), offsets=None, columns=None, bloom=None, gap=b"", before=()):
    """The bytes of a file of one column.  All is as it should be, but for what is asked: `leaf` is its element, `above` those of the
    groups around it; `meta`, `chunk`, `group` and `footer` change fields.  `offsets` and `columns` are indexes (of the places of the
    pages), `bloom` bytes; `gap` lies behind the pages; `before` are row groups in front of the one that has them."""
    leaf = leaf or element(i32_1=1)
    data, places, plain = bytearray(b"PAR1"), [], 0
    for page in pages:
        places.append(len(data))
        data += page.bytes()
        plain += len(data) - places[-1] - len(page.body) + page.header[2].value
    packed = len(data) - 4
    data += gap
    of_data = [place for place, page in zip(places, pages) if page.header[1].value in (0, 3)]
    n = sum(page.inner[1].value for page in pages if page.header[1].value in (0, 3))
    rows = n if rows is None else rows
    encodings = {page.inner[4 if page.header[1].value == 3 else 2].value for page in pages if page.header[1].value in (0, 2, 3)}
    extra = {}
    for ids, index in (((4, 5), offsets), ((6, 7), columns)):
        if index is not None:
            index = write_struct(index(places) if callable(index) else index)
            extra |= {ids[0]: Field(I64, len(data)), ids[1]: Field(I32, len(index))}
            data += index
    fields = struct(i32_1=leaf[1].value, list_2=(I32, sorted(encodings | {3})), list_3=(BINARY, [e[4].value for e in [*above, leaf]]),
                    i32_4=codec, i64_5=n, i64_6=plain, i64_7=packed, i64_9=of_data[0] if of_data else 4,
                    i64_11=places[0] if pages and pages[0].header[1].value == 2 else None,
                    i64_14=None if bloom is None else len(data), i32_15=None if bloom is None else len(bloom))
    data += bloom or b""
    one = changed(struct(i64_2=0, struct_3=changed(fields, meta)), extra | (chunk or {}))
    group = changed(struct(list_1=(STRUCT, [one]), i64_2=plain, i64_3=rows), group)
    schema = [struct(binary_4=b"schema", i32_5=1), *above, leaf]
    file = struct(i32_1=2, list_2=(STRUCT, schema), i64_3=rows, list_4=(STRUCT, [*before, group]), list_7=(STRUCT, list(orders)))
    tail = write_struct(changed(file, footer))
    return bytes(data + tail + len(tail).to_bytes(4, "little") + b"PAR1")


def made_tree(schema, columns, rows):
    """A file of several leaves in one row group: `schema` are the elements below the root; `columns` the path of each leaf and its pages."""
    left, roots = 0, 0
    for one in schema:
        roots += left == 0
        left += (one[5].value if 5 in one else 0) - (left > 0)
    leaves = [one for one in schema if 5 not in one]
    data, chunks = bytearray(b"PAR1"), []
    for one, (path, pages) in zip(leaves, columns, strict=True):
        start = len(data)
        data += b"".join(page.bytes() for page in pages)
        n = sum(page.inner[1].value for page in pages)
        fields = struct(i32_1=one[1].value, list_2=(I32, [0, 3]), list_3=(BINARY, [name.encode() for name in path.split(".")]), i32_4=0,
                        i64_5=n, i64_6=len(data) - start, i64_7=len(data) - start, i64_9=start)
        chunks.append(struct(i64_2=0, struct_3=fields))
    group = struct(list_1=(STRUCT, chunks), i64_2=len(data) - 4, i64_3=rows)
    file = struct(i32_1=2, list_2=(STRUCT, [struct(binary_4=b"schema", i32_5=roots), *schema]), i64_3=rows, list_4=(STRUCT, [group]),
                  list_7=(STRUCT, [{1: Field(STRUCT, {})}] * len(leaves)))
    tail = write_struct(file)
    return bytes(data + tail + len(tail).to_bytes(4, "little") + b"PAR1")


# ---- values, and elements of the schema ----------------------------------------------------------------------------

def ints(*values):
    return packing.pack(f"<{len(values)}i", *values)


def longs(*values):
    return packing.pack(f"<{len(values)}q", *values)


def doubles(*values):
    return packing.pack(f"<{len(values)}d", *values)


def floats(*values):
    return packing.pack(f"<{len(values)}f", *values)


def halves(*values):
    return packing.pack(f"<{len(values)}e", *values)


def texts(*values):
    return b"".join(len(v).to_bytes(4, "little") + v for v in values)


def int96(*values):
    return b"".join(packing.pack("<qi", nanos, day) for day, nanos in values)


def leaf(kind, logical=None, inner=None, *, length=None, converted=None, **more):
    """An element; the logical type by number, with what stands in its struct."""
    return element(i32_1=kind, i32_2=length, i32_6=converted,
                   struct_10=None if logical is None else {logical: Field(STRUCT, inner or {})}, **more)


def decimal(kind, precision, scale=0, *, length=None, converted=5, said=True):
    return leaf(kind, 5, struct(i32_1=scale, i32_2=precision), length=length, converted=converted,
                i32_7=scale if said else None, i32_8=precision if said else None)


def integer(kind, width, signed, **more):
    return leaf(kind, 10, {1: Field(3, width), 2: Field(TRUE if signed else FALSE, signed)}, **more)


def time(kind, logical, unit, utc, **more):
    return leaf(kind, logical, {1: Field(TRUE if utc else FALSE, utc), 2: Field(STRUCT, {unit: Field(STRUCT, {})})}, **more)


def bounds(least, greatest, **more):
    return struct(binary_5=greatest, binary_6=least, **more)


def said(statistics):
    """`meta` with these statistics."""
    return {12: Field(STRUCT, statistics)}


def levels(*values):
    """Levels as runs of one each, behind their length."""
    runs = b"".join(bytes([2, v]) for v in values)
    return len(runs).to_bytes(4, "little") + runs


def runs(*values):
    return levels(*values)[4:]


def group_of(name, repetition, **more):
    return struct(i32_3=repetition, binary_4=name, i32_5=1, **more)


def order(number):
    return ({number: Field(STRUCT, {})},)


FLOAT16, UNKNOWN, UUID = 15, 11, 14
