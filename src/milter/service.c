#include "milter/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "signengine-mail.h"

enum { HOUR = 3600 };

struct service service = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const names[OUTCOMES] = {
    [OUTCOME_SIGNED] = "signed",     [OUTCOME_ALREADY] = "already signed",
    [OUTCOME_SKIPPED] = "skipped",   [OUTCOME_UNKNOWN] = "unknown sender",
    [OUTCOME_FOREIGN] = "foreign",   [OUTCOME_UNSIGNED] = "unsigned",
    [OUTCOME_DEFERRED] = "deferred", [OUTCOME_REFUSED] = "refused",
};

const char *outcome_name(enum outcome outcome)
{
    return names[outcome];
}

static void drop(struct setup *setup)
{
    if (!setup || --setup->users)
        return;
    se_close(&setup->engine);
    watch_free(&setup->watch);
    conf_free(&setup->conf);
    free(setup);
}

/* What reads mail is loaded when it is needed, as by the quotes; here before any comes. */
static se_status check_mail(se_error *err)
{
    AUTO(se_buf) address = SE_BUF_INIT;

    return se_mail_address(&address, "\"Postmaster\" <postmaster@localhost>", err);
}

static int open_audit(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* Later, what can't be written there goes to standard output. */
static se_status check_audit(const char *path, se_error *err)
{
    int fd = path ? open_audit(path) : STDOUT_FILENO;

    if (fd < 0)
        return error_set(err, SE_ERR_CONFIG, "cannot write the audit log '%s': %s", path,
                         strerror(errno));
    if (fd > STDERR_FILENO)
        close(fd);
    return SE_OK;
}

/* The CAs of those who may have signed what comes signed: that they are there, now rather than when
 * mail comes. */
static se_status check_signers(const char *path, se_error *err)
{
    enum { CERTIFICATES_LIMIT = 16 << 20 };
    AUTO(se_buf) text = SE_BUF_INIT;

    if (!path)
        return SE_OK;
    if (file_read(&text, path, CERTIFICATES_LIMIT, err))
        return error_prefix(err, "trust-signers: ");
    return strstr((const char *)text.data, "-----BEGIN CERTIFICATE-----")
               ? SE_OK
               : error_set(err, SE_ERR_CONFIG, "trust-signers: '%s' has no certificate in PEM",
                           path);
}

static void hear_event(void *arg, const se_event *event)
{
    struct setup *setup = arg;

    watch_event(&setup->watch, event);
}

static se_status open_engine(struct setup *setup, se_error *err)
{
    se_options options = SE_OPTIONS_INIT;

    options.event = hear_event;
    options.event_arg = setup;

    options.trust_config = setup->conf->trust_config;
    return se_open(&setup->engine, setup->conf->engine, &options, err);
}

se_status service_load(se_error *err)
{
    struct setup *fresh = calloc(1, sizeof *fresh), *old;
    se_status st;

    if (!fresh)
        return error_memory(err);
    fresh->users = 1;
    if ((st = conf_load(&fresh->conf, service.path, err)) ||
        (st = check_audit(fresh->conf->audit, err)) || (st = check_mail(err)) ||
        (st = conf_settle(fresh->conf, err)) ||
        (st = check_signers(fresh->conf->trust_signers, err)) || (st = open_engine(fresh, err)) ||
        (st = watch_begin(&fresh->watch, fresh->conf, fresh->engine, err))) {
        drop(fresh);
        return st;
    }
    pthread_mutex_lock(&service.lock);
    old = service.setup;
    service.setup = fresh;
    service.reloads += old != NULL;
    service.changed = true;
    pthread_mutex_unlock(&service.lock);
    service_leave(old);
    return SE_OK;
}

struct setup *service_enter(void)
{
    struct setup *setup;

    pthread_mutex_lock(&service.lock);
    setup = service.setup;
    setup->users++;
    pthread_mutex_unlock(&service.lock);
    return setup;
}

/* Closing an engine may wait for a key store: not while others wait for the lock. */
void service_leave(struct setup *setup)
{
    bool last;

    if (!setup)
        return;
    pthread_mutex_lock(&service.lock);
    last = setup->users == 1;
    setup->users -= !last;
    pthread_mutex_unlock(&service.lock);
    if (last)
        drop(setup);
}

static json_t *text(const char *value)
{
    json_t *json = value ? json_string(value) : NULL;

    return json ? json : json_string(value ? "(not UTF-8)" : "");
}

static void write_line(const struct setup *setup, json_t *line)
{
    const char *path = setup ? setup->conf->audit : NULL;
    char *dumped = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    AUTO(writer) w = { 0 };
    int fd = path ? open_audit(path) : STDOUT_FILENO;

    writer_text(&w, dumped ? dumped : "{}");
    writer_text(&w, "\n");
    if (write_all(fd >= 0 ? fd : STDOUT_FILENO, w.buf.data, w.buf.size))
        (void)fprintf(stderr, "signengine-milter: cannot write the audit log: %s\n",
                      strerror(errno));
    if (fd > STDERR_FILENO)
        close(fd);
    free(dumped);
    json_decref(line);
}

static void now_text(char out[40])
{
    struct timespec now;
    struct tm tm;
    size_t n;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + n, 40 - n, ".%03ldZ", now.tv_nsec / 1000000);
}

