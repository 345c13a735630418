/* From the flat list of schema elements to columns. */
#include "parquet/read/footer.h"
#include "parquet/thrift/reader.h"

#include "base/memory.h"

#include <inttypes.h>

static enum dn_status read_decimal(struct dn_thrift_reader *r, struct dn_pq_meaning *m,
                                   struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == 1) {
            DN_TRY(dn_thrift_read_i32(r, &f, &m->scale, err));
        } else if (f.id == 2) {
            DN_TRY(dn_thrift_read_i32(r, &f, &m->precision, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

static enum dn_status read_integer(struct dn_thrift_reader *r, struct dn_pq_meaning *m,
                                   struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == 1) {
            DN_TRY(dn_thrift_read_i32(r, &f, &m->bit_width, err));
        } else if (f.id == 2) {
            DN_TRY(dn_thrift_read_bool(r, &f, &m->is_signed, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

/* A union: the id of its (last) member; what the members hold is skipped. */
static enum dn_status read_union_id(struct dn_thrift_reader *r, int32_t *out, struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        *out = f.id;
        DN_TRY(dn_thrift_skip(r, &f, err));
    }
}

static enum dn_status read_time(struct dn_thrift_reader *r, struct dn_pq_meaning *m,
                                struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        if (f.id == DN_PQ_TIMESTAMP_IS_UTC) {
            DN_TRY(dn_thrift_read_bool(r, &f, &m->is_utc, err));
        } else if (f.id == DN_PQ_TIMESTAMP_UNIT) {
            DN_TRY(dn_thrift_expect_struct(r, &f, err));
            DN_TRY(read_union_id(r, &m->unit, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

static enum dn_status read_logical(struct dn_thrift_reader *r, struct dn_pq_meaning *m,
                                   struct dn_error *err)
{
    struct dn_thrift_field f;

    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            return DN_OK;
        }
        m->logical = f.id;
        if (f.type != DN_THRIFT_STRUCT) {
            DN_TRY(dn_thrift_skip(r, &f, err));
        } else if (f.id == DN_PQ_LOGICAL_DECIMAL) {
            DN_TRY(read_decimal(r, m, err));
        } else if (f.id == DN_PQ_LOGICAL_INTEGER) {
            DN_TRY(read_integer(r, m, err));
        } else if (f.id == DN_PQ_LOGICAL_TIME || f.id == DN_PQ_LOGICAL_TIMESTAMP) {
            DN_TRY(read_time(r, m, err));
        } else {
            DN_TRY(dn_thrift_skip(r, &f, err));
        }
    }
}

struct dn_pq_meaning dn_pq_converted_meaning(int32_t converted)
{
    static const struct dn_pq_meaning meanings[] = {
        [DN_PQ_CONVERTED_UTF8] = {.logical = DN_PQ_LOGICAL_STRING},
        [DN_PQ_CONVERTED_MAP] = {.logical = DN_PQ_LOGICAL_MAP},
        [DN_PQ_CONVERTED_MAP_KEY_VALUE] = {.logical = DN_PQ_LOGICAL_MAP},
        [DN_PQ_CONVERTED_LIST] = {.logical = DN_PQ_LOGICAL_LIST},
        [DN_PQ_CONVERTED_ENUM] = {.logical = DN_PQ_LOGICAL_ENUM},
        [DN_PQ_CONVERTED_DECIMAL] = {.logical = DN_PQ_LOGICAL_DECIMAL},
        [DN_PQ_CONVERTED_DATE] = {.logical = DN_PQ_LOGICAL_DATE},
        [DN_PQ_CONVERTED_TIME_MILLIS] = {.logical = DN_PQ_LOGICAL_TIME,
                                         .unit = DN_PQ_MILLIS,
                                         .is_utc = true},
        [DN_PQ_CONVERTED_TIME_MICROS] = {.logical = DN_PQ_LOGICAL_TIME,
                                         .unit = DN_PQ_MICROS,
                                         .is_utc = true},
        [DN_PQ_CONVERTED_TIMESTAMP_MILLIS] = {.logical = DN_PQ_LOGICAL_TIMESTAMP,
                                              .unit = DN_PQ_MILLIS,
                                              .is_utc = true},
        [DN_PQ_CONVERTED_TIMESTAMP_MICROS] = {.logical = DN_PQ_LOGICAL_TIMESTAMP,
                                              .unit = DN_PQ_MICROS,
                                              .is_utc = true},
        [DN_PQ_CONVERTED_UINT_8] = {.logical = DN_PQ_LOGICAL_INTEGER, .bit_width = 8},
        [DN_PQ_CONVERTED_UINT_16] = {.logical = DN_PQ_LOGICAL_INTEGER, .bit_width = 16},
        [DN_PQ_CONVERTED_UINT_32] = {.logical = DN_PQ_LOGICAL_INTEGER, .bit_width = 32},
        [DN_PQ_CONVERTED_UINT_64] = {.logical = DN_PQ_LOGICAL_INTEGER, .bit_width = 64},
        [DN_PQ_CONVERTED_INT_8] = {.logical = DN_PQ_LOGICAL_INTEGER,
                                   .bit_width = 8,
                                   .is_signed = true},
        [DN_PQ_CONVERTED_INT_16] = {.logical = DN_PQ_LOGICAL_INTEGER,
                                    .bit_width = 16,
                                    .is_signed = true},
        [DN_PQ_CONVERTED_INT_32] = {.logical = DN_PQ_LOGICAL_INTEGER,
                                    .bit_width = 32,
                                    .is_signed = true},
        [DN_PQ_CONVERTED_INT_64] = {.logical = DN_PQ_LOGICAL_INTEGER,
                                    .bit_width = 64,
                                    .is_signed = true},
        [DN_PQ_CONVERTED_JSON] = {.logical = DN_PQ_LOGICAL_JSON},
        [DN_PQ_CONVERTED_BSON] = {.logical = DN_PQ_LOGICAL_BSON},
        [DN_PQ_CONVERTED_INTERVAL] = {.logical = DN_PQ_LOGICAL_INTERVAL},
    };

    return converted >= 0 && converted <= DN_PQ_CONVERTED_INTERVAL ? meanings[converted]
                                                                   : (struct dn_pq_meaning){0};
}

static enum dn_status read_element_field(struct dn_thrift_reader *r,
                                         const struct dn_thrift_field *f, struct dn_pq_element *e,
                                         struct dn_pq_meaning *old, struct dn_error *err)
{
    switch (f->id) {
    case DN_PQ_SCHEMA_TYPE:
        return dn_thrift_read_i32(r, f, &e->type, err);
    case DN_PQ_SCHEMA_TYPE_LENGTH:
        return dn_thrift_read_i32(r, f, &e->type_length, err);
    case DN_PQ_SCHEMA_REPETITION:
        return dn_thrift_read_i32(r, f, &e->repetition, err);
    case DN_PQ_SCHEMA_NAME:
        return dn_thrift_read_binary(r, f, &e->name, err);
    case DN_PQ_SCHEMA_NUM_CHILDREN:
        return dn_thrift_read_i32(r, f, &e->n_children, err);
    case DN_PQ_SCHEMA_CONVERTED:
        return dn_thrift_read_i32(r, f, &e->converted, err);
    case DN_PQ_SCHEMA_SCALE:
        return dn_thrift_read_i32(r, f, &old->scale, err);
    case DN_PQ_SCHEMA_PRECISION:
        return dn_thrift_read_i32(r, f, &old->precision, err);
    case DN_PQ_SCHEMA_FIELD_ID:
        e->has_field_id = true;
        return dn_thrift_read_i32(r, f, &e->field_id, err);
    case DN_PQ_SCHEMA_LOGICAL:
        DN_TRY(dn_thrift_expect_struct(r, f, err));
        return read_logical(r, &e->meaning, err);
    default:
        return dn_thrift_skip(r, f, err);
    }
}

enum dn_status dn_pq_element_read(struct dn_thrift_reader *r, struct dn_pq_element *out,
                                  struct dn_error *err)
{
    struct dn_pq_meaning old = {0};
    struct dn_thrift_field f;

    *out = (struct dn_pq_element){.type = DN_PQ_NO_TYPE, .converted = DN_PQ_CONVERTED_NONE};
    DN_TRY(dn_thrift_begin(r, &f, err));
    for (;;) {
        DN_TRY(dn_thrift_next(r, &f, err));
        if (f.type == DN_THRIFT_STOP) {
            break;
        }
        DN_TRY(read_element_field(r, &f, out, &old, err));
    }
    if (out->name.data == NULL) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: a schema element before byte %" PRIu64
                            " has no name",
                            r->base + r->pos);
    }
    if (out->meaning.logical == DN_PQ_LOGICAL_NONE ||
        dn_pq_is_interval(out->meaning.logical, out->converted)) {
        out->meaning = dn_pq_converted_meaning(out->converted);
        out->meaning.precision = old.precision;
        out->meaning.scale = old.scale;
    }
    return DN_OK;
}

/* ---- leaves ---------------------------------------------------------------------------------------------------- */

struct level {
    int32_t children_left;
    int32_t max_def;
    int32_t max_rep;
    size_t path_len;
};

struct walk {
    struct level levels[DN_PQ_MAX_NESTING];
    unsigned depth; /* levels in use; 1: below the root */
    struct dn_buffer path;
    size_t path_bytes;  /* of all leaves so far */
    uint32_t n_columns; /* children of the root so far */
};

static enum dn_status check_leaf(const struct dn_pq_element *e, const struct dn_pq_leaf *leaf,
                                 struct dn_error *err)
{
    if (e->type < DN_PQ_BOOLEAN || e->type > DN_PQ_FIXED_LEN_BYTE_ARRAY) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: column \"%.100s\" has physical type %" PRId32,
                            leaf->path, e->type);
    }
    if (e->type == DN_PQ_FIXED_LEN_BYTE_ARRAY && e->type_length <= 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: column \"%.100s\" has values of %" PRId32
                            " bytes",
                            leaf->path, e->type_length);
    }
    return DN_OK;
}

static enum dn_status add_leaf(struct dn_pq_file_info *file, struct walk *w,
                               const struct dn_pq_element *e, int32_t max_def, int32_t max_rep,
                               struct dn_error *err)
{
    struct dn_pq_leaf *leaf = &file->leaves[file->n_leaves];

    w->path_bytes += w->path.len;
    if (w->path_bytes > DN_PQ_MAX_PATH_BYTES) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the names of the columns take more than %zu bytes",
                            DN_PQ_MAX_PATH_BYTES);
    }
    *leaf = (struct dn_pq_leaf){
        .path = dn_arena_strndup(&file->arena, (const char *)w->path.data, w->path.len),
        .path_len = w->path.len,
        .element = e,
        .column = w->n_columns - 1,
        .max_def = max_def,
        .max_rep = max_rep,
        .nested = w->depth > 1 || max_rep > 0,
    };
    if (leaf->path == NULL) {
        return dn_error_memory(err, w->path.len);
    }
    file->n_leaves++;
    return check_leaf(e, leaf, err);
}

