/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application with many threads, for tests.  It is told what to do line by line, and what it has
 * seen of each is "name value" lines with "." behind them:
 *
 *   open CONFIG                          an engine, in place of the last
 *   run WORK DESCRIPTOR THREADS COUNT    each thread does WORK so often: sign, cms, encrypt,
 * decrypt for WORK DESCRIPTOR THREADS MS       each thread does it until then fork WORK DESCRIPTOR
 * THREADS MS      the same, and in the midst of it the child of a fork works, too close
 *
 * What is signed is verified with the certificate, and what is decrypted compared.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "signengine.h"

enum { THREADS_MOST = 256, STATUSES = SE_ERR_CRYPTO + 1, KINDS = SE_EVENT_KEY_SLOWED + 1 };
enum { TEXTS = 4, AT_ONCE_MS = 100 };

static se_engine *engine;

/* What happened since a line was read. */
static struct {
    pthread_mutex_t lock;
    unsigned long ended[STATUSES], wrong,
        late; /* late: failures that took longer than AT_ONCE_MS */
    unsigned long events[KINDS], named, answered; /* operations whose requests have IDs */
    double begun, longest, last_failure;
    char texts[STATUSES][TEXTS][sizeof((se_error *)0)->text];
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void take_event(void *arg, const se_event *event)
{
    (void)arg;
    pthread_mutex_lock(&seen.lock);
    seen.events[event->kind]++;
    seen.named += *event->request_sent != '\0';
    seen.answered += *event->request_answered != '\0';
    pthread_mutex_unlock(&seen.lock);
}

/* ---- one call ---- */

struct job {
    const char *descriptor;
    unsigned long count;
    double until;
    se_verifier *verifier;
    const struct work *work;
};

struct call {
    const struct job *job;
    se_bytes in;
    bool is_wrong;
};

struct work {
    const char *name;
    bool is_verified;
    se_status (*run)(struct call *call, se_error *err);
};

static se_status sign_raw(struct call *call, se_error *err)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_buf out = SE_BUF_INIT;
    se_status st;

    params.form = SE_FORM_RAW;
    st = se_sign(&out, engine, call->job->descriptor, call->in, &params, err);
    if (!st)
        call->is_wrong = se_verifier_check(call->job->verifier, call->in,
                                           (se_bytes){ out.data, out.size }, NULL);
    call->is_wrong |= st && out.size;
    se_buf_free(&out);
    return st;
}

static se_status sign_cms(struct call *call, se_error *err)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;
    se_buf out = SE_BUF_INIT;
    se_signer signer;
    se_status st = se_sign(&out, engine, call->job->descriptor, call->in, NULL, err);

    params.signature = (se_bytes){ out.data, out.size };
    if (!st)
        call->is_wrong = se_verify(&signer, engine, call->job->descriptor, call->in, &params, NULL);
    se_buf_free(&out);
    return st;
}

static se_status encrypt(struct call *call, se_error *err)
{
    se_buf out = SE_BUF_INIT;
    se_status st = se_encrypt(&out, engine, call->job->descriptor, call->in, NULL, err);

    se_buf_free(&out);
    return st;
}

static se_status decrypt(struct call *call, se_error *err)
{
    se_buf value = SE_BUF_INIT, out = SE_BUF_INIT;
    se_status st = se_encrypt(&value, engine, call->job->descriptor, call->in, NULL, err);

    if (!st)
        st = se_decrypt(&out, engine, call->job->descriptor, (se_bytes){ value.data, value.size },
                        NULL, err);
    if (!st)
        call->is_wrong =
            out.size != call->in.size || memcmp(out.data, call->in.data, out.size) != 0;
    se_buf_free(&value);
    se_buf_free(&out);
    return st;
}

static const struct work works[] = {
    { "sign", true, sign_raw },
    { "cms", false, sign_cms },
    { "encrypt", false, encrypt },
    { "decrypt", false, decrypt },
};

/* ---- what is seen ---- */

static void keep_text(se_status st, const char *text)
{
    for (int i = 0; i < TEXTS; i++) {
        if (!*seen.texts[st][i])
            snprintf(seen.texts[st][i], sizeof seen.texts[st][i], "%s", text);
        if (strcmp(seen.texts[st][i], text) == 0)
            return;
    }
}

static void note_call(const struct call *call, se_status st, const char *text, double begun)
{
    double now = now_ms();

    pthread_mutex_lock(&seen.lock);
    seen.ended[st]++;
    seen.wrong += call->is_wrong;
    if (now - begun > seen.longest)
        seen.longest = now - begun;
    if (st) {
        seen.last_failure = now - seen.begun;
        seen.late += now - begun > AT_ONCE_MS;
        keep_text(st, text);
    }
    pthread_mutex_unlock(&seen.lock);
}

static void begin_seeing(void)
{
    pthread_mutex_lock(&seen.lock);
    memset(seen.ended, 0, sizeof seen.ended);
    memset(seen.events, 0, sizeof seen.events);
    memset(seen.texts, 0, sizeof seen.texts);
    seen.wrong = seen.late = seen.named = seen.answered = 0;
    seen.longest = seen.last_failure = 0;
    seen.begun = now_ms();
    pthread_mutex_unlock(&seen.lock);
}

/* What did not happen is not told. */
static void tell_count(const char *before, const char *name, unsigned long count)
{
    char word[32];

    snprintf(word, sizeof word, "%s", name);
    for (char *c = word; (c = strpbrk(c, " /"));)
        *c = '_';
    if (count)
        printf("%s%s %lu\n", before, word, count);
}

