/* Chains in an SQLite file, of which every transaction is on the disk when it ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "history/sqlite.h"

/*
 * A statement costs more than a row.  OR FAIL: one that fails ends the transaction anyway, so
 * SQLite need not keep each page as it was before the statement, which it does in a temporary file
 * where there are many.
 */
#define PUT_ROW    "INSERT OR FAIL INTO entry (key, time, object, salt, payload, leaf) VALUES "
#define ROW        "(?, ?, ?, ?, ?, ?)"
#define FOUR(text) text ", " text ", " text ", " text

/* SQLite's names have no case. */
#define OURS "'chain', 'entry', 'node', 'seal'"

static const char *const statements[STATEMENTS] = {
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_BEGIN_APPEND] = "BEGIN IMMEDIATE",
    [SQL_EDITION] = "PRAGMA main.schema_version",
    [SQL_OBJECTS] = "SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE name COLLATE "
                    "NOCASE IN (" OURS ")"
                    " OR tbl_name COLLATE NOCASE IN (" OURS ")",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_CHAIN] = "SELECT number, id, size, edge, seals, last, base_size, base_edge, base_seal "
                  "FROM chain WHERE name = ?",
    [SQL_CHAINS] = "SELECT number, id, size, edge, seals, last, base_size, base_edge, base_seal, "
                   "name FROM chain ORDER BY number",
    [SQL_CHAIN_NEW] =
        "INSERT INTO chain (name, id, size, edge, seals, last, base_size, base_edge, base_seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_CHAIN_PUT] = "UPDATE chain SET name = ?, id = ?, size = ?, edge = ?, seals = ?, last = ?, "
                      "base_size = ?, base_edge = ?,"
                      " base_seal = ? WHERE number = ?",
    [SQL_ROW_PUT] = PUT_ROW ROW,
    [SQL_ROWS_PUT] = PUT_ROW FOUR(FOUR(FOUR(ROW))),
    [SQL_NODE_PUT] = "INSERT INTO node (chain, level, number, hash) VALUES (?, ?, ?, ?)",
    [SQL_SEAL_PUT] = "INSERT INTO seal (key, size, note) VALUES (?, ?, ?)",
    [SQL_ERASE] = "UPDATE entry SET salt = x'', payload = ? WHERE key = ?",
    [SQL_DROP_ROWS] = "DELETE FROM entry WHERE key BETWEEN ? AND ?",
    [SQL_DROP_SEALS] = "DELETE FROM seal WHERE key BETWEEN ? AND ?",
    [SQL_EXTENT] = "SELECT (SELECT min(key) FROM entry WHERE key BETWEEN ?1 AND ?2), (SELECT "
                   "max(key) FROM entry WHERE key BETWEEN ?1 AND"
                   " ?2)",
    [SQL_ROWS] = "SELECT key, time, object, salt, payload, leaf FROM entry WHERE key BETWEEN ? AND "
                 "? ORDER BY key",
    [SQL_SEALS] = "SELECT key, size, note FROM seal WHERE key BETWEEN ? AND ? ORDER BY key",
    [SQL_NODES] = "SELECT level, number, hash FROM node WHERE chain = ? AND level = ? AND number "
                  "BETWEEN ? AND ? ORDER BY number",
};

/*
 * A table or column that is not there is an SQLITE_ERROR, and so is hardly anything else that our
 * few statements can meet.  What is too big is none of ours.
 */
static se_status status_of(int code, int number)
{
    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SE_ERR_UNAVAILABLE;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
        return SE_ERR_FORMAT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return SE_ERR_ACCESS;
    default:
        return number == EACCES || number == EROFS ? SE_ERR_ACCESS : SE_ERR_IO;
    }
}

/* SQLite keeps the number of what the system said last, which belongs to files that can't be
 * opened, read or written. */
se_status sqlite_failed(const struct sqlite *s, se_error *err)
{
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;
    int number = code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? sqlite3_system_errno(s->db) : 0;

    if (code == SQLITE_NOMEM)
        return error_memory(err);
    return error_set(err, status_of(code, number), "'%s': %s%s%s", s->path, sqlite3_errmsg(s->db),
                     number ? ": " : "", number ? strerror(number) : "");
}

se_status sqlite_statement(sqlite3_stmt **out, struct sqlite *s, enum sqlite_statement which,
                           se_error *err)
{
    sqlite3_stmt **kept = &s->statements[which];

    *out = NULL;
    if (!*kept &&
        sqlite3_prepare_v3(s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, kept, NULL))
        return sqlite_failed(s, err);
    *out = *kept;
    return SE_OK;
}

se_status sqlite_run(struct sqlite *s, enum sqlite_statement which, se_error *err)
{
    sqlite3_stmt *statement;
    se_status st = sqlite_statement(&statement, s, which, err);

    if (!st && sqlite3_step(statement) != SQLITE_DONE)
        st = sqlite_failed(s, err);
    if (statement)
        (void)sqlite3_reset(statement);
    return st;
}

