#include "arrow/ipc_schema.h"

#include "arrow/flatbuffer.h"
#include "arrow/ipc_type.h"
#include "arrow/metadata.h"
#include "arrow/schema_node.h"
#include "base/utf8.h"

/* Numbers of the fields of the tables. */
enum {
    MESSAGE_VERSION = 0,
    MESSAGE_HEADER_TYPE,
    MESSAGE_HEADER,
    MESSAGE_BODY_LENGTH,
    N_MESSAGE_FIELDS
};
enum {
    SCHEMA_FIELDS = 1,
    SCHEMA_METADATA,
    N_SCHEMA_FIELDS
};
enum {
    FIELD_NAME = 0,
    FIELD_NULLABLE,
    FIELD_TYPE_ID,
    FIELD_TYPE,
    FIELD_DICTIONARY,
    FIELD_CHILDREN,
    FIELD_METADATA,
    N_FIELD_FIELDS
};
enum {
    DICTIONARY_ID = 0,
    DICTIONARY_INDEX,
    DICTIONARY_ORDERED,
    N_DICTIONARY_FIELDS
};
enum {
    PAIR_KEY = 0,
    PAIR_VALUE,
    N_PAIR_FIELDS
};
enum {
    TYPE_ZONE = 1
};

#define VERSION_5 4
#define HEADER_IS_SCHEMA 1
#define CONTINUATION 0xffffffffu
#define HEAD_LEN 8

/* What is taken from a message for each of its bytes, at most: honest ones need less than 4. */
#define MOST_PER_BYTE 16
#define FIELD_COST 32 /* of a column, names and metadata aside */

static const struct dn_flat_field a_link = {4, 0};
static const struct dn_flat_field nothing = {0, 0};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct ipc_writer {
    struct dn_flat_writer flat;
    int64_t n_dictionaries;
};

static enum dn_status refuse(const struct ArrowSchema *s, const char *why, struct dn_error *err)
{
    const char *name = s->name != NULL ? s->name : "";
    char shown[DN_ESCAPED_VALUE_SIZE];

    dn_error_set(err, DN_ERR_UNSUPPORTED,
                 "column \"%.100s\" is of Arrow type %s, which %s in an Arrow schema message", name,
                 dn_error_escape_value(shown, s->format, strlen(s->format)), why);
    dn_error_locate(err, NULL, -1, -1, -1, name);
    return DN_ERR_UNSUPPORTED;
}

static void put_type(struct ipc_writer *w, dn_flat_place from, const struct dn_ipc_type *type)
{
    const struct dn_ipc_number *numbers = dn_ipc_numbers(type->id);
    struct dn_flat_field fields[DN_IPC_NUMBERS] = {{0}};
    dn_flat_place places[DN_FLAT_MOST_FIELDS];

    for (size_t i = 0; i < DN_IPC_NUMBERS; i++) {
        if (type->numbers[i] != numbers[i].otherwise) {
            fields[i] = (struct dn_flat_field){numbers[i].size, type->numbers[i]};
        }
    }
    if (type->zone.data != NULL) {
        fields[TYPE_ZONE] = a_link;
    }
    dn_flat_put_table(&w->flat, from, fields, DN_IPC_NUMBERS, places);
    if (type->zone.data != NULL) {
        dn_flat_put_text(&w->flat, places[TYPE_ZONE], type->zone.data, type->zone.len);
    }
}

static void put_dictionary(struct ipc_writer *w, dn_flat_place from,
                           const struct dn_ipc_type *index, bool ordered)
{
    const struct dn_flat_field fields[N_DICTIONARY_FIELDS] = {
        [DICTIONARY_ID] = {8, w->n_dictionaries++},
        [DICTIONARY_INDEX] = a_link,
        [DICTIONARY_ORDERED] = {ordered ? 1 : 0, ordered},
    };
    dn_flat_place places[DN_FLAT_MOST_FIELDS];

    dn_flat_put_table(&w->flat, from, fields, N_DICTIONARY_FIELDS, places);
    put_type(w, places[DICTIONARY_INDEX], index);
}

