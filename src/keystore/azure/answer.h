/* SPDX-License-Identifier: Apache-2.0 */
/* What a vault and a login service answer, from JSON into structs; and what their failures mean. */
#ifndef KEYSTORE_AZURE_ANSWER_H
#define KEYSTORE_AZURE_ANSWER_H

#include <jansson.h>

#include "base/buf.h"
#include "keystore/azure/http.h"

AUTO_KIND(json, json_t *, json_decref(*p))

/* The body as an object, without NULs and without a member that comes twice.  SE_ERR_STORE: it is
 * none; the text says what it looks like instead. */
SE_MUST_CHECK se_status answer_json(json_t **out, const struct http_answer *answer, se_error *err);

/* What an answer looks like that is no object: "an HTML page", "an empty answer"; static. */
const char *answer_looks_like(const struct http_answer *answer);

/* ---- members that are shown or compared only; one of another type is as good as none ---- */

const char *member_text(const json_t *object, const char *name); /* borrowed; "" without */
int64_t member_number(const json_t *object, const char *name);   /* 0 without */
/* As much of a text as there is room for, fit for messages. */
void member_copy(char *out, size_t room, const json_t *object, const char *name);

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
    unsigned operations; /* enum key_ops; 0: not said */
    bool is_managed;     /* by a certificate */
    struct vault_attributes attributes;
    const json_t *jwk; /* borrowed */
};
/* Also of an item of a list, which says neither type nor operations and has no `jwk`.
 * SE_ERR_STORE: it is no key. */
SE_MUST_CHECK se_status answer_key(struct vault_key_answer *out, const json_t *json, se_error *err);

struct vault_certificate_answer {
    char id[512], key_id[512]; /* id, kid */
    se_buf certificate;        /* DER; empty while it is pending */
    struct vault_attributes attributes;
};
void vault_certificate_answer_free(struct vault_certificate_answer *answer);
AUTO_KIND(vault_certificate_answer, struct vault_certificate_answer,
          vault_certificate_answer_free(p))
/* Also of an item of a list, which has neither `key_id` nor `certificate`, and of a pending one. */
SE_MUST_CHECK se_status answer_certificate(struct vault_certificate_answer *out, const json_t *json,
                                           se_error *err);

/* Whether a key's rotation policy makes versions by itself; NULL: there is none. */
bool answer_rotates(const json_t *policy);

/* One page of a list.  A page may be empty and yet have a next one. */
struct vault_page {
    const json_t *items; /* borrowed: an array */
    const char *next;    /* borrowed: URL; NULL: the last page */
};
SE_MUST_CHECK se_status answer_page(struct vault_page *out, const json_t *json, se_error *err);

/*
 * The result of an operation with a key: {kid, value}, decoded.  SE_ERR_STORE: it is of another key
 * than `id`.  The first is for what everybody may see, as signatures; the second, for what was
 * decrypted, takes the value out before a JSON parser sees the rest: only what is wiped ever holds
 * it.
 */
SE_MUST_CHECK se_status answer_value(se_buf *out, const json_t *json, const char *id,
                                     se_error *err);
SE_MUST_CHECK se_status answer_secret_value(se_buf *out, const struct http_answer *answer,
                                            const char *id, se_error *err);

/* Whether its kid is `id`, but for the case.  SE_ERR_STORE: it is another, or none. */
SE_MUST_CHECK se_status answer_check_id(const json_t *json, const char *id, se_error *err);

/* ---- tokens (RFC 6749, 5.1; managed identities say numbers as strings) ---- */

struct token_answer {
    se_buf token;     /* a secret */
    int64_t lifetime; /* seconds from now */
    int64_t refresh;  /* seconds from now, before the end; 0: not said */
};
void token_answer_free(struct token_answer *answer);
AUTO_KIND(token_answer, struct token_answer, token_answer_free(p))
/* Of a success.  No JSON parser sees the token; what it is of fits into a header. */
SE_MUST_CHECK se_status answer_token(struct token_answer *out, const struct http_answer *answer,
                                     se_error *err);

/* ---- failures ---- */

/*
 * The status and the sentence for an answer that is no success: what the service
 * said is in it, cleaned, cut, and without what looks like a token.  `what`: "sign with 'k1'".  Not
 * for 401 and 429 that are tried again.  SE_ERR_UNAVAILABLE: 408, 429, 5xx; SE_ERR_ACCESS: 401,
 * 403; SE_ERR_POLICY: 403 because the key is disabled, expired, not valid yet or not for this;
 * SE_ERR_KEY: 404 of a vault; SE_ERR_USAGE: 409; SE_ERR_STORE: else.
 */
se_status answer_failure(const struct http_answer *answer, const char *what, se_error *err);

/*
 * The same for a login service's answer, or a metadata service's.  SE_ERR_ACCESS: invalid_client
 * and its like; SE_ERR_UNAVAILABLE: what may pass, with 404 and 410 of a metadata service that is
 * not ready; SE_ERR_STORE: else.
 */
se_status answer_login_failure(const struct http_answer *answer, const char *what, se_error *err);

/* The service's own code, "KeyNotFound" or its inner code where there is one, "invalid_client"; ""
 * without. */
void answer_code(char out[64], const struct http_answer *answer);

#endif
