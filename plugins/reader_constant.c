#include "reader_constant.h"

#include "arrow/batch.h"
#include "base/memory.h"
#include "text/parse.h"

#include <stdatomic.h>

#define LONGEST_NUMBER 512

/* Timestamps with a zone, or without one, as wanted. */
static bool parse_timestamp(bool zoned, bool relaxed, const uint8_t *text, size_t len, int64_t *out)
{
    bool has_zone = false;
    const bool read = relaxed ? dn_parse_timestamp_us_relaxed(text, len, out, &has_zone)
                              : dn_parse_timestamp_us(text, len, out, &has_zone);

    return read && has_zone == zoned;
}

static bool parse_date(bool relaxed, const uint8_t *text, size_t len, int64_t *out)
{
    int32_t days = 0;
    bool zoned = false;
    const bool read = relaxed ? dn_parse_date32_relaxed(text, len, &days, &zoned)
                              : dn_parse_date32(text, len, &days);

    *out = days;
    return read && !zoned;
}

static bool parse_bool(bool relaxed, const uint8_t *text, size_t len, int64_t *out)
{
    bool flag = false;
    const bool read =
        relaxed ? dn_parse_bool_relaxed(text, len, &flag) : dn_parse_bool(text, len, &flag);

    *out = flag;
    return read;
}

static bool parse_real(bool relaxed, const uint8_t *text, size_t len, double *out)
{
    return relaxed ? dn_parse_float64_relaxed(text, len, out)
                   : dn_parse_float64(text, len, out) || dn_parse_float64_special(text, len, out);
}

bool constant_has_type(struct dn_type type)
{
    return type.id == DN_TYPE_BOOL || type.id == DN_TYPE_INT64 || type.id == DN_TYPE_FLOAT64 ||
           type.id == DN_TYPE_DATE32 || (type.id == DN_TYPE_TIMESTAMP && type.unit == DN_UNIT_US) ||
           (type.id == DN_TYPE_UTF8_VIEW && type.extension == DN_EXTENSION_NONE);
}

