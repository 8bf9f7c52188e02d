/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signengine-milter: signs outgoing mail for Postfix and Sendmail.  It is two processes: libmilter
 * takes SIGHUP and SIGTERM for itself, stops at both, and forgets messages that are under way.  So
 * a parent receives the system's signals and passes on what they mean: SIGUSR1 is "load the
 * configuration again", SIGUSR2 "finish and end".  Only the child loads the configuration: it alone
 * has keys, PINs and sessions in tokens.
 */
#include <errno.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/stream.h"
#include "milter/report.h"
#include "milter/service.h"
#include "milter/session.h"
#include "milter/socket.h"
#include "signengine-mail.h"

enum {
    DRAIN_S = 60,
    EXIT_BAD_USAGE = 64,
    EXIT_NOT_THERE = 69,
    EXIT_BAD_CONFIG = 78,
    EXIT_BAD_ACCESS = 77,
    EXIT_BROKEN = 70
};

static int __attribute__((format(printf, 2, 3)))
print_complaint(int status, const char *format, ...)
{
    va_list args;

    (void)fputs("signengine-milter: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return status;
}

static int load_configuration(void)
{
    se_error err = SE_ERROR_INIT;
    se_status st = service_load(&err);

    if (!st)
        return 0;
    return print_complaint(st == SE_ERR_UNAVAILABLE ? EXIT_NOT_THERE : EXIT_BAD_CONFIG, "%s",
                           err.text);
}

/* The list ends with 0. */
static sigset_t signal_set(const int *list)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (; *list; list++)
        (void)sigaddset(&set, *list);
    return set;
}

static const int childs[] = { SIGUSR1, SIGUSR2, 0 },
                 parents[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD, 0 },
                 ignored[] = { SIGHUP, SIGTERM, SIGINT, 0 };

/* ---- the child ---- */

static void reload_configuration(void)
{
    se_error err = SE_ERROR_INIT;

    __atomic_store_n(&service.changed, false, __ATOMIC_RELEASE);
    if (service_load(&err)) {
        service_report_refusal(service.setup, err.text);
    } else {
        report_change(setup_changes(service.setup), "reload", "ok",
                      "the configuration was loaded again", "");
        watch_log(&service.setup->watch);
    }
}

