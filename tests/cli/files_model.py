"""What docs/csv-reading.md says of several files that are one table, byte by byte: slow, plain, and nobody's translation of the C code."""

import dataclasses

BLANK = [None]  # a row of one column; of more they are passed over
BOM = b"\xef\xbb\xbf"
NAMED_BY_SEP = b" ,;|:\t"


class Refused(Exception):
    """The docs say that this is an error."""


class Unclear(Exception):
    """The docs say nothing of it: an error is as good as the rows that were meant."""


@dataclasses.dataclass
class Options:
    delimiter: object = None  # as it is given
    comment: bytes = b""
    skip_rows: int = 0
    skip_after_header: int = 0
    skip_footer: int = 0
    header: object = True  # True, False, or a list
    union: bool = False
    columns: object = None


def without_padding(text):
    """A Ctrl-Z, NULs or both at the end of a file; NULs alone behind a row end only."""
    kept = text.rstrip(b"\0")
    if kept.endswith(b"\x1a"):
        return kept[:-1]
    return kept if not kept or kept[-1] in b"\r\n" else text


def sep_of(text):
    """(the delimiter that a first line sep=; names, the line's length with its end), or (None, 0)."""
    for line in (b"sep=", b'"sep='):
        quoted = len(line) - 4
        if text[:len(line)].lower() == line and text[len(line):len(line) + 1] and text[len(line)] in NAMED_BY_SEP:
            at = len(line) + 1
            if quoted and text[at:at + 1] != b'"':
                continue
            at += quoted
            ends = [e for e in (b"\r\r\n", b"\r\n", b"\n", b"\r") if text.startswith(e, at)]
            if ends or at == len(text):
                return text[len(line):len(line) + 1], at + len(ends[0] if ends else b"")
    return None, 0


class Lines:
    """How the lines of all files end: "lf" (and one \\r before it), "cr" (\\r, \\n, \\r\\n), or the two odd ones."""

    def __init__(self, kind):
        self.kind = kind

    def end(self, text, at):
        """The length of the line end at text[at:], or 0."""
        if text[at:at + 1] == b"\n":
            return 2 if self.kind == "lfcr" and text[at + 1:at + 2] == b"\r" else 1
        if text[at:at + 1] == b"\r" and self.kind == "cr":
            return 2 if text[at + 1:at + 2] == b"\n" else 1
        return 0

    def line(self, text, at):
        """Behind the physical line at text[at:]."""
        while at < len(text):
            n = self.end(text, at)
            at += n or 1
            if n:
                break
        return at

    def blank(self, text, at):
        """The length of the blank line at text[at:], or 0; at the end of the file one without an end is none."""
        for kind in {"lf": [b"\n", b"\r\n"], "cr": [b"\r\n", b"\n", b"\r"], "crcrlf": [b"\r\r\n", b"\r\n", b"\n"], "lfcr": [b"\n\r", b"\n"]}[self.kind]:
            if text.startswith(kind, at):
                return len(kind)
        return 0


