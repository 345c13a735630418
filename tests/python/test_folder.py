"""The folder that tasks of an engine write to: complete or as it was, whatever is interrupted."""

import json
import os
import pickle
import threading

import pyarrow as pa
import pytest

import dativo_native as dn
from dativo_native._folder import Folder, finish_commit


def visible(path):
    """What a reader takes, if _SUCCESS says that it is complete."""
    if not (path / "_SUCCESS").exists():
        return None
    return sorted(pa.concat_tables(pa.table(dn.read_parquet(one)) for one in sorted(path.glob("[!_]*.parquet")))["a"].to_pylist())


def write(folder, numbers):
    return folder.write(pa.table({"a": pa.array(numbers, pa.int64())}), f"attempt-{os.urandom(4).hex()}", len(numbers), {"threads": 1})


def job(path, mode, *of_parts):
    folder = Folder(str(path), mode)
    folder.begin()
    parts = [write(pickle.loads(pickle.dumps(folder)), numbers) for numbers in of_parts]
    return folder, parts


def test_modes(tmp_path):
    place = tmp_path / "t"
    folder, parts = job(place, "error", [1, 2], [3])
    write(folder, [7, 7, 7])  # an attempt that nobody asks for
    assert visible(place) is None and folder.commit(parts).rows_out == 3
    assert visible(place) == [1, 2, 3]
    assert sorted(name.name[:10] for name in place.iterdir()) == ["_SUCCESS", "_manifest.", "part-00000", "part-00001"]
    with pytest.raises(dn.DativoError, match="mode append or overwrite") as caught:
        Folder(str(place), "error").begin()
    assert caught.value.code == "exists" and caught.value.option == "mode"
    folder, parts = job(place, "append", [4])
    folder.commit(parts)
    assert visible(place) == [1, 2, 3, 4]
    manifest = json.loads((place / "_manifest.json").read_text())
    assert manifest["rows"] == 4 and len(manifest["files"]) == 3 and manifest["schema"] == [{"name": "a", "type": "int64", "nullable": True}]
    folder, parts = job(place, "overwrite", [5])
    assert visible(place) == [1, 2, 3, 4]
    folder.commit(parts)
    assert visible(place) == [5]


def test_abort_leaves_what_was_there(tmp_path):
    folder, _ = job(tmp_path / "new", "append", [1])
    folder.abort()
    assert not (tmp_path / "new").exists()
    first, parts = job(tmp_path / "t", "append", [1])
    first.commit(parts)
    second, _ = job(tmp_path / "t", "overwrite", [2])
    second.abort()
    assert visible(tmp_path / "t") == [1] and not list((tmp_path / "t").glob("_staging*"))
    with pytest.raises(dn.DativoError, match="the job is over"):
        write(second, [3])


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_commit_that_is_interrupted_anywhere_is_finished(tmp_path, mode, monkeypatch):
    """At every system call that changes the folder: then all of it, or none of it, is there in the end."""
    calls = {name: getattr(os, name) for name in ("rename", "unlink", "fsync")}
    outcomes = set()
    for stop_at in range(1, 100):
        place = tmp_path / f"{stop_at}"
        folder, parts = job(place, "append", [1])
        folder.commit(parts)
        folder, parts = job(place, mode, [2], [3])
        n = [0]
        for name, call in calls.items():
            def counted(*arguments, call=call, **more):
                n[0] += 1
                if n[0] >= stop_at:  # and never again: the process is gone
                    raise KeyboardInterrupt
                return call(*arguments, **more)

            monkeypatch.setattr(os, name, counted)
        try:
            folder.commit(parts)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        for name, call in calls.items():
            monkeypatch.setattr(os, name, call)
        assert visible(place) in (None, [1], [1, 2, 3] if mode == "append" else [2, 3])
        finished = finish_commit(str(place))
        folder.abort()
        all_of_it = [1, 2, 3] if mode == "append" else [2, 3]
        seen = visible(place)
        assert seen == all_of_it if finished or not interrupted else seen in ([1], all_of_it)
        assert not list(place.glob("_staging*")) and not finish_commit(str(place))
        outcomes.add(len(seen))
        if not interrupted:
            break
    assert not interrupted and stop_at > 12 and len(outcomes) == 2


