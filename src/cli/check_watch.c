/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check_watch.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/metric.h"
#include "base/text.h"
#include "cli/spawn.h"

AUTO_KIND(json, json_t *, json_decref(*p))

/* ---- the findings ---- */

void check_watch_free(struct check_watch *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free((char *)w->list[i].kind);
        free((char *)w->list[i].subject);
        free((char *)w->list[i].text);
    }
    free(w->list);
    *w = (struct check_watch){ .list = NULL };
}

static bool is_same_thing(const se_check_finding *one, const se_check_finding *other)
{
    return !strcmp(one->kind, other->kind) && !strcmp(one->subject, other->subject);
}

static bool is_known(const struct check_watch *w, const se_check_finding *finding)
{
    for (size_t i = 0; i < w->count; i++)
        if (is_same_thing(&w->list[i], finding) && w->list[i].date == finding->date &&
            w->list[i].level == finding->level && !strcmp(w->list[i].text, finding->text))
            return true;
    return false;
}

static void add_finding(struct check_watch *w, const se_check_finding *finding)
{
    se_check_finding *added;

    if (is_known(w, finding))
        return;
    if (!array_grow(&w->list, &w->room, w->count)) {
        w->failed = true;
        return;
    }
    added = &w->list[w->count++];
    *added = *finding;
    added->kind = strdup(finding->kind);
    added->subject = strdup(finding->subject);
    added->text = strdup(finding->text);
    w->failed |= !added->kind || !added->subject || !added->text;
}

void check_watch_add(struct check_watch *w, const se_check_row *row)
{
    w->unchecked |= row->status && !row->not_after;
    for (size_t i = 0; i < row->finding_count && !w->failed; i++)
        add_finding(w, &row->findings[i]);
}

void check_watch_add_failure(struct check_watch *w, const char *subject, const se_error *why)
{
    const se_check_finding finding = {
        .level = SE_CHECK_FAILURE, .kind = "unusable", .subject = subject, .text = why->text
    };

    w->unchecked = true;
    add_finding(w, &finding);
}

/* ---- metrics ---- */

static const struct metric time_metric = {
    .name = "signengine_check_timestamp_seconds",
    .type = "gauge",
    .help = "When `signengine check` last came to its end.",
};
static const struct metric status_metric = {
    .name = "signengine_check_exit_status",
    .type = "gauge",
    .help = "How it ended: 0 is well, 1 a warning, others are in signengine(1).",
};
static const struct metric rows_metric = {
    .name = "signengine_check_descriptors",
    .type = "gauge",
    .help = "Versions of descriptors, authorities and records, by verdict.",
    .labels = { "verdict" },
};
static const struct metric warned_metric = {
    .name = "signengine_check_configuration_warnings",
    .type = "gauge",
    .help = "Warnings about the configuration itself.",
};
static const struct metric end_metric = {
    .name = "signengine_check_end_timestamp_seconds",
    .type = "gauge",
    .help = "When something ends that has to be renewed before, or has ended.",
    .labels = { "kind", "subject" },
};
static const struct metric finding_metric = {
    .name = "signengine_check_finding",
    .type = "gauge",
    .help = "1 for each finding of that kind and level.",
    .labels = { "kind", "subject", "level" },
};

/* That it ends is worth a series from the beginning, and for as long as it is there. */
static bool is_end(const se_check_finding *f)
{
    return f->date && f->level != SE_CHECK_NOTE;
}

static bool is_told(const se_check_finding *f)
{
    return f->level != SE_CHECK_DATE;
}

/* Of several ends of the same thing, as of two certificates of a CA, the first counts; 0: an
 * earlier finding has told it. */
static int64_t first_end(const struct check_watch *w, size_t at)
{
    const se_check_finding *f = &w->list[at];
    int64_t first = f->date;

    for (size_t i = 0; i < w->count; i++) {
        const se_check_finding *other = &w->list[i];

        if (!is_end(other) || !is_same_thing(other, f))
            continue;
        if (i < at)
            return 0;
        first = other->date < first ? other->date : first;
    }
    return first;
}

static bool is_first_of_level(const struct check_watch *w, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (w->list[i].level == w->list[at].level && is_same_thing(&w->list[i], &w->list[at]))
            return false;
    return true;
}

