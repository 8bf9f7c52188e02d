/* SPDX-License-Identifier: Apache-2.0 */
/* signengined: one process has the keys, everybody else asks it by a descriptor's name. */
#include <errno.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/text.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/service.h"

enum {
    LARGE_BUFFER = (1 << 20) + (64 << 10),
    DRAIN_MS = 60000,
    DRAIN_STEP_MS = 20,
    ALIVE_MS = 5000, /* a watchdog of connections that looks less often hangs */
    EXIT_BAD_USAGE = 64,
    EXIT_NOT_THERE = 69,
    EXIT_BROKEN = 70,
    EXIT_BAD_ACCESS = 77,
    EXIT_BAD_CONFIG = 78,
};

/* As of the command: later it may work, it needs permission, or it has to be mended. */
static int exit_status(se_status status)
{
    switch (status) {
    case SE_OK:
        return 0;
    case SE_ERR_UNAVAILABLE:
        return EXIT_NOT_THERE;
    case SE_ERR_ACCESS:
        return EXIT_BAD_ACCESS;
    case SE_ERR_MEMORY:
        return EXIT_BROKEN;
    default:
        return EXIT_BAD_CONFIG;
    }
}

static int report_failure(const se_error *err)
{
    log_line("%s", err->text);
    return exit_status(err->status);
}

/* ---- the service manager: sd_notify(3), whose protocol is a datagram ---- */

static void notify_manager(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size;
    int fd;

    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@') /* of the abstract name space */
        address.sun_path[0] = '\0';
    if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
        return;
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&address, size);
    close(fd);
}

/* ---- memory and descriptors ---- */

/* Released buffers go back to the system: by itself, malloc would soon keep even large ones, in a
 * heap for each few threads (mallopt(3)). A body that stays in memory is not large, though: taking
 * its pages from the system and giving them back takes longer than a thousand decryptions. */
static void return_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BUFFER);
}

/* Idle connections must not take what a key store needs to open its files and sockets. */
static se_status limit_connections(struct settings *settings, se_error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < DESCRIPTORS_LEAST)
        return error_set(err, SE_ERR_CONFIG,
                         "%llu open files are allowed, and %d are needed at least: raise the limit "
                         "(LimitNOFILE=, ulimit -n)",
                         (unsigned long long)limit.rlim_cur, DESCRIPTORS_LEAST);
    settings->connections_most = settings->connections;
    if (settings->connections > limit.rlim_cur - DESCRIPTORS_RESERVED) {
        settings->connections_most = (unsigned)(limit.rlim_cur - DESCRIPTORS_RESERVED);
        log_line("%llu open files are allowed, so there are %u connections at most",
                 (unsigned long long)limit.rlim_cur, settings->connections_most);
    }
    return SE_OK;
}

/* ---- signals ---- */

static sigset_t handled_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    return set;
}

/* Threads inherit the mask, so that signals wait for the one that asks for them. */
static void hold_signals(void)
{
    const sigset_t set = handled_signals();

    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
}

/* 0: none came within that time. */
static int wait_for_signal(unsigned ms)
{
    const sigset_t set = handled_signals();
    const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
    const int got = sigtimedwait(&set, NULL, &time);

    return got < 0 ? 0 : got;
}

/* ---- at work ---- */

static void reload_configuration(struct service *service, const struct service_files *files)
{
    se_error err = SE_ERROR_INIT;
    char started[64];

    (void)snprintf(started, sizeof started, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
                   (long long)clock_monotonic_us());
    notify_manager(started);
    if (service_load(service, files, &err)) {
        count_one(&service->counters.reload_failures);
        log_line("the configuration stays as it was: %s", err.text);
    } else {
        count_one(&service->counters.reloads);
        log_line("the configuration was loaded again");
    }
    service_note(service, "reload", err.status, err.text);
    audit_reopen(service->audit);
    notify_manager("READY=1\n");
}

static void tell_alive(const struct service *service)
{
    if (clock_monotonic_ms() - connections_count(service->connections).watched < ALIVE_MS)
        notify_manager("WATCHDOG=1\n");
}

