/* The columns of several Parquet files as one table: the same in all of them, those that are asked for, and what they owe. */
#include "parquet_reader.h"

#include "arrow/nested.h"
#include "base/memory.h"
#include "base/strings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SAME_COLUMNS "files that are read together need the same columns in the same order"

void parquet_plan_finish(struct parquet_plan *plan)
{
    if (plan->files.release != NULL) {
        plan->files.release(&plan->files);
    }
    if (plan->schema.release != NULL) {
        plan->schema.release(&plan->schema);
    }
    dn_name_map_finish(&plan->by_name);
    dn_name_map_finish(&plan->rows_by_name);
    dn_free(plan->columns);
    dn_free(plan->names);
    dn_arena_finish(&plan->missing);
    *plan = (struct parquet_plan){0};
}

static bool is_nullable(const struct ArrowSchema *column)
{
    return (column->flags & ARROW_FLAG_NULLABLE) != 0;
}

/* The type of a column in words; to be freed. */
static enum dn_status words_of(const struct ArrowSchema *schema, int64_t i, char **out,
                               struct dn_error *err)
{
    struct dn_buffer words = {0};
    enum dn_status st = dn_schema_print_type(schema, i, &words, err);

    if (st == DN_OK) {
        *out = dn_text_take(&words);
        st = *out != NULL ? DN_OK : dn_error_memory(err, words.len);
    }
    dn_buffer_finish(&words);
    return st;
}

/* ---- the same columns in every file ------------------------------------------------------------------------------ */

static enum dn_status number_differs(const struct ArrowSchema *mine, const char *first,
                                     const struct ArrowSchema *theirs, const char *path,
                                     struct dn_error *err)
{
    const bool more = theirs->n_children > mine->n_children;
    const struct ArrowSchema *rest =
        more ? theirs->children[mine->n_children] : mine->children[theirs->n_children];

    (void)dn_error_set(err, DN_ERR_DATA,
                       "%s has %" PRId64 " columns and %s has %" PRId64
                       ", column \"%s\" only in the %s; " SAME_COLUMNS,
                       path, theirs->n_children, first, mine->n_children, rest->name,
                       more ? "former" : "latter");
    dn_error_locate(err, path, -1, -1, -1, rest->name);
    return DN_ERR_DATA;
}

static enum dn_status name_differs(int64_t i, const struct ArrowSchema *mine, const char *first,
                                   const struct ArrowSchema *theirs, const char *path,
                                   struct dn_error *err)
{

    (void)dn_error_set(err, DN_ERR_DATA,
                       "column %" PRId64 " is \"%s\" in %s and \"%s\" in %s; " SAME_COLUMNS, i + 1,
                       theirs->name, path, mine->name, first);
    dn_error_locate(err, path, -1, -1, -1, theirs->name);
    return DN_ERR_DATA;
}

static enum dn_status type_differs(int64_t i, const struct ArrowSchema *mine, const char *first,
                                   const struct ArrowSchema *theirs, const char *path,
                                   struct dn_error *err)
{
    const char *name = theirs->children[i]->name;
    char *a = NULL;
    char *b = NULL;
    enum dn_status st = DN_OK;

    DN_TRY_GOTO(st, words_of(theirs, i, &a, err), cleanup);
    DN_TRY_GOTO(st, words_of(mine, i, &b, err), cleanup);
    st = dn_error_set(err, DN_ERR_DATA,
                      "column \"%s\" is of type %.300s in %s and %.300s in %s; files that are read "
                      "together need the same types: nothing is converted",
                      name, a, path, b, first);
    dn_error_locate(err, path, -1, -1, -1, name);
cleanup:
    dn_free(a);
    dn_free(b);
    return st;
}

/* Zones make no other type, extensions do. */
static bool same_kind(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    struct dn_type x;
    struct dn_type y;

    return dn_type_from_format(a->format, a->metadata, &x) &&
           dn_type_from_format(b->format, b->metadata, &y) && dn_type_equal(x, y);
}

/* Are they of one type, with all that is within?  What fields are called is part of it; what items are called is not. */
static bool same_type(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    bool same = same_kind(a, b) && a->n_children == b->n_children;

    for (int64_t i = 0; same && i < a->n_children; i++) {
        same = same_type(a->children[i], b->children[i]) &&
               (strcmp(a->format, "+s") != 0 ||
                strcmp(a->children[i]->name, b->children[i]->name) == 0);
    }
    return same;
}

/* May all that `b` has nulls in be null in `a`? */
static bool has_room_for_nulls(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    bool has_room = is_nullable(a) || !is_nullable(b);

    for (int64_t i = 0; has_room && i < a->n_children; i++) {
        has_room = has_room_for_nulls(a->children[i], b->children[i]);
    }
    return has_room;
}

/* What is null in one of the files may be null in the rows. */
static void add_nulls(struct ArrowSchema *mine, const struct ArrowSchema *theirs)
{
    mine->flags |= theirs->flags & ARROW_FLAG_NULLABLE;
    for (int64_t i = 0; i < mine->n_children; i++) {
        add_nulls(mine->children[i], theirs->children[i]);
    }
}

/* `theirs` are the columns of `path`, `mine` those of `first`, the file before. */
static enum dn_status check_same(const struct ArrowSchema *mine, const char *first,
                                 const struct ArrowSchema *theirs, const char *path,
                                 struct dn_error *err)
{
    for (int64_t i = 0; i < mine->n_children && i < theirs->n_children; i++) {
        const struct ArrowSchema *a = mine->children[i];
        const struct ArrowSchema *b = theirs->children[i];
        if (strcmp(a->name, b->name) != 0) {
            return name_differs(i, a, first, b, path, err);
        }
        if (!same_type(a, b)) {
            return type_differs(i, mine, first, theirs, path, err);
        }
    }
    return mine->n_children == theirs->n_children ? DN_OK
                                                  : number_differs(mine, first, theirs, path, err);
}

enum dn_status parquet_plan_add(struct parquet_plan *plan, const struct dn_reader_files *all,
                                size_t i, struct ArrowSchema *schema, struct dn_error *err)
{
    if (i == 0) {
        plan->files = *schema;
        schema->release = NULL;
        return DN_OK;
    }
    DN_TRY(check_same(&plan->files, all->shown[0], schema, all->shown[i], err));
    for (int64_t c = 0; c < schema->n_children; c++) {
        add_nulls(plan->files.children[c], schema->children[c]);
    }
    return DN_OK;
}

enum dn_status parquet_plan_check(const struct parquet_plan *plan, const char *path,
                                  const struct ArrowSchema *schema, struct dn_error *err)
{
    size_t next = 0; /* of the columns that the files have */
    bool same = true;

    for (size_t i = 0; i < plan->n_columns && same; i++) {
        if (plan->columns[i].source < 0) {
            continue;
        }
        const struct ArrowSchema *mine = plan->schema.children[i];
        same = (int64_t)next < schema->n_children;
        if (same) {
            const struct ArrowSchema *now = schema->children[next++];
            same = strcmp(mine->name, now->name) == 0 && same_type(mine, now) &&
                   has_room_for_nulls(mine, now);
        }
    }
    if (same && (int64_t)next == schema->n_children) {
        return DN_OK;
    }
    return dn_error_set(err, DN_ERR_IO,
                        "%s was replaced while it was read: its columns are others than before",
                        path);
}

/* ---- the columns that are asked for ------------------------------------------------------------------------------ */

/* Names to places; of a repeated name the first column counts, as everywhere. */
static enum dn_status map_names(struct dn_name_map *map, const struct ArrowSchema *schema,
                                struct dn_error *err)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        const char *name = schema->children[i]->name;
        if (dn_name_map_get(map, name, strlen(name)) < 0) {
            DN_TRY(dn_name_map_add(map, name, strlen(name), i, err));
        }
    }
    return DN_OK;
}

static int64_t find_column(const struct dn_name_map *map, const char *name)
{
    return dn_name_map_get(map, name, strlen(name));
}

/* What an option says of a column that no file has. */
static enum dn_status no_column(const struct parquet_plan *plan,
                                const struct parquet_read_settings *s, const char *option,
                                const char *name, struct dn_error *err)
{
    const size_t n = (size_t)plan->files.n_children;
    const char **names = dn_calloc(n + 1, sizeof(*names));
    const char *close = NULL;

    for (size_t i = 0; names != NULL && i < n; i++) {
        names[i] = plan->files.children[i]->name;
    }
    close = names != NULL ? dn_text_suggest(name, names, n) : NULL;
    dn_free(names);
    (void)dn_error_set(err, DN_ERR_INVALID,
                       "%s: the option %s names the column \"%s\", which %s%s%s%s",
                       s->files.shown[0], option, name,
                       s->columns == NULL || s->missing_as_null ? "the file does not have"
                                                                : "is none of those that are read",
                       close != NULL ? "; did you mean \"" : "", close != NULL ? close : "",
                       close != NULL ? "\"?" : "");
    dn_error_locate(err, s->files.shown[0], -1, -1, -1, name);
    return dn_error_option(err, DN_ERR_INVALID, option);
}

static const char *declared_type(const struct parquet_read_settings *s, const char *name)
{
    return dn_shell_text_value(dn_shell_get(s->types, name));
}

/* The type of the nulls of a column that the files lack. */
static enum dn_status type_of_missing(struct parquet_plan *plan,
                                      const struct parquet_read_settings *s, const char *name,
                                      struct dn_node *out, struct dn_error *err)
{
    const char *declared = declared_type(s, name);
    const enum dn_status st =
        declared != NULL ? dn_node_parse(declared, &plan->missing, out, err) : DN_ERR_INVALID;

    if (st == DN_ERR_INVALID) { /* no type, or none that is known here */
        dn_error_clear(err);
        *out = (struct dn_node){.field = {.type = DN_TYPE(NULL)}};
    }
    out->field.name = name;
    out->field.nullable = true;
    return st == DN_ERR_INVALID ? DN_OK : st;
}

/* Where every column of the rows comes from. */
static enum dn_status choose_columns(struct parquet_plan *plan,
                                     const struct parquet_read_settings *s, struct dn_error *err)
{
    const bool all = s->columns == NULL;

    plan->n_columns = all ? (size_t)plan->files.n_children : s->n_columns;
    plan->columns = dn_calloc(plan->n_columns + 1, sizeof(*plan->columns));
    plan->names = all ? NULL : dn_calloc(plan->n_columns + 1, sizeof(*plan->names));
    if (plan->columns == NULL || (!all && plan->names == NULL)) {
        return dn_error_memory(err, plan->n_columns * sizeof(*plan->columns));
    }
    for (size_t i = 0; i < plan->n_columns; i++) {
        struct parquet_column *c = &plan->columns[i];
        c->place = all ? (int64_t)i : find_column(&plan->by_name, s->columns[i]);
        c->source = all ? (int64_t)i : (int64_t)plan->n_names;
        if (c->place >= 0 && !all) {
            plan->names[plan->n_names++] = s->columns[i];
        }
        if (c->place >= 0) {
            continue;
        }
        if (!s->missing_as_null) {
            return no_column(plan, s, "columns", s->columns[i], err);
        }
        c->source = -1;
        DN_TRY(type_of_missing(plan, s, s->columns[i], &c->missing, err));
        plan->n_missing++;
    }
    return DN_OK;
}

static enum dn_status make_schema(struct parquet_plan *plan, struct dn_error *err)
{
    struct ArrowSchema from = plan->files;
    struct ArrowSchema absent = {0};
    struct dn_node *nodes = dn_calloc(plan->n_missing + 1, sizeof(*nodes));
    struct ArrowSchema **children = dn_calloc(plan->n_columns + 1, sizeof(struct ArrowSchema *));
    int64_t n = 0;
    enum dn_status st = DN_OK;

    if (nodes == NULL || children == NULL) {
        st = dn_error_memory(err, plan->n_columns * sizeof(void *));
        goto cleanup;
    }
    for (size_t i = 0; i < plan->n_columns; i++) {
        if (plan->columns[i].place < 0) {
            nodes[n++] = plan->columns[i].missing;
        }
    }
    DN_TRY_GOTO(st, dn_schema_make_nodes(&absent, nodes, n, err), cleanup);
    n = 0;
    for (size_t i = 0; i < plan->n_columns; i++) {
        const struct parquet_column *c = &plan->columns[i];
        children[i] = c->place >= 0 ? plan->files.children[c->place] : absent.children[n++];
    }
    from.n_children =
        (int64_t)plan->n_columns; /* a list of ours over what is there, to be copied */
    from.children = children;
    st = dn_schema_copy(&plan->schema, &from, err);
cleanup:
    if (absent.release != NULL) {
        absent.release(&absent);
    }
    dn_free(nodes);
    dn_free(children);
    return st;
}

/* ---- what is expected of them ------------------------------------------------------------------------------------ */

static enum dn_status type_is_other(const struct parquet_read_settings *s,
                                    const struct ArrowSchema *column, const char *is,
                                    const char *declared, struct dn_error *err)
{
    (void)dn_error_set(
        err, DN_ERR_TYPE,
        "%s: column \"%s\" is of type %.300s, and %s is expected; types of Parquet columns "
        "are checked, not converted: expect %.300s, or change the type where the file "
        "is made",
        s->files.shown[0], column->name, is, declared, is);
    dn_error_locate(err, s->files.shown[0], -1, -1, -1, column->name);
    dn_error_copy_text(err->expected, sizeof(err->expected), declared);
    dn_error_copy_text(err->suggested_type, sizeof(err->suggested_type), is);
    return DN_ERR_TYPE;
}

/* The same of words of any person's, or those words if they name no type; to be freed. */
static enum dn_status declared_words(const char *declared, char **out, struct dn_error *err)
{
    struct dn_arena arena = {0};
    struct dn_buffer words = {0};
    struct dn_node node;
    enum dn_status st = dn_node_parse(declared, &arena, &node, err);

    if (st == DN_ERR_INVALID) {
        dn_error_clear(err);
    }
    st = st == DN_OK            ? dn_node_print(&node, &words, err)
         : st == DN_ERR_INVALID ? dn_text_append(&words, declared, err)
                                : st;
    if (st == DN_OK) {
        *out = dn_text_take(&words);
        st = *out != NULL ? DN_OK : dn_error_memory(err, words.len);
    }
    dn_buffer_finish(&words);
    dn_arena_finish(&arena);
    return st;
}

static enum dn_status check_type(const struct parquet_plan *plan,
                                 const struct parquet_read_settings *s, const char *name,
                                 const char *declared, struct dn_error *err)
{
    const int64_t at = find_column(&plan->rows_by_name, name);
    char *words = NULL;
    char *expected = NULL;

    if (at < 0) { /* of a column that is not read nothing is expected */
        return find_column(&plan->by_name, name) >= 0 || s->missing_as_null
                   ? DN_OK
                   : no_column(plan, s, "types", name, err);
    }
    if (plan->columns[at].source < 0) {
        return DN_OK;
    }
    enum dn_status st = declared_words(declared, &expected, err);
    st = st == DN_OK ? words_of(&plan->schema, at, &words, err) : st;
    if (st == DN_OK && strcmp(words, expected) != 0) {
        st = type_is_other(s, plan->schema.children[at], words, expected, err);
    }
    dn_free(words);
    dn_free(expected);
    return st;
}

