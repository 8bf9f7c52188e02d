/* SPDX-License-Identifier: Apache-2.0 */
/* Where a vault is, whom its tokens may be shown, and the names of its objects. */
#include <stdio.h>

#include "keystore/azure/place.h"
#include "tests/unit/unit.h"

static struct keyref reference(const char *store, const char *location, const char *resource,
                               const char *authority)
{
    return (struct keyref){
        .store = store, .location = location, .resource = resource, .authority = authority
    };
}

static void clouds_are_known(void **state)
{
    static const struct {
        const char *store, *location, *base, *host, *resource, *authority;
        enum vault_kind kind;
    } rows[] = {
        { "AzureKeyVault", "https://a.vault.azure.net", "https://a.vault.azure.net",
          "a.vault.azure.net", "https://vault.azure.net", "https://login.microsoftonline.com",
          VAULT_KEY_VAULT },
        { "AzureKeyVault", "https://Some-Vault.Vault.Azure.NET/",
          "https://some-vault.vault.azure.net", "some-vault.vault.azure.net",
          "https://vault.azure.net", "https://login.microsoftonline.com", VAULT_KEY_VAULT },
        { "AzureManagedHSM", "https://a.managedhsm.azure.net", "https://a.managedhsm.azure.net",
          "a.managedhsm.azure.net", "https://managedhsm.azure.net",
          "https://login.microsoftonline.com", VAULT_MANAGED_HSM },
        { "AzureKeyVault", "https://a.vault.azure.cn", "https://a.vault.azure.cn",
          "a.vault.azure.cn", "https://vault.azure.cn", "https://login.chinacloudapi.cn",
          VAULT_KEY_VAULT },
        { "AzureManagedHSM", "https://a.managedhsm.azure.cn", "https://a.managedhsm.azure.cn",
          "a.managedhsm.azure.cn", "https://managedhsm.azure.cn", "https://login.chinacloudapi.cn",
          VAULT_MANAGED_HSM },
        { "AzureKeyVault", "https://a.vault.usgovcloudapi.net", "https://a.vault.usgovcloudapi.net",
          "a.vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net",
          "https://login.microsoftonline.us", VAULT_KEY_VAULT },
        { "AzureManagedHSM", "https://a.managedhsm.usgovcloudapi.net",
          "https://a.managedhsm.usgovcloudapi.net", "a.managedhsm.usgovcloudapi.net",
          "https://managedhsm.usgovcloudapi.net", "https://login.microsoftonline.us",
          VAULT_MANAGED_HSM },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keyref ref = reference(rows[i].store, rows[i].location, "", "");
        AUTO(vault_place) place = { .base = NULL };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, place_find(&place, &ref, &err), &err);
        assert_string_equal(place.base, rows[i].base);
        assert_string_equal(place.host, rows[i].host);
        assert_string_equal(place.resource, rows[i].resource);
        assert_string_equal(place.authority, rows[i].authority);
        assert_int_equal(place.kind, rows[i].kind);
        assert_true(place_is_within(place.host, place.resource));
    }
}

static void what_is_given_comes_first(void **state)
{
    static const struct {
        const char *location, *resource, *authority, *base, *host, *want_resource, *want_authority;
    } rows[] = {
        { "https://localhost:8443", "https://localhost/", "https://127.0.0.1:8444/",
          "https://localhost:8443", "localhost", "https://localhost/", "https://127.0.0.1:8444" },
        { "https://[::1]:8443/", "api://x/y z", "https://login.example/adfs/", "https://[::1]:8443",
          "[::1]", "api://x/y z", "https://login.example/adfs" },
        { "https://a.vault.azure.net", "", "https://login.partner.microsoftonline.cn",
          "https://a.vault.azure.net", "a.vault.azure.net", "https://vault.azure.net",
          "https://login.partner.microsoftonline.cn" },
        { "https://a.vault.azure.net", "https://vault.example", "", "https://a.vault.azure.net",
          "a.vault.azure.net", "https://vault.example", "https://login.microsoftonline.com" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keyref ref =
            reference("AzureKeyVault", rows[i].location, rows[i].resource, rows[i].authority);
        AUTO(vault_place) place = { .base = NULL };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, place_find(&place, &ref, &err), &err);
        assert_string_equal(place.base, rows[i].base);
        assert_string_equal(place.host, rows[i].host);
        assert_string_equal(place.resource, rows[i].want_resource);
        assert_string_equal(place.authority, rows[i].want_authority);
    }
}

