"""Put our licence, and those of the libraries that auditwheel has put inside, into a wheel: wheel_licences.py WHEEL.

Debian has the text of each library's package in /usr/share/doc/PACKAGE/copyright.
"""
import pathlib
import re
import shutil
import subprocess
import sys

from auditwheel.wheeltools import InWheel

SOURCE = pathlib.Path(__file__).resolve().parent.parent
DOC = pathlib.Path("/usr/share/doc")


def package_of(library):
    """libzstd-37412b7a.so.1.5.4 was libzstd.so.1.5.4, which is Debian's libzstd1."""
    name = re.sub(r"-[0-9a-f]{8}(?=\.so)", "", library.name)
    try:
        found = subprocess.run(["dpkg", "-S", f"*/{name}"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        found = ""
    packages = {line.partition(":")[0] for line in found.splitlines()}
    if len(packages) != 1:
        raise SystemExit(f"wheel: no package of Debian has {name}, so its licence is unknown, and the wheel would have it inside without")
    return packages.pop()


def main():
    wheel = pathlib.Path(sys.argv[1]).resolve()
    with InWheel(wheel, wheel) as folder:
        inside = pathlib.Path(folder)
        (information,) = inside.glob("*.dist-info")
        licences = information / "licenses"
        licences.mkdir(exist_ok=True)
        shutil.copyfile(SOURCE / "LICENSE", licences / "LICENSE")
        for package in sorted({package_of(library) for library in inside.glob("*.libs/*")}):
            shutil.copyfile(DOC / package / "copyright", licences / f"{package}.txt")


main()
