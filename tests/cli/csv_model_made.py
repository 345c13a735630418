"""Random files and options for test_csv_model.py: what the tool makes of them is what csv_model.py does."""

import csv
import random

import pyarrow.parquet as pq

import csv_model

TYPES = ["int64", "int8", "uint64", "float64", "string", "string", "date", "bool", "decimal(9,2)"]
GOOD = {
    "int64": ["0", "-0", "+7", "007", "9223372036854775807", "-9223372036854775808", "12", " 5 "],
    "int8": ["127", "-128", "0"],
    "uint64": ["18446744073709551615", "0", "+1", "12"],
    "float64": ["1.5", "-0.0", "5e-324", "1e308", ".5", "5.", "+2", "9007199254740993", "1.7976931348623157e308", "1e-400"],
    "string": ["x", "é", "a b", "007", "NA", "-"],
    "date": ["0001-01-01", "9999-12-31", "2024-02-29", " 1970-01-01"],
    "bool": ["true", "FALSE", "1", "no", "on", "t"],
    "decimal(9,2)": ["1", "-0.01", "9999999.99", "1e2", "1.200"],
}  # fmt: skip
BAD = ["x", "9223372036854775808", "128", "-1", "18446744073709551616", "1e400", "2023-02-29", "0000-01-01", "1.234", "10000000", "--1", "1 2", "\udcff", "é\udce9"]


class Case:
    def __init__(self, seed):
        self.seed, self.rng = seed, random.Random(seed)
        rng = self.rng
        pick = rng.choice
        o = self.o = csv_model.Options()
        o.delimiter = pick([b",", b",", b";", b"\t", b"||", b"~|~", b" ", b" |", b"\t\t"])
        o.quote = pick([b'"', b'"', b'"', b"'", b""])
        o.escape = pick([b"", b"", b"\\", b"^"])
        o.comment = pick([b"", b"", b"#"])
        o.trim, o.strict, o.quoted_nulls = rng.random() < 0.2, rng.random() < 0.15, rng.random() < 0.2
        o.skip_rows, o.skip_footer = pick([0, 0, 0, 1, 2]), pick([0, 0, 0, 1, 2])
        o.header = pick([True, True, True, 2, 3, False, "list"])
        o.skip_after_header = pick([0, 0, 1]) if o.header not in (False, "list") else 0
        o.nulls = pick([(), (), (b"NA",), (b"\\N", b"-")])
        o.limit = pick([None, None, None, 0, 1, 3, 10])
        o.max_rejects = pick([0, 0, 1, 2, 5, 1000, 1000, "50%", "100%", "0%"])
        o.ragged = pick([None, None, "error", "null", "skip"] + (["reject"] if o.max_rejects not in (0, "0%") else []))
        o.union = o.header is True and rng.random() < 0.25
        self.names = ["a", "b", "c", "d"][:rng.randint(1, 4)]
        if o.header == "list":
            o.header = list(self.names)
        keys = [f"column_{i + 1}" for i in range(len(self.names))] if o.header is False else self.names
        o.types = {name: pick(TYPES) for name in keys}
        self.wrong = pick([0, 0, 0.02, 0.1])  # how often something is
        self.soup = pick([0, 0, 0.1, 0.5])  # how often a field is any bytes
        self.end = pick(["\n", "\n", "\r\n"])
        if rng.random() < 0.2:
            o.columns = rng.sample(keys, rng.randint(1, len(keys)))
        if rng.random() < 0.2 and not o.union:
            o.required = (pick(o.columns or keys),)
        self.keys = keys
        self.files = [(f"f{i}.csv", self.text(i)) for i in range(pick([1, 1, 1, 2, 3]))]

    def junk(self):
        rng = self.rng
        tokens = ["a", "1", " ", self.o.delimiter.decode(), "#", "é"]
        return "".join(rng.choice(tokens) for _ in range(rng.randint(0, 6)))

    def field(self, type):
        rng, o = self.rng, self.o
        if rng.random() < self.soup:
            tokens = ["a", "1", " ", o.quote.decode(), o.quote.decode(), o.escape.decode(), "é", "#", "\n", o.delimiter.decode(), o.delimiter.decode()[0]]
            return "".join(rng.choice(tokens) for _ in range(rng.randint(0, 5)))
        if rng.random() < 0.15:
            return rng.choice(["", "", o.quote.decode() * 2, "NA", "\\N", "-"])
        text = rng.choice(BAD) if rng.random() < self.wrong else rng.choice(GOOD[type])
        if o.quote and rng.random() < 0.25:
            if type == "string":
                text += rng.choice(["", "", "\n", o.delimiter.decode(), o.quote.decode() * 2])
            text = o.quote.decode() + text + o.quote.decode()
        return self.padded(rng, text) if o.trim and rng.random() < 0.3 else text

    def padded(self, rng, text):
        """With blanks around, and no delimiter among them."""
        before, behind = rng.choice(["", " ", "  ", "\t "]), rng.choice(["", " ", " \t", "   "])
        return text if self.o.delimiter.decode() in before + "x" + behind + "x" else before + text + behind

    def row(self, columns):
        fields = [self.field(self.o.types[c]) for c in columns]
        if self.rng.random() < self.wrong:
            fields = fields[:-1] if self.rng.random() < 0.5 else fields + ["7"]
        return self.o.delimiter.decode().join(fields)

    def text(self, number):
        rng, o = self.rng, self.o
        lines = [self.junk() for _ in range(o.skip_rows)]
        columns = self.keys
        if o.header is True or isinstance(o.header, int) and o.header > 0:
            lines += ["above" for _ in range(int(o.header) - 1)]
            if o.union:
                columns = rng.sample(self.keys, rng.randint(1, len(self.keys)))
            padded = rng if o.union else random.Random(self.seed)  # of one table all headers are the same bytes
            lines.append(o.delimiter.decode().join(self.padded(padded, c) if o.trim else c for c in columns))
            lines += [self.junk() for _ in range(o.skip_after_header)]
        for _ in range(rng.choice([0, 1, 2, 5, 20, 60])):
            if o.comment and rng.random() < 0.1:
                lines.append("#" + self.junk() + rng.choice(["", '"', "\udcff"]))
            if rng.random() < 0.05:
                lines.append("")
            lines.append(self.row(columns))
        lines += [self.junk() or "-" for _ in range(o.skip_footer)]
        text = self.end.join(lines) + (self.end if rng.random() < 0.8 else "")
        text = rng.choice(["", "", "", "\ufeff"]) + text
        return text.encode("utf-8", "surrogateescape")

    def flags(self, block, threads):
        o = self.o
        out = ["--delimiter", o.delimiter.decode(), "--quote", o.quote.decode(), "--reader-option", f"block_bytes={block}", "-t", threads]
        for name, type in o.types.items():
            out += ["--types", f"{name}={type}"]
        out += ["--reader-option", "inference=strings"]
        for name, value in (("escape", o.escape.decode()), ("comment", o.comment.decode()), ("ragged", o.ragged)):
            out += [f"--{name}", value] if value else []
        for name, value in (("skip-rows", o.skip_rows), ("skip-after-header", o.skip_after_header), ("skip-footer", o.skip_footer)):
            out += [f"--{name}", value] if value else []
        out += ["--no-header"] if o.header is False else ["--header", ",".join(o.header)] if isinstance(o.header, list) else \
            ["--header", o.header] if o.header is not True else []
        out += ["--null-values", ",".join(v.decode() for v in o.nulls)] if o.nulls else []
        out += ["--trim"] * o.trim + ["--quoted-nulls"] * o.quoted_nulls + ["--union-by-name"] * o.union
        out += ["--reader-option", "strict=true"] * o.strict
        out += ["--limit", o.limit] if o.limit is not None else []
        out += ["--columns", ",".join([*o.columns, "file!", "number!"])] if o.columns else []
        out += ["--reader-option", "required=[" + ",".join(f'"{r}"' for r in o.required) + "]"] if o.required else []
        if o.max_rejects not in (0, "0%"):
            out += ["--max-rejects", o.max_rejects, "--rejects", "r.csv"]
        return out

    def trailing(self):
        """A delimiter that ends every row is recognised, which the model does not."""
        if self.o.union or self.o.header is False or isinstance(self.o.header, list):
            return False
        f = csv_model.File(*self.files[0], self.o)
        try:
            names, rows = f.header(), []
            while names and (row := f.next_row()):
                rows.append(row)
        except csv_model.Wrong:
            pass
        return bool(names) and any(len(r.fields) == len(names) + 1 and r.fields[-1][0] == r.fields[-1][1] for r in rows)


