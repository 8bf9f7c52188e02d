/* SPDX-License-Identifier: Apache-2.0 */
/* The backup of one key or certificate as a file (doc/formats.md), and back into a vault. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "provision/azure/session.h"

#define FIRST_LINE "signengine vault backup 1"

enum { FREEING_MS = 30000, VALUE_ROOM = 512, DIGEST_TEXT = 2 * SHA256_SIZE + 1 };

/* ---- the file ---- */

struct backup_header {
    char store[VALUE_ROOM], vault[VALUE_ROOM], kind[VALUE_ROOM], name[VALUE_ROOM], time[VALUE_ROOM],
        sha256[VALUE_ROOM];
};

/* The lines in their order. */
static const struct {
    const char *name;
    size_t offset;
} header_lines[] = {
    { "store", offsetof(struct backup_header, store) },
    { "vault", offsetof(struct backup_header, vault) },
    { "kind", offsetof(struct backup_header, kind) },
    { "name", offsetof(struct backup_header, name) },
    { "time", offsetof(struct backup_header, time) },
    { "sha256", offsetof(struct backup_header, sha256) },
};
enum { HEADER_LINES = sizeof header_lines / sizeof *header_lines };

static se_status digest_blob(char out[DIGEST_TEXT], se_bytes blob, se_error *err)
{
    unsigned char digest[SHA256_SIZE];

    TRY(crypto_sha256(digest, &blob, 1, err));
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return SE_OK;
}

static void write_file(struct writer *w, const struct backup_header *header, se_bytes blob)
{
    writer_text(w, FIRST_LINE "\n");
    for (size_t i = 0; i < HEADER_LINES; i++)
        writer_format(w, "%s: %s\n", header_lines[i].name,
                      (const char *)header + header_lines[i].offset);
    writer_text(w, "\n");
    writer_put(w, blob.data, blob.size);
    writer_text(w, "\n");
}

/* Up to the end of a line, which goes too; false: there is none. */
static bool take_line(se_bytes *line, se_bytes *rest)
{
    const char *begin = rest->data, *end = rest->size ? memchr(begin, '\n', rest->size) : NULL;

    if (!end)
        return false;
    *line = (se_bytes){ begin, (size_t)(end - begin) };
    *rest = (se_bytes){ end + 1, rest->size - line->size - 1 };
    return true;
}

static bool take_header_line(struct backup_header *out, size_t i, se_bytes *rest)
{
    const char *name = header_lines[i].name;
    const size_t skip = strlen(name) + 2;
    char *value = (char *)out + header_lines[i].offset;
    se_bytes line;

    if (!take_line(&line, rest) || line.size <= skip || line.size - skip >= VALUE_ROOM ||
        strncmp(line.data, name, skip - 2) != 0 ||
        strncmp((const char *)line.data + skip - 2, ": ", 2) != 0)
        return false;
    memcpy(value, (const char *)line.data + skip, line.size - skip);
    value[line.size - skip] = '\0';
    text_clean(value);
    return true;
}

static bool is_blob(se_bytes blob)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_";
    const char *p = blob.data;

    for (size_t i = 0; i < blob.size; i++)
        if (!p[i] || !strchr(letters, p[i]))
            return false;
    return blob.size;
}

static se_status check_blob(const struct backup_header *header, se_bytes blob, se_error *err)
{
    char digest[DIGEST_TEXT];

    TRY(digest_blob(digest, blob, err));
    if (strcmp(digest, header->sha256) != 0)
        return error_set(err, SE_ERR_FORMAT,
                         "the backup is damaged: its SHA-256 is %s, and its header says %.64s",
                         digest, header->sha256);
    return SE_OK;
}

static bool take_first_line(se_bytes *rest)
{
    se_bytes line;

    return take_line(&line, rest) && line.size == strlen(FIRST_LINE) &&
           strncmp(line.data, FIRST_LINE, line.size) == 0;
}

bool vault_backup_is(se_bytes file)
{
    return take_first_line(&file);
}