static enum dn_status check_types(const struct parquet_plan *plan,
                                  const struct parquet_read_settings *s, struct dn_error *err)
{
    json_t *mutable =
        (json_t *)(uintptr_t)s->types; /* jansson iterates through a mutable pointer only */

    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        const char *declared = dn_shell_text_value(json_object_iter_value(it));
        if (declared != NULL) {
            DN_TRY(check_type(plan, s, json_object_iter_key(it), declared, err));
        }
    }
    return DN_OK;
}

enum dn_status parquet_plan_make(struct parquet_plan *plan, const struct parquet_read_settings *s,
                                 struct dn_error *err)
{
    DN_TRY(map_names(&plan->by_name, &plan->files, err));
    DN_TRY(choose_columns(plan, s, err));
    DN_TRY(make_schema(plan, err));
    DN_TRY(map_names(&plan->rows_by_name, &plan->schema, err));
    DN_TRY(check_types(plan, s, err));
    for (size_t i = 0; i < s->n_required; i++) {
        const int64_t at = find_column(&plan->rows_by_name, s->required[i]);
        if (at < 0 && find_column(&plan->by_name, s->required[i]) < 0) {
            return no_column(plan, s, "required", s->required[i], err);
        }
        if (at >= 0) {
            plan->columns[at].required = true;
        }
    }
    return DN_OK;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

/* A batch of ours over one of the library's and one of nulls; children live in them, so that a consumer can move them out. */
struct widened {
    struct ArrowArray given;
    struct ArrowArray nulls;
    const void *no_validity;
    struct ArrowArray *children[];
};

static void release_widened(struct ArrowArray *array)
{
    struct widened *w = array->private_data;
    w->given.release(&w->given);
    w->nulls.release(&w->nulls);
    dn_free(w);
    array->release = NULL;
}

static void release_zeros(void *zeros)
{
    dn_free(zeros);
}

/* Nulls over a block of zeros, and in *size how large that must be; lists have nothing within, but those of one length do. */
static enum dn_status describe_nulls(const struct dn_node *node, int64_t n_rows, const void *zeros,
                                     struct dn_arena *arena, struct dn_batch_column *out,
                                     size_t *size, struct dn_error *err)
{
    const struct dn_type type = node->field.type;
    const size_t width = dn_type_width(type) > sizeof(int64_t) ? dn_type_width(type)
                                                               : sizeof(int64_t); /* of offsets */
    struct dn_batch_column *children =
        dn_arena_alloc(arena, (size_t)(node->n_children + 1) * sizeof(*children));
    int64_t within = type.id == DN_TYPE_STRUCT ? n_rows : 0;
    size_t need = 0;

    if (!dn_mul_size((size_t)n_rows + 1, width, &need) || children == NULL ||
        (type.id == DN_TYPE_FIXED_LIST &&
         __builtin_mul_overflow(n_rows, (int64_t)type.width, &within))) {
        return dn_error_memory(err, SIZE_MAX);
    }
    *size = need > *size ? need : *size;
    for (int64_t i = 0; i < node->n_children; i++) {
        DN_TRY(describe_nulls(&node->children[i], within, zeros, arena, &children[i], size, err));
    }
    *out = (struct dn_batch_column){.type = type,
                                    .null_count = n_rows,
                                    .validity = zeros,
                                    .values = zeros,
                                    .bytes = zeros,
                                    .children = children,
                                    .n_children = node->n_children,
                                    .n_rows = n_rows};
    return DN_OK;
}

static enum dn_status describe_missing(const struct parquet_plan *plan, int64_t n_rows,
                                       const void *zeros, struct dn_arena *arena,
                                       struct dn_batch_column *out, size_t *size,
                                       struct dn_error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_columns; i++) {
        if (plan->columns[i].source < 0) {
            DN_TRY(describe_nulls(&plan->columns[i].missing, n_rows, zeros, arena, &out[n++], size,
                                  err));
        }
    }
    return DN_OK;
}

