/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: every size and cipher there and back, and nothing else. */
#include "tests/unit/container.h"

static void there_and_back(void **state)
{
    static const size_t sizes[] = { 0,
                                    1,
                                    15,
                                    16,
                                    17,
                                    PIECE - 17,
                                    PIECE - 16,
                                    PIECE - 1,
                                    PIECE,
                                    PIECE + 1,
                                    2 * PIECE - 1,
                                    2 * PIECE,
                                    2 * PIECE + 1 };
    se_engine *engine = opened();

    (void)state;
    for (size_t c = 0; c < CIPHERS; c++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            AUTO(se_buf) plain = plain_of(sizes[i]);
            AUTO(se_buf) container = contained(engine, ciphers[c], buf_bytes(&plain));
            AUTO(se_buf) back = SE_BUF_INIT;
            se_error err = SE_ERROR_INIT;
            size_t pieces = sizes[i] ? (sizes[i] + PIECE - 1) / PIECE : 1, head = 31 + 256;

            assert_status(SE_OK,
                          pass(&back, se_container_decrypt_stream, engine, ciphers[c],
                               buf_bytes(&container), &err),
                          &err);
            assert_int_equal(back.size, plain.size);
            assert_memory_equal(back.data, plain.data, plain.size);
            if (c >= 3)
                assert_int_equal(container.size, head + 32 + plain.size + 28 * pieces);
            else
                assert_int_equal(container.size, head + (pieces - 1) * (PIECE + 64) +
                                                     (plain.size - (pieces - 1) * PIECE) / 16 * 16 +
                                                     64);
        }
    se_close(&engine);
}

static void any_version_and_descriptor_of_the_key_decrypts(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) container = contained(engine, "GCM-128", text_bytes("text"));
    AUTO(se_buf) back = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(
        SE_OK,
        pass(&back, se_container_decrypt_stream, engine, "CBC-256", buf_bytes(&container), &err),
        &err);
    assert_string_equal((char *)back.data, "text");
    se_close(&engine);
}

static void no_two_are_alike(void **state)
{
    static const char *const some[] = { "CBC-256", "GCM-256", "fixed" };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        AUTO(se_buf) plain = plain_of(100);
        AUTO(se_buf) a = contained(engine, some[i], buf_bytes(&plain));
        AUTO(se_buf) b = contained(engine, some[i], buf_bytes(&plain));
        size_t same = 0;

        assert_int_equal(a.size, b.size);
        for (size_t at = 31; at < a.size; at++)
            same += a.data[at] == b.data[at];
        assert_true(same < 30);
    }
    se_close(&engine);
}

/* ---- streams that give and take as they like ---- */

struct drip {
    se_bytes left;
    size_t at_once;
};

static ptrdiff_t drip_read(void *arg, void *data, size_t size)
{
    struct drip *drip = arg;
    size_t n = drip->left.size < drip->at_once ? drip->left.size : drip->at_once;

    n = n < size ? n : size;
    if (n)
        memcpy(data, drip->left.data, n);
    drip->left.data = (const char *)drip->left.data + n;
    drip->left.size -= n;
    return (ptrdiff_t)n;
}

static void short_reads_do_no_harm(void **state)
{
    static const size_t steps[] = { 1, 7, 4096, 65535, 65536, 65537 };
    se_engine *engine = opened();
    AUTO(se_buf) plain = plain_of(2 * PIECE + 5);

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct drip in = { buf_bytes(&plain), steps[i] }, sealed;
        AUTO(writer) container = { 0 };
        AUTO(writer) back = { 0 };
        const se_sink sinks[] = { sink_writer(&container), sink_writer(&back) };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK,
                      se_container_encrypt_stream(&sinks[0], engine, "GCM-256",
                                                  &(se_source){ drip_read, &in, 0 }, NULL, &err),
                      &err);
        sealed = (struct drip){ buf_bytes(&container.buf), steps[i] };
        assert_status(SE_OK,
                      se_container_decrypt_stream(&sinks[1], engine, "GCM-256",
                                                  &(se_source){ drip_read, &sealed, 0 }, NULL,
                                                  &err),
                      &err);
        assert_int_equal(back.buf.size, plain.size);
        assert_memory_equal(back.buf.data, plain.data, plain.size);
    }
    se_close(&engine);
}

static ptrdiff_t broken_read(void *arg, void *data, size_t size)
{
    unsigned *good = arg;

    memset(data, 'N', size);
    return (*good)-- ? (ptrdiff_t)size : -1;
}

static int broken_write(void *arg, const void *data, size_t size)
{
    unsigned *good = arg;

    (void)data;
    (void)size;
    return (*good)-- ? 0 : -1;
}

