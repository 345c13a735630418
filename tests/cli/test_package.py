"""tools/package.sh: the archive has what its own pages point at, says what it needs, and works from where it is unpacked."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import BIN, PLUGINS, SOURCE, tree


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The unpacked archive."""
    place = tmp_path_factory.mktemp("package")
    for name in ("tools", "docs", "examples", "include", "src"):
        shutil.copytree(SOURCE / name, place / name)
    for name in ("CHANGELOG.md", "LICENSE"):
        shutil.copy(SOURCE / name, place)
    (place / "build" / "bin").mkdir(parents=True)
    shutil.copy(BIN, place / "build" / "bin")
    shutil.copytree(PLUGINS, place / "build" / "plugins")
    packed = subprocess.run([place / "tools" / "package.sh"], capture_output=True, text=True)
    assert packed.returncode == 0, packed.stderr
    [archive] = (place / "build").glob("*.tar.gz")
    (place / "unpacked").mkdir()
    subprocess.run(["tar", "-xzf", archive, "-C", place / "unpacked"], check=True)
    [root] = (place / "unpacked").iterdir()
    return root


def run(root, command):
    """A line of a page, in a shell without the settings of these tests."""
    return subprocess.run(["bash", "-ec", command], cwd=root, capture_output=True, text=True, timeout=600,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(root)})


def test_links_lead_somewhere_and_no_page_names_the_build_folder(root):
    pages = list(root.rglob("*.md"))
    assert root / "docs" / "jobs.md" in pages and root / "README.md" in pages
    broken = [(page.name, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
              if "://" not in link and not (page.parent / link).exists()]
    assert broken == []
    for path in [*pages, *root.rglob("*.yaml")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"build/|@[A-Z]+@", text), path


def test_readme_names_the_libraries_that_the_binaries_need(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    binaries = [*(root / "bin").iterdir(), *(root / "plugins").glob("*.so")]
    assert len(binaries) == 7
    found = subprocess.run(["ldd", *binaries], check=True, capture_output=True, text=True).stdout
    assert "not found" not in found
    headers = subprocess.run(["readelf", "-dW", *binaries], check=True, capture_output=True, text=True).stdout
    wanted = set(re.findall(r"\(NEEDED\).*\[(.*)\]", headers)) - {"libc.so.6", "libm.so.6"}
    assert "libjansson.so.4" in wanted
    rows = re.findall(r"^\| `(lib\S+\.so\S*)` \| `(\S+)` \|$", readme, re.M)
    later = {("libcurl.so.4", "libcurl4"), ("libcrypto.so.3", "libssl3"), ("libexpat.so.1", "libexpat1")}  # with the first s3://
    database = {("libpq.so.5", "libpq5")}  # with the first postgres://
    assert set(rows) > later | database and {library for library, _ in set(rows) - later - database} == wanted
    packages, of_later, of_databases = re.findall(r"apt-get install -y --no-install-recommends (.*)", readme)
    assert set(packages.split()) == {package for _, package in set(rows) - later - database}
    assert set(of_later.split()) == {package for _, package in later} | {"ca-certificates"}
    assert of_databases == "libpq5"
    assert not re.search("stdc|snappy", found)


def test_readme_commands_work(root):
    before = tree(root)
    [commands] = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.S)
    assert len(commands.splitlines()) == 4
    for command in commands.splitlines():
        done = run(root, command)
        assert done.returncode == 0, (command, done.stderr)
    made = sorted(set(tree(root)) - set(before))
    assert made == ["orders.parquet", "out/sales/shop/orders/orders_000000.parquet"]


def test_the_example_plugin_compiles_as_the_page_says(root):
    page = (root / "docs" / "plugins.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ ((?:cc|bin/dativo-native) .*counting_reader.*|echo .* > count.json)$", page, re.M)
    assert [command.split()[0] for command in commands] == ["cc", "bin/dativo-native", "bin/dativo-native", "echo", "bin/dativo-native"]
    for command in commands:
        done = run(root, command.replace("/tmp/numbers.parquet", "numbers.parquet"))
        assert done.returncode == 0, (command, done.stderr)
        if "plugin check" in command:
            assert done.stdout.splitlines()[-1] in page.splitlines()
    assert (root / "numbers.parquet").exists()
