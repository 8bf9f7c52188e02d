/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the four well-known jobs without pause, as an application that lives long:
 *
 *   worker CONFIG STORE NAME OTHER...
 *
 * In the working directory are `plain.zip` and `message`.  What it makes is NAME.value, NAME.zip
 * and NAME.eml there, and entries of the history in STORE; and it decrypts and verifies what the
 * others have made.  The engine watches its configuration.  SIGHUP: it is loaded again.  SIGTERM:
 * the end.
 *
 * Lines of standard output, times in microseconds:
 *
 *   ready                               all jobs were done once
 *   loaded FINGERPRINT                  the configuration that is used from now on
 *   version JOB N LAST BEGUN ENDED      this one makes it now; LAST: begin of the last by another
 *   certificate JOB SERIAL              likewise
 *   event KIND DESCRIPTOR VERSION TEXT  of those that are no operations
 *   unknown JOB TEXT                    it was made with a version that is not configured here
 *   failed JOB TEXT
 *   done JOB COUNT                      at the end
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "signengine-history.h"
#include "signengine-mail.h"

enum {
    OTHERS_MOST = 8,
    VALUE_LIMIT = 1 << 16,
    PATH_ROOM = 256,
    SERIAL_ROOM = 64,
    PAUSE_US = 10000
};

struct worker {
    const char *name, *config, *store;
    const char *const *others; /* itself among them */
    size_t other_count;
    se_engine *engine;
    se_history *history; /* NULL: it has to be opened */
    unsigned loadings;   /* of which the history and the certificates have been told */
    uint64_t appended;
};

static volatile sig_atomic_t hangup, ending;
static unsigned loadings; /* events of them; on any thread */
static unsigned version;  /* of the last operation of this thread */
static const char plain[] = "a value";

static void note_signal(int number)
{
    if (number == SIGHUP)
        hangup = 1;
    else
        ending = 1;
}

static void hear_event(void *arg, const se_event *event)
{
    (void)arg;
    if (event->kind == SE_EVENT_OPERATION) {
        version = event->version;
        return;
    }
    printf("event %s %s %u %s\n", se_event_name(event->kind), event->descriptor, event->version,
           event->text);
    if (event->kind == SE_EVENT_RELOADED)
        __atomic_add_fetch(&loadings, 1, __ATOMIC_RELEASE);
}

static void name_file(char out[PATH_ROOM], const char *name, const char *ending_with)
{
    (void)snprintf(out, PATH_ROOM, "%s.%s", name, ending_with);
}

/* ---- EncryptedFields ---- */

static se_status encrypt_value(struct worker *w, se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(output) output = OUTPUT_INIT;
    char path[PATH_ROOM];

    name_file(path, w->name, "value");
    TRY(se_encrypt(&value, w->engine, "EncryptedFields", text_bytes(plain), NULL, err));
    TRY(output_open(&output, path, 0600, err));
    TRY(output_write(&output, buf_bytes(&value), err));
    return output_commit(&output, err);
}

static se_status decrypt_value(struct worker *w, const char *name, se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(se_buf) opened = SE_BUF_INIT;
    char path[PATH_ROOM];

    name_file(path, name, "value");
    TRY(file_read(&value, path, VALUE_LIMIT, err));
    TRY(se_decrypt(&opened, w->engine, "EncryptedFields", buf_bytes(&value), NULL, err));
    if (strcmp((const char *)opened.data, plain) != 0)
        return error_set(err, SE_ERR_REJECTED, "the value is another one");
    return SE_OK;
}

/* ---- ConfigZipSigner ---- */

static void note_certificate(char last[SERIAL_ROOM], const char *job, const char *serial)
{
    if (strcmp(last, serial) != 0)
        printf("certificate %s %s\n", job, serial);
    (void)snprintf(last, SERIAL_ROOM, "%s", serial);
}

static se_status sign_zip(struct worker *w, se_error *err)
{
    char path[PATH_ROOM];

    name_file(path, w->name, "zip");
    return se_zip_sign(path, w->engine, "ConfigZipSigner", "plain.zip", NULL, err);
}

/* Who has signed what this worker has made. */
static void note_zip_signer(void *arg, const char *name, const se_signer *signer)
{
    static char last[SERIAL_ROOM];

    (void)name;
    if (*(const bool *)arg)
        note_certificate(last, "zip", signer->serial);
}

static se_status verify_zip(struct worker *w, const char *name, se_error *err)
{
    se_zip_verify_params params = SE_ZIP_VERIFY_PARAMS_INIT;
    bool own = name == w->name;
    char path[PATH_ROOM];

    name_file(path, name, "zip");
    params.signature = note_zip_signer;
    params.report_arg = &own;
    return se_zip_verify(w->engine, "ConfigZipSigner", path, &params, err);
}

/* ---- SignEmailDescriptor ---- */

static se_status sign_message(struct worker *w, se_error *err)
{
    AUTO(output) output = OUTPUT_INIT;
    AUTO(file) file = -1;
    char path[PATH_ROOM];
    se_source source;
    se_sink sink;

    name_file(path, w->name, "eml");
    TRY(file_open_stream(&file, "message", err));
    TRY(output_open(&output, path, 0600, err));
    source = se_source_fd(file);
    sink = se_sink_fd(output.fd);
    TRY(se_mail_sign(&sink, NULL, w->engine, "SignEmailDescriptor", &source, NULL, err));
    return output_commit(&output, err);
}

