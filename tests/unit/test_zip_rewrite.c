/* New archives out of old ones: early and late, with room in front and without, into what can be written only once, and where it ends. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "tests/unit/folder.h"
#include "zip/rewrite.h"

enum { BLOCK = 4096, FIXED = 3 * 30 + 5 + 6 + 7, PADDING_LEAST = 6, PADDING_MOST = 65535, LONG = 10000 };
static const struct archive_limits limits = { .entries = 100, .total = 1 << 30, .ratio = 1000 };

enum when { LATE, EARLY };

struct made {
    enum when when;
    uint64_t room;
    const bool *dropped;
    const atomic_bool *stopped;
    size_t block; /* bytes of the last file in front */
    char letter;  /* that begins the names of files in front, and fills them */
};

static struct front front_of(const struct made *m, char content[LONG])
{
    struct front front = { .time = 1700000000 };

    memset(content, m->letter, LONG);
    for (size_t i = 0; i < FRONT_FILES; i++) {
        (void)snprintf(front.files[i].name, sizeof front.files[i].name, "%c.%.*s", m->letter, (int)i + 3, "filler");
        front.files[i].content = (se_bytes){ content, i == FRONT_FILES - 1 ? m->block : 100 * i };
    }
    return front;
}

static uint64_t size_of(size_t block)
{
    return FIXED + 100 + block;
}

static se_status write_to(struct output *out, const char *old, const struct made *m, se_error *err)
{
    AUTO(archive) archive = { .fd = -1 };
    const bool none[100] = { false };
    char content[LONG];
    struct front front = front_of(m, content);
    struct rewriting w = { .early = false };
    struct kept kept = { &archive, m->dropped ? m->dropped : none };
    se_status st;

    assert_status(SE_OK, archive_open(&archive, old, &limits, err), err);
    assert_status(SE_OK, rewrite_begin(&w, out, &kept, m->room, err), err);
    st = m->when == EARLY ? rewrite_early(&w, m->stopped, err) : SE_OK;
    if (!st)
        st = rewrite_end(&w, &front, err);
    rewrite_free(&w);
    return st;
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
    if (archive.count > FRONT_FILES)
        assert_int_equal(archive.entries[FRONT_FILES].offset, kept_from);
}

#define ALL "c.fil c.fill c.fille b.fil b.fill b.fille a.fil a.fill a.fille "

static void what_is_kept_goes_behind_the_room(void **state)
{
    (void)state;
    make_old();
    rewritten("new", "old", &(struct made){ .when = EARLY, .room = 3000, .block = 1500, .letter = 'c' });
    assert_entries("new", ALL, BLOCK);
    rewritten("plain", "old", &(struct made){ .block = 1500, .letter = 'c' });
    assert_entries("plain", ALL, size_of(1500));
}

static void the_same_is_written_early_and_late(void **state)
{
    (void)state;
    make_old();
    for (size_t block = 0; block < 6000; block += 500) {
        rewritten("early", "old", &(struct made){ .when = EARLY, .room = 3000, .block = block, .letter = 'c' });
        rewritten("late", "old", &(struct made){ .when = LATE, .room = 3000, .block = block, .letter = 'c' });
        assert_same("early", "late");
    }
}

static void check_fit(size_t block, uint64_t room, bool fits)
{
    rewritten("early", "old", &(struct made){ .when = EARLY, .room = room, .block = block, .letter = 'c' });
    rewritten("plain", "old", &(struct made){ .block = block, .letter = 'c' });
    assert_entries("early", ALL, fits ? room : size_of(block));
    if (!fits)
        assert_same("early", "plain");
}

/* A shorter archive than was begun ends where it ends. */
static void what_does_not_fit_is_written_as_if_there_were_no_room(void **state)
{
    const size_t whole = BLOCK - size_of(0);

    (void)state;
    make_old();
    check_fit(whole, BLOCK, true);
    check_fit(whole + 1, BLOCK, false);
    check_fit(LONG, BLOCK, false);
    for (size_t left = 1; left < PADDING_LEAST; left++)
        check_fit(whole - left, BLOCK, false);
    check_fit(whole - PADDING_LEAST, BLOCK, true);
    check_fit(17 * BLOCK - PADDING_MOST - size_of(0), 17 * BLOCK, true);
    check_fit(17 * BLOCK - PADDING_MOST - size_of(0) - 1, 17 * BLOCK, false);
}

static void what_is_dropped_is_left_out(void **state)
{
    const bool some[] = { true, false, true, true, false, false }, all[] = { true, true, true, true, true, true };

    (void)state;
    make_old();
    rewritten("early", "old", &(struct made){ .when = EARLY, .room = 1, .dropped = some, .block = 9, .letter = 'c' });
    rewritten("late", "old", &(struct made){ .when = LATE, .room = 1, .dropped = some, .block = 9, .letter = 'c' });
    assert_entries("early", "c.fil c.fill c.fille b.fill a.fill a.fille ", BLOCK);
    assert_same("early", "late");
    rewritten("early", "old", &(struct made){ .when = EARLY, .room = 1, .dropped = all, .block = 9, .letter = 'c' });
    assert_entries("early", "c.fil c.fill c.fille ", 0);
}

/* The old file's blocks can be the new one's. */
static void signed_again_it_is_the_same(void **state)
{
    const bool front[9] = { true, true, true };
    const struct made made = { .when = EARLY, .room = 3000, .dropped = front, .block = 1500, .letter = 'c' };

    (void)state;
    make_old();
    rewritten("once", "old", &(struct made){ .when = EARLY, .room = 3000, .block = 1500, .letter = 'c' });
    rewritten("twice", "once", &made);
    assert_same("once", "twice");
}

static void a_pipe_gets_what_a_file_does(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    const struct made made = { .when = EARLY, .room = 3000, .block = 1500, .letter = 'c' };
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

static void copying_is_given_up(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    atomic_bool stopped = false;
    struct made made = { .when = EARLY, .room = 3000, .stopped = &stopped, .block = 1500, .letter = 'c' };
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_old();
    rewritten("new", "old", &made);
    atomic_store(&stopped, true);
    assert_status(SE_OK, output_open(&out, "given up", 0600, &err), &err);
    assert_status(SE_ERR_CANCELLED, write_to(&out, "old", &made, &err), &err);
    output_discard(&out);
    assert_int_equal(access("given up", F_OK), -1);
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
    small = (struct rlimit){ BLOCK + 1000, before.rlim_max };
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    st = write_to(&out, "old", &(struct made){ .when = EARLY, .room = 3000, .block = 1500, .letter = 'c' }, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_status(SE_ERR_IO, st, &err);
    assert_non_null(strstr(err.text, "'new': File too large"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_kept_goes_behind_the_room),
        IN_FOLDER(the_same_is_written_early_and_late),
        IN_FOLDER(what_does_not_fit_is_written_as_if_there_were_no_room),
        IN_FOLDER(what_is_dropped_is_left_out),
        IN_FOLDER(signed_again_it_is_the_same),
        IN_FOLDER(a_pipe_gets_what_a_file_does),
        IN_FOLDER(copying_is_given_up),
        IN_FOLDER(a_full_disk_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