static size_t count_pairs(const char *metadata)
{
    struct dn_metadata_reader r;
    struct dn_span key;
    struct dn_span value;
    size_t n = 0;

    dn_metadata_begin(&r, metadata);
    while (dn_metadata_next(&r, &key, &value)) {
        n++;
    }
    return n;
}

static void put_pair(struct ipc_writer *w, dn_flat_place from, struct dn_span key,
                     struct dn_span value)
{
    static const struct dn_flat_field fields[N_PAIR_FIELDS] = {{4, 0}, {4, 0}};
    dn_flat_place places[DN_FLAT_MOST_FIELDS];

    dn_flat_put_table(&w->flat, from, fields, N_PAIR_FIELDS, places);
    dn_flat_put_text(&w->flat, places[PAIR_KEY], key.data, key.len);
    dn_flat_put_text(&w->flat, places[PAIR_VALUE], value.data, value.len);
}

static void put_metadata(struct ipc_writer *w, dn_flat_place from, const char *metadata)
{
    dn_flat_place at = dn_flat_put_vector(&w->flat, from, count_pairs(metadata));
    struct dn_metadata_reader r;
    struct dn_span key;
    struct dn_span value;

    dn_metadata_begin(&r, metadata);
    for (; dn_metadata_next(&r, &key, &value); at += 4) {
        put_pair(w, at, key, value);
    }
}

static enum dn_status check_node(const struct ArrowSchema *s, struct dn_error *err)
{
    return s != NULL && s->release != NULL && s->format != NULL && s->n_children >= 0 &&
                   (s->n_children == 0 || s->children != NULL)
               ? DN_OK
               : dn_error_set(err, DN_ERR_INVALID,
                              "an Arrow schema is released, has no format or lacks children");
}

/* The type of the values, and of the index if they are in a dictionary. */
static enum dn_status find_types(const struct ArrowSchema *s, struct dn_ipc_type *type,
                                 struct dn_ipc_type *index, struct dn_error *err)
{
    const struct ArrowSchema *values = s->dictionary != NULL ? s->dictionary : s;

