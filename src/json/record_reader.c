/* Records into columns: one pass over the text, each value straight into its column. */
#include "json/record_reader.h"

#include "json/json_nested.h"
#include "json/json_value.h"

void dn_record_reader_reset(struct dn_record_reader *r)
{
    dn_name_map_finish(&r->names);
    dn_json_table_finish(&r->table);
    r->n_dropped = 0;
}

void dn_record_reader_finish(struct dn_record_reader *r)
{
    dn_record_reader_reset(r);
    dn_buffer_finish(&r->key);
    dn_buffer_finish(&r->scratch);
}

bool dn_records_can_read(const struct dn_node *node)
{
    return dn_json_nested_can_read(node);
}

static bool can_read(const struct dn_record_field *f)
{
    const struct dn_node flat = {.field = {f->name, f->type, true}};

    return f->node != NULL ? dn_json_nested_can_read(f->node)
                           : !dn_type_is_nested(f->type) && dn_json_nested_can_read(&flat);
}

static enum dn_status add_declared(struct dn_record_reader *r, const struct dn_record_field *f,
                                   struct dn_error *err)
{
    const bool nested = f->node != NULL && dn_type_is_nested(f->node->field.type);
    const struct dn_type type = f->node != NULL ? f->node->field.type : f->type;
    int64_t index = 0;

    DN_TRY(dn_json_table_add(&r->table, f->name, strlen(f->name), type, &index, err));
    if (nested) {
        DN_TRY(dn_json_table_nest_last(&r->table, f->node, err));
    }
    struct dn_json_column *c = &r->table.columns[index];
    c->required = f->required;
    return dn_name_map_add(&r->names, c->name, c->name_len, index, err);
}

enum dn_status dn_record_reader_start(struct dn_record_reader *r, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    r->first = (struct dn_json_gap){.column = -1};
    r->dropped = r->first;
    r->any_required = false;
    for (int64_t i = 0; i < r->n_fields; i++) {
        const struct dn_record_field *f = &r->fields[i];
        if (f->name == NULL || !can_read(f)) {
            return dn_error_set(err, DN_ERR_INVALID,
                                "declared column %lld has no name or no known type; declare both",
                                (long long)i + 1);
        }
        const size_t len = strlen(f->name);
        if (dn_name_map_get(&r->names, f->name, len) >= 0) {
            dn_error_set(err, DN_ERR_INVALID,
                         "column %s is declared twice; a record holds a key once",
                         dn_error_escape_value(shown, f->name, len));
            dn_error_locate(err, NULL, -1, -1, -1, f->name);
            return DN_ERR_INVALID;
        }
        DN_TRY(add_declared(r, f, err));
        r->any_required = r->any_required || f->required;
    }
    return DN_OK;
}

enum dn_status dn_record_reader_add_extra(struct dn_record_reader *r, const char *name, size_t len,
                                          int64_t *index, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];
    const int64_t offset = r->lx.p - r->lx.start;

    if (memchr(name, '\0', len) != NULL) {
        dn_error_set(
            err, DN_ERR_DATA,
            "record %lld: the key %s holds a NUL, which no column name can; rename the key",
            (long long)r->lx.row, dn_error_escape_value(shown, name, len));
        dn_error_locate(err, NULL, r->lx.row, -1, offset, NULL);
        return DN_ERR_DATA;
    }
    if (r->table.n_columns - r->n_fields >= DN_RECORDS_MAX_EXTRA) {
        dn_error_set(
            err, DN_ERR_DATA,
            "record %lld: the key %s would be undeclared column %d; declare the columns, or do "
            "not use data as keys",
            (long long)r->lx.row, dn_error_escape_value(shown, name, len),
            DN_RECORDS_MAX_EXTRA + 1);
        dn_error_locate(err, NULL, r->lx.row, -1, offset, NULL);
        return DN_ERR_DATA;
    }
    DN_TRY(dn_json_table_add(&r->table, name, len, DN_TYPE(UTF8), index, err));
    struct dn_json_column *c = &r->table.columns[*index];
    c->extra = true;
    return dn_name_map_add(&r->names, c->name, c->name_len, *index, err);
}