static void no_places_are_refused(void **state)
{
    static const struct {
        const char *location, *resource, *authority, *says;
    } rows[] = {
        { "https://vault.example", "", "", "resource and authority are not given" },
        { "https://vault.example", "https://vault.example", "", "authority is not given" },
        { "https://vault.example", "", "https://login.example", "resource is not given" },
        { "https://vault.azure.net", "", "", "in no cloud" },
        { "https://avault.azure.net", "", "", "in no cloud" },
        { "https://a.vault.azure.net.evil.example", "", "", "in no cloud" },
        { "https://a.vault.azure.net.", "", "", "in no cloud" },
        { "http://a.vault.azure.net", "", "", "no vault's address" },
        { "a.vault.azure.net", "", "", "no vault's address" },
        { "", "", "", "no vault's address" },
        { "https://", "", "", "no vault's address" },
        { "https://user@a.vault.azure.net", "", "", "no vault's address" },
        { "https://evil.example\\.vault.azure.net", "", "", "no vault's address" },
        { "https://a..vault.azure.net", "", "", "no vault's address" },
        { "https://.vault.azure.net", "", "", "no vault's address" },
        { "https://a.vault.azure.net/keys/k", "", "", "without a path" },
        { "https://a.vault.azure.net//", "", "", "without a path" },
        { "https://a.vault.azure.net?x=1", "", "", "no vault's address" },
        { "https://a.vault.azure.net#", "", "", "no vault's address" },
        { "https://a.vault.azure.net:443", "", "", "has a port" },
        { "https://a.vault.azure.net:", "https://r", "", "no vault's address" },
        { "https://a.vault.azure.net:123456", "https://r", "", "no vault's address" },
        { "https://[::1", "https://r", "https://l", "no vault's address" },
        { "https://a.privatelink.vaultcore.azure.net", "", "", "https://a.vault.azure.net with" },
        { "https://a.privatelink.managedhsm.azure.net", "", "",
          "https://a.managedhsm.azure.net with" },
        { "https://a.managedhsm.azure.net", "", "", "is of type AzureManagedHSM, not" },
        { "https://a.vault.azure.net", "", "http://login.example", "no login service's address" },
        { "https://a.vault.azure.net", "", "login.example", "no login service's address" },
        { "https://a.vault.azure.net", "", "https://l.example?a=b", "no login service's address" },
        { "https://a.vault.azure.net", "", "https://l.example/t?a=b",
          "no login service's address" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keyref ref =
            reference("AzureKeyVault", rows[i].location, rows[i].resource, rows[i].authority);
        struct vault_place place;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_CONFIG, place_find(&place, &ref, &err), &err);
        if (!strstr(err.text, rows[i].says))
            fail_msg("%s: '%s' does not say '%s'", rows[i].location, err.text, rows[i].says);
        assert_null(place.base);
        assert_null(place.host);
        assert_null(place.resource);
        assert_null(place.authority);
    }
}

