/* SPDX-License-Identifier: Apache-2.0 */
/* What is told when another version is current, or came to be known too late; and the versions that
 * work at any time. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/stream.h"
#include "signengine-mail.h"
#include "tests/unit/config.h"
#include "tests/unit/maker.h"

/* ---- the clock of the engine ---- */

static int64_t now;

int64_t __wrap_clock_seconds(void);

int64_t __wrap_clock_seconds(void)
{
    return now;
}

/* ---- configurations ---- */

#define OAEP "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"
#define FILES(version, more)                                                                       \
    "<descriptor name='Files' version='" version "' " more                                         \
    "><type algorithm='SHA256withRSA' key='k'/></descriptor>"
#define FIELDS(version, more)                                                                      \
    "<descriptor name='Fields' version='" version "' " more                                        \
    "><type algorithm='AES/GCM/NoPadding' " OAEP " key='k'/></descriptor>"
#define ENGINE(descriptors)                                                                        \
    "<engineSignEncrypt><descriptors>" descriptors "</descriptors><keys><key name='k'>"            \
    "<type name='pem' locationValue='k.pem'/></key></keys></engineSignEncrypt>"

enum { SWITCH = 1798070400 }; /* 2026-12-24 */
#define AT_SWITCH "from='2026-12-24T00:00:00Z'"

static const char one[] = ENGINE(FILES("1", "") FIELDS("1", "")),
                  two[] = ENGINE(FILES("1", "") FILES("2", AT_SWITCH) FIELDS("1", "")
                                     FIELDS("2", AT_SWITCH)),
                  idle[] = ENGINE(FILES("1", "") FILES("2", "signs='false'")),
                  ending[] = ENGINE(FILES("1", "") FILES("2", "until='2026-12-24T00:00:00Z'")),
                  never[] = ENGINE(FILES("1", "signs='false'") FIELDS("1", "signs='false'"));
static const se_bytes content = { "some content", 12 };

/* ---- what is heard ---- */

static struct {
    unsigned count;
    char last[400]; /* "KIND DESCRIPTOR:VERSION by KEY: TEXT" */
} heard;

static void hear(void *arg, const se_event *event)
{
    (void)arg;
    if (event->kind != SE_EVENT_VERSION_SWITCHED && event->kind != SE_EVENT_VERSION_LATE)
        return;
    assert_int_equal(event->replica, 0);
    assert_int_equal(event->status, SE_OK);
    heard.count++;
    snprintf(heard.last, sizeof heard.last, "%s %s:%u by %s: %s", se_event_name(event->kind),
             event->descriptor, event->version, event->key, event->text);
}

/* Since the last time. */
static void assert_heard(unsigned count, const char *last)
{
    assert_string_equal(heard.last, last);
    assert_int_equal(heard.count, count);
    heard.count = 0;
    *heard.last = '\0';
}

static void assert_heard_nothing(void)
{
    assert_heard(0, "");
}

/* ---- engines ---- */

static void write_text(const char *text)
{
    make_text("engine.xml", text, 0600);
}

static se_engine *open_engine(const char *text, se_engine *follows)
{
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    write_text(text);
    options.event = hear;
    options.follows = follows;
    assert_status(SE_OK, se_open(&engine, "engine.xml", &options, &err), &err);
    return engine;
}

static se_engine *begin(const char *text, int64_t time)
{
    const struct certificate_wish wish = { .alt_name = "email:a@example.org",
                                           .from_days = -10000,
                                           .to_days = 36500 };

    now = time;
    heard.count = 0;
    *heard.last = '\0';
    make_signer("k.pem", "RSA-2048", &wish);
    return open_engine(text, NULL);
}

static void load_again(se_engine *engine, const char *text)
{
    se_error err = SE_ERROR_INIT;

    write_text(text);
    assert_status(SE_OK, se_reload(engine, &err), &err);
}

