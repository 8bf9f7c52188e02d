/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "config/pin_source.h"

enum { SECRET_MOST = 4096, INTERRUPT = 3 /* Control-C */ };

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
AUTO_KIND(fd, int, close_fd(*p))

/* Byte by byte: another reader may want what follows the line. */
static se_status read_secret_line(se_buf *out, int fd, char *last, se_error *err)
{
    AUTO(se_buf) line = SE_BUF_INIT;
    size_t size = 0;
    ssize_t n = 0;

    TRY(buf_new(&line, SECRET_MOST, err));
    *last = '\0';
    while (size < line.size) {
        n = read(fd, line.data + size, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || (*last = (char)line.data[size]) == '\n' || *last == INTERRUPT)
            break;
        size++;
    }
    if (n < 0)
        return error_set(err, SE_ERR_ACCESS, "cannot read the secret: %s", strerror(errno));
    if (size == line.size)
        return error_set(err, SE_ERR_ACCESS, "the secret has more than %d bytes", SECRET_MOST);
    size -= size && line.data[size - 1] == '\r';
    if (text_mark(line.data, size))
        return error_set(
            err, SE_ERR_ACCESS,
            "the secret begins with a byte order mark (%s): give it without one, as UTF-8",
            text_mark(line.data, size));
    return buf_copy(out, (se_bytes){ line.data, size }, err);
}

static se_status secret_from_fd(se_buf *out, const char *number, se_error *err)
{
    unsigned long fd;
    char last;

    if (!text_number(&fd, number, INT_MAX))
        return error_set(err, SE_ERR_USAGE,
                         "fd: is followed by the number of an open file descriptor");
    return read_secret_line(out, (int)fd, &last, err);
}

/* Control-C must not leave a terminal behind that does not echo: it ends the line, and becomes a
 * signal when echo is back. */
static se_status ask_terminal(se_buf *out, int terminal, const char *what, se_error *err)
{
    struct termios before, silent;
    char last;
    se_status st;

    if (tcgetattr(terminal, &before))
        return error_set(err, SE_ERR_ACCESS, "cannot ask for the %s: %s", what, strerror(errno));
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    silent.c_cc[VEOL] = INTERRUPT;
    (void)dprintf(terminal, "%s: ", what);
    (void)tcsetattr(terminal, TCSAFLUSH, &silent);
    st = read_secret_line(out, terminal, &last, err);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)dprintf(terminal, "\n");
    if (last == INTERRUPT)
        (void)raise(SIGINT);
    return st;
}

se_status secret_line(se_buf *out, int fd, const char *what, se_error *err)
{
    char last;

    *out = (se_buf)SE_BUF_INIT;
    return isatty(fd) ? ask_terminal(out, fd, what, err) : read_secret_line(out, fd, &last, err);
}

static se_status secret_from_terminal(se_buf *out, const char *what, se_error *err)
{
    AUTO(fd) terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (terminal < 0)
        return error_set(err, SE_ERR_ACCESS, "there is no terminal to ask for the %s", what);
    return ask_terminal(out, terminal, what, err);
}

static bool is_pin_source(const char *source)
{
    return text_starts(source, "env:") || text_starts(source, "file:") ||
           text_starts(source, "credential:");
}

se_status secret_read(se_buf *out, const char *source, const char *option, const char *what,
                      se_error *err)
{
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (strcmp(source, "prompt") == 0)
        st = secret_from_terminal(out, what, err);
    else if (text_starts(source, "fd:"))
        st = secret_from_fd(out, source + 3, err);
    else if (is_pin_source(source))
        st = pin_source_read(out, source, err);
    else /* the text is not shown: it may be the secret itself */
        return error_set(err, SE_ERR_USAGE,
                         "%s takes env:NAME, file:PATH, credential:NAME, fd:N or prompt", option);
    return error_prefix(err, st, "%s: ", option);
}
