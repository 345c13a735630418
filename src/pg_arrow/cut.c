/* Pieces for readers of other processes. */
#include "pg_arrow/reader_internal.h"

#include <stdio.h>

#define DEFAULT_PIECE_BYTES ((uint64_t)128 << 20)

static void tell_reason(const struct dn_pg_reader *r, const char *reason)
{
    char message[DN_PG_MOST_NOTE_BYTES];

    if (reason != NULL && r->options.note != NULL) {
        (void)snprintf(message, sizeof(message), "%s is one piece: %s", r->name, reason);
        r->options.note(r->options.note_ctx, "one_piece", message);
    }
}

static enum dn_status cut(struct dn_pg_reader *r, uint64_t piece_bytes, struct dn_pg_range **ranges,
                          size_t *n, struct dn_error *err)
{
    const uint64_t pages =
        (piece_bytes != 0 ? piece_bytes : DEFAULT_PIECE_BYTES) / DN_PG_PAGE_BYTES;
    const char *reason = NULL;

    if (r->options.table != NULL) {
        const int64_t piece_pages = pages > INT32_MAX ? INT32_MAX : pages == 0 ? 1 : (int64_t)pages;
        DN_TRY(dn_pg_plan_cut(ranges, n, &reason, &r->relation, piece_pages, &r->arena, err));
    } else {
        *ranges = dn_arena_alloc(&r->arena, sizeof(**ranges));
        if (*ranges == NULL) {
            return dn_error_memory(err, sizeof(**ranges));
        }
        **ranges = (struct dn_pg_range){.from = -1, .to = -1};
        *n = 1;
        reason = r->plan.reason;
    }
    tell_reason(r, reason);
    return DN_OK;
}

enum dn_status dn_pg_reader_cut(struct dn_pg_reader *r, uint64_t piece_bytes, bool one_moment,
                                struct dn_pg_cuts *out, struct dn_error *err)
{
    struct dn_pg_range *ranges = NULL;

    *out = (struct dn_pg_cuts){0};
    if (r->options.cursor_field != NULL) {
        return dn_error_option(err,
                               dn_error_set(err, DN_ERR_UNSUPPORTED,
                                            "pieces have no cursor: what is new is read by one "
                                            "reader; leave cursor_field out"),
                               "cursor_field");
    }
    if (one_moment && r->snapshot.name[0] == '\0') {
        DN_TRY(dn_pg_session_export(r->session, &r->snapshot, err));
    }
    DN_TRY(cut(r, piece_bytes, &ranges, &out->n, err));
    out->ranges = ranges;
    out->shared = (struct dn_pg_cut){.digits = r->digits, .n_digits = r->digits != NULL ? r->n : 0};
    if (one_moment) {
        out->shared.snapshot = r->snapshot;
    }
    return DN_OK;
}

enum dn_status dn_pg_reader_hold(struct dn_pg_reader *r, struct dn_error *err)
{
    return r->feed == NULL ? dn_pg_session_ping(r->session, err) : DN_OK;
}
