/** How the values of columns come. */
#ifndef DN_PG_FIELDS_H
#define DN_PG_FIELDS_H

#include "pg/catalog.h"

/** Fill in kind, is_array, is_cast and the typmod behind domains of fields whose type and typmod are known. */
DN_NODISCARD enum dn_status dn_pg_fields_decide(struct dn_pg_field *fields, size_t n,
                                                struct dn_pg_session *s, struct dn_error *err);

#endif
