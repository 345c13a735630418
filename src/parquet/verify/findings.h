/** What a check has to say: rule, place and words, one after the other.  Threads: one owner; several are put together at the end. */
#ifndef DN_PARQUET_VERIFY_FINDINGS_H
#define DN_PARQUET_VERIFY_FINDINGS_H

#include "base/arena.h"
#include "base/buffer.h"

/** Kept of one column chunk; the rest is counted. */
#define DN_PV_MOST_FINDINGS 200

enum dn_pv_severity {
    DN_PV_NOTE, /**< allowed, but worth a word */
    DN_PV_ERROR
};

/** -1: not a matter of one. */
struct dn_pv_place {
    int64_t group;
    int64_t column;
    int64_t page; /**< counted in the chunk, the dictionary page included */
    int64_t byte;
};
#define DN_PV_NOWHERE ((struct dn_pv_place){-1, -1, -1, -1})

struct dn_pv_finding {
    struct dn_pv_place place;
    enum dn_pv_severity severity;
    const char *rule; /**< static; docs/verify.md lists them */
    const char *message;
};

/** Zeroed memory is an empty one. */
struct dn_pv_findings {
    struct dn_arena arena; /**< of the messages */
    struct dn_buffer list; /**< struct dn_pv_finding */
    uint64_t n_errors;     /**< all, also those not kept */
    uint64_t n_notes;
    bool lost; /**< there was no memory for one */
};
void dn_pv_findings_finish(struct dn_pv_findings *f);
void dn_pv_error(struct dn_pv_findings *f, const struct dn_pv_place *at, const char *rule,
                 const char *format, ...) DN_PRINTF(4, 5);
void dn_pv_note(struct dn_pv_findings *f, const struct dn_pv_place *at, const char *rule,
                const char *format, ...) DN_PRINTF(4, 5);

#endif