def same(a, b):
    return a == b or (a != a and b != b)


def check(tool, seed, blocks=(1, 7, 100, 100_000)):
    made = Case(seed)
    for name, text in made.files:
        (tool.cwd / name).write_bytes(text)
    if made.trailing():
        return "trailing"
    try:
        wanted, rows, rejects = csv_model.read(made.files, made.o)
        wrong = None
    except csv_model.Wrong as e:
        wrong = e
    block = made.rng.choice(blocks)
    piped = made.rng.random() < 0.2
    sources = ["-" if piped and i == 0 else name for i, (name, _) in enumerate(made.files)]
    if piped and made.o.union and len(sources) > 1:
        piped, sources = False, [name for name, _ in made.files]
    done = tool("convert", "-qf", "--allow-empty", *made.flags(block, made.rng.randint(1, 4)), "--row-number-column", "number!", "--file-name-column", "file!",
                *sources, "out.parquet", stdin=made.files[0][1] if piped else b"")
    said = done.stderr.decode()
    if "names the column" in said:
        return "names"  # of a column that the first rows do not have
    where = (seed, block, made.o, made.files, said)
    if wrong is not None:
        assert done.returncode == 2, ("should fail", str(wrong), where)
        if wrong.byte is not None:
            assert f"byte {wrong.byte}:" in said or f"byte {wrong.or_byte}:" in said, (str(wrong), where)
        return wrong.code
    assert done.returncode == 0, ("should not fail", where)
    table = pq.read_table(tool.cwd / "out.parquet")
    assert table.column_names == [*wanted, "file!", "number!"] or set(table.column_names) == {*wanted, "file!", "number!"}, (table.column_names, where)
    got = table.to_pylist()
    assert len(got) == len(rows), (len(got), len(rows), where)
    for ours, (number, file, values) in zip(got, rows):
        assert ours["number!"] == number, (ours, number, where)
        for name in wanted:
            assert same(ours[name], values[name]), (name, ours, values, where)
    if made.o.max_rejects not in (0, "0%"):
        with open(tool.cwd / "r.csv", encoding="utf-8", newline="") as listed:
            ours = [(int(r["line"]), int(r["row"]), int(r["byte"]), r["code"], r["raw"]) for r in csv.DictReader(listed)]
        model = [(line, number, byte, code, utf8(raw)) for _, line, number, byte, code, raw in rejects]
        assert ours == model, (ours, model, where)
    return "rows" if rows else "no rows"


def utf8(raw):
    return raw.decode("utf-8", "replace")
