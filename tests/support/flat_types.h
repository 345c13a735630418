/** For tests: the types that flat columns have, one of each and some with other parameters. */
#ifndef DN_TEST_FLAT_TYPES_H
#define DN_TEST_FLAT_TYPES_H

#include "arrow/types.h"

#define FLAT_DECIMAL(BITS, PRECISION, SCALE)                                                       \
    {                                                                                              \
        .id = DN_TYPE_DECIMAL##BITS, .precision = (PRECISION), .scale = (SCALE)                    \
    }

static const struct dn_type flat_types[] = {
    DN_TYPE_INIT(NULL),
    DN_TYPE_INIT(BOOL),
    DN_TYPE_INIT(INT32),
    DN_TYPE_INIT(INT64),
    DN_TYPE_INIT(FLOAT32),
    DN_TYPE_INIT(FLOAT64),
    DN_TYPE_INIT(DATE32),
    DN_TIMESTAMP_INIT(US),
    DN_TIMESTAMPTZ_INIT(US),
    DN_TYPE_INIT(UTF8),
    DN_TYPE_INIT(LARGE_UTF8),
    DN_TYPE_INIT(UTF8_VIEW),
#define N_FIRST_TYPES 12 /* those before are what CSV and JSON have as well */
    DN_TYPE_INIT(INT8),
    DN_TYPE_INIT(INT16),
    DN_TYPE_INIT(UINT8),
    DN_TYPE_INIT(UINT16),
    DN_TYPE_INIT(UINT32),
    DN_TYPE_INIT(UINT64),
    DN_TYPE_INIT(FLOAT16),
    FLAT_DECIMAL(128, 5, 2),
    FLAT_DECIMAL(128, 9, 9),
    FLAT_DECIMAL(128, 18, 4),
    FLAT_DECIMAL(128, 19, 0),
    FLAT_DECIMAL(128, 38, 10),
    FLAT_DECIMAL(256, 20, 3),
    FLAT_DECIMAL(256, 76, 38),
    DN_TYPE_INIT(DATE64),
    DN_TIME_INIT(S),
    DN_TIME_INIT(MS),
    DN_TIME_INIT(US),
    DN_TIME_INIT(NS),
    DN_TIMESTAMP_INIT(S),
    DN_TIMESTAMP_INIT(MS),
    DN_TIMESTAMP_INIT(NS),
    DN_TIMESTAMPTZ_INIT(S),
    DN_TIMESTAMPTZ_INIT(MS),
    DN_TIMESTAMPTZ_INIT(NS),
    DN_TYPE_INIT(BINARY),
    DN_TYPE_INIT(LARGE_BINARY),
    DN_TYPE_INIT(BINARY_VIEW),
    {.id = DN_TYPE_FIXED_BINARY, .width = 3},
    {.id = DN_TYPE_FIXED_BINARY, .width = 16},
    {.id = DN_TYPE_FIXED_BINARY, .width = 40},
    {.id = DN_TYPE_FIXED_BINARY, .width = 16, .extension = DN_EXTENSION_UUID},
    {.id = DN_TYPE_UTF8, .extension = DN_EXTENSION_JSON},
    {.id = DN_TYPE_DURATION, .unit = DN_UNIT_S},
    {.id = DN_TYPE_DURATION, .unit = DN_UNIT_NS},
    DN_TYPE_INIT(INTERVAL_MONTHS),
    DN_TYPE_INIT(INTERVAL_DAY_TIME),
    DN_TYPE_INIT(INTERVAL_MONTH_DAY_NANO),
};
#define N_FLAT_TYPES (sizeof flat_types / sizeof flat_types[0])

#endif
