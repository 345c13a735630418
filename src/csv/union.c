#include "csv/union.h"

#include "base/memory.h"
#include "csv/names.h"

#include <stdio.h>

#define NONE SIZE_MAX

/* A field of the table that is being put together. */
struct field {
    const char *name;
    size_t next;   /* the next one of the same name, or NONE */
    size_t file;   /* of a name's first one: the last file that had it, from 1, */
    size_t latest; /* and which one of that name was its last */
};

struct builder {
    struct dn_csv_reader *r;
    const struct dn_csv_options *o;
    struct field *fields;
    size_t n;
    size_t room;
    struct dn_name_map names;   /* to the first field of each */
    struct dn_name_map headers; /* the bytes of headers to the first file that has them */
    const struct dn_csv_layout **layouts;
};

static enum dn_status add_field(struct builder *b, const char *name, size_t *out,
                                struct dn_error *err)
{
    if (b->fields == NULL || b->n == b->room) {
        const size_t room = 2 * b->room + 64;
        struct field *fields = dn_realloc(b->fields, room * sizeof(*fields));
        if (fields == NULL) {
            return dn_error_memory(err, room * sizeof(*fields));
        }
        b->fields = fields;
        b->room = room;
    }
    char *copy = dn_arena_strdup(&b->r->arena, name);
    if (copy == NULL) {
        return dn_error_memory(err, strlen(name));
    }
    b->fields[b->n] = (struct field){.name = copy, .next = NONE};
    *out = b->n++;
    return DN_OK;
}

/* The field of the table for the next field called `name` of file number `file`. */
static enum dn_status match(struct builder *b, size_t file, const char *name, size_t *out,
                            struct dn_error *err)
{
    const int64_t known = dn_name_map_get(&b->names, name, strlen(name));
    size_t at = 0;

    if (b->fields == NULL || known < 0) {
        DN_TRY(add_field(b, name, &at, err));
        struct field *field = &b->fields[at];
        field->file = file + 1;
        field->latest = at;
        *out = at;
        return dn_name_map_add(&b->names, field->name, strlen(name), (int64_t)at, err);
    }
    const size_t first = (size_t)known;
    if (b->fields[first].file != file + 1) {
        at = first;
    } else {
        const size_t before = b->fields[first].latest;
        at = b->fields[before].next;
        if (at == NONE) {
            DN_TRY(add_field(b, name, &at, err));
            b->fields[before].next = at;
        }
    }
    b->fields[first].file = file + 1;
    b->fields[first].latest = at;
    *out = at;
    return DN_OK;
}

/* File number `file` has these names. */
static enum dn_status add_layout(struct builder *b, size_t file, struct dn_span header,
                                 const char *const *names, size_t n_names, struct dn_error *err)
{
    struct dn_arena *arena = &b->r->arena;
    struct dn_csv_layout *layout = dn_arena_alloc(arena, sizeof(*layout));
    uint32_t *fields = dn_arena_alloc(arena, (n_names + 1) * sizeof(*fields));

    if (layout == NULL || fields == NULL) {
        return dn_error_memory(err, n_names * sizeof(*fields));
    }
    for (size_t i = 0; i < n_names; i++) {
        size_t at = 0;
        DN_TRY(match(b, file, names[i], &at, err));
        fields[i] = (uint32_t)at;
    }
    *layout = (struct dn_csv_layout){header, n_names, fields};
    b->layouts[file] = layout;
    return header.len == 0 ? DN_OK
                           : dn_name_map_add(&b->headers, (const char *)header.data, header.len,
                                             (int64_t)file, err);
}

static enum dn_status not_twice(const char *path, struct dn_error *err)
{
    char shown[DN_SHOWN_PATH_SIZE];

    path = dn_source_shown_path(shown, path);
    dn_error_set(err, DN_ERR_UNSUPPORTED,
                 "%s: with the option union_by_name the headers of all files are read before the "
                 "first row, and this can be read only once; put it first, or write it to a file",
                 path);
    dn_error_locate(err, path, -1, -1, -1, NULL);
    return DN_ERR_UNSUPPORTED;
}

/* The header of a further file, read by a reader of its own that shares how files are read. */
static enum dn_status read_header(struct builder *b, struct dn_csv_reader *one, size_t file,
                                  struct dn_error *err)
{
    const struct dn_csv_reader *r = b->r;
    struct dn_source *source = NULL;

    enum dn_status st =
        dn_text_open_again(&source, r->paths[file], r->feed.text, r->feed.stop, err);
    dn_source_close(source);
    if (st == DN_ERR_UNSUPPORTED) {
        return not_twice(r->paths[file], err);
    }
    DN_TRY(st);
    one->paths = &r->paths[file];
    one->n_paths = 1;
    one->dialect = r->dialect;
    one->trim = r->trim;
    one->kernels = r->kernels;
    one->has_header = true;
    one->may_be_empty = true;
    one->feed = r->feed;
    one->feed.row_ends_known = true;
    one->text = *r->feed.text;
    one->text.n_replaced = &one->replaced; /* counted when the rows are read */
    one->feed.text = &one->text;
    one->feed.paths = one->paths;
    one->feed.n_paths = 1;
    one->feed.opened = &r->feed.opened[file];
    one->feed.dialect = &one->dialect;
    one->feed.note = NULL;
    one->feed.source = NULL;
    one->feed.carry = (struct dn_buffer){0};
    one->feed.tail.held = (struct dn_buffer){0};
    one->feed.tail.n_dropped = 0;
    one->feed.header = (struct dn_span){0};
    one->feed.skip_header = false;
    st = dn_csv_feed_open(&one->feed, err);
    if (st != DN_OK) {
        dn_csv_place(one, 0, err);
        return st;
    }
    DN_TRY(dn_csv_open_header(one, b->o, err));
    return dn_csv_fold_names(one, b->o, err);
}

