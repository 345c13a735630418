/** Intervals as texts, ISO 8601: a column of them becomes one of texts before anything else sees it. */
#ifndef DN_PARQUET_WRITE_INTERVAL_TEXT_H
#define DN_PARQUET_WRITE_INTERVAL_TEXT_H

#include "arrow/batch.h"

/** What a view points into; a list, to be freed with all that use it. */
struct dn_pq_made {
    struct dn_pq_made *next;
    size_t bytes; /**< that it takes */
};

/**
 * Make a view of intervals one of their texts: rows and nulls are as they were.  Its memory is put in front of *made.
 */
DN_NODISCARD enum dn_status dn_pq_interval_texts(struct dn_column_view *view,
                                                 struct dn_pq_made **made, struct dn_error *err);
void dn_pq_made_free(struct dn_pq_made *made);

#endif