static se_status verify_message(struct worker *w, const char *name, se_error *err)
{
    static char last[SERIAL_ROOM];
    AUTO(file) file = -1;
    char path[PATH_ROOM];
    se_source source;
    se_mail mail;

    name_file(path, name, "eml");
    TRY(file_open_stream(&file, path, err));
    source = se_source_fd(file);
    TRY(se_mail_verify(&mail, w->engine, "SignEmailDescriptor", &source, NULL, err));
    if (name == w->name)
        note_certificate(last, "mail", mail.signer.serial);
    return SE_OK;
}

/* ---- ObjectHistorySigner ---- */

/* A history keeps the engine as it was. */
static se_status open_history(struct worker *w, se_error *err)
{
    if (w->history)
        return SE_OK;
    return se_history_open(&w->history, w->engine, w->store, NULL, err);
}

static se_status append_entry(struct worker *w, se_error *err)
{
    TRY(open_history(w, err));
    TRY(se_history_append(NULL, w->history, text_bytes(w->name), text_bytes(plain), err));
    w->appended++;
    return SE_OK;
}

static se_status verify_history(struct worker *w, const char *name, se_error *err)
{
    se_history_report report;

    if (name != w->name)
        return SE_OK; /* it is everybody's */
    TRY(open_history(w, err));
    TRY(se_history_verify(&report, w->history, NULL, err));
    return report.entries >= w->appended ? SE_OK
                                         : error_set(err, SE_ERR_REJECTED, "entries are missing");
}

/* ---- all of it ---- */

static struct job {
    const char *name;
    se_status (*make)(struct worker *w, se_error *err);
    se_status (*use)(struct worker *w, const char *name, se_error *err); /* what `name` has made */
    unsigned long made, used;
    unsigned version; /* that the last was made by */
    int64_t begun;    /* when */
} jobs[] = {
    { .name = "fields", .make = encrypt_value, .use = decrypt_value },
    { .name = "zip", .make = sign_zip, .use = verify_zip },
    { .name = "mail", .make = sign_message, .use = verify_message },
    { .name = "history", .make = append_entry, .use = verify_history },
};

enum { JOBS = sizeof jobs / sizeof *jobs };

static void tell_failure(const struct job *job, const se_error *err)
{
    printf("%s %s %s\n", err->status == SE_ERR_NO_DESCRIPTOR ? "unknown" : "failed", job->name,
           err->text);
}

static void make_one(struct worker *w, struct job *job)
{
    const int64_t begun = clock_microseconds();
    se_error err = SE_ERROR_INIT;

    version = 0;
    if (job->make(w, &err)) {
        tell_failure(job, &err);
        return;
    }
    if (version != job->version)
        printf("version %s %u %lld %lld %lld\n", job->name, version, (long long)job->begun,
               (long long)begun, (long long)clock_microseconds());
    job->version = version;
    job->begun = begun;
    job->made++;
}

static void use_all(struct worker *w, struct job *job)
{
    for (size_t i = 0; i < w->other_count; i++) {
        se_error err = SE_ERROR_INIT;

        if (job->use(w, w->others[i], &err))
            tell_failure(job, &err);
        else
            job->used++;
    }
}

static void tell_loading(struct worker *w)
{
    char fingerprint[65];
    se_error err = SE_ERROR_INIT;

    w->loadings = __atomic_load_n(&loadings, __ATOMIC_ACQUIRE);
    se_history_close(&w->history);
    if (se_fingerprint(fingerprint, w->engine, &err))
        printf("failed loading %s\n", err.text);
    else
        printf("loaded %s\n", fingerprint);
}

static void load_again(struct worker *w)
{
    se_error err = SE_ERROR_INIT;

    hangup = 0;
    if (se_reload(w->engine, &err))
        printf("failed loading %s\n", err.text);
}

static bool has_made_all(const char *name)
{
    static const char *const endings[] = { "value", "zip", "eml" };
    char path[PATH_ROOM];

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        name_file(path, name, endings[i]);
        if (access(path, F_OK))
            return false;
    }
    return true;
}

/* Each makes something before anybody looks for it. */
static void begin_work(struct worker *w)
{
    for (struct job *job = jobs; job < jobs + JOBS; job++)
        make_one(w, job);
    for (size_t i = 0; i < w->other_count; i++)
        while (!ending && !has_made_all(w->others[i]))
            usleep(PAUSE_US);
}

static void work(struct worker *w)
{
    begin_work(w);
    for (bool ready = false; !ending; ready = true) {
        if (hangup)
            load_again(w);
        if (w->loadings != __atomic_load_n(&loadings, __ATOMIC_ACQUIRE))
            tell_loading(w);
        for (struct job *job = jobs; job < jobs + JOBS; job++) {
            make_one(w, job);
            use_all(w, job);
        }
        if (!ready)
            puts("ready");
    }
}

static void handle_signals(void)
{
    const struct sigaction note = { .sa_handler = note_signal, .sa_flags = SA_RESTART };

    (void)sigaction(SIGHUP, &note, NULL);
    (void)sigaction(SIGTERM, &note, NULL);
}

int main(int argc, char **argv)
{
    struct worker w = { .config = argv[1] };
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    if (argc < 5)
        return 64;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    w.store = argv[2];
    w.others = (const char *const *)&argv[3];
    w.other_count = (size_t)argc - 3;
    w.name = argv[3];
    options.event = hear_event;
    options.watch = true;
    handle_signals();
    if (se_open(&w.engine, w.config, &options, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    tell_loading(&w);
    work(&w);
    for (const struct job *job = jobs; job < jobs + JOBS; job++)
        printf("done %s %lu %lu\n", job->name, job->made, job->used);
    se_history_close(&w.history);
    se_close(&w.engine);
    return 0;
}
