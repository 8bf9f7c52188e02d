/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/algorithm_id.h"

#include <openssl/asn1t.h>
#include <openssl/rsa.h>
#include <stdio.h>

#include "base/auto.h"
#include "crypto/crypto.h"

/* Not to hash with: it has the digest's name and size, and needs no provider. */
static const EVP_MD *named_digest(enum digest digest)
{
    switch (digest) {
    case DIGEST_NONE:
        return NULL;
    case DIGEST_SHA1:
        return EVP_sha1();
    case DIGEST_SHA256:
        return EVP_sha256();
    case DIGEST_SHA384:
        return EVP_sha384();
    case DIGEST_SHA512:
        return EVP_sha512();
    }
    return NULL;
}

AUTO_KIND(algorithm_identifier, X509_ALGOR *, X509_ALGOR_free(*p))
AUTO_KIND(pss_params, RSA_PSS_PARAMS *, RSA_PSS_PARAMS_free(*p))
AUTO_KIND(oaep_params, RSA_OAEP_PARAMS *, RSA_OAEP_PARAMS_free(*p))

/* id-mgf1 with the signature's own digest */
static X509_ALGOR *mgf1_algorithm(const EVP_MD *md)
{
    AUTO(algorithm_identifier) hash = X509_ALGOR_new();
    AUTO(algorithm_identifier) mgf1 = X509_ALGOR_new();
    ASN1_STRING *packed;
    X509_ALGOR *made = mgf1;

    if (!hash || !mgf1)
        return NULL;
    X509_ALGOR_set_md(hash, md);
    packed = ASN1_item_pack(hash, ASN1_ITEM_rptr(X509_ALGOR), NULL);
    if (!packed || !X509_ALGOR_set0(mgf1, OBJ_nid2obj(NID_mgf1), V_ASN1_SEQUENCE, packed)) {
        ASN1_STRING_free(packed);
        return NULL;
    }
    mgf1 = NULL;
    return made;
}

static ASN1_STRING *packed_params(const EVP_MD *md, int salt)
{
    AUTO(pss_params) params = RSA_PSS_PARAMS_new();

    if (!params)
        return NULL;
    params->hashAlgorithm = X509_ALGOR_new();
    params->maskGenAlgorithm = mgf1_algorithm(md);
    params->saltLength = ASN1_INTEGER_new();
    if (!params->hashAlgorithm || !params->maskGenAlgorithm || !params->saltLength ||
        !ASN1_INTEGER_set(params->saltLength, salt))
        return NULL;
    X509_ALGOR_set_md(params->hashAlgorithm, md);
    return ASN1_item_pack(params, ASN1_ITEM_rptr(RSA_PSS_PARAMS), NULL);
}

static bool set_pss(X509_ALGOR *algorithm, const EVP_MD *md, int salt)
{
    ASN1_STRING *packed = packed_params(md, salt);

    if (packed && X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE, packed))
        return true;
    ASN1_STRING_free(packed);
    return false;
}

/* The parameters of RSA are NULL (RFC 4055, 5), those of ECDSA absent (RFC 5758, 3.2). */
static bool set_plain(X509_ALGOR *algorithm, const EVP_MD *md, enum padding padding)
{
    int key = padding == PADDING_NONE ? NID_X9_62_id_ecPublicKey : NID_rsaEncryption, nid;

    return OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(md), key) &&
           X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid),
                           padding == PADDING_NONE ? V_ASN1_UNDEF : V_ASN1_NULL, NULL);
}

bool identifier_set_signature(X509_ALGOR *algorithm, const struct sign_how *how)
{
    const EVP_MD *md = named_digest(how->digest);

    if (!md)
        return false;
    return how->padding == PADDING_PSS ? set_pss(algorithm, md, how->salt)
                                       : set_plain(algorithm, md, how->padding);
}

int identifier_der(unsigned char **der, const struct sign_how *how)
{
    AUTO(algorithm_identifier) algorithm = X509_ALGOR_new();

    return algorithm && identifier_set_signature(algorithm, how) ? i2d_X509_ALGOR(algorithm, der)
                                                                 : 0;
}

static enum digest digest_of(const X509_ALGOR *algorithm)
{
    static const struct {
        int nid;
        enum digest digest;
    } known[] = { { NID_sha1, DIGEST_SHA1 },
                  { NID_sha256, DIGEST_SHA256 },
                  { NID_sha384, DIGEST_SHA384 },
                  { NID_sha512, DIGEST_SHA512 } };
    const ASN1_OBJECT *id = NULL;
    int type = V_ASN1_UNDEF;

    if (algorithm)
        X509_ALGOR_get0(&id, &type, NULL, algorithm);
    if (type != V_ASN1_UNDEF && type != V_ASN1_NULL) /* RFC 4055, 2.1 */
        return DIGEST_NONE;
    for (size_t i = 0; id && i < sizeof known / sizeof *known; i++)
        if (OBJ_obj2nid(id) == known[i].nid)
            return known[i].digest;
    return DIGEST_NONE;
}

/* NULL: it is not there, or no MGF1 with a hash. */
static X509_ALGOR *mgf1_hash(const X509_ALGOR *mgf1)
{
    const ASN1_OBJECT *id = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    if (mgf1)
        X509_ALGOR_get0(&id, &type, &value, mgf1);
    if (!id || OBJ_obj2nid(id) != NID_mgf1 || type != V_ASN1_SEQUENCE)
        return NULL;
    return ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
}

