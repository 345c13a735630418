"""Tables as programs export them, in random forms: with the flags that say how, every value comes back, and without one of them it does or its flag is named."""

import bz2
import csv
import datetime
import gzip
import io
import lzma
import random

import pyarrow.parquet as pq
import pytest

N = 40
MARKS = {"": "", ".": ".", ",": ",", " ": " ", "\u00a0": "\u00a0", "\u202f": "\u202f", "'": "'", "\u2019": "\u2019"}
DATES = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%b-%Y", "%d.%m.%y"]
TIMES = ["%H:%M:%S", "%H:%M", "%I:%M:%S %p"]
WORDS = [("true", "false"), ("ja", "nein"), ("Y", "N")]
NULLS = ["", "NULL", "n/a", "-", "\\N"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-15", "mac_roman"]
PACKINGS = [None, None, None, gzip.compress, bz2.compress, lzma.compress]
TEXTS = ["Ärger", "naïve", "Ann, B.", "x;y", "tab\there", 'say "so"', "two\nlines", "it's", "plain", "über 5"]


class Export:
    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        pick = rng.choice
        self.delimiter = pick([",", ";", "\t", "|", "||"])
        self.point = pick([".", ","])
        self.mark = pick([m for m in MARKS if m != self.point])
        self.day, self.time = pick(DATES), pick(TIMES)
        self.words, self.null = pick(WORDS), pick(NULLS)
        self.encoding, self.packing = pick(ENCODINGS), pick(PACKINGS)
        self.preamble, self.footer = pick([0, 0, 1, 3]), pick([0, 0, 1, 2])
        self.padded = rng.random() < 0.2
        self.trailing = rng.random() < 0.15
        self.end = pick(["\n", "\r\n"])
        self.quote_all = rng.random() < 0.2
        self.trailing &= not self.quote_all  # "" is a field
        if self.encoding in ("cp1252", "iso8859-15", "mac_roman") and self.mark in ("\u202f", "\u2019", "\u00a0"):
            self.mark = ""
        self.rows = [self.row(i) for i in range(N)]

    def row(self, i):
        rng = self.rng
        moment = datetime.datetime(rng.randint(1970, 2060), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.randint(0, 59),
                                   0 if self.time == "%H:%M" else rng.randint(0, 59))
        if i == 0:
            moment = moment.replace(day=27)  # no month
        values = [i, rng.randint(1000, 10**7) if i == 0 else rng.choice([rng.randint(-(10**9), 10**9), rng.randint(0, 99)]),
                  round(rng.randint(10**6, 10**9) / 100, 2), moment.date(), moment, rng.random() < 0.5, rng.choice(TEXTS)]
        return values if i in (0, 1) else [v if c in (0, 6) or rng.random() < 0.9 else None for c, v in enumerate(values)]

    def number(self, value):
        text = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
        return text.replace(",", "|").replace(".", self.point).replace("|", self.mark)

    def text(self, c, value):
        if value is None:
            return self.null
        if c == 0 or c == 6:
            return str(value)
        if c in (1, 2):
            return self.number(value)
        if c == 3:
            return value.strftime(self.day)
        if c == 4:
            return value.strftime(self.day + " " + self.time)
        return self.words[0 if value else 1]

    def bytes(self):
        lines = [["id", "n", "x", "day", "moment", "flag", "name"]] + [[self.text(c, v) for c, v in enumerate(row)] for row in self.rows]
        out = io.StringIO()
        for _ in range(self.preamble):
            out.write("Report of the day" + self.end)
        one = "\x01" if len(self.delimiter) > 1 else self.delimiter
        body = io.StringIO()
        writer = csv.writer(body, delimiter=one, lineterminator=self.end, quoting=csv.QUOTE_ALL if self.quote_all else csv.QUOTE_MINIMAL)
        for at, line in enumerate(lines):
            if self.padded and not self.quote_all:
                line = [f"  {v} " if not any(b in v for b in '"\n\t') and one not in v and v else v for v in line]
            writer.writerow([*line, ""] if self.trailing and at > 0 else line)
        out.write(body.getvalue().replace(one, self.delimiter))
        for _ in range(self.footer):
            out.write("Total of all rows" + self.end)
        data = out.getvalue().encode(self.encoding)
        return self.packing(data) if self.packing else data

    def flags(self):
        """Of everything that is not the default, by what is named if it is left out."""
        found = {}
        if self.delimiter != ",":
            found["--delimiter"] = ["--delimiter", self.delimiter]
        if self.point != ".":
            found["--decimal"] = ["--decimal", self.point]
        if self.mark:
            found["--thousands"] = ["--thousands", self.mark]
        if self.day != "%Y-%m-%d":
            found["--date-format"] = ["--date-format", self.day]
        if self.day != "%Y-%m-%d" or self.time == "%I:%M:%S %p":
            found["--timestamp-format"] = ["--timestamp-format", self.day + " " + self.time]
        if self.words != ("true", "false"):
            found["words"] = ["--true-values", self.words[0], "--false-values", self.words[1]]
        if self.null:
            found["--null-values"] = ["--null-values", self.null]
        if self.encoding in ("cp1252", "iso8859-15", "mac_roman"):
            found["--encoding"] = ["--encoding", {"mac_roman": "macintosh"}.get(self.encoding, self.encoding)]
        if self.preamble:
            found["--skip-rows"] = ["--skip-rows", self.preamble]
        if self.footer:
            found["--skip-footer"] = ["--skip-footer", self.footer]
        if self.padded and not self.quote_all:
            found["--trim"] = ["--trim"]
        return found


def read(tool, flags):
    done = tool("convert", "-f", *flags, "in.csv", "out.parquet")
    rows = [list(row.values()) for row in pq.ParquetFile(tool.cwd / "out.parquet").read().to_pylist()] if done.returncode == 0 else None
    return rows, done.stderr.decode()


@pytest.mark.parametrize("first", range(0, 24, 8))
def test_every_value_comes_back(tool, write, first):
    for seed in range(first, first + 8):
        made = Export(seed)
        write("in.csv", made.bytes())
        flags = made.flags()
        rows, said = read(tool, [f for words in flags.values() for f in words])
        assert rows == made.rows, (seed, flags, said, made.bytes()[:300])
        left_out = made.rng.choice(sorted(set(flags) - {"words"}) or [""])
        if not left_out:
            continue
        rows, said = read(tool, [f for name, words in flags.items() if name != left_out for f in words])
        assert rows == made.rows or left_out in said, (seed, left_out, said, made.bytes()[:300])
