"""The package of the build tree, or, if there is no DN_PYTHON_PACKAGE, the one that is installed."""

import os
import pathlib
import sys

import pytest

SOURCE = pathlib.Path(os.environ.get("DN_SOURCE", pathlib.Path(__file__).parents[2]))
if os.environ.get("DN_PYTHON_PACKAGE"):
    sys.path.insert(0, os.environ["DN_PYTHON_PACKAGE"])


@pytest.fixture
def orders():
    return SOURCE / "examples" / "data" / "orders.csv"


@pytest.fixture
def environment():
    """Of processes that import the package."""
    return dict(os.environ, PYTHONPATH=os.environ.get("DN_PYTHON_PACKAGE", ""))


@pytest.fixture
def in_source(tmp_path, monkeypatch):
    """A folder with the examples in it, as the docstrings have them, where jobs may write."""
    import dativo_native

    (tmp_path / "examples").symlink_to(SOURCE / "examples")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "plugins").symlink_to(pathlib.Path(dativo_native.plugin_path("csv_reader")).parent)
    monkeypatch.chdir(tmp_path)
    return tmp_path
