/* SPDX-License-Identifier: Apache-2.0 */
/* What a vault and a login service answer, from JSON into structs; and what their failures mean. */
#ifndef KEYSTORE_AZURE_ANSWER_H
#define KEYSTORE_AZURE_ANSWER_H

#include <jansson.h>

#include "base/buf.h"
#include "keystore/azure/http.h"

AUTO_KIND(json, json_t *, json_decref(*p))

/* The body as an object.  SE_ERR_STORE: it is none; the text says what it looks like instead. */
SE_MUST_CHECK se_status answer_json(json_t **out, const struct http_answer *answer, se_error *err);

/* ---- keys and certificates ---- */

/* attributes, as keys, certificates and deleted ones have them; times in seconds, 0: not said */
struct vault_attributes {
    bool is_enabled, is_exportable;
    int64_t not_before, expires, created, updated;
    char recovery[64]; /* "Recoverable+Purgeable" */
    long recover_days; /* -1: not said */
    int platform;      /* hsmPlatform: 0 software, 1 and 2 HSM; -1: not said */
};

enum key_ops {
    KEY_OP_SIGN = 1,
    KEY_OP_VERIFY = 2,
    KEY_OP_ENCRYPT = 4,
    KEY_OP_DECRYPT = 8,
    KEY_OP_WRAP = 16,
    KEY_OP_UNWRAP = 32,
    KEY_OP_OTHER = 64,
};

struct vault_key_answer {
    char id[512];        /* kid */
    char type[16];       /* kty: "RSA-HSM" */
    unsigned operations; /* enum key_ops */
    bool is_managed;     /* by a certificate */
    struct vault_attributes attributes;
    const json_t *jwk; /* borrowed */
};
SE_MUST_CHECK se_status answer_key(struct vault_key_answer *out, const json_t *json, se_error *err);

struct vault_certificate_answer {
    char id[512], key_id[512]; /* id, kid */
    se_buf certificate;        /* DER; empty while it is pending */
    struct vault_attributes attributes;
};
SE_MUST_CHECK se_status answer_certificate(struct vault_certificate_answer *out, const json_t *json,
                                           se_error *err);

/* One page of a list.  A page may be empty and yet have a next one. */
struct vault_page {
    const json_t *items; /* borrowed: an array */
    const char *next;    /* borrowed: URL; NULL: the last page */
};
SE_MUST_CHECK se_status answer_page(struct vault_page *out, const json_t *json, se_error *err);

/*
 * The result of an operation with a key: {kid, value}, decoded; wiped by the caller.  SE_ERR_STORE:
 * it is of another key than `id`.
 */
SE_MUST_CHECK se_status answer_value(se_buf *out, const json_t *json, const char *id,
                                     se_error *err);

/* ---- tokens (RFC 6749, 5.1; managed identities say numbers as strings) ---- */

struct token_answer {
    se_buf token;     /* a secret */
    int64_t lifetime; /* seconds from now */
    int64_t refresh;  /* seconds from now; 0: not said */
};
SE_MUST_CHECK se_status answer_token(struct token_answer *out, const struct http_answer *answer,
                                     se_error *err);

/* ---- failures ---- */

/*
 * The status and the sentence for an answer that is no success (AZURE.md's table): what the service
 * said is in it, cleaned and cut.  `what`: "sign with 'k1'".  Not for 401 and 429 that are tried
 * again.  SE_ERR_UNAVAILABLE: 408, 429, 5xx; SE_ERR_ACCESS: 401, 403; SE_ERR_POLICY: 403 because
 * the key is disabled, expired, not valid yet or not for this; SE_ERR_KEY: 404; SE_ERR_USAGE: 409;
 * SE_ERR_STORE: else.
 */
se_status answer_failure(const struct http_answer *answer, const char *what, se_error *err);

/* The same for a login service's answer: invalid_client and its like are SE_ERR_ACCESS, what may
 * pass is SE_ERR_UNAVAILABLE. */
se_status answer_login_failure(const struct http_answer *answer, const char *what, se_error *err);

/* The service's own code, "KeyNotFound" or its inner code where there is one; "" without. */
void answer_code(char out[64], const struct http_answer *answer);

#endif
