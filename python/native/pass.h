/** One pass over a source: an open reader, and the stream of its batches. */
#ifndef DN_PYTHON_PASS_H
#define DN_PYTHON_PASS_H

#include "native.h"

#include "job/plugin.h"

struct dn_py_pass;

struct dn_py_pass_options {
    const char *type;        /**< of the source, for dn_connector_reader() */
    const char *config_json; /**< a Level 0 reader configuration */
    const char *piece;       /**< token of the one piece that is read; NULL: everything */
    PyObject *progress;      /**< borrowed; NULL or None: nobody asks */
    uint32_t n_threads;      /**< 0: those of the process */
    uint64_t memory_bytes;   /**< 0: the reader's default */
    bool views;              /**< texts stay views, unless a consumer asks for others */
};

/** Without the GIL, but for struct dn_py_watch. */
DN_NODISCARD enum dn_status
dn_py_pass_open(struct dn_py_pass **out, const struct dn_py_pass_options *o, struct dn_error *err);
/** What the watch keeps, if it does, is raised or told.  GIL held. */
struct dn_py_watch *dn_py_pass_watch(struct dn_py_pass *p);

void dn_py_pass_ref(struct dn_py_pass *p);
/** The last one closes the reader, which waits for its threads.  Any thread; NULL is allowed. */
void dn_py_pass_unref(struct dn_py_pass *p);

/**
 * Cut the source into pieces of about target_bytes (0: as the reader likes), as splits() of the reader does.  Before the stream.
 * @param out  JSON, for dn_py_pass_text_free()
 */
DN_NODISCARD enum dn_status dn_py_pass_splits(struct dn_py_pass *p, uint64_t target_bytes,
                                              char **out, struct dn_error *err);
void dn_py_pass_text_free(struct dn_py_pass *p, char *text);

/** Of every batch.  To be moved. */
DN_NODISCARD enum dn_status dn_py_pass_schema(struct dn_py_pass *p, struct ArrowSchema *out,
                                              struct dn_error *err);
/**
 * Once.  The stream has a reference of its own; the reader is closed with it.
 * @param requested  the schema that the consumer asks for, of which texts are given, if they are no part of others; NULL: none
 */
DN_NODISCARD enum dn_status dn_py_pass_stream(struct dn_py_pass *p,
                                              const struct ArrowSchema *requested,
                                              struct ArrowArrayStream *out, struct dn_error *err);
/** Any thread, at any time. */
void dn_py_pass_progress(struct dn_py_pass *p, struct dativo_progress *out);
void dn_py_pass_cancel(struct dn_py_pass *p);
/** The failure of the stream; false: there is none.  Any thread. */
bool dn_py_pass_error(struct dn_py_pass *p, struct dn_error *out);
/** The reader's report, borrowed; NULL until the end of the stream. */
const char *dn_py_pass_report(struct dn_py_pass *p);

/** Rows that were set aside so far: batch i, borrowed, good as long as the pass.  False: there are no more.  Any thread. */
bool dn_py_pass_rejects(struct dn_py_pass *p, size_t i, struct ArrowArray *out);

#endif
