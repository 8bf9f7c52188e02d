/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records in files: rotation, half lines, full disks, many threads. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/unit/audit.h"

static void records_become_lines(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", false);

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        audit_note(audit, &some_use);
    await_counts(audit, 10, 0);
    assert_int_equal(lines_in("a"), 10);
    assert_int_equal(mode_of("a") & 0777, 0640);
    assert_true(counts_of(audit, 0).up);
    assert_string_equal(counts_of(audit, 0).name, "file");
}

static void a_required_one_is_there_at_once(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", true);

    (void)state;
    for (size_t i = 1; i <= 200; i++) {
        assert_recorded(audit);
        assert_int_equal(lines_in("a"), i);
    }
}

static void all_is_written_before_the_end(void **state)
{
    struct audit *audit = one_sink(AUDIT_FILE, "a", false);

    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        audit_note(audit, &some_use);
    assert_true(audit_close(audit));
    assert_int_equal(lines_in("a"), 3000);
}

static void a_file_that_was_taken_away_is_made_anew(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", true);

    (void)state;
    assert_recorded(audit);
    assert_int_equal(rename("a", "b"), 0);
    assert_recorded(audit);
    assert_recorded(audit);
    assert_int_equal(lines_in("b"), 1);
    assert_int_equal(lines_in("a"), 2);
    assert_int_equal(unlink("a"), 0);
    assert_recorded(audit);
    assert_int_equal(lines_in("a"), 1);
    /* and before a record comes, when it is asked for */
    assert_int_equal(rename("a", "c"), 0);
    audit_reopen(audit);
    for (unsigned i = 0; access("a", F_OK) && i < PATIENCE_MS; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_int_equal(lines_in("a"), 0);
}

/* Nobody can make a file there: the old one goes on to take records, as long as it is somewhere. */
static void what_can_not_be_made_anew_goes_on(void **state)
{
    struct audit *audit;

    (void)state;
    assert_int_equal(mkdir("f", 0700), 0);
    audit = one_sink(AUDIT_FILE, "f/a", true);
    assert_recorded(audit);
    assert_int_equal(rename("f/a", "a"), 0);
    assert_int_equal(rmdir("f"), 0);
    assert_recorded(audit);
    assert_int_equal(lines_in("a"), 2);
    assert_int_equal(unlink("a"), 0);
    assert_unrecorded(audit, "No such file or directory");
    assert_false(counts_of(audit, 0).up);
    assert_int_equal(mkdir("f", 0700), 0);
    assert_recorded(audit);
    assert_true(counts_of(audit, 0).up);
    assert_true(audit_close(audit));
    assert_int_equal(unlink("f/a"), 0);
}

static void half_a_line_is_ended(void **state)
{
    AUTO(audit) audit = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("a", "{}\n{\"time\":", 0600);
    audit = one_sink(AUDIT_FILE, "a", true);
    assert_recorded(audit);
    assert_status(SE_OK, file_read(&text, "a", 10000, &err), &err);
    assert_int_equal(strncmp((char *)text.data, "{}\n{\"time\":\n{\"time\":\"2", 21), 0);
}

static void what_can_never_be_opened_is_refused(void **state)
{
    static const struct audit_sink_options sinks[] = {
        { .kind = AUDIT_FILE, .place = "none/a" },
        { .kind = AUDIT_FILE, .place = "." },
        { .kind = AUDIT_FILE, .place = "none/a", .required = true },
        { .kind = AUDIT_HISTORY, .place = "sqlite:a", .config = "c" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++) {
        struct audit *audit;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_CONFIG, open_sinks(&audit, &sinks[i], 1, &err), &err);
        assert_null(audit);
    }
}

/* One sink has taken what the other one, which is required, has not. */
static void what_is_not_handed_out_is_told(void **state)
{
    const struct audit_sink_options sinks[] = {
        { .kind = AUDIT_FILE, .place = "a" },
        { .kind = AUDIT_FILE, .place = "/dev/full", .required = true },
    };
    AUTO(se_buf) text = SE_BUF_INIT;
    struct audit *audit;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, open_sinks(&audit, sinks, 2, &err), &err);
    assert_unrecorded(audit, "No space left on device");
    assert_true(audit_close(audit));
    assert_int_equal(lines_in("a"), 2);
    assert_status(SE_OK, file_read(&text, "a", 10000, &err), &err);
    assert_non_null(strstr(strstr((char *)text.data, "\"result\":\"ok\""),
                           "\"result\":\"unrecorded\",\"text\":\"the audit sink 'file' did not"));
}

