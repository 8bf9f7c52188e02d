/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/credential.h"

#include <stdlib.h>

const char *credential_variable(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

/* ---- who asks where ---- */

static const char *choose_value(const char *configured, const struct credential_type *type,
                                const char *variable)
{
    return *configured || !type->has_variables ? configured : credential_variable(variable);
}

const char *credential_tenant(const struct credential_type *type, const struct keyref *ref)
{
    return choose_value(ref->tenant, type, "AZURE_TENANT_ID");
}

static se_status check_said(const char *value, const struct credential_type *type, const char *what,
                            const char *variable, se_error *err)
{
    if (*value)
        return SE_OK;
    if (!type->has_variables)
        return error_set(err, SE_ERR_CONFIG, "credential %s needs a %s, and none is given",
                         type->name, what);
    return error_set(err, SE_ERR_CONFIG,
                     "credential %s needs a %s: neither the configuration nor $%s says one",
                     type->name, what, variable);
}

se_status credential_client(struct credential_client *out, const struct credential_type *type,
                            const struct credential_request *request, se_error *err)
{
    const struct keyref *ref = request->ref;
    const char *authority = choose_value(ref->authority, type, "AZURE_AUTHORITY_HOST");
    const struct credential_client client = {
        .authority = *authority && !*ref->authority ? authority : request->place->authority,
        .tenant = credential_tenant(type, ref),
        .id = choose_value(ref->client, type, "AZURE_CLIENT_ID"),
    };

    *out = (struct credential_client){ NULL };
    TRY(check_said(client.tenant, type, "tenant", "AZURE_TENANT_ID", err));
    TRY(check_said(client.id, type, "client", "AZURE_CLIENT_ID", err));
    *out = client;
    return SE_OK;
}

/* Microsoft's libraries take $AZURE_AUTHORITY_HOST without a scheme too, and Kubernetes' webhook
 * writes it with a slash at the end. */
se_status credential_token_url(se_buf *out, const struct credential_client *client, se_error *err)
{
    AUTO(writer) url = { 0 };

    if (!strstr(client->authority, "://"))
        writer_text(&url, "https://");
    writer_put(&url, client->authority, place_address_size(client->authority));
    writer_text(&url, "/");
    writer_percent(&url, client->tenant);
    writer_text(&url, "/oauth2/v2.0/token");
    return writer_finish(out, &url, err);
}

/* ---- asking an authority ---- */

/* RFC 6749, 4.4.2 */
static void write_form(struct writer *form, const struct credential_request *request,
                       const struct credential_client *client, const struct writer *proof)
{
    writer_text(form, "grant_type=client_credentials&client_id=");
    writer_percent(form, client->id);
    writer_text(form, "&scope=");
    writer_percent(form, request->place->resource);
    writer_percent(form, "/.default");
    if (*request->claims) {
        writer_text(form, "&claims=");
        writer_percent(form, request->claims);
    }
    writer_put(form, proof->buf.data, proof->buf.size);
    form->failed = form->failed || proof->failed;
}

/* RFC 6749, 5.2 */
static bool is_invalid_client(const struct http_answer *answer)
{
    char code[64];

    answer_code(code, answer);
    return !strcmp(code, "invalid_client");
}

static se_status judge_answer(struct token_answer *out, const struct http_answer *answer,
                              const struct credential_client *client,
                              struct credential_proof *proof, se_error *err)
{
    AUTO(writer) what = { 0 };

    if (answer->status == 200) {
        TRY_PREFIX(answer_token(out, answer, err), err, "cannot log in: ");
        return SE_OK;
    }
    proof->is_refused = is_invalid_client(answer);
    writer_format(&what, "log in as client '%.64s' of tenant '%.64s'", client->id, client->tenant);
    return answer_login_failure(answer, writer_string(&what), err);
}

se_status credential_ask_authority(struct token_answer *out,
                                   const struct credential_request *request,
                                   const struct credential_client *client,
                                   struct credential_proof *proof, se_error *err)
{
    AUTO(http_answer) answer = { 0 };
    AUTO(writer) form = { 0 };
    AUTO(se_buf) url = SE_BUF_INIT;
    struct http_request post = {
        .method = "POST",
        .headers = { "Content-Type: application/x-www-form-urlencoded" },
        .until = request->until,
    };

    *out = (struct token_answer){ .lifetime = 0 };
    proof->is_refused = false;
    write_form(&form, request, client, &proof->fields);
    if (form.failed)
        return error_memory(err);
    TRY(credential_token_url(&url, client, err));
    post.url = (const char *)url.data;
    post.body = buf_bytes(&form.buf);
    TRY(http_send(&answer, request->pool, &post, err));
    return judge_answer(out, &answer, client, proof, err);
}
