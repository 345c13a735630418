/** For tests: the types that flat columns have, one of each and some with other parameters. */
#ifndef DN_TEST_FLAT_TYPES_H
#define DN_TEST_FLAT_TYPES_H

#include "arrow/types.h"

static const struct dn_type flat_types[] = {
    DN_TYPE_INIT(NULL),   DN_TYPE_INIT(BOOL),       DN_TYPE_INIT(INT32),
    DN_TYPE_INIT(INT64),  DN_TYPE_INIT(FLOAT32),    DN_TYPE_INIT(FLOAT64),
    DN_TYPE_INIT(DATE32), DN_TIMESTAMP_INIT(US),    DN_TIMESTAMPTZ_INIT(US),
    DN_TYPE_INIT(UTF8),   DN_TYPE_INIT(LARGE_UTF8), DN_TYPE_INIT(UTF8_VIEW),
};
#define N_FLAT_TYPES (sizeof flat_types / sizeof flat_types[0])

#endif