/* Lets messages that are under way finish; no other one begins. */
static void finish_messages(void)
{
    __atomic_store_n(&service.stopping, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < DRAIN_S * 100 && __atomic_load_n(&service.busy, __ATOMIC_RELAXED); i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    (void)smfi_stop();
}

static bool ended; /* libmilter has returned */

static void *run_libmilter(void *status)
{
    *(int *)status = smfi_main();
    __atomic_store_n(&ended, true, __ATOMIC_RELEASE);
    return NULL;
}

/* Until the parent or libmilter ends it. */
static int child_control(void)
{
    const sigset_t set = signal_set(childs);
    const struct timespec second = { .tv_sec = 1 };
    int got;

    do {
        got = sigtimedwait(&set, NULL, &second);
        if (got == SIGUSR1 || __atomic_load_n(&service.changed, __ATOMIC_ACQUIRE))
            reload_configuration();
        service_write_metrics();
    } while (got != SIGUSR2 && !__atomic_load_n(&ended, __ATOMIC_ACQUIRE));
    if (got == SIGUSR2)
        finish_messages();
    return got;
}

static void log_risk(const struct conf *conf)
{
    char risk[256];

    socket_risk(risk, conf);
    if (*risk)
        report_event("warning", risk);
}

/* Beside libmilter, until both have come to their end. */
static void *run_control(void *status)
{
    pthread_t thread;
    int ending = MI_FAILURE, last;

    if (pthread_create(&thread, NULL, run_libmilter, &ending)) {
        *(int *)status = print_complaint(EXIT_BROKEN, "cannot make a thread");
        return NULL;
    }
    last = child_control();
    (void)pthread_join(thread, NULL);
    *(int *)status = ending == MI_SUCCESS && last == SIGUSR2
                         ? 0
                         : print_complaint(EXIT_BROKEN, "libmilter %s",
                                           ending == MI_SUCCESS ? "has ended by itself" : "failed");
    return NULL;
}

static int child_serve(void)
{
    const struct conf *conf = service.setup->conf;
    se_error err = SE_ERROR_INIT;
    pthread_t thread;
    int status;

    if (socket_listen(conf, &session_callbacks, &err))
        return print_complaint(err.status == SE_ERR_ACCESS ? EXIT_BAD_ACCESS : EXIT_BAD_CONFIG,
                               "%s", err.text);
    if (service_watch(&err))
        return print_complaint(EXIT_BAD_CONFIG, "%s", err.text);
    report_change(setup_changes(service.setup), "start", "ok", "started", conf->socket);
    log_risk(conf);
    watch_log(&service.setup->watch);
    service_write_metrics();
    if (pthread_create(&thread, NULL, run_control, &status))
        status = print_complaint(EXIT_BROKEN, "cannot make a thread");
    else
        (void)pthread_join(thread, NULL);
    service_end_watch();
    if (status)
        return status;
    service_write_metrics();
    report_change(setup_changes(service.setup), "stop", "ok", "stopped", "");
    service_end_audit();
    return 0;
}

/*
 * The signals of the system are the parent's to understand, whoever else gets them: a process group
 * does, and whoever has the same name (pkill).  libmilter waits for them, blocked, in a thread of
 * its own, and would stop.  Linux drops a signal to a process when its first thread ignores it and
 * does not block it; so that thread is this one, and libmilter has another.  It does nothing else
 * while libmilter runs: whoever makes a thread blocks all signals for a moment.
 */
static void ignore_signals(void)
{
    const sigset_t set = signal_set(ignored);

    for (const int *signal = ignored; *signal; signal++)
        (void)sigaction(*signal, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int child_begin(pid_t parent)
{
    int status;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it ended before */
        return EXIT_BROKEN;
    ignore_signals();
    status = load_configuration();
    return status ? status : child_serve();
}

/* ---- the parent ---- */

/* The child's own complaint is on standard error already. */
static int report_end(int status)
{
    if (WIFSIGNALED(status))
        return print_complaint(EXIT_BROKEN, "the process that signs was ended by signal %d (%s)",
                               WTERMSIG(status), strsignal(WTERMSIG(status)));
    return WEXITSTATUS(status)
               ? WEXITSTATUS(status)
               : print_complaint(EXIT_BROKEN,
                                 "the process that signs has ended, and nobody asked it to");
}

static int child_supervise(pid_t child, const sigset_t *set)
{
    int got, status = 0, asked = 0;

    for (;;) {
        if (sigwait(set, &got))
            continue;
        if (got == SIGHUP)
            (void)kill(child, SIGUSR1);
        else if (got != SIGCHLD)
            (void)kill(child, asked++ ? SIGKILL : SIGUSR2); /* who asks twice is in a hurry */
        else if (waitpid(child, &status, WNOHANG) == child) {
            bool hurried = asked > 1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;

            return hurried || (asked && WIFEXITED(status)) ? WEXITSTATUS(status)
                                                           : report_end(status);
        }
    }
}

static int start_processes(void)
{
    const sigset_t mine = signal_set(parents), others = signal_set(childs);
    const pid_t parent = getpid();
    pid_t child;

    (void)sigprocmask(SIG_BLOCK, &mine, NULL);
    (void)sigprocmask(SIG_BLOCK, &others, NULL);
    child = fork();
    if (child < 0)
        return print_complaint(EXIT_BROKEN, "cannot make a process: %s", strerror(errno));
    if (child)
        return child_supervise(child, &mine);
    return child_begin(parent);
}

/* ---- the start ---- */

static int print_usage(FILE *to, int status)
{
    (void)fputs("usage: signengine-milter [-c FILE] [--check [--probe]]\n\nSigns outgoing mail for "
                "Postfix and Sendmail (milter).\n\nOptions:\n"
                "  -c, --config FILE  milter.conf\n      --check        read it, and what it "
                "names, and say what is wrong\n"
                "      --probe        with --check: open the keys, and sign with them\n"
                "  -h, --help         this text\n      --version      the version\n",
                to);
    return status;
}

/* ---- --check: what could not work once mail comes ---- */

struct check {
    const struct setup *setup;
    se_status first;
};

static void note_finding(struct check *c, se_status st, const char *text)
{
    (void)print_complaint(0, "%s%s", st ? "" : "warning: ", text);
    if (!c->first)
        c->first = st;
}

/* The file is replaced by one beside it, so the folder must be writable. */
static se_status check_metrics(const struct conf *conf, se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;

    return error_prefix(err, conf->metrics && output_open(&out, conf->metrics, 0644, err),
                        "metrics: ");
}

static void check_place(struct check *c, se_status (*check)(const struct conf *conf, se_error *err))
{
    se_error err = SE_ERROR_INIT;
    se_status st = check(c->setup->conf, &err);

    if (st)
        note_finding(c, st, err.text);
}

static void note_rule(struct check *c, const struct rule *rule, se_status st, se_error *err)
{
    (void)error_prefix(err, err->status, "%s:%u: rule for '%s': ", c->setup->conf->path, rule->line,
                       rule->pattern);
    note_finding(c, st, err->text);
}

/* A key store that is away may be back when mail comes. */
static void check_identity(struct check *c, const struct rule *rule)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_signer signer;
    se_error err = SE_ERROR_INIT;
    se_status st;

    params.version = rule->version;
    st = se_find_signer(&signer, c->setup->engine, rule->descriptor, &params, &err);
    if (!st && signer.not_after < clock_seconds())
        st = error_set(&err, SE_ERR_POLICY, "the certificate of key '%s' has expired", signer.key);
    if (st)
        note_rule(c, rule, st == SE_ERR_UNAVAILABLE ? SE_OK : st, &err);
}

static int drop_output(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

/* Signs a message from the rule's sender; a pattern with '*' names none, and then the key signs
 * some bytes. */
static se_status sign_something(const struct setup *setup, const struct rule *rule, se_error *err)
{
    const se_sink nowhere = { drop_output, NULL };
    se_mail_sign_params mail = SE_MAIL_SIGN_PARAMS_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    AUTO(writer) message = { 0 };
    se_bytes text;
    se_source source;

    mail.version = params.version = rule->version;
    params.purpose = SE_PURPOSE_MAIL;
    writer_format(&message, "From: <%s>\r\nSubject: probe\r\n\r\nprobe\r\n", rule->pattern);
    text = buf_bytes(&message.buf);
    source = source_memory(&text);
    if (message.failed)
        return error_memory(err);
    if (strchr(rule->pattern, '*'))
        return se_sign_stream(&nowhere, setup->engine, rule->descriptor, &source, &params, err);
    return se_mail_sign(&nowhere, NULL, setup->engine, rule->descriptor, &source, &mail, err);
}

static void check_rule(struct check *c, const struct rule *rule, bool probe)
{
    se_error err = SE_ERROR_INIT;
    se_status st;

    if (rule->policy == POLICY_SKIP)
        return;
    if (!probe)
        check_identity(c, rule);
    else if ((st = sign_something(c->setup, rule, &err)))
        note_rule(c, rule, st, &err);
}

/* `probe`: opens the keys, and signs with them.  Returns the first status. */
static se_status check_setup(const struct setup *setup, bool probe)
{
    struct check c = { .setup = setup };
    char risk[256];

    socket_risk(risk, setup->conf);
    if (*risk)
        note_finding(&c, SE_OK, risk);
    check_place(&c, socket_check);
    check_place(&c, check_metrics);
    for (size_t i = 0; i < setup->conf->rules.count; i++)
        check_rule(&c, &setup->conf->rules.list[i], probe);
    return c.first;
}

/* The exit status, as of the command: later it may work, it needs permission, or it has to be
 * mended. */
static int check_configuration(bool probe)
{
    int status = load_configuration();

    if (status)
        return status;
    switch (check_setup(service.setup, probe)) {
    case SE_OK:
        return 0;
    case SE_ERR_UNAVAILABLE:
    case SE_ERR_STORE:
        return EXIT_NOT_THERE;
    case SE_ERR_ACCESS:
        return EXIT_BAD_ACCESS;
    default:
        return EXIT_BAD_CONFIG;
    }
}

enum task { TASK_SERVE, TASK_CHECK, TASK_PROBE };

static int start_task(enum task task)
{
    AUTO(conf) conf = NULL;
    se_error err = SE_ERROR_INIT;

    if (conf_load(&conf, service.path, &err))
        return print_complaint(EXIT_BAD_CONFIG, "%s", err.text);
    if (process_become(conf->user, "milter.conf", &err))
        return print_complaint(EXIT_BAD_ACCESS, "%s", err.text);
    if (!process_forbid_dumps()) /* after process_become(): another user's id makes it dumpable
                                    where fs.suid_dumpable is 1 */
        return print_complaint(EXIT_BROKEN, "cannot forbid core dumps: %s", strerror(errno));
    return task == TASK_SERVE ? start_processes() : check_configuration(task == TASK_PROBE);
}

int main(int argc, char **argv)
{
    enum task task = TASK_SERVE;

    service.path = SYSCONFDIR "/signengine/milter.conf";
    for (int i = 1; i < argc; i++) {
        if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc)
            service.path = argv[++i];
        else if (strcmp(argv[i], "--check") == 0)
            task = task == TASK_PROBE ? task : TASK_CHECK;
        else if (strcmp(argv[i], "--probe") == 0)
            task = TASK_PROBE;
        else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return print_usage(stdout, 0);
        else if (strcmp(argv[i], "--version") == 0)
            return puts("signengine-milter " PACKAGE_VERSION) < 0;
        else
            return print_usage(stderr, EXIT_BAD_USAGE);
    }
    return start_task(task);
}
