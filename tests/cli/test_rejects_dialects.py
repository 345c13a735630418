"""Random files of random dialects with wrong rows in them: what is set aside, padded or left out is exactly that, wherever blocks are cut."""

import csv
import random

import pyarrow.parquet as pq
import pytest

TYPES = ("--types", "id=int64,t=string,n=int64")


class Maker:
    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.delimiter, self.escape = rng.choice([",", "||", "\t", ";;;"]), rng.choice([None, "\\"])
        self.comment, self.ragged = rng.choice([None, "#"]), rng.choice([None, "reject", "null", "skip"])
        self.good, self.rejects, self.has_type_error = [], [], False
        rows = ["id,t,n".replace(",", self.delimiter)]
        for i in range(rng.randint(1, 60)):
            if self.comment and rng.random() < 0.1:
                rows.append('#c "x' + self.delimiter + rng.choice(["", "\udcff"]))  # which no row is to blame for
            if rng.random() < 0.05:
                rows.append("")
            rows.append(self.row(i))
        end = rng.choice(["\n", "\r\n"])
        self.text = end.join(rows) + rng.choice(["", end])
        self.flags = ["--delimiter", self.delimiter]
        for name in ("escape", "comment", "ragged"):
            if getattr(self, name):
                self.flags += [f"--{name}", getattr(self, name)]

    def field(self):
        """A text as it may be written, and the value."""
        rng = self.rng
        text = "".join(rng.choice(["a", "b", " ", "\n", self.delimiter, '"', "é", "#", "|"]) for _ in range(rng.randint(0, 6)))
        if not text:
            return rng.choice([("", None), ('""', "")])
        if self.escape and rng.random() < 0.5:
            return "".join("\\" + c if c in '"\n\\#' or c in self.delimiter else c for c in text), text
        if rng.random() < 0.3 or any(c in text for c in '"\n#') or self.delimiter[0] in text:
            return '"' + text.replace('"', '""') + '"', text
        return text, text

    def row(self, i):
        written, value = self.field()
        begin = f"{i}{self.delimiter}{written}"
        kind = self.rng.choices(["good", "short", "long", "type", "short and type"], [80, 8, 6, 6, 4])[0]
        row = begin + self.delimiter.join({"good": ["", "7"], "long": ["", "5", "6"], "type": ["", "x"]}.get(kind, []))
        if kind == "short and type":
            row = "x" + row
            kind = "type" if self.ragged == "null" else "short"
        if kind == "good":
            self.good.append((i, value, 7))
        elif kind == "short" and self.ragged == "null":
            self.good.append((i, value, None))
        elif kind == "type" and self.ragged == "reject":
            self.has_type_error = True
        elif not (kind in ("short", "long") and self.ragged == "skip"):
            self.rejects.append(row)
        return row


@pytest.mark.parametrize("seed", range(24))
def test_a_random_file(tool, seed):
    made = Maker(seed)
    (tool.cwd / "in.csv").write_bytes(made.text.encode("utf-8", "surrogateescape"))
    for block in (5, 64, 300, 100_000):
        command = ("convert", "-qf", *TYPES, "--max-rejects", 1000, "--rejects", "r.csv", "--allow-empty", *made.flags,
                   "--reader-option", f"block_bytes={block}", "-t", seed % 3 + 1, "in.csv", "out.parquet")
        if made.has_type_error:
            tool.fails(*command, says="'x' is not a value of type int64")
            continue
        tool.ok(*command)
        assert [tuple(row.values()) for row in pq.read_table(tool.cwd / "out.parquet").to_pylist()] == made.good
        with open(tool.cwd / "r.csv", encoding="utf-8", newline="") as listed:
            assert [row["raw"] for row in csv.DictReader(listed)] == made.rejects
