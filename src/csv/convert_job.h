/** The inside of conversion: one column being converted. */
#ifndef DN_CSV_CONVERT_JOB_H
#define DN_CSV_CONVERT_JOB_H

#include "csv/convert.h"
#include "csv/forms.h"

/** One column being converted. */
struct dn_csv_job {
    const struct dn_kernels *kernels;
    const struct dn_csv_rows *rows;
    const struct dn_csv_dialect *d;
    const struct dn_csv_nulls *nulls;
    const struct dn_csv_column *column;
    bool trim;    /**< blanks around unquoted values are no part of them */
    bool is_wide; /**< of the numbers before, some had more than 8 bytes */
    size_t from;  /**< rows to convert now, a multiple of 64 */
    size_t to;
    uint8_t *validity;
    void *values;
    int64_t null_count;
    size_t first_null; /**< row, SIZE_MAX if none */
    size_t bad_row;    /**< first row whose value does not fit, SIZE_MAX if none */
    bool rounded;      /**< the value just read is not the number that was written */
    int64_t n_rounded;
    size_t first_rounded; /**< row, without meaning if there is none */
    struct dn_csv_batch_memory *memory;
};

enum dn_csv_verdict {
    DN_CSV_VERDICT_VALUE,
    DN_CSV_VERDICT_NULL,
    DN_CSV_VERDICT_BAD
};

static inline void dn_csv_note_null(struct dn_csv_job *j, size_t row)
{
    j->rounded = false; /* the text of a null may have been tried as a number */
    if (j->null_count++ == 0) {
        j->first_null = row;
    }
}

/** Rows [j->from, j->to), of any type (convert.c).  A value that does not fit ends it, in j->bad_row. */
DN_NODISCARD enum dn_status dn_csv_convert_column(struct dn_csv_job *j, struct dn_error *err);

/** Rows of columns whose values go to the side buffer: JSON, and bytes of any length (convert_bytes.c). */
DN_NODISCARD enum dn_status dn_csv_convert_json(struct dn_csv_job *j, struct dn_error *err);
DN_NODISCARD enum dn_status dn_csv_convert_binary(struct dn_csv_job *j, struct dn_error *err);

#endif
