/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal and syslog: a datagram for each record, to a socket of this machine. Neither answers,
 * so what can be noticed is that nobody is there, and that nobody reads: sending has a time limit.
 * sd_journal_send() has none and is silent where there is no journal; syslog() returns nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "audit/sink.h"
#include "base/clock.h"
#include "base/text.h"

enum { FACILITY_AUTHPRIV = 10, SEVERITY_NOTICE = 5, SEVERITY_INFO = 6, VALUE_MOST = 1024 };

struct datagram_sink {
    struct sockaddr_un place;
    unsigned wait_ms;
    int fd;
};

/* ---- sending ---- */

static se_status fail_socket(const struct datagram_sink *d, const char *what, se_error *err)
{
    const bool late = errno == EAGAIN || errno == EWOULDBLOCK;

    return error_set(err, SE_ERR_UNAVAILABLE, "cannot %s '%s': %s", what, d->place.sun_path,
                     late ? "nobody reads there" : strerror(errno));
}

static void drop_socket(struct datagram_sink *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = -1;
}

/* Who reads there may have been started anew, at a socket of the same name. */
static se_status connect_socket(struct datagram_sink *d, se_error *err)
{
    const struct timeval wait = { d->wait_ms / 1000, (d->wait_ms % 1000) * 1000L };

    drop_socket(d);
    d->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (d->fd >= 0 && !setsockopt(d->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) &&
        !connect(d->fd, (const struct sockaddr *)&d->place, sizeof d->place))
        return SE_OK;
    (void)fail_socket(d, "reach", err);
    drop_socket(d);
    return SE_ERR_UNAVAILABLE;
}

/* False with errno set. */
static bool send_datagram(const struct datagram_sink *d, se_bytes data)
{
    ssize_t sent;

    do
        sent = send(d->fd, data.data, data.size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)data.size;
}

/* ---- a sink ---- */

static se_status datagram_open(void **out, const char *usual, const struct sink_setup *setup,
                               se_error *err)
{
    const char *place = setup->options->place ? setup->options->place : usual;
    struct datagram_sink *d = calloc(1, sizeof *d);

    *out = d;
    if (!d)
        return error_memory(err);
    d->fd = -1;
    d->wait_ms = setup->wait_ms;
    d->place.sun_family = AF_UNIX;
    if (strlen(place) >= sizeof d->place.sun_path)
        return error_set(err, SE_ERR_CONFIG, "'%s' is too long for a socket's path", place);
    (void)snprintf(d->place.sun_path, sizeof d->place.sun_path, "%s", place);
    return connect_socket(d, err);
}

static void datagram_close(void *state)
{
    struct datagram_sink *d = state;

    if (!d)
        return;
    drop_socket(d);
    free(d);
}

/* Whether somebody is there, and has not let the socket fill up. */
static se_status datagram_reserve(void *state, unsigned records, se_error *err)
{
    struct datagram_sink *d = state;
    struct pollfd ready;

    (void)records;
    TRY(connect_socket(d, err));
    ready = (struct pollfd){ .fd = d->fd, .events = POLLOUT };
    if (poll(&ready, 1, (int)d->wait_ms) == 1)
        return SE_OK;
    errno = EAGAIN;
    return fail_socket(d, "write to", err);
}

static se_status datagram_write(size_t *written, void *state, const se_bytes *lines, size_t count,
                                se_error *err)
{
    struct datagram_sink *d = state;

    for (; *written < count; ++*written) {
        if (d->fd >= 0 && send_datagram(d, lines[*written]))
            continue;
        if (d->fd >= 0 && errno == EAGAIN)
            return fail_socket(d, "write to", err);
        TRY(connect_socket(d, err));
        if (!send_datagram(d, lines[*written]))
            return fail_socket(d, "write to", err);
    }
    return SE_OK;
}

static int severity_of(const struct audit_record *record)
{
    return record->failed ? SEVERITY_NOTICE : SEVERITY_INFO;
}

/* ---- the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL) ---- */

/* With its length: a value may be anything, and can't bring a field of its own. */
static void put_field(struct writer *w, const char *name, const char *value, size_t size)
{
    unsigned char length[8];

    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (unsigned char)((uint64_t)size >> (8 * i));
    writer_text(w, name);
    writer_text(w, "\n");
    writer_put(w, length, sizeof length);
    writer_put(w, value, size);
    writer_text(w, "\n");
}

/* requestId is SIGNENGINE_REQUEST_ID. What says nothing is left out. */
static void put_member_field(void *arg, const struct record_member *member)
{
    char name[64] = "SIGNENGINE_", value[VALUE_MOST];
    size_t size = strlen(name), room = member->quoted ? member->limit + 1 : sizeof value;

    if (!*member->value || (!member->quoted && strcmp(member->value, "0") == 0))
        return;
    for (const char *p = member->name; *p && size + 2 < sizeof name; p++) {
        if (*p >= 'A' && *p <= 'Z')
            name[size++] = '_';
        name[size++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    }
    name[size] = '\0';
    text_copy(value, room < sizeof value ? room : sizeof value, member->value,
              strlen(member->value));
    put_field(arg, name, value, strlen(value));
}

static void journal_format(struct writer *w, const struct audit_record *record, const char *program,
                           const char *line)
{
    const char priority[] = { (char)('0' + severity_of(record)) };

    put_field(w, "MESSAGE", line, strcspn(line, "\n"));
    put_field(w, "PRIORITY", priority, sizeof priority);
    put_field(w, "SYSLOG_IDENTIFIER", program, strlen(program));
    record_members(record, put_member_field, w);
}

static se_status journal_open(void **out, const struct sink_setup *setup, se_error *err)
{
    return datagram_open(out, "/run/systemd/journal/socket", setup, err);
}

const struct sink_type journal_sink_type = {
    .name = "journal",
    .open = journal_open,
    .close = datagram_close,
    .reserve = datagram_reserve,
    .write = datagram_write,
    .format = journal_format,
};

/* ---- syslog's local form, as syslog(3) of glibc writes it: local time, no host ---- */

static void syslog_format(struct writer *w, const struct audit_record *record, const char *program,
                          const char *line)
{
    const time_t now = (time_t)(record->time_us ? record->time_us / 1000000 : clock_seconds());
    struct tm local;
    char when[32] = "";

    if (localtime_r(&now, &local))
        (void)strftime(when, sizeof when, "%b %e %H:%M:%S", &local);
    writer_format(w, "<%d>%s %s[%d]: ", FACILITY_AUTHPRIV * 8 + severity_of(record), when, program,
                  (int)getpid());
    writer_put(w, line, strcspn(line, "\n"));
}

static se_status syslog_open(void **out, const struct sink_setup *setup, se_error *err)
{
    return datagram_open(out, "/dev/log", setup, err);
}

const struct sink_type syslog_sink_type = {
    .name = "syslog",
    .open = syslog_open,
    .close = datagram_close,
    .reserve = datagram_reserve,
    .write = datagram_write,
    .format = syslog_format,
};
