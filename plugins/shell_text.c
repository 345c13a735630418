/* Texts that cross the ABI.  Each one remembers its buffer in the 64 bytes before its first character, so that free_string()
 * needs no size and large blocks go back to base's recycler. */
#include "shell.h"

#include "base/memory.h"
#include "base/strings.h"

#include <string.h>

#define TEXT_MAGIC UINT64_C(0x31747865546e4456)
#define TEXT_DEAD UINT64_C(0x6461656454786574)

struct text_header {
    uint64_t magic;
    struct dn_buffer buffer;
};

enum {
    HEADER_SIZE = 64
};
_Static_assert(sizeof(struct text_header) <= HEADER_SIZE, "the header fits before the text");

/* What is said when there is no memory left to say anything else. */
static const char memory_error_text[] = DATIVO_ERROR_PREFIX
    "{\"code\":\"memory\",\"message\":\"memory ran out\",\"path\":null,\"row\":null,\"line\":null,"
    "\"column\":null,\"byte_offset\":null,\"retryable\":false}";
static const char memory_error_json[] =
    "{\"code\":\"memory\",\"message\":\"memory ran "
    "out\",\"path\":null,\"row\":null,\"line\":null,\"column\":null,"
    "\"byte_offset\":null,\"retryable\":false}";
static const char memory_check_text[] =
    "{\"success\":false,\"message\":\"memory ran out\",\"details\":{\"code\":\"memory\"}}";

enum dn_status dn_shell_text_begin(struct dn_buffer *b, size_t expected, struct dn_error *err)
{
    size_t wanted = 0;
    if (!dn_add_size(expected, HEADER_SIZE + 1, &wanted)) {
        return dn_error_memory(err, SIZE_MAX);
    }
    DN_TRY(dn_buffer_reserve(b, wanted, err));
    memset(b->data, 0, HEADER_SIZE);
    b->len = HEADER_SIZE;
    return DN_OK;
}

char *dn_shell_text_end(struct dn_buffer *b)
{
    if (dn_buffer_append_byte(b, 0, NULL) != DN_OK) {
        return NULL;
    }
    struct text_header header = {TEXT_MAGIC, *b};
    char *text = (char *)b->data + HEADER_SIZE;
    memcpy(b->data, &header, sizeof(header));
    *b = (struct dn_buffer){0};
    return text;
}

size_t dn_shell_text_len(const struct dn_buffer *b)
{
    return b->len - HEADER_SIZE;
}

char *dn_shell_text_copy(const char *text)
{
    struct dn_buffer b = {0};
    char *copy = NULL;
    if (dn_shell_text_begin(&b, strlen(text), NULL) == DN_OK &&
        dn_text_append(&b, text, NULL) == DN_OK) {
        copy = dn_shell_text_end(&b);
    }
    dn_buffer_finish(&b);
    return copy;
}

void dn_shell_text_free(const char *text)
{
    if (text == NULL || text == memory_error_text || text == memory_error_json ||
        text == memory_check_text) {
        return;
    }
    struct text_header header;
    uint8_t *start = (uint8_t *)(uintptr_t)text - HEADER_SIZE;
    memcpy(&header, start, sizeof(header));
    if (header.magic != TEXT_MAGIC || header.buffer.data != start) {
        return; /* given back twice, or not ours: a leak is the lesser harm */
    }
    memcpy(start, &(uint64_t){TEXT_DEAD}, sizeof(uint64_t));
    dn_buffer_finish(&header.buffer);
}

static enum dn_status append_member_text(struct dn_buffer *b, const char *key, const char *text,
                                         struct dn_error *err)
{
    DN_TRY(dn_text_appendf(b, err, ",\"%s\":", key));
    if (text[0] == '\0') {
        return dn_text_append(b, "null", err);
    }
    return dn_text_append_json_string(b, text, strlen(text), err);
}

static enum dn_status append_member_int(struct dn_buffer *b, const char *key, int64_t value,
                                        struct dn_error *err)
{
    if (value < 0) {
        return dn_text_appendf(b, err, ",\"%s\":null", key);
    }
    return dn_text_appendf(b, err, ",\"%s\":%lld", key, (long long)value);
}

