/* The two libraries without plugins or host: csv_to_parquet IN.csv OUT.parquet */
#include "dativo/csv.h"
#include "dativo/parquet.h"

#include <stdio.h>

static enum dn_status copy(const char *in, const char *out, struct dn_error *err)
{
    const struct dn_csv_options csv = {.struct_size = sizeof csv};
    const struct dn_parquet_options parquet = {
        .struct_size = sizeof parquet, .compression = "zstd", .overwrite = true};
    struct dn_csv_reader *reader = NULL;
    struct dn_parquet_writer *writer = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    enum dn_status st = dn_csv_reader_open(&reader, &in, 1, &csv, err);

    if (st == DN_OK) {
        st = dn_csv_reader_schema(reader, &schema, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_writer_open(&writer, out, &schema, &parquet, err);
    }
    while (st == DN_OK && (st = dn_csv_reader_next(reader, &batch, err)) == DN_OK &&
           batch.release != NULL) {                  /* a batch without release is the end */
        st = dn_parquet_append(writer, &batch, err); /* the batch is the writer's now */
    }
    if (st == DN_OK) {
        st = dn_parquet_finish(writer, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_commit(writer, err); /* only now is there a file of that name */
    }
    dn_parquet_close(writer);
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    dn_csv_reader_close(reader);
    return st;
}

int main(int argc, char **argv)
{
    struct dn_error err;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: csv_to_parquet IN.csv OUT.parquet\n");
        return 2;
    }
    if (copy(argv[1], argv[2], &err) != DN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
