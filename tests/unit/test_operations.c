/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon does, row by row, without sockets: jansson reads the answers. */
#include <stdio.h>

#include "base/base64.h"
#include "tests/unit/operations.h"

/* ---- signatures ---- */

static void signs_and_verifies_octets(void **state)
{
    static const char *const forms[] = { "", "?form=raw", "?version=1", "?version=1&form=raw" };
    struct trial t;

    (void)state;
    trial_open_keys(&t);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        char path[80];

        (void)snprintf(path, sizeof path, D "Signer/sign%s", forms[i]);
        assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("content")));
        assert_int_equal(t.answer.media, MEDIA_OCTETS);
        assert_status(SE_OK, base64_encode(&signature, buf_bytes(&t.body), &t.err), &t.err);
        t.request.signature = (char *)signature.data;
        (void)snprintf(path, sizeof path, D "Signer/verify%s", forms[i]);
        assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("content")));
        {
            AUTO(json) json = answered(&t);

            assert_string_equal(text_of(json, "descriptor"), "Signer");
            assert_string_equal(text_of(json, "subject"), i < 2 ? "CN=two" : "CN=one");
            assert_int_equal(json_integer_value(json_object_get(json, "version")), i < 2 ? 2 : 1);
        }
        assert_asked(SE_ERR_REJECTED, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("contents")));
        assert_null(t.body.data);
        t.request.signature = "????";
        assert_asked(SE_ERR_FORMAT, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("content")));
        t.request.signature = NULL;
    }
    trial_close(&t);
}

static void signs_and_verifies_json(void **state)
{
    struct trial t;
    AUTO(writer) body = { 0 };

    (void)state;
    trial_open_keys(&t);
    assert_asked(SE_OK, &t, ask_json(&t, D "Signer/sign?form=raw", "{\"content\":\"QUJD\"}"));
    {
        AUTO(json) json = answered(&t);

        assert_int_equal(json_object_size(json), 5);
        assert_string_equal(text_of(json, "descriptor"), "Signer");
        assert_string_equal(text_of(json, "algorithm"), "SHA384withECDSA");
        assert_int_equal(json_integer_value(json_object_get(json, "version")), 2);
        writer_format(&body, "{\"content\":\"QUJD\",\"signature\":\"%s\"}",
                      text_of(json, "signature"));
    }
    assert_asked(SE_OK, &t, ask_json(&t, D "Signer/verify?form=raw", writer_string(&body)));
    assert_asked(SE_ERR_REJECTED, &t,
                 ask_json(&t, D "Signer/verify?form=raw&version=1", writer_string(&body)));
    body.buf.data[14] = 'E';
    assert_asked(SE_ERR_REJECTED, &t,
                 ask_json(&t, D "Signer/verify?form=raw", writer_string(&body)));
    trial_close(&t);
}

static void signs_a_digest(void **state)
{
    static const char digest[] = "tdQEXD9Gb6kf4sxqvnkjKhpXzfEE96JucW4KHieJ33g=";
    struct trial t;
    AUTO(writer) body = { 0 };
    AUTO(writer) over_content = { 0 };

    (void)state;
    trial_open_keys(&t);
    writer_format(&body, "{\"digest\":\"%s\"}", digest);
    assert_asked(SE_OK, &t,
                 ask_json(&t, D "Signer/sign?form=raw&version=1&tag=mine", writer_string(&body)));
    {
        AUTO(json) json = answered(&t);

        writer_format(&over_content, "{\"content\":\"QUJD\",\"signature\":\"%s\"}",
                      text_of(json, "signature"));
        body.buf.size--;
        writer_format(&body, ",\"signature\":\"%s\"}", text_of(json, "signature"));
    }
    assert_asked(SE_OK, &t, ask_json(&t, D "Signer/verify?form=raw", writer_string(&body)));
    assert_asked(SE_OK, &t, ask_json(&t, D "Signer/verify?form=raw", writer_string(&over_content)));
    body.buf.data[12] ^= 1;
    assert_asked(SE_ERR_REJECTED, &t,
                 ask_json(&t, D "Signer/verify?form=raw", writer_string(&body)));
    trial_close(&t);
}

/* The other kind of answer is given to who takes nothing else. */
static void answers_what_is_wanted(void **state)
{
    struct trial t;

    (void)state;
    trial_open_keys(&t);
    t.request.accept = MEDIA_JSON;
    assert_asked(SE_OK, &t, ask(&t, D "Signer/sign", MEDIA_OCTETS, text_bytes("")));
    json_decref(answered(&t));
    t.request.accept = MEDIA_OCTETS;
    assert_asked(SE_OK, &t, ask_json(&t, D "Signer/sign?form=attached", "{\"content\":\"QUJD\"}"));
    assert_int_equal(t.answer.media, MEDIA_OCTETS);
    {
        AUTO(se_buf) attached = buf_move(&t.body);

        assert_asked(SE_OK, &t, ask(&t, D "Signer/verify", MEDIA_OCTETS, buf_bytes(&attached)));
        assert_text(&t, "ABC");
        t.request.accept = 0;
        assert_asked(SE_OK, &t,
                     ask(&t, D "Signer/verify?content=true", MEDIA_OCTETS, buf_bytes(&attached)));
    }
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json, "content"), "QUJD");
    }
    trial_close(&t);
}

static void signs_many(void **state)
{
    struct trial t;

    (void)state;
    trial_open_keys(&t);
    assert_asked(SE_OK, &t,
                 ask_json(&t, D "Signer/sign?form=raw&version=1",
                          "{\"items\":[{\"content\":\"QUJD\"},{},{\"content\":\"\"}]}"));
    assert_int_equal(t.answer.items, 3);
    assert_int_equal(t.answer.failed, 1);
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json, "algorithm"), "SHA256withRSA");
        assert_string_equal(text_of(item_of(json, 0), "status"), "ok");
        assert_int_equal(strlen(text_of(item_of(json, 0), "signature")), 344);
        assert_string_equal(text_of(item_of(json, 1), "status"), "format");
        assert_string_equal(text_of(item_of(json, 1), "message"), "neither 'content' nor 'digest'");
        assert_string_equal(text_of(item_of(json, 2), "status"), "ok");
    }
    trial_close(&t);
}

static void refuses_what_makes_no_sense(void **state)
{
    static const struct {
        se_status status;
        const char *path, *body;
    } cases[] = {
        { SE_ERR_NO_DESCRIPTOR, D "Nobody/sign", "{\"content\":\"\"}" },
        { SE_ERR_NO_DESCRIPTOR, D "Signer/sign?version=3", "{\"content\":\"\"}" },
        { SE_ERR_NO_DESCRIPTOR, D "Nobody/sign", "{\"items\":[{\"content\":\"\"}]}" },
        { SE_ERR_POLICY, D "Fields/sign", "{\"content\":\"\"}" },
        { SE_ERR_USAGE, D "Signer/sign?form=Raw", "{\"content\":\"\"}" },
        { SE_ERR_USAGE, D "Signer/sign?version=0", "{\"content\":\"\"}" },
        { SE_ERR_USAGE, D "Signer/sign?version=4294967296", "{\"content\":\"\"}" },
        { SE_ERR_USAGE, D "Signer/sign?pem=1", "{\"content\":\"\"}" },
        { SE_ERR_FORMAT, D "Signer/sign", "{}" },
        { SE_ERR_FORMAT, D "Signer/sign", "{\"content\":\"\",\"digest\":\"\"}" },
        { SE_ERR_FORMAT, D "Signer/sign", "{\"content\":\"\",\"items\":[{\"content\":\"\"}]}" },
        { SE_ERR_FORMAT, D "Signer/sign", "{\"digest\":\"\"}" },
        { SE_ERR_USAGE, D "Signer/sign", "{\"digest\":\"QUJD\"}" },
        { SE_ERR_USAGE, D "Signer/sign?tag=%20", "{\"content\":\"\"}" },
        { SE_ERR_FORMAT, D "Signer/sign?form=xml", "{\"content\":\"\"}" },
        { SE_ERR_FORMAT, D "Signer/verify", "{\"signature\":\"QUJD\"}" },
        { SE_ERR_FORMAT, D "Signer/verify", "{\"content\":\"\",\"signature\":\"QUJD\"}" },
        { SE_ERR_NO_DESCRIPTOR, D "Nobody/encrypt", "{\"content\":\"\"}" },
        { SE_ERR_NO_DESCRIPTOR, D "Nobody/decrypt", "{\"items\":[{\"value\":\"a\"}]}" },
        { SE_ERR_POLICY, D "Signer/encrypt", "{\"content\":\"\"}" },
        { SE_ERR_FORMAT, D "Fields/decrypt", "{}" },
        { SE_ERR_FORMAT, D "Fields/decrypt", "{\"value\":\"a\",\"items\":[{\"value\":\"a\"}]}" },
        { SE_ERR_FORMAT, D "Fields/decrypt",
          "{\"context\":{\"a\":\"b\"},\"items\":[{\"value\":\"a\"}]}" },
        { SE_ERR_FORMAT, D "Fields/encrypt", "{\"value\":\"a\"}" },
        { SE_ERR_FORMAT, D "Fields/decrypt", "{\"value\":\"a\"}" },
        { SE_ERR_USAGE, D "Fields/encrypt", "{\"content\":\"\",\"context\":{\"\":\"a\"}}" },
        { SE_ERR_USAGE, D "Fields/encrypt?context=%7B%7D", "{\"content\":\"\"}" },
        { SE_ERR_USAGE, D "Fields/encrypt?binary=true", "{\"content\":\"\"}" },
    };
    struct trial t;

    (void)state;
    trial_open_keys(&t);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        se_status st = ask_json(&t, cases[i].path, cases[i].body);

        if (st != cases[i].status)
            fail_msg("%s %s: %s: %s", cases[i].path, cases[i].body, se_status_name(st), t.err.text);
        assert_true(*t.err.text);
    }
    trial_close(&t);
}