/* Few texts are ours, and statuses are few: no sender decides how many there are. */
static void count_reason(const struct audit *a)
{
    const char *text = a->status ? se_status_name(a->status) : a->reason;

    for (size_t i = 0; text && *text && i < REASONS_MOST; i++) {
        struct reason *r = &service.reasons[i];

        if (r->text && (r->outcome != a->outcome || strcmp(r->text, text) != 0))
            continue;
        *r = (struct reason){ a->outcome, text, r->count + 1 };
        return;
    }
}

void service_audit(const struct setup *setup, const struct audit *a)
{
    char when[40];

    pthread_mutex_lock(&service.lock);
    service.counts[a->outcome]++;
    service.microseconds += a->outcome == OUTCOME_SIGNED ? (uint64_t)a->microseconds : 0;
    count_reason(a);
    service.changed = true;
    pthread_mutex_unlock(&service.lock);
    now_text(when);
    write_line(setup, json_pack("{s:s, s:o, s:o, s:o, s:o, s:i, s:s, s:o, s:f}", "time", when,
                                "queueId", text(a->queue_id), "client", text(a->client), "sender",
                                text(a->sender), "descriptor", text(a->descriptor), "version",
                                (int)a->version, "result", names[a->outcome], "reason",
                                text(a->reason), "ms", (double)a->microseconds / 1000));
}

void service_log(const char *what, const char *why)
{
    char when[40];

    now_text(when);
    write_line(NULL,
               json_pack("{s:s, s:s, s:o}", "time", when, "event", what, "reason", text(why)));
}

void service_refused(void)
{
    pthread_mutex_lock(&service.lock);
    service.refused++;
    service.changed = true;
    pthread_mutex_unlock(&service.lock);
}

static void put_reasons(struct writer *w)
{
    writer_text(w, "# HELP signengine_milter_reasons_total Messages with a reason, by what became "
                   "of them and why.\n"
                   "# TYPE signengine_milter_reasons_total counter\n");
    for (const struct reason *r = service.reasons; r < service.reasons + REASONS_MOST && r->text;
         r++)
        writer_format(w,
                      "signengine_milter_reasons_total{result=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                      names[r->outcome], r->text, r->count);
}

static void put_metrics(struct writer *w, const struct watch *watch)
{
    writer_text(w, "# HELP signengine_milter_messages_total Messages, by what became of them.\n"
                   "# TYPE signengine_milter_messages_total counter\n");
    for (size_t i = 0; i < OUTCOMES; i++)
        writer_format(w, "signengine_milter_messages_total{result=\"%s\"} %" PRIu64 "\n", names[i],
                      service.counts[i]);
    put_reasons(w);
    writer_format(
        w,
        "# HELP signengine_milter_sign_seconds Time that signing took.\n# TYPE "
        "signengine_milter_sign_seconds summary\n"
        "signengine_milter_sign_seconds_sum %.6f\nsignengine_milter_sign_seconds_count %" PRIu64
        "\n",
        (double)service.microseconds / 1e6, service.counts[OUTCOME_SIGNED]);
    writer_format(w,
                  "# HELP signengine_milter_reloads_total Configurations loaded since the start.\n"
                  "# TYPE signengine_milter_reloads_total "
                  "counter\nsignengine_milter_reloads_total{result=\"done\"} %" PRIu64
                  "\nsignengine_milter_reloads_total{result=\"failed\"} %" PRIu64 "\n",
                  service.reloads, service.reload_failures);
    writer_format(w,
                  "# HELP signengine_milter_connections_refused_total Connections of those who are "
                  "no peers.\n"
                  "# TYPE signengine_milter_connections_refused_total "
                  "counter\nsignengine_milter_connections_refused_total %" PRIu64 "\n",
                  service.refused);
    watch_put(w, watch);
}

void service_metrics(void)
{
    struct setup *setup = service_enter();
    AUTO(output) out = OUTPUT_INIT;
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;
    const time_t now = time(NULL);
    static time_t written;
    bool due;

    watch_refresh(&setup->watch, setup->engine);
    pthread_mutex_lock(&service.lock);
    due = setup->conf->metrics &&
          (service.changed || now - written >= HOUR); /* days pass by themselves */
    if (due)
        put_metrics(&w, &setup->watch);
    written = due ? now : written;
    service.changed = false;
    pthread_mutex_unlock(&service.lock);
    if (due && (output_open(&out, setup->conf->metrics, 0644, &err) ||
                output_write(&out, buf_bytes(&w.buf), &err) || output_commit(&out, &err)))
        service_log("the metrics can't be written", err.text);
    service_leave(setup);
}
