#include "reader_constant.h"

#include "arrow/batch.h"
#include "base/memory.h"
#include "text/parse.h"
#include "values/value_text.h"

#include <stdatomic.h>

#define LONGEST_NUMBER 512

bool constant_has_type(struct dn_type type)
{
    return dn_value_is_parsed(type) || type.id == DN_TYPE_FLOAT16 || type.id == DN_TYPE_FLOAT32 ||
           (type.id == DN_TYPE_UTF8_VIEW && type.extension == DN_EXTENSION_NONE);
}

static bool parse_declared(struct dn_type type, const uint8_t *text, size_t len,
                           struct constant_value *out)
{
    bool rounded = false;
    float single = 0;
    uint16_t half = 0;

    if (type.id == DN_TYPE_FLOAT32 && dn_parse_float32_relaxed(text, len, &single, &rounded)) {
        memcpy(out->bytes, &single, sizeof single);
        return true;
    }
    if (type.id == DN_TYPE_FLOAT16 && dn_parse_float16_relaxed(text, len, &half, &rounded)) {
        memcpy(out->bytes, &half, sizeof half);
        return true;
    }
    return dn_value_is_parsed(type) && dn_value_parse(type, text, len, out->bytes);
}

/* Written as values of the type are, so that no other text is the same value. */
static bool is_written_so(struct dn_type type, const uint8_t *text, size_t len,
                          const struct constant_value *value)
{
    const struct dn_column_view column = {.type = type,
                                          .layout = dn_type_layout(type),
                                          .width = dn_type_width(type),
                                          .n_rows = 1,
                                          .values = value->bytes};
    char written[LONGEST_NUMBER + 64];

    return dn_value_text_room(type) <= sizeof written &&
           dn_value_text(written, &column, 0) == len && memcmp(written, text, len) == 0;
}

/* By the rules of inference.  Floats and timestamps are written in many ways. */
static bool parse_strictly(struct dn_type type, const uint8_t *text, size_t len,
                           struct constant_value *out)
{
    bool zoned = false;
    void *to = out->bytes;

    if (type.id == DN_TYPE_BOOL) {
        return dn_parse_bool(text, len, to);
    }
    if (type.id == DN_TYPE_FLOAT64) {
        return dn_parse_float64(text, len, to) || dn_parse_float64_special(text, len, to);
    }
    if (type.id == DN_TYPE_TIMESTAMP && type.unit == DN_UNIT_US) {
        return dn_parse_timestamp_us(text, len, to, &zoned) && zoned == type.zoned;
    }
    return parse_declared(type, text, len, out) && is_written_so(type, text, len, out);
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
    return relaxed ? parse_declared(type, at, len, out) : parse_strictly(type, at, len, out);
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
    const size_t width = dn_type_width(c->type);

    if (c->type.id == DN_TYPE_BOOL) {
        memset(c->values, *(const uint8_t *)value->bytes != 0 ? 0xff : 0,
               (size_t)c->n_rows / 8 + 1);
        return;
    }
    for (int64_t i = 0; i < c->n_rows; i++) {
        memcpy(c->values + (size_t)i * width, value->bytes, width);
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

enum dn_status constant_numbers(struct constant **out, int64_t n_rows, int64_t **numbers,
                                struct dn_error *err)
{
    const size_t size = ((size_t)n_rows + 1) * sizeof(int64_t);
    struct constant *c = dn_calloc(1, sizeof(*c) + size);

    if (c == NULL) {
        return dn_error_memory(err, size);
    }
    atomic_init(&c->n_users, 1);
    c->type = DN_TYPE(INT64);
    c->n_rows = n_rows;
    c->text = c->values;
    *numbers = (int64_t *)(void *)c->values;
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