static void failing_streams_are_told(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) plain = plain_of(3 * PIECE);
    AUTO(se_buf) container = contained(engine, "CBC-256", buf_bytes(&plain));

    (void)state;
    for (unsigned good = 0; good < 4; good++) {
        AUTO(writer) w = { 0 };
        const se_sink sink = sink_writer(&w);
        se_bytes in = buf_bytes(&plain), sealed = buf_bytes(&container);
        const se_source source = source_memory(&in), sealed_source = source_memory(&sealed);
        unsigned reads = good, writes = good, others = good < 3 ? good : 2;

        assert_int_equal(se_container_encrypt_stream(&sink, engine, "CBC-256",
                                                     &(se_source){ broken_read, &reads, 0 }, NULL,
                                                     NULL),
                         SE_ERR_IO);
        assert_int_equal(se_container_encrypt_stream(&(se_sink){ broken_write, &writes }, engine,
                                                     "CBC-256", &source, NULL, NULL),
                         SE_ERR_IO);
        assert_int_equal(se_container_decrypt_stream(&(se_sink){ broken_write, &others }, engine,
                                                     "CBC-256", &sealed_source, NULL, NULL),
                         SE_ERR_IO);
    }
    se_close(&engine);
}

static bool stop_at(void *arg, uint64_t done, uint64_t total)
{
    assert_int_equal(total, 3 * PIECE);
    return done < *(const uint64_t *)arg;
}

static void progress_can_cancel(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) plain = plain_of(3 * PIECE);
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    se_container_params params = SE_CONTAINER_PARAMS_INIT;
    se_bytes in = buf_bytes(&plain);
    const se_source source = source_memory(&in);
    uint64_t most = 2 * PIECE;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.progress = stop_at;
    params.progress_arg = &most;
    assert_status(SE_ERR_CANCELLED,
                  se_container_encrypt_stream(&sink, engine, "GCM-256", &source, &params, &err),
                  &err);
    assert_true(w.buf.size < 3 * PIECE);
    se_close(&engine);
}

/* ---- what it belongs to ---- */

static se_status with_context(se_buf *out, passage_fn passage, se_engine *engine, se_bytes in,
                              const char *context)
{
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    const se_source source = source_memory(&in);
    se_container_params params = SE_CONTAINER_PARAMS_INIT;
    se_status st;

    params.context = text_bytes(context);
    st = passage(&sink, engine, "GCM-256", &source, &params, NULL);
    assert_int_equal(writer_finish(out, &w, NULL), SE_OK);
    return st;
}

static void a_context_is_bound(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) container = SE_BUF_INIT;
    AUTO(se_buf) back = SE_BUF_INIT;
    AUTO(se_buf) none = SE_BUF_INIT;

    (void)state;
    assert_int_equal(with_context(&container, se_container_encrypt_stream, engine,
                                  text_bytes("text"), "tenant 7"),
                     SE_OK);
    assert_int_equal(
        with_context(&back, se_container_decrypt_stream, engine, buf_bytes(&container), "tenant 7"),
        SE_OK);
    assert_string_equal((char *)back.data, "text");
    assert_int_equal(
        with_context(&none, se_container_decrypt_stream, engine, buf_bytes(&container), "tenant 8"),
        SE_ERR_REJECTED);
    assert_int_equal(none.size, 0);
    se_buf_free(&none);
    assert_int_equal(
        with_context(&none, se_container_decrypt_stream, engine, buf_bytes(&container), ""),
        SE_ERR_REJECTED);
    assert_int_equal(none.size, 0);
    se_close(&engine);
}

/* ---- what is wrong with the call ---- */

static void wrong_descriptors_are_refused(void **state)
{
    static const struct {
        const char *name, *text;
        se_status status;
    } cases[] = {
        { "CMS", "descriptor 'CMS': key 'one': a container is NX02, its result is CMS",
          SE_ERR_POLICY },
        { "bare",
          "descriptor 'bare': key 'three': a container is NX02, its result is bare RSA-OAEP",
          SE_ERR_POLICY },
        { "signer", "descriptor 'signer': key 'one': its algorithm SHA-256 is not for encryption",
          SE_ERR_POLICY },
        { "nobody", "no descriptor 'nobody'", SE_ERR_NO_DESCRIPTOR },
    };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(se_buf) out = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        assert_status(
            cases[i].status,
            pass(&out, se_container_encrypt_stream, engine, cases[i].name, text_bytes("x"), &err),
            &err);
        assert_memory_equal(err.text, cases[i].text, strlen(cases[i].text));
        assert_int_equal(out.size, 0);
    }
    se_close(&engine);
}

static void params_without_a_size_are_refused(void **state)
{
    se_engine *engine = opened();
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    se_bytes in = text_bytes("x");
    const se_source source = source_memory(&in);
    se_container_params params = SE_CONTAINER_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.size = 0;
    assert_status(SE_ERR_USAGE,
                  se_container_encrypt_stream(&sink, engine, "GCM-256", &source, &params, &err),
                  &err);
    assert_int_equal(se_container_decrypt_stream(&sink, engine, "GCM-256", &source, &params, NULL),
                     SE_ERR_USAGE);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(there_and_back),
        IN_FOLDER(any_version_and_descriptor_of_the_key_decrypts),
        IN_FOLDER(no_two_are_alike),
        IN_FOLDER(short_reads_do_no_harm),
        IN_FOLDER(failing_streams_are_told),
        IN_FOLDER(progress_can_cancel),
        IN_FOLDER(a_context_is_bound),
        IN_FOLDER(wrong_descriptors_are_refused),
        IN_FOLDER(params_without_a_size_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
