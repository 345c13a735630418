#include "base/expand.h"

#include "base/os_memory.h"
#include "base/strings.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFAULT_DEPTH 8
#define MAX_EXPANDED_BYTES ((size_t)1 << 20)

static bool is_name_byte(char c, bool first)
{
    return c == '_' || isalpha((unsigned char)c) || (!first && isdigit((unsigned char)c));
}

/* The '}' that closes the "${" before `text`, counting nested ones; NULL if there is none. */
static const char *closing_brace(const char *text, const char *end)
{
    int depth = 1;

    for (const char *p = text; p < end; p++) {
        if (p[0] == '$' && p + 1 < end && p[1] == '{') {
            depth++;
            p++;
        } else if (p[0] == '}' && --depth == 0) {
            return p;
        }
    }
    return NULL;
}

static enum dn_status expand_text(struct dn_buffer *out, const char *text, const char *end,
                                  int depth, struct dn_error *err);

static enum dn_status expand_variable(struct dn_buffer *out, const char *inside, const char *close,
                                      int depth, struct dn_error *err)
{
    const char *name_end = inside;
    while (name_end < close && is_name_byte(*name_end, name_end == inside)) {
        name_end++;
    }
    const bool has_default = close - name_end >= 2 && name_end[0] == ':' && name_end[1] == '-';
    if (name_end == inside || (name_end != close && !has_default)) {
        return dn_error_set(
            err, DN_ERR_CONFIG,
            "a ${...} here is not ${NAME} or ${NAME:-default}; write $${ for a literal ${");
    }
    char name[256];
    const size_t len = (size_t)(name_end - inside);
    if (len >= sizeof name) {
        return dn_error_set(err, DN_ERR_CONFIG, "the name of an environment variable is too long");
    }
    memcpy(name, inside, len);
    name[len] = '\0';
    const char *value = getenv(name);
    if (value != NULL && (value[0] != '\0' || !has_default)) {
        if (!dn_utf8_is_valid(value)) { /* the plugins get it as JSON */
            return dn_error_set(err, DN_ERR_CONFIG, "environment variable %s is not valid UTF-8",
                                name);
        }
        return dn_text_append(out, value, err);
    }
    if (!has_default) {
        return dn_error_set(
            err, DN_ERR_CONFIG,
            "environment variable %s is not set and has no default; set it or write "
            "${%s:-default}",
            name, name);
    }
    return expand_text(out, name_end + 2, close, depth + 1, err);
}

static enum dn_status expand_text(struct dn_buffer *out, const char *text, const char *end,
                                  int depth, struct dn_error *err)
{
    if (depth > MAX_DEFAULT_DEPTH) {
        return dn_error_set(err, DN_ERR_CONFIG, "defaults of ${...} are nested too deeply");
    }
    const char *p = text;
    while (p < end) {
        if (p[0] == '$' && end - p >= 3 && p[1] == '$' && p[2] == '{') {
            DN_TRY(dn_text_append(out, "${", err));
            p += 3;
        } else if (p[0] == '$' && end - p >= 2 && p[1] == '{') {
            const char *close = closing_brace(p + 2, end);
            if (close == NULL) {
                return dn_error_set(err, DN_ERR_CONFIG,
                                    "${ without a closing brace; write $${ for a literal ${");
            }
            DN_TRY(expand_variable(out, p + 2, close, depth, err));
            p = close + 1;
        } else {
            DN_TRY(dn_buffer_append_byte(out, (uint8_t)*p, err));
            p++;
        }
    }
    return DN_OK;
}

enum dn_status dn_expand_text(struct dn_buffer *out, const char *text, struct dn_error *err)
{
    struct dn_buffer made = {.cap = MAX_EXPANDED_BYTES};
    enum dn_status st = expand_text(&made, text, text + strlen(text), 0, err);

    if (st == DN_OK && made.len > 0) {
        st = dn_buffer_append(out, made.data, made.len, err);
    }
    if (made.len > 0) {
        dn_os_wipe(made.data, made.len); /* it may be a secret */
    }
    dn_buffer_finish(&made);
    return st;
}

size_t dn_expand_sole_name(const char *text)
{
    if (!dn_text_starts_with(text, "${")) {
        return 0;
    }
    size_t len = 0;
    while (is_name_byte(text[2 + len], len == 0)) {
        len++;
    }
    return strcmp(text + 2 + len, "}") == 0 ? len : 0;
}
