/**
 * For static analysers only (tools/lint.sh): they look at one file at a time and cannot know that these functions return the
 * status they are given, never DN_OK, and that a buffer that has room has memory.
 */
#ifndef DN_LINT_MODEL_H
#define DN_LINT_MODEL_H

#include "base/buffer.h"
#include "base/error.h"

static inline enum dn_status dn_lint_first(enum dn_status code, enum dn_status same)
{
    (void)same;
    return code;
}

#define dn_error_set(err, code, ...) dn_lint_first((code), dn_error_set(err, code, __VA_ARGS__))
#define dn_error_set_errno(err, code, ...)                                                         \
    dn_lint_first((code), dn_error_set_errno(err, code, __VA_ARGS__))
#define dn_error_memory(err, n) dn_lint_first(DN_ERR_MEMORY, dn_error_memory(err, n))

static inline enum dn_status dn_lint_reserve(struct dn_buffer *b, size_t extra,
                                             struct dn_error *err)
{
    const enum dn_status st = dn_buffer_grow(b, extra, err);

    if (st == DN_OK && b->data == NULL) {
        __builtin_unreachable();
    }
    return st;
}

#define dn_buffer_reserve(b, extra, err) dn_lint_reserve(b, extra, err)

#endif
