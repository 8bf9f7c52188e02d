/* SPDX-License-Identifier: Apache-2.0 */
/* Every recorded exchange goes through the parser that it is for. */
#include <dirent.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "keystore/azure/challenge.h"
#include "keystore/azure/jwk.h"
#include "tests/unit/azure_vectors.h"

static struct {
    size_t files, exchanges, challenges, failures, empty, tokens, keys, unused_keys, certificates,
        pending, pages, empty_pages, items, values, others;
} counts;

static json_t *json_of(const struct http_answer *answer)
{
    json_t *json;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, answer_json(&json, answer, &err), &err);
    return json;
}

static void read_attributes_of(const struct vault_attributes *got, const json_t *json)
{
    const json_t *attributes = json_object_get(json, "attributes");

    assert_int_equal(got->is_enabled, !json_is_false(json_object_get(attributes, "enabled")));
    assert_int_equal(got->is_exportable, json_is_true(json_object_get(attributes, "exportable")));
    assert_int_equal(got->expires, json_integer_value(json_object_get(attributes, "exp")));
    assert_int_equal(got->not_before, json_integer_value(json_object_get(attributes, "nbf")));
    assert_int_equal(got->created, json_integer_value(json_object_get(attributes, "created")));
    assert_int_equal(got->updated, json_integer_value(json_object_get(attributes, "updated")));
    if (json_object_get(attributes, "recoverableDays"))
        assert_int_equal(got->recover_days,
                         json_integer_value(json_object_get(attributes, "recoverableDays")));
    assert_int_equal(got->platform, -1);
}

static void read_key(const json_t *json)
{
    AUTO(evp_pkey) key = NULL;
    struct vault_key_answer got;
    se_error err = SE_ERROR_INIT;
    se_status expected = SE_OK;

    assert_status(SE_OK, answer_key(&got, json, &err), &err);
    assert_non_null(strstr(got.id, ".azure.net/keys/"));
    read_attributes_of(&got.attributes, json);
    assert_true(*got.attributes.recovery);
    assert_ptr_equal(got.jwk, json_object_get(json, "key"));
    assert_true(got.operations > 0 && got.operations < KEY_OP_OTHER);
    if (text_starts(got.type, "oct") ||
        (json_object_get(got.jwk, "crv") &&
         strcmp(json_string_value(json_object_get(got.jwk, "crv")), "P-256K") == 0))
        expected = SE_ERR_KEY;
    assert_status(expected, jwk_public_key(&key, got.jwk, &err), &err);
    counts.keys++;
    counts.unused_keys += expected != SE_OK;
}

static void read_certificate(const json_t *json)
{
    AUTO(vault_certificate_answer) got = { .id = "" };
    AUTO(x509) certificate = NULL;
    const unsigned char *p;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, answer_certificate(&got, json, &err), &err);
    assert_non_null(strstr(got.id, ".vault.azure.net/certificates/"));
    read_attributes_of(&got.attributes, json);
    if (!json_object_get(json, "cer")) {
        assert_string_equal(got.key_id, "");
        assert_null(got.certificate.data);
        counts.pending++;
        return;
    }
    assert_non_null(strstr(got.key_id, ".vault.azure.net/keys/"));
    p = got.certificate.data;
    certificate = d2i_X509(NULL, &p, (long)got.certificate.size);
    assert_non_null(certificate);
    assert_ptr_equal(p, got.certificate.data + got.certificate.size);
    counts.certificates++;
}

static void read_item(const json_t *item)
{
    AUTO(vault_certificate_answer) certificate = { .id = "" };
    struct vault_key_answer key;
    se_error err = SE_ERROR_INIT;

    if (json_object_get(item, "kid")) {
        assert_status(SE_OK, answer_key(&key, item, &err), &err);
        assert_non_null(strstr(key.id, ".azure.net/keys/"));
        assert_null(key.jwk);
        assert_string_equal(key.type, "");
        read_attributes_of(&key.attributes, item);
    } else {
        assert_status(SE_OK, answer_certificate(&certificate, item, &err), &err);
        assert_non_null(strstr(certificate.id, "/certificates/"));
        read_attributes_of(&certificate.attributes, item);
    }
    counts.items++;
}

static void read_page(const json_t *json, const char *path)
{
    struct vault_page got;
    se_error err = SE_ERROR_INIT;
    const char *next = json_string_value(json_object_get(json, "nextLink"));

    assert_status(SE_OK, answer_page(&got, json, &err), &err);
    assert_int_equal(got.next != NULL, next && *next);
    counts.pages++;
    counts.empty_pages += !json_array_size(got.items) && got.next;
    for (size_t i = 0; !strstr(path, "/providers/") && i < json_array_size(got.items); i++)
        read_item(json_array_get(got.items, i));
}

static void read_value(const struct http_answer *answer, const json_t *json)
{
    const char *id = json_string_value(json_object_get(json, "kid"));
    AUTO(se_buf) one = SE_BUF_INIT;
    AUTO(se_buf) other = SE_BUF_INIT;
    AUTO(writer) wrong = { .room = 0 };
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, answer_value(&one, json, id, &err), &err);
    assert_status(SE_OK, answer_secret_value(&other, answer, id, &err), &err);
    assert_true(one.size > 0);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    se_buf_free(&one);
    se_buf_free(&other);
    writer_format(&wrong, "%sx", id);
    assert_status(SE_ERR_STORE, answer_value(&one, json, writer_string(&wrong), &err), &err);
    assert_says(&err, "another key");
    assert_int_equal(answer_secret_value(&other, answer, writer_string(&wrong), NULL),
                     SE_ERR_STORE);
    assert_null(one.data);
    assert_null(other.data);
    counts.values++;
}

