/* SPDX-License-Identifier: Apache-2.0 */
/* Logins: what is asked for them, what is shared, and what happens when somebody refuses. */
#include "tests/unit/azure_login.h"

/* ---- */

static void test_what_is_asked(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(give_token, 3600);
    ref.ca_file = "/etc/ca.pem";
    ref.proxy = "http://proxy.example:3128";
    login = open_login(&ref);
    assert_string_equal(fake_settings().ca_file, "/etc/ca.pem");
    assert_string_equal(fake_settings().proxy, "http://proxy.example:3128");
    assert_false(fake_settings().is_plain);
    assert_int_equal(fake_requests(), 0);
    assert_header(login, "Authorization: Bearer token-1");
    assert_string_equal(fake_url(), "https://login.microsoftonline.com/"
                                    "11111111-2222-3333-4444-555555555555/oauth2/v2.0/token");
    assert_string_equal(form_field(fake_body(), "grant_type"), "client_credentials");
    assert_string_equal(form_field(fake_body(), "client_id"), "client-1");
    assert_string_equal(form_field(fake_body(), "scope"), "https://vault.azure.net/.default");
    assert_string_equal(form_field(fake_body(), "client_secret"), first_secret);
    assert_string_equal(form_field(fake_body(), "claims"), "");
    assert_non_null(strstr(fake_headers(), "Content-Type: application/x-www-form-urlencoded\n"));
    assert_header(login, "Authorization: Bearer token-1");
    assert_int_equal(fake_requests(), 1);
}

static void test_equal_logins_are_one(void **state)
{
    static char same[] = "secret&=+ 1", another[] = "secret&=+ 2";
    struct keyref ref = ref_with(first_secret), equal = ref_with(same);
    struct keyref others[] = { ref, ref, ref, ref, ref_with(another), ref };
    struct login *login, *second, *other;

    (void)state;
    begin_with(give_token, 3600);
    others[0].tenant = "66666666-2222-3333-4444-555555555555";
    others[1].client = "client-2";
    others[2].proxy = "http://proxy";
    others[3].ca_file = "/ca.pem";
    others[5].pin = (se_buf)SE_BUF_INIT;
    others[5].pin_source = "env:SECRET";
    login = open_login(&ref);
    second = open_login(&equal);
    assert_ptr_equal(login, second);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        other = open_login(&others[i]);
        assert_ptr_not_equal(login, other);
        login_close(other);
    }
    assert_header(login, "Authorization: Bearer token-1");
    login_close(login);
    assert_header(second, "Authorization: Bearer token-1");
    login_close(second);
    wait_for_landing(0);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-2");
    login_close(login);
}

static void test_what_is_not_given(void **state)
{
    struct keyref ref = fake_ref();
    struct vault_place stranger = fake_place;
    struct login *login;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin_with(give_token, 3600);
    assert_status(SE_ERR_CONFIG, login_open(&login, &ref, &fake_place, &err), &err);
    assert_null(login);
    assert_non_null(strstr(err.text, "managedIdentity"));
    ref = ref_with(first_secret);
    ref.credential = CREDENTIAL_NONE; /* a secret is given: that is one */
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    login_close(login);
    ref.tenant = "";
    login = open_login(&ref);
    assert_no_header(SE_ERR_CONFIG, login, "needs a tenant");
    login_close(login);
    ref = fake_ref();
    ref.credential = CREDENTIAL_SECRET;
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "pin.source");
    login_close(login);
    err = (se_error)SE_ERROR_INIT;
    stranger.host = (char[]){ "vault.azure.net.evil.example" };
    assert_status(SE_ERR_CONFIG, login_open(&login, &ref, &stranger, &err), &err);
    assert_int_equal(fake_requests(), 1);
}

/* ---- refused secrets ---- */

static void test_a_refused_secret_is_not_presented_again(void **state)
{
    static char second_secret[] = "right one";
    struct keyref ref = ref_with(first_secret), changed = ref_with(second_secret);
    struct login *login;

    (void)state;
    begin_with(refuse_secret, 3600);
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "is wrong");
    assert_no_header(SE_ERR_ACCESS, login, "does not present it again");
    login_close(login);
    login = open_login(&ref); /* another engine */
    assert_no_header(SE_ERR_ACCESS, login, "does not present it again");
    assert_int_equal(fake_requests(), 1);
    login_forget_refused();
    assert_no_header(SE_ERR_ACCESS, login, "is wrong");
    assert_int_equal(fake_requests(), 2);
    login_close(login);
    login = open_login(&changed);
    begin_with(give_token, 3600);
    assert_header(login, "Authorization: Bearer token-1");
    login_close(login);
}

static void test_a_changed_secret_is_tried_at_once(void **state)
{
    struct keyref ref = fake_ref();
    AUTO(login) login = NULL;

    (void)state;
    begin_with(refuse_secret, 3600);
    ref.credential = CREDENTIAL_SECRET;
    ref.pin_source = "env:TEST_AZURE_SECRET";
    assert_int_equal(setenv("TEST_AZURE_SECRET", "one", 1), 0);
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "is wrong");
    fake_begin(give_token);
    assert_no_header(SE_ERR_ACCESS, login, "does not present it again");
    assert_int_equal(fake_requests(), 0);
    assert_int_equal(setenv("TEST_AZURE_SECRET", "two", 1), 0);
    assert_header(login, "Authorization: Bearer token-1");
}

