/* SPDX-License-Identifier: Apache-2.0 */
/* Every bit, every end, every exchange of pieces: refused, with one text.  What is no container at
 * all: told apart. */
#include "tests/unit/container.h"

enum {
    HEAD = 31 + 256,
    START_CBC = HEAD,
    START_GCM = HEAD + 32,
    SEALED_CBC = PIECE + 64,
    SEALED_GCM = PIECE + 28
};

static const char *const some[] = { "CBC-256", "GCM-256" };

static void assert_refused_at(se_engine *engine, const char *descriptor, se_bytes container,
                              size_t most, size_t at)
{
    static const char text[] = ": the container does not decrypt: it was changed or cut short, "
                               "moved to another context, or made for another key";
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st = pass(&plain, se_container_decrypt_stream, engine, descriptor, container, &err);

    if (st != SE_ERR_REJECTED || !strstr(err.text, text) || plain.size > most)
        fail_msg("%s: %zu of %zu: %s: %s: %zu bytes", descriptor, at, container.size,
                 se_status_name(st), err.text, plain.size);
}

static void every_bit_counts(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        AUTO(se_buf) container = contained(engine, some[d], text_bytes("seventeen letters"));

        for (size_t bit = 0; bit < 8 * container.size; bit++) {
            container.data[bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_refused_at(engine, some[d], buf_bytes(&container), 0, bit);
            container.data[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
    }
    se_close(&engine);
}

static void every_end_counts(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        AUTO(se_buf) container = contained(engine, some[d], text_bytes("seventeen letters"));
        AUTO(se_buf) longer = SE_BUF_INIT;

        for (size_t size = 1; size < container.size; size++)
            assert_refused_at(engine, some[d], (se_bytes){ container.data, size }, 0, size);
        assert_int_equal(buf_new(&longer, container.size + 1, NULL), SE_OK);
        memcpy(longer.data, container.data, container.size);
        for (unsigned c = 0; c < 256; c++) {
            longer.data[container.size] = (unsigned char)c;
            assert_refused_at(engine, some[d], buf_bytes(&longer), 0, c);
        }
    }
    se_close(&engine);
}

/* Of three pieces and a bit: ends at and around the borders of pieces. */
static void ends_between_pieces_count(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) plain = plain_of(3 * PIECE + 10);

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        AUTO(se_buf) container = contained(engine, some[d], buf_bytes(&plain));
        size_t start = d ? START_GCM : START_CBC, sealed = d ? SEALED_GCM : SEALED_CBC;

        for (size_t piece = 0; piece <= 3; piece++)
            for (size_t more = 0; more < 40; more++) {
                size_t size = start + piece * sealed + more;

                if (size < container.size)
                    assert_refused_at(engine, some[d], (se_bytes){ container.data, size },
                                      3 * PIECE, size);
            }
    }
    se_close(&engine);
}

/* Pieces in another order, twice, left out, and those of another container. */
static void pieces_keep_their_places(void **state)
{
    static const unsigned char orders[][4] = { { 1, 0, 2, 3 }, { 0, 2, 1, 3 }, { 0, 0, 1, 3 },
                                               { 0, 1, 3, 2 }, { 0, 1, 1, 3 }, { 4, 1, 2, 3 },
                                               { 0, 5, 2, 3 }, { 0, 1, 2, 7 }, { 4, 5, 6, 7 } };
    se_engine *engine = opened();
    AUTO(se_buf) plain = plain_of(4 * PIECE);

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        AUTO(se_buf) one = contained(engine, some[d], buf_bytes(&plain));
        AUTO(se_buf) other = contained(engine, some[d], buf_bytes(&plain));
        AUTO(se_buf) mixed = SE_BUF_INIT;
        size_t start = d ? START_GCM : START_CBC, sealed = d ? SEALED_GCM : SEALED_CBC;

        assert_int_equal(one.size, start + 4 * sealed);
        assert_int_equal(buf_copy(&mixed, buf_bytes(&one), NULL), SE_OK);
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
            for (size_t at = 0; at < 4; at++) {
                const se_buf *from = orders[i][at] < 4 ? &one : &other;

                memcpy(mixed.data + start + at * sealed,
                       from->data + start + orders[i][at] % 4 * sealed, sealed);
            }
            assert_refused_at(engine, some[d], buf_bytes(&mixed), 3 * PIECE, i);
        }
        /* one left out */
        memcpy(mixed.data, one.data, one.size);
        memcpy(mixed.data + start + sealed, one.data + start + 2 * sealed, 2 * sealed);
        assert_refused_at(engine, some[d], (se_bytes){ mixed.data, one.size - sealed }, PIECE,
                          1000);
    }
    se_close(&engine);
}

