/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL gives CRLs out, and keeps what else there is (CMS_get1_crls()): so that is read here. */
#include "cms/revocation_info.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "crypto/ocsp.h"

/* clang-format off */
/* SignedData, read as far as it takes to find its [1]. */
typedef struct signed_data {
    ASN1_TYPE *version, *digests, *content;
    STACK_OF(ASN1_TYPE) *certificates, *revocations;
    ASN1_TYPE *signers;
} SIGNED_DATA;
ASN1_SEQUENCE(SIGNED_DATA) = {
    ASN1_SIMPLE(SIGNED_DATA, version, ASN1_ANY),
    ASN1_SIMPLE(SIGNED_DATA, digests, ASN1_ANY),
    ASN1_SIMPLE(SIGNED_DATA, content, ASN1_ANY),
    ASN1_IMP_SET_OF_OPT(SIGNED_DATA, certificates, ASN1_ANY, 0),
    ASN1_IMP_SET_OF_OPT(SIGNED_DATA, revocations, ASN1_ANY, 1),
    ASN1_SIMPLE(SIGNED_DATA, signers, ASN1_ANY),
} static_ASN1_SEQUENCE_END(SIGNED_DATA)

typedef struct signed_message {
    ASN1_OBJECT *type;
    SIGNED_DATA *data;
} SIGNED_MESSAGE;
ASN1_SEQUENCE(SIGNED_MESSAGE) = {
    ASN1_SIMPLE(SIGNED_MESSAGE, type, ASN1_OBJECT),
    ASN1_EXP(SIGNED_MESSAGE, data, SIGNED_DATA, 0),
} static_ASN1_SEQUENCE_END(SIGNED_MESSAGE)

/* OtherRevocationInfoFormat */
typedef struct other_revocation {
    ASN1_OBJECT *format;
    ASN1_TYPE *info;
} OTHER_REVOCATION;
ASN1_SEQUENCE(OTHER_REVOCATION) = {
    ASN1_SIMPLE(OTHER_REVOCATION, format, ASN1_OBJECT),
    ASN1_SIMPLE(OTHER_REVOCATION, info, ASN1_ANY),
} static_ASN1_SEQUENCE_END(OTHER_REVOCATION)
ASN1_ITEM_TEMPLATE(OTHER_CHOICE) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_IMPTAG | ASN1_TFLG_CONTEXT, 1, other, OTHER_REVOCATION)
static_ASN1_ITEM_TEMPLATE_END(OTHER_CHOICE)
/* clang-format on */

AUTO_KIND(signed_message, SIGNED_MESSAGE *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(SIGNED_MESSAGE)))
AUTO_KIND(other_revocation, OTHER_REVOCATION *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(OTHER_CHOICE)))

/* Nobody signs what is here: without a limit, who adds thousands has each verification try all. */
enum { MOST = 100 };

static se_status check_count(int count, se_error *err)
{
    if (count > MOST)
        return error_set(err, SE_ERR_REJECTED,
                         "the signature brings %d CRLs and OCSP responses, more than %d", count,
                         MOST);
    return SE_OK;
}

/* ---- CRLs ---- */

static se_status add_crls(struct revocation_sources *sources, CMS_ContentInfo *cms, se_error *err)
{
    AUTO(crl_stack) crls = CMS_get1_crls(cms);
    X509_CRL *crl;

    TRY(check_count(sk_X509_CRL_num(crls), err));
    while ((crl = sk_X509_CRL_shift(crls)))
        if (!sk_X509_CRL_push(sources->crls, crl)) {
            X509_CRL_free(crl);
            return error_memory(err);
        }
    return SE_OK;
}

/* ---- OCSP responses ---- */

/* id-ri-ocsp-response, 1.3.6.1.5.5.7.16.2, in DER */
static const unsigned char ocsp_response_oid[] = { 6, 8, 0x2b, 6, 1, 5, 5, 7, 16, 2 };

static bool is_ocsp_response(const OTHER_REVOCATION *other)
{
    const size_t size = sizeof ocsp_response_oid - 2;

    return other->info->type == V_ASN1_SEQUENCE && OBJ_length(other->format) == size &&
           memmem(OBJ_get0_data(other->format), size, ocsp_response_oid + 2, size);
}

static se_status add_answer(struct revocation_sources *sources, const ASN1_STRING *der,
                            se_error *err)
{
    const unsigned char *p = ASN1_STRING_get0_data(der);
    AUTO(ocsp_response) response = d2i_OCSP_RESPONSE(NULL, &p, ASN1_STRING_length(der));
    AUTO(ocsp_answer) answer = NULL;

    if (!response || ocsp_response_read(&answer, response, NULL, NULL))
        return SE_OK;
    if (!sk_OCSP_BASICRESP_push(sources->answers, answer))
        return error_memory(err);
    answer = NULL;
    return SE_OK;
}

static se_status add_other(struct revocation_sources *sources, const ASN1_TYPE *choice,
                           se_error *err)
{
    AUTO(other_revocation) other = NULL;
    const unsigned char *p;

    if (choice->type != V_ASN1_OTHER)
        return SE_OK;
    p = ASN1_STRING_get0_data(choice->value.asn1_string);
    other = (OTHER_REVOCATION *)ASN1_item_d2i(
        NULL, &p, ASN1_STRING_length(choice->value.asn1_string), ASN1_ITEM_rptr(OTHER_CHOICE));
    if (!other || !is_ocsp_response(other))
        return SE_OK;
    return add_answer(sources, other->info->value.sequence, err);
}

static se_status add_others(struct revocation_sources *sources, se_bytes ber, se_error *err)
{
    const unsigned char *p = ber.data;
    AUTO(signed_message) message =
        (SIGNED_MESSAGE *)ASN1_item_d2i(NULL, &p, (long)ber.size, ASN1_ITEM_rptr(SIGNED_MESSAGE));

    if (!message)
        return SE_OK;
    TRY(check_count(sk_ASN1_TYPE_num(message->data->revocations), err));
    for (int i = 0; i < sk_ASN1_TYPE_num(message->data->revocations); i++)
        TRY(add_other(sources, sk_ASN1_TYPE_value(message->data->revocations, i), err));
    return SE_OK;
}

se_status revocation_info_add(struct revocation_sources *sources, CMS_ContentInfo *cms,
                              se_bytes ber, se_error *err)
{
    se_status st = add_crls(sources, cms, err);

    if (!st && memmem(ber.data, ber.size, ocsp_response_oid, sizeof ocsp_response_oid))
        st = add_others(sources, ber, err);
    ERR_clear_error();
    return st;
}
