#include "cli/table.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "job/json_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The code point of a well-formed character of n bytes. */
static uint32_t decode(const uint8_t *character, size_t n)
{
    uint8_t p[4] = {0};

    memcpy(p, character, n <= sizeof p ? n : sizeof p);
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    default:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    }
}

/* The blocks that matter in practice, from Unicode's EastAsianWidth.txt (W, F) and the combining marks. */
static size_t char_width(uint32_t c)
{
    static const struct {
        uint32_t from;
        uint32_t to;
        uint32_t width;
    } blocks[] = {{0x0300, 0x036f, 0},   {0x200b, 0x200f, 0},  {0xfe00, 0xfe0f, 0},
                  {0x1100, 0x115f, 2},   {0x2e80, 0x303e, 2},  {0x3041, 0xa4cf, 2},
                  {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},  {0xfe30, 0xfe6f, 2},
                  {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},  {0x1f300, 0x1f64f, 2},
                  {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2}};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (c >= blocks[i].from && c <= blocks[i].to) {
            return blocks[i].width;
        }
    }
    return 1;
}

size_t dn_table_width(const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);
    size_t width = 0;

    while (left > 0) {
        bool valid = false;
        const size_t n = dn_utf8_next(p, left, &valid);
        width += valid ? char_width(decode(p, n)) : 1;
        p += n;
        left -= n;
    }
    return width;
}

/* C0, DEL and C1 controls could move the cursor or change colours; they are shown as escapes. */
static size_t escape_char(char *out, const uint8_t *p, size_t n, bool valid)
{
    const uint32_t c = valid ? decode(p, n) : 0xfffdu;

    if (!valid) {
        memcpy(out, "\xef\xbf\xbd", 3);
        return 3;
    }
    if (c == '\n' || c == '\r' || c == '\t') {
        out[0] = '\\';
        out[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
        return 2;
    }
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e)) {
        return (size_t)snprintf(out, 9, "\\u%04x", (unsigned)c);
    }
    memcpy(out, p, n);
    return n;
}

void dn_text_print(FILE *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);

    while (left > 0) {
        bool valid = false;
        char piece[16] = {0};
        const size_t n = dn_utf8_next(p, left, &valid);
        (void)fwrite(piece, 1, escape_char(piece, p, n, valid), out);
        p += n;
        left -= n;
    }
}

static void cell_store(struct dn_table *t, const char *text)
{
    if (t->n_cells == t->capacity) {
        const size_t more = t->capacity == 0 ? 64 : t->capacity * 2;
        const char **cells = dn_realloc_array(t->cells, more, sizeof cells[0]);
        if (cells == NULL) {
            t->failed = true;
            return;
        }
        t->cells = cells;
        t->capacity = more;
    }
    t->cells[t->n_cells] = dn_arena_strdup(&t->arena, text);
    if (t->cells[t->n_cells] == NULL) {
        t->failed = true;
        return;
    }
    t->n_cells++;
}

void dn_table_add_text(struct dn_table *t, const char *text, size_t len)
{
    char out[DN_TABLE_MAX_CELL * 8 + 8];
    const uint8_t *p = (const uint8_t *)text;
    size_t left = len;
    size_t used = 0;
    size_t width = 0;

    while (left > 0) {
        bool valid = false;
        char piece[16] = {0};
        const size_t n = dn_utf8_next(p, left, &valid);
        const size_t piece_len = escape_char(piece, p, n, valid);
        piece[piece_len] = '\0';
        const size_t piece_width = dn_table_width(piece);
        if (width + piece_width > DN_TABLE_MAX_CELL - (left > n ? 1 : 0) ||
            used + piece_len + 4 > sizeof out) {
            memcpy(out + used, "\xe2\x80\xa6", 3); /* an ellipsis */
            used += 3;
            break;
        }
        memcpy(out + used, piece, piece_len);
        used += piece_len;
        width += piece_width;
        p += n;
        left -= n;
    }
    out[used] = '\0';
    cell_store(t, out);
}

void dn_table_add_whole(struct dn_table *t, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);
    struct dn_buffer out = {0};

    while (left > 0 && !t->failed) {
        bool valid = false;
        char piece[16] = {0};
        const size_t n = dn_utf8_next(p, left, &valid);
        const size_t len = escape_char(piece, p, n, valid);
        t->failed = dn_buffer_append(&out, piece, len, NULL) != DN_OK;
        p += n;
        left -= n;
    }
    if (!t->failed && dn_buffer_append(&out, "", 1, NULL) == DN_OK) {
        cell_store(t, (const char *)out.data);
    } else {
        t->failed = true;
    }
    dn_buffer_finish(&out);
}