static enum digest mgf1_digest(const X509_ALGOR *mgf1)
{
    AUTO(algorithm_identifier) hash = mgf1_hash(mgf1);

    return digest_of(hash);
}

enum digest identifier_pss(const X509_ALGOR *algorithm)
{
    AUTO(pss_params) params = NULL;
    const ASN1_OBJECT *id;
    const void *value;
    enum digest digest;
    int type;

    X509_ALGOR_get0(&id, &type, &value, algorithm);
    if (OBJ_obj2nid(id) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
        return DIGEST_NONE;
    params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (!params || (params->trailerField && ASN1_INTEGER_get(params->trailerField) != 1))
        return DIGEST_NONE;
    digest = digest_of(params->hashAlgorithm);
    return digest != DIGEST_SHA1 && mgf1_digest(params->maskGenAlgorithm) == digest ? digest
                                                                                    : DIGEST_NONE;
}

bool identifier_is_strong(const X509_ALGOR *algorithm)
{
    const int nid = OBJ_obj2nid(algorithm->algorithm);
    const EVP_MD *md;
    int digest = NID_undef;

    if (nid == NID_rsassaPss)
        return identifier_pss(algorithm) != DIGEST_NONE;
    if (!OBJ_find_sigid_algs(nid, &digest, NULL) || !digest)
        return true; /* as Ed25519 has it, a part of the algorithm */
    md = EVP_get_digestbynid(digest);
    return md && EVP_MD_get_size(md) >= 32;
}

/* RFC 4055, 3.1: what is not there is SHA-1. */
static const char *hash_text(const X509_ALGOR *hash)
{
    const ASN1_OBJECT *id = NULL;

    if (!hash)
        return "SHA-1";
    X509_ALGOR_get0(&id, NULL, NULL, hash);
    return OBJ_obj2nid(id) == NID_undef ? "unknown" : OBJ_nid2sn(OBJ_obj2nid(id));
}

static const char *mask_text(const X509_ALGOR *mask)
{
    AUTO(algorithm_identifier) hash = mgf1_hash(mask);

    return mask && !hash ? "unknown" : hash_text(hash);
}

bool identifier_pss_text(char *out, size_t size, const X509_ALGOR *algorithm)
{
    AUTO(pss_params) params = NULL;
    const ASN1_OBJECT *id;
    const void *value;
    int type;

    X509_ALGOR_get0(&id, &type, &value, algorithm);
    if (OBJ_obj2nid(id) != NID_rsassaPss)
        return false;
    if (type == V_ASN1_SEQUENCE)
        params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (!params)
        (void)snprintf(out, size, "no parameters");
    else if (params->trailerField && ASN1_INTEGER_get(params->trailerField) != 1)
        (void)snprintf(out, size, "an unknown trailer");
    else
        (void)snprintf(out, size, "hash %s and MGF1's %s", hash_text(params->hashAlgorithm),
                       mask_text(params->maskGenAlgorithm));
    return true;
}

/* What is the default, SHA-1, is left out, as DER wants it. */
static ASN1_STRING *packed_oaep(const struct unwrap_how *how)
{
    AUTO(oaep_params) params = RSA_OAEP_PARAMS_new();

    if (!params)
        return NULL;
    if (how->digest != DIGEST_SHA1) {
        if (!(params->hashFunc = X509_ALGOR_new()))
            return NULL;
        X509_ALGOR_set_md(params->hashFunc, named_digest(how->digest));
    }
    if (how->mgf1 != DIGEST_SHA1 &&
        !(params->maskGenFunc = mgf1_algorithm(named_digest(how->mgf1))))
        return NULL;
    return ASN1_item_pack(params, ASN1_ITEM_rptr(RSA_OAEP_PARAMS), NULL);
}

bool identifier_set_oaep(X509_ALGOR *algorithm, const struct unwrap_how *how)
{
    ASN1_STRING *packed = packed_oaep(how);

    if (packed && X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaesOaep), V_ASN1_SEQUENCE, packed))
        return true;
    ASN1_STRING_free(packed);
    return false;
}

/* id-pSpecified with no bytes is the same as none (RFC 4055, 4.1). */
static bool has_label(const X509_ALGOR *source)
{
    const ASN1_OBJECT *id;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    if (!source)
        return false;
    X509_ALGOR_get0(&id, &type, &value, source);
    return OBJ_obj2nid(id) != NID_pSpecified || type != V_ASN1_OCTET_STRING ||
           ASN1_STRING_length(value);
}

bool identifier_oaep(struct unwrap_how *out, const X509_ALGOR *algorithm)
{
    AUTO(oaep_params) params = NULL;
    const ASN1_OBJECT *id;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    X509_ALGOR_get0(&id, &type, &value, algorithm);
    if (OBJ_obj2nid(id) != NID_rsaesOaep || type != V_ASN1_SEQUENCE)
        return false;
    params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
    if (!params || has_label(params->pSourceFunc))
        return false;
    out->digest = params->hashFunc ? digest_of(params->hashFunc) : DIGEST_SHA1;
    out->mgf1 = params->maskGenFunc ? mgf1_digest(params->maskGenFunc) : DIGEST_SHA1;
    return out->digest && out->mgf1;
}
