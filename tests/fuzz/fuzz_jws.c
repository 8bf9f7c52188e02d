/* SPDX-License-Identifier: Apache-2.0 */
/* A JWS of any form, and its payload as the claims of a JWT.  A compact one that is accepted is
 * written as it was read: there is one spelling. */
#include <stdlib.h>

#include "jose/jws_value.h"
#include "jose/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_spelling(const struct jws_value *value, se_bytes text)
{
    const struct jws_signature *signature = &value->signatures[0];
    const struct jws_parts parts = { .protected = signature->protected,
                                     .payload = value->payload,
                                     .signature = buf_bytes(&signature->value) };
    AUTO(se_buf) written = SE_BUF_INIT;

    if (jws_value_write(&written, SE_JWS_COMPACT, &parts, NULL) || written.size != text.size ||
        strncmp((const char *)written.data, text.data, text.size) != 0)
        abort();
}

static void read_claims(se_bytes payload)
{
    const se_jwt_verify_params check = SE_JWT_VERIFY_PARAMS_INIT;
    se_jwt_sign_params make = SE_JWT_SIGN_PARAMS_INIT;
    AUTO(se_buf) claims = SE_BUF_INIT;
    unsigned leeway;

    (void)!jwt_claims_check(&leeway, payload, &check, 1000000000, NULL);
    make.issuer = "fuzz";
    make.no_expiry = true;
    if (!jwt_claims_make(&claims, payload, &make, 1000000000, NULL) &&
        jwt_claims_check(&leeway, buf_bytes(&claims), &check, 1, NULL) == SE_ERR_FORMAT)
        abort(); /* what it makes is not what it reads */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(jws_value) value = { .json = NULL };
    AUTO(se_buf) payload = SE_BUF_INIT;
    const se_bytes text = { data, size };

    if (jws_value_read(&value, text, NULL) || jws_value_payload(&payload, &value, NULL))
        return 0;
    if (!value.json)
        compare_spelling(&value, text);
    read_claims(buf_bytes(&payload));
    return 0;
}
