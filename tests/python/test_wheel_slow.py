"""The wheel in fresh environments: with nothing, and with each library alone.  Needs the network, and builds the wheel if there is none."""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import zipfile

import pytest

SOURCE = pathlib.Path(__file__).parents[2]
VERSIONS = dict(re.findall(r"^(\w+)==(\S+)$", (SOURCE / "tests/python/wheel-requirements.txt").read_text(), re.M))

# the code of docs/python.md and of the package's docstring, for the libraries that are there
READ = {
    "none": "assert dn.write_parquet(r, out).rows_out == 3000",
    "pyarrow": "import pyarrow as pa; assert pa.table(r).num_rows == 3000; dn.write_parquet(pa.table(r), out)",
    "polars": "import polars as pl; dn.write_parquet(pl.DataFrame(r), out, compression='zstd')",
    "duckdb": "import duckdb; assert duckdb.sql('select count(*) from r').fetchall() == [(3000,)]; dn.convert(r, out)",
    "pandas": "import pandas; dn.convert(r, out)",
}


@pytest.fixture(scope="session")
def wheel():
    if not list(SOURCE.glob("dist/dativo_native-*.whl")):
        subprocess.run([SOURCE / "tools/wheel.sh"], check=True)
    (one,) = SOURCE.glob("dist/dativo_native-*.whl")
    return one


def fresh(folder, *packages):
    """The Python of a new environment with these packages and what they need, of which only what is imported is compiled."""
    python = folder / "bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)  # which would be unpacked anew every time
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check", "--no-compile", *packages], check=True)
    return python


def pinned(library):
    return f"{library}=={VERSIONS[library]}"


def test_licences(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    licences = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
    libraries = [name for name in names if ".libs/" in name and ".so" in name]
    packages = {re.match(r"lib[a-z0-9]+", name.rpartition("/")[2])[0] for name in libraries}
    packages = {"libbrotli" if name.startswith("libbrotli") else name for name in packages}
    assert "LICENSE" in licences and packages
    assert not {name for name in packages if not any(licence.startswith(name) for licence in licences)}


USES = """
import dativo_native as dn
import polars as pl

r = dn.read_csv("a.csv", types={"zip": "string"}, strings="view")
names: list[str] = r.schema.names
outcome = dn.write_parquet(pl.DataFrame({"a": [1]}), "b.parquet", compression="zstd", progress=True)
rows: int = outcome.rows_out + dn.write_csv(r, "c.csv").rows_out
dn.read_csv("a.csv", strings="vew")  # type: ignore[arg-type]
dn.write_parquet(3, "b.parquet")  # type: ignore[arg-type]
"""


def test_types(wheel, tmp_path):
    """What the wheel installs is clean, and its users are told of what is wrong: an ignore of nothing is an error."""
    python = fresh(tmp_path / "venv", wheel, *map(pinned, ["mypy", "polars"]))
    (tmp_path / "uses.py").write_text(USES)
    done = subprocess.run([python, "-m", "mypy", "--strict", "-p", "dativo_native", "-m", "uses"], cwd=tmp_path, capture_output=True,
                          text=True, env={**os.environ, "MYPYPATH": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", READ)
def test_alone(library, wheel, tmp_path):
    python = fresh(tmp_path / "venv", wheel, *([] if library == "none" else [pinned(library)]))
    script = f"""
import sys, dativo_native as dn
assert not {{"pyarrow", "polars", "duckdb", "pandas", "numpy"}} & set(sys.modules)
out = sys.argv[2]
r = dn.read_csv(sys.argv[1])
{READ[library]}
assert dn.inspect(out)["record_count"] == 3000 and dn.verify(out)["errors"] == 0
for codec in ("snappy", "gzip", "zstd", "lz4_raw", "brotli"):
    assert dn.convert(sys.argv[1], out + codec, compression=codec, verify=True).rows_out == 3000
"""
    orders = SOURCE / "examples/data/orders.csv"
    environment = {"PATH": "/nowhere", "HOME": str(tmp_path)}  # no compiler, no libraries of a build tree
    subprocess.run([python, "-c", script, orders, tmp_path / "o.parquet"], check=True, env=environment, cwd=tmp_path)
    done = subprocess.run([tmp_path / "venv/bin/dativo-native", "schema", orders], check=True, env=environment, capture_output=True)
    assert b"order_id" in done.stdout
    needed = subprocess.run([python, "-c", "import dativo_native, glob, os; print(*glob.glob(os.path.dirname(dativo_native.__file__) + '/plugins/*.so'))"],
                            check=True, env=environment, capture_output=True, text=True).stdout.split()
    for plugin in needed:
        assert "not found" not in subprocess.run(["ldd", plugin], capture_output=True, text=True, env=os.environ).stdout


def test_documentation(wheel, tmp_path):
    """The code of the pages with what pip has installed; the libraries beside it are those of this environment, which takes no time."""
    python = fresh(tmp_path / "venv", "--no-deps", wheel)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "peers.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {name: value for name, value in os.environ.items() if name != "DN_PYTHON_PACKAGE"} | {"PATH": "/nowhere"}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", SOURCE / "tests/python/test_documentation.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout
