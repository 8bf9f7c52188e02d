#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/unit.h"

/* Each test works in an empty folder of its own, and is done in it when it ends. */
static char folder[] = "/tmp/signengine-file.XXXXXX";

static int enter(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '.') + 1, "XXXXXX", 6);
    return !mkdtemp(folder) || chdir(folder);
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* How many names there are in the current folder; with `empty` they are removed. */
static int names_here(bool empty)
{
    struct dirent **entries;
    int n = scandir(".", &entries, not_dots, alphasort);

    for (int i = 0; i < n; i++) {
        if (empty)
            (void)(unlink(entries[i]->d_name) && rmdir(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return n;
}

static int leave(void **state)
{
    (void)state;
    (void)names_here(true);
    return chdir("/") || rmdir(folder);
}

static void make(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void assert_holds(const char *path, const char *text)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, file_read(&buf, path, 1000, &err), &err);
    assert_string_equal((char *)buf.data, text);
}

static mode_t mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode;
}

/* ---- reading ---- */

static void a_file_is_read_whole(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("file", "some text\n", 0600);
    assert_status(SE_OK, file_read(&buf, "file", 10, &err), &err);
    assert_int_equal(buf.size, 10);
    assert_string_equal((char *)buf.data, "some text\n");
}

static void an_empty_file_is_an_empty_string(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("file", "", 0600);
    assert_status(SE_OK, file_read(&buf, "file", 10, &err), &err);
    assert_int_equal(buf.size, 0);
    assert_string_equal((char *)buf.data, "");
}

static void a_file_over_the_limit_is_refused(void **state)
{
    se_buf buf = { (unsigned char *)"garbage", 7 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("file", "some text\n", 0600);
    assert_status(SE_ERR_FORMAT, file_read(&buf, "file", 9, &err), &err);
    assert_null(buf.data);
    assert_string_equal(err.text, "'file' has 10 bytes, more than 9");
}

/* its size is not known before it is read */
static void a_device_over_the_limit_is_refused(void **state)
{
    se_buf buf;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_FORMAT, file_read(&buf, "/dev/zero", 1 << 20, &err), &err);
    assert_null(buf.data);
    assert_string_equal(err.text, "'/dev/zero' has more than 1048576 bytes");
}

static void what_is_not_there_is_named(void **state)
{
    se_buf buf;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_IO, file_read(&buf, "nothing", 10, &err), &err);
    assert_null(buf.data);
    assert_string_equal(err.text, "cannot read 'nothing': No such file or directory");
}

static void a_folder_is_no_file(void **state)
{
    se_buf buf;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_IO, file_read(&buf, ".", 10, &err), &err);
    assert_string_equal(err.text, "cannot read '.': Is a directory");
}

/* a pipe that nobody writes to must not hold the reader up */
static void an_idle_pipe_does_not_block(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    alarm(5);
    assert_status(SE_OK, file_read(&buf, "pipe", 10, &err), &err);
    alarm(0);
    assert_int_equal(buf.size, 0);
}

/* ---- as a user who may not: root may everything, so a child becomes nobody ---- */

static se_status as_nobody(se_status (*work)(se_error *err), se_error *err)
{
    int link[2], end;
    pid_t child;

    if (geteuid())
        return work(err);
    assert_int_equal(pipe(link), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        se_status st = setgid(65534) || setuid(65534) ? SE_ERR_USAGE : work(err);

        _exit(write_all(link[1], err, sizeof *err) ? 99 : (int)st);
    }
    assert_int_equal(read(link[0], err, sizeof *err), sizeof *err);
    close(link[0]);
    close(link[1]);
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFEXITED(end));
    return (se_status)WEXITSTATUS(end);
}

static se_status read_file(se_error *err)
{
    AUTO(se_buf) buf = SE_BUF_INIT;

    return file_read(&buf, "file", 10, err);
}

static void a_file_that_may_not_be_read_is_a_matter_of_access(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(chmod(".", 0755), 0);
    make("file", "text", 0);
    assert_status(SE_ERR_ACCESS, as_nobody(read_file, &err), &err);
    assert_string_equal(err.text, "cannot read 'file': Permission denied");
}

static se_status write_file(se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;

    return output_open(&out, "file", 0600, err);
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

/* ---- paths ---- */

static void assert_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void a_folder_is_what_precedes_the_last_slash(void **state)
{
    (void)state;
    assert_text(file_folder("engine.xml"), ".");
    assert_text(file_folder("/engine.xml"), "/");
    assert_text(file_folder("/etc/engine.xml"), "/etc");
    assert_text(file_folder("a/b/c"), "a/b");
    assert_text(file_folder("a/b/"), "a/b");
    assert_text(file_folder(""), ".");
}

static void joining_leaves_absolute_names_alone(void **state)
{
    (void)state;
    assert_text(file_join("/etc", "old.p12"), "/etc/old.p12");
    assert_text(file_join(".", "keys/old.p12"), "./keys/old.p12");
    assert_text(file_join("/etc", "/srv/old.p12"), "/srv/old.p12");
}

/* ---- writing ---- */

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
    assert_int_equal(names_here(false), 1);
    output_discard(&out);
    assert_int_equal(names_here(false), 0);
    output_discard(&out);
    assert_null(out.path);
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

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_is_read_whole),
        IN_FOLDER(an_empty_file_is_an_empty_string),
        IN_FOLDER(a_file_over_the_limit_is_refused),
        IN_FOLDER(a_device_over_the_limit_is_refused),
        IN_FOLDER(what_is_not_there_is_named),
        IN_FOLDER(a_folder_is_no_file),
        IN_FOLDER(an_idle_pipe_does_not_block),
        IN_FOLDER(a_file_that_may_not_be_read_is_a_matter_of_access),
        IN_FOLDER(a_folder_that_may_not_be_written_is_a_matter_of_access),
        cmocka_unit_test(a_folder_is_what_precedes_the_last_slash),
        cmocka_unit_test(joining_leaves_absolute_names_alone),
        IN_FOLDER(a_file_appears_when_it_is_committed),
        IN_FOLDER(discarding_leaves_nothing),
        IN_FOLDER(an_existing_file_is_untouched_until_then_and_keeps_its_mode),
        IN_FOLDER(a_symbolic_link_stays_one),
        IN_FOLDER(a_device_is_written_to_and_stays),
        IN_FOLDER(a_pipe_is_written_to_and_stays),
        IN_FOLDER(a_full_disk_is_told),
        IN_FOLDER(a_folder_that_is_not_there_is_told),
        IN_FOLDER(a_folder_is_no_output),
        IN_FOLDER(a_commit_that_fails_can_be_discarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
