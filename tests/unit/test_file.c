/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>

#include "tests/unit/folder.h"

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

static void *write_late(void *arg)
{
    usleep(50000);
    assert_int_equal(write_all(*(int *)arg, "late", 4), 0);
    assert_int_equal(close(*(int *)arg), 0);
    return NULL;
}

/* as in `<(command)` of a shell */
static void a_pipe_that_somebody_will_write_to_is_waited_for(void **state)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    pthread_t writer;
    char path[32];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(pthread_create(&writer, NULL, write_late, &ends[1]), 0);
    assert_status(SE_OK, file_read(&buf, path, 10, &err), &err);
    assert_int_equal(pthread_join(writer, NULL), 0);
    close(ends[0]);
    assert_string_equal((char *)buf.data, "late");
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
        IN_FOLDER(a_pipe_that_somebody_will_write_to_is_waited_for),
        IN_FOLDER(a_file_that_may_not_be_read_is_a_matter_of_access),
        cmocka_unit_test(a_folder_is_what_precedes_the_last_slash),
        cmocka_unit_test(joining_leaves_absolute_names_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
