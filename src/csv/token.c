#include "csv/token.h"

#include "base/digest.h"
#include "base/strings.h"
#include "csv/union.h"
#include "json/json_lexer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of what is written; another number is refused. */
#define VERSION 1

enum {
    QUOTES_THROUGH = 1,
    QUOTES_ONLY = 2,
    QUOTES_MOSTLY = 4
};

/* ---- digests ---- */

static void add_bytes(uint64_t *digest, const void *bytes, size_t len)
{
    *digest = dn_digest_bytes(*digest, bytes, len);
}

static void add_number(uint64_t *digest, uint64_t number)
{
    add_bytes(digest, &number, sizeof(number));
}

static void add_text(uint64_t *digest, const char *text)
{
    add_number(digest, text == NULL ? UINT64_MAX : strlen(text));
    add_bytes(digest, text, text == NULL ? 0 : strlen(text));
}

static void add_texts(uint64_t *digest, const char *const *texts, size_t n)
{
    add_number(digest, texts == NULL ? UINT64_MAX : n);
    for (size_t i = 0; texts != NULL && i < n; i++) {
        add_text(digest, texts[i]);
    }
}

static void add_column_texts(uint64_t *digest, const struct dn_csv_column_text *texts, size_t n)
{
    add_number(digest, n);
    for (size_t i = 0; i < n; i++) {
        add_text(digest, texts[i].name);
        add_text(digest, texts[i].text);
    }
}

/* Bytes with a meaning, and numbers. */
static void add_flat(uint64_t *digest, const struct dn_csv_options *o)
{
    const uint64_t flat[] = {
        (uint8_t)o->delimiter,
        (uint8_t)o->quote,
        o->no_quote,
        o->strict,
        (uint64_t)o->header,
        (uint64_t)o->inference,
        o->missing_as_null,
        o->replace_invalid,
        o->round_decimals,
        o->quoted_text,
        o->quoted_nulls,
        o->trim,
        (uint8_t)o->decimal,
        o->header_row,
        (uint64_t)o->names,
        o->union_by_name,
        o->max_row_bytes,
        o->has_limit,
        o->has_limit ? (uint64_t)o->limit : 0,
        (uint8_t)o->escape,
        (uint8_t)o->comment,
        (uint64_t)o->skip_rows,
        (uint64_t)o->skip_after_header,
        (uint64_t)o->skip_footer,
        (uint64_t)o->ragged,
        o->detect,
    };
    for (size_t i = 0; i < sizeof(flat) / sizeof(flat[0]); i++) {
        add_number(digest, flat[i]);
    }
}

uint64_t dn_csv_path_digest(const char *path)
{
    char shown[DN_SHOWN_PATH_SIZE];
    uint64_t digest = DN_DIGEST_START;

    add_text(&digest, dn_source_shown_path(shown, path));
    return digest;
}

uint64_t dn_csv_digest_tag(uint64_t digest, const char *tag)
{
    add_text(&digest, tag);
    return digest;
}

uint64_t dn_csv_options_digest(const struct dn_csv_options *o)
{
    uint64_t digest = DN_DIGEST_START;

    add_flat(&digest, o);
    add_text(&digest, o->encoding);
    add_text(&digest, o->thousands);
    add_text(&digest, o->delimiter_text);
    add_texts(&digest, o->null_values, o->n_null_values);
    add_texts(&digest, o->columns, o->n_columns);
    add_texts(&digest, o->exclude, o->n_exclude);
    add_texts(&digest, o->required, o->n_required);
    add_texts(&digest, o->true_values, o->n_true_values);
    add_texts(&digest, o->false_values, o->n_false_values);
    add_texts(&digest, o->header_names, o->n_header_names);
    add_column_texts(&digest, o->column_null_values, o->n_column_null_values);
    add_column_texts(&digest, o->date_formats, o->n_date_formats);
    add_column_texts(&digest, o->time_formats, o->n_time_formats);
    add_column_texts(&digest, o->timestamp_formats, o->n_timestamp_formats);
    add_number(&digest, o->n_types);
    for (size_t i = 0; i < o->n_types; i++) {
        add_text(&digest, o->types[i].name);
        add_text(&digest, o->types[i].type);
        add_number(&digest, o->types[i].declared);
    }
    add_number(&digest, o->n_renames);
    for (size_t i = 0; i < o->n_renames; i++) {
        add_text(&digest, o->renames[i].from);
        add_text(&digest, o->renames[i].to);
    }
    return digest;
}

