#include "cms/signing_certificate.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/ess.h>

#include "base/auto.h"
#include "cms/signer_info.h"

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

static const int attributes[] = { NID_id_smime_aa_signingCertificate, NID_id_smime_aa_signingCertificateV2 };
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
    struct signing_cert *good = read;

    ERR_clear_error();
    if (!read || sk_ASN1_TYPE_num(read->named) < 1 || sk_ASN1_TYPE_num(read->named) > NAMED_MOST)
        return NULL;
    read = NULL;
    return good;
}

static bool check_first(int version, const unsigned char *der, long size,
                        STACK_OF(X509) * certificates)
{
    ESS_SIGNING_CERT *old = version ? NULL : d2i_ESS_SIGNING_CERT(NULL, &der, size);
    ESS_SIGNING_CERT_V2 *new = version ? d2i_ESS_SIGNING_CERT_V2(NULL, &der, size) : NULL;
    bool good = (old || new) && OSSL_ESS_check_signing_certs(old, new, certificates, 0) > 0;

    ESS_SIGNING_CERT_free(old);
    ESS_SIGNING_CERT_V2_free(new);
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

se_status signing_certificate_check(CMS_SignerInfo *signer, X509 *certificate, se_error *err)
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
