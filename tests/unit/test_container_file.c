/* SPDX-License-Identifier: Apache-2.0 */
/* Containers from file to file: what appears appears whole, and after a failure there is nothing
 * but what was there. */
#include "tests/unit/container.h"

static void there_and_back_between_files(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("plain", "some text", 0600);
    assert_status(SE_OK,
                  se_container_encrypt_file("container", engine, "CBC-256", "plain", NULL, &err),
                  &err);
    assert_status(
        SE_OK, se_container_decrypt_file("back", engine, "CBC-256", "container", NULL, &err), &err);
    assert_holds("back", "some text");
    assert_int_equal(mode_of("container") & 07777, 0644);
    assert_int_equal(mode_of("back") & 07777, 0600);
    assert_int_equal(names_here(false), FIXTURE_FILES + 3);
    se_close(&engine);
}

static void a_file_can_take_its_own_place(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("file", "some text", 0640);
    assert_status(SE_OK, se_container_encrypt_file("file", engine, "GCM-256", "file", NULL, &err),
                  &err);
    assert_status(SE_OK, se_container_decrypt_file("file", engine, "GCM-256", "file", NULL, &err),
                  &err);
    assert_holds("file", "some text");
    assert_int_equal(mode_of("file") & 07777, 0640);
    assert_int_equal(names_here(false), FIXTURE_FILES + 1);
    se_close(&engine);
}

static void what_is_refused_leaves_what_was_there(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) plain = plain_of(3 * PIECE);
    AUTO(se_buf) container = contained(engine, "GCM-256", buf_bytes(&plain));
    AUTO(output) damaged = OUTPUT_INIT;

    (void)state;
    make("old", "what was there", 0600);
    container.data[container.size - 1] ^= 1;
    assert_int_equal(output_open(&damaged, "damaged", 0600, NULL), SE_OK);
    assert_int_equal(output_write(&damaged, buf_bytes(&container), NULL), SE_OK);
    assert_int_equal(output_commit(&damaged, NULL), SE_OK);
    assert_int_equal(se_container_decrypt_file("old", engine, "GCM-256", "damaged", NULL, NULL),
                     SE_ERR_REJECTED);
    assert_holds("old", "what was there");
    assert_int_equal(se_container_decrypt_file("new", engine, "GCM-256", "damaged", NULL, NULL),
                     SE_ERR_REJECTED);
    assert_int_equal(se_container_decrypt_file("new", engine, "GCM-256", "old", NULL, NULL),
                     SE_ERR_FORMAT);
    assert_int_equal(se_container_encrypt_file("new", engine, "CMS", "old", NULL, NULL),
                     SE_ERR_POLICY);
    assert_int_equal(names_here(false), FIXTURE_FILES + 2);
    se_close(&engine);
}

/* How many names there are besides those that are there anyway. */
static bool look(void *arg, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    *(int *)arg = names_here(false);
    return true;
}

static void nothing_has_a_name_before_the_end(void **state)
{
    se_engine *engine = opened();
    se_container_params params = SE_CONTAINER_PARAMS_INIT;
    AUTO(se_buf) plain = plain_of(3 * PIECE);
    AUTO(se_buf) container = contained(engine, "CBC-256", buf_bytes(&plain));
    int seen = -1, unnamed = file_unnamed(".");
    AUTO(output) out = OUTPUT_INIT;

    (void)state;
    if (unnamed < 0)
        skip();
    close(unnamed);
    assert_int_equal(output_open(&out, "container", 0600, NULL), SE_OK);
    assert_int_equal(output_write(&out, buf_bytes(&container), NULL), SE_OK);
    assert_int_equal(output_commit(&out, NULL), SE_OK);
    params.progress = look;
    params.progress_arg = &seen;
    assert_int_equal(
        se_container_decrypt_file("back", engine, "CBC-256", "container", &params, NULL), SE_OK);
    assert_int_equal(seen, FIXTURE_FILES + 1);
    assert_int_equal(names_here(false), FIXTURE_FILES + 2);
    se_close(&engine);
}

static void what_cannot_be_read_or_written_is_told(void **state)
{
    static const struct {
        const char *in, *out, *text;
        se_status status;
    } cases[] = {
        { "nowhere", "out", "cannot read 'nowhere': No such file or directory", SE_ERR_IO },
        { ".", "out", "cannot read '.': Is a directory", SE_ERR_IO },
        { "one.pem", "nowhere/out", "cannot write 'nowhere/out': No such file or directory",
          SE_ERR_IO },
    };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        se_error first = SE_ERROR_INIT, second = SE_ERROR_INIT;

        assert_status(
            cases[i].status,
            se_container_encrypt_file(cases[i].out, engine, "CBC-256", cases[i].in, NULL, &first),
            &first);
        assert_string_equal(first.text, cases[i].text);
        assert_status(
            cases[i].status,
            se_container_decrypt_file(cases[i].out, engine, "CBC-256", cases[i].in, NULL, &second),
            &second);
        assert_string_equal(second.text, cases[i].text);
    }
    assert_int_equal(names_here(false), FIXTURE_FILES);
    se_close(&engine);
}

/* A pipe would be read before the end was checked. */
static void plaintext_goes_to_files_only(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("plain", "some text", 0600);
    assert_status(SE_OK,
                  se_container_encrypt_file("container", engine, "CBC-256", "plain", NULL, &err),
                  &err);
    assert_status(
        SE_ERR_USAGE,
        se_container_decrypt_file("/dev/null", engine, "CBC-256", "container", NULL, &err), &err);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(there_and_back_between_files),
        IN_FOLDER(a_file_can_take_its_own_place),
        IN_FOLDER(what_is_refused_leaves_what_was_there),
        IN_FOLDER(nothing_has_a_name_before_the_end),
        IN_FOLDER(what_cannot_be_read_or_written_is_told),
        IN_FOLDER(plaintext_goes_to_files_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