static void sign_begun(se_engine *engine, int64_t begun)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = SE_FORM_RAW;
    params.begun = begun;
    assert_status(SE_OK, se_sign(&signature, engine, "Files", content, &params, &err), &err);
}

static void sign(se_engine *engine)
{
    sign_begun(engine, 0);
}

static void encrypt(se_engine *engine)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_encrypt(&value, engine, "Fields", content, NULL, &err), &err);
}

/* One entry, "a", that is stored. */
static void make_zip(const char *path)
{
    static const char zip[] = "PK\3\4\24\0\0\0\0\0\0\0\41\0\203\26\334\214\1\0\0\0\1\0\0\0\1\0\0\0"
                              "ax"
                              "PK\1\2\24\0\24\0\0\0\0\0\0\0\41\0\203\26\334\214\1\0\0\0\1\0\0\0"
                              "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                              "a"
                              "PK\5\6\0\0\0\0\1\0\1\0\57\0\0\0\40\0\0\0\0\0";

    make_file(path, zip, sizeof zip - 1, 0600);
}

/* ---- the switch ---- */

static const char signs_two[] = "version switched Files:2 by k: now it is version 2 that signs; "
                                "before it was version 1";

static void the_first_job_of_a_new_current_version_tells_it(void **state)
{
    se_engine *engine = begin(two, SWITCH - 1);

    (void)state;
    sign(engine);
    encrypt(engine);
    assert_heard_nothing();
    now = SWITCH;
    sign(engine);
    assert_heard(1, signs_two);
    encrypt(engine);
    assert_heard(1, "version switched Fields:2 by k: now it is version 2 that encrypts; before it "
                    "was version 1");
    now++;
    sign(engine);
    encrypt(engine);
    assert_heard_nothing();
    se_close(&engine);
}

static void it_is_told_when_nothing_was_done_before(void **state)
{
    se_engine *engine = begin(two, SWITCH - 1);

    (void)state;
    now = SWITCH + 100;
    sign(engine);
    assert_heard(1, signs_two);
    se_close(&engine);
}

/* A job that began before the switch, and a clock that is set back. */
static void there_is_no_way_back(void **state)
{
    se_engine *engine = begin(two, SWITCH - 10);

    (void)state;
    now = SWITCH + 1;
    sign(engine);
    assert_heard(1, signs_two);
    sign_begun(engine, SWITCH - 5);
    now = SWITCH - 2;
    sign(engine);
    now = SWITCH + 2;
    sign(engine);
    assert_heard_nothing();
    se_close(&engine);
}

static void a_version_that_ends_hands_back(void **state)
{
    se_engine *engine = begin(ending, SWITCH - 1);

    (void)state;
    sign(engine);
    now = SWITCH;
    sign(engine);
    assert_heard(1, "version switched Files:1 by k: now it is version 1 that signs; before it was "
                    "version 2");
    se_close(&engine);
}

/* Others' clocks are ahead: it is not ours that says so. */
static void what_others_use_already_is_no_switch(void **state)
{
    se_engine *engine = begin(two, SWITCH - 1);
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    (void)state;
    params.form = SE_FORM_RAW;
    params.least = 2;
    assert_int_equal(se_sign(&signature, engine, "Files", content, &params, NULL), SE_OK);
    assert_heard_nothing();
    now = SWITCH;
    sign(engine);
    assert_heard(1, signs_two);
    se_close(&engine);
}

static void asking_who_would_sign_is_no_job(void **state)
{
    se_engine *engine = begin(two, SWITCH - 1);
    se_signer signer;

    (void)state;
    now = SWITCH;
    assert_int_equal(se_find_signer(&signer, engine, "Files", NULL, NULL), SE_OK);
    assert_int_equal(signer.version, 2);
    assert_heard_nothing();
    sign(engine);
    assert_heard(1, signs_two);
    se_close(&engine);
}

