#include "parquet/write/arrow_schema.h"

#include "arrow/ipc_schema.h"
#include "arrow/metadata.h"
#include "arrow/schema.h"
#include "arrow/schema_node.h"
#include "base/utf8.h"
#include "text/base64.h"

#include <stdlib.h>

/* ---- does the schema say what Parquet's types do not? --------------------------------------------------------------- */

/* Timestamps: the unit is stored as it is, but for seconds; of zones UTC is. */
static bool is_plain_timestamp(const char *format)
{
    return format[2] != 's' && format[2] != '\0' && format[3] == ':' &&
           (format[4] == '\0' || strcmp(format + 4, "UTC") == 0);
}

/*
 * Does a reader that has Parquet's types alone give back the type?  That something is laid out as views or in runs is nobody's meaning:
 * texts that come from CSV are.
 */
static bool is_plain_format(const char *format)
{
    static const char *const plain[] = {"n",   "b",   "c",   "C",  "s",  "S",  "i",   "I",  "l",
                                        "L",   "e",   "f",   "g",  "u",  "z",  "vu",  "vz", "tdD",
                                        "ttm", "ttu", "ttn", "+l", "+s", "+m", "+vl", "+r"};

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(format, plain[i]) == 0) {
            return true;
        }
    }
    struct dn_type type;
    if (strncmp(format, "ts", 2) == 0) {
        return is_plain_timestamp(format);
    }
    return dn_type_from_format(format, NULL, &type) &&
           (type.id == DN_TYPE_FIXED_BINARY || type.id == DN_TYPE_DECIMAL128 ||
            (type.id == DN_TYPE_DECIMAL256 && type.precision > 38));
}

/* Metadata that Parquet's own types and numbers say. */
static bool is_plain_pair(struct dn_span key, struct dn_span value)
{
    return dn_metadata_is(key, DN_METADATA_FIELD_ID) ||
           (dn_metadata_is(key, DN_METADATA_EXTENSION) &&
            (dn_metadata_is(value, "arrow.uuid") || dn_metadata_is(value, "arrow.json"))) ||
           (dn_metadata_is(key, "ARROW:extension:metadata") && value.len == 0);
}

static bool is_runs(const struct ArrowSchema *s)
{
    return strcmp(s->format, "+r") == 0 && s->n_children == 2;
}

static bool is_plain(const struct ArrowSchema *s)
{
    struct dn_metadata_reader r;
    struct dn_span key;
    struct dn_span value;

    dn_metadata_begin(&r, s->metadata);
    while (dn_metadata_next(&r, &key, &value)) {
        if (!is_plain_pair(key, value)) {
            return false;
        }
    }
    if (s->dictionary != NULL || !is_plain_format(s->format) ||
        (s->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0) {
        return false;
    }
    for (int64_t i = is_runs(s); i < s->n_children; i++) {
        if (!is_plain(s->children[i])) {
            return false;
        }
    }
    return true;
}

static bool are_plain(const struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (!is_plain(schema->children[i])) {
            return false;
        }
    }
    return true;
}

/* Runs become their values, which have the name of the field. */
static enum dn_status forget_runs(struct ArrowSchema *s, struct dn_error *err)
{
    struct ArrowSchema values = {0};

    DN_TRY(dn_schema_node_copy(&values, s->children[1], s->name, s->children[1]->metadata, err));
    values.flags = (values.flags & ~ARROW_FLAG_NULLABLE) | (s->flags & ARROW_FLAG_NULLABLE);
    s->release(s);
    *s = values;
    return DN_OK;
}

/*
 * Views and runs become what everybody has: a reader need not know them because of another column (Polars 2 ends at a schema with
 * either).
 */
static enum dn_status forget_layouts(struct ArrowSchema *s, int depth, struct dn_error *err)
{
    if (is_runs(s) && depth > 0) {
        DN_TRY(forget_runs(s, err));
        return forget_layouts(s, depth - 1, err);
    }
    if (strcmp(s->format, "vu") == 0 || strcmp(s->format, "vz") == 0) {
        s->format += 1;
    } else if (strcmp(s->format, "+vl") == 0 || strcmp(s->format, "+vL") == 0) {
        s->format = s->format[2] == 'l' ? "+l" : "+L";
    }
    if (s->dictionary != NULL) {
        DN_TRY(forget_layouts(s->dictionary, depth - 1, err));
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        DN_TRY(forget_layouts(s->children[i], depth - 1, err));
    }
    return DN_OK;
}

/* ---- pairs ---------------------------------------------------------------------------------------------------------- */

