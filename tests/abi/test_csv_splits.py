"""Pieces of CSV sources through the plugin: cut by one process and read by others they are the whole."""

import gzip
import json
import os

import pyarrow as pa
import pytest

from csv_splits import Failure, Reader, cut, read, read_elsewhere


def config(*paths, **options):
    return {"type": "csv", "files": [{"path": str(p)} for p in paths], "engine": {"options": options}}


def put(tmp_path, n, name="a.csv", header="id,name,at"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f'{i},"line {i}\nand ""{i}""",2024-01-{i % 28 + 1:02}T00:00:00Z' for i in range(n)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def joined(tables):
    return pa.concat_tables(tables).combine_chunks()


def same(conf, target, n_least):
    pieces = cut(conf, target)
    assert len(pieces) >= n_least
    tables = [read(conf, piece["token"]) for piece in pieces]
    assert [t.num_rows for t in tables] == [p["rows"] for p in pieces]
    whole = read(conf)
    assert joined(tables).equals(whole.combine_chunks())
    return pieces


def test_read_by_other_processes(tmp_path):
    conf = config(put(tmp_path, 3000), put(tmp_path, 500, "b.csv"), row_number="n", file_name="f")
    pieces = same(conf, 40000, 4)
    assert {p["path"] for p in pieces} == {f["path"] for f in conf["files"]}
    assert sum(p["bytes"] for p in pieces) == sum(os.path.getsize(f["path"]) - len("id,name,at\n") for f in conf["files"])
    for piece in pieces[1], pieces[-1]:
        assert json.loads(piece["token"])["rows"] == piece["rows"]
        assert read_elsewhere(conf, piece["token"]).equals(read(conf, piece["token"]))


def test_options_in_pieces(tmp_path):
    path = put(tmp_path, 2000)
    same(config(path, columns=["name", "n", "id"], row_number="n", limit=700), 10000, 3)
    same(config(path, inference="strings", exclude=["at"], names="snake_case"), 10000, 3)
    same(config(path, types={"id": "decimal(9,2)"}, required=["id"], skip_footer=4), 10000, 3)
    same(config(put(tmp_path, 900, "y=1/a.csv"), put(tmp_path, 900, "y=22/b.csv"), hive_partitioning=True), 20000, 4)
    same(config(path, put(tmp_path, 900, "c.csv", "other,name,id"), union_by_name=True), 20000, 4)
    # how it is read may differ, what is read may not
    token = cut(config(path), 10000)[1]["token"]
    assert read(config(path, n_threads=1, block_bytes=77), token).equals(read(config(path), token))
    for other in {"trim": True}, {"limit": 5}, {"file_name": "f"}, {"columns": ["id"]}, {"inference": "strings"}:
        with pytest.raises(Failure, match="another configuration"):
            read(config(path, **other), token)


def test_rows_that_are_left_out_are_not_numbered(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f"{i},x\n" if i % 3 else f"{i}\n" for i in range(9000)))
    same(config(path, ragged="skip", row_number="n"), 10000, 4)


def test_errors_are_those_of_the_whole(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f'{i},"x\ny"\n' for i in range(40000)) + "x,\n" + "1,2\n" * 40000)
    conf = config(path, types={"a": "int64"})
    with pytest.raises(Failure) as whole:
        read(conf)
    pieces, failures = cut(conf, 200000), []
    for piece in pieces:
        try:
            assert read(conf, piece["token"]).num_rows == piece["rows"]
        except Failure as failure:
            failures.append(failure.place)
    assert failures == [whole.value.place]
    assert whole.value.place[1:3] == [40001, 80002]
    # what is wrong with a row is told when the source is cut
    path.write_text(path.read_text().replace("x,\n", "1,2,3\n"))
    with pytest.raises(Failure) as whole:
        read(conf)
    with pytest.raises(Failure) as cutting:
        cut(conf, 200000)
    assert cutting.value.place == whole.value.place


def test_refused(tmp_path):
    path = put(tmp_path, 500)
    conf = config(path)
    pieces = cut(conf, 5000)
    with Reader(conf, pieces[0]["token"]) as piece, pytest.raises(Failure, match="not cut again"):
        piece.splits(1000)
    with pytest.raises(Failure, match="no token"):
        read(conf, "{}")
    with pytest.raises(Failure, match="counts over all rows") as refused:
        cut(config(path, max_rejects=3), 5000)
    assert refused.value.option == "max_rejects"
    with open(path, "a") as more:
        more.write("9,x,2024-01-01T00:00:00Z\n")
    with pytest.raises(LookupError, match="changed since it was cut"):
        read_elsewhere(conf, pieces[0]["token"])


def test_packed_files_are_one_piece_each(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(put(tmp_path, 3000).read_bytes()))
    pieces = same(config(path, tmp_path / "a.csv", row_number="n"), 50000, 3)
    assert [p["path"] for p in pieces].count(str(path)) == 1
    with Reader(config(path), cut(config(path), 5)[0]["token"]) as piece:
        assert piece.read().num_rows == 3000
        assert piece.report()["rows"] == 3000


def test_types_are_those_of_the_whole(tmp_path):
    """A piece has the types of the sample of the whole, and with those of all values no value is refused."""
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "1,1,\n" * 200000 + "2,2.5,x\n" + "3,3,4\n" * 10)
    pieces = cut(config(path), 100000)
    tables = [read(config(path), p["token"]) for p in pieces[:-1]]
    assert {str(t.schema) for t in tables} == {str(tables[0].schema)}
    wide = config(path, widened={"b": "float64"})
    assert joined([read(wide, p["token"]) for p in cut(wide, 100000)]).equals(read(wide).combine_chunks())