static void a_zip_and_a_message_tell_it_too(void **state)
{
    se_engine *engine = begin(two, SWITCH - 1);
    se_bytes message = text_bytes("From: a@example.org\r\nMIME-Version: 1.0\r\n\r\nhello\r\n");
    const se_source source = source_memory(&message);
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_zip("plain.zip");
    now = SWITCH;
    assert_status(SE_OK, se_zip_sign("signed.zip", engine, "Files", "plain.zip", NULL, &err), &err);
    assert_heard(1, signs_two);
    se_close(&engine);
    engine = begin(two, SWITCH - 1);
    now = SWITCH;
    assert_status(SE_OK, se_mail_sign(&sink, NULL, engine, "Files", &source, NULL, &err), &err);
    assert_heard(1, signs_two);
    se_close(&engine);
}

/* ---- from one loading to the next ---- */

static void it_is_told_across_loadings(void **state)
{
    se_engine *engine = begin(one, SWITCH - 100), *next;

    (void)state;
    sign(engine);
    load_again(engine, two);
    sign(engine);
    assert_heard_nothing();
    now = SWITCH;
    load_again(engine, two);
    sign(engine);
    assert_heard(1, signs_two);
    load_again(engine, two);
    sign(engine);
    assert_heard_nothing();
    next = open_engine(two, engine);
    se_close(&engine);
    sign(next);
    assert_heard_nothing();
    se_close(&next);
    /* one that follows nobody knows nothing of what was before */
    next = open_engine(two, NULL);
    sign(next);
    assert_heard_nothing();
    se_close(&next);
}

static void the_follower_tells_what_the_one_before_did_not(void **state)
{
    se_engine *engine = begin(two, SWITCH - 100), *next;

    (void)state;
    now = SWITCH + 1;
    next = open_engine(two, engine);
    sign(next);
    assert_heard(1, signs_two);
    se_close(&engine);
    se_close(&next);
}

/* ---- known too late ---- */

static void put_warnings(void *arg, const se_check_row *row)
{
    for (size_t i = 0; i < row->finding_count; i++)
        if (row->findings[i].level == SE_CHECK_WARNING && !strcmp(row->findings[i].kind, "late"))
            writer_format(arg, "%s, ", row->findings[i].text);
}

static void assert_warns(se_engine *engine, const char *expected)
{
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_check(engine, put_warnings, &w, NULL, &err), &err);
    assert_string_equal(writer_string(&w), expected);
}

static void a_version_that_others_use_already_is_told(void **state)
{
    static const char warning[] = "version 2 was in use by others before this process knew it, "
                                  "version 2 was in use by others before this process knew it, ";
    se_engine *engine = begin(one, SWITCH), *next;

    (void)state;
    now = SWITCH + 600;
    load_again(engine, two);
    assert_heard_nothing();
    load_again(engine, one);
    now = SWITCH + 601;
    load_again(engine, two);
    assert_heard(2, "version late Fields:2 by k: version 2 was in use by others before this "
                    "process knew it: it encrypts from 2026-12-24T00:00:00Z on");
    assert_warns(engine, warning);
    load_again(engine, two);
    assert_heard_nothing();
    next = open_engine(two, engine);
    assert_heard_nothing();
    now += 24 * 3600 - 1;
    assert_warns(next, warning);
    now += 1;
    assert_warns(next, "");
    se_close(&engine);
    se_close(&next);
}

/* It was there, but would not have signed then. */
static void a_version_that_only_verified_is_late_as_well(void **state)
{
    se_engine *engine = begin(idle, SWITCH);

    (void)state;
    now = SWITCH + 3600;
    load_again(engine, two);
    assert_heard(2, "version late Fields:2 by k: version 2 was in use by others before this "
                    "process knew it: it encrypts from 2026-12-24T00:00:00Z on");
    se_close(&engine);
}

static void a_process_that_begins_knows_of_no_delay(void **state)
{
    se_engine *engine = begin(two, SWITCH + 3600);

    (void)state;
    load_again(engine, two);
    assert_heard_nothing();
    assert_warns(engine, "");
    se_close(&engine);
}