static void serve_until_asked(struct service *service, const struct service_files *files)
{
    int got;

    notify_manager("READY=1\n");
    while ((got = wait_for_signal(1000)) != SIGTERM && got != SIGINT) {
        if (got == SIGHUP)
            reload_configuration(service, files);
        tell_alive(service);
    }
}

/* Who asks twice is in a hurry. */
static void drain_service(struct service *service)
{
    const int64_t until = clock_monotonic_ms() + DRAIN_MS;
    int got = 0;

    notify_manager("STOPPING=1\n");
    service_drain(service);
    while (!service_is_idle(service) && got != SIGTERM && got != SIGINT &&
           clock_monotonic_ms() < until) {
        got = wait_for_signal(DRAIN_STEP_MS);
        tell_alive(service);
    }
}

static int run_service(struct settings *settings, const struct service_files *files,
                       struct listeners *listeners)
{
    static struct service service;
    se_error err = SE_ERROR_INIT;
    int status = 0;

    if (service_start(&service, settings, files, listeners, &err)) {
        status = report_failure(&err);
    } else {
        serve_until_asked(&service, files);
        drain_service(&service);
    }
    if (!service_stop(&service)) {
        log_line("a job or a record hangs, and is left behind");
        _exit(status ? status : EXIT_BROKEN);
    }
    return status;
}

/* ---- the start ---- */

static uid_t future_user(const struct settings *settings)
{
    const struct passwd *entry = geteuid() == 0 && settings->user ? getpwnam(settings->user) : NULL;

    return entry ? entry->pw_uid : (uid_t)-1;
}

/* As root, only what root alone can do. */
static int start_service(struct settings *settings, const struct service_files *files)
{
    struct listeners listeners = { .lock = -1 };
    se_error err = SE_ERROR_INIT;
    int status;

    if (limit_connections(settings, &err) ||
        listeners_open(&listeners, settings, future_user(settings), &err))
        return report_failure(&err);
    return_memory();
    hold_signals();
    if (process_become(settings->user, "signengined.conf", &err))
        status = report_failure(&err);
    else if (process_forbid_dumps()) /* after it: another user's id makes it dumpable */
        status = run_service(settings, files, &listeners);
    else {
        log_line("cannot forbid core dumps: %s", strerror(errno));
        status = EXIT_BROKEN;
    }
    listeners_close(&listeners);
    return status;
}

static int check_configuration(struct settings **settings)
{
    se_error err = SE_ERROR_INIT;

    return process_become((*settings)->user, "signengined.conf", &err) ||
                   generation_try(settings, &err)
               ? report_failure(&err)
               : 0;
}

static int print_usage(FILE *to, int status)
{
    (void)fputs(
        "usage: signengined [--settings FILE] [-c FILE] [--check]\n\nSigns, encrypts and decrypts "
        "for whom the configuration lets ask.\n\nOptions:\n"
        "      --settings FILE  signengined.conf\n"
        "  -c, --config FILE    engineSignEncrypt.xml, instead of the one that the settings name\n"
        "      --check          read both, say what is wrong, and end\n"
        "  -h, --help           this text\n      --version        the version\n",
        to);
    return status;
}

int main(int argc, char **argv)
{
    struct service_files files = { .settings = SYSCONFDIR "/signengine/signengined.conf" };
    AUTO(settings) settings = NULL;
    se_error err = SE_ERROR_INIT;
    bool check = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--settings") == 0 && i + 1 < argc)
            files.settings = argv[++i];
        else if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc)
            files.config = argv[++i];
        else if (strcmp(argv[i], "--check") == 0)
            check = true;
        else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return print_usage(stdout, 0);
        else if (strcmp(argv[i], "--version") == 0)
            return puts("signengined " PACKAGE_VERSION) < 0;
        else
            return print_usage(stderr, EXIT_BAD_USAGE);
    }
    if (service_read_settings(&settings, &files, &err))
        return report_failure(&err);
    return check ? check_configuration(&settings) : start_service(settings, &files);
}
