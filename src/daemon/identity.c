/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"

enum {
    TRUST_LIMIT = 16 << 20, /* of a file */
    SENT_MOST = 10,         /* certificates */
    CHAIN_MOST = 6,         /* CAs between a certificate and one that is trusted */
    STRENGTH = 2, /* SSL_CTX_set_security_level(3): 112 bits, so no SHA-1 and no RSA below 2048 */
};

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(x509, X509 *, X509_free(*p))
AUTO_KIND(x509_crl, X509_CRL *, X509_CRL_free(*p))
AUTO_KIND(store_ctx, X509_STORE_CTX *, X509_STORE_CTX_free(*p))
AUTO_KIND(big_number, BIGNUM *, BN_free(*p))

/* ---- CAs and CRLs ---- */

struct trust {
    X509_STORE *store;
};

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    free(trust);
}
AUTO_KIND(trust, struct trust *, trust_free(*p))

static se_status open_pem(BIO **out, se_buf *text, const char *path, se_error *err)
{
    TRY(file_read(text, path, TRUST_LIMIT, err));
    return (*out = BIO_new_mem_buf(text->data, (int)text->size)) ? SE_OK : error_memory(err);
}

/* What comes behind the last is text, or nothing; anything else was meant to count. */
static se_status end_pem(const char *path, const char *what, size_t count, se_error *err)
{
    const unsigned long last = ERR_peek_last_error();

    ERR_clear_error();
    if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        return error_set(err, SE_ERR_CONFIG, "'%s': %s %zu in PEM can't be read", path, what,
                         count + 1);
    return count ? SE_OK : error_set(err, SE_ERR_CONFIG, "'%s' has no %s in PEM", path, what);
}

static se_status add_authorities(X509_STORE *store, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(bio) bio = NULL;
    size_t count = 0;

    TRY(open_pem(&bio, &text, path, err));
    for (;; count++) {
        AUTO(x509) one = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (!one)
            return end_pem(path, "certificate", count, err);
        if (!X509_STORE_add_cert(store, one))
            return error_memory(err);
    }
}

static se_status add_revocations(X509_STORE *store, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(bio) bio = NULL;
    size_t count = 0;

    TRY(open_pem(&bio, &text, path, err));
    for (;; count++) {
        AUTO(x509_crl) one = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

        if (!one)
            return end_pem(path, "CRL", count, err);
        if (!X509_STORE_add_crl(store, one))
            return error_memory(err);
    }
}

/* Nobody says anything about the one that is trusted, unless it is a root with a CRL of its own. */
static int excuse_anchor(int good, X509_STORE_CTX *ctx)
{
    const int depth = X509_STORE_CTX_get_error_depth(ctx);

    if (good || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_UNABLE_TO_GET_CRL || !depth ||
        depth != sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1)
        return good;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

/* One that is trusted need not be self-signed (RFC 5280, 6.1): an issuing CA may be, and not the
 * public root above it. */
static bool set_rules(X509_STORE *store, bool revocations)
{
    X509_VERIFY_PARAM *rules = X509_STORE_get0_param(store);
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

    if (revocations)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    X509_VERIFY_PARAM_set_depth(rules, CHAIN_MOST);
    X509_VERIFY_PARAM_set_auth_level(rules, STRENGTH);
    X509_STORE_set_verify_cb(store, excuse_anchor);
    return X509_VERIFY_PARAM_set_flags(rules, flags) &&
           X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT);
}

se_status trust_load(struct trust **out, const char *ca, const char *crl, se_error *err)
{
    AUTO(trust) trust = calloc(1, sizeof *trust);

    *out = NULL;
    if (!trust || !(trust->store = X509_STORE_new()) || !set_rules(trust->store, crl))
        return error_memory(err);
    TRY_PREFIX(add_authorities(trust->store, ca, err), err, "client-ca: ");
    if (crl)
        TRY_PREFIX(add_revocations(trust->store, crl, err), err, "crl: ");
    *out = MOVE(trust);
    return SE_OK;
}

/* ---- a chain ---- */

/* OpenSSL takes a key that may only agree on others (RFC 5280, 4.2.1.3), and a CA's. */
static se_status check_use(X509 *leaf, se_error *err)
{
    if (X509_get_extension_flags(leaf) & EXFLAG_CA)
        return error_set(err, SE_ERR_REJECTED, "the certificate is a CA's");
    return X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED,
                           "the certificate's keyUsage has no digitalSignature");
}