/* ---- at any time ---- */

static void a_stated_version_works_at_any_time(void **state)
{
    se_engine *engine = begin(two, SWITCH - 1);
    AUTO(se_buf) out = SE_BUF_INIT;
    se_sign_params sign_with = SE_SIGN_PARAMS_INIT;
    se_field_params encrypt_with = SE_FIELD_PARAMS_INIT;
    se_container_params seal_with = SE_CONTAINER_PARAMS_INIT;
    se_field field = { .in = content };
    se_signer signer;
    se_error err = SE_ERROR_INIT;

    (void)state;
    sign_with.version = encrypt_with.version = seal_with.version = 2;
    assert_status(SE_ERR_POLICY, se_sign(&out, engine, "Files", content, &sign_with, &err), &err);
    sign_with.at_any_time = encrypt_with.at_any_time = seal_with.at_any_time = true;
    assert_status(SE_OK, se_sign(&out, engine, "Files", content, &sign_with, &err), &err);
    se_buf_free(&out);
    assert_status(SE_OK, se_find_signer(&signer, engine, "Files", &sign_with, &err), &err);
    assert_int_equal(signer.version, 2);
    assert_status(SE_OK, se_encrypt(&out, engine, "Fields", content, &encrypt_with, &err), &err);
    assert_status(SE_OK, se_encrypt_many(&field, 1, engine, "Fields", &encrypt_with, &err), &err);
    se_buf_free(&field.out);
    assert_status(
        SE_OK,
        se_container_encrypt_file("sealed", engine, "Fields", "engine.xml", &seal_with, &err),
        &err);
    assert_heard_nothing(); /* it is not the current one */
    se_close(&engine);
    engine = begin(ending, SWITCH + 1);
    se_buf_free(&out);
    assert_status(SE_OK, se_sign(&out, engine, "Files", content, &sign_with, &err), &err);
    se_close(&engine);
}

static void at_any_time_is_for_a_version_that_is_stated(void **state)
{
    se_engine *engine = begin(two, SWITCH);
    AUTO(se_buf) out = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.at_any_time = true;
    assert_status(SE_ERR_USAGE, se_sign(&out, engine, "Files", content, &params, &err), &err);
    assert_null(out.data);
    se_close(&engine);
}

static void what_only_verifies_never_signs(void **state)
{
    se_engine *engine = begin(never, SWITCH);
    AUTO(se_buf) out = SE_BUF_INIT;
    se_sign_params sign_with = SE_SIGN_PARAMS_INIT;
    se_field_params encrypt_with = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    sign_with.version = encrypt_with.version = 1;
    sign_with.at_any_time = encrypt_with.at_any_time = true;
    assert_status(SE_ERR_POLICY, se_sign(&out, engine, "Files", content, &sign_with, &err), &err);
    assert_status(SE_ERR_POLICY, se_encrypt(&out, engine, "Fields", content, &encrypt_with, &err),
                  &err);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_first_job_of_a_new_current_version_tells_it),
        IN_FOLDER(it_is_told_when_nothing_was_done_before),
        IN_FOLDER(there_is_no_way_back),
        IN_FOLDER(a_version_that_ends_hands_back),
        IN_FOLDER(what_others_use_already_is_no_switch),
        IN_FOLDER(asking_who_would_sign_is_no_job),
        IN_FOLDER(a_zip_and_a_message_tell_it_too),
        IN_FOLDER(it_is_told_across_loadings),
        IN_FOLDER(the_follower_tells_what_the_one_before_did_not),
        IN_FOLDER(a_version_that_others_use_already_is_told),
        IN_FOLDER(a_version_that_only_verified_is_late_as_well),
        IN_FOLDER(a_process_that_begins_knows_of_no_delay),
        IN_FOLDER(a_stated_version_works_at_any_time),
        IN_FOLDER(at_any_time_is_for_a_version_that_is_stated),
        IN_FOLDER(what_only_verifies_never_signs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