static se_status read_file(struct backup_header *out, se_bytes *blob, se_bytes file, se_error *err)
{
    se_bytes line, rest = file;

    if (!take_first_line(&rest))
        return error_set(err, SE_ERR_FORMAT,
                         "no backup that `key backup` has made: it does not begin with '%s'",
                         FIRST_LINE);
    for (size_t i = 0; i < HEADER_LINES; i++)
        if (!take_header_line(out, i, &rest))
            return error_set(err, SE_ERR_FORMAT,
                             "the backup's header is damaged: line %zu does not begin with '%s: '",
                             i + 2, header_lines[i].name);
    if (!take_line(&line, &rest) || line.size || !take_line(blob, &rest) || rest.size ||
        !is_blob(*blob))
        return error_set(err, SE_ERR_FORMAT,
                         "the backup is damaged: behind the header come an empty line and one line "
                         "of base64url");
    return check_blob(out, *blob, err);
}

/* ---- backup ---- */

static void fill_header(struct backup_header *header, const struct vault_session *s)
{
    char now[TIME_TEXT_ROOM];

    (void)snprintf(header->store, VALUE_ROOM, "%s", s->target->ref.store);
    (void)snprintf(header->vault, VALUE_ROOM, "%s", vault_place(s->vault)->base);
    (void)snprintf(header->kind, VALUE_ROOM, "%s", s->kind);
    (void)snprintf(header->name, VALUE_ROOM, "%s", s->name);
    (void)snprintf(header->time, VALUE_ROOM, "%s", time_format(now, TIME_RFC3339, clock_seconds()));
}

static se_status make_backup(se_buf *out, const struct vault_session *s, se_error *err)
{
    const struct vault_call call = {
        .method = "POST",
        .verb = "back up",
        .below = "backup",
        .is_repeatable = true,
    };
    struct backup_header header;
    AUTO(json) json = NULL;
    AUTO(writer) w = { 0 };
    se_bytes blob;

    TRY(vault_session_fetch(&json, s, &call, err));
    blob = text_bytes(member_text(json, "value"));
    if (!is_blob(blob))
        return vault_context(
            s->vault, error_set(err, SE_ERR_STORE, "what it gives as a backup is no base64url"),
            err);
    fill_header(&header, s);
    TRY(digest_blob(header.sha256, blob, err));
    write_file(&w, &header, blob);
    return writer_finish(out, &w, err);
}

se_status vault_backup(se_buf *out, struct vault_object *object, const struct target *target,
                       se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };

    *out = (se_buf)SE_BUF_INIT;
    *object = (struct vault_object){ .kind = "" };
    TRY(vault_session_open(&session, target, VAULT_STORES_ALL, "key backup", err));
    TRY(make_backup(out, &session, err));
    object->kind = session.kind;
    (void)snprintf(object->id, sizeof object->id, "%s/%s/%s", vault_place(session.vault)->base,
                   session.collection, session.name);
    return SE_OK;
}

/* ---- restore ---- */

/* The service restores under the old name, whatever it is asked for. */
static se_status check_header(const struct vault_session *s, const struct backup_header *header,
                              se_error *err)
{
    if (strcmp(header->store, s->target->ref.store) != 0)
        return error_set(err, SE_ERR_USAGE, "a backup of %s, which %s can't restore", header->store,
                         s->target->ref.store);
    if (strcmp(header->kind, s->kind) != 0)
        return error_set(err, SE_ERR_USAGE,
                         "the backup of a %s, and the configuration's alias names a %s",
                         header->kind, s->kind);
    if (strcmp(header->name, s->name) != 0)
        return error_set(err, SE_ERR_USAGE,
                         "the backup of %s '%s', not of '%s': a vault restores it under its old "
                         "name only",
                         header->kind, header->name, s->name);
    return SE_OK;
}

/* A role that only restores may not look: then the vault itself refuses. */
static se_status pass_unseen(bool *is_seen, se_status st, const se_error *failure, se_error *err)
{
    *is_seen = false;
    return st == SE_ERR_ACCESS ? SE_OK : error_copy(err, st, failure);
}

