#include "parquet/written.h"

#include "base/memory.h"
#include "parquet/read/reader_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define KEY UINT64_C(0x510e527fade682d1)
#define COLUMN_BYTES                                                                               \
    ((uint64_t)256 << 10) /* of the budget, for each column that is read at a time */
#define LEAST_COLUMNS 16

struct written_group {
    int64_t n_rows;
    uint64_t digest; /* over all columns */
};

/* The read-back under way: of columns [first, first + n), pass by pass. */
struct reading {
    const struct dn_pq_written *expected;
    struct dn_pq_written found;
    const struct dn_node *columns;
    struct dn_node *read;   /* per column of the pass; in ... */
    struct dn_arena arena;  /* ... here */
    struct dn_arena within; /* views within a batch */
    struct ArrowSchema schema;
    const char *name;
    int64_t first;
    int64_t n;
    struct dn_digest_path **paths; /* per column of the pass; NULL: it is flat */
    uint64_t *digests;             /* of the open row group, per column of the pass */
    int64_t group_rows;
    size_t n_groups; /* ended */
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

/* Columns [first, first + n) of row group `place`. */
static void add_digests(struct dn_pq_written *w, size_t place, int64_t first, int64_t n,
                        const uint64_t *digests)
{
    uint64_t *columns = (uint64_t *)(void *)w->columns.data;
    struct written_group *group = (struct written_group *)(void *)w->groups.data + place;

    for (int64_t i = 0; i < n; i++) {
        columns[first + i] += placed(digests[i], place);
        group->digest += placed(digests[i], (uint64_t)(first + i));
    }
}

enum dn_status dn_pq_written_add(struct dn_pq_written *w, int64_t n_rows, const uint64_t *digests,
                                 struct dn_error *err)
{
    const struct written_group group = {.n_rows = n_rows};
    const size_t place = w->groups.len / sizeof group;

    DN_TRY(dn_buffer_append(&w->groups, &group, sizeof group, err));
    add_digests(w, place, 0, w->n_columns, digests);
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

/* Of the same values: how texts are laid out does not matter, nor what items and entries are called. */
static bool same_values(const struct dn_node *a, const struct dn_node *b)
{
    const bool named = a->field.type.id == DN_TYPE_STRUCT;

    if (!dn_type_same_values(a->field.type, b->field.type) || a->n_children != b->n_children) {
        return false;
    }
    for (int64_t i = 0; i < a->n_children; i++) {
        if ((named && strcmp(a->children[i].field.name, b->children[i].field.name) != 0) ||
            !same_values(&a->children[i], &b->children[i])) {
            return false;
        }
    }
    return true;
}

/* Column i, counted from 0, is read as another. */
static enum dn_status another_column(const struct reading *r, int64_t i, const struct dn_node *due,
                                     const struct dn_node *read, struct dn_error *err)
{
    struct dn_buffer words = {0};
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, dn_node_print(read, &words, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&words, 0, err), cleanup);
    const size_t second = words.len;
    DN_TRY_GOTO(st, dn_node_print(due, &words, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_append_byte(&words, 0, err), cleanup);
    st = differs(r, err, due->field.name,
                 "column %" PRId64 " is '%.100s' of type %.100s instead of '%.100s' of type %.100s",
                 i + 1, read->field.name, (const char *)words.data, due->field.name,
                 (const char *)words.data + second);
cleanup:
    dn_buffer_finish(&words);
    return st;
}

static enum dn_status compare_schemas(struct reading *r, struct dn_error *err)
{
    if (r->schema.n_children != r->n) {
        return differs(r, err, NULL, "it has %" PRId64 " columns where %" PRId64 " were written",
                       r->schema.n_children, r->n);
    }
    for (int64_t i = 0; i < r->n; i++) {
        const struct dn_node *due = &r->columns[r->first + i];
        struct dn_node *read = &r->read[i];
        DN_TRY(dn_schema_get_node(&r->schema, i, &r->arena, read, err));
        if (strcmp(read->field.name, due->field.name) != 0 || !same_values(due, read)) {
            return another_column(r, r->first + i, due, read, err);
        }
    }
    return DN_OK;
}

/* Leaves of a nested column and how far their digests are; of a flat one there are none. */
static int64_t count_leaves(const struct dn_node *node)
{
    int64_t n = node->n_children == 0;

    for (int64_t i = 0; i < node->n_children; i++) {
        n += count_leaves(&node->children[i]);
    }
    return n;
}

/* The way to each leaf of a node, of which `at` is as far as here. */
static enum dn_status make_paths(struct reading *r, const struct dn_node *node, int32_t *at,
                                 int64_t depth, struct dn_digest_path **next, struct dn_error *err)
{
    if (node->n_children == 0) {
        int32_t *own = dn_arena_alloc(&r->arena, (size_t)depth * sizeof *own + 1);
        if (own == NULL) {
            return dn_error_memory(err, (size_t)depth * sizeof *own);
        }
        memcpy(own, at, (size_t)depth * sizeof *own);
        *(*next)++ = (struct dn_digest_path){.children = own, .n_children = depth};
        return DN_OK;
    }
    for (int64_t i = 0; i < node->n_children; i++) {
        at[depth] = (int32_t)i;
        DN_TRY(make_paths(r, &node->children[i], at, depth + 1, next, err));
    }
    return DN_OK;
}

static enum dn_status open_paths(struct reading *r, struct dn_error *err)
{
    int32_t at[DN_NODE_MAX_DEPTH];

