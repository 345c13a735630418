"""What is installed is what programs are built with: by pkg-config, and by CMake's package."""

import os
import subprocess

from conftest import LIBDIR, PREFIX, SOURCE, VERSION, run


def pkg_config(destdir, prefix, *args):
    return run("pkg-config", *args, "dativo", env={"PKG_CONFIG_LIBDIR": str(prefix / LIBDIR / "pkgconfig"),
                                                   "PKG_CONFIG_SYSROOT_DIR": str(destdir)}).split()


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