static enum dn_status enter_group(struct walk *w, const struct dn_pq_element *e, int32_t max_def,
                                  int32_t max_rep, struct dn_error *err)
{
    if (w->depth == DN_PQ_MAX_NESTING) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED, "the schema is nested more than %d deep",
                            DN_PQ_MAX_NESTING);
    }
    w->levels[w->depth++] = (struct level){e->n_children, max_def, max_rep, w->path.len};
    return DN_OK;
}

static enum dn_status visit(struct dn_pq_file_info *file, struct walk *w,
                            const struct dn_pq_element *e, struct dn_error *err)
{
    struct level *parent = &w->levels[w->depth - 1];
    const int32_t max_rep = parent->max_rep + (e->repetition == DN_PQ_REPEATED);
    const int32_t max_def = parent->max_def + (e->repetition != DN_PQ_REQUIRED);

    if (e->repetition < DN_PQ_REQUIRED || e->repetition > DN_PQ_REPEATED) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: a schema element has repetition %" PRId32,
                            e->repetition);
    }
    if (e->n_children < 0) {
        return dn_error_set(err, DN_ERR_DATA,
                            "the footer is damaged: a schema element has %" PRId32 " children",
                            e->n_children);
    }
    parent->children_left--;
    w->n_columns += w->depth == 1;
    w->path.len = parent->path_len;
    if (w->depth > 1) {
        DN_TRY(dn_buffer_append_byte(&w->path, '.', err));
    }
    DN_TRY(dn_buffer_append(&w->path, e->name.data, e->name.len, err));
    if (e->n_children > 0 || e->type == DN_PQ_NO_TYPE) {
        return enter_group(w, e, max_def, max_rep, err);
    }
    return add_leaf(file, w, e, max_def, max_rep, err);
}