/* What is no fault of the secret's is asked again. */
static se_status refuse_client(struct http_answer *out, const struct http_request *request,
                               se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 400,
              "{\"error\":\"unauthorized_client\",\"error_description\":\"AADSTS700016: "
              "Application not found\",\"error_codes\":[700016]}");
    return SE_OK;
}

static void test_only_secrets_are_remembered(void **state)
{
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(refuse_client, 3600);
    login = open_login(&ref);
    assert_no_header(SE_ERR_ACCESS, login, "no such application");
    assert_no_header(SE_ERR_ACCESS, login, "no such application");
    assert_int_equal(fake_requests(), 2);
    fake_begin(give_token);
    assert_header(login, "Authorization: Bearer token-1");
}

/* ---- a vault refuses the token ---- */

static void refuse(struct login *login, const char *header, const struct challenge *challenge)
{
    AUTO(se_buf) refused = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, buf_copy(&refused, text_bytes(header), &err), &err);
    assert_status(SE_OK, login_refused(login, &refused, challenge, &err), &err);
}

static void test_a_refused_token_is_asked_anew(void **state)
{
    const struct challenge same = { .scheme = "Bearer",
                                    .tenant = "11111111-2222-3333-4444-555555555555",
                                    .resource = "https://vault.azure.net/" };
    struct challenge claims = same;
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(give_token, 3600);
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    refuse(login, "Authorization: Bearer token-1", &same);
    assert_header(login, "Authorization: Bearer token-2");
    refuse(login, "Authorization: Bearer token-1", &same); /* another thread is late */
    assert_header(login, "Authorization: Bearer token-2");
    assert_string_equal(form_field(fake_body(), "claims"), "");
    (void)snprintf(claims.claims, sizeof claims.claims, "eyJhY2Nlc3NfdG9rZW4iOnsieCI6Ij8_In19");
    refuse(login, "Authorization: Bearer token-2", &claims);
    assert_header(login, "Authorization: Bearer token-3");
    assert_string_equal(form_field(fake_body(), "claims"), "{\"access_token\":{\"x\":\"??\"}}");
    refuse(login, "Authorization: Bearer token-3", &same);
    assert_header(login, "Authorization: Bearer token-4");
    assert_string_equal(form_field(fake_body(), "claims"), "");
}

/* A renewal is under way when a vault asks for claims: its token would not have them. */
static void test_claims_during_a_renewal(void **state)
{
    struct challenge claims = { .scheme = "Bearer", .claims = "e30=" };
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;

    (void)state;
    begin_with(give_token, 3600);
    fake_refresh = 1;
    login = open_login(&ref);
    assert_header(login, "Authorization: Bearer token-1");
    fake_hold(true);
    (void)usleep(1100 * 1000);
    assert_header(login, "Authorization: Bearer token-1"); /* begins it */
    wait_for_requests(2);
    refuse(login, "Authorization: Bearer token-1", &claims);
    fake_hold(false);
    assert_header(login, "Authorization: Bearer token-3");
    assert_string_equal(form_field(fake_body(), "claims"), "{}");
}

static void test_challenges_for_strangers(void **state)
{
    static const struct {
        struct challenge challenge;
        const char *text;
    } bad[] = {
        { { .resource = "https://evil.example" }, "'https://evil.example'" },
        { { .resource = "https://vault.azure.cn" }, "'https://vault.azure.net'" },
        { { .resource = "https://vault.azure.net.evil.example" }, "gets none" },
        { { .resource = "https://azure.net" }, "say so by 'resource'" },
        { { .tenant = "66666666-2222-3333-4444-555555555555" },
          "'66666666-2222-3333-4444-555555555555'" },
    };
    const struct challenge by_name = { .tenant = "contoso.example" };
    struct keyref ref = ref_with(first_secret);
    AUTO(login) login = NULL;
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    begin_with(give_token, 3600);
    login = open_login(&ref);
    assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_ERR_STORE, login_refused(login, &header, &bad[i].challenge, &err), &err);
        if (!strstr(err.text, bad[i].text))
            fail_msg("%s", err.text);
    }
    assert_header(login, "Authorization: Bearer token-1"); /* not forgotten for such ones */
    refuse(login, "Authorization: Bearer token-1", &by_name);
    assert_header(login, "Authorization: Bearer token-2");
    assert_string_equal(fake_url(), "https://login.microsoftonline.com/"
                                    "11111111-2222-3333-4444-555555555555/oauth2/v2.0/token");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        LOGIN_TEST(test_what_is_asked),
        LOGIN_TEST(test_equal_logins_are_one),
        LOGIN_TEST(test_what_is_not_given),
        LOGIN_TEST(test_a_refused_secret_is_not_presented_again),
        LOGIN_TEST(test_a_changed_secret_is_tried_at_once),
        LOGIN_TEST(test_only_secrets_are_remembered),
        LOGIN_TEST(test_a_refused_token_is_asked_anew),
        LOGIN_TEST(test_claims_during_a_renewal),
        LOGIN_TEST(test_challenges_for_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
