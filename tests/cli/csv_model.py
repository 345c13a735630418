"""What docs/csv-reading.md says of rows and declared types, byte by byte: slow, plain, and nobody's translation of the C code."""

import dataclasses
import datetime
import decimal
import math
import re

INT = re.compile(r"[+-]?[0-9]+")
FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
BITS = {"int8": 8, "int32": 32, "int64": 64}


class Wrong(Exception):
    """The first error: its file, and its byte in it, or None, or another one that says as much."""

    def __init__(self, file, byte, code, or_byte=None):
        super().__init__(f"{file} {byte} {code}")
        self.file, self.byte, self.code = file, byte, code
        self.or_byte = byte if or_byte is None else or_byte


@dataclasses.dataclass
class Options:
    delimiter: bytes = b","
    quote: bytes = b'"'
    escape: bytes = b""
    comment: bytes = b""
    trim: bool = False
    strict: bool = False
    skip_rows: int = 0
    skip_after_header: int = 0
    skip_footer: int = 0
    header: object = True  # True, a number, False, or a list
    nulls: tuple = ()
    quoted_nulls: bool = False
    types: dict = dataclasses.field(default_factory=dict)
    required: tuple = ()
    columns: object = None
    limit: object = None
    max_rejects: object = 0  # a number, or "50%"
    ragged: object = None
    union: bool = False


@dataclasses.dataclass
class Row:
    start: int
    end: int = 0  # of its row-end byte, or of the file
    fields: list = dataclasses.field(default_factory=list)  # (start, end)
    stray: object = None
    irregular: object = None


def line_end(text, at):
    end = text.find(b"\n", at)
    return len(text) if end < 0 else end


def row_at(text, at, o):
    """The row that begins at `at`: the automaton of the docs.  Its end is the position of its row end."""
    row, state, start, n = Row(at), "start", at, len(text)
    opened, held, begin = None, False, at
    while True:
        ends_row = at >= n or (text[at:at + 1] == b"\n" and state != "quoted")
        if state == "quoted" and at >= n:
            raise Wrong(None, opened, "open")
        if ends_row:
            end = at - 1 if at > start and text[at - 1:at] == b"\r" and not escaped(text, start, at - 1, o) else at
            row.fields.append((start, end))
            row.end = at
            return row
        byte = text[at:at + 1]
        if o.escape and byte == o.escape:
            if state == "closed":
                row.stray = row.stray if row.stray is not None else at
                note_irregular(row, text, begin, at, held, o)
            state = "quoted" if state == "quoted" else "plain"
            held |= state == "quoted" and text[at + 1:at + 2] == b"\n"
            at += 2 if at + 1 < n else 1
        elif o.quote and byte == o.quote:
            if state in ("start", "field"):
                state, opened, held = "quoted", at, False
            elif state == "closed":
                state = "quoted"
            elif state == "quoted":
                state = "closed"
            else:
                row.stray = row.stray if row.stray is not None else at
            at += 1
        elif state == "quoted":
            held |= byte == b"\n"
            at += 1
        elif text.startswith(o.delimiter, at):
            row.fields.append((start, at))
            at += len(o.delimiter)
            start, begin, state = at, at, "field"
        elif o.trim and byte in (b" ", b"\t") and state in ("start", "field"):
            state = "field"
            at += 1
        else:
            if state == "closed":
                rest = at
                while o.trim and text[rest:rest + 1] in (b" ", b"\t") and not text.startswith(o.delimiter, rest) and rest < n:
                    rest += 1
                ends = rest >= n or text[rest:rest + 1] == b"\n" or text.startswith(o.delimiter, rest) or text[rest:rest + 2] in (b"\r\n", b"\r") \
                    and (rest + 1 >= n or text[rest + 1:rest + 2] == b"\n")
                if ends and (rest > at or byte == b"\r"):
                    at = max(rest, at + 1) if rest > at else at + 1
                    continue
                row.stray = row.stray if row.stray is not None else at
                note_irregular(row, text, begin, at, held, o)
            state = "plain"
            at += 1


def note_irregular(row, text, begin, at, held, o):
    if row.irregular is None and (held or (o.escape != b"\\" and at - begin > 2 and text[at - 2:at - 1] == b"\\")):
        row.irregular = begin


def escaped(text, start, at, o):
    n = 0
    while o.escape and at - n > start and text[at - n - 1:at - n] == o.escape:
        n += 1
    return n % 2 == 1