/* ---- writing ---- */

/* The dialect as numbers, in the order in which they are read. */
#define DIALECT_FLAGS 8
static void dialect_flags(const struct dn_csv_dialect *d, bool flags[DIALECT_FLAGS])
{
    const bool all[DIALECT_FLAGS] = {d->has_quote,  d->cr_ends_row, d->strict,    d->trim,
                                     d->has_escape, d->has_comment, d->double_cr, d->lf_cr};
    memcpy(flags, all, sizeof(all));
}

static enum dn_status write_dialect(struct dn_buffer *b, const struct dn_csv_dialect *d,
                                    struct dn_error *err)
{
    bool flags[DIALECT_FLAGS];

    dialect_flags(d, flags);
    DN_TRY(dn_text_appendf(b, err, ",\"dialect\":[%d,%d,%d,%d", d->delimiter, d->quote, d->escape,
                           d->comment));
    for (size_t i = 0; i < DIALECT_FLAGS; i++) {
        DN_TRY(dn_text_append(b, flags[i] ? ",1" : ",0", err));
    }
    DN_TRY(dn_text_appendf(b, err, ",%d", d->n_rest));
    for (size_t i = 0; i < d->n_rest; i++) {
        DN_TRY(dn_text_appendf(b, err, ",%d", d->rest[i]));
    }
    return dn_text_append(b, "]", err);
}

static enum dn_status write_table(struct dn_buffer *b, const struct dn_csv_reader *r, size_t file,
                                  struct dn_error *err)
{
    const struct dn_csv_layout *layout = dn_csv_layout_of(r, file);

    DN_TRY(write_dialect(b, &r->dialect, err));
    DN_TRY(dn_text_appendf(b, err, ",\"trailing\":%d,\"fields\":[", r->trailing));
    for (size_t i = 0; i < r->n_fields; i++) {
        DN_TRY(dn_text_append(b, i > 0 ? "," : "", err));
        DN_TRY(dn_text_append_json_string(b, r->field_names[i], strlen(r->field_names[i]), err));
    }
    DN_TRY(dn_text_append(b, "],\"columns\":[", err));
    for (size_t i = 0; i < r->n_columns; i++) {
        const struct dn_csv_column *c = &r->columns[i];
        const unsigned quotes = (c->through_quotes ? QUOTES_THROUGH : 0) |
                                (c->only_quoted ? QUOTES_ONLY : 0) |
                                (c->mostly_quoted ? QUOTES_MOSTLY : 0);
        DN_TRY(dn_text_appendf(b, err, "%s\"%s\",%u", i > 0 ? "," : "", DN_TYPE_TEXT(c->type),
                               quotes));
    }
    DN_TRY(dn_text_append(b, "]", err));
    for (size_t i = 0; layout != NULL && i < layout->n_fields; i++) {
        DN_TRY(dn_text_appendf(b, err, "%s%" PRIu32, i > 0 ? "," : ",\"layout\":[",
                               layout->fields[i]));
    }
    return layout != NULL && layout->n_fields > 0 ? dn_text_append(b, "]", err) : DN_OK;
}

#define CHECK_LEN (sizeof(",\"check\":\"0123456789abcdef\"}") - 1)

