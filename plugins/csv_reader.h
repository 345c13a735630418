/** The CSV reader plugin's own parts: its options, its handle, and the lossless record writer. */
#ifndef DN_PLUGINS_CSV_READER_H
#define DN_PLUGINS_CSV_READER_H

#include "reader.h"

#include "dativo/csv.h"

#define CSV_READER_NAME "csv_reader"
#define CSV_TYPE "csv" /**< of a source, in configurations */

/** How cells become JSON values (Level 0) or column types (Level 1). */
enum csv_values {
    CSV_VALUES_LOSSLESS, /**< a number where printing it gives the cell's text back, else the text; Level 1: strings */
    CSV_VALUES_STRINGS, /**< every cell without a declared type is a text */
    CSV_VALUES_COLUMN   /**< one inferred type per column */
};

/** What a configuration asks for.  All texts live in the configuration. */
struct csv_settings {
    struct dn_csv_options csv;
    enum csv_values values;
    struct dn_reader_files files;
    bool advice;         /**< what looks like a wrong option is said */
    bool again;          /**< the host starts over: it was said before */
    const char *rejects; /**< a file, or NULL */
    int64_t chunk_rows;  /**< rows of a JSON batch */
};

extern const struct dn_shell_option csv_reader_options[];
extern const size_t csv_reader_n_options;

/** Read the configuration into settings for Level `level` (0 or 1: they differ in the defaults of inference and batches). */
DN_NODISCARD enum dn_status csv_settings_read(struct csv_settings *s, struct dn_shell_config *c,
                                              int level, struct dn_error *err);

/** Those of the options that say how values are written. */
DN_NODISCARD enum dn_status csv_forms_read(struct csv_settings *s, struct dn_shell_config *c,
                                           struct dn_error *err);
/** header, names, rename, columns and exclude (csv_reader_naming.c). */
DN_NODISCARD enum dn_status csv_naming_read(struct csv_settings *s, struct dn_shell_config *c,
                                            struct dn_error *err);
struct csv_rejects; /* csv_reader_rejects.h */

/** JSON records from string columns, numbers only where nothing is lost. */
struct csv_lossless;
/** `schema` is borrowed for the call; its names must be distinct. */
DN_NODISCARD enum dn_status csv_lossless_create(struct csv_lossless **out,
                                                const struct ArrowSchema *schema,
                                                struct dn_error *err);
/** Append rows [row, row + n_rows) as `[{...},...]`, the form dn_records_write() gives. */
DN_NODISCARD enum dn_status csv_lossless_write(struct csv_lossless *l, struct dn_buffer *out,
                                               const struct ArrowArray *batch, int64_t row,
                                               int64_t n_rows, struct dn_error *err);
/** NULL is allowed. */
void csv_lossless_destroy(struct csv_lossless *l);
/** One open reader, of either level. */
struct csv_handle {
    struct dn_reader base; /**< first */
    struct csv_settings settings;
    struct dn_csv_reader *reader;
    struct csv_lossless *lossless;
    struct csv_records *records; /**< NULL: batches are read, and written as JSON */
    struct csv_rejects *rejects; /**< NULL: no row is set aside */
    const char *tag;             /**< the options that decide what the rows are, as a text */
    const char *token;           /**< of the piece that it reads; NULL: all */
};

/* Pieces (csv_reader_splits.c). */

/** Make h->tag, before anything is taken out of the configuration. */
DN_NODISCARD enum dn_status csv_split_tag(struct dn_reader *r, struct dn_error *err);
/** As in struct dativo_reader_v1. */
int32_t csv_splits(void *reader, uint64_t target_bytes, char **out_json, struct dativo_error *err);
int32_t csv_open_split(const char *config_json, const char *token, const struct dativo_host *host,
                       void **out_reader, struct dativo_error *err);

/** Level 0, at the end of the data: say on stderr what report() would warn of. */
void csv_log_warnings(const struct csv_handle *h);
/** What report() says of the rows: counters, warnings, columns. */
DN_NODISCARD enum dn_status csv_report(struct dn_reader *r, struct dn_buffer *b,
                                       const struct ArrowSchema *schema, struct dn_error *err);

#endif