    DN_TRY(check_node(values, err));
    if (!dn_ipc_type_from_format(values->format, type)) {
        return refuse(values, "has no form", err);
    }
    const int n_children = dn_ipc_n_children(type->id);
    if (n_children >= 0 && values->n_children != n_children) {
        return refuse(values, "with so many children has no form", err);
    }
    if (type->id == DN_IPC_MAP) {
        type->numbers[0] = (values->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0;
    }
    if (s->dictionary == NULL) {
        return DN_OK;
    }
    if (s->dictionary->dictionary != NULL) {
        return refuse(s, "with a dictionary of dictionaries has no form", err);
    }
    if (!dn_ipc_type_from_format(s->format, index) || index->id != DN_IPC_INT) {
        return refuse(s, "is no index of a dictionary", err);
    }
    return DN_OK;
}

static enum dn_status put_columns(struct ipc_writer *w, dn_flat_place from,
                                  const struct ArrowSchema *parent, int depth,
                                  struct dn_error *err);

static enum dn_status put_field(struct ipc_writer *w, dn_flat_place from,
                                const struct ArrowSchema *s, int depth, struct dn_error *err)
{
    struct dn_ipc_type type;
    struct dn_ipc_type index;
    dn_flat_place places[DN_FLAT_MOST_FIELDS];

    DN_TRY(check_node(s, err));
    if (depth == 0) {
        return refuse(s, "is nested too deeply for a place", err);
    }
    DN_TRY(find_types(s, &type, &index, err));
    const struct ArrowSchema *values = s->dictionary != NULL ? s->dictionary : s;
    const char *name = s->name != NULL ? s->name : "";
    const bool nullable = (s->flags & ARROW_FLAG_NULLABLE) != 0;
    const bool has_metadata = count_pairs(s->metadata) > 0;
    const struct dn_flat_field fields[N_FIELD_FIELDS] = {
        [FIELD_NAME] = a_link,
        [FIELD_NULLABLE] = {nullable ? 1 : 0, nullable},
        [FIELD_TYPE_ID] = {1, (int64_t)type.id},
        [FIELD_TYPE] = a_link,
        [FIELD_DICTIONARY] = s->dictionary != NULL ? a_link : nothing,
        [FIELD_CHILDREN] = a_link,
        [FIELD_METADATA] = has_metadata ? a_link : nothing,
    };
    dn_flat_put_table(&w->flat, from, fields, N_FIELD_FIELDS, places);
    dn_flat_put_text(&w->flat, places[FIELD_NAME], name, strlen(name));
    put_type(w, places[FIELD_TYPE], &type);
    if (s->dictionary != NULL) {
        put_dictionary(w, places[FIELD_DICTIONARY], &index,
                       (s->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0);
    }
    if (has_metadata) {
        put_metadata(w, places[FIELD_METADATA], s->metadata);
    }
    return put_columns(w, places[FIELD_CHILDREN], values, depth, err);
}

static enum dn_status put_columns(struct ipc_writer *w, dn_flat_place from,
                                  const struct ArrowSchema *parent, int depth, struct dn_error *err)
{
    const dn_flat_place at = dn_flat_put_vector(&w->flat, from, (size_t)parent->n_children);

    DN_TRY(w->flat.status); /* before a place of a child that is not there is counted on */
    for (int64_t i = 0; i < parent->n_children; i++) {
        DN_TRY(put_field(w, at + 4 * (dn_flat_place)i, parent->children[i], depth - 1, err));
    }
    return w->flat.status;
}

static enum dn_status put_message(struct ipc_writer *w, dn_flat_place from,
                                  const struct ArrowSchema *s, struct dn_error *err)
{
    const struct dn_flat_field message[N_MESSAGE_FIELDS] = {
        [MESSAGE_VERSION] = {2, VERSION_5},
        [MESSAGE_HEADER_TYPE] = {1, HEADER_IS_SCHEMA},
        [MESSAGE_HEADER] = a_link,
    };
    const bool has_metadata = count_pairs(s->metadata) > 0;
    const struct dn_flat_field schema[N_SCHEMA_FIELDS] = {
        [SCHEMA_FIELDS] = a_link, [SCHEMA_METADATA] = has_metadata ? a_link : nothing};
    dn_flat_place places[DN_FLAT_MOST_FIELDS];

    dn_flat_put_table(&w->flat, from, message, N_MESSAGE_FIELDS, places);
    dn_flat_put_table(&w->flat, places[MESSAGE_HEADER], schema, N_SCHEMA_FIELDS, places);
    if (has_metadata) {
        put_metadata(w, places[SCHEMA_METADATA], s->metadata);
    }
    return put_columns(w, places[SCHEMA_FIELDS], s, DN_SCHEMA_MAX_DEPTH, err);
}

enum dn_status dn_ipc_schema_write(const struct ArrowSchema *schema, struct dn_buffer *out,
                                   struct dn_error *err)
{
    static const uint8_t zeros[HEAD_LEN] = {0};
    struct ipc_writer w = {0};
    uint32_t head[2] = {CONTINUATION,
                        0}; /* in the order of bytes of this machine, which is that of the format */

    DN_TRY(check_node(schema, err));
    if (strcmp(schema->format, "+s") != 0) {
        return refuse(schema, "is no table and has no form", err);
    }
    const size_t start = out->len;
    DN_TRY(dn_buffer_append(out, head, sizeof head, err));
    const dn_flat_place root = dn_flat_begin(&w.flat, out, err);
    enum dn_status st = put_message(&w, root, schema, err);
    st = st == DN_OK ? dn_flat_end(&w.flat) : st;
    if (st == DN_OK) {
        st = dn_buffer_append(out, zeros, (0 - (out->len - start)) & (HEAD_LEN - 1), err);
    }
    if (st != DN_OK) {
        out->len = start;
        return st;
    }
    head[1] = (uint32_t)(out->len - start - sizeof head);
    memcpy(out->data + start, head, sizeof head);
    return DN_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct ipc_reader {
    struct dn_flat_reader flat;
    size_t left;               /* see MOST_PER_BYTE */
    struct dn_buffer texts;    /* of the node that is read: its name, its format */
    struct dn_buffer metadata; /* of the node */
};

static enum dn_status damaged(struct dn_error *err)
{
    return dn_error_set(err, DN_ERR_DATA, "the Arrow schema message is damaged");
}

/* Many places may lead to one: what is taken from them all has a bound. */
static enum dn_status charge(struct ipc_reader *r, size_t n, size_t each, struct dn_error *err)
{
    if (r->flat.damaged || n > r->left / each) {
        return damaged(err);
    }
    r->left -= n * each;
    return DN_OK;
}

/* Append a text that can be one of C. */
static enum dn_status take_text(struct ipc_reader *r, struct dn_span text, struct dn_error *err)
{
    DN_TRY(charge(r, text.len, 1, err));
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        return damaged(err);
    }
    DN_TRY(dn_buffer_append(&r->texts, text.data, text.len, err));
    DN_TRY(dn_buffer_append_byte(&r->texts, '\0', err));
    const char *copy = (const char *)r->texts.data + r->texts.len - text.len - 1;
    return dn_utf8_is_valid(copy) ? DN_OK : damaged(err);
}

static enum dn_status read_metadata(struct ipc_reader *r, const struct dn_flat_table *t, size_t i,
                                    struct dn_error *err)
{
    const struct dn_flat_vector pairs = dn_flat_get_vector(&r->flat, t, i);

    dn_buffer_reset(&r->metadata);
    DN_TRY(charge(r, pairs.n, FIELD_COST, err));
    for (size_t k = 0; k < pairs.n; k++) {
        const struct dn_flat_table pair = dn_flat_get_element(&r->flat, &pairs, k);
        const struct dn_span key = dn_flat_get_text(&r->flat, &pair, PAIR_KEY);
        const struct dn_span value = dn_flat_get_text(&r->flat, &pair, PAIR_VALUE);
        DN_TRY(charge(r, key.len, 1, err));
        DN_TRY(charge(r, value.len, 1, err));
        DN_TRY(dn_metadata_add(&r->metadata, key, value, err));
    }
    return DN_OK;
}

static void read_type(struct ipc_reader *r, const struct dn_flat_table *t, int64_t id,
                      struct dn_ipc_type *out)
{
    const struct dn_ipc_number *numbers = dn_ipc_numbers((enum dn_ipc_type_id)id);

    *out = (struct dn_ipc_type){.id = (enum dn_ipc_type_id)id};
    for (size_t i = 0; i < DN_IPC_NUMBERS && numbers[i].size > 0; i++) {
        out->numbers[i] =
            (int32_t)dn_flat_get_int(&r->flat, t, i, numbers[i].size, numbers[i].otherwise);
    }
    if (id == DN_IPC_TIMESTAMP) {
        out->zone = dn_flat_get_text(&r->flat, t, TYPE_ZONE);
    }
}

/* The format of field `t`, to the end of r->texts; *out_n children the type wants. */
static enum dn_status take_format(struct ipc_reader *r, const struct dn_flat_table *t,
                                  struct dn_ipc_type *out, struct dn_error *err)
{
    const int64_t id = dn_flat_get_int(&r->flat, t, FIELD_TYPE_ID, 1, 0);
    const struct dn_flat_table table = dn_flat_get_table(&r->flat, t, FIELD_TYPE);

    if (id <= 0 || table.at == 0) {
        return damaged(err);
    }
    if (id >= DN_IPC_TYPE_COUNT || id == DN_IPC_UNION) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the Arrow schema message has a column of type %d, which is %s",
                            (int)id, id == DN_IPC_UNION ? "a union" : "unknown here");
    }
    read_type(r, &table, id, out);
    DN_TRY(charge(r, out->zone.len, 1, err));
    if (out->zone.len > 0 && memchr(out->zone.data, '\0', out->zone.len) != NULL) {
        return damaged(err);
    }
    const enum dn_status st = dn_ipc_type_format(out, &r->texts, err);
    return st == DN_ERR_DATA ? damaged(err) : st;
}

