/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <sys/xattr.h>

#include "tests/unit/folder.h"

enum { BEHIND_MOST = 16 << 20 }; /* as in base/file.c */

/* What is sent to the disk before all of it is there. */
static struct {
    int calls, fd;
    off64_t offset, size;
    unsigned flags;
} ahead;

int __wrap_sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags);

int __wrap_sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    ahead.calls++;
    ahead.fd = fd;
    ahead.offset = offset;
    ahead.size = size;
    ahead.flags = flags;
    return 0;
}

static bool names_only; /* a file system without O_TMPFILE */

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!names_only || !(flags & __O_TMPFILE))
        return __real_open(path, flags, mode);
    errno = EOPNOTSUPP;
    return -1;
}

/* What was synced last, and whether the file had its name then. */
static struct synced {
    int calls;
    bool folder, named;
} synced;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    struct stat info;

    synced.calls++;
    synced.folder = !fstat(fd, &info) && S_ISDIR(info.st_mode);
    synced.named = !access("file", F_OK);
    return __real_fsync(fd);
}

/* How many names an output has that is not committed. */
static int names_while_open(void)
{
    int unnamed = file_unnamed("."), names = unnamed < 0;

    if (unnamed >= 0)
        close(unnamed);
    return names;
}

static void a_file_appears_when_it_is_committed(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, output_open(&out, "file", 0640, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("one "), &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("two"), &err), &err);
    assert_int_equal(access("file", F_OK), -1);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_holds("file", "one two");
    assert_int_equal(mode_of("file") & 07777, 0640);
    assert_int_equal(names_here(false), 1);
    assert_int_equal(out.fd, -1);
    output_discard(&out);
    assert_holds("file", "one two");
}

static void discarding_leaves_nothing(void **state)
{
    struct output out;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, output_open(&out, "file", 0600, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("half"), &err), &err);
    assert_int_equal(names_here(false), names_while_open());
    output_discard(&out);
    assert_int_equal(names_here(false), 0);
    output_discard(&out);
    assert_null(out.path);
}

/* It is there already, and keeps its mode, or comes while the new one is written, for which the
 * umask counts. */
static void a_file_replaces_another(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    mode_t before = umask(027);
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int i = 0; i < 4; i++) {
        names_only = i & 1;
        if (i & 2)
            make("file", "old", 0606);
        assert_status(SE_OK, output_open(&out, "file", 0666, &err), &err);
        assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
        assert_int_equal(names_here(false), names_while_open() + (i >> 1));
        if (!(i & 2))
            make("file", "late", 0600);
        assert_status(SE_OK, output_commit(&out, &err), &err);
        assert_holds("file", "new");
        assert_int_equal(mode_of("file") & 07777, i & 2 ? 0606 : 0640);
        assert_int_equal(names_here(true), 1);
    }
    names_only = false;
    (void)umask(before);
}

