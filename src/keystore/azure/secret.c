/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/secret.h"

#include "keystore/azure/login.h"
#include "keystore/refusals.h"

static struct refusals refused_secrets;

void login_forget_refused(void)
{
    refusals_forget(&refused_secrets);
}

static bool identify_secret(struct refusal *out, const struct credential_client *client,
                            const se_buf *secret)
{
    const se_bytes parts[] = { text_bytes(client->authority), text_bytes(client->tenant),
                               text_bytes(client->id), buf_bytes(secret) };

    return refusal_make(out, parts, sizeof parts / sizeof *parts);
}

se_status secret_present(struct token_answer *out, const struct credential_request *request,
                         const struct credential_client *client, const se_buf *secret,
                         se_error *err)
{
    AUTO(credential_proof) proof = { .is_refused = false };
    struct refusal refusal;
    se_status st;

    *out = (struct token_answer){ .lifetime = 0 };
    if (!identify_secret(&refusal, client, secret))
        return error_set(err, SE_ERR_CRYPTO, "cannot hash the client secret");
    if (refusals_have(&refused_secrets, &refusal, SECRET_REFUSED_MS))
        return error_set(err, SE_ERR_ACCESS,
                         "wrong client secret: the login service refused it within the last hour, "
                         "and this process does not present it again; a new one is tried at once");
    writer_text(&proof.fields, "&client_secret=");
    writer_percent(&proof.fields, (const char *)secret->data);
    st = credential_ask_authority(out, request, client, &proof, err);
    if (proof.is_refused)
        refusals_add(&refused_secrets, &refusal);
    return st;
}

static se_status ask_with_secret(struct token_answer *out, const struct credential_request *request,
                                 se_error *err)
{
    AUTO(se_buf) secret = SE_BUF_INIT;
    struct credential_client client;

    *out = (struct token_answer){ .lifetime = 0 };
    TRY(credential_client(&client, &secret_credential, request, err));
    TRY(keyref_pin(&secret, request->ref, err));
    if (!secret.size)
        return error_set(err, SE_ERR_ACCESS,
                         "the login service wants a client secret, and none is configured (pin, "
                         "pin.encrypted, pin.source)");
    return secret_present(out, request, &client, &secret, err);
}

const struct credential_type secret_credential = {
    .kind = CREDENTIAL_SECRET,
    .name = "secret",
    .ask = ask_with_secret,
};
