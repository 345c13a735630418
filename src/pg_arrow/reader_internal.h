/** What the parts of a reader share: look.c opens, reader.c reads. */
#ifndef DN_PG_ARROW_READER_INTERNAL_H
#define DN_PG_ARROW_READER_INTERNAL_H

#include "base/arena.h"
#include "pg/cursor.h"
#include "pg/feed.h"
#include "pg_arrow/batch.h"
#include "pg_arrow/reader.h"

#include <stdatomic.h>

#define DN_PG_MOST_PLACES 16
#define DN_PG_MOST_NOTE_BYTES 640

struct dn_pg_place {
    struct dn_pg_reader *reader;
    struct dn_pg_block block;
    struct dn_pg_batch_place where;
    size_t piece;
    int64_t n_rows;
    int64_t n_bytes;
    struct ArrowArray batch;
    uint64_t *n_made;
    enum dn_status st;
    struct dn_error err;
    bool done;
};

struct dn_pg_note {
    const char *event;
    const char *message;
    struct dn_pg_note *next;
};

/* What is asked of a column. */
struct dn_pg_reader_column {
    bool has_type;
    struct dn_type type;
};

struct dn_pg_reader {
    struct dn_pg_read_options options;
    struct dn_arena arena;
    struct dn_pg_session_options session_options;
    struct dn_pg_session *session;
    struct dn_pg_relation relation;
    const char *name;
    struct dn_pg_field *fields; /* as they are asked for */
    struct dn_pg_reader_column *columns;
    size_t n;
    struct dn_pg_target *targets;
    struct dn_pg_plan plan;
    struct dn_pg_snapshot snapshot;    /* name "": it was not asked for */
    const struct dn_pg_digits *digits; /* per column; NULL: no type depends on them */
    struct dn_pg_cursor cursor;
    struct dn_pg_note *notes;
    struct dn_pg_note **last_note;
    struct dn_pg_feed *feed;
    struct dn_pool *pool; /* if there was no executor */
    struct dn_executor executor;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a place is done */
    struct dn_pg_place places[DN_PG_MOST_PLACES];
    uint32_t n_places;
    size_t idle_bytes; /* granted to freed blocks */
    uint64_t first;    /* places in use are [first, last), modulo n_places */
    uint64_t last;
    bool fed; /* the feed has no more, or failed */
    enum dn_status feed_st;
    struct dn_error feed_err;
    struct dn_error err; /* the first failure; final */
    int64_t n_rows;      /* that were taken from the feed */
    bool has_told_refused;
    uint64_t *n_made;

    size_t piece;         /* of the last batch */
    int64_t pages_before; /* of the pieces in front of it */
    int64_t rows_of_piece;
    _Atomic int64_t bytes_done;
    int64_t bytes_total;
};

/** Connect, look up, plan: all but reading. */
DN_NODISCARD enum dn_status dn_pg_reader_look(struct dn_pg_reader *r, struct dn_error *err);
/** What looking found that somebody should hear of. */
void dn_pg_reader_tell_notes(const struct dn_pg_reader *r);

#endif
