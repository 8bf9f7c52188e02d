/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/socket.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "milter/report.h"
#include "milter/service.h"

AUTO_KIND(text, char *, free(*p))

/* The path of a local socket; NULL: it is one of a network. */
static const char *local_path(const char *name)
{
    return text_starts(name, "unix:")    ? name + 5
           : text_starts(name, "local:") ? name + 6
           : strchr(name, ':')           ? NULL
                                         : name;
}

/* ---- what is risky ---- */

/* Anybody who can write to the folder can put another milter there, which lets everything leave. */
static bool is_open_to_others(const char *path)
{
    AUTO(text) folder = file_folder(path);
    struct stat status;

    return folder && stat(folder, &status) == 0 &&
           (status.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH;
}

void socket_risk(char out[256], const struct conf *conf)
{
    const char *path = local_path(conf->socket);

    *out = '\0';
    if (!path)
        (void)snprintf(out, 256,
                       "'%.100s' can be reached by every user of this machine, if not of others; "
                       "better is a socket of its own folder, "
                       "unix:PATH, with socket-group",
                       conf->socket);
    else if (is_open_to_others(path))
        (void)snprintf(out, 256,
                       "the folder of '%.100s' can be written to by everybody, who can put another "
                       "milter there",
                       path);
    else if (conf->peers.anybody && conf->socket_mode & S_IWOTH)
        (void)snprintf(
            out, 256, "'%.100s' lets every user of this machine sign, for socket-mode and peers do",
            path);
}

/* ---- what can't work ---- */

static se_status check_group(const struct conf *conf, se_error *err)
{
    if (!conf->socket_group || getgrnam(conf->socket_group))
        return SE_OK;
    return error_set(err, SE_ERR_CONFIG, "the group of the socket, '%s', is not there",
                     conf->socket_group);
}

static se_status check_local(const struct conf *conf, const char *path, se_error *err)
{
    AUTO(text) folder = file_folder(path);
    struct stat status;

    if (!folder)
        return error_memory(err);
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return error_set(err, SE_ERR_CONFIG,
                         "the path of the socket, '%s', is longer than %zu bytes", path,
                         sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
    if (stat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
        return error_set(err, SE_ERR_CONFIG,
                         "'%s', the socket of the configuration, is there and is no socket", path);
    if (access(folder, W_OK | X_OK))
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_CONFIG,
                         "no socket can be made in '%s': %s", folder, strerror(errno));
    return check_group(conf, err);
}

/* Where another one listens is where we may. */
static bool can_bind(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), number;
    bool bound =
        fd >= 0 && (bind(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EADDRINUSE);

    number = errno;
    if (fd >= 0)
        close(fd);
    errno = number;
    return bound;
}

/* "inet:PORT@HOST", as libmilter reads it. */
static se_status check_network(const char *name, se_error *err)
{
    const char *colon = strchr(name, ':');
    const bool six = text_starts(name, "inet6:");
    const struct addrinfo hints = {
        .ai_family = six ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE,
    };
    AUTO(text) port = strdup(colon + 1);
    char *host = port ? strchr(port, '@') : NULL;
    struct addrinfo *list = NULL;
    unsigned long number;
    se_status st = SE_OK;
    int code;

    if (!port)
        return error_memory(err);
    if (!six && !text_starts(name, "inet:"))
        return error_set(err, SE_ERR_CONFIG,
                         "the socket, '%s', is neither unix:PATH nor inet:PORT@HOST", name);
    if (host)
        *host++ = '\0';
    if (host && *host == '[' && host[strlen(host) - 1] == ']') { /* an address */
        host[strlen(host) - 1] = '\0';
        host++;
    }
    if (isdigit((unsigned char)*port) && (!text_number(&number, port, UINT16_MAX) || !number))
        return error_set(err, SE_ERR_CONFIG, "the socket, '%s': '%s' is no port", name, port);
    if ((code = getaddrinfo(host, port, &hints, &list)))
        return error_set(err, SE_ERR_CONFIG, "the socket, '%s': %s", name, gai_strerror(code));
    if (!can_bind(list))
        st = error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_CONFIG,
                       "cannot listen on '%s': %s", name, strerror(errno));
    freeaddrinfo(list);
    return st;
}

se_status socket_check(const struct conf *conf, se_error *err)
{
    const char *path = local_path(conf->socket);

    return path ? check_local(conf, path, err) : check_network(conf->socket, err);
}

/* ---- who connects ---- */

/*
 * libmilter takes connections itself and shows neither their sockets nor their peers, and its
 * callbacks come too late: it has read from the peer by then.  But it calls accept() by its name in
 * the C library, and the dynamic linker looks for that name in the program first.  So libmilter
 * calls this function, and gets connections from peers only.  Should a libmilter ever take
 * connections in another way, `looked_at` stays zero, and the session refuses all of them.
 */
static int listener = -1;
static unsigned long looked_at;

bool socket_is_guarded(void)
{
    return __atomic_load_n(&looked_at, __ATOMIC_ACQUIRE) > 0;
}

/* A line a second at most, or connections could fill the disk. */
static void report_refused(struct audit *changes, const char *who)
{
    static int64_t last;
    const int64_t now = clock_seconds();

    count_refused();
    if (now != last)
        report_change(changes, "connect", "forbidden",
                      "a connection was refused: not one of 'peers'", who);
    last = now;
}

static bool peer_admit(int fd)
{
    struct setup *setup = service_enter();
    char who[128] = "";
    bool admitted = peers_admit(&setup->conf->peers, fd, who);

    __atomic_add_fetch(&looked_at, 1, __ATOMIC_RELEASE);
    if (!admitted)
        report_refused(setup_changes(setup), who);
    service_leave(setup);
    return admitted;
}

__attribute__((visibility("default"))) int accept(int fd, __SOCKADDR_ARG address,
                                                  socklen_t *restrict size)
{
    int connection = accept4(fd, address, size, SOCK_CLOEXEC);

    if (connection < 0 || fd != listener || peer_admit(connection))
        return connection;
    close(connection);
    errno = ECONNABORTED; /* libmilter waits for the next */
    return -1;
}

/* ---- listening ---- */

static int find_listener(void)
{
    enum { HIGHEST = 1024 };

    for (int fd = STDERR_FILENO + 1; fd < HIGHEST; fd++) {
        int listens = 0;
        socklen_t size = sizeof listens;

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
            return fd;
    }
    return -1;
}

/* Whether another process listens on the local socket: libmilter would remove it. */
static bool is_taken(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = path && strlen(path) < sizeof address.sun_path
                 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
                 : -1;
    bool taken;

    if (fd < 0)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    taken = *path && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return taken;
}

/* The umask keeps the socket to ourselves until it has its group. */
static bool open_socket(char *name, struct smfiDesc *callbacks)
{
    const mode_t before = umask(0177);
    bool opened = smfi_register(*callbacks) == MI_SUCCESS && smfi_setconn(name) == MI_SUCCESS &&
                  smfi_opensocket(true) == MI_SUCCESS;

    (void)umask(before);
    return opened;
}

static se_status share_socket(const char *path, const struct conf *conf, se_error *err)
{
    const struct group *group = conf->socket_group ? getgrnam(conf->socket_group) : NULL;

    TRY(check_group(conf, err));
    if (group && chown(path, (uid_t)-1, group->gr_gid))
        return error_set(
            err, SE_ERR_ACCESS,
            "cannot give '%s' to the group '%s': %s; the milter's user has to be a member of it",
            path, conf->socket_group, strerror(errno));
    if (chmod(path, conf->socket_mode))
        return error_set(err, SE_ERR_ACCESS, "cannot give '%s' the mode %04o: %s", path,
                         conf->socket_mode, strerror(errno));
    return SE_OK;
}

/*
 * libmilter answers in many small pieces, and has no option for this: with Nagle's algorithm the
 * MTA's delayed acknowledgements would add 40 ms to each message.  Connections inherit it from the
 * socket that listens (Linux).  It fails for a local socket, which needs none.
 */
static void send_at_once(void)
{
    const int yes = 1;

    (void)setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

se_status socket_listen(const struct conf *conf, struct smfiDesc *callbacks, se_error *err)
{
    const char *path = local_path(conf->socket);
    AUTO(text) name = strdup(conf->socket); /* libmilter wants one that it could write to */
    se_status st;

    if (!name)
        return error_memory(err);
    openlog("signengine-milter", LOG_PERROR, LOG_MAIL);
    if (is_taken(path))
        return error_set(err, SE_ERR_CONFIG, "somebody listens on '%s' already", name);
    if (!open_socket(name, callbacks) || (listener = find_listener()) < 0)
        return error_set(err, SE_ERR_CONFIG,
                         "cannot listen on '%s', the socket of the configuration", name);
    send_at_once();
    if (path && (st = share_socket(path, conf, err))) {
        (void)unlink(path);
        return st;
    }
    return SE_OK;
}