/* *issuer: of the chain that was found; NULL: the certificate is trusted itself. */
static se_status verify_chain(X509 **issuer, const struct trust *trust, STACK_OF(X509) * sent,
                              se_error *err)
{
    AUTO(store_ctx) ctx = X509_STORE_CTX_new();
    X509 *leaf = sk_X509_value(sent, 0);
    int good;

    *issuer = NULL;
    if (!ctx || !X509_STORE_CTX_init(ctx, trust->store, leaf, sent))
        return error_memory(err);
    good = X509_verify_cert(ctx);
    ERR_clear_error();
    if (good != 1)
        return error_set(err, SE_ERR_REJECTED, "certificate %d of its chain: %s",
                         X509_STORE_CTX_get_error_depth(ctx),
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    TRY(check_use(leaf, err));
    if ((*issuer = sk_X509_value(X509_STORE_CTX_get0_chain(ctx), 1)))
        X509_up_ref(*issuer);
    return SE_OK;
}

se_status identity_check(const struct identity *identity, const struct trust *trust, se_error *err)
{
    AUTO(x509) issuer = NULL;

    return verify_chain(&issuer, trust, identity->sent, err);
}

/* ---- who it is ---- */

void identity_free(struct identity *identity)
{
    if (!identity)
        return;
    sk_X509_pop_free(identity->sent, X509_free);
    se_buf_free(&identity->certificate);
    se_buf_free(&identity->issued_by);
    free(identity);
}
AUTO_KIND(identity, struct identity *, identity_free(*p))

/* UTF-8 as it is, the special characters of RFC 4514 escaped. */
static void write_name(char *out, size_t room, const X509_NAME *name)
{
    AUTO(bio) bio = BIO_new(BIO_s_mem());
    char *text;

    *out = '\0';
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        text_copy(out, room, text, (size_t)BIO_get_mem_data(bio, &text));
}

static void write_serial(char *out, size_t room, const X509 *leaf)
{
    AUTO(big_number) number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *text = number ? BN_bn2hex(number) : NULL;

    (void)snprintf(out, room, "%s", text ? text : "");
    OPENSSL_free(text);
}

static se_status write_hash(char out[65], se_bytes bytes, se_error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];

    if (!EVP_Digest(bytes.data, bytes.size, hash, NULL, EVP_sha256(), NULL))
        return error_set(err, SE_ERR_CRYPTO, "cannot hash a certificate");
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}

static void put_name(struct writer *w, const X509_NAME *name)
{
    const unsigned char *der;
    size_t size;

    if (X509_NAME_get0_der(name, &der, &size))
        writer_put(w, der, size);
    else
        w->failed = true;
}

static bool put_alternative_names(struct writer *w, const X509 *leaf)
{
    const int at = X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1);
    const ASN1_OCTET_STRING *names = X509_EXTENSION_get_data(X509_get_ext(leaf, at));

    if (names)
        writer_put(w, ASN1_STRING_get0_data(names), (size_t)ASN1_STRING_length(names));
    return names;
}

/*
 * A caller whose certificate is renewed is the same: his limits go on, and an append that he
 * repeats with the new one must not be done twice. One without names is known by all of it.
 */
static se_status write_id(struct identity *to, X509 *leaf, se_error *err)
{
    AUTO(writer) names = { 0 };
    char hash[65];

    put_name(&names, X509_get_issuer_name(leaf));
    put_name(&names, X509_get_subject_name(leaf));
    if (!put_alternative_names(&names, leaf) && !X509_NAME_entry_count(X509_get_subject_name(leaf)))
        writer_put(&names, to->certificate.data, to->certificate.size);
    if (names.failed)
        return error_memory(err);
    TRY(write_hash(hash, buf_bytes(&names.buf), err));
    (void)snprintf(to->id, sizeof to->id, "cert:%s", hash);
    return SE_OK;
}

static se_status keep_issuer(struct identity *to, X509 *issuer, se_error *err)
{
    unsigned char *der = NULL;
    int size = issuer ? i2d_X509(issuer, &der) : 0;
    se_status st = SE_OK;

    if (issuer)
        st = size > 0 ? buf_copy(&to->issued_by, (se_bytes){ der, (size_t)size }, err)
                      : error_memory(err);
    OPENSSL_free(der);
    return st;
}

static se_status read_sent(struct identity *to, const se_bytes *certificates, size_t count,
                           se_error *err)
{
    if (!count || count > SENT_MOST)
        return error_set(err, SE_ERR_REJECTED,
                         count ? "%zu certificates came; %d at most" : "no certificate came", count,
                         SENT_MOST);
    if (!(to->sent = sk_X509_new_null()))
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *at = certificates[i].data;
        AUTO(x509) one = d2i_X509(NULL, &at, (long)certificates[i].size);

        ERR_clear_error();
        if (!one || at != (const unsigned char *)certificates[i].data + certificates[i].size)
            return error_set(err, SE_ERR_REJECTED,
                             "certificate %zu of those that came can't be read", i + 1);
        if (!sk_X509_push(to->sent, one))
            return error_memory(err);
        one = NULL;
    }
    return buf_copy(&to->certificate, certificates[0], err);
}

se_status identity_read(struct identity **out, const struct trust *trust,
                        const se_bytes *certificates, size_t count, se_error *err)
{
    AUTO(identity) to = calloc(1, sizeof *to);
    AUTO(x509) issuer = NULL;
    X509 *leaf;

    *out = NULL;
    if (!to)
        return error_memory(err);
    TRY(read_sent(to, certificates, count, err));
    TRY(verify_chain(&issuer, trust, to->sent, err));
    leaf = sk_X509_value(to->sent, 0);
    TRY(keep_issuer(to, issuer, err));
    write_name(to->subject, sizeof to->subject, X509_get_subject_name(leaf));
    write_name(to->issuer, sizeof to->issuer, X509_get_issuer_name(leaf));
    write_serial(to->serial, sizeof to->serial, leaf);
    TRY(write_hash(to->sha256, buf_bytes(&to->certificate), err));
    TRY(write_id(to, leaf, err));
    *out = MOVE(to);
    return SE_OK;
}