/* ---- JOSE ---- */

static void jws_goes_there_and_back(void **state)
{
    static const char *const forms[] = { "", "?form=flattened", "?form=general&x5c=true&version=1",
                                         "?unencoded=true&type=x" };
    struct trial t;

    (void)state;
    trial_open_keys(&t);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        AUTO(se_buf) jws = SE_BUF_INIT;
        char path[80];

        (void)snprintf(path, sizeof path, D "Signer/jws/sign%s", forms[i]);
        assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("content")));
        assert_int_equal(t.answer.media, MEDIA_OCTETS);
        assert_status(SE_OK, buf_copy(&jws, buf_bytes(&t.body), &t.err), &t.err);
        assert_asked(SE_OK, &t, ask(&t, D "Signer/jws/verify", MEDIA_OCTETS, buf_bytes(&jws)));
        {
            AUTO(json) json = answered(&t);

            assert_string_equal(text_of(json, "algorithm"), i == 2 ? "RS256" : "ES384");
            assert_string_equal(text_of(json, "payload"), "Y29udGVudA==");
        }
        t.request.accept = MEDIA_OCTETS;
        assert_asked(SE_OK, &t, ask(&t, D "Signer/jws/verify", MEDIA_OCTETS, buf_bytes(&jws)));
        t.request.accept = MEDIA_NONE;
        assert_string_equal((char *)t.body.data, "content");
    }
    assert_asked(SE_ERR_FORMAT, &t,
                 ask(&t, D "Signer/jws/verify", MEDIA_OCTETS, text_bytes("content")));
    assert_asked(SE_ERR_USAGE, &t,
                 ask(&t, D "Signer/jws/sign?form=xml", MEDIA_OCTETS, text_bytes("content")));
    assert_asked(SE_ERR_POLICY, &t,
                 ask(&t, D "Fields/jws/sign", MEDIA_OCTETS, text_bytes("content")));
    trial_close(&t);
}

static void a_detached_jws_has_its_payload_beside_it(void **state)
{
    struct trial t;
    AUTO(writer) body = { 0 };

    (void)state;
    trial_open_keys(&t);
    assert_asked(SE_OK, &t,
                 ask(&t, D "Signer/jws/sign?detached=true", MEDIA_OCTETS, text_bytes("ABC")));
    writer_format(&body, "{\"jws\":\"%s\",\"payload\":\"QUJD\"}", (char *)t.body.data);
    assert_asked(SE_OK, &t, ask_json(&t, D "Signer/jws/verify", writer_string(&body)));
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json, "subject"), "CN=two");
        assert_null(json_object_get(json, "payload"));
    }
    body.buf.data[body.buf.size - 3] = 'E';
    assert_asked(SE_ERR_REJECTED, &t, ask_json(&t, D "Signer/jws/verify", writer_string(&body)));
    assert_asked(SE_ERR_FORMAT, &t, ask_json(&t, D "Signer/jws/verify", "{\"payload\":\"QUJD\"}"));
    trial_close(&t);
}