/* A transaction that is told to be done has to be on the disk, so FULL.  Nothing here writes: a
 * database may be that of somebody else. */
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 1000;"
                               "PRAGMA cache_size = -16384;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA secure_delete = ON";

/* Big pages make fewer of what is appended; of a database that is there they stay as they are. */
static const char new_settings[] = "PRAGMA page_size = 16384";

/* With a write-ahead log others read meanwhile; a copy may have lost it. */
static const char writing_settings[] = "PRAGMA journal_mode = WAL";

se_status sqlite_run_text(const struct sqlite *s, const char *text, se_error *err)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) ? sqlite_failed(s, err) : SE_OK;
}

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

static se_status make_tables(struct sqlite *s, se_error *err)
{
    se_status st;

    TRY(sqlite_run_text(s, new_settings, err));
    TRY(sqlite_run(s, SQL_BEGIN_APPEND, err));
    if ((st = sqlite_make_tables(s, err)) || (st = sqlite_run(s, SQL_COMMIT, err)))
        database_abandon(&s->store);
    return st;
}

static se_status prepare(struct sqlite *s, bool create, se_error *err)
{
    se_status st = restrict_file(s) ? sqlite_run_text(s, settings, err) : sqlite_failed(s, err);

    return st || !create ? st : make_tables(s, err);
}

/* ---- the file ---- */

static void disconnect(struct sqlite *s)
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
static void discard(struct sqlite *s)
{
    if (s->made && s->db) {
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        if (holds_nothing(s) && !has_moved(s))
            remove_file(s);
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    }
    s->made = false;
    disconnect(s);
}

static se_status connect_to(struct sqlite *s, bool create, se_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    se_status st;

    TRY(create ? make_file(s, err) : SE_OK);
    st = sqlite3_open_v2(s->path, &s->db, flags, NULL) ? sqlite_failed(s, err)
                                                       : prepare(s, create, err);
    if (st)
        discard(s);
    return st;
}

static void close_file(struct database *store)
{
    struct sqlite *s = (struct sqlite *)store;

    discard(s);
    free(s->path);
    free(s);
}

static se_status open_file(struct database **out, const char *address, bool create, se_error *err)
{
    const char *path = address + strlen(sqlite_database.scheme);
    struct sqlite *s;
    se_status st;

    if (!(s = calloc(1, sizeof *s)) || !(s->path = strdup(path))) {
        free(s);
        return error_memory(err);
    }
    s->store.type = &sqlite_database;
    st =
        *path ? connect_to(s, create, err) : error_set(err, SE_ERR_USAGE, "sqlite: without a path");
    if (st)
        close_file(&s->store);
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
    disconnect(s);
}

/* ---- transactions ---- */

/* A transaction over tables that are ours. */
static se_status enter(struct sqlite *s, enum sqlite_statement how, se_error *err)
{
    se_status st = sqlite_run(s, how, err);

    if (!st && (st = sqlite_check_tables(s, err)))
        database_abandon(&s->store);
    return st;
}

/* The log is a change too: it is not for tables that are somebody else's. */
static se_status begin_log(struct sqlite *s, se_error *err)
{
    se_status st = s->writes ? SE_OK : enter(s, SQL_BEGIN_READ, err);

    if (st || s->writes)
        return st;
    TRY(sqlite_run(s, SQL_ROLLBACK, err));
    TRY(sqlite_run_text(s, writing_settings, err));
    s->writes = true;
    return SE_OK;
}

static se_status begin(struct database *store, enum database_mode mode, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    se_status st;

    leave_moved(s);
    if (!s->db && (st = connect_to(s, false, err)))
        return st;
    if (mode == DATABASE_READ)
        return enter(s, SQL_BEGIN_READ, err);
    return (st = begin_log(s, err)) ? st : enter(s, SQL_BEGIN_APPEND, err);
}

/*
 * What was erased is still in the write-ahead log, and stays there as long as anybody has the
 * database open.  Who reads at this moment may need it: it goes with the next one then.
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
static se_status end(struct database *store, bool commit, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    se_status st = commit ? sqlite_run(s, SQL_COMMIT, err) : SE_OK;

    if (commit && !st) {
        s->made = false;
        st = check_there(s, err);
    }
    if (s->db && !sqlite3_get_autocommit(s->db) && sqlite_run(s, SQL_ROLLBACK, NULL))
        return st ? st : SE_ERR_IO;
    if (commit && !st && s->erased)
        empty_log(s);
    s->erased = false;
    return st;
}

const struct database_type sqlite_database = {
    .scheme = "sqlite:",
    .open = open_file,
    .close = close_file,
    .begin = begin,
    .end = end,
    .chain = sqlite_chain,
    .chains = sqlite_chains,
    .put_chain = sqlite_put_chain,
    .put_rows = sqlite_put_rows,
    .put_nodes = sqlite_put_nodes,
    .put_seal = sqlite_put_seal,
    .erase = sqlite_erase,
    .drop = sqlite_drop,
    .extent = sqlite_extent,
    .rows = sqlite_rows,
    .seals = sqlite_seals,
    .nodes = sqlite_nodes,
};
