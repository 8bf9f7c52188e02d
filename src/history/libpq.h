/* libpq, loaded when a history is in PostgreSQL. */
#ifndef HISTORY_LIBPQ_H
#define HISTORY_LIBPQ_H

#include <libpq-fe.h>

#include "base/buf.h"

#define LIBPQ_FUNCTIONS(F)                                                                                                                 \
    F(PQclear)                                                                                                                             \
    F(PQcmdStatus)                                                                                                                         \
    F(PQconnectdbParams)                                                                                                                   \
    F(PQconninfoFree)                                                                                                                      \
    F(PQconninfoParse)                                                                                                                     \
    F(PQerrorMessage)                                                                                                                      \
    F(PQescapeIdentifier)                                                                                                                  \
    F(PQexec)                                                                                                                              \
    F(PQexecParams)                                                                                                                        \
    F(PQfinish)                                                                                                                            \
    F(PQfreemem)                                                                                                                           \
    F(PQgetisnull)                                                                                                                         \
    F(PQgetResult)                                                                                                                         \
    F(PQgetlength)                                                                                                                         \
    F(PQgetvalue)                                                                                                                          \
    F(PQntuples)                                                                                                                           \
    F(PQputCopyData)                                                                                                                       \
    F(PQputCopyEnd)                                                                                                                        \
    F(PQreset)                                                                                                                             \
    F(PQresultErrorField)                                                                                                                  \
    F(PQresultErrorMessage)                                                                                                                \
    F(PQresultMemorySize)                                                                                                                  \
    F(PQresultStatus)                                                                                                                      \
    F(PQsetNoticeProcessor)                                                                                                                \
    F(PQstatus)                                                                                                                            \
    F(PQtransactionStatus)

struct libpq {
#define FIELD(function) __typeof__(&function) function;
    LIBPQ_FUNCTIONS(FIELD)
#undef FIELD
};

/* Its functions, after libpq_load(). */
extern struct libpq pq;

/* Once for all, from any thread.  SE_ERR_UNAVAILABLE: it is not installed. */
SE_MUST_CHECK se_status libpq_load(se_error *err);

#endif
