#include "cms/signer_info.h"

#include <openssl/err.h>

#include "cms/signing_certificate.h"
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