class File:
    def __init__(self, text, o, first):
        self.o, self.first = o, first
        self.text = without_padding(text)
        self.at = len(BOM) if self.text.startswith(BOM) else 0
        self.sep = None
        if o.skip_rows == 0:
            self.sep, n = sep_of(self.text[self.at:])
            self.at += n

    def ends_outside_quotes(self, lines, start, skip_rows):
        """Positions of all \\r and \\n outside quotes behind text[start:], where rows are those of `lines`."""
        at, found = start, []

        def plain(stop):
            nonlocal at
            found.extend(i for i in range(at, stop) if self.text[i] in b"\r\n")
            at = stop

        for _ in range(skip_rows):
            plain(lines.line(self.text, at))
        header_left = 1 if self.o.header is True else 0
        while at < len(self.text):
            blank = lines.blank(self.text, at)
            if self.text.startswith(BOM, at):
                at += len(BOM)
            elif blank:
                plain(at + blank)
            elif self.o.comment and self.text[at:at + 1] == self.o.comment:
                plain(lines.line(self.text, at))
            else:
                found += self.row_ends(lines, at)
                at = self.behind_row
                if header_left:
                    header_left = 0
                    for _ in range(self.o.skip_after_header):
                        plain(lines.line(self.text, at))
        return found

    def row_ends(self, lines, at):
        state, found = "start", []
        while at < len(self.text):
            byte = self.text[at:at + 1]
            if state != "quoted" and byte in (b"\r", b"\n"):
                found.append(at)
                n = lines.end(self.text, at)
                if n:
                    found += [at + 1] * (n == 2)
                    at += n
                    break
                state = state if state == "closed" else "plain"
            elif byte == b'"' and state in ("start", "closed"):
                state = "quoted"
            elif byte == b'"' and state == "quoted":
                state = "closed"
            elif state != "quoted":
                state = "start" if byte == self.delimiter else "plain"
            at += 1
        self.behind_row = at
        return found

    def behind_front(self, kind="lfcr"):
        at = self.at
        for _ in range(self.o.skip_rows):
            at = Lines(kind).line(self.text, at)
        return at

    def only_cr(self, without_last=False, front_too=False):
        """Has the file carriage returns, but no \n, both outside quotes?  Or, not front_too, what is behind lines in front that end with \n?"""
        for start, skip_rows in [(self.at, self.o.skip_rows), (self.behind_front("lf"), 0)][:1 if front_too else 2]:
            found = self.ends_outside_quotes(Lines("cr"), start, skip_rows)
            if without_last and found and found[-1] == len(self.text) - 1 and self.text.endswith(b"\r"):
                found.pop()
            if found and all(self.text[i] == 13 for i in found):
                return True
        return False

    def kind(self):
        """How the lines of all files end, which the first file says."""
        if self.only_cr():
            return "cr"
        text, start = self.text, self.behind_front()
        feeds = [i for i in self.ends_outside_quotes(Lines("crcrlf"), start, 0) if text[i] == 10]
        if feeds and all(text[max(i - 2, 0):i] == b"\r\r" and text[max(i - 3, 0):i - 2] != b"\r" for i in feeds):
            return "crcrlf"
        start += start > 0 and text[start:start + 1] == b"\r"  # of the line in front
        feeds = [i for i in self.ends_outside_quotes(Lines("lfcr"), start, 0) if text[i] == 10]
        if feeds and all(text[i + 1:i + 2] == b"\r" for i in feeds if i + 1 < len(text)) and \
                text[start:feeds[0]][-1:] != b"\r" and any(text[i + 2:i + 3] not in (b"\n", b"") for i in feeds):
            return "lfcr"  # not for a \r that may as well be that of a blank line, or of the end of the file
        return "lf"

    def drop_footer(self, lines):
        """Lines at the end; blank ones are not counted."""
        starts, at = [], 0
        while at < len(self.text):
            starts.append(at)
            at = lines.line(self.text, at)
        left = self.o.skip_footer
        stop = len(self.text)
        self.had_footer = False
        while left and starts:
            stop = starts.pop()
            line = self.text[stop:lines.line(self.text, stop)]
            if stop == 0 and line.startswith(BOM):
                line = line[3:]
            if line.strip(b"\r\n"):
                left -= 1
                self.had_footer = True
        if self.o.skip_footer:
            self.text = self.text[:stop]

    def begin(self, lines):
        self.lines = lines
        self.at = min(self.at, len(self.text))
        front = lines.kind
        if front == "cr" and self.o.skip_rows and self.only_cr() and not self.only_cr(front_too=True):
            if self.first:
                front = "lf"
            elif self.behind_front("lf") != self.behind_front("cr"):
                raise Refused("rows end with \\r alone, lines in front with \\n")
        self.at = self.behind_front(front)
        self.behind_end = self.sep is not None or self.o.skip_rows > 0

    def next_row(self, one_column):
        """The fields of the next row, or None."""
        text, kind = self.text, self.lines.kind
        while self.at < len(text):
            while True:  # what belongs to no row
                if text.startswith(BOM, self.at):
                    self.at += 3
                elif kind == "lfcr" and text[self.at:self.at + 1] == b"\r":
                    self.at += 1
                else:
                    break
            blank = self.lines.blank(text, self.at)
            if text[self.at:] == b"\r" and kind != "cr":
                self.at = len(text)
            elif blank:
                if self.odd_end(self.at, self.at + blank):
                    raise Unclear
                self.at += blank
                self.behind_end = True
                if one_column:
                    return [None]
            elif self.o.comment and text[self.at:self.at + 1] == self.o.comment:
                self.at = self.lines.line(text, self.at)
                self.behind_end = True
            else:
                break
        if self.at >= len(text):
            return None
        if kind == "lf" and text[self.at:self.at + 1] == b"\r" and self.behind_end:
            if self.first and self.o.skip_rows:  # of the line in front, or what ends all rows
                raise Unclear
            raise Refused("a row end \\n\\r, or \\r\\r\\n behind nothing")
        return self.row()

    def odd_end(self, start, stop):
        """Is text[start:stop], or what it ends with, not the row end that all rows have, where they have an odd one?"""
        if self.lines.kind == "crcrlf":
            return not self.text[:stop].endswith(b"\r\r\n")
        return self.lines.kind == "lfcr" and self.text[stop - 1:stop] != b"\r"

    def row(self):
        text, lines = self.text, self.lines
        fields, value, state, held, quoted = [], bytearray(), "start", False, False
        while True:
            byte = text[self.at:self.at + 1]
            n = lines.end(text, self.at) if state != "quoted" else 0
            if not byte and state == "quoted":
                raise Refused("never closed")
            if n or not byte or (state != "quoted" and byte == self.delimiter):
                if byte != self.delimiter:
                    last = self.end_of_row(bytes(value), byte, n)
                    fields.append(last if last or quoted else None)
                    return fields
                fields.append(bytes(value) if value or quoted else None)
                value, state, held, quoted = bytearray(), "start", False, False
                self.at += 1
            elif byte == b'"' and state == "start":
                state, quoted = "quoted", True
                self.at += 1
            elif byte == b'"' and state == "quoted":
                if text[self.at + 1:self.at + 2] == b'"':
                    value += b'"'
                    self.at += 2
                else:
                    state = "closed"
                    self.at += 1
            else:
                if state == "closed":
                    rest = text[self.at:]
                    before_end = rest.startswith((b"\r\n", b"\r\r\n")) or rest in (b"\r", b"\r\r")
                    if held and not before_end:
                        raise Refused("quotes that nearly always were meant otherwise")
                    state = "closed" if before_end else "plain"
                elif state == "start":
                    state = "plain"
                held |= state == "quoted" and byte in (b"\r", b"\n")
                value += byte
                self.at += 1

    def end_of_row(self, value, byte, n):
        """The value without the carriage returns in front of the row end, which stand outside quotes."""
        kind, stop = self.lines.kind, self.at + n
        before = self.text[:self.at]
        returns = len(before) - len(before.rstrip(b"\r"))
        if kind == "lf":
            if byte and returns > 1:
                raise Refused("a row end \\r\\r\\n")
            value = value[:-1] if returns else value
        elif kind == "crcrlf":
            if byte and returns != 2 and self.in_header:
                self.either = True
                value, returns = value[:len(value) - returns], 0
            elif byte and returns != 2:
                raise Refused("another row end than \\r\\r\\n")
            if not byte and returns:
                raise Unclear
            elif returns:
                value = value[:-2]
        elif kind == "lfcr":
            if returns:
                raise Unclear
            if n == 1 and stop == len(self.text):
                self.either = True
            elif n == 1 and self.in_header:
                self.either = True
            elif n == 1:
                raise Refused("another row end than \\n\\r")
        self.at = stop
        self.behind_end = True
        return value

    either = in_header = False


