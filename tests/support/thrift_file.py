"""Parquet files taken apart and put together again: Thrift's compact protocol both ways, pages, footers.  For tests that do damage."""

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
