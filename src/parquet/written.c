#include "parquet/written.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define KEY UINT64_C(0x510e527fade682d1)

struct written_group {
    int64_t n_rows;
    uint64_t digest; /* over all columns */
};

/* The read-back under way. */
struct reading {
    const struct dn_pq_written *expected;
    struct dn_pq_written found;
    const struct dn_field *fields;
    struct dn_field *read_fields;
    const char *name;
    uint64_t *digests; /* of the open row group, per column */
    int64_t group_rows;
    int64_t first_row; /* of the file, where the open row group begins */
};

enum dn_status dn_pq_written_init(struct dn_pq_written *w, int64_t n_columns, struct dn_error *err)
{
    *w = (struct dn_pq_written){.n_columns = n_columns};
    DN_TRY(dn_buffer_reserve(&w->columns, (size_t)n_columns * sizeof(uint64_t), err));
    memset(w->columns.data, 0, (size_t)n_columns * sizeof(uint64_t));
    w->columns.len = (size_t)n_columns * sizeof(uint64_t);
    return DN_OK;
}

void dn_pq_written_finish(struct dn_pq_written *w)
{
    dn_buffer_finish(&w->columns);
    dn_buffer_finish(&w->groups);
}

/* The place of a digest is mixed in: two that changed places are another sum. */
static uint64_t placed(uint64_t digest, uint64_t place)
{
    digest ^= digest >> 29;
    return (digest + place) * (KEY + 2 * place);
}

enum dn_status dn_pq_written_add(struct dn_pq_written *w, int64_t n_rows, const uint64_t *digests,
                                 struct dn_error *err)
{
    uint64_t *columns = (uint64_t *)(void *)w->columns.data;
    struct written_group group = {.n_rows = n_rows};
    const uint64_t place = w->groups.len / sizeof group;

    DN_TRY(dn_buffer_reserve(&w->groups, sizeof group, err));
    for (int64_t i = 0; i < w->n_columns; i++) {
        columns[i] += placed(digests[i], place);
        group.digest += placed(digests[i], (uint64_t)i);
    }
    memcpy(w->groups.data + w->groups.len, &group, sizeof group);
    w->groups.len += sizeof group;
    return DN_OK;
}

/* ---- reading back --------------------------------------------------------------------------------------------------- */

static enum dn_status differs(const struct reading *r, struct dn_error *err, const char *column,
                              const char *format, ...) DN_PRINTF(4, 5);

