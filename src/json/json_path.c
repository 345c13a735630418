#include "json/json_path.h"

#include "base/strings.h"

#include <inttypes.h>

static bool is_plain(struct dn_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.data[i];
        if (c < 0x80 &&
            (c < '0' || (c > '9' && c < 'A') || (c > 'Z' && c < 'a' && c != '_') || c > 'z')) {
            return false;
        }
    }
    return name.len > 0;
}

static enum dn_status put_name(struct dn_buffer *text, struct dn_span name)
{
    if (is_plain(name)) {
        return dn_buffer_append(text, name.data, name.len, NULL);
    }
    DN_TRY(dn_text_append(text, "[", NULL));
    DN_TRY(dn_text_append_json_string(text, name.data, name.len, NULL));
    return dn_text_append(text, "]", NULL);
}

static enum dn_status put_path(struct dn_buffer *text, const struct dn_json_path *p)
{
    const struct dn_span column = {(const uint8_t *)p->column, strlen(p->column)};

    DN_TRY(dn_text_append(text, ", at ", NULL));
    DN_TRY(put_name(text, column));
    for (int i = 0; i < p->n_steps && text->len < DN_JSON_PATH_SIZE; i++) {
        const struct dn_json_step *s = &p->steps[i];
        if (s->name.data == NULL) {
            DN_TRY(dn_text_appendf(text, NULL, "[%" PRId64 "]", s->i));
            continue;
        }
        DN_TRY(dn_text_append(text, is_plain(s->name) ? "." : "", NULL));
        DN_TRY(put_name(text, s->name));
    }
    return dn_buffer_append_byte(text, 0, NULL);
}

const char *dn_json_path_text(const struct dn_json_path *p, char out[DN_JSON_PATH_SIZE])
{
    struct dn_buffer text = {0};

    out[0] = '\0';
    if (p->n_steps > 0 && put_path(&text, p) == DN_OK) {
        dn_error_copy_text(out, DN_JSON_PATH_SIZE, (const char *)text.data);
    }
    dn_buffer_finish(&text);
    return out;
}