static void a_child_opens_its_own(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", true);
    pid_t child;
    int end;

    (void)state;
    assert_recorded(audit);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        se_error err = SE_ERROR_INIT;
        bool refused = audit_reserve(audit, 1, &err) == SE_ERR_USAGE &&
                       audit_write(audit, &some_use, NULL) == SE_ERR_USAGE;

        audit_note(audit, &some_use);
        /* at a plain exit, valgrind would ask for the sinks, which are the parent's */
        if (refused && audit_close(audit) && strstr(err.text, "fork"))
            (void)execl("/bin/true", "true", NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_int_equal(end, 0);
    assert_recorded(audit);
    assert_int_equal(lines_in("a"), 2);
}

/* ---- full disks ---- */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return written;
}

/* Mounts are root's; anybody is root in a name space of his own. */
static bool enter_namespace(void)
{
    char user[40], group[40];

    (void)snprintf(user, sizeof user, "0 %u 1", geteuid());
    (void)snprintf(group, sizeof group, "0 %u 1", getegid());
    if (!geteuid())
        return !unshare(CLONE_NEWNS);
    return !unshare(CLONE_NEWUSER | CLONE_NEWNS) && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", user) && write_file("/proc/self/gid_map", group);
}

/* A file system of its own, as big as that; false: this system does not let us. */
static bool mount_small(const char *path, const char *options)
{
    return enter_namespace() && !mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) &&
           !mount("none", path, "tmpfs", 0, options);
}

