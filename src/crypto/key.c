/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key.h"

#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"

AUTO_KIND(pubkey, X509_PUBKEY *, X509_PUBKEY_free(*p))

static se_status check_pair(EVP_PKEY *private_key, X509 *certificate, se_error *err)
{
    EVP_PKEY *public_key = X509_get0_pubkey(certificate);

    if (!public_key)
        return crypto_error(err, SE_ERR_KEY, "the certificate's public key can't be read");
    if (private_key && EVP_PKEY_eq(private_key, public_key) != 1)
        return crypto_error(err, SE_ERR_KEY,
                            "the private key and the certificate do not belong together");
    return SE_OK;
}

static se_status key_identify(unsigned char id[KEY_ID], const X509 *certificate, se_error *err)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    size_t written = KEY_ID;
    bool done = size > 0 &&
                EVP_Q_digest(crypto_context(), "SHA2-256", NULL, der, (size_t)size, id, &written);

    OPENSSL_free(der);
    return done ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "cannot hash the public key");
}

se_status key_new(struct key **out, EVP_PKEY *private_key, struct certificates *certificates,
                  se_error *err)
{
    AUTO(certificates) given = *certificates;
    AUTO(evp_pkey) private = private_key;
    AUTO(key) key = calloc(1, sizeof *key);

    *out = NULL;
    *certificates = (struct certificates){ .own = NULL };
    if (!key)
        return error_memory(err);
    key->refs = 1;
    TRY(check_pair(private, given.own, err));
    TRY(key_identify(key->id, given.own, err));
    profile_read(&key->profile, given.own);
    key->private = MOVE(private);
    key->certificate = MOVE(given.own);
    key->chain = MOVE(given.chain);
    key->others = MOVE(given.others);
    key->former = MOVE(given.former);
    *out = MOVE(key);
    return SE_OK;
}

static bool copy_stack(STACK_OF(X509) * *out, STACK_OF(X509) * from)
{
    return !from || (*out = X509_chain_up_ref(from));
}

se_status key_certificates(struct certificates *out, const struct key *key, se_error *err)
{
    AUTO(certificates) all = { .own = NULL };

    if (!copy_stack(&all.chain, key->chain) || !copy_stack(&all.others, key->others) ||
        !copy_stack(&all.former, key->former) || !X509_up_ref(key->certificate))
        return error_memory(err);
    *out = MOVE(all);
    out->own = key->certificate;
    return SE_OK;
}

struct key *key_ref(struct key *key)
{
    __atomic_add_fetch(&key->refs, 1, __ATOMIC_RELAXED);
    return key;
}

void key_unref(struct key *key)
{
    if (!key || __atomic_sub_fetch(&key->refs, 1, __ATOMIC_ACQ_REL))
        return;
    profile_free(&key->profile);
    EVP_PKEY_free(key->private);
    X509_free(key->certificate);
    sk_X509_pop_free(key->chain, X509_free);
    sk_X509_pop_free(key->others, X509_free);
    sk_X509_pop_free(key->former, X509_free);
    free(key);
}

se_status key_public_id(unsigned char out[PUBLIC_ID], EVP_PKEY *public_key, se_error *err)
{
    AUTO(pubkey) info = NULL;
    const unsigned char *bits;
    int size;

    if (!X509_PUBKEY_set(&info, public_key) ||
        !X509_PUBKEY_get0_param(NULL, &bits, &size, NULL, info))
        return crypto_error(err, SE_ERR_CRYPTO, "the public key can't be encoded");
    if (!EVP_Q_digest(crypto_context(), "SHA1", NULL, bits, (size_t)size, out, NULL))
        return crypto_error(err, SE_ERR_CRYPTO, "SHA-1 of the public key");
    return SE_OK;
}

const struct key_curve key_curves[KEY_CURVES] = {
    { "P-256", "prime256v1", 32 },
    { "P-384", "secp384r1", 48 },
    { "P-521", "secp521r1", 66 },
};

static const struct key_curve *find_group(const char *group)
{
    for (size_t i = 0; i < KEY_CURVES; i++)
        if (strcmp(group, key_curves[i].group) == 0)
            return &key_curves[i];
    return NULL;
}

const struct key_curve *key_curve(const EVP_PKEY *key)
{
    char group[64];

    return key_family(key) == FAMILY_EC &&
                   EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                                  sizeof group, NULL)
               ? find_group(group)
               : NULL;
}

/* What a person reads as "P-256", OpenSSL calls prime256v1. */
static const char *curve_name(const char *group)
{
    const struct key_curve *curve = find_group(group);

    return curve ? curve->name : group;
}

void key_type_name(char out[32], const EVP_PKEY *key)
{
    char group[24] = "";

    if (key_family(key) == FAMILY_RSA)
        (void)snprintf(out, 32, "RSA-%d", EVP_PKEY_get_bits(key));
    else if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                            NULL))
        (void)snprintf(out, 32, "EC-%s", curve_name(group));
    else
        (void)snprintf(out, 32, "%.31s",
                       EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "unknown");
}
