/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/key_backup.h"

#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem_text.h"
#include "keystore/keystore.h"
#include "provision/backup_file.h"
#include "provision/import.h"
#include "provision/keystore.h"
#include "provision/vault_admin.h"

enum { CERTIFICATE_MOST = 1 << 20, ID_TEXT = 2 * PUBLIC_ID + 1 };

AUTO_KIND(encoder, OSSL_ENCODER_CTX *, OSSL_ENCODER_CTX_free(*p))
AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

/* ---- what is in a backup: a PEM text, as `key import` takes it ---- */

/* Straight into memory that is wiped: EVP_PKEY2PKCS8() leaves a copy behind. */
static bool write_key(BIO *out, EVP_PKEY *key)
{
    AUTO(encoder) encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);

    return encoder && OSSL_ENCODER_to_bio(encoder, out);
}

static se_status write_content(se_buf *out, const struct key *key, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    bool is_written =
        bio && write_key(bio, key->private) && PEM_write_bio_X509(bio, key->certificate);
    char *text;
    long size;

    for (int i = 0; is_written && i < sk_X509_num(key->chain); i++)
        is_written = PEM_write_bio_X509(bio, sk_X509_value(key->chain, i));
    if (!is_written)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the key in PEM");
    size = BIO_get_mem_data(bio, &text);
    return buf_copy(out, (se_bytes){ text, (size_t)size }, err);
}

/* As a restore reads it.  A key that is not whole would sign wrongly, and a single faulty signature
 * may give it away. */
static se_status read_content(struct imported_key *out, se_bytes content, const char *name,
                              se_error *err)
{
    const se_buf no_password = SE_BUF_INIT;
    const struct provision_import import = {
        .file = content,
        .name = name,
        .password = &no_password,
    };
    AUTO(pkey_ctx) check = NULL;

    TRY(imported_key_read(out, &import, err));
    check = EVP_PKEY_CTX_new_from_pkey(crypto_context(), out->key, NULL);
    if (check && EVP_PKEY_check(check) == 1)
        return SE_OK;
    return crypto_error(err, SE_ERR_FORMAT, "'%s': the private key is not whole", name);
}

static void id_text(char out[ID_TEXT], EVP_PKEY *key)
{
    unsigned char id[PUBLIC_ID];

    *out = '\0';
    if (key_public_id(id, key, NULL))
        return;
    for (size_t i = 0; i < sizeof id; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", id[i]);
}

static void fill_row(struct backup_row *row, X509 *certificate)
{
    row->kind = "key";
    id_text(row->id, X509_get0_pubkey(certificate));
    key_type_name(row->type, X509_get0_pubkey(certificate));
    certificate_subject(row->subject, sizeof row->subject, certificate);
}

static void fill_vault_row(struct backup_row *row, const struct vault_object *object)
{
    row->kind = object->kind;
    (void)snprintf(row->id, sizeof row->id, "%s", object->id);
}

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

static se_status read_recipients(STACK_OF(X509) * *out, const struct backup_wish *wish,
                                 se_error *err)
{
    AUTO(x509_stack) recipients = sk_X509_new_null();

    if (!recipients)
        return error_memory(err);
    if (!wish->certificate_count)
        return error_set(err, SE_ERR_USAGE,
                         "who is to open the backup? --to FILE, a recovery certificate");
    for (size_t i = 0; i < wish->certificate_count; i++)
        TRY(read_certificate(recipients, wish->certificates[i], err));
    *out = MOVE(recipients);
    return SE_OK;
}

static se_status open_recovery_key(struct key **out, const struct target *recovery, se_error *err)
{
    se_status st = SE_OK;

    *out = NULL;
    if (recovery)
        st = store_open(out, &recovery->ref, PART_DECRYPT, NULL, err);
    if (st == SE_ERR_ACCESS)
        (void)error_suffix(err, st, " (--recovery-pin-source)");
    return error_prefix(err, st, "recovery key: ");
}

/* ---- backup ---- */

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
    return w->failed ? error_memory(err) : SE_OK;
}

static bool is_vault(const struct target *target)
{
    return keystore_ops_find(target) == &vault_keystore_ops;
}

static se_status open_readable_key(struct key **out, const struct target *target, se_error *err)
{
    const struct keystore_ops *ops = keystore_ops_find(target);

    *out = NULL;
    if (!ops || !(ops->features & KEYSTORE_READABLE))
        return error_set(err, SE_ERR_USAGE,
                         "this key does not leave its %s: one that is to have a backup or a copy "
                         "is made in a file, and imported from there",
                         is_vault(target) ? "vault" : "token");
    return store_open(out, &target->ref, PART_SIGN, NULL, err);
}

/* That it opens, and holds what was put into it. */
static se_status try_opening(se_bytes file, const struct target *recovery, se_bytes content,
                             se_error *err)
{
    AUTO(key) key = NULL;
    AUTO(se_buf) opened = SE_BUF_INIT;

    TRY(open_recovery_key(&key, recovery, err));
    TRY(backup_file_open(&opened, file, key, err));
    if (opened.size != content.size || CRYPTO_memcmp(opened.data, content.data, content.size) != 0)
        return error_set(err, SE_ERR_CRYPTO, "the backup opens, and holds something else");
    return SE_OK;
}