void dn_table_add(struct dn_table *t, const char *text)
{
    dn_table_add_text(t, text, strlen(text));
}

void dn_table_addf(struct dn_table *t, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dn_table_add(t, text);
}

/* The shortest decimal form that reads back as the same double. */
static void add_real(struct dn_table *t, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    if (strpbrk(text, ".en") == NULL) {
        const size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, ".0"); /* 10.0 is no integer */
    }
    dn_table_add(t, text);
}

void dn_table_add_json(struct dn_table *t, const json_t *value)
{
    switch (value != NULL ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        if (json_string_length(value) == 0) {
            dn_table_add(t, "\"\"");
        } else {
            dn_table_add_text(t, json_string_value(value), json_string_length(value));
        }
        break;
    case JSON_INTEGER:
        dn_table_addf(t, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        add_real(t, json_real_value(value));
        break;
    case JSON_TRUE:
        dn_table_add(t, "true");
        break;
    case JSON_FALSE:
        dn_table_add(t, "false");
        break;
    case JSON_ARRAY: {
        char list[200] = "";
        size_t used = 0;
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *item = json_string_value(json_array_get(value, i));
            const size_t len = item != NULL ? strlen(item) : 0;
            if (len == 0 || used + len + 2 > sizeof list) {
                continue;
            }
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? " " : "",
                                     item);
        }
        dn_table_add(t, list);
        break;
    }
    case JSON_OBJECT:
        dn_table_add(t, "{...}");
        break;
    case JSON_NULL:
    default:
        dn_table_add(t, value != NULL ? "null" : "");
        break;
    }
}

/* Lists, structs and maps are shown as JSON, as far as it fits. */
static void add_nested(struct dn_table *t, const json_t *value)
{
    struct dn_buffer text = {0};

    if (dn_json_write(value, &text, NULL) == DN_OK) {
        dn_table_add_text(t, (const char *)text.data, text.len);
    } else {
        t->failed = true;
    }
    dn_buffer_finish(&text);
}

void dn_table_add_value(struct dn_table *t, const json_t *value)
{
    char quoted[2 * DN_TABLE_MAX_CELL + 2] = "\"";
    const char *text = json_string_value(value);
    const size_t len = json_string_length(value);
    size_t used = 1;

    const bool alike = text != NULL && len > 0 &&
                       (text[0] == '"' || text[0] == ' ' || text[len - 1] == ' ' ||
                        (len == 4 && memcmp(text, "null", 4) == 0));
    if (json_is_array(value) || json_is_object(value)) {
        add_nested(t, value);
        return;
    }
    if (!alike || len > DN_TABLE_MAX_CELL) { /* a cut one has its beginning, and no end, to show */
        dn_table_add_json(t, value);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\') {
            quoted[used++] = '\\';
        }
        quoted[used++] = text[i];
    }
    quoted[used++] = '"';
    dn_table_add_text(t, quoted, used);
}

static size_t column_width(const struct dn_table *t, size_t column)
{
    size_t width = 0;

    for (size_t i = column; i < t->n_cells; i += t->n_columns) {
        const size_t w = dn_table_width(t->cells[i]);
        width = w > width ? w : width;
    }
    return width;
}

static void pad(FILE *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)fputc(' ', out);
    }
}

/* The command prints on behind a table that it had no memory for; its end has to know. */
static bool table_lost;

bool dn_table_lost(void)
{
    return table_lost;
}

void dn_table_print(const struct dn_table *t, FILE *out, int indent)
{
    size_t *widths = t->failed ? NULL : dn_calloc(t->n_columns, sizeof widths[0]);

    if (widths == NULL) {
        table_lost = true;
        return;
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        widths[c] = column_width(t, c);
    }
    for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns) {
        size_t last = t->n_columns; /* no blanks at the end of a line */
        while (last > 0 && t->cells[i + last - 1][0] == '\0') {
            last--;
        }
        pad(out, (size_t)indent);
        for (size_t c = 0; c < last; c++) {
            const char *cell = t->cells[i + c];
            const size_t gap = widths[c] - dn_table_width(cell);
            const bool right = t->right != NULL && t->right[c];
            pad(out, right ? gap : 0);
            (void)fputs(cell, out);
            if (c + 1 < last) {
                pad(out, (right ? 0 : gap) + 2);
            }
        }
        (void)fputc('\n', out);
    }
    dn_free(widths);
}

void dn_table_finish(struct dn_table *t)
{
    dn_free(t->cells);
    dn_arena_finish(&t->arena);
    *t = (struct dn_table){0};
}
