/**
 * Files whose headers differ, as one table: its columns are those of all files by name, in the order in which they first appear,
 * and a file has nulls in those that it lacks.  The k-th column of a name in one file is the k-th one of that name in another.
 *
 * What is kept of a file is the layout of its header, one for all files that have the same bytes there.
 */
#ifndef DN_CSV_UNION_H
#define DN_CSV_UNION_H

#include "csv/reader_internal.h"

struct dn_csv_layout {
    struct dn_span header; /**< the row's bytes without its row end; none: the file has no row */
    size_t n_fields;
    uint32_t *fields; /**< for each of the file's fields the reader's one */
};

/**
 * Read the headers of all files but the first, which r knows already, and make r->field_names the names of all.
 * Cost: every file is opened once; the others must be such that can be opened again.
 */
DN_NODISCARD enum dn_status dn_csv_union_open(struct dn_csv_reader *r,
                                              const struct dn_csv_options *o, struct dn_error *err);

/** What is a file's own, whether files differ or not. */
struct dn_span dn_csv_header_of(const struct dn_csv_reader *r, size_t file);
size_t dn_csv_n_fields_of(const struct dn_csv_reader *r, size_t file);
/** Of one of the reader's fields in a file; SIZE_MAX: the file lacks it.  Cost: a look through them. */
size_t dn_csv_own_field(const struct dn_csv_reader *r, size_t file, size_t field);
/** The other way around. */
static inline size_t dn_csv_field_of(const struct dn_csv_layout *layout, size_t own)
{
    return layout != NULL ? layout->fields[own] : own;
}
/** NULL: files do not differ. */
static inline const struct dn_csv_layout *dn_csv_layout_of(const struct dn_csv_reader *r,
                                                           size_t file)
{
    return r->layouts != NULL ? r->layouts[file] : NULL;
}

/** The columns with the fields that they have in a file: r->columns, or made in `scratch` and kept for the next block of that layout. */
DN_NODISCARD enum dn_status dn_csv_columns_of(const struct dn_csv_reader *r, size_t file,
                                              struct dn_csv_scratch *scratch,
                                              const struct dn_csv_column **out,
                                              struct dn_error *err);

#endif
