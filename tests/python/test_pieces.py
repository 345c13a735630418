"""plan, task, commit, abort as functions: what the commands do."""

import concurrent.futures
import json
import pathlib

import pyarrow.parquet as pq
import pytest

import dativo_native as dn
from dativo_native import _native

JOB = """
tenant_id: acme
source_connector: csv
target_connector: local
asset_path: {0}/asset.yaml
source: {{files: [{{path: {0}/a.csv}}]}}
target: {{connection: {{path: {0}/out}}}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.csv").write_text("n,s\n" + "".join(f'{i},"a\n""{i}"\n' for i in range(2000)))
    (tmp_path / "asset.yaml").write_text("name: t\nschema: [{name: n, type: integer}, {name: s, type: string}]\n")
    (tmp_path / "job.yaml").write_text(JOB.format(tmp_path))
    return tmp_path


def test_pieces_become_one_result(folder):
    plan = dn.plan(folder / "job.yaml", folder / "plan.json", split_size=4000)
    assert plan.rows == 2000 and plan.pieces >= 5
    assert plan.id == json.loads((folder / "plan.json").read_text())["id"]
    with pytest.raises(dn.DativoError, match=f"{plan.pieces} of {plan.pieces} pieces are not written"):
        dn.commit(plan)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda i: dn.task(plan, i, threads=1), range(plan.pieces)))
    assert sum(outcome.rows_out for outcome in done) == 2000
    result = dn.commit(plan.path)
    assert result.rows == 2000 and not result.unchanged and result.bytes == sum(outcome.bytes_out for outcome in done)
    assert dn.commit(plan).unchanged and dn.task(plan, 0).unchanged and dn.abort(plan) is True
    table = pq.read_table(folder / "out/default/default/t")
    assert table.to_pylist() == [{"n": i, "s": f'a\n"{i}'} for i in range(2000)]


def test_numbers_are_not_cut(folder):
    """Of those that look into the extension themselves."""
    for index, threads in ((1 << 64, 0), (-1, 0), (0, 1 << 32), (0, -1)):
        with pytest.raises(OverflowError):
            _native.task("plan.json", index, None, threads)
    with pytest.raises(TypeError):
        _native.task("plan.json", 1.5, None, 0)
    for threads, memory in ((1 << 32, 0), (0, (1 << 64) + 1)):
        with pytest.raises(OverflowError):
            _native.run(str(folder / "job.yaml"), False, None, threads, memory, None)
    with pytest.raises(OverflowError):
        _native.plan(str(folder / "job.yaml"), str(folder / "p.json"), 1 << 64, False, False, 0, 0, 0)
    assert not (folder / "out").exists() and not (folder / "p.json").exists()


def test_abort_and_errors(folder, monkeypatch):
    plan = dn.plan(folder / "job.yaml", str(folder / "plan.json"), split_size="9k")
    dn.task(plan, 0)
    assert dn.abort(plan) is False
    assert not list(pathlib.Path(folder / "out").rglob("*.parquet"))
    with pytest.raises(ValueError, match="counts from 0"):
        dn.task(plan, -1)
    with pytest.raises(dn.DativoError, match="the plan has the pieces 0 to"):
        dn.task(plan, plan.pieces)
    for index in (1 << 31, 1 << 32, (1 << 64) - 1, 1 << 64, (1 << 64) + 1, 1 << 100):
        with pytest.raises(dn.DativoError, match="the plan has the pieces 0 to"):
            dn.task(plan, index)
    with pytest.raises(dn.DativoError, match="exists"):
        dn.plan(folder / "job.yaml", plan.path)
    monkeypatch.chdir(folder)
    (folder / "job.yaml").write_text(JOB.format("."))
    plan = dn.plan("job.yaml", folder / "relative.json")
    monkeypatch.chdir(folder.parent)
    with pytest.raises(dn.DativoError, match="go there with os.chdir"):
        dn.task(plan, 0)
    monkeypatch.chdir(folder)
    assert dn.task(plan, 0).rows_out == 2000 and dn.commit(plan).rows == 2000
