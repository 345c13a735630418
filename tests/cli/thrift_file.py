"""Parquet files taken apart and put together again, or made by hand: Thrift's compact protocol both ways, pages, footers.

For tests that do damage, and for what no writer at hand writes.
"""

import struct as packing
import zlib

TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12


class Field:
    """A value and its type on the wire.  Of lists the value is (type of the entries, entries); structs are dicts of fields by id, or
    their bytes."""

    def __init__(self, kind, value):
        self.kind, self.value = kind, value


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def read_value(data, at, kind, in_list=False):
    if kind in (TRUE, FALSE):
        return (data[at] == 1, at + 1) if in_list else (kind == TRUE, at)
    if kind == I8:
        return packing.unpack_from("b", data, at)[0], at + 1
    if kind in (I16, I32, I64):
        raw, at = read_varint(data, at)
        return raw >> 1 ^ -(raw & 1), at
    if kind == DOUBLE:
        return packing.unpack_from("<d", data, at)[0], at + 8
    if kind == BINARY:
        length, at = read_varint(data, at)
        return bytes(data[at : at + length]), at + length
    if kind == STRUCT:
        return read_struct(data, at)
    assert kind == LIST, kind
    n, kind = data[at] >> 4, data[at] & 15
    at += 1
    if n == 15:
        n, at = read_varint(data, at)
    entries = []
    for _ in range(n):
        entry, at = read_value(data, at, kind, True)
        entries.append(entry)
    return (kind, entries), at


def read_struct(data, at=0):
    fields, last = {}, 0
    while data[at] & 15:
        kind, delta = data[at] & 15, data[at] >> 4
        at += 1
        if delta == 0:
            raw, at = read_varint(data, at)
            last = raw >> 1 ^ -(raw & 1)
        else:
            last += delta
        value, at = read_value(data, at, kind)
        fields[last] = Field(kind, value)
    return fields, at + 1


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def write_value(kind, value, in_list=False):
    if kind in (TRUE, FALSE):
        return bytes([1 if value else 2]) if in_list else b""
    if kind == I8:
        return packing.pack("b", value)
    if kind in (I16, I32, I64):
        return varint(value * 2 if value >= 0 else -value * 2 - 1)
    if kind == DOUBLE:
        return packing.pack("<d", value)
    if kind == BINARY:
        return varint(len(value)) + value
    if kind == STRUCT:
        return write_struct(value)
    entry, entries = value
    head = bytes([len(entries) << 4 | entry]) if len(entries) < 15 else bytes([240 | entry]) + varint(len(entries))
    return head + b"".join(write_value(entry, e, True) for e in entries)


def write_struct(fields):
    if isinstance(fields, bytes):
        return fields
    out, last = bytearray(), 0
    for number, field in sorted(fields.items()):
        kind = (TRUE if field.value else FALSE) if field.kind in (TRUE, FALSE) else field.kind
        delta = number - last
        out += bytes([delta << 4 | kind]) if 0 < delta < 16 else bytes([kind]) + write_value(I32, number)
        out += write_value(kind, field.value)
        last = number
    return bytes(out) + b"\0"


class Page:
    def __init__(self, header, body):
        self.header, self.body = header, body

    @property
    def inner(self):
        """DataPageHeader, DictionaryPageHeader or DataPageHeaderV2."""
        return next(self.header[i].value for i in (5, 7, 8) if i in self.header)

    def resize(self, body):
        """Another body, of an uncompressed page, with all that the header says of it."""
        self.body = body
        self.header[2].value = self.header[3].value = len(body)
        if 4 in self.header:
            self.sum()

    def sum(self):
        crc = zlib.crc32(self.body)
        self.header[4] = Field(I32, crc - (1 << 32) if crc >= 1 << 31 else crc)

    def bytes(self):
        return write_struct(self.header) + self.body


class File:
    def __init__(self, path):
        data = path.read_bytes()
        at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        self.data = bytearray(data[:at])
        self.footer, end = read_struct(data, at)
        assert end == len(data) - 8

    def element(self, i):
        return self.footer[2].value[1][i]

    def group(self, i=0):
        return self.footer[4].value[1][i]

    def chunk(self, column, group=0):
        return self.group(group)[1].value[1][column]

    def meta(self, column, group=0):
        return self.chunk(column, group)[3].value

    def statistics(self, column):
        return self.meta(column)[12].value

    def pages(self, column):
        meta = self.meta(column)
        at = min(meta[i].value for i in (9, 11) if i in meta)
        end, pages = at + meta[7].value, []
        while at < end:
            header, body = read_struct(self.data, at)
            at = body + header[3].value
            pages.append(Page(header, bytes(self.data[body:at])))
        assert at == end
        return pages

    def set_pages(self, column, pages):
        """At the end of the file, with all that the footer says of their places and sizes.  The old ones belong to nothing then."""
        meta, at = self.meta(column), len(self.data)
        data = [page.bytes() for page in pages]
        grown = sum(len(d) - len(p.body) + p.header[2].value for d, p in zip(data, pages)) - meta[6].value
        self.group()[2].value += grown
        if 6 in self.group():
            self.group()[6].value += sum(map(len, data)) - meta[7].value
        meta[6].value += grown
        meta[7].value = sum(map(len, data))
        meta[9].value = at
        if 11 in meta:
            meta[11].value = at
            meta[9].value = at + len(data[0])
        self.data += b"".join(data)

    def index(self, column, which):
        """which: 4 the offset index, 6 the column index."""
        at = self.chunk(column)[which].value
        return read_struct(self.data, at)[0]

    def set_index(self, column, which, index):
        chunk, data = self.chunk(column), write_struct(index)
        chunk[which].value, chunk[which + 1].value = len(self.data), len(data)
        self.data += data

    def write(self, path):
        footer = write_struct(self.footer)
        path.write_bytes(self.data + footer + len(footer).to_bytes(4, "little") + b"PAR1")


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
         orders=({1: Field(STRUCT, {})},), offsets=None, columns=None, bloom=None, gap=b""):
    """The bytes of a file of one column.  All is as it should be, but for what is asked: `leaf` is its element, `above` those of the
    groups around it; `meta`, `chunk`, `group` and `footer` change fields.  `offsets` and `columns` are indexes (of the places of the
    pages), `bloom` bytes; `gap` lies behind the pages."""
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
    file = struct(i32_1=2, list_2=(STRUCT, schema), i64_3=rows, list_4=(STRUCT, [group]), list_7=(STRUCT, list(orders)))
    tail = write_struct(changed(file, footer))
    return bytes(data + tail + len(tail).to_bytes(4, "little") + b"PAR1")
