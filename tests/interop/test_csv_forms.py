"""Values written in other ways, read with the same options by us and by pandas, DuckDB or Python: formats, commas, nulls, words, quotes."""

import csv
import datetime
import decimal
import os
import random
import subprocess

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import BIN

ENVIRONMENT = dict(os.environ, DATIVO_PLUGIN_PATH=os.environ["DN_PLUGINS"])


def run(tmp_path, *arguments):
    command = [str(BIN), "convert", "--overwrite", *arguments, str(tmp_path / "in.csv"), str(tmp_path / "out.parquet")]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)


def convert(tmp_path, text, *arguments):
    (tmp_path / "in.csv").write_text(text, encoding="utf-8", newline="")
    done = run(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    return pq.read_table(tmp_path / "out.parquet")


def random_moments(seed, n=400, first_year=1000):
    """Ends of every range, and what lies between."""
    r = random.Random(seed)
    for _ in range(n):
        year = r.choice([first_year, 1900, 1969, 1970, 2000, 2024, 9999, r.randint(first_year, 9999)])
        month = r.choice([1, 2, 12, r.randint(1, 12)])
        day = r.choice([1, 28, r.randint(1, 28)])
        hour = r.choice([0, 11, 12, 23, r.randint(0, 23)])
        second = r.choice([0, 59, r.randint(0, 59)])
        yield datetime.datetime(year, month, day, hour, r.choice([0, 59]), second, r.choice([0, 1, 999999, 500000]))


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%B %d, %Y", "%Y%m%d", "%Y-%j", "%d-%m-%Y", "%Y/%m/%d"])
def test_dates_as_python_writes_them(tmp_path, form):
    days = [m.date() for m in random_moments(form)]
    rows = "".join(f'"{d.strftime(form)}";x\n' for d in days)
    table = convert(tmp_path, "d;s\n" + rows, "--delimiter", ";", "--date-format", form)
    assert table.schema.field("d").type == pa.date32()
    assert table["d"].to_pylist() == days
    assert table["d"].to_pylist() == [datetime.datetime.strptime(d.strftime(form), form).date() for d in days]


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d%H%M%S", "%d/%b/%Y:%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S,%f"])
def test_timestamps_as_pandas_reads_them(tmp_path, form):
    texts = [m.strftime(form) for m in random_moments(form, first_year=1700) if m.year < 2262]
    table = convert(tmp_path, "t;s\n" + "".join(f"{t};x\n" for t in texts), "--delimiter", ";", "--timestamp-format", f"t={form}")
    assert table.schema.field("t").type == pa.timestamp("us")
    assert table["t"].to_pylist() == pd.to_datetime(pd.Series(texts), format=form).dt.to_pydatetime().tolist()


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M:%S %z", "%Y-%m-%dT%H:%M:%S%z", "%d.%m.%y %H:%M%z"])
def test_zones_as_python_reads_them(tmp_path, form):
    zones = ["Z", "+0000", "-1130", "+05:30", "+2359", "-23:59"]
    plain = form.replace("%z", "")
    texts = [m.strftime(plain) + zones[i % len(zones)] for i, m in enumerate(random_moments(form, first_year=1700)) if m.year < 9999]
    table = convert(tmp_path, "t;s\n" + "".join(f"{t};x\n" for t in texts), "--delimiter", ";", "--timestamp-format", form)
    assert table.schema.field("t").type == pa.timestamp("us", "UTC")
    assert table["t"].to_pylist() == [datetime.datetime.strptime(t, form).astimezone(datetime.timezone.utc) for t in texts]


def test_zones_of_hours_alone(tmp_path):
    table = convert(tmp_path, "t;s\n31.01.2024 10:00+05;x\n31.01.2024 10:00-11;x\n", "--timestamp-format", "%d.%m.%Y %H:%M%z", "--delimiter", ";")
    assert [t.isoformat() for t in table["t"].to_pylist()] == ["2024-01-31T05:00:00+00:00", "2024-01-31T21:00:00+00:00"]


@pytest.mark.parametrize("form", ["%I:%M %p", "%H.%M.%S", "%H%M"])
def test_times_as_python_reads_them(tmp_path, form):
    texts = [m.strftime(form) for m in random_moments(form)]
    table = convert(tmp_path, "t;s\n" + "".join(f"{t};x\n" for t in texts), "--time-format", f"t={form}", "--delimiter", ";", "--types", "t=time")
    assert table["t"].to_pylist() == [datetime.datetime.strptime(t, form).time() for t in texts]


def test_dates_as_duckdb_reads_them(tmp_path):
    texts = ["01/02/2024", "31/12/1999", "29/02/2000", "1/3/2024"]
    table = convert(tmp_path, "d,n\n" + "".join(f"{t},1\n" for t in texts), "--date-format", "%d/%m/%Y")
    path = tmp_path / "in.csv"
    theirs = duckdb.sql(f"select d from read_csv('{path}', dateformat='%d/%m/%Y', types={{'d': 'DATE'}})").fetchall()
    assert table["d"].to_pylist() == [d for (d,) in theirs]
    assert convert(tmp_path, path.read_text()).schema.field("d").type == pa.string()  # day or month first: nobody says


def random_numbers(seed):
    r = random.Random(seed)
    ends = [0, 1, -1, 999, 1000, -1000, 999999, 1000000, 2**53, -(2**63), 2**63 - 1]
    return ends + [r.randint(-(10 ** r.randint(1, 18)), 10 ** r.randint(1, 18)) for _ in range(400)]


@pytest.mark.parametrize("point, thousands", [(",", "."), (",", " "), (".", ","), (".", "'"), (",", "_")])
def test_numbers_as_pandas_reads_them(tmp_path, point, thousands):
    whole = random_numbers(thousands)
    grouped = [f"{n:,}".replace(",", thousands) for n in whole]
    floats = [f"{n / 1000:,.3f}".replace(",", "|").replace(".", point).replace("|", thousands) for n in whole if abs(n) < 2**50]
    floats += ["0" + point + "5"] * (len(whole) - len(floats))
    text = "n;x;s\n" + "".join(f"{n};{x};t\n" for n, x in zip(grouped, floats))
    table = convert(tmp_path, text, "--delimiter", ";", "--decimal", point, "--thousands", thousands)
    assert [str(f.type) for f in table.schema] == ["int64", "double", "string_view" if str(table.schema[2].type) == "string_view" else "string"]
    theirs = pd.read_csv(tmp_path / "in.csv", sep=";", decimal=point, thousands=thousands)
    assert table["n"].to_pylist() == whole
    assert table["x"].to_pylist() == theirs["x"].tolist()


def test_numbers_beyond_floats_keep_their_digits(tmp_path):
    table = convert(tmp_path, "u;x;i\n18.446.744.073.709.551.615;1.001,999999999999999785;-128\n1;-2.000.000,5;1,27e2\n", "--delimiter", ";",
                    "--decimal", ",", "--thousands", ".", "--types", "i=decimal(5,1)")
    assert [str(f.type) for f in table.schema] == ["uint64", "decimal128(38, 18)", "decimal128(5, 1)"]
    assert table["u"].to_pylist() == [18446744073709551615, 1]
    assert table["x"].to_pylist() == [decimal.Decimal("1001.999999999999999785"), decimal.Decimal("-2000000.5")]
    assert table["i"].to_pylist() == [-128, 127]


def test_types_that_turn_out_wider_far_down(tmp_path):
    """Behind the sample: a fraction, a first date, and a number that is no date, which ends that all of its column are."""
    rows = "".join(f"{k % 900};;20240101\n" for k in range(25000))
    table = convert(tmp_path, "a;b;c\n" + rows + "1.234,5;02.02.2024;99999999\n", "--delimiter", ";", "--decimal", ",", "--thousands", ".",
                    "--date-format", "b=%d.%m.%Y", "--date-format", "c=%Y%m%d")
    assert [str(f.type) for f in table.schema] == ["double", "date32[day]", "int64"]
    assert table.slice(25000).to_pylist() == [{"a": 1234.5, "b": datetime.date(2024, 2, 2), "c": 99999999}]
    assert table["a"].to_pylist()[:25000] == [float(k % 900) for k in range(25000)]


@pytest.mark.parametrize("value", ["1.23", "1234.567", "1.2345", "0.123", "1..234", ".123", "1.234.56"])
def test_groups_that_are_cut_are_no_numbers(tmp_path, value):
    table = convert(tmp_path, f"n;s\n{value};1.234\n", "--delimiter", ";", "--decimal", ",", "--thousands", ".")
    assert table.to_pylist() == [{"n": value, "s": 1234}]


def test_nulls_of_columns_as_pandas_has_them(tmp_path):
    text = 'id,temp,code,name\n1,21.5,9999,9999\n2,9999,12,x\n3,"9999",NA,NA\n4,-,9999,-\n5,7.25,,\n'
    table = convert(tmp_path, text, "--null-values", "temp=9999,-", "--null-values", "=NA,code=12")
    theirs = pd.read_csv(tmp_path / "in.csv", keep_default_na=False, dtype_backend="pyarrow",
                         na_values={"temp": ["9999", "-", "NA", ""], "code": ["NA", "12", ""], "name": ["NA", ""], "id": ["NA", ""]})
    assert table.to_pydict() == {c: pa.array(theirs[c]).to_pylist() for c in theirs.columns}


@pytest.mark.parametrize("n", [512, 513, 5000])
def test_long_texts_are_in_no_form(tmp_path, n):
    flags = ["--delimiter", ";", "--decimal", ",", "--date-format", "%d.%m.%Y"]
    for text in ["0," + "1" * (n - 2), "9" * n, " " * n]:
        assert convert(tmp_path, f"v;s\n{text};1\n", *flags)["v"].to_pylist() == [text]


@pytest.mark.parametrize("flags, text", [
    (["--date-format", "%d.%m.%Y"], "2024-01-31"), (["--time-format", "%H.%M"], "10:11:12"), (["--timestamp-format", "%d.%m.%Y %H:%M"], "2024-01-31 10:11:12"),
    (["--timestamp-format", "%d.%m.%Y %H:%M"], "2024-01-31T10:11:12Z"), (["--decimal", ","], "1.5"), (["--true-values", "ja"], "true")])
def test_the_usual_form_is_none_beside_another(tmp_path, flags, text):
    assert convert(tmp_path, f"v;s\n{text};1\n", "--delimiter", ";", *flags)["v"].to_pylist() == [text]
    assert convert(tmp_path, f"v;s\n{text};1\n", "--delimiter", ";")["v"].to_pylist() != [text]


@pytest.mark.parametrize("digits, nanos", [("1", 100000000), ("123456789", 123456789), ("12345678900", 123456789), ("1234567891", None), ("0000000001", None)])
def test_no_digit_of_a_fraction_is_lost(tmp_path, digits, nanos):
    text = f"31.01.2024 10:00:00.{digits}"
    value = convert(tmp_path, f"v;s\n{text};1\n", "--delimiter", ";", "--timestamp-format", "%d.%m.%Y %H:%M:%S.%f")["v"]
    assert (value.cast(pa.timestamp("ns")).cast(pa.int64())[0].as_py() % 10**9 == nanos) if nanos else (value.to_pylist() == [text])


def test_columns_that_the_file_lacks_have_forms(tmp_path):
    flags = ["--reader-option", "missing_as_null=true", "--columns", "a,z", "--null-values", "z=9,a=1", "--date-format", "z=%d.%m.%Y"]
    assert convert(tmp_path, "a\n1\n2\n", *flags).to_pydict() == {"a": [None, 2], "z": [None, None]}
    flags.remove("missing_as_null=true")
    flags.remove("--reader-option")
    (tmp_path / "in.csv").write_text("a\n1\n")
    done = run(tmp_path, *flags[2:])
    assert done.returncode == 2 and 'names the column "z", which the file does not have' in done.stderr


def test_quoted_nulls(tmp_path):
    text = 'n,s\n"1","a"\n"NULL","NULL"\n"3",NULL\n'
    assert convert(tmp_path, text, "--null-values", "NULL").to_pydict() == {"n": [1, None, 3], "s": ["a", "NULL", None]}
    assert convert(tmp_path, text, "--null-values", "NULL", "--quoted-nulls").to_pydict() == {"n": [1, None, 3], "s": ["a", None, None]}
    assert convert(tmp_path, text, "--null-values", "NULL", "--quoted-nulls", "--quoted", "text").to_pydict() == {"n": [1, None, 3], "s": ["a", None, None]}
    path = tmp_path / "in.csv"
    theirs = duckdb.sql(f"select * from read_csv('{path}', nullstr='NULL', allow_quoted_nulls=true)").fetchall()
    assert theirs == [(1, "a"), (None, None), (3, None)]
    done = run(tmp_path, "--null-values", "NULL", "--quoted", "text", "--types", "n=int64")
    assert done.returncode == 2 and "'\"NULL\"' is not a value of type int64" in done.stderr


def test_words_as_pandas_has_them(tmp_path):
    text = "a,b\nJa,true\nNein,no\n,yes\n\"Ja\",false\n"
    table = convert(tmp_path, text, "--true-values", "Ja,yes", "--false-values", "Nein,no", "--types", "a=bool")
    theirs = pd.read_csv(tmp_path / "in.csv", true_values=["Ja"], false_values=["Nein"])
    assert table["a"].to_pylist() == [None if pd.isna(v) else bool(v) for v in theirs["a"]] == [True, False, None, True]
    assert table["b"].to_pylist() == ["true", "no", "yes", "false"]


def test_blanks_as_pandas_skips_them(tmp_path):
    text = " id , name,\tx\n1 ,  a b , 1.5\n2,  , NA\n"
    table = convert(tmp_path, text, "--trim", "--null-values", "NA")
    assert table.to_pylist() == [{"id": 1, "name": "a b", "x": 1.5}, {"id": 2, "name": None, "x": None}]
    theirs = pd.read_csv(tmp_path / "in.csv", sep=r"\s*,\s*", engine="python", skipinitialspace=True)
    assert table["x"].to_pylist()[0] == theirs.iloc[0, 2]


@pytest.mark.parametrize("seed", range(4))
def test_quotes_on_some_say_nothing(tmp_path, seed):
    r = random.Random(seed)
    rows = [[str(r.randint(-99, 99)), f"{r.randint(0, 99)}.5", r.choice(["true", "false"]), "2024-01-%02d" % r.randint(1, 31)] for _ in range(50)]
    text = "a,b,c,d\n" + "".join(",".join(f'"{v}"' if r.random() < 0.5 else v for v in row) + "\n" for row in rows) + "1,1.5,true,2024-01-01\n" * 2
    table = convert(tmp_path, text)
    theirs = list(csv.reader(text.splitlines()))[1:]
    assert [str(f.type) for f in table.schema] == ["int64", "double", "bool", "date32[day]"]
    assert [list(map(str, row.values())) for row in table.to_pylist()] == [[a, b, c.capitalize(), d] for a, b, c, d in theirs]
    assert str(convert(tmp_path, text, "--quoted", "text").schema.field("a").type).startswith("string")


def test_texts_that_look_like_numbers_come_back_from_our_own_files(tmp_path):
    r = random.Random(5)
    for n in range(2, 40):
        texts = [r.choice(["10001", "007", "1.5", "true", "2024-01-31", "NULL", "", None, "5"]) for _ in range(n)]
        if len({t for t in texts if t not in (None, "", "NULL")} | set()) and sum(t not in (None, "", "NULL") for t in texts) > 1:
            pq.write_table(pa.table({"k": range(n), "t": pa.array(texts, pa.string())}), tmp_path / "t.parquet")
            command = [str(BIN), "convert", "--overwrite", str(tmp_path / "t.parquet"), str(tmp_path / "in.csv")]
            subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, timeout=60)
            for nulls in ([], ["--null-values", "NULL"]):
                assert run(tmp_path, *nulls).returncode == 0
                assert pq.read_table(tmp_path / "out.parquet")["t"].to_pylist() == texts, texts


