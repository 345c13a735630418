#include "base/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct dn_error) == DN_ERROR_SIZE,
               "callers of other versions have this size");

const char *dn_status_name(enum dn_status status)
{
    switch (status) {
    case DN_OK:
        return "ok";
    case DN_ERR_INVALID:
        return "invalid";
    case DN_ERR_CONFIG:
        return "config";
    case DN_ERR_DATA:
        return "data";
    case DN_ERR_TYPE:
        return "type";
    case DN_ERR_NOT_FOUND:
        return "not_found";
    case DN_ERR_EXISTS:
        return "exists";
    case DN_ERR_IO:
        return "io";
    case DN_ERR_MEMORY:
        return "memory";
    case DN_ERR_UNSUPPORTED:
        return "unsupported";
    case DN_ERR_CANCELLED:
        return "cancelled";
    case DN_ERR_TEMPORARY:
        return "temporary";
    case DN_ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}

void dn_error_clear(struct dn_error *err)
{
    if (err == NULL) {
        return;
    }
    memset(err, 0, sizeof(*err));
    err->code = DN_OK;
    err->row = -1;
    err->line = -1;
    err->byte_offset = -1;
}

void dn_error_copy_text(char *dst, size_t dst_size, const char *src)
{
    if (dst_size == 0) {
        return;
    }
    size_t len = src == NULL ? 0 : dn_utf8_cut(src, strlen(src), dst_size - 1);
    if (len > 0) {
        memmove(dst, src, len);
    }
    dst[len] = '\0';
}

/* A message is one line of valid UTF-8, whatever was put into it. */
static void make_one_line(char *text)
{
    size_t len = strlen(text);
    size_t out = 0;

    for (size_t i = 0; i < len;) {
        bool valid = false;
        size_t n = dn_utf8_next((const uint8_t *)text + i, len - i, &valid);

        if (!valid) {
            text[out++] = '?';
        } else if ((uint8_t)text[i] < 0x20 || text[i] == 0x7F) {
            text[out++] = ' ';
        } else {
            memmove(text + out, text + i, n);
            out += n;
        }
        i += n;
    }
    text[out] = '\0';
}

/*
 * The arguments may point into *err itself, so the text is complete before anything of *err changes.  The working text is
 * longer than the message: where formatting cut it, the cut at a character boundary comes earlier.
 */
DN_PRINTF(5, 0)
static void set_message(struct dn_error *err, enum dn_status code, int os_errno, const char *suffix,
                        const char *format, va_list args)
{
    char text[2 * sizeof(err->message)];
    size_t suffix_len = strlen(suffix);

    if (vsnprintf(text, sizeof(text), format, args) < 0) {
        dn_error_copy_text(text, sizeof(text), format);
    }
    dn_error_clear(err);
    err->code = (int32_t)code;
    err->os_errno = os_errno;
    text[dn_utf8_cut(text, strlen(text), sizeof(err->message) - 1 - suffix_len)] = '\0';
    make_one_line(text);
    size_t len = strlen(text);
    memcpy(err->message, text, len);
    memcpy(err->message + len, suffix, suffix_len + 1);
}

enum dn_status dn_error_set(struct dn_error *err, enum dn_status code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        set_message(err, code, 0, "", format, args);
        va_end(args);
    }
    return code;
}

enum dn_status dn_error_set_errno(struct dn_error *err, enum dn_status code, int os_errno,
                                  const char *format, ...)
{
    if (err != NULL) {
        char reason[160];
        char suffix[200];
        va_list args;

#if defined(__GLIBC__)
        (void)snprintf(suffix, sizeof(suffix), ": %s",
                       strerror_r(os_errno, reason, sizeof(reason)));
#else
        if (strerror_r(os_errno, reason, sizeof(reason)) != 0) {
            (void)snprintf(reason, sizeof(reason), "error %d", os_errno);
        }
        (void)snprintf(suffix, sizeof(suffix), ": %s", reason);
#endif
        va_start(args, format);
        set_message(err, code, os_errno, suffix, format, args);
        va_end(args);
    }
    return code;
}

