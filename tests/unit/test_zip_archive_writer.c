/* SPDX-License-Identifier: Apache-2.0 */
/* New archives out of old ones: what is in front, what is kept, into what can be written only once,
 * and a disk that is full. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "tests/unit/folder.h"
#include "zip/archive_writer.h"

enum { FIXED = 3 * 30 + 5 + 6 + 7, LONG = 10000 };
static const struct archive_limits limits = { .entries = 100, .total = 1 << 30, .ratio = 1000 };

struct made {
    const bool *dropped;
    size_t block; /* bytes of the last file in front */
    char letter;  /* that begins the names of files in front, and fills them */
};

static uint64_t size_of(size_t block)
{
    return FIXED + 100 + block;
}

static se_status write_to(struct output *out, const char *old, const struct made *m, se_error *err)
{
    AUTO(archive) archive = { .fd = -1 };
    const bool none[100] = { false };
    char content[LONG], names[NEW_FILES][16];
    struct archive_plan plan = { .time = 1700000000,
                                 .old = &archive,
                                 .dropped = m->dropped ? m->dropped : none };

    memset(content, m->letter, sizeof content);
    for (size_t i = 0; i < NEW_FILES; i++) {
        (void)snprintf(names[i], sizeof names[i], "%c.%.*s", m->letter, (int)i + 3, "filler");
        plan.files[i] =
            (struct new_file){ names[i], { content, i == NEW_FILES - 1 ? m->block : 100 * i } };
    }
    assert_status(SE_OK, archive_open(&archive, old, &limits, err), err);
    return archive_write(out, &plan, err);
}

static void rewritten(const char *new, const char *old, const struct made *m)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, output_open(&out, new, 0600, &err), &err);
    assert_status(SE_OK, write_to(&out, old, m, &err), &err);
    assert_status(SE_OK, output_commit(&out, &err), &err);
}

static void assert_same(const char *a, const char *b)
{
    AUTO(se_buf) one = SE_BUF_INIT;
    AUTO(se_buf) two = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, file_read(&one, a, 1 << 20, &err), &err);
    assert_status(SE_OK, file_read(&two, b, 1 << 20, &err), &err);
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.data, two.data, one.size);
}

static void make_empty(const char *path)
{
    static const char end[22] = "PK\5\6";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, end, sizeof end), 0);
    assert_int_equal(close(fd), 0);
}

/* Six entries: b.fil, b.fill, b.fille, then those of `a`. */
static void make_old(void)
{
    make_empty("empty");
    rewritten("three", "empty", &(struct made){ .block = 5000, .letter = 'a' });
    rewritten("old", "three", &(struct made){ .block = 10, .letter = 'b' });
}

/* What archive_open() takes has nothing but records from its first byte to its last. */
static void assert_entries(const char *path, const char *names, uint64_t kept_from)
{
    AUTO(archive) archive = { .fd = -1 };
    se_error err = SE_ERROR_INIT;
    char there[200] = "";

    assert_status(SE_OK, archive_open(&archive, path, &limits, &err), &err);
    for (size_t i = 0; i < archive.count; i++)
        (void)strcat(strcat(there, entry_name(&archive, &archive.entries[i])), " ");
    assert_string_equal(there, names);
    if (archive.count > NEW_FILES)
        assert_int_equal(archive.entries[NEW_FILES].offset, kept_from);
}

#define ALL "c.fil c.fill c.fille b.fil b.fill b.fille a.fil a.fill a.fille "

static void what_is_kept_goes_behind_what_is_new(void **state)
{
    (void)state;
    make_old();
    rewritten("new", "old", &(struct made){ .block = 1500, .letter = 'c' });
    assert_entries("new", ALL, size_of(1500));
}

static void what_is_dropped_is_left_out(void **state)
{
    const bool some[] = { true, false, true, true, false, false },
               all[] = { true, true, true, true, true, true };

    (void)state;
    make_old();
    rewritten("new", "old", &(struct made){ .dropped = some, .block = 9, .letter = 'c' });
    assert_entries("new", "c.fil c.fill c.fille b.fill a.fill a.fille ", size_of(9));
    rewritten("none", "old", &(struct made){ .dropped = all, .block = 9, .letter = 'c' });
    assert_entries("none", "c.fil c.fill c.fille ", 0);
}

static void signed_again_it_is_the_same(void **state)
{
    const bool front[9] = { true, true, true };

    (void)state;
    make_old();
    rewritten("once", "old", &(struct made){ .block = 1500, .letter = 'c' });
    rewritten("twice", "once", &(struct made){ .dropped = front, .block = 1500, .letter = 'c' });
    assert_same("once", "twice");
}

static void a_pipe_gets_what_a_file_does(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    const struct made made = { .block = 1500, .letter = 'c' };
    static char there[65536];
    se_error err = SE_ERROR_INIT;
    ssize_t size;
    int copy, pipe;

    (void)state;
    make_old();
    rewritten("file", "old", &made);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    pipe = open("pipe", O_RDONLY | O_NONBLOCK);
    assert_status(SE_OK, output_open(&out, "pipe", 0600, &err), &err);
    assert_status(SE_OK, write_to(&out, "old", &made, &err), &err);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    size = read(pipe, there, sizeof there);
    assert_true(size > 0);
    copy = open("copy", O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write_all(copy, there, (size_t)size), 0);
    close(copy);
    close(pipe);
    assert_same("file", "copy");
}

static void a_full_disk_is_told(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    struct rlimit before, small;
    se_error err = SE_ERROR_INIT;
    se_status st;

    (void)state;
    make_old();
    assert_status(SE_OK, output_open(&out, "new", 0600, &err), &err);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 4000, before.rlim_max };
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    st = write_to(&out, "old", &(struct made){ .block = 1500, .letter = 'c' }, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_status(SE_ERR_IO, st, &err);
    assert_non_null(strstr(err.text, "'new': File too large"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_kept_goes_behind_what_is_new),
        IN_FOLDER(what_is_dropped_is_left_out),
        IN_FOLDER(signed_again_it_is_the_same),
        IN_FOLDER(a_pipe_gets_what_a_file_does),
        IN_FOLDER(a_full_disk_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
