/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/file_keystore.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/listing.h"
#include "provision/x509_build.h"

AUTO_KIND(encoder, OSSL_ENCODER_CTX *, OSSL_ENCODER_CTX_free(*p))

/* ---- files ---- */

se_status key_file_read(se_buf *out, const char *path, se_error *err)
{
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (access(path, F_OK) && errno == ENOENT)
        return SE_OK;
    st = file_read(out, path, BUNDLE_FILE_LIMIT, err);
    return st == SE_ERR_FORMAT ? error_restate(err, SE_ERR_STORE) : st;
}

bool key_write_plain(BIO *out, EVP_PKEY *key)
{
    AUTO(encoder) encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL);

    return encoder && OSSL_ENCODER_to_bio(encoder, out);
}

se_status key_file_write(const char *path, se_bytes content, se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;

    TRY(output_open(&out, path, 0600, err));
    TRY(output_write(&out, content, err));
    return output_commit(&out, err);
}

se_status key_file_remove(const char *path, se_error *err)
{
    if (unlink(path))
        return error_set(err, SE_ERR_IO, "cannot remove '%s': %s", path, strerror(errno));
    return SE_OK;
}

/* ---- keys ---- */

void file_keystore_release(struct file_keystore *file)
{
    se_buf_free(&file->pin);
    bundle_free(&file->bundle);
    EVP_PKEY_free(file->key);
    sk_X509_pop_free(file->certificates, X509_free);
}

/* Both halves are `key`, which is counted. */
static void pair_from_key(struct key_pair *out, EVP_PKEY *key)
{
    EVP_PKEY_up_ref(key);
    EVP_PKEY_up_ref(key);
    *out = (struct key_pair){ key, key };
}

se_status file_keystore_find(struct key_pair *out, struct keystore *keystore, se_error *err)
{
    const struct file_keystore *file = (const struct file_keystore *)keystore;
    const struct bundle_key *key;

    TRY(bundle_choose(&key, &file->bundle, file->alias, err));
    if (!key)
        return error_set(err, SE_ERR_KEY, "there is no private key");
    if (!key->key)
        return error_set_at(err, key->why.status, key->why.file, key->why.line, "%s",
                            key->why.text);
    pair_from_key(out, key->key);
    return SE_OK;
}

/* Its uses are what its certificate says. */
se_status file_keystore_generate(struct key_pair *out, struct keystore *keystore,
                                 const struct key_profile *profile, se_error *err)
{
    struct file_keystore *file = (struct file_keystore *)keystore;
    const struct key_type *type = &profile->type;

    if (type->family == FAMILY_RSA)
        file->key = EVP_PKEY_Q_keygen(crypto_context(), NULL, "RSA", (size_t)type->bits);
    else
        file->key = EVP_PKEY_Q_keygen(crypto_context(), NULL, "EC", type->group);
    if (!file->key)
        return crypto_error(err, SE_ERR_CRYPTO, "generating the key pair");
    pair_from_key(out, file->key);
    return SE_OK;
}

se_status file_keystore_put_key(struct keystore *keystore, EVP_PKEY *key,
                                const struct key_profile *profile, se_error *err)
{
    (void)profile;
    (void)err;
    EVP_PKEY_up_ref(key);
    ((struct file_keystore *)keystore)->key = key;
    return SE_OK;
}

se_status certificates_join(STACK_OF(X509) * *into, const STACK_OF(X509) * more, se_error *err)
{
    for (int i = 0; i < sk_X509_num(more); i++) {
        X509 *certificate = sk_X509_value(more, i);

        if (certificates_hold(*into, certificate))
            continue;
        if ((!*into && !(*into = sk_X509_new_null())) || !sk_X509_push(*into, certificate))
            return error_memory(err);
        X509_up_ref(certificate);
    }
    return SE_OK;
}

/* ---- listing ---- */

static const char *friendly_name(X509 *certificate)
{
    const unsigned char *alias = X509_alias_get0(certificate, NULL);

    return alias ? (const char *)alias : "";
}

static void list_certificate(const struct provision_report *report, X509 *certificate,
                             const unsigned char id[PUBLIC_ID], bool known)
{
    listing_key(report, &(struct listing_row){ .label = friendly_name(certificate),
                                               .id = { id, known ? PUBLIC_ID : 0 },
                                               .public_key = X509_get0_pubkey(certificate),
                                               .type = "unknown",
                                               .certificate = certificate });
}

static void list_key(const struct provision_report *report, const char *label,
                     const struct bundle_key *key, X509 *certificate)
{
    unsigned uses = certificate ? certificate_uses(certificate) : USE_SIGN | USE_ENCRYPT;
    unsigned char id[PUBLIC_ID];
    bool known = key->key && !key_public_id(id, key->key, NULL);

    listing_key(report, &(struct listing_row){
                            .label = label,
                            .id = known ? (se_bytes){ id, sizeof id } : buf_bytes(&key->id),
                            .public_key = key->key,
                            .type = "unknown",
                            .certificate = certificate,
                            .has_private = true,
                            .may_sign = key->key && uses & USE_SIGN,
                            .may_leave = key->key,
                            .may_decrypt = key->key && uses & USE_ENCRYPT &&
                                           key_family(key->key) == FAMILY_RSA,
                        });
}

static bool belongs_to_key(const struct bundle *bundle, X509 *certificate)
{
    for (size_t i = 0; i < bundle->count; i++)
        if ((bundle->keys[i]->key &&
             EVP_PKEY_eq(bundle->keys[i]->key, X509_get0_pubkey(certificate)) == 1) ||
            bundle_certificate(bundle, bundle->keys[i]) == certificate)
            return true;
    return false;
}

void file_keystore_list(const struct bundle *bundle, const struct bundle_key *only,
                        const char *name, const struct provision_report *report)
{
    char handle[BUNDLE_HANDLE];
    unsigned char id[PUBLIC_ID];

    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_key *key = bundle->keys[i];

        if (only && key != only)
            continue;
        bundle_handle(handle, bundle, key);
        list_key(report, name ? name : handle, key, bundle_certificate(bundle, key));
    }
    for (int i = 0; !only && i < sk_X509_num(bundle->certificates); i++) {
        X509 *certificate = sk_X509_value(bundle->certificates, i);
        EVP_PKEY *public_key = X509_get0_pubkey(certificate);

        if (!belongs_to_key(bundle, certificate))
            list_certificate(report, certificate, id,
                             public_key && !key_public_id(id, public_key, NULL));
    }
    ERR_clear_error();
}

/* ---- memory: what OpenSSL releases is wiped in programs that make keys ---- */

static void *take_memory(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void *resize_memory(void *data, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return buf_wipe_resize(data, size);
}

static void release_memory(void *data, const char *file, int line)
{
    (void)file;
    (void)line;
    buf_wipe_free(data);
}

/* Its decoders leave copies of private keys behind (OSSL_DECODER_from_data(), EVP_PKEY2PKCS8()). It
 * takes functions before its first allocation only: this comes before main(). */
__attribute__((constructor)) static void wipe_openssl_memory(void)
{
    (void)CRYPTO_set_mem_functions(take_memory, resize_memory, release_memory);
}
