/*
 * signengine-milter: signs outgoing mail for Postfix and Sendmail.
 *
 * Two processes: libmilter takes SIGHUP and SIGTERM for itself and stops at both, forgetting the messages that it has half of.  So a parent
 * receives the signals of the system and passes on what they mean: SIGUSR1 is "load the configuration again", SIGUSR2 "finish and end".
 * Only the child loads the configuration: it alone has keys, PINs and sessions in tokens.
 */
#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "milter/service.h"
#include "milter/session.h"

enum { DRAIN_S = 60, EXIT_BAD_USAGE = 64, EXIT_BAD_CONFIG = 78, EXIT_BAD_ACCESS = 77, EXIT_BROKEN = 70 };

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

static const int childs[] = { SIGUSR1, SIGUSR2, 0 }, parents[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD, 0 }, hurry[] = { SIGTERM, 0 };

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
    } else
        service_log("the configuration was loaded again", "");
}

static bool drained;

/* No message begins any more, and those that are under way are finished. */
static void drain(void)
{
    __atomic_store_n(&service.stopping, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < DRAIN_S * 100 && __atomic_load_n(&service.busy, __ATOMIC_RELAXED); i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    __atomic_store_n(&drained, true, __ATOMIC_RELEASE);
    (void)smfi_stop();
}

static void *control(void *unused)
{
    const sigset_t set = signals(childs);
    const struct timespec second = { .tv_sec = 1 };
    int got;

    do {
        got = sigtimedwait(&set, NULL, &second);
        if (got == SIGUSR1)
            reload();
        service_metrics();
    } while (got != SIGUSR2);
    drain();
    return unused;
}

/*
 * libmilter answers in many small pieces, and has no option for this: with Nagle's algorithm the MTA's delayed acknowledgements would
 * add 40 ms to each message.  Connections inherit it from the socket that listens (Linux).
 */
static void send_at_once(void)
{
    enum { HIGHEST = 64 };
    const int yes = 1;

    for (int fd = STDERR_FILENO + 1; fd < HIGHEST; fd++) {
        int listens = 0;
        socklen_t size = sizeof listens;

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* fails for a local socket, which needs none */
    }
}

AUTO_KIND(text, char *, free(*p))

/* A local socket that somebody listens on: libmilter would remove it, and nobody would reach him any more. */
static bool is_taken(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = strncmp(name, "unix:", 5) == 0 ? name + 5 : strncmp(name, "local:", 6) == 0 ? name + 6 : "";
    int fd = strlen(path) < sizeof address.sun_path ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    bool taken;

    if (fd < 0)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    taken = *path && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return taken;
}

/* Why it can't, libmilter tells the system's log, and so standard error. */
static int listen_on(char *name)
{
    openlog("signengine-milter", LOG_PERROR, LOG_MAIL);
    if (is_taken(name))
        return complain(EXIT_BAD_CONFIG, "somebody listens on '%s' already", name);
    if (smfi_register(session_callbacks) != MI_SUCCESS || smfi_setconn(name) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS)
        return complain(EXIT_BAD_CONFIG, "cannot listen on '%s', the socket of the configuration", name);
    send_at_once();
    return 0;
}

static int serve(void)
{
    pthread_t thread;
    AUTO(text) socket = strdup(service.setup->conf->socket); /* libmilter wants one that it could write to */
    int status = socket ? listen_on(socket) : complain(EXIT_BROKEN, "out of memory");

    if (status)
        return status;
    if (pthread_create(&thread, NULL, control, NULL))
        return complain(EXIT_BROKEN, "cannot make a thread");
    service_log("started", socket);
    if (smfi_main() != MI_SUCCESS)
        return complain(EXIT_BROKEN, "libmilter failed");
    if (__atomic_load_n(&drained, __ATOMIC_ACQUIRE)) /* else we are in a hurry */
        (void)pthread_join(thread, NULL);
    service_metrics();
    service_log("stopped", "");
    return 0;
}

/* All signals are blocked that anybody here waits for; who is in a hurry need not wait for key stores. */
static int begin(void)
{
    const sigset_t set = signals(hurry);
    int status;

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    status = load();
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return status ? status : serve();
}

/* ---- the parent ---- */

static int supervise(pid_t child, const sigset_t *set)
{
    int got, status = 0;
    bool stopping = false;

    for (;;) {
        if (sigwait(set, &got))
            continue;
        if (got == SIGHUP)
            (void)kill(child, SIGUSR1);
        else if (got != SIGCHLD) {
            (void)kill(child, stopping ? SIGTERM : SIGUSR2); /* who asks twice is in a hurry */
            stopping = true;
        } else if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BROKEN;
    }
}

static int run(void)
{
    const sigset_t mine = signals(parents), others = signals(childs);
    pid_t child;

    (void)sigprocmask(SIG_BLOCK, &mine, NULL);
    (void)sigprocmask(SIG_BLOCK, &others, NULL);
    child = fork();
    if (child < 0)
        return complain(EXIT_BROKEN, "cannot make a process: %s", strerror(errno));
    if (child)
        return supervise(child, &mine);
    /* they stay blocked: libmilter has a thread that waits for them */
    return begin();
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
        return complain(EXIT_BAD_ACCESS, "the user of the configuration, '%s', %s", user, entry ? "is root" : "is not there");
    if (initgroups(user, entry->pw_gid) || setgid(entry->pw_gid) || setuid(entry->pw_uid))
        return complain(EXIT_BAD_ACCESS, "cannot become the user of the configuration, '%s': %s", user, strerror(errno));
    return 0;
}

static int usage(FILE *to, int status)
{
    (void)fputs("usage: signengine-milter [-c FILE] [--check]\n\nSigns outgoing mail for Postfix and Sendmail (milter).\n\nOptions:\n"
                "  -c, --config FILE  milter.conf\n      --check        read it, and what it names, and say what is wrong\n"
                "  -h, --help         this text\n      --version      the version\n",
                to);
    return status;
}

static int start(bool check)
{
    AUTO(conf) conf = NULL;
    se_error err = SE_ERROR_INIT;
    int status;

    if (conf_load(&conf, service.path, &err))
        return complain(EXIT_BAD_CONFIG, "%s", err.text);
    if ((status = become(conf->user)))
        return status;
    if (!process_forbid_dumps()) /* after become(): another user's id makes it dumpable where fs.suid_dumpable is 1 */
        return complain(EXIT_BROKEN, "cannot forbid core dumps: %s", strerror(errno));
    return check ? load() : run();
}

int main(int argc, char **argv)
{
    bool check = false;

    service.path = SYSCONFDIR "/signengine/milter.conf";
    for (int i = 1; i < argc; i++) {
        if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc)
            service.path = argv[++i];
        else if (strcmp(argv[i], "--check") == 0)
            check = true;
        else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return usage(stdout, 0);
        else if (strcmp(argv[i], "--version") == 0)
            return puts("signengine-milter " PACKAGE_VERSION) < 0;
        else
            return usage(stderr, EXIT_BAD_USAGE);
    }
    return start(check);
}
