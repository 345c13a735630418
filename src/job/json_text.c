#include "job/json_text.h"

#include "base/memory.h"

enum dn_status dn_json_write(const json_t *value, struct dn_buffer *out, struct dn_error *err)
{
    const size_t len = json_dumpb(value, NULL, 0, JSON_ENCODE_ANY); /* 0: it found no memory */

    if (len == 0) {
        return dn_error_memory(err, 0);
    }
    DN_TRY(dn_buffer_reserve(out, len + 1, err));
    char *text = (char *)out->data + out->len;
    if (json_dumpb(value, text, len, JSON_ENCODE_ANY) != len) {
        return dn_error_memory(err, len);
    }
    text[len] = '\0';
    out->len += len;
    return DN_OK;
}

char *dn_json_dump(const json_t *value, size_t flags)
{
    const size_t len = json_dumpb(value, NULL, 0, flags);
    char *text = len > 0 ? dn_malloc(len + 1) : NULL;

    if (text == NULL || json_dumpb(value, text, len, flags) != len) {
        dn_free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}