static enum dn_status add_file(struct builder *b, size_t file, struct dn_error *err)
{
    struct dn_csv_reader *one = dn_calloc(1, sizeof(*one));

    if (one == NULL) {
        return dn_error_memory(err, sizeof(*one));
    }
    enum dn_status st = read_header(b, one, file, err);
    const struct dn_span header = one->feed.header;
    const int64_t known = st == DN_OK && header.len > 0
                              ? dn_name_map_get(&b->headers, (const char *)header.data, header.len)
                              : -1;
    if (known >= 0) {
        b->layouts[file] = b->layouts[known];
    } else if (st == DN_OK) {
        const char *copy =
            header.len == 0 ? ""
                            : dn_arena_strndup(&b->r->arena, (const char *)header.data, header.len);
        st = copy == NULL ? dn_error_memory(err, header.len)
                          : add_layout(b, file, (struct dn_span){(const uint8_t *)copy, header.len},
                                       one->field_names, one->n_fields, err);
    }
    dn_csv_feed_finish(&one->feed);
    dn_arena_finish(&one->arena);
    dn_free(one);
    return st;
}

static enum dn_status finish(struct builder *b, struct dn_error *err)
{
    struct dn_csv_reader *r = b->r;
    struct dn_span *headers = dn_arena_alloc(&r->arena, r->n_paths * sizeof(*headers));

    r->n_fields = b->n;
    r->field_names = dn_arena_alloc(&r->arena, (b->n + 1) * sizeof(char *));
    if (r->field_names == NULL || headers == NULL) {
        return dn_error_memory(err, b->n * sizeof(char *));
    }
    for (size_t i = 0; i < b->n; i++) {
        r->field_names[i] = b->fields[i].name;
    }
    for (size_t i = 0; i < r->n_paths; i++) {
        headers[i] = b->layouts[i]->header;
    }
    r->feed.headers = headers;
    r->layouts = b->layouts;
    return DN_OK;
}

enum dn_status dn_csv_union_open(struct dn_csv_reader *r, const struct dn_csv_options *o,
                                 struct dn_error *err)
{
    struct builder b = {.r = r, .o = o};
    enum dn_status st = DN_OK;

    b.layouts = dn_arena_alloc(&r->arena, r->n_paths * sizeof(struct dn_csv_layout *));
    if (b.layouts == NULL) {
        return dn_error_memory(err, r->n_paths * sizeof(struct dn_csv_layout *));
    }
    DN_TRY(dn_csv_fold_names(r, o, err));
    DN_TRY_GOTO(st, add_layout(&b, 0, r->feed.header, r->field_names, r->n_fields, err), cleanup);
    for (size_t i = 1; i < r->n_paths; i++) {
        if (dn_stop_asked(&r->cancel)) {
            st = dn_error_set(err, DN_ERR_CANCELLED, "reading was stopped on request");
            goto cleanup;
        }
        DN_TRY_GOTO(st, add_file(&b, i, err), cleanup);
    }
    st = finish(&b, err);
cleanup:
    dn_name_map_finish(&b.names);
    dn_name_map_finish(&b.headers);
    dn_free(b.fields);
    return st;
}

struct dn_span dn_csv_header_of(const struct dn_csv_reader *r, size_t file)
{
    return r->layouts != NULL ? r->layouts[file]->header : r->feed.header;
}

size_t dn_csv_n_fields_of(const struct dn_csv_reader *r, size_t file)
{
    return r->layouts != NULL ? r->layouts[file]->n_fields : r->n_fields;
}

size_t dn_csv_own_field(const struct dn_csv_reader *r, size_t file, size_t field)
{
    const struct dn_csv_layout *layout = dn_csv_layout_of(r, file);

    for (size_t i = 0; layout != NULL && i < layout->n_fields; i++) {
        if (layout->fields[i] == field) {
            return i;
        }
    }
    return layout != NULL ? NONE : field;
}

enum dn_status dn_csv_columns_of(const struct dn_csv_reader *r, size_t file,
                                 struct dn_csv_scratch *scratch, const struct dn_csv_column **out,
                                 struct dn_error *err)
{
    const struct dn_csv_layout *layout = dn_csv_layout_of(r, file);

    *out = r->columns;
    if (layout == NULL) {
        return DN_OK;
    }
    *out = scratch->columns;
    if (layout == scratch->layout) {
        return DN_OK;
    }
    if (scratch->columns == NULL) {
        scratch->columns = dn_calloc(r->n_columns + 1, sizeof(*scratch->columns));
        *out = scratch->columns;
    }
    if (scratch->own == NULL) {
        scratch->own = dn_calloc(r->n_fields + 1, sizeof(*scratch->own));
    }
    if (scratch->columns == NULL || scratch->own == NULL) {
        return dn_error_memory(err, r->n_columns * sizeof(*scratch->columns));
    }
    for (size_t f = 0; f < r->n_fields; f++) {
        scratch->own[f] = NONE;
    }
    for (size_t i = 0; i < layout->n_fields; i++) {
        scratch->own[layout->fields[i]] = i;
    }
    for (size_t c = 0; c < r->n_columns; c++) {
        scratch->columns[c] = r->columns[c];
        if (r->columns[c].field != NONE) {
            scratch->columns[c].field = scratch->own[r->columns[c].field];
        }
    }
    scratch->layout = layout;
    return DN_OK;
}