static enum dn_status differs(const struct reading *r, struct dn_error *err, const char *column,
                              const char *format, ...)
{
    char what[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    (void)dn_error_set(
        err, DN_ERR_INTERNAL,
        "'%s' was read back before it got its name, and %s; nothing was written: this "
        "is an error of the writer or of the disk, please report it",
        r->name, what);
    dn_error_locate(err, r->name, -1, -1, -1, column);
    return DN_ERR_INTERNAL;
}

/* The layout of texts is the reader's business. */
static bool same_type(enum dn_type written, enum dn_type read)
{
    if (written == DN_TYPE_UTF8 || written == DN_TYPE_LARGE_UTF8) {
        written = DN_TYPE_UTF8_VIEW;
    }
    return written == read;
}

static enum dn_status compare_schemas(struct reading *r, const struct ArrowSchema *schema,
                                      struct dn_error *err)
{
    const int64_t n = r->expected->n_columns;

    if (schema->n_children != n) {
        return differs(r, err, NULL, "it has %" PRId64 " columns instead of %" PRId64,
                       schema->n_children, n);
    }
    for (int64_t i = 0; i < n; i++) {
        const struct dn_field *f = &r->fields[i];
        DN_TRY(dn_schema_get_field(schema, i, &r->read_fields[i], err));
        if (strcmp(r->read_fields[i].name, f->name) != 0 ||
            !same_type(f->type, r->read_fields[i].type)) {
            return differs(r, err, f->name,
                           "column %" PRId64
                           " is '%.100s' of type %s instead of '%.100s' of type %s",
                           i + 1, r->read_fields[i].name, dn_type_name(r->read_fields[i].type),
                           f->name, dn_type_name(f->type));
        }
        r->read_fields[i].name = f->name; /* the schema will be gone */
    }
    return DN_OK;
}

static enum dn_status end_group(struct reading *r, struct dn_error *err)
{
    DN_TRY(dn_pq_written_add(&r->found, r->group_rows, r->digests, err));
    memset(r->digests, 0, (size_t)r->expected->n_columns * sizeof r->digests[0]);
    r->group_rows = 0;
    return DN_OK;
}

/* A batch never crosses a row group, so they end where the expected ones do. */
static enum dn_status add_batch(struct reading *r, const struct ArrowArray *batch,
                                struct dn_error *err)
{
    const struct written_group *groups =
        (const struct written_group *)(const void *)r->expected->groups.data;
    const size_t at = r->found.groups.len / sizeof *groups;
    struct dn_column_view view;

    if (at * sizeof *groups == r->expected->groups.len) {
        return differs(r, err, NULL, "it has more rows than were written");
    }
    for (int64_t i = 0; i < r->expected->n_columns; i++) {
        DN_TRY(dn_batch_get_column(batch, i, &r->read_fields[i], &view, err));
        r->digests[i] += dn_column_digest(&view, 0, batch->length, (uint64_t)r->group_rows);
    }
    r->group_rows += batch->length;
    return r->group_rows < groups[at].n_rows ? DN_OK : end_group(r, err);
}

static enum dn_status compare(const struct reading *r, struct dn_error *err)
{
    const struct dn_pq_written *e = r->expected;
    const struct written_group *want = (const struct written_group *)(const void *)e->groups.data;
    const struct written_group *got =
        (const struct written_group *)(const void *)r->found.groups.data;
    const size_t n_groups = e->groups.len / sizeof *want;
    int64_t column = 0;
    size_t group = 0;

    if (r->found.groups.len < e->groups.len) {
        return differs(r, err, NULL, "it has fewer rows than were written");
    }
    while (group < n_groups && want[group].n_rows == got[group].n_rows &&
           want[group].digest == got[group].digest) {
        group++;
    }
    while (column < e->n_columns &&
           ((const uint64_t *)(const void *)e->columns.data)[column] ==
               ((const uint64_t *)(const void *)r->found.columns.data)[column]) {
        column++;
    }
    if (group == n_groups && column == e->n_columns) {
        return DN_OK;
    }
    const char *name = column < e->n_columns ? r->fields[column].name : NULL;
    return differs(r, err, name,
                   "the values of column '%.100s' in row group %zu are not those that were given",
                   name != NULL ? name : "?", group);
}

static enum dn_status read_back(struct reading *r, struct dn_parquet_reader *reader,
                                struct dn_error *err)
{
    struct ArrowSchema schema = {0};

    DN_TRY(dn_parquet_reader_schema(reader, &schema, err));
    enum dn_status st = compare_schemas(r, &schema, err);
    schema.release(&schema);
    DN_TRY(st);
    for (;;) {
        struct ArrowArray batch = {0};
        DN_TRY(dn_parquet_reader_next(reader, &batch, err));
        if (batch.release == NULL) {
            return compare(r, err);
        }
        st = add_batch(r, &batch, err);
        batch.release(&batch);
        DN_TRY(st);
    }
}

enum dn_status dn_pq_written_check(const struct dn_pq_written *w, const char *path,
                                   const char *name, const struct dn_field *fields,
                                   const struct dn_parquet_read_options *options,
                                   struct dn_error *err)
{
    const size_t n = (size_t)w->n_columns;
    struct reading r = {.expected = w, .fields = fields, .name = name};
    struct dn_parquet_reader *reader = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_pq_written_init(&r.found, w->n_columns, err), cleanup);
    r.read_fields = dn_calloc(n, sizeof *r.read_fields);
    r.digests = dn_calloc(n, sizeof *r.digests);
    if (r.read_fields == NULL || r.digests == NULL) {
        st = dn_error_memory(err, n * sizeof *r.read_fields);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_parquet_reader_open(&reader, path, options, err), cleanup);
    st = read_back(&r, reader, err);
cleanup:
    dn_parquet_reader_close(reader);
    dn_pq_written_finish(&r.found);
    dn_free(r.read_fields);
    dn_free(r.digests);
    return st;
}
