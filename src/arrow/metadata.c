#include "arrow/metadata.h"

static int32_t load(const char *at)
{
    int32_t n;

    memcpy(&n, at, sizeof n);
    return n;
}

void dn_metadata_begin(struct dn_metadata_reader *r, const char *metadata)
{
    *r = (struct dn_metadata_reader){0};
    if (metadata != NULL) {
        r->n_left = load(metadata);
        r->at = metadata + sizeof r->n_left;
    }
}

/* The next text; false: its length is negative. */
static bool next_text(struct dn_metadata_reader *r, struct dn_span *out)
{
    const int32_t len = load(r->at);

    if (len < 0) {
        r->n_left = 0;
        return false;
    }
    *out = (struct dn_span){(const uint8_t *)r->at + sizeof len, (size_t)len};
    r->at += sizeof len + (size_t)len;
    return true;
}

bool dn_metadata_next(struct dn_metadata_reader *r, struct dn_span *key, struct dn_span *value)
{
    if (r->n_left <= 0) {
        return false;
    }
    r->n_left--;
    return next_text(r, key) && next_text(r, value);
}

bool dn_metadata_get(const char *metadata, const char *key, struct dn_span *value)
{
    struct dn_metadata_reader r;
    struct dn_span k;

    dn_metadata_begin(&r, metadata);
    while (dn_metadata_next(&r, &k, value)) {
        if (dn_metadata_is(k, key)) {
            return true;
        }
    }
    return false;
}

size_t dn_metadata_size(const char *metadata)
{
    struct dn_metadata_reader r;
    struct dn_span key;
    struct dn_span value;

    dn_metadata_begin(&r, metadata);
    int32_t n_left = r.n_left;
    while (dn_metadata_next(&r, &key, &value)) {
        n_left--;
    }
    return n_left == 0 && metadata != NULL ? (size_t)(r.at - metadata) : 0;
}

enum dn_status dn_metadata_add(struct dn_buffer *b, struct dn_span key, struct dn_span value,
                               struct dn_error *err)
{
    const struct dn_span texts[2] = {key, value};
    int32_t n = 0;

    if (key.len > INT32_MAX || value.len > INT32_MAX) {
        return dn_error_set(err, DN_ERR_UNSUPPORTED,
                            "metadata of %zu bytes under a key of %zu is longer than Arrow has it",
                            value.len, key.len);
    }
    if (b->len == 0) {
        DN_TRY(dn_buffer_append(b, &n, sizeof n, err));
    }
    for (int i = 0; i < 2; i++) {
        const int32_t len = (int32_t)texts[i].len;
        DN_TRY(dn_buffer_append(b, &len, sizeof len, err));
        DN_TRY(dn_buffer_append(b, texts[i].data, texts[i].len, err));
    }
    memcpy(&n, b->data, sizeof n);
    n++;
    memcpy(b->data, &n, sizeof n);
    return DN_OK;
}
