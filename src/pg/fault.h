/** What a server says went wrong, as `struct dn_error`. */
#ifndef DN_PG_FAULT_H
#define DN_PG_FAULT_H

#include "base/error.h"

#include <stdbool.h>

/** The status of an SQLSTATE, which need not be one: docs/postgres.md has the table. */
enum dn_status dn_pg_status_of(const char *sqlstate);

/** Texts of the server, any of which may be NULL. */
struct dn_pg_fault {
    const char *sqlstate;
    const char *message;
    const char *detail;
    const char *hint;
    const char *table;
    const char *column;
};

/** "WHAT: MESSAGE (SQLSTATE): DETAIL; HINT", with the status of the SQLSTATE.  Never DN_OK. */
enum dn_status dn_pg_fault_set(struct dn_error *err, const struct dn_pg_fault *fault,
                               const char *what);
/**
 * The SQLSTATE in a text such as libpq has it with PQERRORS_VERBOSE: "FATAL:  28P01: password ...".  Words of other languages may
 * stand in front.
 * @param out  6 bytes; "" if there is none
 */
void dn_pg_fault_find_sqlstate(char *out, const char *text);

/**
 * libpq's own words as one line without blanks at its ends: several lines are parted by "; ", and where in the server's sources
 * something was found is left out.
 */
void dn_pg_fault_tidy(char *out, size_t size, const char *text);

#endif
