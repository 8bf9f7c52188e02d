/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/x509_build.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "crypto/crypto.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(extensions, STACK_OF(X509_EXTENSION) *,
          sk_X509_EXTENSION_pop_free(*p, X509_EXTENSION_free))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))
AUTO_KIND(bits, ASN1_BIT_STRING *, ASN1_BIT_STRING_free(*p))
AUTO_KIND(constraints, BASIC_CONSTRAINTS *, BASIC_CONSTRAINTS_free(*p))
AUTO_KIND(bignum, BIGNUM *, BN_free(*p))

enum { SERIAL_BITS = 128 };

/* keyUsage (RFC 5280, 4.2.1.3): the bit that we write, and those that are understood. */
static const struct {
    unsigned use;
    int bit;
    uint32_t flags;
} usages[] = {
    { USE_SIGN, 0, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_CERT_SIGN | KU_CRL_SIGN },
    { USE_ENCRYPT, 2, KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT },
};

unsigned certificate_uses(X509 *certificate)
{
    uint32_t usage = X509_get_key_usage(certificate); /* all ones without the extension */
    unsigned uses = 0;

    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
        if (usage & usages[i].flags)
            uses |= usages[i].use;
    return uses;
}

/* The digest that is as strong as the key: FIPS 186-5 pairs P-384 and P-521 with SHA-384 and
 * SHA-512. */
static const EVP_MD *choose_digest(const EVP_PKEY *key)
{
    int bits = key_family(key) == FAMILY_EC ? EVP_PKEY_get_bits(key) : 0;

    return bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : EVP_sha256();
}

static bool add_extension(STACK_OF(X509_EXTENSION) * *extensions, int nid, const void *value,
                          bool critical)
{
    return X509V3_add1_i2d(extensions, nid, (void *)value, critical, X509V3_ADD_APPEND) == 1;
}

static bool add_constraints(STACK_OF(X509_EXTENSION) * *extensions)
{
    AUTO(constraints) end_entity = BASIC_CONSTRAINTS_new();

    return end_entity && add_extension(extensions, NID_basic_constraints, end_entity, true);
}

static bool add_usage(STACK_OF(X509_EXTENSION) * *extensions, unsigned uses)
{
    AUTO(bits) bits = ASN1_BIT_STRING_new();

    for (size_t i = 0; bits && i < sizeof usages / sizeof *usages; i++)
        if (uses & usages[i].use && !ASN1_BIT_STRING_set_bit(bits, usages[i].bit, 1))
            return false;
    return bits && add_extension(extensions, NID_key_usage, bits, true);
}

static bool add_key_identifier(STACK_OF(X509_EXTENSION) * *extensions, EVP_PKEY *public_key)
{
    AUTO(octets) octets = ASN1_OCTET_STRING_new();
    unsigned char id[KEY_ID_SIZE];

    return octets && !key_public_id(id, public_key, NULL) &&
           ASN1_OCTET_STRING_set(octets, id, sizeof id) &&
           add_extension(extensions, NID_subject_key_identifier, octets, false);
}

static se_status make_extensions(STACK_OF(X509_EXTENSION) * *out, EVP_PKEY *public_key,
                                 const struct cert_profile *profile, se_error *err)
{
    AUTO(extensions) extensions = NULL;

    *out = NULL;
    if (!add_constraints(&extensions) || !add_usage(&extensions, profile->uses) ||
        !add_key_identifier(&extensions, public_key))
        return crypto_error(err, SE_ERR_CRYPTO, "the certificate's extensions");
    if (profile->alternatives &&
        !add_extension(&extensions, NID_subject_alt_name, profile->alternatives, false))
        return crypto_error(err, SE_ERR_CRYPTO, "the alternative names");
    *out = MOVE(extensions);
    return SE_OK;
}

static bool set_serial(X509 *certificate)
{
    AUTO(bignum) number = BN_new();

    return number &&
           BN_rand_ex(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY, 0, NULL) &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
}

static bool set_validity(X509 *certificate, unsigned days)
{
    time_t now = (time_t)clock_seconds();

    return X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, &now);
}

static bool copy_extensions(X509 *certificate, const STACK_OF(X509_EXTENSION) * extensions)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        if (!X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1))
            return false;
    return true;
}

se_status x509_build_certificate(X509 **out, const struct key_pair *pair,
                                 const struct cert_profile *profile, se_error *err)
{
    AUTO(x509) certificate = X509_new_ex(crypto_context(), NULL);
    AUTO(extensions) extensions = NULL;

    *out = NULL;
    TRY(make_extensions(&extensions, pair->public_key, profile, err));
    if (!certificate || !X509_set_version(certificate, X509_VERSION_3) ||
        !set_serial(certificate) || !set_validity(certificate, profile->days) ||
        !X509_set_subject_name(certificate, profile->subject) ||
        !X509_set_issuer_name(certificate, profile->subject) ||
        !X509_set_pubkey(certificate, pair->public_key) ||
        !copy_extensions(certificate, extensions))
        return crypto_error(err, SE_ERR_CRYPTO, "making the certificate");
    if (!X509_sign(certificate, pair->private_key, choose_digest(pair->public_key)))
        return crypto_error(err, SE_ERR_CRYPTO, "signing the certificate");
    *out = MOVE(certificate);
    return SE_OK;
}

se_status x509_build_request(X509_REQ **out, const struct key_pair *pair,
                             const struct cert_profile *profile, se_error *err)
{
    AUTO(x509_req) request = X509_REQ_new_ex(crypto_context(), NULL);
    AUTO(extensions) extensions = NULL;

    *out = NULL;
    TRY(make_extensions(&extensions, pair->public_key, profile, err));
    if (!request || !X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
        !X509_REQ_set_subject_name(request, profile->subject) ||
        !X509_REQ_set_pubkey(request, pair->public_key) ||
        !X509_REQ_add_extensions(request, extensions))
        return crypto_error(err, SE_ERR_CRYPTO, "making the request");
    if (!X509_REQ_sign(request, pair->private_key, choose_digest(pair->public_key)))
        return crypto_error(err, SE_ERR_CRYPTO, "signing the request");
    *out = MOVE(request);
    return SE_OK;
}

/* ---- as PEM ---- */

static se_status take_pem(se_buf *out, BIO *bio, int ok, const char *what, se_error *err)
{
    char *text;
    long size;

    if (!bio || !ok)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the %s", what);
    size = BIO_get_mem_data(bio, &text);
    return buf_copy(out, (se_bytes){ text, (size_t)size }, err);
}

se_status x509_certificate_pem(se_buf *out, X509 *certificate, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());

    return take_pem(out, bio, bio && PEM_write_bio_X509(bio, certificate), "certificate", err);
}

se_status x509_request_pem(se_buf *out, X509_REQ *request, se_error *err)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());

    return take_pem(out, bio, bio && PEM_write_bio_X509_REQ(bio, request), "request", err);
}