    for (int64_t i = 0; i < r->n; i++) {
        const size_t n = (size_t)count_leaves(&r->read[i]);
        r->paths[i] = NULL;
        if (r->read[i].n_children == 0) {
            continue;
        }
        struct dn_digest_path *next = dn_arena_alloc(&r->arena, n * sizeof *next);
        if (next == NULL) {
            return dn_error_memory(err, n * sizeof *next);
        }
        r->paths[i] = next;
        DN_TRY(make_paths(r, &r->read[i], at, 0, &next, err));
    }
    return DN_OK;
}

/* Column i of a batch. */
static enum dn_status add_column(struct reading *r, const struct ArrowArray *batch, int64_t i,
                                 struct dn_error *err)
{
    struct dn_digest_path *paths = r->paths[i];
    struct dn_column_view view;

    DN_TRY(dn_batch_get_node(batch, i, &r->read[i], &r->within, &view, err));
    if (paths == NULL) {
        r->digests[i] += dn_column_digest(&view, 0, batch->length, (uint64_t)r->group_rows);
        return DN_OK;
    }
    for (int64_t k = 0; k < count_leaves(&r->read[i]); k++) {
        if (r->group_rows == 0) {
            memset(paths[k].n_rows, 0, sizeof paths[k].n_rows);
        }
        r->digests[i] +=
            dn_pq_written_leaf(dn_column_digest_within(&paths[k], &view, 0, batch->length), k);
    }
    return DN_OK;
}

/* A batch never crosses a row group, so they end where the expected ones do. */
static enum dn_status add_batch(struct reading *r, const struct ArrowArray *batch,
                                struct dn_error *err)
{
    const struct written_group *groups =
        (const struct written_group *)(const void *)r->expected->groups.data;

    if (r->n_groups * sizeof *groups == r->expected->groups.len) {
        return differs(r, err, NULL, "it has more rows than were written");
    }
    for (int64_t i = 0; i < r->n; i++) {
        const enum dn_status st = add_column(r, batch, i, err);
        dn_arena_finish(&r->within);
        DN_TRY(st);
    }
    r->group_rows += batch->length;
    if (r->group_rows < groups[r->n_groups].n_rows) {
        return DN_OK;
    }
    if (r->group_rows > groups[r->n_groups].n_rows) {
        return differs(r, err, NULL, "row group %zu has %" PRId64 " rows instead of %" PRId64,
                       r->n_groups, r->group_rows, groups[r->n_groups].n_rows);
    }
    add_digests(&r->found, r->n_groups, r->first, r->n, r->digests);
    memset(r->digests, 0, (size_t)r->n * sizeof r->digests[0]);
    r->group_rows = 0;
    r->n_groups++;
    return DN_OK;
}

static enum dn_status compare(const struct reading *r, struct dn_error *err)
{
    const struct dn_pq_written *e = r->expected;
    const struct written_group *want = (const struct written_group *)(const void *)e->groups.data;
    const struct written_group *got =
        (const struct written_group *)(const void *)r->found.groups.data;
    const uint64_t *want_columns = (const uint64_t *)(const void *)e->columns.data;
    const uint64_t *got_columns = (const uint64_t *)(const void *)r->found.columns.data;
    const size_t n_groups = e->groups.len / sizeof *want;
    int64_t column = 0;
    size_t group = 0;

    while (group < n_groups && want[group].digest == got[group].digest) {
        group++;
    }
    while (column < e->n_columns && want_columns[column] == got_columns[column]) {
        column++;
    }
    if (group == n_groups && column == e->n_columns) {
        return DN_OK;
    }
    const char *name = column < e->n_columns ? r->columns[column].field.name : NULL;
    return differs(r, err, name,
                   "the values of column '%.100s' in row group %zu are not those that were given",
                   name != NULL ? name : "?", group);
}

static enum dn_status read_rows(struct reading *r, struct dn_parquet_reader *reader,
                                struct dn_error *err)
{
    enum dn_status st = DN_OK;