/* The format's texts are UTF-8, and readers exist that refuse a whole file for one that is not. */
static enum dn_status add_pair(struct dn_pq_said *s, struct dn_span key, struct dn_span value,
                               struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    struct dn_thrift_writer t;

    if (!dn_utf8_is_valid_n(key.data, key.len) || !dn_utf8_is_valid_n(value.data, value.len)) {
        return dn_error_set(err, DN_ERR_INVALID,
                            "the schema's metadata under the key %s is not UTF-8, which Parquet's "
                            "key_value_metadata is; leave it out, or write it as text",
                            dn_error_escape_value(shown, key.data, key.len));
    }
    dn_thrift_init(&t, &s->pairs, err);
    dn_thrift_struct_begin(&t);
    dn_thrift_field_binary(&t, DN_PQ_KEY_VALUE_KEY, key.data, key.len);
    dn_thrift_field_binary(&t, DN_PQ_KEY_VALUE_VALUE, value.data, value.len);
    dn_thrift_struct_end(&t);
    DN_TRY(dn_thrift_finish(&t));
    s->n_pairs++;
    return DN_OK;
}

static enum dn_status add_metadata(struct dn_pq_said *s, const struct ArrowSchema *schema,
                                   struct dn_error *err)
{
    struct dn_metadata_reader r;
    struct dn_span key;
    struct dn_span value;

    dn_metadata_begin(&r, schema->metadata);
    while (dn_metadata_next(&r, &key, &value)) {
        if (!dn_metadata_is(key, DN_PQ_ARROW_SCHEMA_KEY)) { /* that of another file, or ours */
            DN_TRY(add_pair(s, key, value, err));
        }
    }
    return DN_OK;
}

static enum dn_status add_schema(struct dn_pq_said *s, const struct ArrowSchema *schema,
                                 bool with_layouts, struct dn_error *err)
{
    static const struct dn_span key = {(const uint8_t *)DN_PQ_ARROW_SCHEMA_KEY,
                                       sizeof DN_PQ_ARROW_SCHEMA_KEY - 1};
    struct ArrowSchema copy = {0};
    struct dn_buffer message = {0};
    struct dn_buffer text = {0};
    enum dn_status st = DN_OK;

    DN_TRY(dn_schema_copy(&copy, schema, err));
    if (!with_layouts) {
        DN_TRY_GOTO(st, forget_layouts(&copy, DN_SCHEMA_MAX_DEPTH, err), cleanup);
    }
    DN_TRY_GOTO(st, dn_ipc_schema_write(&copy, &message, err), cleanup);
    DN_TRY_GOTO(st, dn_buffer_reserve(&text, dn_base64_len(message.len), err), cleanup);
    text.len = dn_base64_encode(text.data, message.data, message.len);
    st = add_pair(s, key, dn_buffer_span(&text), err);
cleanup:
    copy.release(&copy);
    dn_buffer_finish(&message);
    dn_buffer_finish(&text);
    return st;
}

/* ---- numbers of fields ---------------------------------------------------------------------------------------------- */

struct numbering {
    struct dn_pq_said *said;
    const struct dn_parquet_options *options;
    size_t n;
    bool any;
};

/* A whole number from 0 up, in full. */
static bool read_id(struct dn_span text, int32_t *out)
{
    int64_t id = 0;

    if (text.len == 0 || text.len > 10) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        id = id * 10 + (text.data[i] - '0');
    }
    *out = (int32_t)id;
    return id <= INT32_MAX;
}

static enum dn_status id_of(const struct numbering *n, const struct ArrowSchema *s, int32_t *out,
                            struct dn_error *err)
{
    const struct dn_parquet_options *o = n->options;
    struct dn_span text;

    *out = DN_PQ_NO_FIELD_ID;
    if (o->field_ids_auto) {
        *out = (int32_t)n->n + 1;
    } else if (o->n_field_ids > 0) {
        *out = n->n < o->n_field_ids ? o->field_ids[n->n] : DN_PQ_NO_FIELD_ID;
    } else if (dn_metadata_get(s->metadata, DN_METADATA_FIELD_ID, &text) && !read_id(text, out)) {
        char shown[DN_ESCAPED_VALUE_SIZE];
        const char *name = s->name != NULL ? s->name : "";
        dn_error_set(err, DN_ERR_INVALID,
                     "field \"%.100s\" has the number %s in its metadata (" DN_METADATA_FIELD_ID
                     "); give a whole number from 0 to 2147483647, or none",
                     name, dn_error_escape_value(shown, text.data, text.len));
        dn_error_locate(err, NULL, -1, -1, -1, name);
        return DN_ERR_INVALID;
    }
    return DN_OK;
}

