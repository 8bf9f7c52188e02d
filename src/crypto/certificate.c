/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"

enum { CHAIN_LIMIT = 16 }; /* issuers */

se_status certificate_parse(X509 **out, se_bytes der, se_error *err)
{
    const unsigned char *p = der.data;

    *out = X509_new_ex(crypto_context(), NULL);
    if (!*out)
        return error_memory(err);
    if (der.size <= LONG_MAX && d2i_X509(out, &p, (long)der.size) &&
        p == (const unsigned char *)der.data + der.size)
        return SE_OK;
    X509_free(*out); /* NULL when d2i failed */
    *out = NULL;
    return crypto_error(err, SE_ERR_FORMAT, "not a certificate");
}

/* Blocks on the way to the next certificate may be private keys, and PEM_read_bio_X509() would
 * leave what it decodes of them behind. */
static bool read_next(X509 **out, BIO *text)
{
    unsigned char *der = NULL;
    const unsigned char *p;
    bool is_read;
    long size;

    if (!PEM_bytes_read_bio_secmem(&der, &size, NULL, PEM_STRING_X509, text, NULL, NULL))
        return false;
    p = der;
    is_read = d2i_X509(out, &p, size) != NULL;
    OPENSSL_secure_free(der);
    return is_read;
}

static se_status read_pem(STACK_OF(X509) * certificates, BIO *text, const char *name, se_error *err)
{
    unsigned long last;

    for (;;) {
        AUTO(x509) certificate = X509_new_ex(crypto_context(), NULL);

        if (!certificate)
            return error_memory(err);
        if (!read_next(&certificate, text))
            break;
        if (!sk_X509_push(certificates, certificate))
            return error_memory(err);
        certificate = NULL;
    }
    last = ERR_peek_last_error();
    if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        return crypto_error(err, SE_ERR_FORMAT, "'%s': certificate %d can't be read", name,
                            sk_X509_num(certificates) + 1);
    ERR_clear_error();
    return SE_OK;
}

se_status certificates_read(STACK_OF(X509) * *out, se_bytes text, const char *name, se_error *err)
{
    AUTO(x509_stack) certificates = sk_X509_new_null();
    AUTO(bio) bio = pem_text_open(text);
    X509 *single = NULL;
    se_status st;

    *out = NULL;
    if (!certificates || !bio)
        return error_memory(err);
    if (!certificate_parse(&single, text, NULL)) {
        if (!sk_X509_push(certificates, single))
            X509_free(single);
    } else if ((st = read_pem(certificates, bio, name, err)))
        return st;
    if (!sk_X509_num(certificates))
        return error_set(err, SE_ERR_FORMAT, "'%s' holds no certificate", name);
    *out = MOVE(certificates);
    return SE_OK;
}

/* ---- a public key alone ---- */

AUTO_KIND(der, unsigned char *, OPENSSL_free(*p))

static bool set_unsigned(X509 *certificate)
{
    const X509_ALGOR *outer;

    X509_get0_signature(NULL, &outer, certificate);
    return X509_ALGOR_set0((X509_ALGOR *)X509_get0_tbs_sigalg(certificate),
                           OBJ_nid2obj(NID_id_alg_noSignature), V_ASN1_UNDEF, NULL) &&
           X509_ALGOR_set0((X509_ALGOR *)outer, OBJ_nid2obj(NID_id_alg_noSignature), V_ASN1_UNDEF,
                           NULL);
}

/* RFC 5280, 4.1.2.5: that time says that there is none. */
static bool fill_bare(X509 *certificate, EVP_PKEY *public_key)
{
    static const unsigned char name[] = "public key without a certificate";

    return X509_set_version(certificate, X509_VERSION_3) &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) &&
           ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "19700101000000Z") &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z") &&
           X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                      MBSTRING_ASC, name, -1, -1, 0) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) &&
           X509_set_pubkey(certificate, public_key) && set_unsigned(certificate);
}

/* It is read from its encoding, as others are. */
se_status certificate_of_key(X509 **out, EVP_PKEY *public_key, se_error *err)
{
    AUTO(x509) made = X509_new_ex(crypto_context(), NULL);
    AUTO(der) der = NULL;
    int size;

    *out = NULL;
    if (!made || !fill_bare(made, public_key) || (size = i2d_X509(made, &der)) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "the public key can't be encoded");
    return certificate_parse(out, (se_bytes){ der, (size_t)size }, err);
}

