#!/usr/bin/env python3
"""Check the law of the house: which folder includes what, and which folder may see which third-party header."""
import itertools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each layer may include besides itself.  CMakeLists.txt says the same to the compiler.
LAYERS = {
    "windows": set(),  # POSIX for Windows, which the compiler puts in front of every source there
    "base": set(),
    "simd": {"base"},
    "text": {"base", "simd"},
    "arrow": {"base"},
    "values": {"base", "simd", "text", "arrow"},
    "json": {"base", "simd", "text", "arrow", "values"},
    "store": {"base"},
    "filter": {"base", "store"},
    "csv": {"base", "simd", "text", "arrow", "values", "json", "store", "filter"},
    "codec": {"base"},
    "parquet": {"base", "simd", "text", "arrow", "values", "store", "codec"},
    "pg": {"base", "simd", "text"},
    "pg_arrow": {"base", "simd", "text", "arrow", "pg"},
    "job": {"base", "arrow", "store"},
    "cli": {"base", "arrow", "store", "job"},
}

# Rooms of a layer, and those beside them that they may not see.
ROOMS = {
    "parquet/encoding": {"parquet/read", "parquet/write", "parquet/verify", "parquet/thrift"},
    "parquet/thrift": {"parquet/encoding", "parquet/read", "parquet/write", "parquet/verify"},
    "parquet/read": {"parquet/write", "parquet/verify"},
    "parquet/verify": {"parquet/write"},
    "parquet/write": {"parquet/read", "parquet/verify"},
    "store/http": {"store/s3"},
}

# Public headers a layer may include; job and cli know plugins through plugin.h alone.
PUBLIC = {
    "job": {"plugin.h", "store.h", "arrow.h", "status.h"},
    "cli": {"plugin.h", "store.h", "arrow.h", "status.h"},
    "csv": {"csv.h", "store.h", "arrow.h", "status.h"},
    "parquet": {"parquet.h", "store.h", "arrow.h", "status.h"},
}
PUBLIC["store"] = PUBLIC["filter"] = {"store.h", "status.h"}
PUBLIC_DEFAULT = {"arrow.h", "status.h"}

# Third-party headers and the folders that may see them.
THIRD_PARTY = {
    r"lz4\.h|brotli/.*": {"src/codec"},
    r"zstd\.h|libdeflate\.h": {"src/codec", "src/filter", "fuzz", "tests"},
    r"zlib\.h|bzlib\.h|lzma\.h|iconv\.h": {"src/filter", "src/windows", "fuzz", "tests"},
    r"curl/.*": {"src/store/http"},
    r"openssl/.*|expat\.h": {"src/store/s3"},
    r"libpq-fe\.h": {"src/pg"},
    r"yaml\.h": {"src/job"},
    r"jansson\.h": {"src/job", "src/cli", "plugins", "python", "fuzz", "tests"},
    r"cmocka\.h|snappy-c\.h": {"tests"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def layer_faults(path, quoted, header):
    layer = path.relative_to(ROOT / "src").parts[0]
    first = header.split("/")[0]
    if first == "dativo":
        name = header.split("/")[1]
        if name not in PUBLIC.get(layer, PUBLIC_DEFAULT):
            yield f"src/{layer} must not include dativo/{name}"
    elif quoted and first not in LAYERS[layer] | {layer}:
        yield f"src/{layer} must not include {header}: it may see {', '.join(sorted(LAYERS[layer] | {layer}))}"


def room_faults(path, header):
    room = "/".join(path.relative_to(ROOT / "src").parts[:2])
    other = "/".join(header.split("/")[:2])
    if other in ROOMS.get(room, set()):
        yield f"src/{room} must not include {header}: it knows nothing of {other}"


def faults():
    files = [p for d in ("src", "plugins", "tests", "fuzz", "include", "bench") for p in (ROOT / d).rglob("*.[ch]")]
    for path in sorted(files):
        place = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quoted, header = match.group(1) == '"', match.group(2)
            if place.startswith("src/"):
                for fault in itertools.chain(layer_faults(path, quoted, header), room_faults(path, header)):
                    yield path, number, fault
            for pattern, allowed in THIRD_PARTY.items():
                if re.fullmatch(pattern, header) and not any(place.startswith(a) for a in allowed):
                    yield path, number, f"<{header}> belongs to {', '.join(sorted(allowed))} alone"


def main():
    found = list(faults())
    for path, number, fault in found:
        print(f"{path.relative_to(ROOT)}:{number}: {fault}", file=sys.stderr)
    if found:
        return 1
    print(f"layers: {len(LAYERS) - 1} layers keep the law")
    return 0


if __name__ == "__main__":
    sys.exit(main())
