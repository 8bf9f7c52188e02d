/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records to the journal and to syslog, absent and hanging ones included; and a standard
 * output that nobody reads. */
#include <errno.h>
#include <regex.h>
#include <signal.h>

#include "base/clock.h"
#include "tests/unit/audit.h"

/* Who takes datagrams at `path`; the second has room for few. */
static int bind_socket(const char *path)
{
    struct sockaddr_un place = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(place.sun_path, sizeof place.sun_path, "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);
    return fd;
}

static size_t receive(char *out, size_t room, int fd)
{
    ssize_t size = recv(fd, out, room - 1, 0);

    assert_true(size > 0);
    out[size] = '\0';
    return (size_t)size;
}

static void drain(int fd)
{
    char datagram[8192];

    while (recv(fd, datagram, sizeof datagram, MSG_DONTWAIT) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

/* The value of a field, by the journal's protocol; NULL: there is none. */
static const char *field_of(char *value, const char *datagram, size_t size, const char *name)
{
    const char *at = datagram;

    while (at < datagram + size) {
        const char *lf = memchr(at, '\n', (size_t)(datagram + size - at));
        uint64_t length = 0;

        assert_non_null(lf);
        for (unsigned i = 0; i < 8; i++)
            length |= (uint64_t)(unsigned char)lf[1 + i] << (8 * i);
        assert_true(length < 5000 && lf[9 + length] == '\n');
        if ((size_t)(lf - at) == strlen(name) && strncmp(at, name, strlen(name)) == 0) {
            memcpy(value, lf + 9, length);
            value[length] = '\0';
            return value;
        }
        at = lf + 9 + length + 1;
    }
    return NULL;
}

static void the_journal_gets_fields(void **state)
{
    const int fd = bind_socket("j");
    AUTO(audit) audit = one_sink(AUDIT_JOURNAL, "j", true);
    struct audit_record record = some_use;
    se_error err = SE_ERROR_INIT;
    char datagram[8192], value[8192];
    size_t size;

    (void)state;
    record.request_id = "r\nSIGNENGINE_ROW=forged";
    record.failed = 1;
    assert_status(SE_OK, audit_reserve(audit, 1, &err), &err);
    assert_status(SE_OK, audit_write(audit, &record, &err), &err);
    size = receive(datagram, sizeof datagram, fd);
    assert_string_equal(field_of(value, datagram, size, "SIGNENGINE_OPERATION"), "sign");
    assert_string_equal(field_of(value, datagram, size, "SIGNENGINE_UID"), "1000");
    assert_string_equal(field_of(value, datagram, size, "SIGNENGINE_REQUEST_ID"),
                        record.request_id);
    assert_null(field_of(value, datagram, size, "SIGNENGINE_ROW"));
    assert_null(field_of(value, datagram, size, "SIGNENGINE_VERSION"));
    assert_string_equal(field_of(value, datagram, size, "SYSLOG_IDENTIFIER"), "test");
    assert_string_equal(field_of(value, datagram, size, "PRIORITY"), "5");
    assert_non_null(field_of(value, datagram, size, "MESSAGE"));
    assert_true(value[0] == '{' && value[strlen(value) - 1] == '}');
    close(fd);
}

static void syslog_gets_its_local_form(void **state)
{
    const int fd = bind_socket("s");
    AUTO(audit) audit = one_sink(AUDIT_SYSLOG, "s", true);
    char datagram[8192];
    regex_t form;

    (void)state;
    assert_recorded(audit);
    (void)receive(datagram, sizeof datagram, fd);
    assert_int_equal(regcomp(&form,
                             "^<86>[A-Z][a-z][a-z] [ 1-3][0-9] [0-9:]{8} test\\[[0-9]+\\]: "
                             "\\{\"time\":.*\\}$",
                             REG_EXTENDED),
                     0);
    if (regexec(&form, datagram, 0, NULL, 0))
        fail_msg("%s", datagram);
    regfree(&form);
    close(fd);
}

/* Nobody is there: that is noticed at the start, before a use, and when somebody is back. */
static void absence_is_noticed(enum audit_sink_kind kind)
{
    const struct audit_sink_options required = { .kind = kind, .place = "d", .required = true };
    struct audit *audit;
    se_error err = SE_ERROR_INIT;
    int fd;

    assert_status(SE_ERR_UNAVAILABLE, open_sinks(&audit, &required, 1, &err), &err);
    assert_non_null(strstr(err.text, "cannot reach 'd': No such file or directory"));
    fd = bind_socket("d");
    audit = one_sink(kind, "d", true);
    assert_recorded(audit);
    close(fd);
    assert_unrecorded(audit, "Connection refused");
    assert_int_equal(unlink("d"), 0);
    assert_unrecorded(audit, "No such file or directory");
    assert_false(counts_of(audit, 0).up);
    fd = bind_socket("d");
    assert_recorded(audit);
    assert_true(counts_of(audit, 0).up);
    assert_true(audit_close(audit));
    close(fd);
    assert_int_equal(unlink("d"), 0);
}

static void an_absent_one_is_noticed(void **state)
{
    (void)state;
    absence_is_noticed(AUDIT_JOURNAL);
    absence_is_noticed(AUDIT_SYSLOG);
}

static void one_that_need_not_be_there_comes_later(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_JOURNAL, "j", false);
    int fd;

    (void)state;
    assert_false(counts_of(audit, 0).up);
    audit_note(audit, &some_use);
    await_counts(audit, 0, 1);
    fd = bind_socket("j");
    audit_note(audit, &some_use);
    await_counts(audit, 1, 1);
    assert_true(counts_of(audit, 0).up);
    close(fd);
}

static void a_hanging_one_is_noticed(void **state)
{
    const int fd = bind_socket("j");
    AUTO(audit) audit = one_sink(AUDIT_JOURNAL, "j", true);
    se_error err = SE_ERROR_INIT;
    unsigned recorded = 0;

    (void)state;
    while (recorded < 100000 && !record_one(audit, &err))
        recorded++;
    assert_int_equal(err.status, SE_ERR_UNAVAILABLE);
    assert_true(strstr(err.text, "nobody reads there") || strstr(err.text, "does not answer"));
    assert_int_equal(counts_of(audit, 0).failures, 0); /* it was refused before */
    drain(fd);
    assert_recorded(audit);
    close(fd);
}

/* A journal that hangs, and a file: who needs the file only does not wait. */
static void one_that_hangs_holds_up_nobody_else(void **state)
{
    const struct audit_sink_options sinks[] = {
        { .kind = AUDIT_JOURNAL, .place = "j" },
        { .kind = AUDIT_FILE, .place = "a", .required = true },
    };
    const int fd = bind_socket("j");
    struct audit *audit;
    se_error err = SE_ERROR_INIT;
    int64_t began;

    (void)state;
    assert_status(SE_OK, open_sinks(&audit, sinks, 2, &err), &err);
    for (unsigned i = 0; i < 100000 && counts_of(audit, 0).up; i++)
        audit_note(audit, &some_use);
    await_counts(audit, 1, 1);
    began = clock_monotonic_ms();
    for (unsigned i = 0; i < 20; i++)
        assert_recorded(audit);
    if (clock_monotonic_ms() - began > 20 * deadline_ms() / 2)
        fail_msg("20 records took %d ms", (int)(clock_monotonic_ms() - began));
    close(fd);
    (void)unlink("j");
    assert_true(audit_close(audit));
}

/* ---- standard output ---- */

static void wait_for_nobody(int reader)
{
    struct audit *audit = one_sink(AUDIT_STDOUT, NULL, true);
    se_error err = SE_ERROR_INIT;
    unsigned recorded = 0;
    int64_t began;

    while (recorded < 10000 && !record_one(audit, &err))
        recorded++;
    /* its thread is in write(2) for good: later ones do not even wait */
    if (err.status != SE_ERR_UNAVAILABLE || !strstr(err.text, "does not answer") || recorded < 10)
        _exit(1);
    began = clock_monotonic_ms();
    for (unsigned i = 0; i < 100; i++)
        if (audit_reserve(audit, 1, NULL) != SE_ERR_UNAVAILABLE)
            _exit(2);
    if (clock_monotonic_ms() - began > 100 * deadline_ms() / 2)
        _exit(4);
    if (audit_close(audit))
        _exit(3);
    close(reader);
    _exit(0);
}

static void a_pipe_that_nobody_reads_is_noticed(void **state)
{
    int ends[2], end;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        (void)dup2(ends[1], STDOUT_FILENO);
        wait_for_nobody(ends[0]);
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_int_equal(end, 0);
    close(ends[0]);
    close(ends[1]);
}

static void drop_what_nobody_takes(void)
{
    struct audit *audit = one_sink(AUDIT_STDOUT, NULL, false);

    for (unsigned i = 0; i < 13000; i++)
        audit_note(audit, &some_use);
    _exit(counts_of(audit, 0).failures > 0 && counts_of(audit, 0).failures < 3000 &&
                  !counts_of(audit, 0).up
              ? 0
              : 1);
}

static void a_queue_is_bounded(void **state)
{
    int ends[2], end;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        (void)dup2(ends[1], STDOUT_FILENO);
        drop_what_nobody_takes();
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_int_equal(end, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_journal_gets_fields),
        IN_FOLDER(syslog_gets_its_local_form),
        IN_FOLDER(an_absent_one_is_noticed),
        IN_FOLDER(one_that_need_not_be_there_comes_later),
        IN_FOLDER(a_hanging_one_is_noticed),
        IN_FOLDER(one_that_hangs_holds_up_nobody_else),
        cmocka_unit_test(a_pipe_that_nobody_reads_is_noticed),
        cmocka_unit_test(a_queue_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