bool certificate_is_bare(const X509 *certificate)
{
    return X509_get_signature_nid(certificate) == NID_id_alg_noSignature;
}

bool certificate_is_self_issued(const X509 *certificate)
{
    return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) ==
           0;
}

bool certificate_precedes(const X509 *one, const X509 *other, int64_t at)
{
    const int64_t begin = certificate_not_before(one), other_begin = certificate_not_before(other);
    const int64_t end = certificate_not_after(one), other_end = certificate_not_after(other);
    const bool valid = begin <= at && at <= end, other_valid = other_begin <= at && at <= other_end;

    if (valid != other_valid)
        return valid;
    if (certificate_is_self_issued(one) != certificate_is_self_issued(other))
        return certificate_is_self_issued(other);
    return valid && begin != other_begin ? begin > other_begin : end > other_end;
}

X509 *certificates_choose(const STACK_OF(X509) * certificates, const EVP_PKEY *public_key)
{
    int64_t at = time(NULL);
    X509 *best = NULL;

    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *one = sk_X509_value(certificates, i);

        if (EVP_PKEY_eq(X509_get0_pubkey(one), public_key) == 1 &&
            (!best || certificate_precedes(one, best, at)))
            best = one;
    }
    ERR_clear_error();
    return best;
}

/*
 * Names and key identifiers do not tell: a CA that was re-keyed has two certificates of one name,
 * and not all certificates have the latter. Nor does keyUsage: who has signed has issued.
 */
bool certificate_has_issued(X509 *issuer, X509 *certificate)
{
    EVP_PKEY *public_key;

    if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) != 0)
        return false;
    if ((public_key = X509_get0_pubkey(issuer)))
        return X509_verify(certificate, public_key) == 1;
    return X509_check_issued(issuer, certificate) ==
           X509_V_OK; /* a key of a type that OpenSSL does not know */
}

/* Behind what is there, those that are valid now first. */
static bool chain_insert(STACK_OF(X509) * chain, int from, X509 *issuer)
{
    int64_t at = time(NULL);
    int i = from;

    while (i < sk_X509_num(chain) && !certificate_precedes(issuer, sk_X509_value(chain, i), at))
        i++;
    return X509_up_ref(issuer) && sk_X509_insert(chain, issuer, i);
}

bool certificates_hold(const STACK_OF(X509) * certificates, const X509 *one)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (X509_cmp(sk_X509_value(certificates, i), one) == 0)
            return true;
    return false;
}

/* All of them: which of a CA's certificates a verifier trusts, the cross-signed one or its own,
 * nobody knows here. */
static se_status add_issuers(STACK_OF(X509) * chain, X509 *certificate, const STACK_OF(X509) * pool,
                             se_error *err)
{
    int from = sk_X509_num(chain);

    for (int i = 0; i < sk_X509_num(pool) && sk_X509_num(chain) <= CHAIN_LIMIT; i++) {
        X509 *issuer = sk_X509_value(pool, i);

        if (certificates_hold(chain, issuer) || !certificate_has_issued(issuer, certificate))
            continue;
        if (!chain_insert(chain, from, issuer))
            return error_memory(err);
    }
    return SE_OK;
}

se_status certificates_chain(STACK_OF(X509) * *out, X509 *certificate, const STACK_OF(X509) * pool,
                             se_error *err)
{
    AUTO(x509_stack) chain = sk_X509_new_null();
    se_status st = chain && chain_insert(chain, 0, certificate) ? SE_OK : error_memory(err);

    *out = NULL;
    for (int i = 0; !st && i < sk_X509_num(chain); i++)
        if (!X509_self_signed(sk_X509_value(chain, i), 0))
            st = add_issuers(chain, sk_X509_value(chain, i), pool, err);
    ERR_clear_error();
    if (st || sk_X509_num(chain) < 2)
        return st;
    X509_free(sk_X509_shift(chain));
    *out = MOVE(chain);
    return SE_OK;
}

