"""cmake --install: what is put where, and that it works from there."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import BUILD, LIBDIR, PREFIX, SOURCE, run

PLUGINS = ["csv_reader", "csv_writer", "parquet_reader", "parquet_writer", "postgres_reader"]
HEADERS = ["arrow", "csv", "parquet", "plugin", "status", "store"]
VERSION = re.search(r"project\(dativo_native VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)


def pkg_config(destdir, prefix, *args):
    return run("pkg-config", *args, "dativo", env={"PKG_CONFIG_LIBDIR": str(prefix / LIBDIR / "pkgconfig"),
                                                   "PKG_CONFIG_SYSROOT_DIR": str(destdir)}).split()


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


def test_plugins_and_command_need_no_library_of_ours(prefix):
    binaries = [prefix / "bin" / "dativo-native", *(prefix / LIBDIR / "dativo" / "plugins").iterdir()]
    assert len(binaries) == 6
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


def test_a_program_is_built_with_pkg_config(destdir, prefix, tmp_path):
    assert pkg_config(destdir, prefix, "--modversion") == [VERSION]
    assert VERSION in run(prefix / "bin" / "dativo-native", "--version")
    [plugins] = pkg_config(destdir, prefix, "--variable=plugindir")
    assert plugins.removeprefix(str(destdir)) == f"{PREFIX}/{LIBDIR}/dativo/plugins"
    flags = pkg_config(destdir, prefix, "--cflags", "--libs")
    library = {"LD_LIBRARY_PATH": str(prefix / LIBDIR)}
    for name in ["read_csv", "write_parquet"]:
        run(os.environ["DN_CC"], "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", tmp_path / name,
            SOURCE / "examples" / "c" / f"{name}.c", *flags)
    orders = SOURCE / "examples" / "data" / "orders.csv"
    assert "3000 rows, 0 without order_id; the largest is 103000: " in run(
        tmp_path / "read_csv", orders, "order_id", "customer", env=library)
    run(tmp_path / "write_parquet", tmp_path / "out.parquet", env=library)
    assert ", no errors\n" in run(prefix / "bin" / "dativo-native", "verify", tmp_path / "out.parquet")


def test_a_program_is_built_with_the_cmake_package(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.25)
project(stranger C)
find_package(Dativo {VERSION} REQUIRED)
add_executable(program "{SOURCE}/examples/c/write_parquet.c")
target_link_libraries(program PRIVATE Dativo::dativo)
file(WRITE "${{CMAKE_BINARY_DIR}}/plugins" "${{Dativo_PLUGIN_DIR}}")
""")
    cmake = os.environ["DN_CMAKE"]
    run(cmake, "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={os.environ['DN_CC']}")
    run(cmake, "--build", tmp_path / "build")
    run(tmp_path / "build" / "program", tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").stat().st_size > 0
    assert (tmp_path / "build" / "plugins").read_text() == str(prefix / LIBDIR / "dativo" / "plugins")
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(stranger NONE)\n"
                                             f"find_package(Dativo 99 REQUIRED PATHS {prefix} NO_DEFAULT_PATH)\n")
    refused = subprocess.run([cmake, "-S", tmp_path, "-B", tmp_path / "other"], capture_output=True, text=True)
    assert refused.returncode != 0 and "99" in refused.stderr


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
