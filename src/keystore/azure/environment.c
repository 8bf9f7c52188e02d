/* SPDX-License-Identifier: Apache-2.0 */
/* The variables by which Microsoft's tools are told who logs in. */
#include "base/file.h"
#include "keystore/azure/assertion.h"
#include "keystore/azure/secret.h"
#include "keystore/keystore.h"
#include "keystore/pem.h"

static se_status ask_with_variable(struct token_answer *out,
                                   const struct credential_request *request,
                                   const struct credential_client *client, const char *value,
                                   se_error *err)
{
    AUTO(se_buf) secret = SE_BUF_INIT;

    TRY(buf_copy(&secret, text_bytes(value), err));
    return secret_present(out, request, client, &secret, err);
}

/* ---- a file with a certificate and its key ---- */

static se_status find_store(const struct store_type **out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = file_read(&text, path, BUNDLE_FILE_LIMIT, err);

    *out = NULL;
    if (st)
        return st == SE_ERR_ACCESS || st == SE_ERR_MEMORY ? st : error_restate(err, SE_ERR_STORE);
    *out = pem_has_key(buf_bytes(&text)) ? &pem_store : &pkcs12_store;
    return SE_OK;
}

static se_status open_certificate(struct key **out, const char *path, se_error *err)
{
    const char *password = credential_variable("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    AUTO(se_buf) pin = SE_BUF_INIT;
    const struct store_type *store;
    struct keyref ref = {
        .location = path,
        .location_written = path,
        .alias = "",
        .certificate = "",
        .certificate_written = "",
        .pin_source = "",
        .pin_scrambled = "",
        .pin_key = "",
    };

    *out = NULL;
    TRY(find_store(&store, path, err));
    if (*password)
        TRY(buf_copy(&pin, text_bytes(password), err));
    ref.store = store->name;
    ref.pin = pin; /* borrowed: these stores keep neither it nor `ref` */
    return store->open(out, &ref, PART_SIGN, NULL, err);
}

static se_status ask_with_file(struct token_answer *out, const struct credential_request *request,
                               const struct credential_client *client, const char *path,
                               se_error *err)
{
    AUTO(key) key = NULL;

    TRY_PREFIX(open_certificate(&key, path, err), err, "AZURE_CLIENT_CERTIFICATE_PATH: ");
    TRY_PREFIX(assertion_ask(out, request, client, key, err), err, "certificate in '%s': ", path);
    return SE_OK;
}

/* ---- */

static se_status ask_with_environment(struct token_answer *out,
                                      const struct credential_request *request, se_error *err)
{
    const char *secret = credential_variable("AZURE_CLIENT_SECRET");
    const char *path = credential_variable("AZURE_CLIENT_CERTIFICATE_PATH");
    struct credential_client client;

    *out = (struct token_answer){ .lifetime = 0 };
    if (!*secret && !*path)
        return error_set(err, SE_ERR_ACCESS,
                         "credential environment needs $AZURE_CLIENT_SECRET or "
                         "$AZURE_CLIENT_CERTIFICATE_PATH, and neither is set");
    if (*secret && *path)
        return error_set(err, SE_ERR_CONFIG,
                         "$AZURE_CLIENT_SECRET and $AZURE_CLIENT_CERTIFICATE_PATH are both set: "
                         "keep one");
    TRY(credential_client(&client, &environment_credential, request, err));
    return *secret ? ask_with_variable(out, request, &client, secret, err)
                   : ask_with_file(out, request, &client, path, err);
}

const struct credential_type environment_credential = {
    .kind = CREDENTIAL_ENVIRONMENT,
    .name = "environment",
    .has_variables = true,
    .ask = ask_with_environment,
};
