/**
 * What stands at the end of a file and is none of its rows: a Ctrl-Z or NUL
 * bytes behind the text, and the lines of a footer.  A delay line between a
 * source and who reads it: what may be such an end is held back until there is
 * more, or no more.
 */
#ifndef DN_CSV_TAIL_H
#define DN_CSV_TAIL_H

#include "csv/dialect.h"
#include "store/source.h"

struct dn_csv_tail {
    int64_t footer;        /**< lines that are not blank, at the end of the file, to
                        leave out */
    size_t most_bytes;     /**< more is not held back */
    struct dn_buffer held; /**< bytes that were read; those from `pos` on are not
                            handed out yet */
    size_t pos;
    int64_t offset; /**< of the byte at `pos`, in the file */
    uint8_t last;   /**< the byte before those, */
    bool begun;     /**< if there is one */
    const struct dn_csv_dialect
        *dialect;              /**< borrowed; of the first file, before its row ends are known */
    struct dn_csv_front front; /**< of the file */
    bool lines_known;          /**< whether '\r' ends lines: */
    bool cr_ends_line;         /**< it does where it ends rows */
    bool at_end;               /**< the source has ended, and what is held are rows */
    int64_t n_dropped;         /**< bytes behind the text, of all files */
    bool delimiter_given;      /**< a line "sep=;" names none */
    bool has_footer;           /**< the file's last lines were left out */
};

/** Another file begins.  settled: dialect->cr_ends_row is; otherwise the file's head says it. */
void dn_csv_tail_start(struct dn_csv_tail *t, const struct dn_csv_dialect *dialect, bool settled,
                       struct dn_csv_front front);
/** As dn_source_read() of the source, without what is at its end. */
DN_NODISCARD enum dn_status dn_csv_tail_read(struct dn_csv_tail *t, struct dn_source *source,
                                             uint8_t *out, size_t n, size_t *got,
                                             struct dn_error *err);
/**
 * The next `n` bytes of the source, which stay the next ones, if they are rows, whatever follows, and are in memory already; see
 * dn_source_peek_cached().
 */
bool dn_csv_tail_peek_cached(const struct dn_csv_tail *t, struct dn_source *source, uint8_t *out,
                             size_t n);
/** What that gave counts as read. */
void dn_csv_tail_pass(struct dn_csv_tail *t, struct dn_source *source, const uint8_t *text,
                      size_t n);
void dn_csv_tail_finish(struct dn_csv_tail *t);

/** Length of the text at the end of which a file ends, or may, without its last
 * `footer` lines and what stands behind the text. */
size_t dn_csv_tail_cut(const uint8_t *text, size_t len, int64_t footer, bool cr_ends_line);

#endif
