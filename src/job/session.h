/**
 * A transfer under way: what lives as long as it (session), and as long as one pass over the source (attempt).
 * Threads: the one that runs the transfer.
 */
#ifndef DN_JOB_SESSION_H
#define DN_JOB_SESSION_H

#include "base/buffer.h"
#include "job/plugin.h"
#include "job/services.h"
#include "job/sources.h"
#include "job/transfer.h"

/** What lives as long as the transfer. */
struct dn_session {
    const struct dn_transfer *t;
    struct dn_outcome *outcome;
    struct dn_services services;
    struct dn_sources sources; /* as they were before the first pass over them */
    struct dn_plugin reader_plugin;
    struct dn_plugin writer_plugin;
    const struct dativo_reader_v1 *rv;
    const struct dativo_writer_v1 *wv; /* NULL: rows are dropped */
    const char
        *reader_level0; /* the create function of a reader without Level 1; NULL: it has that */
    const char *writer_level0;
    json_t *reader_config; /* ours, with what the asset and the widening add */
    json_t *writer_config;
    double started;
    double progress_at;
    bool types_found; /* the reader looked at every value already */
};

/** What lives as long as one pass over the source. */
struct dn_attempt {
    void *reader;
    void *writer;
    struct ArrowSchema schema;
    struct ArrowArrayStream stream;
    int64_t *nulls; /* per column */
    int64_t rows;
    int64_t bytes_out;
};

/** The call's error as ours; `what` for plugins that say nothing. */
#define DN_PLUGIN_CALL(expr, plugin_error, err, what)                                              \
    do {                                                                                           \
        dn_plugin_error_init(plugin_error);                                                        \
        const int32_t call_code_ = (expr);                                                         \
        if (call_code_ != DATIVO_OK) {                                                             \
            return dn_plugin_error_take((err), (plugin_error), call_code_, (what));                \
        }                                                                                          \
    } while (0)

/** Load the plugins and find their tables; wv stays NULL for a transfer that drops its rows. */
DN_NODISCARD enum dn_status dn_session_open_reader_plugin(struct dn_session *s,
                                                          struct dn_error *err);
DN_NODISCARD enum dn_status dn_session_open_writer_plugin(struct dn_session *s,
                                                          struct dn_error *err);
/** Copies of the configurations with what path and asset add.  With an asset the source is looked at. */
DN_NODISCARD enum dn_status dn_session_prepare_configs(struct dn_session *s, struct dn_error *err);
/** The configuration as the reader gets it, as text. */
DN_NODISCARD enum dn_status dn_session_reader_text(const struct dn_session *s, const json_t *config,
                                                   struct dn_buffer *out, struct dn_error *err);
DN_NODISCARD enum dn_status dn_session_writer_text(const struct dn_session *s,
                                                   struct dn_buffer *out, struct dn_error *err);
/** Accepts a session that nothing was opened in. */
void dn_session_finish(struct dn_session *s);
/** Bad configuration, as far as the code tells: the caller may know in which file it stands. */
void dn_session_note_refusal(const struct dn_session *s, const char *side, enum dn_status st);
/** A reader with `config`, of the transfer's piece if it has one, and its schema. */
DN_NODISCARD enum dn_status dn_session_open_reader(const struct dn_session *s, const json_t *config,
                                                   void **out, struct dn_error *err);
DN_NODISCARD enum dn_status dn_session_reader_schema(const struct dn_session *s, void *reader,
                                                     struct ArrowSchema *out, struct dn_error *err);
/** The columns the file has, whatever the asset says: see dn_session_schema_json(). */
DN_NODISCARD enum dn_status dn_session_probe(const struct dn_session *s, const json_t *config,
                                             json_t **out, struct dn_error *err);
/** [{"name","unique_name"?,"type","nullable","nulls"?}]; NULL if memory ran out. */
json_t *dn_session_schema_json(const struct ArrowSchema *schema, const int64_t *nulls);
/** The first source whose bytes are gone once they are read: standard input, a pipe; NULL if there is none. */
const char *dn_session_one_pass_source(const struct dn_transfer *t);
/** DN_ERR_CANCELLED in the host's words. */
DN_NODISCARD enum dn_status dn_session_stopped(struct dn_error *err);
/** Open reader and writer.  Whatever it returns, dn_attempt_close() follows. */
DN_NODISCARD enum dn_status dn_attempt_open(struct dn_session *s, struct dn_attempt *a,
                                            struct dn_error *err);
/** Every batch from the reader to the writer. */
DN_NODISCARD enum dn_status dn_attempt_move_rows(struct dn_session *s, struct dn_attempt *a,
                                                 struct dn_error *err);
/** Check that no row is missing, finish the file and give it its name. */
DN_NODISCARD enum dn_status dn_attempt_commit(struct dn_session *s, struct dn_attempt *a,
                                              struct dn_error *err);
/** Close everything but the schema; the file is thrown away unless it was committed. */
void dn_attempt_release(const struct dn_session *s, struct dn_attempt *a);
void dn_attempt_close(const struct dn_session *s, struct dn_attempt *a);

#endif