/* The pieces of one behind the head of another, of the same key and descriptor. */
static void a_head_has_its_pieces(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < 2; d++) {
        AUTO(se_buf) one = contained(engine, some[d], text_bytes("seventeen letters"));
        AUTO(se_buf) other = contained(engine, some[d], text_bytes("seventeen letters"));
        static const size_t parts[] = { 31, HEAD, HEAD + 32 };

        for (size_t i = 0; i < 3; i++) {
            AUTO(se_buf) mixed = SE_BUF_INIT;

            assert_int_equal(buf_copy(&mixed, buf_bytes(&one), NULL), SE_OK);
            memcpy(mixed.data + parts[i], other.data + parts[i], other.size - parts[i]);
            if (i)
                assert_refused_at(engine, some[d], buf_bytes(&mixed), 0, parts[i]);
        }
    }
    se_close(&engine);
}

static void another_key_does_not_decrypt(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) container = contained(engine, "other", text_bytes("text"));

    (void)state;
    assert_refused_at(engine, "GCM-256", buf_bytes(&container), 0, 0);
    se_close(&engine);
}

/* A field is no container, and a container no field, whatever its edition says. */
static void fields_and_containers_are_not_confused(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (size_t d = 0; d < 2; d++)
        for (int edition = 1; edition <= 2; edition++) {
            se_field_params params = SE_FIELD_PARAMS_INIT;
            AUTO(se_buf) container = contained(engine, some[d], text_bytes("seventeen letters"));
            AUTO(se_buf) field = SE_BUF_INIT;
            AUTO(se_buf) plain = SE_BUF_INIT;

            params.binary = true;
            assert_int_equal(
                se_encrypt(&field, engine, some[d], text_bytes("seventeen letters"), &params, NULL),
                SE_OK);
            assert_int_equal(field.data[4], 1);
            assert_int_equal(container.data[4], 2);
            field.data[4] = container.data[4] = (unsigned char)edition;
            assert_refused_at(engine, some[d], buf_bytes(&field), 0, (size_t)edition);
            assert_int_equal(se_decrypt(&plain, engine, some[d], buf_bytes(&container), NULL, NULL),
                             SE_ERR_REJECTED);
        }
    se_close(&engine);
}

static void garbage_is_told_apart(void **state)
{
    static const struct {
        const char *text;
        se_status status;
    } cases[] = {
        { "", SE_ERR_FORMAT },
        { "PK\3\4 a zip", SE_ERR_FORMAT },
        { "garbage", SE_ERR_FORMAT },
        { "nx02\2", SE_ERR_FORMAT },
        { "N", SE_ERR_REJECTED },
        { "NX0", SE_ERR_REJECTED },
        { "NX02:AAAA", SE_ERR_REJECTED },
        { "MX02", SE_ERR_REJECTED },
    };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(se_buf) plain = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        assert_status(cases[i].status,
                      pass(&plain, se_container_decrypt_stream, engine, "GCM-256",
                           text_bytes(cases[i].text), &err),
                      &err);
        assert_int_equal(plain.size, 0);
        assert_int_equal(se_is_container(text_bytes(cases[i].text)),
                         cases[i].status == SE_ERR_REJECTED);
    }
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_bit_counts),          IN_FOLDER(every_end_counts),
        IN_FOLDER(ends_between_pieces_count), IN_FOLDER(pieces_keep_their_places),
        IN_FOLDER(a_head_has_its_pieces),     IN_FOLDER(another_key_does_not_decrypt),
        IN_FOLDER(garbage_is_told_apart),     IN_FOLDER(fields_and_containers_are_not_confused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