def names_of(row):
    if any(b"\0" in (v or b"") for v in row):
        raise Refused("a NUL in a name")
    return [(v or b"").decode() or f"column_{i + 1}" for i, v in enumerate(row)]


def open_all(texts, o):
    files = [File(text, o, i == 0) for i, text in enumerate(texts)]
    delimiter = o.delimiter or files[0].sep or b","
    for f in files:
        f.delimiter = delimiter
    files[0].drop_footer(Lines("cr" if files[0].only_cr() else "lf"))
    lines = Lines(files[0].kind())
    for f in files[1:]:
        if f.sep and not o.delimiter and f.sep != delimiter:
            raise Refused("a line sep= names another delimiter")
        f.drop_footer(Lines("cr") if f.only_cr() else lines)
        f.either = lines.kind != "cr" and o.skip_footer > 0 and f.only_cr()
        if lines.kind != "cr" and f.only_cr(without_last=True):
            raise Refused("rows end with carriage returns alone")
    for f in files:
        f.begin(lines)
    return files


def headers_of(files, o):
    if o.header is not True:
        at, behind = files[0].at, files[0].behind_end
        first = files[0].next_row(False)
        files[0].at, files[0].behind_end = at, behind
        if first is None and o.header is False:
            raise Refused("no row says how many columns there are")
        if first is not None and o.header is not False and len(first) != len(o.header):
            raise Refused("names for another number of columns")
        names = o.header or [f"column_{i + 1}" for i in range(len(first))]
        return [names] * len(files)
    headers = []
    for f in files:
        f.in_header = True
        row = f.next_row(False)
        f.in_header = False
        headers.append(None if row is None else names_of(row))
        if row is not None:
            for _ in range(o.skip_after_header):
                f.at = f.lines.line(f.text, f.at)
    if headers[0] is None:
        raise Refused("no header")
    for f, header in zip(files, headers):
        if header is None and f.had_footer:
            raise Refused("the footer is all there is")
        if header is not None and header != headers[0] and not o.union:
            raise Refused("another header")
    return headers


def read(texts, o):
    """The texts of files, as they are unpacked: (names, [(index of the file, {name: text or None})], may it be an error), or Refused, or Unclear."""
    files = open_all(texts, o)
    headers = headers_of(files, o)
    names = []
    for header in headers:
        names += [n for n in header or [] if n not in names]
    if not set(o.columns or []) <= set(names):
        raise Refused("no such column")
    all_rows = []
    for f, header in zip(files, headers):
        rows = []
        while header is not None and (row := f.next_row(len(header) == 1)) is not None:
            rows.append(row)
        all_rows.append(rows)
    n = len(headers[0])
    trailing = o.header is True and not o.union and any(r != BLANK for r in all_rows[0]) and \
        all(r == BLANK or (len(r) == n + 1 and r[-1] is None) for r in all_rows[0])
    out = []
    for i, (header, rows) in enumerate(zip(headers, all_rows)):
        for row in rows:
            if row == BLANK and trailing:
                continue
            if row != BLANK and (len(row) != len(header) + trailing or (trailing and row[-1] is not None)):
                raise Refused("ragged")
            out.append((i, dict(zip(header, row))))
    wanted = o.columns or names
    return wanted, [(i, {n: values.get(n) for n in wanted}) for i, values in out], any(f.either for f in files)
