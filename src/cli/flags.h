/** Command line flags as a table: --name VALUE, --name=VALUE, -x VALUE, -xyVALUE, and "--" before operands that begin with "-". */
#ifndef DN_CLI_FLAGS_H
#define DN_CLI_FLAGS_H

#include "base/error.h"

#include <stdint.h>

enum dn_flag_kind {
    DN_FLAG_BOOL, /**< out: bool *, set to true */
    DN_FLAG_TEXT, /**< out: const char ** */
    DN_FLAG_LIST, /**< out: struct dn_flag_list *, may be repeated */
    DN_FLAG_INT,  /**< out: int64_t *, at least 0 */
    DN_FLAG_SIZE /**< out: uint64_t *, bytes of memory: 64MiB, 256MB, not 1.5GiB; 0, or at least DN_FLAG_MEMORY_MIN */
};

struct dn_flag {
    const char *name; /**< without the dashes */
    char letter;      /**< 0: none */
    enum dn_flag_kind kind;
    void *out;
};

#define DN_FLAGS_MAX 96 /* of a table */

#define DN_FLAG_LIST_MAX 64
struct dn_flag_list {
    const char *values[DN_FLAG_LIST_MAX];
    size_t n;
};

/**
 * Take the flags out of argv.
 * @param operands  Receives what is left, at most argc pointers; "-" alone is an operand.
 * @return DN_OK; DN_ERR_INVALID with the closest known flag, or what is wrong with a value.
 */
DN_NODISCARD enum dn_status dn_flags_parse(const struct dn_flag *flags, size_t n_flags, int argc,
                                           char **argv, const char **operands, size_t *n_operands,
                                           struct dn_error *err);

/** The least --memory: below it row groups would shrink to a few rows, and 256 is more likely 256MB without its unit. */
#define DN_FLAG_MEMORY_MIN ((uint64_t)1 << 20)
/** "64", "64k", "64KB", "64KiB", "64MB", "1GiB": k, M, G alone and with iB are powers of 1024, with B powers of 1000. */
bool dn_flags_parse_size(const char *text, uint64_t *out);

#endif
