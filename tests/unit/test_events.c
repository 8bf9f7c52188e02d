/* SPDX-License-Identifier: Apache-2.0 */
/* What an application is told of its own calls. */
#include <stdio.h>

#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors><descriptor name='Files' version='2'><type "
    "algorithm='SHA-384' key='two'/></descriptor></descriptors>"
    "<keys><key name='two'><type name='pem' locationValue='gone.pem'/><type name='pem' "
    "locationValue='two.pem'/></key></keys>"
    "</engineSignEncrypt>";

static const se_bytes content = { "some content", 12 };

struct heard {
    unsigned count;
    char keys[1000]; /* "REPLICA KIND, " of each change of a key's state */
    se_event last;   /* operation */
    char descriptor[40], key[40], text[1000];
};

static void hear(void *arg, const se_event *event)
{
    struct heard *heard = arg;
    size_t used = strlen(heard->keys);

    assert_non_null(event->text);
    assert_non_null(event->operation);
    if (event->kind != SE_EVENT_OPERATION) {
        snprintf(heard->keys + used, sizeof heard->keys - used, "%s %u %s, ", event->key,
                 event->replica, se_event_name(event->kind));
        return;
    }
    heard->count++;
    heard->last = *event;
    snprintf(heard->descriptor, sizeof heard->descriptor, "%s", event->descriptor);
    snprintf(heard->key, sizeof heard->key, "%s", event->key);
    snprintf(heard->text, sizeof heard->text, "%s", event->text);
}

static void assert_heard(const struct heard *heard, const char *operation, se_status status,
                         unsigned version, const char *key)
{
    assert_string_equal(heard->last.operation, operation);
    assert_int_equal(heard->last.status, status);
    assert_int_equal(heard->last.version, version);
    assert_int_equal(heard->last.replica, 0);
    assert_string_equal(heard->key, key);
    assert_true(heard->last.duration_us < 60 * 1000000);
}

static void operations_are_told(void **state)
{
    struct heard heard = { .count = 0 };
    se_options options = SE_OPTIONS_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_verify_params verify = { sizeof verify, .form = SE_FORM_RAW };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_buf none;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    (void)state;
    make("engine.xml", configuration, 0600);
    make_signer("two.pem", "P-256",
                &(struct certificate_wish){ .usage = "critical,digitalSignature" });
    options.event = hear;
    options.event_arg = &heard;
    assert_status(SE_OK, se_open(&engine, "engine.xml", &options, &err), &err);
    params.form = SE_FORM_RAW;
    assert_status(SE_OK, se_sign(&signature, engine, "Files", content, &params, &err), &err);
    assert_heard(&heard, "sign", SE_OK, 2, "two");
    assert_string_equal(heard.descriptor, "Files");
    assert_int_equal(heard.last.bytes, content.size);
    assert_true(heard.last.duration_us > 0);
    assert_string_equal(heard.text, "");
    assert_string_equal(heard.keys, "two 1 lost, two 2 failed over, ");
    verify.signature = buf_bytes(&signature);
    assert_status(SE_OK, se_verify(NULL, engine, "Files", content, &verify, &err), &err);
    assert_heard(&heard, "verify", SE_OK, 2, "two");
    assert_int_equal(heard.last.bytes, content.size);
    signature.data[signature.size - 1] ^= 1;
    assert_int_equal(se_verify(NULL, engine, "Files", content, &verify, NULL), SE_ERR_REJECTED);
    assert_heard(&heard, "verify", SE_ERR_REJECTED, 0, "");
    assert_non_null(strstr(heard.text, "descriptor 'Files'"));
    assert_int_equal(se_sign(&none, engine, "Filse", content, NULL, NULL), SE_ERR_NO_DESCRIPTOR);
    assert_heard(&heard, "sign", SE_ERR_NO_DESCRIPTOR, 0, "");
    assert_int_equal(heard.count, 4);
    assert_string_equal(heard.keys, "two 1 lost, two 2 failed over, ");
    se_close(&engine);
    assert_string_equal(se_event_name((se_event_kind)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(operations_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