def test_messages_name_the_flags(tmp_path):
    (tmp_path / "in.csv").write_text("d;x\n31.01.2024;1.234,5\n")
    done = run(tmp_path, "--delimiter", ";", "--types", "d=date")
    assert done.returncode == 2 and "is not a value of type date, but would be one with --date-format '%d.%m.%Y'; " in done.stderr
    done = run(tmp_path, "--delimiter", ";", "--types", "x=float64")
    assert done.returncode == 2 and "but would be a number with --decimal ',' and --thousands '.'; " in done.stderr
    done = run(tmp_path, "--delimiter", ";", "--date-format", "d=%d.%m")
    assert done.returncode == 2 and "--date-format: '%d.%m' is no such format: it needs a year" in done.stderr
    done = run(tmp_path, "--delimiter", ";", "--thousands", ".")
    assert done.returncode == 2 and "have --decimal ',' and --thousands '.'" in done.stderr
    done = run(tmp_path, "--time-fromat", "%H")
    assert done.returncode == 2 and "did you mean --time-format?" in done.stderr
    done = run(tmp_path, "--reader-option", "decimel=,")
    assert done.returncode == 2 and 'did you mean "decimal"?' in done.stderr


ASSET = """name: t
version: 1.0.0
source_type: csv
object: t
team: {owner: a@b.c}
domain: sales
dataProduct: shop
schema:
  - {name: d, type: date}
  - {name: born, type: date}
  - {name: x, type: double}
  - {name: t, type: integer}
"""
JOB = """tenant_id: t
source_connector: csv
target_connector: local
asset_path: asset.yaml
source:
  files:
    - {path: in.csv}
  engine:
    options:
      delimiter: ";"
      decimal: ","
      thousands: "."
      date_format: {born: "%m/%d/%y", "": ["%Y-%m-%d", "%d.%m.%Y"]}
      null_values: {born: ["-"], "": ["NA"]}
      trim: true
target:
  connection: {path: out}
schema_validation_mode: strict
"""


def test_jobs_have_the_same_options(tmp_path):
    (tmp_path / "in.csv").write_text("d;born;x;t\n31.01.2024;2/1/24; 1.234,5;9\n2024-02-01;-;NA;NA\n", encoding="utf-8")
    (tmp_path / "asset.yaml").write_text(ASSET)
    (tmp_path / "job.yaml").write_text(JOB)
    done = subprocess.run([str(BIN.resolve()), "run", "job.yaml"], cwd=tmp_path, env=dict(ENVIRONMENT, DATIVO_PLUGIN_PATH=os.path.abspath(os.environ["DN_PLUGINS"])), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("out/**/*.parquet")
    assert pq.read_table(path).to_pylist() == [
        {"d": datetime.date(2024, 1, 31), "born": datetime.date(2024, 2, 1), "x": 1234.5, "t": 9},
        {"d": datetime.date(2024, 2, 1), "born": None, "x": None, "t": None},
    ]
