/*
 * signengine-milter: signs outgoing mail for Postfix and Sendmail.
 *
 * Two processes: libmilter takes SIGHUP and SIGTERM for itself and stops at both, forgetting the
 * messages that it has half of.  So a parent receives the signals of the system and passes on what
 * they mean: SIGUSR1 is "load the configuration again", SIGUSR2 "finish and end". Only the child
 * loads the configuration: it alone has keys, PINs and sessions in tokens.
 */
#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "milter/check.h"
#include "milter/socket.h"

enum {
    DRAIN_S = 60,
    EXIT_BAD_USAGE = 64,
    EXIT_NOT_THERE = 69,
    EXIT_BAD_CONFIG = 78,
    EXIT_BAD_ACCESS = 77,
    EXIT_BROKEN = 70
};

static int __attribute__((format(printf, 2, 3))) complain(int status, const char *format, ...)
{
    va_list args;

    (void)fputs("signengine-milter: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return status;
}

static int load(void)
{
    se_error err = SE_ERROR_INIT;

    return service_load(&err) ? complain(EXIT_BAD_CONFIG, "%s", err.text) : 0;
}

/* The list ends with 0. */
static sigset_t signals(const int *list)
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

static void reload(void)
{
    se_error err = SE_ERROR_INIT;

    if (service_load(&err)) {
        pthread_mutex_lock(&service.lock);
        service.reload_failures++;
        service.changed = true;
        pthread_mutex_unlock(&service.lock);
        service_log("the configuration stays as it was", err.text);
    } else {
        service_log("the configuration was loaded again", "");
        watch_tell(&service.setup->watch);
    }
}

/* No message begins any more, and those that are under way are finished. */
static void drain(void)
{
    __atomic_store_n(&service.stopping, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < DRAIN_S * 100 && __atomic_load_n(&service.busy, __ATOMIC_RELAXED); i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    (void)smfi_stop();
}

static bool ended; /* libmilter has returned */

static void *attend(void *status)
{
    *(int *)status = smfi_main();
    __atomic_store_n(&ended, true, __ATOMIC_RELEASE);
    return NULL;
}

/* Until the parent says that it is over, or libmilter does. */
static int control(void)
{
    const sigset_t set = signals(childs);
    const struct timespec second = { .tv_sec = 1 };
    int got;

    do {
        got = sigtimedwait(&set, NULL, &second);
        if (got == SIGUSR1)
            reload();
        service_metrics();
    } while (got != SIGUSR2 && !__atomic_load_n(&ended, __ATOMIC_ACQUIRE));
    if (got == SIGUSR2)
        drain();
    return got;
}

static void tell_risk(const struct conf *conf)
{
    char risk[256];

    socket_risk(risk, conf);
    if (*risk)
        service_log("warning", risk);
}

static int serve(void)
{
    const struct conf *conf = service.setup->conf;
    se_error err = SE_ERROR_INIT;
    pthread_t thread;
    int status = MI_FAILURE, last;

    if (socket_listen(conf, &err))
        return complain(err.status == SE_ERR_ACCESS ? EXIT_BAD_ACCESS : EXIT_BAD_CONFIG, "%s",
                        err.text);
    service_log("started", conf->socket);
    tell_risk(conf);
    watch_tell(&service.setup->watch);
    service_metrics();
    if (pthread_create(&thread, NULL, attend, &status))
        return complain(EXIT_BROKEN, "cannot make a thread");
    last = control();
    (void)pthread_join(thread, NULL);
    if (status != MI_SUCCESS || last != SIGUSR2)
        return complain(EXIT_BROKEN, "libmilter %s",
                        status == MI_SUCCESS ? "has ended by itself" : "failed");
    service_metrics();
    service_log("stopped", "");
    return 0;
}

/*
 * The signals of the system are the parent's to understand, whoever else gets them: a process group
 * does, and whoever has the same name (pkill).  libmilter waits for them, blocked, in a thread of
 * its own, and would stop.  Linux drops a signal to a process when its first thread ignores it and
 * does not block it; so that thread is this one, and libmilter has another.
 */
static void ignore_signals(void)
{
    const sigset_t set = signals(ignored);

    for (const int *signal = ignored; *signal; signal++)
        (void)sigaction(*signal, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int begin(pid_t parent)
{
    int status;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it ended before */
        return EXIT_BROKEN;
    ignore_signals();
    status = load();
    return status ? status : serve();
}

/* ---- the parent ---- */

/* Its own complaint, if it had one, stands on standard error already. */
static int tell_end(int status)
{
    if (WIFSIGNALED(status))
        return complain(EXIT_BROKEN, "the process that signs was ended by signal %d (%s)",
                        WTERMSIG(status), strsignal(WTERMSIG(status)));
    return WEXITSTATUS(status)
               ? WEXITSTATUS(status)
               : complain(EXIT_BROKEN, "the process that signs has ended, and nobody asked it to");
}

static int supervise(pid_t child, const sigset_t *set)
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

            return hurried || (asked && WIFEXITED(status)) ? WEXITSTATUS(status) : tell_end(status);
        }
    }
}

static int run(void)
{
    const sigset_t mine = signals(parents), others = signals(childs);
    const pid_t parent = getpid();
    pid_t child;

    (void)sigprocmask(SIG_BLOCK, &mine, NULL);
    (void)sigprocmask(SIG_BLOCK, &others, NULL);
    child = fork();
    if (child < 0)
        return complain(EXIT_BROKEN, "cannot make a process: %s", strerror(errno));
    if (child)
        return supervise(child, &mine);
    return begin(parent);
}

/* ---- the start ---- */

/* Whoever signs mail need not be able to do anything else. */
static int become(const char *user)
{
    const struct passwd *entry = user ? getpwnam(user) : NULL;

    if (geteuid() != 0)
        return 0;
    if (!user)
        return complain(EXIT_BAD_ACCESS, "started as root: milter.conf must say `user = NAME`");
    if (!entry || entry->pw_uid == 0)
        return complain(EXIT_BAD_ACCESS, "the user of the configuration, '%s', %s", user,
                        entry ? "is root" : "is not there");
    if (initgroups(user, entry->pw_gid) || setgid(entry->pw_gid) || setuid(entry->pw_uid))
        return complain(EXIT_BAD_ACCESS, "cannot become the user of the configuration, '%s': %s",
                        user, strerror(errno));
    return 0;
}

static int usage(FILE *to, int status)
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

static void tell_finding(const char *text, bool warning)
{
    (void)complain(0, "%s%s", warning ? "warning: " : "", text);
}

/* As of the command: what may be back later, what needs permission, and what has to be mended. */
static int check_configuration(bool probe)
{
    int status = load();

    if (status)
        return status;
    switch (check_setup(service.setup, probe, tell_finding)) {
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

static int start(enum task task)
{
    AUTO(conf) conf = NULL;
    se_error err = SE_ERROR_INIT;
    int status;

    if (conf_load(&conf, service.path, &err))
        return complain(EXIT_BAD_CONFIG, "%s", err.text);
    if ((status = become(conf->user)))
        return status;
    if (!process_forbid_dumps()) /* after become(): another user's id makes it dumpable where
                                    fs.suid_dumpable is 1 */
        return complain(EXIT_BROKEN, "cannot forbid core dumps: %s", strerror(errno));
    return task == TASK_SERVE ? run() : check_configuration(task == TASK_PROBE);
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
            return usage(stdout, 0);
        else if (strcmp(argv[i], "--version") == 0)
            return puts("signengine-milter " PACKAGE_VERSION) < 0;
        else
            return usage(stderr, EXIT_BAD_USAGE);
    }
    return start(task);
}