static void put_findings(struct writer *out, const struct check_watch *w)
{
    metric_begin(out, &end_metric);
    for (size_t i = 0; i < w->count; i++) {
        const se_check_finding *f = &w->list[i];
        const int64_t end = is_end(f) ? first_end(w, i) : 0;

        if (end)
            metric_put(out, &end_metric, (const char *const[]){ f->kind, f->subject }, (double)end);
    }
    metric_begin(out, &finding_metric);
    for (size_t i = 0; i < w->count; i++) {
        const se_check_finding *f = &w->list[i];

        if (is_told(f) && is_first_of_level(w, i))
            metric_put(out, &finding_metric,
                       (const char *const[]){ f->kind, f->subject, se_check_level_name(f->level) },
                       1);
    }
}

static void put_metrics(struct writer *out, const struct check_watch *w,
                        const struct check_result *result)
{
    metric_begin(out, &time_metric);
    metric_put(out, &time_metric, NULL, (double)clock_seconds());
    metric_begin(out, &status_metric);
    metric_put(out, &status_metric, NULL, result->exit_status);
    metric_begin(out, &rows_metric);
    for (size_t v = 0; v < CHECK_VERDICTS; v++)
        metric_put(out, &rows_metric, (const char *const[]){ verdict_name(v) },
                   (double)result->counts[v]);
    metric_begin(out, &warned_metric);
    metric_put(out, &warned_metric, NULL, (double)result->warned);
    put_findings(out, w);
}

se_status check_watch_write(const struct check_watch *w, const char *path,
                            const struct check_result *result, se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(writer) metrics = { 0 };

    put_metrics(&metrics, w, result);
    TRY(writer_finish(&text, &metrics, err));
    TRY(output_open(&out, path, 0644, err)); /* the exporter is another user */
    TRY(output_write(&out, buf_bytes(&text), err));
    return output_commit(&out, err);
}

/* ---- what was told before: a file of JSON ---- */

enum { STATE_LIMIT = 1 << 20, NEAR_WEEK = 7, NEAR_DAY = 1, ENDED = 0 };

/* How near its end is, in days: INT_MAX, a warning without one; -1: there is nothing to tell. */
static int find_step(const se_check_finding *f, int days)
{
    enum { DAY = 24 * 60 * 60 };
    const int64_t left = f->date - clock_seconds();

    if (f->level == SE_CHECK_NOTE)
        return -1;
    if (f->date && left < 0)
        return ENDED;
    if (f->date && left < (int64_t)days * DAY)
        return left < NEAR_DAY * DAY ? NEAR_DAY : left < NEAR_WEEK * DAY ? NEAR_WEEK : days;
    return f->level == SE_CHECK_DATE ? -1 : INT_MAX;
}

/* By that it is known again: a failure may have another text each time, as an HSM that is away. */
static json_t *identify_finding(const se_check_finding *f)
{
    const bool by_text = !f->date && f->level != SE_CHECK_FAILURE;

    return json_pack("{s:o, s:o, s:I, s:o}", "kind", json_text(f->kind), "subject",
                     json_text(f->subject), "date", (json_int_t)f->date, "text",
                     json_text(by_text ? f->text : ""));
}

/* What was told of it, or NULL. */
static json_t *find_told(const json_t *told, json_t *identity)
{
    json_t *entry;
    size_t i;

    json_array_foreach(told, i, entry)
        if (json_equal(json_object_get(entry, "finding"), identity))
            return entry;
    return NULL;
}

/* Told twice is better than not told. */
static json_t *load_told(const struct check_notice *notice, const struct cli *cli)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(json) state = NULL;
    se_error err = SE_ERROR_INIT;

    if (access(notice->state, F_OK) != 0)
        return json_array();
    if (file_read(&text, notice->state, STATE_LIMIT, &err)) {
        cli_warn(cli, "--state: %s: all findings are told anew", err.text);
        return json_array();
    }
    state = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(json_object_get(state, "told"))) {
        cli_warn(cli, "--state: %s is no such file: all findings are told anew", notice->state);
        return json_array();
    }
    return json_incref(json_object_get(state, "told"));
}