/*
 * Is the key at the opening quote this column's, written as plainly as its name?  Elsewhere than below wide_end it stops at the first other byte, and so at
 * the closing quote at the latest, because a plain name holds none.
 */
static bool key_is(const struct dn_json_lexer *lx, const struct dn_json_column *c)
{
    const uint8_t *key = lx->p + 1;

    if (!c->plain_name) {
        return false;
    }
    if (c->name_len < DN_JSON_WIDE && key < lx->wide_end) {
        return key[c->name_len] == '"' && memcmp(key, c->name, c->name_len) == 0;
    }
    for (size_t i = 0; i < c->name_len; i++) {
        if (key[i] != (uint8_t)c->name[i]) {
            return false;
        }
    }
    return key[c->name_len] == '"';
}

static enum dn_status refuse_extra(const struct dn_record_reader *r, struct dn_error *err)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    dn_error_set(err, DN_ERR_DATA,
                 "record %lld: the key %s is no declared column; declare it, leave it out, or set "
                 "extra_columns to keep or drop",
                 (long long)r->lx.row,
                 dn_error_escape_value(shown, (const char *)r->key.data, r->key.len));
    dn_error_locate(err, NULL, r->lx.row, -1, r->lx.p - r->lx.start, NULL);
    return dn_error_option(err, DN_ERR_DATA, "extra_columns");
}

/* Does the text at lx have all of the gap?  Then lx goes behind it. */
static inline bool take_gap(struct dn_json_lexer *lx, const struct dn_json_gap *gap)
{
    size_t at = 0;
    uint64_t text;
    uint64_t known;

    if (gap->len == 0 || lx->p >= lx->wide_end) { /* also where it is NULL */
        return false;
    }
    for (;; at += sizeof text) {
        memcpy(&text, lx->p + at, sizeof text);
        memcpy(&known, gap->text + at, sizeof known);
        if (at + sizeof text >= gap->len) {
            break;
        }
        if (text != known) {
            return false;
        }
    }
    if (((text ^ known) & gap->mask) != 0) {
        return false;
    }
    lx->p += gap->len;
    return true;
}

static void learn_gap(struct dn_json_gap *gap, const uint8_t *text, size_t len, int64_t column)
{
    const size_t rest = (len - 1) % sizeof gap->mask + 1;

    gap->column = column;
    gap->len = len <= DN_JSON_GAP_BYTES ? len : 0;
    gap->mask = 0;
    memcpy(gap->text, text, gap->len);
    memset(&gap->mask, 0xFF, rest);
}

/* lx is at a key's opening quote: go behind it and find its column; `guess` is the likely one or -1.  *index -1: it is dropped. */
static enum dn_status read_key(struct dn_record_reader *r, int64_t guess, int64_t *index,
                               struct dn_error *err)
{
    if (guess >= 0 && key_is(&r->lx, &r->table.columns[guess])) {
        r->lx.p += r->table.columns[guess].name_len + 2;
        *index = guess;
        return DN_OK;
    }
    dn_buffer_reset(&r->key);
    DN_TRY(dn_buffer_reserve(&r->key, 1, err)); /* an empty key has an address too */
    DN_TRY(dn_json_string(&r->lx, &r->key, err));
    const char *name = (const char *)r->key.data;
    *index = dn_name_map_get(&r->names, name, r->key.len);
    if (*index >= 0 || r->options->extra == DN_RECORDS_EXTRA_DROP) {
        return DN_OK;
    }
    return r->options->extra == DN_RECORDS_EXTRA_ERROR
               ? refuse_extra(r, err)
               : dn_record_reader_add_extra(r, name, r->key.len, index, err);
}

