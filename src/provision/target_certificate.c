/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/target_certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "config/files.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/file_keystore.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))

bool target_certificate_is_there(const struct target *target)
{
    return *target->ref.certificate && !access(target->ref.certificate, F_OK);
}

se_status target_certificate_open(struct output *out, const struct target *target, se_error *err)
{
    enum { READABLE = 0644 };

    if (!*target->ref.certificate)
        return error_set(err, SE_ERR_USAGE,
                         "a certificate for the key is written to a file, and the configuration "
                         "%s: certificate=\"file:...\"",
                         target->ref.certificate_der.size ? "has it in base64" : "names none");
    return output_open(out, target->ref.certificate, READABLE, err);
}

/* What is there, of the same key first. */
static se_status read_existing(STACK_OF(X509) * *out, const struct target *target, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    *out = NULL;
    if (!target_certificate_is_there(target))
        return SE_OK;
    TRY(certificate_file_read(&text, &target->ref, err));
    return text.size ? certificates_read(out, buf_bytes(&text), target->ref.certificate, err)
                     : SE_OK;
}

bool target_certificate_has_key(const struct target *target, const EVP_PKEY *key)
{
    AUTO(x509_stack) existing = NULL;

    if (read_existing(&existing, target, NULL))
        return false;
    for (int i = 0; i < sk_X509_num(existing); i++)
        if (certificate_has_key(sk_X509_value(existing, i), key))
            return true;
    return false;
}

/* Those of the same key, which go on verifying, and the issuers of all of them: a CA often answers
 * without its own certificates. */
static se_status keep_existing(STACK_OF(X509) * *all, X509 *certificate,
                               const STACK_OF(X509) * existing, se_error *err)
{
    AUTO(certificates) kept = { .own = NULL };

    TRY(certificates_gather(&kept, certificate, existing, err));
    TRY(certificates_join(all, kept.chain, err));
    TRY(certificates_join(all, kept.others, err));
    for (int i = 0; i < sk_X509_num(kept.others); i++) {
        AUTO(x509_stack) issuers = NULL;

        TRY(certificates_chain(&issuers, sk_X509_value(kept.others, i), existing, err));
        TRY(certificates_join(all, issuers, err));
    }
    return SE_OK;
}

static se_status collect_certificates(STACK_OF(X509) * *all, const struct target *target,
                                      X509 *certificate, const STACK_OF(X509) * chain,
                                      enum replace replace, se_error *err)
{
    AUTO(x509_stack) existing = NULL;

    *all = sk_X509_new_null();
    if (!*all || !sk_X509_push(*all, certificate))
        return error_memory(err);
    X509_up_ref(certificate);
    TRY(certificates_join(all, chain, err));
    if (replace == REPLACE_ALL)
        return SE_OK;
    TRY(read_existing(&existing, target, err));
    return existing ? keep_existing(all, certificate, existing, err) : SE_OK;
}

static se_status write_certificates(struct output *out, const STACK_OF(X509) * all, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    bool ok = bio;
    char *text;
    long size;

    for (int i = 0; ok && i < sk_X509_num(all); i++)
        ok = PEM_write_bio_X509(bio, sk_X509_value(all, i));
    if (!ok)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the certificate in PEM");
    size = BIO_get_mem_data(bio, &text);
    TRY(output_write(out, (se_bytes){ text, (size_t)size }, err));
    return output_commit(out, err);
}

se_status target_certificate_write(struct output *out, const struct target *target,
                                   X509 *certificate, const STACK_OF(X509) * chain,
                                   enum replace replace, se_error *err)
{
    AUTO(x509_stack) all = NULL;

    TRY(collect_certificates(&all, target, certificate, chain, replace, err));
    return write_certificates(out, all, err);
}
