/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from backups, and copies of keys. */
#include <openssl/err.h>
#include <stdio.h>

#include "crypto/certificate.h"
#include "keystore/keystore.h"
#include "provision/key_backup.h"
#include "provision/recovery.h"
#include "provision/vault_admin.h"

static bool is_vault(const struct target *target)
{
    return keystore_ops_find(target) == &vault_keystore_ops;
}

static se_status refuse_other_key(const struct backup_row *row, X509 *certificate, se_error *err)
{
    struct backup_row there = { .kind = "" };

    backup_row_fill(&there, certificate);
    return error_set(err, SE_ERR_FORMAT,
                     "the backup is of another key: %s, ID %s, '%s'; the key there is %s, ID %s, "
                     "'%s'; --force puts the other one there",
                     row->type, row->id, row->subject, there.type, there.id, there.subject);
}

/* With the certificate that the configuration or the store has, if any is left. */
static se_status compare_key(struct backup_row *row, const struct target *target, X509 *certificate,
                             bool force, se_error *err)
{
    AUTO(key) there = NULL;

    if (store_open(&there, &target->ref, PART_CERTIFICATE, NULL, NULL))
        return SE_OK;
    row->is_compared =
        EVP_PKEY_eq(X509_get0_pubkey(there->certificate), X509_get0_pubkey(certificate)) == 1;
    ERR_clear_error();
    return row->is_compared || force ? SE_OK : refuse_other_key(row, there->certificate, err);
}

/* `how`: but for what is imported. */
static se_status import_content(struct target *target, se_bytes content, const char *name,
                                const struct provision_import *how,
                                const struct provision_report *report, se_error *err)
{
    const se_buf no_password = SE_BUF_INIT;
    struct provision_import import = *how;

    import.file = content;
    import.name = name;
    import.password = &no_password;
    return provision_import(target, &import, report, err);
}

/* One restore under way. */
struct restoring {
    struct backup_row *row;
    struct target *target;
    const struct restore_wish *wish;
    const struct provision_report *report;
    struct recovery recovery;
    struct backup_content content;
};

static void restoring_free(struct restoring *r)
{
    recovery_free(&r->recovery);
    backup_content_free(&r->content);
}
AUTO_KIND(restoring, struct restoring, restoring_free(p))

static bool is_dry(const struct restore_wish *wish)
{
    return wish->consent && wish->consent->dry_run;
}

static struct provision_import import_of(const struct restore_wish *wish)
{
    return (struct provision_import){
        .usage = "",
        .force = wish->force,
        .consent = wish->consent,
        .is_exportable = wish->is_exportable,
    };
}

static se_status see_key(const struct restoring *r, X509 *certificate, se_error *err)
{
    backup_row_fill(r->row, certificate);
    r->row->is_opened = true;
    return compare_key(r->row, r->target, certificate, r->wish->force, err);
}

/* ---- from a text ---- */

static se_status restore_text(const struct restoring *r, se_bytes text, se_error *err)
{
    const struct provision_import how = import_of(r->wish);
    AUTO(imported_key) in = { .key = NULL };
    se_status st = key_text_read(&in, text, r->wish->name, err);

    if (!st)
        st = see_key(r, in.certificate, err);
    if (st || is_dry(r->wish))
        return error_prefix(err, st, "%s: ", r->target->text);
    return import_content(r->target, text, r->wish->name, &how, r->report, err);
}

/* ---- from what a token has wrapped ---- */

/* A failure of the token's is none of the backup's: software tells then. */
static se_status try_token(bool *takes_it, struct restoring *r, se_error *err)
{
    const struct keystore_ops *ops = keystore_ops_find(r->target);
    AUTO(keystore) keystore = NULL;

    *takes_it = false;
    if (!ops || !ops->try_wrapped)
        return SE_OK;
    TRY_PREFIX(ops->open(&keystore, r->target, ACCESS_USE, err), err, "%s: ", r->target->text);
    *takes_it = !recovery_try_token(&r->row->way, keystore, &r->content, &r->recovery, NULL);
    return SE_OK;
}

static se_status put_wrapped(const struct restoring *r, se_error *err)
{
    const struct wrapped_key *wrapped = &r->content.wrapped;
    const struct provision_import how = import_of(r->wish);
    X509 *own = sk_X509_value(wrapped->certificates, 0);
    AUTO(imported_key) in = { .key = wrapped_public_key(wrapped), .certificate = own };

    in.wrapped = wrapped;
    EVP_PKEY_up_ref(in.key);
    X509_up_ref(own);
    TRY(certificates_chain(&in.chain, own, wrapped->certificates, err));
    return provision_put_key(r->target, &in, &how, r->report, err);
}

