/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions: signed with any key, and what other proofs come in their place. */
#include <jansson.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "keystore/azure/credential.h"
#include "keystore/keystore.h"
#include "tests/unit/azure_fake.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

#define TOKEN_URL                                                                                  \
    "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token"

static se_status give_token(struct http_answer *out, const struct http_request *request,
                            se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 200, "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"t-1\"}");
    return SE_OK;
}

static se_status ask_with(const struct credential_type *type, const struct keyref *ref,
                          se_error *err)
{
    AUTO(token_answer) answer = { .lifetime = 0 };
    AUTO(http_pool) pool = NULL;
    const struct credential_request request = {
        .ref = ref,
        .place = &fake_place,
        .claims = "",
        .until = in_ms(5000),
    };
    struct credential_request own = request;
    se_status st;

    TRY(http_pool_open(&pool, &(struct http_settings){ .connections = 1 }, err));
    own.pool = pool;
    st = type->ask(&answer, &own, err);
    assert_int_equal(answer.token.size, st ? 0 : 3);
    assert_int_equal(answer.lifetime, st ? 0 : 3599);
    return st;
}

static void fail_with(const struct credential_type *type, const struct keyref *ref,
                      se_status expected, const char *text)
{
    se_error err = SE_ERROR_INIT;

    fake_begin(give_token);
    assert_status(expected, ask_with(type, ref, &err), &err);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
    assert_int_equal(fake_requests(), 0);
}

/* ---- what the login service does with an assertion ---- */

static json_t *decode_part(const char *start, size_t size)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    json_t *json;

    assert_int_equal(base64url_decode(&text, (se_bytes){ start, size }, NULL), SE_OK);
    json = json_loadb((char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    return json;
}

static void check_header(const json_t *header, X509 *certificate)
{
    AUTO(se_buf) print = SE_BUF_INIT;
    unsigned char hash[32];
    unsigned size = sizeof hash;

    assert_true(X509_digest(certificate, EVP_sha256(), hash, &size));
    assert_int_equal(base64url_encode(&print, (se_bytes){ hash, size }, NULL), SE_OK);
    assert_int_equal(json_object_size(header), 3);
    assert_string_equal(json_string_value(json_object_get(header, "alg")), "PS256");
    assert_string_equal(json_string_value(json_object_get(header, "typ")), "JWT");
    assert_string_equal(json_string_value(json_object_get(header, "x5t#S256")), (char *)print.data);
}

static void check_claims(const json_t *claims, char id[64])
{
    const int64_t now = clock_seconds();
    const int64_t iat = json_integer_value(json_object_get(claims, "iat"));

    assert_int_equal(json_object_size(claims), 7);
    assert_string_equal(json_string_value(json_object_get(claims, "aud")), TOKEN_URL);
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), "client-1");
    assert_string_equal(json_string_value(json_object_get(claims, "sub")), "client-1");
    assert_in_range(iat, now - 60, now);
    assert_int_equal(json_integer_value(json_object_get(claims, "nbf")), iat);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), iat + 600);
    (void)snprintf(id, 64, "%s", json_string_value(json_object_get(claims, "jti")));
    assert_int_equal(strlen(id), 22);
}

/* With OpenSSL alone. */
static void verify_signature(const char *text, size_t size, const char *signature,
                             X509 *certificate)
{
    AUTO(se_buf) raw = SE_BUF_INIT;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context;

    assert_int_equal(base64url_decode(&raw, text_bytes(signature), NULL), SE_OK);
    assert_int_equal(
        EVP_DigestVerifyInit(md, &context, EVP_sha256(), NULL, X509_get0_pubkey(certificate)), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32), 1);
    assert_int_equal(EVP_DigestVerify(md, raw.data, raw.size, (const unsigned char *)text, size),
                     1);
    EVP_MD_CTX_free(md);
}

