/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

enum { FIRST_PASSED = 3, BACKLOG = 4096 };

AUTO_KIND(text, char *, free(*p))

/* ---- sockets that were passed ---- */

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) ? -1 : value;
}

/* A network's comes with the setting `tls` only, so that none is open without it by mistake. */
static se_status take_passed(struct listeners *out, int fd, se_error *err)
{
    if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM ||
        socket_option(fd, SO_ACCEPTCONN) != 1)
        return error_set(err, SE_ERR_CONFIG,
                         "descriptor %d, which the service manager passed, is no local stream "
                         "socket that listens (ListenStream=/PATH); for callers on a network "
                         "there is the setting 'tls'",
                         fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))
        return error_set(err, SE_ERR_CONFIG, "descriptor %d: %s", fd, strerror(errno));
    out->list[out->count++] = (struct listener){ fd, LISTENER_UNIX };
    return SE_OK;
}

/* How many were passed to this process; children must not take them for theirs. */
static unsigned long count_passed(void)
{
    const char *process = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    unsigned long pid = 0, passed = 0;

    if (process && count && text_number(&pid, process, INT_MAX) && pid == (unsigned long)getpid())
        (void)text_number(&passed, count, INT_MAX);
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return passed;
}

/* ---- a socket of our own ---- */

/* Only the last part of it: /run/signengine, which nobody has made when no manager runs. */
static se_status make_folder(const char *path, uid_t owner, se_error *err)
{
    AUTO(text) folder = file_folder(path);

    if (!folder)
        return error_memory(err);
    if (mkdir(folder, 0755) == 0)
        return chown(folder, owner, (gid_t)-1)
                   ? error_set(err, SE_ERR_ACCESS, "cannot give '%s' to the daemon's user: %s",
                               folder, strerror(errno))
                   : SE_OK;
    return errno == EEXIST ? SE_OK
                           : error_set(err, SE_ERR_ACCESS, "cannot make the folder '%s': %s",
                                       folder, strerror(errno));
}

/* A lock tells whether another daemon is alive; that a socket is there tells nothing. */
static se_status take_lock(struct listeners *out, uid_t owner, se_error *err)
{
    AUTO(writer) path = { 0 };

    writer_format(&path, "%s.lock", out->path);
    if (path.failed)
        return error_memory(err);
    out->lock = open(writer_string(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out->lock < 0 || fchown(out->lock, owner, (gid_t)-1))
        return error_set(err, SE_ERR_ACCESS, "cannot write '%s': %s", writer_string(&path),
                         strerror(errno));
    if (flock(out->lock, LOCK_EX | LOCK_NB))
        return error_set(err, SE_ERR_CONFIG, "another signengined listens on '%s'", out->path);
    return SE_OK;
}

static se_status check_place(const char *path, se_error *err)
{
    struct stat there;

    return lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode)
               ? error_set(err, SE_ERR_CONFIG,
                           "'%s', the socket of the settings, is there and is no socket", path)
               : SE_OK;
}

/* Nobody else may connect before it has its group and mode. */
static se_status bind_private(int fd, const char *path, se_error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t before;
    int failed;

    (void)unlink(path);
    text_copy(address.sun_path, sizeof address.sun_path, path, strlen(path));
    before = umask(0177);
    failed = bind(fd, (struct sockaddr *)&address, sizeof address);
    (void)umask(before);
    return failed ? error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_CONFIG,
                              "cannot make the socket '%s': %s", path, strerror(errno))
                  : SE_OK;
}

static se_status share_socket(const char *path, const struct settings *settings, uid_t owner,
                              se_error *err)
{
    const struct group *group = settings->group ? getgrnam(settings->group) : NULL;

    if (settings->group && !group)
        return error_set(err, SE_ERR_CONFIG, "the group of the socket, '%s', is not there",
                         settings->group);
    if (chown(path, owner, group ? group->gr_gid : (gid_t)-1))
        return error_set(
            err, SE_ERR_ACCESS,
            "cannot give '%s' to the group '%s': %s; the daemon's user has to be a member of it",
            settings->socket, settings->group ? settings->group : "", strerror(errno));
    if (chmod(path, settings->mode))
        return error_set(err, SE_ERR_ACCESS, "cannot give '%s' the mode %04o: %s", settings->socket,
                         settings->mode, strerror(errno));
    return SE_OK;
}