static se_status check_live(bool *is_seen, const struct vault_session *s, se_error *err)
{
    se_error failure = SE_ERROR_INIT;
    AUTO(json) json = NULL;
    struct vault_object object;
    char date[TIME_TEXT_ROOM];
    se_status st = vault_session_find(&json, s, NULL, &failure);

    if (st)
        return pass_unseen(is_seen, st, &failure, err);
    if (!json)
        return SE_OK;
    vault_object_read(&object, s, json);
    return error_set(err, SE_ERR_IO,
                     "there is one already: %s, made on %s; `key delete` and `key purge` make room",
                     object.id,
                     time_format(date, TIME_DATE,
                                 member_number(json_object_get(json, "attributes"), "created")));
}

static se_status check_deleted(bool *is_seen, const struct vault_session *s, se_error *err)
{
    se_error failure = SE_ERROR_INIT;
    AUTO(json) json = NULL;
    char date[TIME_TEXT_ROOM];
    se_status st = vault_session_find_deleted(&json, s, &failure);

    if (st)
        return pass_unseen(is_seen, st, &failure, err);
    if (!json)
        return SE_OK;
    return error_set(err, SE_ERR_IO,
                     "a deleted %s has the name until %s: `key recover` takes it back, `key purge` "
                     "makes room",
                     s->kind,
                     time_format(date, TIME_DATE, member_number(json, "scheduledPurgeDate")));
}

static void note_origin(const struct vault_session *s, const struct backup_header *header)
{
    if (strcmp(header->vault, vault_place(s->vault)->base) != 0)
        target_note(s->target,
                    "the backup is of another vault, %s, made on %s: the certificate and the "
                    "roles of the key do not come with it",
                    header->vault, header->time);
}

/* *is_taken: the name is not free. */
static se_status send_blob(struct vault_object *out, bool *is_taken, const struct vault_session *s,
                           se_bytes blob, se_error *err)
{
    AUTO(vault_reply) reply = { .json = NULL };
    AUTO(writer) body = { 0 };
    AUTO(writer) path = { 0 };
    AUTO(writer) what = { 0 };
    struct vault_call call = {
        .method = "POST",
        .body = &body,
        .accepted = { HTTP_CONFLICT },
    };

    writer_format(&path, "/%s/restore", s->collection);
    writer_format(&what, "restore %s '%s'", s->kind, s->name);
    writer_text(&body, "{\"value\":\"");
    writer_put(&body, blob.data, blob.size);
    writer_text(&body, "\"}");
    if (path.failed || what.failed)
        return error_memory(err);
    call.path = writer_string(&path);
    call.verb = writer_string(&what);
    TRY(vault_session_call(&reply, s, &call, err));
    *is_taken = reply.answer.status == HTTP_CONFLICT;
    if (*is_taken) {
        (void)vault_session_failure(&reply, s, &call, err);
        return error_restate(err, SE_ERR_IO);
    }
    vault_object_read(out, s, reply.json);
    return SE_OK;
}

/* A name that was purged is not free at once, although nothing has it any more. */
static se_status restore_blob(struct vault_object *out, const struct vault_session *s,
                              se_bytes blob, bool is_free, se_error *err)
{
    struct vault_poll poll = { .until = clock_monotonic_ms() + FREEING_MS };
    se_error failure = SE_ERROR_INIT;
    bool is_taken = false;
    se_status st;

    while ((st = send_blob(out, &is_taken, s, blob, &failure)) && is_taken && is_free &&
           vault_poll_wait(&poll))
        failure = (se_error)SE_ERROR_INIT;
    return st ? error_copy(err, st, &failure) : SE_OK;
}

se_status vault_restore(struct vault_object *out, const struct target *target, se_bytes file,
                        const char *name, se_error *err)
{
    AUTO(vault_session) session = { .vault = NULL };
    struct backup_header header;
    se_bytes blob;
    bool is_seen = true;

    *out = (struct vault_object){ .kind = "" };
    TRY(vault_session_open(&session, target, VAULT_STORES_ALL, "key restore", err));
    TRY_PREFIX(read_file(&header, &blob, file, err), err, "'%s': ", name);
    TRY_PREFIX(check_header(&session, &header, err), err, "'%s': ", name);
    TRY(check_live(&is_seen, &session, err));
    TRY(check_deleted(&is_seen, &session, err));
    note_origin(&session, &header);
    return restore_blob(out, &session, blob, is_seen, err);
}
