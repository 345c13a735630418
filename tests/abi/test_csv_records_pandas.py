"""Records of the CSV reader at Level 0 against what others make of the same file: Python's json, and pandas' texts."""

import json
import random

import pandas as pd
import pytest
from stock_host import StockReader, reader_config

N_ROWS = 2300
WORDS = ["", "", "a", "0", "-0", "7", "-7", "007", "1.5", "1.50", "1e5", "0.0001", "0.00001", "12345678901234567890", "1234567890.1234567", "NA", "null", " pad ",
         "tab\there", "back\\slash", 'say "so"', "two\nlines", "a,b", "\x01\x1f\x7f", "été 中 🙂", "\u2028", "x" * 70, '"' * 40, "\\" * 1500]


def write(path, rng, n_columns):
    def field(text):
        return '"' + text.replace('"', '""') + '"' if rng.random() < 0.3 and text or any(c in text for c in '",\n\r') else text

    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(f"c{i}" for i in range(n_columns)) + "\n")
        for _ in range(N_ROWS):
            file.write(",".join(field(rng.choice(WORDS)) for _ in range(n_columns)) + "\n")


@pytest.mark.parametrize("inference", ["lossless", "strings"])
@pytest.mark.parametrize("batch", [1, 7, 1000, 100_000])
def test_records_are_the_texts_of_pandas(tmp_path, batch, inference):
    path = tmp_path / "a.csv"
    write(path, random.Random(batch), 5)
    expected = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    reader = StockReader(reader_config(path, options={"batch_size": batch, "inference": inference, "block_bytes": 4096}))
    rows = []
    while (text := reader.raw()) is not None:
        records = json.loads(text)
        rows += records
        assert len(records) == batch or len(rows) == N_ROWS
    assert len(rows) == N_ROWS
    for row, other in zip(rows, expected.to_dict("records"), strict=True):
        texts = {name: value if isinstance(value, str) else None if value is None else json.dumps(value) for name, value in row.items()}
        assert texts == {name: None if pd.isna(value) else value for name, value in other.items()}
    assert any(isinstance(value, float) for row in rows for value in row.values()) == (inference == "lossless")


def test_batches_span_files(tmp_path):
    paths = []
    for i, n in enumerate([3, 0, 5, 1]):
        paths.append(tmp_path / f"{i}.csv")
        paths[-1].write_text("file,row\n" + "".join(f"{i},{r}\n" for r in range(n)))
    config = reader_config(paths[0], options={"batch_size": 4})
    config["files"] = [{"path": str(path)} for path in paths]
    reader = StockReader(config)
    sizes = []
    while (text := reader.raw()) is not None:
        sizes.append(len(json.loads(text)))
    assert sizes == [4, 4, 1]
