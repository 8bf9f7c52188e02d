/* SQLite, loaded when a history is in one of its files. */
#ifndef HISTORY_LIBSQLITE_H
#define HISTORY_LIBSQLITE_H

#include <sqlite3.h>

#include "base/error.h"

#define LIBSQLITE_FUNCTIONS(F)                                                                                                             \
    F(sqlite3_bind_blob64)                                                                                                                 \
    F(sqlite3_bind_int64)                                                                                                                  \
    F(sqlite3_bind_parameter_count)                                                                                                        \
    F(sqlite3_bind_text)                                                                                                                   \
    F(sqlite3_busy_timeout)                                                                                                                \
    F(sqlite3_close)                                                                                                                       \
    F(sqlite3_column_blob)                                                                                                                 \
    F(sqlite3_column_bytes)                                                                                                                \
    F(sqlite3_column_int64)                                                                                                                \
    F(sqlite3_column_text)                                                                                                                 \
    F(sqlite3_db_config)                                                                                                                   \
    F(sqlite3_errcode)                                                                                                                     \
    F(sqlite3_errmsg)                                                                                                                      \
    F(sqlite3_exec)                                                                                                                        \
    F(sqlite3_file_control)                                                                                                                \
    F(sqlite3_finalize)                                                                                                                    \
    F(sqlite3_get_autocommit)                                                                                                              \
    F(sqlite3_last_insert_rowid)                                                                                                           \
    F(sqlite3_limit)                                                                                                                       \
    F(sqlite3_open_v2)                                                                                                                     \
    F(sqlite3_prepare_v3)                                                                                                                  \
    F(sqlite3_reset)                                                                                                                       \
    F(sqlite3_step)                                                                                                                        \
    F(sqlite3_system_errno)

struct libsqlite {
#define FIELD(function) __typeof__(&function) function;
    LIBSQLITE_FUNCTIONS(FIELD)
#undef FIELD
};

/* Its functions, after libsqlite_load(). */
extern struct libsqlite sq;

/* Once for all, from any thread.  SE_ERR_UNAVAILABLE: it is not installed. */
SE_MUST_CHECK se_status libsqlite_load(se_error *err);

#endif
