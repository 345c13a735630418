"""Do two results hold the same cells?  compare.py FILE.csv FILE.parquet: against what pyarrow.csv reads, cell for cell."""
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet


def normal(column):
    """One Arrow type per kind of value, so that only values are compared."""
    kind = column.type
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", tz="UTC" if kind.tz else None))
    if pa.types.is_date(kind):
        return column.cast(pa.date32())
    if pa.types.is_boolean(kind):
        return column
    return column.cast(pa.large_string())


def difference(ours, theirs):
    """None if equal, else a sentence about the first difference."""
    if ours.column_names != theirs.column_names:
        return f"columns {ours.column_names} and {theirs.column_names}"
    if ours.num_rows != theirs.num_rows:
        return f"{ours.num_rows} and {theirs.num_rows} rows"
    for name in ours.column_names:
        a, b = normal(ours[name]), normal(theirs[name])
        if {str(a.type), str(b.type)} == {"date32[day]", "timestamp[us]"}:  # pandas has no dates but midnights
            a, b = a.cast("timestamp[us]"), b.cast("timestamp[us]")
        if a.type != b.type:
            return f"column {name}: types {a.type} and {b.type}"
        # an empty unquoted field is null with us; readers that cannot tell it from "" give either
        if pa.types.is_large_string(a.type):
            a, b = pc.fill_null(a, ""), pc.fill_null(b, "")
        if a.null_count != b.null_count:
            return f"column {name}: {a.null_count} and {b.null_count} nulls"
        same = pc.fill_null(pc.equal(a, b), True)
        if not pc.all(same).as_py():
            row = pc.index(same, False).as_py()
            return f"column {name}, row {row}: {a[row]} and {b[row]}"
    return None


def read_csv(path):
    return pyarrow.csv.read_csv(path, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True))


def main():
    csv, parquet = sys.argv[1:3]
    ours = pyarrow.parquet.read_table(parquet, page_checksum_verification=True)
    theirs = read_csv(csv)
    found = difference(ours, theirs)
    if found:  # a tool may write the rows in another order
        order = [(name, "ascending") for name in ours.column_names]
        if difference(ours.sort_by(order), theirs.sort_by(order)) is None:
            found = None
    if found:
        print(f"compare: {parquet} differs from {csv}: {found}")
        return 1
    print(f"compare: {ours.num_rows} rows x {ours.num_columns} columns equal, cell for cell")
    return 0


if __name__ == "__main__":
    sys.exit(main())
