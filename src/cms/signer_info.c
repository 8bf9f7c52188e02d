/* SPDX-License-Identifier: Apache-2.0 */
#include "cms/signer_info.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/ess.h>

#include "crypto/algorithm_id.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

se_status signer_info_get(CMS_SignerInfo **out, CMS_ContentInfo *cms, se_error *err)
{
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    int count = sk_CMS_SignerInfo_num(signers);

    if (count != 1)
        return error_set(err, SE_ERR_REJECTED, "%d signers, one is expected",
                         count < 0 ? 0 : count);
    *out = sk_CMS_SignerInfo_value(signers, 0);
    if (CMS_signed_get_attr_count(*out) <= 0)
        return error_set(err, SE_ERR_REJECTED, "the signature has no signed attributes");
    return SE_OK;
}

static enum digest digest_of(int nid)
{
    switch (nid) {
    case NID_sha256:
        return DIGEST_SHA256;
    case NID_sha384:
        return DIGEST_SHA384;
    case NID_sha512:
        return DIGEST_SHA512;
    default:
        return DIGEST_NONE;
    }
}

enum digest signer_info_digest(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *id;

    X509_ALGOR_get0(&id, NULL, NULL, algorithm);
    return digest_of(OBJ_obj2nid(id));
}

static const struct algorithm *algorithm_of(enum digest digest, const X509_ALGOR *signature)
{
    const ASN1_OBJECT *id;
    int nid, digest_nid, key_nid;

    X509_ALGOR_get0(&id, NULL, NULL, signature);
    nid = OBJ_obj2nid(id);
    if (nid == NID_rsaEncryption) /* RFC 3370, 3.2: the digest is said elsewhere */
        return algorithm_signature(digest, FAMILY_RSA, PADDING_PKCS1);
    if (nid == NID_rsassaPss)
        return identifier_pss(signature) == digest
                   ? algorithm_signature(digest, FAMILY_RSA, PADDING_PSS)
                   : NULL;
    if (!OBJ_find_sigid_algs(nid, &digest_nid, &key_nid) || digest_of(digest_nid) != digest)
        return NULL;
    if (key_nid == NID_rsaEncryption)
        return algorithm_signature(digest, FAMILY_RSA, PADDING_PKCS1);
    return key_nid == NID_X9_62_id_ecPublicKey
               ? algorithm_signature(digest, FAMILY_EC, PADDING_NONE)
               : NULL;
}

static void algorithm_text(char out[80], const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *id;

    X509_ALGOR_get0(&id, NULL, NULL, algorithm);
    (void)OBJ_obj2txt(out, 80, id, 0);
}

se_status signer_info_algorithm(const struct algorithm **out, CMS_SignerInfo *signer, se_error *err)
{
    X509_ALGOR *digest, *signature;
    char texts[2][80], parameters[160];

    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &signature);
    *out = signer_info_digest(digest) ? algorithm_of(signer_info_digest(digest), signature) : NULL;
    if (*out)
        return SE_OK;
    algorithm_text(texts[0], digest);
    algorithm_text(texts[1], signature);
    if (identifier_pss_text(parameters, sizeof parameters, signature))
        return error_set(err, SE_ERR_REJECTED,
                         "the signature's digest is %s, and its RSASSA-PSS with %s: both have to "
                         "be the same of SHA-2",
                         texts[0], parameters);
    return error_set(err, SE_ERR_REJECTED,
                     "the signature's algorithms are not accepted: digest %s, signature %s",
                     texts[0], texts[1]);
}

X509 *signer_info_certificate(CMS_SignerInfo *signer, STACK_OF(X509) * certificates)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (CMS_SignerInfo_cert_cmp(signer, sk_X509_value(certificates, i)) == 0)
            return sk_X509_value(certificates, i);
    return NULL;
}

const void *signer_info_attribute(CMS_SignerInfo *signer, int nid, int type)
{
    return CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(nid), -3, type);
}

/* ---- signingCertificate (RFC 2634, 5.4; RFC 5035, 5) ---- */

/* No path is as long; each is held against each certificate that came along. */
enum { NAMED_MOST = 64 };

/* Of either version: what is named, as it stands there. */
struct signing_cert {
    STACK_OF(ASN1_TYPE) * named;
    STACK_OF(ASN1_TYPE) * policies;
};
ASN1_SEQUENCE(SIGNING_CERT) = {
    ASN1_SEQUENCE_OF(struct signing_cert, named, ASN1_ANY),
    ASN1_SEQUENCE_OF_OPT(struct signing_cert, policies, ASN1_ANY),
} static_ASN1_SEQUENCE_END_name(struct signing_cert, SIGNING_CERT)

static const int attributes[] = {
    NID_id_smime_aa_signingCertificate,
    NID_id_smime_aa_signingCertificateV2,
};
enum { VERSIONS = sizeof attributes / sizeof *attributes };

AUTO_KIND(signing_cert, struct signing_cert *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(SIGNING_CERT)))
AUTO_KIND(names, STACK_OF(ASN1_TYPE) *, sk_ASN1_TYPE_free(*p))
AUTO_KIND(one, STACK_OF(X509) *, sk_X509_free(*p))

static const ASN1_STRING *find_attribute(CMS_SignerInfo *signer, int version)
{
    return signer_info_attribute(signer, attributes[version], V_ASN1_SEQUENCE);
}

/* NULL: it can't be read, or names none, or too many. */
static struct signing_cert *read_attribute(const ASN1_STRING *attribute)
{
    AUTO(signing_cert) read = ASN1_item_unpack(attribute, ASN1_ITEM_rptr(SIGNING_CERT));

