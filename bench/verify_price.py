"""What `convert --verify` costs: every shape to every codec, with and without, in turn; medians of wall and CPU seconds."""
import argparse
import statistics

from run import BIN, DATA, SHAPES, generate, run_process, warm

CODECS = ["none", "snappy", "lz4_raw", "zstd", "gzip", "brotli"]


def measure(src, codec, extra):
    dst = DATA / "out_verified.parquet"
    dst.unlink(missing_ok=True)
    _, wall, cpu, rss = run_process([BIN / "dativo-native", "convert", src, dst, "-c", codec, "--quiet", *extra])
    dst.unlink()
    return wall, cpu, rss


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of lineitem; the other shapes are scaled to it")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    DATA.mkdir(parents=True, exist_ok=True)
    print("\nThe price of --verify: seconds without and with it, and what it adds")
    print(f"  {'':22}{'wall':>8}{'':>8}{'adds':>8}{'CPU':>9}{'':>8}{'adds':>8}{'RSS MB':>9}{'':>6}")
    for shape, share in SHAPES.items():
        src = generate(shape, max(1000, int(args.rows * share)))
        warm(src)
        for codec in CODECS:
            plain, verified = [], []
            for _ in range(args.rounds):
                plain.append(measure(src, codec, []))
                verified.append(measure(src, codec, ["--verify"]))
            (wall, cpu, rss), (wall_v, cpu_v, rss_v) = ([statistics.median(column) for column in zip(*runs)]
                                                        for runs in (plain, verified))
            print(f"  {shape + ', ' + codec:22}{wall:8.2f}{wall_v:8.2f}{wall_v / wall - 1:+8.0%}{cpu:9.2f}{cpu_v:8.2f}{cpu_v / cpu - 1:+8.0%}"
                  f"{rss / 1e6:9.0f}{rss_v / 1e6:6.0f}", flush=True)


if __name__ == "__main__":
    main()
