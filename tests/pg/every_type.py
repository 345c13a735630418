"""A table with every type and its extremes."""

# name, type, values; None is added to each.  Numbers and texts are written as the server's literals.
COLUMNS = [
    ("b", "bool", ["true", "false"]),
    ("i2", "int2", ["-32768", "32767", "0"]),
    ("i4", "int4", ["-2147483648", "2147483647"]),
    ("i8", "int8", ["-9223372036854775808", "9223372036854775807"]),
    ("o", "oid", ["0", "4294967295"]),
    ("f4", "float4", ["0", "-0", "3.4028235e38", "1e-45", "NaN", "Infinity", "-Infinity", "0.1"]),
    ("f8", "float8", ["0", "-0", "1.7976931348623157e308", "5e-324", "NaN", "Infinity", "-Infinity", "0.1"]),
    ("n152", "numeric(15,2)", ["0", "9999999999999.99", "-9999999999999.99", "0.01", "1234.5", "NaN", "10000", "100000000.10"]),
    ("n38", "numeric(38,0)", ["9" * 38, "-" + "9" * 38, "0", "10000000000000000000000"]),
    ("n3838", "numeric(38,38)", ["0." + "9" * 38, "-0." + "0" * 37 + "1"]),
    ("n76", "numeric(76,30)", ["9" * 46 + "." + "9" * 30, "-" + "9" * 46 + "." + "9" * 30, "1"]),
    ("n1000", "numeric(1000,500)", ["9" * 500 + "." + "9" * 500, "0"]),
    ("nneg", "numeric(5,-3)", ["12345000", "-99999000", "0"]),
    ("nsmall", "numeric(3,6)", ["0.000999", "-0.000001"]),
    ("n", "numeric", ["0", "0.00", "1.10", "-0.001", "1e131071", "1e-16383", "NaN", "Infinity", "-Infinity", "123456789012345678901234567890.5"]),
    ("t", "text", ["", "one\ttwo\nthree\\", "grüße 🙂", "x" * 3000]),
    ("vc", "varchar(10)", ["", "ten bytes!"]),
    ("c", "char(8)", ["", "a b"]),
    ("nm", "name", ["some_name"]),
    ("ch", '"char"', ["a", ""]),
    ("e", "mood", ["happy", "so so", "übel"]),
    ("d_pos", "positive", ["1.25", "99999.99"]),
    ("d_deep", "deeper", ["7.50"]),
    ("d_text", "short_text", ["abc"]),
    ("ba", "bytea", ["", "\\x00ff10", "\\x" + "ab" * 300]),
    ("d", "date", ["0001-01-01", "9999-12-31", "5874897-12-31", "4713-01-01 BC", "0044-03-15 BC", "1970-01-01", "2000-02-29", "infinity", "-infinity"]),
    ("ti", "time", ["00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.7"]),
    ("ti0", "time(0)", ["12:34:57"]),
    ("tz", "timetz", ["04:05:06.789-08", "00:00:00+15:59:59", "24:00:00-15:59", "10:00:00+05:30", "01:02:03+00"]),
    ("ts", "timestamp", ["0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999", "4713-01-01 00:00:00 BC",
                         "294246-12-31 23:59:59.999999", "infinity", "-infinity", "2024-02-29 12:00:00.5"]),
    ("tstz", "timestamptz", ["0001-01-01 00:00:00+00", "1969-12-31 23:59:59.999999+00", "4713-01-01 00:00:00+00 BC", "infinity", "-infinity",
                             "2024-06-01 12:00:00+05:45"]),
    ("iv", "interval", ["0", "1 year 2 mons 3 days 04:05:06.789", "-1 mon 1 day -1 hour", "178000000 years", "-178000000 years",
                        "2147483647 days", "-0.000001 s", "2562047788:00:54.775807", "-13 months 00:00:00.5"]),
    ("u", "uuid", ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("j", "json", ['{"a":  1, "a": [null, "\\u00fc"]}', "null"]),
    ("jb", "jsonb", ['{"b": 1, "a": [null, "ü"]}', "null", "1.50"]),
    ("ai", "int4[]", ["{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[-1:1]={1,2,3}", "{{{1}},{{2}}}"]),
    ("an", "numeric(10,3)[]", ["{1.5,NULL,-99.125}"]),
    ("at", "text[]", ['{"",NULL,"a,b","NULL"}', "{grüße}"]),
    ("ab", "bytea[]", ['{"\\\\x00ff",NULL}']),
    ("ad", "date[]", ["{2024-02-29,infinity,NULL}"]),
    ("ae", "mood[]", ['{happy,"so so"}']),
    ("adom", "positive[]", ["{1.25,NULL}"]),
    ("domarr", "pair", ["{1,2}"]),
    ("ats", "timestamptz[]", ['{"2024-06-01 12:00:00+00"}']),
    ("auu", "uuid[]", ["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]),
    ("ajb", "jsonb[]", ['{"{\\"a\\": 1}"}']),
    ("aiv", "interval[]", ["{1 mon}"]),
    ("inet", "inet", ["192.168.0.1/24", "::1"]),
    ("ainet", "inet[]", ["{10.0.0.1,NULL}"]),
    ("cidr", "cidr", ["10.0.0.0/8"]),
    ("mac", "macaddr", ["08:00:2b:01:02:03"]),
    ("money", "money", ["12.34"]),
    ("bits", "bit varying", ["10110", ""]),
    ("x", "xml", ["<a>ü</a>"]),
    ("tsv", "tsvector", ["fat & cat"]),
    ("rng", "int4range", ["[1,10)", "empty"]),
    ("trng", "tstzrange", ["[2024-01-01 00:00:00+00,infinity)"]),
    ("mrng", "int4multirange", ["{[1,3),[5,8)}"]),
    ("comp", "two", ['(1,"a b")']),
    ("acomp", "two[]", ['{"(1,a)",NULL}']),
    ("pt", "point", ["(1.5,-2)"]),
    ("xid", "xid", ["7"]),
    ("lsn", "pg_lsn", ["16/B374D848"]),
    ("ov", "oidvector", ["1 2 3"]),
    ("rc", "regclass", ["pg_class"]),
]

TYPES = """
CREATE TYPE mood AS ENUM ('happy', 'so so', 'übel');
CREATE DOMAIN positive AS numeric(7,2) CHECK (value > 0);
CREATE DOMAIN deeper AS positive;
CREATE DOMAIN short_text AS varchar(5);
CREATE DOMAIN pair AS int[] CHECK (array_length(value, 1) = 2);
CREATE TYPE two AS (a int, b text);
"""

CASTS = {"ch", "inet", "cidr", "mac", "money", "bits", "x", "tsv", "rng", "trng", "mrng", "comp", "pt", "xid", "lsn", "ov", "rc"}
ARRAY_CASTS = {"ainet", "acomp"}
SETTINGS = "-c IntervalStyle=iso_8601 -c DateStyle=ISO,MDY -c extra_float_digits=1 -c bytea_output=hex -c TimeZone=UTC"


def literal(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def make_table(server):
    """Table `types`, rows numbered by `row`; how many there are."""
    n = max(len(values) for _, _, values in COLUMNS) + 1
    rows = []
    for i in range(n):
        cells = [literal(values[i] if i < len(values) else None) + f"::{type_}" for _, type_, values in COLUMNS]
        rows.append(f"({i}, {', '.join(cells)})")
    columns = ", ".join(f"{name} {type_}" for name, type_, _ in COLUMNS)
    server.sql(TYPES + f"CREATE TABLE types (row int, {columns});\nINSERT INTO types VALUES {', '.join(rows)};")
    return n