/* The value of the key in r->key, which no field declares. */
static enum dn_status drop_value(struct dn_record_reader *r, int depth, struct dn_error *err)
{
    if (r->n_dropped++ == 0) {
        r->first_dropped = r->table.n_rows;
        (void)dn_error_escape_value(r->dropped_key, (const char *)r->key.data, r->key.len);
    }
    return dn_json_raw(&r->lx, depth, NULL, err);
}

/* In the text from `at` on, a value or a key. */
static enum dn_status refuse_surrogate(const struct dn_record_reader *r,
                                       const struct dn_json_column *c, const uint8_t *at,
                                       struct dn_error *err)
{
    char column[DN_ESCAPED_VALUE_SIZE];

    dn_error_set(err, DN_ERR_DATA,
                 "record %lld, column %s: a \\u escape is half a surrogate pair, which is no "
                 "character; correct the text, or set lone_surrogates to replace, which stores "
                 "U+FFFD for it",
                 (long long)r->lx.row, dn_error_escape_value(column, c->name, c->name_len));
    dn_error_locate(err, NULL, r->lx.row, -1, at - r->lx.start, c->name);
    return dn_error_option(err, DN_ERR_DATA, "lone_surrogates");
}

static enum dn_status read_value(struct dn_record_reader *r, int64_t index, int depth,
                                 struct dn_error *err)
{
    struct dn_json_column *c = &r->table.columns[index];

    if (c->n_rows > r->table.n_rows) {
        dn_json_column_drop_last(c); /* the last of duplicate keys wins */
    } else if (c->n_rows < r->table.n_rows) {
        DN_TRY(dn_json_column_pad(c, r->table.n_rows, err));
    }
    const int64_t n_surrogates = r->lx.n_lone_surrogates;
    const uint8_t *value = r->lx.p;
    r->lx.column = c->name;
    DN_TRY(dn_json_value_read(&r->lx, c, depth, &r->scratch, err));
    r->lx.column = NULL;
    if (r->lx.n_lone_surrogates != n_surrogates && r->options->refuse_lone_surrogates) {
        return refuse_surrogate(r, c, value, err);
    }
    if (c->bad != NULL) {
        r->any_bad = true;
    }
    return DN_OK;
}

/* Report the first value of this record that did not fit, if no later duplicate took its place. */
static enum dn_status check_bad_values(struct dn_record_reader *r, struct dn_error *err)
{
    struct dn_json_column *first = NULL;

    for (int64_t i = 0; i < r->table.n_columns; i++) {
        struct dn_json_column *c = &r->table.columns[i];
        if (c->bad != NULL && (first == NULL || c->bad < first->bad)) {
            first = c;
        }
    }
    r->any_bad = false;
    return first == NULL ? DN_OK : dn_json_value_report(&r->lx, first, &r->scratch, err);
}

static enum dn_status check_required(const struct dn_record_reader *r, const uint8_t *record,
                                     struct dn_error *err)
{
    for (int64_t i = 0; i < r->n_fields; i++) {
        const struct dn_json_column *c = &r->table.columns[i];
        if (!c->required || (c->n_rows > r->table.n_rows && !c->last_is_null)) {
            continue;
        }
        char column[DN_ESCAPED_VALUE_SIZE];
        dn_error_set(err, DN_ERR_DATA,
                     "record %lld: required column %s is %s; send a value of type %s or declare "
                     "the column as "
                     "not required",
                     (long long)r->lx.row, dn_error_escape_value(column, c->name, c->name_len),
                     c->n_rows > r->table.n_rows ? "null" : "absent", DN_TYPE_TEXT(c->type));
        dn_error_locate(err, NULL, r->lx.row, -1, record - r->lx.start, c->name);
        return DN_ERR_DATA;
    }
    return DN_OK;
}