/* The format of the index of a dictionary; int32 if it says none. */
static enum dn_status take_index(struct ipc_reader *r, const struct dn_flat_table *dictionary,
                                 struct dn_error *err)
{
    const struct dn_flat_table t = dn_flat_get_table(&r->flat, dictionary, DICTIONARY_INDEX);
    struct dn_ipc_type index = {.id = DN_IPC_INT, .numbers = {32, 1}};

    if (t.at != 0) {
        read_type(r, &t, DN_IPC_INT, &index);
    }
    const enum dn_status st = dn_ipc_type_format(&index, &r->texts, err);
    return st == DN_ERR_DATA ? damaged(err) : st;
}

/* A node and, in it, its dictionary if it has one: what r->texts has is name, format, format of the index. */
static enum dn_status make_nodes(struct ipc_reader *r, struct ArrowSchema *out, size_t n_children,
                                 bool has_dictionary, struct dn_error *err)
{
    const char *name = (const char *)r->texts.data;
    const char *format = name + strlen(name) + 1;
    const char *index = has_dictionary ? format + strlen(format) + 1 : NULL;
    const char *metadata = r->metadata.len > 0 ? (const char *)r->metadata.data : NULL;

    if (!has_dictionary) {
        return dn_schema_node_make(out, format, name, metadata, (int64_t)n_children, false, err);
    }
    DN_TRY(dn_schema_node_make(out, index, name, metadata, 0, true, err));
    return dn_schema_node_make(out->dictionary, format, "", NULL, (int64_t)n_children, false, err);
}

