"""cmake --install: what is put where, and that it works from there."""

import re
import shutil
import subprocess

import pytest
from conftest import BUILD, LIBDIR, SOURCE, VERSION, run

PLUGINS = ["csv_reader", "csv_writer", "level0", "parquet_reader", "parquet_writer", "postgres_reader"]
HEADERS = ["arrow", "csv", "parquet", "plugin", "status", "store"]


def exported(library):
    rows = run("nm", "-D", "--defined-only", "--with-symbol-versions", library).splitlines()
    return sorted(row.split()[2] for row in rows if row.split()[1] != "A")


def test_everything_is_there_and_nothing_else(prefix):
    found = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    names = [name for name in found if not name.startswith("share/")]
    assert sorted(names) == sorted([
        "bin/dativo-native",
        *(f"include/dativo/{name}.h" for name in HEADERS),
        *(f"{LIBDIR}/dativo/plugins/lib{name}_plugin.so" for name in PLUGINS),
        *(f"{LIBDIR}/libdativo.so{end}" for end in ["", ".0", f".{VERSION}"]),
        f"{LIBDIR}/pkgconfig/dativo.pc",
        *(f"{LIBDIR}/cmake/Dativo/Dativo{name}.cmake" for name in ["Config", "ConfigVersion", "Targets",
                                                                  "Targets-relwithdebinfo"])])


def test_the_library_exports_the_functions_of_the_headers_and_no_more(prefix):
    library = prefix / LIBDIR / "libdativo.so"
    declared = set()
    for name in HEADERS:
        text = re.sub(r"/\*.*?\*/|^\s*#.*?(?<!\\)$", "", (prefix / "include" / "dativo" / f"{name}.h").read_text(), flags=re.S | re.M)
        declared |= {re.search(r"(dn_\w+)\(", declaration).group(1) for declaration in re.findall(r"\bDN_API\b(.*?);", text, re.S)}
    assert len(declared) >= 37
    assert exported(library) == sorted(f"{name}@@DATIVO_0" for name in declared)
    header = run("readelf", "-dW", library)
    assert re.findall(r"SONAME.*\[(.*)\]", header) == ["libdativo.so.0"]
    assert "NODELETE" in header and "RUNPATH" not in header and "RPATH" not in header


def test_debian_knows_every_symbol_of_the_library():
    listed = {name for name in re.findall(r"\bdn_\w+(?=;)", (SOURCE / "cmake" / "libdativo.map").read_text())}
    first, *rows = (SOURCE / "debian" / "libdativo0.symbols").read_text().splitlines()
    assert first == "libdativo.so.0 libdativo0 #MINVER#"
    assert len(listed) >= 37
    assert [row.split()[0] for row in rows] == sorted(f"{name}@DATIVO_0" for name in listed | {"DATIVO_0"})


def test_plugins_and_command_need_no_library_of_ours(prefix):
    binaries = [prefix / "bin" / "dativo-native", *(prefix / LIBDIR / "dativo" / "plugins").iterdir()]
    assert len(binaries) == 7
    header = run("readelf", "-dW", *binaries)
    assert "libdativo" not in header and "RUNPATH" not in header and "RPATH" not in header


def test_the_command_finds_its_plugins_where_it_is_moved_to(prefix, tmp_path):
    shutil.copytree(prefix, tmp_path / "moved", symlinks=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "moved" / "bin" / "dativo-native")
    for command in [prefix / "bin" / "dativo-native", tmp_path / "moved" / "bin" / "dativo-native",
                    tmp_path / "elsewhere" / "link"]:
        out = tmp_path / "orders.parquet"
        run(command, "convert", SOURCE / "examples" / "data" / "orders.csv", out)
        assert "3,000 rows" in run(command, "inspect", out)
        out.unlink()


def test_completions_are_where_shells_look(prefix):
    for shell, place in {"bash": "bash-completion/completions/dativo-native", "zsh": "zsh/site-functions/_dativo-native",
                         "fish": "fish/vendor_completions.d/dativo-native.fish"}.items():
        script = (prefix / "share" / place).read_text()
        assert "--compression" in script.replace("-l ", "--") and script == run(prefix / "bin" / "dativo-native", "help", "--completion", shell)


def test_verification_needs_no_proc(prefix, tmp_path):
    program = 'mount -t tmpfs none /proc && exec "$@"'
    hidden = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", program, "sh"]
    if subprocess.run([*hidden, "true"], capture_output=True).returncode != 0:
        pytest.skip("/proc cannot be hidden here")
    (tmp_path / "folder").mkdir()
    for target in ["out.parquet", "folder/out.parquet", tmp_path / "absolute.parquet"]:
        run(*hidden, prefix / "bin" / "dativo-native", "convert", "--verify", SOURCE / "examples" / "data" / "orders.csv", target, cwd=tmp_path)
        assert ", no errors" in run(prefix / "bin" / "dativo-native", "verify", tmp_path / target)


def test_what_make_uninstall_reads(destdir):
    listed = (BUILD / "install_manifest.txt").read_text().splitlines()
    made = {str(path).removeprefix(str(destdir)) for path in destdir.rglob("*") if not path.is_dir()}
    assert set(listed) == made