/* A vault that asks for a token of another service's must not get it. */
static void tokens_stay_with_their_resource(void **state)
{
    static const struct {
        const char *host, *resource;
        bool may;
    } rows[] = {
        { "a.vault.azure.net", "https://vault.azure.net", true },
        { "A.Vault.Azure.net", "https://vault.azure.NET/", true },
        { "a.vault.azure.net", "https://vault.azure.net:443/x", true },
        { "vault.azure.net", "https://vault.azure.net", true },
        { "localhost", "https://localhost", true },
        { "a.managedhsm.azure.net", "https://vault.azure.net", false },
        { "evilvault.azure.net", "https://vault.azure.net", false },
        { "a.vault.azure.net.evil.example", "https://vault.azure.net", false },
        { "evil.example", "https://vault.azure.net", false },
        { "azure.net", "https://vault.azure.net", false },
        { "a.vault.azure.net", "https://net", false },
        { "a.vault.azure.net", "https://.net", false },
        { "a.vault.azure.net", "https://", false },
        { "a.vault.azure.net", "", false },
        { "a.vault.azure.net", "http://vault.azure.net", false },
        { "a.vault.azure.net", "vault.azure.net", false },
        { "a.vault.azure.net", "https://graph.example@vault.azure.net", false },
        { "a.vault.azure.net", "https://vault.azure.net@graph.example", false },
        { "a.vault.azure.net", "https://graph.example#.vault.azure.net", false },
        { "a.vault.azure.net", "https://graph.example?.vault.azure.net", false },
        { "a.vault.azure.net", "https://graph.example\\.vault.azure.net", false },
        { "", "https://vault.azure.net", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (place_is_within(rows[i].host, rows[i].resource) != rows[i].may)
            fail_msg("%s, %s", rows[i].host, rows[i].resource);
}

#define KEY_VERSION "0123456789abcdef0123456789abcdef"
#define NAME_127                                                                                   \
    "0123456789-abcdef0123456789-abcdef0123456789-abcdef0123456789-ab"                             \
    "cdef0123456789-abcdef0123456789-abcdef0123456789-abcdef01234567"

static char base[] = "https://a.vault.azure.net", host[] = "a.vault.azure.net";
static const struct vault_place here = { .base = base, .host = host };

static void objects_have_names_and_versions(void **state)
{
    static const struct {
        const char *id, *name, *version;
    } rows[] = {
        { "https://a.vault.azure.net/keys/k1/" KEY_VERSION, "k1", KEY_VERSION },
        { "https://A.VAULT.azure.net:443/keys/K-1/0123456789ABCDEF0123456789ABCDEF/", "K-1",
          KEY_VERSION },
        { "https://a.vault.azure.net/keys/k1", "k1", "" },
        { "https://a.vault.azure.net/keys/k1/", "k1", "" },
        { "https://a.vault.azure.net/keys/" NAME_127, NAME_127, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct object_id id;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, object_id_parse(&id, &here, "keys", rows[i].id, &err), &err);
        assert_string_equal(id.name, rows[i].name);
        assert_string_equal(id.version, rows[i].version);
    }
}

static void other_objects_are_refused(void **state)
{
    static const struct {
        const char *id, *says;
    } rows[] = {
        { "https://b.vault.azure.net/keys/k1/" KEY_VERSION, "another vault" },
        { "https://b.a.vault.azure.net/keys/k1/" KEY_VERSION, "another vault" },
        { "https://a.vault.azure.net:8443/keys/k1", "another vault" },
        { "https://a.vault.azure.net/secrets/k1/" KEY_VERSION, "no name" },
        { "https://a.vault.azure.net/keys/k1/" KEY_VERSION "0", "no name" },
        { "https://a.vault.azure.net/keys/k1/0123", "no name" },
        { "https://a.vault.azure.net/keys/k1/pending", "no name" },
        { "https://a.vault.azure.net/keys/k1/" KEY_VERSION "/sign", "no name" },
        { "https://a.vault.azure.net/keys/k1/" KEY_VERSION "//", "no name" },
        { "https://a.vault.azure.net/keys/" NAME_127 "8", "no name" },
        { "https://a.vault.azure.net/keys/k%31", "no name" },
        { "https://a.vault.azure.net/keys/k1?x", "no name" },
        { "https://a.vault.azure.net/keys//" KEY_VERSION, "no name" },
        { "https://a.vault.azure.net/keys/..", "no name" },
        { "https://a.vault.azure.net/keys/", "no name" },
        { "https://a.vault.azure.net/keys", "no name" },
        { "https://a.vault.azure.net", "no name" },
        { "http://a.vault.azure.net/keys/k1", "no name" },
        { "", "no name" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct object_id id;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_STORE, object_id_parse(&id, &here, "keys", rows[i].id, &err), &err);
        if (!strstr(err.text, rows[i].says))
            fail_msg("%s: %s", rows[i].id, err.text);
        assert_string_equal(id.name, "");
        assert_string_equal(id.version, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clouds_are_known),
        cmocka_unit_test(what_is_given_comes_first),
        cmocka_unit_test(no_places_are_refused),
        cmocka_unit_test(tokens_stay_with_their_resource),
        cmocka_unit_test(objects_have_names_and_versions),
        cmocka_unit_test(other_objects_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
