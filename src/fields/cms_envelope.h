/* SPDX-License-Identifier: Apache-2.0 */
/* CMS EnvelopedData (RFC 5652, 6) and AuthEnvelopedData (RFC 5083): the ASN.1 of both directions
 * (RFC 5652, 6.1 and 6.2.1; RFC 5083, 2.1; RFC 5084, 3.2), and the two halves. */
#ifndef FIELDS_CMS_ENVELOPE_H
#define FIELDS_CMS_ENVELOPE_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>

#include "fields/envelope.h"

struct issuer_serial {
    X509_NAME *issuer;
    ASN1_INTEGER *serial;
};
DECLARE_ASN1_ITEM(ISSUER_SERIAL)

enum { BY_ISSUER, BY_KEY_ID };
struct recipient_id {
    int type;
    union {
        struct issuer_serial *issuer_serial;
        ASN1_OCTET_STRING *key_id;
    } d;
};
DECLARE_ASN1_ITEM(RECIPIENT_ID)

struct key_trans {
    ASN1_INTEGER *version; /* 0 by issuer, 2 by key identifier */
    struct recipient_id *id;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *wrapped;
};
DECLARE_ASN1_ITEM(KEY_TRANS)

struct encrypted_content {
    ASN1_OBJECT *type;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *text; /* may be NULL */
};

/* Of both kinds: what only one of them has is optional here, and checked afterwards. */
struct enveloped {
    ASN1_INTEGER *version;
    STACK_OF(ASN1_TYPE) * recipients;
    struct encrypted_content *content;
    STACK_OF(X509_ATTRIBUTE) * attributes;
    ASN1_OCTET_STRING *mac;
    STACK_OF(X509_ATTRIBUTE) * unauthenticated;
};

struct content_info {
    ASN1_OBJECT *type;
    struct enveloped *enveloped;
};
DECLARE_ASN1_ITEM(CONTENT_INFO)

struct gcm_parameters {
    ASN1_OCTET_STRING *nonce;
    ASN1_INTEGER *tag_size; /* 12 if it is not there */
};
DECLARE_ASN1_ITEM(GCM_PARAMETERS)

AUTO_KIND(content_info, struct content_info *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(CONTENT_INFO)))
AUTO_KIND(key_trans, struct key_trans *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(KEY_TRANS)))
AUTO_KIND(gcm_parameters, struct gcm_parameters *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(GCM_PARAMETERS)))

/* In DER. */
SE_MUST_CHECK se_status envelope_encode(se_buf *out, const void *value, const ASN1_ITEM *item,
                                        se_error *err);

/* NULL: content is not encrypted by such an algorithm.  Of GCM, tag_size is what is made. */
const struct aead_kind *content_kind_by_nid(int nid);

size_t cms_envelope_secret_size(const struct algorithm *algorithm);
SE_MUST_CHECK se_status cms_envelope_prepare_seal(const struct seal_job *job, se_error *err);
SE_MUST_CHECK se_status cms_envelope_seal(se_buf *out, const struct seal_job *job, se_error *err);

#endif
