"""Writers of one table, in this process and in one of its own, which does what the lines of its standard input say: it loads nothing but
the plugin, for pyarrow takes longer to start than most tests do."""

import sys

from stock_host import StockWriter, writer_config

SCHEMA = [{"name": "id", "type": "integer"}]
OPTIONS = {"n_threads": 1, "compression": "none"}


def config(directory, **options):
    return writer_config(directory, SCHEMA, name="t", options=OPTIONS | options)


class Here:
    """A writer of this process."""

    def __init__(self, directory):
        self.writer = StockWriter(config(directory))

    def write(self, ident, counter):
        return self.writer.write_batch([{"id": ident}], counter)[0]["path"]

    def free(self):
        self.writer = None


def serve(directory):
    writer = Here(directory)
    print("open", flush=True)
    for line in sys.stdin:
        ident, counter = map(int, line.split())
        print(writer.write(ident, counter), flush=True)
    writer.free()


if __name__ == "__main__":
    serve(sys.argv[1])