static void jwt_goes_there_and_back(void **state)
{
    struct trial t;
    AUTO(se_buf) token = SE_BUF_INIT;

    (void)state;
    trial_open_keys(&t);
    assert_asked(SE_ERR_USAGE, &t, ask_json(&t, D "Signer/jwt/sign", "{\"aud\":\"api\"}"));
    assert_asked(SE_OK, &t,
                 ask_json(&t, D "Signer/jwt/sign?lifetime=60&id=true", "{\"aud\":\"api\"}"));
    assert_status(SE_OK, buf_copy(&token, buf_bytes(&t.body), &t.err), &t.err);
    assert_asked(
        SE_OK, &t,
        ask(&t, D "Signer/jwt/verify?audience=api&leeway=10", MEDIA_OCTETS, buf_bytes(&token)));
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json_object_get(json, "claims"), "aud"), "api");
        assert_int_equal(json_integer_value(json_object_get(json, "leewayUsed")), 0);
    }
    assert_asked(SE_ERR_REJECTED, &t,
                 ask(&t, D "Signer/jwt/verify", MEDIA_OCTETS, buf_bytes(&token)));
    assert_asked(
        SE_ERR_REJECTED, &t,
        ask(&t, D "Signer/jwt/verify?audience=api&issuer=me", MEDIA_OCTETS, buf_bytes(&token)));
    trial_close(&t);
}

/* ---- certificates ---- */

static void certificates_are_pem_or_jwk(void **state)
{
    struct trial t;
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(se_buf) x = SE_BUF_INIT;
    se_verifier *verifier;
    const json_t *keys, *key;

    (void)state;
    trial_open_keys(&t);
    assert_asked(SE_OK, &t, ask_get(&t, D "Signer/certificates"));
    assert_int_equal(t.answer.media, MEDIA_PEM);
    assert_status(SE_OK, se_verifier_read(&verifier, buf_bytes(&t.body), "SHA256withRSA", &t.err),
                  &t.err);
    se_verifier_close(&verifier);
    t.request.accept = MEDIA_JWKS;
    assert_asked(SE_OK, &t, ask_get(&t, D "Signer/certificates"));
    assert_int_equal(t.answer.media, MEDIA_JWKS);
    {
        AUTO(json) json = read_json(answer_text(&t));

        keys = json_object_get(json, "keys");
        assert_int_equal(json_array_size(keys), 2);
        key = json_array_get(keys, 0);
        assert_int_equal(strlen(text_of(key, "kid")), 43);
        assert_string_equal(text_of(key, "kty"), "RSA");
        assert_string_equal(text_of(key, "alg"), "RS256");
        assert_string_equal(text_of(key, "e"), "AQAB");
        assert_int_equal(strlen(text_of(key, "n")), 342);
        key = json_array_get(keys, 1);
        assert_string_equal(text_of(key, "kty"), "EC");
        assert_string_equal(text_of(key, "crv"), "P-384");
        assert_string_equal(text_of(key, "alg"), "ES384");
        assert_status(SE_OK, base64url_decode(&x, text_bytes(text_of(key, "x")), &t.err), &t.err);
        assert_int_equal(x.size, 48);
        assert_status(SE_OK, se_verifier_open(&verifier, t.engine, "Signer", 2, &t.err), &t.err);
        assert_memory_equal((const char *)se_verifier_key(verifier).data +
                                se_verifier_key(verifier).size - 96,
                            x.data, 48);
        assert_status(
            SE_OK,
            base64_decode(
                &der, text_bytes(json_string_value(json_array_get(json_object_get(key, "x5c"), 0))),
                &t.err),
            &t.err);
        assert_int_equal(der.size, se_verifier_certificate(verifier).size);
        assert_memory_equal(der.data, se_verifier_certificate(verifier).data, der.size);
        se_verifier_close(&verifier);
    }
    assert_asked(SE_OK, &t, ask_get(&t, D "Signer/certificates?version=2"));
    {
        AUTO(json) json = read_json(answer_text(&t));

        assert_int_equal(json_array_size(json_object_get(json, "keys")), 1);
    }
    assert_asked(SE_ERR_POLICY, &t, ask_get(&t, D "Fields/certificates"));
    assert_asked(SE_ERR_NO_DESCRIPTOR, &t, ask_get(&t, D "Sign/certificates"));
    assert_asked(SE_ERR_NO_DESCRIPTOR, &t, ask_get(&t, D "Signer/certificates?version=9"));
    trial_close(&t);
}

static void check_tells_of_each_key(void **state)
{
    struct trial t;
    const json_t *rows;

    (void)state;
    trial_open_keys(&t);
    assert_int_equal(unlink("three.pem"), 0);
    assert_asked(SE_OK, &t, ask_get(&t, "/v1/check"));
    {
        AUTO(json) json = answered(&t);

        rows = json_object_get(json, "rows");
        assert_int_equal(json_array_size(rows), 4);
        assert_string_equal(text_of(json_array_get(rows, 0), "status"), "ok");
        assert_string_equal(text_of(json_array_get(rows, 0), "keyType"), "RSA-2048");
        assert_string_equal(text_of(json_array_get(rows, 3), "status"), "key store");
    }
    assert_asked(SE_OK, &t, ask_get(&t, "/v1/check?descriptor=Signer&probe=true&days=5"));
    {
        AUTO(json) json = answered(&t);

        assert_int_equal(json_array_size(json_object_get(json, "rows")), 2);
    }
    assert_asked(SE_ERR_NO_DESCRIPTOR, &t, ask_get(&t, "/v1/check?descriptor=Nobody"));
    assert_asked(SE_ERR_USAGE, &t, ask_get(&t, "/v1/check?days=-1"));
    trial_close(&t);
}

