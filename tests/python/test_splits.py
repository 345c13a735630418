"""Pieces of a source: in other processes, and put together again."""

import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

import dativo_native as dn


@pytest.fixture
def quoted(tmp_path):
    """Rows whose texts have line ends, quotes and commas, so that most places to cut at are none."""
    path = tmp_path / "quoted.csv"
    rows = "".join(f'{i},"line ""{i}"",\n\n{"x" * (i % 50)}\n",{i / 4},2024-02-{i % 28 + 1:02}\n' for i in range(5000))
    path.write_text("id,text,price,day\n" + rows)
    return path


def test_the_pieces_are_the_whole(quoted):
    reader = dn.read_csv(quoted, row_number="n", types={"price": "decimal(9,2)"})
    pieces = reader.splits(7000)
    whole = pa.table(reader)
    assert len(pieces) > 20 and sum(piece.rows for piece in pieces) == 5000
    assert pa.concat_tables(pa.table(piece) for piece in pieces) == whole
    assert pieces[3].schema == reader.schema and repr(pieces[3]).startswith("<dativo_native.Split of /")


def test_in_another_process(quoted, tmp_path, environment, monkeypatch):
    monkeypatch.chdir(tmp_path)
    piece = dn.read_csv("quoted.csv", infer="all", columns=["text", "id"], strings="view").splits("20kB")[4]
    (tmp_path / "piece").write_bytes(pickle.dumps(piece))
    script = "import dativo_native as dn, pickle; print(dn.write_parquet(pickle.load(open('../piece', 'rb')), 'p.parquet').rows_out)"
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path / "elsewhere", env=environment, capture_output=True, text=True)
    assert done.stdout == f"{piece.rows}\n", done.stderr
    written = pa.table(dn.read_parquet(tmp_path / "elsewhere/p.parquet"))
    assert written == pa.table(piece).cast(written.schema)


def test_refused(quoted, tmp_path, orders):
    piece = dn.read_csv(quoted).splits(7000)[1]
    with pytest.raises(dn.DativoError, match="not cut again"):
        piece.splits()
    with pytest.raises(dn.DativoError, match="size is a number of bytes") as caught:
        dn.read_csv(quoted).splits("7 bytes")
    assert caught.value.option == "size"
    with pytest.raises(dn.DativoError, match="max_rejects"):
        dn.read_csv(quoted, max_rejects=3).splits()
    with pytest.raises(dn.DativoError, match="cuts no pieces|cannot be cut|pieces"):
        dn.convert(orders, tmp_path / "o.parquet")
        dn.read_parquet(tmp_path / "o.parquet").splits()
    quoted.write_text(quoted.read_text().replace("line", "LINE"))
    with pytest.raises(dn.DativoError, match="quoted.csv"):
        piece.schema
    with pytest.raises(dn.DativoError, match="quoted.csv"):
        dn.write_parquet(piece, tmp_path / "p.parquet")


def test_a_value_that_does_not_fit_is_an_error_of_its_piece(tmp_path):
    path = tmp_path / "late.csv"
    path.write_text("id\n" + "1\n" * 2_000_000 + "x\n")
    pieces = dn.read_csv(path).splits("1MB")
    assert pa.table(pieces[0]).num_rows == pieces[0].rows
    with pytest.raises(dn.DativoError, match="line 2000002") as caught:
        dn.write_parquet(pieces[-1], tmp_path / "p.parquet")
    assert (caught.value.code, caught.value.column, caught.value.value) == ("type", "id", "x")
    assert pa.concat_tables(pa.table(piece) for piece in dn.read_csv(path, infer="all").splits("1MB"))["id"][-1].as_py() == "x"


def test_what_is_not_cut(tmp_path, orders):
    dn.convert(orders, tmp_path / "o.parquet")
    for reader in (dn.read_parquet(tmp_path / "o.parquet"), dn.read_postgres("postgres://me@host/db", table="t")):
        with pytest.raises(dn.DativoError, match="CSV alone") as caught:
            reader.splits()
        assert caught.value.code == "unsupported"
