"""Random sets of files for test_files_model.py: what the tool makes of them is what files_model.py does, and never other rows than were meant."""

import gzip
import random

import pyarrow.parquet as pq

import files_model

ENDS = {"lf": [b"\n"], "crlf": [b"\r\n"], "cr": [b"\r"], "crcrlf": [b"\r\r\n"], "lfcr": [b"\n\r"], "lf, crlf": [b"\n", b"\r\n"],
        "cr, crlf": [b"\r", b"\r\n"], "any": [b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\r"]}  # fmt: skip
USUAL = ["lf", "lf", "crlf", "cr"]
FILE, NUMBER = "file!", "number!"


class Case:
    """Files of rows that are known, and how they are written."""

    def __init__(self, seed, large=False):
        self.seed, self.large, self.rng = seed, large, random.Random(seed)
        rng, pick = self.rng, self.rng.choice
        o = self.o = files_model.Options()
        self.sep = pick(["none", "none", "none", "same", "first", "some", "other"])
        self.delimiter = pick([b",", b";", b"\t", b"|"])
        o.comment = pick([b"", b"", b"", b"#"])
        o.skip_rows = pick([0, 0, 0, 0, 1, 2])
        if self.sep in ("none", "other", "some") or o.skip_rows or rng.random() < 0.3:
            o.delimiter = self.delimiter if self.delimiter != b"," or rng.random() < 0.2 else None
        o.skip_footer = pick([0, 0, 0, 0, 1, 2])
        o.header = pick([True, True, True, True, False, "list"])
        o.skip_after_header = pick([0, 0, 0, 1, 2]) if o.header is True else 0
        o.union = o.header is True and rng.random() < 0.3
        self.inferred = rng.random() < 0.4
        self.names = rng.sample(["a", "b", "c d", "é"], rng.choice([1, 1, 2, 2, 3, 4]))
        if o.header == "list":
            o.header = list(self.names)
        self.keys = [f"column_{i + 1}" for i in range(len(self.names))] if o.header is False else self.names
        self.texts = {key: rng.random() < 0.6 for key in self.keys}
        self.odd = rng.random() < 0.3  # files of which each is written in its own way
        self.faults = rng.random() < 0.15
        self.trailing = rng.random() < 0.1
        self.ends = pick(list(ENDS)) if rng.random() < 0.4 else pick(USUAL)
        self.first_kind = None
        self.lost = False  # other rows than were meant are what the docs say
        self.files = [self.file(i) for i in range(pick([1, 2, 2, 2, 3, 3, 4]))]  # (name, text, rows)
        if rng.random() < 0.15:
            o.columns = rng.sample(self.keys, rng.randint(1, len(self.keys)))

    def chance(self, share):
        return self.rng.random() < share

    def value(self, key):
        """(the value, the field)."""
        rng = self.rng
        if self.chance(0.12):
            return None, b""
        if not self.texts[key]:
            text = str(rng.choice([0, 1, 7, 42, 99999, -3])).encode()
            return text, b'"' + text + b'"' if self.chance(0.1) else text
        tokens = [b"x", b"\xc3\xa9", b"a b", b"z#", b"q"]
        if self.chance(0.3):
            tokens += [b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\r", self.delimiter, b'"', b"\n\n"]
        text = b"".join(rng.choice(tokens) for _ in range(rng.randint(1, 4)))
        if self.large and self.chance(0.02):
            text += rng.choice([b"\n", b"\r", b"\r\n", b"y"]) * rng.choice([300, 5000, 20_000, 70_000])
        if any(b in text for b in (self.delimiter, b'"', b"\n", b"\r")) or self.chance(0.1):
            return text, b'"' + text.replace(b'"', b'""') + b'"'
        return text, text

    def junk(self):
        rng = self.rng
        return b"".join(rng.choice([b"T", b"9", b" ", self.delimiter, b"total", b'"', b"#"]) for _ in range(rng.randint(1, 5)))

    def lines_of(self, keys, trail):
        """[(line, row or None)] of the rows, blank lines and comments."""
        rng, out = self.rng, []
        most = rng.choice([1, 2, 4, 9] + ([400, 3000] if self.large else []))
        for _ in range(rng.randint(1, most)):
            if self.o.comment and self.chance(0.1):
                out.append((b"#" + self.junk(), None))
            if self.chance(0.05):
                out.append((b"", {keys[0]: None} if len(keys) == 1 and not trail else None))
            cells = [self.value(key) for key in keys]
            line = self.delimiter.join(field for _, field in cells) + trail
            if self.chance(0.02):
                line = files_model.BOM + line
                if line == files_model.BOM:
                    continue
            out.append((line, {key: value for key, (value, _) in zip(keys, cells)}))
        return out

    def file(self, number):
        rng, o = self.rng, self.o
        name = f"f{number}.csv" + (".gz" if self.chance(0.15) else "")
        kind = rng.choice(list(ENDS)) if self.odd and self.chance(0.5) else self.ends
        if self.chance(0.08):
            return name, rng.choice([b"", b"", b"\n", b"\r\n", files_model.BOM, b"\0\0", b"\x1a"]) if len(self.keys) > 1 or o.header is True \
                else b"", []
        if kind in ("cr, crlf", "any") and (o.skip_rows or o.skip_after_header or o.skip_footer or self.sep != "none"):
            kind = "lf, crlf"  # which line of such a file is which, nobody can say
        front = []
        if self.sep == "same" or (self.sep == "first" and number == 0) or (self.sep == "some" and self.chance(0.5)) or \
                (self.sep == "other" and self.chance(0.5)):
            named = rng.choice([b",", b";", b"|"]) if self.sep == "other" else self.delimiter
            self.lost |= named != self.delimiter and o.delimiter is None
            front.append(rng.choice([b"sep=%s", b"sep=%s", b'"sep=%s"', b"SEP=%s"]) % named)
        if o.skip_rows:
            front = front[:o.skip_rows]
            front += [self.junk() for _ in range(o.skip_rows - len(front))]
        above = len(front) if self.chance(0.1) and kind in ("cr", "crlf") else 0  # put in front by another program
        self.first_kind = kind if number == 0 else self.first_kind
        if o.skip_rows and (above or kind in ("lf", "crlf")) and self.chance(0.2):
            front[-1] = b"T" + rng.choice([b"\r", b"\r\r"]) + front[-1]
            self.lost |= self.first_kind not in ("lf", "crlf") and number > 0  # where \r ends rows, it ends these lines
        keys = self.keys
        if o.union:
            keys = rng.sample(keys, rng.randint(1, len(keys)))
        if o.header is True:
            if self.chance(0.05):
                front.append(b"")
            shown = list(keys)
            if self.faults and self.chance(0.3):
                shown = rng.sample(shown, len(shown)) if self.chance(0.5) else [*shown[:-1], "other"]
                self.lost = True
            front.append(self.delimiter.join(b'"%s"' % k.encode() if self.chance(0.2) else k.encode() for k in shown))
            front += [self.junk() for _ in range(o.skip_after_header)]
        trail = self.delimiter if self.trailing and not (self.faults and self.chance(0.3)) else b""
        rows = [] if o.header is True and self.chance(0.12) else self.lines_of(keys, trail)
        behind = []
        for _ in range(o.skip_footer):
            behind += [self.junk()] + [b""] * self.chance(0.1)
        if self.faults and self.chance(0.3):  # without what the options say is there
            part = rng.choice([front, behind, rows])
            if part:
                del part[rng.randrange(len(part))]
                self.lost = True
        lines = front + [line for line, _ in rows] + behind
        above *= above < len(lines) and lines[above] != b""
        text = b"".join(line + (b"\n" if i < above else rng.choice(ENDS[kind])) for i, line in enumerate(lines))
        if lines and lines[-1] and self.chance(0.3):
            text = text.rstrip(b"\r\n")
        if self.chance(0.1):
            text += rng.choice([b"\x1a", b"\0", b"\0" * 600, b"\x1a\0\0", b"\0\0"])
            self.lost |= text[-1:] == b"\0" and text.rstrip(b"\0")[-1:] not in (b"\n", b"\r", b"\x1a")
        if self.chance(0.15):
            text = files_model.BOM + text
        self.lost |= kind in ("cr, crlf", "any")
        self.lost |= kind in ("crcrlf", "lfcr") and (len(keys) == 1 or o.skip_rows + o.skip_after_header > 0)  # with \r as a row end, they are two
        return name, text, [row for _, row in rows if row is not None]

    def meant(self, names):
        return [(i, {name: row.get(name) for name in names}) for i, (_, _, rows) in enumerate(self.files) for row in rows]

    def flags(self):
        rng, o = self.rng, self.o
        out = ["-t", rng.choice([1, 2])]
        if self.chance(0.8):
            out += ["--reader-option", f"block_bytes={rng.choice([64, 5000, 100_000] if self.large else [1, 2, 7, 40, 1000])}"]
        out += [] if self.inferred else ["--reader-option", "inference=strings"]
        for flag, value in (("delimiter", o.delimiter and o.delimiter.decode()), ("comment", o.comment.decode()), ("skip-rows", o.skip_rows),
                            ("skip-after-header", o.skip_after_header), ("skip-footer", o.skip_footer)):
            out += [f"--{flag}", value] if value else []
        out += ["--no-header"] if o.header is False else ["--header", ",".join(o.header)] if o.header is not True else []
        out += ["--union-by-name"] * o.union
        out += ["--columns", ",".join([*o.columns, FILE, NUMBER])] if o.columns else []
        return [*out, "--file-name-column", FILE, "--row-number-column", NUMBER]

    def put(self, folder):
        for name, text, _ in self.files:
            (folder / name).write_bytes(gzip.compress(text, 1, mtime=0) if name.endswith(".gz") else text)


def expected(made):
    """(the rows, or None; why an error is what the docs say, or may be, or "")."""
    texts = [text for _, text, _ in made.files]
    try:
        names, rows, either = files_model.read(texts, made.o)
        return names, rows, "either" if either else ""
    except files_model.Refused as e:
        return None, None, f"refused: {e}"
    except files_model.Unclear:
        return None, None, "unclear"


def cells(values):
    return {name: None if v is None else v if isinstance(v, bytes) else str(v).encode() for name, v in values.items()}


def check(tool, seed, large=False):
    made = Case(seed, large)
    folder = tool.cwd / f"{seed}"
    folder.mkdir()
    made.put(folder)
    names, rows, why = expected(made)
    sources, stdin = [f"{seed}/{name}" for name, _, _ in made.files], b""
    if made.chance(0.15) and not made.files[0][0].endswith(".gz"):
        sources[0], stdin = "-", made.files[0][1]
    elif made.chance(0.2):
        sources = [f"{seed}"]
    out = tool.cwd / f"{seed}.parquet"
    done = tool("convert", "-q", "--allow-empty", *made.flags(), *sources, out, stdin=stdin)
    said = done.stderr.decode()
    shown = [(name, text if len(text) < 3000 else len(text)) for name, text, _ in made.files]
    where = f"seed {seed}: {why}\n{' '.join(map(str, done.args))}\n{shown}\n{said}"
    if done.returncode != 0:
        assert done.returncode == 2 and said and not out.exists(), where
        assert why, f"an error, where the docs have rows: {where}"
        return why
    assert not why.startswith("refused"), f"rows, where the docs have an error: {where}"
    table = pq.read_table(out)
    if made.chance(0.95):
        out.unlink()
    got, files = [], []
    for number, row in enumerate(table.to_pylist()):
        assert row.pop(NUMBER) == number + 1, where
        files.append(row.pop(FILE))
        got.append(cells(row))
    if names is not None:
        assert table.column_names[:len(names)] == names, (table.column_names, where)
        assert got == [values for _, values in rows], f"other rows: {got}\n{where}"
        for file, (i, _) in zip(files, rows):
            assert file == made.files[i][0] or file == f"{seed}/{made.files[i][0]}" or (i == 0 and stdin), (file, where)
    meant = [values for _, values in made.meant(table.column_names[:-2])]
    if not made.lost:
        assert got == meant, f"not the rows that were meant: {got}\n{meant}\n{where}"
    return why or ("rows" if rows else "no rows")
