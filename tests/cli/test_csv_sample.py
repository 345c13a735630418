"""What the types of a long file are inferred from: its head and pieces from all over it, each row once."""
import pyarrow.parquet as pq
import pytest

HEAD = 256 << 10
PIECES = 16
PIECE = 32 << 10


def types_of(tool, *args):
    return dict(line.split() for line in tool.ok("schema", *args).stdout.decode().splitlines()[1:])


@pytest.mark.parametrize("row", [300, 600, 2000, 7999])
def test_one_wrong_value_counts_once(tool, write, row):
    write("a.csv", "id,c\n" + "".join(f"{i:0100},{'x1' if i == row else '2.5'}\n" for i in range(8000)))
    assert types_of(tool, "--max-rejects", "1", "--types", "id=string", "a.csv")["c"] == "float64"


@pytest.mark.parametrize("piece", [5, 6, 9, 15])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_piece_that_is_left_out_hides_no_other(tool, write, piece, quoted):
    """A row of the head has a row end, so a piece without quotes could be all text of one, and is left out; those behind it are not."""
    size, width = 1200 << 10, 64
    begin = (size - PIECE) // PIECES * piece
    rows, at = ['1,"two\nlines"\n'], 0
    while at < size:
        here = begin - 2000 <= at < begin + PIECE + 8000
        rows.append(f'1.5,"{"p" * (width - 7)}"\n' if here else f'1,"{"p" * (width - 5)}"\n' if quoted else f'1,{"p" * (width - 3)}\n')
        at += width
    write("a.csv", "x,q\n" + "".join(rows))
    assert types_of(tool, "a.csv")["x"] == "float64"
    said = tool.ok("convert", "--overwrite", "a.csv", "a.parquet").stderr.decode()
    assert "widened" not in said
    assert sum(pq.read_table(tool.cwd / "a.parquet")["x"].to_pylist()) == sum(float(row.split(",")[0]) for row in rows)
