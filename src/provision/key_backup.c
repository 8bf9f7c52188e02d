/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/key_backup.h"

#include <openssl/err.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/keystore.h"
#include "provision/recovery.h"
#include "provision/vault_admin.h"

enum { CERTIFICATE_MOST = 1 << 20 };

/* ---- for whom ---- */

static se_status read_certificate(STACK_OF(X509) * into, const char *path, se_error *err)
{
    AUTO(x509_stack) all = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(file_read(&text, path, CERTIFICATE_MOST, err));
    TRY(certificates_read(&all, buf_bytes(&text), path, err));
    if (sk_X509_num(all) > 1) /* its CA's would open the backup, too */
        return error_set(err, SE_ERR_FORMAT,
                         "'%s' holds %d certificates: one recovery certificate in a file", path,
                         sk_X509_num(all));
    TRY_PREFIX(recovery_certificate_check(sk_X509_value(all, 0), err), err,
               "recovery certificate '%s': ", path);
    if (certificates_hold(into, sk_X509_value(all, 0)))
        return error_set(err, SE_ERR_USAGE, "recovery certificate '%s' is given twice", path);
    return sk_X509_push(into, sk_X509_value(all, 0)) && sk_X509_shift(all) ? SE_OK
                                                                           : error_memory(err);
}

static se_status check_threshold(const struct backup_wish *wish, se_error *err)
{
    if (!wish->threshold || (wish->threshold > 1 && wish->threshold <= wish->certificate_count))
        return SE_OK;
    return error_set(
        err, SE_ERR_USAGE,
        "--threshold %u with %zu recovery certificates: it is how many of them open the "
        "backup together, from 2",
        wish->threshold, wish->certificate_count);
}

static se_status read_recipients(STACK_OF(X509) * *out, const struct backup_wish *wish,
                                 se_error *err)
{
    AUTO(x509_stack) recipients = sk_X509_new_null();

    if (!recipients)
        return error_memory(err);
    if (!wish->certificate_count)
        return error_set(err, SE_ERR_USAGE,
                         "who is to open the backup? --to FILE, a recovery certificate");
    TRY(check_threshold(wish, err));
    for (size_t i = 0; i < wish->certificate_count; i++)
        TRY(read_certificate(recipients, wish->certificates[i], err));
    *out = MOVE(recipients);
    return SE_OK;
}

/* ---- a key that can be read ---- */

/* In clear, for whoever finds the file; nothing relies on it. */
static se_status write_title(struct writer *w, const struct target *target,
                             const struct backup_row *row, const STACK_OF(X509) * recipients,
                             se_error *err)
{
    char now[TIME_TEXT_ROOM], name[256], serial[64];

    text_copy(name, sizeof name, target->name, strlen(target->name));
    text_clean(name);
    writer_format(w, "signengine key backup 1\nkey: %s\nid: %s\ntype: %s\ncertificate: %s\n", name,
                  row->id, row->type, row->subject);
    writer_format(w, "time: %s\n", time_format(now, TIME_RFC3339, clock_seconds()));
    for (int i = 0; i < sk_X509_num(recipients); i++) {
        certificate_subject(name, sizeof name, sk_X509_value(recipients, i));
        certificate_serial(serial, sizeof serial, sk_X509_value(recipients, i));
        writer_format(w, "for: %s, serial %s\n", name, serial);
    }
    if (row->threshold)
        writer_format(w, "together: %u of %d\n", row->threshold, sk_X509_num(recipients));
    return w->failed ? error_memory(err) : SE_OK;
}

static se_status seal_content(se_buf *out, struct backup_row *row, const struct target *target,
                              const struct backup_content *content, STACK_OF(X509) * recipients,
                              se_error *err)
{
    const struct backup_readers readers = { recipients, row->threshold };
    AUTO(writer) title = { 0 };

    row->recipients = (size_t)sk_X509_num(recipients);
    TRY(write_title(&title, target, row, recipients, err));
    return backup_file_seal(out, content, writer_string(&title), &readers, err);
}

/* That it opens, and holds what was put into it. */
static se_status try_opening(struct backup_row *row, se_bytes file,
                             const struct recovery_targets *targets, se_bytes text, se_error *err)
{
    AUTO(recovery) recovery = { .count = 0 };
    AUTO(backup_content) opened = { .text = SE_BUF_INIT };

    if (!targets->count)
        return SE_OK;
    TRY(recovery_open(&recovery, targets, err));
    TRY(recovery_open_file(&opened, file, &recovery, err));
    if (opened.text.size != text.size || CRYPTO_memcmp(opened.text.data, text.data, text.size) != 0)
        return error_set(err, SE_ERR_CRYPTO, "the backup opens, and holds something else");
    row->is_opened = true;
    return SE_OK;
}

static se_status back_up_readable_key(se_buf *out, struct backup_row *row,
                                      const struct target *target, const struct backup_wish *wish,
                                      se_error *err)
{
    AUTO(x509_stack) recipients = NULL;
    AUTO(key) key = NULL;
    AUTO(imported_key) read_back = { .key = NULL };
    AUTO(backup_content) content = { .text = SE_BUF_INIT };

    if (wish->is_untried)
        return error_set(err, SE_ERR_USAGE, "--no-verify is for keys in tokens");
    TRY(read_recipients(&recipients, wish, err));
    TRY(store_open(&key, &target->ref, PART_SIGN, NULL, err));
    TRY(key_text_write(&content.text, key, err));
    TRY(key_text_read(&read_back, buf_bytes(&content.text), "the key", err));
    backup_row_fill(row, read_back.certificate);
    TRY(seal_content(out, row, target, &content, recipients, err));
    return try_opening(row, buf_bytes(out), &wish->recovery, buf_bytes(&content.text), err);
}