/* Behind '{' or a value, whose gap it is: go to the next value and find its column; *index -1: it is dropped. */
static enum dn_status read_gap(struct dn_record_reader *r, bool is_first, int64_t guess,
                               int64_t *index, struct dn_error *err)
{
    if (!is_first) {
        DN_TRY(dn_json_expect(&r->lx, ',', "',' or '}' behind a value", err));
        dn_json_skip_space(&r->lx);
    }
    if (*r->lx.p != '"') {
        return dn_json_malformed(&r->lx, "a key in double quotes", err);
    }
    DN_TRY(read_key(r, guess, index, err));
    DN_TRY(dn_json_expect(&r->lx, ':', "':' behind a key", err));
    dn_json_skip_space(&r->lx);
    return DN_OK;
}

/* Where a record begins and what stands behind a value are never one gap: only behind values is there a comma. */
static inline struct dn_json_gap *gap_of(struct dn_record_reader *r, int64_t previous,
                                         bool is_first)
{
    return previous >= 0 ? &r->table.columns[previous].behind : is_first ? &r->first : &r->dropped;
}

/* lx is at '{' of a record. */
static enum dn_status read_members(struct dn_record_reader *r, int depth, struct dn_error *err)
{
    int64_t previous = -1; /* column of the value before */
    bool is_first = true;

    r->lx.p++;
    dn_json_skip_space(&r->lx);
    if (*r->lx.p == '}') {
        r->lx.p++;
        return DN_OK;
    }
    for (;; is_first = false) {
        const struct dn_json_gap *gap = gap_of(r, previous, is_first);
        int64_t index = gap->column;
        if (!take_gap(&r->lx, gap)) {
            const uint8_t *text = r->lx.p;
            const int64_t n_surrogates = r->lx.n_lone_surrogates;
            dn_json_skip_space(&r->lx);
            if (!is_first && *r->lx.p == '}') {
                r->lx.p++;
                return DN_OK;
            }
            DN_TRY(read_gap(r, is_first, index, &index, err));
            if (index < 0) {
                DN_TRY(drop_value(r, depth + 1, err));
                continue;
            }
            if (r->lx.n_lone_surrogates == n_surrogates) {
                /* read_key() may have moved the columns */
                learn_gap(gap_of(r, previous, is_first), text, (size_t)(r->lx.p - text), index);
            } else if (r->options->refuse_lone_surrogates) { /* else each one counts */
                return refuse_surrogate(r, &r->table.columns[index], text, err);
            }
        }
        previous = index;
        DN_TRY(read_value(r, index, depth + 1, err));
    }
}

/* Room for the rows to come, if they are like the first one; not more than a little of what their text takes. */
static enum dn_status make_room(struct dn_record_reader *r, const uint8_t *record,
                                struct dn_error *err)
{
    const size_t left = (size_t)(r->until - r->lx.p);
    const size_t by_text = left / (size_t)(r->lx.p - record) + 1;
    const size_t by_cells = left / (sizeof(int64_t) * (size_t)(r->table.n_columns + 1));
    const size_t n_rows = by_text < by_cells ? by_text : by_cells;

    for (int64_t i = 0; i < r->table.n_columns; i++) {
        DN_TRY(dn_json_column_reserve(&r->table.columns[i], (int64_t)n_rows, err));
    }
    return DN_OK;
}

enum dn_status dn_record_read(struct dn_record_reader *r, int depth, struct dn_error *err)
{
    enum dn_json_kind kind = DN_JSON_NULL;

    r->lx.row = r->table.n_rows + 1;
    DN_TRY(dn_json_peek(&r->lx, &kind, err));
    const uint8_t *record = r->lx.p;
    if (kind != DN_JSON_OBJECT) {
        return dn_json_malformed(&r->lx, "a record, which is an object {...}", err);
    }
    DN_TRY(read_members(r, depth, err));
    if (r->any_bad) {
        DN_TRY(check_bad_values(r, err));
    }
    if (r->any_required) {
        DN_TRY(check_required(r, record, err));
    }
    r->lx.row = -1;
    r->table.n_rows++;
    return r->table.n_rows == 1 && r->until > r->lx.p ? make_room(r, record, err) : DN_OK;
}