static se_status seal_key(se_buf *out, struct backup_row *row, const struct target *target,
                          const struct backup_wish *wish, se_error *err)
{
    AUTO(x509_stack) recipients = NULL;
    AUTO(key) key = NULL;
    AUTO(imported_key) read_back = { .key = NULL };
    AUTO(se_buf) content = SE_BUF_INIT;
    AUTO(writer) title = { 0 };

    TRY(read_recipients(&recipients, wish, err));
    TRY(open_readable_key(&key, target, err));
    TRY(write_content(&content, key, err));
    TRY(read_content(&read_back, buf_bytes(&content), "the key", err));
    fill_row(row, read_back.certificate);
    row->recipients = wish->certificate_count;
    TRY(write_title(&title, target, row, recipients, err));
    TRY(backup_file_seal(out, buf_bytes(&content), writer_string(&title), recipients, err));
    if (wish->recovery)
        TRY(try_opening(buf_bytes(out), wish->recovery, buf_bytes(&content), err));
    row->is_opened = wish->recovery;
    return SE_OK;
}

static se_status back_up_vault_key(se_buf *out, struct backup_row *row, const struct target *target,
                                   const struct backup_wish *wish, se_error *err)
{
    struct vault_object object;

    if (wish->certificate_count || wish->recovery)
        return error_set(err, SE_ERR_USAGE,
                         "a vault's key never leaves it in clear: the vault encrypts the backup "
                         "itself, and --to and --recovery are not for it");
    TRY(vault_backup(out, &object, target, err));
    fill_vault_row(row, &object);
    return SE_OK;
}

se_status provision_backup(se_buf *out, struct backup_row *row, const struct target *target,
                           const struct backup_wish *wish, se_error *err)
{
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    *row = (struct backup_row){ .kind = "" };
    if (is_vault(target))
        return back_up_vault_key(out, row, target, wish, err);
    st = seal_key(out, row, target, wish, err);
    if (st)
        se_buf_free(out);
    return error_prefix(err, st, "%s: ", target->text);
}

/* ---- restore ---- */

static se_status refuse_other_key(const struct backup_row *row, X509 *certificate, se_error *err)
{
    struct backup_row there = { .kind = "" };

    fill_row(&there, certificate);
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

static se_status check_content(struct backup_row *row, const struct target *target,
                               const struct restore_wish *wish, se_bytes content, se_error *err)
{
    AUTO(imported_key) in = { .key = NULL };

    TRY(read_content(&in, content, wish->name, err));
    fill_row(row, in.certificate);
    row->is_opened = true;
    return compare_key(row, target, in.certificate, wish->force, err);
}

static se_status open_backup(se_buf *out, const struct restore_wish *wish, se_error *err)
{
    AUTO(key) key = NULL;

    TRY(open_recovery_key(&key, wish->recovery, err));
    TRY_PREFIX(backup_file_open(out, wish->file, key, err), err, "'%s': ", wish->name);
    return SE_OK;
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

static se_status restore_key(struct backup_row *row, struct target *target,
                             const struct restore_wish *wish, const struct provision_report *report,
                             se_error *err)
{
    const struct provision_import how = {
        .usage = "",
        .force = wish->force,
        .consent = wish->consent,
    };
    AUTO(se_buf) content = SE_BUF_INIT;
    se_status st;

    TRY(open_backup(&content, wish, err));
    st = check_content(row, target, wish, buf_bytes(&content), err);
    if (st)
        return error_prefix(err, st, "%s: ", target->text);
    if (wish->consent && wish->consent->dry_run)
        return SE_OK;
    return import_content(target, buf_bytes(&content), wish->name, &how, report, err);
}

static se_status restore_vault_key(struct backup_row *row, const struct target *target,
                                   const struct restore_wish *wish, se_error *err)
{
    struct vault_object object;

    if (wish->recovery || wish->force || (wish->consent && wish->consent->dry_run))
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is no backup for recovery certificates: --recovery, --force and "
                         "--dry-run are not for one that a vault has made",
                         wish->name);
    TRY(vault_restore(&object, target, wish->file, wish->name, err));
    fill_vault_row(row, &object);
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

/* Checked as what comes from a backup is. */
static se_status read_source(se_buf *out, const struct target *from, se_error *err)
{
    AUTO(key) key = NULL;
    AUTO(imported_key) read_back = { .key = NULL };

    TRY(open_readable_key(&key, from, err));
    TRY(write_content(out, key, err));
    return read_content(&read_back, buf_bytes(out), from->ref.location, err);
}

se_status provision_copy(struct target *to, const struct target *from,
                         const struct provision_import *how, const struct provision_report *report,
                         se_error *err)
{
    AUTO(se_buf) content = SE_BUF_INIT;

    TRY_PREFIX(read_source(&content, from, err), err, "%s: ", from->text);
    return import_content(to, buf_bytes(&content), from->ref.location, how, report, err);
}