    DN_TRY(compare_schemas(r, err));
    DN_TRY(open_paths(r, err));
    for (;;) {
        struct ArrowArray batch = {0};
        DN_TRY(dn_parquet_reader_next(reader, &batch, err));
        if (batch.release == NULL) {
            break;
        }
        st = add_batch(r, &batch, err);
        batch.release(&batch);
        DN_TRY(st);
    }
    if (r->n_groups * sizeof(struct written_group) < r->expected->groups.len) {
        return differs(r, err, NULL, "it has fewer rows than were written");
    }
    return DN_OK;
}

/* A failure of the reader: it knows the file by its descriptor, and what it cannot read is this writer's doing. */
static enum dn_status place_failure(const struct reading *r, enum dn_status st, const char *path,
                                    struct dn_error *err)
{
    char message[sizeof err->message];
    char column[sizeof err->column];

    if (st == DN_OK || err == NULL || strcmp(err->path, path) != 0) {
        return st;
    }
    const size_t shown = strncmp(err->message, path, strlen(path)) == 0 ? strlen(path) + 2 : 0;
    dn_error_copy_text(message, sizeof message, err->message + shown);
    dn_error_copy_text(column, sizeof column, err->column);
    if (st == DN_ERR_DATA || st == DN_ERR_UNSUPPORTED) {
        return differs(r, err, column, "it cannot be read: %s", message);
    }
    dn_error_copy_text(err->message, sizeof err->message, message);
    dn_error_copy_text(err->path, sizeof err->path, r->name);
    return dn_error_prefix(err, st, "%s, as it is read back: ", r->name);
}

/* One pass over the file, for the columns of `r`. */
static enum dn_status read_pass(struct reading *r, const char *path,
                                const struct dn_parquet_read_options *options, const char **names,
                                struct dn_error *err)
{
    struct dn_parquet_read_options o = *options;
    struct dn_parquet_reader *reader = NULL;

    if (r->n < r->expected->n_columns) {
        for (int64_t i = 0; i < r->n; i++) {
            names[i] = r->columns[r->first + i].field.name;
        }
        o.columns = names;
        o.n_columns = (size_t)r->n;
    }
    r->n_groups = 0;
    r->group_rows = 0;
    memset(r->digests, 0, (size_t)r->n * sizeof r->digests[0]);
    enum dn_status st = dn_pq_reader_open(&reader, path, &o, true, err);
    if (st == DN_OK) {
        st = dn_parquet_reader_schema(reader, &r->schema, err);
        if (st == DN_OK) {
            st = read_rows(r, reader, err);
            r->schema.release(&r->schema);
        }
        dn_parquet_reader_close(reader);
    }
    dn_arena_finish(&r->arena);
    return place_failure(r, st, path, err);
}

/* So many columns at a time that a page and a dictionary of each find room. */
static int64_t pass_columns(const struct dn_pq_written *w,
                            const struct dn_parquet_read_options *options)
{
    const uint64_t room = options->memory_budget_bytes / COLUMN_BYTES;
    const int64_t most = room < LEAST_COLUMNS ? LEAST_COLUMNS : (int64_t)room;

    return w->n_columns < most ? w->n_columns : most;
}

enum dn_status dn_pq_written_check(const struct dn_pq_written *w, const char *path,
                                   const char *name, const struct dn_node *columns,
                                   const struct dn_parquet_read_options *options,
                                   struct dn_error *err)
{
    struct reading r = {.expected = w, .columns = columns, .name = name};
    const int64_t step = pass_columns(w, options);
    const char **names = dn_calloc((size_t)step, sizeof(char *));
    enum dn_status st = DN_OK;

    r.read = dn_calloc((size_t)step, sizeof *r.read);
    r.paths = dn_calloc((size_t)step, sizeof(struct dn_digest_path *));
    r.digests = dn_calloc((size_t)step, sizeof *r.digests);
    if (names == NULL || r.read == NULL || r.paths == NULL || r.digests == NULL) {
        st = dn_error_memory(err, (size_t)step * sizeof *r.read);
        goto cleanup;
    }
    DN_TRY_GOTO(st, dn_pq_written_init(&r.found, w->n_columns, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_reserve(&r.found.groups, w->groups.len, err), cleanup);
    memset(r.found.groups.data, 0, w->groups.len);
    for (; r.first < w->n_columns; r.first += step) {
        r.n = w->n_columns - r.first < step ? w->n_columns - r.first : step;
        DN_TRY_GOTO(st, read_pass(&r, path, options, names, err), cleanup);
    }
    st = compare(&r, err);
cleanup:
    dn_pq_written_finish(&r.found);
    dn_free((void *)names);
    dn_free(r.read);
    dn_free((void *)r.paths);
    dn_free(r.digests);
    return st;
}