static se_status show_socket(struct listeners *out, const char *hidden, se_error *err)
{
    if (listen(out->list[0].fd, BACKLOG) || rename(hidden, out->path) ||
        lstat(out->path, &out->made))
        return error_set(err, SE_ERR_ACCESS, "cannot listen on '%s': %s", out->path,
                         strerror(errno));
    return SE_OK;
}

static se_status make_hidden(struct listeners *out, const char *hidden,
                             const struct settings *settings, uid_t owner, se_error *err)
{
    TRY(bind_private(out->list[0].fd, hidden, err));
    TRY(share_socket(hidden, settings, owner, err));
    return show_socket(out, hidden, err);
}

static se_status make_socket(struct listeners *out, const struct settings *settings, uid_t owner,
                             se_error *err)
{
    AUTO(writer) hidden = { 0 };
    se_status st;
    int fd;

    if (!(out->path = strdup(settings->socket)))
        return error_memory(err);
    TRY(make_folder(out->path, owner, err));
    TRY(take_lock(out, owner, err));
    TRY(check_place(out->path, err));
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
        return error_set(err, SE_ERR_CONFIG, "cannot make a socket: %s", strerror(errno));
    out->list[out->count++] = (struct listener){ fd, LISTENER_UNIX };
    writer_format(&hidden, "%s.new", out->path);
    if (hidden.failed)
        return error_memory(err);
    if ((st = make_hidden(out, writer_string(&hidden), settings, owner, err)))
        (void)unlink(writer_string(&hidden));
    return st;
}

/* ---- a network ---- */

/* The address may be taken again while connections of a daemon before end. */
static se_status open_network(struct listeners *out, const struct settings *settings, se_error *err)
{
    const struct sockaddr_storage *address = &settings->tls_address;
    const bool v6 = address->ss_family == AF_INET6;
    const socklen_t size = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return error_set(err, SE_ERR_CONFIG, "tls: cannot make a socket: %s", strerror(errno));
    out->list[out->count++] = (struct listener){ fd, LISTENER_TLS };
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    return bind(fd, (const struct sockaddr *)address, size) || listen(fd, BACKLOG)
               ? error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_CONFIG,
                           "tls: cannot listen on '%s': %s", settings->tls, strerror(errno))
               : SE_OK;
}

/* ---- all of them ---- */

static se_status open_all(struct listeners *out, const struct settings *settings, uid_t owner,
                          se_error *err)
{
    const unsigned long passed = count_passed();

    if (passed > LISTENERS_PASSED)
        return error_set(err, SE_ERR_CONFIG, "the service manager passed %lu sockets, more than %d",
                         passed, LISTENERS_PASSED);
    for (unsigned long i = 0; i < passed; i++)
        TRY(take_passed(out, FIRST_PASSED + (int)i, err));
    if (!passed)
        TRY(make_socket(out, settings, owner, err));
    return settings->tls ? open_network(out, settings, err) : SE_OK;
}

se_status listeners_open(struct listeners *out, const struct settings *settings, uid_t owner,
                         se_error *err)
{
    se_status st;

    *out = (struct listeners){ .lock = -1 };
    if ((st = open_all(out, settings, owner, err)))
        listeners_close(out);
    return st;
}

void listeners_close(struct listeners *l)
{
    struct stat there;

    if (l->path && l->made.st_ino && lstat(l->path, &there) == 0 &&
        there.st_dev == l->made.st_dev && there.st_ino == l->made.st_ino)
        (void)unlink(l->path);
    for (size_t i = 0; i < l->count; i++)
        close(l->list[i].fd);
    free(l->path);
    if (l->lock >= 0)
        close(l->lock);
    *l = (struct listeners){ .lock = -1 };
}
