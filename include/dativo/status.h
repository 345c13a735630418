/**
 * Status codes and the error record of the dativo-native libraries.
 *
 * Every fallible function returns `enum dn_status` and takes a nullable, caller-owned `struct dn_error *` as its last
 * argument.  The record is written only on failure.  The libraries never print, exit or abort, and keep no "last error"
 * of their own.
 *
 * Threads: a `struct dn_error` belongs to one thread at a time.
 *
 * Fork: readers and writers work only in the process that opened them.  In a child of fork() their functions return DN_ERR_INVALID at
 * once, and closing or cancelling them does nothing.
 */
#ifndef DATIVO_STATUS_H
#define DATIVO_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** On every function of the libraries, so that a shared library built with hidden visibility exports them and nothing else. */
#ifndef DN_API
#    if defined(__GNUC__) || defined(__clang__)
#        define DN_API __attribute__((visibility("default")))
#    else
#        define DN_API
#    endif
#endif

/** The bytes of a struct up to and with one member: what a caller has whose header ended there. */
#define DN_SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#if defined(__GNUC__) || defined(__clang__)
#    define DN_NODISCARD __attribute__((warn_unused_result))
#    define DN_PRINTF(fmt_index, first_index) __attribute__((format(printf, fmt_index, first_index)))
#else
#    define DN_NODISCARD
#    define DN_PRINTF(fmt_index, first_index)
#endif

/** What went wrong, coarse enough to decide what to do next.  The numbers are part of the plugin ABI: append only. */
enum dn_status {
    DN_OK = 0,
    DN_ERR_INVALID = 1,     /**< a caller's argument or option is wrong: fix the call */
    DN_ERR_CONFIG = 2,      /**< a job, asset or configuration text is wrong: fix the text */
    DN_ERR_DATA = 3,        /**< the data is malformed (bad UTF-8, ragged row, open quote) */
    DN_ERR_TYPE = 4,        /**< a value does not fit its column's type; `column` and `suggested_type` are set */
    DN_ERR_NOT_FOUND = 5,   /**< a file, symbol or table is not there */
    DN_ERR_EXISTS = 6,      /**< the destination exists and overwriting was not asked for */
    DN_ERR_IO = 7,          /**< the operating system refused a read or write; `os_errno` is set */
    DN_ERR_MEMORY = 8,      /**< an allocation failed or a hard cap was reached */
    DN_ERR_UNSUPPORTED = 9, /**< legal, but this build cannot do it */
    DN_ERR_CANCELLED = 10,  /**< the host asked to stop */
    DN_ERR_TEMPORARY = 11,  /**< trying again later may work */
    DN_ERR_INTERNAL = 12    /**< a defect of ours */
};

/** sizeof(struct dn_error), for good. */
#define DN_ERROR_SIZE 2048

/**
 * One error, in the caller's memory.  Its size never changes: new members come out of `reserved`, so that caller and library may be
 * of different versions and nobody has to fill in a size before a call.  Positions that are unknown are -1; texts that are unknown are "".  Lines and rows count from 1; a row is a
 * data row (the header is not one), a line is a physical line of the file; `byte_offset` counts from 0.
 */
struct dn_error {
    int32_t code;     /**< enum dn_status */
    int32_t os_errno; /**< errno of the failed call, 0 if none */
    int64_t row;
    int64_t line;
    int64_t byte_offset;
    char path[512];
    char column[128];
    char expected[64];       /**< what was expected at this place, e.g. "int64" */
    char suggested_type[32]; /**< DN_ERR_TYPE: the narrowest type that also holds the value */
    char message[1024];      /**< one line: what, where, which value, what to do */
    char option[64];         /**< the option or key that is wrong, as the caller wrote it */
    char value[64];          /**< the text that is wrong, without its quotes, escaped and cut as messages show it */
    char reserved[128];      /**< zeros */
};

/** Short lower-case word for a status, e.g. "io".  Never NULL; unknown values give "unknown". */
DN_API const char *dn_status_name(enum dn_status status);

#ifdef __cplusplus
}
#endif
#endif
