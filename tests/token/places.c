/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/places.h"

#include <stdio.h>

#include "base/breaker.h"
#include "base/clock.h"

struct faults *faults;
struct shim *shim;

/* Two tokens with the same key; a copy of the module is a module of its own, as another vendor's
 * would be. */
int places_fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("one");
    make_token("two");
    put_pair("one", "k", "rsa:2048", "01");
    put_key("two", "k", "k", "01");
    put_certificate("two", "k", "k", "01");
    put_pair("two", "stranger", "rsa:2048", "02");
    run("cp '%s' second.so", softhsm);
    run("openssl pkcs12 -export -inkey k.key -in k.pem -name k -passout pass:" PIN " -out k.p12");
    return 0;
}

/* Nothing is wrong. */
static void refresh(void)
{
    const struct keyref *ref = ref_through_faults(&faults, "one", "k");

    ref_through_shim(&shim, "one", "k");
    run("ln -sf '%s' first.so", ref->location);
}

void configure(const char *replicas)
{
    configure_for("<descriptor name='Files'><type algorithm='SHA256withRSA' key='k'/></descriptor>",
                  replicas);
}

void configure_for(const char *descriptors, const char *replicas)
{
    FILE *f = fopen(file_of("engine.xml"), "w");

    refresh();
    fprintf(f, "<engineSignEncrypt>\n<descriptors>%s</descriptors>\n<keys><key name='k'>\n",
            descriptors);
    for (; *replicas; replicas++)
        if (*replicas == '@')
            fputs(file_of(""), f);
        else
            fputc(*replicas, f);
    fputs("\n</key></keys></engineSignEncrypt>\n", f);
    fclose(f);
}

struct told told = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void listen(void *arg, const se_event *event)
{
    size_t used;

    assert_ptr_equal(arg, &told);
    pthread_mutex_lock(&told.lock);
    used = strlen(told.changes);
    if (event->kind == SE_EVENT_OPERATION) {
        event->status ? told.bad++ : told.good++;
        if (strcmp(event->operation, "sign") == 0)
            told.signer = event->replica;
    } else {
        snprintf(told.changes + used, sizeof told.changes - used, "%u %s, ", event->replica,
                 se_event_name(event->kind));
        if (*event->text)
            snprintf(told.why, sizeof told.why, "%s", event->text);
    }
    pthread_mutex_unlock(&told.lock);
}

void assert_told(const char *changes)
{
    assert_string_equal(told.changes, changes);
    *told.changes = '\0';
}

se_engine *engine_with(const char *replicas)
{
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    configure(replicas);
    *told.changes = *told.why = '\0';
    told.good = told.bad = told.signer = 0;
    options.event = listen;
    options.event_arg = &told;
    assert_status(SE_OK, se_open(&engine, file_of("engine.xml"), &options, &err), &err);
    return engine;
}

se_status sign(se_engine *engine, se_error *err)
{
    const se_bytes text = { "some text", 9 };
    AUTO(se_buf) signature = SE_BUF_INIT;
    const se_sign_params raw = { sizeof raw, .form = SE_FORM_RAW };
    se_verify_params params = { sizeof params, .form = SE_FORM_RAW };
    se_status st;

    *err = (se_error)SE_ERROR_INIT;
    if ((st = se_sign(&signature, engine, "Files", text, &raw, err)))
        return st;
    params.signature = buf_bytes(&signature);
    return se_verify(NULL, engine, "Files", text, &params, err);
}

void signs(se_engine *engine)
{
    se_error err;

    assert_status(SE_OK, sign(engine, &err), &err);
}

bool first_signs(se_engine *engine)
{
    unsigned before = shim->signatures;

    signs(engine);
    return shim->signatures > before;
}

void assert_says(const se_error *err, const char *text)
{
    if (!strstr(err->text, text))
        fail_msg("'%s' is not in: %s", text, err->text);
}

void set_away(CK_RV rv)
{
    pthread_mutex_lock(&faults->lock);
    faults->away = rv;
    pthread_mutex_unlock(&faults->lock);
}

void first_returns(se_engine *engine)
{
    int64_t until = clock_monotonic_ms() + 5 * BREAKER_MOST_MS;

    while (!first_signs(engine))
        assert_true(clock_monotonic_ms() < until);
}