    ERR_clear_error();
    if (!read || sk_ASN1_TYPE_num(read->named) < 1 || sk_ASN1_TYPE_num(read->named) > NAMED_MOST)
        return NULL;
    return MOVE(read);
}

static bool check_first(int version, const unsigned char *der, long size,
                        STACK_OF(X509) * certificates)
{
    ESS_SIGNING_CERT *old = version ? NULL : d2i_ESS_SIGNING_CERT(NULL, &der, size);
    ESS_SIGNING_CERT_V2 *newer = version ? d2i_ESS_SIGNING_CERT_V2(NULL, &der, size) : NULL;
    bool good = (old || newer) && OSSL_ESS_check_signing_certs(old, newer, certificates, 0) > 0;

    ESS_SIGNING_CERT_free(old);
    ESS_SIGNING_CERT_V2_free(newer);
    return good;
}

/* OpenSSL looks for all that is named, and wants to see it; so it is asked about an attribute that
 * names nothing else. */
static bool is_named(ASN1_TYPE *name, int version, X509 *certificate)
{
    AUTO(names) names = sk_ASN1_TYPE_new_null();
    AUTO(one) certificates = sk_X509_new_null();
    struct signing_cert alone = { names, NULL };
    unsigned char *der = NULL;
    bool good = false;
    int size;

    if (names && certificates && sk_ASN1_TYPE_push(names, name) &&
        sk_X509_push(certificates, certificate) &&
        (size = ASN1_item_i2d((ASN1_VALUE *)&alone, &der, ASN1_ITEM_rptr(SIGNING_CERT))) > 0)
        good = check_first(version, der, size, certificates);
    OPENSSL_free(der);
    ERR_clear_error();
    return good;
}

static se_status signing_certificate_check(CMS_SignerInfo *signer, X509 *certificate, se_error *err)
{
    for (int version = 0; version < VERSIONS; version++) {
        const ASN1_STRING *attribute = find_attribute(signer, version);
        AUTO(signing_cert) cert = attribute ? read_attribute(attribute) : NULL;

        if (attribute &&
            (!cert || !is_named(sk_ASN1_TYPE_value(cert->named, 0), version, certificate)))
            return error_set(err, SE_ERR_REJECTED,
                             "the signer's certificate is not the one that was signed with");
    }
    return SE_OK;
}

static bool is_among(const struct signing_cert *cert, int version, X509 *certificate)
{
    for (int i = 0; i < sk_ASN1_TYPE_num(cert->named); i++)
        if (is_named(sk_ASN1_TYPE_value(cert->named, i), version, certificate))
            return true;
    return false;
}

se_status signing_certificate_limit(STACK_OF(X509) * certificates, CMS_SignerInfo *signer,
                                    se_error *err)
{
    for (int version = 0; version < VERSIONS; version++) {
        const ASN1_STRING *attribute = find_attribute(signer, version);
        AUTO(signing_cert) cert = attribute ? read_attribute(attribute) : NULL;

        if (attribute && !cert)
            return error_set(err, SE_ERR_REJECTED,
                             "a signingCertificate attribute that can't be read");
        for (int i = sk_X509_num(certificates);
             cert && sk_ASN1_TYPE_num(cert->named) > 1 && i-- > 0;)
            if (!is_among(cert, version, sk_X509_value(certificates, i)))
                X509_free(sk_X509_delete(certificates, i));
    }
    return SE_OK;
}

/* ---- all of it ---- */

static se_status check_content_type(CMS_ContentInfo *cms, CMS_SignerInfo *signer, se_error *err)
{
    const ASN1_OBJECT *stated = signer_info_attribute(signer, NID_pkcs9_contentType, V_ASN1_OBJECT);

    if (stated && OBJ_cmp(stated, CMS_get0_eContentType(cms)) == 0)
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "the signed contentType is not the content's");
}

static se_status check_digest(CMS_SignerInfo *signer, se_bytes hash, se_error *err)
{
    const ASN1_OCTET_STRING *stated =
        signer_info_attribute(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING);

    if (stated && (size_t)ASN1_STRING_length(stated) == hash.size &&
        CRYPTO_memcmp(ASN1_STRING_get0_data(stated), hash.data, hash.size) == 0)
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED,
                     "the content is not what was signed: its digest differs");
}

static int64_t signing_time(CMS_SignerInfo *signer)
{
    const ASN1_TIME *time = signer_info_attribute(signer, NID_pkcs9_signingTime, V_ASN1_UTCTIME);

    if (!time)
        time = signer_info_attribute(signer, NID_pkcs9_signingTime, V_ASN1_GENERALIZEDTIME);
    return time ? asn1_seconds(time) : 0;
}

se_status signer_info_verify(int64_t *time, CMS_ContentInfo *cms, CMS_SignerInfo *signer,
                             X509 *certificate, se_bytes hash, se_error *err)
{
    TRY(check_content_type(cms, signer, err));
    TRY(check_digest(signer, hash, err));
    CMS_SignerInfo_set1_signer_cert(signer, certificate);
    if (CMS_SignerInfo_verify(signer) != 1) {
        ERR_clear_error();
        return error_set(err, SE_ERR_REJECTED,
                         "the signature does not verify with the signer's certificate");
    }
    TRY(signing_certificate_check(signer, certificate, err));
    *time = signing_time(signer);
    return SE_OK;
}