static void tell_seen(void)
{
    pthread_mutex_lock(&seen.lock);
    for (int i = 0; i < STATUSES; i++)
        tell_count("", se_status_name((se_status)i), seen.ended[i]);
    for (int i = 0; i < KINDS; i++)
        tell_count("event_", se_event_name((se_event_kind)i), seen.events[i]);
    tell_count("", "named", seen.named);
    tell_count("", "answered", seen.answered);
    tell_count("", "late", seen.late);
    printf("wrong %lu\nlongest %.0f\nlast_failure %.0f\n", seen.wrong, seen.longest,
           seen.last_failure);
    for (int i = 0; i < STATUSES; i++)
        for (int j = 0; j < TEXTS; j++)
            if (*seen.texts[i][j])
                printf("text %s: %s\n", se_status_name((se_status)i), seen.texts[i][j]);
    pthread_mutex_unlock(&seen.lock);
}

/* ---- many calls ---- */

static void *work_thread(void *arg)
{
    const struct job *job = arg;

    for (unsigned long i = 0; job->count ? i < job->count : now_ms() < job->until; i++) {
        char text[48];
        double begun = now_ms();
        int size = snprintf(text, sizeof text, "%p %lu %.3f", (void *)&size, i, begun);
        struct call call = { .job = job, .in = { text, (size_t)size } };
        se_error err = SE_ERROR_INIT;
        se_status st = job->work->run(&call, &err);

        note_call(&call, st, err.text, begun);
    }
    return NULL;
}

static bool start_threads(pthread_t threads[THREADS_MOST], size_t count, struct job *job)
{
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work_thread, job))
            return false;
    return true;
}

/* ThreadSanitizer knows no threads in the child of a fork that had some. */
#ifdef __SANITIZE_THREAD__
enum { CHILDS_THREADS = 0 };
#else
enum { CHILDS_THREADS = 4 };
#endif

/* By itself, and with a few threads of its own. */
static int work_in_child(struct job *job)
{
    pthread_t threads[CHILDS_THREADS + 1];
    unsigned long ended = seen.ended[SE_OK];

    job->count = 3;
    alarm(20);
    (void)work_thread(job);
    for (size_t i = 0; i < CHILDS_THREADS; i++)
        if (pthread_create(&threads[i], NULL, work_thread, job))
            return 1;
    for (size_t i = 0; i < CHILDS_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < STATUSES; i++)
        for (int j = 0; j < TEXTS; j++)
            if (*seen.texts[i][j])
                fprintf(stderr, "child: %s\n", seen.texts[i][j]);
    return seen.wrong || seen.ended[SE_OK] != ended + (CHILDS_THREADS + 1) * 3;
}

static void fork_in_midst(const struct job *job, double ms)
{
    struct timespec wait = { (time_t)(ms / 2000), (long)(ms * 5e5) % 1000000000L };
    struct job own = *job;
    int status = -1;
    pid_t child;

    nanosleep(&wait, NULL);
    pthread_mutex_lock(&seen.lock);
    child = fork();
    pthread_mutex_unlock(&seen.lock);
    if (!child)
        _exit(work_in_child(&own));
    if (child > 0)
        waitpid(child, &status, 0);
    printf("child %d\n", status);
}

static bool run_job(const char *how, char **words)
{
    static pthread_t threads[THREADS_MOST];
    struct job job = { .descriptor = words[1] };
    size_t count = strtoul(words[2], NULL, 10);
    double number = strtod(words[3], NULL);
    se_error err = SE_ERROR_INIT;

    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (strcmp(works[i].name, words[0]) == 0)
            job.work = &works[i];
    if (!job.work || !count || count > THREADS_MOST || !engine)
        return false;
    if (job.work->is_verified && se_verifier_open(&job.verifier, engine, job.descriptor, 0, &err)) {
        printf("text %s: %s\n", se_status_name(err.status), err.text);
        return true;
    }
    begin_seeing();
    job.count = strcmp(how, "run") == 0 ? (unsigned long)number : 0;
    job.until = now_ms() + number;
    if (!start_threads(threads, count, &job))
        exit(99);
    if (strcmp(how, "fork") == 0)
        fork_in_midst(&job, number);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    tell_seen();
    se_verifier_close(&job.verifier);
    return true;
}

/* ---- lines ---- */

static bool open_engine(const char *path)
{
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    se_close(&engine);
    options.event = take_event;
    begin_seeing();
    if (se_open(&engine, path, &options, &err))
        printf("text %s: %s\n", se_status_name(err.status), err.text);
    return true;
}

static bool obey(char *line)
{
    char *words[6] = { NULL }, *rest = line;
    int count = 0;

    while (count < 6 && (words[count] = strsep(&rest, " \n")) && *words[count])
        count++;
    if (count == 2 && strcmp(words[0], "open") == 0)
        return open_engine(words[1]);
    if (count == 1 && strcmp(words[0], "close") == 0) {
        se_close(&engine);
        return true;
    }
    if (count == 1 && strcmp(words[0], "retry") == 0) {
        se_retry_pins();
        return true;
    }
    if (count == 1 && strcmp(words[0], "retry") == 0) {
        se_retry_pins();
        return true;
    }
    if (count == 5 && (strcmp(words[0], "run") == 0 || strcmp(words[0], "for") == 0 ||
                       strcmp(words[0], "fork") == 0))
        return run_job(words[0], words + 1);
    return false;
}

int main(void)
{
    char line[4096];

    while (fgets(line, sizeof line, stdin)) {
        if (!obey(line)) {
            fprintf(stderr, "load: does not understand: %s", line);
            return 64;
        }
        puts(".");
        fflush(stdout);
    }
    se_close(&engine);
    return 0;
}
