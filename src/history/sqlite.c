/* SPDX-License-Identifier: Apache-2.0 */
/* Chains in an SQLite file, of which every transaction is on the disk when it ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "history/sqlite.h"

/* A transaction that has ended well has to be on the disk, so FULL.  Nothing here writes: the file
 * may be somebody else's. */
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 1000;"
                               "PRAGMA cache_size = -16384;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA secure_delete = ON";

/* Big pages make fewer of what is appended; a file that is there keeps its own. */
static const char new_settings[] = "PRAGMA page_size = 16384";

/* With a write-ahead log others read meanwhile; a copy may have lost it. */
static const char writing_settings[] = "PRAGMA journal_mode = WAL";

/* What is in the file runs nothing and is nobody's view, whatever it says; a value that is bigger
 * than ours is not read into memory. */
static bool restrict_file(const struct sqlite *s)
{
    static const int off[] = { SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
                               SQLITE_DBCONFIG_TRUSTED_SCHEMA };
    bool good = !sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        good = !sqlite3_db_config(s->db, off[i], 0, NULL) && good;
    (void)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, SQLITE_VALUE_MOST);
    return good && !sqlite3_busy_timeout(s->db, SQLITE_PATIENCE_MS);
}

static se_status sqlite_begin_tables(struct sqlite *s, se_error *err)
{
    se_status st;

    TRY(sqlite_execute_text(s, new_settings, err));
    TRY(sqlite_execute(s, SQL_BEGIN_APPEND, err));
    st = sqlite_make_tables(s, err);
    if (!st)
        st = sqlite_execute(s, SQL_COMMIT, err);
    if (st)
        (void)sqlite_end(&s->store, false, NULL);
    return st;
}

static se_status prepare_file(struct sqlite *s, bool create, se_error *err)
{
    if (!restrict_file(s))
        return sqlite_failed(s, err);
    TRY(sqlite_execute_text(s, settings, err));
    return create ? sqlite_begin_tables(s, err) : SE_OK;
}

/* ---- the file ---- */

static void sqlite_disconnect(struct sqlite *s)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    (void)sqlite3_close(s->db);
    s->db = NULL;
    s->writes = s->checked = false;
}

/*
 * SQLite would make it with the umask alone, and give its logs the same mode: others could read all
 * payloads.  It would also make what a link that leads nowhere points at.
 */
static se_status make_file(struct sqlite *s, se_error *err)
{
    int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    s->made = fd >= 0;
    if (s->made)
        (void)close(fd);
    else if (errno != EEXIST)
        return error_set(err, errno == EACCES || errno == EROFS ? SE_ERR_ACCESS : SE_ERR_IO,
                         "'%s': cannot make it: %s", s->path, strerror(errno));
    return SE_OK;
}

static int find_row(void *arg, int columns, char **values, char **names)
{
    bool *found = arg;

    (void)columns;
    (void)values;
    (void)names;
    *found = true;
    return 0;
}

/* Nobody can put something into it until the transaction ends; what can't be asked is left alone.
 */
static bool holds_nothing(const struct sqlite *s)
{
    bool tables = false, chains = false;

    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
        sqlite3_exec(s->db, "SELECT 1 FROM sqlite_schema LIMIT 1", find_row, &tables, NULL))
        return false;
    return !tables ||
           (!sqlite3_exec(s->db, "SELECT 1 FROM chain LIMIT 1", find_row, &chains, NULL) &&
            !chains);
}

static void remove_file(const struct sqlite *s)
{
    static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        AUTO(writer) w = { 0 };

        writer_format(&w, "%s%s", s->path, suffixes[i]);
        if (!w.failed)
            (void)unlink(writer_string(&w));
    }
}

/* Another file is in its place, or none. */
static bool has_moved(const struct sqlite *s)
{
    int moved = 0;

    return !sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) && moved;
}

/* A file that was made for a chain that could not be made is in the way of the next try, or taken
 * for a history. */
static void discard_file(struct sqlite *s)
{
    if (s->made && s->db) {
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        if (holds_nothing(s) && !has_moved(s))
            remove_file(s);
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    }
    s->made = false;
    sqlite_disconnect(s);
}

static se_status open_path(struct sqlite *s, bool create, se_error *err)
{
    se_status st;

    if (create)
        TRY(make_file(s, err));
    if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL))
        st = sqlite_failed(s, err);
    else
        st = prepare_file(s, create, err);
    if (st)
        discard_file(s);
    return st;
}

