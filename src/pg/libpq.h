/** libpq, loaded on first use. */
#ifndef DN_PG_LIBPQ_H
#define DN_PG_LIBPQ_H

#include "base/error.h"

#include <libpq-fe.h>

struct dn_libpq {
    __typeof__(&PQconndefaults) conndefaults;
    __typeof__(&PQconninfoParse) conninfo_parse;
    __typeof__(&PQconninfoFree) conninfo_free;
    __typeof__(&PQconnectStartParams) connect_start;
    __typeof__(&PQconnectPoll) connect_poll;
    __typeof__(&PQfinish) finish;
    __typeof__(&PQstatus) status;
    __typeof__(&PQsocket) socket;
    __typeof__(&PQerrorMessage) error_message;
    __typeof__(&PQserverVersion) server_version;
    __typeof__(&PQconnectionNeedsPassword) needs_password;
    __typeof__(&PQsetErrorVerbosity) set_verbosity;
    __typeof__(&PQsetNoticeReceiver) set_notice_receiver;
    __typeof__(&PQsetnonblocking) set_nonblocking;
    __typeof__(&PQsendQueryParams) send_query_params;
    __typeof__(&PQsendQuery) send_query;
    __typeof__(&PQsendPrepare) send_prepare;
    __typeof__(&PQsendDescribePrepared) send_describe;
    __typeof__(&PQflush) flush;
    __typeof__(&PQconsumeInput) consume_input;
    __typeof__(&PQisBusy) is_busy;
    __typeof__(&PQgetResult) get_result;
    __typeof__(&PQresultStatus) result_status;
    __typeof__(&PQresultErrorMessage) result_error_message;
    __typeof__(&PQresultErrorField) result_error_field;
    __typeof__(&PQclear) clear;
    __typeof__(&PQntuples) n_rows;
    __typeof__(&PQnfields) n_fields;
    __typeof__(&PQfname) field_name;
    __typeof__(&PQftype) field_type;
    __typeof__(&PQfmod) field_typmod;
    __typeof__(&PQgetvalue) value;
    __typeof__(&PQgetisnull) is_null;
    __typeof__(&PQcmdTuples) command_rows;
    __typeof__(&PQgetCopyData) get_copy_data;
    __typeof__(&PQfreemem) free_memory;
    __typeof__(&PQgetCancel) get_cancel;
    __typeof__(&PQfreeCancel) free_cancel;
    __typeof__(&PQcancel) cancel;
    __typeof__(&PQsslInUse) ssl_in_use;
};

/** The table.  DN_ERR_UNSUPPORTED: no libpq here; DN_ERR_MEMORY.  Thread-safe. */
DN_NODISCARD enum dn_status dn_libpq_load(const struct dn_libpq **out, struct dn_error *err);

#endif