bool constant_parse(struct dn_type type, bool relaxed, const char *text, struct constant_value *out)
{
    uint8_t padded[DN_TEXT_PADDING + LONGEST_NUMBER + DN_TEXT_PADDING] = {0};
    const uint8_t *at = padded + DN_TEXT_PADDING;
    const size_t len = strlen(text);

    *out = (struct constant_value){0};
    if (type.id == DN_TYPE_UTF8_VIEW) {
        return true;
    }
    if (len == 0 || len > LONGEST_NUMBER) {
        return false;
    }
    memcpy(padded + DN_TEXT_PADDING, text, len);
    switch (type.id) {
    case DN_TYPE_BOOL:
        return parse_bool(relaxed, at, len, &out->whole);
    case DN_TYPE_INT64:
        return relaxed ? dn_parse_int64_relaxed(at, len, &out->whole)
                       : dn_parse_int64(at, len, &out->whole);
    case DN_TYPE_FLOAT64:
        return parse_real(relaxed, at, len, &out->real);
    case DN_TYPE_DATE32:
        return parse_date(relaxed, at, len, &out->whole);
    case DN_TYPE_TIMESTAMP:
        return parse_timestamp(type.zoned, relaxed, at, len, &out->whole);
    default:
        return false;
    }
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

struct constant {
    _Atomic int64_t n_users;
    struct dn_type type;
    bool is_null;
    int64_t n_rows;
    const void *text; /* of a string; what follows the values */
    int64_t text_len;
    uint8_t values[]; /* of nulls zeros, for validity as well */
};

static void fill_views(struct constant *c, const char *text)
{
    struct dn_string_view view = {.len = (int32_t)c->text_len};
    struct dn_string_view *views = (struct dn_string_view *)(void *)c->values;

    if (c->text_len <= DN_VIEW_INLINE) {
        memcpy(view.u.inlined, text, (size_t)c->text_len);
    } else {
        memcpy(view.u.ref.prefix, text, sizeof(view.u.ref.prefix));
    }
    for (int64_t i = 0; i < c->n_rows; i++) {
        views[i] = view;
    }
}

static void fill_values(struct constant *c, const struct constant_value *value)
{
    for (int64_t i = 0; i < c->n_rows; i++) {
        switch (c->type.id) {
        case DN_TYPE_BOOL:
            c->values[i >> 3] |= (uint8_t)(value->whole << (i & 7));
            break;
        case DN_TYPE_DATE32:
            ((int32_t *)(void *)c->values)[i] = (int32_t)value->whole;
            break;
        case DN_TYPE_FLOAT64:
            ((double *)(void *)c->values)[i] = value->real;
            break;
        default:
            ((int64_t *)(void *)c->values)[i] = value->whole;
            break;
        }
    }
}

enum dn_status constant_make(struct constant **out, struct dn_type type, bool relaxed,
                             const char *text, int64_t n_rows, struct dn_error *err)
{
    const size_t width = type.id == DN_TYPE_BOOL ? 1 : dn_type_width(type);
    const size_t text_len = text != NULL && type.id == DN_TYPE_UTF8_VIEW ? strlen(text) : 0;
    const size_t values = ((size_t)n_rows + 1) * width;
    struct constant_value value;
    struct constant *c = dn_calloc(1, sizeof(*c) + values + text_len + 64);

    if (c == NULL) {
        return dn_error_memory(err, values);
    }
    atomic_init(&c->n_users, 1);
    c->type = type;
    c->is_null = text == NULL;
    c->n_rows = n_rows;
    c->text = c->values + values;
    c->text_len = (int64_t)text_len;
    memcpy(c->values + values, text != NULL ? text : "", text_len);
    if (text != NULL && type.id == DN_TYPE_UTF8_VIEW) {
        fill_views(c, text);
    } else if (text != NULL && constant_parse(type, relaxed, text, &value)) {
        fill_values(c, &value);
    }
    *out = c;
    return DN_OK;
}

int64_t constant_rows(const struct constant *c)
{
    return c->n_rows;
}

void constant_release(struct constant *c)
{
    if (c != NULL && atomic_fetch_sub(&c->n_users, 1) == 1) {
        dn_free(c);
    }
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

struct held {
    size_t n;
    struct constant *columns[];
};

static void release_held(void *owner)
{
    struct held *h = owner;

    for (size_t i = 0; i < h->n; i++) {
        constant_release(h->columns[i]);
    }
    dn_free(h);
}

enum dn_status constant_export(struct ArrowArray *out, struct constant *const *columns, size_t n,
                               int64_t n_rows, struct dn_error *err)
{
    struct dn_batch_column *exported = dn_calloc(n + 1, sizeof(*exported));
    struct held *h = dn_calloc(1, sizeof(*h) + n * sizeof(struct constant *));

    if (exported == NULL || h == NULL) {
        dn_free(exported);
        dn_free(h);
        return dn_error_memory(err, n * sizeof(*exported));
    }
    h->n = n;
    for (size_t i = 0; i < n; i++) {
        struct constant *c = columns[i];
        h->columns[i] = c;
        exported[i] = (struct dn_batch_column){
            .type = c->type,
            .null_count = c->is_null ? n_rows : 0,
            .validity = c->is_null ? c->values : NULL,
            .values = c->values,
            .variadic = &c->text,
            .variadic_lens = &c->text_len,
            .n_variadic = c->text_len > DN_VIEW_INLINE ? 1 : 0,
        };
    }
    const enum dn_status st =
        dn_batch_export(out, n_rows, (int64_t)n, exported, release_held, h, err);
    for (size_t i = 0; st == DN_OK && i < n; i++) {
        atomic_fetch_add(&columns[i]->n_users, 1);
    }
    dn_free(exported);
    if (st != DN_OK) {
        dn_free(h);
    }
    return st;
}