void sqlite_close_file(struct chain_store *store)
{
    struct sqlite *s = (struct sqlite *)store;

    discard_file(s);
    free(s->path);
    free(s);
}

se_status sqlite_open_uri(struct chain_store **out, const char *uri, bool create, se_error *err)
{
    const char *path = uri + strlen(SQLITE_SCHEME);
    struct sqlite *s;
    se_status st;

    if (!*path)
        return error_set(err, SE_ERR_USAGE, "sqlite: without a path");
    if (!(s = calloc(1, sizeof *s)))
        return error_memory(err);
    s->path = strdup(path);
    st = s->path ? open_path(s, create, err) : error_memory(err);
    if (st)
        sqlite_close_file(&s->store);
    else
        *out = &s->store;
    return st;
}

/*
 * Another file in its place, as when a backup is put back: what is written to the old one nobody
 * would see again.  The log is left alone: one that has its name now belongs to the new file.
 */
static void leave_moved(struct sqlite *s)
{
    if (!s->db || !has_moved(s))
        return;
    s->made = false;
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite_disconnect(s);
}

/* ---- transactions ---- */

/* A transaction over tables that are ours. */
static se_status sqlite_begin_checked(struct sqlite *s, enum sqlite_statement how, se_error *err)
{
    se_status st;

    TRY(sqlite_execute(s, how, err));
    st = sqlite_check_tables(s, err);
    if (st)
        (void)sqlite_end(&s->store, false, NULL);
    return st;
}

/* A file that is older than keys gets their table.  What was checked is no longer what is there;
 * and the edition may come again for something else, if this is rolled back. */
static se_status add_keys_table(struct sqlite *s, se_error *err)
{
    se_status st;

    if (s->keyed)
        return SE_OK;
    st = sqlite_make_tables(s, err);
    s->checked = false;
    s->keyed = !st;
    if (st)
        (void)sqlite_end(&s->store, false, NULL);
    return st;
}

/* The log is a change too: it is not for tables that are somebody else's. */
static se_status begin_log(struct sqlite *s, se_error *err)
{
    if (s->writes)
        return SE_OK;
    TRY(sqlite_begin_checked(s, SQL_BEGIN_READ, err));
    TRY(sqlite_execute(s, SQL_ROLLBACK, err));
    TRY(sqlite_execute_text(s, writing_settings, err));
    s->writes = true;
    return SE_OK;
}

se_status sqlite_begin(struct chain_store *store, enum store_mode mode, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;

    leave_moved(s);
    if (!s->db)
        TRY(open_path(s, false, err));
    if (mode == STORE_READ)
        return sqlite_begin_checked(s, SQL_BEGIN_READ, err);
    TRY(begin_log(s, err));
    TRY(sqlite_begin_checked(s, SQL_BEGIN_APPEND, err));
    return mode == STORE_APPEND_KEYED ? add_keys_table(s, err) : SE_OK;
}

/*
 * What was erased is still in the write-ahead log, and stays there as long as anybody has the
 * store open.  A reader of this moment may need it: it goes with the next one then.
 */
static void empty_log(struct sqlite *s)
{
    (void)sqlite3_busy_timeout(s->db, SQLITE_LOG_PATIENCE_MS);
    (void)sqlite3_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    (void)sqlite3_busy_timeout(s->db, SQLITE_PATIENCE_MS);
}

/* Into a file that has no name any more: who had made it has removed it as empty while we waited
 * for it. */
static se_status check_there(const struct sqlite *s, se_error *err)
{
    if (!has_moved(s))
        return SE_OK;
    return error_set(err, SE_ERR_IO, "'%s': the file was removed or replaced meanwhile", s->path);
}

/* A COMMIT that fails may leave the transaction open, or has rolled it back already. */
se_status sqlite_end(struct chain_store *store, bool commit, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    se_status st = commit ? sqlite_execute(s, SQL_COMMIT, err) : SE_OK;

    if (commit && !st) {
        s->made = false;
        st = check_there(s, err);
    }
    if (s->db && !sqlite3_get_autocommit(s->db) && sqlite_execute(s, SQL_ROLLBACK, NULL))
        return st ? st : SE_ERR_IO;
    if (commit && !st && s->erased)
        empty_log(s);
    s->erased = false;
    return st;
}