enum dn_status dn_shell_error_append(struct dn_buffer *b, const struct dn_error *error,
                                     struct dn_error *err)
{
    DN_TRY(dn_text_appendf(
        b, err, "{\"code\":\"%s\",\"message\":", dn_status_name((enum dn_status)error->code)));
    DN_TRY(dn_text_append_json_string(b, error->message, strlen(error->message), err));
    DN_TRY(append_member_text(b, "path", error->path, err));
    DN_TRY(append_member_int(b, "row", error->row, err));
    DN_TRY(append_member_int(b, "line", error->line, err));
    DN_TRY(append_member_text(b, "column", error->column, err));
    DN_TRY(append_member_int(b, "byte_offset", error->byte_offset, err));
    if (error->expected[0] != '\0') {
        DN_TRY(append_member_text(b, "expected", error->expected, err));
    }
    if (error->suggested_type[0] != '\0') {
        DN_TRY(append_member_text(b, "suggested_type", error->suggested_type, err));
    }
    if (error->option[0] != '\0') {
        DN_TRY(append_member_text(b, "option", error->option, err));
    }
    return dn_text_appendf(b, err, ",\"retryable\":%s}",
                           error->code == DN_ERR_TEMPORARY ? "true" : "false");
}

static const char *error_text(const char *prefix, const struct dn_error *error,
                              const char *fallback)
{
    struct dn_buffer b = {0};
    const char *text = NULL;
    if (dn_shell_text_begin(&b, 512, NULL) == DN_OK && dn_text_append(&b, prefix, NULL) == DN_OK &&
        dn_shell_error_append(&b, error, NULL) == DN_OK) {
        text = dn_shell_text_end(&b);
    }
    dn_buffer_finish(&b);
    return text != NULL ? text : fallback;
}

const char *dn_shell_error_text(const struct dn_error *error)
{
    return error_text(DATIVO_ERROR_PREFIX, error, memory_error_text);
}

const char *dn_shell_last_error(const struct dn_shell_handle *h)
{
    return h->error.code == DN_OK ? NULL : error_text("", &h->error, memory_error_json);
}

const char *dn_shell_check_text(bool success, const char *message, const char *details)
{
    struct dn_buffer b = {0};
    const char *text = NULL;
    if (dn_shell_text_begin(&b, 256, NULL) == DN_OK &&
        dn_text_appendf(&b, NULL, "{\"success\":%s,\"message\":", success ? "true" : "false") ==
            DN_OK &&
        dn_text_append_json_string(&b, message, strlen(message), NULL) == DN_OK &&
        dn_text_append(&b, ",\"details\":{", NULL) == DN_OK &&
        dn_text_append(&b, details != NULL ? details : "", NULL) == DN_OK &&
        dn_text_append(&b, "}}", NULL) == DN_OK) {
        text = dn_shell_text_end(&b);
    }
    dn_buffer_finish(&b);
    return text != NULL ? text : memory_check_text;
}

static enum dn_status append_info(struct dn_buffer *b, const char *plugin, const char *role,
                                  const char *description, const struct dn_shell_option *table,
                                  size_t n_table)
{
    DN_TRY(dn_text_appendf(
        b, NULL,
        "{\"name\":\"%s\",\"version\":\"%s\",\"abi\":\"%u.%u\",\"levels\":[0,0.5,1],"
        "\"roles\":[\"%s\"],\"description\":",
        plugin, DN_VERSION, (unsigned)(DATIVO_ABI_VERSION >> 16),
        (unsigned)(DATIVO_ABI_VERSION & 0xffffu), role));
    DN_TRY(dn_text_append_json_string(b, description, strlen(description), NULL));
    DN_TRY(dn_text_append(b, ",\"options\":[", NULL));
    for (size_t i = 0; i < n_table; i++) {
        const struct dn_shell_option *o = &table[i];
        DN_TRY(dn_text_appendf(b, NULL, "%s{\"name\":\"%s\",\"type\":\"%s\",\"help\":",
                               i > 0 ? "," : "", o->name, o->type));
        DN_TRY(dn_text_append_json_string(b, o->help, strlen(o->help), NULL));
        if (o->alias != NULL) {
            DN_TRY(dn_text_appendf(b, NULL, ",\"alias\":\"%s\"", o->alias));
        }
        DN_TRY(dn_text_append(b, "}", NULL));
    }
    return dn_text_append(b, "]}", NULL);
}

const char *dn_shell_info_text(const char *plugin, const char *role, const char *description,
                               const struct dn_shell_option *table, size_t n_table)
{
    struct dn_buffer b = {0};
    const char *text = NULL;
    if (dn_shell_text_begin(&b, 1024, NULL) == DN_OK &&
        append_info(&b, plugin, role, description, table, n_table) == DN_OK) {
        text = dn_shell_text_end(&b);
    }
    dn_buffer_finish(&b);
    return text != NULL ? text : memory_error_text;
}