static se_status save_told(struct output *out, json_t *told, se_error *err)
{
    AUTO(json) state = json_pack("{s:O}", "told", told);
    char *text = state ? json_dumps(state, JSON_INDENT(1)) : NULL;
    se_status st;

    if (!text)
        return error_memory(err);
    st = output_write(out, text_bytes(text), err);
    free(text);
    return st ? st : output_commit(out, err);
}

/* ---- telling ---- */

static json_t *describe_finding(const se_check_finding *f, int step)
{
    json_t *object = json_pack("{s:o, s:o, s:s, s:o, s:o}", "kind", json_text(f->kind), "subject",
                               json_text(f->subject), "level", se_check_level_name(f->level),
                               "date", json_time(f->date), "text", json_text(f->text));

    if (object && step != INT_MAX)
        (void)json_object_set_new(object, "within", json_integer(step));
    return object;
}

static se_status open_finding(int *fd, const se_check_finding *f, int step, se_error *err)
{
    AUTO(json) object = describe_finding(f, step);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    bool written;

    *fd = text ? memfd_create("finding", MFD_CLOEXEC) : -1;
    written = *fd >= 0 && !write_all(*fd, text, strlen(text)) && !write_all(*fd, "\n", 1);
    free(text);
    return written ? SE_OK : error_memory(err);
}

/* The finding is data on its standard input: no shell ever sees it. */
static se_status run_command(const char *command, const se_check_finding *f, int step,
                             se_error *err)
{
    AUTO(file) input = -1;
    char *arguments[] = { (char *)command, NULL };
    struct spawn spawn = { .option = "--notify", .arguments = arguments, .search = true };
    int status;

    TRY(open_finding(&input, f, step, err));
    spawn.input = input;
    TRY(spawn_run(&status, &spawn, err));
    return status ? error_set(err, SE_ERR_UNAVAILABLE,
                              "--notify: '%s' ended with status %d for %s; it is told again next "
                              "time",
                              command, status, f->subject)
                  : SE_OK;
}

struct telling {
    const struct check_notice *notice;
    json_t *before, *now; /* lists */
    bool failed;          /* out of memory */
};

static void telling_free(struct telling *t)
{
    json_decref(t->before);
    json_decref(t->now);
}
AUTO_KIND(telling, struct telling, telling_free(p))

static void keep_told(struct telling *t, json_t *identity, int step)
{
    t->failed |=
        json_array_append_new(t->now, json_pack("{s:O, s:i}", "finding", identity, "within", step));
}

/* What could not be looked at is not over. */
static void keep_all(struct telling *t)
{
    json_t *entry;
    size_t i;

    json_array_foreach(t->before, i, entry)
        if (!find_told(t->now, json_object_get(entry, "finding")))
            t->failed |= json_array_append(t->now, entry);
}

static se_status tell_finding(struct telling *t, const se_check_finding *f, se_error *err)
{
    const int step = find_step(f, t->notice->days);
    AUTO(json) identity = identify_finding(f);
    const json_t *old = find_told(t->before, identity);
    const int last = old ? (int)json_integer_value(json_object_get(old, "within")) : -1;
    se_status st = SE_OK;

    if (step < 0)
        return SE_OK;
    if (!identity)
        return error_memory(err);
    if (!old || step < last)
        st = run_command(t->notice->command, f, step, err);
    if (!st || old)
        keep_told(t, identity, st ? last : step);
    return st;
}

static int tell_findings(struct telling *t, const struct check_watch *w, const struct cli *cli)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < w->count; i++) {
        se_error err = SE_ERROR_INIT;

        if (tell_finding(t, &w->list[i], &err))
            status = cli_fail(cli, &err);
    }
    if (w->unchecked)
        keep_all(t);
    return status;
}

int check_watch_notify(const struct check_watch *w, const struct check_notice *notice,
                       const struct cli *cli)
{
    AUTO(telling) t = { notice, load_told(notice, cli), json_array(), false };
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;
    int status;

    /* before anything is told that could not be remembered */
    if (output_open(&out, notice->state, 0600, &err))
        return cli_fail_output(cli, &err);
    status = tell_findings(&t, w, cli);
    if (t.failed)
        (void)error_memory(&err);
    else if (!save_told(&out, t.now, &err))
        return status;
    return cli_fail_output(cli, &err);
}