enum dn_status dn_pq_leaves_find(struct dn_pq_file_info *file, struct dn_error *err)
{
    struct walk w = {.depth = 1};
    enum dn_status st = DN_OK;
    uint32_t i = 1;

    if (file->n_elements == 0 || file->elements[0].n_children < 0) {
        return dn_error_set(err, DN_ERR_DATA, "the footer is damaged: it has no schema");
    }
    file->leaves = dn_arena_alloc(&file->arena, file->n_elements * sizeof(*file->leaves));
    if (file->leaves == NULL) {
        return dn_error_memory(err, file->n_elements * sizeof(*file->leaves));
    }
    file->n_leaves = 0;
    w.levels[0].children_left = file->elements[0].n_children;
    while (w.depth > 0) {
        if (w.levels[w.depth - 1].children_left == 0) {
            w.depth--;
            continue;
        }
        if (i == file->n_elements) {
            break;
        }
        DN_TRY_GOTO(st, visit(file, &w, &file->elements[i++], err), cleanup);
    }
    if (w.depth > 0 || i != file->n_elements) {
        st = dn_error_set(err, DN_ERR_DATA,
                          "the footer is damaged: its %" PRIu32
                          " schema elements do not form a tree",
                          file->n_elements);
    }
cleanup:
    dn_buffer_finish(&w.path);
    return st;
}