/* The key is whole, and the certificate's: what the file says besides is only for people. */
static se_status open_unwrapped(se_buf *text, struct restoring *r, se_error *err)
{
    AUTO(imported_key) in = { .key = NULL };
    se_status st;

    TRY_PREFIX(key_text_unwrap(text, &r->content.wrapped, &r->recovery, r->content.reader, err),
               err, "'%s': ", r->wish->name);
    st = key_text_read(&in, buf_bytes(text), r->wish->name, err);
    if (st == SE_ERR_FORMAT)
        (void)error_prefix(err, st, "the backup was changed: ");
    return st == SE_ERR_FORMAT ? error_restate(err, SE_ERR_REJECTED) : st;
}

static se_status restore_unwrapped(struct restoring *r, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    r->row->way = "by this process, as `key import` does";
    TRY(open_unwrapped(&text, r, err));
    return restore_text(r, buf_bytes(&text), err);
}

/* AES-CBC notices no change, and a token may not use all of a key's numbers when it signs. */
static se_status check_unwrapped(struct restoring *r, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    r->row->way = "by the token, after this process had looked whether AES-CBC has hidden a change";
    return open_unwrapped(&text, r, err);
}

static se_status restore_wrapped(struct restoring *r, se_error *err)
{
    bool takes_it;
    se_status st;

    TRY(try_token(&takes_it, r, err));
    if (!takes_it)
        return restore_unwrapped(r, err);
    if (r->content.wrapped.wrapping == WRAPPING_CBC)
        TRY(check_unwrapped(r, err));
    st = see_key(r, sk_X509_value(r->content.wrapped.certificates, 0), err);
    if (st || is_dry(r->wish))
        return error_prefix(err, st, "%s: ", r->target->text);
    return put_wrapped(r, err);
}

static se_status restore_key(struct backup_row *row, struct target *target,
                             const struct restore_wish *wish, const struct provision_report *report,
                             se_error *err)
{
    AUTO(restoring) r = { .row = row, .target = target, .wish = wish, .report = report };

    TRY(recovery_open(&r.recovery, &wish->recovery, err));
    TRY_PREFIX(recovery_open_file(&r.content, wish->file, &r.recovery, err), err,
               "'%s': ", wish->name);
    row->is_wrapped = backup_is_wrapped(&r.content);
    return row->is_wrapped ? restore_wrapped(&r, err)
                           : restore_text(&r, buf_bytes(&r.content.text), err);
}

/* ---- from what a vault has encrypted ---- */

static se_status restore_vault_key(struct backup_row *row, const struct target *target,
                                   const struct restore_wish *wish, se_error *err)
{
    struct vault_object object;

    if (wish->recovery.count || wish->force || wish->is_exportable || is_dry(wish))
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is no backup for recovery certificates: --recovery, --force, "
                         "--exportable and --dry-run are not for one that a vault has made",
                         wish->name);
    TRY(vault_restore(&object, target, wish->file, wish->name, err));
    row->kind = object.kind;
    (void)snprintf(row->id, sizeof row->id, "%s", object.id);
    return SE_OK;
}

se_status provision_restore(struct backup_row *row, struct target *target,
                            const struct restore_wish *wish, const struct provision_report *report,
                            se_error *err)
{
    *row = (struct backup_row){ .kind = "" };
    if (vault_backup_is(wish->file) && !is_vault(target))
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is a backup that a vault has made, and only a vault restores it",
                         wish->name);
    return is_vault(target) && !backup_file_is(wish->file)
               ? restore_vault_key(row, target, wish, err)
               : restore_key(row, target, wish, report, err);
}

/* ---- copy ---- */

static se_status open_readable_key(struct key **out, const struct target *target, se_error *err)
{
    const struct keystore_ops *ops = keystore_ops_find(target);

    *out = NULL;
    if (!ops || !(ops->features & KEYSTORE_READABLE))
        return error_set(err, SE_ERR_USAGE,
                         "this key does not leave its %s in clear: one that is to have copies is "
                         "made in a file, and imported from there",
                         is_vault(target) ? "vault" : "token");
    return store_open(out, &target->ref, PART_SIGN, NULL, err);
}

/* Checked as what comes from a backup is. */
static se_status read_source(se_buf *out, const struct target *from, se_error *err)
{
    AUTO(key) key = NULL;
    AUTO(imported_key) read_back = { .key = NULL };

    TRY(open_readable_key(&key, from, err));
    TRY(key_text_write(out, key, err));
    return key_text_read(&read_back, buf_bytes(out), from->ref.location, err);
}

se_status provision_copy(struct target *to, const struct target *from,
                         const struct provision_import *how, const struct provision_report *report,
                         se_error *err)
{
    AUTO(se_buf) content = SE_BUF_INIT;

    TRY_PREFIX(read_source(&content, from, err), err, "%s: ", from->text);
    return import_content(to, buf_bytes(&content), from->ref.location, how, report, err);
}