bool certificate_has_key(const X509 *certificate, const EVP_PKEY *key)
{
    const EVP_PKEY *own = X509_get0_pubkey(certificate);
    const bool same = own && key && EVP_PKEY_eq(own, key) == 1;

    ERR_clear_error();
    return same;
}

static se_status keep_once(STACK_OF(X509) * *kept, X509 *certificate, se_error *err)
{
    if ((!*kept && !(*kept = sk_X509_new_null())) ||
        !X509_add_cert(*kept, certificate, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP))
        return error_memory(err);
    return SE_OK;
}

se_status certificates_add_other(struct certificates *out, X509 *certificate, se_error *err)
{
    if (!certificate_has_key(certificate, X509_get0_pubkey(out->own)) ||
        !X509_cmp(certificate, out->own))
        return SE_OK;
    return keep_once(&out->others, certificate, err);
}

se_status certificates_add_former(struct certificates *out, X509 *certificate, se_error *err)
{
    return certificate_has_key(certificate, X509_get0_pubkey(out->own))
               ? certificates_add_other(out, certificate, err)
               : keep_once(&out->former, certificate, err);
}

se_status certificates_add_others(struct certificates *out, const STACK_OF(X509) * pool,
                                  se_error *err)
{
    for (int i = 0; i < sk_X509_num(pool); i++)
        TRY(certificates_add_other(out, sk_X509_value(pool, i), err));
    return SE_OK;
}

void certificates_free(struct certificates *all)
{
    X509_free(all->own);
    sk_X509_pop_free(all->chain, X509_free);
    sk_X509_pop_free(all->others, X509_free);
    sk_X509_pop_free(all->former, X509_free);
    *all = (struct certificates){ .own = NULL };
}

se_status certificates_gather(struct certificates *out, X509 *own, const STACK_OF(X509) * pool,
                              se_error *err)
{
    AUTO(certificates) all = { .own = NULL };

    if (!X509_up_ref(own))
        return error_memory(err);
    all.own = own;
    TRY(certificates_chain(&all.chain, own, pool, err));
    TRY(certificates_add_others(&all, pool, err));
    *out = all;
    all = (struct certificates){ .own = NULL };
    return SE_OK;
}

int64_t certificates_turn(const X509 *own, const STACK_OF(X509) * others)
{
    const int64_t now = time(NULL);
    int64_t turn = 0;

    for (int i = 0; i < sk_X509_num(others); i++) {
        const X509 *other = sk_X509_value(others, i);
        const int64_t moments[] = { certificate_not_before(other), certificate_not_after(own) + 1 };

        for (size_t m = 0; m < sizeof moments / sizeof *moments; m++)
            if (moments[m] > now && (!turn || moments[m] < turn) &&
                certificate_precedes(other, own, moments[m]))
                turn = moments[m];
    }
    return turn;
}

/* UTF-8 as it is, the special characters of RFC 4514 escaped */
void name_text(char *out, size_t size, const X509_NAME *name)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    char *text;
    long length;

    *out = '\0';
    if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return;
    length = BIO_get_mem_data(bio, &text);
    text_copy(out, size, text, (size_t)length);
}

void certificate_subject(char *out, size_t size, const X509 *certificate)
{
    name_text(out, size, X509_get_subject_name(certificate));
}

void certificate_issuer(char *out, size_t size, const X509 *certificate)
{
    name_text(out, size, X509_get_issuer_name(certificate));
}

void serial_text(char *out, size_t size, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = number ? BN_bn2hex(number) : NULL;

    (void)snprintf(out, size, "%s", text ? text : "");
    OPENSSL_free(text);
    BN_free(number);
}

void certificate_serial(char *out, size_t size, const X509 *certificate)
{
    serial_text(out, size, X509_get0_serialNumber(certificate));
}

int64_t asn1_seconds(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) ? timegm(&tm) : 0;
}

int64_t certificate_not_after(const X509 *certificate)
{
    return asn1_seconds(X509_get0_notAfter(certificate));
}

int64_t certificate_not_before(const X509 *certificate)
{
    return asn1_seconds(X509_get0_notBefore(certificate));
}

void date_text(char out[16], int64_t time)
{
    time_t t = time;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, 16, "%Y-%m-%d", &tm))
        (void)snprintf(out, 16, "?");
}