static void read_token(const struct http_answer *answer, const json_t *json)
{
    AUTO(token_answer) got = { .lifetime = 0 };
    const json_t *lifetime = json_object_get(json, "expires_in");
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, answer_token(&got, answer, &err), &err);
    assert_string_equal((char *)got.token.data,
                        json_string_value(json_object_get(json, "access_token")));
    assert_int_equal(got.lifetime, json_is_string(lifetime) ? atol(json_string_value(lifetime))
                                                            : json_integer_value(lifetime));
    assert_true(got.lifetime >= 3599);
    counts.tokens++;
}

static void read_success(const struct http_answer *answer, const char *path)
{
    AUTO(json) json = json_of(answer);
    const json_t *value = json_object_get(json, "value");

    if (json_object_get(json, "access_token"))
        read_token(answer, json);
    else if (json_object_get(json, "key"))
        read_key(json);
    else if (json_is_array(value))
        read_page(json, path);
    else if (json_object_get(json, "kid") && json_is_string(value))
        read_value(answer, json);
    else if (json_object_get(json, "cer") || json_object_get(json, "csr") ||
             (strstr(path, "/certificates/") && json_object_get(json, "deletedDate")))
        read_certificate(json);
    else
        counts.others++;
}

static void read_failure(const struct http_answer *answer, const char *store)
{
    se_error err = SE_ERROR_INIT;
    se_status st;
    char code[64];
    bool is_login = strcmp(store, "login") == 0 || strcmp(store, "identity") == 0;

    st = is_login ? answer_login_failure(answer, "do it", &err)
                  : answer_failure(answer, "do it", &err);
    assert_int_not_equal(st, SE_OK);
    assert_int_equal(st, err.status);
    assert_true(text_starts(err.text, "cannot do it: "));
    assert_null(strchr(err.text, '\n'));
    answer_code(code, answer);
    if (*code)
        assert_says(&err, code);
    counts.failures++;
}

static void read_exchange(const json_t *exchange)
{
    const json_t *response = json_object_get(exchange, "response");
    const char *path =
        json_string_value(json_object_get(json_object_get(exchange, "request"), "path"));
    AUTO(made_answer) answer = { .status = 0 };
    AUTO(json) none = NULL;
    struct challenge challenge;
    se_error err = SE_ERROR_INIT;

    make_recorded_answer(&answer, response);
    counts.exchanges++;
    if (*answer.authenticate) {
        assert_status(SE_OK, challenge_parse(&challenge, answer.authenticate, &err), &err);
        counts.challenges++;
    }
    if (answer.status >= 400) {
        read_failure(&answer, json_string_value(json_object_get(exchange, "store")));
    } else if (!answer.body.buf.size) {
        assert_status(SE_ERR_STORE, answer_json(&none, &answer, &err), &err);
        assert_says(&err, "an empty answer (HTTP 204)");
        counts.empty++;
    } else {
        read_success(&answer, path);
    }
}

static void read_file(const char *path)
{
    AUTO(json) file = load_json(path);
    const json_t *list = json_is_array(file) ? file : json_object_get(file, "exchanges");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i), *inner = json_object_get(item, "exchange");

        read_exchange(inner ? inner : item);
    }
    counts.files++;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_folder(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_visible, alphasort);
    char path[8192];

    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        read_file(path);
        free(names[i]);
    }
    free(names);
}

static void recorded_exchanges_are_read(void **state)
{
    static const char *const folders[] = { "admin", "auth", "certificates", "keys" };
    char vectors[4096], path[4200];

    (void)state;
    find_vectors(vectors);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/exchanges/%s", vectors, folders[i]);
        read_folder(path);
    }
    print_message("%zu files, %zu exchanges: %zu challenges, %zu failures, %zu empty, %zu tokens, "
                  "%zu keys (%zu of no use), %zu certificates, %zu pending, %zu pages (%zu empty "
                  "ones) with %zu items, %zu values, %zu others\n",
                  counts.files, counts.exchanges, counts.challenges, counts.failures, counts.empty,
                  counts.tokens, counts.keys, counts.unused_keys, counts.certificates,
                  counts.pending, counts.pages, counts.empty_pages, counts.items, counts.values,
                  counts.others);
    /* a loop over nothing must not pass */
    assert_int_equal(counts.files, 46);
    assert_int_equal(counts.challenges, 43);
    assert_int_equal(counts.failures, 69);
    assert_int_equal(counts.tokens, 10);
    assert_int_equal(counts.keys, 102);
    assert_int_equal(counts.certificates, 19);
    assert_int_equal(counts.pending, 23);
    assert_int_equal(counts.pages, 58);
    assert_int_equal(counts.empty_pages, 20);
    assert_int_equal(counts.items, 34);
    assert_int_equal(counts.values, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_exchanges_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