enum dn_status dn_csv_token_write(struct dn_buffer *out, const struct dn_csv_token *token,
                                  const struct dn_csv_reader *r, struct dn_error *err)
{
    const struct dn_csv_range *range = &token->range;
    const size_t begin = out->len;
    uint64_t check = DN_DIGEST_START;

    DN_TRY(dn_text_appendf(out, err, "{\"split\":%d,\"path\":", VERSION));
    DN_TRY(dn_text_append_json_string(out, token->path, strlen(token->path), err));
    DN_TRY(dn_text_appendf(out, err,
                           ",\"name\":\"%016" PRIx64 "\",\"file\":%zu,\"size\":%" PRId64
                           ",\"version\":\"%016" PRIx64 "\",\"start\":%" PRId64 ",\"end\":%" PRId64
                           ",\"line\":%" PRId64 ",\"given\":%" PRId64 ",\"left_out\":%" PRId64
                           ",\"rows\":%" PRId64 ",\"end_bytes\":%" PRId64
                           ",\"options\":\"%016" PRIx64 "\"",
                           token->name, range->file, range->size, range->version, range->start,
                           range->end, range->line, token->n_given, token->left_out, token->n_rows,
                           token->end_bytes, token->options));
    DN_TRY(write_table(out, r, range->file, err));
    add_bytes(&check, out->data + begin, out->len - begin);
    return dn_text_appendf(out, err, ",\"check\":\"%016" PRIx64 "\"}", check);
}

/* ---- reading ---- */

struct parser {
    struct dn_json_lexer lx;
    struct dn_arena *arena;
    struct dn_buffer text;
    struct dn_error *err;
};

static enum dn_status malformed(struct dn_error *err)
{
    return dn_error_set(
        err, DN_ERR_INVALID,
        "this is no token of a piece, or it was cut or changed on its way; pass it on "
        "as it was given, or cut the source again");
}

/* Exactly these bytes. */
static enum dn_status literal(struct parser *p, const char *bytes)
{
    for (; *bytes != '\0'; bytes++, p->lx.p++) {
        if (*p->lx.p != (uint8_t)*bytes) {
            return malformed(p->err);
        }
    }
    return DN_OK;
}

static enum dn_status number(struct parser *p, int64_t most, int64_t *out)
{
    struct dn_json_number n;
    enum dn_json_kind kind;

    if (*p->lx.p < '0' || *p->lx.p > '9') {
        return malformed(p->err);
    }
    DN_TRY(dn_json_number(&p->lx, &n, &kind, p->err));
    *out = n.value;
    return kind == DN_JSON_INTEGER && n.is_int64 && n.value <= most ? DN_OK : malformed(p->err);
}

static enum dn_status named_number(struct parser *p, const char *name, int64_t most, int64_t *out)
{
    DN_TRY(literal(p, name));
    return number(p, most, out);
}

static enum dn_status text(struct parser *p, const char **out)
{
    dn_buffer_reset(&p->text);
    if (*p->lx.p != '"') {
        return malformed(p->err);
    }
    DN_TRY(dn_json_string(&p->lx, &p->text, p->err));
    *out = dn_arena_strndup(p->arena, (const char *)p->text.data, p->text.len);
    return *out != NULL ? DN_OK : dn_error_memory(p->err, p->text.len);
}

static enum dn_status named_hex(struct parser *p, const char *name, uint64_t *out)
{
    const char *digits = NULL;
    char *end = NULL;

    DN_TRY(literal(p, name));
    DN_TRY(text(p, &digits));
    *out = strtoull(digits, &end, 16);
    return strlen(digits) == 16 && *end == '\0' ? DN_OK : malformed(p->err);
}

/* Is there one more in a list?  Goes behind the comma or the end. */
static enum dn_status more(struct parser *p, size_t n, bool *out)
{
    *out = *p->lx.p != ']';
    return *out && n == 0 ? DN_OK : literal(p, *out ? "," : "]");
}

static enum dn_status read_dialect(struct parser *p, struct dn_csv_dialect *d)
{
    int64_t n[4 + DIALECT_FLAGS + 1];
    const size_t n_numbers = sizeof(n) / sizeof(n[0]);
    int64_t byte = 0;

