/** Decoded rows as text, for pg_tool. */
#ifndef DN_TEST_PG_DUMP_H
#define DN_TEST_PG_DUMP_H

#include "pg/catalog.h"
#include "pg/rows.h"

#include <stdio.h>

/** DN_ERR_DATA: a value that is none, by its verdict. */
enum dn_status pg_dump_block(FILE *out, const struct dn_pg_block *block,
                             const struct dn_pg_field *fields, struct dn_error *err);

#endif