/* What a field is made of, however it is stored. */
static const struct ArrowSchema *stored(const struct ArrowSchema *s)
{
    for (int depth = 0; depth < 64; depth++) {
        if (s->dictionary != NULL) {
            s = s->dictionary;
        } else if (strcmp(s->format, "+r") == 0 && s->n_children == 2) {
            s = s->children[1];
        } else {
            break;
        }
    }
    return s;
}

static enum dn_status number_field(struct numbering *n, const struct ArrowSchema *s, int depth,
                                   struct dn_error *err)
{
    int32_t id = DN_PQ_NO_FIELD_ID;

    if (depth == 0) {
        return DN_OK; /* whoever makes the columns of it refuses it */
    }
    DN_TRY(id_of(n, s, &id, err));
    DN_TRY(dn_buffer_append(&n->said->field_ids, &id, sizeof id, err));
    n->n++;
    n->any = n->any || id != DN_PQ_NO_FIELD_ID;
    s = stored(s);
    if (strcmp(s->format, "+m") == 0 && s->n_children == 1) {
        s = s->children[0]; /* entries are not counted, keys and values are */
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        DN_TRY(number_field(n, s->children[i], depth - 1, err));
    }
    return DN_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a;
    const int32_t y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* Numbers of the option: as many as there are fields, and none twice.  The order of `ids` is lost. */
static enum dn_status check_ids(int32_t *ids, size_t n, size_t n_fields, struct dn_error *err)
{
    if (n != n_fields) {
        return dn_error_set(
            err, DN_ERR_INVALID,
            "the option field_ids has %zu numbers for %zu fields: columns, and what "
            "is within each of them behind it",
            n, n_fields);
    }
    qsort(ids, n, sizeof *ids, compare_ids);
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < DN_PQ_NO_FIELD_ID) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "the option field_ids has %d; give numbers from 0 up, and -1 for "
                                "none",
                                (int)ids[i]);
        }
        if (i > 0 && ids[i] == ids[i - 1] && ids[i] != DN_PQ_NO_FIELD_ID) {
            return dn_error_set(err, DN_ERR_INVALID, "the option field_ids has %d twice",
                                (int)ids[i]);
        }
    }
    return DN_OK;
}

static enum dn_status number_fields(struct dn_pq_said *s, const struct ArrowSchema *schema,
                                    const struct dn_parquet_options *o, struct dn_error *err)
{
    struct numbering n = {.said = s, .options = o};
    struct dn_buffer sorted = {0};
    enum dn_status st = DN_OK;

    for (int64_t i = 0; i < schema->n_children; i++) {
        DN_TRY(number_field(&n, schema->children[i], 64, err));
    }
    if (o->n_field_ids > 0 && !o->field_ids_auto) {
        st = dn_buffer_append(&sorted, o->field_ids, o->n_field_ids * sizeof *o->field_ids, err);
        if (st == DN_OK) {
            st = check_ids((int32_t *)(void *)sorted.data, o->n_field_ids, n.n, err);
        }
        dn_buffer_finish(&sorted);
    }
    if (!n.any) {
        dn_buffer_finish(&s->field_ids);
    }
    return st;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------ */

enum dn_status dn_pq_said_init(struct dn_pq_said *s, const struct ArrowSchema *schema,
                               const struct dn_parquet_options *o, struct dn_error *err)
{
    *s = (struct dn_pq_said){0};
    DN_TRY(number_fields(s, schema, o, err));
    if (o->arrow_schema == DN_PARQUET_ARROW_SCHEMA_ALWAYS ||
        (o->arrow_schema == DN_PARQUET_ARROW_SCHEMA_AUTO && !are_plain(schema))) {
        DN_TRY(add_schema(s, schema, o->arrow_schema == DN_PARQUET_ARROW_SCHEMA_ALWAYS, err));
    }
    return add_metadata(s, schema, err);
}

void dn_pq_said_write(const struct dn_pq_said *s, struct dn_thrift_writer *t)
{
    if (s->n_pairs > 0) {
        dn_thrift_field_list(t, DN_PQ_FILE_KEY_VALUES, DN_THRIFT_STRUCT, s->n_pairs);
        dn_thrift_raw(t, s->pairs.data, s->pairs.len);
    }
}

void dn_pq_said_finish(struct dn_pq_said *s)
{
    dn_buffer_finish(&s->pairs);
    dn_buffer_finish(&s->field_ids);
    *s = (struct dn_pq_said){0};
}