    DN_TRY(literal(p, ",\"dialect\":["));
    for (size_t i = 0; i < n_numbers; i++) {
        const int64_t most = i < 4 ? UINT8_MAX : i + 1 < n_numbers ? 1 : DN_CSV_DELIMITER_MOST - 1;
        DN_TRY(literal(p, i > 0 ? "," : ""));
        DN_TRY(number(p, most, &n[i]));
    }
    *d = (struct dn_csv_dialect){
        .delimiter = (uint8_t)n[0],
        .quote = (uint8_t)n[1],
        .escape = (uint8_t)n[2],
        .comment = (uint8_t)n[3],
        .has_quote = n[4] != 0,
        .cr_ends_row = n[5] != 0,
        .strict = n[6] != 0,
        .trim = n[7] != 0,
        .has_escape = n[8] != 0,
        .has_comment = n[9] != 0,
        .double_cr = n[10] != 0,
        .lf_cr = n[11] != 0,
        .n_rest = (uint8_t)n[12],
    };
    for (size_t i = 0; i < d->n_rest; i++) {
        DN_TRY(literal(p, ","));
        DN_TRY(number(p, UINT8_MAX, &byte));
        d->rest[i] = (uint8_t)byte;
    }
    return literal(p, "]");
}

/* Room for one more of n; what was there before stays in the arena, too, so that a list costs twice its size. */
static enum dn_status grow(struct parser *p, void **list, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0) {
        return DN_OK;
    }
    void *wider = dn_arena_alloc(p->arena, (n == 0 ? 1 : 2 * n) * size);
    if (wider == NULL) {
        return dn_error_memory(p->err, 2 * n * size);
    }
    if (n > 0) {
        memcpy(wider, *list, n * size);
    }
    *list = wider;
    return DN_OK;
}

static enum dn_status read_lists(struct parser *p, struct dn_csv_token *t)
{
    bool another = false;
    int64_t value = 0;

    DN_TRY(literal(p, ",\"fields\":["));
    DN_TRY(more(p, 0, &another));
    while (another) {
        DN_TRY(grow(p, (void **)&t->fields, t->n_fields, sizeof(*t->fields)));
        DN_TRY(text(p, &t->fields[t->n_fields++]));
        DN_TRY(more(p, t->n_fields, &another));
    }
    DN_TRY(literal(p, ",\"columns\":["));
    DN_TRY(more(p, 0, &another));
    while (another) {
        DN_TRY(grow(p, (void **)&t->columns, t->n_columns, sizeof(*t->columns)));
        struct dn_csv_token_column *c = &t->columns[t->n_columns++];
        DN_TRY(text(p, &c->type));
        DN_TRY(named_number(p, ",", 7, &value));
        c->quotes = (unsigned)value;
        DN_TRY(more(p, t->n_columns, &another));
    }
    if (strncmp((const char *)p->lx.p, ",\"layout\"", 9) != 0) {
        return DN_OK;
    }
    DN_TRY(literal(p, ",\"layout\":["));
    DN_TRY(more(p, 0, &another));
    while (another) {
        DN_TRY(grow(p, (void **)&t->layout, t->n_layout, sizeof(*t->layout)));
        DN_TRY(number(p, (int64_t)t->n_fields - 1, &value));
        t->layout[t->n_layout++] = (uint32_t)value;
        DN_TRY(more(p, t->n_layout, &another));
    }
    return DN_OK;
}

static enum dn_status read_token(struct parser *p, struct dn_csv_token *t)
{
    struct dn_csv_range *range = &t->range;
    int64_t value = 0;