static void an_existing_file_is_untouched_until_then_and_keeps_its_mode(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("file", "old", 0604);
    assert_status(SE_OK, output_open(&out, "file", 0640, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
    assert_holds("file", "old");
    output_discard(&out);
    assert_holds("file", "old");

    assert_status(SE_OK, output_open(&out, "file", 0640, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_holds("file", "new");
    assert_int_equal(mode_of("file") & 07777, 0604);
}

static struct stat status_of(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return info;
}

/* of user 1 and group 2; the list gives user 3 the right to read */
static const unsigned char access_list[] = {
    2, 0, 0,    0,    1,    0,    6,    0, 0xff, 0xff, 0xff, 0xff, 2,    0,    4,
    0, 3, 0,    0,    0,    4,    0,    4, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
    4, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 0,    0,    0xff, 0xff, 0xff, 0xff,
};

static void the_owner_and_the_access_list_stay(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    unsigned char list[sizeof access_list];
    se_error err = SE_ERROR_INIT;
    char note[8] = "";

    (void)state;
    if (geteuid() != 0)
        skip();
    make("file", "old", 0600);
    assert_int_equal(chown("file", 1, 2), 0);
    if (setxattr("file", "user.note", "yes", 3, 0) ||
        setxattr("file", "system.posix_acl_access", access_list, sizeof access_list, 0)) {
        assert_int_equal(errno, ENOTSUP);
        skip();
    }
    assert_int_equal(mode_of("file") & 07777, 0640);
    for (int i = 0; i < 2; i++) {
        names_only = i;
        assert_status(SE_OK, output_open(&out, "file", 0600, &err), &err);
        assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
        assert_status(SE_OK, output_commit(&out, &err), &err);
        assert_holds("file", "new");
        assert_int_equal(status_of("file").st_uid, 1);
        assert_int_equal(status_of("file").st_gid, 2);
        assert_int_equal(mode_of("file") & 07777, 0640);
        assert_int_equal(getxattr("file", "user.note", note, sizeof note), 3);
        assert_int_equal(getxattr("file", "system.posix_acl_access", list, sizeof list),
                         sizeof list);
        assert_memory_equal(list, access_list, sizeof list);
    }
    names_only = false;
}

static se_status write_file(se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;

    return output_open(&out, "file", 0600, err);
}

static void who_cannot_keep_the_owner_writes_nothing(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    if (geteuid() != 0)
        skip();
    make("file", "old", 0666);
    assert_int_equal(chown("file", 1, 2), 0);
    assert_int_equal(chmod(".", 0777), 0);
    assert_status(SE_ERR_ACCESS, as_nobody(write_file, &err), &err);
    assert_non_null(strstr(err.text, "/file': the new file would not keep its owner: Operation not "
                                     "permitted; do it as that user, or as root"));
    assert_holds("file", "old");
    assert_int_equal(names_here(false), 1);
}

/* What is synced last is the folder, in which the name is. */
static void the_folder_is_synced_after_the_name_is_there(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, output_open(&out, "file", 0600, &err), &err);
    synced = (struct synced){ .folder = false };
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_int_equal(synced.calls, 2);
    assert_true(synced.folder);
    assert_true(synced.named);
}

static void a_symbolic_link_stays_one(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("target", "old", 0600);
    assert_int_equal(symlink("target", "link"), 0);
    assert_status(SE_OK, output_open(&out, "link", 0600, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_true(S_ISLNK(mode_of("link")));
    assert_true(S_ISREG(mode_of("target")));
    assert_holds("target", "new");
    assert_int_equal(names_here(false), 2);
}

static void a_device_is_written_to_and_stays(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, output_open(&out, "/dev/null", 0600, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_true(S_ISCHR(mode_of("/dev/null")));
}

static void a_pipe_is_written_to_and_stays(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;
    char got[4] = "";
    int reader;

    (void)state;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    reader = open("pipe", O_RDONLY | O_NONBLOCK);
    assert_status(SE_OK, output_open(&out, "pipe", 0600, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_int_equal(read(reader, got, sizeof got), 3);
    assert_string_equal(got, "new");
    close(reader);
    assert_true(S_ISFIFO(mode_of("pipe")));
}

static void a_full_disk_is_told(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, output_open(&out, "/dev/full", 0600, &err), &err);
    assert_status(SE_ERR_IO, output_write(&out, text_bytes("new"), &err), &err);
    assert_string_equal(err.text, "cannot write '/dev/full': No space left on device");
    assert_int_equal(write_all(out.fd, "x", 1), -1);
    assert_int_equal(errno, ENOSPC);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct output out;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_IO, output_open(&out, "nowhere/file", 0600, &err), &err);
    assert_string_equal(err.text, "cannot write 'nowhere/file': No such file or directory");
    assert_int_equal(out.fd, -1);
    assert_null(out.path);
    assert_null(out.temporary);
}

static void a_folder_is_no_output(void **state)
{
    struct output out;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_IO, output_open(&out, folder, 0600, &err), &err);
    assert_non_null(strstr(err.text, "Is a directory"));
    assert_null(out.path);
}

/* the target turned into a folder meanwhile: the rename fails, and nothing stays behind */
static void a_commit_that_fails_can_be_discarded(void **state)
{
    struct output out;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, output_open(&out, "file", 0600, &err), &err);
    assert_int_equal(mkdir("file", 0700), 0);
    assert_status(SE_ERR_IO, output_commit(&out, &err), &err);
    output_discard(&out);
    assert_int_equal(names_here(false), 1);
}

static void a_folder_that_may_not_be_written_is_a_matter_of_access(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(chmod(".", 0555), 0);
    assert_status(SE_ERR_ACCESS, as_nobody(write_file, &err), &err);
    assert_non_null(strstr(err.text, "cannot write"));
    assert_non_null(strstr(err.text, "Permission denied"));
    assert_int_equal(names_here(false), 0);
}

static void a_secret_has_no_name_until_then(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("file", "old", 0604);
    assert_status(SE_OK, output_open_secret(&out, "file", 0600, &err), &err);
    assert_status(SE_OK, output_write(&out, text_bytes("new"), &err), &err);
    assert_int_equal(names_here(false), 1 + names_while_open());
    assert_holds("file", "old");
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_holds("file", "new");
    assert_int_equal(mode_of("file") & 07777, 0604);
    assert_int_equal(names_here(false), 1);
}

static void a_discarded_secret_is_overwritten(void **state)
{
    struct output out;
    char left[10];
    int kept;

    (void)state;
    assert_int_equal(output_open_secret(&out, "file", 0600, NULL), SE_OK);
    assert_int_equal(output_write(&out, text_bytes("the secret"), NULL), SE_OK);
    kept = dup(out.fd);
    output_discard(&out);
    assert_int_equal(pread(kept, left, sizeof left, 0), sizeof left);
    for (size_t i = 0; i < sizeof left; i++)
        assert_int_equal(left[i], 0);
    close(kept);
    assert_int_equal(names_here(false), 0);
}

static void a_committed_secret_is_not(void **state)
{
    struct output out;

    (void)state;
    assert_int_equal(output_open_secret(&out, "file", 0600, NULL), SE_OK);
    assert_int_equal(output_write(&out, text_bytes("the secret"), NULL), SE_OK);
    assert_int_equal(output_commit(&out, NULL), SE_OK);
    output_discard(&out);
    assert_holds("file", "the secret");
    assert_int_equal(mode_of("file") & 07777, 0600);
}

static void a_secret_is_for_files_only(void **state)
{
    struct output out;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_USAGE, output_open_secret(&out, "/dev/null", 0600, &err), &err);
    assert_null(out.path);
    assert_int_equal(out.fd, -1);
}

static void what_is_large_goes_to_the_disk_while_more_comes(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    ahead.calls = 0;
    assert_status(SE_OK, output_open(&out, "file", 0600, &err), &err);
    output_wrote(&out, BEHIND_MOST - 4);
    assert_status(SE_OK, output_write(&out, text_bytes("one"), &err), &err);
    assert_int_equal(ahead.calls, 0);
    assert_status(SE_OK, output_write(&out, text_bytes("two"), &err), &err);
    assert_int_equal(ahead.calls, 1);
    assert_int_equal(ahead.fd, out.fd);
    assert_true(ahead.offset == 0 && ahead.size == 0); /* all of it */
    assert_int_equal(ahead.flags, SYNC_FILE_RANGE_WRITE);
    output_wrote(&out, BEHIND_MOST - 1);
    assert_int_equal(ahead.calls, 1);
    output_wrote(&out, 1);
    assert_int_equal(ahead.calls, 2);
}

static void a_secret_does_not_before_it_has_to(void **state)
{
    AUTO(output) out = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    ahead.calls = 0;
    assert_status(SE_OK, output_open_secret(&out, "file", 0600, &err), &err);
    for (int i = 0; i < 3; i++)
        output_wrote(&out, BEHIND_MOST);
    assert_status(SE_OK, output_write(&out, text_bytes("the secret"), &err), &err);
    assert_int_equal(ahead.calls, 0);
    assert_status(SE_OK, output_commit(&out, &err), &err);
    assert_holds("file", "the secret");
}

static void without_unnamed_files_there_is_a_temporary_one(void **state)
{
    names_only = true;
    a_file_appears_when_it_is_committed(state);
    (void)names_here(true);
    discarding_leaves_nothing(state);
    a_symbolic_link_stays_one(state);
    (void)names_here(true);
    a_commit_that_fails_can_be_discarded(state);
    (void)names_here(true);
    a_committed_secret_is_not(state);
    names_only = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_appears_when_it_is_committed),
        IN_FOLDER(discarding_leaves_nothing),
        IN_FOLDER(a_file_replaces_another),
        IN_FOLDER(an_existing_file_is_untouched_until_then_and_keeps_its_mode),
        IN_FOLDER(the_owner_and_the_access_list_stay),
        IN_FOLDER(who_cannot_keep_the_owner_writes_nothing),
        IN_FOLDER(the_folder_is_synced_after_the_name_is_there),
        IN_FOLDER(a_symbolic_link_stays_one),
        IN_FOLDER(a_device_is_written_to_and_stays),
        IN_FOLDER(a_pipe_is_written_to_and_stays),
        IN_FOLDER(a_full_disk_is_told),
        IN_FOLDER(a_folder_that_is_not_there_is_told),
        IN_FOLDER(a_folder_is_no_output),
        IN_FOLDER(a_commit_that_fails_can_be_discarded),
        IN_FOLDER(a_folder_that_may_not_be_written_is_a_matter_of_access),
        IN_FOLDER(a_secret_has_no_name_until_then),
        IN_FOLDER(a_discarded_secret_is_overwritten),
        IN_FOLDER(a_committed_secret_is_not),
        IN_FOLDER(a_secret_is_for_files_only),
        IN_FOLDER(what_is_large_goes_to_the_disk_while_more_comes),
        IN_FOLDER(a_secret_does_not_before_it_has_to),
        IN_FOLDER(without_unnamed_files_there_is_a_temporary_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