static enum dn_status read_columns(struct ipc_reader *r, const struct dn_flat_vector *fields,
                                   struct ArrowSchema *parent, int depth, struct dn_error *err);

/* On failure what is made so far is released by whoever releases the root. */
static enum dn_status read_field(struct ipc_reader *r, const struct dn_flat_table *t,
                                 struct ArrowSchema *out, int depth, struct dn_error *err)
{
    const struct dn_flat_table dictionary = dn_flat_get_table(&r->flat, t, FIELD_DICTIONARY);
    const bool has_dictionary = dictionary.at != 0;
    const struct dn_flat_vector children = dn_flat_get_vector(&r->flat, t, FIELD_CHILDREN);
    struct dn_ipc_type type;

    if (depth == 0) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "the Arrow schema message is nested more than %d levels deep",
                            DN_SCHEMA_MAX_DEPTH);
    }
    dn_buffer_reset(&r->texts);
    DN_TRY(take_text(r, dn_flat_get_text(&r->flat, t, FIELD_NAME), err));
    DN_TRY(take_format(r, t, &type, err));
    if (has_dictionary) {
        DN_TRY(take_index(r, &dictionary, err));
    }
    DN_TRY(read_metadata(r, t, FIELD_METADATA, err));
    const int wanted = dn_ipc_n_children(type.id);
    if (r->flat.damaged || (wanted >= 0 && children.n != (size_t)wanted)) {
        return damaged(err);
    }
    DN_TRY(charge(r, children.n, FIELD_COST, err));
    DN_TRY(make_nodes(r, out, children.n, has_dictionary, err));
    struct ArrowSchema *values = has_dictionary ? out->dictionary : out;
    if (dn_flat_get_int(&r->flat, t, FIELD_NULLABLE, 1, 0) != 0) {
        out->flags |= ARROW_FLAG_NULLABLE;
        values->flags |= ARROW_FLAG_NULLABLE;
    }
    if (dn_flat_get_int(&r->flat, &dictionary, DICTIONARY_ORDERED, 1, 0) != 0) {
        out->flags |= ARROW_FLAG_DICTIONARY_ORDERED;
    }
    if (type.id == DN_IPC_MAP && type.numbers[0] != 0) {
        values->flags |= ARROW_FLAG_MAP_KEYS_SORTED;
    }
    return read_columns(r, &children, values, depth, err);
}