/* ---- a key that its token wraps ---- */

/* Shares are made here. */
static size_t choose_keys(EVP_PKEY *out[WRAPPED_MOST], const STACK_OF(X509) * recipients,
                          const struct backup_wish *wish)
{
    size_t count = 0;

    for (int i = 0; !wish->threshold && i < sk_X509_num(recipients); i++)
        out[count++] = X509_get0_pubkey(sk_X509_value(recipients, i));
    return count;
}

static se_status add_issuers(struct wrapped_key *wrapped, const STACK_OF(X509) * chain,
                             se_error *err)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (!sk_X509_push(wrapped->certificates, sk_X509_value(chain, i)))
            return error_memory(err);
        X509_up_ref(sk_X509_value(chain, i));
    }
    return SE_OK;
}

static se_status wrap_key(struct wrapped_key *out, struct keystore *keystore,
                          const STACK_OF(X509) * recipients, const struct backup_wish *wish,
                          se_error *err)
{
    EVP_PKEY *keys[WRAPPED_MOST];
    struct wrap_wish how = {
        .keys = keys,
        .names = wish->certificates,
        .count = choose_keys(keys, recipients, wish),
        .is_revealed = wish->threshold,
        .is_tried = !wish->is_untried,
    };
    AUTO(key) key = NULL;
    AUTO(key_pair) pair = { NULL, NULL };

    TRY(store_open(&key, &keystore->target->ref, PART_CERTIFICATE, NULL, err));
    TRY(keystore->ops->find(&pair, keystore, err));
    if (EVP_PKEY_eq(pair.public_key, X509_get0_pubkey(key->certificate)) != 1)
        return crypto_error(err, SE_ERR_KEY,
                            "the private key and its certificate do not belong together");
    how.certificate = key->certificate;
    TRY(keystore->ops->wrap_key(out, keystore, &how, err));
    return add_issuers(out, key->chain, err);
}

/* What a person has to know of the file that is made. */
static void note_wrapping(const struct target *target, const struct wrapped_key *wrapped)
{
    if (wrapped->file_key.size)
        target_note(target, "the file key was in the memory of this process for a moment: it is "
                            "there that shares are made");
    if (wrapped->wrapping == WRAPPING_CBC)
        target_note(target, "the token encrypts keys by AES-CBC only, which notices no change: of "
                            "the file's integrity somebody else has to take care");
}

/* By the token, so that the private key is in clear nowhere. */
static se_status try_unwrapping(struct backup_row *row, struct keystore *keystore, se_bytes file,
                                const struct recovery_targets *targets, se_error *err)
{
    AUTO(recovery) recovery = { .count = 0 };
    AUTO(backup_content) opened = { .text = SE_BUF_INIT };

    if (!targets->count)
        return SE_OK;
    TRY(recovery_open(&recovery, targets, err));
    TRY(recovery_open_file(&opened, file, &recovery, err));
    TRY(recovery_try_token(&row->way, keystore, &opened, &recovery, err));
    row->is_opened = true;
    return SE_OK;
}

static se_status back_up_token_key(se_buf *out, struct backup_row *row, const struct target *target,
                                   const struct backup_wish *wish, se_error *err)
{
    AUTO(x509_stack) recipients = NULL;
    AUTO(keystore) keystore = NULL;
    AUTO(backup_content) content = { .text = SE_BUF_INIT };

    TRY(read_recipients(&recipients, wish, err));
    TRY(keystore_ops_find(target)->open(&keystore, target, ACCESS_USE, err));
    TRY(wrap_key(&content.wrapped, keystore, recipients, wish, err));
    backup_row_fill(row, sk_X509_value(content.wrapped.certificates, 0));
    row->is_wrapped = true;
    note_wrapping(target, &content.wrapped);
    TRY(seal_content(out, row, target, &content, recipients, err));
    return try_unwrapping(row, keystore, buf_bytes(out), &wish->recovery, err);
}

/* ---- a key that its vault encrypts ---- */

static void fill_vault_row(struct backup_row *row, const struct vault_object *object)
{
    row->kind = object->kind;
    (void)snprintf(row->id, sizeof row->id, "%s", object->id);
}

static se_status back_up_vault_key(se_buf *out, struct backup_row *row, const struct target *target,
                                   const struct backup_wish *wish, se_error *err)
{
    struct vault_object object;

    if (wish->certificate_count || wish->recovery.count || wish->threshold || wish->is_untried)
        return error_set(
            err, SE_ERR_USAGE,
            "a vault's key never leaves it in clear: the vault encrypts the backup "
            "itself, and --to, --threshold, --recovery and --no-verify are not for it");
    TRY(vault_backup(out, &object, target, err));
    fill_vault_row(row, &object);
    return SE_OK;
}

se_status provision_backup(se_buf *out, struct backup_row *row, const struct target *target,
                           const struct backup_wish *wish, se_error *err)
{
    const struct keystore_ops *ops = keystore_ops_find(target);
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    *row = (struct backup_row){ .kind = "", .threshold = wish->threshold };
    if (ops == &vault_keystore_ops)
        return back_up_vault_key(out, row, target, wish, err);
    if (!ops)
        st = error_set(err, SE_ERR_USAGE, "keys in '%s' have no backup", target->ref.store);
    else
        st = (ops->features & KEYSTORE_READABLE ? back_up_readable_key
                                                : back_up_token_key)(out, row, target, wish, err);
    if (st)
        se_buf_free(out);
    return error_prefix(err, st, "%s: ", target->text);
}
