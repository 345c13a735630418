/**
 * Which level numbers are compressed with if nobody asked for one.  Where a page of them is nearly as small with less effort, those behind
 * it are made with that.  What is decided depends on the values of the column alone.
 */
#ifndef DN_PARQUET_WRITE_LEVEL_H
#define DN_PARQUET_WRITE_LEVEL_H

#include "parquet/write/encoder.h"

/** Of PLAIN numbers, until something else was found.  Everything else is made at DN_CODEC_LEVEL_NEAR. */
#define DN_PQ_NUMBERS_LEVEL 3

/** A PLAIN page of numbers is complete, but for its level, which is set. */
DN_NODISCARD enum dn_status dn_pq_choose_level(struct dn_pq_encoder *e, struct dn_pq_page *page,
                                               struct dn_error *err);

#endif
