/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that are loaded again, and what is heard of it. */
#ifndef TESTS_UNIT_RELOAD_H
#define TESTS_UNIT_RELOAD_H

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "tests/unit/config.h"
#include "tests/unit/maker.h"

#define DESCRIPTOR(version, key)                                                                   \
    "<descriptor name='Files' version='" version "'><type algorithm='SHA-256' key='" key           \
    "'/></descriptor>\n"
#define KEY(name) "<key name='" name "'><type name='pem' locationValue='" name ".pem'/></key>\n"

static const char first[] = ROOT(DESCRIPTOR("1", "one"), KEY("one")),
                  second[] =
                      ROOT(DESCRIPTOR("1", "one") DESCRIPTOR("2", "two"), KEY("one") KEY("two")),
                  renamed[] = ROOT("<descriptor name='Others' version='1'><type "
                                   "algorithm='SHA-256' key='two'/></descriptor>\n",
                                   KEY("two"));
static const se_bytes content = { "some content", 12 };

/* ---- what is heard ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned reloaded, refused, findings;
    se_status status;
    char text[1200];
} heard = { .lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER };

static inline void hear(void *arg, const se_event *event)
{
    assert_ptr_equal(arg, &heard);
    if (event->kind != SE_EVENT_RELOADED && event->kind != SE_EVENT_RELOAD_REFUSED)
        return;
    assert_string_equal(event->key, "");
    pthread_mutex_lock(&heard.lock);
    heard.reloaded += event->kind == SE_EVENT_RELOADED;
    heard.refused += event->kind == SE_EVENT_RELOAD_REFUSED;
    heard.status = event->status;
    snprintf(heard.text, sizeof heard.text, "%s", event->text);
    pthread_cond_signal(&heard.told);
    pthread_mutex_unlock(&heard.lock);
}

static inline void hear_finding(void *arg, const se_report *report)
{
    (void)report;
    assert_ptr_equal(arg, &heard);
    pthread_mutex_lock(&heard.lock);
    heard.findings++;
    pthread_mutex_unlock(&heard.lock);
}

/* Until there are so many of them. */
static inline void await(const unsigned *count, unsigned expected)
{
    struct timespec until;
    unsigned is;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;

    pthread_mutex_lock(&heard.lock);
    while (*count < expected && !pthread_cond_timedwait(&heard.told, &heard.lock, &until))
        ;
    is = *count;
    pthread_mutex_unlock(&heard.lock);
    if (is != expected)
        fail_msg("%u events, not %u; the last: %s", is, expected, heard.text);
}

/* ---- engines ---- */

static inline void make_keys(void)
{
    const struct certificate_wish wish = { .usage = "critical,digitalSignature" };

    make_signer("one.pem", "P-256", &wish);
    make_signer("two.pem", "P-256", &wish);
}

static inline se_engine *open_path(const char *path, bool watch)
{
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    heard.reloaded = heard.refused = heard.findings = 0;
    options.event = hear;
    options.event_arg = &heard;
    options.report = hear_finding;
    options.report_arg = &heard;
    options.watch = watch;
    assert_status(SE_OK, se_open(&engine, path, &options, &err), &err);
    return engine;
}

static inline se_engine *opened(const char *configuration, bool watch)
{
    make_keys();
    make("engine.xml", configuration, 0600);
    return open_path("engine.xml", watch);
}

/* With *version, 0 for the highest, which it becomes then. */
static inline se_status sign_version(unsigned *version, se_engine *engine, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_verify_params verify = SE_VERIFY_PARAMS_INIT;
    se_signer signer;

    params.version = *version;
    TRY(se_sign(&signature, engine, "Files", content, &params, err));
    verify.signature = buf_bytes(&signature);
    TRY(se_verify(&signer, engine, "Files", content, &verify, err));
    *version = signer.version;
    return SE_OK;
}

static inline void assert_signs(se_engine *engine, unsigned expected)
{
    unsigned version = 0;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, sign_version(&version, engine, &err), &err);
    assert_int_equal(version, expected);
}

static inline void assert_reloads(se_engine *engine)
{
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_reload(engine, &err), &err);
}

#endif
