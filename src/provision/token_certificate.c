/* Certificates that are new on a token. */
#include <openssl/err.h>

#include "crypto/certificate.h"
#include "provision/token_shelf.h"

static const CK_CERTIFICATE_TYPE type_x509 = CKC_X_509;

static se_status put_certificate(struct token_shelf_open *s, X509 *certificate, const char *label,
                                 const se_buf *id, se_error *err)
{
    AUTO(template) t = { .count = 0 };

    template_number(&t, CKA_CLASS, &class_certificate);
    template_number(&t, CKA_CERTIFICATE_TYPE, &type_x509);
    template_flag(&t, CKA_TOKEN, true);
    template_flag(&t, CKA_PRIVATE, false);
    template_bytes(&t, CKA_LABEL, text_bytes(label));
    template_bytes(&t, CKA_ID, buf_bytes(id));
    template_der(&t, CKA_SUBJECT, ASN1_ITEM_rptr(X509_NAME), X509_get_subject_name(certificate));
    template_der(&t, CKA_ISSUER, ASN1_ITEM_rptr(X509_NAME), X509_get_issuer_name(certificate));
    template_der(&t, CKA_SERIAL_NUMBER, ASN1_ITEM_rptr(ASN1_INTEGER),
                 X509_get0_serialNumber(certificate));
    template_der(&t, CKA_VALUE, ASN1_ITEM_rptr(X509), certificate);
    return shelf_create(s, &t, "the certificate", err);
}

static se_status is_there(bool *out, struct token_shelf_open *s, X509 *certificate, se_error *err)
{
    struct query query = query_class(&class_certificate);
    struct objects found;
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    se_status st;

    if (size <= 0)
        return error_memory(err);
    query_add(&query, CKA_VALUE, (se_bytes){ der, (size_t)size });
    st = object_find(&found, &s->session, &query, err);
    OPENSSL_free(der);
    *out = !st && found.count;
    return st;
}

/* Issuers are called what they are: under the alias there is one certificate. */
static se_status put_issuer(struct token_shelf_open *s, X509 *issuer, se_error *err)
{
    AUTO(se_buf) id = SE_BUF_INIT;
    char label[256];
    bool there;
    se_status st;

    if ((st = is_there(&there, s, issuer, err)) || there)
        return st;
    certificate_subject(label, sizeof label, issuer);
    TRY(buf_new(&id, KEY_ID_SIZE, err));
    TRY(key_public_id(id.data, X509_get0_pubkey(issuer), err));
    return put_certificate(s, issuer, label, &id, err);
}

se_status token_put_certificates(struct shelf *shelf, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;
    se_status st = put_certificate(s, certificate, shelf->target->name, &s->id, err);

    for (int i = 0; !st && i < sk_X509_num(chain); i++)
        st = put_issuer(s, sk_X509_value(chain, i), err);
    return st;
}