/* ---- access ---- */

static const char access_rows[] =
    "<access><allow name='mine' operations='sign verify' perMinute='60'><user name='root'/>"
    "<descriptor name='Signer' version='1'/><descriptor name='Fields'/></allow>"
    "<allow name='others' operations='check'><user name='daemon'/></allow>"
    "<allow name='cards' operations='history-read'><user name='root'/><history name='cards'/>"
    "</allow></access></engineSignEncrypt>";

/* Of the rows that name him, and without whom else they name. */
static void a_caller_sees_his_rows(void **state)
{
    const se_caller root = { .size = sizeof root, .has_uid = true };
    struct trial t;
    AUTO(writer) text = { 0 };
    const char *end = strstr(keys_configuration, "</engineSignEncrypt>");

    (void)state;
    writer_put(&text, keys_configuration, (size_t)(end - keys_configuration));
    writer_text(&text, access_rows);
    trial_open(&t, writer_string(&text), NULL, 0);
    assert_status(SE_OK, se_access_open(&t.access, t.engine, NULL, NULL, &t.err), &t.err);
    t.request.who = &root;
    assert_asked(SE_OK, &t, ask_get(&t, "/v1/access"));
    assert_string_equal(
        answer_text(&t),
        "{\"rows\":[{\"name\":\"mine\",\"operations\":[\"sign\",\"verify\"],\"descriptors\":"
        "[{\"name\":\"Fields\"},{\"name\":\"Signer\",\"version\":1}],\"histories\":[],"
        "\"perMinute\":60},{\"name\":\"cards\",\"operations\":[\"history-read\"],"
        "\"descriptors\":[],\"histories\":[\"cards\"]}],\"requestId\":\"r-1\"}\n");
    trial_close(&t);
}

/* ---- the table ---- */

static void write_media(json_t *list, unsigned takes)
{
    static const char *const types[] = { "application/octet-stream", "application/json",
                                         "application/x-ndjson", "message/rfc822" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (takes & 1U << i)
            (void)json_array_append_new(list, json_string(types[i]));
}

static json_t *describe_operation(const struct operation *operation)
{
    json_t *takes = json_array(), *query = json_array();

    write_media(takes, operation->takes);
    for (const char *const *name = operation->query; name && *name; name++)
        (void)json_array_append_new(query, json_string(*name));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:b}", "name", operation->name, "method",
                     operation->method == METHOD_GET ? "GET" : "POST", "path", operation->path,
                     "takes", takes, "query", query, "key", operation->needs_idempotency_key,
                     "allowed", operation->access != NULL);
}

/* tests/daemon/openapi.sh compares it with the document. */
static void the_table_is_sound(void **state)
{
    const char *into = getenv("ANSWERS_FOLDER");
    char path[200];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/routes", into ? into : ".");
    for (size_t i = 0; i < operation_count; i++) {
        AUTO(json) row = describe_operation(&operations[i]);

        assert_non_null(row);
        assert_true((operations[i].method == METHOD_POST) == (operations[i].takes != 0));
        assert_non_null(operations[i].run);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(operations[i].name, operations[k].name);
        {
            FILE *file = fopen(path, i ? "a" : "w");

            assert_non_null(file);
            assert_int_equal(json_dumpf(row, file, JSON_COMPACT), 0);
            assert_int_equal(fputc('\n', file), '\n');
            assert_int_equal(fclose(file), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(signs_and_verifies_octets),
        IN_FOLDER(signs_and_verifies_json),
        IN_FOLDER(signs_a_digest),
        IN_FOLDER(answers_what_is_wanted),
        IN_FOLDER(signs_many),
        IN_FOLDER(refuses_what_makes_no_sense),
        IN_FOLDER(jws_goes_there_and_back),
        IN_FOLDER(a_detached_jws_has_its_payload_beside_it),
        IN_FOLDER(jwt_goes_there_and_back),
        IN_FOLDER(certificates_are_pem_or_jwk),
        IN_FOLDER(check_tells_of_each_key),
        IN_FOLDER(a_caller_sees_his_rows),
        IN_FOLDER(the_table_is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