def test_the_next_write_finishes_it(tmp_path, monkeypatch):
    folder, parts = job(tmp_path, "append", [1], [2])
    monkeypatch.setattr("dativo_native._folder._sync", lambda path: os.unlink("/nowhere/at all") if path == str(tmp_path) else None)
    with pytest.raises(FileNotFoundError):
        folder.commit(parts)
    monkeypatch.undo()
    folder.abort()
    assert visible(tmp_path) is None
    folder, parts = job(tmp_path, "append", [3])
    folder.commit(parts)
    assert visible(tmp_path) == [1, 2, 3]


def test_jobs_at_the_same_time(tmp_path):
    jobs = [job(tmp_path, "append", [i], [i + 10]) for i in range(8)]
    threads = [threading.Thread(target=folder.commit, args=(parts,)) for folder, parts in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert visible(tmp_path) == sorted([*range(8), *range(10, 18)])
    assert json.loads((tmp_path / "_manifest.json").read_text())["rows"] == 16 and not (tmp_path / "_lock").exists()


def test_refused(tmp_path):
    folder, parts = job(tmp_path / "t", "append", [1])
    folder.commit(parts)
    other = Folder(str(tmp_path / "t"), "append")
    other.begin()
    part = other.write(pa.table({"b": ["x"]}), "n", 1, {})
    with pytest.raises(dn.DativoError, match="has a: int64, and what is added has b: string"):
        other.commit([part])
    other.abort()
    folder, parts = job(tmp_path / "t", "append", [2])
    staged = next((tmp_path / "t").glob("_staging*/attempt*"))
    staged.write_bytes(staged.read_bytes()[:-1])
    with pytest.raises(dn.DativoError, match=r"bytes, and its task has written"):
        folder.commit(parts)
    staged.unlink()
    with pytest.raises(dn.DativoError, match="is not there, and its task has written"):
        folder.commit(parts)
    folder.abort()
    assert visible(tmp_path / "t") == [1]
    (tmp_path / "t" / "_SUCCESS").unlink()
    with pytest.raises(dn.DativoError, match="but no _SUCCESS"):
        Folder(str(tmp_path / "t"), "append").begin()
    (tmp_path / "t" / "notes.txt").write_text("")
    with pytest.raises(dn.DativoError, match="notes.txt, which is no Parquet file"):
        Folder(str(tmp_path / "t"), "overwrite").begin()
    for wrong in ("s3://b/k", "hdfs:/x", "dbfs:/x"):
        with pytest.raises(dn.DativoError, match="that all machines see"):
            Folder(wrong, "append")
    with pytest.raises(dn.DativoError, match="mode is error, append or overwrite, not 'ignore'"):
        Folder(str(tmp_path), "ignore")
    with pytest.raises(dn.DativoError, match="rows do not add up: 1 of 2"):
        made, _ = job(tmp_path / "u", "append")
        made.write(pa.table({"a": [1]}), "n", 2, {})


def test_files_of_others_are_counted(tmp_path):
    dn.write_parquet(pa.table({"a": pa.array([7, 8], pa.int64())}), tmp_path / "theirs.parquet")
    (tmp_path / "_SUCCESS").touch()
    folder, parts = job(tmp_path, "append", [9])
    folder.commit(parts)
    assert visible(tmp_path) == [7, 8, 9] and json.loads((tmp_path / "_manifest.json").read_text())["rows"] == 3


def test_warnings_of_tasks_are_told(tmp_path, caplog):
    folder = Folder(str(tmp_path), "append")
    folder.begin()
    part = folder.write(pa.table([[1], [2]], names=["a", "a"]), "n", 1, {})
    caplog.clear()
    assert part.warnings and folder.commit([part]).warnings == 1
    assert part.warnings[0] in caplog.text