def value_of(text, o):
    """(the value's bytes, whether it is quoted, whether it may be a number or a null text, the field as it is written)."""
    if o.trim:
        text = text.lstrip(b" \t")
        while text and text[-1:] in (b" ", b"\t") and not escaped(text, 0, len(text) - 1, o):
            text = text[:-1]
    if not (o.quote and text[:1] == o.quote):
        out, at, plain = b"", 0, True
        while at < len(text):
            if o.escape and text[at:at + 1] == o.escape and at + 1 < len(text):
                at, plain = at + 1, False
            elif o.escape and text[at:at + 1] == o.escape:
                plain = False
            out += text[at:at + 1]
            at += 1
        return out, False, plain, text
    out, at, plain, inside = b"", 1, True, True
    while at < len(text):
        byte = text[at:at + 1]
        if o.escape and byte == o.escape:
            plain = False
            if at + 1 < len(text):
                at += 1
            out += text[at:at + 1]
        elif inside and byte == o.quote:
            if text[at + 1:at + 2] == o.quote:
                out += o.quote
                plain = False
                at += 1
            else:
                inside = False
        else:
            plain = plain and inside
            out += byte
        at += 1
    return out, True, plain, text


def parse(text, type):
    """The value of a text of a declared type, or ValueError."""
    t = text.decode("utf-8").strip(" \t")
    if type in BITS:
        if not INT.fullmatch(t) or not -2 ** (BITS[type] - 1) <= int(t) < 2 ** (BITS[type] - 1):
            raise ValueError
        return int(t)
    if type == "uint64":
        if not INT.fullmatch(t) or t[0] == "-" and int(t) != 0 or not 0 <= int(t) < 2**64:
            raise ValueError
        return int(t)
    if type == "float64":
        if not FLOAT.fullmatch(t) or not math.isfinite(float(t)):
            raise ValueError
        return float(t)
    if type == "date":
        if not DATE.fullmatch(t):
            raise ValueError
        return datetime.date.fromisoformat(t)
    if type == "bool":
        words = {"true": True, "1": True, "yes": True, "on": True, "t": True, "y": True,
                 "false": False, "0": False, "no": False, "off": False, "f": False, "n": False}
        if t.lower() not in words:
            raise ValueError
        return words[t.lower()]
    if type == "decimal(9,2)":
        if not DECIMAL.fullmatch(t):
            raise ValueError
        number = decimal.Decimal(t)
        if abs(number) >= 10**7 or number != number.quantize(decimal.Decimal("0.01")):
            raise ValueError
        return number.quantize(decimal.Decimal("0.01"))
    raise AssertionError(type)


def cell(text, type, o):
    value, quoted, plain, written = value_of(text, o)
    if type == "string":
        null = (not quoted and (written == b"" or written in o.nulls)) or (quoted and o.quoted_nulls and plain and value in o.nulls)
        return None if null else value.decode("utf-8")
    if written == b"" or (quoted and value == b"" and plain):
        return None
    if (not quoted and written in o.nulls) or (quoted and plain and value in o.nulls):
        return None
    if not plain:
        raise ValueError
    return parse(value, type)


class File:
    """One file's rows, without its header."""

    def __init__(self, name, text, o):
        self.name, self.text, self.o, self.at = name, text, o, 0
        if text.startswith(b"\xef\xbb\xbf"):
            self.at = 3
        self.limit = len(text)
        for _ in range(o.skip_footer):
            self.drop_footer_line()
        self.text = text[:self.limit]
        for _ in range(o.skip_rows):
            self.skip_line()

    def drop_footer_line(self):
        while self.limit > 0:
            stop = self.limit - 1 if self.text[self.limit - 1:self.limit] == b"\n" else self.limit
            start = self.text.rfind(b"\n", 0, stop) + 1
            blank = not self.text[start:stop].strip(b"\r")
            self.limit = start
            if not blank:
                return

    def skip_line(self):
        self.at = min(line_end(self.text, self.at) + 1, len(self.text))

    def skip_nothing(self, one_column=False):
        """Pass over blank lines, which with one column are rows, and comments."""
        while self.at < len(self.text):
            end = line_end(self.text, self.at)
            comment = self.o.comment and self.text[self.at:self.at + 1] == self.o.comment
            blank = self.text[self.at:end] in (b"", b"\r")
            if comment or (blank and not (one_column and end < len(self.text))):
                self.at = min(end + 1, len(self.text))
            else:
                return

    def next_row(self, one_column=False):
        self.skip_nothing(one_column)
        if self.at >= len(self.text):
            return None
        try:
            row = row_at(self.text, self.at, self.o)
        except Wrong as e:
            raise Wrong(self.name, e.byte, "open") from None
        self.at = min(row.end + 1, len(self.text))
        return row

    def header(self):
        """The names, or None where the file has no rows at all."""
        o = self.o
        if o.header is True or isinstance(o.header, int) and o.header > 0:
            for _ in range(int(o.header) - 1):
                if self.next_row() is None:
                    return None
            row = self.next_row()
            if row is None:
                return None
            for bad in [row.stray] if o.strict else [row.irregular]:
                if bad is not None:
                    raise Wrong(self.name, bad, "header")
            names = [value_of(self.text[s:e], o)[0].decode() or f"column_{i + 1}" for i, (s, e) in enumerate(row.fields)]
            for _ in range(o.skip_after_header):
                self.skip_line()
            return names
        return None


