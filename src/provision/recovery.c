/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/recovery.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/base64.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "crypto/pkey_ops.h"
#include "keystore/keystore.h"
#include "provision/file_keystore.h"

enum { ID_TEXT = 2 * PUBLIC_ID + 1 };

AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

/* ---- recovery keys ---- */

void recovery_free(struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->count; i++)
        key_unref(recovery->keys[i]);
    *recovery = (struct recovery){ .count = 0 };
}

se_status recovery_open(struct recovery *out, const struct recovery_targets *targets, se_error *err)
{
    AUTO(recovery) recovery = { .count = 0 };
    se_status st = SE_OK;

    *out = (struct recovery){ .count = 0 };
    if (targets->count > BACKUP_READERS_MOST)
        return error_set(err, SE_ERR_USAGE, "more than %d recovery keys", BACKUP_READERS_MOST);
    for (size_t i = 0; !st && i < targets->count; i++) {
        recovery.places[i] = &targets->list[i]->ref;
        st = store_open(&recovery.keys[i], recovery.places[i], PART_DECRYPT, NULL, err);
        recovery.count += !st;
    }
    if (st == SE_ERR_ACCESS)
        (void)error_suffix(err, st, " (--recovery-pin-source)");
    if (st)
        return error_prefix(err, st, "recovery key: ");
    *out = MOVE(recovery);
    return SE_OK;
}

se_status recovery_open_file(struct backup_content *out, se_bytes file,
                             const struct recovery *recovery, se_error *err)
{
    const struct recovery_keys keys = { (const struct key *const *)recovery->keys,
                                        recovery->count };

    return backup_file_open(out, file, &keys, err);
}

/* ---- the text of a key ---- */

se_status key_text_write(se_buf *out, const struct key *key, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    bool is_written =
        bio && key_write_plain(bio, key->private) && PEM_write_bio_X509(bio, key->certificate);
    char *text;
    long size;

    for (int i = 0; is_written && i < sk_X509_num(key->chain); i++)
        is_written = PEM_write_bio_X509(bio, sk_X509_value(key->chain, i));
    if (!is_written)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the key in PEM");
    size = BIO_get_mem_data(bio, &text);
    return buf_copy(out, (se_bytes){ text, (size_t)size }, err);
}

se_status key_text_read(struct imported_key *out, se_bytes content, const char *name, se_error *err)
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

void backup_row_fill(struct backup_row *row, X509 *certificate)
{
    row->kind = "key";
    id_text(row->id, X509_get0_pubkey(certificate));
    key_type_name(row->type, X509_get0_pubkey(certificate));
    certificate_subject(row->subject, sizeof row->subject, certificate);
}

/* ---- a key that its token has wrapped ---- */

/* Unless it took several to open the file, and it is known. */
static se_status open_file_key(struct wrapped_key *wrapped, const struct recovery *recovery,
                               size_t reader, se_error *err)
{
    if (wrapped->file_key.size)
        return SE_OK;
    TRY_PREFIX(key_unwrap(&wrapped->file_key, recovery->keys[reader]->private, &wrapped->oaep,
                          buf_bytes(&wrapped->sealed[0]), err),
               err, "the file key of the backup: ");
    if (wrapped->file_key.size == FILE_KEY)
        return SE_OK;
    se_buf_free(&wrapped->file_key);
    return error_set(err, SE_ERR_FORMAT, "the file key of the backup has not %d bytes", FILE_KEY);
}

static se_status write_certificates(struct writer *w, const STACK_OF(X509) * certificates,
                                    se_error *err)
{
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        unsigned char *der = NULL;
        const int size = i2d_X509(sk_X509_value(certificates, i), &der);

        if (size <= 0)
            return error_memory(err);
        writer_pem(w, "CERTIFICATE", (se_bytes){ der, (size_t)size });
        OPENSSL_free(der);
    }
    return SE_OK;
}

se_status key_text_unwrap(se_buf *out, struct wrapped_key *wrapped, const struct recovery *recovery,
                          size_t reader, se_error *err)
{
    AUTO(se_buf) key = SE_BUF_INIT;
    AUTO(writer) w = { 0 };

    *out = (se_buf)SE_BUF_INIT;
    TRY(open_file_key(wrapped, recovery, reader, err));
    TRY(wrapped_key_open(&key, wrapped, err));
    writer_pem(&w, "PRIVATE KEY", buf_bytes(&key));
    TRY(write_certificates(&w, wrapped->certificates, err));
    return writer_finish(out, &w, err);
}

se_status recovery_try_token(const char **way, struct keystore *keystore,
                             struct backup_content *content, const struct recovery *recovery,
                             se_error *err)
{
    struct wrapped_key *wrapped = &content->wrapped;

    *way = "inside the token, by the recovery key that is in it";
    if (!wrapped->file_key.size) {
        wrapped->reader = recovery->places[content->reader];
        if (!keystore->ops->try_wrapped(keystore, wrapped, NULL))
            return SE_OK;
    }
    *way = "by the token; of the backup only its file key was in clear, in this process";
    TRY(open_file_key(wrapped, recovery, content->reader, err));
    return keystore->ops->try_wrapped(keystore, wrapped, err);
}
