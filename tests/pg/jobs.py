"""Jobs that read PostgreSQL: a job in a folder of its own, and whether what it wrote is what the server has, cell for cell."""

import csv
import datetime
import decimal
import io
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import uuid

import pyarrow.parquet as pq
import yaml

import postgres_server
from command import BIN, PLUGINS

SOURCE = pathlib.Path(os.environ["DN_SOURCE"])
sys.path.append(str(SOURCE / "tests/store"))
import s3_server  # noqa: E402

KEY_ID, SECRET = "AKIDTEST", "secret/of+the=tests"
SETTINGS = "-c IntervalStyle=iso_8601 -c DateStyle=ISO,MDY -c extra_float_digits=1 -c bytea_output=hex -c TimeZone=UTC"


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def events(self, kind=None):
        lines = [json.loads(line) for line in self.err.splitlines()]
        return [line for line in lines if kind is None or line["event_type"] == kind]


class Job:
    """`keys` are those of job.yaml; a local target below out/."""

    def __init__(self, home, server, *tables, asset=None, **source):
        self.home, self.server = home, server
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "DATIVO_PLUGIN_PATH": str(PLUGINS), "PGHOST": str(server.folder),
                    "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATABASE": "postgres", "AWS_EC2_METADATA_DISABLED": "true"}
        self.keys = {"tenant_id": "acme", "source_connector": "postgres", "target_connector": "local", "asset_path": "asset.yaml",
                     "source": {**({"tables": [t if isinstance(t, dict) else {"name": t} for t in tables]} if tables else {}), **source},
                     "target": {"connection": {"path": "out"}}}
        if asset:
            self.asset(asset)

    def asset(self, columns, **keys):
        """Columns are "name type", with ! behind the type where they are required."""
        schema = [{"name": name, "type": type_.rstrip("!"), "required": type_.endswith("!")}
                  for name, type_ in (column.split(" ", 1) for column in columns)]
        (self.home / "asset.yaml").write_text(yaml.safe_dump({"name": "t", "schema": schema, **keys}))
        return self

    def start(self, *args, command="run", env=None):
        (self.home / "job.yaml").write_text(self.text if hasattr(self, "text") else yaml.safe_dump(self.keys, sort_keys=False))
        return subprocess.Popen([str(BIN), command, *map(str, args), str(self.home / "job.yaml")], cwd=getattr(self, "cwd", self.home),
                                env={k: v for k, v in {**self.env, **(env or {})}.items() if v is not None}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def finish(self, process):
        out, err = process.communicate(timeout=120)
        done = Done(process.returncode, out.decode(), err.decode())
        for secret in (postgres_server.PASSWORD, SECRET):
            assert secret not in done.out + done.err, done.out + done.err
        assert "Sanitizer" not in done.err and "runtime error" not in done.err, done.err
        return done

    def __call__(self, *args, **more):
        return self.finish(self.start(*args, **more))

    def ok(self, *args, code=0, **more):
        done = self(*args, **more)
        assert done.code == code, done.err + done.out
        self.server.gone()
        return done

    def fails(self, *args, says, **more):
        done = self(*args, **more)
        assert done.code == 2, (done.code, done.err + done.out)
        for word in [says] if isinstance(says, str) else says:
            assert word in done.err + done.out, done.err + done.out
        return done

    def files(self, table="t"):
        return sorted(p.name for p in (self.home / "out").rglob("*") if p.is_file() and p.parent.name == table)

    def table(self, table="t", pattern="*_000000.parquet"):
        return pq.ParquetDataset(sorted((self.home / "out").rglob(f"{table}/{pattern}"))).read()

    def state(self, path=".local/state/acme/postgres.default.state.json"):
        path = self.home / path
        return json.loads(path.read_text()) if path.exists() else None


def without_zeros(text):
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_text(value):
    """As the server writes it, with the settings above."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime.datetime):
        text = without_zeros(value.replace(tzinfo=None).isoformat(" "))
        return text + ("+00" if value.tzinfo else "")
    if isinstance(value, datetime.time):
        return without_zeros(value.isoformat())
    if isinstance(value, (int, str, datetime.date, uuid.UUID)):
        return str(value)
    raise AssertionError(type(value))


def same(ours, theirs):
    """`theirs` is the server's text, or None."""
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if isinstance(ours, float):
        theirs = float(theirs)
        return struct.pack("d", ours) == struct.pack("d", theirs) or (math.isnan(ours) and math.isnan(theirs)) or \
            struct.pack("f", ours) == struct.pack("f", theirs) and ours == struct.unpack("f", struct.pack("f", theirs))[0]
    if isinstance(ours, list):
        theirs = json.loads(theirs, parse_float=decimal.Decimal)
        return len(ours) == len(theirs) and all(a == b and (a is None) == (b is None) for a, b in zip(ours, theirs))
    return as_text(ours) == theirs


def same_as_server(server, ours, table, order="id", columns=None):
    """Every cell of the Arrow table against COPY ... TO STDOUT."""
    names = columns or ours.schema.names
    assert ours.schema.names == names
    asked = [f'to_json("{n}")::text' if str(ours.schema.field(n).type).startswith("list") else
             f'"{n}"::text' if n == "inet" else f'"{n}"' for n in names]  # whose cast is not what its own output is
    text = server.psql("-c", f"COPY (SELECT {', '.join(asked)} FROM (SELECT * FROM {table}) AS src ORDER BY src.{order}) TO STDOUT (FORMAT csv, NULL '\\N')",
                       options=SETTINGS)
    csv.field_size_limit(1 << 30)
    theirs = list(csv.reader(io.StringIO(text, newline="")))
    ours = ours.sort_by(order)
    assert len(theirs) == ours.num_rows
    for at, name in enumerate(names):
        for row, value in enumerate(ours.column(name).to_pylist()):
            cell = theirs[row][at]
            assert same(value, None if cell == "\\N" else cell), (name, row, value, cell)


# name, type, type in an asset, values; a null is added to each
EVERY = [
    ("b", "bool", "boolean", ["true", "false"]),
    ("i2", "int2", "int16", ["-32768", "32767"]),
    ("i4", "int4", "integer", ["-2147483648", "2147483647"]),
    ("i8", "int8", "bigint", ["-9223372036854775808", "9223372036854775807"]),
    ("o", "oid", "uint32", ["0", "4294967295"]),
    ("f4", "float4", "float32", ["-0", "3.4028235e38", "1e-45", "NaN", "-Infinity", "0.1"]),
    ("f8", "float8", "double", ["-0", "1.7976931348623157e308", "5e-324", "NaN", "Infinity", "0.1"]),
    ("n152", "numeric(15,2)", "decimal(15,2)", ["9999999999999.99", "-0.01", "1234.50"]),
    ("n38", "numeric(38,0)", "decimal", ["9" * 38, "-" + "9" * 38]),
    ("n76", "numeric(76,30)", "decimal", ["9" * 46 + "." + "9" * 30, "-0." + "0" * 29 + "1"]),
    ("n", "numeric", "decimal", ["123456789012345678901234567890.123456", "-0.000001", "7.000000"]),
    ("t", "text", "string", ["", "one\ttwo\nthree\\", "grüße 🙂", '"quoted", and\r\n', "x" * 3000]),
    ("vc", "varchar(10)", "varchar", ["", "ten bytes!"]),
    ("c", "char(8)", "text", ["a b"]),
    ("e", "mood", "string", ["happy", "so so"]),
    ("dom", "positive", "decimal(7,2)", ["1.25", "99999.99"]),
    ("ba", "bytea", "binary", ["", "\\x00ff10"]),
    ("d", "date", "date", ["0001-01-01", "9999-12-31", "1969-12-31", "2000-02-29"]),
    ("ti", "time", "time", ["00:00:00", "23:59:59.999999", "12:34:56.7"]),
    ("tz", "timetz", "string", ["10:00:00+05:30"]),
    ("ts", "timestamp", "timestamp", ["0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999", "2024-02-29 12:00:00.5"]),
    ("tstz", "timestamptz", "timestamptz", ["0001-01-01 00:00:00+00", "2024-06-01 12:00:00+05:45"]),
    ("iv", "interval", "string", ["0", "1 year 2 mons 3 days 04:05:06.789", "-13 months"]),
    ("u", "uuid", "uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("j", "json", "json", ['{"a":  1, "a": [null, "\\u00fc"]}', "null"]),
    ("jb", "jsonb", "json", ['{"b": 1, "a": [null, "ü"]}', "1.50"]),
    ("ai", "int4[]", "array", ["{}", "{1,NULL,-3}"]),
    ("at", "text[]", "array", ['{"",NULL,"a,b","NULL"}']),
    ("inet", "inet", "string", ["192.168.0.1/24", "::1"]),
    ("money", "money", "string", ["12.34"]),
    ("rng", "int4range", "string", ["[1,10)", "empty"]),
    ("comp", "two", "string", ['(1,"a b")']),
    ("n1000", "numeric(1000,500)", "string", ["9" * 500 + "." + "9" * 500]),
    ("nneg", "numeric(5,-3)", "decimal", ["12345000", "-99999000"]),
    ("nsmall", "numeric(3,6)", "decimal", ["0.000999", "-0.000001"]),
    ("nm", "name", "string", ["some_name"]),
    ("ch", '"char"', "string", ["a"]),
    ("deep", "deeper", "decimal", ["7.50"]),
    ("ti0", "time(0)", "time", ["12:34:57"]),
    ("an", "numeric(10,3)[]", "array", ["{1.500,NULL,-99.125}"]),
    ("ab", "bool[]", "array", ["{t,f,NULL}"]),
    ("ae", "mood[]", "array", ['{happy,"so so"}']),
    ("ainet", "inet[]", "array", ["{10.0.0.1/8,NULL}"]),
    ("cidr", "cidr", "string", ["10.0.0.0/8"]),
    ("mac", "macaddr", "string", ["08:00:2b:01:02:03"]),
    ("bits", "bit varying", "string", ["10110", ""]),
    ("xm", "xml", "string", ["<a>ü</a>"]),
    ("tsv", "tsvector", "string", ["'cat' 'fat'"]),
    ("trng", "tstzrange", "string", ["[2024-01-01 00:00:00+00,infinity)"]),
    ("mrng", "int4multirange", "string", ["{[1,3),[5,8)}"]),
    ("pt", "point", "string", ["(1.5,-2)"]),
    ("xid", "xid", "string", ["7"]),
    ("lsn", "pg_lsn", "string", ["16/B374D848"]),
    ("ov", "oidvector", "string", ["1 2 3"]),
]


def make_every(server, table="every"):
    """A table of every type, with a row of nulls; the columns of its asset."""
    def literal(value):
        return "NULL" if value is None else "'" + value.replace("'", "''") + "'"

    n = max(len(values) for *_, values in EVERY) + 1
    rows = ", ".join(f"({i}, {', '.join(literal(v[i] if i < len(v) else None) for *_, v in EVERY)})" for i in range(n))
    server.sql(f"""CREATE TYPE mood AS ENUM ('happy', 'so so'); CREATE DOMAIN positive AS numeric(7,2) CHECK (value > 0);
        CREATE DOMAIN deeper AS positive; CREATE TYPE two AS (a int, b text); CREATE TABLE {table} (id int PRIMARY KEY, {', '.join(f'{n} {t}' for n, t, *_ in EVERY)});
        INSERT INTO {table} VALUES {rows};""")
    return ["id integer!", *(f"{name} {type_}" for name, _, type_, _ in EVERY)]


# the table of the documented job: the columns of its asset, as a database has them
LARGE = """CREATE TABLE large_table (order_id int PRIMARY KEY, customer text NOT NULL, country char(2), order_date date NOT NULL,
        shipped_at timestamp, quantity int2, unit_price float8, total float8, gift bool, note text);
    INSERT INTO large_table SELECT g, 'customer ' || g % 997, CASE g % 3 WHEN 0 THEN 'DE' WHEN 1 THEN 'FR' END, date '2020-01-01' + g % 1500,
        CASE WHEN g % 5 > 0 THEN timestamp '2020-01-01' + g * interval '7 min 0.25 s' END, g % 100, g * 0.37, (g % 100) * (g * 0.37), g % 2 = 0,
        CASE g % 4 WHEN 0 THEN '' WHEN 1 THEN E'two\\nlines' WHEN 2 THEN 'grüße' END FROM generate_series(1, ROWS) g;"""


class Documented(Job):
    """examples/jobs/postgres_to_s3.yaml with the paths of this machine."""

    cwd = SOURCE
    bucket_name = "my-data-lake"
    key = "sales/shop/my_data/my_data_000000.parquet"

    def __init__(self, home, server, s3):
        super().__init__(home, server)
        self.s3 = s3
        self.env.update({"S3_ENDPOINT": s3.url, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET})
        self.text = (SOURCE / "examples/jobs/postgres_to_s3.yaml").read_text().replace("build/plugins", str(PLUGINS))

    def change(self, *pairs):
        for old, new in pairs:
            assert old in self.text, old
            self.text = self.text.replace(old, new)
        return self

    @property
    def bucket(self):
        return self.s3.buckets[self.bucket_name]

    def is_clean(self):
        return self.s3.problems == [] and not any(self.s3.uploads.values())

    def table(self, key=None):
        return pq.read_table(io.BytesIO(self.bucket[key or self.key].data))
