/* A Parquet file of values in memory: write_parquet OUT.parquet */
#include "dativo/parquet.h"

#include <stdio.h>
#include <stdlib.h>

#define N_ROWS 5

/* The schema: a struct of two columns.  It is static, so there is nothing to free: release only says that it is over. */
static void schema_release(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static struct ArrowSchema k_id = {.format = "l", .name = "id", .release = schema_release};
static struct ArrowSchema k_city = {
    .format = "u", .name = "city", .flags = ARROW_FLAG_NULLABLE, .release = schema_release};
static struct ArrowSchema *k_columns[] = {&k_id, &k_city};
static const struct ArrowSchema k_schema = {
    .format = "+s", .name = "", .n_children = 2, .children = k_columns, .release = schema_release};

/* A batch in one piece of memory, which the writer gives back through release when it needs it no more, perhaps on another thread. */
struct rows {
    struct ArrowArray id;
    struct ArrowArray city;
    struct ArrowArray *children[2];
    const void *struct_buffers[1];
    const void *id_buffers[2];
    const void *city_buffers[3];
    int64_t ids[N_ROWS];
    uint8_t is_known[1]; /* one bit per row */
    int32_t offsets[N_ROWS + 1];
    char text[64];
};

static void child_release(struct ArrowArray *array)
{
    array->release = NULL; /* its memory is that of the batch */
}

static void batch_release(struct ArrowArray *batch)
{
    for (int64_t i = 0; i < batch->n_children; i++) {
        if (batch->children[i]->release != NULL) {
            batch->children[i]->release(batch->children[i]);
        }
    }
    free(batch->private_data);
    batch->release = NULL;
}

static int batch_make(struct ArrowArray *batch, int64_t first_id)
{
    static const char *const cities[N_ROWS] = {"Oslo", NULL, "Hà Nội", "", "Łódź"};
    struct rows *r = calloc(1, sizeof *r);

    if (r == NULL) {
        return -1;
    }
    for (int i = 0; i < N_ROWS; i++) {
        const char *city = cities[i];
        r->ids[i] = first_id + i;
        r->offsets[i + 1] = r->offsets[i];
        if (city != NULL) {
            r->is_known[0] = (uint8_t)(r->is_known[0] | 1u << i);
            r->offsets[i + 1] += snprintf(r->text + r->offsets[i],
                                          sizeof r->text - (size_t)r->offsets[i], "%s", city);
        }
    }
    r->id_buffers[1] = r->ids;
    r->city_buffers[0] = r->is_known;
    r->city_buffers[1] = r->offsets;
    r->city_buffers[2] = r->text;
    r->id = (struct ArrowArray){
        .length = N_ROWS, .n_buffers = 2, .buffers = r->id_buffers, .release = child_release};
    r->city = (struct ArrowArray){.length = N_ROWS,
                                  .null_count = 1,
                                  .n_buffers = 3,
                                  .buffers = r->city_buffers,
                                  .release = child_release};
    r->children[0] = &r->id;
    r->children[1] = &r->city;
    *batch = (struct ArrowArray){.length = N_ROWS,
                                 .n_buffers = 1,
                                 .n_children = 2,
                                 .buffers = r->struct_buffers,
                                 .children = r->children,
                                 .release = batch_release,
                                 .private_data = r};
    return 0;
}

static enum dn_status write_all(const char *path, struct dn_error *err)
{
    const struct dn_parquet_options options = {
        .struct_size = sizeof options, .compression = "zstd", .overwrite = true, .verify = true};
    struct dn_parquet_writer *writer = NULL;
    enum dn_status st = dn_parquet_writer_open(&writer, path, &k_schema, &options, err);

    for (int i = 0; i < 3 && st == DN_OK; i++) {
        struct ArrowArray batch;
        if (batch_make(&batch, 1 + (int64_t)i * N_ROWS) != 0) {
            (void)snprintf(err->message, sizeof err->message, "out of memory");
            st = DN_ERR_MEMORY;
        } else {
            st = dn_parquet_append(writer, &batch, err); /* the batch is the writer's now */
        }
    }
    if (st == DN_OK) {
        st = dn_parquet_finish(writer, err);
    }
    if (st == DN_OK) {
        st = dn_parquet_commit(writer, err); /* only now is there a file of that name */
    }
    dn_parquet_close(writer);
    return st;
}

int main(int argc, char **argv)
{
    struct dn_error err;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: write_parquet OUT.parquet\n");
        return 2;
    }
    if (write_all(argv[1], &err) != DN_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
