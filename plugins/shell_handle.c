/* Handles that remember their first error, and the structs of Level 1 whose size the other side decides. */
#include "shell.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

_Static_assert(DATIVO_OK == (int)DN_OK, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_INVALID == (int)DN_ERR_INVALID, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_CONFIG == (int)DN_ERR_CONFIG, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_DATA == (int)DN_ERR_DATA, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_TYPE == (int)DN_ERR_TYPE, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_NOT_FOUND == (int)DN_ERR_NOT_FOUND, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_EXISTS == (int)DN_ERR_EXISTS, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_IO == (int)DN_ERR_IO, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_MEMORY == (int)DN_ERR_MEMORY, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_UNSUPPORTED == (int)DN_ERR_UNSUPPORTED, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_CANCELLED == (int)DN_ERR_CANCELLED, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_TEMPORARY == (int)DN_ERR_TEMPORARY, "the numbers are the ABI's");
_Static_assert(DATIVO_ERR_INTERNAL == (int)DN_ERR_INTERNAL, "the numbers are the ABI's");

/* Copy member m of type `struct s` if the first `size` bytes of the struct hold all of it. */
#define COPY_IF_COVERED(s, dst, src, m, size)                                                      \
    do {                                                                                           \
        if ((size) >= offsetof(struct s, m) + sizeof((src)->m)) {                                  \
            memcpy(&(dst)->m, &(src)->m, sizeof((src)->m));                                        \
        }                                                                                          \
    } while (0)

void dn_shell_handle_init(struct dn_shell_handle *h, const char *plugin)
{
    h->plugin = plugin;
    dn_owner_init(&h->owner);
    dn_error_clear(&h->error);
}

enum dn_status dn_shell_handle_check(const struct dn_shell_handle *h, struct dn_error *err)
{
    if (h->error.code != DN_OK) {
        *err = h->error;
        return (enum dn_status)h->error.code;
    }
    return dn_owner_check(&h->owner, h->plugin, err);
}

static void log_error(const char *plugin, const struct dn_error *error)
{
    char extra[160];
    char message[sizeof(error->message) + 64];
    (void)snprintf(extra, sizeof(extra), "\"module\": \"%s\", \"code\": \"%s\"", plugin,
                   dn_status_name((enum dn_status)error->code));
    (void)snprintf(message, sizeof(message), "%s: %s", plugin, error->message);
    dn_log_json("ERROR", "plugin_error", message, extra);
}

void dn_shell_handle_fail(struct dn_shell_handle *h, const struct dn_error *error)
{
    if (h->error.code != DN_OK) {
        return;
    }
    h->error = *error;
    if (h->error.code ==
        DN_OK) { /* a failing function that did not say why is a defect, yet must stay loud */
        (void)dn_error_set(&h->error, DN_ERR_INTERNAL,
                           "the operation failed without an explanation");
    }
    log_error(h->plugin, &h->error);
}

const char *dn_shell_handle_text(const struct dn_shell_handle *h)
{
    return dn_shell_error_text(&h->error);
}

const char *dn_shell_null_handle(const char *plugin, const char *function, const char *maker)
{
    struct dn_error error;
    (void)dn_error_set(
        &error, DN_ERR_INVALID,
        "%s was called with a NULL handle: %s was not called, or memory ran out in it", function,
        maker);
    log_error(plugin, &error);
    return dn_shell_error_text(&error);
}

int32_t dn_shell_error_export(enum dn_status st, const struct dn_error *error,
                              struct dativo_error *out)
{
    if (st == DN_OK || out == NULL) {
        return (int32_t)st;
    }
    struct dativo_error full = {
        .code = (int32_t)st,
        .os_errno = error->os_errno,
        .retryable = st == DN_ERR_TEMPORARY,
        .row = error->row,
        .line = error->line,
        .byte_offset = error->byte_offset,
    };
    dn_error_copy_text(full.path, sizeof(full.path), error->path);
    dn_error_copy_text(full.column, sizeof(full.column), error->column);
    dn_error_copy_text(full.expected, sizeof(full.expected), error->expected);
    dn_error_copy_text(full.suggested_type, sizeof(full.suggested_type), error->suggested_type);
    dn_error_copy_text(full.message, sizeof(full.message), error->message);
    dn_error_copy_text(full.option, sizeof(full.option), error->option);
    dn_error_copy_text(full.value, sizeof(full.value), error->value);

    const size_t size = out->struct_size;
    COPY_IF_COVERED(dativo_error, out, &full, code, size);
    COPY_IF_COVERED(dativo_error, out, &full, os_errno, size);
    COPY_IF_COVERED(dativo_error, out, &full, retryable, size);
    COPY_IF_COVERED(dativo_error, out, &full, row, size);
    COPY_IF_COVERED(dativo_error, out, &full, line, size);
    COPY_IF_COVERED(dativo_error, out, &full, byte_offset, size);
    COPY_IF_COVERED(dativo_error, out, &full, path, size);
    COPY_IF_COVERED(dativo_error, out, &full, column, size);
    COPY_IF_COVERED(dativo_error, out, &full, expected, size);
    COPY_IF_COVERED(dativo_error, out, &full, suggested_type, size);
    COPY_IF_COVERED(dativo_error, out, &full, message, size);
    COPY_IF_COVERED(dativo_error, out, &full, option, size);
    COPY_IF_COVERED(dativo_error, out, &full, value, size);
    return (int32_t)st;
}

void dn_shell_host_read(struct dativo_host *dst, const struct dativo_host *src)
{
    *dst = (struct dativo_host){.struct_size = sizeof(*dst)};
    if (src == NULL) {
        return;
    }
    const size_t size = src->struct_size;
    COPY_IF_COVERED(dativo_host, dst, src, n_threads, size);
    COPY_IF_COVERED(dativo_host, dst, src, ctx, size);
    COPY_IF_COVERED(dativo_host, dst, src, log, size);
    COPY_IF_COVERED(dativo_host, dst, src, cancelled, size);
    COPY_IF_COVERED(dativo_host, dst, src, progress, size);
    COPY_IF_COVERED(dativo_host, dst, src, submit, size);
    COPY_IF_COVERED(dativo_host, dst, src, memory_budget_bytes, size);
    COPY_IF_COVERED(dativo_host, dst, src, memory_total_bytes, size);
}

void dn_shell_progress_export(int64_t bytes_done, int64_t bytes_total, int64_t rows_done,
                              struct dativo_progress *out)
{
    const struct dativo_progress full = {
        .bytes_done = bytes_done, .bytes_total = bytes_total, .rows_done = rows_done};
    const size_t size = out->struct_size;
    COPY_IF_COVERED(dativo_progress, out, &full, reserved, size);
    COPY_IF_COVERED(dativo_progress, out, &full, bytes_done, size);
    COPY_IF_COVERED(dativo_progress, out, &full, bytes_total, size);
    COPY_IF_COVERED(dativo_progress, out, &full, rows_done, size);
}

bool dn_shell_abi_matches(const char *plugin, uint32_t host_abi, struct dativo_error *err)
{
    if (host_abi >> 16 == DATIVO_ABI_VERSION >> 16) {
        return true;
    }
    struct dn_error error;
    enum dn_status st = dn_error_set(&error, DN_ERR_UNSUPPORTED,
                                     "%s %s speaks version %u of the plugin ABI and the host "
                                     "version %u: use a plugin and a host of the same release",
                                     plugin, DN_VERSION, (unsigned)(DATIVO_ABI_VERSION >> 16),
                                     (unsigned)(host_abi >> 16));
    (void)dn_shell_error_export(st, &error, err);
    return false;
}