static void accept_assertion(X509 *certificate, char id[64])
{
    char jwt[8192];
    const char *first, *second;
    json_t *header, *claims;

    assert_string_equal(fake_url(), TOKEN_URL);
    assert_string_equal(form_field(fake_body(), "client_id"), "client-1");
    assert_string_equal(form_field(fake_body(), "client_secret"), "");
    assert_string_equal(form_field(fake_body(), "client_assertion_type"),
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    (void)snprintf(jwt, sizeof jwt, "%s", form_field(fake_body(), "client_assertion"));
    assert_non_null(first = strchr(jwt, '.'));
    assert_non_null(second = strchr(first + 1, '.'));
    assert_null(strchr(second + 1, '.'));
    header = decode_part(jwt, (size_t)(first - jwt));
    claims = decode_part(first + 1, (size_t)(second - first - 1));
    check_header(header, certificate);
    check_claims(claims, id);
    verify_signature(jwt, (size_t)(second - jwt), second + 1, certificate);
    json_decref(header);
    json_decref(claims);
}

/* ---- credential="certificate" ---- */

static struct keyref pem_ref(const char *path)
{
    struct keyref ref = fake_ref();

    ref.store = "pem";
    ref.location = ref.location_written = path;
    ref.alias = "";
    return ref;
}

static X509 *write_pem(const char *path, const char *type)
{
    AUTO(evp_pkey) key = make_key(type);
    X509 *certificate = make_certificate(key, &(struct certificate_wish){ .subject = path });

    make_bundle(path, key, certificate);
    return certificate;
}

/* What opens a key tells the login how to open others. */
static void open_something(const char *path)
{
    const struct keyref ref = pem_ref(path);
    AUTO(key) key = NULL;

    assert_int_equal(store_open(&key, &ref, PART_SIGN, NULL, NULL), SE_OK);
}

static void test_signed_with_another_key(void **state)
{
    AUTO(x509) certificate = write_pem("signer.pem", "RSA-2048");
    struct keyref replicas[] = { pem_ref("missing.pem"), pem_ref("signer.pem") };
    struct key_entry signer = { .name = "signer", .replicas = replicas, .count = 2 };
    struct keyref ref = fake_ref();
    se_error err = SE_ERROR_INIT;
    char first[64], second[64];

    (void)state;
    open_something("signer.pem");
    ref.credential = CREDENTIAL_CERTIFICATE;
    ref.credential_key = "signer";
    fail_with(&certificate_credential, &ref, SE_ERR_CONFIG, "credentialKey");
    ref.signer = &signer;
    fake_begin(give_token);
    assert_status(SE_OK, ask_with(&certificate_credential, &ref, &err), &err);
    accept_assertion(certificate, first);
    assert_status(SE_OK, ask_with(&certificate_credential, &ref, &err), &err);
    accept_assertion(certificate, second);
    assert_string_not_equal(first, second);
    signer.count = 1;
    fail_with(&certificate_credential, &ref, SE_ERR_STORE, "credentialKey 'signer': ");
    fail_with(&certificate_credential, &ref, SE_ERR_STORE, "missing.pem");
}

static void test_other_keys_than_rsa(void **state)
{
    AUTO(x509) certificate = write_pem("ec.pem", "P-256");
    struct keyref replica = pem_ref("ec.pem");
    struct key_entry signer = { .name = "signer", .replicas = &replica, .count = 1 };
    struct keyref ref = fake_ref();

    (void)state;
    open_something("ec.pem");
    ref.signer = &signer;
    fail_with(&certificate_credential, &ref, SE_ERR_KEY, "EC-P-256");
}

/* ---- credential="environment", "workloadIdentity" ---- */

static void clear_variables(void)
{
    static const char *const names[] = {
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AZURE_AUTHORITY_HOST",
        "AZURE_FEDERATED_TOKEN_FILE",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(unsetenv(names[i]), 0);
}

static void set_variable(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static void test_secret_of_the_environment(void **state)
{
    struct keyref ref = fake_ref();
    se_error err = SE_ERROR_INIT;

    (void)state;
    clear_variables();
    fail_with(&environment_credential, &ref, SE_ERR_ACCESS, "$AZURE_CLIENT_CERTIFICATE_PATH");
    set_variable("AZURE_CLIENT_SECRET", "s3cret/+");
    set_variable("AZURE_CLIENT_CERTIFICATE_PATH", "x.pem");
    fail_with(&environment_credential, &ref, SE_ERR_CONFIG, "both set");
    clear_variables();
    set_variable("AZURE_CLIENT_SECRET", "s3cret/+");
    set_variable("AZURE_TENANT_ID", "tenant-2");
    set_variable("AZURE_CLIENT_ID", "client-2");
    fake_begin(give_token);
    assert_status(SE_OK, ask_with(&environment_credential, &ref, &err), &err);
    assert_string_equal(fake_url(), TOKEN_URL); /* the configuration comes first */
    assert_string_equal(form_field(fake_body(), "client_id"), "client-1");
    assert_string_equal(form_field(fake_body(), "client_secret"), "s3cret/+");
    ref.tenant = ref.client = "";
    set_variable("AZURE_AUTHORITY_HOST", "login.microsoftonline.us/");
    assert_status(SE_OK, ask_with(&environment_credential, &ref, &err), &err);
    assert_string_equal(fake_url(), "https://login.microsoftonline.us/tenant-2/oauth2/v2.0/token");
    assert_string_equal(form_field(fake_body(), "client_id"), "client-2");
    ref.authority = "https://login.microsoftonline.com"; /* of the configuration */
    assert_status(SE_OK, ask_with(&environment_credential, &ref, &err), &err);
    assert_string_equal(fake_url(), "https://login.microsoftonline.com/tenant-2/oauth2/v2.0/token");
    clear_variables();
    set_variable("AZURE_CLIENT_SECRET", "s3cret/+");
    fail_with(&environment_credential, &ref, SE_ERR_CONFIG, "$AZURE_TENANT_ID");
}

static void write_pkcs12(const char *path, const char *password, EVP_PKEY *key, X509 *certificate)
{
    PKCS12 *pkcs12 = PKCS12_create(password, "one", key, certificate, NULL, 0, 0, 0, 0, 0);
    FILE *file = fopen(path, "w");

    assert_non_null(pkcs12);
    assert_non_null(file);
    assert_int_equal(i2d_PKCS12_fp(file, pkcs12), 1);
    assert_int_equal(fclose(file), 0);
    PKCS12_free(pkcs12);
}

static void test_certificate_of_the_environment(void **state)
{
    AUTO(evp_pkey) key = make_key("RSA-2048");
    AUTO(x509) in_p12 = make_certificate(key, &(struct certificate_wish){ .subject = "p12" });
    AUTO(x509) in_pem = write_pem("client.pem", "RSA-2048");
    struct keyref ref = fake_ref();
    se_error err = SE_ERROR_INIT;
    char id[64];

    (void)state;
    clear_variables();
    set_variable("AZURE_CLIENT_CERTIFICATE_PATH", "client.pem");
    fake_begin(give_token);
    assert_status(SE_OK, ask_with(&environment_credential, &ref, &err), &err);
    accept_assertion(in_pem, id);
    write_pkcs12("client.p12", "pass word", key, in_p12);
    set_variable("AZURE_CLIENT_CERTIFICATE_PATH", "client.p12");
    set_variable("AZURE_CLIENT_CERTIFICATE_PASSWORD", "pass word");
    assert_status(SE_OK, ask_with(&environment_credential, &ref, &err), &err);
    accept_assertion(in_p12, id);
    set_variable("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wrong");
    fail_with(&environment_credential, &ref, SE_ERR_ACCESS, "AZURE_CLIENT_CERTIFICATE_PATH: ");
    set_variable("AZURE_CLIENT_CERTIFICATE_PATH", "none.pem");
    fail_with(&environment_credential, &ref, SE_ERR_STORE, "none.pem");
    clear_variables();
}

static void test_federated_token_is_read_anew(void **state)
{
    struct keyref ref = fake_ref();
    se_error err = SE_ERROR_INIT;

    (void)state;
    clear_variables();
    fail_with(&workload_identity_credential, &ref, SE_ERR_ACCESS, "$AZURE_FEDERATED_TOKEN_FILE");
    set_variable("AZURE_FEDERATED_TOKEN_FILE", "token");
    fail_with(&workload_identity_credential, &ref, SE_ERR_ACCESS, "'token'");
    make("token", "head.body.sign\n", 0600);
    set_variable("AZURE_TENANT_ID", "tenant-2");
    set_variable("AZURE_CLIENT_ID", "client-2");
    ref.tenant = ref.client = "";
    fake_begin(give_token);
    assert_status(SE_OK, ask_with(&workload_identity_credential, &ref, &err), &err);
    assert_string_equal(form_field(fake_body(), "client_assertion"), "head.body.sign");
    assert_string_equal(form_field(fake_body(), "client_id"), "client-2");
    assert_string_equal(fake_url(), "https://login.microsoftonline.com/tenant-2/oauth2/v2.0/token");
    assert_int_equal(unlink("token"), 0);
    make("token", "new.body.sign", 0600);
    assert_status(SE_OK, ask_with(&workload_identity_credential, &ref, &err), &err);
    assert_string_equal(form_field(fake_body(), "client_assertion"), "new.body.sign");
    assert_int_equal(unlink("token"), 0);
    make("token", " \n", 0600);
    fail_with(&workload_identity_credential, &ref, SE_ERR_ACCESS, "is empty");
    clear_variables();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_FOLDER(test_signed_with_another_key),
        IN_FOLDER(test_other_keys_than_rsa),
        IN_FOLDER(test_secret_of_the_environment),
        IN_FOLDER(test_certificate_of_the_environment),
        IN_FOLDER(test_federated_token_is_read_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