enum dn_status dn_error_prefix(struct dn_error *err, enum dn_status st, const char *format, ...)
{
    char text[sizeof(err->message)];
    va_list args;

    if (err == NULL || st == DN_OK) {
        return st;
    }
    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const size_t len = n < 0 ? 0 : dn_utf8_cut(text, strlen(text), sizeof(text) / 2);
    text[len] = '\0';
    dn_error_copy_text(text + len, sizeof(text) - len, err->message);
    make_one_line(text);
    memcpy(err->message, text, strlen(text) + 1);
    return st;
}

enum dn_status dn_error_memory(struct dn_error *err, size_t wanted_bytes)
{
    return dn_error_set(
        err, DN_ERR_MEMORY,
        "out of memory: %zu more bytes were not to be had; lower the memory budget, the "
        "batch size or the number of threads, or free memory on this machine",
        wanted_bytes);
}

static void replace_invalid(char *text)
{
    const size_t len = strlen(text);
    size_t out = 0;

    for (size_t i = 0; i < len;) {
        bool valid = false;
        const size_t n = dn_utf8_next((const uint8_t *)text + i, len - i, &valid);
        if (valid) {
            memmove(text + out, text + i, n);
            out += n;
        } else {
            text[out++] = '?';
        }
        i += n;
    }
    text[out] = '\0';
}

void dn_error_locate(struct dn_error *err, const char *path, int64_t row, int64_t line,
                     int64_t byte_offset, const char *column)
{
    if (err == NULL) {
        return;
    }
    if (err->path[0] == '\0' && path != NULL) {
        dn_error_copy_text(err->path, sizeof(err->path), path);
        replace_invalid(err->path); /* it goes into JSON, and stands like this in the message */
    }
    if (err->row == -1) {
        err->row = row;
    }
    if (err->line == -1) {
        err->line = line;
    }
    if (err->byte_offset == -1) {
        err->byte_offset = byte_offset;
    }
    if (err->column[0] == '\0' && column != NULL) {
        dn_error_copy_text(err->column, sizeof(err->column), column);
    }
}

enum dn_status dn_error_option(struct dn_error *err, enum dn_status st, const char *option)
{
    if (err != NULL) {
        dn_error_copy_text(err->option, sizeof(err->option), option);
    }
    return st;
}

#define ESCAPED_VALUE_BYTES 64

const char *dn_error_escape_value(char *out, const void *value, size_t value_len)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = value;
    size_t shown = value_len == 0 ? 0 : dn_utf8_cut(value, value_len, ESCAPED_VALUE_BYTES);
    size_t n_out = 0;

    out[n_out++] = '\'';
    for (size_t i = 0; i < shown;) {
        bool valid = false;
        size_t n = dn_utf8_next(bytes + i, shown - i, &valid);

        if (valid && bytes[i] >= 0x20 && bytes[i] != 0x7F) {
            memcpy(out + n_out, bytes + i, n);
            n_out += n;
        } else {
            for (size_t k = i; k < i + n; k++) {
                out[n_out++] = '\\';
                out[n_out++] = 'x';
                out[n_out++] = hex[bytes[k] >> 4];
                out[n_out++] = hex[bytes[k] & 15];
            }
        }
        i += n;
    }
    out[n_out++] = '\'';
    if (shown < value_len) {
        memcpy(out + n_out, "...", 3); /* outside of the quotes: not part of the value */
        n_out += 3;
    }
    out[n_out] = '\0';
    return out;
}

void dn_error_note_value(struct dn_error *err, const void *value, size_t value_len)
{
    char shown[DN_ESCAPED_VALUE_SIZE];

    if (err == NULL) {
        return;
    }
    dn_error_escape_value(shown, value, value_len);
    char *end = strrchr(shown, '\'');
    if (end != NULL && end > shown) {
        *end = '\0';
        dn_error_copy_text(err->value, sizeof(err->value), shown + 1);
    }
}
