#include "provision/answer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

/* after pem.h, or it does not declare PEM_read_bio_CMS() */
#include <openssl/cms.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem_text.h"

AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))

static CMS_ContentInfo *read_cms(se_bytes file)
{
    AUTO(bio) der = BIO_new_mem_buf(file.data, (int)file.size);
    AUTO(bio) text = pem_text_open(file);
    CMS_ContentInfo *cms = der ? d2i_CMS_bio(der, NULL) : NULL;

    return cms || !text ? cms : PEM_read_bio_CMS(text, NULL, NULL, NULL);
}

/* What OpenSSL takes out of a CMS belongs to the default context: read it again in ours. */
static se_status reread(STACK_OF(X509) * out, X509 *certificate, se_error *err)
{
    AUTO(x509) ours = NULL;
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "encoding a certificate");
    st = certificate_parse(&ours, (se_bytes){ der, (size_t)size }, err);
    OPENSSL_free(der);
    if (st)
        return st;
    if (!sk_X509_push(out, ours))
        return error_memory(err);
    ours = NULL;
    return SE_OK;
}

static se_status certificates_of(STACK_OF(X509) * *out, CMS_ContentInfo *cms, se_error *err)
{
    AUTO(x509_stack) raw = CMS_get1_certs(cms);
    AUTO(x509_stack) certificates = sk_X509_new_null();
    se_status st = certificates ? SE_OK : error_memory(err);

    for (int i = 0; !st && i < sk_X509_num(raw); i++)
        st = reread(certificates, sk_X509_value(raw, i), err);
    if (st)
        return st;
    if (!sk_X509_num(certificates))
        return error_set(err, SE_ERR_FORMAT, "the answer is a PKCS #7 without certificates");
    *out = MOVE(certificates);
    return SE_OK;
}

se_status answer_read(STACK_OF(X509) * *out, se_bytes file, se_error *err)
{
    AUTO(cms) cms = file.size <= INT_MAX ? read_cms(file) : NULL;

    *out = NULL;
    ERR_clear_error();
    if (cms)
        return certificates_of(out, cms, err);
    if (certificates_read(out, file, "the answer", NULL))
        return error_set(err, SE_ERR_FORMAT,
                         "the answer is neither certificates (PEM, DER) nor a PKCS #7 with some");
    return SE_OK;
}

se_status answer_choose(X509 **own, STACK_OF(X509) * *chain, const STACK_OF(X509) * answer,
                        EVP_PKEY *public, se_error *err)
{
    char subject[256];

    *chain = NULL;
    if ((*own = certificates_choose(answer, public)))
        return certificates_chain(chain, *own, answer, err);
    certificate_subject(subject, sizeof subject, sk_X509_value(answer, 0));
    return error_set(err, SE_ERR_FORMAT,
                     "none of the answer's %d certificates is for this key; the first is for '%s'",
                     sk_X509_num(answer), subject);
}
