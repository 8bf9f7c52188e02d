/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller names a job comes back in its event; what is no name is refused. */
#include "base/stream.h"
#include "signengine-mail.h"
#include "tests/unit/events.h"

static se_status sign_tagged(se_engine *engine, const char *tag)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;

    params.tag = tag;
    return se_sign(&out, engine, "Files", content, &params, NULL);
}

static se_status verify_tagged(se_engine *engine, const char *tag)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    params.tag = tag;
    return se_verify(NULL, engine, "Files", content, &params, NULL);
}

static se_status encrypt_tagged(se_engine *engine, const char *tag)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;

    params.tag = tag;
    return se_encrypt(&out, engine, "Fields", content, &params, NULL);
}

static se_status decrypt_tagged(se_engine *engine, const char *tag)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;

    params.tag = tag;
    return se_decrypt(&out, engine, "Fields", content, &params, NULL);
}

static se_status rekey_many_tagged(se_engine *engine, const char *tag)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_field field = { .in = content };

    params.tag = tag;
    return se_rekey_many(&field, 1, engine, "Fields", &params, NULL);
}

static se_status container_tagged(se_engine *engine, const char *tag)
{
    se_container_params params = SE_CONTAINER_PARAMS_INIT;

    params.tag = tag;
    return se_container_decrypt_file("never", engine, "Fields", "engine.xml", &params, NULL);
}

static se_status zip_sign_tagged(se_engine *engine, const char *tag)
{
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;

    params.tag = tag;
    return se_zip_sign("never", engine, "Files", "engine.xml", &params, NULL);
}

static se_status zip_verify_tagged(se_engine *engine, const char *tag)
{
    se_zip_verify_params params = SE_ZIP_VERIFY_PARAMS_INIT;

    params.tag = tag;
    return se_zip_verify(engine, "Files", "engine.xml", &params, NULL);
}

static se_status mail_sign_tagged(se_engine *engine, const char *tag)
{
    se_bytes message = text_bytes("From: a@example.org\r\nMIME-Version: 1.0\r\n\r\nhello\r\n");
    const se_source source = source_memory(&message);
    se_mail_sign_params params = SE_MAIL_SIGN_PARAMS_INIT;
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);

    params.tag = tag;
    return se_mail_sign(&sink, NULL, engine, "Files", &source, &params, NULL);
}

static se_status mail_verify_tagged(se_engine *engine, const char *tag)
{
    se_bytes message = text_bytes("From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: "
                                  "application/pkcs7-mime; smime-type=signed-data\r\n"
                                  "Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n");
    const se_source source = source_memory(&message);
    se_mail_verify_params params = SE_MAIL_VERIFY_PARAMS_INIT;

    params.tag = tag;
    return se_mail_verify(NULL, engine, "Files", &source, &params, NULL);
}

static void tags_come_back(void **state)
{
    static se_status (*const calls[])(se_engine *, const char *) = {
        sign_tagged,      verify_tagged,   encrypt_tagged,    decrypt_tagged,   rekey_many_tagged,
        container_tagged, zip_sign_tagged, zip_verify_tagged, mail_sign_tagged, mail_verify_tagged,
    };
    static const char longest[] =
        "!23456789-123456789-123456789-123456789-123456789-123456789-12~4";
    static const char *const bad[] = {
        "two words",
        "\x7f",
        "l\xc3\xb6",
        "line\n",
        "123456789-123456789-123456789-123456789-123456789-123456789-12345",
    };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        heard.count = 0;
        assert_int_not_equal(calls[i](engine, longest), SE_ERR_USAGE);
        assert_int_equal(heard.count, 1);
        assert_string_equal(heard.last[0].tag, longest);
        for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
            heard.count = 0;
            assert_int_equal(calls[i](engine, bad[j]), SE_ERR_USAGE);
            assert_int_equal(heard.count, 1);
            assert_string_equal(heard.last[0].tag, "");
            assert_non_null(strstr(heard.last[0].text, "a tag has up to 64 visible characters"));
        }
        heard.count = 0;
        (void)!calls[i](engine, NULL);
        assert_string_equal(heard.last[0].tag, "");
    }
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(tags_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