static enum dn_status read_columns(struct ipc_reader *r, const struct dn_flat_vector *fields,
                                   struct ArrowSchema *parent, int depth, struct dn_error *err)
{
    for (size_t i = 0; i < fields->n; i++) {
        const struct dn_flat_table t = dn_flat_get_element(&r->flat, fields, i);
        if (t.at == 0) {
            return damaged(err);
        }
        DN_TRY(read_field(r, &t, parent->children[i], depth - 1, err));
    }
    return DN_OK;
}

/* The FlatBuffer of a message, behind its length. */
static bool open_message(struct dn_span message, struct dn_span *out)
{
    uint32_t head[2] = {0};
    size_t at = 4;

    if (message.len < HEAD_LEN) {
        return false;
    }
    memcpy(head, message.data, sizeof head);
    if (head[0] == CONTINUATION) { /* before version 0.15 of Arrow there was none */
        head[0] = head[1];
        at = 8;
    }
    if (head[0] > message.len - at) {
        return false;
    }
    *out = (struct dn_span){message.data + at, head[0]};
    return true;
}

static enum dn_status read_schema(struct ipc_reader *r, struct ArrowSchema *out,
                                  struct dn_error *err)
{
    const struct dn_flat_table message = dn_flat_root(&r->flat);

    if (dn_flat_get_int(&r->flat, &message, MESSAGE_HEADER_TYPE, 1, 0) != HEADER_IS_SCHEMA) {
        return damaged(err);
    }
    const struct dn_flat_table schema = dn_flat_get_table(&r->flat, &message, MESSAGE_HEADER);
    const struct dn_flat_vector fields = dn_flat_get_vector(&r->flat, &schema, SCHEMA_FIELDS);
    if (schema.at == 0) {
        return damaged(err);
    }
    DN_TRY(read_metadata(r, &schema, SCHEMA_METADATA, err));
    DN_TRY(charge(r, fields.n, FIELD_COST, err));
    const char *metadata = r->metadata.len > 0 ? (const char *)r->metadata.data : NULL;
    DN_TRY(dn_schema_node_make(out, "+s", "", metadata, (int64_t)fields.n, false, err));
    return read_columns(r, &fields, out, DN_SCHEMA_MAX_DEPTH, err);
}

enum dn_status dn_ipc_schema_read(struct dn_span message, struct ArrowSchema *out,
                                  struct dn_error *err)
{
    struct ipc_reader r = {0};

    memset(out, 0, sizeof *out);
    if (!open_message(message, &r.flat.in)) {
        return damaged(err);
    }
    r.left = r.flat.in.len > SIZE_MAX / MOST_PER_BYTE ? SIZE_MAX : r.flat.in.len * MOST_PER_BYTE;
    enum dn_status st = read_schema(&r, out, err);
    if (st == DN_OK && r.flat.damaged) {
        st = damaged(err);
    }
    if (st != DN_OK && out->release != NULL) {
        out->release(out);
    }
    dn_buffer_finish(&r.texts);
    dn_buffer_finish(&r.metadata);
    return st;
}
