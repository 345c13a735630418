"""CSV to a folder of Parquet files on a cluster of Dask: python with_dask.py orders.csv /shared/orders"""
import os
import sys

import dask

import dativo_native as dn


@dask.delayed
def task(piece, path):
    return dn.write_parquet(piece, path, compression="zstd", overwrite=True).rows_out  # the file is complete, or not there


if __name__ == "__main__":
    source, target = sys.argv[1:3]
    pieces = dn.read_csv(source, infer="all").splits("64MB")  # one pass: where rows begin, and of which types they are
    os.makedirs(target, exist_ok=True)
    rows = dask.compute(*[task(piece, f"{target}/part-{i:05}.parquet") for i, piece in enumerate(pieces)], scheduler="processes")
    assert sum(rows) == sum(piece.rows for piece in pieces)
    print(f"{sum(rows)} rows in {len(pieces)} files")
