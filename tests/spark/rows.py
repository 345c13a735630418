"""What the tests in Spark compare with."""

import json
import pathlib

from pyspark.sql import functions as F

SOURCE = pathlib.Path(__file__).parents[2]
NAMES = ["id", "name", "price", "ratio", "day", "at", "flag"]
SCHEMA = "id long, name string, price decimal(12,2), ratio double, day date, at timestamp, flag boolean"


def fingerprint(frame):
    """Two frames with the same rows, in whatever order, have the same, and hardly others: how many rows, sums over the hashes of the
    rows, and of each column how many values that are not null, and a sum over their hashes."""
    columns = [F.col(f"`{name}`") for name in frame.columns]
    hashes = F.xxhash64(*columns).cast("decimal(38,0)")
    of_columns = [of for one in columns for of in (F.count(one), F.sum(F.xxhash64(one).cast("decimal(38,0)")))]
    return tuple(frame.select(F.count("*"), F.sum(hashes), F.sum(hashes % 1000003 * hashes % 999983), *of_columns).first())


def clean(path):
    """How many rows a folder has, which is complete, and nothing else is left."""
    names = sorted(one.name for one in pathlib.Path(path).iterdir())
    manifest = json.loads((pathlib.Path(path) / "_manifest.json").read_text())
    assert [name for name in names if not name.startswith("part-")] == ["_SUCCESS", "_manifest.json"]
    assert sorted(one["file"] for one in manifest["files"]) == [name for name in names if name.startswith("part-")]
    return manifest["rows"]