def read(files, o):
    """files: (name, bytes) -> (names, rows, rejects).  A row is (number, file, {name: value}), a reject a tuple."""
    opened = [File(name, text, o) for name, text in files]
    headers = [f.header() for f in opened]
    if isinstance(o.header, list) or o.header is False:
        at = opened[0].at
        first = opened[0].next_row()
        opened[0].at = at
    if isinstance(o.header, list):
        headers = [o.header for _ in files]
        if first is not None and len(first.fields) != len(o.header):
            raise Wrong(files[0][0], first.start, "header")
    elif o.header is False:
        if first is None:
            raise Wrong(files[0][0], None, "empty")
        headers = [[f"column_{i + 1}" for i in range(len(first.fields))] for _ in files]
    if headers[0] is None:
        raise Wrong(files[0][0], None, "empty")
    names = list(headers[0])
    for h in headers[1:]:
        names += [n for n in h or [] if o.union and n not in names]
    wanted = o.columns or names
    rows, rejects, number, skipped = [], [], 0, 0
    most = o.max_rejects if isinstance(o.max_rejects, int) else math.inf
    aside = o.max_rejects not in (0, "0%")
    for f, own in zip(opened, headers):
        own = own or names
        while o.limit is None or number < o.limit:
            row = f.next_row(len(own) == 1)
            if row is None:
                break
            number += 1
            try:
                values = read_row(f, row, own, wanted, o)
            except Wrong as e:
                if e.code == "skip":
                    skipped += 1
                    continue
                if e.code == "encoding" and aside and row.irregular is not None and not o.strict:
                    raise Wrong(f.name, row.irregular, "irregular") from None
                uneven = len(row.fields) != len(own)
                ok = aside and e.code != "irregular" and not (uneven and o.ragged == "error") and (e.code == "fields" or o.ragged != "reject")
                if e.code == "irregular" and uneven and len(rejects) >= most:
                    e.or_byte = row.start  # that no more rows may be left out is as wrong
                if not ok or len(rejects) >= most:
                    raise
                raw = f.text[row.start:row.end]
                raw = raw[:-1] if raw.endswith(b"\r") else raw
                rejects.append((f.name, f.text.count(b"\n", 0, e.byte) + 1, number, e.byte, e.code, raw))
                continue
            rows.append((number, f.name, values))
    if isinstance(o.max_rejects, str) and len(rejects) * 100 > float(o.max_rejects[:-1]) * number:
        raise Wrong(None, None, "share")
    return wanted, rows, rejects


def first_invalid(text):
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as e:
        return e.start
    return None


def read_row(f, row, own, wanted, o):
    n = len(row.fields)
    ragged = n != len(own) and not (o.ragged == "null" and n < len(own))
    if row.irregular is not None and not o.strict:
        irregular = row.irregular
    else:
        irregular = None
    if ragged and o.ragged in ("skip",):
        if irregular is not None:
            raise Wrong(f.name, irregular, "irregular")
        raise Wrong(f.name, row.start, "skip")
    aside = o.max_rejects not in (0, "0%")
    if not (ragged and aside and o.ragged != "error"):
        bad = first_invalid(f.text[row.start:row.end])
        if bad is not None:
            raise Wrong(f.name, row.start + bad, "encoding")
        if o.strict and row.stray is not None:
            raise Wrong(f.name, row.stray, "quotes", row.irregular)
    if irregular is not None:
        raise Wrong(f.name, irregular, "irregular")
    if ragged:
        raise Wrong(f.name, row.start, "fields")
    out = {}
    for name in wanted:
        if name not in own:
            out[name] = None
            continue
        i = own.index(name)
        start, end = row.fields[i] if i < n else (row.end, row.end)
        try:
            out[name] = cell(f.text[start:end], o.types.get(name, "string"), o)
        except ValueError:
            raise Wrong(f.name, start, "type") from None
        if out[name] is None and name in o.required:
            raise Wrong(f.name, start, "null")
    return out