/* All missing columns of a batch: they share one block of zeros for validity and values. */
static enum dn_status make_nulls(const struct parquet_plan *plan, int64_t n_rows,
                                 struct ArrowArray *out, struct dn_error *err)
{
    struct dn_batch_column *columns = dn_calloc(plan->n_missing, sizeof(*columns));
    struct dn_arena arena = {0};
    uint8_t *zeros = NULL;
    size_t size = 0;
    enum dn_status st = DN_OK;

    if (columns == NULL) {
        st = dn_error_memory(err, plan->n_missing * sizeof(*columns));
        goto cleanup;
    }
    DN_TRY_GOTO(st, describe_missing(plan, n_rows, NULL, &arena, columns, &size, err), cleanup);
    zeros = dn_calloc(1, size);
    if (zeros == NULL) {
        st = dn_error_memory(err, size);
        goto cleanup;
    }
    DN_TRY_GOTO(st, describe_missing(plan, n_rows, zeros, &arena, columns, &size, err), cleanup);
    DN_TRY_GOTO(
        st,
        dn_batch_export(out, n_rows, (int64_t)plan->n_missing, columns, release_zeros, zeros, err),
        cleanup);
    zeros = NULL;
cleanup:
    dn_arena_finish(&arena);
    dn_free(columns);
    dn_free(zeros);
    return st;
}

/* Put the columns that are missing between those that are there. */
static enum dn_status add_missing(const struct parquet_plan *plan, struct ArrowArray *batch,
                                  struct dn_error *err)
{
    size_t next = 0;
    struct widened *w =
        dn_calloc(1, sizeof(*w) + (plan->n_columns + 1) * sizeof(struct ArrowArray *));

    if (w == NULL) {
        return dn_error_memory(err, plan->n_columns * sizeof(struct ArrowArray *));
    }
    const enum dn_status st = make_nulls(plan, batch->length, &w->nulls, err);
    if (st != DN_OK) {
        dn_free(w);
        return st;
    }
    w->given = *batch;
    for (size_t i = 0; i < plan->n_columns; i++) {
        const int64_t source = plan->columns[i].source;
        w->children[i] = source < 0 ? w->nulls.children[next++] : w->given.children[source];
    }
    *batch = (struct ArrowArray){
        .length = w->given.length,
        .n_buffers = 1,
        .buffers = &w->no_validity,
        .n_children = (int64_t)plan->n_columns,
        .children = w->children,
        .release = release_widened,
        .private_data = w,
    };
    return DN_OK;
}

/* The first null of a column, or -1. */
static int64_t first_null(const struct ArrowArray *column)
{
    if (column->n_buffers == 0) {
        return 0; /* nothing but nulls */
    }
    const uint8_t *bits = column->buffers[0];
    if (bits == NULL || dn_bits_count_zero(bits, column->offset, column->length) == 0) {
        return -1;
    }
    int64_t i = 0;
    while (dn_bit_get(bits, column->offset + i)) {
        i++;
    }
    return i;
}

static enum dn_status check_required(const struct parquet_plan *plan, const char *path, int64_t row,
                                     const struct ArrowArray *batch, struct dn_error *err)
{
    for (size_t i = 0; i < plan->n_columns; i++) {
        const struct parquet_column *c = &plan->columns[i];
        const int64_t at = c->required ? first_null(batch->children[i]) : -1;
        if (at >= 0) {
            (void)dn_error_set(err, DN_ERR_DATA,
                               "%s: row %" PRId64 ": column \"%s\" is null, and it is required",
                               path, row + at + 1, plan->schema.children[i]->name);
            dn_error_locate(err, path, row + at + 1, -1, -1, plan->schema.children[i]->name);
            return DN_ERR_DATA;
        }
    }
    return DN_OK;
}

enum dn_status parquet_plan_apply(const struct parquet_plan *plan, const char *path, int64_t row,
                                  struct ArrowArray *batch, struct dn_error *err)
{
    if (plan->n_missing > 0) {
        DN_TRY(add_missing(plan, batch, err));
    }
    return check_required(plan, path, row, batch, err);
}