    DN_TRY(named_number(p, "{\"split\":", INT64_MAX, &value));
    if (value != VERSION) {
        return dn_error_set(p->err, DN_ERR_INVALID,
                            "the token is of another version of this program; cut the source and "
                            "read its pieces with the same one");
    }
    DN_TRY(literal(p, ",\"path\":"));
    DN_TRY(text(p, &t->path));
    DN_TRY(named_hex(p, ",\"name\":", &t->name));
    DN_TRY(named_number(p, ",\"file\":", INT32_MAX, &value));
    range->file = (size_t)value;
    DN_TRY(named_number(p, ",\"size\":", INT64_MAX, &range->size));
    DN_TRY(named_hex(p, ",\"version\":", &range->version));
    DN_TRY(named_number(p, ",\"start\":", INT64_MAX, &range->start));
    DN_TRY(named_number(p, ",\"end\":", INT64_MAX, &range->end));
    DN_TRY(named_number(p, ",\"line\":", INT64_MAX, &range->line));
    DN_TRY(named_number(p, ",\"given\":", INT64_MAX, &t->n_given));
    DN_TRY(named_number(p, ",\"left_out\":", INT64_MAX, &t->left_out));
    DN_TRY(named_number(p, ",\"rows\":", INT64_MAX, &t->n_rows));
    DN_TRY(named_number(p, ",\"end_bytes\":", INT64_MAX, &t->end_bytes));
    DN_TRY(named_hex(p, ",\"options\":", &t->options));
    DN_TRY(read_dialect(p, &t->dialect));
    DN_TRY(named_number(p, ",\"trailing\":", 1, &value));
    t->trailing = value != 0;
    DN_TRY(read_lists(p, t));
    DN_TRY(literal(p, ",\"check\":"));
    return range->start <= range->end ? DN_OK : malformed(p->err);
}

enum dn_status dn_csv_token_read(struct dn_csv_token **out, const char *token_text,
                                 struct dn_arena *arena, struct dn_error *err)
{
    const size_t len = token_text != NULL ? strlen(token_text) : 0;
    struct dn_csv_token *token = dn_arena_alloc(arena, sizeof(*token));
    char check[CHECK_LEN + 1];
    uint64_t digest = DN_DIGEST_START;

    *out = token;
    if (token == NULL) {
        return dn_error_memory(err, sizeof(*token));
    }
    if (len < CHECK_LEN) {
        return malformed(err);
    }
    add_bytes(&digest, token_text, len - CHECK_LEN);
    (void)snprintf(check, sizeof(check), ",\"check\":\"%016" PRIx64 "\"}", digest);
    if (strcmp(check, token_text + len - CHECK_LEN) != 0) {
        return malformed(err);
    }
    struct parser p = {
        .lx = {.start = (const uint8_t *)token_text, .p = (const uint8_t *)token_text, .row = -1},
        .arena = arena,
        .err = err};
    p.text.cap = SIZE_MAX;
    const enum dn_status st = read_token(&p, token);
    dn_buffer_finish(&p.text);
    return st;
}

/* ---- a reader made of it ---- */

enum dn_status dn_csv_token_restore(struct dn_csv_reader *r, struct dn_error *err)
{
    const struct dn_csv_token *t = r->token;

    r->dialect = t->dialect;
    r->trailing = t->trailing;
    r->field_names = t->fields;
    r->n_fields = t->n_fields;
    if (t->layout == NULL) {
        return DN_OK;
    }
    struct dn_csv_layout *layout = dn_arena_alloc(&r->arena, sizeof(*layout));
    r->layouts = dn_arena_alloc(&r->arena, r->n_paths * sizeof(struct dn_csv_layout *));
    if (layout == NULL || r->layouts == NULL) {
        return dn_error_memory(err, r->n_paths * sizeof(struct dn_csv_layout *));
    }
    layout->n_fields = t->n_layout;
    layout->fields = t->layout;
    r->layouts[t->range.file] = layout;
    return DN_OK;
}

enum dn_status dn_csv_token_types(struct dn_csv_reader *r, struct dn_error *err)
{
    const struct dn_csv_token *t = r->token;

    if (t->n_columns != r->n_columns) {
        return malformed(err); /* of other options, which were compared */
    }
    for (size_t i = 0; i < r->n_columns; i++) {
        struct dn_csv_column *c = &r->columns[i];
        enum dn_bytes_form form;
        struct dn_type type;
        c->through_quotes = (t->columns[i].quotes & QUOTES_THROUGH) != 0;
        c->only_quoted = (t->columns[i].quotes & QUOTES_ONLY) != 0;
        c->mostly_quoted = (t->columns[i].quotes & QUOTES_MOSTLY) != 0;
        c->unseen = false;
        c->unsettled = false;
        if (c->declared) {
            continue;
        }
        if (!dn_value_type_parse(t->columns[i].type, &type, &form)) {
            return malformed(err);
        }
        c->type = type;
    }
    return DN_OK;
}
