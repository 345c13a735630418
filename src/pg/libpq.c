#include "pg/libpq.h"

#include "base/library.h"

enum dn_status dn_libpq_load(const struct dn_libpq **out, struct dn_error *err)
{
    static const char *const names[] = {
        "PQconndefaults",
        "PQconninfoParse",
        "PQconninfoFree",
        "PQconnectStartParams",
        "PQconnectPoll",
        "PQfinish",
        "PQstatus",
        "PQsocket",
        "PQerrorMessage",
        "PQserverVersion",
        "PQconnectionNeedsPassword",
        "PQsetErrorVerbosity",
        "PQsetNoticeReceiver",
        "PQsetnonblocking",
        "PQsendQueryParams",
        "PQsendQuery",
        "PQsendPrepare",
        "PQsendDescribePrepared",
        "PQflush",
        "PQconsumeInput",
        "PQisBusy",
        "PQgetResult",
        "PQresultStatus",
        "PQresultErrorMessage",
        "PQresultErrorField",
        "PQclear",
        "PQntuples",
        "PQnfields",
        "PQfname",
        "PQftype",
        "PQfmod",
        "PQgetvalue",
        "PQgetisnull",
        "PQcmdTuples",
        "PQgetCopyData",
        "PQfreemem",
        "PQgetCancel",
        "PQfreeCancel",
        "PQcancel",
        "PQsslInUse",
    };
    static const struct dn_library library = {
        .soname = "libpq.so.5",
        .purpose = "PostgreSQL",
        .package = "libpq5",
        .names = names,
        .n_names = sizeof(names) / sizeof(names[0]),
    };
    static void *_Atomic once;
    const void *table = NULL;

    _Static_assert(sizeof(struct dn_libpq) == sizeof(names), "one name per member");
    DN_TRY(dn_library_load(&table, &library, &once, err));
    *out = table;
    return DN_OK;
}