static void fill_disk(const char *path)
{
    static const char zeros[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

/* In a child, whose disk, or limit, is its own; cmocka's failures end it with another status. */
static void in_child(void (*work)(void))
{
    pid_t child = fork();
    int end;

    assert_true(child >= 0);
    if (!child) {
        work();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    if (WIFEXITED(end) && WEXITSTATUS(end) == 77)
        skip();
    assert_int_equal(end, 0);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void fill_disk_under_promises(void)
{
    struct audit *audit;
    se_error err = SE_ERROR_INIT;

    if (!mount_small("disk", "size=1m"))
        _exit(77);
    audit = one_sink(AUDIT_FILE, "disk/a", true);
    CHECK(!audit_reserve(audit, 50, &err));
    fill_disk("disk/other");
    /* what was promised is kept, and no more is promised */
    for (unsigned i = 0; i < 50; i++)
        CHECK(!audit_write(audit, &some_use, &err));
    CHECK(lines_in("disk/a") == 50);
    for (unsigned i = 0; !err.status && i < 1000; i++)
        (void)record_one(audit, &err);
    CHECK(err.status == SE_ERR_UNAVAILABLE);
    CHECK(strstr(err.text, "No space left on device"));
    CHECK(!counts_of(audit, 0).up && !audit_can_record(audit));
    CHECK(lines_in("disk/a") == counts_of(audit, 0).records);
    /* looked at again and again, it stays as it is; then nobody has to ask */
    (void)nanosleep(&(struct timespec){ .tv_sec = 2, .tv_nsec = 500000000 }, NULL);
    CHECK(!audit_can_record(audit));
    CHECK(!unlink("disk/other"));
    for (unsigned i = 0; !audit_can_record(audit) && i < PATIENCE_MS; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    CHECK(audit_can_record(audit) && counts_of(audit, 0).queued == 0);
    err = (se_error)SE_ERROR_INIT;
    CHECK(!record_one(audit, &err));
    CHECK(counts_of(audit, 0).up && audit_close(audit));
}

static void a_full_disk_is_noticed_before(void **state)
{
    (void)state;
    assert_int_equal(mkdir("disk", 0700), 0);
    in_child(fill_disk_under_promises);
}

/* On the disk that is full, a new file has no room: the renamed one has. */
static void rotate_on_full_disk(void)
{
    struct audit *audit;
    se_error err = SE_ERROR_INIT;

    if (!mount_small("disk", "size=1m"))
        _exit(77);
    audit = one_sink(AUDIT_FILE, "disk/a", true);
    CHECK(!audit_reserve(audit, 5, &err));
    fill_disk("disk/other");
    CHECK(!rename("disk/a", "disk/b"));
    for (unsigned i = 0; i < 5; i++)
        CHECK(!audit_write(audit, &some_use, &err));
    CHECK(lines_in("disk/b") == 5);
    CHECK(!unlink("disk/other"));
    CHECK(!record_one(audit, &err));
    CHECK(lines_in("disk/a") == 1);
    CHECK(audit_close(audit));
}

static void promises_outlive_a_rotation(void **state)
{
    (void)state;
    assert_int_equal(mkdir("disk", 0700), 0);
    in_child(rotate_on_full_disk);
}

static void write_until_full(void)
{
    struct audit *audit;

    if (!mount_small("disk", "size=64k"))
        _exit(77);
    audit = one_sink(AUDIT_FILE, "disk/a", false);
    for (unsigned i = 0; i < 500; i++)
        audit_note(audit, &some_use);
    await_counts(audit, 1, 1);
    CHECK(audit_close(audit));
    CHECK(lines_in("disk/a") > 50);
}

static void half_a_line_is_taken_back(void **state)
{
    (void)state;
    assert_int_equal(mkdir("disk", 0700), 0);
    in_child(write_until_full);
}

static void write_up_to_limit(void)
{
    const struct rlimit limit = { 40000, 40000 };
    struct audit *audit;
    se_error err = SE_ERROR_INIT;
    unsigned recorded = 0;

    CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
    audit = one_sink(AUDIT_FILE, "a", true);
    while (recorded < 1000 && !record_one(audit, &err))
        recorded++;
    CHECK(err.status == SE_ERR_UNAVAILABLE && strstr(err.text, "File too large"));
    CHECK(recorded > 10 && lines_in("a") == recorded);
    CHECK(counts_of(audit, 0).failures == 0); /* it was refused before */
    CHECK(audit_close(audit));
}

static void a_limit_of_files_is_noticed_before(void **state)
{
    (void)state;
    in_child(write_up_to_limit);
}

/* ---- threads ---- */

enum { THREADS = 64, RECORDS = 40 };

static void *record_many(void *arg)
{
    size_t failed = 0;

    for (unsigned i = 0; i < RECORDS; i++)
        failed += record_one(arg, NULL) != SE_OK;
    return (void *)failed;
}

/* "n" counts without a gap, in the order of the lines. */
static void assert_numbers(const char *path, size_t count)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    char *at;
    long last = 0;

    assert_status(SE_OK, file_read(&text, path, 64 << 20, &err), &err);
    at = (char *)text.data;
    while ((at = strstr(at, ",\"n\":"))) {
        long number = strtol(at + 5, &at, 10);

        assert_true(!last || number == last + 1);
        last = number;
        count--;
    }
    assert_int_equal(count, 0);
}

static void many_threads_lose_nothing(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", true);
    pthread_t threads[THREADS];
    void *failed;

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, audit), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(lines_in("a"), THREADS * RECORDS);
    assert_numbers("a", (size_t)THREADS * RECORDS);
}

/* Nothing is lost between two files. */
static void many_threads_follow_rotations(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", true);
    pthread_t threads[8];
    char name[20];
    size_t lines = 0;
    void *failed;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, audit), 0);
    for (unsigned i = 0; i < 10; i++) {
        const uint64_t before = counts_of(audit, 0).records;

        (void)snprintf(name, sizeof name, "a.%u", i);
        assert_int_equal(rename("a", name), 0);
        for (unsigned k = 0; access("a", F_OK) && k < PATIENCE_MS; k++) {
            if (counts_of(audit, 0).records == before)
                audit_reopen(audit); /* all of them may have come to their end */
            (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        }
        lines += lines_in(name);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    lines += lines_in("a");
    assert_int_equal(lines, 8 * RECORDS);
}

static void room_that_is_given_back_is_there_again(void **state)
{
    AUTO(audit) audit = one_sink(AUDIT_FILE, "a", true);
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        assert_status(SE_OK, audit_reserve(audit, 1000, &err), &err);
        audit_release(audit, 1000);
    }
    assert_status(SE_ERR_UNAVAILABLE, audit_reserve(audit, 20000, &err), &err);
    assert_recorded(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(records_become_lines),
        IN_FOLDER(a_required_one_is_there_at_once),
        IN_FOLDER(all_is_written_before_the_end),
        IN_FOLDER(a_file_that_was_taken_away_is_made_anew),
        IN_FOLDER(what_can_not_be_made_anew_goes_on),
        IN_FOLDER(half_a_line_is_ended),
        IN_FOLDER(what_can_never_be_opened_is_refused),
        IN_FOLDER(what_is_not_handed_out_is_told),
        IN_FOLDER(a_child_opens_its_own),
        IN_FOLDER(a_full_disk_is_noticed_before),
        IN_FOLDER(promises_outlive_a_rotation),
        IN_FOLDER(half_a_line_is_taken_back),
        IN_FOLDER(a_limit_of_files_is_noticed_before),
        IN_FOLDER(many_threads_lose_nothing),
        IN_FOLDER(many_threads_follow_rotations),
        IN_FOLDER(room_that_is_given_back_is_there_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
